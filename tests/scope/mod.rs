//! The scope: values over time, read from the memory of real programs, and their recordings.

mod record;
mod channels;
mod recording;
mod sampling;
mod tools;
