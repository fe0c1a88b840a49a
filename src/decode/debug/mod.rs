//! Debug information of programs: the types, variables and functions that their compilers described,
//! in DWARF 3 to 5, of C, C++ and Rust.
//!
//! [`Program::open`] reads a program or shared library. It does no I/O: the caller passes the open
//! file, its path as the process sees it, and a way to open others ([`OpenFile`]), for the debug file,
//! `.dwo` files, and the file that dwz shares between programs. From then on the program owns its
//! bytes, and can be kept and sent to a worker.
//!
//! - [`Program::find`] makes a [`Type`](super::Type) from a name as it is typed, `ns::Ring<float, 4>`.
//!   [`Program::types`] lists all, [`Program::types_of_size`] those that fit a segment, and
//!   [`Program::ty`] makes one of the list.
//! - [`Program::variables`] lists globals and statics with their addresses in the file. Those in a
//!   process are higher by [`Program::load_bias`]. [`Program::pointers`] tells where in a variable
//!   pointers are, and to which types.
//! - [`Program::function_at`], [`Program::unwind`] and [`Program::locals`] walk over the frames of a
//!   thread whose registers and memory the caller can read. [`Program::sources_at`] tells the lines of
//!   the source, and [`Symbols`] the functions of a program without debug information.
//!
//! Whatever a file contains, answers end with an error in bounded time and memory: files are those of
//! any user.

mod arrays;
mod base;
mod describe;
mod elf;
mod enums;
mod error;
mod file;
mod frames;
mod functions;
mod index;
mod lines;
mod locals;
mod location;
mod name;
mod outline;
mod pointers;
mod program;
mod records;
mod same;
mod scan;
mod search;
mod sections;
mod separate;
mod split;
mod symbols;
mod transparent;
mod types;
mod units;
mod variables;
mod variants;

pub use error::DebugError;
pub use file::{FileSource, OpenFile};
pub use frames::Caller;
pub use functions::Function;
pub use index::{NamedKind, NamedType, TypeId};
pub use lines::SourcePlace;
pub use locals::Local;
pub use location::{Frame, Location, ReadMemory, Registers};
pub use pointers::{ElementCount, PointerInside};
pub use program::Program;
pub use symbols::{Symbol, Symbols};
pub use variables::Variable;
