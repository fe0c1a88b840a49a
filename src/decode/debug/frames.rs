//! Unwinds a frame of a stack with call frame information.

use super::error::{DebugError, Result};
use super::file::Slice;
use super::location::{Evaluator, Frame, Registers};
use super::program::Program;
use gimli::{
    CfaRule, DebugFrame, EhFrame, EhFrameHdr, EhFrameOffset, FrameDescriptionEntry, RegisterRule,
    RunTimeEndian, UnwindContext, UnwindExpression, UnwindSection, UnwindTableRow,
};
use object::elf;

/// Numbers of registers of x86-64.
const RBX: u16 = 3;
const RBP: u16 = 6;
const RSP: u16 = 7;
const R12: u16 = 12;
const R15: u16 = 15;
const RETURN_ADDRESS: u16 = 16;

/// The frame of the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The canonical frame address of the frame that was unwound.
    pub cfa: u64,
    /// The register that the canonical frame address is counted from, and its value in the frame.
    pub base: Option<(u16, u64)>,
    /// The registers of the caller, as far as they are known.
    pub registers: Registers,
    /// `None` at the end of the stack.
    pub return_address: Option<u64>,
    /// The frame was entered by a signal: the return address is that of the next instruction, rather
    /// than that after a call.
    pub is_signal: bool,
}

type Row = UnwindTableRow<usize>;

impl Program {
    /// Finds the caller of a frame.
    ///
    /// # Errors
    /// Fails if there is no call frame information for the address, if it needs a register that is
    /// unknown, or on processors other than x86-64.
    pub fn unwind(&self, frame: &Frame<'_>) -> Result<Caller> {
        let machine = self.sections.machine;
        if machine != elf::EM_X86_64.0 || self.sections.address_size != 8 {
            return Err(DebugError::Architecture(architecture(machine)));
        }
        let address = frame.address.wrapping_sub(frame.bias);
        let frames = &self.sections.frames;
        let mut context = UnwindContext::new();
        let eh_frame = EhFrame::from(frames.eh_frame.clone());
        let entry = self
            .table_entry(&eh_frame, address)
            .or_else(|| eh_frame.fde_for_address(&frames.addresses, address, EhFrame::cie_from_offset).ok());
        if let Some(entry) = entry {
            let row = entry.unwind_info_for_address(&eh_frame, &frames.addresses, &mut context, address)?;
            return Step { frame, section: &eh_frame, row }.caller(entry.is_signal_trampoline());
        }
        let debug_frame = DebugFrame::from(frames.debug_frame.clone());
        let entry = debug_frame
            .fde_for_address(&frames.addresses, address, DebugFrame::cie_from_offset)
            .map_err(|_| DebugError::NoFrame(frame.address))?;
        let row = entry.unwind_info_for_address(&debug_frame, &frames.addresses, &mut context, address)?;
        Step { frame, section: &debug_frame, row }.caller(entry.is_signal_trampoline())
    }

    /// Looks the address up in the sorted table, which is quick.
    fn table_entry(&self, eh_frame: &EhFrame<Slice>, address: u64) -> Option<FrameDescriptionEntry<Slice>> {
        let frames = &self.sections.frames;
        let header = EhFrameHdr::from(frames.eh_frame_hdr.clone()).parse(&frames.addresses, 8).ok()?;
        let found = header.table()?.lookup(address, &frames.addresses).ok()?.direct().ok()?;
        let offset = found.checked_sub(header.eh_frame_ptr().direct().ok()?)?;
        let offset = EhFrameOffset(usize::try_from(offset).ok()?);
        let entry = eh_frame.fde_from_offset(&frames.addresses, offset, EhFrame::cie_from_offset).ok()?;
        entry.contains(address).then_some(entry)
    }
}

fn architecture(machine: u16) -> String {
    match elf::Machine(machine) {
        elf::EM_AARCH64 => "64-bit ARM".to_owned(),
        elf::EM_ARM => "32-bit ARM".to_owned(),
        elf::EM_386 => "32-bit x86".to_owned(),
        elf::EM_RISCV => "RISC-V".to_owned(),
        elf::EM_X86_64 => "x32".to_owned(),
        _ => format!("machine {machine}"),
    }
}

/// A frame and the rules for its address.
struct Step<'a, S> {
    frame: &'a Frame<'a>,
    section: &'a S,
    row: &'a Row,
}

impl<S: UnwindSection<Slice>> Step<'_, S> {
    fn caller(&self, is_signal: bool) -> Result<Caller> {
        let (cfa, base) = match (self.frame.cfa, self.row.cfa()) {
            (Some(cfa), CfaRule::RegisterAndOffset { register, offset }) => {
                (cfa, Some((register.0, cfa.wrapping_sub(offset.cast_unsigned()))))
            }
            (None, CfaRule::RegisterAndOffset { register, offset }) => {
                let value = self.frame.register(register.0)?;
                (value.wrapping_add_signed(*offset), Some((register.0, value)))
            }
            (Some(cfa), CfaRule::Expression(_)) => (cfa, None),
            (None, CfaRule::Expression(expression)) => (self.evaluate(expression, None)?, None),
        };
        let mut registers = Registers::new();
        // Functions keep the values of these.
        for register in [RBX, RBP].into_iter().chain(R12..=R15) {
            registers.extend(self.frame.registers.get(&register).map(|&value| (register, value)));
        }
        registers.insert(RSP, cfa);
        for (register, rule) in self.row.registers() {
            let value = match rule {
                RegisterRule::SameValue => Ok(self.frame.registers.get(&register.0).copied()),
                RegisterRule::Offset(offset) => self.word(cfa.wrapping_add_signed(*offset)).map(Some),
                RegisterRule::ValOffset(offset) => Ok(Some(cfa.wrapping_add_signed(*offset))),
                RegisterRule::Register(other) => Ok(self.frame.registers.get(&other.0).copied()),
                RegisterRule::Expression(expression) => {
                    self.evaluate(expression, Some(cfa)).and_then(|address| self.word(address)).map(Some)
                }
                RegisterRule::ValExpression(expression) => self.evaluate(expression, Some(cfa)).map(Some),
                RegisterRule::Constant(value) => Ok(Some(*value)),
                RegisterRule::Undefined | RegisterRule::Architectural => Ok(None),
            };
            match value {
                Ok(Some(value)) => registers.insert(register.0, value),
                Err(error) if register.0 == RETURN_ADDRESS => return Err(error),
                Ok(None) | Err(_) => registers.remove(&register.0),
            };
        }
        let return_address = registers.get(&RETURN_ADDRESS).copied().filter(|&address| address != 0);
        Ok(Caller { cfa, base, registers, return_address, is_signal })
    }

    fn word(&self, address: u64) -> Result<u64> {
        self.frame.number(address, 8, RunTimeEndian::Little)
    }

    fn evaluate(&self, expression: &UnwindExpression<usize>, initial: Option<u64>) -> Result<u64> {
        let expression = expression.get(self.section)?;
        let encoding = gimli::Encoding { address_size: 8, format: gimli::Format::Dwarf32, version: 4 };
        let evaluator = Evaluator { frame: self.frame, unit: None, frame_base: None, address_size: 8 };
        evaluator.number(expression, encoding, initial)
    }
}
