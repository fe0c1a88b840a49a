//! Channels: named values in segments, and expressions over other channels.

use super::number::NumberKind;
use crate::decode::{Bits, Place, Type};
use crate::segment::Segment;

/// A channel of the scope.
#[derive(Debug, Clone)]
pub struct Channel {
    /// Unique among the channels.
    pub name: String,
    pub kind: NumberKind,
    pub source: Source,
}

#[derive(Debug, Clone)]
pub enum Source {
    /// Read from a segment at every tick.
    Value(SampledValue),
    /// Computed from the channels that it names.
    Expression(String),
    /// Read from a recording.
    Recorded,
}

/// A number in a segment.
#[derive(Debug, Clone)]
pub struct SampledValue {
    /// The segment as it was found. When it is removed, its name or key finds the next one.
    pub segment: Box<Segment>,
    pub offset: u64,
    /// A type that has a [`NumberKind`].
    pub ty: Type,
    /// Set for a bit-field.
    pub bits: Option<Bits>,
    /// The sequence lock that protects the value.
    pub sequence: Option<Sequence>,
}

/// A sequence lock: an integer that is odd while its writer changes the values, and grows with every
/// change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    pub offset: u64,
    /// 4 or 8 bytes.
    pub size: u8,
}

impl SampledValue {
    #[must_use]
    pub const fn place(&self) -> Place<'_> {
        Place { ty: &self.ty, offset: self.offset, bits: self.bits }
    }
}
