//! Who holds a segment: a process that has it mapped or open.

use super::{Owner, Timestamp, escape};

/// A process that holds a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its pid in the pid namespace of who looked.
    pub pid: u32,
    /// What it is called: the program, or the script that an interpreter runs.
    /// Any bytes: print [`Holder::command_text`].
    pub command: Box<[u8]>,
    /// Whose it is.
    pub owner: Owner,
    /// When it began.
    pub began: Timestamp,
    /// The same in clock ticks since the machine did: with the pid it tells
    /// this process from another one that got its pid.
    pub start: u64,
    /// What it may do with the bytes.
    pub access: Access,
    /// How many mappings of the segment it has.
    pub mappings: u32,
    /// The end of its farthest mapping, as an offset in the segment; 0 without a mapping.
    pub mapped_to: u64,
    /// How many open descriptors.
    pub descriptors: u32,
    /// One of its mappings or descriptors, to open the segment through it.
    pub place: Place,
    /// Whether one of its mappings is private: what it writes there nobody sees.
    pub private: bool,
    /// The process that looked.
    pub ourselves: bool,
}

/// Where in a process something is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At these addresses.
    Mapping {
        /// The first address.
        start: u64,
        /// The address after the last.
        end: u64,
    },
    /// At this descriptor.
    Descriptor(i32),
}

/// What a holder may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// Read.
    Read,
    /// Read and write.
    ReadWrite,
}

/// How a process holds a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// It has mapped or attached it.
    Mapping,
    /// It has it open, and not mapped.
    Descriptor,
}

impl Access {
    /// The word of JSON and of the screen: `r` or `rw`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "r",
            Self::ReadWrite => "rw",
        }
    }
}

impl How {
    /// The word of JSON: `mapping` or `descriptor`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mapping => "mapping",
            Self::Descriptor => "descriptor",
        }
    }
}

impl Holder {
    /// What it is called, safe to print.
    #[must_use]
    pub fn command_text(&self) -> String {
        escape(&self.command)
    }

    /// Whether it is the very same process: pids are given again.
    #[must_use]
    pub const fn is_same_process(&self, other: &Self) -> bool {
        self.pid == other.pid && self.start == other.start
    }

    /// Whether it only looks at the segment: this program, reading. That keeps
    /// nothing in use. What this program writes to is its own, as the demo's is.
    #[must_use]
    pub const fn looks_on(&self) -> bool {
        self.ourselves && matches!(self.access, Access::Read)
    }

    /// How it holds the segment: a mapping says more than a descriptor.
    #[must_use]
    pub const fn how(&self) -> How {
        if self.mappings > 0 { How::Mapping } else { How::Descriptor }
    }
}
