//! `info` shows the values of a certain type.

use super::debug_files::DebugFiles;
use super::single::{OBJECT, Program, json, run};
use crate::support::Namespaces;
use serde_json::json;

#[test]
fn info_shows_the_values_of_the_certain_type() {
    let Some(namespaces) = Namespaces::new() else { return };
    let _debug_files = DebugFiles::new(&namespaces);
    let Some(program) = Program::new("dwarf-5") else { return };
    let _holder = program.start(&[]);
    let info = json(&run(&["info", OBJECT, "--json"]));
    assert_eq!(
        info["segments"][0]["values"],
        json!([{
            "offset": 0,
            "type": "frame",
            "value": {
                "tick": 7, "speed": 12.5, "gains": [0.5, 1.5, 2.5], "mode": "CRUISE", "name": "camera"
            }
        }])
    );
    let text = String::from_utf8(run(&["info", OBJECT]).stdout).unwrap();
    for part in ["frame", "tick", "12.5", "CRUISE", "camera"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    // Its name is a type for other commands.
    let dump = json(&run(&["dump", OBJECT, "--as", "frame@0", "--json"]));
    assert_eq!(dump["value"], info["segments"][0]["values"][0]["value"]);
    let code = String::from_utf8(run(&["info", OBJECT, "--as", "frame", "--code", "cpp"]).stdout).unwrap();
    assert!(code.contains("struct frame") && code.contains("tick"), "{code}");
    let wrong = crate::support::shmlens().args(["dump", OBJECT, "--as", "Other"]).output().unwrap();
    let message = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(message.contains("no program that holds") && message.contains("'Other'"), "{message}");
}
