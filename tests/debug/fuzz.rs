//! Damaged debug information and truncated files: no panic, and an answer soon.

use super::compile::{compile, open_file};
use object::{Object as _, ObjectSection as _};
use shmlens::decode::debug::{Frame, Program, Registers, Symbols};
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

/// Damaged files in a test run, and in the full run:
/// `cargo test --release --test promises -- --ignored debug::fuzz`.
const COUNT: u64 = 2000;
const COUNT_IN_FULL: u64 = 2_000_000;
const LONGEST: Duration = Duration::from_secs(20);
/// Types, variables and functions of each file that are looked at.
const MOST: usize = 12;

const SOURCE: &str = r#"
namespace ns {
enum class Mode : signed char { Off = -1, On = 5 };
template <class T, int N> struct Ring { T data[N]; unsigned a : 3, b : 9; Ring *next; struct Slot { T t; } slot; };
struct Base { int id; virtual void f() {} };
struct Other { double d; };
struct Derived : Base, Other { short matrix[2][3]; union { float f; int i; }; Mode mode; const char *name; };
struct Virtual : virtual Base { int own; };
typedef struct { long x; Derived *all[2]; } Alias;
Alias alias; Virtual with_virtual; Ring<float, 4> ring; Derived *pointer;
static inline int helper(int a) { volatile int b = a; return b + 1; }
__attribute__((noinline)) int work(Derived *d, int n) { static int calls; int sum = 0; for (int i = 0; i < n; i++) { Derived local = *d; sum += helper(i) + local.id; } return sum + calls++; }
}
extern "C" int main() { struct Local { int x; } local = {1}; return ns::work(ns::pointer, local.x); }
"#;

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % end.max(1)
    }
}

/// A program, and where its sections are that describe it.
struct Original {
    bytes: Vec<u8>,
    /// The larger ones are damaged as often as the smaller ones.
    sections: Vec<Range<usize>>,
}

fn originals() -> Vec<Original> {
    let mut originals = vec![];
    for options in [
        ["-gdwarf-5", "-O0", "-no-pie", "-w"],
        ["-gdwarf-4", "-O2", "-fdebug-types-section", "-w"],
        ["-gdwarf-5", "-O1", "-gz", "-w"],
        ["-gdwarf-3", "-O1", "-gstrict-dwarf", "-w"],
    ] {
        let Some(made) = compile("g++", "cpp", SOURCE, &options) else { return vec![] };
        let bytes = fs::read(&made.path).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let sections = file.sections().filter(|section| {
            section.name().is_ok_and(|name| {
                [".debug", ".eh_frame", ".symtab", ".strtab"].iter().any(|start| name.starts_with(start))
            })
        });
        let range = |(start, size): (u64, u64)| {
            let start = usize::try_from(start).unwrap();
            start..start + usize::try_from(size).unwrap()
        };
        let mut sections: Vec<_> = sections.filter_map(|section| section.file_range().map(range)).collect();
        sections.push(0..64);
        let table = usize::try_from(u64::from_le_bytes(bytes[40..48].try_into().unwrap())).unwrap();
        sections.push(table..bytes.len());
        originals.push(Original { bytes, sections });
    }
    originals
}

impl Original {
    fn damaged(&self, random: &mut Random) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for _ in 0..=random.below(6) {
            let section = &self.sections[random.below(self.sections.len())];
            let at = section.start + random.below(section.len());
            let value = [0, 1, 0x7f, 0x80, 0xff, u8::try_from(random.below(256)).unwrap()][random.below(6)];
            match random.below(6) {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => {
                    let end = (at + random.below(9)).min(section.end);
                    bytes[at..end].fill(value);
                }
                2 => {
                    // Another place of the same section: most often it is valid there too.
                    let from = section.start + random.below(section.len());
                    let length = random.below(16).min(section.end - at.max(from));
                    bytes.copy_within(from..from + length, at);
                }
                _ => bytes[at] = value,
            }
        }
        if random.below(20) == 0 {
            bytes.truncate(random.below(bytes.len()));
        }
        bytes
    }
}

/// Asks for everything. Returns true if some of it was right.
fn ask(random: &mut Random, bytes: &[u8]) -> bool {
    let Ok(program) = Program::open(&bytes, Path::new("/program"), &open_file) else { return false };
    let symbols = Symbols::open(&bytes, Path::new("/program"), &open_file).ok();
    let types = program.types().unwrap_or_default();
    let mut right = false;
    for _ in 0..types.len().min(MOST) {
        let named = &types[random.below(types.len())];
        let Ok(ty) = program.ty(named.id) else { continue };
        right = true;
        let bytes = vec![0xa5; 256];
        let mut record = vec![];
        ty.decode(&bytes).push_csv(&mut record);
        let _ = (record.len(), ty.to_string());
        let _ = program.pointers(named.id);
    }
    for name in ["ns::Ring<float,4>", "Alias", "Local", "ns::Derived"] {
        let _ = program.find(name);
    }
    let variables = program.variables().unwrap_or_default();
    for variable in variables.iter().take(MOST) {
        let _ = (program.pointers(variable.ty), program.ty(variable.ty), program.type_name(variable.ty));
    }
    let registers: Registers =
        (0..17).map(|register| (register, 0x40_0000 + u64::from(register) * 64)).collect();
    let read = |address: u64, bytes: &mut [u8]| {
        bytes.fill(u8::try_from(address % 251).unwrap());
        !address.is_multiple_of(7)
    };
    for address in (0x1000..0x1300).step_by(24) {
        let address = address + if random.below(2) == 0 { 0x40_0000 } else { 0 };
        let mut frame = Frame { address, registers: &registers, cfa: Some(0x7f00), bias: 0, read: &read };
        if let Ok(caller) = program.unwind(&frame) {
            frame.cfa = Some(caller.cfa);
        }
        if let Ok(Some(function)) = program.function_at(address) {
            let _ = program.locals(&function, &frame);
        }
        let _ = (program.sources_at(address), symbols.as_ref().map(|symbols| symbols.at(address)));
    }
    right
}

fn fuzz(seeds: Range<u64>) -> Option<usize> {
    let originals = originals();
    if originals.is_empty() {
        return None;
    }
    let mut right = 0;
    for original in &originals {
        assert!(ask(&mut Random(1), &original.bytes));
    }
    for seed in seeds {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let bytes = originals[random.below(originals.len())].damaged(&mut random);
        let start = Instant::now();
        right += usize::from(ask(&mut random, &bytes));
        assert!(start.elapsed() < LONGEST, "{seed}: {:?}", start.elapsed());
    }
    Some(right)
}

#[test]
fn damaged_debug_information_does_not_panic() {
    let Some(right) = fuzz(0..COUNT) else { return };
    println!("{right} of {COUNT} still right");
    assert!(right * 4 > usize::try_from(COUNT).unwrap(), "{right} of {COUNT} still right");
}

#[test]
#[ignore = "takes an hour"]
fn millions_of_damaged_files_do_not_panic() {
    println!("{:?} of {COUNT_IN_FULL} still right", fuzz(COUNT..COUNT + COUNT_IN_FULL));
}
