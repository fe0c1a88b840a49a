//! A program with its debug information.

use super::elf::Segment;
use super::error::{DebugError, Result};
use super::file::{FileSource, OpenFile};
use super::index::Index;
use super::outline::Outline;
use super::sections::Sections;
use super::units::{Die, Steps};
use crate::decode::{ByteOrder, Type};
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

/// Items of all outlines: 300 MB.
const MAX_ITEMS: usize = 1 << 22;

/// A program or shared library: the debug information that was found for it. It owns its bytes, so
/// that it can be kept and sent to another thread.
#[derive(Debug)]
pub struct Program {
    pub(super) sections: Sections,
    pub(super) outlines: Vec<OnceLock<Result<Outline>>>,
    /// The number of items in all outlines.
    items: AtomicUsize,
    pub(super) index: OnceLock<Result<Index>>,
    pub(super) ranges: OnceLock<Result<super::functions::Ranges>>,
    /// Types that were found by their names: a search reads all units.
    pub(super) found: Mutex<HashMap<String, Type>>,
}

impl Program {
    /// Reads the sections of an ELF file, of its debug file, and of its `.dwo` files. A program
    /// without debug information can be opened: its call frame information is still there.
    ///
    /// # Errors
    /// Fails if the file cannot be read, is no ELF file or too large.
    pub fn open(file: &dyn FileSource, path: &Path, files: &dyn OpenFile) -> Result<Self> {
        let sections = Sections::load(file, path, files)?;
        let outlines = sections.units.list.iter().map(|_| OnceLock::new()).collect();
        Ok(Self {
            sections,
            outlines,
            items: AtomicUsize::new(0),
            index: OnceLock::new(),
            ranges: OnceLock::new(),
            found: Mutex::default(),
        })
    }

    /// Identifies the build. Files of the same build have the same types.
    #[must_use]
    pub fn build_id(&self) -> Option<&[u8]> {
        self.sections.build_id.as_deref()
    }

    /// Parts of the debug information that were not found: `.dwo` files, a file of dwz, or all.
    #[must_use]
    pub fn missing(&self) -> &[DebugError] {
        &self.sections.missing
    }

    /// The size of an address in bytes: 8 or 4.
    #[must_use]
    pub const fn address_size(&self) -> u8 {
        self.sections.address_size
    }

    #[must_use]
    pub const fn byte_order(&self) -> ByteOrder {
        match self.sections.order {
            gimli::RunTimeEndian::Little => ByteOrder::Little,
            gimli::RunTimeEndian::Big => ByteOrder::Big,
        }
    }

    /// The difference between the addresses of a process and those of the file, from a mapping of
    /// the code in the file: where it starts, and the offset in the file that is mapped there.
    #[must_use]
    pub fn load_bias(&self, address: u64, file_offset: u64) -> Option<u64> {
        let inside = |segment: &&Segment| {
            // Mappings start at a page, which may contain the end of another segment.
            let start = segment.file_offset & !0xfff;
            segment.executable
                && (start..segment.file_offset.saturating_add(segment.size).max(start + 1))
                    .contains(&file_offset)
        };
        let segment = self.sections.segments.iter().find(inside)?;
        let linked = segment.address.wrapping_add(file_offset.wrapping_sub(segment.file_offset));
        Some(address.wrapping_sub(linked))
    }

    /// # Errors
    /// Fails if there is no debug information, with the remedy.
    pub(super) fn require(&self) -> Result<()> {
        match self.sections.missing.first() {
            Some(error) if self.sections.units.list.is_empty() => Err(error.clone()),
            _ => Ok(()),
        }
    }

    pub(super) const fn is_x86(&self) -> bool {
        matches!(object::elf::Machine(self.sections.machine), object::elf::EM_X86_64 | object::elf::EM_386)
    }

    pub(super) fn outline(&self, unit: u32) -> Result<&Outline> {
        let cell = self.outlines.get(unit as usize).ok_or(DebugError::BadReference)?;
        let read = || {
            let outline = Outline::read(self.sections.units.get(unit)?, &Steps::default())?;
            let before = self.items.fetch_add(outline.items.len(), Ordering::Relaxed);
            if before > MAX_ITEMS { Err(DebugError::TooLong) } else { Ok(outline) }
        };
        cell.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    /// The name of an entry with its namespaces, classes and functions. A type without a name has that
    /// of its `typedef`. Empty without either.
    pub(super) fn qualified_name(&self, mut die: Die) -> Result<String> {
        let mut entry = self.sections.units.entry(die)?;
        if !entry.has_attr(gimli::DW_AT_name)
            && let Some(offset) = self.outline(die.unit)?.typedef_of(die.offset)
        {
            die.offset = offset;
            entry = self.sections.units.entry(die)?;
        }
        let Some(name) = self.sections.units.name(die.unit, &entry) else { return Ok(String::new()) };
        // The scopes are those of its declaration.
        let declaration = self.sections.units.referred(die.unit, &entry, gimli::DW_AT_specification);
        let prefix = self.scope_of(declaration.ok().flatten().unwrap_or(die))?;
        Ok(if prefix.is_empty() { name } else { format!("{prefix}::{name}") })
    }

    /// The names of the scopes around an entry.
    pub(super) fn scope_of(&self, die: Die) -> Result<String> {
        let outline = self.outline(die.unit)?;
        let unit = self.sections.units.get(die.unit)?;
        let mut parts = vec![];
        let mut next = outline.around(die.offset);
        for _ in 0..super::index::MAX_DEPTH {
            let Some(item) = next.and_then(|index| outline.items.get(index as usize)) else { break };
            parts.extend(super::index::scope_name(unit, item));
            next = item.scope;
        }
        parts.reverse();
        Ok(parts.join("::"))
    }
}
