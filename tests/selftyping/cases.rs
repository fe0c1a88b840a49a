//! The cases of the corpus: a program, its argument, and the types that it truly uses.

/// A process that shares a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    pub program: &'static str,
    pub way: &'static str,
    pub expected: Expected,
}

/// A type and its offset.
pub type Place = (&'static str, u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// All of these are certain, and no others.
    Certain(&'static [Place]),
    /// May be certain: it is in a register of a thread that sleeps for ever.
    Register(Place),
    /// Certain: it is in a register of a thread that wakes up.
    Awake(Place),
    /// A pointer that lies, or says nothing. These may be certain all the same.
    Decoy(&'static [Place]),
}

use Expected::{Awake, Certain, Decoy, Register};

const FRAME: &[Place] = &[("nav::Frame", 0)];
const C_FRAME: &[Place] = &[("frame", 0)];
const RUST_FRAME: &[Place] = &[("ways::Frame", 0)];

/// The ways of the C++ program that hold at all levels of optimization.
const CPP: [(&str, Expected); 24] = [
    ("global", Certain(FRAME)),
    ("static_local", Certain(FRAME)),
    ("static_member", Certain(FRAME)),
    ("member", Certain(FRAME)),
    ("on_heap", Certain(FRAME)),
    ("shared_on_heap", Certain(FRAME)),
    ("far_on_heap", Certain(FRAME)),
    ("owned", Certain(FRAME)),
    ("of_atomic", Certain(FRAME)),
    ("of_span", Certain(&[("nav::Item", 0)])),
    ("of_reference", Certain(FRAME)),
    ("of_slots", Certain(&[("nav::Frame", 0), ("nav::Frame", 56), ("nav::Frame", 112), ("nav::Frame", 168)])),
    ("of_list", Certain(FRAME)),
    ("of_template", Certain(&[("nav::Ring<float, 4>", 0)])),
    ("of_derived", Certain(&[("nav::Derived", 0)])),
    ("of_base_and_derived", Certain(&[("nav::Derived", 0)])),
    ("with_header", Certain(&[("nav::Header", 0), ("nav::Item", 64)])),
    ("in_pages", Certain(FRAME)),
    ("at_offset", Certain(&[("nav::Frame", 256)])),
    ("in_second_page", Certain(&[("nav::Frame", 4096)])),
    ("of_optional", Certain(FRAME)),
    ("with_words", Certain(FRAME)),
    ("of_array", Certain(&[("nav::Item", 0)])),
    ("of_constant", Certain(FRAME)),
];

const LOCALS: [&str; 5] = ["in_local", "in_deep_frame", "in_block", "in_thread", "in_join"];

const DECOYS: [(&str, &[Place]); 17] = [
    ("past_the_end", &[]),
    ("stale", &[]),
    ("remapped", &[]),
    ("same_size", &[]),
    ("wrong_type_too", &[]),
    ("words_only", &[]),
    ("numbers_only", &[]),
    ("first_enum", &[]),
    ("first_member", &[]),
    ("inner_member", &[]),
    ("base_only", &[]),
    ("enum_in_pages", &[]),
    ("prefix", &[("nav::Old", 0)]),
    ("either_of", &[]),
    ("freed", &[]),
    ("not_yet_set", &[]),
    ("called_before", FRAME),
];

const RUST: [(&str, Expected); 5] = [
    ("atomic", Certain(RUST_FRAME)),
    ("member", Certain(RUST_FRAME)),
    ("boxed", Certain(RUST_FRAME)),
    ("reference", Certain(RUST_FRAME)),
    ("slice", Certain(&[("ways::Sample", 0)])),
];

const FORMS: [&str; 12] = [
    "dwarf-4",
    "dwarf-5",
    "split-4",
    "split-5",
    "compressed",
    "type-units",
    "static",
    "no-pie",
    "clang-c",
    "debuglink",
    "build-id",
    "library",
];

/// Ways that are tried with other compilers and levels as well.
const OPTIMIZED: [&str; 4] = ["global", "on_heap", "of_span", "static_local"];
const CLANG: [&str; 2] = ["of_template", "of_reference"];

const fn case(program: &'static str, way: &'static str, expected: Expected) -> Case {
    Case { program, way, expected }
}

pub fn all() -> Vec<Case> {
    let mut cases: Vec<Case> = CPP.map(|(way, expected)| case("cpp-O0", way, expected)).into();
    cases.extend(LOCALS.map(|way| case("cpp-O0", way, Certain(FRAME))));
    cases.extend(FORMS.map(|program| case(program, "", Certain(C_FRAME))));
    cases.extend(["deleted", "replaced", "sysv"].map(|way| case("dwarf-5", way, Certain(C_FRAME))));
    cases.push(case("dwarf-4", "image", Certain(&[("image_t", 0)])));
    cases.extend(RUST.map(|(way, expected)| case("rust-O0", way, expected)));
    cases.extend(["local", "thread"].map(|way| case("rust-O0", way, Certain(RUST_FRAME))));
    cases.extend(["atomic", "boxed"].map(|way| case("rust-O2", way, Certain(RUST_FRAME))));
    let of_cpp = |ways: &[&str], program| {
        let ways = CPP.into_iter().filter(|(way, _)| ways.contains(way));
        ways.map(|(way, expected)| case(program, way, expected)).collect::<Vec<_>>()
    };
    cases.extend(of_cpp(&OPTIMIZED, "cpp-O2"));
    cases.extend(of_cpp(&OPTIMIZED, "clang-O2"));
    cases.extend(of_cpp(&CLANG, "clang-O0"));
    cases.extend(LOCALS.map(|way| case("clang-O0", way, Certain(FRAME))));
    for program in ["cpp-O2", "clang-O2"] {
        cases.extend(LOCALS.map(|way| case(program, way, Register(FRAME[0]))));
        cases.push(case(program, "awake", Awake(FRAME[0])));
    }
    cases.extend(["local", "thread"].map(|way| case("rust-O2", way, Register(RUST_FRAME[0]))));
    cases.extend(DECOYS.map(|(way, truth)| case("cpp-O0", way, Decoy(truth))));
    cases.extend(["not_yet_set"].map(|way| case("clang-O0", way, Decoy(&[]))));
    cases.push(case("stripped", "", Decoy(C_FRAME)));
    cases
}
