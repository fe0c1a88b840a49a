//! Finds the file that has the debug information of a stripped program, and the one that dwz shares
//! between several.

use super::elf::Elf;
use super::error::{DebugError, Result};
use super::file::{Allowance, FileSource, Input, OpenFile, Slice};
use super::sections::{has_debug_info, load_dwarf};
use crate::segment::escape;
use gimli::Dwarf;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// The place of debug packages.
const DEBUG_DIRECTORY: &str = "/usr/lib/debug";

/// A file that belongs to the program.
pub(super) struct Found {
    pub file: Box<dyn FileSource>,
    pub path: PathBuf,
    pub elf: Elf,
}

/// Finds the debug file by its build-id, or by the name and checksum in `.gnu_debuglink`.
pub(super) fn find(
    elf: &Elf,
    input: &Input<'_>,
    build_id: Option<&[u8]>,
    path: &Path,
    files: &dyn OpenFile,
    allowance: &mut Allowance,
) -> Result<Option<Found>> {
    if let Some(id) = build_id
        && let Some(candidate) = by_build_id(id)
        && let Some(found) = open(
            &candidate,
            files,
            |found, input, allowance| found.build_id(input, allowance).as_deref() == Some(id),
            allowance,
        )?
    {
        return Ok(Some(found));
    }
    let link = elf.bytes(".gnu_debuglink", input, allowance)?;
    let Some((name, checksum)) = debuglink(&link, elf.order) else { return Ok(None) };
    for candidate in by_debuglink(path, name) {
        let found = open(
            &candidate,
            files,
            |found, input, allowance| {
                let is_same_build = match (build_id, found.build_id(input, allowance).as_deref()) {
                    (Some(one), Some(other)) => one == other,
                    _ => true,
                };
                is_same_build && input.checksum().is_ok_and(|found| found == checksum)
            },
            allowance,
        )?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Opens a candidate. `None` if it is not there, has no debug information, or is of another build.
fn open(
    path: &Path,
    files: &dyn OpenFile,
    is_right: impl FnOnce(&Elf, &Input<'_>, &mut Allowance) -> bool,
    allowance: &mut Allowance,
) -> Result<Option<Found>> {
    let Some(file) = files.open(path) else { return Ok(None) };
    let input = Input::new(file.as_ref(), path)?;
    let Ok(elf) = Elf::read(&input, allowance) else { return Ok(None) };
    if !has_debug_info(&elf) || !is_right(&elf, &input, allowance) {
        return Ok(None);
    }
    Ok(Some(Found { path: path.to_owned(), elf, file }))
}

/// `/usr/lib/debug/.build-id/ab/cdef.debug`.
fn by_build_id(id: &[u8]) -> Option<PathBuf> {
    let (first, rest) = id.split_first().filter(|(_, rest)| !rest.is_empty())?;
    let mut path = format!("{DEBUG_DIRECTORY}/.build-id/{first:02x}/");
    for byte in rest {
        // Writing to a string cannot fail.
        let _ = write!(path, "{byte:02x}");
    }
    Some((path + ".debug").into())
}

/// The name and the checksum of the debug file.
fn debuglink(section: &[u8], order: gimli::RunTimeEndian) -> Option<(&[u8], u32)> {
    let length = section.iter().position(|&byte| byte == 0).filter(|&length| length > 0)?;
    let checksum = *section.get((length + 1).checked_next_multiple_of(4)?..)?.first_chunk::<4>()?;
    let checksum = match order {
        gimli::RunTimeEndian::Little => u32::from_le_bytes(checksum),
        gimli::RunTimeEndian::Big => u32::from_be_bytes(checksum),
    };
    let name = section.get(..length)?;
    // The name is a file name, and a hostile one must not lead elsewhere.
    (!name.contains(&b'/')).then_some((name, checksum))
}

fn by_debuglink(path: &Path, name: &[u8]) -> Vec<PathBuf> {
    let name = OsStr::from_bytes(name);
    let directory = path.parent().unwrap_or(Path::new("/"));
    let inside = directory.strip_prefix("/").unwrap_or(directory);
    let candidates = [
        directory.join(name),
        directory.join(".debug").join(name),
        Path::new(DEBUG_DIRECTORY).join(inside).join(name),
    ];
    candidates.into_iter().filter(|candidate| candidate != path).collect()
}

/// Loads the file that `.gnu_debugaltlink` names. Without it, only what refers to it is missing.
pub(super) fn load_dwz(
    elf: &Elf,
    input: &Input<'_>,
    path: &Path,
    files: &dyn OpenFile,
    allowance: &mut Allowance,
    missing: &mut Vec<DebugError>,
) -> Option<Dwarf<Slice>> {
    let link = elf.bytes(".gnu_debugaltlink", input, allowance).ok()?;
    let length = link.iter().position(|&byte| byte == 0).filter(|&length| length > 0)?;
    let (name, id) = (link.get(..length)?, link.get(length + 1..)?);
    let name = Path::new(OsStr::from_bytes(name));
    let candidate = path.parent().unwrap_or(Path::new("/")).join(name);
    let by_id = by_build_id(id);
    for candidate in [Some(candidate), by_id].into_iter().flatten() {
        let is_right = |found: &Elf, input: &Input<'_>, allowance: &mut Allowance| {
            found.build_id(input, allowance).as_deref() == Some(id)
        };
        if let Ok(Some(found)) = open(&candidate, files, is_right, allowance) {
            let loaded = Input::new(found.file.as_ref(), &found.path)
                .and_then(|input| load_dwarf(&found.elf, &input, false, allowance));
            match loaded {
                Ok(dwarf) => return Some(dwarf),
                Err(error) => missing.push(error),
            }
        }
    }
    missing.push(DebugError::NotFound(escape(name.as_os_str().as_bytes())));
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use gimli::RunTimeEndian;

    #[test]
    fn candidates_are_those_of_gdb() {
        let path = by_build_id(&[0xab, 0x01, 0x02]).unwrap();
        assert_eq!(path, Path::new("/usr/lib/debug/.build-id/ab/0102.debug"));
        assert_eq!((by_build_id(&[]), by_build_id(&[1])), (None, None));
        assert_eq!(
            by_debuglink(Path::new("/opt/app/run"), b"run.debug"),
            ["/opt/app/run.debug", "/opt/app/.debug/run.debug", "/usr/lib/debug/opt/app/run.debug"]
                .map(PathBuf::from)
        );
        // A link to itself would be read twice.
        assert_eq!(by_debuglink(Path::new("/run"), b"run").len(), 2);
    }

    #[test]
    fn debuglink_is_a_name_and_a_checksum() {
        let read = |section| debuglink(section, RunTimeEndian::Little);
        assert_eq!(read(b"a.debug\0\x01\x02\0\0"), Some((b"a.debug".as_slice(), 0x201)));
        assert_eq!(read(b"ab\0\0\x01\x02\0\0"), Some((b"ab".as_slice(), 0x201)));
        for section in
            [b"".as_slice(), b"\0\0\0\0\0\0\0\0", b"a\0\0\0\x01\x02\0", b"abc", b"../x\0\0\0\0\x01\x02\0\0"]
        {
            assert_eq!(read(section), None);
        }
    }
}
