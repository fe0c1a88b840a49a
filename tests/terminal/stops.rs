//! Suspending and resuming the program as a job of a shell.

use super::ends::children;
use super::{is_open, open_program};
use crate::support::{SOON, Terminal, shmlens, tool, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::LocalFlags;
use nix::unistd::Pid;
use std::fs;
use std::process::Command;
use vt100::Screen;

/// Starts the program as a job of an interactive shell and returns its pid.
fn job(command: &str) -> Option<(Terminal, Pid)> {
    let mut shell = Command::new(tool("bash")?);
    shell.args(["--norc", "--noprofile", "-i"]).env("PS1", "prompt> ");
    let terminal = Terminal::start((80, 24), shell);
    terminal.wait_for("prompt>", SOON);
    terminal.send(&format!("{command}\r"));
    terminal.wait_for(is_open, SOON);
    let mut pid = children(terminal.child().pid().as_raw())[0];
    // The shell that runs a script is not the process to find.
    while let Some(child) = children(pid).first() {
        pid = *child;
    }
    Some((terminal, Pid::from_raw(pid)))
}

fn program() -> String {
    shmlens().get_program().to_str().unwrap().to_owned()
}

/// Returns true if the shell has the terminal.
fn is_prompt_shown(screen: &Screen) -> bool {
    !screen.alternate_screen() && !screen.hide_cursor() && screen.contents().trim_end().ends_with("prompt>")
}

/// Returns true if the shell reports a stopped job.
fn is_stop_reported(screen: &Screen) -> bool {
    is_prompt_shown(screen) && screen.contents().contains("Stopped")
}

fn resume_and_quit(mut terminal: Terminal) {
    terminal.send("fg\r");
    terminal.wait_for(is_open, SOON);
    // The program answers: help opens and closes.
    terminal.send("?");
    terminal.wait_for("Keys ──", SOON);
    terminal.send("<C-c>");
    terminal.send("q");
    terminal.wait_for(is_prompt_shown, SOON);
    terminal.send("exit $?\r");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
}

#[test]
fn ctrl_z_suspends_and_fg_resumes() {
    let Some((terminal, _)) = job(&program()) else { return };
    terminal.send("<C-z>");
    terminal.wait_for(is_stop_reported, SOON);
    resume_and_quit(terminal);
}

#[test]
fn ctrl_z_also_stops_the_calling_script() {
    let Some((terminal, _)) = job(&format!("sh -c '{}; exit'", program())) else { return };
    terminal.send("<C-z>");
    terminal.wait_for(is_stop_reported, SOON);
    resume_and_quit(terminal);
}

#[test]
fn sigtstp_suspends_and_fg_resumes() {
    let Some((terminal, pid)) = job(&program()) else { return };
    kill(pid, Signal::SIGTSTP).unwrap();
    terminal.wait_for(is_stop_reported, SOON);
    resume_and_quit(terminal);
}

/// No shell could resume it, so the kernel does not stop it.
#[test]
fn ctrl_z_without_a_shell_changes_nothing() {
    let mut terminal = open_program();
    terminal.send("<C-z>");
    terminal.send("?");
    terminal.wait_for("Keys ──", SOON);
    terminal.send("<C-c>");
    terminal.send("q");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
}

#[test]
fn resume_after_sigstop_sets_the_terminal_up_again() {
    let Some((mut terminal, pid)) = job(&program()) else { return };
    kill(pid, Signal::SIGSTOP).unwrap();
    let state = || fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    wait_until(SOON, || state().contains(") T "));
    // bash takes the terminal and sets its own line modes.
    terminal.wait_for("Stopped", SOON);
    terminal.send("clear; fg\r");
    terminal.wait_for(is_open, SOON);
    wait_until(SOON, || !terminal.termios().local_flags.contains(LocalFlags::ICANON));
    terminal.send("q");
    terminal.wait_for(is_prompt_shown, SOON);
    terminal.send("exit\r");
    terminal.wait_exit(SOON);
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
}
