//! Types against the compilers and interpreters that make them.

mod code;
mod fuzz;
mod gcc;
mod generator;
mod layouts;
mod programs;
mod refusals;
mod samples;
mod values;
