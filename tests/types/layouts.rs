//! Offsets and sizes of C and C++ declarations, hand-written and random, against gcc.

use super::gcc::{Case, cases, compare, differences};
use super::generator::Generator;
use shmlens::decode::declaration::Language;

/// Random declarations of each language in a test run, and in the full run:
/// `cargo test --test promises -- --ignored types::layouts`.
const RANDOM: u64 = 250;
const RANDOM_IN_FULL: u64 = 10_000;
/// Declarations that one program contains.
const BATCH: u64 = 500;

#[test]
fn c_declarations_have_the_layout_of_gcc() {
    let cases = cases(include_str!("cases.c"));
    if let Some(compared) = compare("c", Language::C, &cases) {
        println!("{} declarations, {compared} sizes and offsets", cases.len());
        assert!(cases.len() >= 100 && compared >= 500);
    }
}

#[test]
fn cpp_declarations_have_the_layout_of_gcc() {
    let cases = cases(include_str!("cases.cpp"));
    if let Some(compared) = compare("cpp", Language::Cpp, &cases) {
        println!("{} declarations, {compared} sizes and offsets", cases.len());
        assert!(cases.len() >= 100 && compared >= 500);
    }
}

fn random(name: &str, language: Language, seeds: std::ops::Range<u64>) {
    let cases: Vec<Case> = seeds.map(|seed| Generator::new(seed, language).case()).collect();
    if let Some(compared) = compare(name, language, &cases) {
        println!("{} declarations, {compared} sizes and offsets", cases.len());
    }
}

#[test]
fn random_c_declarations_have_the_layout_of_gcc() {
    random("random-c", Language::C, 0..RANDOM);
}

#[test]
fn random_cpp_declarations_have_the_layout_of_gcc() {
    random("random-cpp", Language::Cpp, 0..RANDOM);
}

#[test]
#[ignore = "takes minutes"]
fn many_random_declarations_have_the_layout_of_gcc() {
    for language in [Language::C, Language::Cpp] {
        for start in (0..RANDOM_IN_FULL).step_by(usize::try_from(BATCH).unwrap()) {
            random(&format!("full-{language:?}"), language, 1_000_000 + start..1_000_000 + start + BATCH);
        }
    }
}

/// The cases without extensions that only gcc has.
fn of_clang(text: &'static str) -> Vec<Case> {
    const EXTENSIONS: [&str; 6] =
        ["_Float16", "_Float128", "_Atomic", "const ", "alignas(1) short", "hardware_destructive"];
    let is_common =
        |case: &Case| !EXTENSIONS.iter().any(|word| case.source.contains(word) || case.ty.contains(word));
    cases(text).into_iter().filter(is_common).collect()
}

#[test]
fn clang_agrees() {
    let c = of_clang(include_str!("cases.c"));
    let cpp = of_clang(include_str!("cases.cpp"));
    for (name, language, cases, compiler) in
        [("clang-c", Language::C, &c, "clang"), ("clang-cpp", Language::Cpp, &cpp, "clang++")]
    {
        let Some((count, differences)) = differences(name, language, cases, compiler) else { return };
        println!("{count} values, {} differ from {compiler}:\n{}", differences.len(), differences.join("\n"));
        // The two differ where gcc decides: bit-fields of a type with an alignment of its own, bases with
        // defaulted functions, classes in packed structs, and padding after bit-fields.
        assert!(count > 100 && differences.len() * 20 <= count);
    }
}
