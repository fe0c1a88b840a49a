//! Arrays.

use super::error::Result;
use super::types::Builder;
use super::units::{Die, Entry, is_set, number};
use crate::decode::{Type, TypeError};
use gimli::AttributeValue;
use gimli::constants as dw;

/// More dimensions than any source has.
const MAX_DIMENSIONS: usize = 32;

pub(super) fn make(builder: &mut Builder<'_>, die: Die, entry: &Entry) -> Result<Type> {
    let units = builder.units();
    let Some(target) = units.referred(die.unit, entry, dw::DW_AT_type)? else {
        return Err(builder.unsupported(die, "an array of nothing"));
    };
    let mut dimensions = vec![];
    units.children(die, &builder.steps, |_, child| {
        if matches!(child.tag(), dw::DW_TAG_subrange_type | dw::DW_TAG_enumeration_type)
            && dimensions.len() <= MAX_DIMENSIONS
        {
            dimensions.push((count(child), stride(child)));
        }
        Ok(())
    })?;
    if dimensions.len() > MAX_DIMENSIONS || entry.has_attr(dw::DW_AT_bit_stride) {
        return Err(builder.unsupported(die, "an array of this form"));
    }
    if dimensions.is_empty() {
        dimensions.push((0, None));
    }
    let mut ty = builder.ty(target)?;
    let element_stride = stride(entry);
    let mut is_innermost = true;
    for (count, own_stride) in dimensions.into_iter().rev() {
        let stride = own_stride.or(element_stride.filter(|_| is_innermost));
        let array = match stride.filter(|&stride| stride != ty.size()) {
            // Elements that overlap are no array of C, C++ or Rust.
            Some(stride) if stride < ty.size() => Err(TypeError::Outside),
            Some(stride) => Type::array_with_stride(ty, count, stride),
            None => Type::array(ty, count),
        };
        ty = array.map_err(|problem| builder.problem(die, problem))?;
        is_innermost = false;
    }
    if is_set(entry, dw::DW_AT_GNU_vector) {
        let size = ty.size().checked_next_power_of_two().unwrap_or(1);
        ty = ty.with_align(size.max(1));
    }
    Ok(match number(entry, dw::DW_AT_alignment).filter(|align| align.is_power_of_two()) {
        Some(align) => ty.with_align(align),
        None => ty,
    })
}

fn stride(entry: &Entry) -> Option<u64> {
    number(entry, dw::DW_AT_byte_stride)
}

/// The number of elements. 0 if it is known only at run time, as for `int data[]`.
fn count(entry: &Entry) -> u64 {
    if let Some(count) = number(entry, dw::DW_AT_count) {
        return count;
    }
    let lower = entry.attr_value(dw::DW_AT_lower_bound).and_then(|value| value.sdata_value()).unwrap_or(0);
    let upper = match entry.attr_value(dw::DW_AT_upper_bound) {
        // -1, for an array without elements.
        Some(AttributeValue::Sdata(upper)) => upper.into(),
        // Older compilers write -1 in as many bytes as an address has.
        Some(value) => match value.udata_value() {
            Some(u64::MAX) | None => return 0,
            Some(upper) => i128::from(upper),
        },
        None => return 0,
    };
    u64::try_from(upper - i128::from(lower) + 1).unwrap_or(0)
}
