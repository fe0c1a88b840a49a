//! Text tables with aligned columns, separated by two spaces. Nothing is truncated, except on a
//! terminal, where the longest names are shortened in the middle so that no row wraps.

use super::style::Tint;
use super::{Style, out::Out};
use crate::segment::shorten;
use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use unicode_width::UnicodeWidthStr as _;

/// The minimum width of shortened text, even in narrow terminals.
const MIN_SHORTENED: usize = 12;

/// A table that is filled row by row. One string holds all text, so that thousands of rows need few
/// allocations.
pub struct Table {
    columns: Vec<Column>,
    text: String,
    cells: Vec<Cell>,
}

#[derive(Debug, Clone)]
pub struct Column {
    pub title: &'static str,
    pub right: bool,
}

/// Small, because a table may have many of them.
struct Cell {
    /// The length in bytes.
    length: u32,
    /// The width in terminal columns.
    width: u16,
    tint: Tint,
}

impl Table {
    #[must_use]
    pub fn new(columns: Vec<Column>) -> Self {
        Self { columns, text: String::new(), cells: vec![] }
    }

    /// Appends a cell to the last row.
    pub fn cell(&mut self, tint: Tint, content: fmt::Arguments) {
        let start = self.text.len();
        let _ = self.text.write_fmt(content);
        let text = &self.text[start..];
        let width = if text.is_ascii() { text.len() } else { text.width() };
        // No text is 4 GiB long; a cell wider than 64 Ki columns would only be misaligned.
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.cells.push(Cell { length, width: u16::try_from(width).unwrap_or(u16::MAX), tint });
    }

    pub fn print(&self, header: bool, out: &mut Out) -> io::Result<()> {
        let style = out.style();
        let mut widths = self.widths(header);
        if let Some(available) = out.terminal_width() {
            self.narrow(&mut widths, available);
        }
        let mut line = String::with_capacity(widths.iter().sum::<usize>() + 64);
        if header {
            for (index, column) in self.columns.iter().enumerate() {
                let title = column.title;
                self.push(&mut line, index, &widths, title, title.len(), Tint::Dim, style);
            }
            line.push('\n');
            out.write_all(line.as_bytes())?;
        }
        let mut start = 0;
        for row in self.cells.chunks(self.columns.len()) {
            line.clear();
            for (index, cell) in row.iter().enumerate() {
                let end = start + cell.length as usize;
                let text = &self.text[start..end];
                self.push(&mut line, index, &widths, text, cell.width.into(), cell.tint, style);
                start = end;
            }
            line.push('\n');
            out.write_all(line.as_bytes())?;
        }
        Ok(())
    }

    /// Shortens the widest text columns until the rows fit.
    fn narrow(&self, widths: &mut [usize], available: usize) {
        let all = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
        let texts = (0..widths.len()).filter(|&index| !self.columns[index].right);
        if let Some(widest) = texts.max_by_key(|&index| widths[index]) {
            let min_width = widths[widest].min(MIN_SHORTENED);
            widths[widest] = widths[widest].saturating_sub(all.saturating_sub(available)).max(min_width);
        }
    }

    fn widths(&self, header: bool) -> Vec<usize> {
        let mut widths: Vec<usize> =
            self.columns.iter().map(|column| if header { column.title.len() } else { 0 }).collect();
        for row in self.cells.chunks(self.columns.len()) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = usize::from(cell.width).max(*width);
            }
        }
        widths
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one cell, for the two loops above")]
    fn push(
        &self,
        line: &mut String,
        index: usize,
        widths: &[usize],
        text: &str,
        width: usize,
        tint: Tint,
        style: Style,
    ) {
        let ellipsis = if style.ascii { "~" } else { "…" };
        let short = (width > widths[index]).then(|| shorten(text, widths[index], ellipsis));
        let (text, width) = short.as_deref().map_or((text, width), |short| (short, short.width()));
        let space = widths[index].saturating_sub(width);
        let last = index + 1 == widths.len();
        if index > 0 {
            line.push_str("  ");
        }
        if self.columns[index].right {
            line.extend(std::iter::repeat_n(' ', space));
        }
        if style.color {
            line.push_str(tint.sequence());
        }
        line.push_str(text);
        if style.color {
            line.push_str(tint.end());
        }
        if !self.columns[index].right && !last {
            line.extend(std::iter::repeat_n(' ', space));
        }
    }
}
