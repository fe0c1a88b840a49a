//! The signs that are drawn, and what stands for them where there is only ASCII.

use crate::machine::ExtentKind;
use crate::segment::State;

/// A set of signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    /// Whether this is the plain set: then nothing outside ASCII may be drawn.
    pub ascii: bool,
    /// The margin of the selected row.
    pub selected: &'static str,
    /// The margin of a marked row.
    pub marked: &'static str,
    /// Attached by us.
    pub attached: &'static str,
    /// A rule across.
    pub rule: &'static str,
    /// A rule down.
    pub rule_down: &'static str,
    /// What was left out.
    pub ellipsis: &'static str,
    /// A byte that does not print.
    pub unprintable: &'static str,
    /// After a maker: the process that created the segment has exited.
    pub exited: &'static str,
    /// Nothing to say.
    pub nothing: &'static str,
    /// Bars, from an eighth to whole.
    pub bar: [&'static str; 8],
    /// The ends of a bar.
    pub bar_ends: [&'static str; 2],
    /// The corners and sides of an overlay: `╭ ─ ╮ │ ╰ ╯`.
    pub frame: [&'static str; 6],
    /// Live, and frozen.
    pub live: [&'static str; 2],
    /// The map: not looked at, hole, zeros, data.
    pub map: [&'static str; 4],
    /// The bracket of the view on the map: top, middle, bottom, one row alone.
    pub bracket: [&'static str; 4],
    /// Where a list goes on: above, below.
    pub more: [&'static str; 2],
}

/// The signs for a terminal that shows Unicode.
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
    map: [" ", "·", "░", "▐"],
    bracket: ["╭", "│", "╰", "╶"],
    more: ["↑", "↓"],
};

/// The signs for everything else.
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
    map: [" ", ".", ":", "#"],
    bracket: ["/", "|", "\\", "-"],
    more: ["^", "v"],
};

impl Glyphs {
    /// The sign of a state.
    #[must_use]
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

    /// The sign of a run on the map.
    #[must_use]
    pub const fn extent(&self, kind: ExtentKind) -> &'static str {
        match kind {
            ExtentKind::Hole => self.map[1],
            ExtentKind::Data => self.map[3],
        }
    }
}
