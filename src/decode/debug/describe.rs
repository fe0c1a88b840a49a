//! Names of types, for messages and for what points to them.

use super::error::DebugError;
use super::types::Builder;
use super::units::Die;
use crate::decode::TypeError;
use gimli::constants as dw;

/// Names within names.
const MAX_NAME_DEPTH: u32 = 12;

impl Builder<'_> {
    pub fn shown_name(&self, die: Die) -> String {
        let name = self.program.qualified_name(die).unwrap_or_default();
        if name.is_empty() { "(anonymous)".to_owned() } else { crate::segment::escape(name.as_bytes()) }
    }

    pub fn problem(&self, die: Die, problem: TypeError) -> DebugError {
        DebugError::Type { name: self.shown_name(die), problem }
    }

    pub fn unsupported(&self, die: Die, problem: &str) -> DebugError {
        DebugError::Unsupported { name: self.shown_name(die), problem: problem.to_owned() }
    }

    /// The name of a type that something points to. `None` is `void`.
    pub fn name_of(&self, die: Option<Die>) -> String {
        self.name_within(die, MAX_NAME_DEPTH)
    }

    fn name_within(&self, die: Option<Die>, depth: u32) -> String {
        let Some(die) = die else { return "void".to_owned() };
        let Some((entry, depth)) = self.units().entry(die).ok().zip(depth.checked_sub(1)) else {
            return "…".to_owned();
        };
        // A reference to a type unit may have no name.
        if let Ok(Some(signed)) = self.units().referred(die.unit, &entry, dw::DW_AT_signature) {
            return self.name_within(Some(signed), depth);
        }
        let target = || {
            let target = self.units().referred(die.unit, &entry, dw::DW_AT_type).ok().flatten();
            self.name_within(target, depth)
        };
        match entry.tag() {
            dw::DW_TAG_pointer_type => target() + "*",
            dw::DW_TAG_reference_type => target() + "&",
            dw::DW_TAG_rvalue_reference_type => target() + "&&",
            dw::DW_TAG_const_type | dw::DW_TAG_volatile_type | dw::DW_TAG_restrict_type => target(),
            dw::DW_TAG_array_type => target() + "[]",
            dw::DW_TAG_subroutine_type => "function".to_owned(),
            _ => match self.program.qualified_name(die) {
                Ok(name) if !name.is_empty() => name,
                _ => "(anonymous)".to_owned(),
            },
        }
    }
}
