//! Pids in the name and the contents of a segment.

use super::contents::{Contents, number_at};
use super::subject::Subject;
use crate::config::maker::{PidPlace, PidRule};
use regex::bytes::Captures;

/// A pid recorded in a segment. It is relative to the pid namespace of the writer, and may have
/// been reused since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPid {
    /// The pid, or its low digits.
    pub pid: u32,
    /// The role of the process, as in "creator".
    pub of: String,
    pub from: PidFrom,
}

/// The source of a pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PidFrom {
    Name,
    /// Only the low digits are in the name. They prove nothing.
    PartOfName {
        modulo: u32,
    },
    Contents {
        /// The offset in bytes; negative offsets count from the end.
        at: i64,
    },
}

/// The maximum pid on Linux, `PID_MAX_LIMIT`.
const MAX_PID: u32 = 1 << 22;

/// Finds pids by the rules. Skips 0 and other invalid pids.
pub fn find(
    rules: &[PidRule],
    captures: Option<&Captures<'_>>,
    subject: &Subject<'_>,
    looked: Contents,
) -> Vec<FoundPid> {
    let mut found = vec![];
    for rule in rules {
        let read = match &rule.place {
            PidPlace::Name { group, base, shift, modulo } => {
                let text = captures.and_then(|captures| captures.name(group)).map(|group| group.as_bytes());
                let pid = text.and_then(|text| in_text(text, *base, *shift));
                pid.map(|pid| (pid, modulo.map_or(PidFrom::Name, |modulo| PidFrom::PartOfName { modulo })))
            }
            PidPlace::Contents { at, number } => {
                let contents = subject.contents.filter(|_| looked != Contents::Differ);
                let number = contents.and_then(|contents| number_at(*at, *number, contents, subject.size.0));
                number.and_then(|pid| u32::try_from(pid).ok()).map(|pid| (pid, PidFrom::Contents { at: *at }))
            }
        };
        if let Some((pid, from)) = read
            && (pid > 0 || matches!(from, PidFrom::PartOfName { .. }))
            && pid <= MAX_PID
        {
            found.push(FoundPid { pid, of: rule.of.clone(), from });
        }
    }
    found
}

/// Parses a number in a name, and returns up to 32 bits of it, from bit `shift` on.
fn in_text(text: &[u8], base: u32, shift: u32) -> Option<u32> {
    let number = u128::from_str_radix(str::from_utf8(text).ok()?, base).ok()?;
    let part = number >> shift;
    // A number with bits below the pid has bits above it too: drop them.
    if shift == 0 { u32::try_from(part).ok() } else { u32::try_from(part & u128::from(u32::MAX)).ok() }
}
