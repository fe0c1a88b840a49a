//! The model of a segment: identity and text form, size, mode, owner, times, state, and filters.
//! Plain data without I/O or drawing.

mod escape;
#[cfg(test)]
pub(crate) mod example;
pub mod field;
pub mod filter;
mod holder;
mod id;
pub mod local_time;
mod maker;
mod mode;
pub mod name;
mod nearest;
mod os_error;
mod owner;
mod quote;
pub mod resolve;
mod shorten;
mod shown_error;
mod size;
mod state;
mod times;
mod value;
mod wrap;

pub use escape::{escape, in_ascii, json_text, quote, unescape};
pub use holder::{Access, HoldKind, Holder, Place};
pub use id::{Key, ObjectName, SegmentId, ShmId};
pub use maker::Maker;
pub use mode::Mode;
pub use nearest::nearest_word;
pub use os_error::plain_error;
pub use owner::Owner;
pub use quote::{quote_path, shell_quote};
pub use shorten::{shorten, take_cells};
pub use shown_error::ShownError;
pub use size::{Bytes, ParseSizeError};
pub use state::{Certainty, State, Verdict};
pub use times::{ParseSpanError, Times, Timestamp, age_text, ago_text, parse_span};
pub use value::Value;
pub use wrap::wrap;

use std::fmt::Write as _;
use std::sync::Arc;
use unicode_width::UnicodeWidthStr as _;

/// The minimum width of a shortened name in a list of holders.
const MIN_NAME_WIDTH: usize = 4;
const DELETED_MARK: &str = " (deleted)";

/// A shared-memory segment, as found by a survey.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    pub id: SegmentId,
    /// The size that the creator requested.
    pub size: Bytes,
    /// The size of the part in memory; `None` where the kernel does not report it (the `rss` column
    /// was added in Linux 2.6.38).
    pub resident: Option<Bytes>,
    /// The size of the part that is swapped out; `None` where the kernel does not report it.
    pub swapped: Option<Bytes>,
    /// The nine permission bits.
    pub mode: Mode,
    pub owner: Owner,
    pub times: Times,
    pub facts: Facts,
    /// `None` if the survey did not scan for holders, or if the segment is newer than the scan.
    pub holders: Option<Arc<[Holder]>>,
    pub made_by: Option<Maker>,
    /// The state of the creator, which the kernel records only for System V.
    pub creator_life: CreatorLife,
    pub verdict: Verdict,
}

/// The state of the process that created a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CreatorLife {
    /// Undetermined, or the segment has not been judged yet.
    #[default]
    Unknown,
    Running,
    Exited,
}

/// Facts that only one kind of segment has.
#[derive(Debug, Clone, PartialEq)]
pub enum Facts {
    /// System V: `shmget(2)`, listed in `/proc/sysvipc/shm`.
    Sysv(SysvFacts),
    /// POSIX: `shm_open(3)`, a file below `/dev/shm`.
    Posix(PosixFacts),
}

/// Facts from `/proc/sysvipc/shm`.
#[derive(Debug, Clone, PartialEq)]
pub struct SysvFacts {
    /// 0 for `IPC_PRIVATE` and for a segment marked for removal.
    pub key: Key,
    /// The user who created the segment (`cuid`, `cgid`).
    pub creator: Owner,
    /// In the pid namespace of the reader; 0 if the creator has no pid there.
    pub creator_pid: u32,
    /// The last process that attached or detached.
    pub last_pid: u32,
    /// Attachments: mappings, not processes.
    pub nattch: u64,
    /// Locked in memory (`SHM_LOCK`).
    pub locked: bool,
    /// Marked for removal (`IPC_RMID`): the kernel removes the segment at the last detach.
    pub marked: bool,
}

impl SysvFacts {
    /// Formats the key: `0x000004d2 (1234)`, or the reason why there is none.
    #[must_use]
    pub fn key_text(&self) -> String {
        match (self.key.is_private(), self.marked) {
            (true, true) => "none (marked for removal)".to_owned(),
            (true, false) => "none (IPC_PRIVATE)".to_owned(),
            (false, _) => format!("{} ({})", self.key, self.key.0),
        }
    }

    /// Describes the last process that attached or detached.
    #[must_use]
    pub fn last_pid_text(&self, times: &Times) -> String {
        if times.attach.is_none() && self.last_pid == 0 {
            "none (never attached)".to_owned()
        } else {
            format!("{} (last attach or detach)", pid_text(self.last_pid))
        }
    }
}

/// Formats a pid from the kernel; 0 means that the process has no pid in this namespace.
#[must_use]
pub fn pid_text(pid: u32) -> String {
    if pid == 0 { "outside this pid namespace".to_owned() } else { pid.to_string() }
}

/// Facts from `statx(2)`.
#[derive(Debug, Clone, PartialEq)]
pub struct PosixFacts {
    pub device: u64,
    pub inode: u64,
    /// Names (hard links).
    pub links: u32,
    /// Set if the object is unlinked.
    pub unlinked: Option<Unlinked>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlinked {
    /// The name under which a holder opened the object. Another object may have it now.
    pub name: Option<ObjectName>,
    /// Probable causes of the unlink, most likely first.
    pub by: Vec<Unlinker>,
    /// Set if this user may not inspect the object, because its holders only have it mapped. The
    /// size is then the size of the largest mapping, the owner is a holder's owner, and mode and
    /// times are unknown.
    pub concealed: bool,
}

/// A program that unlinks objects of other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unlinker {
    /// systemd-logind, when the owner logs out (`RemoveIPC=yes`).
    Logout,
    /// Python's `multiprocessing.resource_tracker`.
    PythonTracker,
}

impl Unlinker {
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Logout => "systemd-logind",
            Self::PythonTracker => "python-resource-tracker",
        }
    }

    /// Describes the component, when it unlinks objects, and how to prevent that.
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Sysv,
    Posix,
    /// A POSIX object that is unlinked but still held.
    Deleted,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Sysv, Self::Posix, Self::Deleted];

    /// The word in the table, on the command line and in JSON.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Sysv => "sysv",
            Self::Posix => "posix",
            Self::Deleted => "deleted",
        }
    }

    /// The name in messages.
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
    /// Creates a segment without times, sizes in memory, holders or maker, in state unknown.
    #[must_use]
    pub fn new(id: SegmentId, size: Bytes, mode: Mode, owner: Owner, facts: Facts) -> Self {
        Self {
            id,
            size,
            resident: None,
            swapped: None,
            mode,
            owner,
            times: Times::default(),
            facts,
            holders: None,
            made_by: None,
            creator_life: CreatorLife::Unknown,
            verdict: Verdict::new(State::Unknown, "not evaluated yet"),
        }
    }

    /// The number of holders: the processes that were found, plus the attachments of processes that
    /// were not. `None` if the survey did not scan for holders.
    #[must_use]
    pub fn holder_count(&self) -> Option<u64> {
        match (&self.holders, self.sysv()) {
            (Some(_), _) => Some(self.others().count() as u64 + self.unseen()),
            (None, Some(facts)) => Some(facts.nattch),
            (None, None) => None,
        }
    }

    /// The holders without this program, if it only reads: the table marks that case.
    fn others(&self) -> impl Iterator<Item = &Holder> {
        self.holders.iter().flat_map(|holders| holders.iter()).filter(|holder| !holder.is_observer())
    }

    /// Returns the number of System V attachments whose holders were not found; 0 for POSIX
    /// segments.
    #[must_use]
    pub fn unseen(&self) -> u64 {
        let found = self.holders.iter().flat_map(|holders| holders.iter());
        let found: u64 = found.map(|holder| u64::from(holder.mappings)).sum();
        self.sysv().map_or(0, |facts| facts.nattch.saturating_sub(found))
    }

    /// Lists up to `most` holders by name: `writer, reader.py, +3`. Each attachment of a process
    /// that was not found counts as a holder.
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

    /// Lists the holders as `writer, other → reader`: at most `most` writers and as many readers.
    /// Names lose their middle to fit into `width` cells, the longer ones first. Holders of unknown
    /// access count as writers.
    #[must_use]
    pub fn flow_text(&self, most: usize, width: usize, ellipsis: &str) -> String {
        let longest = |access: Access| {
            let holders = self.others().filter(|holder| holder.access == access);
            holders.map(|holder| holder.command_text().width()).max().unwrap_or(0)
        };
        let mut limits = [longest(Access::ReadWrite), longest(Access::Read)];
        loop {
            let text = self.flow_of(most, limits, ellipsis);
            let longer = usize::from(limits[1] > limits[0]);
            if text.width() <= width || limits[longer] <= MIN_NAME_WIDTH {
                return text;
            }
            limits[longer] -= 1;
        }
    }

    /// Lists the holders, with names of at most this many cells for writers and for readers.
    fn flow_of(&self, most: usize, [longest_writer, longest_reader]: [usize; 2], ellipsis: &str) -> String {
        let names = |access: Access, longest: usize| {
            let mut names: Vec<String> = vec![];
            for holder in self.others().filter(|holder| holder.access == access) {
                let name = shorten(&holder.command_text(), longest, ellipsis);
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            let more = names.len().saturating_sub(most);
            names.truncate(most);
            if more > 0 {
                names.push(format!("+{more}"));
            }
            names.join(", ")
        };
        let (mut writers, readers) =
            (names(Access::ReadWrite, longest_writer), names(Access::Read, longest_reader));
        if self.unseen() > 0 {
            let unseen = format!("{} unseen", self.unseen());
            writers = if writers.is_empty() { unseen } else { format!("{writers}, {unseen}") };
        }
        match (writers.is_empty(), readers.is_empty()) {
            (_, true) => writers,
            (true, false) => format!("→ {readers}"),
            (false, false) => format!("{writers} → {readers}"),
        }
    }

    /// The pid of the creator, if the creator has exited.
    #[must_use]
    pub fn exited_creator(&self) -> Option<u32> {
        (self.creator_life == CreatorLife::Exited).then(|| self.sysv().map(|facts| facts.creator_pid))?
    }

    /// Returns the maker, unless it is only known to have exited.
    #[must_use]
    pub fn named_maker(&self) -> Option<&Maker> {
        self.made_by.as_ref().filter(|maker| !matches!(maker, Maker::Exited(_)))
    }

    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.facts {
            Facts::Sysv(_) => Kind::Sysv,
            Facts::Posix(PosixFacts { unlinked: Some(_), .. }) => Kind::Deleted,
            Facts::Posix(_) => Kind::Posix,
        }
    }

    #[must_use]
    pub const fn sysv(&self) -> Option<&SysvFacts> {
        match &self.facts {
            Facts::Sysv(facts) => Some(facts),
            Facts::Posix(_) => None,
        }
    }

    #[must_use]
    pub const fn posix(&self) -> Option<&PosixFacts> {
        match &self.facts {
            Facts::Posix(facts) => Some(facts),
            Facts::Sysv(_) => None,
        }
    }

    /// The text of the NAME OR KEY column: `/name`, `sysv:32770 0x000004d2`, or `sysv:32771`
    /// without a key.
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

    /// Returns the former name of an unlinked object, if known.
    #[must_use]
    pub fn former_name(&self) -> Option<&ObjectName> {
        self.posix()?.unlinked.as_ref()?.name.as_ref()
    }

    /// Returns true for an unlinked object that this user may not inspect.
    #[must_use]
    pub fn is_concealed(&self) -> bool {
        self.posix().and_then(|facts| facts.unlinked.as_ref()).is_some_and(|unlinked| unlinked.concealed)
    }

    /// Returns true if both are names (hard links) of the same object.
    #[must_use]
    pub fn is_same_object(&self, other: &Self) -> bool {
        let object = |segment: &Self| segment.posix().map(|facts| (facts.device, facts.inode));
        object(self).is_some() && object(self) == object(other)
    }

    /// Returns the suffix that [`Segment::label`] appends to a former name.
    #[must_use]
    pub fn label_mark(&self) -> &'static str {
        if self.former_name().is_some() { DELETED_MARK } else { "" }
    }

    /// Returns true if both have, or had, the same POSIX name: one of them is unlinked, and the
    /// name now refers to the other.
    #[must_use]
    pub fn shares_name_with(&self, other: &Self) -> bool {
        let name = self.posix_name();
        name.is_some() && name == other.posix_name() && self.id != other.id
    }

    /// Returns the name of a POSIX object, or its former name.
    #[must_use]
    pub fn posix_name(&self) -> Option<&ObjectName> {
        match &self.id {
            SegmentId::Posix(name) => Some(name),
            SegmentId::Deleted { .. } => self.former_name(),
            SegmentId::Sysv(_) => None,
        }
    }

    /// Seconds since creation; for System V since the last change, which makes the age a lower
    /// bound. `None` if the kernel records no such time, or if the time lies in the future.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Option<f64> {
        let since = match self.facts {
            Facts::Sysv(_) => self.times.change,
            Facts::Posix(_) => self.times.birth,
        };
        since.filter(|then| !then.is_future(now)).map(|then| now.seconds_since(then).max(0.0))
    }

    /// Returns the latest time that the kernel recorded. Reads and writes through a mapping are not
    /// recorded.
    #[must_use]
    pub fn last_used(&self) -> Option<Timestamp> {
        self.times.touched()
    }

    /// Returns the properties that distinguish this segment from a later one with the same name.
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

/// Distinguishes a segment from a later one with the same shmid or name.
///
/// A System V segment that is marked for removal loses its key, so key 0 matches any key
/// ([`Identity::matches`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// `IPC_SET` changes none of these. Only removal clears the key.
    Sysv { key: Key, creator_uid: u32, creator_pid: u32, size: Bytes },
    /// tmpfs reuses an inode number only after its counter wraps around. The birth time rules out
    /// even that.
    Posix {
        device: u64,
        inode: u64,
        /// The birth time; `None` if the kernel does not report it.
        birth: Option<Timestamp>,
    },
}

impl Identity {
    /// Returns true if `now` can be the same segment.
    #[must_use]
    pub fn matches(&self, now: &Self) -> bool {
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
