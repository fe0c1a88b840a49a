//! Tables of writers, as text and JSON.

use crate::cli::out::Out;
use crate::cli::style::{Tint, fit_ascii};
use crate::cli::table::{Column, Table};
use crate::scope::writers::{ThreadState, Writer, WriterTable};
use crate::segment::escape;
use serde::Serialize;
use std::io::{self, Write as _};
use std::time::Duration;

/// The table on a terminal, which is drawn again in its place.
#[derive(Default)]
pub struct Live {
    /// Lines on the screen.
    lines: usize,
    last: Option<WriterTable>,
}

impl Live {
    pub fn draw(&mut self, shown: &WriterTable, out: &mut Out) -> io::Result<()> {
        self.clear(out)?;
        // The heading, the summary, and the line of the cursor.
        let rows = out.terminal_height().unwrap_or(24).saturating_sub(3).max(1);
        table(shown, rows, out)?;
        let summary = summary(shown, out.style().ascii);
        out.write_all(summary.as_bytes())?;
        self.lines = shown.writers.len().min(rows) + 2;
        Ok(())
    }

    /// Removes the table from the screen.
    pub fn clear(&mut self, out: &mut Out) -> io::Result<()> {
        match std::mem::take(&mut self.lines) {
            0 => Ok(()),
            lines => write!(out, "\x1b[{lines}F\x1b[J"),
        }
    }

    pub fn keep(&mut self, table: &WriterTable) {
        self.last = Some(table.clone());
    }

    pub fn take_last(&mut self) -> Option<WriterTable> {
        self.last.take()
    }
}

/// A writer, in the format of `--json`.
#[derive(Serialize)]
struct WriterJson<'a> {
    pid: u32,
    tid: u32,
    command: String,
    function: Option<&'a str>,
    file: Option<&'a str>,
    line: Option<u64>,
    address: String,
    writes: u64,
    rate: f64,
    /// Seconds for which the thread was watched: the time of `rate`.
    watched: f64,
    /// Writes of the thread that came too fast to tell their function.
    lost: u64,
    /// Set if the thread wrote too often and was released, so that it is no longer watched.
    released: bool,
    /// The writes per second at which it was released.
    released_rate: Option<f64>,
    /// Set if the thread has exited, or no longer maps the segment.
    ended: bool,
}

/// Prints one object for each writer.
pub fn json(table: &WriterTable, out: &mut Out) -> io::Result<()> {
    for writer in &table.writers {
        let place = &writer.place;
        let object = WriterJson {
            pid: writer.pid,
            tid: writer.tid,
            command: escape(&writer.command),
            function: place.function.as_deref(),
            file: place.file.as_deref(),
            line: place.line,
            address: format!("{:#x}", place.address),
            writes: writer.writes,
            rate: rounded(writer.rate, 10.0),
            watched: rounded(writer.watched.as_secs_f64(), 1000.0),
            lost: writer.lost,
            released: writer.state == ThreadState::Released,
            released_rate: writer.released_rate.map(|rate| rounded(rate, 10.0)),
            ended: writer.state == ThreadState::Ended,
        };
        serde_json::to_writer(&mut *out, &object).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

/// Prints the first rows of a table.
pub fn table(shown: &WriterTable, rows: usize, out: &mut Out) -> io::Result<()> {
    let column = |title, right| Column { title, right };
    let mut table = Table::new(vec![
        column("PROCESS", false),
        column("THREAD", true),
        column("FUNCTION", false),
        column("SOURCE", false),
        column("WRITES", true),
        column("PER SECOND", true),
        column("COST", true),
        column("LAST", true),
    ]);
    let style = out.style();
    for writer in shown.writers.iter().take(rows) {
        let tint = if writer.state == ThreadState::Ended { Tint::Dim } else { Tint::Plain };
        table.cell(tint, format_args!("{} ({})", style.fit(&escape(&writer.command)), writer.pid));
        table.cell(tint, format_args!("{}", writer.tid));
        table.cell(tint, format_args!("{}", style.fit(&writer.place.name())));
        let source = writer.place.source().unwrap_or_else(|| "-".to_owned());
        table.cell(tint, format_args!("{}", style.fit(&source)));
        table.cell(tint, format_args!("{}", writer.writes));
        table.cell(tint, format_args!("{}", writer.rate_text()));
        let tint = if writer.state == ThreadState::Released { Tint::Warning } else { tint };
        table.cell(tint, format_args!("{}", cost(writer, shown.cost)));
        table.cell(tint, format_args!("{}", writer.age_text(shown.time)));
    }
    table.print(true, out)
}

/// The part of its time that a writer loses, or the reason why it loses none.
fn cost(writer: &Writer, per_write: Option<Duration>) -> String {
    match (writer.state, per_write) {
        (ThreadState::Released, _) => "released".to_owned(),
        (ThreadState::Ended, _) => "ended".to_owned(),
        (ThreadState::Watched, None) => "?".to_owned(),
        (ThreadState::Watched, Some(per_write)) => format!("{:.1}%", writer.loss(per_write) * 100.0),
    }
}

/// The summary below the table.
pub fn summary(table: &WriterTable, ascii: bool) -> String {
    let text = table.summary() + "\n";
    if ascii { fit_ascii(&text).into_owned() } else { text }
}
