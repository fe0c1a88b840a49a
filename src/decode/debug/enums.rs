//! Enumerations.

use super::base::{signed, unsigned};
use super::error::{DebugError, Result};
use super::types::Builder;
use super::units::{Die, Entry, number};
use crate::decode::{Enum, Enumerator, Scalar, Type, TypeError, TypeKind};
use gimli::AttributeValue;
use gimli::constants as dw;

/// More enumerators than any source has.
const MAX_ENUMERATORS: usize = 1 << 16;

pub(super) fn make(builder: &mut Builder<'_>, die: Die) -> Result<Type> {
    let units = builder.units();
    let entry = units.entry(die)?;
    let order = builder.context(die)?.order;
    let mut values = vec![];
    let steps = &builder.steps;
    units.children(die, steps, |child, entry| {
        if entry.tag() == dw::DW_TAG_enumerator && values.len() <= MAX_ENUMERATORS {
            let name = units.name(child.unit, entry).unwrap_or_default();
            values.push((name, entry.attr_value(dw::DW_AT_const_value)));
        }
        Ok(())
    })?;
    if values.len() > MAX_ENUMERATORS {
        return Err(builder.problem(die, TypeError::TooManyFields));
    }
    let underlying = if let Some(scalar) = underlying(builder, die, &entry)? {
        scalar
    } else {
        let is_signed = values.iter().any(|(_, value)| matches!(value, Some(AttributeValue::Sdata(..0))));
        let size = number(&entry, dw::DW_AT_byte_size).unwrap_or(4);
        let scalar = if is_signed { signed(size) } else { unsigned(size) };
        scalar.ok_or_else(|| builder.unsupported(die, "an enumeration of this size"))?
    };
    let enumerators = values
        .into_iter()
        .filter_map(|(name, value)| {
            Some(Enumerator { name: name.into(), value: constant(&value?, underlying, order)? })
        })
        .collect();
    let name = builder.program.qualified_name(die)?;
    Ok(Type::enumeration(Enum::new(name, underlying, order, enumerators)))
}

/// The type that the source or the compiler gave it. Before DWARF 3 there is none.
fn underlying(builder: &mut Builder<'_>, die: Die, entry: &Entry) -> Result<Option<Scalar>> {
    let Some(target) = builder.units().referred(die.unit, entry, dw::DW_AT_type)? else { return Ok(None) };
    let ty = builder.ty(target)?;
    let size = number(entry, dw::DW_AT_byte_size);
    match ty.kind() {
        TypeKind::Scalar(scalar, _) if size.is_none_or(|size| size == scalar.size() as u64) => {
            Ok(Some(*scalar))
        }
        _ => Err(DebugError::BadReference),
    }
}

/// The value of a constant. Forms of a fixed size do not tell the sign.
pub(super) fn constant(
    value: &AttributeValue<super::file::Slice>,
    scalar: Scalar,
    order: crate::decode::ByteOrder,
) -> Option<i128> {
    let bits = match value {
        AttributeValue::Sdata(value) => return Some((*value).into()),
        AttributeValue::Data16(value) => return Some(value.cast_signed()),
        AttributeValue::Block(bytes) => return scalar.read(bytes.bytes(), order)?.integer(),
        AttributeValue::Udata(value) => return Some((*value).into()),
        value => i128::from(value.udata_value()?),
    };
    let unused = 128_usize.checked_sub(8 * scalar.size())?;
    Some(if scalar.is_signed() { bits << unused >> unused } else { bits })
}
