//! What may stand at the top of the repository and in `src`, and that every
//! source says what it holds.

use super::{Sources, arrows, rust};

/// The files at the top of the repository.
const TOP: [&str; 11] = [
    ".ci",
    ".clippy.toml",
    ".gitignore",
    ".rustfmt.toml",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "assets",
    "src",
    "tests",
];

/// Sources that do not begin with a line that says what they hold.
pub fn silent(sources: &Sources) -> Vec<String> {
    let says = |text: &str| {
        let first = text.lines().next().unwrap_or_default();
        first.strip_prefix("//!").is_some_and(|doc| !doc.trim().is_empty())
    };
    rust(sources).filter(|(_, text)| !says(text)).map(|(path, _)| path.to_owned()).collect()
}

/// Folders and files that have no place at the top of the repository or in `src`.
pub fn strangers(sources: &Sources) -> Vec<String> {
    sources.keys().filter(|path| !is_at_home(path)).cloned().collect()
}

fn is_at_home(path: &str) -> bool {
    let (top, rest) = path.split_once('/').unwrap_or((path, ""));
    if top != "src" {
        return TOP.contains(&top);
    }
    match rest.split_once('/') {
        Some((room, _)) => arrows::ROOMS.contains(&room),
        None => rest == "main.rs" || rest == "lib.rs",
    }
}
