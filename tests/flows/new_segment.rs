//! Creating a segment: input, plan while typing, creation, selection.

use super::{harness, notice, small};
use crate::support::Harness;
use shmlens::app::new_segment::{NewSegmentForm, Step};
use shmlens::app::overlay::Overlay;
use shmlens::machine::Machine as _;
use shmlens::machine::fake::FakeMachine;
use shmlens::segment::{Bytes, Key, ObjectName};
use std::fs;

fn form(harness: &Harness) -> &NewSegmentForm {
    match &harness.state.overlay {
        Some(Overlay::New(form)) => form,
        other => panic!("{other:?}"),
    }
}

fn selected(harness: &Harness) -> String {
    harness.state.selected().map(|segment| segment.id.to_string()).unwrap_or_default()
}

fn counts(machine: &FakeMachine) -> (usize, usize) {
    machine.edit(|facts| (facts.sysv.len(), facts.posix.len()))
}

#[test]
fn new_posix_segment_is_created_and_selected() {
    let mut harness = harness(small());
    harness.press("nbb<tab>64K<tab>u=rw,g=r");
    assert!(harness.screen().contains("64 KiB, mode 0640 (rw-r-----)"), "{}", harness.screen());
    assert_eq!(counts(&harness.machine), (1, 3));
    harness.press("<enter>");
    assert!(harness.state.overlay.is_none());
    assert!(notice(&harness).contains("/bb") && notice(&harness).contains("64 KiB"), "{}", notice(&harness));
    assert_eq!(selected(&harness), "posix:/bb");
    let created = harness.machine.stat_object(&ObjectName::new(b"bb").unwrap()).unwrap();
    assert_eq!((created.size, created.mode & 0o7777), (Bytes(64 << 10), 0o640));
    assert!(
        harness.state.log.iter().any(|line| line.starts_with("create ") && line.contains("/bb")),
        "{:?}",
        harness.state.log
    );
}

#[test]
fn system_v_segments_are_created_with_and_without_a_key() {
    let mut harness = harness(small());
    harness.press("n<up><space><down>0x77<tab>1M<enter>");
    assert_eq!(selected(&harness), "sysv:6", "{}", notice(&harness));
    harness.press("n<up> <tab><tab>9<enter>");
    assert_eq!(selected(&harness), "sysv:7", "{}", notice(&harness));
    let created = harness.machine.edit(|facts| {
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
    let mut harness = harness(small());
    harness.press(&format!("nfilled<tab><tab><tab>{path}"));
    assert!(harness.screen().contains("13 B, mode"), "{}", harness.screen());
    harness.press("<enter>");
    let look = harness.state.table.strip.look().unwrap();
    assert_eq!((selected(&harness).as_str(), &look.bytes[..]), ("posix:/filled", &b"what is in it"[..]));
    // A size that is too small for the file is refused, and the form stays open.
    harness.press(&format!("nsmall<tab>5<tab><tab>{path}<enter>"));
    assert!(form(&harness).error.as_ref().unwrap().contains("larger size"), "{:?}", form(&harness).error);
    assert_eq!(counts(&harness.machine), (1, 4));
    harness.press("<up><up><ctrl-u>20<enter>");
    assert_eq!(selected(&harness), "posix:/small", "{}", harness.screen());
}

#[test]
fn existing_segment_is_never_touched() {
    let mut harness = harness(small());
    let before = harness.machine.edit(|facts| format!("{:?}", facts.posix));
    harness.press("nb<enter>");
    assert!(harness.screen().contains("the name is in use"), "{}", harness.screen());
    // Open the form again for another name.
    harness.press("<esc>n<up> <tab>1234<enter>");
    assert!(form(&harness).error.as_ref().unwrap().contains("0x000004d2: the key is in use"));
    assert_eq!(harness.machine.edit(|facts| format!("{:?}", facts.posix)), before);
    assert_eq!(counts(&harness.machine), (1, 3));
    // Without `exclusive`, the existing segment is selected instead.
    harness.press("<down><down><down><down><space><enter>");
    assert_eq!((selected(&harness).as_str(), counts(&harness.machine)), ("sysv:5", (1, 3)));
    assert!(notice(&harness).contains("already exists; nothing was changed"), "{}", notice(&harness));
    harness.press("nc<up><up> <enter>");
    assert_eq!((selected(&harness).as_str(), counts(&harness.machine)), ("posix:/c", (1, 3)));
}

#[test]
fn create_refuses_a_name_taken_after_the_plan() {
    use shmlens::machine::fake::FakeBytes;
    let mut harness = harness(small());
    harness.press("nnew");
    assert!(harness.screen().contains("4.0 KiB"));
    harness.machine.add_object("new", FakeBytes::full(b"another"));
    harness.press("<enter>");
    assert!(form(&harness).error.as_ref().unwrap().contains("/new"));
    // Once the name is free, the same key creates it.
    harness.machine.remove_object("new");
    harness.press("<enter>");
    assert_eq!(selected(&harness), "posix:/new", "{}", harness.screen());
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
        let mut harness = harness(small());
        harness.press(keys);
        assert!(
            form(&harness).error.as_ref().is_some_and(|error| error.contains(words)),
            "{keys}: {:?}",
            form(&harness)
        );
        assert!(harness.screen().contains(&words[1..]), "{}", harness.screen());
        assert_eq!(counts(&harness.machine), (1, 3));
        harness.press("<esc><enter>");
        assert_eq!(counts(&harness.machine), (1, 3));
    }
}

#[test]
fn new_segment_hidden_by_the_filter_is_reported() {
    let mut harness = harness(small());
    harness.press("/kind=sysv<enter>nhidden<enter>");
    assert!(
        notice(&harness).contains("/hidden is hidden by the filter (esc: clear)"),
        "{}",
        notice(&harness)
    );
    assert_eq!(selected(&harness), "sysv:5");
    harness.press("<esc>");
    assert!(harness.screen().contains("/hidden"));
}

#[test]
fn undo_of_a_creation_confirms_and_keeps_a_copy() {
    let mut harness = harness(small());
    harness.press("n<up> <tab>7<enter>u");
    assert!(harness.screen().contains("Remove sysv:6"), "{}", harness.screen());
    harness.press("<esc>");
    assert_eq!(counts(&harness.machine), (2, 3));
    harness.press("u");
    harness.wait(200);
    harness.press("y");
    assert_eq!(counts(&harness.machine), (1, 3), "{}", notice(&harness));
    harness.press("u");
    assert_eq!(counts(&harness.machine), (2, 3), "{}", notice(&harness));
    // Another process removes the segment.
    harness.press("nx<enter>");
    harness.machine.remove_object("x");
    harness.survey();
    harness.press("u");
    assert!(notice(&harness).contains("is gone"), "{}", notice(&harness));
}

#[test]
fn read_only_creates_nothing() {
    let mut harness = harness(FakeMachine::new());
    assert!(harness.screen().contains("n: create one."), "{}", harness.screen());
    harness.state.read_only = true;
    assert!(!harness.screen().contains("create one"), "{}", harness.screen());
    harness.press("n");
    assert!(harness.state.overlay.is_none() && notice(&harness).contains("--read-only"));
}

#[test]
fn late_plans_never_change_the_input() {
    let mut harness = harness(small());
    harness.late = Some(vec![]);
    harness.press("nnew<enter>");
    assert_eq!(form(&harness).step, Step::Planning);
    harness.press("er");
    harness.answer();
    // The late answer belongs to an earlier input, so nothing was created.
    assert_eq!((form(&harness).step, counts(&harness.machine)), (Step::Editing, (1, 3)));
    harness.late = Some(vec![]);
    harness.press("<enter>");
    harness.answer();
    assert_eq!((selected(&harness).as_str(), counts(&harness.machine)), ("posix:/newer", (1, 4)));
}
