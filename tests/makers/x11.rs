//! X11 with MIT-SHM: a client creates a segment, and the server attaches it.

use super::{Verdict, verdict};
use crate::support::{Child, Namespaces, SOON, skip, tool, wait_until};
use nix::sys::signal::Signal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Starts a server without a screen. Returns it and its display.
fn server() -> Option<(Child, String)> {
    let mut command = Command::new(tool("Xvfb")?);
    command.args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "64x64x24", "-noreset"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Child::spawn(&mut command);
    let display = format!(":{}", server.line(SOON).trim());
    Some((server, display))
}

/// Compiles the client. `None` without a compiler or the headers.
fn client(directory: &Path) -> Option<PathBuf> {
    if !Path::new("/usr/include/X11/extensions/XShm.h").exists() {
        skip("needs the headers of X's extensions (libxext-dev), which are not installed");
        return None;
    }
    let program = directory.join("mitshm");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/makers/mitshm.c");
    let mut compile = Command::new(tool("gcc")?);
    compile
        .args(["-O1", "-Wall", "-Wextra", "-Werror", "-o"])
        .arg(&program)
        .arg(source)
        .args(["-lXext", "-lX11"]);
    let output = compile.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(program)
}

#[test]
fn x11_segment_is_shared_with_the_server_and_leaked_by_a_killed_client() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = tempfile::tempdir().unwrap();
    let Some(program) = client(directory.path()) else { return };
    let Some((mut server, display)) = server() else { return };
    let start = || {
        let mut client = Child::spawn_piped(Command::new(&program).env("DISPLAY", &display));
        let id = client.line(SOON);
        (client, id)
    };
    let server_pid = server.pid().as_raw();
    let held_by = |verdict: &Verdict, client: &Child| {
        let mut both = [server_pid, client.pid().as_raw()];
        both.sort_unstable();
        assert_eq!(verdict.holders, both, "{verdict:#?}");
        assert_eq!(verdict.maker, "x11-mitshm");
    };

    let (mut polite, id) = start();
    verdict(&id).assert_is("in-use", &["held by 2 processes", "nattch 2"]);
    held_by(&verdict(&id), &polite);
    // Most clients mark the segment at once, so that it disappears when both detach.
    polite.send("remove\n");
    assert_eq!(polite.line(SOON), "done");
    verdict(&id).assert_is("removed", &["kept alive by", "mitshm", "Xvfb"]);
    held_by(&verdict(&id), &polite);
    polite.end();
    wait_until(SOON, || super::listed().iter().all(|verdict| verdict.id != id));

    let (mut careless, id) = start();
    held_by(&verdict(&id), &careless);
    careless.end();
    // The server has detached the segment.
    wait_until(SOON, || verdict(&id).holders.is_empty());
    verdict(&id).assert_is("leaked certain", &["no process has the creator's pid", "nattch 0"]);
    // A server that exits removes its socket.
    server.signal(Signal::SIGTERM);
    server.wait(SOON);
}
