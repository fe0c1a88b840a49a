//! Errors in expressions.

use crate::segment::quote;

/// The reason that channels cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    #[error("two channels are named '{}'. Give one of them another name, as in NAME=SEGMENT:FIELD", quote(.name.as_bytes()))]
    DuplicateName { name: String },
    #[error("{}", self.in_channel())]
    Syntax { channel: String, error: SyntaxError },
    /// The text of a channel without a name is no expression, but a name: it lacks its segment.
    #[error("no channel named '{0}'; name its segment, too, as in /telemetry:{0}", quote(.name.as_bytes()))]
    NoSegment { name: String },
    /// Names of channels, each of which refers to the next. The last one is the first again.
    #[error("channel '{}' refers to itself: {}", quote(.cycle.first().map_or("", String::as_str).as_bytes()), shown(.cycle))]
    Cycle { cycle: Vec<String> },
}

/// The first error in the text of an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct SyntaxError {
    /// In characters, from 1.
    pub column: usize,
    /// Safe to print.
    pub problem: String,
}

impl ExpressionError {
    fn in_channel(&self) -> String {
        match self {
            Self::Syntax { channel, error } => format!("channel '{}': {error}", quote(channel.as_bytes())),
            _ => String::new(),
        }
    }
}

fn shown(cycle: &[String]) -> String {
    let names: Vec<String> = cycle.iter().map(|name| quote(name.as_bytes())).collect();
    names.join(" -> ")
}
