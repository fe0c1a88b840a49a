//! Decodes bytes into values and text: scalars, arrays, hex dumps, and copy formats. Only [`dump`]
//! reads a segment.

mod copy;
mod dump;
mod encode;
mod hexdump;
mod hexline;
pub mod moving;
mod order;
mod scalar;
mod text;
mod types;
mod value;

pub use copy::{CopyFormat, copy_as};
pub use dump::dump;
pub use encode::{ParseValueError, pattern_of_value};
pub use hexdump::{HexDump, Squeeze};
pub use order::ByteOrder;
pub use scalar::Scalar;
pub use text::text_at;
pub use types::{Decoded, ParseTypeError, Type};
pub use value::{Time, Value};
