//! Split debug information: `.dwo` files beside the object files, or all of them in a `.dwp` file.

use super::elf::Elf;
use super::error::{DebugError, Result};
use super::file::{Allowance, FileSource, Input, OpenFile, Slice, slice};
use super::sections::{load_dwarf, load_section};
use super::units::Units;
use crate::segment::escape;
use gimli::{Dwarf, DwarfPackage, DwoId};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files that are named as missing.
const MAX_NAMED: usize = 8;

/// A unit in the program that stands for one in another file.
struct Skeleton {
    number: usize,
    id: DwoId,
    name: Option<PathBuf>,
    directory: Option<PathBuf>,
}

/// Adds the units of all `.dwo` files that the program refers to.
pub(super) fn add(
    units: &mut Units,
    path: &Path,
    files: &dyn OpenFile,
    allowance: &mut Allowance,
    missing: &mut Vec<DebugError>,
) {
    let skeletons = skeletons(units);
    if skeletons.is_empty() {
        return;
    }
    let mut package_path = path.as_os_str().to_owned();
    package_path.push(".dwp");
    let package_path = PathBuf::from(package_path);
    let package = files.open(&package_path).and_then(|file| {
        load_package(file.as_ref(), &package_path, allowance).map_err(|error| missing.push(error)).ok()
    });
    if let (Some(package), Some(first)) = (&package, skeletons.first()) {
        add_types(units, package, first.number);
    }
    for skeleton in skeletons {
        let parent = Arc::clone(&units.list[skeleton.number].dwarf);
        let packed =
            package.as_ref().and_then(|package| package.find_cu(skeleton.id, &parent).ok().flatten());
        let found = match packed {
            Some(dwarf) => Ok(dwarf),
            None => load_dwo(&skeleton, path, &parent, files, allowance),
        };
        match found {
            Ok(dwarf) => add_split(units, dwarf, &skeleton),
            Err(error) if missing.len() < MAX_NAMED => missing.push(error),
            Err(_) => {}
        }
    }
}

fn skeletons(units: &Units) -> Vec<Skeleton> {
    let mut found = vec![];
    for (number, loaded) in units.list.iter().enumerate().filter(|(_, loaded)| !loaded.is_type) {
        let Some(id) = loaded.unit.dwo_id else { continue };
        let name = loaded.unit.dwo_name().ok().flatten();
        let name = name.and_then(|name| loaded.dwarf.attr_string(&loaded.unit, name).ok());
        let path = |bytes: &Slice| PathBuf::from(OsStr::from_bytes(bytes.bytes()));
        let directory = loaded.unit.comp_dir.as_ref().map(path);
        found.push(Skeleton { number, id, name: name.as_ref().map(path), directory });
    }
    found
}

fn add_split(units: &mut Units, dwarf: Dwarf<Slice>, skeleton: &Skeleton) {
    let added = units.add(&Arc::new(dwarf), false);
    let (before, after) = units.list.split_at_mut(added.start);
    let Some(parent) = before.get(skeleton.number) else { return };
    for loaded in after {
        loaded.unit.copy_relocated_attributes(&parent.unit);
    }
}

/// Loads a `.dwo` file from where the compiler wrote it, or from beside the program.
fn load_dwo(
    skeleton: &Skeleton,
    path: &Path,
    parent: &Dwarf<Slice>,
    files: &dyn OpenFile,
    allowance: &mut Allowance,
) -> Result<Dwarf<Slice>> {
    let name = skeleton.name.as_deref().ok_or(DebugError::BadReference)?;
    let written = skeleton.directory.as_deref().map(|directory| directory.join(name));
    let beside = path.parent().zip(name.file_name()).map(|(directory, name)| directory.join(name));
    for candidate in [written, beside].into_iter().flatten() {
        let Some(file) = files.open(&candidate) else { continue };
        let input = Input::new(file.as_ref(), &candidate)?;
        let elf = Elf::read(&input, allowance)?;
        let mut dwarf = load_dwarf(&elf, &input, true, allowance)?;
        dwarf.make_dwo(parent);
        if has_unit(&dwarf, skeleton.id) {
            return Ok(dwarf);
        }
    }
    Err(DebugError::NotFound(escape(name.as_os_str().as_bytes())))
}

/// Returns false if the file is of another build.
fn has_unit(dwarf: &Dwarf<Slice>, id: DwoId) -> bool {
    let mut headers = dwarf.units();
    while let Ok(Some(header)) = headers.next() {
        if dwarf.unit(header).is_ok_and(|unit| unit.dwo_id == Some(id)) {
            return true;
        }
    }
    false
}

fn load_package(
    file: &dyn FileSource,
    path: &Path,
    allowance: &mut Allowance,
) -> Result<DwarfPackage<Slice>> {
    let input = Input::new(file, path)?;
    let elf = Elf::read(&input, allowance)?;
    let empty = slice(Arc::default(), elf.order);
    DwarfPackage::load(|id| load_section(&elf, &input, id, true, allowance), empty)
}

/// Adds the type units of a package.
fn add_types(units: &mut Units, package: &DwarfPackage<Slice>, parent: usize) {
    let parent = Arc::clone(&units.list[parent].dwarf);
    for row in 1..=package.tu_index.unit_count() {
        match package.tu_sections(row, &parent) {
            Ok(dwarf) => drop(units.add(&Arc::new(dwarf), false)),
            Err(_) => return,
        }
    }
}
