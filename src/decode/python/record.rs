//! The layout of records of numpy.

use super::cursor::{Problem, Result};
use crate::decode::{Field, Record, RecordKind, Type};
use std::collections::HashSet;

pub(super) fn too_large(at: usize) -> Problem {
    Problem::new(at, "too large for any segment, or nested too deeply")
}

/// The fields of a record, laid out one after the other unless they have offsets.
#[derive(Debug, Default)]
pub(super) struct Layout {
    fields: Vec<Field>,
    names: HashSet<String>,
    end: u64,
    align: u64,
    is_aligned: bool,
}

impl Layout {
    pub fn new(is_aligned: bool) -> Self {
        Self { align: 1, is_aligned, ..Self::default() }
    }

    /// Adds a field. Without an offset it follows the last one.
    pub fn add(&mut self, name: String, ty: Type, offset: Option<u64>, at: usize) -> Result<()> {
        let offset = match offset {
            Some(offset) if self.is_aligned && !offset.is_multiple_of(ty.align()) => {
                return Err(Problem::new(at, &format!("offset {offset} is not a multiple of the alignment")));
            }
            Some(offset) => offset,
            None if self.is_aligned => {
                self.end.checked_next_multiple_of(ty.align()).ok_or_else(|| too_large(at))?
            }
            None => self.end,
        };
        if self.is_aligned {
            self.align = self.align.max(ty.align());
        }
        let end = offset.checked_add(ty.size()).ok_or_else(|| too_large(at))?;
        self.end = self.end.max(end);
        if !self.names.insert(name.clone()) {
            let name = crate::segment::quote(name.as_bytes());
            return Err(Problem::new(at, &format!("another field is named '{name}'")));
        }
        self.fields.push(Field::new(name, ty, offset));
        Ok(())
    }

    pub fn pad(&mut self, size: u64, at: usize) -> Result<()> {
        self.end = self.end.checked_add(size).ok_or_else(|| too_large(at))?;
        Ok(())
    }

    pub const fn end(&self) -> u64 {
        self.end
    }

    /// The number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    pub fn finish(self, size: Option<u64>, at: usize) -> Result<Type> {
        let end =
            if self.is_aligned { self.end.checked_next_multiple_of(self.align) } else { Some(self.end) };
        let end = end.ok_or_else(|| too_large(at))?;
        let size = size.unwrap_or(end);
        if size < self.end {
            return Err(Problem::new(
                at,
                &format!("the fields end at {}, after the item size {size}", self.end),
            ));
        }
        if self.is_aligned && !size.is_multiple_of(self.align) {
            return Err(Problem::new(
                at,
                &format!("the item size {size} is not a multiple of the alignment"),
            ));
        }
        Type::record(Record::new(RecordKind::Struct, "", self.fields), size, self.align)
            .map_err(|_| too_large(at))
    }
}

/// An array of these dimensions. Unlike in C, an array of characters is no text.
pub(super) fn sub_array(ty: Type, shape: &[u64], at: usize) -> Result<Type> {
    shape.iter().rev().try_fold(ty, |ty, &count| {
        let stride = ty.size();
        Type::array_with_stride(ty, count, stride).map_err(|_| too_large(at))
    })
}
