//! Variables with a fixed address: globals, statics, and static members of classes.

use super::error::Result;
use super::index::TypeId;
use super::program::Program;
use super::units::{Die, Entry, LoadedUnit};
use gimli::constants as dw;
use gimli::{AttributeValue, Operation};
use std::collections::HashSet;

/// More variables than any program has.
const MAX_VARIABLES: usize = 1 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// With its namespaces, classes and functions.
    pub name: String,
    /// In the file: the load bias is to be added.
    pub address: u64,
    pub ty: TypeId,
}

impl Program {
    /// All variables with a fixed address, by address. Those of threads are left out.
    ///
    /// # Errors
    /// Fails without debug information.
    pub fn variables(&self) -> Result<Vec<Variable>> {
        self.require()?;
        let units = &self.sections.units;
        let mut found = vec![];
        let mut seen = HashSet::new();
        for number in units.numbers() {
            let unit = units.get(number)?;
            for (die, item) in self.outline(number)?.dies(number) {
                if item.tag != dw::DW_TAG_variable || !item.has_address || found.len() >= MAX_VARIABLES {
                    continue;
                }
                let entry = units.entry(die)?;
                let Some(address) = fixed_address(unit, &entry) else { continue };
                // An inline variable is in every unit that uses it.
                if !seen.insert((address, self.original(die, &entry))) {
                    continue;
                }
                let described = self.described(die)?;
                if let (Some(ty), false) = (described.ty, described.name.is_empty()) {
                    found.push(Variable { name: described.name, address, ty: TypeId(ty) });
                }
            }
        }
        found.sort_by(|one, other| one.address.cmp(&other.address).then_with(|| one.name.cmp(&other.name)));
        found.dedup_by(|one, other| one.address == other.address && one.name == other.name);
        Ok(found)
    }

    /// The entry that a variable completes, or the variable.
    fn original(&self, die: Die, entry: &Entry) -> Die {
        let specification = self.sections.units.referred(die.unit, entry, dw::DW_AT_specification);
        specification.ok().flatten().unwrap_or(die)
    }
}

/// The address of an expression that is nothing else.
fn fixed_address(unit: &LoadedUnit, entry: &Entry) -> Option<u64> {
    let AttributeValue::Exprloc(expression) = entry.attr_value(dw::DW_AT_location)? else { return None };
    let mut operations = expression.operations(unit.unit.encoding());
    let address = match operations.next().ok()?? {
        Operation::Address { address } => address,
        Operation::AddressIndex { index } => unit.dwarf.address(&unit.unit, index).ok()?,
        _ => return None,
    };
    let offset = match operations.next().ok()? {
        None => 0,
        Some(Operation::PlusConstant { value }) if operations.next().ok()?.is_none() => value,
        // The operation after the offset of a thread's variable.
        Some(_) => return None,
    };
    // The linker gives address 0 to variables that it left out.
    address.checked_add(offset).filter(|_| address != 0)
}
