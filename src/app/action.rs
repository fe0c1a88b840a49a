//! The one table of actions. Key map, hints, help, palette, man page and the
//! check of the config are made from it; a new action is one row here, one arm
//! in `update`, and its tests.

use super::key::Key;

/// Where keys mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Screen {
    /// The table of segments.
    Segments,
    /// Inside one segment.
    Inspect,
}

impl Screen {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Segments, Self::Inspect];

    /// The heading in help.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Segments => "Segments",
            Self::Inspect => "Inspect",
        }
    }
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    First,
    Last,
    RowStart,
    RowEnd,
    Inspect,
    Mark,
    MarkAll,
    ClearMarks,
    Filter,
    ClearFilter,
    SortBy,
    SortOrder,
    CopyId,
    Holders,
    Detach,
    Refresh,
    Permissions,
    Lock,
    Unlock,
    Remove,
    Undo,
    Clean,
    New,
    Save,
    Log,
    Back,
    Freeze,
    Baseline,
    SearchText,
    SearchHex,
    SearchValue,
    SearchNext,
    SearchPrevious,
    GoTo,
    NextChange,
    PreviousChange,
    NextData,
    PreviousData,
    ByteOrder,
    Width,
    Type,
    CopyBytes,
    Keep,
    SetMark,
    GoToMark,
    Longer,
    Shorter,
    NextPane,
    Help,
    Palette,
    Mouse,
    Suspend,
    Quit,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The action.
    pub action: Action,
    /// Its name: in the palette and in the config.
    pub name: &'static str,
    /// One line of documentation.
    pub doc: &'static str,
    /// The screens it works in.
    pub screens: &'static [Screen],
    /// Its keys, unless the config says otherwise.
    pub keys: &'static [&'static str],
    /// Its word in the hints at the foot, and how much it is needed there: the
    /// smallest number falls out last.
    pub hint: Option<(&'static str, u8)>,
}

const SEGMENTS: &[Screen] = &[Screen::Segments];
const INSPECT: &[Screen] = &[Screen::Inspect];
const BOTH: &[Screen] = &Screen::ALL;

const fn row(
    action: Action,
    name: &'static str,
    doc: &'static str,
    screens: &'static [Screen],
    keys: &'static [&'static str],
    hint: Option<(&'static str, u8)>,
) -> Row {
    Row { action, name, doc, screens, keys, hint }
}

/// Every action, in the order of the help and of the hints.
pub const ACTIONS: &[Row] = &[
    row(Action::Up, "up", "move up", BOTH, &["up", "k"], None),
    row(Action::Down, "down", "move down", BOTH, &["down", "j"], None),
    row(Action::Left, "left", "previous byte", INSPECT, &["left", "h"], None),
    row(Action::Right, "right", "next byte", INSPECT, &["right", "l"], None),
    row(Action::PageUp, "page-up", "page up", BOTH, &["pgup", "ctrl-b"], None),
    row(Action::PageDown, "page-down", "page down", BOTH, &["pgdn", "ctrl-f"], None),
    row(Action::HalfUp, "half-up", "half a page up", BOTH, &["ctrl-u"], None),
    row(Action::HalfDown, "half-down", "half a page down", BOTH, &["ctrl-d"], None),
    row(Action::First, "first", "go to the start (gg works too)", BOTH, &["g", "home"], None),
    row(Action::Last, "last", "go to the end", BOTH, &["G", "end"], None),
    row(Action::RowStart, "row-start", "start of the row", INSPECT, &["0"], None),
    row(Action::RowEnd, "row-end", "end of the row", INSPECT, &["$"], None),
    row(
        Action::Inspect,
        "inspect",
        "inspect contents, read-only",
        SEGMENTS,
        &["enter"],
        Some(("inspect", 1)),
    ),
    row(Action::Mark, "mark", "mark or unmark", SEGMENTS, &["space"], Some(("mark", 6))),
    row(Action::MarkAll, "mark-all", "mark all shown", SEGMENTS, &["a"], None),
    row(Action::ClearMarks, "clear-marks", "clear all marks", SEGMENTS, &["A"], None),
    row(
        Action::Filter,
        "filter",
        "filter by name, kind=sysv, size>10M",
        SEGMENTS,
        &["/"],
        Some(("filter", 2)),
    ),
    row(Action::ClearFilter, "clear-filter", "clear filter", SEGMENTS, &["esc"], None),
    row(Action::SortBy, "sort", "choose sort column", SEGMENTS, &["s"], Some(("sort", 3))),
    row(Action::SortOrder, "sort-order", "reverse sort order", SEGMENTS, &["S"], Some(("reverse", 9))),
    row(
        Action::CopyId,
        "copy-id",
        "copy names of marked or selected",
        SEGMENTS,
        &["y"],
        Some(("copy name", 7)),
    ),
    row(
        Action::Holders,
        "holders",
        "list holders (K terminates one)",
        SEGMENTS,
        &["h"],
        Some(("holders", 5)),
    ),
    row(Action::Detach, "detach", "list or detach shmlens attachments", BOTH, &["D"], Some(("detach", 7))),
    row(Action::Refresh, "refresh", "refresh now", SEGMENTS, &["r", "ctrl-l"], Some(("refresh", 8))),
    row(
        Action::Permissions,
        "permissions",
        "change mode and owner",
        SEGMENTS,
        &["p"],
        Some(("permissions", 8)),
    ),
    row(Action::Lock, "lock", "lock marked or selected in memory", SEGMENTS, &["l"], Some(("lock", 10))),
    row(Action::Unlock, "unlock", "unlock marked or selected", SEGMENTS, &["L"], None),
    row(
        Action::Remove,
        "remove",
        "remove marked or selected",
        SEGMENTS,
        &["x", "delete"],
        Some(("remove", 6)),
    ),
    row(Action::Undo, "undo", "undo last action", SEGMENTS, &["u"], Some(("undo", 11))),
    row(Action::Clean, "clean", "clean up leaked segments", SEGMENTS, &["c"], Some(("clean", 4))),
    row(Action::New, "new", "create a segment", SEGMENTS, &["n"], Some(("new", 12))),
    row(Action::Save, "save", "save marked or selected to a file", SEGMENTS, &["w"], Some(("save", 13))),
    row(Action::Log, "log", "show session log", SEGMENTS, &[], None),
    row(Action::Freeze, "freeze", "freeze or resume", INSPECT, &["space"], Some(("freeze", 1))),
    row(Action::Baseline, "baseline", "set baseline for changes", INSPECT, &["b"], Some(("baseline", 9))),
    row(
        Action::NextChange,
        "next-change",
        "next changed byte since baseline",
        INSPECT,
        &["]"],
        Some(("next change", 3)),
    ),
    row(
        Action::PreviousChange,
        "previous-change",
        "previous changed byte since baseline",
        INSPECT,
        &["["],
        None,
    ),
    row(
        Action::NextData,
        "next-data",
        "next data past zeros and holes",
        INSPECT,
        &["}"],
        Some(("next data", 7)),
    ),
    row(Action::PreviousData, "previous-data", "previous data past zeros and holes", INSPECT, &["{"], None),
    row(Action::SearchText, "search-text", "search for text", INSPECT, &["/"], Some(("search", 2))),
    row(Action::SearchHex, "search-hex", "search for bytes (de ad ?? ef)", INSPECT, &["\\"], None),
    row(Action::SearchValue, "search-value", "search for a value (f64:3.5)", INSPECT, &["="], None),
    row(Action::SearchNext, "search-next", "next match", INSPECT, &["n"], None),
    row(Action::SearchPrevious, "search-previous", "previous match", INSPECT, &["N"], None),
    row(Action::GoTo, "go-to", "go to offset: 4096, 0x1000, +16, end", INSPECT, &["o"], Some(("go to", 4))),
    row(Action::Type, "type", "choose display type", INSPECT, &["t"], Some(("type", 5))),
    row(Action::ByteOrder, "byte-order", "toggle byte order", INSPECT, &["e"], Some(("byte order", 8))),
    row(Action::Width, "width", "change bytes per row", INSPECT, &["w"], Some(("width", 10))),
    row(Action::SetMark, "set-mark", "mark this offset with a letter", INSPECT, &["m"], Some(("mark", 11))),
    row(Action::GoToMark, "go-to-mark", "go to a marked offset", INSPECT, &["'"], None),
    row(Action::CopyBytes, "copy", "copy row, or range from last mark", INSPECT, &["y"], Some(("copy", 6))),
    row(Action::Keep, "keep", "toggle: stay attached on exit", INSPECT, &["P"], Some(("stay attached", 12))),
    row(Action::Back, "back", "back to segments (detaches)", INSPECT, &["esc", "q"], Some(("back", 0))),
    row(Action::Longer, "longer", "refresh less often, then pause", BOTH, &["+"], None),
    row(Action::Shorter, "shorter", "refresh more often", BOTH, &["-"], None),
    row(Action::NextPane, "next-pane", "next pane", BOTH, &["tab"], Some(("pane", 13))),
    row(Action::Mouse, "mouse", "toggle mouse capture", BOTH, &["M"], None),
    row(Action::Palette, "palette", "run an action by name", BOTH, &[":"], None),
    row(Action::Suspend, "suspend", "suspend (fg resumes)", BOTH, &["ctrl-z"], None),
    row(Action::Quit, "quit", "quit", SEGMENTS, &["q", "ctrl-c"], Some(("quit", 4))),
    row(Action::Help, "help", "show all keys", BOTH, &["?", "f1"], None),
];

impl Row {
    /// Whether it works in that screen.
    #[must_use]
    pub fn works_in(&self, screen: Screen) -> bool {
        self.screens.contains(&screen)
    }

    /// Its keys, unless the config says otherwise.
    pub fn default_keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.keys.iter().filter_map(|text| text.parse().ok())
    }
}

/// The row of an action.
#[must_use]
pub fn row_of(action: Action) -> Option<&'static Row> {
    ACTIONS.iter().find(|row| row.action == action)
}

/// The row of that name.
#[must_use]
pub fn row_named(name: &str) -> Option<&'static Row> {
    ACTIONS.iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_and_keys_are_sound() {
        let mut names = HashSet::new();
        for row in ACTIONS {
            assert!(names.insert(row.name), "{} stands twice", row.name);
            assert!(!row.doc.is_empty() && !row.screens.is_empty());
            // The palette shows it in one line of an 80-column terminal.
            assert!(row.doc.len() <= 37, "{} is too long", row.doc);
            for key in row.keys {
                assert!(key.parse::<Key>().is_ok(), "{key}");
            }
        }
        for screen in Screen::ALL {
            let mut keys = HashSet::new();
            for row in ACTIONS.iter().filter(|row| row.works_in(screen)) {
                for key in row.default_keys() {
                    assert!(keys.insert(key), "{key} means two things in {}", screen.title());
                }
            }
        }
    }
}
