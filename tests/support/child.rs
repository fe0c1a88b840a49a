//! Child processes that end with their test.

use super::wait_until;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::{self, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running process. Dropping it kills and reaps the process. The kernel kills it when the thread
/// that started it ends.
pub struct Child(process::Child);

impl Child {
    #[track_caller]
    pub fn spawn(command: &mut Command) -> Self {
        // SAFETY: one prctl, which is async-signal-safe and allocates nothing.
        unsafe { command.pre_exec(|| Ok(set_pdeathsig(Signal::SIGKILL)?)) };
        match command.spawn() {
            Ok(child) => Self(child),
            Err(error) => panic!("{} cannot be started: {error}", command.get_program().display()),
        }
    }

    /// Starts a process with pipes for standard input and output.
    #[track_caller]
    pub fn spawn_piped(command: &mut Command) -> Self {
        Self::spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()))
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.0.id().cast_signed())
    }

    /// Returns the peak resident memory in bytes (`VmHWM`).
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        kib * 1024
    }

    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Writes to standard input.
    pub fn send(&mut self, text: &str) {
        self.0.stdin.as_mut().expect("a piped standard input").write_all(text.as_bytes()).unwrap();
    }

    pub fn close_input(&mut self) {
        self.0.stdin = None;
    }

    /// Writes bytes to standard input.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.0.stdin.as_mut().expect("a piped standard input").write_all(bytes).unwrap();
    }

    /// Reads the next line of standard output, without the newline.
    ///
    /// # Panics
    /// If there is none within the limit, or the output ends.
    #[track_caller]
    pub fn line(&mut self, limit: Duration) -> String {
        let start = Instant::now();
        let out = self.0.stdout.as_mut().expect("a piped standard output");
        let mut line = vec![];
        let mut byte = [0];
        loop {
            let left = limit.saturating_sub(start.elapsed());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            let ready = poll(&mut [PollFd::new(out.as_fd(), PollFlags::POLLIN)], timeout).unwrap();
            let text = String::from_utf8_lossy(&line);
            assert!(ready > 0, "no line within {limit:?}, only {text:?}");
            assert!(out.read(&mut byte).unwrap() == 1, "the output ended with {text:?}");
            if byte[0] == b'\n' {
                return text.into_owned();
            }
            line.push(byte[0]);
        }
    }

    /// Waits for the process to exit.
    ///
    /// # Panics
    /// If it does not exit within the limit.
    #[track_caller]
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let mut status = None;
        wait_until(limit, || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// Returns the exit status if the process has exited.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }

    /// Returns the pipe of standard output, once.
    pub fn stdout(&mut self) -> ChildStdout {
        self.0.stdout.take().expect("a piped standard output")
    }

    /// Reads standard error to its end.
    pub fn stderr(&mut self) -> String {
        let mut text = String::new();
        self.0.stderr.as_mut().expect("a piped standard error").read_to_string(&mut text).unwrap();
        text
    }

    /// Kills and reaps the process, if it has not exited yet.
    pub fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

/// Calls `question` in a child before it execs, while it is still a copy of this process.
/// `question` must be a single system call that allocates nothing.
pub fn ask_before_exec(mut question: impl FnMut() -> io::Result<bool> + Send + Sync + 'static) -> bool {
    let mut command = Command::new("true");
    let answer = move || if question()? { Ok(()) } else { Err(io::ErrorKind::Other.into()) };
    // SAFETY: the closure is a single system call.
    unsafe { command.pre_exec(answer) };
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use crate::support::{Child, SOON};
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    use std::process::{Command, Stdio};
    use std::thread;

    fn alive(pid: Pid) -> bool {
        kill(pid, None).is_ok()
    }

    #[test]
    fn child_answers_and_exits() {
        let mut child =
            Child::spawn_piped(Command::new("sh").args(["-c", "read a; echo \"got $a\"; exit 3"]));
        child.send("this\n");
        assert_eq!(child.line(SOON), "got this");
        assert_eq!(child.wait(SOON).code(), Some(3));
    }

    #[test]
    fn drop_kills_the_child() {
        let child = Child::spawn(Command::new("cat").stdin(Stdio::piped()));
        let pid = child.pid();
        assert!(alive(pid));
        drop(child);
        assert!(!alive(pid));
    }

    #[test]
    fn child_dies_with_its_thread() {
        let child = thread::spawn(|| Child::spawn(Command::new("cat").stdin(Stdio::piped())));
        let mut child = child.join().unwrap();
        assert!(child.wait(SOON).code().is_none());
    }

    #[test]
    fn child_receives_signals() {
        let mut child = Child::spawn(Command::new("cat").stdin(Stdio::piped()));
        child.signal(Signal::SIGTERM);
        assert!(!child.wait(SOON).success());
    }
}
