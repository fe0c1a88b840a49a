//! The Segments screen:
//!
//! ```text
//!  shmlens  27 segments  114 MiB …         header
//!    NAME     SIZE  RES  CHANGING  …       heading
//!  ▌ /md_ring …                            table
//!  ─ /md_ring ────────── live, no trace    title of the live strip
//!  0000  47 4e 49 52 …                     strip, see [`super::strip`]
//!  ↵ inspect  …                            footer: hints, or a line to type in
//! ```
//!
//! The table takes the rows that it needs, and the strip the rest.

use super::strip::StripLayout;
use super::{Area, MIN_DETAIL_HEIGHT};
use crate::app::event::Size;
use crate::app::table::SortKey;
use crate::segment::field::Field;

/// Cells before the first column: selection, mark, attachment, a space.
pub const MARGIN: u16 = 4;
const COLUMN_GAP: u16 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Name,
    Size,
    Resident,
    Changing,
    HeldBy,
    MadeBy,
    Owner,
    Mode,
    Age,
    State,
}

impl Column {
    /// The order that a click on the heading selects.
    pub const fn sort_key(self) -> SortKey {
        SortKey::Field(match self {
            Self::Changing => return SortKey::Changing,
            Self::Name => Field::Id,
            Self::Size => Field::Size,
            Self::Resident => Field::Resident,
            Self::Mode => Field::Mode,
            Self::Owner => Field::Owner,
            Self::HeldBy => Field::Holders,
            Self::MadeBy => Field::MadeBy,
            Self::Age => Field::Age,
            Self::State => Field::State,
        })
    }

    /// The heading of a column of this width.
    pub const fn title(self, width: u16) -> &'static str {
        match self {
            Self::Name => "NAME",
            Self::Size => "SIZE",
            Self::Resident => "RES",
            Self::Changing => "CHANGING",
            Self::HeldBy if width >= 28 => "HELD BY (writers → readers)",
            Self::HeldBy => "HELD BY",
            Self::MadeBy => "MADE BY",
            Self::Owner => "OWNER",
            Self::Mode => "MODE",
            Self::Age => "AGE",
            Self::State => "STATE",
        }
    }

    pub const fn is_right(self) -> bool {
        matches!(self, Self::Size | Self::Resident | Self::Age)
    }
}

/// A column with its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnPosition {
    pub column: Column,
    pub x: u16,
    pub width: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentsLayout {
    /// The header, one to three rows.
    pub header: Area,
    pub heading: Area,
    pub table: Area,
    /// The row with the number of rows that are scrolled off.
    pub more: Option<Area>,
    pub columns: Vec<ColumnPosition>,
    /// The live strip, which small terminals hide.
    pub strip: Option<StripLayout>,
    pub footer: Area,
}

/// State that determines the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Rows of the table.
    pub rows: usize,
    /// The width of the widest owner.
    pub owner: u16,
    /// Set if an alert takes the first row.
    pub alert: bool,
}

/// The minimum height for a second header row.
const MIN_TALL_HEIGHT: u16 = 30;

pub fn layout(size: Size, needs: Needs) -> SegmentsLayout {
    let Size { width, height } = size;
    let alert = u16::from(needs.alert && height >= MIN_DETAIL_HEIGHT);
    let header = Area::new(0, 0, width, alert + if height >= MIN_TALL_HEIGHT { 2 } else { 1 });
    let footer = Area::new(0, height.saturating_sub(1), width, height.min(1));
    let body = Area::new(0, header.height, width, height.saturating_sub(header.height + footer.height));
    let rows = body.height.saturating_sub(1);
    let table = if height < MIN_DETAIL_HEIGHT { rows } else { table_rows(rows, needs.rows) };
    let scrolls = needs.rows > usize::from(table) && table > 3;
    let top = body.y + 1 + table;
    let strip = Area::new(0, top, width, body.bottom().saturating_sub(top));
    SegmentsLayout {
        header,
        heading: Area::new(0, body.y, width, 1),
        table: Area::new(0, body.y + 1, width, table - u16::from(scrolls)),
        more: scrolls.then(|| Area::new(0, top - 1, width, 1)),
        columns: columns(width, needs.owner),
        strip: (strip.height > 0).then(|| StripLayout::new(strip)),
        footer,
    }
}

/// Returns the rows of the table. The strip gets at least a third, and the table at least three
/// rows, so that the screen does not jump when a short table gets its next row.
fn table_rows(rows: u16, segments: usize) -> u16 {
    let strip = (rows / 3).clamp(5, 16);
    let needed = u16::try_from(segments).unwrap_or(u16::MAX).max(3);
    needed.min(rows.saturating_sub(strip))
}

/// Columns in the order in which narrow terminals drop them, to leave `MIN_FLEXIBLE_WIDTH` cells
/// for the name and the holders. `Changing` only loses its rate.
const DROP_ORDER: [Column; 5] =
    [Column::Age, Column::Mode, Column::Owner, Column::Changing, Column::Resident];
const MIN_FLEXIBLE_WIDTH: u16 = 36;
/// The resident column is dropped only below this width.
const MIN_FLEXIBLE_WIDTH_WITH_RESIDENT: u16 = 32;
/// The width of eight samples.
const SPARKLINE_WIDTH: u16 = 8;
const SPARKLINE_AND_RATE_WIDTH: u16 = SPARKLINE_WIDTH + 1 + 7;

/// Returns the columns that fit. The name, size, holders and state always stay.
fn columns(width: u16, owner: u16) -> Vec<ColumnPosition> {
    let mut columns = vec![
        (Column::Name, 0),
        (Column::Size, 8),
        (Column::Resident, 4),
        (Column::Changing, SPARKLINE_AND_RATE_WIDTH),
        (Column::HeldBy, 0),
        (Column::MadeBy, 14),
        (Column::Owner, owner.clamp(5, if width < 120 { 8 } else { 12 })),
        (Column::Mode, 5),
        (Column::Age, 4),
        (Column::State, 11),
    ];
    let flexible = |columns: &[(Column, u16)]| {
        let taken: u16 = columns.iter().map(|(_, width)| width + COLUMN_GAP).sum();
        // Keep a margin of one cell.
        (width + COLUMN_GAP).saturating_sub(MARGIN + taken + 1)
    };
    if width < 170 {
        columns.retain(|(column, _)| *column != Column::MadeBy);
    }
    for dropped in DROP_ORDER {
        let is_too_narrow = dropped == Column::Age && width < 110;
        let min_width =
            if dropped == Column::Resident { MIN_FLEXIBLE_WIDTH_WITH_RESIDENT } else { MIN_FLEXIBLE_WIDTH };
        if !is_too_narrow && flexible(&columns) >= min_width {
            continue;
        }
        match dropped {
            Column::Changing => {
                for (column, width) in &mut columns {
                    if *column == Column::Changing {
                        *width = SPARKLINE_WIDTH;
                    }
                }
            }
            dropped => columns.retain(|(column, _)| *column != dropped),
        }
    }
    if flexible(&columns) < 18 {
        columns.retain(|(column, _)| *column != Column::Changing);
    }
    let room = flexible(&columns);
    let name = name_width(room);
    let mut x = MARGIN;
    columns
        .into_iter()
        .map(|(column, width)| {
            let width = match column {
                Column::Name => name,
                Column::HeldBy => room - name,
                _ => width,
            };
            let placed = ColumnPosition { column, x, width };
            x += width + COLUMN_GAP;
            placed
        })
        .collect()
}

/// Splits the room between the name and the holders. The name has 36 cells before the holders get
/// more than 18.
fn name_width(room: u16) -> u16 {
    let half = room.div_ceil(2);
    match room {
        32..38 => room - 16,
        // Two short names of processes.
        38..54 => room - 18,
        54..72 => 36,
        _ => half,
    }
}

/// The target of a click.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    Heading(Column),
    /// Counted from the first visible row.
    Row(usize),
    Strip,
    Footer,
}

impl SegmentsLayout {
    pub fn hit(&self, x: u16, y: u16) -> Option<Hit> {
        if self.heading.contains(x, y) {
            let column = self.columns.iter().rev().find(|placed| x >= placed.x)?;
            return Some(Hit::Heading(column.column));
        }
        if self.table.contains(x, y) {
            return Some(Hit::Row(usize::from(y - self.table.y)));
        }
        if self.strip.as_ref().is_some_and(|strip| strip.area.contains(x, y)) {
            return Some(Hit::Strip);
        }
        self.footer.contains(x, y).then_some(Hit::Footer)
    }

    pub fn column(&self, column: Column) -> Option<ColumnPosition> {
        self.columns.iter().copied().find(|placed| placed.column == column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEW_SEGMENTS: Needs = Needs { rows: 5, owner: 5, alert: false };

    fn wide(width: u16) -> SegmentsLayout {
        layout(Size { width, height: 24 }, FEW_SEGMENTS)
    }

    #[test]
    fn columns_are_dropped_in_order() {
        use Column::{Age, Changing, HeldBy, MadeBy, Mode, Name, Owner, Resident, Size, State};
        let all = [Name, Size, Resident, Changing, HeldBy, MadeBy, Owner, Mode, Age, State];
        let without = |gone: &[Column]| all.into_iter().filter(|column| !gone.contains(column)).collect();
        let expected: [(u16, Vec<Column>); 6] = [
            (170, all.to_vec()),
            (169, without(&[MadeBy])),
            (110, without(&[MadeBy])),
            (109, without(&[MadeBy, Age])),
            (80, without(&[MadeBy, Age, Mode, Owner])),
            (40, vec![Name, Size, HeldBy, State]),
        ];
        for (width, columns) in expected {
            let shown: Vec<Column> = wide(width).columns.iter().map(|placed| placed.column).collect();
            assert_eq!(shown, columns, "{width}");
        }
        let changing = |width| wide(width).column(Changing).unwrap().width;
        assert_eq!([changing(100), changing(80)], [SPARKLINE_AND_RATE_WIDTH, SPARKLINE_WIDTH]);
    }

    #[test]
    fn name_column_grows_before_the_holders() {
        let name = |width| wide(width).column(Column::Name).unwrap().width;
        assert!(name(140) >= 36 && name(80) >= 18, "{} {}", name(140), name(80));
        for width in 140..250 {
            assert!(name(width) >= 36, "{width}");
        }
    }

    #[test]
    fn long_owner_drops_no_column() {
        for owner in [4, 8, 30] {
            let size = Size { width: 110, height: 30 };
            let columns = layout(size, Needs { owner, ..FEW_SEGMENTS }).columns;
            assert!(columns.iter().any(|placed| placed.column == Column::Mode), "{owner}");
        }
    }

    #[test]
    fn areas_stay_on_screen_and_do_not_overlap() {
        for width in 40..260 {
            for (height, rows) in (8..60).flat_map(|height| [0, 3, 9, 500].map(|rows| (height, rows))) {
                for alert in [false, true] {
                    let layout = layout(Size { width, height }, Needs { rows, owner: 12, alert });
                    let last = layout.columns.last().unwrap();
                    assert!(last.x + last.width <= width, "{width}x{height}: {last:?}");
                    for pair in layout.columns.windows(2) {
                        assert!(pair[0].x + pair[0].width < pair[1].x);
                    }
                    assert!(layout.table.height >= 3 && layout.footer.bottom() == height, "{width}x{height}");
                    if let Some(strip) = layout.strip {
                        assert_eq!(strip.area.y, layout.more.unwrap_or(layout.table).bottom());
                        assert_eq!(strip.area.bottom(), layout.footer.y);
                    } else {
                        assert!(height < MIN_DETAIL_HEIGHT);
                    }
                }
            }
        }
    }

    #[test]
    fn strip_takes_the_rows_that_the_table_leaves() {
        let at = |height, rows| {
            let layout = layout(Size { width: 100, height }, Needs { rows, ..FEW_SEGMENTS });
            let more = layout.more.map_or(0, |more| more.height);
            (layout.table.height + more, layout.strip.map_or(0, |strip| strip.area.height))
        };
        assert_eq!(at(24, 4), (4, 17));
        assert_eq!(at(24, 400), (14, 7));
        assert_eq!(at(55, 400), (35, 16));
        assert_eq!(at(19, 400), (16, 0));
    }

    #[test]
    fn click_finds_its_target() {
        let layout = layout(Size { width: 80, height: 24 }, FEW_SEGMENTS);
        let size = layout.column(Column::Size).unwrap();
        assert_eq!(layout.hit(size.x + 3, 1), Some(Hit::Heading(Column::Size)));
        assert_eq!(layout.hit(10, 3), Some(Hit::Row(1)));
        assert_eq!(layout.hit(10, 23), Some(Hit::Footer));
        assert_eq!(layout.hit(10, 20), Some(Hit::Strip));
        assert_eq!(layout.hit(10, 0), None);
    }
}
