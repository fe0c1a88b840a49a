//! A record of a write.

/// Registers in each record, by their DWARF numbers. 16 is the instruction pointer.
pub const REGISTERS: usize = 17;
/// rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, rip, r8 to r15 (`arch/x86/include/uapi/asm/perf_regs.h`).
pub(super) const REGISTER_MASK: u64 = if cfg!(target_arch = "x86_64") { 0x00ff_01ff } else { 0 };
/// Their DWARF numbers, in the order of a record.
const DWARF_NUMBERS: [usize; REGISTERS] = [0, 3, 2, 1, 4, 5, 6, 7, 16, 8, 9, 10, 11, 12, 13, 14, 15];
/// `PERF_SAMPLE_REGS_ABI_64`.
const ABI_64: u64 = 2;

/// A write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample<'a> {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
    pub pid: u32,
    pub tid: u32,
    /// On x86, the address after the instruction that wrote.
    pub instruction: u64,
    /// The address of the watchpoint.
    pub address: u64,
    /// The registers of a 64-bit x86 program, by their DWARF numbers.
    pub registers: Option<[u64; REGISTERS]>,
    /// The stack from the stack pointer on.
    pub stack: &'a [u8],
}

impl<'a> Sample<'a> {
    /// Parses a record of a watchpoint. `None` if it is too short.
    pub(super) fn parse(record: &'a [u8]) -> Option<Self> {
        let mut rest = record;
        let mut number = || {
            let (first, after) = rest.split_first_chunk::<8>()?;
            rest = after;
            Some(u64::from_ne_bytes(*first))
        };
        let (instruction, ids, time, address) = (number()?, number()?, number()?, number()?);
        let [pid, tid] = halves(ids);
        let mut sample = Self { time, pid, tid, instruction, address, registers: None, stack: &[] };
        if REGISTER_MASK == 0 {
            return Some(sample);
        }
        let abi = number()?;
        if abi != 0 {
            let mut registers = [0; REGISTERS];
            for register in DWARF_NUMBERS {
                registers[register] = number()?;
            }
            sample.registers = (abi == ABI_64).then_some(registers);
        }
        let size = usize::try_from(number()?).ok()?;
        if size > 0 {
            let stack = rest.get(..size)?;
            let used = u64::from_ne_bytes(*rest.get(size..)?.first_chunk()?);
            sample.stack = stack.get(..usize::try_from(used).ok()?)?;
        }
        Some(sample)
    }
}

/// Two numbers of 4 bytes in their order in memory.
fn halves(number: u64) -> [u32; 2] {
    let bytes = number.to_ne_bytes();
    let half = |at: usize| bytes[at..].first_chunk().map_or(0, |half| u32::from_ne_bytes(*half));
    [half(0), half(4)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_records_end_the_read() {
        let bytes =
            |numbers: &[u64]| numbers.iter().flat_map(|number| number.to_ne_bytes()).collect::<Vec<_>>();
        for length in 0..32 {
            assert_eq!(Sample::parse(&bytes(&[1, 2, 3, 4])[..length]), None);
        }
        if !cfg!(target_arch = "x86_64") {
            return;
        }
        let none = bytes(&[0x10, 1 << 32 | 7, 3, 4, 0, 0]);
        let found = Sample::parse(&none).unwrap();
        assert_eq!((found.pid, found.tid, found.registers, found.stack), (7, 1, None, &[][..]));
        let registers: Vec<u64> = [1, 2, 3, 4, 2].into_iter().chain(100..117).collect();
        let with = |stack: &[u64]| bytes(&[registers.as_slice(), stack].concat());
        assert_eq!(Sample::parse(&with(&[16, 8, 9, 8])).unwrap().stack, 8_u64.to_ne_bytes());
        assert_eq!(Sample::parse(&with(&[0])).unwrap().registers.unwrap()[..4], [100, 103, 102, 101]);
        for wrong in [&[u64::MAX][..], &[16, 8, 9], &[16, 8, 9, 17], &[8, 1, u64::MAX], &[1 << 60, 1, 1]] {
            assert_eq!(Sample::parse(&with(wrong)), None, "{wrong:?}");
        }
    }
}
