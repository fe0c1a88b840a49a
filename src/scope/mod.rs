//! Values over time: channels, their samples, what is computed from them, and recordings.
//!
//! A sampler reads the [`SampledValue`]s of all channels at every tick and delivers [`Batch`]es. Callers
//! add the channels that are expressions, and feed the result to histories, triggers and recordings.

mod batch;
mod channel;
mod number;
mod timing;

pub use batch::{Batch, Column, Event, EventKind, Grade};
pub use channel::{Channel, SampledValue, Sequence, Source};
pub use number::{Number, NumberKind};
pub use timing::{Rate, Timing};
