//! Generated programs, run against real segments: their output is what the segment contains, and
//! they cannot change it.

use super::code::{directory, python_with_numpy, run, rustc};
use crate::support::{Namespaces, Object, Sysv, shmlens, tool};
use serde_json::Value;
use std::collections::BTreeMap;
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

/// The values that a program printed, by path.
fn values(output: &str) -> BTreeMap<String, String> {
    let pairs = output.lines().map(|line| line.split_once(" = ").unwrap_or_else(|| panic!("{output}")));
    pairs.map(|(path, value)| (path.to_owned(), value.to_owned())).collect()
}

/// The values that shmlens prints as JSON, by path.
fn flatten(path: &str, value: &Value, out: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                flatten(&if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, field, out);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                flatten(&format!("{path}[{index}]"), element, out);
            }
        }
        leaf => drop(out.insert(if path.is_empty() { "value".into() } else { path.into() }, leaf.clone())),
    }
}

fn is_equal(printed: &str, expected: &Value) -> bool {
    match expected {
        Value::String(text) if text.starts_with("0x") => {
            u64::from_str_radix(&text[2..], 16).is_ok_and(|address| printed == address.to_string())
        }
        Value::String(text) => {
            [text.clone(), format!("b'{text}'"), format!("\"{text}\"")].contains(&printed.to_owned())
        }
        Value::Bool(flag) => {
            printed == u8::from(*flag).to_string() || printed.eq_ignore_ascii_case(&flag.to_string())
        }
        Value::Number(number) if number.is_f64() => {
            let (printed, expected) = (printed.parse::<f64>().unwrap(), number.as_f64().unwrap());
            // A float of four bytes may be printed as short as it allows, or exactly.
            let widened = number.to_string().parse::<f32>().map(f64::from).unwrap();
            [expected, widened].map(f64::to_bits).contains(&printed.to_bits())
        }
        Value::Number(number) => printed == number.to_string(),
        _ => false,
    }
}

/// Checks the output of the programs of all languages. Returns the number of values compared.
#[track_caller]
fn check(segment: &OsStr, ty: &str, expected_of: &[&str]) -> usize {
    let dump = run(shmlens().arg("dump").arg(segment).args(["--json", "--as", ty, "--length", "4K"]));
    let first: Value = serde_json::from_str(dump.lines().next().unwrap()).unwrap();
    let mut expected = BTreeMap::new();
    flatten("", &first["value"], &mut expected);
    let mut compared = 0;
    for language in LANGUAGES {
        let directory = directory();
        let text = code(segment, language, Some(ty));
        let Some(mut command) = program(directory.path(), language, &text) else { continue };
        let output = run(&mut command);
        let printed = values(&output);
        for path in expected_of {
            assert!(printed.keys().any(|key| key.ends_with(path)), "{language} lacks {path}: {output}");
        }
        for (path, value) in &printed {
            // Some languages have names for anonymous members.
            let plain: Vec<&str> = path.split('.').filter(|part| !part.starts_with("anonymous_")).collect();
            let Some(expected) = expected.get(&plain.join(".")) else {
                panic!("{language}: {path} is not in {expected:?}")
            };
            assert!(is_equal(value, expected), "{language}: {path} is {value}, not {expected}\n{text}");
            compared += 1;
        }
    }
    compared
}

const RECORD: &str = "struct Frame { unsigned tick; char name[12]; double matrix[2][2]; short low; long big; \
    struct Point { float x, y; } points[2]; void *next; bool on; }";
const WITH_BITS: &str = "struct Flags { unsigned a : 3; int b : 7; unsigned long c : 40; \
    union { float f; unsigned u; }; signed char d; char e[3]; }";

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
        let compared = check(id.as_ref(), RECORD, &["tick", "name", "matrix[1][1]", "points[1].x", "big"]);
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
        let compared = check(path.as_os_str(), RECORD, &["tick", "name", "points[1].x"]);
        assert!(compared >= 3 * 11, "{compared}");
        check(path.as_os_str(), "u16[4]", &["[3]"]);
    }
}

#[test]
fn programs_read_every_kind_of_type() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("types", 4096, 0o600);
    let mut bytes: Vec<u8> = (0..=255_u8).map(|byte| b'0' | byte.wrapping_mul(37) & 7).collect();
    bytes.extend(record());
    object.write(0, &bytes);
    let path = object.path();
    let types = [
        (WITH_BITS, vec!["a", "b", "c", "f", "u", "d"]),
        (
            "struct __attribute__((packed)) P { char a; double b; struct { short c; int d; } e[2]; }",
            vec!["b", "e[1].d"],
        ),
        (
            "struct class_ { enum Mode : int { ON = 1, OFF = 2 } mode; int class_; int def, fn, int_; }",
            vec!["class_", "def", "fn"],
        ),
        ("union U { int a; unsigned char b[4]; }", vec!["a", "b[3]"]),
        ("i32,f64,char[16],u8", vec!["f0", "f1", "f3"]),
        ("f32", vec!["value"]),
        ("u8[2][3]", vec!["[1][2]"]),
        ("struct B { int base; }; struct D : public B { short own; }", vec!["base", "own"]),
        ("struct alignas(32) A { char c; long long l; }", vec!["c", "l"]),
    ];
    for (ty, paths) in types {
        let paths: Vec<&str> =
            paths.into_iter().filter(|path| *path != "c" || !ty.contains("alignas")).collect();
        if ty.contains("class_ {") || ty.contains(",f64") {
            // Names that a language reserves, and fields without names.
            for language in LANGUAGES {
                let directory = directory();
                let text = code(path.as_os_str(), language, Some(ty));
                let Some(mut command) = program(directory.path(), language, &text) else { continue };
                assert!(run(&mut command).lines().count() >= 3, "{text}");
            }
        } else {
            check(path.as_os_str(), ty, &paths);
        }
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
            "    std::cout << \"tick",
            "    const_cast<unsigned &>(reinterpret_cast<const volatile unsigned &>(data->tick)) = 7;\n    std::cout << \"tick",
            1,
        ),
        "rust" => text.replacen(
            "    println!(\"tick",
            "    unsafe { data.cast_mut().cast::<u32>().write_volatile(7) };\n    println!(\"tick",
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
