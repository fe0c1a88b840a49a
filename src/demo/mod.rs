//! The world that `shmlens demo` makes: a few live segments of both kinds, as
//! C++ and Python programs would make them, for who has none to look at.
//!
//! | part | is |
//! |---|---|
//! | state | System V: a C struct that changes, laid out as assets/demo/world.h says |
//! | orphan | System V: made by a process that has ended |
//! | list | POSIX: a Python `ShareableList` that changes |
//! | image | POSIX: 320 by 240 grey pixels, a ball that moves |
//! | sparse | POSIX: 256 MiB, of which 1 % was ever written |
//!
//! All are removed when the demo ends: when [`Demo`] is dropped, by a panic too.
//! What a killed demo left is removed when the next one starts. No demo touches
//! what no demo made.

mod error;
mod key;
mod list;
mod made;
mod mark;
mod motion;
mod part;
mod picture;
mod sparse;
mod state;
mod sweep;

pub use error::DemoError;

use crate::segment::{Bytes, SegmentId};
use made::Made;
use mark::Maker;
use motion::Motion;
use part::Part;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use sweep::Whose;

/// The signals that end a demo in good order.
const ENDINGS: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// How many names are tried before there are none.
const TRIES: u32 = 64;

/// A world that moves, as long as this lives.
#[derive(Debug)]
pub struct Demo {
    maker: Maker,
    // In this order: what moves stops before what it moves is removed.
    motion: Option<Motion>,
    made: Vec<Made>,
    asked_to_end: Arc<AtomicBool>,
}

/// A segment of the demo, for who wants to print it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoSegment {
    /// What it is called.
    pub id: SegmentId,
    /// Its size.
    pub size: Bytes,
    /// What is in it, in a few words.
    pub about: &'static str,
}

impl Demo {
    /// Removes what killed demos left, makes the segments and sets them moving,
    /// 20 times a second.
    ///
    /// # Errors
    /// What could not be made, why, and what would help. What was made until
    /// then is removed.
    pub fn start() -> Result<Self, DemoError> {
        sweep::leavings(Whose::Gone);
        let mut example = String::new();
        for _ in 0..TRIES {
            let maker = Maker::new().map_err(DemoError::Myself)?;
            // Where a name is taken, the next number is tried for all.
            if let Some(made) = make_all(&maker)? {
                let motion = Some(Motion::start(&maker, &made)?);
                return Ok(Self { maker, motion, made, asked_to_end: Arc::default() });
            }
            example = maker.prefix();
        }
        Err(DemoError::Taken { tried: TRIES, example })
    }

    /// What was made.
    #[must_use]
    pub fn segments(&self) -> Vec<DemoSegment> {
        let shown =
            |made: &Made| DemoSegment { id: made.id.clone(), size: made.size, about: made.part.about() };
        self.made.iter().map(shown).collect()
    }

    /// Whether a signal has asked the program to end since [`with_world`] was
    /// called. Who handles signals itself asks this once after it has begun to.
    #[must_use]
    pub fn asked_to_end(&self) -> bool {
        self.asked_to_end.load(Ordering::Relaxed)
    }

    /// Removes all of it. Dropping does the same, and tells nothing.
    ///
    /// # Errors
    /// The first that could not be removed; the others are removed all the same.
    pub fn stop(mut self) -> Result<(), DemoError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), DemoError> {
        drop(self.motion.take());
        let mut outcome = Ok(());
        for mut made in self.made.drain(..) {
            outcome = outcome.and(made.remove());
        }
        // What was removed and brought back meanwhile is another object with our mark.
        sweep::leavings(Whose::Own(self.maker));
        outcome
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if self.motion.is_some() {
            // Who wants to know what was left calls `stop`.
            let _ = self.end();
        }
    }
}

/// Every part, or `None` when a name is taken: nothing is left of them then.
fn make_all(maker: &Maker) -> Result<Option<Vec<Made>>, DemoError> {
    let mut all = vec![];
    for part in Part::ALL {
        let Some(made) = Made::make(part, maker)? else { return Ok(None) };
        all.push(made);
    }
    Ok(Some(all))
}

/// Makes the world, shows it with `show`, and removes it, also when `show`
/// panics. From before it is made, SIGHUP, SIGINT and SIGTERM no longer end the
/// process: `show` has to return on them, and not end the process either.
///
/// # Errors
/// When the world could not be made, or not be removed.
pub fn with_world<T>(show: impl FnOnce(&Demo) -> T) -> Result<T, DemoError> {
    let asked_to_end = Arc::new(AtomicBool::new(false));
    for signal in ENDINGS {
        signal_hook::flag::register(signal, Arc::clone(&asked_to_end)).map_err(DemoError::Start)?;
    }
    let mut demo = Demo::start()?;
    demo.asked_to_end = asked_to_end;
    let shown = show(&demo);
    demo.stop()?;
    Ok(shown)
}

/// `shmlens demo --headless`: makes the world, prints what it is made of to
/// `out`, and waits for SIGHUP, SIGINT (Ctrl-C) or SIGTERM.
///
/// # Errors
/// When the world could not be made, printed or removed.
pub fn headless(out: &mut dyn Write) -> Result<(), DemoError> {
    let mut signals = Signals::new(ENDINGS).map_err(DemoError::Start)?;
    let demo = Demo::start()?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine as _;
    use crate::machine::control::SysvStat;
    use crate::machine::real::RealMachine;
    use crate::machine::sysv_table;
    use crate::segment::{ObjectName, ShmId};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::{Duration, Instant};

    fn row(shmid: ShmId) -> Option<SysvStat> {
        let table = sysv_table::parse(&RealMachine.sysv_table().unwrap());
        table.rows.into_iter().find(|row| row.shmid == shmid)
    }

    fn is_there(id: &SegmentId) -> bool {
        match id {
            // A process that another test forks has what is attached here until it
            // ends or executes something; a removed segment stays for that long.
            SegmentId::Sysv(shmid) => row(*shmid).is_some_and(|row| !row.marked),
            SegmentId::Posix(name) => RealMachine.stat_object(name).is_ok(),
            SegmentId::Deleted { .. } => false,
        }
    }

    fn read(name: &ObjectName) -> Vec<u8> {
        let open = RealMachine.open_object(name).unwrap();
        let mut bytes = vec![0; usize::try_from(open.stat().unwrap().size).unwrap()];
        let length = open.read_at(0, &mut bytes).unwrap();
        assert_eq!(length, bytes.len());
        bytes
    }

    fn posix(demo: &Demo, part: usize) -> ObjectName {
        match &demo.segments()[part].id {
            SegmentId::Posix(name) => name.clone(),
            other => panic!("{other}"),
        }
    }

    fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !done() {
            assert!(Instant::now() < deadline, "{what}: not within 20 s");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn what_is_made_has_its_size_and_is_gone_at_the_end() {
        let demo = Demo::start().unwrap();
        let segments = demo.segments();
        assert_eq!(segments.len(), 5);
        for segment in &segments {
            match &segment.id {
                SegmentId::Sysv(shmid) => {
                    let row = row(*shmid).unwrap();
                    assert_eq!((row.size, row.mode.bits()), (segment.size, 0o600));
                }
                SegmentId::Posix(name) => {
                    let stat = RealMachine.stat_object(name).unwrap();
                    assert_eq!((stat.size, stat.mode & 0o7777), (segment.size, 0o600));
                }
                SegmentId::Deleted { .. } => panic!("{}", segment.id),
            }
        }
        demo.stop().unwrap();
        for segment in &segments {
            assert!(!is_there(&segment.id), "{} is still there", segment.id);
        }
    }

    #[test]
    fn a_panic_removes_it_too() {
        let mut segments = vec![];
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let demo = Demo::start().unwrap();
            segments = demo.segments();
            panic!("as a screen might");
        }));
        assert!(outcome.is_err());
        assert_eq!(segments.len(), 5);
        assert!(!segments.iter().any(|segment| is_there(&segment.id)));
    }

    #[test]
    fn it_moves() {
        let demo = Demo::start().unwrap();
        let SegmentId::Sysv(shmid) = demo.segments()[0].id else { panic!("no System V segment") };
        let open = crate::sys::shm::Attachment::read_only(shmid.0).unwrap();
        let tick = || {
            let mut bytes = [0; 8];
            assert_eq!(open.copy_to(64, &mut bytes), 8);
            u64::from_ne_bytes(bytes)
        };
        let (list, picture) = (posix(&demo, 2), posix(&demo, 3));
        let before = (tick(), read(&list), read(&picture));
        wait_until("three ticks", || tick() > before.0 + 3);
        wait_until("another list", || read(&list) != before.1);
        wait_until("another picture", || read(&picture) != before.2);
    }

    #[test]
    fn the_orphan_is_held_by_nobody_and_its_maker_is_dead() {
        let demo = Demo::start().unwrap();
        let SegmentId::Sysv(shmid) = demo.segments()[1].id else { panic!("no System V segment") };
        let row = row(shmid).unwrap();
        assert_eq!(row.nattch, 0);
        assert_ne!(row.creator_pid, std::process::id());
        assert!(!std::path::Path::new(&format!("/proc/{}", row.creator_pid)).exists());
    }

    #[test]
    fn one_hundredth_of_the_sparse_one_is_there() {
        let demo = Demo::start().unwrap();
        let stat = RealMachine.stat_object(&posix(&demo, 4)).unwrap();
        let permille = stat.allocated.0 * 1000 / stat.size.0;
        assert!((9..=11).contains(&permille), "{permille} of 1000");
    }

    #[test]
    fn two_run_side_by_side() {
        let (one, two) = (Demo::start().unwrap(), Demo::start().unwrap());
        let (first, second) = (one.segments(), two.segments());
        one.stop().unwrap();
        assert!(!first.iter().any(|segment| is_there(&segment.id)));
        assert!(second.iter().all(|segment| is_there(&segment.id)));
    }

    #[test]
    fn a_changed_mode_keeps_nothing_from_being_removed() {
        use std::os::unix::fs::PermissionsExt as _;
        let demo = Demo::start().unwrap();
        let segments = demo.segments();
        let path = format!("/dev/shm{}", posix(&demo, 2));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
        demo.stop().unwrap();
        assert!(!segments.iter().any(|segment| is_there(&segment.id)));
    }

    #[test]
    fn what_took_the_place_of_a_part_stays() {
        let demo = Demo::start().unwrap();
        let path = format!("/dev/shm{}", posix(&demo, 2));
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, b"mine").unwrap();
        demo.stop().unwrap();
        let content = std::fs::read(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(content.unwrap(), b"mine");
    }

    #[test]
    fn what_is_printed_names_every_part() {
        let demo = Demo::start().unwrap();
        let mut out = vec![];
        print(&mut out, &demo).unwrap();
        let text = String::from_utf8(out).unwrap();
        let ids: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
        let expected: Vec<String> = demo.segments().iter().map(|segment| segment.id.to_string()).collect();
        assert_eq!(ids, expected);
        assert!(text.contains("256 MiB  sparse"), "{text}");
    }
}
