//! The tree of fields in Inspect.

use super::inspect::{inside, open};
use super::notice;
use crate::support::Harness;
use shmlens::app::event::{Event, Size};
use shmlens::app::inspect::InspectPane;
use shmlens::app::key::{Mouse, MouseKind};
use std::time::{Duration, Instant};

const RECORD: &str = "struct Frame { int tick; struct { short x, y; } points[40]; char name[12]; \
                      enum { idle, busy } state; int n; int tail[500]; double last; }@8";

/// Inspects an object as a `Frame` at offset 8.
fn frame(width: u16, height: u16) -> Harness {
    let mut harness = inside(10_000, |bytes| {
        bytes.write(8, &7u32.to_le_bytes());
        bytes.write(12, &[1, 0, 2, 0, 3, 0, 4, 0]);
        bytes.write(172, b"a \"name\"\0junk");
        bytes.write(184, &1u32.to_le_bytes());
        bytes.write(188, &2u32.to_le_bytes());
        bytes.write(192, &[5, 0, 0, 0, 6, 0, 0, 0]);
        bytes.write(2192, &1.5f64.to_le_bytes());
    });
    harness.inject(Event::Resize(Size { width, height }));
    harness.look();
    type_in(&mut harness, RECORD);
    harness
}

pub fn type_in(harness: &mut Harness, text: &str) {
    harness.press("t<end><enter>");
    harness.inject(Event::Paste(text.to_owned()));
    harness.press("<enter>");
    assert!(harness.state.overlay.is_none(), "{:?}", harness.state.overlay);
    harness.look();
}

fn selected(harness: &Harness) -> String {
    let tree = open(harness).tree.as_ref().unwrap();
    tree.ty().path_text(tree.selected())
}

fn has(harness: &Harness, texts: &[&str]) {
    let screen: Vec<String> =
        harness.screen().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for text in texts {
        assert!(screen.iter().any(|line| line.contains(text)), "{text}\n{}", harness.screen());
    }
}

#[test]
fn type_shows_its_fields_beside_the_bytes() {
    let mut harness = frame(140, 45);
    has(
        &harness,
        &[
            "AT 0x8 tick",
            "tick i32 7",
            "▸ points struct {…}[40] [{x: 1, y: 2}, {x: 3",
            "name char[12] \"a \\x22name\\x22\"",
            "busy",
            "▸ tail i32[500] [5, 6, 0, 0, 0, ",
            "last f64 1.5",
        ],
    );
    // The rest of the panel is back without a type.
    harness.press("t<home><enter>");
    assert!(open(&harness).tree.is_none() && harness.screen().contains("PINNED"), "{}", harness.screen());
}

#[test]
fn tree_and_cursor_follow_each_other() {
    let mut harness = frame(140, 45);
    harness.press("<tab>");
    for (keys, field, cursor) in [
        ("", "tick", 8),
        ("j", "points", 12),
        ("<right>", "points", 12),
        ("<right>", "points[0]", 12),
        ("jj", "points[2]", 20),
        ("<enter>j", "points[2].x", 20),
        ("j", "points[2].y", 22),
        ("<left>", "points[2]", 20),
        ("<left>", "points[2]", 20),
        ("<left>", "points", 12),
        ("<left>j", "name", 172),
        ("G", "last", 2192),
        ("g", "tick", 8),
        ("<pgdn>", "last", 2192),
        ("<home>", "tick", 8),
    ] {
        harness.press(keys);
        assert_eq!((selected(&harness).as_str(), open(&harness).cursor), (field, cursor), "{keys}");
    }
    // The cursor of the bytes selects its field, or the folded value that contains it.
    harness.press("<tab>llll");
    assert_eq!((open(&harness).pane, selected(&harness).as_str()), (InspectPane::Bytes, "points"));
    has(&harness, &["AT 0xc points[0].x"]);
    // Enter goes to the field, and back to its bytes.
    harness.press("ll<enter>");
    assert_eq!((open(&harness).pane, selected(&harness).as_str()), (InspectPane::Values, "points[0].y"));
    harness.press("<enter>");
    assert_eq!((open(&harness).pane, open(&harness).cursor), (InspectPane::Bytes, 14));
    // No field contains the padding.
    harness.press("o0<enter>");
    has(&harness, &["AT 0x0 before Frame"]);
    assert!(open(&harness).selected_field().is_none());
}

#[test]
fn go_to_takes_the_path_of_a_field() {
    let mut harness = frame(140, 45);
    for (text, field, cursor) in [
        ("points[39].y", "points[39].y", 8 + 4 + 39 * 4 + 2),
        ("last", "last", 2192),
        ("tail[499]", "tail[499]", 2188),
    ] {
        harness.press("o");
        harness.inject(Event::Paste(text.to_owned()));
        harness.press("<enter>");
        assert_eq!((selected(&harness).as_str(), open(&harness).cursor), (field, cursor));
    }
    harness.press("o0x10<enter>");
    assert_eq!(open(&harness).cursor, 16);
    harness.press("opoints[40]<enter>");
    has(&harness, &["No field 'points[40]', and no offset"]);
    harness.press("<esc>");
    type_in(&mut harness, "struct { char a[9999]; int end; }");
    harness.press("oend<enter>");
    has(&harness, &["0x2710 is past the end"]);
}

#[test]
fn fields_far_from_the_bytes_are_live() {
    let mut harness = frame(140, 24);
    has(&harness, &["last f64 1.5"]);
    harness.machine.edit_object("it", |bytes| bytes.write(2192, &2.5f64.to_le_bytes()));
    harness.look();
    harness.look();
    has(&harness, &["last f64 2.5"]);
    assert!(open(&harness).glow.freshest(2192..2200, harness.clock).is_some());
    // A frozen value stays, and one that comes into view is read once.
    harness.press("<space>");
    harness.machine.edit_object("it", |bytes| {
        bytes.write(2192, &3.5f64.to_le_bytes());
        bytes.write(192 + 4 * 100, &42u32.to_le_bytes());
    });
    harness.wait(1000);
    has(&harness, &["last f64 2.5"]);
    harness.press("<space>");
    harness.wait(300);
    has(&harness, &["last f64 3.5"]);
}

#[test]
fn leaving_with_fields_releases_the_segment() {
    let mut harness = super::harness(super::small());
    harness.press("<enter>");
    type_in(&mut harness, "struct { char a; char b[45]; short end; }");
    harness.inject(Event::Resize(Size { width: 80, height: 12 }));
    harness.look();
    harness.press("<esc>");
    assert_eq!(harness.machine.edit(|facts| facts.sysv[0].row.nattch), 0);
}

#[test]
fn count_beside_an_array_hides_the_rest() {
    let mut harness = frame(140, 45);
    harness.press("otail<enter><tab><right>");
    has(&harness, &["[0] i32 5", "[1] i32 6", "⋮ 498 unused"]);
    harness.machine.edit_object("it", |bytes| bytes.write(188, &3u32.to_le_bytes()));
    harness.look();
    has(&harness, &["[2] i32 0", "⋮ 497 unused"]);
    harness.press("jjjj<enter>");
    has(&harness, &["[3] i32 0", "[20] i32 0"]);
}

#[test]
fn fields_can_be_copied_and_pinned() {
    let mut harness = frame(140, 45);
    harness.press("oname<enter><tab>yvalue<enter>");
    assert_eq!(harness.clipboard.as_deref(), Some(r#""a \x22name\x22""#));
    harness.press("ypath<enter>");
    assert_eq!((harness.clipboard.as_deref(), notice(&harness)), (Some("name"), "Copied path name"));
    harness.press("opoints<enter>yJ<enter>");
    assert!(harness.clipboard.as_ref().unwrap().starts_with(r#"[{"x":1,"y":2},{"x":3,"y":4},"#));
    assert_eq!(notice(&harness), "Copied points as JSON");
    harness.press("a");
    assert_eq!(
        notice(&harness),
        "Only a value without parts, or an array of numbers, can be pinned: unfold it"
    );
    harness.press("olast<enter>a");
    assert_eq!(notice(&harness), "Pinned last (a: unpin)");
    harness.press("ostate<enter>a");
    harness.press("g");
    for state in [0u32, 1, 0] {
        harness.machine.edit_object("it", |bytes| {
            bytes.write(184, &state.to_le_bytes());
            bytes.write(2192, &f64::from(state).to_le_bytes());
        });
        harness.wait(300);
    }
    has(&harness, &["PINNED (a)", "state enum idle", "last f64 0.0"]);
    harness.press("ostate<enter>a");
    assert_eq!(notice(&harness), "Unpinned");
    // A field that is too large is not copied in part.
    let mut harness = inside(200_000, |_| {});
    type_in(&mut harness, "struct { char a; short all[49999]; }");
    harness.press("oall<enter>yJ<enter>");
    assert!(notice(&harness).starts_with("Field all has 98 KiB: `shmlens dump"), "{}", notice(&harness));
}

#[test]
fn values_after_the_end_of_the_segment_say_so() {
    let mut harness = inside(20, |bytes| bytes.write(16, &[1, 0, 0, 0]));
    harness.inject(Event::Resize(Size { width: 120, height: 30 }));
    type_in(&mut harness, "struct R { int a[4]; int b; int c; char d[9]; }");
    has(&harness, &["b i32 1", "c i32 past the end", "d char[9] past the end"]);
}

#[test]
fn narrow_screen_shows_the_field_and_its_neighbors() {
    for (width, height) in [(80, 24), (100, 24), (80, 40)] {
        let mut harness = frame(width, height);
        harness.press("oname<enter>");
        has(&harness, &["AT 0xac name", "▸ points", "name char[12] \"a", "state"]);
    }
}

#[test]
fn click_selects_and_unfolds() {
    let mut harness = frame(140, 45);
    let row = |harness: &Harness, text: &str| {
        let screen = harness.screen();
        let (y, line) = screen.lines().enumerate().find(|(_, line)| line.contains(text)).unwrap();
        let x = line.chars().position(|c| c == '│').unwrap() + 2;
        (u16::try_from(x).unwrap(), u16::try_from(y).unwrap())
    };
    let (x, y) = row(&harness, "▸ points");
    harness.mouse(Mouse { kind: MouseKind::Click, x: x + 4, y });
    assert_eq!((selected(&harness).as_str(), open(&harness).cursor), ("points", 12));
    harness.mouse(Mouse { kind: MouseKind::Click, x, y });
    has(&harness, &["▾ points", "▸ [7]"]);
    harness.mouse(Mouse { kind: MouseKind::WheelDown, x, y });
    assert_eq!(selected(&harness), "points[2]");
    harness.mouse(Mouse { kind: MouseKind::Click, x, y });
    has(&harness, &["▸ points"]);
}

/// Returns the time of a frame: an update of the values, a move in the tree, and a drawing.
fn frame_of(fields: usize) -> Duration {
    let list = (0..fields).fold(String::new(), |list, at| list + &format!("int field_{at};"));
    let header = tempfile::Builder::new().suffix(".h").tempfile().unwrap();
    let text = format!("struct Many {{ {list} }}; struct Outer {{ struct Many many; int end; }};");
    std::fs::write(header.path(), text).unwrap();
    let mut harness = inside(50_000, |bytes| bytes.write(0, &vec![1; 40_000]));
    harness.inject(Event::Resize(Size { width: 200, height: 55 }));
    type_in(&mut harness, &format!("{}:Outer", header.path().display()));
    harness.press("omany.field_0<enter><tab><pgdn>");
    assert_eq!(open(&harness).tree.as_ref().unwrap().count(), fields + 2);
    let frames = 60;
    let started = Instant::now();
    for step in 0u32..frames {
        harness.machine.edit_object("it", |bytes| bytes.write(4 * u64::from(step), &step.to_le_bytes()));
        harness.look();
        harness.press(if step % 20 == 19 { "<pgdn>" } else { "j" });
        assert!(harness.screen().contains("field_"));
    }
    let each = started.elapsed() / frames;
    harness.press("G");
    assert_eq!(selected(&harness), "end");
    each
}

#[test]
fn ten_thousand_fields_cost_no_more_than_a_screenful() {
    let (few, many) = (frame_of(120), frame_of(10_000));
    println!("{few:?} a frame with 120 fields, {many:?} with 10 000");
    assert!(many < 3 * few, "{few:?} {many:?}");
}
