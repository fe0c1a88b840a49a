//! Reads contents without disturbing them: the reader, extents, search, comparison, and change
//! tracking.
//!
//! Nothing here touches a hole, and memory use does not depend on the size of the segment.

mod compare;
mod data;
#[cfg(test)]
mod example;
mod extents;
mod live;
mod page_buffer;
mod pattern;
mod pieces;
mod pipeline;
mod progress;
mod reader;
mod search;
mod tracker;
mod turns;
mod zeros;

pub use compare::differences;
pub use data::next_data;
pub use live::{Cell, CellKind, Live, Look, Request};
pub use page_buffer::PageBuffer;
pub(crate) use page_buffer::is_slow;
pub use pattern::{Pattern, PatternError};
pub use pieces::{Piece, Pieces};
pub(crate) use pipeline::pipeline;
pub use progress::{Direction, Progress};
pub use reader::{OpenError, Reader, Standing};
pub use search::{Matches, find_all, find_next};
pub use tracker::{Change, Tracker};
pub(crate) use turns::in_turns;
