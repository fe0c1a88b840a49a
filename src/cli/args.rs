//! The arguments of the program. What stands in the doc comments here is what
//! `--help` and the man page show.

use crate::segment::escape;
use crate::segment::field::Field;
use clap::{Parser, Subcommand, ValueEnum};

/// See every shared-memory segment of this machine, and look inside it, live
///
/// Shows what programs share by System V (shmget) and POSIX (`shm_open`, Python's
/// `multiprocessing.shared_memory`) in one table, and what is in there, without
/// disturbing it. Without a command it opens the terminal UI.
#[derive(Debug, Parser)]
#[command(name = "shmscope", version, max_term_width = 100, after_help = SEGMENTS)]
pub struct Args {
    /// What the output looks like.
    #[command(flatten)]
    pub look: LookArgs,
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
    /// name~REGEX, in-use, or a part of a name or key; ! in front turns a word round
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,
    /// Print JSON, as `info --json` does
    #[arg(long, conflicts_with_all = ["csv", "columns", "bytes", "no_header"])]
    pub json: bool,
    /// Print CSV (RFC 4180): every field, or those of --columns, with plain numbers
    #[arg(long, conflicts_with = "bytes")]
    pub csv: bool,
    /// Show these columns, in this order: id,kind,key,name,size (the names that JSON has)
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
}

const LIST_EXAMPLES: &str = "\
EXAMPLES
  shmscope list                                    everything, System V first
  shmscope list kind=sysv 'size>10M' --sort size   the large System V segments, largest first
  shmscope list '!owner=root' --columns id,owner   what is not root's
  shmscope list --json | jq -r '.segments[].id'    their names";

/// `info`
#[derive(Debug, clap::Args)]
#[command(after_help = INFO_EXAMPLES)]
pub struct InfoArgs {
    /// Which segment: sysv:32770, key:1234, /name, or another form of its name
    #[arg(value_name = "SEGMENT")]
    pub segment: String,
    /// Print JSON, as `list --json` does
    #[arg(long)]
    pub json: bool,
}

const INFO_EXAMPLES: &str = "\
EXAMPLES
  shmscope info /psm_1f09ab2c      size, owner, mode, times, state, and how it can be read
  shmscope info 0x4d2 --json       the System V segment with that key, as JSON";

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
  shmscope limits
  shmscope limits --json | jq '.limits[] | select(.name == \"kernel.shmmni\").used'";

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
  shmscope completions bash > ~/.local/share/bash-completion/completions/shmscope
  shmscope completions fish > ~/.config/fish/completions/shmscope.fish";

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
  shmscope demo                    look around; all of it is removed at the end
  shmscope demo --headless &       something to try the other commands on";

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
        format!("there is no field '{}': there are {}", escape(word.as_bytes()), all.join(", "))
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
        let args = Args::try_parse_from([&["shmscope", "list"], words].concat())?;
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
