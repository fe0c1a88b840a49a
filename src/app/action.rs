//! The one table of actions. Key map, hints, help, palette, man page, the check
//! of the config and the key names in messages come from it. A new action is a
//! row here, an arm in `update`, and its tests.

use super::key::Key;

/// Where keys mean something: a screen, or an overlay that stands over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// The table of segments.
    Segments,
    /// Inside one segment.
    Inspect,
    /// Every overlay with a list or a plan.
    List,
    /// Help and log: text that scrolls.
    Pager,
    /// A menu at the side.
    Choice,
    /// The holders of a segment.
    Holders,
    /// Attachments of shmlens.
    Attachments,
    /// The leaked segments.
    Clean,
    /// A plan that waits for a yes.
    Confirm,
    /// A form with fields.
    Form,
    /// The palette.
    Palette,
    /// The line at the foot.
    Prompt,
    /// The line at the foot, while it filters the table.
    Filter,
    /// Every line that text is typed into.
    Text,
}

impl Context {
    /// All, in the order of help and man page.
    pub const ALL: [Self; 14] = [
        Self::Segments,
        Self::Inspect,
        Self::List,
        Self::Pager,
        Self::Choice,
        Self::Holders,
        Self::Attachments,
        Self::Clean,
        Self::Confirm,
        Self::Form,
        Self::Palette,
        Self::Prompt,
        Self::Filter,
        Self::Text,
    ];

    /// The heading in help.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Segments => "Segments",
            Self::Inspect => "Inspect",
            Self::List => "Lists and dialogs",
            Self::Pager => "Help and log",
            Self::Choice => "Menus",
            Self::Holders => "Holders",
            Self::Attachments => "Attachments",
            Self::Clean => "Clean up",
            Self::Confirm => "Confirmation",
            Self::Form => "Forms",
            Self::Palette => "Palette",
            Self::Prompt => "Prompts",
            Self::Filter => "Filter",
            Self::Text => "Text fields",
        }
    }

    /// The context whose keys work in this one too.
    #[must_use]
    pub const fn base(self) -> Option<Self> {
        match self {
            Self::Segments | Self::Inspect | Self::List | Self::Text => None,
            Self::Pager | Self::Choice | Self::Holders | Self::Attachments | Self::Clean | Self::Confirm => {
                Some(Self::List)
            }
            Self::Form | Self::Palette | Self::Prompt => Some(Self::Text),
            Self::Filter => Some(Self::Prompt),
        }
    }

    /// Returns whether it stands over a screen.
    #[must_use]
    pub const fn is_overlay(self) -> bool {
        !matches!(self, Self::Segments | Self::Inspect)
    }

    /// Returns whether every key that types a character goes to a text field.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Palette | Self::Prompt | Self::Filter | Self::Text)
    }

    /// The rows of its section in help and man page.
    pub fn section(self) -> impl Iterator<Item = &'static ActionInfo> {
        ACTIONS.iter().filter(move |row| row.contexts.contains(&self) && !row.is_global())
    }
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each has its line of documentation in the table")]
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
    Accept,
    Close,
    Scroll,
    Confirm,
    Decline,
    Force,
    SaveCopy,
    DetachAll,
    Terminate,
    NextField,
    PreviousField,
    Toggle,
    LineStart,
    LineEnd,
    WordLeft,
    WordRight,
    Erase,
    EraseNext,
    EraseWord,
    EraseLine,
    EraseToEnd,
    Interrupt,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct ActionInfo {
    /// The action.
    pub action: Action,
    /// Its name: in the palette and in the config.
    pub name: &'static str,
    /// One line of documentation.
    pub doc: &'static str,
    /// The contexts it works in.
    pub contexts: &'static [Context],
    /// Its keys, unless the config says otherwise.
    pub keys: &'static [&'static str],
    /// Its word in the hints at the foot, and how much it is needed there: the
    /// smallest number falls out last.
    pub hint: Option<(&'static str, u8)>,
}

use Context::{
    Attachments, Choice, Clean, Confirm, Filter, Form, Holders, Inspect, List, Pager, Palette, Prompt,
    Segments, Text,
};

const SEGMENTS: &[Context] = &[Segments];
const INSPECT: &[Context] = &[Inspect];
const BOTH: &[Context] = &[Segments, Inspect];
const MOVES: &[Context] = &[Segments, Inspect, List];
/// With the contexts that have these as their base: all.
const GLOBAL: &[Context] = &[Segments, Inspect, List, Text];

const fn row(
    action: Action,
    name: &'static str,
    doc: &'static str,
    contexts: &'static [Context],
    keys: &'static [&'static str],
    hint: Option<(&'static str, u8)>,
) -> ActionInfo {
    ActionInfo { action, name, doc, contexts, keys, hint }
}

/// Every action, in the order of the help and of the hints.
pub const ACTIONS: &[ActionInfo] = &[
    row(Action::Up, "up", "move up", &[Segments, Inspect, List, Form, Palette, Filter], &["up", "k"], None),
    row(
        Action::Down,
        "down",
        "move down",
        &[Segments, Inspect, List, Form, Palette, Filter],
        &["down", "j"],
        None,
    ),
    row(Action::Left, "left", "move left", &[Inspect, Form, Text], &["left", "h"], None),
    row(Action::Right, "right", "move right", &[Inspect, Form, Text], &["right", "l"], None),
    row(Action::PageUp, "page-up", "page up", &[Segments, Inspect, List, Palette], &["pgup", "ctrl-b"], None),
    row(
        Action::PageDown,
        "page-down",
        "page down",
        &[Segments, Inspect, List, Palette],
        &["pgdn", "ctrl-f"],
        None,
    ),
    row(Action::HalfUp, "half-up", "half a page up", MOVES, &["ctrl-u"], None),
    row(Action::HalfDown, "half-down", "half a page down", MOVES, &["ctrl-d"], None),
    row(Action::First, "first", "go to the start", MOVES, &["g", "home"], None),
    row(Action::Last, "last", "go to the end", MOVES, &["G", "end"], None),
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
    row(Action::Mark, "mark", "mark or unmark", &[Segments, Clean], &["space"], Some(("mark", 6))),
    row(Action::MarkAll, "mark-all", "mark all shown", &[Segments, Clean], &["a"], None),
    row(Action::ClearMarks, "clear-marks", "clear all marks", &[Segments, Clean], &["A"], None),
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
    row(Action::Holders, "holders", "list holders", &[Segments, Holders], &["h"], Some(("holders", 5))),
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
        &[Segments, Clean],
        &["x", "delete"],
        Some(("remove", 6)),
    ),
    row(Action::Undo, "undo", "undo last action", SEGMENTS, &["u"], Some(("undo", 11))),
    row(Action::Clean, "clean", "clean up leaked segments", &[Segments, Clean], &["c"], Some(("clean", 4))),
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
    row(Action::Suspend, "suspend", "suspend (fg resumes)", GLOBAL, &["ctrl-z"], None),
    row(Action::Quit, "quit", "quit", SEGMENTS, &["q"], Some(("quit", 4))),
    row(Action::Help, "help", "show all keys", &[Segments, Inspect, Pager], &["?", "f1"], None),
    row(
        Action::Accept,
        "accept",
        "choose, run or continue",
        &[Choice, Clean, Form, Palette, Prompt],
        &["enter"],
        None,
    ),
    row(Action::Close, "close", "close or cancel", &[List, Form, Palette, Prompt], &["esc", "q"], None),
    row(Action::Scroll, "scroll", "page down", &[Pager, Holders], &["space"], None),
    row(Action::Confirm, "confirm", "do what is shown", &[Attachments, Confirm], &["y"], None),
    row(Action::Decline, "decline", "answer no", &[Attachments, Clean, Confirm], &["n"], None),
    row(Action::Force, "force", "toggle force for this segment", &[Confirm], &["f"], None),
    row(Action::SaveCopy, "save-copy", "toggle saving a copy first", &[Confirm], &["c"], None),
    row(Action::DetachAll, "detach-all", "detach from all", &[Attachments], &["a"], None),
    row(Action::Terminate, "terminate", "terminate the selected holder", &[Holders], &["K"], None),
    row(Action::NextField, "next-field", "next field", &[Form], &["tab"], None),
    row(Action::PreviousField, "previous-field", "previous field", &[Form], &["shift-tab"], None),
    row(Action::Toggle, "toggle", "toggle an option or a bit", &[Form], &["space"], None),
    row(Action::LineStart, "line-start", "start of the line", &[Text], &["home", "ctrl-a"], None),
    row(Action::LineEnd, "line-end", "end of the line", &[Text], &["end", "ctrl-e"], None),
    row(Action::WordLeft, "word-left", "previous word", &[Text], &["ctrl-left", "alt-left", "alt-b"], None),
    row(Action::WordRight, "word-right", "next word", &[Text], &["ctrl-right", "alt-right", "alt-f"], None),
    row(Action::Erase, "erase", "erase the previous character", &[Text], &["backspace", "ctrl-h"], None),
    row(Action::EraseNext, "erase-next", "erase the next character", &[Text], &["delete", "ctrl-d"], None),
    row(
        Action::EraseWord,
        "erase-word",
        "erase the previous word",
        &[Text],
        &["ctrl-w", "ctrl-backspace", "alt-backspace"],
        None,
    ),
    row(Action::EraseLine, "erase-line", "erase the line", &[Text], &["ctrl-u"], None),
    row(Action::EraseToEnd, "erase-to-end", "erase to the end", &[Text], &["ctrl-k"], None),
    row(Action::Interrupt, "interrupt", "close overlay, otherwise quit", GLOBAL, &["ctrl-c"], None),
];

impl ActionInfo {
    /// Returns whether it works in that context.
    #[must_use]
    pub fn works_in(&self, context: Context) -> bool {
        self.contexts.contains(&context) || context.base().is_some_and(|base| self.works_in(base))
    }

    /// Returns whether it works everywhere.
    #[must_use]
    pub const fn is_global(&self) -> bool {
        matches!(self.contexts, [Segments, Inspect, List, Text])
    }

    /// Its keys, unless the config says otherwise.
    pub fn default_keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.keys.iter().filter_map(|text| text.parse().ok())
    }
}

/// Returns the row of an action.
#[must_use]
pub fn row_of(action: Action) -> Option<&'static ActionInfo> {
    ACTIONS.iter().find(|row| row.action == action)
}

/// Returns the row of that name.
#[must_use]
pub fn row_named(name: &str) -> Option<&'static ActionInfo> {
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
            assert!(!row.doc.is_empty() && !row.contexts.is_empty());
            // The palette shows it in one line of an 80-column terminal.
            assert!(row.doc.len() <= 37, "{} is too long", row.doc);
            for key in row.keys {
                assert!(key.parse::<Key>().is_ok(), "{key}");
            }
        }
        // Keys that mean two things in one context are an error in `Keymap`.
    }
}
