//! The tools of the machine that results are compared with.

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

/// Says that a test cannot be run here, past the capture of its output. Where
/// everything has to be run (`CI=true`) it fails the test instead.
pub fn skip(why: &str) {
    assert!(env::var_os("CI").is_none_or(|value| value != "true"), "cannot be skipped under CI=true: {why}");
    let _ = writeln!(io::stderr(), "skipped: {why}");
}

/// Finds a tool in `PATH`. `None` when it is missing, which is said.
pub fn tool(name: &str) -> Option<PathBuf> {
    let found = find(name);
    if found.is_none() {
        skip(&format!("needs the tool '{name}', which is not in PATH"));
    }
    found
}

fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(name)).find(|file| {
        fs::metadata(file).is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
    })
}

#[test]
fn a_tool_is_found_by_name() {
    assert!(tool("sh").is_some_and(|path| path.ends_with("sh")));
    assert_eq!(find("no-such-tool-anywhere"), None);
}
