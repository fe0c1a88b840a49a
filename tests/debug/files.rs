//! The forms in which debug information is stored: versions, compression, separate and split files.

use super::compile::{Compiled, compile, open_file, run};
use super::truth::{check, count_in};
use shmlens::decode::debug::{DebugError, ElementCount, FileSource, Program};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const SOURCE: &str = include_str!("program.cpp");
/// Addresses are those of the file.
const STANDARD: [&str; 3] = ["-std=c++20", "-no-pie", "-w"];

fn program(options: &[&str]) -> Option<Compiled> {
    compile("g++", "cpp", SOURCE, &[&STANDARD, options].concat())
}

/// The program with DWARF 5, compiled once. Tests change copies of it.
fn copy() -> Option<Compiled> {
    static COMPILED: OnceLock<Option<Compiled>> = OnceLock::new();
    let made =
        COMPILED.get_or_init(|| program(&["-gdwarf-5", "-Wl,--build-id=0x0123456789abcdef"])).as_ref()?;
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = directory.path().join("program");
    // Not written by this process: a child of another thread could inherit the open file, and a file
    // that is open for writing cannot be run.
    run(Command::new("cp").arg(&made.path).arg(&path));
    Some(Compiled { directory, path })
}

fn check_with(options: &[&str]) {
    let Some(made) = program(options) else { return };
    let count = check(&made.open(), &made.output());
    assert!(count > 80, "{count}");
}

#[test]
fn dwarf_4_and_5_tell_the_truth() {
    if let Some(made) = copy() {
        let program = made.open();
        assert!(check(&program, &made.output()) > 80);
        assert_eq!(count_in(&program, "span"), Some(ElementCount { offset: 8, size: 8 }));
        assert_eq!(count_in(&program, "shared"), None);
    }
    check_with(&["-gdwarf-4"]);
    check_with(&["-gdwarf-3", "-gstrict-dwarf"]);
}

#[test]
fn clang_tells_the_truth() {
    for options in [&["-gdwarf-5", "-fstandalone-debug"], &["-gdwarf-4", "-O1"]] {
        let Some(made) = compile("clang++", "cpp", SOURCE, &[&STANDARD[..], options].concat()) else {
            return;
        };
        assert!(check(&made.open(), &made.output()) > 80);
    }
}

#[test]
fn optimized_program_tells_the_truth() {
    check_with(&["-g", "-O2", "-fno-inline"]);
}

#[test]
fn type_units_are_found_by_their_signature() {
    check_with(&["-gdwarf-4", "-fdebug-types-section"]);
    check_with(&["-gdwarf-5", "-fdebug-types-section"]);
}

#[test]
fn compressed_sections_are_read() {
    let Some(made) = copy() else { return };
    let output = made.output();
    for form in ["zlib", "zlib-gnu", "zstd"] {
        let option = format!("--compress-debug-sections={form}");
        let supported = Command::new("objcopy").arg("--help").output().unwrap();
        let supported = String::from_utf8_lossy(&supported.stdout).into_owned();
        if form == "zstd" && !supported.contains("zstd") {
            shmlens::sys::skip::skip("needs an objcopy that knows zstd");
            continue;
        }
        made.tool("objcopy", &[&option, "program", "small"]).unwrap();
        let path = made.directory.path().join("small");
        assert!(path.metadata().unwrap().len() < made.path.metadata().unwrap().len(), "{form}");
        check(&super::compile::open(&path), &output);
    }
}

#[test]
fn split_debug_information_is_found() {
    for version in ["-gdwarf-4", "-gdwarf-5"] {
        let Some(made) = program(&[version, "-gsplit-dwarf", "-fdebug-types-section"]) else { return };
        check(&made.open(), &made.output());
        fs::remove_file(dwo(&made)).unwrap();
        let program = made.open();
        let missing = format!("{:?}", program.missing());
        assert!(missing.contains(".dwo"), "{missing}");
        let error = program.find("Telemetry").unwrap_err().to_string();
        assert!(error.contains(".dwo, which was not found"), "{error}");
    }
}

#[test]
fn package_of_split_debug_information_is_found() {
    // dwp of binutils 2.40 crashes on DWARF 5.
    for (version, tool) in [("-gdwarf-4", "dwp"), ("-gdwarf-5", "llvm-dwp")] {
        let Some(made) = program(&[version, "-gsplit-dwarf", "-fdebug-types-section"]) else { return };
        let Some(()) = made.tool(tool, &["-e", "program", "-o", "program.dwp"]) else { continue };
        fs::remove_file(dwo(&made)).unwrap();
        check(&made.open(), &made.output());
    }
}

#[test]
fn file_that_dwz_shares_between_programs_is_read() {
    let Some(made) = copy() else { return };
    let output = made.output();
    fs::copy(&made.path, made.directory.path().join("other")).unwrap();
    let Some(()) = made.tool("dwz", &["-m", "common.debug", "-r", "program", "other"]) else { return };
    check(&made.open(), &output);
    fs::remove_file(made.directory.path().join("common.debug")).unwrap();
    let program = made.open();
    let missing = format!("{:?}", program.missing());
    assert!(missing.contains("common.debug"), "{missing}");
    let error = program.find("Telemetry").unwrap_err().to_string();
    assert!(error.contains("was not found: install the debug package"), "{error}");
}

fn dwo(made: &Compiled) -> PathBuf {
    let mut paths = fs::read_dir(made.directory.path()).unwrap().map(|entry| entry.unwrap().path());
    paths.find(|path| path.extension().is_some_and(|end| end == "dwo")).unwrap()
}

#[test]
fn separate_debug_file_is_found_by_name_and_checksum() {
    let Some(made) = copy() else { return };
    let output = made.output();
    made.tool("objcopy", &["--remove-section=.note.gnu.build-id", "program"]).unwrap();
    made.tool("objcopy", &["--only-keep-debug", "program", "program.debug"]).unwrap();
    made.tool("strip", &["program"]).unwrap();
    made.tool("objcopy", &["--add-gnu-debuglink=program.debug", "program"]).unwrap();
    check(&made.open(), &output);
    fs::create_dir(made.directory.path().join(".debug")).unwrap();
    let (from, to) =
        (made.directory.path().join("program.debug"), made.directory.path().join(".debug/program.debug"));
    fs::rename(&from, &to).unwrap();
    check(&made.open(), &output);
    // A file of another build has another checksum.
    let mut bytes = fs::read(&to).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&to, bytes).unwrap();
    assert!(matches!(made.open().find("Telemetry"), Err(DebugError::Missing { .. })));
}

#[test]
fn separate_debug_file_is_found_by_build_id() {
    let Some(made) = copy() else { return };
    let output = made.output();
    made.tool("objcopy", &["--only-keep-debug", "program", "program.debug"]).unwrap();
    made.tool("strip", &["program"]).unwrap();
    let debug = made.directory.path().join("program.debug");
    let files = |path: &Path| -> Option<Box<dyn FileSource>> {
        let wanted = Path::new("/usr/lib/debug/.build-id/01/23456789abcdef.debug");
        if path == wanted { open_file(&debug) } else { None }
    };
    let program = Program::open(&File::open(&made.path).unwrap(), &made.path, &files).unwrap();
    assert_eq!(program.build_id(), Some([1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef].as_slice()));
    check(&program, &output);
    // A file of another build is not believed.
    made.tool("objcopy", &["--remove-section=.note.gnu.build-id", "program.debug"]).unwrap();
    let program = Program::open(&File::open(&made.path).unwrap(), &made.path, &files).unwrap();
    assert!(program.types().is_err());
}

#[test]
fn program_without_debug_information_says_so() {
    let Some(made) = copy() else { return };
    made.tool("strip", &["program"]).unwrap();
    let error = made.open().find("Telemetry").unwrap_err().to_string();
    assert!(error.contains("no debug information: compile it with -g"), "{error}");
}

#[test]
fn program_with_line_numbers_only_says_so() {
    let Some(made) = compile("gcc", "c", "int main(void) { return 0; }", &["-g1"]) else { return };
    let error = made.open().find("Telemetry").unwrap_err().to_string();
    assert!(error.contains("has only line numbers as debug information"), "{error}");
}

#[test]
fn object_file_is_refused() {
    let Some(made) = compile("gcc", "c", "int x; int main(void) { return x; }", &["-g", "-c"]) else {
        return;
    };
    let file = File::open(&made.path).unwrap();
    let error = Program::open(&file, Path::new("x.o"), &open_file).unwrap_err().to_string();
    assert_eq!(error, "x.o is an object file: link it to a program");
}

#[test]
fn program_can_be_sent_to_another_thread() {
    const fn is_shared<T: Send + Sync + 'static>() {}
    is_shared::<Program>();
}

#[test]
fn ambiguous_and_partial_names_are_told() {
    let source = "namespace a { struct Frame { int x; } one; struct Only { int o; } only; }
        namespace b { struct Frame { long x; } two; } int main() {}";
    let Some(made) = compile("g++", "cpp", source, &["-g"]) else { return };
    let program = made.open();
    assert_eq!(program.find("Only").unwrap().size(), 4);
    assert_eq!(program.find("b::Frame").unwrap().size(), 8);
    let error = program.find("Frame").unwrap_err().to_string();
    assert_eq!(error, "'Frame' is ambiguous: a::Frame (4 bytes), b::Frame (8 bytes)");
    let error = program.find("c::Frame\u{1b}").unwrap_err().to_string();
    assert_eq!(error, r"no type 'c::Frame\x1b' in the debug information");
    let sizes: Vec<_> = program.types_of_size(4).unwrap().into_iter().map(|ty| ty.name).collect();
    assert_eq!(sizes, ["a::Frame", "a::Only"]);
}

#[test]
fn file_that_is_no_program_is_refused() {
    let open = |bytes: &[u8]| Program::open(&bytes, Path::new("/a\nb"), &open_file).unwrap_err().to_string();
    assert_eq!(open(b""), r"/a\x0ab is not an ELF file");
    assert_eq!(open(b"#!/bin/sh\n"), r"/a\x0ab is not an ELF file");
    assert!(open(b"\x7fELF\x02\x01\x01").contains("is damaged"));
}
