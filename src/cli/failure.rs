//! How a report can end.

use crate::act::log::LogError;
use crate::decode::ParseValueError;
use crate::memory::{OpenError, PatternError};
use crate::segment::filter::FilterError;
use crate::segment::resolve::ResolveError;
use crate::segment::{SegmentId, plain_error};
use std::io;
use std::process::ExitCode;

/// The exit status of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 0: what was asked for is done.
    Done,
    /// 1: it failed, or nothing was found.
    Failed,
    /// 2: it was asked for in a wrong way.
    Usage,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        match status {
            Status::Done => Self::SUCCESS,
            Status::Failed => Self::from(1),
            Status::Usage => Self::from(2),
        }
    }
}

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The reader of the output is gone, as in `| head`. This is nobody's
    /// fault, and is not reported.
    #[error("output closed")]
    Closed,
    /// The output cannot be written.
    #[error("failed to write the output: {}", plain_error(.0))]
    Output(io::Error),
    /// A word of the filter is none.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// A text names no one segment.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The name in `/dev/shm` is of something else.
    #[error("{} is {kind}, not shared memory", id.short())]
    NotMemory {
        /// Under which name.
        id: SegmentId,
        /// What it is, with its article.
        kind: &'static str,
    },
    /// The name is on another file system.
    #[error("{} is on another file system mounted under /dev/shm; shmlens does not inspect it", .id.short())]
    OtherMount {
        /// Its name.
        id: SegmentId,
    },
    /// What is to be looked for is no pattern.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// What is to be looked for is no value.
    #[error(transparent)]
    Value(#[from] ParseValueError),
    /// The arguments do not go together.
    #[error("{0}")]
    Usage(String),
    /// The part begins behind the end.
    #[error("offset {offset} is past the end of {} ({size} bytes)", id.short())]
    Beyond {
        /// Which segment.
        id: SegmentId,
        /// Where the part begins.
        offset: u64,
        /// How large the segment is.
        size: u64,
    },
    /// A segment that is open cannot be read.
    #[error("failed to read {}: {}", id.short(), plain_error(.source))]
    Read {
        /// Which segment.
        id: SegmentId,
        /// What the kernel said.
        source: io::Error,
    },
    /// An unlinked object was not found in the processes that can be examined.
    #[error(
        "no segment named '{name}' in the processes that you can inspect; {unreadable} could not be \
         inspected{remedy}"
    )]
    NotFoundEverywhere {
        /// The name as it was given, safe to print.
        name: String,
        /// How many processes could not be examined.
        unreadable: usize,
        /// What would help, as a sentence; empty for root.
        remedy: String,
    },
    /// An unlinked object has no holder but this program.
    #[error("{} no longer has any holders", id.short())]
    Released {
        /// Which segment.
        id: SegmentId,
    },
    /// A segment went away while it was watched.
    #[error("{} was removed", id.short())]
    Vanished {
        /// Which segment.
        id: SegmentId,
    },
    /// Ctrl-C, or another signal to end.
    #[error("{0}")]
    Stopped(String),
    /// A segment cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log of changes cannot be opened, so nothing is changed.
    #[error("nothing was changed: {0}")]
    NotLogged(LogError),
}

impl Failure {
    /// How the program ends.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Self::Closed => Status::Done,
            Self::Filter(_) | Self::Pattern(_) | Self::Value(_) | Self::Usage(_) => Status::Usage,
            Self::Output(_)
            | Self::Resolve(_)
            | Self::NotMemory { .. }
            | Self::OtherMount { .. }
            | Self::Beyond { .. }
            | Self::Read { .. }
            | Self::Vanished { .. }
            | Self::Released { .. }
            | Self::NotFoundEverywhere { .. }
            | Self::Stopped(_)
            | Self::Open(_)
            | Self::NotLogged(_) => Status::Failed,
        }
    }
}

impl From<io::Error> for Failure {
    /// An error of the output; errors of reading carry the segment's name and
    /// are made where they happen.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Output(error) }
    }
}
