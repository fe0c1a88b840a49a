//! The symbol tables that were read.

use crate::decode::debug::{FileSource, Symbols};
use crate::identify::typing::debug::{AddressSpace, Opened};
use crate::machine::image::{FileVersion, MappedRange};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

/// Files whose symbols are kept.
const MAX_FILES: usize = 64;

/// Symbol tables, by file. `None` for a file without one.
#[derive(Default)]
pub struct SymbolCache(HashMap<FileVersion, Option<Arc<Symbols>>>);

impl SymbolCache {
    /// Returns the symbols of a mapped file.
    pub fn of(&mut self, space: &AddressSpace, mapping: &MappedRange) -> Option<Arc<Symbols>> {
        let file = space.image.open_mapped(mapping).ok()?;
        let version = file.version();
        if let Some(known) = self.0.get(&version) {
            return known.clone();
        }
        let open = |other: &Path| {
            let file = space.image.open_path(other.as_os_str().as_bytes()).ok()?;
            Some(Box::new(Opened(file)) as Box<dyn FileSource>)
        };
        let path = Path::new(OsStr::from_bytes(&mapping.name));
        let symbols = Symbols::open(&Opened(file), path, &open).ok().map(Arc::new);
        if self.0.len() >= MAX_FILES {
            self.0.clear();
        }
        self.0.insert(version, symbols.clone());
        symbols
    }
}
