//! The outline of a unit: its namespaces, types, functions and variables, without the rest.

use super::error::Result;
use super::file::Slice;
use super::scan::{Scanned, scan};
use super::units::{Die, LoadedUnit, Steps};
use gimli::{DwTag, Reader as _, UnitOffset};

/// An entry of the outline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub offset: u32,
    /// The offset after its last child.
    pub end: u32,
    /// The number of the item around it.
    pub parent: Option<u32>,
    /// The number of the item that its name is in: that around its declaration.
    pub scope: Option<u32>,
    /// The offset of its declaration.
    pub specification: Option<u32>,
    pub tag: DwTag,
    pub name: Name,
    pub size: Option<u64>,
    pub is_declaration: bool,
    /// An inline namespace: its names appear in the one around it.
    pub is_inline: bool,
    /// A variable with a fixed address, or a function with code.
    pub has_address: bool,
}

/// The place of a name. Most are never read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    None,
    /// In `.debug_str`.
    String(u32),
    /// In `.debug_line_str`.
    LineString(u32),
    /// In the file that dwz has made.
    Supplementary(u32),
    /// In the unit, from this offset on.
    Inline(u32),
}

#[derive(Debug, Default)]
pub(super) struct Outline {
    /// In the order of their offsets.
    pub items: Vec<Item>,
    /// The offsets of types in the unit with the offsets of each `typedef` of them, in order.
    typedefs: Vec<(u32, u32)>,
}

impl Outline {
    /// Reads a unit to its end, or to the first damaged entry.
    pub fn read(unit: &LoadedUnit, steps: &Steps) -> Result<Self> {
        let Scanned { mut items, mut typedefs } = scan(unit, steps)?;
        let end = u32::try_from(unit.range.len()).unwrap_or(u32::MAX);
        for item in items.iter_mut().filter(|item| item.end == 0) {
            item.end = end;
        }
        typedefs.sort_unstable();
        let mut outline = Self { items, typedefs };
        outline.resolve();
        Ok(outline)
    }

    /// Finds the scopes of definitions that are apart from their declarations.
    fn resolve(&mut self) {
        for index in 0..self.items.len() {
            if let Some(offset) = self.items[index].specification {
                self.items[index].scope = self.around(offset as usize);
            }
        }
    }

    /// The items with their places.
    pub fn dies(&self, unit: u32) -> impl Iterator<Item = (Die, &Item)> {
        self.items.iter().map(move |item| (Die { unit, offset: item.offset as usize }, item))
    }

    /// The offset of the first `typedef` of the type at an offset.
    pub fn typedef_of(&self, offset: usize) -> Option<usize> {
        let offset = u32::try_from(offset).ok()?;
        let first = self.typedefs.partition_point(|&(target, _)| target < offset);
        let &(target, found) = self.typedefs.get(first)?;
        (target == offset).then_some(found as usize)
    }

    /// The number of the innermost item around an offset, other than the one that starts there.
    pub fn around(&self, offset: usize) -> Option<u32> {
        let offset = u32::try_from(offset).ok()?;
        let before = self.items.partition_point(|item| item.offset < offset);
        let mut index = u32::try_from(before.checked_sub(1)?).ok()?;
        loop {
            let item = self.items.get(index as usize)?;
            if offset < item.end {
                return Some(index);
            }
            index = item.parent?;
        }
    }
}

/// The bytes of a name.
pub(super) fn name_bytes(unit: &LoadedUnit, name: Name) -> Option<Slice> {
    let dwarf = &unit.dwarf;
    match name {
        Name::None => None,
        Name::String(offset) => dwarf.string(gimli::DebugStrOffset(offset as usize)).ok(),
        Name::LineString(offset) => dwarf.line_string(gimli::DebugLineStrOffset(offset as usize)).ok(),
        Name::Supplementary(offset) => dwarf.sup_string(gimli::DebugStrOffset(offset as usize)).ok(),
        Name::Inline(offset) => {
            let mut rest = unit.unit.header.range_from(UnitOffset(offset as usize)..).ok()?;
            rest.read_null_terminated_slice().ok()
        }
    }
}
