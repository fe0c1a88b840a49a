//! Loads the sections of a program and of its other files.

use super::elf::{Elf, Segment};
use super::error::{DebugError, Result};
use super::file::{Allowance, FileSource, Input, OpenFile, Slice, slice};
use super::separate;
use super::split;
use super::units::Units;
use gimli::{AbbreviationsCacheStrategy, Dwarf, RunTimeEndian, SectionId};
use std::path::Path;
use std::sync::Arc;

/// The sections of a program, loaded.
#[derive(Debug)]
pub(super) struct Sections {
    /// The path, escaped.
    pub name: String,
    pub units: Units,
    pub frames: FrameSections,
    pub order: RunTimeEndian,
    pub address_size: u8,
    pub machine: u16,
    pub build_id: Option<Vec<u8>>,
    pub segments: Vec<Segment>,
    /// Files with parts of the debug information that were not found or are damaged.
    pub missing: Vec<DebugError>,
}

/// The sections of call frame information.
#[derive(Debug)]
pub(super) struct FrameSections {
    pub eh_frame: Slice,
    pub eh_frame_hdr: Slice,
    pub debug_frame: Slice,
    pub addresses: gimli::BaseAddresses,
}

impl Sections {
    pub fn load(file: &dyn FileSource, path: &Path, files: &dyn OpenFile) -> Result<Self> {
        let input = Input::new(file, path)?;
        let mut allowance = Allowance::default();
        let elf = Elf::read(&input, &mut allowance)?;
        if elf.is_object {
            return Err(DebugError::Object { file: input.name });
        }
        let build_id = elf.build_id(&input, &mut allowance);
        let mut missing = vec![];
        let mut units = Units::default();
        let mut frames = FrameSections::load(&elf, &input, &mut allowance)?;
        if has_debug_info(&elf) {
            let dwarf = load_dwarf(&elf, &input, false, &mut allowance)?;
            let dwz = separate::load_dwz(&elf, &input, path, files, &mut allowance, &mut missing);
            add(&mut units, dwarf, dwz);
            split::add(&mut units, path, files, &mut allowance, &mut missing);
        } else if let Some(found) =
            separate::find(&elf, &input, build_id.as_deref(), path, files, &mut allowance)?
        {
            let other = Input::new(found.file.as_ref(), &found.path)?;
            let dwarf = load_dwarf(&found.elf, &other, false, &mut allowance)?;
            let dwz =
                separate::load_dwz(&found.elf, &other, &found.path, files, &mut allowance, &mut missing);
            add(&mut units, dwarf, dwz);
            split::add(&mut units, path, files, &mut allowance, &mut missing);
            if frames.debug_frame.bytes().is_empty() {
                frames.debug_frame =
                    slice(found.elf.bytes(".debug_frame", &other, &mut allowance)?, found.elf.order);
            }
        } else {
            missing.push(DebugError::Missing { file: input.name.clone() });
        }
        if units.list.is_empty() && missing.is_empty() {
            missing.push(input.damaged("its debug information has no unit that can be read"));
        }
        Ok(Self {
            name: input.name,
            units,
            frames,
            order: elf.order,
            address_size: elf.address_size,
            machine: elf.machine,
            build_id,
            segments: elf.segments,
            missing,
        })
    }
}

fn add(units: &mut Units, mut dwarf: Dwarf<Slice>, dwz: Option<Dwarf<Slice>>) {
    dwarf.populate_abbreviations_cache(AbbreviationsCacheStrategy::Duplicates);
    let dwz = dwz.map(|mut dwz| {
        dwz.populate_abbreviations_cache(AbbreviationsCacheStrategy::Duplicates);
        Arc::new(dwz)
    });
    dwarf.sup.clone_from(&dwz);
    units.add(&Arc::new(dwarf), false);
    if let Some(dwz) = dwz {
        units.add(&dwz, true);
    }
}

pub(super) fn has_debug_info(elf: &Elf) -> bool {
    [".debug_info", ".zdebug_info", ".debug_types"].iter().any(|name| elf.has(name))
}

/// Loads the sections of a file, or those of a `.dwo` file.
pub(super) fn load_dwarf(
    elf: &Elf,
    input: &Input<'_>,
    is_dwo: bool,
    allowance: &mut Allowance,
) -> Result<Dwarf<Slice>> {
    Dwarf::load(|id| match id {
        // Large, and not used here.
        SectionId::DebugAranges | SectionId::DebugMacinfo | SectionId::DebugMacro => {
            Ok(slice(Arc::default(), elf.order))
        }
        id => load_section(elf, input, id, is_dwo, allowance),
    })
}

pub(super) fn load_section(
    elf: &Elf,
    input: &Input<'_>,
    id: SectionId,
    is_dwo: bool,
    allowance: &mut Allowance,
) -> Result<Slice> {
    let name = if is_dwo { id.dwo_name() } else { Some(id.name()) };
    let bytes = name.map_or_else(|| Ok(Arc::default()), |name| elf.bytes(name, input, allowance))?;
    Ok(slice(bytes, elf.order))
}

impl FrameSections {
    fn load(elf: &Elf, input: &Input<'_>, allowance: &mut Allowance) -> Result<Self> {
        let mut load = |name| Ok::<_, DebugError>(slice(elf.bytes(name, input, allowance)?, elf.order));
        let mut addresses = gimli::BaseAddresses::default();
        if let Some(address) = elf.address_of(".eh_frame") {
            addresses = addresses.set_eh_frame(address);
        }
        if let Some(address) = elf.address_of(".eh_frame_hdr") {
            addresses = addresses.set_eh_frame_hdr(address);
        }
        if let Some(address) = elf.address_of(".text") {
            addresses = addresses.set_text(address);
        }
        if let Some(address) = elf.address_of(".got") {
            addresses = addresses.set_got(address);
        }
        Ok(Self {
            eh_frame: load(".eh_frame")?,
            eh_frame_hdr: load(".eh_frame_hdr")?,
            debug_frame: load(".debug_frame")?,
            addresses,
        })
    }
}
