//! Output to a closed pipe and to a full disk, the man page, and shell completions.

use super::{printed, stderr_of};
use crate::support::{Namespaces, Object, shmlens, tool};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

#[test]
fn closed_pipe_ends_the_command_quietly() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _objects: Vec<Object> =
        (0..3000).map(|number| Object::new(format!("{number:0>200}"), 1, 0o600)).collect();
    for report in [&["list"][..], &["list", "--json"], &["list", "--csv"]] {
        let mut child = shmlens().args(report).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Read a few bytes, like `head`. The rest does not fit into the pipe.
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0; 100]).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{report:?}");
        assert_eq!(output.status.code(), Some(0), "{report:?}");
    }
}

#[test]
fn full_disk_is_reported() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for report in [&["list"][..], &["list", "--json"], &["list", "--csv"], &["limits"], &["man"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = shmlens().args(report).stdout(full).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{report:?}: {stderr}");
        assert_eq!(stderr, "shmlens: failed to write the output: no space left on device\n");
    }
}

#[test]
fn ui_without_a_terminal_suggests_list() {
    let error = stderr_of([], 2);
    assert!(error.contains("terminal") && error.contains("shmlens list"), "{error}");
}

#[test]
fn man_page_is_valid() {
    let page = printed(["man"]);
    let Some(groff) = tool("groff") else { return };
    let mut child = Command::new(groff)
        .args(["-man", "-Tutf8", "-ww", "-z"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn completions_are_valid() {
    let script = printed(["completions", "bash"]);
    assert!(script.contains("--columns") && script.contains("limits"));
    let Some(bash) = tool("bash") else { return };
    let program = format!(
        "{script}\nCOMP_WORDS=(shmlens list --co); COMP_CWORD=2; _shmlens shmlens --co list; echo \"${{COMPREPLY[@]}}\""
    );
    let output = Command::new(bash).args(["-c", &program]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "--columns --color\n");
    assert!(printed(["completions", "zsh"]).contains("--columns"));
    assert!(printed(["completions", "fish"]).contains("-l columns"));
    stderr_of(["completions", "edlin"], 2);
}
