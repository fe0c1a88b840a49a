//! Draws text into cells, never past an area's edge and never half of a wide character.

use super::theme::Theme;
use crate::app::layout::Area;
use crate::app::text_field::visible;
use crate::segment::{in_ascii, shorten, take_cells, wrap};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use std::borrow::Cow;
use tui_input::Input;
use unicode_width::UnicodeWidthStr as _;

/// A frame to draw on, and its theme.
pub struct Canvas<'a> {
    pub buffer: &'a mut Buffer,
    pub theme: &'a Theme,
}

impl Canvas<'_> {
    /// Writes text in at most `width` cells. Returns the next column.
    pub fn text(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) -> u16 {
        let area = self.buffer.area;
        if y >= area.bottom() || x >= area.right() {
            return x;
        }
        let available = usize::from(width.min(area.right() - x));
        self.buffer.set_stringn(x, y, self.plain(text), available, style).0
    }

    /// Writes a text input on a single line, scrolled to the cursor.
    pub fn input(&mut self, input: &Input, area: Area, style: Style) {
        let (shown, cursor) = visible(input, area.width.into());
        self.text(area.x, area.y, area.width, &shown, style);
        let cursor = u16::try_from(cursor).unwrap_or(0).min(area.width.saturating_sub(1));
        let cell = Area::new(area.x + cursor, area.y, 1, 1);
        self.style(cell, self.theme.text.add_modifier(Modifier::REVERSED));
    }

    /// Writes text right-aligned, ending before column `right`. Truncates text that is too long.
    pub fn text_right(&mut self, right: u16, y: u16, width: u16, text: &str, style: Style) {
        let text = &self.plain(text);
        let cells = cells(text).min(width);
        self.text(right.saturating_sub(cells), y, cells, text, style);
    }

    /// Patches the style of the cells in an area.
    pub fn style(&mut self, area: Area, style: Style) {
        let rect = self.rect(area);
        self.buffer.set_style(rect, style);
    }

    pub fn fill(&mut self, area: Area, sign: &str, style: Style) {
        let rect = self.rect(area);
        for y in rect.top()..rect.bottom() {
            for x in rect.left()..rect.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                    cell.set_symbol(sign).set_style(style);
                }
            }
        }
    }

    /// Draws a horizontal or vertical rule, depending on the shape of the area.
    pub fn rule(&mut self, area: Area) {
        let glyphs = self.theme.glyphs;
        let sign = if area.width == 1 && area.height > 1 { glyphs.rule_down } else { glyphs.rule };
        self.fill(area, sign, self.theme.faint);
    }

    /// Draws an empty frame with a title. Returns the area inside.
    pub fn frame(&mut self, area: Area, title: &str) -> Area {
        let [left_top, across, right_top, down, left_low, right_low] = self.theme.glyphs.frame;
        let style = self.theme.faint;
        self.fill(area, " ", self.theme.text);
        if area.width < 4 || area.height < 2 {
            return Area::default();
        }
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        for x in area.x + 1..right {
            self.text(x, area.y, 1, across, style);
            self.text(x, bottom, 1, across, style);
        }
        for y in area.y + 1..bottom {
            self.text(area.x, y, 1, down, style);
            self.text(right, y, 1, down, style);
        }
        for (x, y, sign) in [
            (area.x, area.y, left_top),
            (right, area.y, right_top),
            (area.x, bottom, left_low),
            (right, bottom, right_low),
        ] {
            self.text(x, y, 1, sign, style);
        }
        let title = format!(" {} ", self.fit(title, area.width.saturating_sub(6)));
        // Only the border is dim, not the title.
        self.fill(Area::new(area.x + 1, area.y, cells(&title).min(area.width - 2), 1), " ", self.theme.text);
        self.text(area.x + 1, area.y, area.width - 2, &title, self.theme.focus);
        Area::new(area.x + 2, area.y + 1, area.width - 4, area.height - 2)
    }

    /// Converts text for `--ascii`: arrows are spelled out, other non-ASCII characters, which may
    /// be part of a name, are escaped.
    pub fn plain<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !self.theme.glyphs.ascii || text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let text =
            text.strip_prefix("→ ").map_or(Cow::Borrowed(text), |rest| Cow::Owned(format!("-> {rest}")));
        let text = text.replace(" → ", " -> ").replace("↵ ", "enter ").replace(" · ", " - ");
        Cow::Owned(in_ascii(&text).into_owned())
    }

    /// Wraps text at spaces where possible.
    pub fn wrap(&self, text: &str, width: u16) -> Vec<String> {
        wrap(&self.plain(text), width.into())
    }

    /// Shortens a name in the middle, since names often differ at the end.
    pub fn fit(&self, text: &str, width: u16) -> String {
        shorten(&self.plain(text), width.into(), self.theme.glyphs.ellipsis)
    }

    /// Truncates a message at the end.
    pub fn cut(&self, text: &str, width: u16) -> String {
        let text = self.plain(text);
        if cells(&text) <= width {
            return text.into_owned();
        }
        let ellipsis = self.theme.glyphs.ellipsis;
        take_cells(text.chars(), usize::from(width).saturating_sub(ellipsis.width())) + ellipsis
    }

    fn rect(&self, area: Area) -> Rect {
        Rect::new(area.x, area.y, area.width, area.height).intersection(self.buffer.area)
    }
}

/// Returns the width of a string in cells.
pub fn cells(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_spells_arrows_out_and_escapes_everything_else() {
        use crate::tui::theme::{Depth, Name};
        let theme = Theme::new(Name::Default, Depth::Mono, true);
        let canvas = Canvas { buffer: &mut Buffer::default(), theme: &theme };
        for (text, plain) in [
            ("mode 0644 → 0600", "mode 0644 -> 0600"),
            ("space toggle   ↵ create", "space toggle   enter create"),
            ("→ reader", "-> reader"),
            ("/a→b", r"/a\xe2\x86\x92b"),
            ("plain", "plain"),
        ] {
            assert_eq!(canvas.plain(text), plain);
        }
    }
}
