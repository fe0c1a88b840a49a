//! Debug information against the compilers that write it.

mod cases;
mod compile;
mod files;
mod frames;
mod fuzz;
mod hostile;
mod lines;
mod rust;
mod truth;
