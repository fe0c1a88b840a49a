//! The number of values that a pointer leads to, and whether they end where the segment or the next
//! value does.

use super::plausible::{self, Plausibility};
use crate::decode::{Scalar, Type, TypeKind};
use crate::identify::typing::Subject;

/// Bytes that are compared with elements, or with padding.
const MAX_COMPARED: u64 = 64 << 10;
/// Elements that are compared.
const MAX_ELEMENTS: usize = 256;
/// Numbers that an array of them must have. Fewer may be fields of a struct.
const MIN_NUMBERS: u32 = 16;
/// Programs put the next value at a multiple of this, or of its alignment.
const USUAL_ALIGNMENT: u64 = 64;
const PAGE: u64 = 4096;

/// The extent of the values of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub count: u64,
    /// The values end where the segment or the next value does.
    pub size_agrees: bool,
    /// They start where the segment starts, or where another value ends.
    pub is_anchored: bool,
    /// Only the padding of a rounded size follows.
    pub rest_is_padding: bool,
}

impl Default for Extent {
    fn default() -> Self {
        Self { count: 1, size_agrees: false, is_anchored: false, rest_is_padding: false }
    }
}

/// Returns true for types that almost any bytes are values of.
pub fn is_number(ty: &Type) -> bool {
    matches!(ty.kind(), TypeKind::Scalar(..) | TypeKind::Enum(_))
}

/// Returns true for types that all bytes are values of.
pub fn is_integer(ty: &Type) -> bool {
    matches!(ty.kind(), TypeKind::Scalar(scalar, _) if !matches!(scalar, Scalar::F16 | Scalar::F32 | Scalar::F64 | Scalar::Bool))
}

/// The place of a value among the others in the segment.
pub struct Room<'a> {
    subject: &'a Subject<'a>,
    ty: &'a Type,
    offset: u64,
    /// The start and alignment of the next value.
    next: Option<(u64, u64)>,
    /// Another value ends here.
    follows: bool,
    /// That is of another type.
    is_after_header: bool,
}

impl<'a> Room<'a> {
    /// `all` are the values in the segment, in order.
    pub fn new(subject: &'a Subject<'a>, all: &[(u64, Type)], offset: u64, ty: &'a Type) -> Self {
        let next = all.iter().find(|(start, _)| *start > offset);
        let before = all.iter().rev().find(|(start, _)| *start < offset);
        let before = before
            .filter(|(start, before)| is_next(start.saturating_add(before.size()), offset, ty.align()))
            .map(|(_, before)| before);
        Self {
            subject,
            ty,
            offset,
            next: next.map(|(start, next)| (*start, next.align())),
            follows: before.is_some(),
            is_after_header: before.is_some_and(|before| before != ty && !is_number(before)),
        }
    }

    /// `told` is the number of elements that the program tells.
    pub fn extent(&self, told: Option<u64>) -> Extent {
        let each = self.ty.size().max(1);
        let end = self.next.map_or(self.subject.size, |(next, _)| next);
        let room = end.saturating_sub(self.offset);
        let fitting = room / each;
        let left = self.subject.size.saturating_sub(self.offset) / each;
        let (count, size_agrees) = match told {
            Some(told) => {
                let count = told.min(left).max(1);
                let rest = self.subject.size - self.subject.size.min(self.after(count));
                (count, told > 0 && told <= left && rest < PAGE)
            }
            None if fitting == 1 => (1, each == room || self.next_is_aligned()),
            None if fitting > 1
                && (room.is_multiple_of(each) || self.is_rounded())
                && self.is_array(fitting) =>
            {
                (fitting, true)
            }
            None => (1, self.next_is_aligned()),
        };
        let is_anchored = self.offset == 0 || self.follows;
        let rest_is_padding = self.is_padded(self.after(count), end);
        Extent { count, size_agrees, is_anchored, rest_is_padding }
    }

    /// The end of so many values.
    fn after(&self, count: u64) -> u64 {
        self.offset.saturating_add(self.ty.size().saturating_mul(count))
    }

    fn next_is_aligned(&self) -> bool {
        self.next.is_some_and(|(next, align)| is_next(self.after(1), next, align))
    }

    /// Programs round sizes up.
    const fn is_rounded(&self) -> bool {
        self.subject.size.is_multiple_of(PAGE) || self.subject.size.is_power_of_two()
    }

    /// Returns true if zeros fill the rest, up to a rounded size or the next value.
    fn is_padded(&self, start: u64, end: u64) -> bool {
        let is_rounded = match self.next {
            Some((next, _)) => next.is_multiple_of(USUAL_ALIGNMENT),
            None => self.is_rounded(),
        };
        is_rounded && self.bytes(start, end).is_some_and(|bytes| bytes.iter().all(|&byte| byte == 0))
    }

    fn bytes(&self, start: u64, end: u64) -> Option<Vec<u8>> {
        let length = end.saturating_sub(start).min(MAX_COMPARED);
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        (self.subject.peek)(start.min(self.subject.size), &mut bytes).then_some(bytes)
    }

    /// Returns true if the contents are an array of so many values. A pointer to the first field of a
    /// struct looks like one to an array, so its size alone says nothing.
    fn is_array(&self, count: u64) -> bool {
        let Some(bytes) = self.bytes(self.offset, self.after(count)) else { return false };
        let each = usize::try_from(self.ty.size().max(1)).unwrap_or(usize::MAX);
        let filled: Vec<Plausibility> = bytes
            .chunks_exact(each)
            .take(MAX_ELEMENTS)
            .filter(|chunk| chunk.iter().any(|&byte| byte != 0))
            .map(|chunk| plausible::check(self.ty, chunk))
            .collect();
        if filled.iter().any(|one| one.contradictions > 0) {
            return false;
        }
        let support: u32 = filled.iter().map(|one| one.support).sum();
        match self.ty.kind() {
            TypeKind::Scalar(Scalar::F32 | Scalar::F64, _) => support >= MIN_NUMBERS,
            TypeKind::Scalar(..) | TypeKind::Enum(_) => false,
            // After a header.
            _ if self.is_after_header => true,
            _ => filled.len() > 1 && filled.iter().all(|one| one.is_varied()),
        }
    }
}

/// Returns true if a value that starts at `next` comes right after one that ends at `end`.
const fn is_next(end: u64, next: u64, align: u64) -> bool {
    let Some(gap) = next.checked_sub(end) else { return false };
    let align = if align == 0 { 1 } else { align };
    gap < align || gap < USUAL_ALIGNMENT && next.is_multiple_of(USUAL_ALIGNMENT)
}

#[cfg(test)]
mod tests {
    use super::is_next;

    #[test]
    fn next_value_is_aligned() {
        for (end, next, align, expected) in [
            (24, 24, 8, true),
            (20, 24, 8, true),
            (20, 32, 8, false),
            (40, 64, 4, true),
            (64, 128, 4, false),
            (72, 64, 4, false),
            (5, 5, 0, true),
        ] {
            assert_eq!(is_next(end, next, align), expected, "{end} {next}");
        }
    }
}
