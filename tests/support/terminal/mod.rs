//! A program on a real pseudo-terminal, seen through a terminal emulator.

mod keys;
mod modes;
mod output;

use super::Child;
use nix::fcntl::OFlag;
use nix::pty::{Winsize, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{Termios, tcgetattr};
use nix::unistd::setsid;
use output::{Output, Seen};
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

/// A program that runs on a pseudo-terminal of its own, as its controlling
/// terminal. It is killed when this is dropped.
pub struct Terminal {
    // In the order in which they have to go: first who writes, then who reads.
    child: Child,
    master: Option<File>,
    stop: Option<PipeWriter>,
    reader: Option<JoinHandle<()>>,
    output: Arc<Output>,
    at_first: Termios,
    home: TempDir,
}

/// What can be waited for: a text on the screen, or a condition on it.
pub trait Sought {
    /// Returns whether it is there.
    fn is_on(&self, screen: &Screen) -> bool;
}

impl Sought for &str {
    fn is_on(&self, screen: &Screen) -> bool {
        text(screen).contains(self)
    }
}

impl<F: Fn(&Screen) -> bool> Sought for F {
    fn is_on(&self, screen: &Screen) -> bool {
        self(screen)
    }
}

/// A mouse action, by its name in SGR reports.
#[derive(Debug, Clone, Copy)]
pub enum Mouse {
    /// The left button goes down.
    Press,
    /// It is moved while the left button is down.
    Drag,
    /// The left button goes up.
    Release,
    /// A step of the wheel away from the person.
    WheelUp,
    /// A step of the wheel towards the person.
    WheelDown,
}

impl Terminal {
    /// Starts a program on a terminal of that many columns and rows: xterm with
    /// true colour and UTF-8, its home and its settings in a directory of its
    /// own. What the command sets itself in its environment stays so.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub fn start(size: (u16, u16), mut command: Command) -> Self {
        let (master, slave) = open();
        set_size(&master, size);
        let at_first = tcgetattr(&slave).unwrap();
        let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        // For programs that run as somebody else.
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
        // With it goes our side's hold on the terminal: now its output ends with the program.
        drop(command);
        let output = Arc::new(Output::new(size));
        let (stopped, stop) = io::pipe().unwrap();
        let reader = thread::spawn({
            let (master, output) = (master.try_clone().unwrap(), Arc::clone(&output));
            move || output.read(master, &stopped)
        });
        let reader = Some(reader);
        Self { child, master: Some(master), stop: Some(stop), reader, output, at_first, home }
    }

    /// The process on it.
    pub const fn child(&self) -> &Child {
        &self.child
    }

    /// The home of what runs on it; settings are in `.config`, state is in `.state`.
    pub const fn home(&self) -> &TempDir {
        &self.home
    }

    /// Waits until the screen shows a text or fits a condition. A picture that
    /// is being drawn (synchronized output) is not looked at before it is done.
    ///
    /// # Panics
    /// When it does not within the limit, with what the screen shows instead.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a text or a closure, as it is written where it is called"
    )]
    pub fn wait_for(&self, what: impl Sought, limit: Duration) {
        let found = self.output.wait(limit, |seen| what.is_on(seen.screen()));
        assert!(found, "what was waited for did not come within {limit:?}. The screen:\n{}", self.screen());
    }

    /// Types keys: characters as they are, others by name (`<Enter>`, `<Esc>`,
    /// `<Up>`, `<PgDn>`, `<F1>`, `<C-c>`, `<A-x>`; `<lt>` is `<`). What follows
    /// an `<Esc>` at once is taken for Alt by any program: wait in between.
    ///
    /// # Panics
    /// For a name that is no key.
    #[track_caller]
    pub fn send(&self, keys: &str) {
        self.write(&keys::bytes(keys));
    }

    /// A mouse event over a cell, both counted from 0.
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

    /// A press and a release of the left button.
    pub fn click(&self, row: u16, column: u16) {
        self.mouse(Mouse::Press, row, column);
        self.mouse(Mouse::Release, row, column);
    }

    /// Gives the terminal another size, of columns and rows.
    pub fn resize(&self, size: (u16, u16)) {
        self.output.resize(size);
        set_size(self.master(), size);
    }

    /// Tells the program another size than the emulator has, which would need
    /// memory for every cell of a huge one.
    pub fn claim_size(&self, size: (u16, u16)) {
        set_size(self.master(), size);
    }

    /// What the screen shows, a line for each row, without the space at their ends.
    pub fn screen(&self) -> String {
        self.output.look(|seen| text(seen.screen()))
    }

    /// Looks at the screen as it is now.
    pub fn on_screen<T>(&self, look: impl FnOnce(&Screen) -> T) -> T {
        self.output.look(|seen| look(seen.screen()))
    }

    /// A cell with its text and attributes; row and column are counted from 0.
    ///
    /// # Panics
    /// When it lies outside of the screen.
    #[track_caller]
    pub fn cell(&self, row: u16, column: u16) -> Cell {
        self.output.look(|seen| seen.screen().cell(row, column).cloned()).expect("a cell of the screen")
    }

    /// Every byte that was written to the terminal so far.
    pub fn raw(&self) -> Vec<u8> {
        self.output.look(|seen| seen.raw().to_vec())
    }

    /// The settings of the line now (raw mode, echo, …).
    pub fn termios(&self) -> Termios {
        tcgetattr(self.master()).unwrap()
    }

    /// What is not as it was before the program started: modes of the screen,
    /// colours, the settings of the line. Empty when a program ended well.
    pub fn left_behind(&self) -> Vec<String> {
        let mut left = self.output.look(|seen| modes::left(seen.raw()));
        if self.output.look(Seen::is_coloured) {
            left.push("colours or attributes are still set".to_owned());
        }
        if self.master.is_some() && self.termios() != self.at_first {
            left.push("the settings of the line are others".to_owned());
        }
        left
    }

    /// The terminal goes away, as when its window is closed or the connection is lost.
    pub fn hang_up(&mut self) {
        drop(self.stop.take());
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        // The last hold on the master side.
        drop(self.master.take());
    }

    /// Waits for the end of the program, and until all that it wrote is on the screen.
    ///
    /// # Panics
    /// When it does not end within the limit, with what the screen shows.
    #[track_caller]
    pub fn wait_exit(&mut self, limit: Duration) -> ExitStatus {
        // After a hang-up nobody reads any more.
        let ended = self.reader.is_none() || self.output.wait(limit, Seen::is_at_end);
        assert!(ended, "the program did not end within {limit:?}. The screen:\n{}", self.screen());
        self.child.wait(limit)
    }

    fn master(&self) -> &File {
        self.master.as_ref().expect("a terminal that was not hung up")
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

/// The text of a screen, cut at the right and at the bottom where it is blank.
fn text(screen: &Screen) -> String {
    let (_, columns) = screen.size();
    let rows: Vec<String> = screen.rows(0, columns.get()).map(|row| row.trim_end().to_owned()).collect();
    rows.join("\n").trim_end().to_owned()
}

/// Opens both sides of a new pseudo-terminal. Not with `openpty(3)`, whose
/// descriptors every process inherits that another test starts meanwhile: such
/// a one would keep the terminal there when it is to go away.
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

/// Sets what a program finds on this terminal, unless the command says otherwise.
fn environment(command: &mut Command, home: &TempDir) {
    let settings = [
        ("TERM", "xterm-256color".into()),
        ("COLORTERM", "truecolor".into()),
        ("LANG", "C.UTF-8".into()),
        ("HOME", home.path().to_owned()),
        ("XDG_CONFIG_HOME", home.path().join(".config")),
        ("XDG_STATE_HOME", home.path().join(".state")),
    ];
    let strange = ["LC_ALL", "LC_CTYPE", "NO_COLOR", "TMUX", "STY", "COLUMNS", "LINES"];
    let own: Vec<_> = command.get_envs().map(|(name, _)| name.to_owned()).collect();
    for (name, value) in settings.into_iter().filter(|(name, _)| !own.iter().any(|own| own == name)) {
        command.env(name, value);
    }
    for name in strange.into_iter().filter(|name| !own.iter().any(|own| own == name)) {
        command.env_remove(name);
    }
}

#[cfg(test)]
mod tests;
