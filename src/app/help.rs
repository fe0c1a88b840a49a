//! The help text, generated from the table of actions.

use super::action::{ACTIONS, ActionInfo, Context};
use super::event::Size;
use super::keymap::Keymap;
use super::layout::overlay::text_width;
use crate::segment::wrap;
use unicode_width::UnicodeWidthStr as _;

/// A line of the help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HelpLine {
    Heading(&'static str),
    /// Keys, and a description at this column. A long description continues without keys.
    Keys(String, u16, String),
    Gap,
}

use HelpLine::{Gap, Heading, Keys};

/// The help text in one column, or in two side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelpText {
    pub columns: Vec<Vec<HelpLine>>,
    /// The width of a column.
    pub width: u16,
}

/// The minimum width for two columns.
const MIN_TWO_COLUMN_WIDTH: u16 = 100;
/// The gap between the columns, and their maximum width.
pub const GUTTER: u16 = 3;
const MAX_COLUMN_WIDTH: u16 = 56;
/// The column of descriptions in wide and narrow columns, unless the keys are wider.
const DESCRIPTION_COLUMN: u16 = 15;
const NARROW_DESCRIPTION_COLUMN: u16 = 10;

const SYMBOLS: [(&str, &str); 10] = [
    ("● in use", "mapped, attached or open"),
    ("◌ removed", "removed, kept alive by its holders"),
    ("? unknown", "may still be in use; not all processes are visible"),
    ("○ idle", "no holders; normal, or used too recently to tell"),
    ("◆ protected", "no holders, but must not be removed"),
    ("✗ leaked", "no holders, creator exited; leaked?: likely"),
    ("• ◉", "marked; attached by shmlens"),
    ("†", "creator has exited (shown after the maker)"),
    ("L", "locked in memory (shown after the mode)"),
    ("?6.5", "sample that may be torn (Scope)"),
];

/// A heading with its entries: keys or a symbol, and a description.
struct Section {
    title: &'static str,
    entries: Vec<(String, &'static str)>,
}

/// Returns the keys of an action in a context, such as `up  k`. Without keys, an action of a screen
/// runs from the palette: `:log`.
fn keys_text(keymap: &Keymap, context: Context, row: &ActionInfo) -> String {
    let keys: Vec<String> = keymap.keys_in(context, row.action).map(|key| key.to_string()).collect();
    match keys.is_empty() {
        false => keys.join("  "),
        true if context.is_overlay() => "not bound".to_owned(),
        true => format!(":{}", row.name),
    }
}

fn sections(keymap: &Keymap, screen: Context) -> Vec<Section> {
    let entry = |context: Context, row: &ActionInfo| (keys_text(keymap, context, row), row.doc);
    let section = |context: Context| Section {
        title: context.title(),
        entries: context.section().map(|row| entry(context, row)).collect(),
    };
    let global = ACTIONS.iter().filter(|row| row.is_global()).map(|row| entry(screen, row));
    let mouse = ("mouse".to_owned(), "click: select, double-click: inspect, heading: sort");
    let mut sections: Vec<Section> = Context::ALL.iter().copied().map(section).collect();
    sections.push(Section { title: "Everywhere", entries: global.chain([mouse]).collect() });
    let symbols = SYMBOLS.iter().map(|(symbol, doc)| ((*symbol).to_owned(), *doc)).collect();
    sections.push(Section { title: "Symbols", entries: symbols });
    sections
}

impl HelpText {
    pub fn new(keymap: &Keymap, screen: Context, size: Size) -> Self {
        let (count, width) = if size.width >= MIN_TWO_COLUMN_WIDTH {
            (2, ((size.width - 4 - GUTTER) / 2).min(MAX_COLUMN_WIDTH))
        } else {
            (1, text_width(size))
        };
        let mut columns: Vec<Vec<HelpLine>> = vec![vec![]; count];
        for section in sections(keymap, screen) {
            // The next section goes to the shorter column, so the screens stand side by side.
            let Some(column) = columns.iter_mut().min_by_key(|column| column.len()) else { continue };
            if !column.is_empty() {
                column.push(Gap);
            }
            column.push(Heading(section.title));
            column.extend(section.entries.iter().flat_map(|(keys, doc)| entry_lines(keys, doc, width)));
        }
        Self { columns, width }
    }

    pub fn rows(&self) -> usize {
        self.columns.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Returns the row of the screen's heading.
    pub fn row_of(&self, screen: Context) -> usize {
        let heading =
            |column: &Vec<HelpLine>| column.iter().position(|line| *line == Heading(screen.title()));
        self.columns.iter().find_map(heading).unwrap_or(0)
    }
}

/// Wraps a description next to its keys, or below keys that leave no room.
fn entry_lines(keys: &str, doc: &str, width: u16) -> Vec<HelpLine> {
    let width_of = |text: &str| u16::try_from(text.width()).unwrap_or(u16::MAX);
    let min_column = if width < MAX_COLUMN_WIDTH { NARROW_DESCRIPTION_COLUMN } else { DESCRIPTION_COLUMN };
    let next_to_keys = min_column.max(width_of(keys) + 3);
    let below = next_to_keys > DESCRIPTION_COLUMN && next_to_keys + width_of(doc) > width;
    let column = if below { min_column } else { next_to_keys };
    let mut lines = wrap(doc, usize::from(width.saturating_sub(column).max(1))).into_iter();
    let first = if below { None } else { lines.next() };
    let first = Keys(keys.to_owned(), column, first.unwrap_or_default());
    std::iter::once(first).chain(lines.map(|text| Keys(String::new(), column, text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(screen: Context, width: u16) -> HelpText {
        HelpText::new(&Keymap::default(), screen, Size { width, height: 24 })
    }

    #[test]
    fn help_lists_every_action_with_its_keys() {
        let keymap = Keymap::default();
        for width in [40, 80, 100, 140] {
            let help = help(Context::Inspect, width);
            for row in ACTIONS {
                for &context in row.contexts {
                    let keys = keys_text(&keymap, context, row);
                    let start = |line: &HelpLine| matches!(line, Keys(shown, _, doc) if *shown == keys && row.doc.starts_with(doc.as_str()));
                    assert!(help.columns.iter().flatten().any(start), "{} in {context:?}", row.name);
                }
            }
        }
    }

    #[test]
    fn help_has_two_columns_at_100_cells() {
        for (width, columns) in [(80, 1), (99, 1), (100, 2), (200, 2)] {
            let help = help(Context::Segments, width);
            assert_eq!(help.columns.len(), columns, "{width}");
            for line in help.columns.iter().flatten() {
                if let Keys(keys, column, doc) = line {
                    let end =
                        if doc.is_empty() { keys.width() + 1 } else { usize::from(*column) + doc.width() };
                    assert!(end <= help.width.into(), "{width}: {line:?}");
                }
            }
        }
    }

    #[test]
    fn help_for_a_screen_starts_at_its_heading() {
        let narrow = help(Context::Inspect, 80);
        assert_eq!(narrow.columns[0][narrow.row_of(Context::Inspect)], Heading("Inspect"));
        assert!(narrow.row_of(Context::Inspect) > 20);
        let wide = help(Context::Inspect, 140);
        assert_eq!((wide.row_of(Context::Segments), wide.row_of(Context::Inspect)), (0, 0));
    }
}
