//! Formats of `struct`, value for value against `CPython`.

use super::{compare, lines, parse, printed as printed_value, python3, text, unhex};
use serde_json::json;
use shmlens::decode::{Type, TypeKind};

/// Random formats in a test run, and in the full run.
const RANDOM: u64 = 3000;
const RANDOM_IN_FULL: u64 = 1_000_000;

/// Compares all values that the program prints. Returns the number of them.
fn check(first: u64, count: u64) -> Option<usize> {
    let python = python3()?;
    let mut compared = 0;
    for line in lines(&python, "structs.py", &[first.to_string(), count.to_string()]) {
        let form = text(&line, "type");
        let size = line["size"].as_u64().unwrap();
        let ty = match parse(form) {
            Ok(ty) => ty,
            // Nothing but the alignment of values that do not exist.
            Err(_) if size == 0 => continue,
            Err(error) => panic!("{form}: {error}"),
        };
        assert_eq!(ty.size(), size, "{form}");
        let bytes = unhex(text(&line, "hex"));
        let value = printed_value(ty.decode(&bytes));
        compare(&line, &if is_row(&ty) { value } else { json!([value]) });
        compared += 1;
    }
    println!("{compared} values of struct");
    Some(compared)
}

fn is_row(ty: &Type) -> bool {
    matches!(ty.kind(), TypeKind::Record(_))
}

#[test]
fn formats_have_the_values_of_struct() {
    if let Some(compared) = check(1, 0) {
        assert!(compared > 100, "{compared}");
    }
}

#[test]
fn random_formats_have_the_values_of_struct() {
    if let Some(compared) = check(1, RANDOM) {
        assert!(compared as u64 > RANDOM / 2, "{compared}");
    }
}

#[test]
#[ignore = "takes minutes"]
fn many_random_formats_have_the_values_of_struct() {
    let _ = check(1_000_000, RANDOM_IN_FULL);
}

#[test]
fn invalid_formats_are_refused_where_python_refuses_them() {
    for form in ["<n", ">P", "z", "3", "i3", "<i,q", "=N", "1_0i"] {
        let error = parse(&format!("struct:{form}")).expect_err(form).to_string();
        assert!(error.contains("column "), "{error}");
    }
}
