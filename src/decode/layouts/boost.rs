//! The `managed_shared_memory` of Boost.Interprocess with default template arguments: the index of its
//! named and unique objects.
//!
//! Pointers are relative to their own address; 1 is null, and bit 1 of the pointer to a parent is a
//! color. Up to Boost 1.86, a node is followed by a header of 16 bytes, the value, and the name; from
//! 1.87 on, by one of 8 bytes, the value, the length of the name, and the name
//! (`boost/interprocess/detail/segment_manager_helper.hpp`).

use super::sync::is_shared_kind;
use super::{Built, LayoutError, Source, counted};
use crate::decode::{Field, Record, RecordKind, Type};
use std::collections::HashSet;

const INITIALIZED: u32 = 2;
/// The kind of the process-shared mutex of the allocator: normal, and robust from Boost 1.87 on.
const MUTEX_KIND: u64 = 0x10 + 16;
const ALLOCATED: u64 = 0x60;
const SIZE: u64 = 0x68;
/// The state in front of the segment manager.
const FRONT: u64 = 16;
/// The indexes: a count, then a node whose parent is the root.
const NAMED: u64 = 0x98;
const UNIQUE: u64 = 0xb8;
/// A node and its header.
const NODE: u64 = 24;
const LEAST_OBJECT: u64 = NODE + 8;
const MAX_OBJECTS: u64 = 1 << 16;
const MAX_NAME: u64 = 4096;
/// Attempts while objects come and go.
const ATTEMPTS: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Up to Boost 1.86.
    Old,
    /// Boost 1.87 and later.
    New,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Object {
    name: String,
    offset: u64,
    size: u64,
}

/// Builds a record of the objects.
pub fn build(source: &Source<'_>) -> Result<Built, LayoutError> {
    let state = source.u32(0)?;
    if state != INITIALIZED {
        return Err(source.differs(format!("its state at offset 0 is {state}; expected {INITIALIZED}")));
    }
    let size = source.u64(SIZE)?;
    if size.checked_add(FRONT) != Some(source.size) {
        return Err(source.differs(format!(
            "its size at offset {SIZE:#x} is {size}; expected {}",
            source.size.saturating_sub(FRONT)
        )));
    }
    let allocated = source.u64(ALLOCATED)?;
    if allocated > size || !is_shared_kind(source.u32(MUTEX_KIND)?) {
        return Err(source.differs("its allocator is not that of a managed segment"));
    }
    let mut outcome = objects(source);
    for _ in 1..ATTEMPTS {
        if outcome.is_ok() {
            break;
        }
        outcome = objects(source);
    }
    let (mut objects, unique) = outcome?;
    let count = objects.len() as u64;
    objects.sort_by_key(|object| object.offset);
    let mut names = HashSet::new();
    let mut fields = Vec::with_capacity(objects.len());
    for Object { name, offset, size } in objects {
        // An object may have the name of a type.
        let name = if names.insert(name.clone()) { name } else { format!("{name}@{offset:#x}") };
        let bytes = Type::bytes(size).map_err(|error| source.too_large(error))?;
        fields.push(Field::new(name, bytes, offset));
    }
    let record = Record::new(RecordKind::Struct, "boost", fields);
    let kinds = format!("{} and {unique} unique", counted(count - unique, "named object"));
    Ok(Built {
        ty: Type::record(record, source.size, 8).map_err(|error| source.too_large(error))?,
        count,
        is_certain: true,
        evidence: format!("state and size are those of a managed segment; {kinds} in its index"),
        note: None,
    })
}

/// Returns all objects, and the number of unique ones.
fn objects(source: &Source<'_>) -> Result<(Vec<Object>, u64), LayoutError> {
    let walk = |form| {
        let mut objects = index(source, NAMED, form)?;
        let unique = index(source, UNIQUE, form)?;
        let count = unique.len() as u64;
        objects.extend(unique);
        Ok((objects, count))
    };
    match walk(Form::Old) {
        Err(error) => walk(Form::New).map_err(|_: LayoutError| error),
        found => found,
    }
}

/// Walks an index. A tree that changes under the walk has another number of nodes than its count.
fn index(source: &Source<'_>, at: u64, form: Form) -> Result<Vec<Object>, LayoutError> {
    let count = source.u64(at)?;
    if count > MAX_OBJECTS.min(source.size / LEAST_OBJECT) {
        return Err(source.differs(format!("its index at {at:#x} has {count} objects, more than fit")));
    }
    let mut objects = vec![];
    let mut left: Vec<u64> = pointer(source, at + 8)?.into_iter().collect();
    while let Some(node) = left.pop() {
        if objects.len() as u64 == count {
            return Err(source.differs(format!("its index at {at:#x} has more than {count} nodes")));
        }
        objects.push(object(source, node, form, at == UNIQUE)?);
        left.extend(pointer(source, node + 8)?);
        left.extend(pointer(source, node + 16)?);
    }
    if objects.len() as u64 != count {
        return Err(
            source.differs(format!("its index at {at:#x} has {count} objects, and {} nodes", objects.len()))
        );
    }
    Ok(objects)
}

/// Reads a pointer to a node; `None` for null.
fn pointer(source: &Source<'_>, at: u64) -> Result<Option<u64>, LayoutError> {
    const NULL: u64 = 1;
    const COLOR: u64 = 2;
    let distance = source.u64(at)? & !COLOR;
    if distance == NULL {
        return Ok(None);
    }
    let node = at.wrapping_add(distance);
    if !node.is_multiple_of(8) || node < UNIQUE + NODE || node.saturating_add(LEAST_OBJECT) > source.size {
        return Err(
            source.differs(format!("the pointer at {at:#x} leads to {node:#x}, where no node can be"))
        );
    }
    Ok(Some(node))
}

fn object(source: &Source<'_>, node: u64, form: Form, is_unique: bool) -> Result<Object, LayoutError> {
    let wrong = || source.differs(format!("the object at {node:#x} has an invalid header"));
    let header = node + NODE;
    let expected = if is_unique { 2 } else { 1 };
    let (kind, size, value, length, width) = match form {
        Form::Old => {
            let size = source.u64(header)?;
            let [low, high, align, packed] = source.bytes(header + 8)?;
            let align = u64::from(align);
            if !align.is_power_of_two() {
                return Err(wrong());
            }
            let value = header + 16_u64.next_multiple_of(align);
            let length = u64::from(u16::from_le_bytes([low, high]));
            (u64::from(packed >> 5), size, value, length, u64::from(packed & 0x1f))
        }
        Form::New => {
            let word = source.u64(header)?;
            let (size, value) = (word >> 2, header + 8);
            let length_at = size.checked_next_multiple_of(2).and_then(|size| value.checked_add(size));
            let length = u16::from_le_bytes(source.bytes(length_at.ok_or_else(wrong)?)?);
            (word & 3, size, value, length.into(), 1)
        }
    };
    if kind != expected || !matches!(width, 1 | 2 | 4) || length > MAX_NAME {
        return Err(wrong());
    }
    let name_at = match form {
        Form::Old => size.checked_next_multiple_of(width),
        Form::New => size.checked_next_multiple_of(2).and_then(|size| size.checked_add(2)),
    };
    let name_at = name_at.and_then(|at| value.checked_add(at)).ok_or_else(wrong)?;
    let bytes = source.vec(name_at, (length + 1) * width)?;
    let (name, end) = bytes.split_at(usize::try_from(length * width).map_err(|_| wrong())?);
    if end.iter().any(|&byte| byte != 0) || length == 0 {
        return Err(wrong());
    }
    let name = if width == 1 {
        String::from_utf8_lossy(name).into_owned()
    } else {
        let units = name.chunks_exact(if width == 2 { 2 } else { 4 });
        let code = |unit: &[u8]| unit.iter().rev().fold(0_u32, |code, &byte| code << 8 | u32::from(byte));
        units.map(|unit| char::from_u32(code(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    let name = if is_unique { format!("unique:{name}") } else { name };
    Ok(Object { name, offset: value, size })
}
