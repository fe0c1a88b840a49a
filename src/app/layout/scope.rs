//! The Scope screen:
//!
//! ```text
//!  Scope   4 channels   1 kHz: 998 …       title
//!  ─────────────────────────────────       rule, which low terminals hide
//!    CHANNEL      VALUE  RATE/S  …         heading
//!  ▌ 1 ● tick    481220   1000   …         table
//!  ─ 1 tick ────────── 10 s/screen ─       rule of the plot
//!  6.6┤   ⡠⠤⡀              │ Δt 12.4 ms    plot, with the readings of the cursors beside or above it
//!  space freeze  …                         footer
//! ```

use super::{Area, MIN_DETAIL_HEIGHT};
use crate::app::event::Size;

/// Cells before the first column: selection, number, plotted, and spaces.
pub const MARGIN: u16 = 6;
const COLUMN_GAP: u16 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Channel,
    Value,
    Rate,
    Min,
    Max,
    Average,
    Deviation,
    LastChange,
    History,
    /// A word about the channel. Narrower terminals show it over the oldest part of the history.
    Note,
}

impl Column {
    /// The heading of a column.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Channel => "CHANNEL",
            Self::Value => "VALUE",
            Self::Rate => "RATE/S",
            Self::Min => "MIN",
            Self::Max => "MAX",
            Self::Average => "AVG",
            Self::Deviation => "σ",
            Self::LastChange => "CHANGED",
            Self::History => "HISTORY",
            Self::Note => "",
        }
    }

    pub const fn is_right(self) -> bool {
        !matches!(self, Self::Channel | Self::History | Self::Note)
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
pub struct ScopeLayout {
    pub title: Area,
    /// The rule below the title.
    pub rule: Option<Area>,
    /// Empty without channels.
    pub heading: Area,
    pub table: Area,
    /// The first visible channel.
    pub top: usize,
    /// The row with the number of channels that are scrolled off.
    pub more: Option<Area>,
    pub columns: Vec<ColumnPosition>,
    /// The rule of the plot, with its legend.
    pub legend: Option<Area>,
    /// The plot with its axes.
    pub plot: Option<Area>,
    /// The readings of the cursors: a panel, or a row.
    pub readings: Option<Area>,
    /// The text that explains an empty screen.
    pub empty: Option<Area>,
    pub footer: Area,
}

/// State that determines the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    pub channels: usize,
    /// The selected channel.
    pub cursor: usize,
    pub shows_cursors: bool,
}

/// Rows of the smallest table beside a plot.
const MIN_TABLE: u16 = 3;
/// Rows of the smallest plot.
const MIN_PLOT: u16 = 5;
/// The minimum width for a panel of readings beside the plot.
const MIN_PANEL_WIDTH: u16 = 100;

pub fn layout(size: Size, needs: Needs) -> ScopeLayout {
    let Size { width, height } = size;
    let title = Area::new(0, 0, width, 1);
    let has_rule = height >= MIN_DETAIL_HEIGHT;
    let footer = Area::new(0, height.saturating_sub(1), width, height.min(1));
    let top = 1 + u16::from(has_rule);
    let body = Area::new(0, top, width, height.saturating_sub(top + footer.height));
    let mut layout = ScopeLayout {
        title,
        rule: has_rule.then(|| Area::new(0, 1, width, 1)),
        heading: Area::default(),
        table: Area::default(),
        top: 0,
        more: None,
        columns: vec![],
        legend: None,
        plot: None,
        readings: None,
        empty: None,
        footer,
    };
    if needs.channels == 0 {
        layout.empty = Some(body);
        return layout;
    }
    layout.heading = Area { height: 1, ..body };
    layout.columns = columns(width);
    let body = body.below(1);
    let channels = u16::try_from(needs.channels).unwrap_or(u16::MAX);
    let mut rows = body.height;
    if body.height > MIN_TABLE.min(channels) + MIN_PLOT {
        let room = body.height - 1;
        rows = channels.min((room * 2 / 5).max(MIN_TABLE));
        place_plot(&mut layout, body.below(rows), needs.shows_cursors);
    }
    let scrolls = channels > rows && rows > 1;
    layout.table = Area { height: rows - u16::from(scrolls), ..body };
    layout.more = scrolls.then(|| Area { height: 1, ..body.below(rows - 1) });
    layout.top = first_row(needs, layout.table.height.into());
    layout
}

/// The first visible channel. The selected one is in the middle unless the table ends there.
fn first_row(needs: Needs, rows: usize) -> usize {
    needs.cursor.saturating_sub(rows / 2).min(needs.channels.saturating_sub(rows))
}

fn place_plot(layout: &mut ScopeLayout, area: Area, shows_cursors: bool) {
    layout.legend = Some(Area { height: 1, ..area });
    let plot = area.below(1);
    if !shows_cursors {
        layout.plot = Some(plot);
    } else if plot.width >= MIN_PANEL_WIDTH {
        let panel = (plot.width / 4).min(44);
        layout.plot = Some(Area { width: plot.width - panel, ..plot });
        layout.readings = Some(Area { x: plot.right() - panel, width: panel, ..plot });
    } else {
        layout.readings = Some(Area { height: 1, ..plot });
        layout.plot = Some(plot.below(1));
    }
}

/// Columns in the order in which narrow terminals drop them. The channel, its value and its history
/// always stay.
const DROP_ORDER: [&[Column]; 5] = [
    &[Column::Deviation],
    &[Column::Average],
    &[Column::Min, Column::Max],
    &[Column::Rate],
    &[Column::LastChange],
];
/// The minimum width of a name and a history together.
const MIN_FLEXIBLE_WIDTH: u16 = 30;
/// The minimum width for a column of words.
const MIN_WIDTH_FOR_NOTES: u16 = 160;
/// The minimum width for the smallest and the largest value with all digits.
const MIN_WIDTH_FOR_EXTREMES: u16 = 190;
const MAX_NAME_WIDTH: u16 = 40;

/// Returns the columns that fit.
fn columns(width: u16) -> Vec<ColumnPosition> {
    // The widest have room for all digits of 64 bits.
    let (value, extreme) = match width {
        ..MIN_PANEL_WIDTH => (12, 9),
        MIN_PANEL_WIDTH..MIN_WIDTH_FOR_NOTES => (14, 9),
        MIN_WIDTH_FOR_NOTES..MIN_WIDTH_FOR_EXTREMES => (20, 9),
        MIN_WIDTH_FOR_EXTREMES.. => (20, 20),
    };
    let mut columns = vec![
        (Column::Channel, 0),
        (Column::Value, value),
        (Column::Rate, 9),
        (Column::Min, extreme),
        (Column::Max, extreme),
        (Column::Average, 9),
        (Column::Deviation, 8),
        (Column::LastChange, 9),
        (Column::History, 0),
        (Column::Note, 16),
    ];
    if width < MIN_WIDTH_FOR_NOTES {
        columns.pop();
    }
    let flexible = |columns: &[(Column, u16)]| {
        let taken: u16 = columns.iter().map(|(_, width)| width + COLUMN_GAP).sum();
        // Keep a margin of one cell.
        (width + COLUMN_GAP).saturating_sub(MARGIN + taken + 1)
    };
    for dropped in DROP_ORDER {
        if flexible(&columns) < MIN_FLEXIBLE_WIDTH {
            columns.retain(|(column, _)| !dropped.contains(column));
        }
    }
    let room = flexible(&columns);
    let name = (room * 3 / 5).min(MAX_NAME_WIDTH);
    let mut x = MARGIN;
    let place = |(column, width)| {
        let width = match column {
            Column::Channel => name,
            Column::History => room - name,
            _ => width,
        };
        let placed = ColumnPosition { column, x, width };
        x += width + COLUMN_GAP;
        placed
    };
    columns.into_iter().map(place).collect()
}

/// The target of a click.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// A channel.
    Row(usize),
    /// The column and row in the plot, which may be on its axes.
    Plot(u16, u16),
    Footer,
}

impl ScopeLayout {
    pub fn hit(&self, x: u16, y: u16) -> Option<Hit> {
        if self.table.contains(x, y) {
            return Some(Hit::Row(self.top + usize::from(y - self.table.y)));
        }
        if let Some(plot) = self.plot.filter(|plot| plot.contains(x, y)) {
            return Some(Hit::Plot(x - plot.x, y - plot.y));
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
    use crate::app::layout::MIN_SIZE;

    fn of(width: u16, height: u16, channels: usize, shows_cursors: bool) -> ScopeLayout {
        layout(Size { width, height }, Needs { channels, cursor: channels / 2, shows_cursors })
    }

    fn areas(layout: &ScopeLayout) -> Vec<Area> {
        let some = [layout.rule, layout.more, layout.legend, layout.plot, layout.readings, layout.empty];
        let all = [layout.title, layout.heading, layout.table, layout.footer].into_iter();
        all.chain(some.into_iter().flatten()).filter(|area| area.width * area.height > 0).collect()
    }

    #[test]
    fn areas_and_columns_never_overlap() {
        for width in MIN_SIZE.width..=220 {
            for height in MIN_SIZE.height..=60 {
                for (channels, cursors) in [(0, false), (1, false), (1, true), (4, true), (64, false)] {
                    let layout = of(width, height, channels, cursors);
                    let mut covered = vec![0_u8; usize::from(width) * usize::from(height)];
                    for area in areas(&layout) {
                        assert!(area.right() <= width && area.bottom() <= height, "{area:?}");
                        for y in area.y..area.bottom() {
                            for x in area.x..area.right() {
                                covered[usize::from(y) * usize::from(width) + usize::from(x)] += 1;
                            }
                        }
                    }
                    assert!(
                        covered.iter().all(|&count| count == 1),
                        "{width}x{height}, {channels}: {layout:?}"
                    );
                    let columns = &layout.columns;
                    assert!(columns.windows(2).all(|pair| pair[0].x + pair[0].width < pair[1].x));
                    assert!(columns.last().is_none_or(|last| last.x + last.width < width));
                }
            }
        }
    }

    #[test]
    fn columns_are_dropped_in_order() {
        use Column::{Average, Channel, Deviation, History, LastChange, Max, Min, Note, Rate, Value};
        let all = [Channel, Value, Rate, Min, Max, Average, Deviation, LastChange, History, Note];
        let without = |gone: &[Column]| all.into_iter().filter(|column| !gone.contains(column)).collect();
        let expected: [(u16, Vec<Column>); 6] = [
            (200, all.to_vec()),
            (140, without(&[Note])),
            (118, without(&[Note, Deviation])),
            (100, without(&[Note, Deviation, Average])),
            (80, without(&[Note, Deviation, Average, Min, Max])),
            (40, vec![Channel, Value, History]),
        ];
        for (width, columns) in expected {
            let shown: Vec<Column> =
                of(width, 30, 1, false).columns.iter().map(|placed| placed.column).collect();
            assert_eq!(shown, columns, "{width}");
        }
    }

    #[test]
    fn selected_channel_is_visible_and_clicks_find_it() {
        for height in MIN_SIZE.height..60 {
            for cursor in 0..64 {
                let needs = Needs { channels: 64, cursor, shows_cursors: false };
                let layout = layout(Size { width: 80, height }, needs);
                let row = u16::try_from(cursor - layout.top).unwrap();
                assert!(row < layout.table.height, "{height} {cursor}");
                assert_eq!(layout.hit(3, layout.table.y + row), Some(Hit::Row(cursor)));
            }
        }
    }

    #[test]
    fn cursors_are_read_beside_or_above_the_plot() {
        let wide = of(140, 45, 2, true);
        let (plot, readings) = (wide.plot.unwrap(), wide.readings.unwrap());
        assert_eq!((plot.right(), plot.y, plot.height), (readings.x, readings.y, readings.height));
        let narrow = of(80, 24, 2, true);
        assert_eq!((narrow.readings.unwrap().height, narrow.readings.unwrap().width), (1, 80));
        assert_eq!(narrow.hit(10, narrow.plot.unwrap().y + 2), Some(Hit::Plot(10, 2)));
        assert_eq!(narrow.hit(10, 23), Some(Hit::Footer));
        assert_eq!(narrow.hit(10, 0), None);
    }
}
