//! What the state asks the outside to do. `update` itself does none of it.

use super::confirm::Wish;
use super::save::SaveWish;
use crate::act::{Ending, Hold, Plan, Question, Revert, SavedCopy, Undone};
use crate::memory::{Direction, Pattern};
use crate::segment::Segment;
use std::ops::Range;
use std::time::Duration;

/// Something to be done, by the loop or by a worker; its result comes back as
/// an event.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Look at the machine now.
    Survey,
    /// Look at the machine this often; `None`: only when asked.
    SurveyEvery(Option<Duration>),
    /// Look at who holds what, now.
    Holders(Who),
    /// Show the beginning of this segment, and again while it is selected;
    /// `None`: show none.
    Preview(Option<Box<Segment>>),
    /// Open a segment for Inspect.
    Open(Box<Segment>),
    /// From now on look at this part of the open segment, this often.
    Look(Watching),
    /// Look once more, now.
    LookOnce,
    /// Changes are measured from now on.
    SetBaseline,
    /// Find something in the open segment.
    Find(Request),
    /// Give up the search that is under way.
    StopSearch,
    /// Inspect is left: close the segment unless it is kept.
    Close {
        /// Stay attached after leaving.
        keep: bool,
    },
    /// Ask the kernel about what we hold.
    AskHolds,
    /// Let go of these, each if it is still as it was shown.
    LetGo(Vec<Hold>),
    /// Ask this process to end.
    End(Box<Ending>),
    /// Ask what decides who may attach a segment.
    AskRules(Box<Segment>),
    /// Ask the machine about what is being typed.
    Ask(Question),
    /// Plan these, without changing anything.
    Plan(Vec<Wish>),
    /// Carry these plans out, each if it is still as it was shown.
    Apply(Vec<Plan>),
    /// Take an act back.
    Undo(Undo),
    /// Save these to files.
    Save(Vec<SaveWish>),
    /// Stop the act that is under way; what is done stays done.
    StopAct,
    /// Put this text into the clipboard of the terminal.
    Copy(String),
    /// Take the mouse, or give it back to the terminal.
    CaptureMouse(bool),
    /// Stop, as Ctrl-Z does in a shell.
    Suspend,
    /// End the program.
    Quit,
}

/// Which processes are to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// All.
    All,
    /// These, and those that are new.
    These(Vec<u32>),
}

/// What undoes the last action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// Segments were removed: these copies restore them.
    Copies(Vec<SavedCopy>),
    /// Segments were changed: planned again on the very same segments.
    Acts(Vec<Revert>),
}

impl Undo {
    /// Returns what another attempt can undo, given the results of this one. What
    /// was not attempted has no result.
    #[must_use]
    pub fn left(self, results: &[Undone]) -> Option<Self> {
        fn rest<T>(items: Vec<T>, results: &[Undone]) -> Vec<T> {
            let remains = |at: usize| match results.get(at).map(|undone| &undone.result) {
                None => true,
                Some(result) => result.as_ref().is_err_and(|failure| failure.again),
            };
            items.into_iter().enumerate().filter(|(at, _)| remains(*at)).map(|(_, item)| item).collect()
        }
        match self {
            Self::Copies(copies) => {
                Some(rest(copies, results)).filter(|left| !left.is_empty()).map(Self::Copies)
            }
            Self::Acts(acts) => Some(rest(acts, results)).filter(|left| !left.is_empty()).map(Self::Acts),
        }
    }
}

/// What is to be looked at, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watching {
    /// The bytes on the screen.
    pub window: Range<u64>,
    /// How many cells the map has.
    pub cells: usize,
    /// How often to look; `None`: frozen, only when asked.
    pub every: Option<Duration>,
}

/// A jump or search.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its number, by which the answer is known.
    pub number: u64,
    /// Forward: the first offset that may be the answer. Backward: the answer
    /// lies before it.
    pub from: u64,
    /// Which way.
    pub direction: Direction,
    /// What to find.
    pub what: Target,
}

/// What a jump looks for.
#[derive(Debug, Clone)]
pub enum Target {
    /// Bytes. Goes on from the other end when there are none that way.
    Pattern(Box<Pattern>),
    /// A byte that changed since the baseline.
    Change,
    /// Data past a run of zeros or holes of at least so many bytes.
    Data {
        /// The shortest run that is stepped over.
        gap: u64,
    },
}
