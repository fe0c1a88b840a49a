//! The variants of enumerations of Rust: the discriminant, and the fields of each variant. They
//! overlap, as those of a union.

use super::enums::constant;
use super::error::Result;
use super::records::{Member, fields as plain_fields, member};
use super::types::Builder;
use super::units::Die;
use crate::decode::{Enum, Enumerator, Field, Type, TypeError, TypeKind};
use gimli::constants as dw;

/// More variants than any source has.
const MAX_VARIANTS: usize = 1 << 14;
const DISCRIMINANT: &str = "variant";

pub(super) fn fields(builder: &mut Builder<'_>, part: Die, size: u64) -> Result<Vec<Field>> {
    let units = builder.units();
    let discriminant = units.referred(part.unit, &units.entry(part)?, dw::DW_AT_discr)?;
    let mut variants = vec![];
    units.children(part, &builder.steps, |child, entry| {
        if entry.tag() == dw::DW_TAG_variant && variants.len() <= MAX_VARIANTS {
            variants.push((child, entry.attr_value(dw::DW_AT_discr_value)));
        }
        Ok(())
    })?;
    if variants.len() > MAX_VARIANTS {
        return Err(builder.problem(part, TypeError::TooManyFields));
    }
    let mut members: Vec<Member> = vec![];
    let mut values = vec![];
    for (variant, value) in variants {
        let mut name = None;
        units.children(variant, &builder.steps, |child, entry| {
            if entry.tag() == dw::DW_TAG_member
                && let Some(found) = member(builder, child, entry)?
            {
                name.get_or_insert_with(|| found.name.clone());
                members.push(found);
            }
            Ok(())
        })?;
        values.extend(name.zip(value));
    }
    let mut fields = vec![];
    if let Some(discriminant) = discriminant {
        let entry = units.entry(discriminant)?;
        let found = member(builder, discriminant, &entry)?;
        for mut field in plain_fields(builder, found.into_iter().collect(), size)? {
            if field.name.is_empty() {
                field.name = DISCRIMINANT.into();
            }
            field.ty = named(field.ty, &values);
            fields.push(field);
        }
    }
    // Variants without data have no bytes to show.
    let variants = plain_fields(builder, members, size)?;
    fields.extend(variants.into_iter().filter(|field| field.ty.leaf_count() > 0));
    Ok(fields)
}

/// The discriminant with the names of the variants. One of them may have no value of its own: it is
/// there for all other values.
fn named(ty: Type, values: &[(String, gimli::AttributeValue<super::file::Slice>)]) -> Type {
    let TypeKind::Scalar(scalar, order) = *ty.kind() else { return ty };
    let enumerator = |(name, value): &(String, _)| {
        Some(Enumerator { name: name.as_str().into(), value: constant(value, scalar, order)? })
    };
    Type::enumeration(Enum::new("", scalar, order, values.iter().filter_map(enumerator).collect()))
}
