//! What can happen to the program: the only way in which anything reaches the
//! state.

use super::key::{Key, Mouse};
use super::work::Working;
use crate::act::access::Rules;
use crate::act::{
    ActError, Answer, EndError, Ended, Ending, Hold, Outcome, Plan, Question, Released, Undone,
};
use crate::memory::{Look, OpenError};
use crate::segment::SegmentId;
use crate::survey::Survey;
use std::time::Duration;

/// Time since the program began: it never goes back.
pub type Clock = Duration;

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A key was pressed.
    Key(Key),
    /// The mouse did something.
    Mouse(Mouse),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this size now.
    Resize(Size),
    /// Nothing but that time has passed: a glow fades, a notice goes.
    Tick,
    /// The machine was looked at.
    Surveyed(Box<Survey>),
    /// It is known anew who holds what: the next survey has it.
    HoldersLooked,
    /// The beginning of the selected segment was read again.
    Previewed(Preview),
    /// A segment was opened, or could not be.
    Opened(Opened),
    /// The open segment was looked at.
    Looked(Box<Look>),
    /// Looking at it failed.
    LookFailed(String),
    /// What was asked for of a jump or search has been found, or not.
    Found(Found),
    /// How far a long search is: bytes done, of how many.
    Searching {
        /// Bytes that were searched.
        done: u64,
        /// Bytes there are to search.
        total: u64,
    },
    /// What decides who may attach a segment.
    Rules(SegmentId, Rules),
    /// The machine was asked about what was being typed.
    Answered(Question, Answer),
    /// Plans were made, one for each wish.
    Planned(Vec<Plan>),
    /// How far an act is that takes long.
    Working(Working),
    /// Plans were carried out, or not, each for itself.
    Acted(Vec<Outcome>),
    /// Segments were saved to files, or not, each with its own outcome.
    Saved(Vec<Outcome>),
    /// An action was undone, or not, each segment for itself.
    Undone(Vec<Undone>),
    /// What we hold, as the kernel has it.
    Holds(Vec<Hold>),
    /// Holds of ours were let go, or not, each for itself.
    LetGo(Vec<(SegmentId, Result<Released, ActError>)>),
    /// A process was asked to end, or could not be.
    Ended(Box<Ending>, Result<Ended, EndError>),
    /// Something that was asked for cannot be done: what and why, safe to print.
    Failed(String),
    /// We were stopped and go on: everything has to be drawn anew.
    Resumed,
}

/// The size of the terminal in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// What the detail area shows of a segment's beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Of which segment.
    pub id: SegmentId,
    /// Its first bytes, or why there are none.
    pub bytes: Result<Vec<u8>, String>,
}

/// How opening a segment for Inspect went.
#[derive(Debug)]
pub struct Opened {
    /// Which segment.
    pub id: SegmentId,
    /// Whether it is open now, or why not.
    pub result: Result<(), OpenError>,
}

/// The answer to a jump or search in the open segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The number that the request had: an answer to an older one is dropped.
    pub request: u64,
    /// Where it is, or that there is none, or what failed.
    pub result: Result<Option<u64>, String>,
    /// Whether the search went on from the other end.
    pub wrapped: bool,
}
