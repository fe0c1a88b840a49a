//! A drawn plot: characters with their role, which decides the color.

use super::raster::Raster;
use super::{Frame, Marker};
use std::fmt;

/// A drawn plot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    cells: Vec<Cell>,
    lines: &'static Lines,
}

/// A character of a plot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub symbol: char,
    pub ink: Ink,
    /// Set if all samples of the trace in this cell may be torn.
    pub is_dim: bool,
}

/// The role of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    Blank,
    /// The lines of the axes.
    Axis,
    Label,
    /// A trace, by its index in the plot.
    Trace(usize),
    /// The first or the second cursor.
    Cursor(usize),
    Trigger,
    /// A change of a segment.
    Mark,
}

/// The lines of axes and cursors.
#[derive(Debug, PartialEq, Eq)]
struct Lines {
    corner: char,
    across: char,
    across_tick: char,
    down: char,
    down_tick: char,
    cursors: [char; 2],
    trigger: char,
    fired: char,
    mark: char,
}

const UNICODE: Lines = Lines {
    corner: '└',
    across: '─',
    across_tick: '┬',
    down: '│',
    down_tick: '┤',
    cursors: ['│', '╎'],
    trigger: '┊',
    fired: '▴',
    mark: '×',
};
const ASCII: Lines = Lines {
    corner: '+',
    across: '-',
    across_tick: '+',
    down: '|',
    down_tick: '+',
    cursors: ['|', '!'],
    trigger: ':',
    fired: '^',
    mark: 'x',
};

const BLANK: Cell = Cell { symbol: ' ', ink: Ink::Blank, is_dim: false };

impl Picture {
    /// The cells of a row.
    #[must_use]
    pub fn row(&self, y: usize) -> &[Cell] {
        self.cells.get(y * self.width..(y + 1) * self.width).unwrap_or_default()
    }

    pub fn rows(&self) -> impl Iterator<Item = &[Cell]> {
        (0..self.height).map(|y| self.row(y))
    }

    /// Draws axes and dots.
    pub(super) fn new(frame: &Frame, raster: &Raster, marker: Marker) -> Self {
        let [width, height] = frame.size;
        let lines = if marker == Marker::Ascii { &ASCII } else { &UNICODE };
        let mut picture = Self { width, height, cells: vec![BLANK; width * height], lines };
        picture.axes(frame, marker);
        for y in 0..frame.height() {
            for x in 0..frame.width() {
                let dots = raster.cell(x, y);
                if dots.mask != 0 {
                    let (symbol, ink) = (marker.symbol(dots.mask), Ink::Trace(dots.pen.trace));
                    picture.set(frame.gutter() + x, y, Cell { symbol, ink, is_dim: dots.pen.is_dim });
                }
            }
        }
        picture
    }

    fn axes(&mut self, frame: &Frame, marker: Marker) {
        let bottom = frame.height();
        if let Some(axis) = frame.gutter().checked_sub(1) {
            (0..bottom).for_each(|y| self.put(axis, y, self.lines.down, Ink::Axis));
            for (y, label) in frame.y_labels() {
                self.put(axis, y, self.lines.down_tick, Ink::Axis);
                self.text(axis.saturating_sub(label.chars().count()), y, label, Ink::Label);
            }
        }
        if bottom + 1 < self.height {
            (frame.gutter()..self.width).for_each(|x| self.put(x, bottom, self.lines.across, Ink::Axis));
            if let Some(axis) = frame.gutter().checked_sub(1) {
                self.put(axis, bottom, self.lines.corner, Ink::Axis);
            }
            for label in frame.x_labels() {
                self.put(label.tick, bottom, self.lines.across_tick, Ink::Axis);
                self.text(label.start, bottom + 1, &marker.text(&label.text), Ink::Label);
            }
        }
    }

    /// Draws an upright line at an x value, behind the curves.
    pub(super) fn line(&mut self, frame: &Frame, x: f64, ink: Ink) {
        let Some(column) = frame.column(x) else { return };
        let symbol = match ink {
            Ink::Cursor(index) => self.lines.cursors[index.min(1)],
            _ => self.lines.trigger,
        };
        for y in 0..frame.height() {
            if self.row(y)[column].ink == Ink::Blank {
                self.put(column, y, symbol, ink);
            }
        }
        let name = match ink {
            Ink::Cursor(0) => 'A',
            Ink::Cursor(_) => 'B',
            _ => 'T',
        };
        self.mark_axis(frame, column, name, ink);
    }

    /// Marks a change of a segment, or a trigger, on the axis.
    pub(super) fn mark(&mut self, frame: &Frame, x: f64, ink: Ink) {
        let symbol = if ink == Ink::Trigger { self.lines.fired } else { self.lines.mark };
        if let Some(column) = frame.column(x) {
            self.mark_axis(frame, column, symbol, ink);
        }
    }

    fn mark_axis(&mut self, frame: &Frame, column: usize, symbol: char, ink: Ink) {
        if frame.height() < self.height {
            self.put(column, frame.height(), symbol, ink);
        }
    }

    fn set(&mut self, x: usize, y: usize, cell: Cell) {
        if x < self.width && y < self.height {
            self.cells[y * self.width + x] = cell;
        }
    }

    fn put(&mut self, x: usize, y: usize, symbol: char, ink: Ink) {
        self.set(x, y, Cell { symbol, ink, is_dim: false });
    }

    pub(super) fn text(&mut self, x: usize, y: usize, text: &str, ink: Ink) {
        for (x, symbol) in (x..).zip(text.chars()) {
            self.put(x, y, symbol, ink);
        }
    }
}

impl fmt::Display for Picture {
    /// Writes the characters without trailing spaces, each row with a line end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows().try_for_each(|row| {
            let text: String = row.iter().map(|cell| cell.symbol).collect();
            writeln!(f, "{}", text.trim_end())
        })
    }
}
