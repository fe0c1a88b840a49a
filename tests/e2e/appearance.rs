//! Colors and characters adapt to the terminal and the config.

use super::{leave_and_quit, open_first, quit, row};
use crate::support::{Namespaces, Object, SOON, Terminal, shmlens};
use std::process::Command;
use vt100::{Color, Screen};

/// Returns the parameters of all SGR sequences in the output.
fn attributes(raw: &[u8]) -> Vec<Vec<u16>> {
    let text = String::from_utf8_lossy(raw);
    let sequences = text.split("\x1b[").skip(1).filter_map(|sequence| {
        let end = sequence.find(|c: char| c.is_ascii_alphabetic())?;
        sequence[end..].starts_with('m').then(|| &sequence[..end])
    });
    sequences
        .map(|parameters| parameters.split([';', ':']).map(|number| number.parse().unwrap_or(0)).collect())
        .collect()
}

fn has_color(raw: &[u8]) -> bool {
    let is_color = |number: &u16| matches!(number, 30..=38 | 40..=48 | 90..=97 | 100..=107);
    attributes(raw).iter().any(|numbers| numbers.iter().any(is_color))
}

/// Shows the table, then an object with a changing byte. Returns the output.
fn output_of_session(command: Command) -> Vec<u8> {
    let object = Object::new("object", 64, 0o600);
    object.write(0, b"a \x01\xff");
    let mut terminal = Terminal::start((80, 24), command);
    terminal.wait_for(row("▌ /object"), SOON);
    let selected = terminal.on_screen(|screen| super::row_index(screen, "/object").unwrap());
    terminal.wait_for(move |screen: &Screen| screen.cell(selected, 20).unwrap().inverse(), SOON);
    terminal.send("<Enter>");
    terminal.wait_for(row("0000_0000 61 20 01 ff"), SOON);
    object.write(9, b"Z");
    terminal.wait_for(row("5a"), SOON);
    terminal.send("q");
    terminal.wait_for("CHANGING", SOON);
    terminal.send("q");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
    terminal.raw()
}

#[test]
fn true_color_terminal_gets_true_color() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let raw = output_of_session(shmlens());
    assert!(attributes(&raw).iter().any(|numbers| numbers.windows(2).any(|pair| pair == [48, 2])));
}

#[test]
fn no_color_turns_color_off() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let mut none = shmlens();
    none.env("NO_COLOR", "1");
    let mut never = shmlens();
    never.args(["--color", "never"]);
    let mut dumb = shmlens();
    dumb.env("TERM", "vt100").env("COLORTERM", "");
    for command in [none, never, dumb] {
        let message = format!("{command:?}");
        let raw = output_of_session(command);
        assert!(!has_color(&raw), "{message}: {:?}", attributes(&raw));
    }
    // A user who asks for colors gets them.
    let mut colored = shmlens();
    colored.args(["--color", "always"]).env("NO_COLOR", "1");
    assert!(has_color(&output_of_session(colored)));
}

#[test]
fn console_gets_sixteen_colors() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let mut command = shmlens();
    command.env("TERM", "linux").env("COLORTERM", "");
    let raw = output_of_session(command);
    assert!(has_color(&raw));
    for numbers in attributes(&raw) {
        let wide = numbers.windows(2).any(|pair| matches!(pair, [38 | 48, 2]));
        let many = numbers.windows(3).any(|three| matches!(three, [38 | 48, 5, color] if *color > 15));
        assert!(!wide && !many, "{numbers:?}");
    }
}

#[test]
fn non_utf8_locale_gets_ascii_only() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _other = Object::new("カ", 10, 0o600);
    let mut locale = shmlens();
    locale.env("LANG", "C");
    let mut terminal = shmlens();
    terminal.arg("--ascii");
    for command in [locale, terminal] {
        let message = format!("{command:?}");
        let object = Object::new("object", 64, 0o600);
        let mut terminal = Terminal::start((100, 30), command);
        terminal.wait_for(row("> /object"), SOON);
        terminal.wait_for(r"/\xe3\x82\xab", SOON);
        terminal.send("G");
        terminal.wait_for(row(r"> /\xe3"), SOON);
        for (keys, shown) in [
            ("y", "Copied"),
            ("?", "+ Keys"),
            ("<C-c>:", "+ Actions"),
            ("<C-c>s", "+ Sort by"),
            ("<C-c><Enter>", "0000_0000"),
            ("ma", "Marked"),
            ("t", "+ Show as"),
            ("<C-c>?", "+ Keys"),
            ("<C-c><Space>", "= frozen"),
        ] {
            terminal.send(keys);
            terminal.wait_for(shown, SOON);
        }
        terminal.send("<C-c>");
        terminal.wait_exit(SOON);
        drop(object);
        let raw = terminal.raw();
        let at = raw.iter().position(|byte| !byte.is_ascii());
        assert_eq!(at.map(|at| String::from_utf8_lossy(&raw[at..]).into_owned()), None, "{message}");
    }
}

#[test]
fn theme_setting_is_applied() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("object", 64, 0o600);
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::fs::create_dir(home.path().join("shmlens")).unwrap();
    std::fs::write(home.path().join("shmlens/config.toml"), "theme = \"light\"\n").unwrap();
    let mut command = shmlens();
    command.env("XDG_CONFIG_HOME", home.path());
    let terminal = Terminal::start((80, 24), command);
    terminal.wait_for(row("▌ /object"), SOON);
    let is_rgb = |screen: &Screen| matches!(screen.cell(0, 79 - 5).unwrap().fgcolor(), Color::Rgb(..));
    terminal.wait_for(is_rgb, SOON);
    quit(terminal);
}

#[test]
fn cursor_is_on_the_selected_byte() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("object", 64, 0o600);
    let terminal = open_first();
    let (row, column) = super::byte_cell(9);
    terminal.send("lllllllll");
    terminal.wait_for(move |screen: &Screen| screen.cell(row, column).unwrap().inverse(), SOON);
    assert!(!terminal.cell(row, column - 3).inverse());
    leave_and_quit(terminal);
}
