//! Requests to the engine.

use super::wish::{SaveWish, Undo, Wish};
use crate::act::{Ending, Hold, Plan, Question};
use crate::memory::{Direction, Pattern};
use crate::segment::Segment;
use std::ops::Range;
use std::time::Duration;

/// The id of a subscription, chosen by the caller. A new subscription with the same id replaces the
/// old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub u64);

/// A request to the engine. Results come back as [`super::Report`]s.
#[derive(Debug, Clone)]
pub enum Request {
    /// Survey the machine now.
    Survey,
    /// Survey the machine, and scan the holders, this often; `None`: only on request.
    SurveyEvery(Option<Duration>),
    /// Scan the holders now.
    Holders(ScanScope),
    /// Report contents of this segment until [`Request::Unsubscribe`].
    Subscribe(SubscriptionId, Box<Segment>, Feed),
    /// Change the window of a [`Feed::Window`], and its rate.
    SetWindow(SubscriptionId, Watching),
    /// Read a subscription once more, now.
    ReadOnce(SubscriptionId),
    /// Read a subscription this often; `None`: only on request.
    Every(SubscriptionId, Option<Duration>),
    /// Measure the differences of a [`Feed::Window`] from now on.
    SetBaseline(SubscriptionId),
    /// End a subscription.
    Unsubscribe {
        subscription: SubscriptionId,
        /// Stay attached.
        keep: bool,
    },
    /// Search the segment of a subscription. Cancels the search before.
    Search(SubscriptionId, Search),
    /// Cancel the search.
    StopSearch,
    /// List the segments that shmlens holds.
    ListHolds,
    /// Release these, each if it is still as it was shown.
    Release(Vec<Hold>),
    /// Ask this process to end.
    End(Box<Ending>),
    /// Look up the rules that decide who may attach a segment.
    Rules(Box<Segment>),
    /// Look up what is being typed.
    Ask(Question),
    /// Plan these, without changing anything.
    Plan(Vec<Wish>),
    /// Apply these plans, each if its segment is still as it was shown.
    Apply(Vec<Plan>),
    /// Undo an action.
    Undo(Undo),
    /// Save these to files.
    Save(Vec<SaveWish>),
    /// Stop the running action; completed steps stay done.
    StopAct,
}

/// The data that a subscription reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feed {
    /// A window with a map of the whole segment. Nothing is read before
    /// [`Request::SetWindow`].
    Window,
    /// The first bytes, whenever they change. Holds nothing, and never attaches a System V segment.
    Preview {
        /// The interval; `None`: once, and on request.
        every: Option<Duration>,
    },
    /// The bytes of each range at an interval.
    Ranges { ranges: Vec<Range<u64>>, every: Duration },
    /// Every change in a range, with the bytes before and after.
    Changes {
        /// Cut at the end of the segment.
        range: Range<u64>,
        /// The size of the values in it: none is split between two changes.
        value: u64,
        /// The interval; `None`: as often as costs little.
        every: Option<Duration>,
    },
}

/// The processes to scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanScope {
    All,
    /// These, and those that are new.
    These(Vec<u32>),
}

/// The part of a segment that a [`Feed::Window`] reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watching {
    pub window: Range<u64>,
    /// The number of cells of the map.
    pub cells: usize,
    /// The interval; `None`: frozen, only on request.
    pub every: Option<Duration>,
}

/// A jump or search.
#[derive(Debug, Clone)]
pub struct Search {
    /// The number that the answer carries.
    pub number: u64,
    /// Forward: the first offset that may be the answer. Backward: the answer is before it.
    pub from: u64,
    pub direction: Direction,
    pub target: Target,
}

/// The target of a jump.
#[derive(Debug, Clone)]
pub enum Target {
    /// Bytes. Wraps around.
    Pattern(Box<Pattern>),
    /// A byte that changed since the baseline.
    Change,
    /// Data past a run of zeros or holes of at least `gap` bytes.
    Data {
        /// The shortest run that is skipped.
        gap: u64,
    },
}

impl Request {
    /// Returns true for work that may take long and reports its progress.
    pub(super) const fn is_long(&self) -> bool {
        matches!(self, Self::Search(..) | Self::Apply(_) | Self::Undo(_) | Self::Save(_))
    }

    /// Returns the subscription whose segment is searched.
    pub(super) const fn searched(&self) -> Option<SubscriptionId> {
        match self {
            Self::Search(subscription, _) => Some(*subscription),
            _ => None,
        }
    }
}
