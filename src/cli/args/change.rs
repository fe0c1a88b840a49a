//! Arguments of the commands that change segments.

use super::{SettleArgs, duration, size};
use crate::act::{ModeChange, ParseModeError};
use crate::segment::resolve::parse_key;
use crate::segment::{Bytes, Key, Kind, Mode};
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Commands that change segments.
#[derive(Debug, Subcommand)]
pub enum Change {
    /// Change the permissions of segments
    Chmod(ChmodArgs),
    /// Change the owner and group of segments
    Chown(ChownArgs),
    /// Lock System V segments in memory
    Lock(LockArgs),
    /// Unlock System V segments
    Unlock(LockArgs),
    /// Remove segments after confirmation
    Rm(RmArgs),
    /// List leaked segments and remove them after confirmation
    Clean(CleanArgs),
    /// Create a segment
    Create(CreateArgs),
    /// Save a segment to a file
    Save(SaveArgs),
    /// Restore a segment from a saved copy
    Restore(RestoreArgs),
}

/// The segments to change, and the output options.
#[derive(Debug, clap::Args)]
pub struct BatchArgs {
    /// Segments to change: sysv:32770, key:1234, /name; exact names only
    #[arg(value_name = "SEGMENT", required = true)]
    pub segments: Vec<OsString>,
    #[command(flatten)]
    pub kind: KindArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

/// The kind of the named segments, which resolves ambiguous names.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct KindArgs {
    /// Interpret each SEGMENT as this kind (sysv, posix or deleted); needed if a file in /dev/shm has
    /// a name like 0, 0x4d2 or sysv:0
    #[arg(long, value_name = "KIND", value_parser = kind(), hide_possible_values = true)]
    pub kind: Option<Kind>,
}

/// The output options of a change.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct ReportArgs {
    /// Print what would happen, without doing it
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON object per segment
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = CHMOD_EXAMPLES)]
pub struct ChmodArgs {
    /// Octal (0600) or symbolic (u+w,o-rwx) mode, as in chmod(1), except that +w ignores the umask
    #[arg(value_name = "MODE", allow_hyphen_values = true, value_parser = mode_change)]
    pub mode: ModeChange,
    #[command(flatten)]
    pub batch: BatchArgs,
}

const CHMOD_EXAMPLES: &str = "\
EXAMPLES
  shmlens chmod 0600 /psm_1f09ab2c          only the owner
  shmlens chmod g+rw,o= 0x4d2 /camera0      owner and group
  shmlens chmod a-w sysv:32770 --dry-run    only show the new mode";

#[derive(Debug, clap::Args)]
#[command(after_help = CHOWN_EXAMPLES)]
pub struct ChownArgs {
    /// New owner, by name or number: USER, USER:GROUP, :GROUP, or USER: for the user's login group
    #[arg(value_name = "USER[:GROUP]")]
    pub owner: String,
    #[command(flatten)]
    pub batch: BatchArgs,
}

const CHOWN_EXAMPLES: &str = "\
EXAMPLES
  shmlens chown ann /camera0    change the owner (POSIX: only as root)
  shmlens chown :video 0x4d2    change the group";

#[derive(Debug, clap::Args)]
#[command(after_help = LOCK_EXAMPLES)]
pub struct LockArgs {
    #[command(flatten)]
    pub batch: BatchArgs,
}

const LOCK_EXAMPLES: &str = "\
EXAMPLES
  shmlens lock 0x4d2      keep its pages in memory once they are used
  shmlens unlock 0x4d2    allow swapping again

Without CAP_IPC_LOCK, 'ulimit -l' limits how much you can lock. Segments in huge
pages are never swapped out.";

#[derive(Debug, clap::Args)]
#[command(after_help = RM_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct RmArgs {
    /// Segments to remove: sysv:32770, key:1234, /name; exact names only
    #[arg(value_name = "SEGMENT", required_unless_present = "recover")]
    pub segments: Vec<OsString>,
    #[command(flatten)]
    pub kind: KindArgs,
    #[command(flatten)]
    pub report: ReportArgs,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
    /// Remove the named segments even if they are in use, may be in use, or are protected
    #[arg(long)]
    pub force: bool,
    /// Save the copy to FILE, or the copies of several segments to DIR/
    #[arg(long, value_name = "FILE|DIR/", conflicts_with = "no_copy")]
    pub save: Option<PathBuf>,
    /// Do not save a copy
    #[arg(long)]
    pub no_copy: bool,
    /// Clean up after a killed command: undo partial removals and remove incomplete segments (all, or
    /// only those named)
    #[arg(long, conflicts_with_all = ["yes", "force", "no_copy", "save"])]
    pub recover: bool,
}

const RM_EXAMPLES: &str = "\
EXAMPLES
  shmlens rm sysv:32770 --dry-run             show what would happen
  shmlens rm 0x4d2 /psm_1f09ab2c              ask, then remove both
  shmlens rm -- /dev/shm/*                    every POSIX segment
  shmlens rm /camera0 --save camera0.saved    save the copy to a file
  shmlens rm --yes --force --no-copy /old     for scripts; even if in use

On a terminal, rm asks about each segment that needs --force because it is or
may be in use, or is protected. Without a terminal, --yes is required, and
--force for those segments.";

#[derive(Debug, clap::Args)]
#[command(after_help = CLEAN_EXAMPLES)]
pub struct CleanArgs {
    /// Only leaked segments that match all filters, as for `list`
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,
    /// Only segments of at least this age: 1h, 7d
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub older_than: Option<Duration>,
    /// Only segments owned by USER, a name or number
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Only segments of at least this size: 1M
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub min_size: Option<Bytes>,
    /// Include likely leaks
    #[arg(long)]
    pub likely: bool,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
    /// Do not save copies
    #[arg(long)]
    pub no_copy: bool,
    #[command(flatten)]
    pub settle: SettleArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

impl CleanArgs {
    /// Returns true if the arguments may exclude a leaked segment.
    #[must_use]
    pub fn narrows(&self) -> bool {
        let has_option = self.older_than.is_some() || self.user.is_some() || self.min_size.is_some();
        has_option || !self.filter.is_empty()
    }
}

const CLEAN_EXAMPLES: &str = "\
EXAMPLES
  shmlens clean                                show leaks and evidence, then ask
  shmlens clean --dry-run                      only show them
  shmlens clean --yes --older-than 1h          for cron; copies are saved
  shmlens clean owner=ann 'size>1M' --likely   include likely leaks

A leak is certain when the segment has no holders and there is proof that
nothing will use it again, such as a creator that exited; otherwise it is
likely. A System V segment with a key is never more than likely. Without a
terminal, nothing is removed unless --yes is given. Exits with status 0 when no
certain leaks are left (with --likely, no leaks at all), and with status 1
otherwise, including when the state of any of your segments is unknown.";

#[derive(Debug, clap::Args)]
#[command(after_help = SAVE_EXAMPLES)]
pub struct SaveArgs {
    /// Segment to save: sysv:32770, key:1234, /name, or the former name of an unlinked segment; exact name only
    #[arg(value_name = "SEGMENT")]
    pub segment: OsString,
    #[command(flatten)]
    pub kind: KindArgs,
    /// File to write, or - for standard output
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Replace an existing regular file
    #[arg(long)]
    pub force: bool,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

const SAVE_EXAMPLES: &str = "\
EXAMPLES
  shmlens save /camera0 camera0.saved         save contents, mode, owner and ACL
  shmlens save 0x4d2 state.saved --force      replace the file
  shmlens save /state - | ssh host shmlens restore -
  shmlens save /psm_1f09ab2c rescued.saved    unlinked, still in use

Holes are preserved. Changes made during the save may or may not be included.";

#[derive(Debug, clap::Args)]
#[command(after_help = RESTORE_EXAMPLES)]
pub struct RestoreArgs {
    /// File written by `save` or `rm`, or - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Do not ask before restoring a file that another user may have written
    #[arg(short, long)]
    pub yes: bool,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

const RESTORE_EXAMPLES: &str = "\
EXAMPLES
  shmlens restore camera0.saved
  shmlens restore --yes ann.saved    a file that belongs to another user

Restores the contents, name or key, size, mode, ACL and owner. Fails if the name
or key is in use. A System V segment gets a new shmid, creator and times. Setuid,
setgid and sticky bits are never restored. Asks for confirmation if the file
belongs to another user or is writable by others.";

#[derive(Debug, clap::Args)]
pub struct CreateArgs {
    #[command(subcommand)]
    pub kind: CreateKind,
}

/// The kinds of segments that can be created.
#[derive(Debug, Subcommand)]
pub enum CreateKind {
    /// Create a System V segment; fails if the key is in use
    Sysv(CreateSysvArgs),
    /// Create a POSIX segment; fails if the name is in use
    Posix(CreatePosixArgs),
}

/// The arguments that both kinds share.
#[derive(Debug, clap::Args)]
pub struct NewArgs {
    /// Size: 4096, 64K, 1M [default with --from: the size of the file]
    #[arg(long, value_name = "SIZE", required_unless_present = "from", value_parser = size)]
    pub size: Option<Bytes>,
    /// Permissions in octal; the umask does not apply
    #[arg(long, value_name = "MODE", default_value = "0600", value_parser = mode)]
    pub mode: Mode,
    /// Fill the segment with the contents of FILE; holes are preserved
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Debug, clap::Args)]
#[command(after_help = CREATE_SYSV_EXAMPLES)]
pub struct CreateSysvArgs {
    /// Key: 1234, 0x4d2 [default: none, a private segment]
    #[arg(long, value_name = "KEY", value_parser = key, allow_hyphen_values = true)]
    pub key: Option<Key>,
    #[command(flatten)]
    pub new: NewArgs,
    /// Use huge pages of the default size
    #[arg(long)]
    pub huge: bool,
    /// Do not reserve memory; writes may fail later
    #[arg(long)]
    pub no_reserve: bool,
}

const CREATE_SYSV_EXAMPLES: &str = "\
EXAMPLES
  shmlens create sysv --key 0x4d2 --size 1M --mode 0666
  shmlens create sysv --from state.bin    private, filled from a file";

#[derive(Debug, clap::Args)]
#[command(after_help = CREATE_POSIX_EXAMPLES)]
pub struct CreatePosixArgs {
    /// Name of the segment: camera0, /camera0, /dev/shm/camera0
    #[arg(value_name = "NAME")]
    pub name: OsString,
    #[command(flatten)]
    pub new: NewArgs,
}

const CREATE_POSIX_EXAMPLES: &str = "\
EXAMPLES
  shmlens create posix /camera0 --size 24M --mode 0660
  shmlens create posix /state --from state.bin --size 1M    padded with zeros";

fn kind() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.map(Kind::keyword))
        .map(|word| Kind::ALL.into_iter().find(|kind| kind.keyword() == word).unwrap_or(Kind::Posix))
}

fn mode(text: &str) -> Result<Mode, &'static str> {
    let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'7')) && !text.is_empty();
    let bits = u32::from_str_radix(text, 8).ok().filter(|&bits| digits && bits <= 0o777);
    bits.map(Mode::new).ok_or("expected 0000 to 0777")
}

fn mode_change(text: &str) -> Result<ModeChange, &'static str> {
    text.parse().map_err(|_| ParseModeError::EXPECTED)
}

fn key(text: &str) -> Result<Key, &'static str> {
    parse_key(text).ok_or("expected a 32-bit number, as in 1234 or 0x4d2")
}
