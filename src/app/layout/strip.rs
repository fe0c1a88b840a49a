//! The live strip below the table. From 100 columns on it has panes side by side:
//!
//! ```text
//!  ─ /md_ring ─────────────────────────────────────────────── live 4/s, no trace
//!  map 0 ░░▓▓▓▓█▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓ 256K
//!  PREVIEW                                   │ MOVING             │ HOLDERS
//!  0000  47 4e 49 52  …                      │ 08 u64 17022 +50/s │ writer 4121 rw
//! ```
//!
//! Narrower terminals stack them, and the map is in the title.

use super::Area;

/// Digits of an offset in the preview.
pub const OFFSET_DIGITS: u16 = 4;
/// Bytes per row of the preview.
pub const ROW_BYTES: u16 = 16;
/// The width of a preview row: offset, hex with a gap in the middle, text.
pub const ROW_WIDTH: u16 = OFFSET_DIGITS + 2 + 3 * ROW_BYTES + 1 + ROW_BYTES + 1;
/// The minimum width for panes side by side.
const MIN_SIDE_BY_SIDE_WIDTH: u16 = 100;
/// The minimum width for a separate pane for the holders.
const MIN_THREE_PANE_WIDTH: u16 = 134;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StripLayout {
    pub area: Area,
    pub title: Area,
    /// `None` if the map is in the title.
    pub map: Option<Area>,
    /// The headings of the panes are in the first row of each.
    pub preview: Area,
    pub moving: Area,
    pub holders: Area,
    /// Vertical rules between the panes.
    pub rules: Vec<Area>,
    /// Set if the panes have headings. Stacked panes have labels instead.
    pub headings: bool,
}

impl StripLayout {
    pub fn new(area: Area) -> Self {
        let title = Area::new(area.x, area.y, area.width, area.height.min(1));
        let body =
            Area::new(area.x + 1, area.y + 1, area.width.saturating_sub(2), area.height.saturating_sub(1));
        if area.width < MIN_SIDE_BY_SIDE_WIDTH {
            return Self::stacked(area, title, body);
        }
        let map = (body.height >= 4).then(|| Area::new(body.x, body.y, body.width, 1));
        let below = u16::from(map.is_some());
        let panes = Area::new(body.x, body.y + below, body.width, body.height - below);
        let rule_at = |x: u16| Area::new(x, panes.y, 1, panes.height);
        let preview = Area::new(panes.x, panes.y, ROW_WIDTH, panes.height);
        let rest = Area::new(preview.right() + 3, panes.y, panes.right() - preview.right() - 3, panes.height);
        let first_rule = rule_at(preview.right() + 1);
        if area.width >= MIN_THREE_PANE_WIDTH {
            let moving = (rest.width * 2 / 3).clamp(40, 64).min(rest.width - 23);
            let holders = Area::new(rest.x + moving + 3, rest.y, rest.width - moving - 3, rest.height);
            return Self {
                area,
                title,
                map,
                preview,
                moving: Area { width: moving, ..rest },
                holders,
                rules: vec![first_rule, rule_at(holders.x - 2)],
                headings: true,
            };
        }
        let holders = (rest.height / 2).min(rest.height.saturating_sub(3)).min(6);
        Self {
            area,
            title,
            map,
            preview,
            moving: Area { height: rest.height - holders, ..rest },
            holders: Area::new(rest.x, rest.bottom() - holders, rest.width, holders),
            rules: vec![first_rule],
            headings: true,
        }
    }

    /// Gives the holders and the moving values a row each, more in a tall strip, and the preview
    /// the rest.
    fn stacked(area: Area, title: Area, body: Area) -> Self {
        let holders = if body.height < 8 { 1 } else { 2 }.min(body.height);
        let moving = (body.height / 4).clamp(1, 6).min(body.height - holders);
        let preview = body.height - holders - moving;
        Self {
            area,
            title,
            map: None,
            preview: Area { height: preview, ..body },
            moving: Area::new(body.x, body.y + preview, body.width, moving),
            holders: Area::new(body.x, body.y + preview + moving, body.width, holders),
            rules: vec![],
            headings: false,
        }
    }

    /// Returns the layout for a segment that is not read: without a map and moving values.
    #[must_use]
    pub fn without_contents(mut self) -> Self {
        if !self.headings {
            // The explanation takes up to four rows at 80 columns.
            let bottom = self.area.bottom();
            self.preview.height =
                (bottom - self.preview.y).min(4).min(self.preview.height + self.moving.height);
            self.moving.height = 0;
            self.holders.y = self.preview.bottom();
            self.holders.height = bottom - self.holders.y;
            return self;
        }
        let top = self.title.bottom();
        let right = self.holders.right();
        for pane in
            [&mut self.preview, &mut self.moving, &mut self.holders].into_iter().chain(&mut self.rules)
        {
            pane.height = self.area.bottom() - top;
            pane.y = top;
        }
        self.map = None;
        self.holders = Area { width: right - self.moving.x, ..self.moving };
        self.moving.width = 0;
        self.rules.truncate(1);
        self
    }

    /// Returns the layout for a segment without holders, where the reasons for its state need more
    /// room than names would.
    #[must_use]
    pub fn with_reasons(mut self) -> Self {
        if self.headings && self.moving.y == self.holders.y {
            let right = self.holders.right();
            self.moving.width = (right - self.moving.x - 3) / 2;
            self.holders.x = self.moving.right() + 3;
            self.holders.width = right - self.holders.x;
            if let Some(rule) = self.rules.get_mut(1) {
                rule.x = self.holders.x - 2;
            }
        } else {
            let rows = self.moving.height.saturating_sub(if self.headings { 3 } else { 1 });
            self.moving.height -= rows;
            self.holders.y -= rows;
            self.holders.height += rows;
        }
        self
    }

    /// The number of fields that fit in place of the preview.
    pub fn field_rows(&self) -> usize {
        let rows = self.preview.height.saturating_sub(u16::from(self.headings));
        usize::from(rows) * if self.headings { 1 } else { 2 }
    }

    /// The number of bytes that the preview shows.
    pub fn preview_bytes(&self) -> usize {
        usize::from(self.preview.height.saturating_sub(u16::from(self.headings)) * ROW_BYTES)
    }

    /// The number of cells of the map, which has labels at both ends.
    pub const fn map_cells(&self) -> u16 {
        match self.map {
            Some(map) => map.width.saturating_sub(MAP_LABELS),
            None => {
                if self.area.width >= 70 {
                    24
                } else {
                    0
                }
            }
        }
    }
}

/// The width of `map 0 ` and ` 1023K`.
pub const MAP_LABELS: u16 = 6 + 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_stay_inside_and_apart() {
        for width in 40..260 {
            for height in 5..50 {
                let area = Area::new(0, 7, width, height);
                let whole = StripLayout::new(area);
                for layout in [
                    whole.clone(),
                    whole.clone().with_reasons(),
                    whole.clone().without_contents(),
                    whole.with_reasons().without_contents(),
                ] {
                    let panes = [layout.preview, layout.moving, layout.holders];
                    let panes = panes.map(|pane| if pane.width == 0 { Area::default() } else { pane });
                    let rules = layout.rules.iter().chain(&layout.map);
                    let all: Vec<&Area> = panes.iter().chain(rules).chain([&layout.title]).collect();
                    for (index, one) in
                        all.iter().enumerate().filter(|(_, one)| one.width > 0 && one.height > 0)
                    {
                        assert!(area.contains(one.x, one.y), "{width}x{height}: {layout:?}");
                        assert!(one.right() <= area.right() && one.bottom() <= area.bottom(), "{layout:?}");
                        let apart = |other: &&Area| {
                            other.width == 0
                                || other.height == 0
                                || one.right() <= other.x
                                || other.right() <= one.x
                                || one.bottom() <= other.y
                                || other.bottom() <= one.y
                        };
                        assert!(all[..index].iter().all(apart), "{width}x{height}: {layout:?}");
                    }
                }
            }
        }
    }
}
