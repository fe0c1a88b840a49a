//! Every exit while a segment is open restores the terminal and detaches the segment.

use super::{NO_CHANGE_INTERVAL, ONE_SECOND, byte_on, leave_and_quit, nattch, open_first, writer};
use crate::support::{Namespaces, SOON, Sysv, Terminal, shmlens, tool};
use nix::sys::signal::Signal;
use std::fs::File;
use std::process::{Command, Stdio};
use std::time::Instant;
use vt100::Screen;

#[test]
fn signal_restores_the_terminal_and_detaches() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _sysv = Sysv::new(0x4d2, 56, 0o600);
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
        let mut terminal = open_first();
        terminal.wait_for("attached: nattch +1", SOON);
        let start = Instant::now();
        terminal.child().signal(signal);
        assert_eq!(terminal.wait_exit(SOON).code(), Some(128 + signal as i32));
        assert!(start.elapsed() < ONE_SECOND, "{signal} took {:?}", start.elapsed());
        assert_eq!(terminal.left_behind(), Vec::<String>::new(), "{signal}");
        assert_eq!(nattch(0), 0, "{signal}");
    }
}

#[test]
fn ctrl_c_restores_the_terminal_and_detaches() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _sysv = Sysv::new(0x4d2, 56, 0o600);
    let mut terminal = open_first();
    assert_eq!(nattch(0), 1);
    terminal.send("<C-c>");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
    assert_eq!(nattch(0), 0);
}

#[test]
fn hangup_ends_the_program_and_detaches() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _sysv = Sysv::new(0x4d2, 56, 0o600);
    let mut terminal = open_first();
    terminal.wait_for("attached: nattch +1", SOON);
    let start = Instant::now();
    terminal.hang_up();
    assert_eq!(terminal.wait_exit(SOON).code(), Some(129));
    // A program that runs this briefly cannot use much CPU time.
    assert!(start.elapsed() < ONE_SECOND, "it took {:?}", start.elapsed());
    assert_eq!(nattch(0), 0);
}

#[test]
fn resumed_program_is_live_again() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_writer) = writer("posix_writer.cpp", "/1234", "20") else { return };
    let Some(bash) = tool("bash") else { return };
    let mut shell = Command::new(bash);
    shell.args(["--norc", "--noprofile", "-i"]).env("PS1", "prompt> ");
    let mut terminal = Terminal::start((80, 24), shell);
    terminal.wait_for("prompt>", SOON);
    terminal.send(&format!("{}<Enter>", shmlens().get_program().display()));
    terminal.wait_for("▌", SOON);
    terminal.send("<Enter>");
    terminal.wait_for("live 10/s", SOON);
    terminal.send("<C-z>");
    let stopped = |screen: &Screen| !screen.alternate_screen() && screen.contents().contains("Stopped");
    terminal.wait_for(stopped, SOON);
    terminal.send("fg<Enter>");
    terminal.wait_for(|screen: &Screen| screen.alternate_screen(), SOON);
    terminal.wait_for("live 10/s", SOON);
    let seen = terminal.on_screen(|screen| byte_on(screen, 8));
    terminal.wait_for(|screen: &Screen| byte_on(screen, 8) != seen, SOON);
    terminal.send("q");
    terminal.wait_for("CHANGING", SOON);
    terminal.send("q");
    // Input may be lost before the shell is back.
    let prompts = |screen: &Screen| !screen.alternate_screen() && screen.contents().ends_with("prompt> ");
    terminal.wait_for(prompts, SOON);
    terminal.send("exit $?<Enter>");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
}

#[test]
fn missing_terminal_suggests_an_alternative() {
    // Redirect standard input or output. The other one is still a terminal.
    for (redirect, left) in [("</dev/null", ""), (">out", "")] {
        let mut command = Command::new("sh");
        let script = format!("cd \"$HOME\" && \"$0\" {redirect}");
        command.args(["-c", &script]).arg(shmlens().get_program());
        let mut terminal = Terminal::start((80, 24), command);
        assert_eq!(terminal.wait_exit(SOON).code(), Some(2), "{redirect}");
        assert_eq!(
            terminal.screen(),
            "shmlens: the UI needs a terminal. Use `shmlens list` or `scope --headless`",
            "{redirect}"
        );
        assert_eq!(std::fs::read(terminal.home().path().join("out")).unwrap_or_default(), left.as_bytes());
        assert_eq!(terminal.left_behind(), Vec::<String>::new());
    }
    // Run without any terminal.
    let null = || Stdio::from(File::open("/dev/null").unwrap());
    let output = shmlens().stdin(null()).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(String::from_utf8(output.stderr).unwrap().contains("`shmlens list`"));
}

#[test]
fn key_burst_is_handled_completely() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_writer) = writer("posix_writer.cpp", "/1234", NO_CHANGE_INTERVAL) else { return };
    let terminal = open_first();
    terminal.send(&"l".repeat(55));
    terminal.wait_for("at 0x37 (55)", SOON);
    terminal.send(&"h".repeat(1000));
    terminal.wait_for("at 0x0 (0)", SOON);
    leave_and_quit(terminal);
}
