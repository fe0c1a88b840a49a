//! Types against the compilers and interpreters that make them.

mod code;
mod fuzz;
pub mod gcc;
pub mod generator;
mod layouts;
mod programs;
mod refusals;
mod samples;
mod values;
