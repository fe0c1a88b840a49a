//! Values over time: channels, their samples, what is computed from them, and recordings.
//!
//! A sampler reads the [`SampledValue`]s of all channels at every tick and delivers [`Batch`]es. Callers
//! add the channels that are expressions, and feed the result to histories, triggers and recordings.

mod array;
mod batch;
mod channel;
pub mod expression;
mod history;
mod number;
pub mod plot;
pub mod recording;
pub mod sampler;
mod statistics;
pub mod text;
mod timing;
pub mod trigger;
pub mod units;
mod value_text;
pub mod writers;

pub use array::{
    ArrayContents, ArrayStatistics, Elements, MAX_ARRAY_BYTES, NotNumbers, SampledArray, Waveform,
};
pub use batch::{Batch, Column, Event, EventKind, Grade};
pub use channel::{Channel, SampledValue, Sequence, Source};
pub use history::{Buckets, Columns, Edge, History, Sample, Span};
pub use number::{Number, NumberKind};
pub use statistics::Statistics;
pub use timing::{Rate, Timing};
