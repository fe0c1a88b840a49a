//! The command of `--exec`. It ends when shmlens is ended, so that none is left behind.

use crate::cli::Failure;
use crate::cli::progress::Interrupt;
use crate::segment::plain_error;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGTERM};
use std::io::{self, IsTerminal as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The interval at which the end of the command and signals are noticed.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// The end of a command.
pub struct Ended {
    pub status: ExitStatus,
    /// A signal ended shmlens meanwhile.
    pub is_interrupted: bool,
}

/// Runs a command until it ends. A signal to shmlens ends it, and a second one kills it.
///
/// On a terminal, the command shares the process group of shmlens: it may read the terminal, and Ctrl-C
/// reaches both. Elsewhere it gets a group of its own, so that signals reach the programs that it started.
pub fn run(mut command: Command, interrupt: &Interrupt) -> Result<Ended, Failure> {
    let is_interactive = io::stdin().is_terminal();
    if !is_interactive {
        command.process_group(0);
    }
    let terminated = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGHUP] {
        // Without it, a signal ends shmlens alone.
        let _ = signal_hook::flag::register(signal, Arc::clone(&terminated));
    }
    let failed =
        |error: io::Error| Failure::Scope(format!("failed to run sh for --exec: {}", plain_error(&error)));
    let mut child = command.spawn().map_err(failed)?;
    let mut signals = [Signal::SIGTERM, Signal::SIGKILL].into_iter();
    let mut is_interrupted = false;
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Ok(Ended { status, is_interrupted: is_interrupted || interrupt.take() });
        }
        if interrupt.take() {
            is_interrupted = true;
            let reached_both = is_interactive && !terminated.swap(false, Ordering::Relaxed);
            if let Some(signal) = signals.next().filter(|_| !reached_both) {
                send(&child, signal, is_interactive);
            }
        }
        thread::sleep(CHECK_INTERVAL);
    }
}

/// Sends a signal to a command that was not waited for, so that its pid is still its own.
fn send(child: &Child, signal: Signal, is_interactive: bool) {
    let Ok(pid) = i32::try_from(child.id()).map(Pid::from_raw) else { return };
    // It may have ended.
    let _ = if is_interactive { kill(pid, signal) } else { killpg(pid, signal) };
}
