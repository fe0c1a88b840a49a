//! The examples of a maker: segments that match, and segments that only look alike.

use super::Size;
use super::read::{many, one_key, some_placed};
use crate::segment::Mode;
use serde::Deserialize;

/// An example segment. A plain string is a name or a key; a table has more.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Example {
    pub name: Option<String>,
    #[serde(deserialize_with = "one_key")]
    pub key: Option<u32>,
    /// `None`: one that matches.
    pub size: Option<Size>,
    /// `None`: one that matches.
    pub mode: Option<Mode>,
    /// The contents, zero elsewhere; `None`: unreadable.
    #[serde(rename = "bytes", deserialize_with = "some_placed")]
    pub contents: Option<Vec<Placed>>,
    /// The command of its holder.
    pub command: Option<String>,
    /// Other POSIX objects that exist.
    #[serde(deserialize_with = "many")]
    pub beside: Vec<String>,
    /// The group of users that exists.
    pub group: Option<String>,
    /// The pids to be found.
    #[serde(rename = "pid", deserialize_with = "many")]
    pub pids: Vec<u32>,
    /// The maker that matches better.
    #[serde(rename = "as")]
    pub better: Option<String>,
}

/// Bytes at an offset: `"8: 80 00"`, `"-40: fe ca"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub at: i64,
    pub bytes: Vec<u8>,
}
