//! Generated code: it compiles, has the layout of the type, and reads what the segment contains.

use super::gcc::{Case, cases};
use super::generator::Generator;
use crate::support::tool;
use serde_json::Value;
use shmlens::decode::code::{CodeLanguage, definitions};
use shmlens::decode::declaration::{Language, Sources, parse_declarations};
use shmlens::decode::{ByteOrder, Field, Record, RecordKind, Scalar, Type, TypeKind};
use shmlens::sys::skip::skip;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Random declarations of each language in a test run, and in the full run:
/// `cargo test --test promises -- --ignored types::code`.
const RANDOM: u64 = 40;
const RANDOM_IN_FULL: u64 = 2000;
/// Declarations that one program contains.
const BATCH: u64 = 250;

/// Python with numpy: `python3 -m venv target/python && target/python/bin/pip install numpy`.
pub fn python_with_numpy() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("python").join("bin/python");
    if python.exists() {
        return Some(python);
    }
    skip("needs numpy: python3 -m venv target/python && target/python/bin/pip install numpy");
    None
}

pub fn parse(case: &Case, language: Language) -> Type {
    parse_declarations(&Sources::typed(&case.source), Some(&case.ty), Some(language)).unwrap()
}

/// A directory for programs, removed at the end.
pub fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// Fails with the first lines of the errors.
#[track_caller]
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let errors: Vec<&str> = errors.lines().take(40).collect();
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, errors.join("\n"));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A command that compiles Rust with the crate `libc`.
pub fn rustc(source: &Path, output: &Path) -> Option<Command> {
    let compiler = tool("rustc")?;
    let dependencies = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let is_libc = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("liblibc-") && name.ends_with(".rlib")
    };
    let found = fs::read_dir(&dependencies).unwrap().map(|entry| entry.unwrap().path()).filter(is_libc);
    let libc = found.max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap()).unwrap();
    let mut command = Command::new(compiler);
    command.args(["--edition=2024", "-Dwarnings", "-o"]).args([output, source]);
    command.arg("--extern").arg(format!("libc={}", libc.display()));
    Some(command)
}

/// Compiles the definitions of all types in the three languages. Their assertions check the layout.
fn check_definitions(types: &[(String, Type)]) {
    let directory = directory();
    let file = |name: &str| directory.path().join(name);
    let mut cpp = String::from("#include <cstddef>\n#include <cstdint>\n");
    let mut rust = String::new();
    let mut python = String::from(DESCRIBE);
    for (number, (source, ty)) in types.iter().enumerate() {
        let text = |language| definitions(language, ty).unwrap_or_else(|error| panic!("{error}: {source}"));
        let own = text(CodeLanguage::Cpp);
        check_cpp_parses_back(source, ty, &own);
        write!(cpp, "namespace case_{number} {{\n{own}}}\n").unwrap();
        write!(rust, "pub mod case_{number} {{\n{}}}\n", text(CodeLanguage::Rust)).unwrap();
        let own = text(CodeLanguage::Python);
        writeln!(python, "scope = {{}}\nexec({own:?}, scope)\nshow({number}, scope)").unwrap();
    }
    if let Some(compiler) = tool("g++") {
        fs::write(file("definitions.cpp"), cpp).unwrap();
        run(Command::new(compiler)
            .args(["-std=c++17", "-Wall", "-Wextra", "-Werror", "-Wno-packed-not-aligned", "-fsyntax-only"])
            .arg(file("definitions.cpp")));
    }
    fs::write(file("definitions.rs"), rust).unwrap();
    if let Some(mut command) = rustc(&file("definitions.rs"), &file("definitions.rmeta")) {
        run(command.args(["--crate-type=lib", "--emit=metadata"]));
    }
    if let Some(interpreter) = python_with_numpy() {
        fs::write(file("definitions.py"), python).unwrap();
        let shown = run(Command::new(interpreter).args(["-B", "-W", "error"]).arg(file("definitions.py")));
        let round_trips = shown.lines().filter(|line| {
            let (number, dtype) = line.split_once(' ').unwrap();
            let (source, ty) = &types[number.parse::<usize>().unwrap()];
            let is_record = matches!(ty.kind(), TypeKind::Record(_));
            if is_record {
                check_round_trip(source, ty, &serde_json::from_str(dtype).unwrap());
            }
            is_record
        });
        println!("{} types, of which {} are dtypes and come back", types.len(), round_trips.count());
    }
}

/// Prints the last dtype of each case as JSON.
const DESCRIBE: &str = r#"import json
import numpy as np

def describe(t):
    if t.subdtype:
        return {"base": describe(t.subdtype[0]), "shape": list(t.subdtype[1])}
    if t.names is not None:
        fields = [[name, t.fields[name][1], describe(t.fields[name][0])] for name in t.names]
        return {"size": t.itemsize, "fields": fields}
    return {"kind": t.kind, "size": t.itemsize}

def show(number, scope):
    types = [value for value in scope.values() if isinstance(value, np.dtype)]
    if types:
        print(number, json.dumps(describe(types[-1])))

"#;

/// The type that numpy describes.
fn of_dtype(dtype: &Value) -> Type {
    let number = |value: &Value| value.as_u64().unwrap();
    if let Some(shape) = dtype["shape"].as_array() {
        let base = of_dtype(&dtype["base"]);
        return shape.iter().rev().fold(base, |ty, count| Type::array(ty, number(count)).unwrap());
    }
    let size = number(&dtype["size"]);
    if let Some(fields) = dtype["fields"].as_array() {
        let field =
            |field: &Value| Field::new(field[0].as_str().unwrap(), of_dtype(&field[2]), number(&field[1]));
        let record = Record::new(RecordKind::Struct, "Back", fields.iter().map(field).collect());
        return Type::record(record, size, 1).unwrap();
    }
    let scalar = match (dtype["kind"].as_str().unwrap(), size) {
        ("i", 1) => Scalar::I8,
        ("i", 2) => Scalar::I16,
        ("i", 4) => Scalar::I32,
        ("i", 8) => Scalar::I64,
        ("u", 1) => Scalar::U8,
        ("u", 2) => Scalar::U16,
        ("u", 4) => Scalar::U32,
        ("u", 8) => Scalar::U64,
        ("f", 2) => Scalar::F16,
        ("f", 4) => Scalar::F32,
        ("f", 8) => Scalar::F64,
        ("f", 16) => Scalar::F80,
        ("c", 8) => Scalar::Complex64,
        ("c", 16) => Scalar::Complex128,
        ("b", 1) => Scalar::Bool,
        ("M", 8) => Scalar::TimeSeconds,
        ("S", _) => return Type::array(Type::scalar(Scalar::Char, ByteOrder::Little), size).unwrap(),
        ("U", _) => return Type::array(Type::scalar(Scalar::Char32, ByteOrder::Little), size / 4).unwrap(),
        ("V", _) => return Type::bytes(size).unwrap(),
        other => panic!("{other:?}"),
    };
    Type::scalar(scalar, ByteOrder::Little)
}

/// From C++ to a dtype and back, every field is where it was.
fn check_round_trip(source: &str, ty: &Type, dtype: &Value) {
    let back = of_dtype(dtype);
    assert_eq!((back.size(), leaves(&back)), (ty.size(), leaves(ty)), "{source}\n{dtype}");
    check_cpp_parses_back(source, ty, &definitions(CodeLanguage::Cpp, &back).unwrap());
}

/// The offsets, sizes and bits of all leaves, without the differences that are allowed: padding, and
/// bytes in place of what C++ cannot have.
fn leaves(ty: &Type) -> Vec<String> {
    let mut leaves = ty.leaves();
    let mut out = vec![];
    while let Some(place) = leaves.next() {
        let path = leaves.path_text();
        if out.len() >= 2000 || path.contains("padding_") || place.ty.size() == 0 {
            continue;
        }
        if let TypeKind::Text(Scalar::Char16, _) = place.ty.kind() {
            let units = place.ty.size() / 2;
            out.extend((0..units).map(|at| format!("{} 2 None", place.offset + 2 * at)));
        } else if let TypeKind::Bytes = place.ty.kind() {
            out.extend((0..place.ty.size()).map(|at| format!("{} 1 None", place.offset + at)));
        } else {
            let bits = place.bits.map(|bits| (bits.start, bits.width));
            out.push(format!("{} {} {bits:?}", place.offset, place.ty.size()));
        }
    }
    out.sort();
    out
}

fn check_cpp_parses_back(source: &str, ty: &Type, definitions: &str) {
    let back = parse_declarations(&Sources::typed(definitions), None, Some(Language::Cpp))
        .unwrap_or_else(|error| panic!("{error}\n{source}\n{definitions}"));
    assert_eq!((back.size(), leaves(&back)), (ty.size(), leaves(ty)), "{source}\n{definitions}");
}

fn parsed(cases: &[Case], language: Language) -> Vec<(String, Type)> {
    let typed = cases.iter().map(|case| (format!("{}: {}", case.ty, case.source), parse(case, language)));
    typed.filter(|(_, ty)| ty.size() > 0 && ty.size() < 1 << 30).collect()
}

#[test]
fn definitions_of_c_types_compile() {
    check_definitions(&parsed(&cases(include_str!("cases.c")), Language::C));
}

#[test]
fn definitions_of_cpp_types_compile() {
    check_definitions(&parsed(&cases(include_str!("cases.cpp")), Language::Cpp));
}

fn random(language: Language, seeds: std::ops::Range<u64>) {
    let cases: Vec<Case> = seeds.map(|seed| Generator::new(seed, language).case()).collect();
    check_definitions(&parsed(&cases, language));
}

#[test]
fn definitions_of_random_types_compile() {
    random(Language::C, 0..RANDOM);
    random(Language::Cpp, 0..RANDOM);
}

#[test]
#[ignore = "takes minutes"]
fn definitions_of_many_random_types_compile() {
    for language in [Language::C, Language::Cpp] {
        for start in (0..RANDOM_IN_FULL).step_by(usize::try_from(BATCH).unwrap()) {
            random(language, 2_000_000 + start..2_000_000 + start + BATCH);
        }
    }
}
