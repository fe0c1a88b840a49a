//! Structs, classes and unions.

use super::error::{DebugError, Result};
use super::types::Builder;
use super::units::{Die, Entry, is_set, number};
use super::variants;
use crate::decode::{Bits, ByteOrder, Field, Record, RecordKind, Type, TypeError, TypeKind};
use gimli::AttributeValue;
use gimli::constants as dw;

/// More fields than any source has.
const MAX_FIELDS: usize = 1 << 16;

/// A member as its entry describes it.
pub(super) struct Member {
    pub name: String,
    pub ty: Option<Die>,
    pub place: Place,
    pub is_base: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Bytes(u64),
    Bits(u64, u8),
    /// A virtual base class: only the object itself knows.
    Unknown,
}

pub(super) fn make(builder: &mut Builder<'_>, die: Die) -> Result<Type> {
    let units = builder.units();
    let entry = units.entry(die)?;
    let name = builder.program.qualified_name(die)?;
    let kind = match entry.tag() {
        dw::DW_TAG_union_type => RecordKind::Union,
        dw::DW_TAG_class_type => RecordKind::Class,
        _ => RecordKind::Struct,
    };
    let Some(size) = number(&entry, dw::DW_AT_byte_size) else {
        return Err(DebugError::Incomplete(builder.shown_name(die)));
    };
    let (mut members, mut parts, mut problem) = (vec![], vec![], None);
    units.children(die, &builder.steps, |child, entry| {
        if members.len() > MAX_FIELDS {
            return Ok(());
        }
        match entry.tag() {
            dw::DW_TAG_variant_part => parts.push(child),
            dw::DW_TAG_member | dw::DW_TAG_inheritance => match member(builder, child, entry) {
                Ok(found) => members.extend(found),
                Err(error) => problem = Some(error),
            },
            _ => {}
        }
        Ok(())
    })?;
    if let Some(problem) = problem {
        return Err(problem);
    }
    if members.len() > MAX_FIELDS {
        return Err(builder.problem(die, TypeError::TooManyFields));
    }
    let mut fields = fields(builder, members, size)?;
    if kind != RecordKind::Union {
        // Rust declares fields in another order, and gcc the pointer to the virtual functions.
        fields.sort_by_key(|field| (field.offset, field.bits.map_or(0, |bits| bits.start)));
    }
    for part in parts {
        fields.extend(variants::fields(builder, part, size)?);
    }
    let align = number(&entry, dw::DW_AT_alignment).filter(|align| align.is_power_of_two());
    let align = align.unwrap_or(1).max(natural_align(&fields, size));
    Type::record(Record::new(kind, name, fields), size, align)
        .map_err(|problem| builder.problem(die, problem))
}

/// Reads a member or base class. `None` for a static member.
pub(super) fn member(builder: &Builder<'_>, die: Die, entry: &Entry) -> Result<Option<Member>> {
    if is_set(entry, dw::DW_AT_declaration) || is_set(entry, dw::DW_AT_external) {
        return Ok(None);
    }
    let is_base = entry.tag() == dw::DW_TAG_inheritance;
    let mut name = builder.units().name(die.unit, entry).unwrap_or_default();
    if name.starts_with("_vptr") {
        "vptr".clone_into(&mut name);
    }
    let ty = builder.units().referred(die.unit, entry, dw::DW_AT_type)?;
    if is_base && let Some(ty) = ty {
        name = builder.name_of(Some(ty));
    }
    let unsupported = || builder.unsupported(die, "a member at an offset that is computed");
    let offset = match entry.attr_value(dw::DW_AT_data_member_location) {
        None => Some(0),
        Some(AttributeValue::Exprloc(expression)) => constant_offset(builder, die, expression)?,
        Some(value) => Some(value.udata_value().ok_or_else(unsupported)?),
    };
    let place = match (offset, bit_range(builder, die, entry, offset.unwrap_or(0))?) {
        (_, Some((first, width))) => Place::Bits(first, width),
        (Some(offset), None) => Place::Bytes(offset),
        (None, None) if is_base => Place::Unknown,
        (None, None) => return Err(unsupported()),
    };
    Ok(Some(Member { name, ty, place, is_base }))
}

/// The first bit in the record and the number of bits. `None` if it is no bit-field.
fn bit_range(builder: &Builder<'_>, die: Die, entry: &Entry, offset: u64) -> Result<Option<(u64, u8)>> {
    let Some(width) = number(entry, dw::DW_AT_bit_size) else { return Ok(None) };
    let invalid = || builder.unsupported(die, "a bit-field of this form");
    let width = u8::try_from(width).ok().filter(|width| (1..=128).contains(width)).ok_or_else(invalid)?;
    let start = offset.checked_mul(8).ok_or_else(invalid)?;
    let first = if let Some(first) = number(entry, dw::DW_AT_data_bit_offset) {
        start.checked_add(first)
    } else if let Some(before) = entry.attr_value(dw::DW_AT_bit_offset).and_then(|value| value.sdata_value())
    {
        // Counted from the highest bit of a unit of storage.
        let storage = match number(entry, dw::DW_AT_byte_size) {
            Some(size) => size,
            None => storage_size(builder, die, entry)?,
        };
        let after = i64::try_from(storage).ok().and_then(|size| size.checked_mul(8));
        let after = after.and_then(|bits| bits.checked_sub(before)?.checked_sub(width.into()));
        after.and_then(|after| start.checked_add_signed(after))
    } else {
        Some(start)
    };
    first.map(|first| Some((first, width))).ok_or_else(invalid)
}

fn storage_size(builder: &Builder<'_>, die: Die, entry: &Entry) -> Result<u64> {
    let mut target = builder.units().referred(die.unit, entry, dw::DW_AT_type)?;
    for _ in 0..crate::decode::MAX_DEPTH {
        let Some(found) = target else { break };
        let entry = builder.units().entry(found)?;
        if let Some(size) = number(&entry, dw::DW_AT_byte_size) {
            return Ok(size);
        }
        target = builder.units().referred(found.unit, &entry, dw::DW_AT_type)?;
    }
    Err(builder.unsupported(die, "a bit-field of this form"))
}

/// The offset of an expression that adds a constant, as older compilers write. `None` for the
/// offset of a virtual base class.
fn constant_offset(
    builder: &Builder<'_>,
    die: Die,
    expression: gimli::Expression<super::file::Slice>,
) -> Result<Option<u64>> {
    let encoding = builder.units().get(die.unit)?.unit.encoding();
    let mut operations = expression.operations(encoding);
    let first = operations.next()?;
    Ok(match (first, operations.next()?) {
        (
            Some(gimli::Operation::PlusConstant { value } | gimli::Operation::UnsignedConstant { value }),
            None,
        ) => Some(value),
        _ => None,
    })
}

/// Makes the fields of a record of `size` bytes.
pub(super) fn fields(builder: &mut Builder<'_>, members: Vec<Member>, size: u64) -> Result<Vec<Field>> {
    let order = builder.program.byte_order();
    let mut starts: Vec<u64> = members
        .iter()
        .map(|member| match member.place {
            Place::Bytes(offset) => offset,
            Place::Bits(first, _) => first / 8,
            Place::Unknown => size,
        })
        .collect();
    starts.sort_unstable();
    let mut fields = Vec::with_capacity(members.len());
    let mut virtual_bases = vec![];
    for member in members {
        let offset = match member.place {
            Place::Bytes(offset) => offset,
            Place::Bits(first, width) => {
                fields.extend(bit_field(builder, member, first, width, order)?);
                continue;
            }
            Place::Unknown => {
                virtual_bases.push(member.name);
                continue;
            }
        };
        let Some(target) = member.ty else { continue };
        let after = starts.partition_point(|&start| start <= offset);
        let next = starts.get(after).copied().unwrap_or(size);
        let ty = match builder.ty(target) {
            // Its bytes are there all the same, up to the next member.
            Err(DebugError::Incomplete(_) | DebugError::NotFound(_) | DebugError::Unsupported { .. }) => {
                builder.bytes(target, next.min(size).saturating_sub(offset))?
            }
            other => other?,
        };
        let ty = shortened(ty, next.saturating_sub(offset));
        // The byte of a base class without fields may be outside.
        if member.is_base && ty.leaf_count() == 0 && matches!(ty.kind(), TypeKind::Record(_)) {
            continue;
        }
        fields.push(Field { is_base: member.is_base, ..Field::new(member.name, ty, offset) });
    }
    if !virtual_bases.is_empty() {
        let end = fields.iter().map(|field| field.offset.saturating_add(field.length())).max().unwrap_or(0);
        if let Ok(ty) = Type::bytes(size.saturating_sub(end))
            && end < size
        {
            fields.push(Field::new(virtual_bases.join(", "), ty, end));
        }
    }
    Ok(fields)
}

/// Cuts off the padding at the end of a class in which the next field of a derived class is.
fn shortened(ty: Type, size: u64) -> Type {
    let TypeKind::Record(record) = ty.kind() else { return ty };
    let end =
        record.fields().iter().map(|field| field.offset.saturating_add(field.length())).max().unwrap_or(0);
    if size >= ty.size() || size < end || ty.leaf_count() == 0 {
        return ty;
    }
    Type::record(Record::clone(record), size, ty.align()).unwrap_or(ty)
}

fn bit_field(
    builder: &mut Builder<'_>,
    member: Member,
    first: u64,
    width: u8,
    order: ByteOrder,
) -> Result<Option<Field>> {
    let Some(target) = member.ty.filter(|_| !member.name.is_empty()) else { return Ok(None) };
    let ty = builder.ty(target)?;
    let start = u8::try_from(first % 8).unwrap_or(0);
    let bits = Bits { start, width };
    if order == ByteOrder::Little && matches!(ty.kind(), TypeKind::Scalar(..) | TypeKind::Enum(_)) {
        return Ok(Some(Field { bits: Some(bits), ..Field::new(member.name, ty, first / 8) }));
    }
    // In big-endian memory the bits of a number are not next to each other.
    let bytes = builder.bytes(target, bits.bytes())?;
    Ok(Some(Field::new(member.name, bytes, first / 8)))
}

/// The alignment, as far as the fields tell: a packed record has fields at other offsets.
fn natural_align(fields: &[Field], size: u64) -> u64 {
    let plain = fields.iter().filter(|field| field.bits.is_none());
    let mut align = plain.clone().map(|field| field.ty.align()).max().unwrap_or(1).max(1);
    if plain.clone().any(|field| !field.offset.is_multiple_of(field.ty.align().max(1))) {
        align = 1;
    }
    while align > 1 && !size.is_multiple_of(align) {
        align /= 2;
    }
    align
}
