//! Reads contents without disturbing them: the reader, extents, search,
//! compare.

mod reader;

pub use reader::{OpenError, Reader, Standing};
