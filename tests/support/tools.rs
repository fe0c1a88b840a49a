//! System tools to compare results with.

use shmlens::sys::skip::skip;
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

/// Finds a tool in `PATH`, or skips the test.
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
fn tool_is_found_by_name() {
    assert!(tool("sh").is_some_and(|path| path.ends_with("sh")));
    assert_eq!(find("no-such-tool-anywhere"), None);
}
