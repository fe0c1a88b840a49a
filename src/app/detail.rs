//! The text of the detail area.

use crate::identify::about::{About, Length, Probe};
use crate::identify::semaphore;
use crate::segment::Segment;
use crate::segment::field::Group;
use crate::survey::Survey;

/// A labeled line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetailLine {
    /// At most nine letters.
    pub label: &'static str,
    /// Safe to print.
    pub text: String,
}

/// The groups of facts, most important first.
const ORDER: [Group; 11] = [
    Group::State,
    Group::Contents,
    Group::Maker,
    Group::Holders,
    Group::Warnings,
    Group::Evidence,
    Group::Size,
    Group::Owner,
    Group::Times,
    Group::Identity,
    Group::Limits,
];

/// Returns the lines for a segment, most important first. `bytes` is the beginning of its
/// contents, if known.
pub fn lines(segment: &Segment, survey: &Survey, bytes: Option<&[u8]>) -> Vec<DetailLine> {
    let semaphore = bytes.and_then(|bytes| semaphore::of(segment, bytes));
    let mut facts = About::new(segment, survey, Probe { semaphore, ..Probe::default() }).facts(Length::Brief);
    facts.sort_by_key(|fact| ORDER.iter().position(|&group| group == fact.field.group()));
    let lines = facts.into_iter().flat_map(|fact| {
        let labels = std::iter::once(fact.field.label()).chain(std::iter::repeat(""));
        labels.zip(fact.lines).map(|(label, text)| DetailLine { label, text })
    });
    lines.collect()
}

/// The resident fraction, from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "a share to draw a bar by")]
pub fn resident_share(segment: &Segment) -> Option<f64> {
    let resident = segment.resident?;
    // Pages count whole: a segment of 100 bytes has 4096 resident.
    (segment.size.0 > 0).then(|| (resident.0 as f64 / segment.size.0 as f64).clamp(0.0, 1.0))
}
