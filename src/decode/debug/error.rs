//! Errors of debug information, in words that tell the user what to do.

use crate::decode::TypeError;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DebugError {
    #[error("failed to read {file}: {message}")]
    Read { file: String, message: String },
    #[error("{file} is not an ELF file")]
    NotElf { file: String },
    #[error("{file} is an object file: link it to a program")]
    Object { file: String },
    #[error("{file} is damaged: {message}")]
    Damaged { file: String, message: String },
    #[error("{file} has no debug information: compile it with -g, or install its debug package")]
    Missing { file: String },
    #[error("{file} has only line numbers as debug information: compile it with -g instead of -g1")]
    LinesOnly { file: String },
    #[error("the debug information of {file} is larger than {limit} MiB")]
    TooLarge { file: String, limit: u64 },
    #[error("the debug information is damaged: {0}")]
    Dwarf(#[from] gimli::Error),
    #[error("the debug information refers to an entry that does not exist")]
    BadReference,
    #[error("the debug information takes too long to read")]
    TooLong,
    #[error("part of the debug information is in {0}, which was not found: install the debug package")]
    NotFound(String),
    #[error("no type '{0}' in the debug information")]
    UnknownType(String),
    #[error("'{name}' is ambiguous: {candidates}")]
    Ambiguous { name: String, candidates: String },
    #[error("'{0}' is only declared: its definition is in another file")]
    Incomplete(String),
    #[error("'{0}' contains itself")]
    Recursive(String),
    #[error("'{name}' is {problem}")]
    Type { name: String, problem: TypeError },
    #[error("'{name}': {problem} is not supported")]
    Unsupported { name: String, problem: String },
    #[error("call frames of {0} programs are not supported: only x86-64")]
    Architecture(String),
    #[error("no call frame information for address {0:#x}")]
    NoFrame(u64),
    #[error("{0} is unknown")]
    UnknownRegister(String),
    #[error("the value is optimized out")]
    OptimizedOut,
    #[error("failed to read the memory of the process at {0:#x}")]
    Memory(u64),
}

pub(super) type Result<T> = std::result::Result<T, DebugError>;
