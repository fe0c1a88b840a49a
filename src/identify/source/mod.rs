//! The places in the source that write to a segment: the instructions of its holders, and the lines
//! of the programs that they come from.

mod libraries;
mod process;
mod python;
mod symbols;

use crate::machine::Machine;
use crate::machine::process::ProcessId;
use crate::machine::watch::Sample;
use crate::segment::{Holder, Segment};
use process::ProcessCode;
use std::collections::HashMap;
use std::sync::Arc;
use symbols::SymbolCache;

use super::typing::debug::Programs;

/// A place in the code of a process. All text is safe to print.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CodePlace {
    /// The address in the process, in the middle of an instruction.
    pub address: u64,
    /// The function with its namespaces and classes.
    pub function: Option<String>,
    /// The name of the source file.
    pub file: Option<String>,
    pub line: Option<u64>,
    /// The name of the program or library, and the address in it, as its symbol table counts.
    pub module: Option<(String, u64)>,
}

impl CodePlace {
    /// A place of which only the address is known.
    #[must_use]
    pub const fn unknown(address: u64) -> Self {
        Self { address, function: None, file: None, line: None, module: None }
    }

    /// `Motor::step`, or `libmotor.so+0x1139`, or an address.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.function, &self.module) {
            (Some(function), _) => function.clone(),
            (None, Some((module, address))) => format!("{module}+{address:#x}"),
            (None, None) => format!("{:#x}", self.address),
        }
    }

    /// `motor.cpp:42`.
    #[must_use]
    pub fn source(&self) -> Option<String> {
        let (file, line) = (self.file.as_ref()?, self.line?);
        Some(format!("{file}:{line}"))
    }
}

/// A process that writes to a segment.
#[derive(Clone, Copy)]
pub struct WritingProcess<'a> {
    pub machine: &'a dyn Machine,
    pub segment: &'a Segment,
    pub holder: &'a Holder,
}

impl WritingProcess<'_> {
    const fn id(&self) -> ProcessId {
        ProcessId { pid: self.holder.pid, start: self.holder.start }
    }
}

/// The code of the holders of a segment. It is kept after they have exited.
#[derive(Default)]
pub struct SourceMap {
    programs: Programs,
    symbols: SymbolCache,
    processes: HashMap<ProcessId, Option<ProcessCode>>,
}

impl SourceMap {
    /// Reads the code of a process, while it runs.
    pub fn prepare(&mut self, process: WritingProcess<'_>) {
        let Self { programs, symbols, processes } = self;
        processes.entry(process.id()).or_insert_with(|| ProcessCode::open(process, programs, symbols, 0));
    }

    /// Forgets the code of a process.
    pub fn forget(&mut self, process: ProcessId) {
        self.processes.remove(&process);
    }

    /// Returns the place of a write: the innermost function outside of the C and C++ libraries and the
    /// Python interpreter, or inside of them if nothing else called them.
    pub fn place_of(&mut self, process: WritingProcess<'_>, write: &Sample<'_>) -> Arc<CodePlace> {
        self.prepare(process);
        let Self { programs, symbols, processes } = self;
        let code = processes.get_mut(&process.id());
        let Some(Some(code)) = code else {
            return Arc::new(CodePlace::unknown(before(write.instruction)));
        };
        code.refresh(process, programs, symbols, write);
        code.place_of(symbols, write)
    }
}

/// An address within the instruction that wrote. On x86, the record has the address after it.
const fn before(instruction: u64) -> u64 {
    if cfg!(any(target_arch = "x86", target_arch = "x86_64")) {
        instruction.wrapping_sub(1)
    } else {
        instruction
    }
}
