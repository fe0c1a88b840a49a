//! The examples of a maker: segments that match, and similar ones that do not.

use super::Size;
use super::read::{many, one_key, some_placed};
use crate::segment::Mode;
use serde::Deserialize;

/// An example of a segment. A plain string is a name or a key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Example {
    pub name: Option<String>,
    #[serde(deserialize_with = "one_key")]
    pub key: Option<u32>,
    /// `None` for a size that matches.
    pub size: Option<Size>,
    /// `None` for a mode that matches.
    pub mode: Option<Mode>,
    /// The nonzero bytes; `None` if the contents are unreadable.
    #[serde(rename = "bytes", deserialize_with = "some_placed")]
    pub contents: Option<Vec<ExampleBytes>>,
    /// The command of a holder.
    pub command: Option<String>,
    /// Other POSIX objects that exist.
    #[serde(deserialize_with = "many")]
    pub beside: Vec<String>,
    /// A user group that exists.
    pub group: Option<String>,
    /// The pids that should be found.
    #[serde(rename = "pid", deserialize_with = "many")]
    pub pids: Vec<u32>,
    /// Another maker that matches better.
    #[serde(rename = "as")]
    pub better: Option<String>,
}

/// Bytes at an offset: `"8: 80 00"`, `"-40: fe ca"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleBytes {
    pub at: i64,
    pub bytes: Vec<u8>,
}
