//! Shared test code: namespaces without shared memory, child processes, other users, system tools,
//! a terminal.
#![expect(
    unsafe_code,
    reason = "code between fork and exec, and credentials of a single thread, have no safe API"
)]

mod child;
mod harness;
mod no_tmpfile;
mod nobody;
mod programs;
mod segments;
mod terminal;
mod tools;
mod wait;
mod world;

pub use child::{Child, ask_before_exec};
pub use harness::{Acts, Harness};
pub use no_tmpfile::without_tmpfile;
pub use nobody::{NOBODY, Nobody, as_nobody, limit_locked};
pub use programs::{asset, compile_cpp, demo_program, python, shmlens};
pub use segments::{Object, Sysv, orphan};
pub use shmlens::sys::skip::{skip, skip_for_kernel};
pub use terminal::{Mouse, Terminal};
pub use tools::tool;
pub use wait::{SOON, SetOnDrop, wait_until};
pub use world::Namespaces;
