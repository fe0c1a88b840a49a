//! shmscope: the shared-memory inspector for Linux.
//!
//! The map of the house. Each room uses only rooms that stand before it:
//!
//! | room | does |
//! |---|---|
//! | [`segment`] | what a segment is; plain data, and the filter over it |
//! | [`sys`] | raw kernel calls, and all that is unsafe |
//! | [`machine`] | the machine behind one trait: the real one, and a made one for tests |
//! | [`survey`] | looks at the machine: every segment, the limits, the difference of two looks |
//! | [`memory`] | reads contents without disturbing them |
//! | [`identify`] | judges each segment |
//! | [`demo`] | the world that `shmscope demo` makes |

pub mod demo;
pub mod identify;
pub mod machine;
pub mod memory;
pub mod segment;
pub mod survey;
pub mod sys;
