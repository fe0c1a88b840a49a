//! Every exit: a key, a signal, a lost terminal, a panic.

use super::{is_open, open_program};
use crate::support::{SOON, Terminal, shmlens, tool, wait_until};
use nix::sys::signal::Signal;
use ratatui::buffer::Buffer;
use ratatui::style::Style;
use shmlens::app::key::Key;
use shmlens::app::{Effect, Event};
use shmlens::engine::{Clock, Request};
use shmlens::identify::Rules;
use shmlens::machine::Machine;
use shmlens::machine::fake::{FakeFacts, FakeMachine};
use shmlens::segment::Bytes;
use shmlens::tui::{self, Program, RunOptions};
use std::env;
use std::fs;
use std::process::{Command, Stdio, exit};
use std::sync::Arc;
use std::time::Duration;

const NO_CHANGES: Vec<String> = vec![];

#[test]
fn quit_key_restores_the_terminal() {
    for keys in ["q", "<C-c>"] {
        let mut terminal = open_program();
        assert!(!terminal.left_behind().is_empty(), "the terminal is ours while the program runs");
        terminal.send(keys);
        assert_eq!(terminal.wait_exit(SOON).code(), Some(0), "{keys}");
        assert_eq!(terminal.left_behind(), NO_CHANGES, "{keys}");
    }
}

#[test]
fn terminal_without_cursor_movement_is_refused() {
    for term in ["dumb", ""] {
        let mut command = shmlens();
        command.env("TERM", term);
        let mut terminal = Terminal::start((80, 24), command);
        assert_eq!(terminal.wait_exit(SOON).code(), Some(2), "{term}");
        let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
        assert!(raw.contains("shmlens list") && !raw.contains('\x1b'), "{raw:?}");
        assert_eq!(terminal.left_behind(), NO_CHANGES, "{term}");
    }
}

#[test]
fn signal_restores_the_terminal() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT] {
        let mut terminal = open_program();
        terminal.child().signal(signal);
        assert_eq!(terminal.wait_exit(SOON).code(), Some(128 + signal as i32), "{signal}");
        assert_eq!(terminal.left_behind(), NO_CHANGES, "{signal}");
    }
}

#[test]
fn hangup_ends_the_program() {
    let mut terminal = open_program();
    terminal.hang_up();
    assert_eq!(terminal.wait_exit(SOON).code(), Some(129));
}

/// A process in a session without a controlling terminal gets no SIGHUP.
#[test]
fn lost_terminal_without_sighup_ends_the_program() {
    let Some(setsid) = tool("setsid") else { return };
    let mut command = Command::new(setsid);
    command.args(["--fork", "--wait"]).arg(shmlens().get_program());
    let mut terminal = Terminal::start((80, 24), command);
    terminal.wait_for(is_open, SOON);
    let child = children(terminal.child().pid().as_raw())[0];
    terminal.hang_up();
    wait_until(SOON, || !alive(child));
}

#[test]
fn missing_terminal_is_an_error() {
    let output = shmlens().stdin(Stdio::null()).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("needs a terminal") && error.contains("`shmlens list`"), "{error}");
    assert_eq!(output.stdout, b"");
    assert_ne!(output.status.code(), Some(0));
}

#[test]
fn panic_is_printed_on_the_restored_screen() {
    assert_panic_is_reported("terminal::ends::program_that_panics", "the program panics on purpose");
}

#[test]
fn worker_panic_ends_the_program_and_is_reported() {
    assert_panic_is_reported("terminal::ends::worker_that_panics", "the worker panics on purpose");
}

/// Runs one of the tests below on a terminal, where a key makes it panic.
fn assert_panic_is_reported(test: &str, message: &str) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env("RUST_BACKTRACE", "0");
    let mut terminal = Terminal::start((120, 30), command);
    terminal.wait_for("waits for p", SOON);
    terminal.send("p");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(101));
    assert_eq!(terminal.left_behind(), NO_CHANGES);
    let screen = terminal.screen();
    assert!(screen.contains(message) && !screen.contains("waits for p"), "{screen}");
}

/// Panics at `p`, directly or in a survey.
struct PanickingProgram {
    by_survey: bool,
}

impl Program for PanickingProgram {
    fn update(&mut self, _: Clock, event: Event) -> Vec<Effect> {
        let is_p = matches!(event, Event::Key(key) if key == Key::char('p'));
        assert!(!is_p || self.by_survey, "the program panics on purpose");
        if is_p { vec![Request::Survey.into()] } else { vec![] }
    }

    fn next_tick(&self, _: Clock) -> Option<Duration> {
        None
    }

    fn draw(&self, buffer: &mut Buffer) {
        buffer.set_string(0, 0, "waits for p", Style::new());
    }
}

fn run_on_this_terminal(by_survey: bool) -> i32 {
    let machine = FakeMachine::new();
    // The second survey is the one that the key requests.
    let later = |facts: &mut FakeFacts| facts.before_table = Some(|_| panic!("the worker panics on purpose"));
    machine.edit(|facts| facts.before_table = Some(later));
    let machine: Arc<dyn Machine> = Arc::new(machine);
    tui::run(
        &machine,
        PanickingProgram { by_survey },
        RunOptions { mouse: true, copies: Bytes(0), rates_share: 0.0, layouts: vec![] },
        Rules::default(),
    )
    .unwrap()
    .status()
}

#[test]
#[ignore = "runs on the terminal that another test makes"]
fn program_that_panics() {
    run_on_this_terminal(false);
}

#[test]
#[ignore = "runs on the terminal that another test makes"]
fn worker_that_panics() {
    exit(run_on_this_terminal(true));
}

pub(super) fn children(pid: i32) -> Vec<i32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

/// Returns true if the process runs. An unreaped zombie does not.
fn alive(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}
