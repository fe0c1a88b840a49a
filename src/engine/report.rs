//! Reports of the engine.

use super::Clock;
use super::request::SubscriptionId;
use super::scope::Delivery;
use crate::act::access::Rules;
use crate::act::{
    ActError, Answer, Outcome, OwnAttachment, Plan, Question, Released, TerminateError, TerminateResult,
    Termination, UndoResult,
};
use crate::decode::StableValue;
use crate::decode::layouts::{Built, Layout};
use crate::identify::about::Probe;
use crate::identify::locks::Lock;
use crate::identify::typing::Candidate;
use crate::machine::Method;
use crate::memory::{Cell, Change, Forecast, OpenError, Progress, Snapshot};
use crate::scope::text::{Completion, ResolvedSignal};
use crate::scope::writers::WriterTable;
use crate::segment::{Bytes, Identity, SegmentId, ShownError, escape, plain_error};
use crate::survey::{Alert, Survey};
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

#[derive(Debug)]
pub struct Report {
    /// `None` if the report is not about a subscription.
    pub subscription: Option<SubscriptionId>,
    /// The time at which the data was read.
    pub at: Clock,
    pub body: Body,
}

#[derive(Debug)]
pub enum Body {
    /// The machine was surveyed.
    Surveyed(Box<Survey>),
    /// The holders have changed; the next survey includes them.
    HoldersChanged,
    /// A subscription has opened its segment, or has ended because opening failed.
    Opened(Result<Opened, OpenError>),
    /// The first bytes of a segment, read without leaving a trace.
    Preview(Preview),
    /// The locks of a segment that [`Request::WatchLocks`](super::Request::WatchLocks) names.
    SegmentLocks(SegmentId, Vec<Lock>),
    /// The writers of the value that [`Request::WatchWriters`](super::Request::WatchWriters) names.
    Writers(Box<WriterTable>),
    /// The segment of the watched value is gone, with all of its holders. The watch has ended.
    WritersEnded(SegmentId),
    /// Alerts about all locks that nobody will unlock.
    Locks(Vec<Alert>),
    /// The state of the recording: once it has begun, about once a second, and at its end. An error ends
    /// it, and tells what was kept.
    Recording(Result<RecordingState, ShownError>),
    /// The result of [`Request::SaveSamples`](super::Request::SaveSamples).
    SamplesSaved(Result<RecordingState, ShownError>),
    /// The channels and arrays of [`Request::FindChannels`](super::Request::FindChannels), one for each text.
    ChannelsFound {
        number: u64,
        found: Vec<Result<ResolvedSignal, ShownError>>,
    },
    /// The texts that continue the text of a channel.
    ChannelCompletions(String, Vec<Completion>),
    /// Samples of the scope, or of the value that is watched with
    /// [`WatchedValue::sample`](super::WatchedValue::sample).
    Samples(Delivery),
    /// The change rates of the segments that were polled.
    Rates(Vec<(SegmentId, Activity)>),
    /// A window of a segment.
    Window(Box<Snapshot>),
    /// The type of the contents of a window has changed, or they do not have its layout.
    Built(Layout, Result<Built, ShownError>),
    /// Reading a window failed; it will be retried.
    WindowFailed(ShownError),
    /// The bytes of each range; fewer at the end of the segment.
    Ranges(Vec<Vec<u8>>),
    Changes(Changes),
    /// The value of a layout, or the reason why the contents do not have it.
    Value(Result<Box<StableValue>, ShownError>),
    /// The segment of a subscription is gone, and the subscription has ended.
    Ended(Ended),
    /// The result of a search.
    Found(Found),
    /// The number of a request, and all hits of its pattern, up to the maximum.
    Hits(u64, Result<Hits, ShownError>),
    /// The progress of a search (with a subscription) or of an action (without).
    Progress(WorkProgress),
    /// The rules that decide which users may attach a segment.
    Rules(SegmentId, Rules),
    Answered(Question, Answer),
    /// The facts that a probe of a segment found.
    Probed(SegmentId, Probe),
    /// The types that fit a segment.
    Types(SegmentTypes),
    /// Plans, one per request.
    Planned(Vec<Plan>),
    /// The outcomes of applied plans, one per plan.
    Acted(Vec<Outcome>),
    /// The outcomes of saving segments, one per segment.
    Saved(Vec<Outcome>),
    /// The results of an undo, one per segment.
    Undone(Vec<UndoResult>),
    /// The segments that shmlens holds.
    Attachments(Vec<OwnAttachment>),
    /// The results of releasing segments, one per segment.
    Released(Vec<(SegmentId, Result<Released, ActError>)>),
    /// The result of asking a process to exit.
    Terminated(Box<Termination>, Result<TerminateResult, TerminateError>),
    /// A worker panicked. The panic hook has printed the message.
    Panicked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    pub size: u64,
    pub method: Method,
}

/// The state of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingState {
    pub files: Vec<PathBuf>,
    /// The ticks in the files at which at least one channel has a sample.
    pub samples: u64,
    /// The length of the files on disk. Some samples are written later, and those of `.npz` at the end.
    pub bytes: Bytes,
    pub is_finished: bool,
}

/// The types that fit a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentTypes {
    pub id: SegmentId,
    pub identity: Identity,
    /// Best first; none if the segment cannot be read without a trace.
    pub found: Vec<Candidate>,
    /// The reasons why some holders show no types, safe to print.
    pub problems: Vec<String>,
}

/// A preview of a segment, read without leaving a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    pub id: SegmentId,
    pub look: Result<Box<Look>, Unread>,
}

/// The data of a preview.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The size of the segment.
    pub size: u64,
    pub method: Method,
    /// The first bytes.
    pub bytes: Vec<u8>,
    /// The parts of `bytes` that have changed.
    pub changed: Vec<Range<u64>>,
    /// The parts of `bytes` that are swapped out. They were not read and are 0 in `bytes`.
    pub swapped: Vec<Range<u64>>,
    /// The whole segment in equal parts.
    pub map: Vec<Cell>,
    /// Values that change, most interesting first.
    pub moving: Vec<Moving>,
    /// The bytes of the requested fields with their offsets; none of what is swapped out.
    pub fields: Vec<(u64, Vec<u8>)>,
    /// The type that the contents have, if a layout was requested.
    pub built: Option<Result<Built, ShownError>>,
}

/// A value that was detected by its changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Moving {
    pub offset: u64,
    /// The type, such as `f64` or `u32/u64`.
    pub kind: String,
    /// The last value.
    pub value: String,
    /// The last values, oldest first, for a sparkline.
    pub history: Vec<f64>,
    /// The change per second, such as `+50/s`; empty if the kind of value has no rate.
    pub rate: String,
}

/// The change rate of a segment, or the reason why it is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Activity {
    /// Bytes per second that differ from the previous poll.
    Changing {
        bytes_per_second: u64,
        /// Set if only parts of the segment were compared.
        sampled: bool,
    },
    Unread(Unread),
}

/// The reason why a segment has no preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// Reading would leave a trace.
    Trace(Forecast),
    /// Reading would break the write lease of this process.
    Leased(Option<u32>),
    Failed(ShownError),
}

#[derive(Debug, Default)]
pub struct Changes {
    pub size: u64,
    /// The changes, in ascending order of offset.
    pub changes: Vec<Change>,
    /// True once the whole range was read. A large or busy segment takes several reports per pass.
    pub complete: bool,
}

#[derive(Debug)]
pub enum Ended {
    /// The segment was removed.
    Removed,
    /// Unlinked, and no longer held by any process.
    Released,
    /// shmlens released the segment on request.
    Closed,
    /// The segment can no longer be read.
    Unreadable(io::Error),
}

/// The result of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub number: u64,
    /// The offset of the match; `None` if there is none.
    pub result: Result<Option<u64>, ShownError>,
    /// Set if the search continued from the other end.
    pub wrapped: bool,
}

/// The hits of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hits {
    /// In ascending order.
    pub offsets: Vec<u64>,
    /// Set if there are more hits than the maximum.
    pub more: bool,
}

/// The progress of long work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkProgress {
    /// The action and its segment, safe to print.
    pub what: String,
    /// The number of the current segment, starting at 1.
    pub item: usize,
    /// The number of segments.
    pub items: usize,
    /// Bytes done in the current segment.
    pub done: u64,
    /// The size of the current segment; 0 if the action does not count bytes.
    pub total: u64,
}

impl Preview {
    /// Returns the same data without its changes.
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
    #[must_use]
    pub const fn new(at: Clock, body: Body) -> Self {
        Self { subscription: None, at, body }
    }

    #[must_use]
    pub const fn of(subscription: SubscriptionId, at: Clock, body: Body) -> Self {
        Self { subscription: Some(subscription), at, body }
    }

    /// Reports the progress of a search in a subscription, or of an action. `None` for a search
    /// that has just started or was canceled.
    pub(super) fn progress(
        at: Clock,
        subscription: Option<SubscriptionId>,
        progress: &Progress,
    ) -> Option<Self> {
        let silent = subscription.is_some() && (progress.total() == 0 || progress.is_cancelled());
        (!silent).then(|| Self { subscription, at, body: Body::Progress(WorkProgress::of(progress)) })
    }
}

impl RecordingState {
    /// `20000 samples in run.csv (1.2 MiB)`, safe to print.
    #[must_use]
    pub fn text(&self) -> String {
        let files = match self.files.as_slice() {
            [] => "no file".to_owned(),
            [file] => escape(file.as_os_str().as_bytes()),
            [first, ..] => {
                format!("{} files from {} on", self.files.len(), escape(first.as_os_str().as_bytes()))
            }
        };
        let plural = if self.samples == 1 { "" } else { "s" };
        let bytes = if self.bytes.0 == 0 { String::new() } else { format!(" ({})", self.bytes) };
        format!("{} sample{plural} in {files}{bytes}", self.samples)
    }
}

impl WorkProgress {
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
