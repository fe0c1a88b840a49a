//! Reports of the engine.

use super::Clock;
use super::request::SubscriptionId;
use crate::act::access::Rules;
use crate::act::{
    ActError, Answer, Outcome, OwnAttachment, Plan, Question, Released, TerminateError, TerminateResult,
    Termination, Undone,
};
use crate::machine::Method;
use crate::memory::{Cell, Change, Forecast, OpenError, Progress, Snapshot};
use crate::segment::{SegmentId, ShownError, plain_error};
use crate::survey::Survey;
use std::io;
use std::ops::Range;

/// A report.
#[derive(Debug)]
pub struct Report {
    /// The subscription of the report, if any.
    pub subscription: Option<SubscriptionId>,
    /// The time at which the data was read.
    pub at: Clock,
    pub body: Body,
}

/// The contents of a report.
#[derive(Debug)]
pub enum Body {
    /// The machine was surveyed.
    Surveyed(Box<Survey>),
    /// The holders have changed; the next survey includes them.
    HoldersChanged,
    /// A subscription has opened its segment, or has ended because opening failed.
    Opened(Result<Opened, OpenError>),
    /// A look at a segment that left no trace.
    Preview(Preview),
    /// The change rates of the segments that were polled.
    Rates(Vec<(SegmentId, Activity)>),
    /// A window of a segment.
    Window(Box<Snapshot>),
    /// Reading a window failed; it will be retried.
    WindowFailed(ShownError),
    /// The bytes of each range; fewer at the end of the segment.
    Ranges(Vec<Vec<u8>>),
    /// Changes in a segment.
    Changes(Changes),
    /// The segment of a subscription is gone, and the subscription has ended.
    Ended(Ended),
    /// The answer to a search.
    Found(Found),
    /// The progress of a search (with a subscription) or of an action (without).
    Progress(Working),
    /// The rules that decide which users may attach a segment.
    Rules(SegmentId, Rules),
    /// The answer to a question about what the user is typing.
    Answered(Question, Answer),
    /// Plans, one per request.
    Planned(Vec<Plan>),
    /// The outcomes of applied plans, one per plan.
    Acted(Vec<Outcome>),
    /// The outcomes of saving segments, one per segment.
    Saved(Vec<Outcome>),
    /// The results of an undo, one per segment.
    Undone(Vec<Undone>),
    /// The segments that shmlens holds.
    Attachments(Vec<OwnAttachment>),
    /// The results of releasing segments, one per segment.
    Released(Vec<(SegmentId, Result<Released, ActError>)>),
    /// The result of asking a process to terminate.
    Terminated(Box<Termination>, Result<TerminateResult, TerminateError>),
    /// A worker panicked. The panic hook has printed the reason.
    Panicked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    pub size: u64,
    pub method: Method,
}

/// A look at a segment that left no trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    pub id: SegmentId,
    pub look: Result<Box<Look>, Unread>,
}

/// The contents of a segment at one point in time, as a preview shows them.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The size of the segment.
    pub size: u64,
    pub method: Method,
    /// The first bytes.
    pub bytes: Vec<u8>,
    /// The changed parts of `bytes`.
    pub changed: Vec<Range<u64>>,
    /// The swapped out parts of `bytes`, which were not read and are zero there.
    pub swapped: Vec<Range<u64>>,
    /// The whole segment in equal parts.
    pub map: Vec<Cell>,
    /// The values that move, most interesting first.
    pub moving: Vec<Moving>,
}

/// A value that was detected because it moves.
#[derive(Debug, Clone, PartialEq)]
pub struct Moving {
    pub offset: u64,
    /// The type, such as `f64` or `u32/u64`.
    pub kind: String,
    /// The last value.
    pub value: String,
    /// The last values, oldest first, for a sparkline.
    pub history: Vec<f64>,
    /// The change per second, such as `+50/s`; empty where it means nothing.
    pub rate: String,
}

/// The change rate of a segment, or the reason why it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Activity {
    /// Bytes found different per second since the last poll.
    Changing {
        bytes_per_second: u64,
        /// Only parts of the segment were compared.
        sampled: bool,
    },
    Unread(Unread),
}

/// The reason why a segment is not read without being asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// Reading would leave a trace.
    Trace(Forecast),
    /// It cannot be read.
    Failed(ShownError),
}

/// The changes found in a segment.
#[derive(Debug, Default)]
pub struct Changes {
    pub size: u64,
    /// In ascending order.
    pub changes: Vec<Change>,
    /// True once the whole range was read. A large or busy segment takes several reports per pass.
    pub complete: bool,
}

/// The reason why a subscription has ended.
#[derive(Debug)]
pub enum Ended {
    /// The segment was removed.
    Removed,
    /// The segment was unlinked, and its last holder released it.
    Released,
    /// shmlens released the segment on request.
    Closed,
    /// The segment can no longer be read.
    Unreadable(io::Error),
}

/// The answer to a jump or search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub number: u64,
    /// The offset, `None` if there is none, or the error.
    pub result: Result<Option<u64>, ShownError>,
    /// The search continued from the other end.
    pub wrapped: bool,
}

/// The progress of long work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Working {
    /// The action and its segment; safe to print.
    pub what: String,
    /// The number of the current segment, starting at 1.
    pub item: usize,
    /// The number of segments.
    pub items: usize,
    /// The number of bytes processed of the current segment.
    pub done: u64,
    /// The total number of bytes of the current segment; 0 if the action does not count bytes.
    pub total: u64,
}

impl Preview {
    /// Returns the same look without its changes.
    pub(super) fn unchanged(&self) -> Self {
        let mut preview = self.clone();
        if let Ok(look) = &mut preview.look {
            look.changed.clear();
            for cell in &mut look.map {
                cell.changed = false;
            }
        }
        preview
    }
}

impl Report {
    /// Returns a report that belongs to no subscription.
    #[must_use]
    pub const fn new(at: Clock, body: Body) -> Self {
        Self { subscription: None, at, body }
    }

    /// Returns a report of a subscription.
    #[must_use]
    pub const fn of(subscription: SubscriptionId, at: Clock, body: Body) -> Self {
        Self { subscription: Some(subscription), at, body }
    }

    /// Returns the progress of unfinished work: a search in a subscription, or an action. `None`
    /// for a search that has just started or was cancelled.
    pub(super) fn progress(
        at: Clock,
        subscription: Option<SubscriptionId>,
        progress: &Progress,
    ) -> Option<Self> {
        let silent = subscription.is_some() && (progress.total() == 0 || progress.is_cancelled());
        (!silent).then(|| Self { subscription, at, body: Body::Progress(Working::of(progress)) })
    }
}

impl Working {
    fn of(progress: &Progress) -> Self {
        let (item, items, what) = progress.item();
        Self { what, item, items, done: progress.done(), total: progress.total() }
    }

    /// Returns the action and its segment, numbered if there are several.
    #[must_use]
    pub fn text(&self) -> String {
        if self.items > 1 {
            format!("{}, {} of {}", self.what, self.item, self.items)
        } else {
            self.what.clone()
        }
    }
}

impl Ended {
    /// Returns the reason as text, safe to print.
    #[must_use]
    pub fn text(&self, id: &SegmentId) -> String {
        match self {
            Self::Removed => format!("{id} is gone: removed while it was open"),
            Self::Released => format!("{id} is gone: its last holder has let it go"),
            Self::Closed => format!("{id} was released"),
            Self::Unreadable(error) => unreadable(id, error).to_string(),
        }
    }
}

/// Returns true if the error means that the segment is gone.
pub(super) fn is_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EIDRM | libc::EINVAL))
}

/// Explains why an open segment cannot be read.
pub(super) fn unreadable(id: &SegmentId, error: &io::Error) -> ShownError {
    ShownError::new(if is_gone(error) {
        format!("{id} is gone: removed while it was open")
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        format!("{id} can no longer be read: its permissions changed while it was open")
    } else {
        format!("failed to read {id}: {}", plain_error(error))
    })
}
