//! Ranks the types that pointers name. A type is certain only if nothing speaks against it, and its
//! size or the contents agree.

use super::extent::{Extent, Room, is_integer, is_number};
use super::hint::Hint;
use super::plausible::{self, Plausibility};
use crate::decode::{Path, Type, TypeKind};
use crate::identify::typing::{Candidate, CandidateSource, Subject};
use crate::segment::escape;

/// Evidence that is listed for a type.
const MAX_EVIDENCE: usize = 6;
/// Bytes that are compared with a type.
const MAX_COMPARED: u64 = 64 << 10;
/// Values that must support a type whose size does not agree.
const MIN_SUPPORT: u32 = 3;

/// The hints of one type at one offset.
struct Group {
    offset: u64,
    ty: Type,
    hints: Vec<Hint>,
    extent: Extent,
}

pub fn rank(subject: &Subject<'_>, hints: Vec<Hint>) -> Vec<Candidate> {
    let mut groups = group(hints, subject.size);
    // Pointers into the middle of another group's value support it, and integers contradict nothing.
    let is_inner = |one: &Group| groups.iter().any(|outer| outer.contains(one) || one.is_integer_in(outer));
    let inner: Vec<bool> = groups.iter().map(is_inner).collect();
    let outer: Vec<(u64, Type)> = groups
        .iter()
        .zip(&inner)
        .filter(|(_, inner)| !**inner)
        .map(|(one, _)| (one.offset, one.ty.clone()))
        .collect();
    for group in &mut groups {
        group.extent = Room::new(subject, &outer, group.offset, &group.ty).extent(group.span_count());
    }
    let mut candidates = vec![];
    for (at, group) in groups.iter().enumerate().filter(|(at, _)| !inner[*at]) {
        let others = groups.iter().enumerate().filter(|(other, one)| {
            *other != at && one.overlaps(group) && !group.contains(one) && !inner[*other]
        });
        let others: Vec<&Group> = others.map(|(_, one)| one).collect();
        candidates.push(group.candidate(subject, &others));
    }
    candidates
        .sort_by_key(|candidate| (!candidate.certain, candidate.offset, std::cmp::Reverse(candidate.size)));
    candidates
}

fn group(hints: Vec<Hint>, size: u64) -> Vec<Group> {
    let mut groups: Vec<Group> = vec![];
    for hint in hints {
        if hint.offset >= size {
            continue;
        }
        match groups.iter_mut().find(|group| group.offset == hint.offset && group.ty == hint.ty) {
            Some(group) => group.hints.push(hint),
            None => groups.push(Group {
                offset: hint.offset,
                ty: hint.ty.clone(),
                hints: vec![hint],
                extent: Extent::default(),
            }),
        }
    }
    groups.sort_by_key(|group| (group.offset, std::cmp::Reverse(group.ty.size())));
    groups
}

impl Group {
    fn length(&self) -> u64 {
        self.ty.size().saturating_mul(self.extent.count.max(1))
    }

    /// The number of elements that a `std::span` and the like tell.
    fn span_count(&self) -> Option<u64> {
        self.hints.iter().filter_map(|hint| hint.count).max()
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.offset < other.offset.saturating_add(other.length())
            && other.offset < self.offset.saturating_add(self.length())
    }

    /// Returns true for a pointer to integers in a value that is more than that.
    fn is_integer_in(&self, other: &Self) -> bool {
        let end = other.offset.saturating_add(other.ty.size());
        is_integer(&self.ty) && !is_integer(&other.ty) && (other.offset..end).contains(&self.offset)
    }

    /// Returns true if the other value is a part of this one.
    fn contains(&self, other: &Self) -> bool {
        let Some(relative) = other.offset.checked_sub(self.offset) else { return false };
        let within = relative % self.ty.size().max(1);
        if self.ty == other.ty || relative >= self.length() {
            return false;
        }
        let Some(path) = self.ty.path_at(within) else { return false };
        (0..=path.0.len()).any(|depth| {
            let place = self.ty.place(&Path(path.0[..depth].to_vec()));
            place.is_some_and(|place| {
                place.offset == within && (*place.ty == other.ty || element_is(place.ty, &other.ty))
            })
        })
    }

    fn candidate(&self, subject: &Subject<'_>, others: &[&Self]) -> Candidate {
        let ends_inside = self.offset.checked_add(self.ty.size()).is_some_and(|end| end <= subject.size);
        let contents = self.compare(subject);
        // Any bytes are numbers, and any place may be within an unknown value.
        let size_agrees = self.extent.size_agrees
            && (!is_number(&self.ty) || contents.support > 0)
            && (self.extent.is_anchored || contents.is_varied());
        let contents_agree = contents.support >= MIN_SUPPORT && self.extent.rest_is_padding;
        let is_weak = self.hints.iter().all(|hint| hint.is_weak);
        let agrees =
            if is_weak { size_agrees && contents.is_varied() } else { size_agrees || contents_agree };
        let certain = ends_inside && contents.contradictions == 0 && others.is_empty() && agrees;
        let first = &self.hints[0];
        let is_pointer = self.hints.iter().any(|hint| hint.source == CandidateSource::Pointer);
        Candidate {
            name: first.name.clone(),
            offset: self.offset,
            size: self.ty.size(),
            count: self.extent.count,
            certain,
            source: if is_pointer { CandidateSource::Pointer } else { CandidateSource::Local },
            evidence: self.evidence(subject, contents, others),
            ty: self.ty.clone(),
            layout: None,
        }
    }

    fn evidence(&self, subject: &Subject<'_>, contents: Plausibility, others: &[&Self]) -> Vec<String> {
        let mut evidence: Vec<String> = vec![];
        for hint in &self.hints {
            if evidence.len() < MAX_EVIDENCE && !evidence.contains(&hint.evidence) {
                evidence.push(hint.evidence.clone());
            }
        }
        let (size, left) = (self.length(), subject.size - self.offset);
        if size > left {
            evidence.push(format!("the type takes {size} bytes, of which the segment has {left}"));
        }
        if contents.contradictions > 0 {
            let values = if contents.contradictions == 1 { "1 value" } else { "some values" };
            evidence.push(format!("{values} cannot be of this type"));
        }
        for other in others.iter().take(MAX_EVIDENCE) {
            evidence.push(self.difference(other));
        }
        evidence
    }

    /// Describes another type for the same bytes.
    fn difference(&self, other: &Self) -> String {
        let (own, theirs) = (&self.hints[0], &other.hints[0]);
        let name = |hint: &Hint| escape(hint.name.as_bytes());
        if own.name == theirs.name && self.offset == other.offset {
            return format!(
                "{} and {} disagree about {}: {}",
                own.process,
                theirs.process,
                name(own),
                super::differences::text(&self.ty, &other.ty)
            );
        }
        format!("{} uses it as {} at offset {}", theirs.process, name(theirs), other.offset)
    }

    fn compare(&self, subject: &Subject<'_>) -> Plausibility {
        let mut total = Plausibility::default();
        let (each, end) =
            (self.ty.size().max(1), subject.size.min(self.offset.saturating_add(self.length())));
        let length = usize::try_from(end.saturating_sub(self.offset).min(MAX_COMPARED)).unwrap_or(0);
        let mut bytes = vec![0; length];
        if !(subject.peek)(self.offset, &mut bytes) {
            return total;
        }
        for chunk in bytes.chunks(usize::try_from(each).unwrap_or(usize::MAX)).take(64) {
            total.add(plausible::check(&self.ty, chunk));
        }
        total
    }
}

/// Returns true if a type is an array of the other one: a pointer to its first element.
fn element_is(array: &Type, element: &Type) -> bool {
    match array.kind() {
        TypeKind::Array(array) => array.element == *element || element_is(&array.element, element),
        TypeKind::Text(scalar, order) => *element.kind() == TypeKind::Scalar(*scalar, *order),
        _ => false,
    }
}
