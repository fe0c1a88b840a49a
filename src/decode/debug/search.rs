//! The quick search for a type by its full name: it reads only the entries of the namespaces and
//! classes on the way, and no functions.

use super::error::{DebugError, Result};
use super::name::normalized;
use super::program::Program;
use super::units::{Die, LoadedUnit, Steps};
use gimli::constants as dw;
use gimli::{AttributeSpecification, AttributeValue, EntriesRaw, UnitOffset};
use std::collections::HashMap;

/// Types of the same name in several units that differ.
const MAX_FOUND: usize = 16;
/// Inline namespaces within each other.
const MAX_DEPTH: usize = 8;

struct Search<'a> {
    unit: &'a LoadedUnit,
    number: u32,
    /// The parts of the name, normalized.
    parts: &'a [String],
    steps: &'a Steps,
    /// Inline namespaces that are open.
    depth: usize,
    /// The definitions, by their size.
    found: &'a mut HashMap<Option<u64>, Die>,
}

/// A namespace, class or other type.
#[derive(Default)]
struct Candidate {
    name: Option<super::file::Slice>,
    size: Option<u64>,
    is_declaration: bool,
    /// Its name is in the scope of its declaration.
    is_apart: bool,
    /// An inline namespace.
    is_inline: bool,
    next: Option<UnitOffset>,
}

impl Program {
    /// Finds the definitions of a name in its normalized form. Those of the same size are one.
    pub(super) fn quick_find(&self, key: &str) -> Result<Vec<Die>> {
        let parts = parts(key);
        let mut found = HashMap::new();
        let steps = Steps::default();
        let units = &self.sections.units;
        for number in units.numbers() {
            let unit = units.get(number)?;
            let mut search =
                Search { unit, number, parts: &parts, steps: &steps, depth: 0, found: &mut found };
            match search.scope(unit.unit.header.root_offset(), 0) {
                // Entries before the damage are right.
                Ok(()) | Err(DebugError::Dwarf(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let mut found: Vec<Die> = found.into_values().collect();
        found.sort_unstable();
        Ok(found)
    }
}

impl Search<'_> {
    /// Searches the children of an entry for the part of the name at a level.
    fn scope(&mut self, offset: UnitOffset, level: usize) -> Result<()> {
        let unit = &self.unit.unit;
        let mut raw = unit.entries_raw(Some(offset))?;
        let Some(root) = raw.read_abbreviation()? else { return Ok(()) };
        raw.skip_attributes(root.attributes())?;
        let mut depth = usize::from(root.has_children());
        while depth > 0 && !raw.is_empty() && self.found.len() < MAX_FOUND {
            self.steps.take(1)?;
            let offset = raw.next_offset();
            let Some(abbreviation) = raw.read_abbreviation()? else {
                depth -= 1;
                continue;
            };
            let (tag, attributes) = (abbreviation.tag(), abbreviation.attributes());
            if depth > 1 {
                raw.skip_attributes(attributes)?;
                depth += usize::from(abbreviation.has_children());
                continue;
            }
            let is_candidate =
                is_scope(tag) || matches!(tag, dw::DW_TAG_enumeration_type | dw::DW_TAG_typedef);
            if !is_candidate && !abbreviation.has_children() {
                raw.skip_attributes(attributes)?;
                continue;
            }
            let candidate = self.read(&mut raw, attributes, is_candidate)?;
            if is_candidate {
                self.visit(offset, tag, &candidate, level)?;
            }
            if abbreviation.has_children() {
                match candidate.next.filter(|&next| next > raw.next_offset()) {
                    Some(next) => raw = unit.entries_raw(Some(next))?,
                    None => depth += 1,
                }
            }
        }
        Ok(())
    }

    fn visit(
        &mut self,
        offset: UnitOffset,
        tag: gimli::DwTag,
        candidate: &Candidate,
        level: usize,
    ) -> Result<()> {
        let Some(part) = self.parts.get(level) else { return Ok(()) };
        let is_match = match &candidate.name {
            // Names differ in their first bytes, mostly.
            Some(name) => {
                is_like(name.bytes(), part) && normalized(&String::from_utf8_lossy(name.bytes())) == *part
            }
            None => tag == dw::DW_TAG_namespace && part == "(anonymous namespace)",
        };
        let is_inline = tag == dw::DW_TAG_namespace
            && (candidate.is_inline
                || candidate.name.as_ref().is_some_and(|name| super::name::is_inline(name.bytes())));
        if is_inline && self.depth < MAX_DEPTH {
            self.depth += 1;
            self.scope(offset, level)?;
            self.depth -= 1;
        }
        if !is_match || candidate.is_apart {
            return Ok(());
        }
        if level + 1 < self.parts.len() {
            return if is_scope(tag) { self.scope(offset, level + 1) } else { Ok(()) };
        }
        if tag != dw::DW_TAG_namespace && !candidate.is_declaration {
            let die = Die { unit: self.number, offset: offset.0 };
            self.found.entry(candidate.size).or_insert(die);
        }
        Ok(())
    }

    fn read(
        &self,
        raw: &mut EntriesRaw<'_, super::file::Slice>,
        attributes: &[AttributeSpecification],
        is_candidate: bool,
    ) -> Result<Candidate> {
        let mut candidate = Candidate::default();
        let mut skipped = 0;
        for (index, &attribute) in attributes.iter().enumerate() {
            let name = attribute.name();
            if name != dw::DW_AT_sibling && !(is_candidate && is_read(name)) {
                continue;
            }
            raw.skip_attributes(attributes.get(skipped..index).unwrap_or_default())?;
            skipped = index + 1;
            let value = raw.read_attribute(attribute)?.value();
            match (name, value) {
                (dw::DW_AT_name, value) => {
                    candidate.name = self.unit.dwarf.attr_string(&self.unit.unit, value).ok();
                }
                (dw::DW_AT_byte_size, value) => candidate.size = value.udata_value(),
                (dw::DW_AT_export_symbols, _) => candidate.is_inline = true,
                (dw::DW_AT_specification, _) => candidate.is_apart = true,
                (dw::DW_AT_declaration, AttributeValue::Flag(flag)) => candidate.is_declaration = flag,
                (dw::DW_AT_sibling, AttributeValue::UnitRef(next)) => candidate.next = Some(next),
                _ => {}
            }
        }
        raw.skip_attributes(attributes.get(skipped..).unwrap_or_default())?;
        Ok(candidate)
    }
}

const fn is_read(name: gimli::DwAt) -> bool {
    matches!(
        name,
        dw::DW_AT_name
            | dw::DW_AT_byte_size
            | dw::DW_AT_declaration
            | dw::DW_AT_specification
            | dw::DW_AT_export_symbols
    )
}

const fn is_scope(tag: gimli::DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_namespace
            | dw::DW_TAG_module
            | dw::DW_TAG_structure_type
            | dw::DW_TAG_class_type
            | dw::DW_TAG_union_type
            | dw::DW_TAG_interface_type
    )
}

/// Returns false for most names that differ, without a look at their spaces.
fn is_like(name: &[u8], part: &str) -> bool {
    let start = part.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(part.len());
    name.starts_with(part.as_bytes().get(..start).unwrap_or_default())
}

/// Splits a name at each `::` outside of the arguments of templates.
fn parts(key: &str) -> Vec<String> {
    let mut parts = vec![];
    let mut rest = key;
    loop {
        let last = super::name::last_part(rest);
        parts.push(last.to_owned());
        match rest[..rest.len() - last.len()].strip_suffix("::") {
            Some(before) => rest = before,
            None => break,
        }
    }
    parts.reverse();
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_split_outside_of_template_arguments() {
        assert_eq!(parts("a::B<c::D>::E"), ["a", "B<c::D>", "E"]);
        assert_eq!(parts("E"), ["E"]);
        assert_eq!(parts(""), [""]);
    }
}
