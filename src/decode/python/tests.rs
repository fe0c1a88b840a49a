//! Tests of forms and errors. The values are compared with Python's in tests/python.

use crate::decode::{ParseTypeError, Type};
use proptest::prelude::*;

fn parse_type(text: &str) -> Result<Type, ParseTypeError> {
    crate::decode::parse_type(text, &|_| Err("no headers here".to_owned())).map(|placed| placed.ty)
}

fn ty(text: &str) -> Type {
    parse_type(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn error(text: &str) -> String {
    parse_type(text).map(|ty| ty.to_string()).expect_err(text).expected()
}

#[test]
fn errors_have_their_column() {
    for (text, expected) in [
        ("struct:<iz", "column 10: expected one of the codes"),
        ("struct:<i n", "column 11: codes n, N and P exist only in native formats"),
        ("struct:", "column 8: expected one of the codes"),
        ("struct:3", "column 9: expected one of the codes"),
        ("dtype:i4,f9", "column 10: unknown dtype 'f9'"),
        ("<f8x", "column 2: unknown dtype 'f8x'"),
        ("dtype:M8[ls]", "column 10: unknown unit"),
        ("dtype:S", "column 8: expected a length after S"),
        ("[('a', '<i4'), ('b', 'x4')]", "column 23: unknown dtype 'x4'"),
        ("[('a', '<i4'), ('a', '<i4')]", "column 16: another field is named 'a'"),
        ("[('a', '<i4')", "column 14: expected ',' or ']', found the end"),
        ("[('a', '<i4)]", "column 8: the string does not end"),
        ("[('a', 7)]", "column 8: expected a dtype: a string, list, dict or tuple, found a number"),
        ("{'names': ['a'], 'formats': []}", "column 1: expected as many formats"),
        ("{'names': ['a'], 'formats': ['i4'], 'itemsize': 2}", "column 1: the fields end at 4"),
        ("(2,f4", "column 4: expected a dimension"),
        ("T{<i:x:", "column 8: expected one of the codes"),
        ("T{<i:x", "column 7: expected ':', found the end"),
        ("T{k}", "column 3: expected one of the codes"),
        ("i4,i8", "column 4: 'i8' takes 1 byte here"),
    ] {
        let found = error(text);
        assert!(found.starts_with(expected), "{text}: {found}");
    }
    assert!(error("(99999999999)(f8").contains("column"));
    assert!(error("struct:99999999999999999999i").contains("too large"));
    assert!(error("dtype:V9223372036854775808").contains("too large"));
}

#[test]
fn names_of_shmlens_keep_their_meaning() {
    assert_eq!((ty("i8").size(), ty("u8[2]").size(), ty("f16").size()), (1, 2, 2));
    assert_eq!((ty("dtype:i8").size(), ty("<i8").size(), ty("dtype:f16").size()), (8, 8, 16));
    assert_eq!((ty("i4,f8").size(), ty("i32,f64").size()), (12, 16));
}

#[test]
fn nesting_is_bounded() {
    for (open, close) in [("[('a',", ")]"), ("(", ")"), ("{'a':", "}"), ("T{", "}")] {
        let text = open.repeat(50_000);
        assert!(parse_type(&text).is_err());
        assert!(parse_type(&format!("{text}'i4'{}", close.repeat(50_000))).is_err());
    }
}

#[test]
fn types_have_names() {
    for name in ["S8", "<U4", "M8[ns]", "m8[25us]", ">M8[D]", "struct:<i4xd", "bytes[12]"] {
        assert_eq!(ty(name).to_string(), name);
    }
}

proptest! {
    #[test]
    fn arbitrary_text_does_not_panic(text in "\\PC*") {
        let _ = parse_type(&text);
    }
}

const VALID: [&str; 12] = [
    "struct:<iqd",
    "struct:@4s2xh0i3?10pP",
    "dtype:i4,f8,(2,3)f4,S8",
    "<M8[25s]",
    "(2,3)>c16",
    "[('a', '<i4'), ('b', '<f8', (3,)), ('', '|V4'), (('t', 'n'), [('x', 'u1')])]",
    "{'names': ['a', 'b'], 'formats': ['i1', 'f8'], 'offsets': [4, 8], 'itemsize': 24, 'aligned': True}",
    "{'a': ('<i4', 0), 'b': (('f4', (2, 2)), 8)}",
    "dtype([('a', '<i4'), ('b', '<f8')], align=True)",
    "T{<i:x:(3)d:y:}",
    "T{b:a:xxx@T{h:q:(2,2)>Zd:z:}:s:3w:t:}",
    "U4,V12",
];

const PARTS: [&str; 34] = [
    "struct:",
    "dtype:",
    "T{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "{",
    "'",
    "\"",
    ",",
    ":",
    "<",
    ">",
    "@",
    "=",
    "i4",
    "f8",
    "S8",
    "M8[ns]",
    "3",
    "0",
    "9223372036854775807",
    "99999999999999999999",
    "x",
    "s",
    "'names'",
    "'formats'",
    "('a', '<i4')",
    "True",
    "é",
    "\\",
    " ",
];

/// Damages valid types, and composes others from parts.
fn fuzz(cases: u64) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |end: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % end
    };
    let bytes = [0x5a; 64];
    let mut parsed = 0;
    for _ in 0..cases {
        let mut text = VALID[next(VALID.len())].to_owned();
        if next(4) == 0 {
            text.clear();
        }
        for _ in 0..=next(4) {
            let at = (0..=next(text.len() + 1)).rev().find(|&at| text.is_char_boundary(at)).unwrap();
            let end =
                (at + next(4)..=text.len()).find(|&end| text.is_char_boundary(end)).unwrap_or(text.len());
            let part = if next(3) == 0 { "" } else { PARTS[next(PARTS.len())] };
            text.replace_range(at..end.max(at), part);
        }
        if let Ok(ty) = parse_type(&text) {
            parsed += 1;
            let decoded = ty.decode(&bytes);
            // Larger types have many values past the end.
            if ty.leaf_count() < 1000 {
                let _ = (decoded.to_string(), serde_json::to_string(&decoded).unwrap(), ty.csv_header());
            }
            let _ = (ty.to_string(), ty.path_at(7));
        }
    }
    assert!(parsed > cases / 50, "{parsed} of {cases} are types");
}

#[test]
fn damaged_types_are_refused_or_decoded() {
    fuzz(20_000);
}

#[test]
#[ignore = "takes minutes: cargo test --release --lib -- --ignored damaged"]
fn millions_of_damaged_types() {
    fuzz(5_000_000);
}
