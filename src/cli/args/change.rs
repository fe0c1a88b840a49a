//! The arguments of the commands that change something.

use super::SettleArgs;
use crate::act::ModeChange;
use crate::segment::resolve::parse_key;
use crate::segment::{Bytes, Key, Kind, Mode, parse_span, quote};
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What can be changed.
#[derive(Debug, Subcommand)]
pub enum Change {
    /// Change the permission bits of segments
    Chmod(ChmodArgs),
    /// Change owner and group of segments
    Chown(ChownArgs),
    /// Lock System V segments in memory, so that they are not swapped out
    Lock(LockArgs),
    /// Unlock System V segments
    Unlock(LockArgs),
    /// Remove segments, after showing what that means and asking
    Rm(RmArgs),
    /// Remove what is leaked, after showing the evidence and asking
    Clean(CleanArgs),
    /// Make a segment
    Create(CreateArgs),
    /// Save a segment in a file: contents, holes, name or key, mode, owner
    Save(SaveArgs),
    /// Make a segment again from a file that save, or rm, wrote
    Restore(RestoreArgs),
}

/// Which segments, and how it is told.
#[derive(Debug, clap::Args)]
pub struct BatchArgs {
    /// Segments to change: sysv:32770, key:1234, /name; exact names only
    #[arg(value_name = "SEGMENT", required = true)]
    pub segments: Vec<OsString>,
    /// The kind that the names are of.
    #[command(flatten)]
    pub kind: KindArgs,
    /// How it is told.
    #[command(flatten)]
    pub tell: TellArgs,
}

/// The kind of the segments that are named, for names that could mean two things.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct KindArgs {
    /// Take each SEGMENT as the name of this kind: needed when a file in /dev/shm is called like a
    /// shmid, a key or another full name (0, 0x4d2, sysv:0)
    #[arg(long, value_name = "KIND", value_parser = kind())]
    pub kind: Option<Kind>,
}

/// How a change is told.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct TellArgs {
    /// Only print what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Print a JSON object a line, one for each segment
    #[arg(long)]
    pub json: bool,
}

/// `chmod`
#[derive(Debug, clap::Args)]
#[command(after_help = CHMOD_EXAMPLES)]
pub struct ChmodArgs {
    /// Octal (0600), or letters as chmod takes them (u+w,o-rwx); without u, g, o or a before the
    /// sign all three are meant, whatever the umask is
    #[arg(value_name = "MODE", allow_hyphen_values = true)]
    pub mode: ModeChange,
    /// Which segments.
    #[command(flatten)]
    pub batch: BatchArgs,
}

const CHMOD_EXAMPLES: &str = "\
EXAMPLES
  shmlens chmod 0600 /psm_1f09ab2c          only its owner
  shmlens chmod g+rw,o= 0x4d2 /camera0      the group too, nobody else
  shmlens chmod a-w sysv:32770 --dry-run    what it would be";

/// `chown`
#[derive(Debug, clap::Args)]
#[command(after_help = CHOWN_EXAMPLES)]
pub struct ChownArgs {
    /// By name or number: USER, USER:GROUP, :GROUP, or USER: for that user's login group
    #[arg(value_name = "USER[:GROUP]")]
    pub owner: String,
    /// Which segments.
    #[command(flatten)]
    pub batch: BatchArgs,
}

const CHOWN_EXAMPLES: &str = "\
EXAMPLES
  shmlens chown ann /camera0          to ann; of a POSIX segment only root may give it away
  shmlens chown :video 0x4d2          to a group";

/// `lock`, `unlock`
#[derive(Debug, clap::Args)]
#[command(after_help = LOCK_EXAMPLES)]
pub struct LockArgs {
    /// Which segments.
    #[command(flatten)]
    pub batch: BatchArgs,
}

const LOCK_EXAMPLES: &str = "\
EXAMPLES
  shmlens lock 0x4d2                  its pages stay in memory once they are touched
  shmlens unlock 0x4d2

RLIMIT_MEMLOCK (ulimit -l) limits how much may be locked without CAP_IPC_LOCK. A segment in huge
pages is never swapped out anyhow.";

/// `rm`
#[derive(Debug, clap::Args)]
#[command(after_help = RM_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct RmArgs {
    /// Segments to remove: sysv:32770, key:1234, /name; exact names only
    #[arg(value_name = "SEGMENT", required_unless_present = "recover")]
    pub segments: Vec<OsString>,
    /// The kind that the names are of.
    #[command(flatten)]
    pub kind: KindArgs,
    /// How it is told.
    #[command(flatten)]
    pub tell: TellArgs,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Remove what is held, protected, or not known to be free too: said for each segment named
    #[arg(long)]
    pub force: bool,
    /// Keep the copy in this file, for one segment, or each in a file of its own in a directory (DIR/)
    #[arg(long, value_name = "FILE|DIR/", conflicts_with = "no_copy")]
    pub save: Option<PathBuf>,
    /// Remove without keeping a copy
    #[arg(long)]
    pub no_copy: bool,
    /// Mend what was killed: POSIX segments get the name back that a removal took from them, System V segments that a restore left half-filled are removed
    #[arg(long, conflicts_with_all = ["segments", "yes", "force", "no_copy"])]
    pub recover: bool,
}

const RM_EXAMPLES: &str = "\
EXAMPLES
  shmlens rm sysv:32770 --dry-run           what removing it means
  shmlens rm 0x4d2 /psm_1f09ab2c            asks first
  shmlens rm /camera0 --save camera0.saved  keeps the copy there
  shmlens rm --yes --force --no-copy /old   for scripts: without a question, held or not

On a terminal it asks for each segment that needs --force. Without one it needs --yes, and --force
for those: for every POSIX segment of which it is not settled that nobody holds it.";

/// `clean`
#[derive(Debug, clap::Args)]
#[command(after_help = CLEAN_EXAMPLES)]
pub struct CleanArgs {
    /// Of what is leaked only what fits every word, as `list` takes them
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,
    /// Only what is at least this old: 1h, 7d
    #[arg(long, value_name = "TIME", value_parser = parse_span)]
    pub older_than: Option<Duration>,
    /// Only what belongs to this user, by name or number
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Only what has at least this size: 1M
    #[arg(long, value_name = "SIZE")]
    pub min_size: Option<Bytes>,
    /// Take in what is only likely to be leaked
    #[arg(long)]
    pub likely: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Remove without keeping copies
    #[arg(long)]
    pub no_copy: bool,
    /// When a segment may be called leaked.
    #[command(flatten)]
    pub settle: SettleArgs,
    /// How it is told.
    #[command(flatten)]
    pub tell: TellArgs,
}

impl CleanArgs {
    /// Whether some of what is leaked may not be asked for.
    #[must_use]
    pub fn narrows(&self) -> bool {
        let asked = self.older_than.is_some() || self.user.is_some() || self.min_size.is_some();
        asked || !self.filter.is_empty()
    }
}

const CLEAN_EXAMPLES: &str = "\
EXAMPLES
  shmlens clean                                what is leaked, and why; asks before it removes
  shmlens clean --dry-run                      only shows it
  shmlens clean --yes --older-than 1h          for cron: removes what is certain, keeps copies
  shmlens clean owner=ann 'size>1M' --likely   what is only likely to be leaked too

A segment is leaked for certain when nobody holds it and its maker is known to be dead, and likely
leaked when nobody holds it and nothing tells who made it. Without a terminal and without --yes nothing
is removed. Exit status: 0 when nothing is leaked, or all that is was removed; 1 otherwise, also when
something is left that is only likely to be leaked.";

/// `save`
#[derive(Debug, clap::Args)]
#[command(after_help = SAVE_EXAMPLES)]
pub struct SaveArgs {
    /// Segment to save: sysv:32770, key:1234, /name; exact name only
    #[arg(value_name = "SEGMENT")]
    pub segment: OsString,
    /// The kind that the name is of.
    #[command(flatten)]
    pub kind: KindArgs,
    /// In which file; it is there whole or not at all
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    pub force: bool,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

const SAVE_EXAMPLES: &str = "\
EXAMPLES
  shmlens save /camera0 camera0.saved     holes take no room in the file
  shmlens save 0x4d2 state.saved --force

What programs write meanwhile may be in the file or not.";

/// `restore`
#[derive(Debug, clap::Args)]
#[command(after_help = RESTORE_EXAMPLES)]
pub struct RestoreArgs {
    /// From which file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

const RESTORE_EXAMPLES: &str = "\
EXAMPLES
  shmlens restore camera0.saved           with its name, size, mode, ACL, owner and contents

What has the name or the key already is left as it is, and nothing is restored then. A System V
segment gets a new shmid; creator and times are new, and nobody is attached.";

/// `create`
#[derive(Debug, clap::Args)]
pub struct CreateArgs {
    /// Which kind.
    #[command(subcommand)]
    pub kind: CreateKind,
}

/// The kinds that can be made.
#[derive(Debug, Subcommand)]
pub enum CreateKind {
    /// Make a System V segment, as ipcmk does, never one whose key is taken
    Sysv(CreateSysvArgs),
    /// Make a POSIX segment, never one whose name is taken
    Posix(CreatePosixArgs),
}

/// What both kinds have.
#[derive(Debug, clap::Args)]
pub struct NewArgs {
    /// Its size: 4096, 64K, 1M; that of the file where --from is given
    #[arg(long, value_name = "SIZE", required_unless_present = "from")]
    pub size: Option<Bytes>,
    /// Its permission bits in octal, exactly: the umask takes nothing away
    #[arg(long, value_name = "MODE", default_value = "0600", value_parser = mode)]
    pub mode: Mode,
    /// Fill it with what is in a file, holes kept
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// How it is told.
    #[command(flatten)]
    pub tell: TellArgs,
}

/// `create sysv`
#[derive(Debug, clap::Args)]
#[command(after_help = CREATE_SYSV_EXAMPLES)]
pub struct CreateSysvArgs {
    /// Its key: 1234, 0x4d2; a private one when it is not given
    #[arg(long, value_name = "KEY", value_parser = key, allow_hyphen_values = true)]
    pub key: Option<Key>,
    /// What both kinds have.
    #[command(flatten)]
    pub new: NewArgs,
    /// In huge pages of the default size
    #[arg(long)]
    pub huge: bool,
    /// Without memory set aside for it, so that writing to it may fail later
    #[arg(long)]
    pub no_reserve: bool,
}

const CREATE_SYSV_EXAMPLES: &str = "\
EXAMPLES
  shmlens create sysv --key 0x4d2 --size 1M --mode 0666
  shmlens create sysv --from state.bin                    a private one with that in it";

/// `create posix`
#[derive(Debug, clap::Args)]
#[command(after_help = CREATE_POSIX_EXAMPLES)]
pub struct CreatePosixArgs {
    /// Name of the segment: camera0, /camera0, /dev/shm/camera0
    #[arg(value_name = "NAME")]
    pub name: OsString,
    /// What both kinds have.
    #[command(flatten)]
    pub new: NewArgs,
}

const CREATE_POSIX_EXAMPLES: &str = "\
EXAMPLES
  shmlens create posix /camera0 --size 24M --mode 0660
  shmlens create posix /state --from state.bin --size 1M    zeros behind what is in the file";

fn kind() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.map(Kind::word))
        .map(|word| Kind::ALL.into_iter().find(|kind| kind.word() == word).unwrap_or(Kind::Posix))
}

fn mode(text: &str) -> Result<Mode, String> {
    let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'7')) && !text.is_empty();
    let bits = u32::from_str_radix(text, 8).ok().filter(|&bits| digits && bits <= 0o777);
    bits.map(Mode::new)
        .ok_or_else(|| format!("'{}' is no mode of a segment: write 0000 to 0777", quote(text.as_bytes())))
}

fn key(text: &str) -> Result<Key, String> {
    parse_key(text).ok_or_else(|| {
        format!("'{}' is no key: write a number of 32 bits, or 0x and digits", quote(text.as_bytes()))
    })
}
