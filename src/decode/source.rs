//! The ways to write a type. Every source of types has its place in [`parse_type`].

use super::{ParseNameError, Type};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseTypeError {
    #[error(transparent)]
    Name(#[from] ParseNameError),
}

impl ParseTypeError {
    /// Describes the problem, for messages that already quote the text.
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Self::Name(error) => error.expected(),
        }
    }
}

/// Parses a type in any of its forms.
///
/// # Errors
/// Fails if the text has none of them.
pub fn parse_type(text: &str) -> Result<Type, ParseTypeError> {
    Ok(Type::from_name(text)?)
}
