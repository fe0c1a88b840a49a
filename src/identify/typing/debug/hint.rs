//! A pointer of a holder into the segment.

use crate::decode::Type;
use crate::identify::typing::CandidateSource;

#[derive(Debug, Clone)]
pub struct Hint {
    /// The offset in the segment that it points to.
    pub offset: u64,
    /// The type that it points to.
    pub ty: Type,
    /// The name of the type in the program.
    pub name: String,
    /// The number of elements, of `std::span` and the like.
    pub count: Option<u64>,
    pub source: CandidateSource,
    /// Names the variable and its process. Safe to print.
    pub evidence: String,
    /// `writer (4121)`. Safe to print.
    pub process: String,
    /// Set if the frame of a local variable was guessed.
    pub is_weak: bool,
}
