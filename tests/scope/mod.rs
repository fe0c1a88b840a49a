//! Values over time.

mod recording;
mod tools;
//! The scope: values over time, read from the memory of real programs.

mod sampling;
