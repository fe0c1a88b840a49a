//! The table of actions, which generates the key map, hints, help, palette, man page, config checks
//! and the key names in messages. A new action needs a row here, an arm in `update`, and tests.

use super::key::Key;

/// Defines the contexts from rows of heading in help and base context.
macro_rules! contexts {
    ($($(#[$doc:meta])* $context:ident: $title:literal $(, $base:ident)?;)*) => {
        /// A screen or an overlay, with its own key bindings.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Context {
            $($(#[$doc])* $context,)*
        }

        impl Context {
            /// All contexts, in the order of help and man page.
            pub const ALL: &[Self] = &[$(Self::$context,)*];

            /// The heading in help.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$context => $title,)*
                }
            }

            /// The context whose keys also work in this one.
            pub fn base(self) -> Option<Self> {
                match self {
                    $(Self::$context => [$(Self::$base,)?].first().copied(),)*
                }
            }
        }
    };
}

contexts! {
    Segments: "Segments";
    Inspect: "Inspect";
    /// Values over time.
    Scope: "Scope";
    /// All facts about the selected segment.
    Detail: "Detail";
    /// Every overlay with a list or a plan.
    List: "Lists and dialogs";
    /// Scrolling text.
    Pager: "Help and log", List;
    Choice: "Menus", List;
    Holders: "Holders", List;
    Writers: "Writers", List;
    Attachments: "Attachments", List;
    Clean: "Clean up", List;
    Confirm: "Confirm", List;
    Form: "Forms", Text;
    Palette: "Palette", Text;
    Prompt: "Prompts", Text;
    /// A prompt that filters the table.
    Filter: "Filter", Prompt;
    /// A prompt for a channel of the scope.
    Channel: "Channels", Prompt;
    /// Bindings of every text field.
    Text: "Text fields";
}

impl Context {
    pub const fn is_overlay(self) -> bool {
        !matches!(self, Self::Segments | Self::Detail | Self::Inspect | Self::Scope)
    }

    /// Returns true if character keys go to a text field.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Palette | Self::Prompt | Self::Filter | Self::Channel | Self::Text)
    }

    /// The actions listed under this heading in the help and the man page.
    pub fn section(self) -> impl Iterator<Item = &'static ActionInfo> {
        ACTIONS.iter().filter(move |row| row.contexts.contains(&self) && !row.is_global())
    }
}

#[derive(Debug, Clone, Copy)]
pub struct ActionInfo {
    pub action: Action,
    /// The name in palette and config.
    pub name: &'static str,
    pub doc: &'static str,
    pub contexts: &'static [Context],
    pub keys: &'static [&'static str],
    /// The label in the hints, with its priority. When space runs out, the largest number is
    /// dropped first.
    pub hint: Option<&'static (&'static str, u8)>,
}

use Context::{
    Attachments, Channel, Choice, Clean, Confirm, Detail, Filter, Form, Holders, Inspect, List, Pager,
    Palette, Prompt, Scope, Segments, Text, Writers,
};

const SEGMENTS: [Context; 1] = [Segments];
const INSPECT: [Context; 1] = [Inspect];
const TABLE: [Context; 2] = [Segments, Detail];
const SCOPE: [Context; 1] = [Scope];
const SCREENS: [Context; 4] = [Segments, Detail, Inspect, Scope];
const MOVES: [Context; 5] = [Segments, Detail, Inspect, Scope, List];
/// The base contexts, which together cover all contexts.
const GLOBAL: [Context; 6] = [Segments, Detail, Inspect, Scope, List, Text];

/// Defines the actions from rows: name, a line of documentation, contexts, default keys, and an
/// optional hint with its priority.
macro_rules! actions {
    ($($action:ident: $name:literal, $doc:literal, $contexts:expr, $keys:expr $(, $hint:expr)?;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action {
            $(#[doc = $doc] $action,)*
        }

        /// All actions, the most useful first: the order of help, hints and palette.
        pub const ACTIONS: &[ActionInfo] = &[$(ActionInfo {
            action: Action::$action,
            name: $name,
            doc: $doc,
            contexts: &$contexts,
            keys: &$keys,
            hint: [$($hint,)?].as_slice().first(),
        },)*];
    };
}

// The most useful actions of a screen come first, moves and text editing last.
actions! {
    Inspect: "inspect", "inspect contents, read-only", TABLE, ["enter"], ("inspect", 1);
    Filter: "filter", "filter by name, kind=sysv, size>10M", SEGMENTS, ["/"], ("filter", 2);
    SortBy: "sort", "choose sort column", SEGMENTS, ["s"], ("sort", 3);
    Mark: "mark", "mark or unmark", [Segments, Clean], ["space"], ("mark", 6);
    Remove: "remove", "remove marked or selected", [Segments, Detail, Clean], ["x", "delete"], ("remove", 5);
    Clean: "clean", "clean up leaked segments", [Segments, Clean], ["c"], ("clean", 4);
    Permissions: "permissions", "change mode and owner", TABLE, ["p"], ("permissions", 7);
    Holders: "holders", "show or hide holders", [Segments, Detail, Holders], ["h"], ("holders", 5);
    New: "new", "create a segment", SEGMENTS, ["n"], ("new", 8);
    Undo: "undo", "undo last action", TABLE, ["u"], ("undo", 9);
    Save: "save", "save marked or selected to a file", TABLE, ["w"], ("save", 13);
    CopyId: "copy-id", "copy names of marked or selected", TABLE, ["y"], ("copy name", 10);
    Lock: "lock", "lock marked or selected in memory", TABLE, ["l"], ("lock", 13);
    Unlock: "unlock", "unlock marked or selected", TABLE, ["L"];
    MarkAll: "mark-all", "mark all shown", [Segments, Clean], ["a"];
    ClearMarks: "clear-marks", "clear all marks", [Segments, Clean], ["A"];
    ClearFilter: "clear-filter", "clear filter", SEGMENTS, ["esc"];
    SortOrder: "sort-order", "reverse sort order", SEGMENTS, ["S"], ("reverse", 12);
    Refresh: "refresh", "refresh now", TABLE, ["r", "ctrl-l"], ("refresh", 11);
    Freeze: "freeze", "freeze or resume", [Inspect, Scope], ["space"], ("freeze", 1);
    AddChannel: "add-channel", "add a channel or an array", SCOPE, ["a"], ("add", 2);
    DropChannel: "drop-channel", "drop the channel or the array", SCOPE, ["d"], ("drop", 5);
    Plot: "plot", "plot or hide the channel", SCOPE, ["enter"], ("plot", 3);
    Trigger: "trigger", "set or clear the trigger", SCOPE, ["T"], ("trigger", 4);
    NextTrigger: "next-trigger", "next time that the trigger fired", SCOPE, ["n"];
    PreviousTrigger: "previous-trigger", "previous time that it fired", SCOPE, ["N"];
    Rearm: "rearm", "arm a single trigger again", SCOPE, ["t"];
    Cursors: "cursors", "show or hide cursors", SCOPE, ["c"], ("cursors", 6);
    NextCursor: "next-cursor", "move the other cursor", SCOPE, ["tab"];
    ZoomIn: "zoom-in", "shorter time or fewer elements", SCOPE, ["z"], ("zoom", 7);
    ZoomOut: "zoom-out", "longer time or more elements", SCOPE, ["Z"];
    PlotKind: "plot-kind", "over time or indices, XY, histogram", SCOPE, ["p"], ("kind", 9);
    Axes: "axes", "shared axis, or one for each", SCOPE, ["x"], ("axes", 10);
    MoreSamples: "more-samples", "more samples per second", SCOPE, ["+"];
    FewerSamples: "fewer-samples", "fewer samples per second", SCOPE, ["-"];
    EveryWrite: "every-write", "sample at every write, or by time", SCOPE, ["w"];
    Record: "record", "record to a file, or stop", SCOPE, ["R"], ("record", 8);
    CopyChannel: "copy-channel", "copy the value, or visible elements", SCOPE, ["y"], ("copy", 8);
    ResetStatistics: "reset-statistics", "restart minimum, average and so on", SCOPE, ["r"];
    NextChange: "next-change", "next changed value since baseline", INSPECT, ["]"], ("next change", 3);
    SearchText: "search-text", "search for text", INSPECT, ["/"], ("search", 2);
    Type: "type", "choose display type", INSPECT, ["t"], ("type", 4);
    Pin: "pin", "pin or unpin a value, plot an array", INSPECT, ["a"], ("pin", 4);
    PlotArray: "plot-array", "plot the array around the value", INSPECT, ["A"];
    Writers: "writers", "show or hide the writers of a value", [Inspect, Scope, Writers], ["W"], ("writers", 13);
    GoToValue: "go-to-value", "unfold or go to the selected value", INSPECT, ["enter"];
    GoTo: "go-to", "go to an offset or field: +16, a[3].x", INSPECT, ["o"], ("go to", 5);
    CopyBytes: "copy", "copy row, range from mark, or field", INSPECT, ["y"], ("copy", 6);
    Baseline: "baseline", "set baseline for changes", INSPECT, ["b"], ("baseline", 7);
    SearchNext: "search-next", "next match", INSPECT, ["n"];
    SearchPrevious: "search-previous", "previous match", INSPECT, ["N"];
    PreviousChange: "previous-change", "previous changed value since baseline", INSPECT, ["["];
    NextData: "next-data", "next data past zeros and holes", INSPECT, ["}"], ("next data", 8);
    PreviousData: "previous-data", "previous data past zeros and holes", INSPECT, ["{"];
    SearchHex: "search-hex", "search for bytes (de ad ?? ef)", INSPECT, ["\\"];
    SearchValue: "search-value", "search for a value (f64:3.5)", INSPECT, ["="];
    ByteOrder: "byte-order", "toggle byte order", INSPECT, ["e"], ("byte order", 9);
    Fold: "fold", "fold or show runs of zeros and holes", INSPECT, ["z"], ("fold", 10);
    Width: "width", "change bytes per row", INSPECT, ["w"], ("width", 10);
    Scope: "scope", "show values over time", [Segments, Detail, Inspect], ["v"], ("scope", 6);
    Keep: "keep", "toggle: stay attached on exit", INSPECT, ["P"], ("stay attached", 12);
    SetMark: "set-mark", "mark this offset with a letter", INSPECT, ["m"], ("mark", 11);
    GoToMark: "go-to-mark", "go to a marked offset", INSPECT, ["'"];
    Back: "back", "back (Inspect detaches)", [Detail, Inspect, Scope], ["esc"], ("back", 0);
    Leave: "leave", "back, or quit `shmlens scope`", [Detail, Inspect, Scope], ["q"];
    Detach: "detach", "list or detach shmlens attachments", SCREENS, ["D"], ("detach", 10);
    Help: "help", "show or hide all keys", [Segments, Detail, Inspect, Scope, Pager], ["?", "f1"];
    Quit: "quit", "quit (asks if segments stay attached)", SEGMENTS, ["q"], ("quit", 4);
    Log: "log", "show session log", SCREENS, [];
    Detail: "detail", "show or hide all facts", TABLE, ["tab"], ("detail", 5);
    NextPane: "next-pane", "next pane", INSPECT, ["tab"], ("pane", 14);
    Shorter: "shorter", "refresh more often", [Segments, Detail, Inspect], ["-"];
    Longer: "longer", "refresh less often, then pause", [Segments, Detail, Inspect], ["+"];
    Palette: "palette", "run an action by name", SCREENS, [":"];
    Mouse: "mouse", "toggle mouse capture", SCREENS, ["M"];
    Up: "up", "move up", [Segments, Detail, Inspect, Scope, List, Form, Palette, Filter], ["up", "k"];
    Down: "down", "move down", [Segments, Detail, Inspect, Scope, List, Form, Palette, Filter], ["down", "j"];
    Left: "left", "move left", [Inspect, Scope, Form, Text], ["left", "h"];
    Right: "right", "move right", [Inspect, Scope, Form, Text], ["right", "l"];
    PageUp: "page-up", "page up", [Segments, Detail, Inspect, Scope, List, Palette], ["pgup", "ctrl-b"];
    PageDown: "page-down", "page down", [Segments, Detail, Inspect, Scope, List, Palette], ["pgdn", "ctrl-f"];
    HalfUp: "half-up", "half a page up", MOVES, ["ctrl-u"];
    HalfDown: "half-down", "half a page down", MOVES, ["ctrl-d"];
    First: "first", "go to the start", MOVES, ["g", "home"];
    Last: "last", "go to the end", MOVES, ["G", "end"];
    RowStart: "row-start", "start of the row", INSPECT, ["0"];
    RowEnd: "row-end", "end of the row", INSPECT, ["$"];
    Confirm: "confirm", "do what is shown", [Confirm, Attachments], ["y"];
    Decline: "decline", "answer no", [Confirm, Clean, Attachments], ["n"];
    Force: "force", "toggle force for the segment", [Confirm], ["f"];
    SaveCopy: "save-copy", "toggle saving a copy first", [Confirm], ["c"];
    Complete: "complete", "complete the channel", [Channel], ["tab"];
    Accept: "accept", "choose, run or continue", [Choice, Clean, Form, Palette, Prompt], ["enter"];
    Close: "close", "close or cancel", [List, Form, Palette, Prompt], ["esc", "q"];
    Terminate: "terminate", "terminate the holder", [Holders], ["K"];
    DetachAll: "detach-all", "detach from all", [Attachments], ["a"];
    Toggle: "toggle", "toggle an option or a bit", [Form], ["space"];
    NextField: "next-field", "next field", [Form], ["tab"];
    PreviousField: "previous-field", "previous field", [Form], ["shift-tab"];
    Scroll: "scroll", "page down", [Pager, Holders, Writers], ["space"];
    LineStart: "line-start", "start of the line", [Text], ["home", "ctrl-a"];
    LineEnd: "line-end", "end of the line", [Text], ["end", "ctrl-e"];
    WordLeft: "word-left", "previous word", [Text], ["ctrl-left", "alt-left", "alt-b"];
    WordRight: "word-right", "next word", [Text], ["ctrl-right", "alt-right", "alt-f"];
    Erase: "erase", "erase the previous character", [Text], ["backspace", "ctrl-h"];
    EraseNext: "erase-next", "erase the next character", [Text], ["delete", "ctrl-d"];
    EraseWord: "erase-word", "erase the previous word", [Text], ["ctrl-w", "ctrl-backspace", "alt-backspace"];
    EraseLine: "erase-line", "erase the line", [Text], ["ctrl-u"];
    EraseToEnd: "erase-to-end", "erase to the end", [Text], ["ctrl-k"];
    Suspend: "suspend", "suspend (fg resumes)", GLOBAL, ["ctrl-z"];
    Interrupt: "interrupt", "close overlay, otherwise quit", GLOBAL, ["ctrl-c"];
}

impl ActionInfo {
    pub fn works_in(&self, context: Context) -> bool {
        self.contexts.contains(&context) || context.base().is_some_and(|base| self.works_in(base))
    }

    pub const fn is_global(&self) -> bool {
        matches!(self.contexts, [Segments, Detail, Inspect, Scope, List, Text])
    }

    pub fn default_keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.keys.iter().filter_map(|text| text.parse().ok())
    }
}

pub fn row_of(action: Action) -> Option<&'static ActionInfo> {
    ACTIONS.iter().find(|row| row.action == action)
}

pub fn row_named(name: &str) -> Option<&'static ActionInfo> {
    ACTIONS.iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn action_names_are_unique_and_keys_valid() {
        let mut names = HashSet::new();
        for row in ACTIONS {
            assert!(names.insert(row.name), "{} stands twice", row.name);
            assert!(!row.doc.is_empty() && !row.contexts.is_empty());
            // The palette has 37 columns for the description in an 80-column terminal.
            assert!(row.doc.len() <= 37, "{} is too long", row.doc);
            for key in row.keys {
                assert!(key.parse::<Key>().is_ok(), "{key}");
            }
        }
        // `Keymap` rejects duplicate keys.
    }
}
