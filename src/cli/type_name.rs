//! Types on the command line: those that are written out, and names of types in the programs that
//! hold the segment.

use super::choose::choose;
use super::{Failure, survey_with_unlinked};
use crate::decode::declaration::read_header;
use crate::decode::{PlacedType, TypeSource};
use crate::identify::typing::{Knowledge, may_be_type_name, named_type};
use crate::machine::Machine;
use crate::segment::{Bytes, ShownError, quote};
use std::ffi::OsStr;

/// A type as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeArgument {
    Known(TypeSource),
    /// The name of a type that only programs may know.
    Named {
        name: String,
        offset: Option<u64>,
        /// The reason why it is no other type.
        error: ShownError,
    },
}

/// Parses a type. The error omits the value, because clap already quotes it.
pub fn parse(text: &str) -> Result<TypeArgument, ShownError> {
    let error = match TypeSource::parse(text, &read_header) {
        Ok(source) => return Ok(TypeArgument::Known(source)),
        Err(error) => ShownError::new(error.expected()),
    };
    let (name, offset) = match text.rsplit_once('@').map(|(name, offset)| (name, offset.parse::<Bytes>())) {
        Some((name, Ok(offset))) => (name, Some(offset.0)),
        _ => (text, None),
    };
    if may_be_type_name(name) {
        return Ok(TypeArgument::Named { name: name.to_owned(), offset, error });
    }
    Err(error)
}

/// Finds the types that are only named in the programs that hold the segment.
pub fn resolve(
    machine: &dyn Machine,
    segment: &OsStr,
    types: &[TypeArgument],
) -> Result<Vec<TypeSource>, Failure> {
    let mut found = vec![];
    let mut survey = None;
    for one in types {
        let (name, offset, error) = match one {
            TypeArgument::Known(source) => {
                found.push(source.clone());
                continue;
            }
            TypeArgument::Named { name, offset, error } => (name, *offset, error),
        };
        let survey = survey.get_or_insert_with(|| survey_with_unlinked(machine));
        let segment = choose(machine, survey, segment)?;
        match named_type(machine, segment, name, &Knowledge::default()) {
            Ok(Some(ty)) => found.push(TypeSource::Fixed(PlacedType { ty, offset })),
            Ok(None) => {
                return Err(Failure::Usage(format!(
                    "invalid value '{}' for '--as <TYPE>': {error}; and no program that holds {} has debug information \
                     for a type of that name",
                    quote(name.as_bytes()),
                    segment.id.short()
                )));
            }
            Err(problem) => {
                return Err(Failure::Usage(format!(
                    "invalid value '{}' for '--as <TYPE>': {problem}",
                    quote(name.as_bytes())
                )));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_are_told_from_mistakes() {
        for name in ["Telemetry", "ns::Ring<float, 4>", "telemetry", "struct_t", "Pose@16"] {
            assert!(matches!(parse(name), Ok(TypeArgument::Named { .. })), "{name}");
        }
        assert!(matches!(parse("u32@8"), Ok(TypeArgument::Known(_))));
        for wrong in ["u33", "f65", "struct { Unknown x; }", "u8@-1", "none.h:A"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
