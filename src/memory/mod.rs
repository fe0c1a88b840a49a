//! Reads contents without side effects: the reader, extents, search, comparison, and change
//! tracking.
//!
//! Holes are never read, and memory use does not depend on the size of the segment.

mod chunks;
mod compare;
mod data;
#[cfg(test)]
mod example;
mod extents;
mod in_order;
mod leases;
mod open_error;
mod page_buffer;
mod pattern;
mod peek;
mod pipeline;
mod progress;
mod reader;
mod search;
mod tracker;
mod zeros;

pub use chunks::{Chunk, Chunks};
pub use compare::differences;
pub use data::next_data;
pub(crate) use in_order::in_order;
pub use leases::WriteLeases;
pub use open_error::{OpenError, leased_by};
pub use page_buffer::PageBuffer;
pub(crate) use page_buffer::is_slow;
pub use pattern::{Pattern, PatternError};
pub use peek::{Peek, fill_resident, peek};
pub(crate) use pipeline::pipeline;
pub use progress::{Direction, Progress};
pub use reader::{Forecast, Presence, Reader};
pub use search::{Matches, find_all, find_next};
pub use tracker::{Cell, CellKind, Change, Quiet, Rows, Snapshot, SnapshotRequest, Tracker};
