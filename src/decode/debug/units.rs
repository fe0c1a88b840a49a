//! The units of a program, and the entries in them.

use super::error::{DebugError, Result};
use super::file::Slice;
use gimli::{AttributeValue, DebugTypeSignature, DebuggingInformationEntry, Dwarf, UnitOffset, UnitType};
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

pub(super) type Entry = DebuggingInformationEntry<Slice>;

/// More units than any program has.
const MAX_UNITS: usize = 1 << 19;
/// Entries that one operation may read. Whole programs are read in parts, so that this bounds the
/// time of each answer.
const MAX_STEPS: u64 = 1 << 24;

/// A place in the debug information: the number of a unit, and an offset in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Die {
    pub unit: u32,
    pub offset: usize,
}

/// A unit with the sections that it refers to.
#[derive(Debug)]
pub(super) struct LoadedUnit {
    pub dwarf: Arc<Dwarf<Slice>>,
    pub unit: gimli::Unit<Slice>,
    /// Its place in the section.
    pub range: Range<usize>,
    /// Its name and language are those of a program, rather than of a type.
    pub is_type: bool,
}

/// Units of the same section, in order.
#[derive(Debug)]
struct Group {
    units: Range<usize>,
    is_types: bool,
    /// A `.gnu_debugaltlink` file.
    is_supplementary: bool,
}

#[derive(Debug, Default)]
pub(super) struct Units {
    pub list: Vec<LoadedUnit>,
    groups: Vec<Group>,
    signatures: HashMap<u64, Die>,
}

/// Counts the entries that an operation reads.
#[derive(Debug)]
pub(super) struct Steps(Cell<u64>);

impl Default for Steps {
    fn default() -> Self {
        Self(Cell::new(MAX_STEPS))
    }
}

impl Steps {
    pub fn take(&self, count: u64) -> Result<()> {
        match self.0.get().checked_sub(count) {
            Some(left) => {
                self.0.set(left);
                Ok(())
            }
            None => Err(DebugError::TooLong),
        }
    }
}

impl Units {
    /// Adds the units of all sections of `dwarf`. Damaged units are left out. Returns their numbers.
    pub fn add(&mut self, dwarf: &Arc<Dwarf<Slice>>, is_supplementary: bool) -> Range<usize> {
        let start = self.list.len();
        let mut headers = dwarf.units();
        while let Ok(Some(header)) = headers.next() {
            self.add_unit(dwarf, header);
        }
        self.groups.push(Group { units: start..self.list.len(), is_types: false, is_supplementary });
        let types = self.list.len();
        let mut headers = dwarf.type_units();
        while let Ok(Some(header)) = headers.next() {
            self.add_unit(dwarf, header);
        }
        self.groups.push(Group { units: types..self.list.len(), is_types: true, is_supplementary });
        start..self.list.len()
    }

    fn add_unit(&mut self, dwarf: &Arc<Dwarf<Slice>>, header: gimli::UnitHeader<Slice>) {
        if self.list.len() >= MAX_UNITS || !matches!(header.address_size(), 4 | 8) {
            return;
        }
        let start = header.offset().0;
        let range = start..start.saturating_add(header.length_including_self());
        let kind = header.type_();
        let Ok(mut unit) = dwarf.unit(header) else { return };
        // Its list of files is large, and rarely needed.
        unit.line_program = None;
        let number = self.list.len();
        let (UnitType::Type { type_signature, type_offset }
        | UnitType::SplitType { type_signature, type_offset }) = kind
        else {
            self.list.push(LoadedUnit { dwarf: Arc::clone(dwarf), unit, range, is_type: false });
            return;
        };
        if let Ok(number) = u32::try_from(number) {
            let die = Die { unit: number, offset: type_offset.0 };
            self.signatures.entry(type_signature.0).or_insert(die);
        }
        self.list.push(LoadedUnit { dwarf: Arc::clone(dwarf), unit, range, is_type: true });
    }

    pub fn get(&self, number: u32) -> Result<&LoadedUnit> {
        self.list.get(number as usize).ok_or(DebugError::BadReference)
    }

    pub fn numbers(&self) -> Range<u32> {
        0..u32::try_from(self.list.len()).unwrap_or(u32::MAX)
    }

    pub fn entry(&self, die: Die) -> Result<Entry> {
        Ok(self.get(die.unit)?.unit.entry(UnitOffset(die.offset))?)
    }

    /// Visits the children of an entry.
    pub fn children(
        &self,
        die: Die,
        steps: &Steps,
        mut visit: impl FnMut(Die, &Entry) -> Result<()>,
    ) -> Result<()> {
        let unit = &self.get(die.unit)?.unit;
        let mut raw = unit.entries_raw(Some(UnitOffset(die.offset)))?;
        let mut entry = Entry::null();
        steps.take(1)?;
        if !raw.read_entry(&mut entry)? || !entry.has_children() {
            return Ok(());
        }
        let mut depth = 1_usize;
        while depth > 0 && !raw.is_empty() {
            steps.take(1)?;
            if depth > 1 {
                match raw.read_abbreviation()? {
                    Some(abbreviation) => {
                        raw.skip_attributes(abbreviation.attributes())?;
                        depth += usize::from(abbreviation.has_children());
                    }
                    None => depth -= 1,
                }
                continue;
            }
            if !raw.read_entry(&mut entry)? {
                return Ok(());
            }
            visit(Die { unit: die.unit, offset: entry.offset().0 }, &entry)?;
            if entry.has_children() {
                match sibling(&entry).filter(|&next| next > raw.next_offset()) {
                    Some(next) => raw = unit.entries_raw(Some(next))?,
                    None => depth += 1,
                }
            }
        }
        Ok(())
    }

    /// The entry that an attribute refers to.
    pub fn reference(&self, from: u32, value: &AttributeValue<Slice>) -> Option<Die> {
        match *value {
            AttributeValue::UnitRef(offset) => Some(Die { unit: from, offset: offset.0 }),
            AttributeValue::DebugInfoRef(offset) => {
                let mut index = self.groups.partition_point(|group| group.units.end <= from as usize);
                // Type units cannot be referred to by their offset, so it is in `.debug_info`.
                index -= usize::from(self.groups.get(index)?.is_types);
                self.at(self.groups.get(index)?, offset.0)
            }
            AttributeValue::DebugInfoRefSup(offset) => {
                let group = self.groups.iter().find(|group| group.is_supplementary && !group.is_types)?;
                self.at(group, offset.0)
            }
            AttributeValue::DebugTypesRef(DebugTypeSignature(signature)) => {
                self.signatures.get(&signature).copied()
            }
            _ => None,
        }
    }

    fn at(&self, group: &Group, offset: usize) -> Option<Die> {
        let units = self.list.get(group.units.clone())?;
        let index = units.partition_point(|unit| unit.range.start <= offset).checked_sub(1)?;
        let unit = units.get(index).filter(|unit| unit.range.contains(&offset))?;
        let number = u32::try_from(group.units.start + index).ok()?;
        Some(Die { unit: number, offset: offset - unit.range.start })
    }

    /// The entry that an attribute of an entry refers to. `Ok(None)` without the attribute.
    pub fn referred(&self, from: u32, entry: &Entry, name: gimli::DwAt) -> Result<Option<Die>> {
        match entry.attr_value(name) {
            None => Ok(None),
            Some(value) => self.reference(from, &value).map(Some).ok_or_else(|| match value {
                AttributeValue::DebugInfoRefSup(_) => {
                    DebugError::NotFound("a file that dwz has made for several programs".to_owned())
                }
                AttributeValue::DebugTypesRef(_) => DebugError::NotFound("a .dwo file".to_owned()),
                _ => DebugError::BadReference,
            }),
        }
    }

    /// The bytes of a string.
    pub fn string(&self, unit: u32, value: AttributeValue<Slice>) -> Option<Slice> {
        let loaded = self.get(unit).ok()?;
        loaded.dwarf.attr_string(&loaded.unit, value).ok()
    }

    /// The name of an entry.
    pub fn name(&self, unit: u32, entry: &Entry) -> Option<String> {
        let name = self.string(unit, entry.attr_value(gimli::DW_AT_name)?)?;
        let name = String::from_utf8_lossy(name.bytes());
        Some(Cow::into_owned(name)).filter(|name| !name.is_empty())
    }
}

fn sibling(entry: &Entry) -> Option<UnitOffset> {
    match entry.attr_value(gimli::DW_AT_sibling) {
        Some(AttributeValue::UnitRef(offset)) => Some(offset),
        _ => None,
    }
}

/// The value of a flag.
pub(super) fn is_set(entry: &Entry, name: gimli::DwAt) -> bool {
    matches!(entry.attr_value(name), Some(AttributeValue::Flag(true)))
}

/// The value of an attribute that is a number.
pub(super) fn number(entry: &Entry, name: gimli::DwAt) -> Option<u64> {
    entry.attr_value(name)?.udata_value()
}
