//! Types that the user gives to names: the `[[layout]]` rules of the config.

use super::{Candidate, CandidateSource, Subject};
use crate::config::layout::LayoutRule;
use crate::decode::declaration::read_header;
use crate::decode::{Type, TypeSource};
use crate::segment::{Segment, quote};

/// Returns the types of the rules for a segment, and the reasons why some cannot be read.
pub fn candidates(subject: &Subject<'_>, rules: &[LayoutRule]) -> (Vec<Candidate>, Vec<String>) {
    let names = names(subject.segment);
    let (mut found, mut problems) = (vec![], vec![]);
    for rule in rules.iter().filter(|rule| names.iter().any(|name| rule.matches(name))) {
        // The config was checked when it was read; its headers may be missing or have changed since.
        match TypeSource::parse(&rule.ty, &read_header) {
            Ok(source) => found.extend(of_rule(rule, source, subject)),
            Err(error) => {
                let name = quote(rule.name.as_bytes());
                problems.push(format!("layout '{name}' of the config: {}", error.expected()));
            }
        }
    }
    (found, problems)
}

/// The names of a segment that a rule may match.
fn names(segment: &Segment) -> Vec<Vec<u8>> {
    let name = segment.posix_name().map(|name| name.as_bytes().to_vec());
    let key = segment.sysv().filter(|facts| !facts.key.is_private()).map(|facts| facts.key);
    let keys = key.into_iter().flat_map(|key| [key.to_string(), key.0.to_string()]);
    name.into_iter().chain(keys.map(String::into_bytes)).collect()
}

/// The type of a rule; `None` if the segment does not have its layout.
fn of_rule(rule: &LayoutRule, source: TypeSource, subject: &Subject<'_>) -> Option<Candidate> {
    let matches = format!("the name matches '{}' in the config", quote(rule.name.as_bytes()));
    let candidate = |ty: Type, layout, offset, count, certain, evidence| Candidate {
        name: rule.ty.clone(),
        offset,
        size: ty.size(),
        count,
        certain,
        source: CandidateSource::Config,
        evidence,
        ty,
        layout,
    };
    match source {
        TypeSource::Layout(layout) => {
            let built = layout.build(subject.peek, subject.size).ok()?;
            let evidence = vec![matches, built.evidence];
            Some(candidate(built.ty, Some(layout), 0, built.count, built.is_certain, evidence))
        }
        TypeSource::Fixed(placed) => {
            let offset = placed.offset.unwrap_or(0);
            let left = subject.size.saturating_sub(offset);
            let whole = left / placed.ty.size().max(1);
            let count = if placed.offset.is_some() { whole.min(1) } else { whole };
            let mut evidence = vec![matches];
            if whole == 0 {
                evidence.push(format!(
                    "the type takes {} bytes, of which the segment has {left}",
                    placed.ty.size()
                ));
            }
            Some(candidate(placed.ty, None, offset, count, whole > 0, evidence))
        }
    }
}
