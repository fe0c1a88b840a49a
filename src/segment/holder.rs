//! The holders of a segment: processes that have it mapped or open.

use super::{Owner, Timestamp, escape};

/// A process that holds a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The pid in the pid namespace of the process that scanned.
    pub pid: u32,
    /// The name of the program, or of the script that an interpreter runs. It may contain any bytes: print
    /// [`Holder::command_text`].
    pub command: Box<[u8]>,
    pub owner: Owner,
    /// The start time of the process.
    pub began: Timestamp,
    /// The start time in clock ticks since boot. Together with the pid it identifies the process even after
    /// the pid is reused.
    pub start: u64,
    pub access: Access,
    /// The number of mappings of the segment.
    pub mappings: u32,
    /// The end of the mapping that reaches farthest, as an offset in the segment; 0 without a mapping.
    pub mapped_to: u64,
    /// The number of open descriptors for the segment.
    pub descriptors: u32,
    /// A mapping or descriptor through which the segment can be opened.
    pub place: Place,
    /// At least one mapping is private: writes to such a mapping are invisible to other processes.
    pub private: bool,
    /// The holder is the process that scanned.
    pub ourselves: bool,
}

/// The place in a process where a segment is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A mapping at these addresses.
    Mapping {
        start: u64,
        /// The end address, exclusive.
        end: u64,
    },
    /// An open descriptor.
    Descriptor(i32),
}

/// The access of a holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    Read,
    ReadWrite,
}

/// The way in which a process holds a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// Mapped or attached.
    Mapping,
    /// Open, but not mapped.
    Descriptor,
}

impl Access {
    /// The word in JSON and on the screen: `r` or `rw`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "r",
            Self::ReadWrite => "rw",
        }
    }
}

impl How {
    /// The word in JSON: `mapping` or `descriptor`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mapping => "mapping",
            Self::Descriptor => "descriptor",
        }
    }
}

impl Holder {
    /// The name of the command, safe to print.
    #[must_use]
    pub fn command_text(&self) -> String {
        escape(&self.command)
    }

    /// Returns whether both are the same process, even if the pid was reused.
    #[must_use]
    pub const fn is_same_process(&self, other: &Self) -> bool {
        self.pid == other.pid && self.start == other.start
    }

    /// Returns whether the holder is this program reading the segment, which does not count as use. A segment
    /// that this program writes to is its own, such as one of the demo.
    #[must_use]
    pub const fn looks_on(&self) -> bool {
        self.ourselves && matches!(self.access, Access::Read)
    }

    /// Returns the way in which the process holds the segment; a mapping outranks a descriptor.
    #[must_use]
    pub const fn how(&self) -> How {
        if self.mappings > 0 { How::Mapping } else { How::Descriptor }
    }
}
