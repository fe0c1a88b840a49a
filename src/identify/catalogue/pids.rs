//! The pids that a segment names, in its name and in its contents.

use super::contents::{Contents, number_at};
use super::subject::Subject;
use crate::config::maker::{PidPlace, PidRule};
use regex::bytes::Captures;

/// A pid that a segment names. It is one of the pid namespace of who wrote it,
/// and may since be another process's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPid {
    /// The pid, or what is left of it.
    pub pid: u32,
    /// Whose it is, as in "creator".
    pub of: String,
    /// Where it stands.
    pub from: PidFrom,
}

/// Where a pid was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PidFrom {
    /// In the name.
    Name,
    /// In the name, cut to its last digits: it only hints.
    PartOfName {
        /// The number that it was cut by.
        modulo: u32,
    },
    /// In the contents.
    Contents {
        /// The offset in bytes, below 0 from the end.
        at: i64,
    },
}

/// The largest pid of Linux, `PID_MAX_LIMIT`.
const LARGEST: u32 = 1 << 22;

/// What the rules find. 0, and what is no pid, stands for none.
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
            && pid <= LARGEST
        {
            found.push(FoundPid { pid, of: rule.of.clone(), from });
        }
    }
    found
}

/// 32 bits of the number that a part of a name is.
fn in_text(text: &[u8], base: u32, shift: u32) -> Option<u32> {
    let number = u128::from_str_radix(str::from_utf8(text).ok()?, base).ok()?;
    let part = number >> shift;
    // What has bits below also has some above.
    if shift == 0 { u32::try_from(part).ok() } else { u32::try_from(part & u128::from(u32::MAX)).ok() }
}
