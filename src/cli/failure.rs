//! Exit statuses and errors of the commands.

use crate::act::log::LogError;
use crate::decode::code::CodeError;
use crate::decode::{ParseValueError, StableError};
use crate::memory::{OpenError, PatternError};
use crate::scope::text::ChannelError;
use crate::segment::filter::FilterError;
use crate::segment::resolve::ResolveError;
use crate::segment::{SegmentId, ShownError, plain_error};
use std::io;
use std::process::ExitCode;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 0: success.
    Success,
    /// 1: failure, or nothing found.
    Failed,
    /// 2: usage error.
    Usage,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        match status {
            Status::Success => Self::SUCCESS,
            Status::Failed => Self::from(1),
            Status::Usage => Self::from(2),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The reader has closed the pipe, as in `| head`. Not reported.
    #[error("output closed")]
    Closed,
    #[error("failed to write the output: {}", plain_error(.0))]
    Output(io::Error),
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// A name does not identify exactly one segment.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The name in `/dev/shm` does not belong to a regular file.
    #[error("{} is {kind}, not shared memory", id.short())]
    NotMemory {
        id: SegmentId,
        /// The file type, with an article.
        kind: &'static str,
    },
    /// Another file system is mounted there.
    #[error("{} is on another file system mounted under /dev/shm; shmlens does not inspect it", .id.short())]
    OtherMount { id: SegmentId },
    #[error(transparent)]
    Pattern(#[from] PatternError),
    #[error(transparent)]
    Value(#[from] ParseValueError),
    #[error(transparent)]
    Decode(#[from] StableError),
    /// The contents do not have the layout.
    #[error("{0}")]
    Unfit(ShownError),
    #[error("{0}")]
    Usage(String),
    /// There is no code that attaches to the segment.
    #[error(transparent)]
    Code(#[from] CodeError),
    /// The range starts past the end of the segment.
    #[error("offset {offset} is past the end of {} ({size} bytes)", id.short())]
    Beyond { id: SegmentId, offset: u64, size: u64 },
    /// A value would start at the end of the segment.
    #[error("offset {offset} is the end of {} ({size} bytes): no value of {needed} bytes is there", id.short())]
    NoRoom { id: SegmentId, offset: u64, size: u64, needed: u64 },
    #[error("failed to read {}: {}", id.short(), plain_error(.source))]
    Read { id: SegmentId, source: io::Error },
    /// No process that this user may inspect holds an unlinked object with this name.
    #[error(
        "no segment named '{name}' in the processes that you can inspect; {unreadable} could not be \
         inspected{remedy}"
    )]
    NotFoundEverywhere {
        /// The name that the user typed, safe to print.
        name: String,
        /// Processes that could not be inspected.
        unreadable: usize,
        /// Advice; empty for root.
        remedy: String,
    },
    /// Only this program still holds an unlinked object.
    #[error("{} no longer has any holders", id.short())]
    Released { id: SegmentId },
    /// No thread of the holders may be watched. The reason is safe to print.
    #[error("{0}")]
    NotWatched(String),
    /// A segment was removed while it was watched.
    #[error("{} was removed", id.short())]
    Vanished { id: SegmentId },
    /// The command was stopped by Ctrl-C or another termination signal.
    #[error("{0}")]
    Stopped(String),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// Sampling or recording failed. The text is safe to print.
    #[error("{0}")]
    Scope(String),
    /// The log of changes cannot be opened, so the command changes nothing.
    #[error("nothing was changed: {0}")]
    NotLogged(LogError),
}

impl Failure {
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Self::Closed => Status::Success,
            Self::Filter(_)
            | Self::Pattern(_)
            | Self::Value(_)
            | Self::Usage(_)
            | Self::Channel(
                ChannelError::Syntax { .. }
                | ChannelError::NoType { .. }
                | ChannelError::NoField { .. }
                | ChannelError::Recorded { .. }
                | ChannelError::NotANumber { .. }
                | ChannelError::Sequence { .. },
            )
            | Self::Decode(StableError::TooLarge { .. }) => Status::Usage,
            Self::Output(_)
            | Self::Resolve(_)
            | Self::NotMemory { .. }
            | Self::OtherMount { .. }
            | Self::Beyond { .. }
            | Self::NoRoom { .. }
            | Self::Read { .. }
            | Self::Unfit(_)
            | Self::NotWatched(_)
            | Self::Vanished { .. }
            | Self::Released { .. }
            | Self::NotFoundEverywhere { .. }
            | Self::Stopped(_)
            | Self::Open(_)
            | Self::Decode(StableError::Read { .. } | StableError::Layout(_))
            | Self::Code(_)
            | Self::Channel(ChannelError::Segment(_) | ChannelError::PastEnd { .. })
            | Self::Scope(_)
            | Self::NotLogged(_) => Status::Failed,
        }
    }
}

impl From<io::Error> for Failure {
    /// Converts a write error. Read errors include the name of the segment and are created where
    /// they occur.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Output(error) }
    }
}
