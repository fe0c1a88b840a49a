//! Prints changes line by line: runs of bytes, split at the lines of a hex dump, or values.

use crate::cli::args::WatchArgs;
use crate::cli::dump::hex;
use crate::cli::out::warn;
use crate::decode::{Decoded, PlacedType, StableValue, Type, Window};
use crate::memory::{Change, differences};
use crate::segment::Timestamp;
use crate::segment::{escape, local_time, quote};
use serde::Serialize;
use std::collections::HashMap;
use std::io::{self, Write};
use std::ops::{ControlFlow, Range};

/// The number of bytes in a line of a hex dump, where runs are split.
const LINE: u64 = 16;
/// Values in a warning.
const MAX_NAMED: usize = 5;

/// Prints changes in the requested format.
pub struct Printer<'a> {
    kind: Option<&'a Type>,
    /// Set if rows have paths: a type with parts, or a layout.
    has_paths: bool,
    /// The range that is watched, if it may hold several values.
    values: Option<Range<u64>>,
    form: Form,
    now: Timestamp,
    /// The number of changes left to print; `None` without a limit.
    left: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Csv,
    Json,
}

#[derive(Serialize)]
struct Row<T> {
    time: Option<String>,
    offset: u64,
    #[serde(flatten)]
    field: Option<FieldName>,
    old: Option<T>,
    new: T,
}

/// The part of a value that changed.
#[derive(Serialize)]
struct FieldName {
    /// Empty for a whole value.
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

impl<'a> Printer<'a> {
    pub fn new(args: &WatchArgs, kind: Option<&'a PlacedType>, has_layout: bool) -> Self {
        let form = match (args.json, args.csv) {
            (true, _) => Form::Json,
            (_, true) => Form::Csv,
            _ => Form::Text,
        };
        let has_paths = has_layout || kind.is_some_and(|kind| !kind.ty.is_leaf());
        Self {
            kind: kind.map(|kind| &kind.ty),
            has_paths,
            values: None,
            form,
            now: Timestamp::from_seconds(0),
            left: args.count,
        }
    }

    /// Sets the range that is watched. If it holds several values, they are numbered.
    pub fn within(&mut self, range: Range<u64>) {
        let size = self.kind.filter(|kind| !kind.is_leaf()).map_or(u64::MAX, Type::size);
        self.values = Some(range).filter(|range| range.end - range.start > size);
    }

    /// The number of the value at an offset: `[3]`; empty if there is only one.
    fn index(&self, offset: u64, size: u64) -> String {
        let index = |range: &Range<u64>| format!("[{}]", offset.saturating_sub(range.start) / size.max(1));
        self.values.as_ref().map_or_else(String::new, index)
    }

    /// Prints the CSV header, if the format has one.
    pub fn begin(&self, out: &mut impl Write) -> io::Result<()> {
        if self.form == Form::Csv {
            let path = if self.has_paths { "path," } else { "" };
            write!(out, "time,offset,{path}old,new\r\n")?;
        }
        out.flush()
    }

    /// Sets the time of the next changes.
    pub const fn at(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Prints a change. Breaks when the requested number of changes has been printed.
    pub fn print(&mut self, change: &Change, out: &mut impl Write) -> io::Result<ControlFlow<()>> {
        for part in self.parts(change) {
            let offset = change.offset + part.start as u64;
            let old = change.old.as_deref().map(|old| &old[part.clone()]);
            let new = &change.new[part];
            let is_printed = match self.kind {
                None => {
                    let text = if self.form == Form::Text { spaced } else { hex };
                    self.row(offset, None, old.map(text), text(new), out)?;
                    true
                }
                Some(kind) => self.value(kind, offset, old, new, out)?,
            };
            if self.count(is_printed).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Counts a change that was printed. Breaks when it was the last one to print.
    fn count(&mut self, is_printed: bool) -> ControlFlow<()> {
        if let Some(left) = self.left.as_mut().filter(|_| is_printed) {
            *left -= 1;
            if *left == 0 {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    /// Prints the fields of a value that differ, or the whole value if its old bytes are unknown.
    /// Returns false if none differs.
    fn value(
        &self,
        kind: &Type,
        offset: u64,
        old: Option<&[u8]>,
        new: &[u8],
        out: &mut impl Write,
    ) -> io::Result<bool> {
        let index = self.index(offset, kind.size());
        let (Some(old), false) = (old, kind.is_leaf()) else {
            let field = FieldName { path: index, kind: kind.to_string() };
            self.row(offset, Some(field), old.map(|old| kind.decode(old)), kind.decode(new), out)?;
            return Ok(true);
        };
        let runs = differences(old, new);
        let differs = |range: &Range<u64>| {
            let next = runs.partition_point(|run| run.end as u64 <= range.start);
            runs.get(next).is_some_and(|run| (run.start as u64) < range.end)
        };
        let at = |place, bytes| Decoded { place, window: Window { offset: 0, bytes } };
        let mut is_printed = false;
        let mut leaves = kind.leaves();
        while let Some(place) = leaves.next() {
            // Padding, bytes after the end of a text, and other bits change more often.
            if !differs(&place.range()) || at(place, old).leaf() == at(place, new).leaf() {
                continue;
            }
            let path = leaves.path_text();
            let separator =
                if index.is_empty() || path.is_empty() || path.starts_with('[') { "" } else { "." };
            let path = quote(format!("{index}{separator}{path}").as_bytes());
            let field = FieldName { path, kind: place.ty.to_string() };
            self.row(offset + place.offset, Some(field), Some(at(place, old)), at(place, new), out)?;
            is_printed = true;
        }
        Ok(is_printed)
    }

    /// Prints the values of a layout that differ, and those that are new or have another type.
    pub fn print_layout(
        &mut self,
        old: &StableValue,
        new: &StableValue,
        out: &mut impl Write,
    ) -> io::Result<ControlFlow<()>> {
        if old.ty == new.ty && old.bytes.len() == new.bytes.len() {
            let is_printed = self.value(&new.ty, 0, Some(&old.bytes), &new.bytes, out)?;
            return Ok(self.count(is_printed));
        }
        let (mut before, mut is_printed) = (HashMap::new(), false);
        let mut leaves = old.ty.leaves();
        while let Some(place) = leaves.next() {
            before.insert(leaves.path_text(), place);
        }
        let decoded = |place, bytes| Decoded { place, window: Window { offset: 0, bytes } };
        let mut leaves = new.ty.leaves();
        while let Some(place) = leaves.next() {
            let path = leaves.path_text();
            let was = before.remove(&path);
            let (old, now) = (was.map(|was| decoded(was, &old.bytes)), decoded(place, &new.bytes));
            if old.is_some_and(|old| old.place.ty == place.ty && old.leaf() == now.leaf()) {
                continue;
            }
            let field = FieldName { path: quote(path.as_bytes()), kind: place.ty.to_string() };
            self.row(place.offset, Some(field), old, now, out)?;
            is_printed = true;
        }
        if !before.is_empty() {
            let mut gone: Vec<String> = before.keys().map(|path| escape(path.as_bytes())).collect();
            gone.sort();
            let more = gone.len().saturating_sub(MAX_NAMED);
            gone.truncate(MAX_NAMED);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            warn(&format!("no longer there: {}{more}", gone.join(", ")));
        }
        Ok(self.count(is_printed))
    }

    /// Returns the runs or values that differ, or all of them if the old bytes are unknown.
    fn parts(&self, change: &Change) -> Vec<Range<usize>> {
        let length = change.new.len();
        let runs = match &change.old {
            Some(old) => differences(old, &change.new),
            None => std::iter::once(0..length).collect(),
        };
        match self.kind {
            None => runs.into_iter().flat_map(|run| lines(change.offset, run)).collect(),
            Some(kind) => {
                let size = usize::try_from(kind.size()).unwrap_or(usize::MAX);
                let mut values: Vec<usize> =
                    runs.into_iter().flat_map(|run| run.start / size..run.end.div_ceil(size)).collect();
                values.dedup();
                values.into_iter().map(|at| at * size..((at + 1) * size).min(length)).collect()
            }
        }
    }

    fn row<T: Serialize + ToString>(
        &self,
        offset: u64,
        field: Option<FieldName>,
        old: Option<T>,
        new: T,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let time = local_time::rfc3339_micros(self.now);
        let path = field.as_ref().map_or_else(String::new, |field| field.path.clone());
        match self.form {
            Form::Json => {
                serde_json::to_writer(&mut *out, &Row { time, offset, field, old, new })?;
                out.write_all(b"\n")?;
            }
            Form::Csv => {
                let mut writer =
                    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut *out);
                let old = old.map_or_else(String::new, |old| old.to_string());
                let mut record = vec![time.unwrap_or_default(), offset.to_string(), old, new.to_string()];
                if self.has_paths {
                    record.insert(2, path);
                }
                writer.write_record(record).map_err(io::Error::other)?;
                writer.flush()?;
            }
            Form::Text => {
                let old = old.map_or_else(|| "?".to_owned(), |old| old.to_string());
                let path = if path.is_empty() { path } else { format!("{path}  ") };
                let time = local_time::of_day(self.now);
                writeln!(out, "{time}  {offset:08x}  {path}{old} -> {}", new.to_string())?;
            }
        }
        Ok(())
    }
}

/// Splits a run within a block at line boundaries.
fn lines(block: u64, run: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut at = run.start;
    std::iter::from_fn(move || {
        let left = LINE - (block + at as u64) % LINE;
        let end = (at + usize::try_from(left).unwrap_or(1)).min(run.end);
        let part = at..end;
        at = end;
        (!part.is_empty()).then_some(part)
    })
}

/// Formats bytes as hex digits with spaces: `1f 85`.
fn spaced(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn printed(arguments: &[&str], change: &Change) -> (String, bool) {
        printed_of(arguments, 1, change)
    }

    /// Returns the rows of a change in a segment of a size, and true if they are all that was
    /// requested.
    fn printed_of(arguments: &[&str], size: u64, change: &Change) -> (String, bool) {
        let words = [&["shmlens", "watch", "x"], arguments].concat();
        let args = match crate::cli::Args::try_parse_from(words).unwrap().command {
            Some(crate::cli::Command::Report(crate::cli::Report::Watch(args))) => args,
            other => panic!("{other:?}"),
        };
        let known = args.kinds.iter().map(|kind| match kind {
            crate::cli::type_name::TypeArgument::Known(source) => source.clone(),
            named @ crate::cli::type_name::TypeArgument::Named { .. } => panic!("{named:?}"),
        });
        let (_, kind) = crate::cli::dump::chosen(&known.collect::<Vec<_>>()).unwrap();
        let mut printer = Printer::new(&args, kind.as_ref(), false);
        printer.within(0..size);
        let mut out = vec![];
        let is_complete = printer.print(change, &mut out).unwrap().is_break();
        // The printed time is local, so it depends on the time zone.
        let text: String = String::from_utf8(out)
            .unwrap()
            .lines()
            .map(|line| line.split_once("  ").map_or(line, |(_, rest)| rest).to_owned() + "\n")
            .collect();
        (text, is_complete)
    }

    #[test]
    fn changed_runs_are_split_at_lines() {
        let change = Change {
            offset: 8,
            old: Some([0; 24].into()),
            new: [[0, 1].as_slice(), &[2; 22]].concat().into(),
        };
        let (text, is_complete) = printed(&[], &change);
        assert_eq!(
            text,
            "00000009  00 00 00 00 00 00 00 -> 01 02 02 02 02 02 02\n\
             00000010  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 -> \
             02 02 02 02 02 02 02 02 02 02 02 02 02 02 02 02\n"
        );
        assert!(!is_complete);
        assert!(printed(&["--count", "2"], &change).1);
        assert_eq!(printed(&["--count", "1"], &change).0.lines().count(), 1);
    }

    #[test]
    fn only_changed_values_are_printed() {
        let change =
            Change { offset: 8, old: Some([1, 0, 2, 0, 3, 0].into()), new: [1, 0, 2, 1, 4, 0].into() };
        assert_eq!(printed(&["--as", "u16le"], &change).0, "0000000a  2 -> 258\n0000000c  3 -> 4\n");
        let unknown = Change { old: None, ..change.clone() };
        assert_eq!(printed(&["--as", "u16le[3]"], &unknown).0, "00000008  ? -> [1, 258, 4]\n");
        let (json, _) = printed(&["--as", "u16le", "--json"], &change);
        let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
        assert_eq!((&first["offset"], &first["old"], &first["new"]), (&10.into(), &2.into(), &258.into()));
        assert_eq!((&first["path"], &first["type"]), (&"".into(), &"u16".into()));
        let fields = printed(&["--as", "u16le[3]"], &change).0;
        assert_eq!(fields, "0000000a  [1]  2 -> 258\n0000000c  [2]  3 -> 4\n");
        let (csv, over) = printed(&["--as", "u16le[3]", "--csv", "--count", "1"], &change);
        assert!(csv.ends_with(",12,[2],3,4\n") && csv.contains(",10,[1],2,258\n") && over, "{csv}");
        let record = "struct { char name[3]; unsigned char a : 3, b : 5; short c; }";
        let (json, _) = printed(
            &["--as", record, "--json"],
            &Change {
                offset: 0,
                old: Some([b'x', 0, 1, 0xff, 7, 0].into()),
                new: [b'x', 0, 2, 0x0f, 7, 0].into(),
            },
        );
        let rows: Vec<serde_json::Value> =
            json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), 1, "{json}");
        assert_eq!(
            (&rows[0]["path"], &rows[0]["old"], &rows[0]["new"]),
            (&"b".into(), &31.into(), &1.into())
        );
    }

    #[test]
    fn values_of_a_row_are_numbered() {
        let record = "struct { char a[2]; short b; }";
        let new = [1, 2, 3, 4, b'x', 0, 9, 0];
        let change = Change { offset: 12, old: Some([1, 2, 3, 4, b'x', 0, 7, 0].into()), new: new.into() };
        assert_eq!(printed_of(&["--as", record], 40, &change).0, "00000012  [4].b  7 -> 9\n");
        assert_eq!(printed_of(&["--as", "u16le[2]"], 40, &change).0, "00000012  [4][1]  7 -> 9\n");
        assert_eq!(printed_of(&["--as", "u16le"], 40, &change).0, "00000012  7 -> 9\n");
        assert_eq!(printed_of(&["--as", record], 4, &change).0, "00000012  b  7 -> 9\n");
        let unknown = Change { old: None, ..change };
        assert_eq!(
            printed_of(&["--as", "u16le[2]"], 40, &unknown).0,
            "0000000c  [3]  ? -> [513, 1027]\n00000010  [4]  ? -> [120, 9]\n"
        );
    }

    #[test]
    fn count_ends_after_the_fields_of_a_value() {
        let change = Change { offset: 0, old: Some([0; 12].into()), new: [1; 12].into() };
        let (text, is_complete) = printed(&["--as", "u16le[3]", "--count", "1"], &change);
        assert!(text.lines().count() == 3 && is_complete, "{text}");
        let (text, is_complete) = printed(&["--as", "u16le[3]", "--count", "2"], &change);
        assert!(text.lines().count() == 6 && is_complete, "{text}");
        assert!(!printed(&["--as", "u16le[3]", "--count", "3"], &change).1);
    }
}
