//! A one-line prompt in the footer.

use crate::app::text_field::TextField;

#[derive(Debug, Clone)]
pub struct Prompt {
    pub kind: PromptKind,
    pub input: TextField,
    pub error: Option<String>,
    /// A line above the input.
    pub note: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    /// Filters the table with every keystroke.
    Filter,
    Text,
    Hex,
    Value,
    Offset,
    Type,
    /// A channel of the scope.
    Channel,
    /// The trigger of the scope.
    Trigger,
    /// The file of a recording.
    Record,
    /// The file of the samples on screen.
    SaveView,
}

impl PromptKind {
    /// The label, and an example to show while the input is empty.
    pub const fn label_and_example(self) -> (&'static str, &'static str) {
        match self {
            Self::Filter => ("/", "kind=sysv  size>10M  owner=ann  name~^/psm  word  !negated"),
            Self::Text => ("search text:", "hello, or \\x00 for a byte"),
            Self::Hex => ("search hex:", "de ad ?? ef"),
            Self::Value => ("search value:", "f64:3.5  u32:42  i16be:-1"),
            Self::Offset => ("go to:", "4096  0x1000  +16  -1K  end"),
            Self::Channel => ("channel:", "/telemetry:gain[1]  0x4d2+16:f64  power = v * i  (tab completes)"),
            Self::Record => ("record to:", "run.mcap, run.csv or run.npz"),
            Self::SaveView => ("save view to:", "run.mcap, run.csv or run.npz"),
            Self::Trigger => ("trigger:", "tick > 1000 rising; single; pre 20%; bell; save run.mcap"),
            Self::Type => ("show as:", "f64[3]  i32,f64@64  struct { int x; }  file.h:Name"),
        }
    }
}

impl Prompt {
    pub fn new(kind: PromptKind) -> Self {
        Self { kind, input: TextField::default(), error: None, note: None }
    }
}
