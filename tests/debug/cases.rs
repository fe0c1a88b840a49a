//! The declarations of `tests/types`: their types from debug information are those of the parser,
//! which are those of gcc.

use super::compile::compile;
use crate::types::gcc::{Case, cases, program};
use crate::types::generator::Generator;
use shmlens::decode::declaration::Language;
use shmlens::decode::{Field, Record, Type, TypeKind};

/// Compares all cases. Returns the number of values compared; `None` without a compiler.
fn compare(language: Language, cases: &[Case], options: &[&str]) -> Option<u64> {
    let made = program(language, cases);
    let (compiler, extension, standard) = match language {
        Language::C => ("gcc", "c", "-std=gnu17"),
        Language::Cpp => ("g++", "cpp", "-std=gnu++17"),
    };
    let mut all = vec!["-w", "-pthread", standard];
    if language == Language::Cpp {
        // Without the second one, a class is described only where its virtual functions are.
        all.extend(["-fno-access-control", "-femit-class-debug-always"]);
    }
    all.extend(options);
    let program = compile(compiler, extension, &made.source, &all)?.open();
    let mut count = 0;
    let mut wrong: Vec<(usize, String)> = vec![];
    for (number, (case, expected)) in cases.iter().zip(&made.types).enumerate() {
        let scope = if language == Language::C { "show" } else { "case" };
        let name = case.ty.trim_start_matches("struct ").trim_start_matches("union ");
        let name = format!("{scope}_{number}::{name}");
        let report = |problem: &str| (case.source.len(), format!("{name}: {problem}\n{}", case.source));
        match program.find(&name) {
            Ok(found) => match differ(expected, &found, false) {
                None => count += expected.leaf_count(),
                Some(problem) => wrong.push(report(&problem)),
            },
            Err(error) => wrong.push(report(&error.to_string())),
        }
    }
    wrong.sort();
    let shown: Vec<&str> = wrong.iter().take(5).map(|(_, report)| report.as_str()).collect();
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), shown.join("\n\n"));
    Some(count)
}

/// The types of glibc and libstdc++ have other fields than ours, which are their documented ones.
fn is_foreign(name: &str) -> bool {
    name.starts_with("pthread_")
        || name.starts_with("std::")
        || matches!(name, "sem_t" | "max_align_t" | "Opaque" | "timespec" | "timeval")
}

/// Returns the first difference.
fn differ(ours: &Type, theirs: &Type, is_field: bool) -> Option<String> {
    let problem = |what: &str, one: &dyn std::fmt::Debug, other: &dyn std::fmt::Debug| {
        Some(format!("{what}: declared {one:?}, in the debug information {other:?}"))
    };
    // A class may be shown without the padding at its end, where other fields are.
    let is_shortened = is_field && matches!(ours.kind(), TypeKind::Record(_));
    if ours.size() != theirs.size() && !is_shortened {
        return problem("size", &ours.size(), &theirs.size());
    }
    match (ours.kind(), theirs.kind()) {
        (TypeKind::Record(record), _) if is_foreign(record.name()) => None,
        (TypeKind::Scalar(one, _), TypeKind::Scalar(other, _)) if one == other => None,
        (TypeKind::Text(one, _), TypeKind::Text(other, _)) if one == other => None,
        (TypeKind::Pointer(_), TypeKind::Pointer(_)) | (TypeKind::Bytes, _) => None,
        (TypeKind::Enum(one), TypeKind::Enum(other)) => {
            // The parser stops at a declaration that is enough for the size.
            let is_declared = one.enumerators().is_empty() && one.underlying() == other.underlying();
            if is_declared
                || (one.underlying(), one.enumerators()) == (other.underlying(), other.enumerators())
            {
                return None;
            }
            problem("enumeration", one, other)
        }
        (TypeKind::Array(one), TypeKind::Array(other)) => {
            if (one.count, one.stride) != (other.count, other.stride) {
                return problem("array", one, other);
            }
            differ(&one.element, &other.element, false)
        }
        (TypeKind::Record(one), TypeKind::Record(other)) => {
            // Fields without bytes may be where others are, with `[[no_unique_address]]`.
            let shown = |record: &Record| -> Vec<Field> {
                record.fields().iter().filter(|field| field.ty.leaf_count() > 0).cloned().collect()
            };
            let (one, other) = (shown(one), shown(other));
            let fields = |fields: &[Field]| -> Vec<_> {
                // The parser does not see the namespace around the case.
                let name = |field: &Field| match field.name.split_once("::") {
                    Some((scope, name)) if scope.starts_with("case_") => name.to_owned(),
                    _ => field.name.to_string(),
                };
                fields.iter().map(|field| (name(field), field.offset, field.bits, field.is_base)).collect()
            };
            let (ours, theirs) = (fields(&one), fields(&other));
            if ours != theirs {
                return problem("fields", &ours, &theirs);
            }
            let mut both = one.iter().zip(&other);
            both.find_map(|(one, other)| {
                differ(&one.ty, &other.ty, true).map(|problem| format!("{}: {problem}", one.name))
            })
        }
        _ => problem("kind", ours, theirs),
    }
}

#[test]
fn c_types_are_those_of_the_declarations() {
    let c = cases(include_str!("../types/cases.c"));
    if let Some(count) = compare(Language::C, &c, &["-g", "-O0"]) {
        println!("{} types, {count} values", c.len());
    }
}

#[test]
fn cpp_types_are_those_of_the_declarations() {
    let cpp = cases(include_str!("../types/cases.cpp"));
    if let Some(count) = compare(Language::Cpp, &cpp, &["-g", "-O0"]) {
        println!("{} types, {count} values", cpp.len());
    }
}

fn random(language: Language, seeds: std::ops::Range<u64>) -> Vec<Case> {
    seeds.map(|seed| Generator::new(seed, language).case()).collect()
}

#[test]
fn random_types_are_those_of_the_declarations() {
    for (language, options) in [(Language::C, ["-gdwarf-4", "-O0"]), (Language::Cpp, ["-gdwarf-5", "-O2"])] {
        let cases = random(language, 0..150);
        if let Some(count) = compare(language, &cases, &options) {
            println!("{} types, {count} values", cases.len());
        }
    }
}
