//! Enters the terminal, and leaves it as it was found: at the end, on a panic,
//! before a stop.
//!
//! There is one terminal, so what is entered is known to the whole process: a
//! panic in any thread can leave it, and nothing is drawn on it after that.

use super::clipboard;
use super::run::Stage;
use super::screen::Screen;
use crate::app::event::Size;
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
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

/// Clicks and the wheel, in the form that knows wide terminals. crossterm's
/// own command asks for every movement too, and each would wake us.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// Whether the terminal is ours now.
static ENTERED: AtomicBool = AtomicBool::new(false);
/// Held while something is written, so that leaving does not come in between.
static WRITING: Mutex<()> = Mutex::new(());
/// Whether it has been left for good.
static FINISHED: AtomicBool = AtomicBool::new(false);
/// How long leaving waits for a writer. One that takes longer is stuck.
const PATIENCE: Duration = Duration::from_millis(200);

/// Why the terminal could not be entered.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    /// There is none.
    #[error("the UI needs a terminal. Use `shmlens list` to print the table")]
    NoTerminal,
    /// It understands no control sequences.
    #[error(
        "the UI needs a terminal that can move the cursor, but TERM is '{0}'. Use `shmlens list` to print the table"
    )]
    Dumb(String),
    /// It does not do as it is told.
    #[error("failed to set up the terminal: {0}")]
    Failed(#[from] io::Error),
}

/// The terminal, while it is ours. Dropping it leaves it as it was found.
#[derive(Debug)]
pub struct Terminal {
    screen: Screen<Tty>,
    mouse: bool,
}

impl Terminal {
    /// Takes the terminal at standard input and output: raw mode, a screen of
    /// our own, no cursor, pasted text told from typed, and the mouse if it is
    /// wanted. From now on a panic in any thread leaves it first.
    ///
    /// # Errors
    /// When standard input or output is no terminal, or it refuses.
    pub fn enter(mouse: bool) -> Result<Self, EnterError> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(EnterError::NoTerminal);
        }
        let term = env::var_os("TERM").unwrap_or_default();
        if term.is_empty() || term == "dumb" {
            return Err(EnterError::Dumb(term.to_string_lossy().into_owned()));
        }
        // Under NO_COLOR crossterm writes an empty SGR for each colour, which
        // resets reverse video. What has colour is for our theme to say.
        force_color_output(true);
        leave_on_panic();
        enter(mouse)?;
        Ok(Self { screen: Screen::new(Tty), mouse })
    }
}

impl Stage for Terminal {
    fn size(&self) -> io::Result<Size> {
        let size = terminal::window_size()?;
        Ok(Size { width: size.columns, height: size.rows })
    }

    fn draw(&mut self, size: Size, paint: &mut dyn FnMut(&mut Buffer)) -> io::Result<()> {
        self.screen.draw(size, paint)
    }

    fn forget(&mut self) {
        self.screen.forget();
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        let sequence = clipboard::sequence(text, clipboard::in_tmux())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Tty.write_all(sequence.as_bytes())
    }

    fn capture_mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        Tty.write_all(if on { MOUSE_ON } else { MOUSE_OFF })
    }

    fn stop(&mut self, whom: StopTarget) -> io::Result<()> {
        leave();
        job::stop(whom)?;
        self.enter_again()
    }

    fn enter_again(&mut self) -> io::Result<()> {
        self.screen.forget();
        // Who had the terminal meanwhile may have set its mode; crossterm
        // believes in the one it set itself.
        terminal::disable_raw_mode()?;
        enter(self.mouse)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        leave();
        FINISHED.store(true, Ordering::SeqCst);
    }
}

fn enter(mouse: bool) -> io::Result<()> {
    // First of all: a background job that may not have the terminal is stopped
    // here by the kernel (SIGTTOU), before it has written anything.
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

/// Leaves the terminal as it was found, if it is ours. From any thread, any
/// number of times; what a writer that is stuck keeps us from writing is left
/// out after a short while.
pub fn leave() {
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut bytes = vec![];
    // The reverse of how it was entered. A picture may have been cut off.
    let composed = queue!(bytes, EndSynchronizedUpdate, ResetColor).and_then(|()| {
        bytes.extend(MOUSE_OFF);
        queue!(bytes, DisableBracketedPaste, Show, LeaveAlternateScreen)
    });
    if let (Ok(()), Some(_writing)) = (composed, writer_within(PATIENCE)) {
        // There is nobody left to tell of an error.
        let _ = write_now(&bytes);
    }
    let _ = terminal::disable_raw_mode();
}

fn writer_within(patience: Duration) -> Option<MutexGuard<'static, ()>> {
    let until = Instant::now() + patience;
    loop {
        match WRITING.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => return None,
        }
    }
}

/// From now on a panic leaves the terminal before it is reported.
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

/// Ends the process with this status when it has not left the terminal for
/// good by then: somebody wants it gone, and a terminal that takes no more may
/// hold it.
pub fn insist(after: Duration, status: i32) {
    let end = move || {
        thread::sleep(after);
        if !FINISHED.load(Ordering::SeqCst) {
            let _ = terminal::disable_raw_mode();
            signal_hook::low_level::exit(status);
        }
    };
    // Without a thread to spare the ordinary way has to do.
    let _ = thread::Builder::new().name("insist".into()).spawn(end);
}

/// Standard output as long as the terminal is ours; then nowhere.
#[derive(Debug)]
struct Tty;

impl Write for Tty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        if ENTERED.load(Ordering::SeqCst) {
            write_now(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes all of it, past the buffer of the standard library. The descriptor
/// may be non-blocking, when somebody who shares it made it so.
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
