//! The lines of the source that code comes from, and the functions that were inlined there.

use super::error::Result;
use super::file::Slice;
use super::functions::addresses;
use super::program::Program;
use super::units::{Die, Entry, LoadedUnit, Steps, number};
use gimli::AttributeValue;
use gimli::constants as dw;
use std::num::NonZeroU64;

/// Rows of a line table.
const MAX_ROWS: usize = 1 << 20;
/// Functions inlined in each other, and the blocks around them.
const MAX_DEPTH: usize = 64;

/// A line of a file, as the unit numbers files.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub file: u64,
    pub line: u64,
}

/// A place in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePlace {
    /// The function with its namespaces and classes.
    pub function: String,
    /// With its directory.
    pub file: Option<String>,
    pub line: Option<u64>,
}

impl Line {
    /// The line in two attributes of an entry.
    pub fn declared(entry: &Entry, file: gimli::DwAt, line: gimli::DwAt) -> Option<Self> {
        let file = match entry.attr_value(file)? {
            AttributeValue::FileIndex(index) => index,
            value => value.udata_value()?,
        };
        Some(Self { file, line: number(entry, line)? })
    }

    /// The line of the code at an address.
    fn at(unit: &LoadedUnit, address: u64) -> Option<Self> {
        let mut rows = line_program(unit)?.rows();
        let mut before: Option<(u64, Self)> = None;
        for _ in 0..MAX_ROWS {
            let (_, row) = rows.next_row().ok()??;
            if let Some((start, line)) = before
                && (start..row.address()).contains(&address)
            {
                return Some(line).filter(|line| line.line > 0);
            }
            let line = Self { file: row.file_index(), line: row.line().map_or(0, NonZeroU64::get) };
            before = (!row.end_sequence()).then_some((row.address(), line));
        }
        None
    }
}

impl Program {
    /// The places in the source of the code at an address of the file: the function that was inlined
    /// there last, with the line of the code; the functions around it, with the lines that call it;
    /// at the end the function that contains all of them. Empty where there is none.
    ///
    /// # Errors
    /// Fails without debug information.
    pub fn sources_at(&self, address: u64) -> Result<Vec<SourcePlace>> {
        let Some(function) = self.function_at(address)? else { return Ok(vec![]) };
        let unit = function.die.unit;
        let mut line = self.line_at(unit, address);
        let mut places = vec![];
        for inlined in self.inlined_at(function.die, address).into_iter().rev() {
            let name = self.described(inlined)?.name;
            places.push(self.place(unit, name, line));
            let entry = self.sections.units.entry(inlined)?;
            line = Line::declared(&entry, dw::DW_AT_call_file, dw::DW_AT_call_line);
        }
        places.push(self.place(unit, function.name, line));
        Ok(places)
    }

    fn place(&self, unit: u32, function: String, line: Option<Line>) -> SourcePlace {
        let file = line.and_then(|line| self.file_name(unit, line.file));
        SourcePlace { function, file, line: line.map(|line| line.line) }
    }

    /// The functions that were inlined at an address, outermost first.
    fn inlined_at(&self, function: Die, address: u64) -> Vec<Die> {
        let (units, steps) = (&self.sections.units, Steps::default());
        let mut found = vec![];
        let mut around = Some(function);
        for _ in 0..MAX_DEPTH {
            let Some(die) = around.take() else { break };
            let Ok(unit) = units.get(die.unit) else { break };
            let visit = |child, entry: &Entry| {
                let is_block = entry.tag() == dw::DW_TAG_lexical_block;
                if around.is_none() && (is_block || entry.tag() == dw::DW_TAG_inlined_subroutine) {
                    let ranges = addresses(unit, entry);
                    if ranges.iter().any(|range| range.contains(&address)) {
                        around = Some(child);
                        found.extend((!is_block).then_some(child));
                    }
                }
                Ok(())
            };
            // What was found so far is right even if the rest is damaged.
            if units.children(die, &steps, visit).is_err() {
                break;
            }
        }
        found
    }

    /// The line of the code at an address.
    pub(super) fn line_at(&self, unit: u32, address: u64) -> Option<Line> {
        Line::at(self.with_lines(unit)?, address)
    }

    /// The name of a file, by its number in a unit.
    pub(super) fn file_name(&self, unit: u32, index: u64) -> Option<String> {
        let loaded = self.with_lines(unit)?;
        let program = line_program(loaded)?;
        let header = program.header();
        let file = header.file(index)?;
        let text = |value| {
            let bytes: Slice = loaded.dwarf.attr_string(&loaded.unit, value).ok()?;
            Some(String::from_utf8_lossy(bytes.bytes()).into_owned())
        };
        let name = text(file.path_name())?;
        let directory = file.directory(header).and_then(text).filter(|_| !name.starts_with('/'));
        Some(directory.map_or_else(|| name.clone(), |directory| format!("{directory}/{name}")))
    }

    /// The unit that has the lines of a unit: the one in the program for a unit of a `.dwo` file.
    fn with_lines(&self, unit: u32) -> Option<&LoadedUnit> {
        let units = &self.sections.units;
        let own = units.get(unit).ok()?;
        let Some(id) = own.unit.dwo_id.filter(|_| lines_offset(own).is_none()) else { return Some(own) };
        units.list.iter().find(|other| other.unit.dwo_id == Some(id) && lines_offset(other).is_some())
    }
}

fn lines_offset(loaded: &LoadedUnit) -> Option<gimli::DebugLineOffset> {
    let root = loaded.unit.entry(loaded.unit.header.root_offset()).ok()?;
    match root.attr_value(dw::DW_AT_stmt_list)? {
        AttributeValue::DebugLineRef(offset) => Some(offset),
        _ => None,
    }
}

/// The lines of a unit. They are not kept, because they are large and rarely needed.
fn line_program(loaded: &LoadedUnit) -> Option<gimli::IncompleteLineProgram<Slice>> {
    let (directory, name) = (loaded.unit.comp_dir.clone(), loaded.unit.name.clone());
    let size = loaded.unit.header.address_size();
    loaded.dwarf.debug_line.program(lines_offset(loaded)?, size, directory, name).ok()
}
