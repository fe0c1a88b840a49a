//! Lists of multi-line entries. Keeps the selected entry visible, with fixed text and the hints
//! below the entries.

use super::{HINT_GAPS, last_line, width_of};
use crate::app::State;
use crate::app::hints::{Hint, overlay_hints};
use crate::app::layout::Area;
use crate::app::layout::overlay::{centered_frame, text_width};
use crate::app::list::{centered, first_visible};
use crate::app::overlay::Overlay;
use crate::tui::canvas::{Canvas, cells};
use crate::tui::draw::footer;
use ratatui::style::{Modifier, Style};
use std::ops::Range;
use std::slice;

/// The index of lines that belong to no entry.
pub const NO_ENTRY: usize = usize::MAX;

/// The minimum width of a list, so that it has room for the progress of its action.
pub const MIN_WIDTH: u16 = 44;

pub struct Entries {
    lines: Vec<EntryLine>,
    /// The width, including the margin.
    pub width: u16,
}

/// A line of an entry: strings with their columns.
struct EntryLine {
    entry: usize,
    parts: Vec<(u16, String, Style)>,
}

pub struct Panel {
    pub title: String,
    pub entries: Entries,
    pub selected: usize,
    /// The first visible line if no entry is selected.
    pub top: usize,
    /// Fixed text below the entries.
    pub footer: Vec<(String, Style)>,
    pub status: Option<String>,
    /// Takes the full width, so that live text does not move the frame.
    pub is_wide: bool,
}

impl Entries {
    pub const fn new(width: u16) -> Self {
        Self { lines: vec![], width }
    }

    /// Creates entries for a full-width overlay.
    pub fn of(state: &State) -> Self {
        Self::new(text_width(state.size))
    }

    pub const fn len(&self) -> usize {
        self.lines.len()
    }

    /// The width of the widest line.
    pub fn widest(&self) -> u16 {
        let ends = |line: &EntryLine| {
            line.parts.iter().filter(|part| !part.1.is_empty()).map(|part| part.0 + cells(&part.1)).max()
        };
        self.lines.iter().filter_map(ends).max().unwrap_or(0)
    }

    /// Appends wrapped text.
    pub fn add(&mut self, canvas: &Canvas<'_>, entry: usize, indent: u16, text: &str, style: Style) {
        let wrapped = canvas.wrap(text, self.width.saturating_sub(indent + 2));
        for text in wrapped {
            self.line(entry, indent, text, style);
        }
    }

    /// Appends a line without wrapping.
    pub fn line(&mut self, entry: usize, indent: u16, text: String, style: Style) {
        self.row(entry, vec![(1 + indent, text, style)]);
    }

    /// Appends a line of several strings, each at its column.
    pub fn row(&mut self, entry: usize, parts: Vec<(u16, String, Style)>) {
        self.lines.push(EntryLine { entry, parts });
    }

    fn lines_of(&self, entry: usize) -> Range<usize> {
        let is_part = |line: &EntryLine| line.entry == entry;
        let first = self.lines.iter().position(is_part).unwrap_or(0);
        first..first + self.lines.iter().filter(|line| is_part(line)).count()
    }

    /// Returns the first line to show so that `selected` is visible.
    pub fn top(&self, selected: usize, height: u16) -> usize {
        centered(&self.lines_of(selected), self.len(), height.into())
    }

    /// Draws the lines from `top` on. Returns the numbers of hidden lines above and below.
    pub fn draw(&self, top: usize, selected: usize, canvas: &mut Canvas<'_>, area: Area) -> (usize, usize) {
        for (y, line) in (area.y..area.bottom()).zip(self.lines.iter().skip(top)) {
            for (column, text, style) in &line.parts {
                let x = area.x + column;
                canvas.text(x, y, area.right().saturating_sub(x), text, *style);
            }
            // Mark every line of the selected entry, to show where it ends.
            if line.entry == selected && selected != NO_ENTRY {
                canvas.text(area.x, y, 1, canvas.theme.glyphs.selected, canvas.theme.accent);
            }
        }
        (top, self.len().saturating_sub(top + usize::from(area.height)))
    }

    /// Draws single-line entries with a selection bar that extends `wider` cells on both sides.
    pub fn draw_menu(&self, selected: usize, canvas: &mut Canvas<'_>, area: Area, wider: u16) {
        let top = self.top(selected, area.height);
        self.draw(top, selected, canvas, area);
        let row = self.lines_of(selected).start.saturating_sub(top);
        let bar =
            Area::new(area.x - wider, area.y + u16::try_from(row).unwrap_or(0), area.width + 2 * wider, 1);
        if self.len() > 0 {
            canvas.style(bar, canvas.theme.selection.remove_modifier(Modifier::DIM));
        }
    }
}

impl Panel {
    pub const fn new(title: String, entries: Entries, selected: usize) -> Self {
        Self { title, entries, selected, top: 0, footer: vec![], status: None, is_wide: false }
    }

    pub fn draw(&self, state: &State, overlay: &Overlay, canvas: &mut Canvas<'_>) {
        let rows = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        let gap = u16::from(!self.footer.is_empty());
        let footer = rows(self.footer.len()) + gap;
        let wanted = rows(self.entries.len()).saturating_add(footer + u16::from(self.status.is_some()) + 2);
        let width = self.width(state, overlay, canvas);
        let inside = canvas.frame(centered_frame(state.size, width, wanted), &self.title);
        // In small terminals the entries take precedence.
        let available = inside.height.saturating_sub(2);
        let footer = footer.min((available / 2).max(available.saturating_sub(rows(self.entries.len()))));
        let shown = Area { height: available - footer, ..inside };
        let top = if self.selected == NO_ENTRY {
            first_visible(self.top, &(self.top..self.top), self.entries.len(), shown.height.into())
        } else {
            self.entries.top(self.selected, shown.height)
        };
        let hidden = self.entries.draw(top, self.selected, canvas, shown);
        let lines = self.footer.iter().take(footer.saturating_sub(gap).into());
        for (y, (text, style)) in (shown.bottom() + gap..).zip(lines) {
            canvas.text(inside.x + 1, y, inside.width, text, *style);
        }
        draw_hidden_counts(hidden, None, canvas, inside);
        let status = self.status.as_deref().unwrap_or_default();
        canvas.text(inside.x + 1, shown.bottom() + footer, inside.width, status, canvas.theme.text);
        last_line(state, overlay, canvas, inside);
    }

    /// The width of the widest line.
    fn width(&self, state: &State, overlay: &Overlay, canvas: &Canvas<'_>) -> u16 {
        if self.is_wide {
            return self.entries.width;
        }
        let footer = self.footer.iter().map(|(text, _)| cells(text) + 1);
        let status = self.status.iter().map(|text| cells(text) + 1);
        let hints = width_of(&overlay_hints(state, overlay), HINT_GAPS[0], canvas) + 1;
        let others = footer.chain(status).chain([cells(&canvas.plain(&self.title)) + 2, hints, MIN_WIDTH]);
        others.max().unwrap_or(0).max(self.entries.widest()).min(self.entries.width)
    }
}

/// Writes the numbers of hidden lines, and a hint, into the lower border of a frame.
pub fn draw_hidden_counts(
    hidden: (usize, usize),
    hint: Option<&Hint>,
    canvas: &mut Canvas<'_>,
    inside: Area,
) {
    let [up, down] = canvas.theme.glyphs.more;
    let mut right = inside.right() + 1;
    if let Some(hint) = hint {
        let width = width_of(slice::from_ref(hint), 0, canvas) + 2;
        right = right.saturating_sub(width);
        let area = Area::new(right, inside.bottom(), width, 1);
        canvas.fill(area, " ", canvas.theme.text);
        footer::draw_hint(hint, right + 1, canvas, area);
    }
    let text = match hidden {
        (0, 0) => return,
        (0, below) => format!(" {down} {below} more "),
        (above, 0) => format!(" {up} {above} above "),
        (above, below) => format!(" {up} {above}  {down} {below} "),
    };
    canvas.text_right(right, inside.bottom(), inside.width, &text, canvas.theme.dim);
}
