//! A segment as an entry's examples describe it: what fits, and what only looks like it.

/// A made-up segment. Written as a text it is a name or a key; as a table it
/// has more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Example {
    /// The name, where it has one.
    pub name: Option<String>,
    /// The System V key.
    pub key: Option<u32>,
    /// The size in bytes; not given, one that fits.
    pub size: Option<u64>,
    /// The permission bits; not given, some that fit.
    pub mode: Option<u32>,
    /// What stands where in the contents, zeros besides; `None`: they cannot
    /// be read.
    pub contents: Option<Vec<(i64, Vec<u8>)>>,
    /// The command that holds it.
    pub command: Option<String>,
    /// The POSIX objects that are there as well.
    pub beside: Vec<String>,
    /// The group of users that there is.
    pub group: Option<String>,
    /// The pids that are to be found.
    pub pids: Vec<u32>,
    /// The entry that knows it better.
    pub better: Option<String>,
}
