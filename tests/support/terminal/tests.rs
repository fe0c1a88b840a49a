//! Tests of the terminal itself, with a shell.

use crate::support::{Mouse, SOON, Terminal, tool};
use nix::sys::termios::LocalFlags;
use std::process::Command;
use std::time::Duration;
use vt100::{Color, Screen};

fn shell(size: (u16, u16), script: &str) -> Terminal {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Terminal::start(size, command)
}

#[test]
fn output_appears_on_the_screen() {
    let mut terminal = shell((20, 5), r"printf 'a\033[1;31mb\033[0m\n'; tty >&2; test -t 0 && exit 7");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(7));
    let screen = terminal.screen();
    assert!(screen.starts_with("ab\n/dev/pts/"), "{screen}");
    assert!(!terminal.cell(0, 0).bold());
    let cell = terminal.cell(0, 1);
    assert!(cell.contents() == "b" && cell.bold() && cell.fgcolor() == Color::Idx(1));
    assert!(terminal.raw().starts_with(b"a\x1b[1;31mb\x1b[0m\r\n"));
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
}

#[test]
fn keys_mouse_and_resize_arrive() {
    let script = r"stty -echo -icanon min 1; trap 'stty size' WINCH; echo ready
        while :; do dd bs=1 count=1 2>/dev/null | od -An -c; done";
    let terminal = shell((40, 40), script);
    terminal.wait_for("ready", SOON);
    terminal.send("x<C-a>");
    terminal.wait_for("x\n 001", SOON);
    terminal.click(2, 4);
    terminal.wait_for("033\n   [\n   <\n   0\n   ;\n   5\n   ;\n   3\n   M", SOON);
    for what in [Mouse::Drag, Mouse::WheelUp, Mouse::WheelDown] {
        terminal.mouse(what, 0, 0);
    }
    terminal.wait_for("6\n   5\n   ;\n   1\n   ;\n   1\n   M", SOON);
    terminal.resize((70, 30));
    terminal.send("y");
    terminal.wait_for("30 70", SOON);
    terminal.wait_for(|screen: &Screen| screen.size().1.get() == 70, SOON);
    assert!(!terminal.termios().local_flags.contains(LocalFlags::ICANON));
    assert_eq!(terminal.left_behind(), ["the settings of the line are others"]);
}

#[test]
fn unrestored_modes_are_reported() {
    let mut terminal = shell((20, 5), r"printf '\033[?1049h\033[?25l\033[7m'; stty -echo");
    assert!(terminal.wait_exit(SOON).success());
    let left = terminal.left_behind();
    assert_eq!(left.len(), 4, "{left:?}");
    assert!(left[0].contains("cursor") && left[1].contains("alternate"), "{left:?}");
}

#[test]
#[should_panic(expected = "only this is here")]
fn timeout_reports_the_screen() {
    let terminal = shell((30, 5), "echo only this is here; cat");
    terminal.wait_for("only", SOON);
    terminal.wait_for("something else", Duration::from_millis(20));
}

#[test]
fn unfinished_frame_is_not_checked() {
    let script = r"stty -echo; printf '\033[?2026hone'; read a; printf ' two\033[?2026l'; cat";
    let terminal = shell((20, 5), script);
    let half = |screen: &Screen| screen.contents().contains("one");
    assert!(!terminal.output.wait(Duration::from_millis(50), |seen| half(seen.screen())));
    terminal.send("<Enter>");
    terminal.wait_for("one two", SOON);
}

#[test]
fn program_gets_sighup_when_the_terminal_closes() {
    let mut terminal = shell((20, 5), "echo ready; exec cat");
    terminal.wait_for("ready", SOON);
    terminal.hang_up();
    let status = terminal.wait_exit(SOON);
    assert!(status.to_string().contains("SIGHUP"), "{status}");
}

#[test]
fn program_has_its_own_home_and_job_control() {
    let Some(bash) = tool("bash") else { return };
    let mut command = Command::new(bash);
    command.args(["--norc", "--noprofile", "-i"]).env("PS1", "$ ").env("COLORTERM", "");
    let mut terminal = Terminal::start((80, 24), command);
    terminal.wait_for("$", SOON);
    terminal.send(r#"echo "$TERM/$COLORTERM/$HOME"<Enter>"#);
    terminal.wait_for(format!("xterm-256color//{}", terminal.home().path().display()).as_str(), SOON);
    terminal.send("echo rea''dy; cat<Enter>");
    terminal.wait_for("ready", SOON);
    terminal.send("in cat<Enter>");
    terminal.wait_for("in cat\nin cat", SOON);
    terminal.send("<C-z>");
    terminal.wait_for("Stopped", SOON);
    terminal.send("fg<Enter>");
    terminal.wait_for("fg\ncat", SOON);
    terminal.send("again<Enter>");
    terminal.wait_for("again\nagain", SOON);
    terminal.send("<C-c>");
    terminal.wait_for("^C\n$", SOON);
    // Typed, because bash ignores a hangup that arrives while it handles an interrupt.
    terminal.send("exit 3<Enter>");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(3));
}
