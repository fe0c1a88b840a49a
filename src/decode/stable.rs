//! Values decoded from one moment's bytes: read again until no part changes meanwhile. Parts that
//! still do are named, since they may be torn.

use super::layouts::{Layout, LayoutError};
use super::{Decoded, Label, Place, Type, TypeKind};
use crate::memory::{PageBuffer, Reader};
use crate::segment::{SegmentId, plain_error};
use serde::{Serialize, Serializer};
use std::io;
use std::ops::Range;

/// The largest value that is decoded.
const LARGEST: u64 = 16 << 20;
/// Attempts to read a value that does not change meanwhile.
const ATTEMPTS: usize = 4;
/// The name of the last object of a managed segment follows it.
const MAX_NAME: u64 = 32 << 10;

/// A value, and the bytes that it was decoded from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StableValue {
    /// The name of the type, as for `dump --as`.
    pub name: String,
    pub offset: u64,
    pub ty: Type,
    pub note: Option<String>,
    pub bytes: Vec<u8>,
    /// Parts that changed while they were read, and may be torn.
    pub changed: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum StableError {
    #[error("failed to read {}: {}", id.short(), plain_error(.source))]
    Read { id: SegmentId, source: io::Error },
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error(
        "{noun} of {size} bytes is too large: at most {} MiB are decoded as one value. Print a part of it: shmlens dump \
         {id} --offset {start} --length 4K, with --as TYPE for values",
        LARGEST >> 20
    )]
    TooLarge { noun: &'static str, size: u64, id: SegmentId, start: u64 },
}

#[derive(Serialize)]
struct ValueJson<'a> {
    offset: u64,
    #[serde(rename = "type")]
    name: &'a str,
    value: Decoded<'a>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    changed: &'a [String],
    /// The segment ends within the value.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

impl StableValue {
    /// Builds the type of a layout and reads its value.
    ///
    /// # Errors
    /// Fails if the contents cannot be read, or do not have the layout.
    pub fn of_layout(reader: &Reader, layout: Layout) -> Result<Self, StableError> {
        let size = reader.size().map_err(|source| unread(reader, source))?;
        let mut last: Option<Result<Self, StableError>> = None;
        for attempt in 0..ATTEMPTS {
            let built = layout.build(&|offset, into| reader.fill_all(offset, into), size)?;
            let length = match layout {
                // Free memory follows the last object.
                Layout::Boost => needed(&built.ty).saturating_add(MAX_NAME),
                Layout::SharedList | Layout::Npy => built.ty.size(),
            };
            let length = length.min(size);
            if length > LARGEST {
                return Err(too_large(reader, layout, &built.ty));
            }
            let (first, second) = (read(reader, 0, length)?, read(reader, 0, length)?);
            // The type must be that of the bytes, not of what was there before them.
            match layout.build(&|offset, into| copy_from(&second, offset, into), size) {
                Ok(built) => {
                    let value = Self::compared(layout.word(), 0, built.ty, &first, second);
                    let value = Self { note: built.note, ..value };
                    if value.changed.is_empty() || attempt + 1 == ATTEMPTS {
                        return Ok(value);
                    }
                    last = Some(Ok(value));
                }
                Err(error) => last = Some(last.and_then(Result::ok).ok_or_else(|| error.into())),
            }
        }
        // The loop runs at least once.
        last.unwrap_or_else(|| Err(unread(reader, io::ErrorKind::UnexpectedEof.into())))
    }

    /// Reads the value of a type that does not depend on the contents.
    ///
    /// # Errors
    /// Fails if the contents cannot be read.
    pub fn of_type(reader: &Reader, name: &str, offset: u64, ty: &Type) -> Result<Self, StableError> {
        let length = ty.size().min(LARGEST);
        let mut attempt = 1;
        loop {
            let (first, second) = (read(reader, offset, length)?, read(reader, offset, length)?);
            let value = Self::compared(name, offset, ty.clone(), &first, second);
            if value.changed.is_empty() || attempt == ATTEMPTS {
                return Ok(value);
            }
            attempt += 1;
        }
    }

    /// Marks the parts whose bytes differ.
    fn compared(name: &str, offset: u64, ty: Type, first: &[u8], bytes: Vec<u8>) -> Self {
        let mut changed = vec![];
        if first != bytes {
            let of = |bytes: &[u8], range: &Range<u64>| {
                let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                bytes[at(range.start)..at(range.end)].to_vec()
            };
            for part in ty.at(0).children() {
                let range = part.place.range();
                if of(first, &range) != of(&bytes, &range) {
                    changed.push(label(&part.label, changed.len()));
                }
            }
            if ty.is_leaf() {
                changed.push("value".to_owned());
            }
        }
        Self { name: name.to_owned(), offset, ty, note: None, bytes, changed }
    }

    /// The value at its offset in the segment.
    #[must_use]
    pub const fn place(&self) -> Place<'_> {
        self.ty.at(self.offset)
    }

    #[must_use]
    pub const fn value(&self) -> Decoded<'_> {
        self.ty.decode(self.bytes.as_slice())
    }
}

impl Serialize for StableValue {
    /// Serializes the object that `dump --as --json` prints.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = ValueJson {
            offset: self.offset,
            name: &self.name,
            value: self.value(),
            changed: &self.changed,
            truncated: needed(&self.ty) > self.bytes.len() as u64,
        };
        json.serialize(serializer)
    }
}

/// The name of a part: `[3]` of a row, `data` of a record.
fn label(label: &Label<'_>, index: usize) -> String {
    match label {
        Label::Index(index) => format!("[{index}]"),
        Label::Field(field) if field.name.is_empty() => format!("[{index}]"),
        Label::Field(field) => crate::segment::escape(field.name.as_bytes()),
    }
}

/// The bytes up to the end of the last field. Managed segments have free memory behind it.
fn needed(ty: &Type) -> u64 {
    match ty.kind() {
        TypeKind::Record(record) => {
            let ends = record.fields().iter().map(|field| field.offset.saturating_add(field.length()));
            ends.max().unwrap_or(0)
        }
        _ => ty.size(),
    }
}

fn too_large(reader: &Reader, layout: Layout, ty: &Type) -> StableError {
    let start = match ty.kind() {
        TypeKind::Record(record) => record.fields().first().map_or(0, |field| field.offset),
        _ => 0,
    };
    StableError::TooLarge { noun: layout.noun(), size: needed(ty), id: reader.id().clone(), start }
}

fn unread(reader: &Reader, source: io::Error) -> StableError {
    StableError::Read { id: reader.id().clone(), source }
}

fn read(reader: &Reader, offset: u64, length: u64) -> Result<Vec<u8>, StableError> {
    let mut buffer = PageBuffer::default();
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let count = reader.fill(&mut buffer, offset, length).map_err(|source| unread(reader, source))?;
    Ok(buffer[..count].to_vec())
}

fn copy_from(bytes: &[u8], offset: u64, into: &mut [u8]) -> bool {
    let part = usize::try_from(offset).ok().and_then(|at| bytes.get(at..at.checked_add(into.len())?));
    part.is_some_and(|part| {
        into.copy_from_slice(part);
        true
    })
}
