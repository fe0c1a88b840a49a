//! The first values of a type, which the code prints.

use super::model::{BitField, Member, Model, Part, RecordModel};
use crate::segment::quote;
use std::fmt::Write as _;

/// Values that the code prints.
const MAX_VALUES: usize = 16;
/// Bytes of a value that the code prints.
pub const MAX_BYTES: u64 = 64;

/// A value, and the way to it.
#[derive(Debug)]
pub struct Leaf<'a> {
    pub steps: Vec<Step<'a>>,
    pub part: &'a Part,
    /// The path to it, escaped: `points[3].x`; `value` for a type without parts.
    pub label: String,
    /// Its place in the type. That of a bit-field is the one of its member.
    pub offset: u64,
}

#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// A member, by its number.
    Member(&'a RecordModel, usize),
    /// A bit-field in a language without them.
    BitField(&'a RecordModel, usize),
    Index(u64),
}

/// The values that the code prints.
#[derive(Debug)]
pub struct Shown<'a> {
    pub leaves: Vec<Leaf<'a>>,
    /// The number of those that it does not print.
    pub more: u64,
}

impl Leaf<'_> {
    pub fn is_bit_field(&self) -> bool {
        match self.steps.last() {
            Some(Step::Member(record, at)) => record.members[*at].bits.is_some(),
            Some(Step::BitField(..)) => true,
            _ => false,
        }
    }
}

impl<'a> Shown<'a> {
    /// Lists the first values of a type.
    pub fn of(model: &'a Model) -> Self {
        let mut walk = Walk { model, leaves: vec![], steps: vec![], label: String::new() };
        walk.visit(&model.root, 0);
        let more = model.root.leaves(&model.records).saturating_sub(walk.leaves.len() as u64);
        Self { leaves: walk.leaves, more }
    }

    /// The last line of the output.
    pub fn rest(&self) -> Option<String> {
        match (self.leaves.len(), self.more) {
            (0, _) => Some("value = {}".to_owned()),
            (_, 0) => None,
            (_, more) => Some(format!("... and {more} more")),
        }
    }
}

struct Walk<'a> {
    model: &'a Model,
    leaves: Vec<Leaf<'a>>,
    steps: Vec<Step<'a>>,
    label: String,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, part: &'a Part, offset: u64) {
        if self.leaves.len() >= MAX_VALUES || part.leaves(&self.model.records) == 0 {
            return;
        }
        match part {
            Part::Array(element, count) => {
                let stride = self.model.size_of(element);
                for index in 0..(*count).min(MAX_VALUES as u64) {
                    let label = format!("[{index}]");
                    self.go(Step::Index(index), &label, element, offset + index * stride);
                }
            }
            Part::Record(at) => self.record(&self.model.records[*at], offset),
            _ => {
                let label = if self.label.is_empty() { "value" } else { &self.label };
                let label = quote(label.as_bytes());
                self.leaves.push(Leaf { steps: self.steps.clone(), part, label, offset });
            }
        }
    }

    fn record(&mut self, record: &'a RecordModel, base: u64) {
        for (at, member) in record.members.iter().enumerate() {
            let offset = base + member.offset;
            let mut is_storage = false;
            for (number, BitField { label, part, .. }) in record.bit_fields_in(at) {
                is_storage = true;
                self.go(Step::BitField(record, number), label, part, offset);
            }
            let Member { label, part, .. } = member;
            if !is_storage {
                self.go(Step::Member(record, at), label, part, offset);
            }
        }
    }

    fn go(&mut self, step: Step<'a>, label: &str, part: &'a Part, offset: u64) {
        let length = self.label.len();
        let separator = if length == 0 || label.is_empty() || label.starts_with('[') { "" } else { "." };
        let _ = write!(self.label, "{separator}{label}");
        self.steps.push(step);
        self.visit(part, offset);
        self.steps.pop();
        self.label.truncate(length);
    }
}
