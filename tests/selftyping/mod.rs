//! Types without any input: programs that point to their segments in many ways, and decoys.

mod cases;
mod corpus;
mod debug_files;
mod disagreement;
mod permission;
mod programs;
mod single;
mod undisturbed;
mod values;

use cases::Expected;
use corpus::Answer;
use shmlens::sys::skip::skip_for_kernel;
use shmlens::sys::watchpoint::trap_cost;

/// Of 100 types.
const LEAST_FOUND: usize = 90;

#[test]
fn types_are_found_by_the_pointers_of_real_programs_and_never_wrong() {
    let Some(answers) = corpus::run(&cases::all()) else { return };
    let of_kind = |wanted: fn(&Expected) -> bool| -> Vec<&Answer> {
        answers.iter().filter(|answer| wanted(&answer.case.expected)).collect()
    };
    let found = |answers: &[&Answer]| answers.iter().filter(|answer| answer.is_found()).count();
    let usual = of_kind(|expected| matches!(expected, Expected::Certain(_)));
    let registers = of_kind(|expected| matches!(expected, Expected::Register(_)));
    let awake = of_kind(|expected| matches!(expected, Expected::Awake(_)));
    let lines: Vec<String> = answers.iter().map(ToString::to_string).collect();
    let table = format!(
        "{}\nfound: {} of {}\nfound in registers: {} of {} asleep, {} of {} awake",
        lines.join("\n"),
        found(&usual),
        usual.len(),
        found(&registers),
        registers.len(),
        found(&awake),
        awake.len()
    );
    println!("{table}");
    assert!(answers.iter().all(|answer| !answer.is_wrong()), "{table}");
    assert!(found(&usual) * 100 >= usual.len() * LEAST_FOUND, "{table}");
    match trap_cost() {
        Ok(_) => assert_eq!(found(&awake), awake.len(), "{table}"),
        Err(error) => skip_for_kernel(&format!("needs breakpoints (perf_event_open): {error}")),
    }
}
