//! The code of one process: the functions and lines of its addresses, and the callers of a write.

use super::libraries::{Role, copies, is_standard, role_of_file};
use super::python::{is_numpy, name_in_interpreter, name_in_numpy};
use super::symbols::SymbolCache;
use super::{CodePlace, WritingProcess, before};
use crate::decode::debug::{Caller, Frame, Registers, SourcePlace};
use crate::identify::typing::debug::{AddressSpace, Module, Programs, load_code, module_at};
use crate::machine::watch::Sample;
use crate::segment::escape;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

/// Frames that are unwound.
const MAX_FRAMES: usize = 16;
/// Addresses that are kept.
const MAX_PLACES: usize = 1 << 14;
/// Nanoseconds after which the mappings are read again for code that was loaded since.
const REFRESH: u64 = 1_000_000_000;
/// The stack pointer, by its DWARF number.
const RSP: u16 = 7;

/// A place, and the part of the program that it belongs to.
#[derive(Debug, Clone)]
struct Found {
    place: Arc<CodePlace>,
    role: Role,
}

/// The code of a process.
pub struct ProcessCode {
    space: AddressSpace,
    modules: Vec<Module>,
    /// By address.
    places: HashMap<u64, Found>,
    /// The place of the return address, counted from the stack pointer, of instructions whose caller
    /// is the writer.
    returns: HashMap<u64, u64>,
    /// The time of the write for which the mappings were read, in nanoseconds.
    opened: u64,
}

impl ProcessCode {
    /// `None` if the process has exited or may not be examined.
    pub fn open(
        process: WritingProcess<'_>,
        programs: &Programs,
        symbols: &mut SymbolCache,
        now: u64,
    ) -> Option<Self> {
        let space = AddressSpace::open(process.machine, process.segment, process.holder).ok()?;
        let (modules, _) = load_code(&space, programs);
        // Without debug information the symbols will be needed, and the process may exit before.
        if let Some(program) = modules.first().filter(|program| !program.program.missing().is_empty())
            && let Some(mapping) = program.code.first().and_then(|code| space.mapping(code.start))
        {
            symbols.of(&space, mapping);
        }
        let (places, returns) = (HashMap::new(), HashMap::new());
        Some(Self { space, modules, places, returns, opened: now })
    }

    /// Reads the mappings again if the write came from code that was loaded since.
    pub fn refresh(
        &mut self,
        process: WritingProcess<'_>,
        programs: &Programs,
        symbols: &mut SymbolCache,
        write: &Sample<'_>,
    ) {
        let is_new = self.space.mapping(before(write.instruction)).is_none();
        if is_new
            && write.time.saturating_sub(self.opened) > REFRESH
            && let Some(code) = Self::open(process, programs, symbols, write.time)
        {
            *self = code;
        }
    }

    /// The place of a write.
    pub fn place_of(&mut self, symbols: &mut SymbolCache, write: &Sample<'_>) -> Arc<CodePlace> {
        let address = before(write.instruction);
        let first = self.found(symbols, address);
        if first.role == Role::Own {
            return first.place;
        }
        if let Some(caller) = self.known_caller(write) {
            let caller = self.found(symbols, caller);
            if caller.role == Role::Own {
                return caller.place;
            }
        }
        self.outer_place(symbols, write, first)
    }

    /// The caller of an instruction whose caller was the writer before.
    fn known_caller(&self, write: &Sample<'_>) -> Option<u64> {
        let slot = usize::try_from(*self.returns.get(&write.instruction)?).ok()?;
        let word = write.stack.get(slot..)?.first_chunk()?;
        Some(u64::from_le_bytes(*word).wrapping_sub(1))
    }

    /// Unwinds the stack up to the program's own code.
    fn outer_place(&mut self, symbols: &mut SymbolCache, write: &Sample<'_>, first: Found) -> Arc<CodePlace> {
        let Some(all) = write.registers else { return first.place };
        let stack_pointer = all[usize::from(RSP)];
        let mut registers: Registers = (0..).zip(all).collect();
        let mut address = before(write.instruction);
        let mut best = first;
        for depth in 0..MAX_FRAMES {
            let Some(caller) = self.caller(address, &registers, write) else { break };
            let Some(next) = caller.return_address else { break };
            address = if caller.is_signal { next } else { next.wrapping_sub(1) };
            let found = self.found(symbols, address);
            match found.role {
                Role::Own => {
                    let is_fixed = matches!(caller.base, Some((RSP, _)));
                    if depth == 0 && is_fixed && self.returns.len() < MAX_PLACES {
                        let slot = caller.cfa.wrapping_sub(stack_pointer).wrapping_sub(8);
                        self.returns.insert(write.instruction, slot);
                    }
                    return found.place;
                }
                Role::Interpreter if best.role == Role::Library => best = found,
                Role::Interpreter | Role::Library => {}
            }
            // The stack grows down: a frame that does not lead up is damaged.
            if registers.get(&RSP).is_some_and(|&stack| caller.cfa <= stack) {
                break;
            }
            registers = caller.registers;
        }
        best.place
    }

    fn caller(&self, address: u64, registers: &Registers, write: &Sample<'_>) -> Option<Caller> {
        let start = write.registers?[usize::from(RSP)];
        let read = |address: u64, into: &mut [u8]| {
            let at = address.checked_sub(start).and_then(|at| usize::try_from(at).ok());
            let Some(bytes) = at.and_then(|at| write.stack.get(at..)?.get(..into.len())) else {
                return false;
            };
            into.copy_from_slice(bytes);
            true
        };
        let module = module_at(&self.modules, address)?;
        let frame = Frame { address, registers, cfa: None, bias: module.bias, read: &read };
        module.program.unwind(&frame).ok()
    }

    fn found(&mut self, symbols: &mut SymbolCache, address: u64) -> Found {
        if let Some(found) = self.places.get(&address) {
            return found.clone();
        }
        let found = self.look_up(symbols, address);
        if self.places.len() >= MAX_PLACES {
            self.places.clear();
        }
        self.places.insert(address, found.clone());
        found
    }

    fn look_up(&self, symbols: &mut SymbolCache, address: u64) -> Found {
        let mut place = CodePlace::unknown(address);
        let Some(mapping) = self.space.mapping(address) else {
            return Found { place: Arc::new(place), role: Role::Own };
        };
        let path = Path::new(OsStr::from_bytes(&mapping.name));
        let mut role = role_of_file(path);
        let Some(module) = module_at(&self.modules, address) else {
            let name = escape(path.file_name().unwrap_or_default().as_bytes());
            let offset = (address - mapping.addresses.start).wrapping_add(mapping.offset);
            place.module = Some((name, offset)).filter(|(name, _)| !name.is_empty());
            place.name_python(path, role);
            return Found { place: Arc::new(place), role };
        };
        let linked = address.wrapping_sub(module.bias);
        place.module = Some((module.name(), linked));
        let sources = module.program.sources_at(linked).unwrap_or_default();
        if let Some(source) = sources.iter().find(|source| !is_standard(&source.function)).or(sources.last())
        {
            if is_standard(&source.function) {
                role = Role::Library;
            }
            place.describe(source);
        } else if let Some(symbol) = symbols.of(&self.space, mapping).and_then(|symbols| symbols.at(linked)) {
            if copies(&symbol.name) || is_standard(&symbol.name) {
                role = Role::Library;
            }
            place.function = Some(escape(symbol.name.as_bytes()));
        }
        place.name_python(path, role);
        Found { place: Arc::new(place), role }
    }
}

impl CodePlace {
    /// Names code of the Python interpreter and of numpy.
    fn name_python(&mut self, path: &Path, role: Role) {
        if role == Role::Interpreter {
            let name = name_in_interpreter(path, self.function.as_deref(), self.file.as_deref());
            self.function = Some(escape(name.as_bytes()));
            // The source of the interpreter is not that of the user.
            (self.file, self.line) = (None, None);
        } else if role == Role::Own && is_numpy(path) {
            self.function = Some(name_in_numpy(self.function.as_deref()));
        }
    }

    fn describe(&mut self, source: &SourcePlace) {
        let name = Some(source.function.as_str()).filter(|name| !name.is_empty());
        self.function = name.map(|name| escape(name.as_bytes()));
        let file = source.file.as_deref().and_then(|file| file.rsplit('/').next());
        self.file = file.filter(|file| !file.is_empty()).map(|file| escape(file.as_bytes()));
        self.line = source.line;
    }
}
