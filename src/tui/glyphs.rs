//! The symbols of the UI, and their ASCII replacements.

use crate::machine::ExtentKind;
use crate::segment::State;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    /// Set for the `--ascii` symbols.
    pub ascii: bool,
    pub selected: &'static str,
    pub marked: &'static str,
    /// Attached by shmlens.
    pub attached: &'static str,
    pub rule: &'static str,
    pub rule_down: &'static str,
    /// The mark for omitted text.
    pub ellipsis: &'static str,
    pub unprintable: &'static str,
    /// The creator has exited (shown after the maker).
    pub exited: &'static str,
    /// The mark for a missing value.
    pub nothing: &'static str,
    /// Bar segments from one eighth to eight eighths.
    pub bar: [&'static str; 8],
    pub bar_ends: [&'static str; 2],
    /// Borders of an overlay: `╭ ─ ╮ │ ╰ ╯`.
    pub frame: [&'static str; 6],
    pub live: [&'static str; 2],
    /// Map cells: not scanned, hole, zeros, data, data in view.
    pub map: [&'static str; 5],
    /// Sparkline bars, from the lowest.
    pub spark: [&'static str; 8],
    /// Rows that are scrolled off.
    pub rows: &'static str,
    /// The branch of a child process.
    pub child: &'static str,
    /// The view's bracket next to the map: top, middle, bottom, single row.
    pub bracket: [&'static str; 4],
    /// A folded and an unfolded value.
    pub fold: [&'static str; 2],
    /// More rows above, below.
    pub more: [&'static str; 2],
    /// A channel that is plotted, and one that is not.
    pub plotted: [&'static str; 2],
    /// The lower and the higher of two states.
    pub steps: [&'static str; 2],
}

pub const UNICODE: Glyphs = Glyphs {
    ascii: false,
    selected: "▌",
    marked: "•",
    attached: "◉",
    rule: "─",
    rule_down: "│",
    ellipsis: "…",
    unprintable: "·",
    exited: "†",
    nothing: "·",
    bar: ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
    bar_ends: ["▐", "▏"],
    frame: ["╭", "─", "╮", "│", "╰", "╯"],
    live: ["●", "◼"],
    map: [" ", "·", "░", "▓", "█"],
    spark: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    rows: "⋮",
    child: "└",
    bracket: ["╭", "│", "╰", "╶"],
    fold: ["▸", "▾"],
    more: ["↑", "↓"],
    plotted: ["●", "○"],
    steps: ["▁", "▔"],
};

pub const ASCII: Glyphs = Glyphs {
    ascii: true,
    selected: ">",
    marked: "+",
    attached: "@",
    rule: "-",
    rule_down: "|",
    ellipsis: "~",
    unprintable: ".",
    exited: "+",
    nothing: ".",
    bar: [" ", " ", " ", "#", "#", "#", "#", "#"],
    bar_ends: ["[", "]"],
    frame: ["+", "-", "+", "|", "+", "+"],
    live: ["*", "="],
    map: [" ", ".", ":", "#", "@"],
    spark: ["_", "_", ".", ".", "-", "-", "=", "#"],
    rows: ":",
    child: "`",
    bracket: ["/", "|", "\\", "-"],
    fold: ["+", "-"],
    more: ["^", "v"],
    plotted: ["*", "o"],
    steps: ["_", "'"],
};

impl Glyphs {
    pub const fn state(&self, state: State) -> &'static str {
        match (state, self.ascii) {
            (State::InUse, false) => "●",
            (State::InUse, true) => "*",
            (State::Removed, false) => "◌",
            (State::Removed, true) => "-",
            (State::Unknown, _) => "?",
            (State::Protected, false) => "◆",
            (State::Protected, true) => "#",
            (State::Idle, false) => "○",
            (State::Idle, true) => "o",
            (State::Leaked(_), false) => "✗",
            (State::Leaked(_), true) => "x",
        }
    }

    /// The symbol of a map cell.
    pub const fn extent(&self, kind: ExtentKind) -> &'static str {
        match kind {
            ExtentKind::Hole => self.map[1],
            ExtentKind::Data => self.map[3],
        }
    }
}
