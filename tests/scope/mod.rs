//! The scope: values over time, read from the memory of real programs, and their recordings.

mod channels;
mod record;
mod recording;
mod sampling;
mod tools;

pub use sampling::writer;
