//! Prints a value whose type was built from the contents.

use super::Failure;
use super::dump::{push_record, write_header};
use super::out::{Out, warn};
use crate::decode::StableValue;
use crate::memory::Reader;
use std::io::{self, Write as _};

/// Names of changed values in a warning.
const MAX_NAMED: usize = 5;

/// Prints the value as `dump --as` does.
pub fn print(value: &StableValue, json: bool, csv: bool, out: &mut Out) -> io::Result<()> {
    for note in notes(value) {
        warn(&note);
    }
    if json {
        serde_json::to_writer(&mut *out, value).map_err(io::Error::from)?;
        return out.write_all(b"\n");
    }
    let mut text = vec![];
    if csv {
        write_header(&value.ty, out)?;
        push_record(value.offset, value.value(), &mut text);
    } else {
        value.value().push_lines(value.offset, &mut text);
    }
    out.write_all(&text)
}

/// The reasons to doubt a value.
pub fn notes(value: &StableValue) -> Vec<String> {
    let mut notes = vec![];
    if !value.changed.is_empty() {
        let named = value.changed.iter().take(MAX_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = value.changed.len().saturating_sub(MAX_NAMED);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        notes.push(format!("changed while it was read, and may be torn: {named}{more}"));
    }
    notes.extend(value.note.clone());
    notes
}

pub fn size_of(reader: &Reader) -> Result<u64, Failure> {
    reader.size().map_err(|source| Failure::Read { id: reader.id().clone(), source })
}
