//! The live segments of `shmlens demo`, as C++ and Python programs create them, and the processes
//! that hold and change them.
//!
//! | part | contents |
//! |---|---|
//! | ring | POSIX: a ring buffer of quotes, see assets/demo/world.h |
//! | list | POSIX: a Python `ShareableList` that changes |
//! | state | System V: a C++ struct with a lock, see assets/demo/world.h |
//! | orphan | System V: created by a process that has exited |
//! | sparse | POSIX: 256 MiB, 1% of it written |
//!
//! Dropping [`Demo`] removes them, even after a panic. The segments of a killed demo are removed
//! when the next one starts. A demo never touches segments that no demo created.

mod children;
mod error;
mod key;
mod list;
mod mark;
mod monitor;
mod orphan;
mod owned;
mod part;
mod ring;
mod sparse;
mod state;
mod sweep;

pub use children::{COMMAND as CHILD_COMMAND, run_child};
pub use error::DemoError;
pub use orphan::{COMMAND as ORPHAN_COMMAND, create_orphan, run_orphan};

use crate::segment::{Bytes, SegmentId};
use children::Children;
use mark::Maker;
use owned::OwnedSegment;
use part::Part;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use sweep::Targets;

const END_SIGNALS: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// The running program, even if its file was replaced.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// Names to try.
const MAX_TRIES: u32 = 64;

/// A running demo. Dropping it removes its segments.
#[derive(Debug)]
pub struct Demo {
    maker: Maker,
    // Ended before the segments are removed.
    children: Option<Children>,
    segments: Vec<OwnedSegment>,
    termination_requested: Arc<AtomicBool>,
}

/// A segment of the demo, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoSegment {
    pub id: SegmentId,
    pub size: Bytes,
    /// Describes the contents.
    pub about: &'static str,
}

impl Demo {
    /// Removes the segments of killed demos, creates new ones, and starts the processes that change
    /// them. `program` is the shmlens executable, which is run again.
    ///
    /// # Errors
    /// Fails with the segment that could not be created, the reason, and advice. Removes the
    /// segments created so far.
    pub fn start(program: &Path) -> Result<Self, DemoError> {
        sweep::remove_leftovers(Targets::Gone);
        let mut example = String::new();
        for _ in 0..MAX_TRIES {
            let maker = Maker::new().map_err(DemoError::OwnProcess)?;
            // If any name is taken, retry all with the next number.
            if let Some(segments) = make_all(&maker, program)? {
                let children = Some(Children::start(program, &maker, &segments)?);
                return Ok(Self { maker, children, segments, termination_requested: Arc::default() });
            }
            example = maker.prefix();
        }
        Err(DemoError::Taken { tried: MAX_TRIES, example })
    }

    pub fn segments(&self) -> Vec<DemoSegment> {
        let shown = |segment: &OwnedSegment| DemoSegment {
            id: segment.id.clone(),
            size: segment.size,
            about: segment.part.about(),
        };
        self.segments.iter().map(shown).collect()
    }

    /// Returns true if a signal has requested termination since [`with_demo`] was called. Callers
    /// with their own signal handlers check this after installing them.
    pub fn termination_requested(&self) -> bool {
        self.termination_requested.load(Ordering::Relaxed)
    }

    /// Removes all segments. Dropping the demo does the same but ignores errors.
    ///
    /// # Errors
    /// Returns the first failure, after trying to remove all segments.
    pub fn stop(mut self) -> Result<(), DemoError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), DemoError> {
        drop(self.children.take());
        let mut outcome = Ok(());
        for mut segment in self.segments.drain(..) {
            outcome = outcome.and(segment.remove());
        }
        // The user may have removed and restored an object: the copy is a different object with the
        // same mark.
        sweep::remove_leftovers(Targets::Own(self.maker));
        outcome
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if self.children.is_some() {
            // Callers that need the error call `stop`.
            let _ = self.end();
        }
    }
}

/// Creates all parts. If a name is taken, removes the parts created so far and returns `None`.
fn make_all(maker: &Maker, program: &Path) -> Result<Option<Vec<OwnedSegment>>, DemoError> {
    let mut all = vec![];
    for part in Part::ALL {
        let Some(segment) = OwnedSegment::create(part, maker, program)? else { return Ok(None) };
        all.push(segment);
    }
    Ok(Some(all))
}

/// Runs `show` with a demo, and removes the demo afterward, even if `show` panics. SIGHUP, SIGINT
/// and SIGTERM no longer end the process: `show` has to return when one arrives, and must not exit.
///
/// # Errors
/// Fails if the demo could not be created or removed.
pub fn with_demo<T>(show: impl FnOnce(&Demo) -> T) -> Result<T, DemoError> {
    let termination_requested = Arc::new(AtomicBool::new(false));
    for signal in END_SIGNALS {
        signal_hook::flag::register(signal, Arc::clone(&termination_requested)).map_err(DemoError::Start)?;
    }
    let mut demo = Demo::start(Path::new(OWN_PROGRAM))?;
    demo.termination_requested = termination_requested;
    let shown = show(&demo);
    demo.stop()?;
    Ok(shown)
}

/// Runs `shmlens demo --headless`: creates the demo, lists its segments on `out`, and waits for
/// SIGHUP, SIGINT (Ctrl-C) or SIGTERM.
///
/// # Errors
/// Fails if the demo could not be created, listed or removed.
pub fn headless(out: &mut dyn Write) -> Result<(), DemoError> {
    let mut signals = Signals::new(END_SIGNALS).map_err(DemoError::Start)?;
    let demo = Demo::start(Path::new(OWN_PROGRAM))?;
    print(out, &demo).map_err(DemoError::Print)?;
    signals.forever().next();
    demo.stop()
}

fn print(out: &mut dyn Write, demo: &Demo) -> std::io::Result<()> {
    let segments = demo.segments();
    let widest = segments.iter().map(|segment| segment.id.to_string().len()).max().unwrap_or(0);
    for segment in segments {
        let (figure, unit) = segment.size.human();
        writeln!(out, "{:widest$}  {figure:>4} {unit:3}  {}", segment.id.to_string(), segment.about)?;
    }
    out.flush()
}
