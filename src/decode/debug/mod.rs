//! Debug information of programs.

mod arrays;
mod base;
mod elf;
mod enums;
mod error;
mod file;
mod frames;
mod functions;
mod index;
mod locals;
mod location;
mod name;
mod outline;
mod pointers;
mod program;
mod records;
mod search;
mod sections;
mod separate;
mod split;
mod transparent;
mod types;
mod units;
mod variables;
mod variants;

pub use elf::Segment;
pub use error::DebugError;
pub use file::{FileSource, OpenFile};
pub use frames::Caller;
pub use functions::Function;
pub use index::{NamedKind, NamedType, TypeId};
pub use locals::Local;
pub use location::{Frame, Location, ReadMemory, Registers};
pub use pointers::{ElementCount, PointerInside};
pub use program::Program;
pub use variables::Variable;
