//! Writers: the threads and functions that change a value, from the records of watchpoints.

mod parts;
mod samples;
mod table;
mod tally;
mod text;
mod write;

pub use parts::{PartsError, parts};
pub use samples::WriteSamples;
pub use table::{ThreadState, Writer, WriterTable};
pub use tally::{Tally, ThreadId};
pub use write::Write;
