//! The house as it is laid out: what stands where, and which way the arrows
//! between its rooms go. Reads the sources; each rule is a function over them
//! that also has to find an offender that was made up for it.

mod arrows;
mod layout;
mod source;

use source::code;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Sources, by their path below the repository. A directory that is none of
/// the house's own stands with a slash at its end and without text.
type Sources = BTreeMap<String, String>;

/// The folders whose files are looked at.
const OWN: [&str; 4] = ["src", "tests", "assets", ".ci"];
/// The history, and the build directory.
const BESIDES: [&str; 2] = [".git", "target"];

/// Everything that is in the repository.
fn repository() -> Sources {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Sources::new();
    for (name, path) in entries(root) {
        if OWN.contains(&name.as_str()) {
            walk(&path, &name, &mut sources);
        } else if path.is_dir() {
            if !BESIDES.contains(&name.as_str()) {
                sources.insert(format!("{name}/"), String::new());
            }
        } else if !BESIDES.contains(&name.as_str()) {
            // In a worktree .git is a file.
            sources.insert(name, text(&path));
        }
    }
    assert!(sources.len() > 40, "the sources are not here: {}", root.display());
    sources
}

fn walk(directory: &Path, name: &str, sources: &mut Sources) {
    for (entry, path) in entries(directory) {
        let name = format!("{name}/{entry}");
        if path.is_dir() {
            walk(&path, &name, sources);
        } else {
            sources.insert(name, text(&path));
        }
    }
}

fn entries(directory: &Path) -> Vec<(String, std::path::PathBuf)> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())).collect()
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
}

/// The room that a source belongs to. `None` for the binary and for the root of the library.
fn room(path: &str) -> Option<&str> {
    let path = path.strip_prefix("src/")?;
    match path.split_once('/') {
        Some((room, _)) => Some(room),
        None => path.strip_suffix(".rs").filter(|name| !matches!(*name, "main" | "lib")),
    }
}

fn rust(sources: &Sources) -> impl Iterator<Item = (&str, &str)> {
    sources
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .filter(|(path, _)| Path::new(path).extension().is_some_and(|end| end == "rs"))
}

/// Only `tui` knows of a terminal.
fn terminals(sources: &Sources) -> Vec<String> {
    let elsewhere = rust(sources)
        .filter(|(path, _)| path.starts_with("src/") && *path != "src/main.rs" && room(path) != Some("tui"));
    words(elsewhere, &["ratatui", "crossterm"])
}

/// `unsafe` stands in `sys`, and in what the tests share.
fn unsafety(sources: &Sources) -> Vec<String> {
    let safe =
        rust(sources).filter(|(path, _)| room(path) != Some("sys") && !path.starts_with("tests/support/"));
    words(safe, &["unsafe"])
}

/// Returns the places of those words in code.
fn words<'a>(sources: impl Iterator<Item = (&'a str, &'a str)>, words: &[&str]) -> Vec<String> {
    let mut found = vec![];
    for (path, text) in sources {
        for token in code(text).into_iter().filter(|token| words.contains(&token.text)) {
            found.push(format!("{path}:{}: {}", token.line, token.text));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Vec<String> = vec![];

    fn made(files: &[(&str, &str)]) -> Sources {
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn only_tui_uses_the_terminal_crates() {
        assert_eq!(terminals(&repository()), NOTHING);
        let offender = made(&[
            ("src/tui/draw.rs", "use ratatui::Frame;"),
            ("src/app/state.rs", "//! Without ratatui.\n\nuse ratatui::layout::Rect; // crossterm\n"),
            ("src/cli/out.rs", "fn f() { let s = \"crossterm\"; crossterm::f(s) }"),
        ]);
        assert_eq!(terminals(&offender), ["src/app/state.rs:3: ratatui", "src/cli/out.rs:1: crossterm"]);
    }

    #[test]
    fn dependencies_go_one_way() {
        assert_eq!(arrows::wrong(&repository()), NOTHING);
        let offender = made(&[
            ("src/app/state.rs", "use crate::{segment::Id, tui::draw};\nuse crate::survey::{self, Survey};"),
            (
                "src/machine/real/posix.rs",
                "use super::object_stat;\nuse super::super::super::memory::Reader;",
            ),
            ("src/machine/mod.rs", "pub use crate::config::Config; mod inner { use super::fake; }"),
            ("src/segment/id.rs", "mod tests { use crate::machine::fake::M; use super::super::super::sys; }"),
            ("src/segment/mode.rs", "use crate::machine::fake::M;"),
            ("src/demo/mod.rs", "fn f() { crate::identify::judge(); crate::act::go() }"),
            ("src/cli/list.rs", "use crate::app::{action::ALL, state::State};"),
            ("src/survey/mod.rs", "use crate::{cellar};"),
            ("src/tui/mod.rs", "use crate::{cli, app};"),
            ("src/lib.rs", "pub use crate::tui::run;"),
        ]);
        assert_eq!(
            arrows::wrong(&offender),
            [
                "src/app/state.rs:1: app uses crate::tui::draw",
                "src/cli/list.rs:1: cli uses crate::app::state::State",
                "src/demo/mod.rs:1: demo uses crate::act::go",
                "src/machine/mod.rs:1: machine uses crate::config::Config",
                "src/machine/real/posix.rs:2: machine uses crate::memory::Reader",
                "src/segment/id.rs:1: segment uses crate::sys",
                "src/segment/mode.rs:1: segment uses crate::machine::fake::M",
                "src/survey/mod.rs:1: survey uses crate::cellar",
                "src/tui/mod.rs:1: tui uses crate::cli",
            ]
        );
    }

    #[test]
    fn unsafe_is_only_in_sys() {
        assert_eq!(unsafety(&repository()), NOTHING);
        let offender = made(&[
            ("src/sys/shm.rs", "unsafe { call() }"),
            ("tests/support/child.rs", "unsafe { call() }"),
            ("src/machine/real.rs", "/* unsafe */\nfn f() { let c = '\"'; unsafe { call() } }"),
            ("src/lib.rs", "#![expect(unsafe_code)]\n/// unsafe\nfn f() { r#\"unsafe \" unsafe\"#; }"),
            ("tests/list.rs", "unsafe fn f<'a>() {}"),
        ]);
        assert_eq!(unsafety(&offender), ["src/machine/real.rs:2: unsafe", "tests/list.rs:1: unsafe"]);
    }

    #[test]
    fn every_source_has_a_module_comment() {
        assert_eq!(layout::silent(&repository()), NOTHING);
        let offender = made(&[
            ("src/a.rs", "//! An idea.\n"),
            ("src/b.rs", "// An idea.\n"),
            ("src/c.rs", ""),
            ("src/d.rs", "use x;\n//! Late.\n"),
            ("tests/e.rs", "//!\n"),
            ("assets/demo/f.cpp", "int main() {}"),
        ]);
        assert_eq!(layout::silent(&offender), ["src/b.rs", "src/c.rs", "src/d.rs", "tests/e.rs"]);
    }

    #[test]
    fn no_unexpected_files() {
        assert_eq!(layout::strangers(&repository()), NOTHING);
        let offender = made(&[
            ("Cargo.toml", ""),
            ("src/main.rs", ""),
            ("src/tui/screen/inspect.rs", ""),
            ("src/utils/mod.rs", ""),
            ("src/helpers.rs", ""),
            ("src/main.rs.orig", ""),
            ("docs/", ""),
            ("notes.txt", ""),
            (".ci/run", ""),
        ]);
        assert_eq!(
            layout::strangers(&offender),
            ["docs/", "notes.txt", "src/helpers.rs", "src/main.rs.orig", "src/utils/mod.rs"]
        );
    }
}
