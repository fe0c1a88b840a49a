//! The functions of a program by their addresses.

use super::error::Result;
use super::index::TypeId;
use super::lines::Line;
use super::program::Program;
use super::units::{Die, Entry, LoadedUnit, number};
use gimli::AttributeValue;
use gimli::constants as dw;
use std::ops::Range;

/// More functions than any program has.
const MAX_RANGES: usize = 1 << 22;
/// Ranges of one function or block.
const MAX_PARTS: usize = 1 << 10;
/// Functions within functions that may contain an address.
const MAX_NESTED: usize = 64;
/// Entries that complete each other: an inlined copy, its function, and the declaration of that.
const MAX_ORIGINS: usize = 8;

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// With its namespaces and classes.
    pub name: String,
    /// The file that declares it.
    pub file: Option<String>,
    pub line: Option<u64>,
    /// The addresses in the file of the part that contains the one that was sought.
    pub addresses: Range<u64>,
    pub(super) die: Die,
}

/// The addresses of all functions, in order.
#[derive(Debug, Default)]
pub(super) struct Ranges(Vec<(Range<u64>, Die)>);

impl Ranges {
    fn read(program: &Program) -> Result<Self> {
        let mut ranges = vec![];
        let units = &program.sections.units;
        for number in units.numbers() {
            let unit = units.get(number)?;
            for (die, item) in program.outline(number)?.dies(number) {
                if item.tag != dw::DW_TAG_subprogram || !item.has_address || ranges.len() >= MAX_RANGES {
                    continue;
                }
                let entry = units.entry(die)?;
                // The linker gives address 0 to functions that it left out.
                let kept = addresses(unit, &entry).into_iter().filter(|range| range.start != 0);
                ranges.extend(kept.map(|range| (range, die)));
            }
        }
        ranges.sort_by_key(|(range, die)| (range.start, std::cmp::Reverse(range.end), *die));
        Ok(Self(ranges))
    }

    /// The innermost function at an address.
    fn at(&self, address: u64) -> Option<&(Range<u64>, Die)> {
        let after = self.0.partition_point(|(range, _)| range.start <= address);
        let before = self.0.get(..after)?.iter().rev().take(MAX_NESTED);
        before.into_iter().find(|(range, _)| address < range.end)
    }
}

/// The addresses of a function or block. Empty if they are damaged.
pub(super) fn addresses(unit: &LoadedUnit, entry: &Entry) -> Vec<Range<u64>> {
    let (dwarf, own) = (&unit.dwarf, &unit.unit);
    let address = |value| dwarf.attr_address(own, value).ok().flatten();
    if let Some(value) = entry.attr_value(dw::DW_AT_ranges) {
        let Ok(Some(mut list)) = dwarf.attr_ranges(own, value) else { return vec![] };
        let mut ranges = vec![];
        while let Ok(Some(range)) = list.next() {
            if range.begin < range.end && ranges.len() < MAX_PARTS {
                ranges.push(range.begin..range.end);
            }
        }
        return ranges;
    }
    let Some(low) = entry.attr_value(dw::DW_AT_low_pc).and_then(address) else { return vec![] };
    let high = match entry.attr_value(dw::DW_AT_high_pc) {
        Some(AttributeValue::Udata(size)) => low.checked_add(size),
        Some(value) => address(value),
        None => None,
    };
    high.filter(|&high| low < high).map(|high| low..high).into_iter().collect()
}

impl Program {
    /// The function at an address of the file.
    ///
    /// # Errors
    /// Fails without debug information.
    pub fn function_at(&self, address: u64) -> Result<Option<Function>> {
        self.require()?;
        let ranges = self.ranges.get_or_init(|| Ranges::read(self)).as_ref().map_err(Clone::clone)?;
        let Some((addresses, die)) = ranges.at(address) else { return Ok(None) };
        let described = self.described(*die)?;
        Ok(Some(Function {
            name: described.name,
            file: described.file,
            line: described.line,
            addresses: addresses.clone(),
            die: *die,
        }))
    }

    /// The name of a type, with its namespaces.
    ///
    /// # Errors
    /// Fails if the debug information is damaged.
    pub fn type_name(&self, id: TypeId) -> String {
        super::types::Builder::new(self).name_of(Some(id.0))
    }

    /// The name, type and place in the source of a function or variable. Its entry may leave them to
    /// the one that it is a copy of, or to its declaration.
    pub(super) fn described(&self, die: Die) -> Result<Described> {
        let units = &self.sections.units;
        let mut described = Described::default();
        let mut next = Some(die);
        for _ in 0..MAX_ORIGINS {
            let Some(die) = next else { break };
            let entry = units.entry(die)?;
            if described.name.is_empty() && entry.has_attr(dw::DW_AT_name) {
                described.name = self.qualified_name(die)?;
                described.own_name = units.name(die.unit, &entry).unwrap_or_default();
            }
            if described.ty.is_none() {
                described.ty = units.referred(die.unit, &entry, dw::DW_AT_type).ok().flatten();
            }
            if described.line.is_none() {
                described.line = number(&entry, dw::DW_AT_decl_line);
                described.file = Line::declared(&entry, dw::DW_AT_decl_file, dw::DW_AT_decl_line)
                    .and_then(|line| self.file_name(die.unit, line.file));
            }
            next = match units.referred(die.unit, &entry, dw::DW_AT_abstract_origin) {
                Ok(Some(origin)) => Some(origin),
                _ => units.referred(die.unit, &entry, dw::DW_AT_specification).ok().flatten(),
            };
        }
        Ok(described)
    }
}

#[derive(Debug, Default)]
pub(super) struct Described {
    pub name: String,
    /// Without the scopes around it.
    pub own_name: String,
    pub ty: Option<Die>,
    pub file: Option<String>,
    pub line: Option<u64>,
}
