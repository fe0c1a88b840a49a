//! Creating a segment: input, plan while typing, creation, selection.

use super::{notice, small, stage};
use crate::support::Stage;
use shmlens::app::new_segment::{NewSegmentForm, Step};
use shmlens::app::overlay::Overlay;
use shmlens::machine::Machine as _;
use shmlens::machine::fake::FakeMachine;
use shmlens::segment::{Bytes, Key, ObjectName};
use std::fs;

fn form(stage: &Stage) -> &NewSegmentForm {
    match &stage.state.overlay {
        Some(Overlay::New(form)) => form,
        other => panic!("{other:?}"),
    }
}

fn selected(stage: &Stage) -> String {
    stage.state.selected().map(|segment| segment.id.to_string()).unwrap_or_default()
}

fn counts(machine: &FakeMachine) -> (usize, usize) {
    machine.edit(|facts| (facts.sysv.len(), facts.posix.len()))
}

#[test]
fn new_posix_segment_is_created_and_selected() {
    let mut stage = stage(small());
    stage.press("nbb<tab>64K<tab>u=rw,g=r");
    assert!(stage.screen().contains("64 KiB, mode 0640 (rw-r-----)"), "{}", stage.screen());
    assert_eq!(counts(&stage.machine), (1, 3));
    stage.press("<enter>");
    assert!(stage.state.overlay.is_none());
    assert!(notice(&stage).contains("/bb") && notice(&stage).contains("64 KiB"), "{}", notice(&stage));
    assert_eq!(selected(&stage), "posix:/bb");
    let created = stage.machine.stat_object(&ObjectName::new(b"bb").unwrap()).unwrap();
    assert_eq!((created.size, created.mode & 0o7777), (Bytes(64 << 10), 0o640));
    assert!(
        stage.state.log.iter().any(|line| line.starts_with("create ") && line.contains("/bb")),
        "{:?}",
        stage.state.log
    );
}

#[test]
fn system_v_segments_are_created_with_and_without_a_key() {
    let mut stage = stage(small());
    stage.press("n<up><space><down>0x77<tab>1M<enter>");
    assert_eq!(selected(&stage), "sysv:6", "{}", notice(&stage));
    stage.press("n<up> <tab><tab>9<enter>");
    assert_eq!(selected(&stage), "sysv:7", "{}", notice(&stage));
    let created = stage.machine.edit(|facts| {
        facts.sysv[1..]
            .iter()
            .map(|created| (created.row.key, created.row.size, created.row.mode.bits()))
            .collect::<Vec<_>>()
    });
    assert_eq!(created, [(Key(0x77), Bytes(1 << 20), 0o600), (Key(0), Bytes(9), 0o600)]);
}

#[test]
fn segment_from_a_file_has_its_size_and_contents() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), b"what is in it").unwrap();
    let path = file.path().to_str().unwrap();
    let mut stage = stage(small());
    stage.press(&format!("nfilled<tab><tab><tab>{path}"));
    assert!(stage.screen().contains("13 B, mode"), "{}", stage.screen());
    stage.press("<enter>");
    let look = stage.state.table.strip.look().unwrap();
    assert_eq!((selected(&stage).as_str(), &look.bytes[..]), ("posix:/filled", &b"what is in it"[..]));
    // A size that is too small for the file is refused, and the form stays open.
    stage.press(&format!("nsmall<tab>5<tab><tab>{path}<enter>"));
    assert!(form(&stage).error.as_ref().unwrap().contains("larger size"), "{:?}", form(&stage).error);
    assert_eq!(counts(&stage.machine), (1, 4));
    stage.press("<up><up><ctrl-u>20<enter>");
    assert_eq!(selected(&stage), "posix:/small", "{}", stage.screen());
}

#[test]
fn existing_segment_is_never_touched() {
    let mut stage = stage(small());
    let before = stage.machine.edit(|facts| format!("{:?}", facts.posix));
    stage.press("nb<enter>");
    assert!(stage.screen().contains("the name is in use"), "{}", stage.screen());
    // Open the form again for another name.
    stage.press("<esc>n<up> <tab>1234<enter>");
    assert!(form(&stage).error.as_ref().unwrap().contains("0x000004d2: the key is in use"));
    assert_eq!(stage.machine.edit(|facts| format!("{:?}", facts.posix)), before);
    assert_eq!(counts(&stage.machine), (1, 3));
    // Without `exclusive`, the existing segment is selected instead.
    stage.press("<down><down><down><down><space><enter>");
    assert_eq!((selected(&stage).as_str(), counts(&stage.machine)), ("sysv:5", (1, 3)));
    assert!(notice(&stage).contains("already exists; nothing was changed"), "{}", notice(&stage));
    stage.press("nc<up><up> <enter>");
    assert_eq!((selected(&stage).as_str(), counts(&stage.machine)), ("posix:/c", (1, 3)));
}

#[test]
fn create_refuses_a_name_taken_after_the_plan() {
    use shmlens::machine::fake::FakeBytes;
    let mut stage = stage(small());
    stage.press("nnew");
    assert!(stage.screen().contains("4.0 KiB"));
    stage.machine.add_object("new", FakeBytes::full(b"another"));
    stage.press("<enter>");
    assert!(form(&stage).error.as_ref().unwrap().contains("/new"));
    // Once the name is free, the same key creates it.
    stage.machine.remove_object("new");
    stage.press("<enter>");
    assert_eq!(selected(&stage), "posix:/new", "{}", stage.screen());
}

#[test]
fn invalid_input_is_reported_and_the_form_stays_open() {
    for (keys, words) in [
        ("n<enter>", "a name is required"),
        ("n..<enter>", "invalid name"),
        ("nx<tab>big<enter>", "big"),
        ("nx<tab><tab>9<enter>", "9"),
        ("nx<tab><tab><tab>/nowhere<enter>", "/nowhere"),
        ("n<up> <tab>0xq<enter>", "invalid key"),
        ("n<up> <tab><tab>0<enter>", "kernel.shmmax"),
    ] {
        let mut stage = stage(small());
        stage.press(keys);
        assert!(
            form(&stage).error.as_ref().is_some_and(|error| error.contains(words)),
            "{keys}: {:?}",
            form(&stage)
        );
        assert!(stage.screen().contains(&words[1..]), "{}", stage.screen());
        assert_eq!(counts(&stage.machine), (1, 3));
        stage.press("<esc><enter>");
        assert_eq!(counts(&stage.machine), (1, 3));
    }
}

#[test]
fn new_segment_hidden_by_the_filter_is_reported() {
    let mut stage = stage(small());
    stage.press("/kind=sysv<enter>nhidden<enter>");
    assert!(notice(&stage).contains("/hidden is hidden by the filter (esc: clear)"), "{}", notice(&stage));
    assert_eq!(selected(&stage), "sysv:5");
    stage.press("<esc>");
    assert!(stage.screen().contains("/hidden"));
}

#[test]
fn undo_of_a_creation_confirms_and_keeps_a_copy() {
    let mut stage = stage(small());
    stage.press("n<up> <tab>7<enter>u");
    assert!(stage.screen().contains("Remove sysv:6"), "{}", stage.screen());
    stage.press("<esc>");
    assert_eq!(counts(&stage.machine), (2, 3));
    stage.press("u");
    stage.wait(200);
    stage.press("y");
    assert_eq!(counts(&stage.machine), (1, 3), "{}", notice(&stage));
    stage.press("u");
    assert_eq!(counts(&stage.machine), (2, 3), "{}", notice(&stage));
    // Another process removes the segment.
    stage.press("nx<enter>");
    stage.machine.remove_object("x");
    stage.survey();
    stage.press("u");
    assert!(notice(&stage).contains("is gone"), "{}", notice(&stage));
}

#[test]
fn read_only_creates_nothing() {
    let mut stage = stage(FakeMachine::new());
    assert!(stage.screen().contains("n: create one."), "{}", stage.screen());
    stage.state.read_only = true;
    assert!(!stage.screen().contains("create one"), "{}", stage.screen());
    stage.press("n");
    assert!(stage.state.overlay.is_none() && notice(&stage).contains("--read-only"));
}

#[test]
fn late_plans_never_change_the_input() {
    let mut stage = stage(small());
    stage.late = Some(vec![]);
    stage.press("nnew<enter>");
    assert_eq!(form(&stage).step, Step::Planning);
    stage.press("er");
    stage.answer();
    // The late answer belongs to an earlier input, so nothing was created.
    assert_eq!((form(&stage).step, counts(&stage.machine)), (Step::Editing, (1, 3)));
    stage.late = Some(vec![]);
    stage.press("<enter>");
    stage.answer();
    assert_eq!((selected(&stage).as_str(), counts(&stage.machine)), ("posix:/newer", (1, 4)));
}
