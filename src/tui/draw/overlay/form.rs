//! Forms: lines that scroll to the focused field, fixed text below them, and the hints.

use super::last_line;
use crate::app::State;
use crate::app::layout::Area;
use crate::app::layout::overlay::{centered_frame, text_width};
use crate::app::list::centered;
use crate::app::overlay::Overlay;
use crate::app::text_field::TextField;
use crate::segment::quote;
use crate::tui::canvas::Canvas;
use ratatui::style::{Modifier, Style};

pub struct FormPanel<'a> {
    pub title: String,
    pub lines: Vec<FormLine<'a>>,
    pub focused: usize,
    pub column: u16,
    /// The minimum width for remarks.
    pub narrow: u16,
    /// Text below the lines, and the rows to reserve for it.
    pub footer: Vec<(String, Style)>,
    pub min_rows: u16,
}

type Draw<'a> = Box<dyn Fn(&mut Canvas<'_>, Area, bool) + 'a>;

pub enum FormLine<'a> {
    Field(FieldLine<'a>),
    /// An option with its state.
    Option(&'static str, String),
    /// A line with custom drawing.
    Drawn(Draw<'a>),
    /// Indented text.
    Text(u16, String, Style),
}

pub struct FieldLine<'a> {
    pub name: &'static str,
    pub field: &'a TextField,
    /// `None` for the rest of the line.
    pub width: Option<u16>,
    pub example: &'static str,
    /// Shown after the field.
    pub remark: (String, Style),
    /// Set if the value is invalid.
    pub invalid: bool,
}

/// Adds wrapped text, padded with empty lines up to `min_rows` lines.
pub fn add(
    lines: &mut Vec<FormLine<'_>>,
    canvas: &Canvas<'_>,
    (indent, width): (u16, u16),
    (text, style): (&str, Style),
    min_rows: usize,
) {
    let mut wrapped = canvas.wrap(text, width.saturating_sub(indent));
    wrapped.resize(wrapped.len().max(min_rows), String::new());
    lines.extend(wrapped.into_iter().map(|text| FormLine::Text(indent, text, style)));
}

pub const fn gap<'a>() -> FormLine<'a> {
    FormLine::Text(0, String::new(), Style::new())
}

impl FormPanel<'_> {
    pub fn draw(&self, state: &State, overlay: &Overlay, canvas: &mut Canvas<'_>) {
        let rows = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        let width = text_width(state.size).saturating_sub(1);
        let wrap = |(text, style): &(String, Style)| {
            let style = *style;
            canvas.wrap(text, width).into_iter().map(move |line| (line, style))
        };
        let footer: Vec<(String, Style)> = self.footer.iter().flat_map(wrap).collect();
        let footer_rows = rows(footer.len());
        let wanted = rows(self.lines.len() + 1).saturating_add(footer_rows.max(self.min_rows));
        let inside = canvas.frame(centered_frame(state.size, u16::MAX - 4, wanted), &self.title);
        // Leave at least half of the rows for the fields.
        let footer_rows = footer_rows.min(inside.height / 2);
        let area = Area { height: inside.height.saturating_sub(footer_rows + 1), ..inside };
        let busy = overlay.is_busy();
        let top = centered(&(self.focused..self.focused + 1), self.lines.len(), area.height.into());
        for (y, (index, line)) in (area.y..area.bottom()).zip(self.lines.iter().enumerate().skip(top)) {
            self.line(line, index == self.focused && !busy, canvas, Area { y, height: 1, ..area });
        }
        for (y, (text, style)) in (area.bottom()..).zip(footer.iter().take(footer_rows.into())) {
            canvas.text(inside.x + 1, y, inside.width.saturating_sub(1), text, *style);
        }
        last_line(state, overlay, canvas, inside);
    }

    fn line(&self, line: &FormLine<'_>, focused: bool, canvas: &mut Canvas<'_>, area: Area) {
        let theme = canvas.theme;
        let available = area.width.saturating_sub(self.column);
        match line {
            FormLine::Field(line) => {
                label(canvas, area, line.name, focused, line.invalid);
                let width = line.width.unwrap_or(available).min(available);
                let x = area.x + self.column;
                text_field(canvas, Area::new(x, area.y, width, 1), line.field, focused, line.example);
                if area.width >= self.narrow {
                    let (remark, style) = &line.remark;
                    let x = x + width + 2;
                    let remark = canvas.cut(remark, area.right().saturating_sub(x));
                    canvas.text(x, area.y, area.right().saturating_sub(x), &remark, *style);
                }
            }
            FormLine::Option(name, text) => {
                label(canvas, area, name, focused, false);
                canvas.text(area.x + self.column, area.y, available, text, theme.text);
            }
            FormLine::Drawn(draw) => draw(canvas, area, focused),
            FormLine::Text(indent, text, style) => {
                canvas.text(area.x + indent, area.y, area.width.saturating_sub(*indent), text, *style);
            }
        }
    }
}

/// Draws a field's name, with a symbol in the margin if the field is focused.
pub fn label(canvas: &mut Canvas<'_>, area: Area, name: &str, focused: bool, invalid: bool) {
    let theme = canvas.theme;
    if focused {
        canvas.text(area.x, area.y, 1, theme.glyphs.selected, theme.accent);
    }
    let style = match (invalid, focused) {
        (true, _) => theme.failed,
        (false, true) => theme.focus,
        (false, false) => theme.dim,
    };
    canvas.text(area.x + 1, area.y, area.width.saturating_sub(1), name, style);
}

/// Draws a text field scrolled to its cursor, or its example.
fn text_field(canvas: &mut Canvas<'_>, area: Area, field: &TextField, focused: bool, example: &str) {
    let theme = canvas.theme;
    let line = Modifier::UNDERLINED;
    canvas.style(area, theme.text.add_modifier(line));
    let value = field.input.value();
    if value.is_empty() {
        let example = canvas.cut(example, area.width.saturating_sub(1));
        canvas.text(
            area.x + 1,
            area.y,
            area.width.saturating_sub(1),
            &example,
            theme.faint.add_modifier(line),
        );
    }
    if focused {
        canvas.input(&field.input, area, theme.text.add_modifier(line));
    } else {
        let shown = quote(value.as_bytes());
        canvas.text(area.x, area.y, area.width, &shown, theme.text.add_modifier(line));
    }
}
