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
pub const DIGITS: u16 = 4;
/// Bytes per row of the preview.
pub const ROW: u16 = 16;
/// The width of a preview row: offset, hex with a gap in the middle, text.
pub const ROW_WIDTH: u16 = DIGITS + 2 + 3 * ROW + 1 + ROW + 1;
/// From this width on the panes are side by side.
const WIDE: u16 = 100;
/// From this width on holders have a pane of their own.
const THREE_PANES: u16 = 134;

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
    /// The panes have headings. Stacked panes have labels instead.
    pub headings: bool,
}

impl StripLayout {
    pub fn new(area: Area) -> Self {
        let title = Area::new(area.x, area.y, area.width, area.height.min(1));
        let body =
            Area::new(area.x + 1, area.y + 1, area.width.saturating_sub(2), area.height.saturating_sub(1));
        if area.width < WIDE {
            return Self::stacked(area, title, body);
        }
        let map = (body.height >= 4).then(|| Area::new(body.x, body.y, body.width, 1));
        let below = u16::from(map.is_some());
        let panes = Area::new(body.x, body.y + below, body.width, body.height - below);
        let rule_at = |x: u16| Area::new(x, panes.y, 1, panes.height);
        let preview = Area::new(panes.x, panes.y, ROW_WIDTH, panes.height);
        let rest = Area::new(preview.right() + 3, panes.y, panes.right() - preview.right() - 3, panes.height);
        let first_rule = rule_at(preview.right() + 1);
        if area.width >= THREE_PANES {
            let moving = (rest.width * 2 / 3).clamp(40, 64).min(rest.width - 20);
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
        let holders = if body.height < 8 { 1 } else { 3 }.min(body.height);
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

    /// The number of bytes that the preview shows.
    pub fn preview_bytes(&self) -> usize {
        usize::from(self.preview.height.saturating_sub(u16::from(self.headings)) * ROW)
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

/// `map 0 ` and ` 1023K`.
pub const MAP_LABELS: u16 = 6 + 7;
