//! Entries of several lines each, of which one is selected and in sight.

use crate::app::layout::Area;
use crate::tui::canvas::Canvas;
use ratatui::style::Style;

/// Lines that are part of no entry.
pub const NO_ENTRY: usize = usize::MAX;

/// All lines of all entries.
pub struct Entries {
    lines: Vec<Line>,
    /// How many cells a line has.
    width: u16,
}

/// A line: of which entry it is part, how far it is moved in.
struct Line {
    entry: usize,
    indent: u16,
    text: String,
    style: Style,
}

impl Entries {
    /// None so far. A line has room for so many cells, its margin counted in.
    pub const fn new(width: u16) -> Self {
        Self { lines: vec![], width }
    }

    /// How many lines there are.
    pub fn height(&self) -> u16 {
        u16::try_from(self.lines.len()).unwrap_or(u16::MAX)
    }

    /// Adds a sentence to an entry, broken where it is too long.
    pub fn add(&mut self, canvas: &Canvas<'_>, entry: usize, indent: u16, text: &str, style: Style) {
        let wrapped = canvas.wrap(text, self.width.saturating_sub(indent + 2));
        self.lines.extend(wrapped.into_iter().map(|text| Line { entry, indent, text, style }));
    }

    /// Adds a line that stays one.
    pub fn line(&mut self, entry: usize, indent: u16, text: String, style: Style) {
        self.lines.push(Line { entry, indent, text, style });
    }

    /// Draws those that fit, the selected entry among them, whole where it fits.
    /// Tells how many lines stand above and below.
    pub fn draw(&self, selected: usize, canvas: &mut Canvas<'_>, area: Area) -> (usize, usize) {
        let height = usize::from(area.height);
        let is_selected = |line: &&Line| line.entry == selected;
        let first = self.lines.iter().position(|line| is_selected(&line)).unwrap_or(0);
        let its = self.lines.iter().filter(is_selected).count();
        let above = (height / 2).min(height.saturating_sub(its));
        let top = first.saturating_sub(above).min(self.lines.len().saturating_sub(height));
        for (y, line) in (area.y..).zip(self.lines.iter().skip(top).take(height)) {
            canvas.text(area.x + 1 + line.indent, y, area.width, &line.text, line.style);
        }
        // Every line of it, so that where it ends is seen as well.
        for (y, line) in (area.y..).zip(self.lines.iter().skip(top).take(height)) {
            if is_selected(&line) {
                canvas.text(area.x, y, 1, canvas.theme.glyphs.selected, canvas.theme.accent);
            }
        }
        (top, self.lines.len().saturating_sub(top + height))
    }
}
