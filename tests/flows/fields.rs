//! The tree of fields in Inspect.

use super::inspect::{inside, open};
use super::notice;
use crate::support::Stage;
use shmlens::app::event::{Event, Size};
use shmlens::app::inspect::InspectPane;
use shmlens::app::key::{Mouse, MouseKind};
use std::time::{Duration, Instant};

const RECORD: &str = "struct Frame { int tick; struct { short x, y; } points[40]; char name[12]; \
                      enum { idle, busy } state; int n; int tail[500]; double last; }@8";

/// Inspects an object as a `Frame` at offset 8.
fn frame(width: u16, height: u16) -> Stage {
    let mut stage = inside(10_000, |bytes| {
        bytes.write(8, &7u32.to_le_bytes());
        bytes.write(12, &[1, 0, 2, 0, 3, 0, 4, 0]);
        bytes.write(172, b"a \"name\"\0junk");
        bytes.write(184, &1u32.to_le_bytes());
        bytes.write(188, &2u32.to_le_bytes());
        bytes.write(192, &[5, 0, 0, 0, 6, 0, 0, 0]);
        bytes.write(2192, &1.5f64.to_le_bytes());
    });
    stage.inject(Event::Resize(Size { width, height }));
    stage.look();
    type_in(&mut stage, RECORD);
    stage
}

fn type_in(stage: &mut Stage, text: &str) {
    stage.press("t<end><enter>");
    stage.inject(Event::Paste(text.to_owned()));
    stage.press("<enter>");
    assert!(stage.state.overlay.is_none(), "{:?}", stage.state.overlay);
    stage.look();
}

fn selected(stage: &Stage) -> String {
    let tree = open(stage).tree.as_ref().unwrap();
    tree.ty().path_text(tree.selected())
}

fn has(stage: &Stage, texts: &[&str]) {
    let screen: Vec<String> =
        stage.screen().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for text in texts {
        assert!(screen.iter().any(|line| line.contains(text)), "{text}\n{}", stage.screen());
    }
}

#[test]
fn type_shows_its_fields_beside_the_bytes() {
    let mut stage = frame(140, 45);
    has(
        &stage,
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
    stage.press("t<home><enter>");
    assert!(open(&stage).tree.is_none() && stage.screen().contains("PINNED"), "{}", stage.screen());
}

#[test]
fn tree_and_cursor_follow_each_other() {
    let mut stage = frame(140, 45);
    stage.press("<tab>");
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
        stage.press(keys);
        assert_eq!((selected(&stage).as_str(), open(&stage).cursor), (field, cursor), "{keys}");
    }
    // The cursor of the bytes selects its field, or the folded value that contains it.
    stage.press("<tab>llll");
    assert_eq!((open(&stage).pane, selected(&stage).as_str()), (InspectPane::Bytes, "points"));
    has(&stage, &["AT 0xc points[0].x"]);
    // Enter goes to the field, and back to its bytes.
    stage.press("ll<enter>");
    assert_eq!((open(&stage).pane, selected(&stage).as_str()), (InspectPane::Values, "points[0].y"));
    stage.press("<enter>");
    assert_eq!((open(&stage).pane, open(&stage).cursor), (InspectPane::Bytes, 14));
    // No field contains the padding.
    stage.press("o0<enter>");
    has(&stage, &["AT 0x0 before Frame"]);
    assert!(open(&stage).selected_field().is_none());
}

#[test]
fn go_to_takes_the_path_of_a_field() {
    let mut stage = frame(140, 45);
    for (text, field, cursor) in [
        ("points[39].y", "points[39].y", 8 + 4 + 39 * 4 + 2),
        ("last", "last", 2192),
        ("tail[499]", "tail[499]", 2188),
    ] {
        stage.press("o");
        stage.inject(Event::Paste(text.to_owned()));
        stage.press("<enter>");
        assert_eq!((selected(&stage).as_str(), open(&stage).cursor), (field, cursor));
    }
    stage.press("o0x10<enter>");
    assert_eq!(open(&stage).cursor, 16);
    stage.press("opoints[40]<enter>");
    has(&stage, &["No field 'points[40]', and no offset"]);
    stage.press("<esc>");
    type_in(&mut stage, "struct { char a[9999]; int end; }");
    stage.press("oend<enter>");
    has(&stage, &["0x2710 is past the end"]);
}

#[test]
fn fields_far_from_the_bytes_are_live() {
    let mut stage = frame(140, 24);
    has(&stage, &["last f64 1.5"]);
    stage.machine.edit_object("it", |bytes| bytes.write(2192, &2.5f64.to_le_bytes()));
    stage.look();
    stage.look();
    has(&stage, &["last f64 2.5"]);
    assert!(open(&stage).glow.freshest(2192..2200, stage.clock).is_some());
    // A frozen value stays, and one that comes into view is read once.
    stage.press("<space>");
    stage.machine.edit_object("it", |bytes| {
        bytes.write(2192, &3.5f64.to_le_bytes());
        bytes.write(192 + 4 * 100, &42u32.to_le_bytes());
    });
    stage.wait(1000);
    has(&stage, &["last f64 2.5"]);
    stage.press("<space>");
    stage.wait(300);
    has(&stage, &["last f64 3.5"]);
}

#[test]
fn leaving_with_fields_releases_the_segment() {
    let mut stage = super::stage(super::small());
    stage.press("<enter>");
    type_in(&mut stage, "struct { char a; char b[45]; short end; }");
    stage.inject(Event::Resize(Size { width: 80, height: 12 }));
    stage.look();
    stage.press("<esc>");
    assert_eq!(stage.machine.edit(|facts| facts.sysv[0].row.nattch), 0);
}

#[test]
fn count_beside_an_array_hides_the_rest() {
    let mut stage = frame(140, 45);
    stage.press("otail<enter><tab><right>");
    has(&stage, &["[0] i32 5", "[1] i32 6", "⋮ 498 unused"]);
    stage.machine.edit_object("it", |bytes| bytes.write(188, &3u32.to_le_bytes()));
    stage.look();
    has(&stage, &["[2] i32 0", "⋮ 497 unused"]);
    stage.press("jjjj<enter>");
    has(&stage, &["[3] i32 0", "[20] i32 0"]);
}

#[test]
fn fields_can_be_copied_and_pinned() {
    let mut stage = frame(140, 45);
    stage.press("oname<enter><tab>yvalue<enter>");
    assert_eq!(stage.clipboard.as_deref(), Some(r#""a \x22name\x22""#));
    stage.press("ypath<enter>");
    assert_eq!((stage.clipboard.as_deref(), notice(&stage)), (Some("name"), "Copied path name"));
    stage.press("opoints<enter>yJ<enter>");
    assert!(stage.clipboard.as_ref().unwrap().starts_with(r#"[{"x":1,"y":2},{"x":3,"y":4},"#));
    assert_eq!(notice(&stage), "Copied points as JSON");
    stage.press("a");
    assert_eq!(notice(&stage), "Only a value without parts can be pinned: unfold it");
    stage.press("olast<enter>a");
    assert_eq!(notice(&stage), "Pinned last (a: unpin)");
    stage.press("ostate<enter>a");
    stage.press("g");
    for state in [0u32, 1, 0] {
        stage.machine.edit_object("it", |bytes| {
            bytes.write(184, &state.to_le_bytes());
            bytes.write(2192, &f64::from(state).to_le_bytes());
        });
        stage.wait(300);
    }
    has(&stage, &["PINNED (a)", "state enum idle", "last f64 0.0"]);
    stage.press("ostate<enter>a");
    assert_eq!(notice(&stage), "Unpinned");
    // A field that is too large is not copied in part.
    let mut stage = inside(200_000, |_| {});
    type_in(&mut stage, "struct { char a; short all[49999]; }");
    stage.press("oall<enter>yJ<enter>");
    assert!(notice(&stage).starts_with("Field all has 98 KiB: `shmlens dump"), "{}", notice(&stage));
}

#[test]
fn values_after_the_end_of_the_segment_say_so() {
    let mut stage = inside(20, |bytes| bytes.write(16, &[1, 0, 0, 0]));
    stage.inject(Event::Resize(Size { width: 120, height: 30 }));
    type_in(&mut stage, "struct R { int a[4]; int b; int c; char d[9]; }");
    has(&stage, &["b i32 1", "c i32 past the end", "d char[9] past the end"]);
}

#[test]
fn narrow_screen_shows_the_field_and_its_neighbors() {
    for (width, height) in [(80, 24), (100, 24), (80, 40)] {
        let mut stage = frame(width, height);
        stage.press("oname<enter>");
        has(&stage, &["AT 0xac name", "▸ points", "name char[12] \"a", "state"]);
    }
}

#[test]
fn click_selects_and_unfolds() {
    let mut stage = frame(140, 45);
    let row = |stage: &Stage, text: &str| {
        let screen = stage.screen();
        let (y, line) = screen.lines().enumerate().find(|(_, line)| line.contains(text)).unwrap();
        let x = line.chars().position(|c| c == '│').unwrap() + 2;
        (u16::try_from(x).unwrap(), u16::try_from(y).unwrap())
    };
    let (x, y) = row(&stage, "▸ points");
    stage.mouse(Mouse { kind: MouseKind::Click, x: x + 4, y });
    assert_eq!((selected(&stage).as_str(), open(&stage).cursor), ("points", 12));
    stage.mouse(Mouse { kind: MouseKind::Click, x, y });
    has(&stage, &["▾ points", "▸ [7]"]);
    stage.mouse(Mouse { kind: MouseKind::WheelDown, x, y });
    assert_eq!(selected(&stage), "points[2]");
    stage.mouse(Mouse { kind: MouseKind::Click, x, y });
    has(&stage, &["▸ points"]);
}

/// Returns the time of a frame: an update of the values, a move in the tree, and a drawing.
fn frame_of(fields: usize) -> Duration {
    let list = (0..fields).fold(String::new(), |list, at| list + &format!("int field_{at};"));
    let header = tempfile::Builder::new().suffix(".h").tempfile().unwrap();
    let text = format!("struct Many {{ {list} }}; struct Outer {{ struct Many many; int end; }};");
    std::fs::write(header.path(), text).unwrap();
    let mut stage = inside(50_000, |bytes| bytes.write(0, &vec![1; 40_000]));
    stage.inject(Event::Resize(Size { width: 200, height: 55 }));
    type_in(&mut stage, &format!("{}:Outer", header.path().display()));
    stage.press("omany.field_0<enter><tab><pgdn>");
    assert_eq!(open(&stage).tree.as_ref().unwrap().count(), fields + 2);
    let frames = 60;
    let started = Instant::now();
    for step in 0u32..frames {
        stage.machine.edit_object("it", |bytes| bytes.write(4 * u64::from(step), &step.to_le_bytes()));
        stage.look();
        stage.press(if step % 20 == 19 { "<pgdn>" } else { "j" });
        assert!(stage.screen().contains("field_"));
    }
    let each = started.elapsed() / frames;
    stage.press("G");
    assert_eq!(selected(&stage), "end");
    each
}

#[test]
fn ten_thousand_fields_cost_no_more_than_a_screenful() {
    let (few, many) = (frame_of(120), frame_of(10_000));
    println!("{few:?} a frame with 120 fields, {many:?} with 10 000");
    assert!(many < 3 * few, "{few:?} {many:?}");
}
