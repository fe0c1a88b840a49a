//! Requests to the engine.

use super::recorder::WaitingSamples;
use crate::act::{Action, OwnAttachment, Plan, Question, Revert, SavedCopy, Termination, UndoResult};
use crate::decode::PlacedType;
use crate::decode::layouts::{Layout, LockKind};
use crate::memory::{Direction, Pattern, Rows};
use crate::scope::recording::Epoch;
use crate::scope::{Batch, Channel, Rate, SampledValue};
use crate::segment::{Bytes, Identity, Segment, SegmentId};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The id of a subscription, chosen by the caller. A new subscription replaces an old one of the
/// same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub u64);

/// The maximum number of hits that are counted.
pub const MAX_HITS: usize = 1000;

/// A request to the engine. Results come back as [`super::Report`]s.
#[derive(Debug, Clone)]
pub enum Request {
    /// Survey the machine now.
    Survey,
    /// Survey and scan the holders at this interval. `None`: on request only.
    SurveyEvery(Option<Duration>),
    /// Scan the holders now.
    Holders(ScanScope),
    /// Report the change rates of these segments up to four times a second, most important
    /// segments first. Replaces the previous list; an empty list stops the reports.
    SetRates(Vec<Segment>),
    /// Check the locks of these segments every few seconds, and report changes of the alerts. Replaces
    /// the previous list; an empty list stops the checks.
    CheckLocks(Vec<Segment>),
    /// Report the locks of an open segment when their state, owner or waiting threads change. Replaces
    /// the previous request; `None` ends the reports.
    WatchLocks(Option<Box<WatchedLocks>>),
    /// Sample values, and report them about 30 times a second. Replaces the previous request, whose
    /// last samples are reported; `None` ends the samples.
    Scope(Option<Box<ScopeRequest>>),
    /// Stop sampling until this is `false` again. The time in between is a gap.
    PauseScope(bool),
    /// Record samples to a file. Replaces the previous recording, which is completed; `None` completes
    /// it.
    Record(Option<Box<RecordRequest>>),
    /// Append samples to the recording; see [`RecordQueue`](super::RecordQueue).
    RecordSamples(WaitingSamples),
    /// Record these samples to a file of their own.
    SaveSamples(Box<RecordRequest>, Vec<Arc<Batch>>),
    /// Find the channels and arrays that these texts name.
    FindChannels(Box<FindChannels>),
    /// Complete the text of a channel in these segments, with the types that the user chose. Replaces the
    /// previous request.
    CompleteChannel(String, Arc<[Segment]>, Vec<ChosenType>),
    /// Watch which threads write to a value, and report them four times a second while they change.
    /// Replaces the previous request; `None` ends the watch. Every write takes longer meanwhile.
    WatchWriters(Option<Box<WatchedValue>>),
    /// Report the contents of a segment until [`Request::Unsubscribe`].
    Subscribe(SubscriptionId, Box<Segment>, Feed),
    /// Change the window of a [`Feed::Window`] and its interval.
    SetWindow(SubscriptionId, Watching),
    /// Read a subscription once, now.
    ReadOnce(SubscriptionId),
    /// Change the interval of a subscription. `None`: on request only.
    Every(SubscriptionId, Option<Duration>),
    /// Reset the baseline of a [`Feed::Window`].
    SetBaseline(SubscriptionId),
    /// End a subscription.
    Unsubscribe {
        subscription: SubscriptionId,
        /// Stay attached.
        keep: bool,
    },
    /// Search the segment of a subscription. Cancels the previous search.
    Search(SubscriptionId, Search),
    /// Find all hits of a pattern in the segment of a subscription, up to [`MAX_HITS`]. Cancels the
    /// search; the next search cancels the count. The number identifies the answer.
    CountHits(SubscriptionId, u64, Box<Pattern>),
    /// Cancel the search, or the count of its hits.
    StopSearch,
    /// List the segments that shmlens holds.
    ListAttachments,
    /// Release these segments, unless they have changed since they were shown.
    Release(Vec<OwnAttachment>),
    /// Ask a process to exit.
    Terminate(Box<Termination>),
    /// Look up the rules that decide which users may attach a segment.
    Rules(Box<Segment>),
    /// Look up what the user is typing.
    Ask(Question),
    /// Examine a segment without leaving a trace, and the other segments that its holders hold.
    Probe(Box<Segment>, Vec<Segment>),
    /// Rank the types that fit a segment. Reads it only if a subscription has it open, or if that
    /// leaves no trace and breaks no lease. Replaces the previous request.
    Types(Box<Segment>),
    /// Plan these actions without changing anything.
    Plan(Vec<PlanRequest>),
    /// Apply these plans, except to segments that have changed since they were shown.
    Apply(Vec<Plan>),
    /// Undo an action.
    Undo(Undo),
    /// Save these segments to files.
    Save(Vec<SaveRequest>),
    /// Stop the running action. Completed steps are not reverted.
    StopAct,
}

/// The data that a subscription reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feed {
    /// A window with a map of the whole segment. Reads nothing before [`Request::SetWindow`].
    Window,
    /// The first bytes, a map of the whole segment and its moving values, whenever they change.
    /// Never leaves a trace, and keeps nothing open between reads.
    Preview {
        /// The interval; `None` to read once, and then on request.
        every: Option<Duration>,
        /// The number of bytes.
        bytes: usize,
        cells: usize,
        /// Set to report the values of a type too.
        fields: Option<PreviewFields>,
    },
    /// The bytes of each range at regular intervals.
    Ranges { ranges: Vec<Range<u64>>, every: Duration },
    /// All changes in a range, with the old and new bytes.
    Changes {
        /// Limited to the segment.
        range: Range<u64>,
        /// The size of a value. No value is split between two changes.
        value: u64,
        /// The interval; `None` for reads as frequent as their cost permits.
        every: Option<Duration>,
    },
    /// The value of a layout, whose type depends on the contents, whenever it changes.
    Value {
        layout: Layout,
        /// As for [`Feed::Changes`].
        every: Option<Duration>,
    },
}

/// The fields that a preview reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewFields {
    pub ranges: Vec<Range<u64>>,
    /// The layout to build the type from.
    pub layout: Option<Layout>,
}

/// The processes to scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanScope {
    All,
    /// These processes and all new ones.
    These(Vec<u32>),
}

/// The locks of a segment to follow.
#[derive(Debug, Clone)]
pub struct WatchedLocks {
    pub segment: Segment,
    /// Their offsets and kinds.
    pub locks: Vec<(u64, LockKind)>,
}

/// The values to sample.
#[derive(Debug, Clone)]
pub struct ScopeRequest {
    /// Identifies the answers.
    pub number: u64,
    /// The columns of the batches, in this order.
    pub values: Vec<SampledValue>,
    pub rate: Rate,
}

/// A recording to start.
#[derive(Debug, Clone)]
pub struct RecordRequest {
    /// Its suffix determines the format.
    pub path: PathBuf,
    /// The columns of the samples, in this order.
    pub channels: Vec<Channel>,
    /// Replace existing files.
    pub replace: bool,
    /// Continue in another file before one gets longer.
    pub max_size: Option<Bytes>,
    /// Record the writer of each sample. The samples are taken at every write.
    pub writers: bool,
    /// Take the next free name, `run-2.csv` after `run.csv`.
    pub is_numbered: bool,
    /// The clock of the times of the samples. `None`: `CLOCK_MONOTONIC`.
    pub epoch: Option<Epoch>,
}

impl RecordRequest {
    /// A recording to one new file.
    #[must_use]
    pub const fn new(path: PathBuf, channels: Vec<Channel>) -> Self {
        Self {
            path,
            channels,
            replace: false,
            max_size: None,
            writers: false,
            is_numbered: false,
            epoch: None,
        }
    }
}

/// The texts of channels.
#[derive(Debug, Clone)]
pub struct FindChannels {
    /// Identifies the answer.
    pub number: u64,
    pub texts: Vec<String>,
    pub segments: Arc<[Segment]>,
    /// The types that the user chose.
    pub types: Vec<ChosenType>,
}

/// The type that the user chose for a segment. It takes the place of the certain one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenType {
    pub id: SegmentId,
    pub identity: Identity,
    pub placed: PlacedType,
}

/// A value whose writers are watched.
#[derive(Debug, Clone)]
pub struct WatchedValue {
    pub segment: Segment,
    /// At most four aligned parts of up to 8 bytes; see [`parts`](crate::scope::writers::parts).
    pub range: Range<u64>,
    /// Release a thread that writes more often than this per second. `None`: never.
    pub limit: Option<u32>,
    /// Stop counting after so many writes.
    pub count: Option<u64>,
    /// Report a sample of this value at every write too.
    pub sample: Option<AtEveryWrite>,
}

/// A value to sample at every write.
#[derive(Debug, Clone)]
pub struct AtEveryWrite {
    /// Identifies the samples.
    pub number: u64,
    pub value: SampledValue,
}

impl WatchedValue {
    /// The usual limit: more would take a large part of the writer's time.
    pub const LIMIT: u32 = 5000;
}

/// The part of a segment that a [`Feed::Window`] reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watching {
    pub window: Range<u64>,
    /// Set to report the rows around the start of the window instead, without long runs of zeros.
    pub rows: Option<Rows>,
    pub cells: usize,
    /// The interval; `None` while frozen: on request only.
    pub every: Option<Duration>,
    /// Set to report the type that the contents have, whenever it changes.
    pub layout: Option<Layout>,
}

/// A jump or search.
#[derive(Debug, Clone)]
pub struct Search {
    /// Identifies the answer.
    pub number: u64,
    /// Forward: the first offset to consider. Backward: the end of the search.
    pub from: u64,
    pub direction: Direction,
    pub target: Target,
}

/// The target of a jump.
#[derive(Debug, Clone)]
pub enum Target {
    /// A byte pattern. Wraps around.
    Pattern(Box<Pattern>),
    /// A value that changed since the baseline: its first changed byte.
    Change {
        /// The size and alignment of values in bytes.
        value: u64,
    },
    /// Data after a run of zeros or holes of at least `gap` bytes.
    Data {
        /// The length of the shortest run to skip.
        gap: u64,
    },
}

/// An action to plan on one segment.
#[derive(Debug, Clone)]
pub struct PlanRequest {
    /// The segment as it was shown.
    pub segment: Box<Segment>,
    pub action: Action,
    /// Act even if the segment is or may be held. The user confirmed this for this segment.
    pub force: bool,
}

/// A segment to save, and its file.
#[derive(Debug, Clone)]
pub struct SaveRequest {
    /// The segment as it was shown.
    pub segment: Box<Segment>,
    pub path: PathBuf,
    pub replace: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// Restore these copies of removed segments.
    Copies(Vec<SavedCopy>),
    /// Plan the reverse changes for the segments that were changed.
    Acts(Vec<Revert>),
}

impl Undo {
    /// Returns the part that a retry can undo. A segment that was not attempted has no result.
    #[must_use]
    pub fn remaining(self, results: &[UndoResult]) -> Option<Self> {
        fn rest<T>(items: Vec<T>, results: &[UndoResult]) -> Vec<T> {
            let remains = |index: usize| match results.get(index).map(|undone| &undone.result) {
                None => true,
                Some(result) => result.as_ref().is_err_and(|failure| failure.can_retry),
            };
            items.into_iter().enumerate().filter(|(index, _)| remains(*index)).map(|(_, item)| item).collect()
        }
        match self {
            Self::Copies(copies) => {
                Some(rest(copies, results)).filter(|remaining| !remaining.is_empty()).map(Self::Copies)
            }
            Self::Acts(acts) => {
                Some(rest(acts, results)).filter(|remaining| !remaining.is_empty()).map(Self::Acts)
            }
        }
    }
}

impl Request {
    /// Returns true for requests that may take long and report progress.
    pub(super) const fn is_long(&self) -> bool {
        matches!(
            self,
            Self::Search(..) | Self::CountHits(..) | Self::Apply(_) | Self::Undo(_) | Self::Save(_)
        )
    }

    /// Returns the subscription whose segment is searched.
    pub(super) const fn searched(&self) -> Option<SubscriptionId> {
        match self {
            Self::Search(subscription, _) | Self::CountHits(subscription, ..) => Some(*subscription),
            _ => None,
        }
    }
}
