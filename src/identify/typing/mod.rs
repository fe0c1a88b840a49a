//! Ranks the types that fit a segment, with evidence. Each source of candidates is a file with one
//! function.

mod config;
mod contents;
pub mod debug;
#[cfg(test)]
mod tests;

use crate::config::layout::LayoutRule;
use crate::decode::layouts::{Layout, Peek};
use crate::decode::{PlacedType, StableError, StableValue, Type};
use crate::machine::{Machine, Trace};
use crate::memory::{Reader, WriteLeases};
use crate::segment::Segment;
use debug::{Found, Programs};
use serde::Serialize;
use std::sync::Arc;

/// The origin of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CandidateSource {
    /// A `[[layout]]` rule of the user.
    Config,
    /// A global, static or member variable of a holder that points to it.
    Pointer,
    /// A local variable of a sleeping thread.
    Local,
    /// The structure of the bytes.
    Contents,
    /// The size of the segment.
    Size,
}

/// A type that fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// As for `dump --as`.
    #[serde(rename = "type")]
    pub name: String,
    pub offset: u64,
    pub size: u64,
    /// The values in it, or the times that it fits.
    pub count: u64,
    pub certain: bool,
    pub source: CandidateSource,
    pub evidence: Vec<String>,
    #[serde(skip)]
    pub ty: Type,
    /// The layout that the type was built from; it depends on the contents.
    #[serde(skip)]
    pub layout: Option<Layout>,
}

/// The sources of types: the rules of the config, and programs that were read.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    pub rules: Arc<[LayoutRule]>,
    pub programs: Programs,
}

/// The types that fit, best first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed {
    pub candidates: Vec<Candidate>,
    /// The reasons why some holders show no types, safe to print.
    pub problems: Vec<String>,
}

/// The segment to type.
pub struct Subject<'a> {
    pub segment: &'a Segment,
    pub size: u64,
    /// Reads the contents.
    pub peek: &'a Peek<'a>,
}

/// Returns the types that fit, best first: the user's own come before those of the contents.
#[must_use]
pub fn candidates(machine: &dyn Machine, subject: &Subject<'_>, knowledge: &Knowledge) -> Typed {
    let (mut found, mut problems) = config::candidates(subject, &knowledge.rules);
    let of_contents = contents::candidates(subject);
    let is_known = found.iter().chain(&of_contents).any(|candidate| candidate.certain);
    let pointed = debug::candidates(machine, subject, &knowledge.programs, is_known);
    let Found { candidates: pointed, problems: unread } = pointed;
    problems.extend(unread);
    let (pointed, sized): (Vec<_>, Vec<_>) =
        pointed.into_iter().partition(|candidate| candidate.source != CandidateSource::Size);
    found.extend(pointed);
    found.extend(of_contents);
    found.extend(sized);
    found.sort_by_key(|candidate| !candidate.certain);
    Typed { candidates: found, problems }
}

/// Like [`candidates`], but without the programs of the holders, whose debug information takes longer
/// to read. `None` if no type is certain.
#[must_use]
pub fn quick_candidates(subject: &Subject<'_>, knowledge: &Knowledge) -> Option<Typed> {
    let (mut found, problems) = config::candidates(subject, &knowledge.rules);
    found.extend(contents::candidates(subject));
    found.sort_by_key(|candidate| !candidate.certain);
    found.first().is_some_and(|best| best.certain).then_some(Typed { candidates: found, problems })
}

/// Returns the best type.
fn best(machine: &dyn Machine, subject: &Subject<'_>, knowledge: &Knowledge) -> Option<Candidate> {
    let found =
        quick_candidates(subject, knowledge).unwrap_or_else(|| candidates(machine, subject, knowledge));
    found.candidates.into_iter().next()
}

/// Finds a type by its name in the programs of the holders. `None` if none has it.
///
/// # Errors
/// Fails if the name is ambiguous, or if the programs disagree about it.
pub fn named_type(
    machine: &dyn Machine,
    segment: &Segment,
    name: &str,
    knowledge: &Knowledge,
) -> Result<Option<Type>, String> {
    debug::named_type(machine, segment, name, &knowledge.programs)
}

/// Returns the type of a segment if it is certain; `None` if none fits.
///
/// # Errors
/// Returns the best type and what speaks against it if it is not certain.
pub fn placed_type(
    machine: &dyn Machine,
    subject: &Subject<'_>,
    knowledge: &Knowledge,
) -> Result<Option<PlacedType>, String> {
    match best(machine, subject, knowledge) {
        Some(best) if best.certain => Ok(Some(best.placed())),
        Some(Candidate {
            name,
            evidence,
            source: CandidateSource::Pointer | CandidateSource::Local | CandidateSource::Size,
            ..
        }) => Err(format!("{name} is not certain: {}", evidence.join(", "))),
        _ => Ok(None),
    }
}

/// Reads a segment to find its [`placed_type`].
///
/// # Errors
/// Fails like [`placed_type`], and if the segment cannot be opened.
pub fn read_placed_type(
    machine: &dyn Machine,
    segment: &Segment,
    knowledge: &Knowledge,
) -> Result<Option<PlacedType>, String> {
    let reader = Reader::open(machine, segment).map_err(|error| error.to_string())?;
    let peek = |offset: u64, into: &mut [u8]| reader.fill_all(offset, into);
    let subject = Subject { segment, size: reader.size().unwrap_or(segment.size.0), peek: &peek };
    placed_type(machine, &subject, knowledge)
}

/// Returns the value of the best type, if that is certain, and reading leaves no trace and breaks no
/// lease.
#[must_use]
pub fn certain_value(
    machine: &dyn Machine,
    segment: &Segment,
    knowledge: &Knowledge,
) -> Option<(Candidate, StableValue)> {
    let reader = Reader::open_unleased(machine, segment, &mut WriteLeases::default()).ok()?;
    if reader.trace() != Trace::None {
        return None;
    }
    let peek = |offset: u64, into: &mut [u8]| reader.fill_all(offset, into);
    let subject = Subject { segment, size: reader.size().ok()?, peek: &peek };
    let best = best(machine, &subject, knowledge).filter(|best| best.certain)?;
    let value = best.read(&reader).ok()?;
    Some((best, value))
}

/// Returns true for text that programs may name a type, and that is not a scalar with a mistake.
#[must_use]
pub fn may_be_type_name(text: &str) -> bool {
    let is_name = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || "_:<>,* ()&[]".contains(c));
    let is_short = !text.contains("::") && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let has_digit = text.contains(|c: char| c.is_ascii_digit());
    is_name && !(is_short && (has_digit || text.len() < 3))
}

impl Candidate {
    /// The type at its offset.
    #[must_use]
    pub fn placed(&self) -> PlacedType {
        PlacedType { ty: self.ty.clone(), offset: Some(self.offset) }
    }

    fn read(&self, reader: &Reader) -> Result<StableValue, StableError> {
        match self.layout {
            Some(layout) => StableValue::of_layout(reader, layout),
            None => StableValue::of_type(reader, &self.name, self.offset, &self.ty),
        }
    }
}
