//! Files allowed at the top of the repository and in `src`, and the module comment of every source.

use super::{Sources, dependencies, rust};

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

/// Returns the sources that do not start with a module comment.
pub fn undocumented(sources: &Sources) -> Vec<String> {
    let is_documented = |text: &str| {
        let first = text.lines().next().unwrap_or_default();
        first.strip_prefix("//!").is_some_and(|doc| !doc.trim().is_empty())
    };
    rust(sources).filter(|(_, text)| !is_documented(text)).map(|(path, _)| path.to_owned()).collect()
}

/// Returns the unexpected directories and files at the top of the repository and in `src`.
pub fn unexpected(sources: &Sources) -> Vec<String> {
    sources.keys().filter(|path| !is_expected(path)).cloned().collect()
}

fn is_expected(path: &str) -> bool {
    let (top, rest) = path.split_once('/').unwrap_or((path, ""));
    if top != "src" {
        return TOP.contains(&top);
    }
    match rest.split_once('/') {
        Some((module, _)) => dependencies::MODULES.contains(&module),
        None => rest == "main.rs" || rest == "lib.rs",
    }
}
