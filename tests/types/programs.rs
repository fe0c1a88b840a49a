//! Generated programs, run against real segments: their output is what the segment contains, and
//! they cannot change it.

use super::code::{directory, python_with_numpy, run, rustc};
use super::samples::Sample;
use crate::support::{Namespaces, Object, Sysv, shmlens, tool};
use shmlens::decode::code::CodeLanguage;
use shmlens::decode::parse_type;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

const LANGUAGES: [&str; 3] = ["cpp", "python", "rust"];

/// Prints the code for a segment.
fn code(segment: &OsStr, language: &str, ty: Option<&str>) -> String {
    let mut command = shmlens();
    command.arg("info").arg(segment).args(["--code", language]);
    run(command.args(ty.iter().flat_map(|ty| ["--as", ty])))
}

/// Compiles a program, and returns the command that runs it.
fn program(directory: &Path, language: &str, text: &str) -> Option<Command> {
    let file = |name: &str| directory.join(name);
    match language {
        "cpp" => {
            fs::write(file("attach.cpp"), text).unwrap();
            let mut compiler = Command::new(tool("g++")?);
            compiler.args(["-std=c++17", "-Wall", "-Wextra", "-Werror", "-o"]);
            run(compiler.args([file("attach-cpp"), file("attach.cpp")]).arg("-lrt"));
            Some(Command::new(file("attach-cpp")))
        }
        "rust" => {
            fs::write(file("attach.rs"), text).unwrap();
            run(&mut rustc(&file("attach.rs"), &file("attach-rust"))?);
            Some(Command::new(file("attach-rust")))
        }
        _ => {
            fs::write(file("attach.py"), text).unwrap();
            // Without numpy, unless the code needs it.
            let with_numpy = text.contains("import numpy");
            let mut command = Command::new(if with_numpy { python_with_numpy()? } else { tool("python3")? });
            command.arg("-B").arg(file("attach.py"));
            Some(command)
        }
    }
}

/// Checks the output of the programs of all languages. Returns the number of values compared.
#[track_caller]
fn check(segment: &OsStr, ty: &str) -> usize {
    let ty_of = |text| parse_type(text, &|_| Err("no headers".to_owned())).unwrap().ty;
    let length = ty_of(ty).size().to_string();
    let dump = shmlens().arg("dump").arg(segment).args(["--raw", "--length", &length]).output().unwrap();
    let sample = Sample { name: ty.to_owned(), ty: ty_of(ty), bytes: dump.stdout };
    let (mut compared, mut failures) = (0, vec![]);
    for (word, language) in LANGUAGES.into_iter().zip(CodeLanguage::ALL) {
        let directory = directory();
        let text = code(segment, word, Some(ty));
        let Some(mut command) = program(directory.path(), word, &text) else { continue };
        compared += sample.check(language, &run(&mut command), &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    compared
}

const RECORD: &str = "struct Frame { unsigned tick; char name[12]; double matrix[2][2]; short low; long big; \
    struct Point { float x, y; } points[2]; void *next; bool on; }";
/// Bytes in which every value is a plain one.
fn record() -> Vec<u8> {
    let mut bytes = vec![0; 112];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &42_u32.to_le_bytes());
    put(4, b"camera 0\0xy");
    for (at, value) in [1.5_f64, -2.25, 1e300, 0.1].iter().enumerate() {
        put(16 + 8 * at, &value.to_le_bytes());
    }
    put(48, &(-7_i16).to_le_bytes());
    put(56, &i64::MIN.to_le_bytes());
    for (at, value) in [0.5_f32, -0.125, 3.75, 1e-9].iter().enumerate() {
        put(64 + 4 * at, &value.to_le_bytes());
    }
    put(80, &0x7f12_3456_u64.to_le_bytes());
    put(88, &[1]);
    bytes
}

#[test]
fn programs_read_system_v_segments() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for key in [0x4d2, 0xffff_fff0, 0] {
        let sysv = Sysv::new(key, 4096, 0o600);
        sysv.write(0, &record());
        let id = sysv.id().to_string();
        let compared = check(id.as_ref(), RECORD);
        assert!(compared >= 3 * 11, "{compared}");
    }
}

#[test]
fn programs_read_objects_with_any_name() {
    let Some(_namespaces) = Namespaces::new() else { return };
    fs::create_dir("/dev/shm/inner").unwrap();
    let names: [&[u8]; 7] = [
        b"camera0",
        b"a\"; system(\"x\"); #\\",
        b"a\nb??\n# ",
        b"a\xff\x01'",
        "\u{202e}\u{e9}{0}%s".as_bytes(),
        b"inner/a b",
        b"a:b",
    ];
    for name in names {
        let object = Object::new(name, 4096, 0o600);
        object.write(0, &record());
        let path = object.path();
        let compared = check(path.as_os_str(), RECORD);
        assert!(compared >= 3 * 11, "{compared}");
        check(path.as_os_str(), "u16[4]");
    }
}

#[test]
fn programs_map_bytes_without_a_type() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("bytes", 5000, 0o600);
    object.write(0, &record());
    let sysv = Sysv::new(0x4d2, 5000, 0o600);
    sysv.write(0, &record());
    for segment in ["/bytes", "0x4d2"] {
        for language in LANGUAGES {
            let directory = directory();
            let text = code(segment.as_ref(), language, None);
            let Some(mut command) = program(directory.path(), language, &text) else { continue };
            assert_eq!(
                run(&mut command).replace(" \n", "\n"),
                "5000 bytes\n2a 00 00 00 63 61 6d 65 72 61 20 30 00 78 79 00\n",
                "{text}"
            );
        }
    }
}

/// A program with a statement that writes before its last line.
fn with_write(text: &str, language: &str) -> String {
    match language {
        "cpp" => text.replacen(
            "    show_integer(\"tick",
            "    const_cast<unsigned &>(reinterpret_cast<const volatile unsigned &>(data->tick)) = 7;\n    show_integer(\"tick",
            1,
        ),
        "rust" => text.replacen(
            "        println!(\"tick",
            "        data.cast_mut().cast::<u32>().write_volatile(7);\n    println!(\"tick",
            1,
        ),
        _ if text.contains("import numpy") => text.replacen("print(\"tick", "data[\"tick\"] = 7\nprint(\"tick", 1),
        _ => text.replacen("print(\"tick", "data.tick = 7\nprint(\"tick", 1),
    }
}

#[test]
fn programs_cannot_write() {
    const SIGSEGV: i32 = 11;
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("read_only", 4096, 0o600);
    object.write(0, &record());
    let sysv = Sysv::new(0x4d2, 4096, 0o600);
    sysv.write(0, &record());
    let with_union = "struct F { unsigned tick; union { int a; float b; } u; }";
    for segment in ["/read_only", "0x4d2"] {
        for (language, ty) in [("cpp", RECORD), ("rust", RECORD), ("python", RECORD), ("python", with_union)]
        {
            let directory = directory();
            let text = code(segment.as_ref(), language, Some(ty));
            let changed = with_write(&text, language);
            assert_ne!(changed, text, "{language}");
            let Some(mut command) = program(directory.path(), language, &changed) else { continue };
            let output = command.output().unwrap();
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            match language {
                "python" if text.contains("import numpy") => {
                    assert!(errors.contains("read-only"), "{errors}");
                }
                // It writes to its copy.
                "python" => assert!(output.status.success(), "{errors}"),
                _ => assert_eq!(output.status.signal(), Some(SIGSEGV), "{errors}"),
            }
            let dump = run(shmlens().args(["dump", segment, "--as", "u32", "--length", "4"]));
            assert_eq!(dump, "00000000  42\n", "{language}");
        }
    }
}

#[test]
fn attaching_with_python_does_not_unlink_the_object() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("kept", 4096, 0o600);
    let directory = directory();
    for ty in [None, Some("struct { union { int a; float b; } u; }")] {
        let text = code("/kept".as_ref(), "python", ty);
        let Some(mut command) = program(directory.path(), "python", &text) else { return };
        let output = command.output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        assert!(object.path().exists());
    }
}

#[test]
fn segment_without_a_name_is_explained() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("gone", 4096, 0o600);
    fs::remove_file(object.path()).unwrap();
    let empty = Object::new("empty", 0, 0o600);
    for (name, word) in [("/gone", "unlinked"), ("/empty", "size is 0")] {
        let output = shmlens().args(["info", name, "--code", "cpp"]).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && error.contains(word), "{error}");
    }
    drop(empty);
}

#[test]
fn type_larger_than_the_segment_is_refused_by_the_program() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("small", 20, 0o600);
    let sysv = Sysv::new(0x4d2, 20, 0o600);
    for segment in ["/small", "0x4d2"] {
        for (language, ty) in [
            ("cpp", "u32[8]"),
            ("rust", "u32[8]"),
            ("python", "u32[8]"),
            ("python", "struct { union { int a[8]; } u; }"),
        ] {
            let directory = directory();
            let output = shmlens().args(["info", segment, "--code", language, "--as", ty]).output().unwrap();
            let warning = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(warning.contains("12 fewer than the type needs"), "{warning}");
            let text = String::from_utf8(output.stdout).unwrap();
            let Some(mut command) = program(directory.path(), language, &text) else { continue };
            let output = command.output().unwrap();
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                output.status.code() == Some(1) && (error.contains("small") || error.contains("Error")),
                "{error}"
            );
        }
    }
    drop((object, sysv));
}
