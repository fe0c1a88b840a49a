//! Scans a unit for its outline. Most entries are skipped, with all that is in them.

use super::error::{DebugError, Result};
use super::file::Slice;
use super::outline::{Item, Name};
use super::units::{LoadedUnit, Steps};
use gimli::constants as dw;
use gimli::{AttributeSpecification, AttributeValue, DwAt, DwTag, EntriesRaw, UnitOffset};

/// The deepest nesting that is followed: deeper entries have no name anyone would type.
const MAX_DEPTH: usize = 256;
/// More than any unit has, and 80 MB.
const MAX_ITEMS: usize = 1 << 20;

/// An offset in a unit. Units that are loaded are smaller than 4 GiB.
fn short(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// The items of a unit, and its types with each `typedef` of them.
pub(super) struct Scanned {
    pub items: Vec<Item>,
    pub typedefs: Vec<(u32, u32)>,
}

struct Scan<'a> {
    unit: &'a LoadedUnit,
    items: Vec<Item>,
    typedefs: Vec<(u32, u32)>,
    /// The entries that contain the next one: the number of the item, if it is one.
    open: Vec<Option<u32>>,
    steps: &'a Steps,
}

/// The part of an entry that is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Interest {
    Item,
    /// Only its children may be items.
    Scope,
    /// Neither it nor its children are items.
    None,
}

/// Scans a unit to its end, or to the first damaged entry. Items that are not closed have no end.
pub(super) fn scan(unit: &LoadedUnit, steps: &Steps) -> Result<Scanned> {
    let mut scan = Scan { unit, items: vec![], typedefs: vec![], open: vec![], steps };
    match scan.run() {
        // Entries before the damage are right.
        Ok(()) | Err(DebugError::Dwarf(_)) => Ok(Scanned { items: scan.items, typedefs: scan.typedefs }),
        Err(error) => Err(error),
    }
}

impl Scan<'_> {
    fn run(&mut self) -> Result<()> {
        let mut raw = self.unit.unit.entries_raw(None)?;
        while !raw.is_empty() {
            self.steps.take(1)?;
            let offset = raw.next_offset().0;
            let Some(abbreviation) = raw.read_abbreviation()? else {
                if let Some(Some(number)) = self.open.pop()
                    && let Some(item) = self.items.get_mut(number as usize)
                {
                    item.end = short(raw.next_offset().0);
                }
                continue;
            };
            let attributes = abbreviation.attributes();
            let has_children = abbreviation.has_children();
            let interest = interest(abbreviation.tag(), attributes, has_children);
            let mut number = None;
            match interest {
                Interest::Item => {
                    let item = self.item(&mut raw, offset, abbreviation.tag(), attributes)?;
                    if self.items.len() >= MAX_ITEMS {
                        return Err(DebugError::TooLong);
                    }
                    number = u32::try_from(self.items.len()).ok();
                    self.items.push(item);
                }
                Interest::None if has_children => {
                    if let Some(next) = Self::sibling(&mut raw, attributes)? {
                        raw = self.unit.unit.entries_raw(Some(next))?;
                        continue;
                    }
                }
                Interest::None | Interest::Scope => raw.skip_attributes(attributes)?,
            }
            if has_children {
                if self.open.len() >= MAX_DEPTH {
                    return Ok(());
                }
                self.open.push(number);
            } else if let Some(item) = number.and_then(|number| self.items.get_mut(number as usize)) {
                item.end = short(raw.next_offset().0);
            }
        }
        Ok(())
    }

    fn item(
        &mut self,
        raw: &mut EntriesRaw<'_, Slice>,
        offset: usize,
        tag: DwTag,
        attributes: &[AttributeSpecification],
    ) -> Result<Item> {
        let parent = self.open.iter().rev().find_map(|&number| number);
        let mut item = Item {
            offset: short(offset),
            end: 0,
            parent,
            scope: parent,
            specification: None,
            tag,
            name: Name::None,
            size: None,
            is_declaration: false,
            is_inline: false,
            has_address: false,
        };
        let mut skipped = 0;
        for (index, &attribute) in attributes.iter().enumerate() {
            let is_target = tag == dw::DW_TAG_typedef && attribute.name() == dw::DW_AT_type;
            if !is_target && !is_read(attribute.name()) {
                continue;
            }
            // Several at once are skipped faster.
            raw.skip_attributes(attributes.get(skipped..index).unwrap_or_default())?;
            skipped = index + 1;
            let at = raw.next_offset().0;
            let value = raw.read_attribute(attribute)?.value();
            match attribute.name() {
                dw::DW_AT_type => {
                    if let AttributeValue::UnitRef(target) = value {
                        self.typedefs.push((short(target.0), short(offset)));
                    }
                }
                dw::DW_AT_name => item.name = self.name(&value, at),
                dw::DW_AT_byte_size => item.size = value.udata_value(),
                dw::DW_AT_declaration => item.is_declaration = matches!(value, AttributeValue::Flag(true)),
                dw::DW_AT_export_symbols => item.is_inline = true,
                dw::DW_AT_location => item.has_address = is_address(&value),
                dw::DW_AT_high_pc | dw::DW_AT_ranges => item.has_address = true,
                dw::DW_AT_specification => {
                    item.specification = match value {
                        AttributeValue::UnitRef(offset) => u32::try_from(offset.0).ok(),
                        _ => None,
                    };
                }
                _ => {}
            }
        }
        raw.skip_attributes(attributes.get(skipped..).unwrap_or_default())?;
        Ok(item)
    }

    fn name(&self, value: &AttributeValue<Slice>, at: usize) -> Name {
        let (dwarf, unit) = (&self.unit.dwarf, &self.unit.unit);
        // Sections that are loaded are smaller than 4 GiB.
        let place = |kind: fn(u32) -> Name, offset| u32::try_from(offset).map_or(Name::None, kind);
        match value {
            AttributeValue::String(_) => place(Name::Inline, at),
            AttributeValue::DebugStrRef(offset) => place(Name::String, offset.0),
            AttributeValue::DebugLineStrRef(offset) => place(Name::LineString, offset.0),
            AttributeValue::DebugStrRefSup(offset) => place(Name::Supplementary, offset.0),
            AttributeValue::DebugStrOffsetsIndex(index) => {
                dwarf.string_offset(unit, *index).map_or(Name::None, |offset| place(Name::String, offset.0))
            }
            _ => Name::None,
        }
    }

    /// Reads the attributes of an entry; returns the offset after its children if it is given.
    fn sibling(
        raw: &mut EntriesRaw<'_, Slice>,
        attributes: &[AttributeSpecification],
    ) -> Result<Option<UnitOffset>> {
        let index = attributes.iter().position(|attribute| attribute.name() == dw::DW_AT_sibling);
        let Some((before, rest)) = index.and_then(|index| attributes.split_at_checked(index)) else {
            raw.skip_attributes(attributes)?;
            return Ok(None);
        };
        let Some((&sibling, after)) = rest.split_first() else { return Ok(None) };
        raw.skip_attributes(before)?;
        let found = match raw.read_attribute(sibling)?.value() {
            AttributeValue::UnitRef(next) => Some(next),
            _ => None,
        };
        raw.skip_attributes(after)?;
        Ok(found.filter(|&next| next > raw.next_offset()))
    }
}

const fn is_read(name: DwAt) -> bool {
    matches!(
        name,
        dw::DW_AT_name
            | dw::DW_AT_byte_size
            | dw::DW_AT_declaration
            | dw::DW_AT_location
            | dw::DW_AT_high_pc
            | dw::DW_AT_ranges
            | dw::DW_AT_specification
            | dw::DW_AT_export_symbols
    )
}

fn interest(tag: DwTag, attributes: &[AttributeSpecification], has_children: bool) -> Interest {
    let has = |name| attributes.iter().any(|attribute| attribute.name() == name);
    match tag {
        dw::DW_TAG_namespace
        | dw::DW_TAG_module
        | dw::DW_TAG_structure_type
        | dw::DW_TAG_class_type
        | dw::DW_TAG_union_type
        | dw::DW_TAG_interface_type
        | dw::DW_TAG_enumeration_type
        | dw::DW_TAG_base_type
        | dw::DW_TAG_typedef => Interest::Item,
        // A declaration has parameters, but no variables or types.
        dw::DW_TAG_subprogram if !has(dw::DW_AT_declaration) => Interest::Item,
        dw::DW_TAG_variable if has(dw::DW_AT_location) && !has(dw::DW_AT_data_member_location) => {
            Interest::Item
        }
        dw::DW_TAG_compile_unit
        | dw::DW_TAG_partial_unit
        | dw::DW_TAG_type_unit
        | dw::DW_TAG_skeleton_unit
        | dw::DW_TAG_lexical_block
        | dw::DW_TAG_inlined_subroutine
        | dw::DW_TAG_variant_part
        | dw::DW_TAG_variant
        | dw::DW_TAG_try_block
        | dw::DW_TAG_catch_block
            if has_children =>
        {
            Interest::Scope
        }
        _ => Interest::None,
    }
}

/// Returns true for an expression that starts with an address.
fn is_address(value: &AttributeValue<Slice>) -> bool {
    let AttributeValue::Exprloc(expression) = value else { return false };
    let first = expression.0.bytes().first().copied().map(gimli::DwOp);
    matches!(first, Some(gimli::DW_OP_addr | gimli::DW_OP_addrx | gimli::DW_OP_GNU_addr_index))
}
