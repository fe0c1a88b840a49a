//! The arguments of the commands that change something.

use super::SettleArgs;
use crate::act::ModeChange;
use crate::segment::resolve::parse_key;
use crate::segment::{Bytes, Key, Mode, escape, parse_span};
use clap::Subcommand;
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
    /// Create a segment
    Create(CreateArgs),
    /// Save a segment to a file: contents, holes, name or key, mode, owner
    Save(SaveArgs),
    /// Restore a segment from a file that save or rm wrote
    Restore(RestoreArgs),
}

/// Which segments, and how it is told.
#[derive(Debug, clap::Args)]
pub struct BatchArgs {
    /// Which segments: sysv:32770, key:1234, /name; the beginning of a name does not do here
    #[arg(value_name = "SEGMENT", required = true)]
    pub segments: Vec<String>,
    /// How it is told.
    #[command(flatten)]
    pub tell: TellArgs,
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
    /// Which segments: sysv:32770, key:1234, /name; the beginning of a name does not do here
    #[arg(value_name = "SEGMENT", required_unless_present = "recover")]
    pub segments: Vec<String>,
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
    /// Clean up after a killed command: rename back what rm had set aside, remove what restore or create left half-filled
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
    /// Segment: sysv:32770, key:1234, /name (exact names only)
    #[arg(value_name = "SEGMENT")]
    pub segment: String,
    /// File to write, whole or not at all; - for standard output
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Replace the file if it exists; anything but a regular file is never replaced
    #[arg(long)]
    pub force: bool,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

const SAVE_EXAMPLES: &str = "\
EXAMPLES
  shmlens save /camera0 camera0.saved          holes take no space in the file
  shmlens save 0x4d2 state.saved --force
  shmlens save /state - | ssh host shmlens restore -

What programs write during the save may be in the file or not.";

/// `restore`
#[derive(Debug, clap::Args)]
#[command(after_help = RESTORE_EXAMPLES)]
pub struct RestoreArgs {
    /// File that save or rm wrote; - for standard input
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
  shmlens restore camera0.saved           with its name, size, mode, ACL, owner and contents
  shmlens restore --yes ann.saved         a file that belongs to another user

Fails if the name or key is in use. A System V segment gets a new shmid, creator and times. Setuid,
setgid and sticky bits are never restored. A file that belongs to another user, or that others can
write, has to be confirmed.";

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
    /// Create a System V segment, as ipcmk does; fails if the key is in use
    Sysv(CreateSysvArgs),
    /// Create a POSIX segment; fails if the name is in use
    Posix(CreatePosixArgs),
}

/// What both kinds have.
#[derive(Debug, clap::Args)]
pub struct NewArgs {
    /// Size: 4096, 64K, 1M [default: that of the file given with --from]
    #[arg(long, value_name = "SIZE", required_unless_present = "from")]
    pub size: Option<Bytes>,
    /// Permission bits in octal; the umask is ignored
    #[arg(long, value_name = "MODE", default_value = "0600", value_parser = mode)]
    pub mode: Mode,
    /// Fill it with the contents of a file, holes kept
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
    /// Key: 1234, 0x4d2 [default: a private segment]
    #[arg(long, value_name = "KEY", value_parser = key, allow_hyphen_values = true)]
    pub key: Option<Key>,
    /// What both kinds have.
    #[command(flatten)]
    pub new: NewArgs,
    /// Use huge pages of the default size
    #[arg(long)]
    pub huge: bool,
    /// Do not reserve memory; writing to it may fail later
    #[arg(long)]
    pub no_reserve: bool,
}

const CREATE_SYSV_EXAMPLES: &str = "\
EXAMPLES
  shmlens create sysv --key 0x4d2 --size 1M --mode 0666
  shmlens create sysv --from state.bin                    a private one with these contents";

/// `create posix`
#[derive(Debug, clap::Args)]
#[command(after_help = CREATE_POSIX_EXAMPLES)]
pub struct CreatePosixArgs {
    /// Name below /dev/shm
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What both kinds have.
    #[command(flatten)]
    pub new: NewArgs,
}

const CREATE_POSIX_EXAMPLES: &str = "\
EXAMPLES
  shmlens create posix /camera0 --size 24M --mode 0660
  shmlens create posix /state --from state.bin --size 1M    zeros after the contents of the file";

fn mode(text: &str) -> Result<Mode, String> {
    let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'7')) && !text.is_empty();
    let bits = u32::from_str_radix(text, 8).ok().filter(|&bits| digits && bits <= 0o777);
    bits.map(Mode::new)
        .ok_or_else(|| format!("invalid mode '{}': expected 0000 to 0777", escape(text.as_bytes())))
}

fn key(text: &str) -> Result<Key, String> {
    parse_key(text).ok_or_else(|| {
        format!(
            "invalid key '{}': expected a 32-bit number, decimal or 0x and hexadecimal digits",
            escape(text.as_bytes())
        )
    })
}
