//! `man`: the manual page, made from the arguments and the tables of the
//! program, so that it cannot lag behind them.

use super::out::Out;
use super::{Args, Failure, Status};
use crate::app::action::{ACTIONS, Screen};
use crate::segment::field::Field;
use clap::{Arg, Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use std::io::{self, Write as _};

/// Prints it.
pub fn run(out: &mut Out) -> Result<Status, Failure> {
    page(out)?;
    out.flush()?;
    Ok(Status::Done)
}

/// The settings with their defaults, each with what it is.
const SETTINGS: &str = include_str!("../../assets/config.toml");

fn page(out: &mut dyn io::Write) -> io::Result<()> {
    let mut command = Args::command();
    command.build();
    let man = Man::new(command.clone()).manual("User Commands");
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    let mut roff = Roff::new();
    commands(&mut roff, &command);
    segments(&mut roff);
    filters(&mut roff);
    states(&mut roff);
    fields(&mut roff);
    keys(&mut roff);
    files(&mut roff);
    environment(&mut roff);
    exit_status(&mut roff);
    roff.control("SH", ["SEE ALSO"]).text(vec![roman(
        "ipcs(1), lsipc(1), ipcrm(1), shmget(2), shmat(2), shm_open(3), sysvipc(7), shm_overview(7)",
    )]);
    roff.to_writer(out)
}

/// A paragraph with a term before it.
fn term(roff: &mut Roff, head: Vec<Inline>, text: &str) {
    roff.control("TP", []).text(head).text(vec![roman(text)]);
}

fn commands(roff: &mut Roff, command: &Command) {
    roff.control("SH", ["COMMANDS"]);
    subcommands(roff, "shmlens", command);
}

fn subcommands(roff: &mut Roff, parent: &str, command: &Command) {
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = format!("{parent} {}", command.get_name());
        if command.has_subcommands() {
            subcommands(roff, &name, command);
            continue;
        }
        roff.control("SS", [name.as_str()]);
        roff.text(vec![roman(sentence(command.get_about().map(ToString::to_string)))]);
        let usage = command.clone().render_usage().to_string();
        roff.control("PP", []).control("nf", []);
        for line in usage.trim_start_matches("Usage: ").lines() {
            roff.text(vec![roman(line.trim_start())]);
        }
        roff.control("fi", []);
        let own = |argument: &&Arg| !argument.is_global_set() && argument.get_id() != "help";
        for argument in command.get_arguments().filter(own) {
            term(roff, head(argument), &sentence(argument.get_help().map(ToString::to_string)));
        }
        if let Some(examples) = command.get_after_help() {
            let examples = examples.to_string();
            roff.control("PP", []).text(vec![roman("Examples:")]).control("PP", []).control("nf", []);
            for line in examples.lines().filter(|&line| line != "EXAMPLES") {
                roff.text(vec![roman(line)]);
            }
            roff.control("fi", []);
        }
    }
}

/// `--sort FIELD`, as the usage has it.
fn head(argument: &Arg) -> Vec<Inline> {
    let mut head = vec![];
    if let Some(short) = argument.get_short() {
        head.extend([bold(format!("-{short}")), roman(", ")]);
    }
    if let Some(long) = argument.get_long() {
        head.push(bold(format!("--{long}")));
    }
    if argument.is_positional() || argument.get_action().takes_values() {
        let names: Vec<&str> =
            argument.get_value_names().unwrap_or_default().iter().map(clap::builder::Str::as_str).collect();
        if !head.is_empty() {
            head.push(roman(" "));
        }
        head.push(italic(names.join(" ")));
    }
    head
}

/// Help texts have no full stop, since they stand in a list; a manual has one.
fn sentence(help: Option<String>) -> String {
    let mut text = help.unwrap_or_default();
    text.push('.');
    text
}

fn segments(roff: &mut Roff) {
    roff.control("SH", ["SEGMENTS"]).text(vec![roman(
        "The same text names a segment everywhere and can be pasted back. An exact name beats a beginning.",
    )]);
    for (name, text) in [
        ("sysv:32770", "A System V segment by its shmid; in short 32770 or #32770."),
        ("key:1234, 0x4d2", "A System V segment by its key."),
        (
            "posix:/name",
            "A POSIX segment, below /dev/shm; in short /name, name, or a unique beginning of it.",
        ),
        (
            "deleted:1b:2f",
            "A POSIX segment that is in no directory any more and still held: device and inode, hexadecimal.",
        ),
    ] {
        term(roff, vec![bold(name)], text);
    }
    roff.control("PP", []).text(vec![roman(
        "Bytes of a name that are no printable UTF-8, control, bidirectional and invisible characters and the \
         backslash are shown as \\xNN, and are accepted so. Sizes and offsets are numbers, hexadecimal with 0x \
         in front, with K, M, G or T behind them for powers of 1024.",
    )]);
}

fn filters(roff: &mut Roff) {
    roff.control("SH", ["FILTERS"])
        .text(vec![roman("The words of a filter are joined with and. Its fields are those below.")]);
    for (word, text) in [
        ("kind=sysv, owner=ann, mode=0666", "The field is exactly this. Users and groups also by number."),
        ("size>10M, size=10M..1G, age=1h.., nattch=0", "A number lies there: <, <=, >, >=, or a range."),
        ("name~^/psm_", "The field fits a regular expression."),
        ("holders=0, holders~python", "How many hold it, or their names."),
        ("made_by=python", "A part of the name or the id of its maker, whatever the case."),
        ("leaked, in-use, idle, ...", "The state, see STATES."),
        ("word", "Anything else: part of the name, key, id, of a holder or the maker, whatever the case."),
        ("!word, owner!=ann", "The other way round."),
    ] {
        term(roff, vec![bold(word)], text);
    }
}

fn states(roff: &mut Roff) {
    roff.control("SH", ["STATES"]).text(vec![roman(
        "The state of a segment is the first of these that fits. list, info and the terminal UI give it with its \
         reasons, each with what was looked at.",
    )]);
    for (state, text) in [
        ("removed", "Marked for removal, or unlinked, and kept alive by who holds it."),
        ("in-use", "Somebody holds it: a mapping, an attachment, an open descriptor, a lock on its file."),
        (
            "unknown",
            "That nobody holds it is not settled. For System V it is by nattch, which everybody can see; for \
             POSIX when every process could be examined, or all of the owner's and root's where only the owner \
             can open it, or, for root, when the kernel gives a lease on it.",
        ),
        ("protected", "Nobody holds it, and its maker's programs need it all the same."),
        (
            "idle",
            "Nobody holds it, and its maker lives, or that is normal for it, or it was touched within the last \
             minute (ten, where nothing tells who made it; --settle and the setting say otherwise).",
        ),
        (
            "leaked",
            "Nobody holds it. Certain: its maker is dead, by its pid or by what the catalogue knows of it. Likely, \
             shown as leaked?: nothing tells who made it, or that this is normal.",
        ),
    ] {
        term(roff, vec![bold(state)], text);
    }
}

fn fields(roff: &mut Roff) {
    roff.control("SH", ["FIELDS"])
        .text(vec![roman("For filters, --columns and --sort; JSON has them under the same names.")]);
    for field in Field::ALL {
        // The angle brackets are a link in the program's own documentation.
        term(roff, vec![bold(field.word())], &field.doc().replace(['<', '>'], ""));
    }
}

fn keys(roff: &mut Roff) {
    roff.control("SH", ["KEYS"]).text(vec![roman(
        "Those of the terminal UI, with the name of each action, by which the palette and the settings know it.",
    )]);
    for screen in Screen::ALL {
        roff.control("SS", [screen.title()]);
        for row in ACTIONS.iter().filter(|row| row.works_in(screen)) {
            let keys: Vec<String> = row.default_keys().map(|key| key.to_string()).collect();
            term(roff, vec![bold(keys.join(", "))], &format!("{} ({}).", row.doc, row.name));
        }
    }
}

fn files(roff: &mut Roff) {
    roff.control("SH", ["FILES"]);
    let path = vec![italic("$XDG_CONFIG_HOME/shmlens/config.toml")];
    term(roff, path, "The settings, by default below ~/.config. It may be absent, and so may any of them:");
    roff.control("PP", []).control("nf", []);
    for line in SETTINGS.lines() {
        roff.text(vec![roman(line)]);
    }
    roff.control("fi", []);
    for (path, text) in [
        (
            "$XDG_STATE_HOME/shmlens/copies",
            "Copies of what was removed, by default below ~/.local/state, for u and restore; the newest are kept.",
        ),
        (
            "$XDG_STATE_HOME/shmlens/log.jsonl, log.1.jsonl",
            "What was done to segments, an act a line as JSON: time, user, action, segment, whether it was done, \
             and the result. Two files of 1 MiB at most.",
        ),
    ] {
        term(roff, vec![italic(path)], text);
    }
    let text = "Under sudo these are root's own; the caller's stay as they are.";
    roff.control("PP", []).text(vec![roman(text)]);
}

fn environment(roff: &mut Roff) {
    roff.control("SH", ["ENVIRONMENT"]);
    for (name, text) in [
        ("NO_COLOR", "When it is set and not empty, there are no colours, unless --color says so."),
        (
            "LC_ALL, LC_CTYPE, LANG",
            "Where the first that is set is no UTF-8, nothing outside ASCII is shown on a terminal.",
        ),
        ("XDG_CONFIG_HOME", "Where the settings are, see FILES."),
        ("XDG_STATE_HOME", "Where the copies and the log are, see FILES."),
        ("TERM", "When it is dumb, there are no colours."),
        ("TZ", "The time zone that times are shown in."),
    ] {
        term(roff, vec![bold(name)], text);
    }
}

fn exit_status(roff: &mut Roff) {
    roff.control("SH", ["EXIT STATUS"]);
    for (status, text) in [
        ("0", "It is done. That the reader of the output went away, as in | head, is no failure."),
        ("1", "It failed, or nothing was found."),
        ("2", "It was asked for in a wrong way."),
    ] {
        term(roff, vec![bold(status)], text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_option_field_and_key_is_there() {
        let mut text = vec![];
        page(&mut text).unwrap();
        assert!(text.is_ascii(), "not every troff reads more");
        let text = String::from_utf8(text).unwrap().replace('\\', "");
        let command = Args::command();
        let made = command.find_subcommand("create").unwrap();
        let listed = command.get_subcommands().filter(|command| !command.has_subcommands());
        for (parent, command) in listed
            .map(|own| ("shmlens", own))
            .chain(made.get_subcommands().map(|own| ("shmlens create", own)))
        {
            assert!(text.contains(&format!(".SS \"{parent} {}\"", command.get_name())), "{text}");
            for argument in command.get_arguments().filter_map(Arg::get_long) {
                assert!(text.contains(&format!("--{argument}")), "{argument}");
            }
        }
        for &field in Field::ALL {
            assert!(text.contains(&format!("fB{}fR", field.word())), "{}", field.word());
        }
        for row in ACTIONS {
            assert!(text.contains(&format!("{} ({}).", row.doc, row.name)), "{}", row.name);
        }
        for word in [
            ".SH KEYS",
            ".SH STATES",
            ".SS Segments",
            ".SS Inspect",
            ".SH \"EXIT STATUS\"",
            "NO_COLOR",
            "live-interval",
            "log.jsonl",
            "[[maker]]",
        ] {
            assert!(text.contains(word), "{word} is not in {text}");
        }
    }
}
