//! Values over time.

mod recording;
mod tools;
