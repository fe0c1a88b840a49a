//! The list of holders, and terminating one of them: real C++ and Python programs.

use super::{NO_CHANGE_INTERVAL, answer, collapse_spaces, no_row, open, quit, row, writer};
use crate::support::{Child, Namespaces, SOON, Terminal, python, shmlens, skip_for_kernel, tool};
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use vt100::Screen;

/// Starts a Python program that opens the object and maps it for reading.
fn reader(name: &str) -> Option<Child> {
    let text = format!(
        "import mmap, os, sys, time\n\
         f = os.open('/dev/shm/{name}', os.O_RDONLY)\n\
         m = mmap.mmap(f, 56, mmap.MAP_SHARED, mmap.PROT_READ)\n\
         os.close(f)\n\
         print('ready', flush=True)\n\
         time.sleep(3600)"
    );
    let mut child = Child::spawn_piped(python(&text)?.stderr(Stdio::null()));
    assert_eq!(child.line(SOON), "ready");
    Some(child)
}

#[test]
fn holders_are_listed_with_access_and_can_be_ended() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut cpp) = writer("posix_writer.cpp", "held", NO_CHANGE_INTERVAL) else { return };
    let Some(mut python) = reader("held") else { return };
    let state = tempfile::tempdir().unwrap();
    let mut command = shmlens();
    command.env("XDG_STATE_HOME", state.path());
    let terminal = Terminal::start((80, 24), command);
    terminal.wait_for(row("▌ /held"), SOON);
    terminal.send("h");
    terminal.wait_for("Holders of /held", SOON);
    // The creator may write. The process with the read-only mapping may not.
    let written = format!("{} posix_writer", cpp.pid());
    terminal.wait_for(row(&written), SOON);
    let screen = terminal.screen();
    let line = |pid: String| {
        let line = screen.lines().find(|line| line.contains(&pid) && line.contains("up "));
        collapse_spaces(line.unwrap_or_else(|| panic!("no {pid} in\n{screen}")))
    };
    assert!(line(cpp.pid().to_string()).contains(" rw root up "), "{screen}");
    assert!(line(python.pid().to_string()).contains(" r root up "), "{screen}");
    // The C++ program has the lower pid, so it comes first.
    terminal.send("G");
    terminal.send("K");
    terminal.wait_for(format!("({})", python.pid()).as_str(), SOON);
    terminal.wait_for("y terminate", SOON);
    assert!(python.ended().is_none());
    answer(&terminal, "y");
    let status = python.wait(SOON);
    assert_eq!(status.signal(), Some(libc::SIGTERM));
    terminal.wait_for("K terminate", SOON);
    terminal.wait_for(no_row("r root up"), SOON);
    assert!(cpp.ended().is_none(), "another process was signaled");
    terminal.send("<Esc>");
    terminal.wait_for(no_row("Holders of"), SOON);
    terminal.send(":log<Enter>");
    terminal.wait_for("terminate /held:", SOON);
    terminal.send("<Esc>");
    terminal.wait_for(no_row("Log of this session"), SOON);
    let record = state.path().join("shmlens/log.jsonl");
    let record = fs::read_to_string(record).unwrap();
    assert!(record.contains("\"action\":\"terminate\"") && record.contains("terminated"), "{record}");
    quit(terminal);
}

#[test]
fn process_ignoring_sigterm_is_reported() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let text = "import signal, time\n\
                from multiprocessing import shared_memory as m\n\
                signal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
                s = m.SharedMemory('stubborn', create=True, size=99)\n\
                print('ready', flush=True)\n\
                time.sleep(3600)";
    let Some(mut command) = python(text) else { return };
    let mut child = Child::spawn_piped(command.stderr(Stdio::null()));
    assert_eq!(child.line(SOON), "ready");
    let terminal = open();
    terminal.wait_for(row("▌ /stubborn"), SOON);
    terminal.wait_for(row("● in use"), SOON);
    terminal.send("h");
    terminal.wait_for("Holders of /stubborn", SOON);
    terminal.send("K");
    terminal.wait_for("y terminate", SOON);
    answer(&terminal, "y");
    terminal.wait_for("K terminate", SOON);
    assert!(child.ended().is_none());
    terminal.send("<Esc>");
    terminal.wait_for(no_row("Holders of"), SOON);
    quit(terminal);
}

/// If `/proc` belongs to another pid namespace, a pid there is a different process here.
#[test]
fn pid_from_another_namespace_signals_nothing() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(unshare) = tool("unshare") else { return };
    let Some(mut holder) = writer("posix_writer.cpp", "held", NO_CHANGE_INTERVAL) else { return };
    // In the namespace, an unrelated process gets the same pid as the holder outside.
    let text = "echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid; sleep 3600 & \
                [ $! = $1 ] || { echo no such pid; exit; }; \
                \"$0\"; kill -0 $! && echo still there";
    let mut command = Command::new(unshare);
    command.args(["--pid", "--fork", "--kill-child", "sh", "-c", text]);
    command.arg(shmlens().get_program()).arg(holder.pid().to_string());
    let mut terminal = Terminal::start((80, 24), command);
    terminal.wait_for(
        |screen: &Screen| row("● in use")(screen) || row("no such pid")(screen) || row("unshare:")(screen),
        SOON,
    );
    if !terminal.screen().contains("in use") {
        return skip_for_kernel(&format!("cannot choose a pid: {}", terminal.screen()));
    }
    terminal.send("h");
    terminal.wait_for("Holders of /held", SOON);
    terminal.wait_for(row(&format!("{} posix_writer", holder.pid())), SOON);
    terminal.send("K");
    terminal.wait_for("y terminate", SOON);
    answer(&terminal, "y");
    terminal.wait_for("K terminate", SOON);
    terminal.send("<Esc>");
    terminal.wait_for(no_row("Holders of"), SOON);
    terminal.send("q");
    terminal.wait_for("still there", SOON);
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
    assert!(holder.ended().is_none());
}

#[test]
fn unlink_of_a_held_object_is_reported() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let text = "from multiprocessing import shared_memory as m\n\
                s = m.SharedMemory('gone', create=True, size=50000)\n\
                s.buf[:] = bytes(range(250)) * 200\n\
                print('ready', flush=True); input()\n\
                s.unlink(); print('unlinked', flush=True); input()";
    let Some(mut command) = python(text) else { return };
    let mut child = Child::spawn_piped(command.stderr(Stdio::null()));
    assert_eq!(child.line(SOON), "ready");
    let terminal = open();
    terminal.wait_for(row("▌ /gone 49 KiB 100%"), SOON);
    terminal.wait_for(row("● in use"), SOON);
    child.send("\n");
    assert_eq!(child.line(SOON), "unlinked");
    terminal.wait_for(row("/gone was removed; 52 KiB stays in memory"), SOON);
    terminal.wait_for(row("◌ removed"), SOON);
    child.send("\n");
    child.wait(SOON);
    terminal.wait_for("No shared memory segments", SOON);
    quit(terminal);
}
