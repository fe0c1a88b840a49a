//! Recordings: the samples of channels in a file that other programs read.
//!
//! Samples that were taken at every write have the thread and the function of each, too.
//!
//! | suffix | format | a gap is | readable while it grows |
//! |---|---|---|---|
//! | `.mcap` | a topic for each channel, JSON messages | no message | up to the last chunk |
//! | `.csv` | a row for each tick | an empty cell | up to the last line |
//! | `.npz` | an array for each channel | NaN | no: written at the end |

mod archive;
mod csv;
mod encoder;
mod error;
mod figures;
mod file;
mod format;
mod mcap;
mod npy;
mod npz;
mod replay;
mod rollover;
mod spill;
#[cfg(test)]
mod tests;
mod track;
mod window;
mod writer;

pub use error::RecordingError;
pub use figures::Figures;
pub use file::{Recording, RecordingOptions, RecordingSummary};
pub use format::RecordingFormat;
pub use replay::{Replay, ReplayError, open};
pub use rollover::free_path;
pub use track::{Epoch, Track};
pub use window::TriggerWindow;
