//! The types of segments, and the TYPE of `SEGMENT+OFFSET:TYPE`.

use super::Lookup;
use crate::decode::{
    ParseNameError, ParseTypeError, PlacedType, Scalar, Type, declaration::read_header, parse_type,
};
use crate::identify::typing::{Knowledge, may_be_type_name, named_type};
use crate::machine::Machine;
use crate::segment::{Identity, Segment, SegmentId, nearest_word, quote};
use std::cell::RefCell;
use std::collections::HashMap;

/// The types of segments, each of which is looked up once.
#[derive(Default)]
pub struct SegmentTypes {
    found: HashMap<SegmentId, (Identity, TypeResult)>,
}

/// The type of a segment, or the reason why it is not known.
pub type TypeResult = Result<Option<PlacedType>, String>;

impl SegmentTypes {
    /// Calls a function with a lookup among some segments. `find` finds the type of one.
    pub fn with<T>(
        &mut self,
        (machine, knowledge): (&dyn Machine, &Knowledge),
        segments: &[Segment],
        find: impl FnMut(&Segment) -> TypeResult,
        then: impl FnOnce(&Lookup<'_>) -> T,
    ) -> T {
        let types = RefCell::new((self, find));
        then(&Lookup {
            segments,
            type_of: &|segment| {
                let (types, find) = &mut *types.borrow_mut();
                types.of(segment, find)
            },
            parse_type: &|segment, text| held_type(machine, segment, text, knowledge),
        })
    }

    fn of(&mut self, segment: &Segment, find: impl FnOnce(&Segment) -> TypeResult) -> TypeResult {
        let identity = segment.identity();
        if let Some((found, ty)) = self.found.get(&segment.id)
            && found.matches(&identity)
        {
            return ty.clone();
        }
        let ty = find(segment);
        self.found.insert(segment.id.clone(), (identity, ty.clone()));
        ty
    }
}

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
    match error {
        ParseTypeError::Name(ParseNameError::Unknown(_)) => {}
        ParseTypeError::Declaration(_) if may_be_type_name(text) => {}
        _ => return error.to_string(),
    }
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
fn held_type(
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
            format!(
                "no type named '{}': neither a number, such as u32, i16be, f64 or bool, nor a type in the debug \
                 information of a program that holds {}",
                quote(text.as_bytes()),
                segment.id.short()
            )
        })
    })
}
