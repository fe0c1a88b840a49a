//! `man`: prints the manual page, generated from the arguments and tables of the program.

use super::out::Out;
use super::{Args, Failure, Status};
use crate::app::action::{ACTIONS, ActionInfo, Context};
use crate::app::key::Key;
use crate::segment::field::Field;
use clap::{Arg, Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use std::io::{self, Write as _};

pub fn run(out: &mut Out) -> Result<Status, Failure> {
    page(out)?;
    out.flush()?;
    Ok(Status::Success)
}

/// The configuration file with all settings, their defaults and descriptions.
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

/// A paragraph with a tag (`.TP`).
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
            let (examples, notes) = examples.split_once("\n\n").unwrap_or((&examples, ""));
            for line in examples.lines().filter(|&line| line != "EXAMPLES") {
                roff.text(vec![roman(line)]);
            }
            roff.control("fi", []);
            for note in notes.split("\n\n").filter(|note| !note.is_empty()) {
                roff.control("PP", []).text(vec![roman(note.replace('\n', " "))]);
            }
        }
    }
}

/// An argument as in the usage: `--sort FIELD`.
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

/// Adds a period: manuals have one, help does not.
fn sentence(help: Option<String>) -> String {
    let mut text = help.unwrap_or_default();
    if !text.ends_with(']') {
        text.push('.');
    }
    text
}

fn segments(roff: &mut Roff) {
    roff.control("SH", ["SEGMENTS"])
        .text(vec![roman("Segments have the same names in the table, in JSON and on the command line.")]);
    for (name, text) in [
        ("sysv:32770, 32770", "A System V segment, by shmid."),
        ("key:1234, 0x4d2", "A System V segment, by key."),
        (
            "posix:/name, /name, /dev/shm/name, name",
            "A POSIX segment. For commands that change nothing, name may be a unique prefix; the full name is \
             then printed on standard error.",
        ),
        (
            "deleted:1b:2f",
            "An unlinked POSIX segment that is still in use, by device and inode in hexadecimal.",
        ),
    ] {
        term(roff, vec![bold(name)], text);
    }
    roff.control("PP", []).text(vec![roman(
        "info, dump, watch, find, save and the terminal UI also take the former name of an unlinked segment, unless \
         another segment has that name now. save stores the segment under its former name, so that restore brings it \
         back. If it is mapped but no process has it open, only root can read it. Commands that change something do \
         not take former names.",
    )]);
    roff.control("PP", []).text(vec![roman(
        "A number, or text that starts with sysv:, key:, 0x, posix:, deleted: or a slash, is never interpreted as a bare \
         POSIX name. If a file in /dev/shm has a name like 0 or sysv:0, commands that change something fail and \
         list both meanings. Choose with --kind, or write the name with a slash: /0. To name \
         all POSIX segments, use -- /dev/shm/*.",
    )]);
    roff.control("PP", []).text(vec![roman(
        "Control, bidirectional and invisible characters, bytes that are not valid UTF-8, and the backslash are \
         shown as \\xNN and accepted in that form. Sizes and offsets are decimal, or hexadecimal with 0x, and take \
         the suffixes K, M, G and T (powers of 1024).",
    )]);
}

fn filters(roff: &mut Roff) {
    roff.control("SH", ["FILTERS"])
        .text(vec![roman("A segment must match all filters. See FIELDS for the names of the fields.")]);
    for (word, text) in [
        ("kind=sysv, owner=ann, mode=0666", "The field has this value. Users and groups may be numbers."),
        (
            "size>10M, size=10M..1G, age=1h.., nattch=0",
            "The number satisfies a comparison (<, <=, >, >=) or lies in a range (FROM..TO or FROM..).",
        ),
        ("name~^/psm_", "The field matches a regular expression."),
        ("holders=0, holders~python", "The number of holders, or their names."),
        ("pid=4121, pid=4000..4999", "A process with this pid, or with a pid in this range, is a holder."),
        ("made_by=python", "Part of the name or id of the maker, ignoring case."),
        ("leaked, in-use, idle, ...", "The state; see STATES."),
        ("word", "Any other word: part of the name, key, id, holders, maker or state, ignoring case."),
        ("!word, owner!=ann", "Negation."),
    ] {
        term(roff, vec![bold(word)], text);
    }
}

fn states(roff: &mut Roff) {
    roff.control("SH", ["STATES"]).text(vec![roman(
        "The state of a segment is the first of these that applies. list, info and the terminal UI show it with its \
         evidence.",
    )]);
    for (state, text) in [
        ("removed", "Marked for removal or unlinked, but still in use."),
        ("in-use", "It has a holder: a mapping, an attachment, an open descriptor or a file lock."),
        (
            "unknown",
            "No holders were found, but there may be some. A System V segment is known to have none if nattch is 0; a \
             POSIX segment, if every process was inspected, or if only the owner can open it and all processes of \
             the owner and root were inspected, or if the kernel grants a write lease, which the owner and root can \
             request.",
        ),
        ("protected", "No holders, but the programs that use it would break without it."),
        (
            "idle",
            "No holders, but the maker is alive, this is normal for the maker, or the segment was used within the \
             last minute (10 minutes for likely leaks; see --settle and the settle setting).",
        ),
        (
            "leaked",
            "No holders. Certain: there is proof that nothing will use it again, such as a private segment whose \
             creator exited, a dead pid in its name or contents, or a catalog rule. Likely (shown as leaked?): nothing \
             indicates that this is normal. A System V segment with a key is never more than likely, because a \
             program may attach to the key again.",
        ),
    ] {
        term(roff, vec![bold(state)], text);
    }
}

fn fields(roff: &mut Roff) {
    roff.control("SH", ["FIELDS"])
        .text(vec![roman("For filters, --columns and --sort. JSON uses the same names.")]);
    for field in Field::columns() {
        // The angle brackets mark links in rustdoc.
        term(roff, vec![bold(field.name())], &field.doc().replace(['<', '>'], ""));
    }
}

fn keys(roff: &mut Roff) {
    roff.control("SH", ["KEYS"]).text(vec![roman(
        "Default keys of the terminal UI. Use the name in parentheses in the palette and the [keys] section of the \
         config file.",
    )]);
    let list = |roff: &mut Roff, context: Context, row: &ActionInfo| {
        let reaches = |key: &Key| !context.is_text() || key.typed().is_none();
        let keys: Vec<String> = row.default_keys().filter(reaches).map(|key| key.to_string()).collect();
        term(roff, vec![bold(keys.join(", "))], &format!("{} ({}).", row.doc, row.name));
    };
    for context in Context::ALL.iter().copied() {
        roff.control("SS", [context.title()]);
        context.section().for_each(|row| list(roff, context, row));
    }
    roff.control("SS", ["Everywhere"]);
    ACTIONS.iter().filter(|row| row.is_global()).for_each(|row| list(roff, Context::Segments, row));
}

fn files(roff: &mut Roff) {
    roff.control("SH", ["FILES"]);
    let path = vec![italic("$XDG_CONFIG_HOME/shmlens/config.toml")];
    term(roff, path, "The config file, by default in ~/.config/shmlens. All settings are optional:");
    roff.control("PP", []).control("nf", []);
    for line in SETTINGS.lines() {
        roff.text(vec![roman(line)]);
    }
    roff.control("fi", []);
    for (path, text) in [
        (
            "$XDG_STATE_HOME/shmlens/copies",
            "Copies of removed segments, for undo and restore, by default in ~/.local/state/shmlens. The oldest are \
             deleted first.",
        ),
        (
            "$XDG_STATE_HOME/shmlens/log.jsonl, log.1.jsonl",
            "The log of changes, one JSON object per line: time, user, action, segment, success and result. Two files \
             of at most 1 MiB.",
        ),
        (
            "$XDG_STATE_HOME/shmlens/attached.jsonl",
            "The last user of each System V segment that shmlens has attached, so that its own reads are no evidence \
             for a leak. At most about 1 MiB.",
        ),
    ] {
        term(roff, vec![italic(path)], text);
    }
    let text = "Under sudo, root's own directories are used.";
    roff.control("PP", []).text(vec![roman(text)]);
}

fn environment(roff: &mut Roff) {
    roff.control("SH", ["ENVIRONMENT"]);
    for (name, text) in [
        ("NO_COLOR", "If set and not empty, disables color unless --color is given."),
        (
            "LC_ALL, LC_CTYPE, LANG",
            "If the first of these that is set is not a UTF-8 locale, only ASCII is printed on a terminal.",
        ),
        ("XDG_CONFIG_HOME", "Location of the config file; see FILES."),
        ("XDG_STATE_HOME", "Location of the copies and the log; see FILES."),
        ("TERM", "If dumb, disables color."),
        ("TZ", "Time zone for displayed times."),
    ] {
        term(roff, vec![bold(name)], text);
    }
}

fn exit_status(roff: &mut Roff) {
    roff.control("SH", ["EXIT STATUS"]);
    for (status, text) in [
        ("0", "Success, even if the reader of the output exits early, as in | head."),
        ("1", "Failure, or nothing was found."),
        ("2", "Usage error."),
    ] {
        term(roff, vec![bold(status)], text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn man_page_covers_every_command_option_field_and_key() {
        let mut text = vec![];
        page(&mut text).unwrap();
        assert!(text.is_ascii(), "not every troff reads characters outside ASCII");
        let text = String::from_utf8(text).unwrap().replace('\\', "");
        let command = Args::command();
        let create = command.find_subcommand("create").unwrap();
        let listed = command.get_subcommands().filter(|command| !command.has_subcommands());
        for (parent, command) in listed
            .map(|subcommand| ("shmlens", subcommand))
            .chain(create.get_subcommands().map(|subcommand| ("shmlens create", subcommand)))
        {
            assert!(text.contains(&format!(".SS \"{parent} {}\"", command.get_name())), "{text}");
            for argument in command.get_arguments().filter_map(Arg::get_long) {
                assert!(text.contains(&format!("--{argument}")), "{argument}");
            }
        }
        for field in Field::columns() {
            assert!(text.contains(&format!("fB{}fR", field.name())), "{}", field.name());
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
            "attached.jsonl",
            "[[maker]]",
        ] {
            assert!(text.contains(word), "{word} is not in {text}");
        }
    }
}
