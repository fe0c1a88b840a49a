//! Judges each segment: is it in use, removed, or not known.

mod state;

pub use state::{assess, judge};
