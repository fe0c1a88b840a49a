//! The holders of a segment: processes that have it mapped or open.

use super::{Owner, Timestamp, escape};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The pid in the scanning process's pid namespace.
    pub pid: u32,
    /// The program, or the script that an interpreter runs. May contain any bytes: print
    /// [`Holder::command_text`].
    pub command: Box<[u8]>,
    pub owner: Owner,
    /// The start time of the process.
    pub started: Timestamp,
    /// The start time in clock ticks since boot. Together with the pid, it identifies the process
    /// even after the pid is reused.
    pub start: u64,
    pub access: Access,
    pub mappings: u32,
    /// The largest end offset of the mappings; 0 without a mapping.
    pub mapped_to: u64,
    pub descriptors: u32,
    /// A mapping or descriptor through which the segment can be opened.
    pub place: Place,
    /// Set if at least one mapping is private: writes to it are invisible to other processes.
    pub private: bool,
    /// Set for the process that scanned.
    pub ourselves: bool,
}

/// The mapping or descriptor by which a process holds a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A mapping at these addresses.
    Mapping {
        start: u64,
        /// The address after the last byte.
        end: u64,
    },
    /// An open descriptor.
    Descriptor(i32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    Read,
    ReadWrite,
}

/// The way in which a process holds a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoldKind {
    /// Mapped or attached.
    Mapping,
    /// Open, but not mapped.
    Descriptor,
}

impl Access {
    /// `r` or `rw`, in JSON and on screen.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Read => "r",
            Self::ReadWrite => "rw",
        }
    }
}

impl HoldKind {
    /// `mapping` or `descriptor`, in JSON.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Mapping => "mapping",
            Self::Descriptor => "descriptor",
        }
    }
}

impl Holder {
    /// Safe to print.
    #[must_use]
    pub fn command_text(&self) -> String {
        escape(&self.command)
    }

    /// Returns true if both are the same process, even if the pid was reused.
    #[must_use]
    pub const fn is_same_process(&self, other: &Self) -> bool {
        self.pid == other.pid && self.start == other.start
    }

    /// Returns true if this program only reads the segment, which does not count as use. Segments
    /// that it writes to, such as the demo's segments, are its own.
    #[must_use]
    pub const fn is_observer(&self) -> bool {
        self.ourselves && matches!(self.access, Access::Read)
    }

    /// Returns the kind of hold. A mapping outranks a descriptor.
    #[must_use]
    pub const fn hold_kind(&self) -> HoldKind {
        if self.mappings > 0 { HoldKind::Mapping } else { HoldKind::Descriptor }
    }
}
