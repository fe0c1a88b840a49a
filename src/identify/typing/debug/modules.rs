//! The program and the shared libraries of a holder.

use super::address_space::AddressSpace;
use super::programs::{Opened, Programs};
use crate::decode::debug::{FileSource, Program};
use crate::machine::image::{MappedRange, ProgramFile};
use crate::segment::escape;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Libraries of a program that are examined.
const MAX_MODULES: usize = 256;
/// Bytes of the first page that are compared with the file.
const HEADER: usize = 4096;

/// A program or library in memory.
pub struct Module {
    pub program: Arc<Program>,
    /// As the holder sees it.
    pub path: PathBuf,
    /// The difference between the addresses of the process and those of the file.
    pub bias: u64,
    pub code: Vec<Range<u64>>,
    /// Set for the program itself.
    pub is_program: bool,
}

impl Module {
    /// Returns true for a library of the system, which does not define the types of programs.
    pub fn is_foreign(&self) -> bool {
        !self.is_program && is_of_system(&self.path)
    }

    /// The name of the file, safe to print.
    pub fn name(&self) -> String {
        escape(self.path.file_name().unwrap_or(self.path.as_os_str()).as_bytes())
    }
}

fn is_of_system(path: &Path) -> bool {
    const DIRECTORIES: [&str; 6] = ["/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64"];
    DIRECTORIES.iter().any(|directory| path.starts_with(directory))
}

/// Loads the modules of a process: the program first. Also returns the reason why the program itself
/// has no types.
pub fn load(space: &AddressSpace, programs: &Programs) -> (Vec<Module>, Vec<String>) {
    let (modules, mut problems) = load_code(space, programs);
    if let Some(Err(error)) = modules.first().map(|program| program.program.variables()) {
        problems.push(error.to_string());
    }
    (modules, problems)
}

/// Loads the modules of a process for their code: the program first. Also returns the reason why the
/// program itself cannot be read.
pub fn load_code(space: &AddressSpace, programs: &Programs) -> (Vec<Module>, Vec<String>) {
    let mut modules: Vec<Module> = vec![];
    let mut problems = vec![];
    let mut seen = vec![];
    let is_code = |mapping: &&MappedRange| mapping.executable && mapping.inode != 0 && !mapping.shared;
    for mapping in space.mappings.iter().filter(is_code) {
        let file = (mapping.device, mapping.inode);
        if let Some(at) = seen.iter().position(|one| *one == Some(file)) {
            if let Some(module) = modules.get_mut(at) {
                module.code.push(mapping.addresses.clone());
            }
            continue;
        }
        if modules.len() >= MAX_MODULES {
            break;
        }
        match open(space, mapping, programs, !modules.is_empty()) {
            Ok(module) => {
                seen.push(Some(file));
                modules.push(module);
            }
            // The program comes first.
            Err(problem) if modules.is_empty() && problems.is_empty() => problems.push(problem),
            Err(_) => {}
        }
    }
    if let Some(program) = modules.first_mut() {
        program.is_program = true;
    }
    (modules, problems)
}

fn open(
    space: &AddressSpace,
    mapping: &MappedRange,
    programs: &Programs,
    is_library: bool,
) -> Result<Module, String> {
    const DELETED: &[u8] = b" (deleted)";
    let name = mapping.name.strip_suffix(DELETED).unwrap_or(&mapping.name);
    let path = Path::new(OsStr::from_bytes(name));
    let shown = escape(name);
    let failed =
        |error: &std::io::Error| format!("failed to open {shown}: {}", crate::segment::plain_error(error));
    let file = space.image.open_mapped(mapping).map_err(|error| failed(&error))?;
    if !is_loaded(space, mapping, &*file) {
        return Err(format!("{shown} has changed since it was started: restart it, or run as root"));
    }
    // The debug information of system libraries is large, and does not define the types of programs.
    let is_foreign = is_library && is_of_system(path);
    let open = |other: &Path| {
        if is_foreign {
            return None;
        }
        let file = space.image.open_path(other.as_os_str().as_bytes()).ok()?;
        Some(Box::new(Opened(file)) as Box<dyn FileSource>)
    };
    let program = programs.program(file, path, &open).map_err(|error| error.to_string())?;
    let bias = program.load_bias(mapping.addresses.start, mapping.offset);
    let bias = bias.ok_or_else(|| format!("{shown} is damaged: no part of it is mapped here"))?;
    Ok(Module {
        program,
        path: path.to_owned(),
        bias,
        code: vec![mapping.addresses.clone()],
        is_program: false,
    })
}

/// Returns true if the file is the one in memory: the headers, which contain the build-id, are equal.
fn is_loaded(space: &AddressSpace, mapping: &MappedRange, file: &dyn ProgramFile) -> bool {
    let is_start = |other: &&MappedRange| {
        other.offset == 0 && (other.device, other.inode) == (mapping.device, mapping.inode)
    };
    let Some(start) = space.mappings.iter().find(is_start) else { return true };
    let (mut on_disk, mut in_memory) = (vec![0; HEADER], vec![0; HEADER]);
    let Ok(count) = file.read_at(0, &mut on_disk) else { return false };
    // Without the right to read the memory, the inode has to do, which is that of the mapping.
    !space.read(start.addresses.start, &mut in_memory) || on_disk[..count] == in_memory[..count]
}

/// The module whose code contains an address.
pub fn at(modules: &[Module], address: u64) -> Option<&Module> {
    modules.iter().find(|module| module.code.iter().any(|range| range.contains(&address)))
}
