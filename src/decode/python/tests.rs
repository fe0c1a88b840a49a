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

    #[test]
    fn nearly_valid_text_does_not_panic(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "struct:", "dtype:", "T{", "}", "(", ")", "[", "]", "{", "'", ",", ":", "<", ">", "@", "i4", "f8",
                "S8", "M8[ns]", "3", "99999999999999999999", "x", "s", "'names'", "'formats'", "'a'", "('a', '<i4')",
                "True", "None", "=", "é", "\\", " ",
            ]),
            0..24,
        )
    ) {
        let text = parts.concat();
        if let Ok(ty) = parse_type(&text) {
            let _ = ty.decode(&[0x5a; 64]).to_string();
        }
    }
}
