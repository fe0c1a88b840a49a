//! The Segments screen:
//!
//! ```text
//!  shmlens  23 segments …            header, two rows (one in small terminals)
//!  /dev/shm ▐████▏ …                  a third row where something is nearly full
//!     KIND  NAME OR KEY  SIZE …       heading
//!  ▌  …                               table
//!  ─────────────────────────          rule    | from 130 columns and 30 rows on
//!  …                                  detail  | the detail is beside the table
//!  ↵ inspect  …                       foot: hints, or a line to type in
//! ```

use super::{Area, FEW_ROWS};
use crate::app::event::Size;
use crate::app::table::TablePane;
use crate::segment::field::Field;

/// Cells before the first column: selection, mark, attachment, a space.
pub const MARGIN: u16 = 4;
const GAP: u16 = 2;
/// Minimum width of the name before another column is dropped.
const NAME_MIN: u16 = 12;
/// Width of a key with its shmid, which the name gets beside the detail area.
const NAME_WITH_SHMID: u16 = 17;

/// Width of the detail area beside the table: from a row of 8 bytes without text to a row of 16
/// bytes with text.
const DETAIL_MIN: u16 = 30;
const DETAIL_MAX: u16 = 80;
const MADE_BY: u16 = 10;

/// Column widths that depend on the width of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Widths {
    /// The resident size, with a bar.
    bar: u16,
    owner: u16,
    /// The name of one holder and the number of others.
    held_by: u16,
}

impl Widths {
    /// Widths for a full-width table. A long owner is cut before a whole column is dropped.
    fn full_width(width: u16, owner: u16) -> Self {
        let (owner_max, held_by) = match width {
            0..60 => (6, 6),
            60..90 => (6, 9),
            90..100 => (8, 15),
            _ => (12, 15),
        };
        Self { bar: 11, owner: owner.clamp(5, owner_max), held_by }
    }

    /// Widths beside the detail area. Columns shrink before any is dropped.
    fn beside(width: u16, owner: u16) -> Self {
        let wide = Self { bar: 11, owner: owner.clamp(5, 12), held_by: 15 };
        if width >= wide.all(NAME_WITH_SHMID) + DETAIL_MIN + 3 {
            return wide;
        }
        Self { bar: 8, owner: owner.clamp(5, 8), held_by: 10 }
    }

    /// The width of all columns and a margin, with a name column of `name` cells.
    const fn all(self, name: u16) -> u16 {
        let fixed = 5 + 8 + 5 + MADE_BY + 4 + 11;
        MARGIN + fixed + self.bar + self.owner + self.held_by + name + 9 * GAP + 1
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Kind,
    Label,
    Size,
    ResidentBar,
    Resident,
    Mode,
    Owner,
    HeldBy,
    MadeBy,
    Age,
    State,
}

impl Column {
    pub const fn field(self) -> Field {
        match self {
            Self::Kind => Field::Kind,
            Self::Label => Field::Id,
            Self::Size => Field::Size,
            Self::ResidentBar | Self::Resident => Field::Resident,
            Self::Mode => Field::Mode,
            Self::Owner => Field::Owner,
            Self::HeldBy => Field::Holders,
            Self::MadeBy => Field::MadeBy,
            Self::Age => Field::Age,
            Self::State => Field::State,
        }
    }

    pub const fn title(self) -> &'static str {
        match self {
            Self::Label => "NAME OR KEY",
            Self::Resident => "RES",
            other => other.field().title(),
        }
    }

    pub const fn is_right(self) -> bool {
        matches!(self, Self::Size | Self::ResidentBar | Self::Resident | Self::Age)
    }
}

/// A column with its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    pub column: Column,
    pub x: u16,
    pub width: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentsLayout {
    /// One to three rows.
    pub header: Area,
    /// Empty when the table is hidden.
    pub heading: Area,
    pub table: Area,
    pub columns: Vec<Placed>,
    /// Above or to the left of the detail area.
    pub rule: Option<Area>,
    pub detail: Option<Area>,
    /// Set if the detail area is beside the table.
    pub beside: bool,
    pub footer: Area,
}

/// Returns the layout. `owner` is the width of the longest owner on screen. An `alert` gets its own
/// row if the terminal is tall enough.
pub fn layout(size: Size, pane: TablePane, owner: u16, alert: bool) -> SegmentsLayout {
    let Size { width, height } = size;
    let alert = u16::from(alert && height >= FEW_ROWS);
    let header = Area::new(0, 0, width, alert + if height >= 12 { 2 } else { 1 });
    let footer = Area::new(0, height.saturating_sub(1), width, height.min(1));
    let body = Area::new(0, header.height, width, height.saturating_sub(header.height + footer.height));
    let beside = width >= 130 && height >= 30;
    if beside {
        let widths = Widths::beside(width, owner);
        let detail_width =
            width.saturating_sub(widths.all(NAME_WITH_SHMID) + 3).clamp(DETAIL_MIN, DETAIL_MAX);
        let table_width = width - detail_width - 3;
        let table = Area::new(0, body.y + 1, table_width, body.height.saturating_sub(1));
        return SegmentsLayout {
            header,
            heading: Area::new(0, body.y, table_width, 1),
            columns: columns(width, table_width, widths),
            table,
            rule: Some(Area::new(table_width + 1, body.y, 1, body.height)),
            detail: Some(Area::new(table_width + 3, body.y, detail_width, body.height)),
            beside,
            footer,
        };
    }
    let detail_height = match height {
        _ if height < FEW_ROWS && pane == TablePane::Detail => body.height,
        _ if height < FEW_ROWS => 0,
        _ => (height / 3).clamp(7, 12),
    };
    let rule_height = u16::from(detail_height > 0);
    let table_height = body.height.saturating_sub(detail_height + rule_height + 1);
    let full_width = detail_height >= body.height;
    let detail = Area::new(0, body.bottom().saturating_sub(detail_height), width, detail_height);
    SegmentsLayout {
        header,
        heading: Area::new(0, body.y, width, u16::from(!full_width)),
        table: Area::new(0, body.y + 1, width, if full_width { 0 } else { table_height }),
        columns: columns(width, width, Widths::full_width(width, owner)),
        rule: (rule_height > 0 && !full_width).then(|| Area::new(0, detail.y.saturating_sub(1), width, 1)),
        detail: (detail_height > 0).then_some(detail),
        beside,
        footer,
    }
}

/// Returns the columns that fit. They are dropped in the order of [`DROPPED`]; numbers are never
/// truncated. `width` is the width of the terminal, `available` that of the table.
fn columns(width: u16, available: u16, widths: Widths) -> Vec<Placed> {
    let mut columns = vec![
        (Column::Kind, 5),
        (Column::Label, 0),
        (Column::Size, 8),
        (Column::ResidentBar, widths.bar),
        (Column::Mode, 5),
        (Column::Owner, widths.owner),
        (Column::HeldBy, widths.held_by),
        (Column::MadeBy, MADE_BY),
        (Column::Age, 4),
        (Column::State, 11),
    ];
    for (limit, column) in DROPPED {
        let taken: u16 = columns.iter().map(|(_, width)| width + GAP).sum();
        let name = available.saturating_sub(MARGIN + taken);
        if width < limit || name < NAME_MIN {
            let at = columns.iter().position(|(present, _)| *present == column);
            match (at, column) {
                (Some(at), Column::ResidentBar) => columns[at] = (Column::Resident, 4),
                (Some(at), _) => {
                    columns.remove(at);
                }
                (None, _) => {}
            }
        }
    }
    let taken: u16 = columns.iter().map(|(_, width)| width + GAP).sum();
    // Keep a margin of one cell.
    let name = available.saturating_sub(MARGIN + taken - GAP + 1).max(4);
    let mut x = MARGIN;
    columns
        .into_iter()
        .map(|(column, width)| {
            let width = if column == Column::Label { name } else { width };
            let placed = Placed { column, x, width };
            x += width + GAP;
            placed
        })
        .collect()
}

/// Columns with the terminal width below which they are dropped, in the order in which they are
/// dropped to make the name wide enough.
const DROPPED: [(u16, Column); 7] = [
    (110, Column::Age),
    (100, Column::MadeBy),
    (90, Column::ResidentBar),
    (80, Column::Owner),
    (70, Column::Mode),
    (0, Column::Resident),
    (0, Column::Kind),
];

/// The target of a click.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    Heading(Column),
    /// Counted from the first visible row.
    Row(usize),
    Detail,
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
        if self.detail.is_some_and(|detail| detail.contains(x, y)) {
            return Some(Hit::Detail);
        }
        self.footer.contains(x, y).then_some(Hit::Footer)
    }

    pub fn column(&self, column: Column) -> Option<Placed> {
        self.columns.iter().copied().find(|placed| placed.column == column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(width: u16, height: u16) -> Vec<Column> {
        layout(Size { width, height }, TablePane::Table, 5, false)
            .columns
            .iter()
            .map(|placed| placed.column)
            .collect()
    }

    #[test]
    fn columns_are_dropped_in_order() {
        use Column::{Age, HeldBy, Kind, Label, MadeBy, Mode, Owner, Resident, ResidentBar, Size, State};
        let all = [Kind, Label, Size, ResidentBar, Mode, Owner, HeldBy, MadeBy, Age, State];
        for beside in 136..200 {
            assert_eq!(shown(beside, 30), all);
        }
        assert_eq!(shown(130, 30), [Kind, Label, Size, ResidentBar, Mode, Owner, HeldBy, MadeBy, State]);
        assert_eq!(shown(120, 40), all);
        assert_eq!(shown(109, 40), [Kind, Label, Size, ResidentBar, Mode, Owner, HeldBy, MadeBy, State]);
        assert_eq!(shown(89, 40), [Kind, Label, Size, Resident, Mode, Owner, HeldBy, State]);
        assert_eq!(shown(80, 24), [Kind, Label, Size, Resident, Mode, Owner, HeldBy, State]);
        assert_eq!(shown(79, 24), [Kind, Label, Size, Resident, Mode, HeldBy, State]);
        assert_eq!(shown(69, 24), [Kind, Label, Size, Resident, HeldBy, State]);
        assert_eq!(shown(40, 24), [Label, Size, HeldBy, State]);
    }

    #[test]
    fn key_with_shmid_fits_beside_the_detail_area() {
        for width in 140..200 {
            let layout = layout(Size { width, height: 45 }, TablePane::Table, 5, false);
            assert!(layout.column(Column::Label).unwrap().width >= NAME_WITH_SHMID, "{width}");
            assert_eq!(layout.detail.unwrap().right(), width);
        }
    }

    #[test]
    fn long_owner_drops_no_column() {
        let size = Size { width: 80, height: 24 };
        for (owner, width) in [(4, 5), (6, 6), (8, 6), (12, 6)] {
            let placed = layout(size, TablePane::Table, owner, false).column(Column::Owner).unwrap();
            assert_eq!(placed.width, width);
        }
    }

    #[test]
    fn areas_stay_on_screen_and_do_not_overlap() {
        for width in 40..260 {
            for (height, alert) in (8..60).flat_map(|height| [(height, false), (height, true)]) {
                let layout = layout(Size { width, height }, TablePane::Table, 12, alert);
                let last = layout.columns.last().unwrap();
                let available = layout.table.width;
                assert!(last.x + last.width <= available, "{width}x{height}: {last:?}");
                for pair in layout.columns.windows(2) {
                    assert!(pair[0].x + pair[0].width < pair[1].x);
                }
                assert!(layout.table.height >= 1, "{width}x{height}");
                assert!(layout.footer.bottom() == height);
                if let Some(detail) = layout.detail {
                    assert!(detail.right() <= width && detail.bottom() < height);
                    assert!(layout.beside || detail.y > layout.table.bottom());
                }
            }
        }
    }

    #[test]
    fn detail_is_hidden_below_20_rows_unless_active() {
        let size = Size { width: 80, height: 19 };
        assert_eq!(layout(size, TablePane::Table, 5, false).detail, None);
        let full_width = layout(size, TablePane::Detail, 5, false);
        assert_eq!((full_width.table.height, full_width.detail.unwrap().height), (0, 16));
        assert!(layout(Size { width: 130, height: 30 }, TablePane::Table, 5, false).beside);
        assert!(!layout(Size { width: 130, height: 29 }, TablePane::Table, 5, false).beside);
    }

    #[test]
    fn click_finds_its_target() {
        let layout = layout(Size { width: 80, height: 24 }, TablePane::Table, 5, false);
        let size = layout.column(Column::Size).unwrap();
        assert_eq!(layout.hit(size.x + 3, 2), Some(Hit::Heading(Column::Size)));
        assert_eq!(layout.hit(10, 3), Some(Hit::Row(0)));
        assert_eq!(layout.hit(10, 23), Some(Hit::Footer));
        assert_eq!(layout.hit(10, 20), Some(Hit::Detail));
        assert_eq!(layout.hit(10, 0), None);
    }
}
