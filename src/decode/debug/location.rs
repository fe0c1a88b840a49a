//! Evaluates the expressions that tell where a value is.

use super::error::{DebugError, Result};
use super::file::Slice;
use super::units::LoadedUnit;
use crate::decode::ByteOrder;
use gimli::{EvaluationResult, Expression, Value};
use std::collections::BTreeMap;

/// Operations of an expression. Those of compilers have a few.
const MAX_OPERATIONS: u32 = 10_000;

/// Reads memory of the process; returns false if it cannot be read.
pub type ReadMemory<'a> = &'a dyn Fn(u64, &mut [u8]) -> bool;

/// The registers of a thread, by their DWARF numbers. Those that are missing are unknown.
pub type Registers = BTreeMap<u16, u64>;

/// A stopped or sleeping thread, in one of its frames.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    /// An address in the function: the program counter, or the byte before a return address.
    pub address: u64,
    pub registers: &'a Registers,
    /// The canonical frame address, where it is known.
    pub cfa: Option<u64>,
    /// The difference between addresses of the process and those of the file.
    pub bias: u64,
    pub read: ReadMemory<'a>,
}

/// The place of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// An address in the process.
    Memory(u64),
    Register(u16),
    /// It is nowhere in memory, but known.
    Value(u64),
    /// Parts of it are in several places.
    Split,
    OptimizedOut,
    /// It cannot be determined from what is known of the thread.
    Unknown(DebugError),
}

/// The frame with what the function adds.
pub(super) struct Evaluator<'a> {
    pub frame: &'a Frame<'a>,
    pub unit: Option<&'a LoadedUnit>,
    pub frame_base: Option<u64>,
    pub address_size: u8,
}

/// The name of a register of x86-64, or its number.
pub(super) fn register_name(register: u16) -> String {
    const NAMES: [&str; 17] = [
        "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13",
        "r14", "r15", "rip",
    ];
    match NAMES.get(usize::from(register)) {
        Some(name) => format!("register {name}"),
        None => format!("register {register}"),
    }
}

impl Frame<'_> {
    pub(super) fn register(&self, register: u16) -> Result<u64> {
        let found = self.registers.get(&register).copied();
        found.ok_or_else(|| DebugError::UnknownRegister(register_name(register)))
    }

    /// Reads a number of up to 8 bytes.
    pub(super) fn number(&self, address: u64, size: u8, order: gimli::RunTimeEndian) -> Result<u64> {
        let mut bytes = [0; 8];
        let size = usize::from(size).min(8);
        let part = bytes.get_mut(..size).unwrap_or_default();
        if !(self.read)(address, part) {
            return Err(DebugError::Memory(address));
        }
        Ok(match order {
            gimli::RunTimeEndian::Little => u64::from_le_bytes(bytes),
            gimli::RunTimeEndian::Big => u64::from_be_bytes(bytes) >> (64 - 8 * size.max(1)),
        })
    }
}

impl Location {
    /// The value of a pointer or number of up to 8 bytes.
    ///
    /// # Errors
    /// Fails if it is unknown, optimized out, or cannot be read.
    pub fn value(&self, frame: &Frame<'_>, size: u8, order: ByteOrder) -> Result<u64> {
        let order = match order {
            ByteOrder::Little => gimli::RunTimeEndian::Little,
            ByteOrder::Big => gimli::RunTimeEndian::Big,
        };
        match self {
            Self::Memory(address) => frame.number(*address, size, order),
            Self::Register(register) => frame.register(*register),
            Self::Value(value) => Ok(*value),
            Self::Split | Self::OptimizedOut => Err(DebugError::OptimizedOut),
            Self::Unknown(error) => Err(error.clone()),
        }
    }
}

impl Evaluator<'_> {
    /// Evaluates an expression for the place of a value.
    pub fn locate(&self, expression: Expression<Slice>, encoding: gimli::Encoding) -> Location {
        match self.evaluate(expression, encoding, None) {
            Ok(location) => location,
            Err(error) => Location::Unknown(error),
        }
    }

    /// Evaluates an expression for a number: an address, or the value itself.
    pub fn number(
        &self,
        expression: Expression<Slice>,
        encoding: gimli::Encoding,
        initial: Option<u64>,
    ) -> Result<u64> {
        match self.evaluate(expression, encoding, initial)? {
            Location::Memory(number) | Location::Value(number) => Ok(number),
            Location::Register(register) => self.frame.register(register),
            Location::Unknown(error) => Err(error),
            Location::Split | Location::OptimizedOut => Err(DebugError::OptimizedOut),
        }
    }

    fn evaluate(
        &self,
        expression: Expression<Slice>,
        encoding: gimli::Encoding,
        initial: Option<u64>,
    ) -> Result<Location> {
        let order = gimli::Reader::endian(&expression.0);
        if expression.0.bytes().is_empty() {
            return Ok(Location::OptimizedOut);
        }
        let mut evaluation = expression.evaluation(encoding);
        evaluation.set_max_iterations(MAX_OPERATIONS);
        if let Some(initial) = initial {
            evaluation.set_initial_value(initial);
        }
        let generic = gimli::UnitOffset(0);
        let mut state = evaluation.evaluate()?;
        loop {
            state = match state {
                EvaluationResult::Complete => break,
                EvaluationResult::RequiresMemory { address, size, space: None, base_type }
                    if base_type == generic =>
                {
                    evaluation.resume_with_memory(Value::Generic(self.frame.number(address, size, order)?))?
                }
                EvaluationResult::RequiresRegister { register, base_type } if base_type == generic => {
                    evaluation.resume_with_register(Value::Generic(self.frame.register(register.0)?))?
                }
                EvaluationResult::RequiresFrameBase => {
                    let base = self
                        .frame_base
                        .ok_or_else(|| DebugError::UnknownRegister("frame base".to_owned()))?;
                    evaluation.resume_with_frame_base(base)?
                }
                EvaluationResult::RequiresCallFrameCfa => {
                    let cfa = self
                        .frame
                        .cfa
                        .ok_or_else(|| DebugError::UnknownRegister("frame address".to_owned()))?;
                    evaluation.resume_with_call_frame_cfa(cfa)?
                }
                EvaluationResult::RequiresRelocatedAddress(address) => {
                    evaluation.resume_with_relocated_address(address.wrapping_add(self.frame.bias))?
                }
                EvaluationResult::RequiresIndexedAddress { index, relocate } => {
                    let unit = self.unit.ok_or(DebugError::BadReference)?;
                    let address = unit.dwarf.address(&unit.unit, index)?;
                    let bias = if relocate { self.frame.bias } else { 0 };
                    evaluation.resume_with_indexed_address(address.wrapping_add(bias))?
                }
                EvaluationResult::RequiresEntryValue(_) => {
                    return Err(DebugError::UnknownRegister("value at the start of the function".to_owned()));
                }
                _ => {
                    return Err(DebugError::Unsupported {
                        name: "location".to_owned(),
                        problem: "an expression of this form".to_owned(),
                    });
                }
            };
        }
        let pieces = evaluation.result();
        let [piece] = pieces.as_slice() else {
            return Ok(if pieces.is_empty() { Location::OptimizedOut } else { Location::Split });
        };
        Ok(match &piece.location {
            gimli::Location::Empty | gimli::Location::ImplicitPointer { .. } => Location::OptimizedOut,
            gimli::Location::Register { register } => Location::Register(register.0),
            gimli::Location::Address { address } => Location::Memory(*address),
            gimli::Location::Value { value } => value
                .to_u64(if self.address_size == 4 { u32::MAX.into() } else { u64::MAX })
                .map_or(Location::OptimizedOut, Location::Value),
            gimli::Location::Bytes { value } => match value.bytes() {
                bytes if bytes.len() <= 8 => {
                    let mut all = [0; 8];
                    all[..bytes.len()].copy_from_slice(bytes);
                    match order {
                        gimli::RunTimeEndian::Little => Location::Value(u64::from_le_bytes(all)),
                        gimli::RunTimeEndian::Big => {
                            let unused = 8 * (8 - bytes.len().max(1));
                            Location::Value(u64::from_be_bytes(all) >> unused)
                        }
                    }
                }
                _ => Location::Split,
            },
        })
    }
}
