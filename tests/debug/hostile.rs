//! Debug information that no compiler writes: it ends with an error, soon.

use super::compile::{Compiled, compile, open_file};
use object::{Object as _, ObjectSection as _};
use shmlens::decode::debug::{DebugError, Program};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// The abbreviations of the entries below.
const ABBREVIATIONS: &str = r#"
    .section .debug_abbrev,"",@progbits
    .uleb128 1, 0x11, 1, 0, 0                          # unit
    .uleb128 2, 0x13, 1, 3, 8, 11, 7, 0, 0             # struct: name, size
    .uleb128 3, 0x0d, 0, 3, 8, 0x49, 0x13, 0x38, 15, 0, 0 # member: name, type, offset
    .uleb128 4, 0x16, 0, 3, 8, 0x49, 0x13, 0, 0        # typedef: name, type
    .uleb128 5, 0x24, 0, 3, 8, 11, 11, 0x3e, 11, 0, 0  # base type: name, size, encoding
    .uleb128 6, 0x39, 1, 3, 8, 0x89, 0x19, 0, 0        # inline namespace: name
    .uleb128 7, 1, 1, 0x49, 0x13, 0, 0                 # array: type
    .uleb128 8, 0x21, 0, 0x2f, 7, 0, 0                 # its dimension: upper bound
    .uleb128 9, 0x13, 1, 3, 8, 11, 7, 0x47, 0x13, 0, 0 # struct with a declaration
    .uleb128 10, 0x39, 1, 3, 8, 1, 0x13, 0, 0          # namespace: name, sibling
    .byte 0
    .section .debug_info,"",@progbits
start:
    .long end - start - 4
    .short 4
    .long 0
    .byte 8
    .uleb128 1
"#;

fn struct_of(name: &str, size: u64, members: &[(&str, &str, u64)]) -> String {
    let mut text = format!("{name}: .uleb128 2\n .asciz \"{name}\"\n .quad {size}\n");
    for (member, ty, offset) in members {
        writeln!(text, " .uleb128 3\n .asciz \"{member}\"\n .long {ty} - start\n .uleb128 {offset}").unwrap();
    }
    text + " .byte 0\n"
}

fn array_of(label: &str, ty: &str, count: u64) -> String {
    format!("{label}: .uleb128 7\n .long {ty} - start\n .uleb128 8\n .quad {}\n .byte 0\n", count - 1)
}

fn alias(name: &str, ty: &str) -> String {
    format!("{name}: .uleb128 4\n .asciz \"{name}\"\n .long {ty} - start\n")
}

const INT: &str = "int: .uleb128 5\n .asciz \"int\"\n .byte 4, 5\n";

fn program(entries: &[String]) -> Option<Program> {
    let source = format!("{ABBREVIATIONS}{INT}{} .byte 0\nend:\n", entries.concat());
    let made: Compiled = compile("gcc", "s", &source, &["-nostdlib", "-static", "-Wl,--entry=0"])?;
    Some(made.open())
}

/// Runs at most for a moment.
fn at_once<T>(run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    result
}

#[test]
fn record_that_contains_itself_is_refused() {
    let Some(program) = program(&[
        struct_of("Self", 8, &[("self", "Self", 0)]),
        struct_of("One", 8, &[("other", "Many", 0)]),
        array_of("many", "One", 2),
        alias("Many", "many"),
        alias("Circle", "Round"),
        alias("Round", "Circle"),
        struct_of("Fine", 4, &[("x", "int", 0)]),
    ]) else {
        return;
    };
    for name in ["Self", "One", "Circle"] {
        let error = at_once(|| program.find(name)).unwrap_err();
        assert!(matches!(error, DebugError::Recursive(_) | DebugError::UnknownType(_)), "{name}: {error}");
    }
    assert_eq!(program.find("Self").unwrap_err().to_string(), "'Self' contains itself");
    assert_eq!(program.find("Fine").unwrap().size(), 4);
    assert!(program.types().unwrap().iter().any(|ty| ty.name == "Fine"));
    for ty in program.types().unwrap() {
        let _ = at_once(|| program.pointers(ty.id));
    }
}

#[test]
fn long_chains_are_refused() {
    let chain = |count: usize, last: &str| -> Vec<String> {
        let name = |number: usize| if number == count { last.to_owned() } else { format!("T{number}") };
        (0..count).map(|number| alias(&name(number), &name(number + 1))).collect()
    };
    let Some(long) = program(&chain(20_000, "int")) else { return };
    let error = at_once(|| long.find("T0")).unwrap_err().to_string();
    assert!(error.contains("nested more than"), "{error}");
    assert_eq!(program(&chain(20, "int")).unwrap().find("T0").unwrap().size(), 4);
    let nested: Vec<String> = (0..5000)
        .map(|number| match number {
            0 => struct_of("S0", 4, &[("x", "int", 0)]),
            _ => struct_of(&format!("S{number}"), 4, &[("x", &format!("S{}", number - 1), 0)]),
        })
        .collect();
    let nested = program(&nested).unwrap();
    assert_eq!(nested.find("S9").unwrap().leaf_count(), 1);
    assert!(at_once(|| nested.find("S4999")).is_err());
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    let Some(program) = program(&[
        struct_of("Large", 1 << 40, &[("x", "int", 0)]),
        array_of("huge", "Large", 1 << 40),
        alias("Huge", "huge"),
        struct_of("Outside", 4, &[("x", "int", 1)]),
        struct_of("Far", 8, &[("x", "int", u64::MAX - 1)]),
        struct_of("Negative", u64::MAX, &[]),
    ]) else {
        return;
    };
    for (name, problem) in [
        ("Huge", "too large"),
        ("Outside", "ends after its struct"),
        ("Far", "ends after its struct"),
        ("Negative", "too large"),
    ] {
        let error = program.find(name).unwrap_err().to_string();
        assert!(error.contains(problem), "{name}: {error}");
    }
}

#[test]
fn deep_and_circular_scopes_end() {
    let depth = 40_000;
    let mut deep: String = (0..depth).map(|_| " .uleb128 6\n .asciz \"n\"\n".to_owned()).collect();
    deep += &struct_of("Deep", 4, &[("x", "int", 0)]);
    deep += &" .byte 0\n".repeat(depth);
    let apart = |name: &str, other: &str| {
        format!("{name}: .uleb128 9\n .asciz \"{name}\"\n .quad 4\n .long {other} - start\n .byte 0\n")
    };
    // The next entry of one is before it.
    let back = "back: .uleb128 10\n .asciz \"back\"\n .long back - start\n .byte 0\n".to_owned();
    let entries = [struct_of("First", 4, &[]), back, apart("Left", "Right"), apart("Right", "Left"), deep];
    let Some(program) = program(&entries) else { return };
    at_once(|| {
        assert_eq!(program.find("First").unwrap().size(), 4);
        let _ = (program.find("Deep"), program.find("Left"), program.find("n::Deep"), program.find("none"));
        assert!(program.types().unwrap().iter().any(|ty| ty.name.ends_with("Left")));
    });
}

#[test]
fn decompressed_size_is_checked() {
    let fields: Vec<String> = (0..300).map(|number| format!("int field_{number};")).collect();
    let source = format!("struct S {{ {} }} s; int main() {{ return s.field_0; }}", fields.concat());
    let Some(made) = compile("gcc", "c", &source, &["-g", "-gz=zlib"]) else { return };
    let original = fs::read(&made.path).unwrap();
    let open = |bytes: &[u8]| Program::open(&bytes, Path::new("/program"), &open_file).map(|_| ());
    assert_eq!(open(&original), Ok(()));
    let file = object::File::parse(&*original).unwrap();
    let section = file.section_by_name(".debug_str").unwrap();
    let start = usize::try_from(section.file_range().unwrap().0).unwrap();
    assert!(section.compressed_file_range().unwrap().uncompressed_size > section.size() / 2);
    let size = u64::from_le_bytes(original[start + 8..start + 16].try_into().unwrap());
    for wrong in [size + 1, 1 << 24, 1 << 40, u64::MAX] {
        let mut bytes = original.clone();
        bytes[start + 8..start + 16].copy_from_slice(&wrong.to_le_bytes());
        let error = at_once(|| open(&bytes)).unwrap_err().to_string();
        assert!(error.contains(".debug_str cannot be decompressed"), "{wrong}: {error}");
    }
}

#[test]
fn program_of_32_bits_has_addresses_of_4_bytes() {
    let source = "struct S { char c; struct S *next; long l; double d; long long x; } s;
        _Static_assert(sizeof(struct S) == 28 && __builtin_offsetof(struct S, next) == 4, \"\");
        _Static_assert(__builtin_offsetof(struct S, d) == 12 && __builtin_offsetof(struct S, x) == 20, \"\");
        struct S *pointer; int start(void) { return pointer->c; }";
    let options = ["-m32", "-g", "-nostdlib", "-static", "-ffreestanding", "-fno-pie", "-Wl,--entry=start"];
    let Some(made) = compile("gcc", "c", source, &options) else { return };
    let program = made.open();
    assert_eq!(program.address_size(), 4);
    let ty = program.find("S").unwrap();
    let places: Vec<_> = ty.leaves().map(|place| (place.offset, place.ty.size())).collect();
    assert_eq!((places, ty.size()), (vec![(0, 1), (4, 4), (8, 4), (12, 8), (20, 8)], 28));
    let variables = program.variables().unwrap();
    let pointer = variables.iter().find(|variable| variable.name == "pointer").unwrap();
    let inside = program.pointers(pointer.ty).unwrap();
    assert_eq!((inside[0].size, program.type_name(inside[0].target)), (4, "S".to_owned()));
    let registers = [(8, variables[0].address)].into();
    let frame = shmlens::decode::debug::Frame {
        address: 0x1000,
        registers: &registers,
        cfa: None,
        bias: 0,
        read: &|_, _| false,
    };
    let error = program.unwind(&frame).unwrap_err().to_string();
    assert_eq!(error, "call frames of 32-bit x86 programs are not supported: only x86-64");
}

#[test]
fn debug_information_without_a_readable_unit_is_told() {
    let source = "struct S { int a; } s; int main() { return s.a; }";
    let Some(made) = compile("g++", "cpp", source, &["-g"]) else { return };
    let mut bytes = fs::read(&made.path).unwrap();
    let range = {
        let file = object::File::parse(&*bytes).unwrap();
        file.section_by_name(".debug_info").unwrap().file_range().unwrap()
    };
    let (start, size) = (usize::try_from(range.0).unwrap(), usize::try_from(range.1).unwrap());
    bytes[start..start + size].fill(0xee);
    let program = Program::open(&bytes.as_slice(), Path::new("/program"), &open_file).unwrap();
    let error = program.find("S").unwrap_err().to_string();
    assert_eq!(error, "/program is damaged: its debug information has no unit that can be read");
}
