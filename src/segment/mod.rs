//! What a segment is: identity and its text form, size, mode, owner, times and
//! state; and the filter over all of them. Plain data: reads nothing, draws
//! nothing.

mod escape;
#[cfg(test)]
pub(crate) mod example;
pub mod field;
pub mod filter;
mod holder;
mod id;
mod maker;
mod mode;
pub mod name;
mod nearest;
mod os_error;
mod owner;
mod quote;
pub mod resolve;
mod shorten;
mod size;
mod state;
mod times;
mod wrap;

pub use escape::{escape, in_ascii, quote, unescape};
pub use holder::{Access, Holder, How, Place};
pub use id::{Key, ObjectName, SegmentId, ShmId};
pub use maker::Maker;
pub use mode::Mode;
pub use os_error::plain_error;
pub use owner::Owner;
pub use quote::{quote_path, shell_quote};
pub use shorten::{shorten, take_cells};
pub use size::{Bytes, ParseSizeError};
pub use state::{Certainty, State, Verdict};
pub use times::{ParseSpanError, Times, Timestamp, age_text, ago_text, parse_span};
pub use wrap::wrap;

use std::fmt::Write as _;
use std::sync::Arc;

/// The mark of a former name in the table.
const DELETED_MARK: &str = " (deleted)";

/// One shared-memory segment, as a survey found it.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// How people and programs call it.
    pub id: SegmentId,
    /// Its length as the program that made it asked for it.
    pub size: Bytes,
    /// How much of it is in memory; `None` where the kernel does not tell
    /// (the rss column came with Linux 2.6.38).
    pub resident: Option<Bytes>,
    /// How much of it is swapped out; `None` where the kernel does not tell.
    pub swapped: Option<Bytes>,
    /// The nine permission bits.
    pub mode: Mode,
    /// Who owns it now.
    pub owner: Owner,
    /// When it was used and changed.
    pub times: Times,
    /// What only its kind has.
    pub facts: Facts,
    /// Who holds it; `None`: not looked for, or it is younger than that look.
    pub holders: Option<Arc<[Holder]>>,
    /// Who made it, where that is known.
    pub made_by: Option<Maker>,
    /// The process whose pid the kernel keeps as that of the creator (System V only).
    pub creator_life: CreatorLife,
    /// In use, removed, leaked…, and why we say so.
    pub verdict: Verdict,
}

/// The state of the process that created a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CreatorLife {
    /// It cannot be told, or the segment has not been judged yet.
    #[default]
    Unknown,
    /// It is running.
    Running,
    /// It has exited.
    Exited,
}

/// What a segment has that the other kind has not.
#[derive(Debug, Clone, PartialEq)]
pub enum Facts {
    /// System V: `shmget(2)`, listed in `/proc/sysvipc/shm`.
    Sysv(SysvFacts),
    /// POSIX: `shm_open(3)`, a file below `/dev/shm`.
    Posix(PosixFacts),
}

/// What `/proc/sysvipc/shm` tells of a System V segment alone.
#[derive(Debug, Clone, PartialEq)]
pub struct SysvFacts {
    /// The key it was made with; 0 for `IPC_PRIVATE` and once it is marked for removal.
    pub key: Key,
    /// Who made it (`cuid`, `cgid`).
    pub creator: Owner,
    /// The process that made it, as a pid of the reader's pid namespace; 0 when it has none there.
    pub creator_pid: u32,
    /// The process that attached or detached last.
    pub last_pid: u32,
    /// How many attachments there are: mappings, not processes.
    pub nattch: u64,
    /// Locked in memory with `SHM_LOCK`.
    pub locked: bool,
    /// Marked for removal with `IPC_RMID`: goes with its last attachment.
    pub marked: bool,
}

impl SysvFacts {
    /// The key in words: `0x000004d2 (1234)`, or why there is none.
    #[must_use]
    pub fn key_text(&self) -> String {
        match (self.key.is_private(), self.marked) {
            (true, true) => "none (marked for removal)".to_owned(),
            (true, false) => "none (IPC_PRIVATE)".to_owned(),
            (false, _) => format!("{} ({})", self.key, self.key.0),
        }
    }

    /// The process that attached or detached last, in words.
    #[must_use]
    pub fn last_pid_text(&self, times: &Times) -> String {
        if times.attach.is_none() && self.last_pid == 0 {
            "none (never attached)".to_owned()
        } else {
            format!("{} (last attach or detach)", pid_text(self.last_pid))
        }
    }
}

/// A pid that the kernel keeps, which is 0 for a process without one in this pid namespace.
#[must_use]
pub fn pid_text(pid: u32) -> String {
    if pid == 0 { "outside this pid namespace".to_owned() } else { pid.to_string() }
}

/// What `statx(2)` tells of a POSIX object alone.
#[derive(Debug, Clone, PartialEq)]
pub struct PosixFacts {
    /// The device number of the tmpfs it lives on.
    pub device: u64,
    /// Its inode there.
    pub inode: u64,
    /// How many names (hard links) it has.
    pub links: u32,
    /// It is in no directory any more.
    pub unlinked: Option<Unlinked>,
}

/// What is left to say of an object that is in no directory any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlinked {
    /// The name that a holder knew it by. Another object may have it by now.
    pub name: Option<ObjectName>,
    /// Whatever probably unlinked it, likeliest first; empty where nothing tells.
    pub by: Vec<Unlinker>,
    /// This user may not inspect it, as its holders have it only mapped: its size is that of the largest
    /// mapping, its owner that of a holder, and its mode and times are unknown.
    pub concealed: bool,
}

/// Something other than the program itself that unlinks objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unlinker {
    /// systemd-logind, at the logout of the owner (`RemoveIPC=yes`).
    Logout,
    /// Python's `multiprocessing.resource_tracker`.
    PythonTracker,
}

impl Unlinker {
    /// The word of JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Logout => "systemd-logind",
            Self::PythonTracker => "python-resource-tracker",
        }
    }

    /// Who it is, when it unlinks, and how to prevent that.
    #[must_use]
    pub fn text(self, owner: &Owner) -> String {
        match self {
            Self::Logout => {
                let user = owner.user_text();
                format!(
                    "systemd when the last session of {user} ended (RemoveIPC=yes; {user} has no session now)"
                )
            }
            Self::PythonTracker => {
                "Python's resource tracker, when a process that only attached to it exited \
                 (Python 3.13 and later: unless track=False), or unlink() in a Python program"
                    .to_owned()
            }
        }
    }
}

/// The kinds of shared memory that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// System V.
    Sysv,
    /// POSIX.
    Posix,
    /// A POSIX object that is in no directory any more and still held.
    Deleted,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Sysv, Self::Posix, Self::Deleted];

    /// The word that the table, the command line and JSON use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sysv => "sysv",
            Self::Posix => "posix",
            Self::Deleted => "deleted",
        }
    }

    /// The name of the kind in a sentence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sysv => "System V",
            Self::Posix => "POSIX",
            Self::Deleted => "deleted POSIX",
        }
    }
}

impl Segment {
    /// How many hold it: the processes that were found, and the attachments
    /// that were not. `None`: not looked for.
    #[must_use]
    pub fn holder_count(&self) -> Option<u64> {
        match (&self.holders, self.sysv()) {
            (Some(_), _) => Some(self.others().count() as u64 + self.unseen()),
            (None, Some(facts)) => Some(facts.nattch),
            (None, None) => None,
        }
    }

    /// The holders that were found, without this program where it only looks on: the table marks that.
    fn others(&self) -> impl Iterator<Item = &Holder> {
        self.holders.iter().flat_map(|holders| holders.iter()).filter(|holder| !holder.looks_on())
    }

    /// System V: how many attachments are in processes that were not found.
    #[must_use]
    pub fn unseen(&self) -> u64 {
        let found = self.holders.iter().flat_map(|holders| holders.iter());
        let found: u64 = found.map(|holder| u64::from(holder.mappings)).sum();
        self.sysv().map_or(0, |facts| facts.nattch.saturating_sub(found))
    }

    /// Who holds it in a few words, `most` of them by name: `writer, reader.py,
    /// +3`; empty when nobody does. Attachments of processes that were not
    /// found count as one each.
    #[must_use]
    pub fn holders_text(&self, most: usize) -> String {
        let holders: Vec<&Holder> = self.others().collect();
        let unseen = usize::try_from(self.unseen()).unwrap_or(usize::MAX);
        match (&holders[..], unseen) {
            ([], 0) => String::new(),
            ([], count) => format!("{count} unseen"),
            _ => {
                let named = holders.iter().take(most).map(|holder| holder.command_text());
                let mut text = named.collect::<Vec<_>>().join(", ");
                let more = holders.len().saturating_sub(most).saturating_add(unseen);
                if more > 0 {
                    let _ = write!(text, "{}+{more}", if text.is_empty() { "" } else { ", " });
                }
                text
            }
        }
    }

    /// The pid of its creator, if that process has exited.
    #[must_use]
    pub fn exited_creator(&self) -> Option<u32> {
        (self.creator_life == CreatorLife::Exited).then(|| self.sysv().map(|facts| facts.creator_pid))?
    }

    /// The maker, unless all that is known is that the creator has exited.
    #[must_use]
    pub fn named_maker(&self) -> Option<&Maker> {
        self.made_by.as_ref().filter(|maker| !matches!(maker, Maker::Exited(_)))
    }

    /// Which of the kinds it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.facts {
            Facts::Sysv(_) => Kind::Sysv,
            Facts::Posix(PosixFacts { unlinked: Some(_), .. }) => Kind::Deleted,
            Facts::Posix(_) => Kind::Posix,
        }
    }

    /// Its System V side, if it has one.
    #[must_use]
    pub const fn sysv(&self) -> Option<&SysvFacts> {
        match &self.facts {
            Facts::Sysv(facts) => Some(facts),
            Facts::Posix(_) => None,
        }
    }

    /// Its POSIX side, if it has one.
    #[must_use]
    pub const fn posix(&self) -> Option<&PosixFacts> {
        match &self.facts {
            Facts::Posix(facts) => Some(facts),
            Facts::Sysv(_) => None,
        }
    }

    /// The NAME OR KEY of the table: `/name`, `sysv:32770 0x000004d2`, or `sysv:32771` where there is no key.
    #[must_use]
    pub fn label(&self) -> String {
        match (&self.id, &self.facts) {
            (SegmentId::Sysv(_), Facts::Sysv(facts)) if !facts.key.is_private() => {
                format!("{} {}", self.id, facts.key)
            }
            (SegmentId::Posix(name), _) => name.to_string(),
            (_, Facts::Posix(PosixFacts { unlinked: Some(Unlinked { name: Some(name), .. }), .. })) => {
                name.to_string()
            }
            (id, _) => id.to_string(),
        }
    }

    /// The name that an unlinked object had; `None` where that is unknown, and
    /// for segments that are not unlinked.
    #[must_use]
    pub fn former_name(&self) -> Option<&ObjectName> {
        self.posix()?.unlinked.as_ref()?.name.as_ref()
    }

    /// Returns whether it is an unlinked object that this user may not inspect.
    #[must_use]
    pub fn is_concealed(&self) -> bool {
        self.posix().and_then(|facts| facts.unlinked.as_ref()).is_some_and(|unlinked| unlinked.concealed)
    }

    /// Returns true if both are names (hard links) of one POSIX object.
    #[must_use]
    pub fn is_same_object(&self, other: &Self) -> bool {
        let object = |segment: &Self| segment.posix().map(|facts| (facts.device, facts.inode));
        object(self).is_some() && object(self) == object(other)
    }

    /// The mark that belongs behind [`Segment::label`] when that is a former name.
    #[must_use]
    pub fn label_mark(&self) -> &'static str {
        if self.former_name().is_some() { DELETED_MARK } else { "" }
    }

    /// Returns whether another segment has, or had, the same POSIX name: one of
    /// the two is unlinked, so that the name now means the other one.
    #[must_use]
    pub fn shares_name_with(&self, other: &Self) -> bool {
        let name = self.posix_name();
        name.is_some() && name == other.posix_name() && self.id != other.id
    }

    /// The name that a POSIX object has, or had before it was unlinked.
    #[must_use]
    pub fn posix_name(&self) -> Option<&ObjectName> {
        match &self.id {
            SegmentId::Posix(name) => Some(name),
            SegmentId::Deleted { .. } => self.former_name(),
            SegmentId::Sysv(_) => None,
        }
    }

    /// Seconds since it was created; for System V since the last change, so
    /// "at least". `None` where the kernel keeps no such time, or it lies in the future.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Option<f64> {
        let since = match self.facts {
            Facts::Sysv(_) => self.times.change,
            Facts::Posix(_) => self.times.birth,
        };
        since.filter(|then| !then.is_future(now)).map(|then| now.seconds_since(then).max(0.0))
    }

    /// The latest time that the kernel keeps of it. Reading and writing through a mapping moves none.
    #[must_use]
    pub fn last_used(&self) -> Option<Timestamp> {
        self.times.touched()
    }

    /// What tells this very segment from another one that took its name.
    #[must_use]
    pub fn identity(&self) -> Identity {
        match &self.facts {
            Facts::Sysv(facts) => Identity::Sysv {
                key: facts.key,
                creator_uid: facts.creator.uid,
                creator_pid: facts.creator_pid,
                size: self.size,
            },
            Facts::Posix(facts) => {
                Identity::Posix { device: facts.device, inode: facts.inode, birth: self.times.birth }
            }
        }
    }
}

/// What tells a segment from another one that took its shmid or its name.
///
/// For System V a marked segment loses its key, so a key of 0 fits any key
/// ([`Identity::fits`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// Nothing of this can be changed by `IPC_SET`, except that removal clears the key.
    Sysv {
        /// The key, 0 once it is marked.
        key: Key,
        /// The uid of the creator.
        creator_uid: u32,
        /// The pid of the creator.
        creator_pid: u32,
        /// The size, which never changes.
        size: Bytes,
    },
    /// An inode number is used again on tmpfs only after it wrapped round; the
    /// time of birth settles it.
    Posix {
        /// The device number.
        device: u64,
        /// The inode number.
        inode: u64,
        /// The time of birth, where the kernel tells.
        birth: Option<Timestamp>,
    },
}

impl Identity {
    /// Whether `now` can be the segment that `self` was.
    #[must_use]
    pub fn fits(&self, now: &Self) -> bool {
        match (self, now) {
            (
                Self::Sysv { key, creator_uid, creator_pid, size },
                Self::Sysv { key: key_now, creator_uid: uid, creator_pid: pid, size: size_now },
            ) => {
                (key == key_now || key_now.is_private())
                    && creator_uid == uid
                    && creator_pid == pid
                    && size == size_now
            }
            (
                Self::Posix { device, inode, birth },
                Self::Posix { device: device_now, inode: inode_now, birth: birth_now },
            ) => {
                device == device_now
                    && inode == inode_now
                    && (birth == birth_now || birth.is_none() || birth_now.is_none())
            }
            _ => false,
        }
    }
}
