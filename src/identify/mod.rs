//! Judges each segment: who made it, and is it in use, removed, or not known.

pub mod catalogue;
pub mod semaphore;
mod state;

pub use state::{assess, judge};
