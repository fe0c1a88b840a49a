//! Enters the terminal, and restores it at the end, on a panic, and before a suspend.
//!
//! The state is global, so that a panic in any thread can restore the terminal, and nothing is
//! drawn after that.

use super::clipboard;
use super::run::Console;
use super::screen::Screen;
use crate::app::event::Size;
use crate::engine::COMPLETE_TIMEOUT;
use crate::sys::job::{self, StopTarget};
use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::queue;
use crossterm::style::{ResetColor, force_color_output};
use crossterm::terminal::{self, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ratatui::buffer::Buffer;
use std::env;
use std::io::{self, IsTerminal as _, Write};
use std::os::fd::AsFd as _;
use std::panic;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

/// Clicks and the wheel, in the SGR encoding for wide terminals. crossterm's command also enables
/// motion events, which would constantly wake the program.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// Set while the program owns the terminal.
static ENTERED: AtomicBool = AtomicBool::new(false);
/// Held while writing, so that leaving does not cut a sequence in half.
static WRITE_LOCK: Mutex<()> = Mutex::new(());
/// Counts the frames, which shows that the terminal accepts output.
static DRAWN: AtomicU64 = AtomicU64::new(0);
/// Set when the program ends, which may take long: recordings are completed.
static ENDING: AtomicBool = AtomicBool::new(false);
/// Set after leaving for good.
static FINISHED: AtomicBool = AtomicBool::new(false);
/// The maximum time to wait for a writer when leaving. A slower writer is blocked.
const WRITER_TIMEOUT: Duration = Duration::from_millis(200);
/// The time after which the program is ended even if a recording is not complete.
const LONGEST_END: Duration = COMPLETE_TIMEOUT.saturating_add(Duration::from_secs(5));

#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    #[error("the UI needs a terminal. Use `shmlens list` or `scope --headless`")]
    NoTerminal,
    #[error(
        "the UI needs a terminal that can move the cursor, but TERM is '{0}'. Use `shmlens list` or `scope --headless`"
    )]
    Dumb(String),
    #[error("failed to set up the terminal: {0}")]
    Failed(#[from] io::Error),
}

/// The entered terminal. Dropping it restores the terminal.
#[derive(Debug)]
pub struct Terminal {
    screen: Screen<Tty>,
    mouse: bool,
}

impl Terminal {
    /// Enters the terminal at standard input and output: raw mode, alternate screen, hidden
    /// cursor, bracketed paste, and optionally mouse capture. From now on a panic in any thread
    /// restores it first.
    pub fn enter(mouse: bool) -> Result<Self, EnterError> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(EnterError::NoTerminal);
        }
        let term = env::var_os("TERM").unwrap_or_default();
        if term.is_empty() || term == "dumb" {
            return Err(EnterError::Dumb(term.to_string_lossy().into_owned()));
        }
        // With NO_COLOR, crossterm writes an empty SGR for each color, which resets reverse video.
        // The theme decides about colors.
        force_color_output(true);
        leave_on_panic();
        enter(mouse)?;
        Ok(Self { screen: Screen::new(Tty), mouse })
    }
}

/// Characters of a notification.
const MAX_NOTIFICATION: usize = 200;

impl Console for Terminal {
    fn size(&self) -> io::Result<Size> {
        let size = terminal::window_size()?;
        Ok(Size { width: size.columns, height: size.rows })
    }

    fn draw(&mut self, size: Size, paint: &mut dyn FnMut(&mut Buffer)) -> io::Result<()> {
        self.screen.draw(size, paint)?;
        DRAWN.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn invalidate(&mut self) {
        self.screen.invalidate();
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        let sequence = clipboard::sequence(text, clipboard::in_tmux())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Tty.write_all(sequence.as_bytes())
    }

    fn bell(&mut self) -> io::Result<()> {
        Tty.write_all(b"\x07")
    }

    fn notify(&mut self, text: &str) -> io::Result<()> {
        // OSC 9. Nothing in the text may end the sequence.
        let text: String = text.chars().filter(|c| !c.is_control()).take(MAX_NOTIFICATION).collect();
        Tty.write_all(format!("\x1b]9;{text}\x07").as_bytes())
    }

    fn capture_mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        Tty.write_all(if on { MOUSE_ON } else { MOUSE_OFF })
    }

    fn suspend(&mut self, target: StopTarget) -> io::Result<()> {
        leave();
        job::stop(target)?;
        self.reenter()
    }

    fn reenter(&mut self) -> io::Result<()> {
        self.screen.invalidate();
        // Another process may have changed the mode, but crossterm caches the one it set.
        terminal::disable_raw_mode()?;
        enter(self.mouse)
    }

    fn begin_end(&mut self) {
        ENDING.store(true, Ordering::SeqCst);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        leave();
        FINISHED.store(true, Ordering::SeqCst);
    }
}

fn enter(mouse: bool) -> io::Result<()> {
    // Do this first, because the kernel stops a background job here (SIGTTOU), before it has
    // written anything.
    terminal::enable_raw_mode()?;
    let mut bytes = vec![];
    if !ENTERED.swap(true, Ordering::SeqCst) {
        queue!(bytes, EnterAlternateScreen)?;
    }
    queue!(bytes, Hide, EnableBracketedPaste)?;
    if mouse {
        bytes.extend(MOUSE_ON);
    }
    Tty.write_all(&bytes).inspect_err(|_| leave())
}

/// Restores the terminal if it was entered. Can be called from any thread and repeatedly. If a
/// writer is blocked, the escape sequences are skipped.
pub fn leave() {
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut bytes = vec![];
    // A frame may be half written.
    let composed = queue!(bytes, EndSynchronizedUpdate, ResetColor).and_then(|()| {
        bytes.extend(MOUSE_OFF);
        queue!(bytes, DisableBracketedPaste, Show, LeaveAlternateScreen)
    });
    if let (Ok(()), Some(_writing)) = (composed, writer_within(WRITER_TIMEOUT)) {
        // An error cannot be handled here.
        let _ = write_now(&bytes);
    }
    let _ = terminal::disable_raw_mode();
}

fn writer_within(timeout: Duration) -> Option<MutexGuard<'static, ()>> {
    let until = Instant::now() + timeout;
    loop {
        match WRITE_LOCK.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => return None,
        }
    }
}

/// Installs a panic hook that restores the terminal before the report.
fn leave_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            leave();
            report(panic);
        }));
    });
}

/// Exits the process once the program has drawn nothing for this time, unless it has left the terminal by then
/// or completes a recording. It may be blocked by a terminal that accepts no output. While it draws, it only has
/// other messages to handle first.
pub fn exit_after(after: Duration, status: i32) {
    let end = move || {
        let (since, mut drawn) = (Instant::now(), None);
        loop {
            let before = drawn.replace(DRAWN.load(Ordering::SeqCst));
            let is_blocked = before == drawn && !ENDING.load(Ordering::SeqCst);
            if FINISHED.load(Ordering::SeqCst) {
                return;
            }
            if is_blocked || since.elapsed() > LONGEST_END {
                break;
            }
            thread::sleep(after);
        }
        let _ = terminal::disable_raw_mode();
        signal_hook::low_level::exit(status);
    };
    // If no thread can be started, the program has to exit on its own.
    let _ = thread::Builder::new().name("exit-after".into()).spawn(end);
}

/// Writes to standard output while the terminal is entered. Discards all output afterward.
#[derive(Debug)]
struct Tty;

impl Write for Tty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _writing = WRITE_LOCK.lock().unwrap_or_else(PoisonError::into_inner);
        if ENTERED.load(Ordering::SeqCst) {
            write_now(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes all bytes, bypassing the standard library's buffer. The descriptor may be nonblocking if
/// another process that shares it changed it.
fn write_now(mut bytes: &[u8]) -> io::Result<()> {
    let out = io::stdout();
    while !bytes.is_empty() {
        match nix::unistd::write(&out, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => {
                poll(&mut [PollFd::new(out.as_fd(), PollFlags::POLLOUT)], PollTimeout::NONE)?;
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}
