//! Saving segments to files with `w`.

use super::{notice, small, stage};
use crate::support::{Acts, Stage};
use shmlens::app::overlay::Overlay;
use shmlens::app::save::Save;
use shmlens::machine::fake::{FakeBytes, FakeMachine};
use shmlens::segment::Access;
use std::fs;

fn form(stage: &Stage) -> &Save {
    match &stage.state.overlay {
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
    let mut stage = stage(small());
    stage.press("<down><down>w");
    assert_eq!(form(&stage).path.text(), "b.saved");
    assert!(stage.screen().contains("Save /b"), "{}", stage.screen());
    stage.press(&format!("{}<enter>", file.display()));
    assert!(stage.state.overlay.is_none() && stage.state.work.is_none());
    let message = notice(&stage);
    assert!(message.starts_with("Saved /b to ") && message.contains("b.saved: 100 B"), "{message}");
    assert!(stage.state.log.iter().any(|line| line.starts_with("save ")), "{:?}", stage.state.log);
    let length = fs::metadata(&file).unwrap().len();
    assert!(length > 100);
    // Overwriting an existing file requires a second request.
    fs::write(&file, b"mine").unwrap();
    stage.press(&format!("w{}<enter>", file.display()));
    let error = form(&stage).error.clone().unwrap();
    assert!(error.contains("exists") && error.contains("replace"), "{error}");
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    stage.press("<tab><space><enter>");
    assert!(stage.state.overlay.is_none(), "{}", stage.screen());
    assert_eq!(fs::metadata(&file).unwrap().len(), length);
}

#[test]
fn marked_segments_are_saved_to_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("b.saved"), b"in the way").unwrap();
    let mut stage = stage(small());
    stage.press("aw");
    assert!(stage.screen().contains("Save 4 segments"), "{}", stage.screen());
    stage.press(&format!("{}<enter>", directory.path().display()));
    let message = notice(&stage);
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
    let mut stage = stage(small());
    stage.press("w<backspace>");
    stage.press("<ctrl-u><enter>");
    assert!(form(&stage).error.as_ref().unwrap().contains("file name is required"));
    stage.press("/nowhere/file<enter>");
    assert!(form(&stage).error.as_ref().unwrap().contains("Create the directory first"));
    stage.press("<esc>");
    assert!(stage.state.overlay.is_none());
    // A save in progress can be stopped.
    stage.acts = Acts::Hang;
    stage.press("w<enter><esc>");
    assert!(form(&stage).saving && stage.acts == Acts::Stopped);
    // Saving changes no segment, so read-only mode allows it.
    let mut stage = super::stage(small());
    stage.state.read_only = true;
    stage.press("w");
    assert_eq!(form(&stage).segments.len(), 1);
}

#[test]
fn unlinked_object_is_listed_inspected_and_saved_by_former_name() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    let mut stage = stage(with_unlinked("camera0"));
    assert!(stage.screen().contains("/camera0 (deleted)"), "{}", stage.screen());
    stage.press("<enter>");
    assert!(stage.state.inspect.is_some(), "{}", notice(&stage));
    assert!(stage.screen().contains("68 65 6c 6c 6f"), "{}", stage.screen());
    stage.press("<esc>w");
    assert_eq!(form(&stage).path.text(), "camera0.saved");
    assert!(stage.screen().contains("restores as /camera0"), "{}", stage.screen());
    stage.press(&format!("{}<enter>", file.display()));
    assert!(notice(&stage).contains("restores as /camera0"), "{}", notice(&stage));
    let restored =
        shmlens::act::Actor::new(&stage.machine, &shmlens::memory::Progress::new()).restore(&file).unwrap();
    assert_eq!(restored.id.to_string(), "posix:/camera0");
    // Both segments have a line about the other one.
    stage.survey();
    let linked = |stage: &Stage| {
        let mut lines = stage.state.detail_groups().into_iter().flat_map(|group| group.lines);
        lines.find(|line| line.label == Some("same name")).map(|line| line.text)
    };
    stage.press("g");
    let new = linked(&stage).unwrap();
    assert!(new.contains("had this name before") && new.contains("grabber (7) rw"), "{new}");
    stage.press("j");
    let old = linked(&stage).unwrap();
    assert!(old.contains("/camera0 has this name now"), "{old}");
}

#[test]
fn existing_file_is_reported_while_typing() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("taken");
    fs::write(&file, "x").unwrap();
    let mut stage = Stage::new(small(), 140, 45);
    stage.press(&format!("<down><down>w<ctrl-u>{}", file.display()));
    assert!(
        form(&stage)
            .path_error()
            .unwrap()
            .ends_with("taken exists already: choose another name, or enable replace")
    );
    assert!(stage.screen().contains("exists already"), "{}", stage.screen());
    stage.press("2");
    assert_eq!(form(&stage).path_error(), None);
    stage.press("<backspace><tab><space>");
    assert_eq!(form(&stage).path_error(), None, "the user chose to replace the file");
    stage.press("<tab><ctrl-u>");
    assert_eq!(form(&stage).path_error().as_deref(), Some("a file name is required"));
}
