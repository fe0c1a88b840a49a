//! Names of makers and holders are escaped.

use super::{isolated_user, listed, python_of, run_by};
use crate::support::{Child, Namespaces, SOON, compile_cpp, shmlens};
use std::process::Command;

/// Asserts that the output has no control character except newlines, and no bidirectional control.
#[track_caller]
fn assert_harmless(text: &[u8], lines: usize) {
    // CSV lines end as CSV requires.
    let text = String::from_utf8(text.to_vec()).unwrap().replace("\r\n", "\n");
    let is_control = |character: char| {
        (character.is_control() && character != '\n') || ('\u{202a}'..='\u{202e}').contains(&character)
    };
    assert!(!text.contains(is_control), "{text:?}");
    assert!(lines == 0 || text.lines().count() == lines, "{text}");
}

#[test]
fn control_characters_in_names_are_escaped() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(program) = compile_cpp("tests/makers/lives.cpp") else { return };
    let mut child = Child::spawn_piped(Command::new(program).arg("hostile"));
    while !child.line(SOON).starts_with("ready") {}
    let verdicts = listed();
    assert_eq!(verdicts.len(), 4, "{verdicts:#?}");
    let command = r#"\x1b[2J\x0a\xff,"<"#;
    let maker = verdicts.iter().find(|one| one.state == "idle").unwrap();
    assert_eq!(maker.segment["made_by"]["name"], command);
    assert!(maker.reasons.contains(command), "{maker:#?}");
    let held = verdicts.iter().find(|one| one.state == "in-use").unwrap();
    assert_eq!(held.segment["holders"][0]["command"], command);
    let removed = verdicts.iter().find(|one| one.state == "removed").unwrap();
    assert!(removed.reasons.contains(&format!("kept alive by {command} (")), "{removed:#?}");
    assert!(removed.reasons.contains(r"former name /gone-\x1b[2J\x0a"), "{removed:#?}");

    let run = |arguments: &[&str]| {
        let output = shmlens().args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let columns = "id,name,holders,made_by,state,reasons";
    assert_harmless(&run(&["list", "--columns", columns]), 5);
    assert_harmless(&run(&["list", "--csv", "--columns", columns]), 5);
    assert_harmless(&run(&["list"]), 5);
    assert_harmless(&run(&["list", "--json"]), 0);
    for one in &verdicts {
        assert_harmless(&run(&["info", &one.id]), 0);
        assert_harmless(&run(&["info", &one.id, "--json"]), 0);
    }
}

/// The config file defines a maker for this program.
#[test]
fn program_from_the_settings_is_identified() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let user = isolated_user();
    let text = "import os; open('/dev/shm/session-%d' % os.getpid(), 'w').write('x'); print('ok'); input()";
    let Some(command) = python_of(user, text) else { return };
    let mut child = Child::spawn_piped(&mut run_by(user, command));
    assert_eq!(child.line(SOON), "ok");
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("shmlens")).unwrap();
    let settings = r#"
        settle = "1s"
        [[maker]]
        id = "session"
        name = "Our sessions"
        pattern = '^session-(?P<pid>\d+)$'
        pid = { group = "pid", of = "session" }
        unheld = "dead-pid"
        reason = "each session has one, and takes it away at its end"
    "#;
    std::fs::write(home.path().join("shmlens/config.toml"), settings).unwrap();
    let state = || {
        let mut command = shmlens();
        let output = command.env("XDG_CONFIG_HOME", home.path()).args(["list", "--json"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        super::Verdict::new(&report["segments"][0])
    };
    crate::support::wait_until(SOON, || state().state != "unknown");
    let running = state();
    running.assert_is("idle", &["may still be needed: its session (pid ", "is running"]);
    assert_eq!(
        (running.maker.as_str(), &running.segment["made_by"]["name"]),
        ("session", &"Our sessions".into())
    );
    child.end();
    // The age limit of one second in the config may already have passed.
    crate::support::wait_until(SOON, || state().state.starts_with("leaked"));
    state().assert_is("leaked certain", &["its session (pid ", "exited"]);
}
