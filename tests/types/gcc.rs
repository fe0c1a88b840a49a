//! Compares layouts with those of gcc: a program prints the size, alignment and offsets of each type.

use crate::support::tool;
use shmlens::decode::declaration::{Language, Sources, parse_declarations};
use shmlens::decode::{Label, Path, Type, TypeKind};
use std::fmt::Write as _;
use std::path::Path as FilePath;
use std::process::Command;
use std::{env, fs, process};

/// Leaves of an array that are compared at each end.
const ENDS: u64 = 40;

/// Declarations, and a type that they declare.
pub struct Case {
    pub ty: String,
    pub source: String,
}

/// Reads the cases of a file. They are separated by empty lines, and start with `// TYPE`.
pub fn cases(text: &str) -> Vec<Case> {
    let case = |block: &str| {
        let (first, source) = block.trim().split_once('\n').expect("a type and declarations");
        Case { ty: first.trim_start_matches("//").trim().to_owned(), source: source.to_owned() }
    };
    text.split("\n\n").filter(|block| !block.trim().is_empty()).map(case).collect()
}

/// Compares the layout of each case with that of the compiler. Returns the number of values
/// compared; `None` without a compiler.
pub fn compare(name: &str, language: Language, cases: &[Case]) -> Option<usize> {
    let compiler = if language == Language::C { "gcc" } else { "g++" };
    let (count, differences) = differences(name, language, cases, compiler)?;
    // The shortest is the easiest to understand.
    let shortest = differences.into_iter().min_by_key(String::len);
    assert!(shortest.is_none(), "{}", shortest.unwrap());
    Some(count)
}

/// Returns the number of values compared with those of a compiler, and the reports of those that differ.
pub fn differences(
    name: &str,
    language: Language,
    cases: &[Case],
    compiler: &str,
) -> Option<(usize, Vec<String>)> {
    let program_of = tool(compiler)?;
    let Program { source, expected, .. } = program(language, cases);
    let actual = run(&program_of, name, language, &source);
    assert_eq!(expected.lines().count(), actual.lines().count());
    let differing = expected.lines().zip(actual.lines()).filter(|(expected, actual)| expected != actual);
    let report = |(expected, actual): (&str, &str)| {
        let number: usize = actual.split(' ').next().unwrap().parse().unwrap();
        format!("{compiler}: {actual}\nwe: {expected}\n{}:\n{}", cases[number].ty, cases[number].source)
    };
    Some((expected.lines().count(), differing.map(report).collect()))
}

/// A program with all cases, each in a namespace or function of its own.
pub struct Program {
    pub source: String,
    /// The text that it should print.
    expected: String,
    /// The types as the parser sees them.
    pub types: Vec<Type>,
}

pub fn program(language: Language, cases: &[Case]) -> Program {
    let (mut program, mut expected, mut types) = (String::from(HEAD), String::new(), vec![]);
    let mut calls = String::new();
    for (number, Case { ty, source }) in cases.iter().enumerate() {
        let sources = Sources::typed(source);
        let parsed = parse_declarations(&sources, Some(ty), Some(language))
            .and_then(|parsed| parse_declarations(&sources, None, Some(language)).map(|_| parsed));
        let parsed = parsed.unwrap_or_else(|error| panic!("{error}\n{ty}:\n{source}"));
        let mut prints = String::new();
        describe(number, ty, &parsed, language, &mut prints, &mut expected);
        let show = format!(
            "void show_{number}() {{ static __attribute__((aligned(64))) unsigned char raw[sizeof({ty}) + 1];\n\
             {ty} *object = ({ty} *)raw; (void)object; shown = {number};\n\
             print_type(sizeof({ty}), __alignof__({ty}));\n{prints}}}\n"
        );
        match language {
            // In C, declarations are local to a function.
            Language::C => {
                write!(program, "{}", show.replacen("{ static", &format!("{{\n{source}\nstatic"), 1))
            }
            Language::Cpp => write!(program, "namespace case_{number} {{\n{source}\n{show}}}\n"),
        }
        .unwrap();
        types.push(parsed);
        let scope = if language == Language::C { String::new() } else { format!("case_{number}::") };
        writeln!(calls, "{scope}show_{number}();").unwrap();
    }
    write!(program, "int main(void) {{\n{calls}return 0; }}\n").unwrap();
    if language == Language::C {
        program = in_c(&program);
    }
    Program { source: program, expected, types }
}

/// The program with the headers of C.
fn in_c(program: &str) -> String {
    program
        .replace("<cstdio>", "<stdio.h>")
        .replace("<cstring>", "<string.h>")
        .replace("<cstdint>", "<stdint.h>")
        .replace("<cstddef>", "<stddef.h>")
        .replace("<array>", "<uchar.h>")
        .replace("<atomic>", "<stdatomic.h>")
        .replace("<complex>", "<complex.h>")
        .replace("<mutex>", "<wchar.h>")
        .replace("<ctime>", "<time.h>\n#include <stdbool.h>\n#include <stdalign.h>")
}

const HEAD: &str = r#"
#include <cstdio>
#include <cstring>
#include <cstdint>
#include <cstddef>
#include <array>
#include <atomic>
#include <complex>
#include <mutex>
#include <pthread.h>
#include <semaphore.h>
#include <ctime>
#include <sys/types.h>
static int shown;
static void print_type(size_t size, size_t align) { printf("%d %zu %zu\n", shown, size, align); }
static void print_field(const char *path, size_t offset, size_t size) { printf("%d %s %zu %zu\n", shown, path, offset, size); }
static void print_bits(const char *path, const unsigned char *raw, size_t size) {
    size_t first = 0, count = 0;
    for (size_t bit = 0; bit < 8 * size; bit++)
        if (raw[bit / 8] >> bit % 8 & 1) {
            if (count++ == 0) first = bit;
            else if (bit != first + count - 1) { printf("%d %s has a gap\n", shown, path); return; }
        }
    printf("%d %s bits %zu %zu\n", shown, path, first, count);
}
"#;

fn run(compiler: &FilePath, name: &str, language: Language, program: &str) -> String {
    let directory =
        FilePath::new(env!("CARGO_TARGET_TMPDIR")).join(format!("layouts-{name}-{}", process::id()));
    fs::create_dir_all(&directory).unwrap();
    let (extension, options): (_, &[&str]) = match language {
        Language::C => ("c", &["-std=gnu17"]),
        Language::Cpp => ("cpp", &["-std=gnu++17", "-fno-access-control"]),
    };
    let (source, binary) = (directory.join(format!("layouts.{extension}")), directory.join("layouts"));
    fs::write(&source, program).unwrap();
    let output = Command::new(compiler)
        .args(options)
        .args(["-w", "-O0", "-pthread", "-o"])
        .args([&binary, &source])
        .output()
        .unwrap();
    let errors: String = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| line.contains("error:"))
        .take(5)
        .collect();
    assert!(output.status.success(), "{errors}");
    let output = Command::new(&binary).output().unwrap();
    assert!(output.status.success());
    fs::remove_dir_all(&directory).unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Writes the statements that print a type, and the text that they should print.
fn describe(
    number: usize,
    name: &str,
    ty: &Type,
    language: Language,
    prints: &mut String,
    expected: &mut String,
) {
    writeln!(expected, "{number} {} {}", ty.size(), ty.align()).unwrap();
    let count = ty.leaf_count();
    let shown = (0..count.min(ENDS)).chain(count.saturating_sub(ENDS).max(ENDS)..count);
    let mut last = Path::default();
    for leaf in shown {
        let path = ty.path_of_leaf(leaf).unwrap();
        let Some((path, expression)) = expression(ty, path) else { continue };
        if path == last || path.0.is_empty() {
            continue;
        }
        let place = ty.place(&path).unwrap();
        let text = ty.path_text(&path);
        if let Some(bits) = place.bits {
            let value = match language {
                Language::C => "-1".to_owned(),
                Language::Cpp => format!("(decltype({expression}))-1"),
            };
            let value = if place.ty.to_string() == "bool" { "1".to_owned() } else { value };
            let first = 8 * place.offset + u64::from(bits.start);
            writeln!(prints, "memset(raw, 0, sizeof({name})); {expression} = {value};").unwrap();
            writeln!(prints, "print_bits(\"{text}\", raw, sizeof({name}));").unwrap();
            writeln!(expected, "{number} {text} bits {first} {}", bits.width).unwrap();
        } else {
            let offset = format!("(size_t)((char *)&{expression} - (char *)raw)");
            writeln!(prints, "print_field(\"{text}\", {offset}, sizeof({expression}));").unwrap();
            writeln!(expected, "{number} {text} {} {}", place.offset, place.ty.size()).unwrap();
        }
        last = path;
    }
}

/// Returns the expression for a leaf, and its path, which may end early: the fields of the types of
/// glibc and libstdc++ have other names. `None` for fields that no expression names.
fn expression(ty: &Type, mut path: Path) -> Option<(Path, String)> {
    let mut text = String::from("(*object)");
    let mut place = ty.at(0);
    for (depth, &index) in path.0.iter().enumerate() {
        let is_foreign = |name: &str| {
            name.starts_with("pthread_")
                || name.starts_with("std::")
                || matches!(name, "sem_t" | "max_align_t" | "Opaque")
        };
        if let TypeKind::Record(record) = place.ty.kind()
            && is_foreign(record.name())
        {
            path.0.truncate(depth);
            break;
        }
        let child = place.child(index)?;
        match child.label {
            Label::Index(index) => write!(text, "[{index}]").unwrap(),
            Label::Field(field) if *field.name == *"vptr" => return None,
            Label::Field(field) if field.name.is_empty() => {}
            // The members of a base class whose names are hidden.
            Label::Field(field) if field.is_base => write!(text, ".{}::", field.name).unwrap(),
            Label::Field(field) => {
                let separator = if text.ends_with("::") { "" } else { "." };
                write!(text, "{separator}{}", field.name).unwrap();
            }
        }
        place = child.place;
    }
    Some((path, text))
}
