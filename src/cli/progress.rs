//! Long operations: a progress bar on standard error if it is a terminal, and clean cancellation
//! with Ctrl-C.

use super::style::locale_is_utf8;
use crate::memory::Progress;
use crate::segment::Bytes;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The interval between updates of the bar.
const UPDATE_INTERVAL: Duration = Duration::from_millis(50);
/// Operations faster than this show no bar.
const SHOW_DELAY: Duration = Duration::from_millis(400);
/// Columns of the bar.
const BAR_WIDTH: usize = 24;

/// Set by Ctrl-C, SIGTERM or SIGHUP. A second signal terminates the program.
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Installs the handlers. On failure, signals terminate the program as usual.
    #[must_use]
    pub fn listen() -> Self {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // Register the handlers in this order: otherwise, the first signal would terminate the
            // program.
            let _ = signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&flag));
            let _ = signal_hook::flag::register(signal, Arc::clone(&flag));
        }
        Self(flag)
    }

    /// Installs no handlers: signals terminate the program.
    #[must_use]
    pub fn none() -> Self {
        Self(Arc::default())
    }

    /// Returns true if a signal has arrived, and forgets it, so that the next one does not terminate the
    /// program either.
    #[must_use]
    pub fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }

    /// Returns true once a signal has arrived.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

pub struct Meter {
    label: Mutex<String>,
    /// The line on the screen, if any.
    drawn: Mutex<String>,
    visible: bool,
    ascii: bool,
}

impl Meter {
    pub fn set_label(&self, label: String) {
        *self.label.lock().unwrap_or_else(PoisonError::into_inner) = label;
    }

    /// Runs a function that writes to the same terminal, with the progress line cleared.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if !drawn.is_empty() {
            drawn.clear();
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
        write()
    }

    fn draw(&self, progress: &Progress) {
        let label = self.label.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let line = line(&label, progress.done(), progress.total(), self.ascii);
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if *drawn != line {
            let _ = write!(io::stderr(), "\r{line}\x1b[K");
            *drawn = line;
        }
    }
}

/// Runs a long operation with a progress line, and cancels it on a signal. Pass false as `wanted`
/// if the line would disturb other output.
pub fn with_meter<T>(
    label: &str,
    wanted: bool,
    progress: &Progress,
    interrupt: &Interrupt,
    work: impl FnOnce(&Meter) -> T,
) -> T {
    let meter = Meter {
        label: Mutex::new(label.to_owned()),
        drawn: Mutex::default(),
        visible: wanted && io::stderr().is_terminal(),
        ascii: !locale_is_utf8(),
    };
    let is_over = AtomicBool::new(false);
    let result = thread::scope(|scope| {
        let drawer = scope.spawn(|| draw_until_over(&meter, progress, interrupt, &is_over));
        let end = EndOnDrop { is_over: &is_over, drawer: drawer.thread() };
        let result = work(&meter);
        drop(end);
        result
    });
    meter.suspend(|| ());
    result
}

/// Ends the thread that draws, even after a panic.
struct EndOnDrop<'a> {
    is_over: &'a AtomicBool,
    drawer: &'a thread::Thread,
}

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.drawer.unpark();
    }
}

fn draw_until_over(meter: &Meter, progress: &Progress, interrupt: &Interrupt, is_over: &AtomicBool) {
    let start = Instant::now();
    while !is_over.load(Ordering::Relaxed) {
        if interrupt.is_set() {
            progress.cancel();
        }
        if meter.visible && start.elapsed() > SHOW_DELAY {
            meter.draw(progress);
        }
        thread::park_timeout(UPDATE_INTERVAL);
    }
}

/// `searching  ██████▌    27%  276 MiB of 1.0 GiB  Ctrl-C stops`
fn line(label: &str, done: u64, total: u64, ascii: bool) -> String {
    let share = u128::from(done.min(total)) * 8 * BAR_WIDTH as u128 / u128::from(total.max(1));
    let eighths = usize::try_from(share).unwrap_or(8 * BAR_WIDTH);
    let mut bar = if ascii { "#".repeat(eighths / 8) } else { "█".repeat(eighths / 8) };
    let mut width = eighths / 8;
    if !ascii && eighths % 8 > 0 {
        bar.push(['▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8 - 1]);
        width += 1;
    }
    bar.extend(std::iter::repeat_n(' ', BAR_WIDTH - width));
    let percent = u128::from(done.min(total)) * 100 / u128::from(total.max(1));
    format!("{label}  {bar} {percent:>3}%  {} of {}  Ctrl-C to stop", Bytes(done), Bytes(total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr as _;

    #[test]
    fn bar_width_is_constant() {
        for ascii in [false, true] {
            let width = |done, total| {
                line("", done, total, ascii).find('%').map(|at| line("", done, total, ascii)[..at].width())
            };
            for (done, total) in [(0, 0), (0, 7), (1, 7), (3, 7), (7, 7), (9, 7), (u64::MAX, u64::MAX)] {
                assert_eq!(width(done, total), width(1, 2), "{done} of {total}");
            }
        }
        assert!(line("searching", 1, 2, true).contains("  ############              50%"));
    }

    #[test]
    fn interrupt_flag_cancels_the_operation() {
        let interrupt = Interrupt(Arc::new(AtomicBool::new(true)));
        let progress = Progress::new();
        with_meter("", false, &progress, &interrupt, |_| {
            while !progress.is_cancelled() {
                thread::yield_now();
            }
        });
    }
}
