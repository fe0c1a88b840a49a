//! Decodes bytes into values and text: scalars, arrays, hex dumps, and copy formats. Only [`dump`]
//! and [`StableValue`] read a segment.

pub mod code;
mod copy;
pub mod debug;
pub mod declaration;
mod dump;
mod encode;
mod float;
mod hexdump;
mod hexline;
pub mod layouts;
pub mod moving;
mod order;
mod python;
mod scalar;
mod source;
mod stable;
mod text;
mod tick;
mod types;
mod value;

pub use copy::{CopyFormat, copy_as};
pub use dump::{Form, dump, dump_as};
pub use encode::{ParseValueError, pattern_of_value};
pub use hexdump::{HexDump, Squeeze};
pub use order::ByteOrder;
pub use python::PythonTypeError;
pub use scalar::Scalar;
pub use source::{ParseTypeError, PlacedType, ReadHeader, TypeSource, combined, parse_type};
pub use stable::{StableError, StableValue};
pub use text::text_at;
pub use tick::{Tick, TickUnit};
pub use types::{
    Array, Bits, Child, Decoded, Enum, Enumerator, Field, Label, Leaf, Leaves, MAX_DEPTH, MAX_SIZE,
    ParseNameError, Path, Place, Pointer, Record, RecordKind, StringForm, Type, TypeError, TypeKind, Window,
};
pub use value::{Time, Value};
