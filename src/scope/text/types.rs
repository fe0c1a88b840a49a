//! The TYPE of `SEGMENT+OFFSET:TYPE`.

use crate::decode::{ParseNameError, ParseTypeError, Scalar, Type, declaration::read_header, parse_type};
use crate::identify::typing::{Knowledge, may_be_type_name, named_type};
use crate::machine::Machine;
use crate::segment::{Segment, nearest_word, quote};

/// Parses a type that is written out, or in a header.
///
/// # Errors
/// Returns a message if it is no such type.
pub fn written_type(_: &Segment, text: &str) -> Result<Type, String> {
    let placed = parse_type(text, &read_header).map_err(|error| unknown(text, &error))?;
    match placed.offset {
        None => Ok(placed.ty),
        Some(_) => Err("the offset belongs before the type, as in /telemetry+0x10:f64".to_owned()),
    }
}

/// Describes the numbers that a channel may be, of the many types that there are.
fn unknown(text: &str, error: &ParseTypeError) -> String {
    let ParseTypeError::Name(ParseNameError::Unknown(_)) = error else { return error.to_string() };
    let numbers = Scalar::all().filter(|scalar| scalar.size() <= 8).map(Scalar::word);
    let hint = match nearest_word(text, numbers) {
        Some(nearest) if text.len() > 2 => format!("did you mean {nearest}?"),
        _ => "expected a number, such as u32, i16be, f64 or bool".to_owned(),
    };
    format!("no type named '{}'; {hint}", quote(text.as_bytes()))
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
        named_type(machine, segment, text, knowledge)?
            .ok_or_else(|| format!("{error}, or a type in a program that holds {}", segment.id.short()))
    })
}
