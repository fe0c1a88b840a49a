//! Prints changes line by line: runs of bytes, split at the lines of a hex dump, or values.

use crate::cli::args::WatchArgs;
use crate::cli::dump::hex;
use crate::decode::Type;
use crate::memory::{Change, differences};
use crate::segment::Timestamp;
use crate::segment::local_time;
use serde::Serialize;
use std::io::{self, Write};
use std::ops::{ControlFlow, Range};

/// The number of bytes in a line of a hex dump, where runs are split.
const LINE: u64 = 16;

/// Prints changes in the requested format.
pub struct Printer<'a> {
    kind: Option<&'a Type>,
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
    old: Option<T>,
    new: T,
}

impl<'a> Printer<'a> {
    pub const fn new(args: &'a WatchArgs) -> Self {
        let form = match (args.json, args.csv) {
            (true, _) => Form::Json,
            (_, true) => Form::Csv,
            _ => Form::Text,
        };
        Self { kind: args.kind.as_ref(), form, now: Timestamp::from_seconds(0), left: args.count }
    }

    /// Prints the CSV header, if the format has one.
    pub fn begin(&self, out: &mut impl Write) -> io::Result<()> {
        if self.form == Form::Csv {
            out.write_all(b"time,offset,old,new\r\n")?;
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
            match self.kind {
                None => {
                    let text = if self.form == Form::Text { spaced } else { hex };
                    self.row(offset, old.map(text), text(new), out)?;
                }
                Some(kind) => self.row(offset, old.map(|old| kind.decode(old)), kind.decode(new), out)?,
            }
            if let Some(left) = &mut self.left {
                *left -= 1;
                if *left == 0 {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
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
        old: Option<T>,
        new: T,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let time = local_time::rfc3339_micros(self.now);
        match self.form {
            Form::Json => {
                serde_json::to_writer(&mut *out, &Row { time, offset, old, new })?;
                out.write_all(b"\n")
            }
            Form::Csv => {
                let mut writer =
                    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut *out);
                let old = old.map_or_else(String::new, |old| old.to_string());
                let record = [time.unwrap_or_default(), offset.to_string(), old, new.to_string()];
                writer.write_record(record).map_err(io::Error::other)?;
                writer.flush()
            }
            Form::Text => {
                let old = old.map_or_else(|| "?".to_owned(), |old| old.to_string());
                writeln!(out, "{}  {offset:08x}  {old} -> {}", local_time::of_day(self.now), new.to_string())
            }
        }
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
        let words = [&["shmlens", "watch", "x"], arguments].concat();
        let args = match crate::cli::Args::try_parse_from(words).unwrap().command {
            Some(crate::cli::Command::Report(crate::cli::Report::Watch(args))) => args,
            other => panic!("{other:?}"),
        };
        let mut printer = Printer::new(&args);
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
        let (csv, _) = printed(&["--as", "u16le[3]", "--csv"], &change);
        assert!(csv.ends_with(",8,\"[1, 2, 3]\",\"[1, 258, 4]\"\n"), "{csv}");
    }
}
