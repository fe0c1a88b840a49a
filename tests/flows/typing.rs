//! Types that open by themselves in Inspect, and the first fields in the strip.

use super::inspect::{inside, open};
use super::{harness, notice};
use crate::support::Harness;
use shmlens::app::event::{Event, Size};
use shmlens::engine::{Body, SegmentTypes};
use shmlens::machine::fake::{FakeBytes, FakeMachine};
use std::fmt::Write as _;

/// A list of Python with an integer, a float and a text of eight bytes.
fn list(bytes: &mut FakeBytes) {
    for (at, word) in (0..).zip([3, 0, 8, 16, 24, 7, 1.5_f64.to_bits(), u64::from_le_bytes(*b"hello\0\0\0")])
    {
        bytes.write(8 * at, &u64::to_le_bytes(word));
    }
    bytes.write(FORMATS, b"q\0\0\0\0\0\0\0d\0\0\0\0\0\0\x008s\0\0\0\0\0\0\0\0\x01");
}

/// The offset of the formats of the items.
const FORMATS: u64 = 64;

/// Inspects the list.
fn listed(width: u16, height: u16) -> Harness {
    let mut harness = inside(200, list);
    harness.inject(Event::Resize(Size { width, height }));
    harness.look();
    harness
}

/// The rows of the screen with single spaces.
fn rows(harness: &Harness) -> String {
    harness.screen().lines().fold(String::new(), |mut out, line| {
        let _ = writeln!(out, "{}", line.split_whitespace().collect::<Vec<_>>().join(" "));
        out
    })
}

#[track_caller]
fn has(harness: &Harness, texts: &[&str]) {
    for text in texts {
        assert!(rows(harness).contains(text), "{text}\n{}", harness.screen());
    }
}

fn is_typed(harness: &Harness) -> bool {
    open(harness).tree.is_some()
}

#[test]
fn inspect_opens_with_the_certain_type() {
    for (width, height) in [(140, 45), (80, 24)] {
        let mut harness = listed(width, height);
        has(&harness, &["[0] i64 7", "[1] f64 1.5", "[2] S8 \"hello\""]);
        assert_eq!(open(&harness).cursor, 0);
        harness.press("t");
        has(
            &harness,
            &["▌sharedlist certain: 3 items; offsets, formats and codes are consistent", "other any type"],
        );
        harness.press("<esc>");
        harness.machine.edit_object("it", |bytes| bytes.write(48, &2.5_f64.to_le_bytes()));
        harness.look();
        has(&harness, &["[1] f64 2.5"]);
    }
}

#[test]
fn chosen_type_stays() {
    let mut harness = listed(140, 45);
    harness.press("t<down><enter>");
    assert!(!is_typed(&harness), "the bytes were chosen");
    let types = harness.state.typing.types.clone().unwrap();
    assert_eq!(types.found.len(), 1);
    harness.report(Body::Types(types.clone()));
    assert!(!is_typed(&harness), "a late answer does not replace the choice");
    harness.press("t<home><enter>");
    has(&harness, &["[1] f64 1.5"]);
    // An answer about another segment is dropped.
    let mut other = listed(140, 45);
    other.press("t<down><enter>");
    let mut found = types;
    found.found[0].certain = true;
    other.report(Body::Types(SegmentTypes { id: "posix:/other".parse().unwrap(), ..found }));
    assert!(!is_typed(&other));
}

#[test]
fn list_of_types_tells_why_a_holder_shows_none() {
    let mut harness = listed(100, 45);
    let mut types = harness.state.typing.types.clone().unwrap();
    types.problems = vec!["feed (4121) has no debug information. Compile it with -g".to_owned()];
    harness.report(Body::Types(types));
    harness.press("t");
    has(&harness, &["feed (4121) has no debug information. Compile it with -g"]);
}

#[test]
fn uncertain_type_does_not_open() {
    let mut harness = inside(200, |bytes| {
        bytes.write(16, &0x90_u32.to_le_bytes());
    });
    harness.inject(Event::Resize(Size { width: 140, height: 45 }));
    harness.look();
    assert!(!is_typed(&harness), "{}", harness.screen());
    harness.press("t");
    has(&harness, &["mutex likely: normal"]);
    harness.press("<home><enter>");
    has(&harness, &["AT 0x0 "]);
    assert!(is_typed(&harness));
}

#[test]
fn item_that_changes_its_type_is_shown_as_the_new_type() {
    let mut harness = listed(140, 45);
    harness.press("<tab>jj");
    has(&harness, &["AT 0x38 [2]"]);
    harness.machine.edit_object("it", |bytes| {
        bytes.write(56, &(-3_i64).to_le_bytes());
        bytes.write(FORMATS + 16, b"q\0");
        bytes.write(FORMATS + 26, b"\0");
    });
    harness.look();
    has(&harness, &["AT 0x38 [2]", "[2] i64 -3"]);
    // While frozen, the view keeps its type.
    harness.press("<space>");
    harness.machine.edit_object("it", |bytes| bytes.write(FORMATS, b"d"));
    harness.wait(1000);
    has(&harness, &["[0] i64 7"]);
    harness.press("<space>");
    harness.look();
    has(&harness, &["[0] f64 "]);
}

#[test]
fn contents_that_no_longer_fit_have_no_values() {
    let mut harness = listed(140, 45);
    harness.machine.edit_object("it", |bytes| bytes.write(FORMATS, b"z"));
    harness.look();
    has(&harness, &["No longer a ShareableList: item [0] has format 'z'"]);
    assert!(!rows(&harness).contains("i64 7"), "{}", harness.screen());
    harness.press("<tab>a");
    assert!(!notice(&harness).contains("Pinned [0]"), "{}", notice(&harness));
    harness.machine.edit_object("it", |bytes| bytes.write(FORMATS, b"q"));
    harness.look();
    has(&harness, &["[0] i64 7"]);
}

#[test]
fn layout_can_be_typed() {
    let mut harness = listed(140, 45);
    harness.press("t<end><enter>npy<enter>");
    harness.look();
    has(&harness, &["The contents are not an array in .npy format", "[0] i64 7"]);
    harness.press("<esc>t<down><enter>t<end><enter>sharedlist<enter>");
    harness.look();
    assert!(harness.state.overlay.is_none());
    has(&harness, &["[0] i64 7"]);
    // A canceled prompt shows nothing.
    harness.late = Some(vec![]);
    harness.press("t<down><enter>t<end><enter>sharedlist<enter><esc>");
    harness.answer();
    harness.look();
    assert!(!is_typed(&harness) && open(&harness).trial.is_none());
}

#[test]
fn strip_shows_the_first_fields_live() {
    for (width, height) in [(140, 45), (80, 24)] {
        let machine = FakeMachine::new();
        let mut bytes = FakeBytes::hole(200);
        list(&mut bytes);
        machine.add_object("list", bytes);
        let mut harness = Harness::new(machine, width, height);
        harness.survey();
        harness.preview_again();
        harness.preview_again();
        has(&harness, &["[0] i64 7", "[1] f64 1.5", "[2] S8 \"hello\"", "0000 03 00"]);
        harness.machine.edit_object("list", |bytes| {
            bytes.write(40, &(-3_i64).to_le_bytes());
            bytes.write(48, &9_i64.to_le_bytes());
            bytes.write(FORMATS + 8, b"q");
        });
        harness.wait(1000);
        has(&harness, &["[1] i64 9"]);
        harness.machine.edit_object("list", |bytes| bytes.write(FORMATS, b"z"));
        harness.wait(1000);
        assert!(!rows(&harness).contains("[1] i64"), "{}", harness.screen());
    }
}

#[test]
fn new_contents_are_typed_once_they_are_there() {
    let machine = FakeMachine::new();
    machine.add_object("list", FakeBytes::hole(200));
    let mut harness = Harness::new(machine, 140, 45);
    harness.survey();
    harness.preview_again();
    harness.wait(6000);
    harness.machine.edit_object("list", list);
    harness.wait(2000);
    has(&harness, &["[1] f64 1.5"]);
}

#[test]
fn segment_that_must_be_attached_is_not_typed_in_the_strip() {
    let machine = FakeMachine::new();
    let mut bytes = FakeBytes::hole(200);
    list(&mut bytes);
    machine.add_sysv(5, 0x4d2, bytes);
    let mut harness = harness(machine);
    harness.survey();
    harness.wait(2000);
    has(&harness, &["needs an attach"]);
    assert!(harness.state.typing.types.is_none() && !rows(&harness).contains("i64"), "{}", harness.screen());
    harness.machine.edit(|facts| assert_eq!(facts.attached, 0));
    // Inspect attaches it, and types it through the same attachment.
    harness.press("<enter>");
    harness.look();
    has(&harness, &["[1] f64 1.5"]);
    harness.machine.edit(|facts| assert_eq!(facts.sysv[0].row.nattch, 1));
}

#[test]
fn segment_is_as_it_was_left() {
    let mut harness = listed(140, 45);
    harness.press("jjjl<tab>jjama");
    assert!(notice(&harness).contains("Marked"), "{}", notice(&harness));
    let cursor = open(&harness).cursor;
    harness.press("<esc><enter>");
    harness.look();
    assert_eq!((open(&harness).cursor, open(&harness).pins.len()), (cursor, 1));
    has(&harness, &["PINNED (a)", "[2] S8 \"hello\""]);
    assert!(open(&harness).marks.contains_key(&'a'));
    // The bytes that the user chose stay too.
    harness.press("t<down><enter><esc><enter>");
    harness.look();
    assert!(!is_typed(&harness), "{}", harness.screen());
    // The contents may have changed meanwhile.
    harness.press("t<home><enter><esc>");
    harness.machine.edit_object("it", |bytes| bytes.write(FORMATS, b"d"));
    harness.press("<enter>");
    harness.look();
    has(&harness, &["[0] f64 "]);
    // Another object of the same name is new.
    harness.press("<tab>jj<esc>");
    harness.machine.remove_object("it");
    let mut bytes = FakeBytes::hole(100);
    bytes.write(0, b"other");
    harness.machine.add_object("it", bytes);
    harness.survey();
    harness.press("<enter>");
    harness.look();
    assert!(!is_typed(&harness) && open(&harness).cursor == 0, "{}", harness.screen());
}

#[test]
fn last_typed_type_can_be_edited() {
    let mut harness = listed(140, 45);
    harness.press("t<end><enter>u16[4]<enter>t<end><enter>");
    has(&harness, &["show as: u16[4]"]);
    harness.press("<end><backspace><backspace>3]<enter>");
    assert_eq!(open(&harness).typed.as_ref().unwrap().ty.to_string(), "u16[3]");
    harness.press("t<end><enter>u8[2]<enter>");
    assert_eq!(open(&harness).typed.as_ref().unwrap().ty.to_string(), "u8[2]");
}

#[test]
fn fields_have_their_own_hints_and_byte_order() {
    let mut harness = listed(140, 45);
    let footer = |harness: &Harness| harness.screen().lines().last().unwrap().to_owned();
    assert!(footer(&harness).contains("tab fields"), "{}", footer(&harness));
    harness.press("e");
    assert_eq!(notice(&harness), "The fields have the byte order of their type (t: another type)");
    harness.press("<tab>");
    let hints = footer(&harness);
    assert!(hints.contains("↵ go to bytes") && hints.contains("a pin field"), "{hints}");
    assert!(!hints.contains("byte order"), "{hints}");
}

#[test]
fn moving_values_are_named_below_the_fields() {
    let mut harness = listed(140, 45);
    for step in 0..16_u64 {
        harness.machine.edit_object("it", |bytes| bytes.write(40, &(1000 + 3 * step).to_le_bytes()));
        harness.wait(250);
    }
    has(&harness, &["MOVING (detected)", "│ [0] u"]);
    // Many fields leave no room.
    harness.press("t<end><enter>");
    harness.inject(Event::Paste("u16[60]".to_owned()));
    harness.press("<enter>");
    harness.wait(500);
    assert!(!harness.screen().contains("MOVING"), "{}", harness.screen());
}

#[test]
fn focused_field_is_copied_with_its_bytes() {
    let mut harness = listed(140, 45);
    harness.press("<tab>jjy");
    has(&harness, &["Copy [2] as", "value \"hello\"", "path [2]", "hex de ad be ef"]);
    harness.press("hex<enter>");
    assert_eq!(harness.clipboard.as_deref(), Some("68 65 6c 6c 6f 00 00 00"));
    assert_eq!(notice(&harness), "Copied 8 bytes from 0x38");
    // From the bytes, the row comes first.
    harness.press("<tab>y");
    has(&harness, &["Copy 16 bytes from 0x30 as"]);
}

#[test]
fn type_that_becomes_certain_later_is_listed_but_moves_nothing() {
    let mut harness = inside(200, |_| {});
    harness.inject(Event::Resize(Size { width: 140, height: 45 }));
    harness.look();
    harness.wait(6000);
    harness.machine.edit_object("it", list);
    harness.wait(1000);
    assert!(!is_typed(&harness), "{}", harness.screen());
    harness.press("t");
    has(&harness, &["sharedlist certain: 3 items"]);
}
