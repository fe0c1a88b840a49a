//! Rules for the dependencies between modules.

use super::source::{Use, uses};
use super::{Sources, module, rust};

/// The top-level modules. Up to `tui`, each may use only those before it. The last three have their
/// own rules.
pub const MODULES: [&str; 15] = [
    "segment", "sys", "machine", "survey", "memory", "decode", "identify", "act", "scope", "engine", "app",
    "tui", "config", "demo", "cli",
];

/// The modules of `app` that define its actions and keys.
const TABLES: [&str; 3] = ["action", "key", "keymap"];

/// Returns the uses that are not allowed.
pub fn forbidden_uses(sources: &Sources) -> Vec<String> {
    let mut forbidden_uses = vec![];
    for (path, text) in rust(sources) {
        let Some(from) = module(path) else { continue };
        for used in uses(text, &modules(path)) {
            if !is_allowed(from, &used) {
                forbidden_uses.push(format!(
                    "{path}:{}: {from} uses crate::{}",
                    used.line,
                    used.path.join("::")
                ));
            }
        }
    }
    forbidden_uses
}

/// Returns the modules that contain a source: `src/machine/real/posix.rs` is machine, real, posix.
fn modules(path: &str) -> Vec<&str> {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    path.trim_end_matches("/mod").split('/').collect()
}

fn is_allowed(from: &str, used: &Use) -> bool {
    let path: Vec<&str> = used.path.iter().map(String::as_str).collect();
    let Some(&to) = path.first() else { return false };
    if to == from {
        return true;
    }
    // Tests of any module may use the fake machine.
    if used.in_tests && path.starts_with(&["machine", "fake"]) {
        return true;
    }
    match from {
        "cli" if to == "app" => path.get(1).is_some_and(|module| TABLES.contains(module)),
        "cli" => to != "tui" && MODULES.contains(&to),
        "demo" => rank(to) < rank("act"),
        _ => rank(to) < rank(from),
    }
}

/// Returns the rank of a module. An unknown module ranks last.
fn rank(module: &str) -> usize {
    // config and machine may not use each other.
    let module = if module == "config" { "machine" } else { module };
    MODULES[..12].iter().position(|name| *name == module).unwrap_or(usize::MAX)
}
