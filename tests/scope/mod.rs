//! The scope: values over time, read from the memory of real programs, and their recordings.

mod record;
mod recording;
mod sampling;
mod tools;
