//! `dump --as`: places, several types, wide values, and arrays of numpy.

use super::{json, printed, run, stderr_of};
use crate::support::{Namespaces, Object, shmlens};
use serde_json::Value;

#[test]
fn type_at_the_end_is_an_error() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("a", 64, 0o600);
    for arguments in [["dump", "a", "--as", "u64@64"], ["watch", "a", "--as", "u64@64"]] {
        let error = stderr_of(arguments, 1);
        assert!(
            error.contains("offset 64 is the end of /a (64 bytes): no value of 8 bytes is there"),
            "{error}"
        );
    }
    let error = stderr_of(["dump", "a", "--as", "u64", "--offset", "64"], 1);
    assert!(error.contains("offset 64 is the end"), "{error}");
    assert_eq!(printed(["dump", "a", "--as", "u64@56"]), "00000038  0\n");
    let past = run(["dump", "a", "--as", "u64@60"]);
    assert!(String::from_utf8_lossy(&past.stderr).contains("a value takes 8 bytes"));
}

#[test]
fn several_types_are_one_value() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 64, 0o600);
    object.write(4, &[7, 0, 1, 2]);
    object.write(40, b"name");
    let types = ["--as", "u16le@4", "--as", "u8[2]@6", "--as", "char[8]@40"];
    let dumped = |option: &[&str]| {
        let output = shmlens().args(["dump", "a"]).args(types).args(option).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(dumped(&[]), "00000004  {u16@0x4: 7, u8[2]@0x6: [1, 2], char[8]@0x28: \"name\"}\n");
    assert_eq!(
        dumped(&["--csv"]),
        "offset,u16@0x4,\"[\"\"u8[2]@0x6\"\"][0]\",\"[\"\"u8[2]@0x6\"\"][1]\",\"[\"\"char[8]@0x28\"\"]\"\r\n4,7,1,2,name\r\n"
    );
    let error = stderr_of(["dump", "a", "--as", "u8", "--as", "sharedlist"], 2);
    assert!(error.contains("sharedlist is all of a segment: omit the other types"), "{error}");
    let error = stderr_of(["dump", "a", "--as", "u8", "--as", "u8@1G"], 2);
    assert!(error.contains("at most 16 MiB are decoded as one value"), "{error}");
}

#[test]
fn wide_struct_has_a_line_for_each_field() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 208, 0o600);
    object.write(0, &[1; 104]);
    let frame = "struct { char tick; struct { char x, y; } at; char name[5]; double m[12]; }";
    let text = printed(["dump", "a", "--as", frame]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "00000000  tick: '\\x01'");
    assert_eq!(lines[1], "          at: {x: '\\x01', y: '\\x01'}");
    assert_eq!(lines[2], "          name: \"\\x01\\x01\\x01\\x01\\x01\"");
    assert!(lines[3].starts_with("          m[0]: 7.748604185489348e-304, ") && lines[3].len() <= 100);
    assert_eq!(text.matches("7.748604185489348e-304").count(), 12);
}

#[test]
fn flags_and_texts_read_as_in_the_program() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 24, 0o600);
    object.write(0, &[0x15, 0, 0, 0]);
    object.write(4, b"C:\\new\n\xff");
    let kind = "enum Mode { Read = 1, Write = 2, Exec = 4 }; struct A { enum Mode mode; char path[16]; };";
    let value = &json(["dump", "a", "--as", kind, "--length", "20", "--json"])["value"];
    assert_eq!(
        (&value["mode"], &value["path"]),
        (&Value::from("Read|Exec|0x10"), &Value::from("C:\\new\n\\xff"))
    );
    let text = printed(["dump", "a", "--as", kind, "--length", "20"]);
    assert_eq!(text, "00000000  {mode: Read|Exec|0x10, path: \"C:\\x5cnew\\x0a\\xff\"}\n");
}

/// Returns a file of numpy with elements of eight bytes.
fn npy(shape: &str, elements: usize) -> Vec<u8> {
    let mut header = format!("{{'descr': '<u8', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend((0..elements as u64).flat_map(u64::to_le_bytes));
    bytes
}

#[test]
fn arrays_of_numpy_are_rows_of_any_number() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let small = npy("(2, 3)", 6);
    // Far more than is decoded as one value; a hole takes no time.
    let large = Object::new("large", 128 + 8_000_000_000, 0o600);
    large.write(0, &npy("(1000000000,)", 0));
    large.write(128 + 8_000_000_000 - 8, &[7]);
    assert_eq!(printed(["dump", "large", "--as", "npy"]), "00000080  0\n*\n1dcd65078  7\n");
    let object = Object::new("small", small.len() as u64, 0o600);
    object.write(0, &small);
    assert_eq!(printed(["dump", "small", "--as", "npy"]), "00000080  [0, 1, 2]\n00000098  [3, 4, 5]\n");
    assert_eq!(
        printed(["dump", "small", "--as", "npy", "--csv"]),
        "offset,[0],[1],[2]\r\n128,0,1,2\r\n152,3,4,5\r\n"
    );
    let error = stderr_of(["dump", "small", "--as", "npy", "--offset", "8"], 2);
    assert!(error.contains("npy is all of a segment"), "{error}");
    object.write(0, b"x");
    let error = stderr_of(["dump", "small", "--as", "npy"], 1);
    assert!(
        error.contains("the contents are not an array in .npy format: it does not start with"),
        "{error}"
    );
}
