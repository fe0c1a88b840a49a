//! Values of types that are built from the contents, decoded from one moment's bytes.

use super::Failure;
use super::dump::{push_record, write_header};
use super::out::{Out, warn};
use crate::decode::layouts::{Built, Layout, LayoutError};
use crate::decode::{Decoded, Label, Type, TypeKind};
use crate::memory::{PageBuffer, Reader};
use serde::{Serialize, Serializer};
use std::io::{self, Write as _};

/// The largest value that is decoded.
const LARGEST: u64 = 16 << 20;
/// Attempts to read a value that does not change meanwhile.
const ATTEMPTS: usize = 4;
/// The name of the last object of a managed segment follows it.
const MAX_NAME: u64 = 32 << 10;
/// Names of changed values in a warning.
const MAX_NAMED: usize = 5;

/// A value, and the bytes that it was decoded from.
pub struct Snapshot {
    pub name: String,
    pub offset: u64,
    pub ty: Type,
    pub note: Option<String>,
    bytes: Vec<u8>,
    /// Parts that changed while they were read, and may be torn.
    pub changed: Vec<String>,
}

#[derive(Serialize)]
struct SnapshotJson<'a> {
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

impl Snapshot {
    /// Builds the type of a layout and reads its value.
    pub fn of_layout(reader: &Reader, layout: Layout) -> Result<Self, Failure> {
        let size = size_of(reader)?;
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let built = layout.build(&|offset, into| read_exactly(reader, offset, into), size)?;
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
                    let snapshot = Self::compared(layout.word(), 0, built, &first, second);
                    if snapshot.changed.is_empty() {
                        return Ok(snapshot);
                    }
                    last = Some(Ok(snapshot));
                }
                Err(error) => last = Some(last.and_then(Result::ok).ok_or(error)),
            }
        }
        match last {
            Some(Ok(snapshot)) => Ok(snapshot),
            Some(Err(error)) => Err(error.into()),
            None => Err(Failure::Usage("nothing was read".to_owned())),
        }
    }

    /// Reads the value of a type that does not depend on the contents.
    pub fn of_type(reader: &Reader, name: &str, offset: u64, ty: &Type) -> Result<Self, Failure> {
        let length = ty.size().min(LARGEST);
        let mut snapshot = None;
        for _ in 0..ATTEMPTS {
            let (first, second) = (read(reader, offset, length)?, read(reader, offset, length)?);
            let built =
                Built { ty: ty.clone(), count: 1, is_certain: false, evidence: String::new(), note: None };
            let next = Self::compared(name, offset, built, &first, second);
            let is_stable = next.changed.is_empty();
            snapshot = Some(next);
            if is_stable {
                break;
            }
        }
        snapshot.ok_or_else(|| Failure::Usage("nothing was read".to_owned()))
    }

    /// Marks the parts whose bytes differ.
    fn compared(name: &str, offset: u64, built: Built, first: &[u8], bytes: Vec<u8>) -> Self {
        let mut changed = vec![];
        if first != bytes {
            let root = built.ty.at(0);
            let parts = (0..built.ty.child_count()).filter_map(|index| root.child(index));
            for part in parts {
                let range = part.place.range();
                let of = |bytes: &[u8]| {
                    let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                    bytes[at(range.start)..at(range.end)].to_vec()
                };
                if of(first) != of(&bytes) {
                    changed.push(label(&part.label, changed.len()));
                }
            }
            if built.ty.is_leaf() {
                changed.push("value".to_owned());
            }
        }
        let Built { ty, note, .. } = built;
        Self { name: name.to_owned(), offset, ty, note, bytes, changed }
    }

    pub const fn value(&self) -> Decoded<'_> {
        self.ty.decode(self.bytes.as_slice())
    }

    fn object(&self) -> SnapshotJson<'_> {
        let value = self.value();
        SnapshotJson {
            offset: self.offset,
            name: &self.name,
            value,
            changed: &self.changed,
            truncated: needed(&self.ty) > self.bytes.len() as u64,
        }
    }

    /// Prints the value as `dump --as` does.
    pub fn print(&self, json: bool, csv: bool, out: &mut Out) -> io::Result<()> {
        if !self.changed.is_empty() {
            let named =
                self.changed.iter().take(MAX_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = self.changed.len().saturating_sub(MAX_NAMED);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            warn(&format!("changed while it was read, and may be torn: {named}{more}"));
        }
        if let Some(note) = &self.note {
            warn(note);
        }
        if json {
            serde_json::to_writer(&mut *out, &self.object()).map_err(io::Error::from)?;
            return out.write_all(b"\n");
        }
        let mut text = vec![];
        if csv {
            write_header(&self.ty, out)?;
            push_record(self.offset, self.value(), &mut text);
        } else {
            self.value().push_lines(self.offset, &mut text);
        }
        out.write_all(&text)
    }
}

impl Serialize for Snapshot {
    /// Serializes the object that `dump --as --json` prints.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.object().serialize(serializer)
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

fn too_large(reader: &Reader, layout: Layout, ty: &Type) -> Failure {
    let first = match ty.kind() {
        TypeKind::Record(record) => record.fields().first().map_or(0, |field| field.offset),
        _ => 0,
    };
    Failure::Usage(format!(
        "{} of {} bytes is too large: at most {} MiB are decoded as one value. \
         Print a part of it: shmlens dump {} --offset {first} --length 4K, with --as TYPE for values",
        layout.noun(),
        needed(ty),
        LARGEST >> 20,
        reader.id(),
    ))
}

pub fn size_of(reader: &Reader) -> Result<u64, Failure> {
    reader.size().map_err(|source| Failure::Read { id: reader.id().clone(), source })
}

fn read(reader: &Reader, offset: u64, length: u64) -> Result<Vec<u8>, Failure> {
    let mut buffer = PageBuffer::default();
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let count = reader.fill(&mut buffer, offset, length);
    let count = count.map_err(|source| Failure::Read { id: reader.id().clone(), source })?;
    Ok(buffer[..count].to_vec())
}

/// Fills a buffer from a segment; false if it ends before.
pub fn read_exactly(reader: &Reader, offset: u64, into: &mut [u8]) -> bool {
    let mut buffer = PageBuffer::default();
    let filled = reader.fill(&mut buffer, offset, into.len()).is_ok_and(|count| count == into.len());
    if filled {
        into.copy_from_slice(&buffer[..into.len()]);
    }
    filled
}

fn copy_from(bytes: &[u8], offset: u64, into: &mut [u8]) -> bool {
    let part = usize::try_from(offset).ok().and_then(|at| bytes.get(at..at.checked_add(into.len())?));
    part.is_some_and(|part| {
        into.copy_from_slice(part);
        true
    })
}

impl From<LayoutError> for Failure {
    fn from(error: LayoutError) -> Self {
        Self::Layout(error)
    }
}
