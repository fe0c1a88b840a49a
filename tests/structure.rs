//! The structure of the repository: the place of each file, and the direction of dependencies
//! between modules. Each rule is a function of the sources, and its test shows that it rejects a
//! violation.

mod dependencies;
mod layout;
mod source;

use source::code;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Sources by path in the repository. A directory that is not checked ends with a slash and has no
/// text.
type Sources = BTreeMap<String, String>;

/// The directories with files to check.
const CHECKED_DIRECTORIES: [&str; 4] = ["src", "tests", "assets", ".ci"];
/// Directories that are not checked: the history and the build output.
const IGNORED: [&str; 2] = [".git", "target"];

fn repository() -> Sources {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Sources::new();
    for (name, path) in entries(root) {
        if CHECKED_DIRECTORIES.contains(&name.as_str()) {
            walk(&path, &name, &mut sources);
        } else if path.is_dir() {
            if !IGNORED.contains(&name.as_str()) {
                sources.insert(format!("{name}/"), String::new());
            }
        } else if !IGNORED.contains(&name.as_str()) {
            // In a worktree, .git is a file.
            sources.insert(name, text(&path));
        }
    }
    assert!(sources.len() > 40, "no sources found in {}", root.display());
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

/// Returns the top-level module of a source. `None` for the binary and the root of the library.
fn module(path: &str) -> Option<&str> {
    let path = path.strip_prefix("src/")?;
    match path.split_once('/') {
        Some((module, _)) => Some(module),
        None => path.strip_suffix(".rs").filter(|name| !matches!(*name, "main" | "lib")),
    }
}

/// The sources of this program. Those in assets are parts of generated ones.
fn rust(sources: &Sources) -> impl Iterator<Item = (&str, &str)> {
    sources
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .filter(|(path, _)| Path::new(path).extension().is_some_and(|end| end == "rs"))
        .filter(|(path, _)| !path.starts_with("assets/"))
}

/// Finds terminal crates outside of `tui`.
fn terminal_uses(sources: &Sources) -> Vec<String> {
    let elsewhere = rust(sources).filter(|(path, _)| {
        path.starts_with("src/") && *path != "src/main.rs" && module(path) != Some("tui")
    });
    words(elsewhere, &["ratatui", "crossterm"])
}

/// A program that tests compile.
const SHARING_PROGRAM: &str = "tests/selftyping/ways.rs";

/// Finds `unsafe` outside of `sys`, the test support, and a program that maps a segment.
fn unsafe_uses(sources: &Sources) -> Vec<String> {
    let is_exempt = |path: &str| {
        module(path) == Some("sys") || path.starts_with("tests/support/") || path == SHARING_PROGRAM
    };
    let code = rust(sources).filter(|(path, _)| !is_exempt(path));
    words(code, &["unsafe"])
}

/// Finds these words in code.
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

    const NONE: Vec<String> = vec![];

    fn sources(files: &[(&str, &str)]) -> Sources {
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn only_tui_uses_the_terminal_crates() {
        assert_eq!(terminal_uses(&repository()), NONE);
        let offender = sources(&[
            ("src/tui/draw.rs", "use ratatui::Frame;"),
            ("src/app/state.rs", "//! Without ratatui.\n\nuse ratatui::layout::Rect; // crossterm\n"),
            ("src/cli/out.rs", "fn f() { let s = \"crossterm\"; crossterm::f(s) }"),
        ]);
        assert_eq!(terminal_uses(&offender), ["src/app/state.rs:3: ratatui", "src/cli/out.rs:1: crossterm"]);
    }

    #[test]
    fn dependencies_go_one_way() {
        assert_eq!(dependencies::forbidden_uses(&repository()), NONE);
        let offender = sources(&[
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
            dependencies::forbidden_uses(&offender),
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
        assert_eq!(unsafe_uses(&repository()), NONE);
        let offender = sources(&[
            ("src/sys/shm.rs", "unsafe { call() }"),
            ("tests/support/child.rs", "unsafe { call() }"),
            ("src/machine/real.rs", "/* unsafe */\nfn f() { let c = '\"'; unsafe { call() } }"),
            ("src/lib.rs", "#![expect(unsafe_code)]\n/// unsafe\nfn f() { r#\"unsafe \" unsafe\"#; }"),
            ("tests/list.rs", "unsafe fn f<'a>() {}"),
        ]);
        assert_eq!(unsafe_uses(&offender), ["src/machine/real.rs:2: unsafe", "tests/list.rs:1: unsafe"]);
    }

    #[test]
    fn every_source_has_a_module_comment() {
        assert_eq!(layout::undocumented(&repository()), NONE);
        let offender = sources(&[
            ("src/a.rs", "//! An idea.\n"),
            ("src/b.rs", "// An idea.\n"),
            ("src/c.rs", ""),
            ("src/d.rs", "use x;\n//! Late.\n"),
            ("tests/e.rs", "//!\n"),
            ("assets/demo/f.cpp", "int main() {}"),
        ]);
        assert_eq!(layout::undocumented(&offender), ["src/b.rs", "src/c.rs", "src/d.rs", "tests/e.rs"]);
    }

    #[test]
    fn no_unexpected_files() {
        assert_eq!(layout::unexpected(&repository()), NONE);
        let offender = sources(&[
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
            layout::unexpected(&offender),
            ["docs/", "notes.txt", "src/helpers.rs", "src/main.rs.orig", "src/utils/mod.rs"]
        );
    }
}
