//! Checks the contents of a segment against the rules of a maker.

use super::subject::{Peek, Subject};
use crate::config::maker::{BytePattern, Check, Number, Shape};
use crate::decode::layouts::is_shared_list;
use crate::identify::semaphore;

const MAX_LENGTH: usize = 256;

/// The result of checking the contents against a maker's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// The maker has no rule for contents.
    Unchecked,
    /// The contents could not be read.
    Unread,
    Fit,
    Differ,
}

/// Combines the results of all checks.
pub fn check(checks: &[Check], subject: &Subject<'_>) -> Contents {
    if checks.is_empty() {
        return Contents::Unchecked;
    }
    let Some(contents) = subject.contents else { return Contents::Unread };
    for check in checks {
        match passes(check, contents, subject.size.0) {
            Some(true) => {}
            Some(false) => return Contents::Differ,
            None => return Contents::Unread,
        }
    }
    Contents::Fit
}

/// Returns true if the checks recognize a format that many programs use, not a particular maker.
pub fn only_of_a_kind(checks: &[Check]) -> bool {
    checks.iter().all(|check| matches!(check, Check::Shape(Shape::Semaphore)))
}

/// Returns the result of a check; `None` if the contents cannot be read.
fn passes(check: &Check, contents: &Peek<'_>, size: u64) -> Option<bool> {
    match check {
        Check::Bytes { at, any } => {
            for stretch in any {
                if one_of(stretch, *at, contents, size)? {
                    return Some(true);
                }
            }
            Some(false)
        }
        Check::Size { at, number, less } => {
            if offset(*at, number.width(), size).is_none() {
                return Some(false);
            }
            let value = number_at(*at, *number, contents, size)?;
            Some(u64::try_from(value).ok() == size.checked_sub(*less))
        }
        Check::Shape(Shape::ShareableList) => is_shared_list(contents, size),
        Check::Shape(Shape::Semaphore) => {
            let mut bytes = [0; 32];
            let bytes = bytes.get_mut(..usize::try_from(size).unwrap_or(usize::MAX));
            let Some(bytes) = bytes else { return Some(false) };
            contents(0, bytes).then(|| semaphore::read(bytes).is_some())
        }
    }
}

fn one_of(stretch: &BytePattern, at: i64, contents: &Peek<'_>, size: u64) -> Option<bool> {
    let Some(offset) = offset(at, stretch.bytes.len(), size) else { return Some(false) };
    let mut read = [0; MAX_LENGTH];
    let Some(read) = read.get_mut(..stretch.bytes.len()) else { return Some(false) };
    if !contents(offset, read) {
        return None;
    }
    let mut all = read.iter().zip(&stretch.bytes).zip(&stretch.mask);
    Some(all.all(|((read, byte), mask)| read & mask == *byte))
}

/// Reads a number. `None` if it is unreadable or past the end.
pub fn number_at(at: i64, number: Number, contents: &Peek<'_>, size: u64) -> Option<i128> {
    let width = number.width();
    let offset = offset(at, width, size)?;
    let mut bytes = [0; 8];
    if !contents(offset, &mut bytes[..width]) {
        return None;
    }
    let low = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let whole = u64::from_le_bytes(bytes);
    Some(match number {
        Number::U16 | Number::U32 => i128::from(low),
        Number::I32 => i128::from(low.cast_signed()),
        Number::U64 => i128::from(whole),
        Number::I64 => i128::from(whole.cast_signed()),
    })
}

/// Converts an offset, which counts from the end if negative. `None` unless all of `length` is
/// inside.
fn offset(at: i64, length: usize, size: u64) -> Option<u64> {
    let from = if at < 0 { size.checked_sub(at.unsigned_abs())? } else { at.unsigned_abs() };
    let end = from.checked_add(u64::try_from(length).ok()?)?;
    (end <= size).then_some(from)
}
