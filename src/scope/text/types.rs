//! The TYPE of `SEGMENT+OFFSET:TYPE`.

use crate::decode::{Type, declaration::read_header, parse_type};
use crate::identify::typing::{Knowledge, may_be_type_name, named_type};
use crate::machine::Machine;
use crate::segment::Segment;

/// Parses a type that is written out, or in a header.
///
/// # Errors
/// Returns a message if it is no such type.
pub fn written_type(_: &Segment, text: &str) -> Result<Type, String> {
    let placed = parse_type(text, &read_header).map_err(|error| error.to_string())?;
    match placed.offset {
        None => Ok(placed.ty),
        Some(_) => Err("the offset belongs before the type, as in /telemetry+0x10:f64".to_owned()),
    }
}

/// Parses a type that is written out, or finds it by its name in the programs of the holders.
///
/// # Errors
/// Returns a message if there is no such type, or if the programs disagree about it.
pub fn held_type(
    machine: &dyn Machine,
    segment: &Segment,
    text: &str,
    knowledge: &Knowledge,
) -> Result<Type, String> {
    written_type(segment, text).or_else(|error| {
        if !may_be_type_name(text) {
            return Err(error);
        }
        named_type(machine, segment, text, knowledge)?.ok_or_else(|| {
            let id = segment.id.short();
            format!("{error}; and no program that holds {id} has debug information for a type of that name")
        })
    })
}
