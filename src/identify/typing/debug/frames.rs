//! The frames of a thread, unwound from its stack pointer and program counter alone if need be.
//!
//! Call frame information needs the frame pointer in most functions that were compiled without
//! optimization, and the frame pointer of a sleeping thread is unknown. The first instructions of such a
//! function then tell the size of its frame. Where they do not, its return address is searched for on
//! the stack: it follows a call of that function.

use super::address_space::{AddressSpace, RIP, RSP};
use super::modules::{self, Module};
use crate::decode::debug::{Frame, Function, Local, Registers};

/// Frames of a thread.
const MAX_FRAMES: usize = 64;
/// Bytes of the stack that are searched for a return address.
const MAX_SEARCH: u64 = 256 << 10;
/// Bytes behind a return address that are searched for another one of the same function.
const MAX_FRAME: u64 = 1 << 10;

/// A frame of a function with debug information.
pub struct StackFrame<'a> {
    pub module: &'a Module,
    pub function: Function,
    pub registers: Registers,
    /// Set if it, or a frame below, was found by an indirect call, which may be of another function, or
    /// by one of several calls of this one.
    pub is_guessed: bool,
    address: u64,
    cfa: u64,
}

impl StackFrame<'_> {
    /// The parameters and variables in scope.
    pub fn locals(&self, space: &AddressSpace) -> Vec<Local> {
        let read = |address: u64, into: &mut [u8]| space.read(address, into);
        let frame = Frame {
            address: self.address,
            registers: &self.registers,
            cfa: Some(self.cfa),
            bias: self.module.bias,
            read: &read,
        };
        self.module.program.locals(&self.function, &frame).unwrap_or_default()
    }
}

/// Returns the frames with debug information, innermost first. The registers of the thread have at least
/// its stack pointer and program counter.
pub fn of_thread<'a>(
    space: &AddressSpace,
    modules: &'a [Module],
    mut registers: Registers,
) -> Vec<StackFrame<'a>> {
    let read = |address: u64, into: &mut [u8]| space.read(address, into);
    let mut frames = vec![];
    let known = |register| registers.get(&register).copied();
    let (Some(stack), Some(mut address)) = (known(RSP), known(RIP)) else { return frames };
    let mut is_guessed = false;
    for _ in 0..MAX_FRAMES {
        let Some(module) = modules::at(modules, address) else { break };
        let function = module.program.function_at(address.wrapping_sub(module.bias)).ok().flatten();
        let frame = |cfa| Frame { address, registers: &registers, cfa, bias: module.bias, read: &read };
        let mut caller = module.program.unwind(&frame(None)).ok();
        let is_followed =
            |address: Option<u64>| address.is_some_and(|to| Call::before(space, modules, to).is_some());
        if !caller.as_ref().is_some_and(|caller| caller.is_signal || is_followed(caller.return_address)) {
            let from = registers.get(&RSP).copied().unwrap_or(stack);
            let start = function.as_ref().map(|function| function.addresses.start.wrapping_add(module.bias));
            let found = frame_start(space, modules, from, start)
                .map(|cfa| (cfa, false))
                .or_else(|| find_return_address(space, modules, from, start));
            let Some((cfa, guessed)) = found else { break };
            is_guessed |= guessed;
            caller = module.program.unwind(&frame(Some(cfa))).ok();
        }
        let Some(caller) = caller else { break };
        if let Some(function) = function {
            let mut registers = registers.clone();
            registers.extend(caller.base);
            frames.push(StackFrame { module, function, registers, is_guessed, address, cfa: caller.cfa });
        }
        // The stack grows down: a frame that does not lead up is damaged.
        let is_above = registers.get(&RSP).is_none_or(|&stack| caller.cfa > stack);
        let Some(next) = caller.return_address.filter(|_| is_above) else { break };
        // The return address may be that of the next function.
        address = if caller.is_signal { next } else { next.wrapping_sub(1) };
        registers = caller.registers;
    }
    frames
}

/// Returns the canonical frame address of a function that starts at `start` and has set up its frame, from
/// the size that its first instructions give it. `None` if no call precedes the return address there.
fn frame_start(space: &AddressSpace, modules: &[Module], stack: u64, start: Option<u64>) -> Option<u64> {
    let mut code = [0; 32];
    space.read(start?, &mut code).then_some(())?;
    let cfa = stack.checked_add(frame_size(&code)?)?;
    let return_address = space.number(cfa.checked_sub(8)?, 8, true)?;
    Call::before(space, modules, return_address).map(|_| cfa)
}

/// The bytes from the stack pointer to the canonical frame address in a function that starts with
/// `push %rbp; mov %rsp, %rbp`, pushes of other registers and `sub $SIZE, %rsp`, as compilers write it
/// without optimization.
fn frame_size(code: &[u8]) -> Option<u64> {
    let code = code.strip_prefix(&[0xf3, 0x0f, 0x1e, 0xfa]).unwrap_or(code);
    let mut code = code.strip_prefix(&[0x55, 0x48, 0x89, 0xe5])?;
    // The return address and the saved frame pointer.
    let mut size = 16;
    loop {
        code = match code {
            [0x53, rest @ ..] | [0x41, 0x54..=0x57, rest @ ..] => {
                size += 8;
                rest
            }
            [0x48, 0x83, 0xec, bytes, ..] => return Some(size + u64::from(*bytes)),
            [0x48, 0x81, 0xec, a, b, c, d, ..] => {
                return Some(size + u64::from(u32::from_le_bytes([*a, *b, *c, *d])));
            }
            _ => return None,
        };
    }
}

/// Searches the stack for the return address of a function that starts at `start`. Returns the
/// canonical frame address of the function, and whether the call may be another one: an earlier call of
/// the same function leaves its return address on the stack.
fn find_return_address(
    space: &AddressSpace,
    modules: &[Module],
    stack: u64,
    start: Option<u64>,
) -> Option<(u64, bool)> {
    let range = space.rest_of_mapping(stack)?;
    let end = range.end.min(stack.checked_add(MAX_SEARCH)?);
    let (mut direct, mut indirect) = (None::<u64>, None);
    for at in (stack.next_multiple_of(8)..end.saturating_sub(7)).step_by(8) {
        if direct.is_some_and(|cfa| at >= cfa.saturating_add(MAX_FRAME)) {
            break;
        }
        let Some(word) = space.number(at, 8, true) else { break };
        match Call::before(space, modules, word) {
            Some(Call::Direct(target)) if Some(target) == start => match direct {
                Some(cfa) => return Some((cfa, true)),
                None => direct = Some(at + 8),
            },
            Some(Call::Indirect) => indirect = indirect.or(Some(at + 8)),
            _ => {}
        }
    }
    direct.map(|cfa| (cfa, false)).or(indirect.map(|cfa| (cfa, true)))
}

/// A call instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    /// Of the function at this address.
    Direct(u64),
    Indirect,
}

impl Call {
    /// The call instruction that ends at an address.
    fn before(space: &AddressSpace, modules: &[Module], address: u64) -> Option<Self> {
        modules::at(modules, address.checked_sub(1)?)?;
        let mut bytes = [0; 7];
        space.read(address.checked_sub(7)?, &mut bytes).then_some(())?;
        Self::parse(bytes, address)
    }

    /// Parses the end of these instructions: `e8 rel32`, and the forms of `ff /2`.
    const fn parse(bytes: [u8; 7], address: u64) -> Option<Self> {
        let [_, b6, b5, b4, b3, b2, b1] = bytes;
        if b5 == 0xe8 {
            let distance = i32::from_le_bytes([b4, b3, b2, b1]) as i64;
            return Some(Self::Direct(address.wrapping_add_signed(distance)));
        }
        let is_register = is_call(b2, b1, 3);
        let is_memory = is_call(b2, b1, 0) && b1 & 7 != 4 && b1 & 7 != 5;
        let is_byte_offset = is_call(b3, b2, 1) || is_call(b4, b3, 1) && b3 & 7 == 4;
        let is_word_offset = is_call(b6, b5, 2) || is_call(b6, b5, 0) && b5 & 7 == 5;
        if is_register || is_memory || is_byte_offset || is_word_offset { Some(Self::Indirect) } else { None }
    }
}

/// Returns true for `ff /2`. The upper bits of its second byte tell the form.
const fn is_call(opcode: u8, modrm: u8, form: u8) -> bool {
    opcode == 0xff && modrm >> 3 & 7 == 2 && modrm >> 6 == form
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_instructions_tell_the_size_of_a_frame() {
        for (code, size) in [
            (&[0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x20, 0x90][..], Some(0x30)),
            (&[0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x48, 0x89, 0xe5, 0x48, 0x81, 0xec, 0, 1, 0, 0], Some(0x110)),
            (&[0x55, 0x48, 0x89, 0xe5, 0x41, 0x54, 0x53, 0x48, 0x83, 0xec, 0x10], Some(0x30)),
            (&[0x55, 0x48, 0x89, 0xe5, 0xb8, 0, 0, 0, 0], None),
            (&[0x53, 0x48, 0x83, 0xec, 0x10], None),
            (&[], None),
        ] {
            assert_eq!(frame_size(code), size, "{code:x?}");
        }
    }

    #[test]
    fn calls_are_recognized_by_their_last_bytes() {
        let parse = |bytes| Call::parse(bytes, 0x1000);
        for (bytes, call) in [
            ([0, 0, 0xe8, 0xf0, 0xff, 0xff, 0xff], Some(Call::Direct(0xff0))),
            ([0, 0, 0, 0, 0, 0xff, 0xd0], Some(Call::Indirect)),
            ([0, 0, 0, 0, 0, 0xff, 0x10], Some(Call::Indirect)),
            ([0, 0, 0, 0, 0xff, 0x50, 0x18], Some(Call::Indirect)),
            ([0, 0, 0, 0xff, 0x54, 0x24, 0x08], Some(Call::Indirect)),
            ([0, 0xff, 0x15, 0x10, 0x20, 0, 0], Some(Call::Indirect)),
            ([0, 0xff, 0x93, 0x10, 0x20, 0, 0], Some(Call::Indirect)),
            // A jump, and a push.
            ([0, 0, 0, 0, 0, 0xff, 0xe0], None),
            ([0, 0, 0, 0, 0, 0xff, 0x30], None),
            ([0; 7], None),
        ] {
            assert_eq!(parse(bytes), call, "{bytes:x?}");
        }
    }
}
