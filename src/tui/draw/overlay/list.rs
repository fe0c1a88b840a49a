//! Lists and plans: entries of several lines each, of which one may be selected and
//! is in sight, what holds for all of them below, and the hints.

use super::last_line;
use crate::app::State;
use crate::app::layout::Area;
use crate::app::layout::overlay::{centered as centered_area, text_width};
use crate::app::list::{centered, first_visible};
use crate::app::overlay::Overlay;
use crate::tui::canvas::Canvas;
use ratatui::style::{Modifier, Style};
use std::ops::Range;

/// The entry of lines that are part of none.
pub const NO_ENTRY: usize = usize::MAX;

/// All lines of all entries.
pub struct Entries {
    lines: Vec<EntryLine>,
    /// The width of a line.
    pub width: u16,
}

/// A line: the entry it is part of, and texts at columns.
struct EntryLine {
    entry: usize,
    parts: Vec<(u16, String, Style)>,
}

/// A list or plan, ready to draw.
pub struct Panel {
    pub title: String,
    pub entries: Entries,
    /// The selected entry.
    pub selected: usize,
    /// The first visible line, where no entry is selected.
    pub top: usize,
    /// Sentences below, whatever is scrolled.
    pub foot: Vec<(String, Style)>,
    /// A line above the hints.
    pub status: Option<String>,
}

impl Entries {
    /// None so far. A line has room for so many cells, its margin counted in.
    pub const fn new(width: u16) -> Self {
        Self { lines: vec![], width }
    }

    /// None so far, for the width of a dialog.
    pub fn of(state: &State) -> Self {
        Self::new(text_width(state.size))
    }

    /// The number of lines.
    pub const fn len(&self) -> usize {
        self.lines.len()
    }

    /// Adds a sentence to an entry, broken where it is too long.
    pub fn add(&mut self, canvas: &Canvas<'_>, entry: usize, indent: u16, text: &str, style: Style) {
        let wrapped = canvas.wrap(text, self.width.saturating_sub(indent + 2));
        for text in wrapped {
            self.line(entry, indent, text, style);
        }
    }

    /// Adds a line that stays one.
    pub fn line(&mut self, entry: usize, indent: u16, text: String, style: Style) {
        self.row(entry, vec![(1 + indent, text, style)]);
    }

    /// Adds a line of several texts, each at its column.
    pub fn row(&mut self, entry: usize, parts: Vec<(u16, String, Style)>) {
        self.lines.push(EntryLine { entry, parts });
    }

    /// The lines of an entry.
    fn lines_of(&self, entry: usize) -> Range<usize> {
        let is_part = |line: &EntryLine| line.entry == entry;
        let first = self.lines.iter().position(is_part).unwrap_or(0);
        first..first + self.lines.iter().filter(|line| is_part(line)).count()
    }

    /// Returns the first line to show so that an entry is in sight.
    pub fn top(&self, selected: usize, height: u16) -> usize {
        centered(&self.lines_of(selected), self.len(), height.into())
    }

    /// Draws the lines from `top` on, with a sign before the selected entry. Returns
    /// how many lines stand above and below.
    pub fn draw(&self, top: usize, selected: usize, canvas: &mut Canvas<'_>, area: Area) -> (usize, usize) {
        for (y, line) in (area.y..area.bottom()).zip(self.lines.iter().skip(top)) {
            for (column, text, style) in &line.parts {
                let x = area.x + column;
                canvas.text(x, y, area.right().saturating_sub(x), text, *style);
            }
            // On every line of it, so that where it ends is seen as well.
            if line.entry == selected && selected != NO_ENTRY {
                canvas.text(area.x, y, 1, canvas.theme.glyphs.selected, canvas.theme.accent);
            }
        }
        (top, self.len().saturating_sub(top + usize::from(area.height)))
    }

    /// Draws entries of one line each, with a bar over the selected one that is so
    /// many cells wider on both sides.
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
    /// A list without anything below it.
    pub const fn new(title: String, entries: Entries, selected: usize) -> Self {
        Self { title, entries, selected, top: 0, foot: vec![], status: None }
    }

    /// Draws it over the screen.
    pub fn draw(&self, state: &State, overlay: &Overlay, canvas: &mut Canvas<'_>) {
        let rows = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        let gap = u16::from(!self.foot.is_empty());
        let foot = rows(self.foot.len()) + gap;
        let wanted = rows(self.entries.len()).saturating_add(foot + u16::from(self.status.is_some()) + 2);
        let inside = canvas.frame(centered_area(state.size, u16::MAX - 4, wanted), &self.title);
        // What is said of each comes first where there is little room.
        let room = inside.height.saturating_sub(2);
        let foot = foot.min(room / 2);
        let shown = Area { height: room - foot, ..inside };
        let top = if self.selected == NO_ENTRY {
            first_visible(self.top, &(self.top..self.top), self.entries.len(), shown.height.into())
        } else {
            self.entries.top(self.selected, shown.height)
        };
        let hidden = self.entries.draw(top, self.selected, canvas, shown);
        let lines = self.foot.iter().take(foot.saturating_sub(gap).into());
        for (y, (text, style)) in (shown.bottom() + gap..).zip(lines) {
            canvas.text(inside.x + 1, y, inside.width, text, *style);
        }
        more(hidden, "", canvas, inside);
        let status = self.status.as_deref().unwrap_or_default();
        canvas.text(inside.x + 1, shown.bottom() + foot, inside.width, status, canvas.theme.text);
        last_line(state, overlay, canvas, inside);
    }
}

/// Writes how many lines stand above and below into the lower border of a frame, and
/// what else is said there.
pub fn more(hidden: (usize, usize), besides: &str, canvas: &mut Canvas<'_>, inside: Area) {
    let [up, down] = canvas.theme.glyphs.more;
    let hidden = match hidden {
        (0, 0) => String::new(),
        (0, below) => format!("{down} {below} more"),
        (above, 0) => format!("{up} {above} above"),
        (above, below) => format!("{up} {above}  {down} {below}"),
    };
    let gap = if hidden.is_empty() || besides.is_empty() { "" } else { "   " };
    if !(hidden.is_empty() && besides.is_empty()) {
        let text = format!(" {hidden}{gap}{besides} ");
        canvas.text_right(inside.right() + 1, inside.bottom(), inside.width, &text, canvas.theme.dim);
    }
}
