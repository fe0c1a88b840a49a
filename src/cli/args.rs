//! The arguments of the program. What stands in the doc comments here is what
//! `--help` and the man page show.

mod change;

pub use change::{
    BatchArgs, Change, ChmodArgs, ChownArgs, CleanArgs, CreateArgs, CreateKind, CreatePosixArgs,
    CreateSysvArgs, KindArgs, LockArgs, NewArgs, RestoreArgs, RmArgs, SaveArgs, TellArgs,
};

use crate::decode::Type;
use crate::identify::Rules;
use crate::segment::field::Field;
use crate::segment::{Bytes, parse_span, quote};
use clap::{Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::time::Duration;

/// See every shared-memory segment of this machine, and look inside it, live
///
/// Shows what programs share by System V (shmget) and POSIX (`shm_open`, Python's
/// `multiprocessing.shared_memory`) in one table, and what is in there, without
/// disturbing it. Without a command it opens the terminal UI.
#[derive(Debug, Parser)]
#[command(name = "shmlens", version, max_term_width = 100, after_help = SEGMENTS)]
pub struct Args {
    /// What the output looks like.
    #[command(flatten)]
    pub look: LookArgs,
    /// Turn every change off
    #[arg(long, global = true)]
    pub read_only: bool,
    /// What to do; the terminal UI when there is none.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// How a segment is named, for `--help`.
const SEGMENTS: &str = "\
A SEGMENT is sysv:32770 or posix:/name, or in short 32770 (shmid), 0x4d2 or key:1234 (key),
/name or name, and a unique beginning of a name. Sizes take K, M, G (powers of 1024).
Exit status: 0 done, 1 failed or nothing found, 2 wrong usage.";

/// What the output of every command looks like.
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(next_help_heading = "Look")]
pub struct LookArgs {
    /// When to use colour; auto: on a terminal, unless `NO_COLOR` is set
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = When::Auto)]
    pub color: When,
    /// Print nothing outside ASCII: other letters of names appear as \xNN
    #[arg(long, global = true)]
    pub ascii: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// In any case
    Always,
    /// In no case
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Something that is printed.
    #[command(flatten)]
    Report(Report),
    /// Something that is changed.
    #[command(flatten)]
    Change(Change),
    /// Make a small world of live segments and open the terminal UI on it
    Demo(DemoArgs),
}

/// What can be printed.
#[derive(Debug, Subcommand)]
pub enum Report {
    /// Print the table of all segments
    List(ListArgs),
    /// Print everything that is known of a segment
    Info(InfoArgs),
    /// Print the contents of a segment as hex and text
    Dump(DumpArgs),
    /// Print what changes in a segment, as it changes
    Watch(WatchArgs),
    /// Search the contents of segments
    Find(FindArgs),
    /// Print the kernel's limits and how much of them is used
    Limits(LimitsArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man,
}

/// `list`
#[derive(Debug, clap::Args)]
#[command(after_help = LIST_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct ListArgs {
    /// Show only what fits every word: kind=sysv, owner=ann, 'size>10M', age=1h.., mode=0666,
    /// name~REGEX, leaked, holders=0, `made_by=python`, or a part of a name, key, holder or maker; ! in
    /// front turns a word round
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,
    /// Print JSON, as `info --json` does
    #[arg(long, conflicts_with_all = ["csv", "columns", "bytes", "no_header"])]
    pub json: bool,
    /// Print CSV (RFC 4180): every field, or those of --columns, with plain numbers
    #[arg(long, conflicts_with = "bytes")]
    pub csv: bool,
    /// Show these columns, in this order: id,kind,key,name,size (the names that JSON has). Where none
    /// of them asks who holds or made a segment, the processes are not looked at, and what is in no
    /// directory any more is not listed
    #[arg(long, value_name = "A,B,C", value_delimiter = ',', value_parser = field)]
    pub columns: Vec<Field>,
    /// Sort by a field, with what people look for first on top; -FIELD for the other order
    #[arg(long, value_name = "FIELD", value_parser = sort, allow_hyphen_values = true)]
    pub sort: Option<Sort>,
    /// Turn the order round
    #[arg(long)]
    pub reverse: bool,
    /// Show sizes as plain numbers of bytes
    #[arg(long)]
    pub bytes: bool,
    /// Leave the headings out
    #[arg(long)]
    pub no_header: bool,
    /// Show only what is leaked, surely or likely
    #[arg(long)]
    pub leaked: bool,
    /// When a segment may be called leaked.
    #[command(flatten)]
    pub settle: SettleArgs,
}

/// When a segment may be called leaked.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct SettleArgs {
    /// Call nothing leaked that was touched within this time; 1m, and 10m where nothing tells who
    /// made it, when it is not given
    #[arg(long = "settle", value_name = "TIME", value_parser = parse_span)]
    pub time: Option<Duration>,
}

impl SettleArgs {
    /// These rules, with what the command line says.
    #[must_use]
    pub fn over(self, rules: Rules) -> Rules {
        Rules { settle: self.time.or(rules.settle), ..rules }
    }
}

const LIST_EXAMPLES: &str = "\
EXAMPLES
  shmlens list                                    everything, System V first
  shmlens list kind=sysv 'size>10M' --sort size   the large System V segments, largest first
  shmlens list '!owner=root' --columns id,owner   what is not root's
  shmlens list --leaked --columns id,size,reasons what is leaked, and why
  shmlens list --json | jq -r '.segments[].id'    their names";

/// `info`
#[derive(Debug, clap::Args)]
#[command(after_help = INFO_EXAMPLES)]
pub struct InfoArgs {
    /// Which segment: sysv:32770, key:1234, /name, or another form of its name
    #[arg(value_name = "SEGMENT")]
    pub segment: OsString,
    /// Print JSON, as `list --json` does
    #[arg(long)]
    pub json: bool,
    /// When a segment may be called leaked.
    #[command(flatten)]
    pub settle: SettleArgs,
}

const INFO_EXAMPLES: &str = "\
EXAMPLES
  shmlens info /psm_1f09ab2c      size, owner, mode, times, state, and how it can be read
  shmlens info 0x4d2 --json       the System V segment with that key, as JSON";

/// Which part of a segment.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct PartArgs {
    /// Where to begin, in bytes: 4096, 0x1000, 4K
    #[arg(long, value_name = "OFFSET", default_value = "0", hide_default_value = true)]
    pub offset: Bytes,
    /// How many bytes to look at; all that follow when it is not given
    #[arg(long, value_name = "LENGTH")]
    pub length: Option<Bytes>,
}

/// `dump`
#[derive(Debug, clap::Args)]
#[command(after_help = DUMP_EXAMPLES)]
pub struct DumpArgs {
    /// Which segment: sysv:32770, key:1234, /name, or another form of its name
    #[arg(value_name = "SEGMENT")]
    pub segment: OsString,
    /// Which part of it.
    #[command(flatten)]
    pub part: PartArgs,
    /// Print lines that repeat the one before too, not a * for all of them
    #[arg(long)]
    pub no_squeezing: bool,
    /// Print the bytes themselves, zeros for holes
    #[arg(long, conflicts_with_all = ["as", "json", "no_squeezing"])]
    pub raw: bool,
    /// Print values of this type, one a line: u8 to u64, i8 to i64, f32, f64, char, and arrays
    /// of them (f64[3][3], char[16]); le or be behind the name sets the byte order
    #[arg(long = "as", id = "as", value_name = "TYPE")]
    pub kind: Option<Type>,
    /// Print a JSON object a line
    #[arg(long)]
    pub json: bool,
}

const DUMP_EXAMPLES: &str = "\
EXAMPLES
  shmlens dump /psm_1f09ab2c                     as hexdump -C does
  shmlens dump 0x4d2 --offset 4K --length 256    a part of it
  shmlens dump /camera0 --as 'f64[3]'            three doubles a line
  shmlens dump /camera0 --raw > copy             the bytes themselves";

/// `watch`
#[derive(Debug, clap::Args)]
#[command(after_help = WATCH_EXAMPLES)]
pub struct WatchArgs {
    /// Which segment: sysv:32770, key:1234, /name, or another form of its name
    #[arg(value_name = "SEGMENT")]
    pub segment: OsString,
    /// Which part of it.
    #[command(flatten)]
    pub part: PartArgs,
    /// How often to look: 100ms, 2s; when it is not given ten times a second, less often where
    /// that would take more than a fifth of a processor
    #[arg(long, value_name = "TIME", value_parser = parse_span)]
    pub interval: Option<Duration>,
    /// End after so many changes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Show values of this type instead of bytes, as in `dump`
    #[arg(long = "as", id = "as", value_name = "TYPE")]
    pub kind: Option<Type>,
    /// Print CSV
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// Print a JSON object a line
    #[arg(long)]
    pub json: bool,
}

const WATCH_EXAMPLES: &str = "\
EXAMPLES
  shmlens watch /psm_1f09ab2c                          every byte that changes
  shmlens watch /psm_1f09ab2c --as f64 --length 8      the double at its beginning
  shmlens watch 0x4d2 --offset 64 --count 1 --json     wait for one change

Ctrl-C ends it with status 0, and so does --count. It ends with status 1 when the segment is removed.";

/// `find`
#[derive(Debug, clap::Args)]
#[command(after_help = FIND_EXAMPLES, override_usage = "shmlens find [OPTIONS] PATTERN [SEGMENT]...\n       \
    shmlens find [OPTIONS] --hex HEX|--value TYPE:VALUE [SEGMENT]...")]
pub struct FindArgs {
    /// The text to look for; \xNN in it stands for that byte
    #[arg(value_name = "PATTERN", required_unless_present_any = ["hex", "value"])]
    pub pattern: Option<OsString>,
    /// Where to look; when none is named, in every POSIX segment that may be read
    #[arg(value_name = "SEGMENT")]
    pub segments: Vec<OsString>,
    /// Look for bytes: "de ad ?? ef", where ? is any digit
    #[arg(long, value_name = "HEX", conflicts_with = "value")]
    pub hex: Option<String>,
    /// Look for a value: f64:3.5, u32be:1234
    #[arg(long, value_name = "TYPE:VALUE")]
    pub value: Option<String>,
    /// Print how many matches there are, not where
    #[arg(long)]
    pub count: bool,
    /// End after so many matches
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Print a JSON object a line
    #[arg(long)]
    pub json: bool,
}

const FIND_EXAMPLES: &str = "\
EXAMPLES
  shmlens find hello                              a text, in all POSIX segments
  shmlens find --hex 'de ad ?? ef' /camera0       bytes, any one between
  shmlens find --value f64:3.5 0x4d2 --limit 1    a double, in the segment with that key

System V segments are searched when they are named: attaching one leaves a mark on it.
It ends with status 1 when nothing is found, and when a segment that is named cannot be read.";

/// `limits`
#[derive(Debug, clap::Args)]
#[command(after_help = LIMITS_EXAMPLES)]
pub struct LimitsArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

const LIMITS_EXAMPLES: &str = "\
EXAMPLES
  shmlens limits
  shmlens limits --json | jq '.limits[] | select(.name == \"kernel.shmmni\").used'";

/// `completions`
#[derive(Debug, clap::Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

const COMPLETIONS_EXAMPLES: &str = "\
EXAMPLES
  shmlens completions bash > ~/.local/share/bash-completion/completions/shmlens
  shmlens completions fish > ~/.config/fish/completions/shmlens.fish";

/// `demo`
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(after_help = DEMO_EXAMPLES)]
pub struct DemoArgs {
    /// Only make the segments, print what they are, and wait for Ctrl-C
    #[arg(long)]
    pub headless: bool,
}

const DEMO_EXAMPLES: &str = "\
EXAMPLES
  shmlens demo                    look around; all of it is removed at the end
  shmlens demo --headless &       something to try the other commands on";

/// An order to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub field: Field,
    /// Whether the usual order of that field is turned round.
    pub reversed: bool,
}

fn field(word: &str) -> Result<Field, String> {
    Field::from_word(word).ok_or_else(|| {
        let all: Vec<&str> = Field::ALL.iter().map(|field| field.word()).collect();
        format!("there is no field '{}': there are {}", quote(word.as_bytes()), all.join(", "))
    })
}

fn sort(word: &str) -> Result<Sort, String> {
    let (reversed, word) = word.strip_prefix('-').map_or((false, word), |word| (true, word));
    Ok(Sort { field: field(word)?, reversed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn list(words: &[&str]) -> Result<ListArgs, clap::Error> {
        let args = Args::try_parse_from([&["shmlens", "list"], words].concat())?;
        match args.command {
            Some(Command::Report(Report::List(args))) => Ok(args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_arguments_are_sound_and_every_one_has_its_line() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some_and(|help| !help.to_string().ends_with('.')),
                    "{} {}",
                    command.get_name(),
                    argument.get_id()
                );
            }
            command.get_subcommands().for_each(|command| {
                assert!(command.get_about().is_some(), "{}", command.get_name());
                check(command);
            });
        }
        let mut command = Args::command();
        command.build();
        Args::command().debug_assert();
        check(&Args::command());
    }

    #[test]
    fn an_order_may_be_turned_in_two_ways() {
        let size = Sort { field: Field::Size, reversed: false };
        assert_eq!(list(&["--sort", "size"]).unwrap().sort, Some(size));
        assert_eq!(list(&["--sort", "-size"]).unwrap().sort, Some(Sort { reversed: true, ..size }));
        assert_eq!(list(&["--sort=-size"]).unwrap().sort, Some(Sort { reversed: true, ..size }));
        assert!(list(&["--sort", "size", "--reverse"]).unwrap().reverse);
    }

    #[test]
    fn an_unknown_column_is_an_error_that_lists_all() {
        let error = list(&["--columns", "id,colour"]).unwrap_err().to_string();
        for word in ["'colour'", "nattch", "marked_for_removal", "inode"] {
            assert!(error.contains(word), "{error}");
        }
        assert_eq!(list(&["--columns", "id,size"]).unwrap().columns, [Field::Id, Field::Size]);
    }
}
