//! The columns for the writers of samples that were taken at every write.

use super::archive::Archive;
use super::npy::{self, Dtype};
use crate::scope::writers::Write;
use std::collections::HashMap;
use std::io;

/// The thread.
pub(super) const PID: &str = "writer.pid";
pub(super) const TID: &str = "writer.tid";
/// The function; in NPZ, its index in [`FUNCTIONS`].
pub(super) const FUNCTION: &str = "writer.function";
pub(super) const FUNCTIONS: &str = "writer.functions";
/// Set if the value may be that of a later write.
pub(super) const LATE: &str = "writer.late";

/// The columns, in their order behind those of the channels.
pub(super) const COLUMNS: [&str; 4] = [PID, TID, FUNCTION, LATE];

/// Returns true for a name that is not that of a channel.
pub(super) fn is_own(name: &str) -> bool {
    COLUMNS.contains(&name) || name == FUNCTIONS
}

/// The names of functions with their indexes in NPZ. The first is empty, for gaps.
pub(super) struct Functions {
    names: Vec<String>,
    indexes: HashMap<String, u64>,
}

impl Functions {
    pub fn new() -> Self {
        Self { names: vec![String::new()], indexes: HashMap::from([(String::new(), 0)]) }
    }

    fn index(&mut self, name: String) -> u64 {
        let Self { names, indexes } = self;
        *indexes.entry(name).or_insert_with_key(|name| {
            names.push(name.clone());
            names.len() as u64 - 1
        })
    }

    /// The cells of a writer, in the order of [`COLUMNS`].
    pub fn cells(&mut self, write: Option<&Write>) -> [Option<u64>; 4] {
        let Some(Write { thread, place, is_late }) = write else { return [None; 4] };
        let function = self.index(place.name());
        let ids = [thread.process.pid, thread.tid].map(|id| Some(u64::from(id)));
        [ids[0], ids[1], Some(function), is_late.then_some(1)]
    }

    /// A bound for the bytes of the array with one more name.
    pub fn length_with(&self, write: Option<&Write>) -> u64 {
        let next = write.map_or(0, |write| write.place.name().len());
        ((self.names.len() + 1) * self.width().max(next) * 4) as u64
    }

    /// The characters of the longest name.
    fn width(&self) -> usize {
        self.names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(1)
    }

    pub fn write(&self, archive: &mut Archive<'_>) -> io::Result<()> {
        let (width, count) = (self.width(), self.names.len() as u64);
        let header = npy::header(Dtype::Text(width), Some(count));
        archive.begin(FUNCTIONS, &header, count * 4 * width as u64)?;
        for name in &self.names {
            let characters = name.chars().map(u32::from).chain(std::iter::repeat(0)).take(width);
            let bytes: Vec<u8> = characters.flat_map(u32::to_le_bytes).collect();
            archive.write_all(&bytes)?;
        }
        Ok(())
    }
}
