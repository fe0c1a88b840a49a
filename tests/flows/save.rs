//! Saving segments to files with `w`.

use super::{harness, notice, small};
use crate::support::{Acts, Harness};
use shmlens::app::overlay::Overlay;
use shmlens::app::save::Save;
use shmlens::machine::fake::{FakeBytes, FakeMachine};
use shmlens::segment::Access;
use std::fs;

fn form(harness: &Harness) -> &Save {
    match &harness.state.overlay {
        Some(Overlay::Save(form)) => form,
        other => panic!("{other:?}"),
    }
}

/// Returns a machine with an unlinked object that a process holds.
fn with_unlinked(name: &str) -> FakeMachine {
    let machine = FakeMachine::new();
    machine.add_object(name, FakeBytes::full(b"hello"));
    machine.add_process(7, "grabber");
    machine.open_in(7, name, Access::ReadWrite);
    machine.remove_object(name);
    machine
}

#[test]
fn save_writes_the_selected_segment_to_the_typed_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("b.saved");
    let mut harness = harness(small());
    harness.press("<down><down>w");
    assert_eq!(form(&harness).path.text(), "b.saved");
    assert!(harness.screen().contains("Save /b"), "{}", harness.screen());
    harness.press(&format!("{}<enter>", file.display()));
    assert!(harness.state.overlay.is_none() && harness.state.work.is_none());
    let message = notice(&harness);
    assert!(message.starts_with("Saved /b to ") && message.contains("b.saved: 100 B"), "{message}");
    assert!(harness.state.log.iter().any(|line| line.starts_with("save ")), "{:?}", harness.state.log);
    let length = fs::metadata(&file).unwrap().len();
    assert!(length > 100);
    // Overwriting an existing file requires a second request.
    fs::write(&file, b"mine").unwrap();
    harness.press(&format!("w{}<enter>", file.display()));
    let error = form(&harness).error.clone().unwrap();
    assert!(error.contains("exists") && error.contains("replace"), "{error}");
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    harness.press("<tab><space><enter>");
    assert!(harness.state.overlay.is_none(), "{}", harness.screen());
    assert_eq!(fs::metadata(&file).unwrap().len(), length);
}

#[test]
fn marked_segments_are_saved_to_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("b.saved"), b"in the way").unwrap();
    let mut harness = harness(small());
    harness.press("aw");
    assert!(harness.screen().contains("Save 4 segments"), "{}", harness.screen());
    harness.press(&format!("{}<enter>", directory.path().display()));
    let message = notice(&harness);
    assert!(
        message.starts_with("Saved 3 segments. ") && message.contains("b.saved already exists"),
        "{message}"
    );
    let mut files: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["a.saved", "b.saved", "c.saved", "sysv_5.saved"]);
}

#[test]
fn failed_form_stays_open_and_esc_leaves_or_stops_it() {
    let mut harness = harness(small());
    harness.press("w<backspace>");
    harness.press("<ctrl-u><enter>");
    assert!(form(&harness).error.as_ref().unwrap().contains("file name is required"));
    harness.press("/nowhere/file<enter>");
    assert!(form(&harness).error.as_ref().unwrap().contains("Create the directory first"));
    harness.press("<esc>");
    assert!(harness.state.overlay.is_none());
    // A save in progress can be stopped.
    harness.acts = Acts::Hang;
    harness.press("w<enter><esc>");
    assert!(form(&harness).saving && harness.acts == Acts::Stopped);
    // Saving changes no segment, so read-only mode allows it.
    let mut harness = super::harness(small());
    harness.state.read_only = true;
    harness.press("w");
    assert_eq!(form(&harness).segments.len(), 1);
}

#[test]
fn unlinked_object_is_listed_inspected_and_saved_by_former_name() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    let mut harness = harness(with_unlinked("camera0"));
    assert!(harness.screen().contains("/camera0 (deleted)"), "{}", harness.screen());
    harness.press("<enter>");
    assert!(harness.state.inspect.is_some(), "{}", notice(&harness));
    assert!(harness.screen().contains("68 65 6c 6c 6f"), "{}", harness.screen());
    harness.press("<esc>w");
    assert_eq!(form(&harness).path.text(), "camera0.saved");
    assert!(harness.screen().contains("restores as /camera0"), "{}", harness.screen());
    harness.press(&format!("{}<enter>", file.display()));
    assert!(notice(&harness).contains("restores as /camera0"), "{}", notice(&harness));
    let restored =
        shmlens::act::Actor::new(&harness.machine, &shmlens::memory::Progress::new()).restore(&file).unwrap();
    assert_eq!(restored.id.to_string(), "posix:/camera0");
    // Both segments have a line about the other one.
    harness.survey();
    let linked = |harness: &Harness| {
        let mut lines = harness.state.detail_groups().iter().flat_map(|group| &group.lines);
        lines.find(|line| line.label == Some("same name")).map(|line| line.text.clone())
    };
    harness.press("g");
    let new = linked(&harness).unwrap();
    assert!(new.contains("had this name before") && new.contains("grabber (7) rw"), "{new}");
    harness.press("j");
    let old = linked(&harness).unwrap();
    assert!(old.contains("/camera0 has this name now"), "{old}");
}

#[test]
fn existing_file_is_reported_while_typing() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("taken");
    fs::write(&file, "x").unwrap();
    let mut harness = Harness::new(small(), 140, 45);
    harness.press(&format!("<down><down>w<ctrl-u>{}", file.display()));
    assert!(
        form(&harness)
            .path_error()
            .unwrap()
            .ends_with("taken exists already: choose another name, or enable replace")
    );
    assert!(harness.screen().contains("exists already"), "{}", harness.screen());
    harness.press("2");
    assert_eq!(form(&harness).path_error(), None);
    harness.press("<backspace><tab><space>");
    assert_eq!(form(&harness).path_error(), None, "the user chose to replace the file");
    harness.press("<tab><ctrl-u>");
    assert_eq!(form(&harness).path_error().as_deref(), Some("a file name is required"));
}
