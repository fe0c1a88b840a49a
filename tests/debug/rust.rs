//! Programs of Rust.

use super::compile::{Compiled, compile};
use super::truth::{check, count_in};
use shmlens::decode::debug::ElementCount;
use shmlens::decode::{Type, TypeKind};

const SOURCE: &str = include_str!("rust_program.rs");

fn program(options: &[&str]) -> Option<Compiled> {
    compile(
        "rustc",
        "rs",
        SOURCE,
        &[&["--edition=2024", "--crate-name=rust_program", "-g"], options].concat(),
    )
}

/// The text of the value of some bytes.
fn text(ty: &Type, bytes: &[u8]) -> String {
    ty.decode(bytes).to_string()
}

#[test]
fn rust_program_tells_the_truth() {
    let Some(made) = program(&[]) else { return };
    let program = made.open();
    let count = check(&program, &made.output());
    assert!(count > 25, "{count}");
    let slice = count_in(&program, "rust_program::app::SLICE");
    assert_eq!(slice, Some(ElementCount { offset: 8, size: 8 }));
    let shape = program.find("Shape").unwrap();
    let mut bytes = vec![0; 16];
    bytes[0] = 1;
    bytes[8..].copy_from_slice(&2.5_f64.to_le_bytes());
    let shown = text(&shape, &bytes);
    assert!(shown.contains("variant: Circle") && shown.contains("Circle: {__0: 2.5}"), "{shown}");
    let frame = program.find("Frame").unwrap();
    let kind = |path: &str| frame.place(&frame.parse_path(path).unwrap()).unwrap().ty.kind().clone();
    assert!(matches!(kind("tick"), TypeKind::Scalar(shmlens::decode::Scalar::U64, _)));
    assert!(matches!(kind("letter"), TypeKind::Scalar(shmlens::decode::Scalar::Char32, _)));
    assert!(matches!(kind("large"), TypeKind::Scalar(shmlens::decode::Scalar::U128, _)));
    let states = program.find("Mode").unwrap();
    assert_eq!(
        ["Off", "Idle", "On"],
        [0xfd, 0xfe, 7].map(|byte| text(&states, &[byte])).each_ref().map(String::as_str)
    );
    let option = frame.place(&frame.parse_path("next").unwrap()).unwrap();
    assert!(text(option.ty, &[0; 8]).contains("variant: None"), "{}", text(option.ty, &[0; 8]));
}

#[test]
fn optimized_rust_program_tells_the_truth() {
    if let Some(made) = program(&["-O"]) {
        // Some statics are gone.
        let output = made.output();
        let lines: Vec<&str> = output.lines().filter(|line| !line.starts_with("P|")).collect();
        check(&made.open(), &lines.join("\n"));
    }
}
