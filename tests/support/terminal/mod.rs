//! Programs on a real pseudo-terminal, read through a terminal emulator.

mod keys;
mod modes;
mod output;

use super::Child;
use nix::fcntl::OFlag;
use nix::pty::{Winsize, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{Termios, tcgetattr};
use nix::unistd::setsid;
use output::{Output, TerminalOutput};
use std::fs::{self, File, Permissions};
use std::io::{self, PipeWriter, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tempfile::TempDir;
use vt100::{Cell, Screen};

/// A program on its own controlling pseudo-terminal. Dropping this kills the program.
pub struct Terminal {
    // Dropped before the reader.
    child: Child,
    master: Option<File>,
    stop: Option<PipeWriter>,
    reader: Option<JoinHandle<()>>,
    output: Arc<Output>,
    initial: Termios,
    home: TempDir,
}

/// A condition to wait for: text on the screen, or a function of the screen.
pub trait Condition {
    fn is_met(&self, screen: &Screen) -> bool;
}

impl Condition for &str {
    fn is_met(&self, screen: &Screen) -> bool {
        text(screen).contains(self)
    }
}

impl<F: Fn(&Screen) -> bool> Condition for F {
    fn is_met(&self, screen: &Screen) -> bool {
        self(screen)
    }
}

/// A mouse event as in SGR reports.
#[derive(Debug, Clone, Copy)]
pub enum Mouse {
    /// The left button was pressed.
    Press,
    /// The mouse moved while the left button was pressed.
    Drag,
    /// The left button was released.
    Release,
    WheelUp,
    WheelDown,
}

impl Terminal {
    /// Starts a program on a terminal of this size: xterm with true color and UTF-8, with its own
    /// home and settings. Variables that the command sets are kept.
    ///
    /// # Panics
    /// If it cannot be started.
    #[track_caller]
    pub fn start(size: (u16, u16), mut command: Command) -> Self {
        let (master, slave) = open();
        set_size(&master, size);
        let initial = tcgetattr(&slave).unwrap();
        let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        // For programs that run as another user.
        fs::set_permissions(home.path(), Permissions::from_mode(0o777)).unwrap();
        environment(&mut command, &home);
        command.stdin(slave.try_clone().unwrap()).stdout(slave.try_clone().unwrap()).stderr(slave);
        // SAFETY: two system calls, which are async-signal-safe and allocate
        // nothing; TIOCSCTTY takes a number, and descriptor 0 is the terminal.
        unsafe {
            command.pre_exec(|| {
                setsid()?;
                if libc::ioctl(0, libc::TIOCSCTTY, 0) == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
            })
        };
        let child = Child::spawn(&mut command);
        // Closes our descriptor of the terminal, so that the output ends with the program.
        drop(command);
        let output = Arc::new(Output::new(size));
        let (stopped, stop) = io::pipe().unwrap();
        let reader = thread::spawn({
            let (master, output) = (master.try_clone().unwrap(), Arc::clone(&output));
            move || output.read(master, &stopped)
        });
        let reader = Some(reader);
        Self { child, master: Some(master), stop: Some(stop), reader, output, initial, home }
    }

    pub const fn child(&self) -> &Child {
        &self.child
    }

    /// Returns the home directory. Settings are in `.config`, state is in `.state`.
    pub const fn home(&self) -> &TempDir {
        &self.home
    }

    /// Waits until the screen shows a string or meets a condition. Ignores frames in progress
    /// (synchronized output).
    ///
    /// # Panics
    /// If it does not within the limit. The message includes the screen.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a text or a closure, as it is written where it is called"
    )]
    pub fn wait_for(&self, what: impl Condition, limit: Duration) {
        let found = self.output.wait(limit, |seen| what.is_met(seen.screen()));
        assert!(found, "what was waited for did not come within {limit:?}. The screen:\n{}", self.screen());
    }

    /// Types keys: plain characters, and names such as `<Enter>`, `<Esc>`, `<Up>`, `<PgDn>`,
    /// `<F1>`, `<C-c>` and `<A-x>`; `<lt>` is `<`. Programs take a key right after `<Esc>` as Alt:
    /// wait in between.
    ///
    /// # Panics
    /// For an unknown name.
    #[track_caller]
    pub fn send(&self, keys: &str) {
        self.write(&keys::bytes(keys));
    }

    /// Sends a mouse event at a cell. Row and column are counted from 0.
    pub fn mouse(&self, what: Mouse, row: u16, column: u16) {
        let (button, end) = match what {
            Mouse::Press => (0, 'M'),
            Mouse::Release => (0, 'm'),
            Mouse::Drag => (32, 'M'),
            Mouse::WheelUp => (64, 'M'),
            Mouse::WheelDown => (65, 'M'),
        };
        self.write(format!("\x1b[<{button};{};{}{end}", column + 1, row + 1).as_bytes());
    }

    /// Presses and releases the left button.
    pub fn click(&self, row: u16, column: u16) {
        self.mouse(Mouse::Press, row, column);
        self.mouse(Mouse::Release, row, column);
    }

    pub fn resize(&self, size: (u16, u16)) {
        self.output.resize(size);
        set_size(self.master(), size);
    }

    /// Reports another size to the program, but not to the emulator, which would need memory for
    /// every cell of a huge terminal.
    pub fn claim_size(&self, size: (u16, u16)) {
        set_size(self.master(), size);
    }

    /// Returns the screen as text without trailing spaces.
    pub fn screen(&self) -> String {
        self.output.look(|seen| text(seen.screen()))
    }

    pub fn on_screen<T>(&self, look: impl FnOnce(&Screen) -> T) -> T {
        self.output.look(|seen| look(seen.screen()))
    }

    /// Returns a cell with its text and attributes. Row and column are counted from 0.
    ///
    /// # Panics
    /// If it is outside of the screen.
    #[track_caller]
    pub fn cell(&self, row: u16, column: u16) -> Cell {
        self.output.look(|seen| seen.screen().cell(row, column).cloned()).expect("a cell of the screen")
    }

    /// Returns the output so far.
    pub fn raw(&self) -> Vec<u8> {
        self.output.look(|seen| seen.raw().to_vec())
    }

    /// Returns the line settings (raw mode, echo, …).
    pub fn termios(&self) -> Termios {
        tcgetattr(self.master()).unwrap()
    }

    /// Returns the differences from the state before the program started: screen modes, colors,
    /// line settings. Empty after a clean exit.
    pub fn left_behind(&self) -> Vec<String> {
        let mut left = self.output.look(|seen| modes::left(seen.raw()));
        if self.output.look(TerminalOutput::is_colored) {
            left.push("colors or attributes are still set".to_owned());
        }
        if self.master.is_some() && self.termios() != self.initial {
            left.push("the settings of the line are others".to_owned());
        }
        left
    }

    /// Closes the terminal, like a closed window or a lost connection.
    pub fn hang_up(&mut self) {
        drop(self.stop.take());
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        // This is the last descriptor of the master side.
        drop(self.master.take());
    }

    /// Waits until the program has exited and its output is on the screen.
    ///
    /// # Panics
    /// If it does not exit within the limit. The message includes the screen.
    #[track_caller]
    pub fn wait_exit(&mut self, limit: Duration) -> ExitStatus {
        // After a hangup, nothing is read.
        let ended = self.reader.is_none() || self.output.wait(limit, TerminalOutput::is_at_end);
        assert!(ended, "the program did not end within {limit:?}. The screen:\n{}", self.screen());
        self.child.wait(limit)
    }

    fn master(&self) -> &File {
        self.master.as_ref().expect("the terminal was closed already")
    }

    fn write(&self, bytes: &[u8]) {
        self.master().write_all(bytes).unwrap();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.child.end();
        drop(self.stop.take());
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// Returns the text of a screen without trailing blanks and blank rows.
fn text(screen: &Screen) -> String {
    let (_, columns) = screen.size();
    let rows: Vec<String> = screen.rows(0, columns.get()).map(|row| row.trim_end().to_owned()).collect();
    rows.join("\n").trim_end().to_owned()
}

/// Opens both sides of a pseudo-terminal. `openpty(3)` does not set close-on-exec: a process
/// started by another test would inherit a descriptor and keep the terminal open.
fn open() -> (File, File) {
    let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname_r(&master).unwrap();
    let slave = File::options().read(true).write(true).custom_flags(libc::O_NOCTTY).open(name).unwrap();
    (File::from(OwnedFd::from(master)), slave)
}

fn set_size(master: &File, (columns, rows): (u16, u16)) {
    let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCSWINSZ reads one struct winsize, and it is one.
    assert_eq!(unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCSWINSZ, &size) }, 0);
}

/// Sets the environment for this terminal, except for variables that the command sets.
fn environment(command: &mut Command, home: &TempDir) {
    let settings = [
        ("TERM", "xterm-256color".into()),
        ("COLORTERM", "truecolor".into()),
        ("LANG", "C.UTF-8".into()),
        ("HOME", home.path().to_owned()),
        ("XDG_CONFIG_HOME", home.path().join(".config")),
        ("XDG_STATE_HOME", home.path().join(".state")),
    ];
    let inherited = ["LC_ALL", "LC_CTYPE", "NO_COLOR", "TMUX", "STY", "COLUMNS", "LINES"];
    let own: Vec<_> = command.get_envs().map(|(name, _)| name.to_owned()).collect();
    for (name, value) in settings.into_iter().filter(|(name, _)| !own.iter().any(|own| own == name)) {
        command.env(name, value);
    }
    for name in inherited.into_iter().filter(|name| !own.iter().any(|own| own == name)) {
        command.env_remove(name);
    }
}

#[cfg(test)]
mod tests;
