//! dtypes value for value against numpy, and files that numpy writes.

use super::{compare, lines, numpy, parse, printed as printed_value, text, unhex};
use shmlens::decode::layouts::Layout;

/// Random dtypes in a test run, and in the full run: `cargo test --test promises -- --ignored python::`.
const RANDOM: u64 = 1500;
const RANDOM_IN_FULL: u64 = 300_000;

/// Compares all values that a program prints. Returns the number of them.
fn check(first: u64, count: u64) -> Option<usize> {
    let python = numpy()?;
    let mut compared = 0;
    for line in lines(&python, "dtypes.py", &[first.to_string(), count.to_string()]) {
        let form = text(&line, "type");
        let ty = parse(form).unwrap_or_else(|error| panic!("{form}: {error}"));
        assert_eq!(ty.size(), line["size"].as_u64().unwrap(), "{form}");
        let bytes = unhex(text(&line, "hex"));
        compare(&line, &printed_value(ty.decode(&bytes)));
        compared += 1;
    }
    println!("{compared} values of numpy");
    Some(compared)
}

#[test]
fn dtypes_have_the_values_of_numpy() {
    if let Some(compared) = check(1, 0) {
        assert!(compared > 300, "{compared}");
    }
}

#[test]
fn random_dtypes_have_the_values_of_numpy() {
    if let Some(compared) = check(1, RANDOM) {
        assert!(compared as u64 > RANDOM * 2, "{compared}");
    }
}

#[test]
#[ignore = "takes minutes"]
fn many_random_dtypes_have_the_values_of_numpy() {
    let _ = check(1_000_000, RANDOM_IN_FULL);
}

#[test]
fn npy_files_have_the_values_of_numpy() {
    let Some(python) = numpy() else { return };
    let mut compared = 0;
    for line in lines(&python, "npy.py", &[]) {
        let bytes = unhex(text(&line, "hex"));
        let peek = |offset: u64, into: &mut [u8]| {
            let at = usize::try_from(offset).unwrap();
            bytes.get(at..at + into.len()).is_some_and(|found| {
                into.copy_from_slice(found);
                true
            })
        };
        let built =
            Layout::Npy.build(&peek, bytes.len() as u64).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(built.is_certain && built.ty.size() == bytes.len() as u64, "{line}");
        let value = printed_value(built.ty.decode(&bytes));
        let field = if line["transposed"] == true { "data_transposed" } else { "data" };
        compare(&line, &value[field]);
        assert_eq!(built.note.is_some(), line["transposed"] == true, "{line}");
        compared += 1;
    }
    assert!(compared >= 30, "{compared}");
}
