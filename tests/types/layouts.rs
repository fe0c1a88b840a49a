//! Offsets and sizes of C and C++ declarations, hand-written and random, against gcc.

use super::gcc::{Case, cases, compare, compare_with};
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

#[test]
#[ignore = "needs clang; gcc decides where the two differ"]
fn clang_agrees() {
    let c = cases(include_str!("cases.c"));
    let _ = compare_with("clang-c", Language::C, &c, "clang");
    let cpp = cases(include_str!("cases.cpp"));
    let _ = compare_with("clang-cpp", Language::Cpp, &cpp, "clang++");
}
