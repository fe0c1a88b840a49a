//! The parameters and local variables of a frame.

use super::error::Result;
use super::file::Slice;
use super::functions::{Function, addresses};
use super::index::TypeId;
use super::lines::Line;
use super::location::{Evaluator, Frame, Location};
use super::program::Program;
use super::units::{Die, Entry, LoadedUnit, Steps};
use gimli::AttributeValue;
use gimli::constants as dw;

/// Blocks within blocks.
const MAX_DEPTH: usize = 64;
/// More variables than any function has.
const MAX_LOCALS: usize = 1 << 14;
/// Entries of a location list.
const MAX_ENTRIES: usize = 1 << 14;

/// A parameter or local variable that is in scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    pub name: String,
    pub ty: Option<TypeId>,
    pub is_parameter: bool,
    /// The function that it belongs to, if that was inlined.
    pub inlined: Option<String>,
    pub location: Location,
    /// False if its declaration comes after the line of the frame: it has no value yet.
    pub is_declared: bool,
}

struct Walk<'a> {
    program: &'a Program,
    unit: &'a LoadedUnit,
    evaluator: Evaluator<'a>,
    /// In the file.
    address: u64,
    /// The line of the frame.
    line: Option<Line>,
    steps: Steps,
    found: Vec<Local>,
}

impl Program {
    /// The parameters and variables that are in scope in a frame of a function, with their places.
    ///
    /// # Errors
    /// Fails if the debug information is damaged.
    pub fn locals(&self, function: &Function, frame: &Frame<'_>) -> Result<Vec<Local>> {
        let die = function.die;
        let unit = self.sections.units.get(die.unit)?;
        let entry = self.sections.units.entry(die)?;
        let address_size = unit.unit.header.address_size();
        let address = frame.address.wrapping_sub(frame.bias);
        let plain = Evaluator { frame, unit: Some(unit), frame_base: None, address_size };
        let base = entry.attr_value(dw::DW_AT_frame_base);
        let base = base.and_then(|value| expression(unit, value, address));
        let frame_base = base.and_then(|base| plain.number(base, unit.unit.encoding(), None).ok());
        let evaluator = Evaluator { frame_base, ..plain };
        let mut walk = Walk {
            program: self,
            unit,
            evaluator,
            address,
            line: self.line_at(die.unit, address),
            steps: Steps::default(),
            found: vec![],
        };
        walk.block(die, None, 0)?;
        if walk.found.iter().any(|local| local.inlined.is_some()) {
            walk.found.iter_mut().for_each(|local| local.is_declared = true);
        }
        Ok(walk.found)
    }
}

impl Walk<'_> {
    fn block(&mut self, die: Die, inlined: Option<&str>, depth: usize) -> Result<()> {
        let mut inner = vec![];
        let (program, unit, address) = (self.program, self.unit, self.address);
        let mut variables = vec![];
        program.sections.units.children(die, &self.steps, |child, entry| {
            match entry.tag() {
                dw::DW_TAG_formal_parameter | dw::DW_TAG_variable => {
                    variables.push((child, entry.tag(), entry.clone()));
                }
                dw::DW_TAG_lexical_block | dw::DW_TAG_inlined_subroutine => {
                    let ranges = addresses(unit, entry);
                    // A block without addresses has those of what is around it.
                    let is_inside = ranges.is_empty() && entry.tag() == dw::DW_TAG_lexical_block
                        || ranges.iter().any(|range| range.contains(&address));
                    if is_inside {
                        inner.push((child, entry.tag()));
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        for (die, tag, entry) in variables {
            if self.found.len() >= MAX_LOCALS {
                return Ok(());
            }
            self.variable(die, tag, &entry, inlined)?;
        }
        if depth >= MAX_DEPTH {
            return Ok(());
        }
        for (child, tag) in inner {
            if tag == dw::DW_TAG_inlined_subroutine {
                let name = self.program.described(child)?.name;
                self.block(child, Some(&name), depth + 1)?;
            } else {
                self.block(child, inlined, depth + 1)?;
            }
        }
        Ok(())
    }

    fn variable(&mut self, die: Die, tag: gimli::DwTag, entry: &Entry, inlined: Option<&str>) -> Result<()> {
        let described = self.program.described(die)?;
        if described.own_name.is_empty() || entry.has_attr(dw::DW_AT_declaration) {
            return Ok(());
        }
        let location = match entry.attr_value(dw::DW_AT_location) {
            Some(value) => match expression(self.unit, value, self.address) {
                Some(expression) => self.evaluator.locate(expression, self.unit.unit.encoding()),
                None => Location::OptimizedOut,
            },
            None => match entry.attr_value(dw::DW_AT_const_value) {
                Some(AttributeValue::Sdata(value)) => Location::Value(value.cast_unsigned()),
                Some(value) => value.udata_value().map_or(Location::Split, Location::Value),
                None => Location::OptimizedOut,
            },
        };
        let is_parameter = tag == dw::DW_TAG_formal_parameter;
        let is_later = match (self.line, Line::declared(entry, dw::DW_AT_decl_file, dw::DW_AT_decl_line)) {
            (Some(here), Some(declared)) => declared.file == here.file && declared.line > here.line,
            _ => false,
        };
        self.found.push(Local {
            is_declared: is_parameter || !is_later,
            name: described.own_name,
            ty: described.ty.map(TypeId),
            is_parameter,
            inlined: inlined.map(str::to_owned),
            location,
        });
        Ok(())
    }
}

/// The expression of an attribute for an address: its only one, or the one of a list. `None` where
/// the value does not exist.
fn expression(
    unit: &LoadedUnit,
    value: AttributeValue<Slice>,
    address: u64,
) -> Option<gimli::Expression<Slice>> {
    if let AttributeValue::Exprloc(expression) = value {
        return Some(expression);
    }
    let mut list = unit.dwarf.attr_locations(&unit.unit, value).ok()??;
    for _ in 0..MAX_ENTRIES {
        let entry = list.next().ok()??;
        if (entry.range.begin..entry.range.end).contains(&address) {
            return Some(entry.data);
        }
    }
    None
}
