//! Fields without identifiers, and the record that they become.

use super::CodeError;
use super::build::{Builder, joined};
use super::identifier::Identifier;
use super::model::{Part, RecordModel};
use crate::decode::Bits;
use std::ops::Range;

/// A field before it has an identifier.
#[derive(Clone)]
pub struct Raw {
    pub name: String,
    pub fallback: String,
    pub label: String,
    pub part: Part,
    pub offset: u64,
    pub size: u64,
    pub bits: Option<Bits>,
}

/// The parts of a record other than its fields.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub is_union: bool,
    pub is_anonymous: bool,
    pub size: u64,
    pub align: u64,
}

impl Raw {
    /// A field at the start, without a name.
    pub const fn new(part: Part, size: u64) -> Self {
        Self {
            name: String::new(),
            fallback: String::new(),
            label: String::new(),
            part,
            offset: 0,
            size,
            bits: None,
        }
    }

    pub const fn bit_range(&self) -> Range<u64> {
        let start = self.offset.saturating_mul(8);
        if let Some(bits) = self.bits {
            let start = start.saturating_add(bits.start as u64);
            return start..start.saturating_add(bits.width as u64);
        }
        start..start.saturating_add(self.size.saturating_mul(8))
    }

    pub const fn end(&self) -> u64 {
        self.offset.saturating_add(self.size)
    }
}

impl Shape {
    /// A struct that does not appear in paths.
    pub const fn hidden(size: u64) -> Self {
        Self { is_union: false, is_anonymous: false, size, align: 1 }
    }

    pub const fn record(self) -> RecordModel {
        let Self { is_union, is_anonymous, size, align } = self;
        let name = Identifier { text: String::new(), original: None };
        RecordModel {
            name,
            is_union,
            is_anonymous,
            size,
            align,
            members: vec![],
            bit_fields: vec![],
            leaves: 0,
        }
    }
}

impl Builder {
    /// Wraps a member of a union that does not start with the union.
    pub fn at_start(&mut self, raw: Raw, hint: &str) -> Result<Raw, CodeError> {
        if raw.offset == 0 && raw.bits.is_none_or(|bits| bits.start == 0) {
            return Ok(raw);
        }
        let size = raw.end();
        let fallback = format!("part_{}", raw.offset);
        let shape = Shape { is_anonymous: self.dialect.has_anonymous, ..Shape::hidden(size) };
        let record = self.define("", &joined(hint, &fallback), shape, vec![raw])?;
        Ok(Raw { fallback, ..Raw::new(Part::Record(record), size) })
    }

    /// Puts fields that overlap into a union.
    pub fn without_overlaps(&mut self, raws: Vec<Raw>, hint: &str) -> Result<Vec<Raw>, CodeError> {
        let mut out = vec![];
        let mut rest = raws.into_iter().peekable();
        while let Some(first) = rest.next() {
            let (start, mut end) = (first.offset, first.end());
            let mut last_bit = first.bit_range().end;
            let mut overlap = false;
            let mut run = vec![first];
            while let Some(next) = rest.next_if(|next| next.offset < end) {
                overlap |= next.bit_range().start < last_bit;
                last_bit = last_bit.max(next.bit_range().end);
                end = end.max(next.end());
                run.push(next);
            }
            if !overlap {
                out.extend(run);
                continue;
            }
            for raw in &mut run {
                raw.offset -= start;
            }
            let fallback = format!("overlap_{start}");
            let size = end - start;
            let is_anonymous = self.dialect.has_anonymous;
            let shape = Shape { is_union: true, is_anonymous, ..Shape::hidden(size) };
            let record = self.define("", &joined(hint, &fallback), shape, run)?;
            out.push(Raw { fallback, offset: start, ..Raw::new(Part::Record(record), size) });
        }
        Ok(out)
    }
}
