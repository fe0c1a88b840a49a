//! The command-line arguments. `--help` and the man page print the doc comments of the arguments.

mod change;
mod scope;

pub use change::{
    BatchArgs, Change, ChmodArgs, ChownArgs, CleanArgs, CreateArgs, CreateKind, CreatePosixArgs,
    CreateSysvArgs, KindArgs, LockArgs, NewArgs, ReportArgs, RestoreArgs, RmArgs, SaveArgs,
};
pub use scope::{ChannelArgs, RecordArgs, SampleRate, ScopeArgs, ScopeCommand};

use super::type_name::{self, TypeArgument};
use crate::config::When;
use crate::decode::code::CodeLanguage;
use crate::identify::Rules;
use crate::segment::field::Field;
use crate::segment::{Bytes, ParseSizeError, ParseSpanError, ShownError, parse_span};
use clap::{Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::time::Duration;

#[derive(Debug, Parser)]
#[command(name = "shmlens", version, max_term_width = 100, about = ABOUT, long_about = DESCRIPTION, after_help = SEGMENTS)]
pub struct Args {
    #[command(flatten)]
    pub look: LookArgs,
    /// Refuse to change anything
    #[arg(long, global = true, help_heading = "Global options")]
    pub read_only: bool,
    /// Opens the terminal UI if there is no command.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const ABOUT: &str = "Inspect, change and clean up shared memory";

const DESCRIPTION: &str = "\
Inspect, change and clean up shared memory.

shmlens lists all System V (shmget) and POSIX (shm_open, Python's
multiprocessing.shared_memory) segments in one table, and shows what created
each one, which processes use it, and whether it is leaked. It displays their
contents live without disturbing the programs that use them. Without a command,
it opens the terminal UI.";

/// The section of `--help` about segment names and the exit status.
const SEGMENTS: &str = "\
EXAMPLES
  shmlens                      open the terminal UI
  shmlens list --leaked        list leaked segments
  shmlens dump /psm_1f09ab2c   print the contents of a segment
  shmlens rm -- /dev/shm/*     remove all POSIX segments, after confirmation

A SEGMENT is a shmid (sysv:32770 or 32770), a key (key:1234 or 0x4d2) or a POSIX
name (/name, posix:/name, /dev/shm/name or name). Commands that change nothing
also take a unique prefix of a POSIX name. Sizes take K, M, G (powers of 1024).

Exit status: 0 done, 1 failed or nothing found, 2 usage error.";

/// The output options of every command.
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct LookArgs {
    /// When to use color: auto, always or never
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = When::Auto, hide_possible_values = true)]
    pub color: When,
    /// Print only ASCII; escape other characters in names as \xNN
    #[arg(long, global = true)]
    pub ascii: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    #[command(flatten)]
    Report(Report),
    #[command(flatten)]
    Scope(ScopeCommand),
    #[command(flatten)]
    Change(Change),
    /// Create live example segments and open the terminal UI on them
    Demo(DemoArgs),
}

/// Commands that print a report.
#[derive(Debug, Subcommand)]
pub enum Report {
    /// List segments in a table
    List(ListArgs),
    /// Show the details of a segment
    Info(InfoArgs),
    /// Print the contents of a segment as hex and text
    Dump(DumpArgs),
    /// List the types that fit a segment, with the evidence
    Types(TypesArgs),
    /// Print changes in a segment as they happen
    Watch(WatchArgs),
    /// Show which threads and functions write to a value
    Writers(WritersArgs),
    /// Search the contents of segments
    Find(FindArgs),
    /// Show kernel limits and their usage, by user and by process
    Limits(LimitsArgs),
    /// Generate completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man,
}

#[derive(Debug, clap::Args)]
#[command(after_help = LIST_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct ListArgs {
    #[arg(value_name = "FILTER", help = FILTER)]
    pub filter: Vec<String>,
    /// Print JSON, in the format of `info --json`
    #[arg(long, conflicts_with_all = ["csv", "columns", "bytes", "no_header"])]
    pub json: bool,
    /// Print CSV (RFC 4180) with plain numbers: all fields, or those of --columns
    #[arg(long, conflicts_with = "bytes")]
    pub csv: bool,
    /// Show these columns, named as in JSON: id,kind,key,name,size. If no column needs
    /// holders, makers or states, skips the process scan and omits deleted objects
    #[arg(long, value_name = "A,B,C", value_delimiter = ',', value_parser = field)]
    pub columns: Vec<Field>,
    /// Sort by FIELD, sizes and ages largest first; -FIELD reverses the order
    #[arg(long, value_name = "FIELD", value_parser = sort, allow_hyphen_values = true)]
    pub sort: Option<Sort>,
    /// Reverse the sort order
    #[arg(long)]
    pub reverse: bool,
    /// Print sizes in bytes
    #[arg(long)]
    pub bytes: bool,
    /// Omit the header line
    #[arg(long)]
    pub no_header: bool,
    /// Show only leaked segments, certain or likely
    #[arg(long)]
    pub leaked: bool,
    #[command(flatten)]
    pub settle: SettleArgs,
}

/// The time before a segment counts as leaked.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct SettleArgs {
    /// Never report a segment used within TIME as leaked [default: 1m, or 10m for likely leaks]
    #[arg(long = "settle", value_name = "TIME", value_parser = duration)]
    pub time: Option<Duration>,
}

impl SettleArgs {
    /// Applies the overrides from the command line.
    #[must_use]
    pub fn over(self, rules: Rules) -> Rules {
        Rules { settle: self.time.or(rules.settle), ..rules }
    }
}

const LIST_EXAMPLES: &str = "\
EXAMPLES
  shmlens list                                     all segments, System V first
  shmlens list kind=sysv 'size>10M' --sort size    large System V segments
  shmlens list '!owner=root' --columns id,owner    segments of other users
  shmlens list pid=4121                            segments that process 4121 uses
  shmlens list --leaked --columns id,size,reasons  leaks, with the evidence
  shmlens list --json | jq -r '.segments[].id'     names only";

#[derive(Debug, clap::Args)]
#[command(after_help = INFO_EXAMPLES)]
pub struct InfoArgs {
    /// Name of the segment: sysv:32770, key:1234, /name, a unique prefix of a POSIX name, or the former name of an
    /// unlinked segment
    #[arg(value_name = "SEGMENT")]
    pub segment: OsString,
    /// Print JSON, in the format of `list --json`
    #[arg(long, conflicts_with = "code")]
    pub json: bool,
    /// Print a program that attaches to the segment, read-only: cpp, python or rust
    #[arg(long, value_enum, value_name = "LANGUAGE", hide_possible_values = true)]
    pub code: Option<Language>,
    /// Read the segment as this type, in any form that `dump` takes, and show its values. With --code,
    /// the program has its translation
    #[arg(long = "as", id = "as", value_name = "TYPE", value_parser = type_name::parse)]
    pub kind: Option<TypeArgument>,
    /// With --code, print only the translated type, without the program around it
    #[arg(long, requires_all = ["code", "as"])]
    pub type_only: bool,
    #[command(flatten)]
    pub settle: SettleArgs,
}

/// A language of generated code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// C++17
    Cpp,
    /// Python 3
    Python,
    /// Rust
    Rust,
}

impl From<Language> for CodeLanguage {
    fn from(language: Language) -> Self {
        match language {
            Language::Cpp => Self::Cpp,
            Language::Python => Self::Python,
            Language::Rust => Self::Rust,
        }
    }
}

const INFO_EXAMPLES: &str = "\
EXAMPLES
  shmlens info /psm_1f09ab2c    a POSIX segment
  shmlens info 0x4d2 --json     the System V segment with key 0x4d2, as JSON
  shmlens info /camera0 --as camera.h:Frame
                                with the values of a C struct there
  shmlens info /camera0 --code python --as camera.h:Frame
                                a Python program that reads a C struct there";

/// The range of a segment.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct PartArgs {
    /// Start at this offset: 4096, 0x1000, 4K
    #[arg(long, value_name = "OFFSET", default_value = "0", hide_default_value = true, value_parser = size)]
    pub offset: Bytes,
    /// Read only LENGTH bytes [default: to the end]
    #[arg(long, value_name = "LENGTH", value_parser = size)]
    pub length: Option<Bytes>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = DUMP_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct DumpArgs {
    /// Name of the segment: sysv:32770, key:1234, /name, a unique prefix of a POSIX name, or the former name of an
    /// unlinked segment
    #[arg(value_name = "SEGMENT")]
    pub segment: OsString,
    #[command(flatten)]
    pub part: PartArgs,
    /// Print repeated lines instead of a single *
    #[arg(long)]
    pub no_squeezing: bool,
    /// Print raw bytes; holes are zeros
    #[arg(long, conflicts_with_all = ["as", "json", "no_squeezing"])]
    pub raw: bool,
    /// Print CSV: the offset, and a column for each field of the type
    #[arg(long, requires = "as", conflicts_with = "json")]
    pub csv: bool,
    /// Print values of this type, one per line: u8 to u128, i8 to i128, f16 to f80, char, bool,
    /// `time_ns`, arrays of them (f64[3][3], char[16]), rows (i32,f64,char[16]), C or C++ declarations
    /// ('struct { int x; double y[3]; }'), a type of a header (file.h:Name), a type of a program that
    /// holds the segment, by its debug information (Name), a type of Python
    /// (struct:<iqd, <f8, i4,f8, "[('a', '<i4')]", T{<i:x:}; dtype:i8 where a name has two meanings),
    /// or a known layout (sharedlist, npy, boost, mutex, cond, rwlock, barrier, sem); the suffix le or
    /// be sets the byte order (u32be); TYPE@OFFSET prints one value, at this offset; several --as
    /// print one value with a field for each type
    #[arg(long = "as", id = "as", value_name = "TYPE", value_parser = type_name::parse)]
    pub kinds: Vec<TypeArgument>,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
}

const DUMP_EXAMPLES: &str = "\
EXAMPLES
  shmlens dump /psm_1f09ab2c                     same format as hexdump -C
  shmlens dump 0x4d2 --offset 4K --length 256    only 256 bytes
  shmlens dump /camera0 --as 'f64[3]'            three doubles per line
  shmlens dump /camera0 --as camera.h:Frame@64   a C struct at offset 64
  shmlens dump /camera0 --as u64 --as mutex@64   two values
  shmlens dump /psm_1f09ab2c --as sharedlist     the items of a ShareableList
  shmlens dump /camera0 --raw > copy             raw bytes to a file
  shmlens dump deleted:1b:2f                     unlinked, still in use";

#[derive(Debug, clap::Args)]
#[command(after_help = TYPES_EXAMPLES)]
pub struct TypesArgs {
    /// Name of the segment: sysv:32770, key:1234, /name, a unique prefix of a POSIX name, or the former name of an
    /// unlinked segment
    #[arg(value_name = "SEGMENT")]
    pub segment: OsString,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

const TYPES_EXAMPLES: &str = "\
EXAMPLES
  shmlens types /psm_1f09ab2c            a ShareableList, if it is one
  shmlens types 0x4d2 --json | jq -r '.types[0].type'

The best type comes first. Types come from the variables of the programs that hold
the segment, if they have debug information (-g), from the contents, and from the
[[layout]] tables of the config. Exits with status 1 if none fits.";

#[derive(Debug, clap::Args)]
#[command(after_help = WATCH_EXAMPLES)]
pub struct WatchArgs {
    /// Name of the segment: sysv:32770, key:1234, /name, a unique prefix of a POSIX name, or the former name of an
    /// unlinked segment
    #[arg(value_name = "SEGMENT")]
    pub segment: OsString,
    #[command(flatten)]
    pub part: PartArgs,
    /// Interval between reads: 100ms, 2s [default: 100ms, or longer to stay under 20% of a CPU]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub interval: Option<Duration>,
    /// Exit after N changes; the fields of a value that change together are one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Print values of this type instead of bytes, as in `dump`
    #[arg(long = "as", id = "as", value_name = "TYPE", value_parser = type_name::parse)]
    pub kinds: Vec<TypeArgument>,
    /// Print CSV
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
}

const WATCH_EXAMPLES: &str = "\
EXAMPLES
  shmlens watch /psm_1f09ab2c                        every byte that changes
  shmlens watch /psm_1f09ab2c --as f64 --length 8    only the first double
  shmlens watch /psm_1f09ab2c --as sharedlist        items that change, or change their type
  shmlens watch 0x4d2 --offset 64 --count 1 --json   wait for one change

Exits with status 0 after Ctrl-C or --count changes, and with status 1 when the
segment is removed, or when the last holder of an unlinked segment exits.";

#[derive(Debug, clap::Args)]
#[command(after_help = WRITERS_EXAMPLES)]
pub struct WritersArgs {
    /// Value to watch: SEGMENT+OFFSET (up to 8 bytes), SEGMENT+OFFSET:LENGTH (at most 32 bytes, at a
    /// multiple of 8), or SEGMENT:FIELD, by the type of the segment
    #[arg(value_name = "VALUE")]
    pub value: OsString,
    /// Exit after N writes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Exit after this time: 500ms, 10s
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Keep watching threads that write more than 5000 times per second, which then run many times
    /// slower
    #[arg(long)]
    pub no_limit: bool,
    /// Print one JSON object per writer at the end
    #[arg(long)]
    pub json: bool,
}

const WRITERS_EXAMPLES: &str = "\
EXAMPLES
  shmlens writers /telemetry+0x10              the 8 bytes at offset 16
  shmlens writers /telemetry:gain[2]           a field, if the type is known
  shmlens writers 0x4d2+64:4 --duration 10s --json

Each writer is a thread and a line of its source, from symbols and debug
information; the function is the innermost one outside of the C and C++ libraries
and the Python interpreter, which is named with the kind of assignment where that is
known. The processor traps each write of each thread that
maps the segment: nothing is stopped, but a watched write takes some
microseconds longer. That time is measured and shown, with the part of its time
that each writer loses. A thread above 5000 writes per second is released and
runs on at full speed, unless --no-limit is given. A copy may store the same
bytes twice. In JSON, `rate` is that over the `watched` seconds of the thread, and
`lost` are its writes that came too fast to tell their function.

Not seen are writes by the kernel, such as a read(2) into the segment, and those
of a thread in its first second. A processor has 4 watchpoints of 8 bytes per
thread. Needs no root for your own processes if kernel.perf_event_paranoid is at
most 2. Exits with status 1 if nothing wrote, or when the segment is gone.";

#[derive(Debug, clap::Args)]
#[command(after_help = FIND_EXAMPLES, override_usage = "shmlens find [OPTIONS] PATTERN [SEGMENT]...\n       \
    shmlens find [OPTIONS] --hex HEX|--value TYPE:VALUE [SEGMENT]...")]
pub struct FindArgs {
    /// Text to find; \xNN stands for a byte
    #[arg(value_name = "PATTERN", required_unless_present_any = ["hex", "value"])]
    pub pattern: Option<OsString>,
    /// Segments to search [default: all that you can read without attaching them]
    #[arg(value_name = "SEGMENT")]
    pub segments: Vec<OsString>,
    /// Find bytes: 'de ad ?? ef', where ? matches any hex digit
    #[arg(long, value_name = "HEX", conflicts_with = "value")]
    pub hex: Option<String>,
    /// Find a value: f64:3.5, u32be:1234
    #[arg(long, value_name = "TYPE:VALUE")]
    pub value: Option<String>,
    /// Print only the number of matches in each segment
    #[arg(long)]
    pub count: bool,
    /// Stop after N matches
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
}

const FIND_EXAMPLES: &str = "\
EXAMPLES
  shmlens find hello                              text, in all segments
  shmlens find --hex 'de ad ?? ef' /camera0       bytes, with a wildcard
  shmlens find --value f64:3.5 0x4d2 --limit 1    a double, by key

Root searches System V segments through the processes that have them attached,
which changes nothing. Others are searched only if you name them, because that
attaches them. Exits with status 1 if nothing is found or a named segment cannot
be read.";

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
  shmlens limits --json | jq '.limits[] | select(.name == \"kernel.shmmni\").used'
  shmlens limits --json | jq '.processes[:3]'    the three largest holders

USER counts segments by owner, PROCESS by holder: a segment held by two
processes counts in full toward both. A System V segment without attachments
counts toward its creator while the creator is running. System V segments count
with their full size, POSIX segments with the memory in use. /dev/shm promised
is the sum of the sizes of all POSIX segments. It may exceed the capacity, since
memory is allocated when a page is first written; when none is left, writing
raises SIGBUS.";

#[derive(Debug, clap::Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub struct CompletionsArgs {
    /// Shell to generate completions for
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

const COMPLETIONS_EXAMPLES: &str = "\
EXAMPLES
  shmlens completions bash > ~/.local/share/bash-completion/completions/shmlens
  shmlens completions fish > ~/.config/fish/completions/shmlens.fish";

#[derive(Debug, Clone, Copy, clap::Args)]
#[command(after_help = DEMO_EXAMPLES)]
pub struct DemoArgs {
    /// Create and list the segments without the UI, and wait for Ctrl-C
    #[arg(long)]
    pub headless: bool,
}

const DEMO_EXAMPLES: &str = "\
EXAMPLES
  shmlens demo                explore; the segments are removed on exit
  shmlens demo --headless &   try the other commands on the segments";

/// A sort order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    pub field: Field,
    /// Reverses the usual order of that field.
    pub reversed: bool,
}

/// Parses a size. The error omits the value, because clap already quotes it.
pub(super) fn size(text: &str) -> Result<Bytes, &'static str> {
    text.parse().map_err(|_| ParseSizeError::EXPECTED)
}

/// Parses a duration. The error omits the value, because clap already quotes it.
pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    parse_span(text).map_err(|_| ParseSpanError::EXPECTED)
}

const FILTER: &str = "\
Show only segments that match all filters: kind=sysv, owner=ann, 'size>10M', age=1h.., mode=0666, name~REGEX, \
leaked, holders=0, pid=4121 (a holder), made_by=python, or part of a name, key, holder, maker or state; ! negates ('!leaked')";

fn field(word: &str) -> Result<Field, ShownError> {
    Field::from_name(word).ok_or_else(|| {
        let all: Vec<&str> = Field::ALL.iter().map(|field| field.name()).collect();
        ShownError::expected_one_of(&all)
    })
}

fn sort(word: &str) -> Result<Sort, ShownError> {
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
    fn arguments_are_valid_and_documented() {
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
    fn sort_order_can_be_reversed_in_two_ways() {
        let size = Sort { field: Field::Size, reversed: false };
        assert_eq!(list(&["--sort", "size"]).unwrap().sort, Some(size));
        assert_eq!(list(&["--sort", "-size"]).unwrap().sort, Some(Sort { reversed: true, ..size }));
        assert_eq!(list(&["--sort=-size"]).unwrap().sort, Some(Sort { reversed: true, ..size }));
        assert!(list(&["--sort", "size", "--reverse"]).unwrap().reverse);
    }

    #[test]
    fn unknown_column_is_an_error_that_lists_all() {
        let error = list(&["--columns", "id,colour"]).unwrap_err().to_string();
        for word in ["'colour'", "nattch", "marked_for_removal", "inode"] {
            assert!(error.contains(word), "{error}");
        }
        assert_eq!(list(&["--columns", "id,size"]).unwrap().columns, [Field::Id, Field::Size]);
    }
}
