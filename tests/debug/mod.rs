//! Debug information against the compilers that write it.

mod cases;
mod compile;
mod files;
mod truth;
