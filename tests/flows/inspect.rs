//! Keys and clicks in Inspect.

use super::{notice, small, stage};
use crate::support::Stage;
use shmlens::app::event::{Event, Size};
use shmlens::app::inspect::{Inspect, InspectPane};
use shmlens::app::key::{Mouse, MouseKind};
use shmlens::app::overlay::Overlay;
use shmlens::decode::{ByteOrder, Scalar};
use shmlens::engine::{Body, Found, WorkProgress};
use shmlens::machine::fake::{FakeBytes, FakeMachine};
use shmlens::memory::Presence;
use shmlens::segment::Access;

pub fn open(stage: &Stage) -> &Inspect {
    stage.state.inspect.as_ref().unwrap()
}

/// Inspects an object of `size` bytes that `write` fills.
pub fn inside(size: u64, write: impl FnOnce(&mut FakeBytes)) -> Stage {
    let machine = FakeMachine::new();
    let mut bytes = FakeBytes::hole(size);
    write(&mut bytes);
    machine.add_object("it", bytes);
    let mut stage = stage(machine);
    stage.press("<enter>");
    stage
}

/// Reports the progress of a search.
fn searching(done: u64, total: u64) -> Body {
    Body::Progress(WorkProgress { what: String::new(), item: 0, items: 0, done, total })
}

#[test]
fn keys_move_the_cursor() {
    for (keys, cursor) in [
        ("l", 1),
        ("j", 16),
        ("jk", 0),
        ("h", 0),
        ("k", 0),
        ("G", 9999),
        ("<end>", 9999),
        ("Gg", 0),
        ("Gl", 9999),
        ("$", 15),
        ("lll0", 0),
        ("<pgdn>", 17 * 16),
        ("<pgdn><pgup>", 0),
        ("<ctrl-d>", 8 * 16),
        ("<ctrl-d><ctrl-u>", 0),
        ("lll<pgup>", 3),
        ("G<pgdn>", 9999),
        // The last row is short: the cursor keeps its column if it can.
        ("<end>0", 9984),
    ] {
        let mut stage = inside(10_000, |bytes| bytes.write(0, &[1; 10_000]));
        stage.press(keys);
        assert_eq!(open(&stage).cursor, cursor, "{keys}");
        let inspect = open(&stage);
        let page = inspect.layout(stage.state.size).page();
        assert!((inspect.top..inspect.top + page).contains(&inspect.cursor), "{keys}");
        assert_eq!(inspect.top % 16, 0);
    }
}

#[test]
fn go_to_moves_to_an_offset() {
    for (typed, cursor) in
        [("4096", 4096), ("0x1000", 4096), ("+16", 116), ("-1K", 0), ("end", 9999), ("", 100)]
    {
        let mut stage = inside(10_000, |_| {});
        stage.press("o100<enter>");
        stage.press(&format!("o{typed}<enter>"));
        assert_eq!(open(&stage).cursor, cursor, "{typed}");
        assert!(stage.state.overlay.is_none());
    }
    let mut stage = inside(10_000, |_| {});
    stage.press("o10000<enter>");
    match &stage.state.overlay {
        Some(Overlay::Prompt(prompt)) => assert!(prompt.error.as_ref().unwrap().contains("past the end")),
        other => panic!("{other:?}"),
    }
    stage.press("<esc>");
    assert_eq!(open(&stage).cursor, 0);
}

#[test]
fn search_accepts_text_hex_and_values() {
    let write = |bytes: &mut FakeBytes| {
        bytes.write(5000, b"needle");
        bytes.write(9000, b"needle");
        bytes.write(7000, &3.5f64.to_le_bytes());
        bytes.write(7100, &[0xde, 0xad, 0x00, 0xef]);
    };
    for (keys, cursor) in [
        ("/needle<enter>", 5000),
        ("/needle<enter>n", 9000),
        ("/needle<enter>nn", 5000),
        ("/needle<enter>N", 9000),
        ("/needle<enter>nN", 5000),
        ("\\de ad ?? ef<enter>", 7100),
        ("=f64:3.5<enter>", 7000),
        ("/needle<enter>\\deadXX<enter><esc>n", 9000),
        ("/needle<enter>G/<enter>", 5000),
    ] {
        let mut stage = inside(10_000, write);
        stage.press(keys);
        assert_eq!(open(&stage).cursor, cursor, "{keys}");
    }
    let mut stage = inside(10_000, write);
    stage.press("/needle<enter>nn");
    assert!(notice(&stage).contains("(wrapped)"), "{}", notice(&stage));
    stage.press("/zebra<enter>");
    assert!(notice(&stage).contains("No match for \"zebra\""), "{}", notice(&stage));
    stage.press("\\xy<enter>");
    match &stage.state.overlay {
        Some(Overlay::Prompt(prompt)) => assert!(prompt.error.is_some()),
        other => panic!("{other:?}"),
    }
    let mut stage = inside(10, |_| {});
    stage.press("n");
    assert!(notice(&stage).contains("No search yet (/ text, "));
}

#[test]
fn esc_stops_a_search_before_it_leaves_inspect() {
    let mut stage = inside(10_000, |bytes| bytes.write(5000, b"needle"));
    stage.searches_hang = true;
    stage.press("/needle<enter>");
    assert!(open(&stage).pending.is_some());
    stage.report_inspect(searching(1 << 20, 1 << 30));
    assert!(stage.screen().contains("1.0 MiB of 1.0 GiB   esc stop"), "{}", stage.screen());
    stage.press("<esc>");
    assert!(open(&stage).pending.is_none());
    assert!(notice(&stage).contains("Search stopped"));
    // Keys wait for a result, but not long.
    stage.press("njj");
    assert!(open(&stage).pending.is_some());
    stage.wait(500);
    assert_eq!((notice(&stage), open(&stage).cursor), ("Still searching for needle (esc: stop)", 0));
    stage.press("j");
    assert_eq!((open(&stage).pending.is_none(), open(&stage).cursor), (true, 16));
    // Esc cancels a search that keys wait for.
    stage.press("njj<esc>");
    assert_eq!((notice(&stage), open(&stage).pending.is_none()), ("Search stopped", true));
    stage.press("gn");
    stage.wait(500);
    // Results of canceled searches are dropped.
    stage.report_inspect(Body::Found(Found { number: 1, result: Ok(Some(5000)), wrapped: false }));
    assert_eq!(open(&stage).cursor, 0);
    stage.press("<esc>");
    assert!(stage.state.inspect.is_none());
}

#[test]
fn next_data_skips_zeros_and_holes() {
    let mut stage = inside(4 << 40, |bytes| {
        bytes.write(1 << 20, b"one");
        bytes.write((1 << 40) + 5, b"two");
    });
    stage.press("}");
    assert_eq!(open(&stage).cursor, 1 << 20);
    stage.press("}");
    assert_eq!(open(&stage).cursor, (1 << 40) + 5);
    stage.press("}");
    assert!(notice(&stage).contains("No more data"), "{}", notice(&stage));
    stage.press("{");
    assert_eq!(open(&stage).cursor, 1 << 20);
}

#[test]
fn changes_are_measured_from_the_baseline() {
    let mut stage = inside(10_000, |bytes| bytes.write(0, &[1; 9000]));
    stage.look();
    stage.press("]");
    assert_eq!(notice(&stage), "No changes since the baseline");
    stage.machine.edit_object("it", |bytes| {
        bytes.write(20, &[9]);
        bytes.write(40, &[9]);
    });
    stage.look();
    stage.press("]");
    assert_eq!(open(&stage).cursor, 20);
    stage.press("]");
    assert_eq!(open(&stage).cursor, 40);
    stage.press("]");
    assert!(notice(&stage).contains("No more changes in that direction"), "{}", notice(&stage));
    assert_eq!(open(&stage).cursor, 40);
    stage.press("[");
    assert_eq!(open(&stage).cursor, 20);
    assert_eq!(open(&stage).view.differs, [20..21, 40..41]);
    stage.press("b");
    stage.look();
    assert_eq!(open(&stage).view.differs, []);
    stage.press("]");
    assert_eq!(notice(&stage), "No changes since the baseline");
}

#[test]
fn next_change_skips_the_rest_of_a_value() {
    let mut stage = inside(10_000, |bytes| bytes.write(0, &[1; 9000]));
    stage.look();
    stage.machine.edit_object("it", |bytes| {
        bytes.write(20, &[9, 9, 1, 9]);
        bytes.write(24, &[9; 16]);
        bytes.write(50, &[9]);
    });
    stage.look();
    // Changed bytes in the rest of the value under the cursor come first.
    for offset in [20, 24, 32, 50] {
        stage.press("]");
        assert_eq!(open(&stage).cursor, offset);
    }
    for offset in [32, 24, 20] {
        stage.press("[");
        assert_eq!(open(&stage).cursor, offset);
    }
    // Jumps use the size of the display type.
    stage.press("tu32<enter>");
    for offset in [24, 28, 32, 36, 48] {
        stage.press("]");
        assert_eq!(open(&stage).cursor, offset);
    }
}

#[test]
fn searches_count_their_hits() {
    let mut stage = inside(10_000, |bytes| {
        for offset in [5000, 7000, 9000] {
            bytes.write(offset, b"needle");
        }
    });
    let has = |stage: &Stage, text: &str| {
        assert!(stage.screen().lines().next().unwrap().ends_with(text), "{text}\n{}", stage.screen());
    };
    stage.press("/needle<enter>");
    has(&stage, "1 of 3 hits");
    stage.press("nn");
    has(&stage, "3 of 3 hits");
    stage.press("l");
    has(&stage, "   3 hits");
    // A hit that appeared later is counted.
    stage.machine.edit_object("it", |bytes| bytes.write(6000, b"needle"));
    stage.press("gnn");
    has(&stage, "2 of 4 hits");
    // A hole is full of zeros.
    stage.press("\\00<enter>");
    has(&stage, "1000+ hits");
}

#[test]
fn pinned_value_is_read_off_screen() {
    let mut stage = inside(100_000, |bytes| bytes.write(8, &1000u64.to_le_bytes()));
    stage.inject(Event::Resize(Size { width: 140, height: 45 }));
    stage.look();
    stage.press("<right><right><right><right><right><right><right><right>a");
    assert!(notice(&stage).starts_with("Pinned"), "{}", notice(&stage));
    stage.press("G");
    for count in 2u64..10 {
        stage.machine.edit_object("it", |bytes| bytes.write(8, &(1000 * count).to_le_bytes()));
        stage.wait(250);
    }
    let pin = open(&stage).pins.iter().next().unwrap().shown(&[], 100_000);
    assert_eq!((pin.offset, pin.value.as_str(), pin.rate.as_str()), (8, "9000", "+4000/s"));
    assert!(stage.screen().contains("+4000/s"), "{}", stage.screen());
    // Nothing is read while frozen.
    stage.press("<space>");
    stage.machine.edit_object("it", |bytes| bytes.write(8, &[0; 8]));
    stage.wait(2000);
    assert_eq!(open(&stage).pins.iter().next().unwrap().shown(&[], 100_000).value, "9000");
    stage.press("<space>glllllllla");
    assert_eq!((notice(&stage), open(&stage).pins.len()), ("Unpinned", 0));
}

#[test]
fn leaving_with_pins_releases_the_segment() {
    let nattch = |stage: &Stage| stage.machine.edit(|facts| facts.sysv[0].row.nattch);
    let mut stage = stage(small());
    stage.press("<enter>a");
    stage.wait(1000);
    assert_eq!(nattch(&stage), 1);
    stage.press("<esc>");
    assert_eq!(nattch(&stage), 0);
    stage.press("<enter>aP");
    stage.wait(1000);
    stage.press("<esc>");
    assert_eq!(nattch(&stage), 1);
}

#[test]
fn changes_are_highlighted_and_fade() {
    let mut stage = inside(100, |bytes| bytes.write(0, &[1; 100]));
    stage.look();
    stage.machine.edit_object("it", |bytes| bytes.write(7, &[2, 2]));
    stage.look();
    let glow = |stage: &Stage, at| open(stage).glow.faded(at, stage.clock);
    assert_eq!((glow(&stage, 7), glow(&stage, 8), glow(&stage, 9)), (Some(0.0), Some(0.0), None));
    stage.wait(2900);
    assert!(glow(&stage, 7).is_some());
    stage.wait(200);
    assert_eq!(glow(&stage, 7), None);
}

#[test]
fn freeze_keeps_the_shown_bytes() {
    let mut stage = inside(100_000, |bytes| bytes.write(0, &vec![1; 100_000]));
    stage.press("<space>");
    stage.machine.edit_object("it", |bytes| bytes.write(0, &vec![2; 100_000]));
    stage.look();
    assert_eq!(open(&stage).byte(0), Some(1));
    // Bytes that come into view are read once. Bytes seen before stay frozen.
    stage.press("o50000<enter>");
    assert_eq!(open(&stage).byte(open(&stage).cursor), Some(2));
    stage.press("g");
    assert_eq!(open(&stage).byte(0), Some(1));
    stage.press("<space>");
    assert_eq!(open(&stage).byte(0), Some(2));
}

#[test]
fn row_width_type_and_byte_order_can_be_set() {
    let mut stage = inside(1000, |bytes| bytes.write(0, &[1, 0, 0, 0]));
    // 24 bytes per row do not fit in 80 columns.
    for chosen in [Some(8), Some(16), None, Some(8)] {
        stage.press("w");
        assert_eq!(open(&stage).row_bytes, chosen);
    }
    stage.press("ww");
    // A width chosen in a wide terminal is reduced in a narrow one.
    stage.inject(Event::Resize(Size { width: 200, height: 24 }));
    stage.press("wwww");
    assert_eq!(open(&stage).layout(stage.state.size).row_bytes, 32);
    stage.inject(Event::Resize(Size { width: 80, height: 24 }));
    assert_eq!(open(&stage).layout(stage.state.size).row_bytes, 16);
    assert_eq!(open(&stage).order, ByteOrder::Little);
    stage.press("e");
    assert_eq!(open(&stage).order, ByteOrder::Big);
    stage.press("l");
    // A type can be selected by typing its name.
    stage.press("tu32<enter>");
    assert_eq!((open(&stage).shown_as, open(&stage).cursor), (Some(Scalar::U32), 0));
    stage.press("l");
    assert_eq!(open(&stage).cursor, 4);
    stage.press("t<home><enter>");
    assert_eq!(open(&stage).shown_as, None);
}

#[test]
fn typed_type_is_shown_at_the_cursor() {
    let mut stage = inside(100, |bytes| bytes.write(8, &[7, 0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0]));
    stage.press("t<end><enter>struct Frame { int tick; struct { short x, y; } points[2]; }@8<enter>");
    assert!(stage.state.overlay.is_none() && open(&stage).cursor == 8);
    assert_eq!(open(&stage).field_at_cursor().as_deref(), Some("tick = 7"));
    stage.press("llllllllll");
    assert_eq!(open(&stage).field_at_cursor().as_deref(), Some("points[1].y = 4"));
    stage.press("l");
    assert_eq!(open(&stage).field_at_cursor().as_deref(), Some("points[1].y = 4"));
    stage.press("l");
    assert_eq!(open(&stage).field_at_cursor(), None);
    // The rows show the numbers of an array.
    stage.press("t<end><enter>u16be[4]@8<enter>");
    assert_eq!((open(&stage).shown_as, open(&stage).order), (Some(Scalar::U16), ByteOrder::Big));
    assert_eq!(open(&stage).field_at_cursor().as_deref(), Some("[0] = 1792"));
    stage.press("t<end><enter>struct { int x }<enter>");
    let Some(Overlay::Prompt(prompt)) = &stage.state.overlay else { panic!("{:?}", stage.state.overlay) };
    assert!(prompt.error.as_ref().unwrap().contains("line 1, column 16"), "{prompt:?}");
    stage.press("<esc>t<end><enter>u8@200<enter>");
    let Some(Overlay::Prompt(prompt)) = &stage.state.overlay else { panic!("{:?}", stage.state.overlay) };
    assert_eq!(prompt.error.as_deref(), Some("u8 at 0xc8 is past the end"));
    stage.press("<esc>tu8<enter>");
    assert_eq!((open(&stage).typed.as_ref(), open(&stage).shown_as), (None, Some(Scalar::U8)));
}

#[test]
fn copy_menu_has_code_for_the_typed_type() {
    let mut stage = inside(1000, |_| {});
    stage.press("t<end><enter>struct Pair { int a; double b; }@16<enter>");
    for (typed, words) in [
        ("c+", ["// Attaches to", "double b;", "offset = 16"]),
        ("python<space>c", ["# Attaches to", "\"<f8\"", "OFFSET = 16"]),
        ("ru", ["// Attaches to", "pub b: f64", "offset: usize = 16"]),
    ] {
        stage.press(&format!("y{typed}<enter>"));
        let code = stage.clipboard.as_deref().unwrap();
        assert!(words.iter().all(|word| code.contains(word)), "{code}");
        assert!(
            notice(&stage).starts_with("Copied ") && notice(&stage).ends_with(" code"),
            "{}",
            notice(&stage)
        );
    }
}

#[test]
fn marks_and_copies_work() {
    let mut stage = inside(1000, |bytes| bytes.write(0, b"\xde\xad\xbe\xef and more"));
    stage.press("lllmajjj'a");
    assert_eq!(open(&stage).cursor, 3);
    stage.press("'b");
    assert!(notice(&stage).contains("marks: a"), "{}", notice(&stage));
    stage.press("hy<enter>");
    // From the mark at 3 back to the cursor at 2, inclusive.
    assert_eq!(stage.clipboard.as_deref(), Some("be ef"));
    let mut stage = inside(1000, |bytes| bytes.write(16, b"A row of letters"));
    stage.press("jlllyt<enter>");
    assert_eq!(stage.clipboard.as_deref(), Some("A row of letters"));
    // The values at the cursor, as the panel shows them.
    let mut stage = inside(1000, |bytes| bytes.write(16, &17_022u64.to_le_bytes()));
    stage.press("jyu64<enter>");
    assert_eq!((stage.clipboard.as_deref(), notice(&stage)), (Some("17022"), "Copied u64 17022"));
    let mut stage = inside(10, |_| {});
    stage.press("'");
    assert!(notice(&stage).contains("No marks yet (m: "));
}

#[test]
fn leaving_detaches_unless_kept() {
    let nattch = |stage: &Stage| stage.machine.edit(|facts| facts.sysv[0].row.nattch);
    let mut stage = stage(small());
    stage.press("<enter>");
    assert_eq!(nattch(&stage), 1);
    stage.press("<esc>");
    assert_eq!(nattch(&stage), 0);
    stage.press("<enter>Pq");
    assert_eq!(nattch(&stage), 1);
    assert!(stage.state.kept.contains_key(&"sysv:5".parse().unwrap()));
    // Inspecting it again reuses the attachment.
    stage.press("<enter>");
    assert_eq!((nattch(&stage), open(&stage).keep), (1, true));
    stage.press("q");
    assert_eq!(nattch(&stage), 1);
    stage.press("D");
    stage.wait(200);
    stage.press("y");
    assert_eq!(nattch(&stage), 0);
    assert!(stage.state.kept.is_empty());
}

#[test]
fn failed_open_is_explained_and_the_table_stays() {
    let machine = small();
    machine.edit(|facts| facts.effective_uid = 1001);
    let mut stage = stage(machine);
    stage.press("<enter>");
    assert!(stage.state.inspect.is_none());
    for word in ["ann", "0600", "root"] {
        assert!(notice(&stage).contains(word), "{}", notice(&stage));
    }
    stage.machine.remove_object("a");
    stage.press("j<enter>");
    assert!(notice(&stage).contains("is gone"), "{}", notice(&stage));
}

#[test]
fn inspect_reports_shrunk_removed_and_replaced_segments() {
    let mut stage = inside(10_000, |bytes| bytes.write(0, &[7; 10_000]));
    stage.press("G");
    stage.machine.edit_object("it", |bytes| bytes.size = 10);
    stage.look();
    assert_eq!((open(&stage).size(), open(&stage).cursor, open(&stage).top), (10, 9, 0));
    stage.machine.edit_object("it", |bytes| bytes.size = 0);
    stage.look();
    stage.press("jklG");
    assert_eq!((open(&stage).size(), open(&stage).cursor), (0, 0));
    stage.machine.edit_object("it", |bytes| bytes.size = 10);
    stage.machine.remove_object("it");
    stage.look();
    assert_eq!(open(&stage).presence, Presence::Removed { size: 10 });
    stage.machine.add_object("it", FakeBytes::hole(99));
    stage.look();
    assert_eq!(open(&stage).presence, Presence::Replaced { size: 10 });
    assert_eq!(open(&stage).byte(0), Some(7));
}

#[test]
fn focused_values_scroll() {
    let mut stage = inside(1000, |_| {});
    stage.press("<tab>jj");
    assert_eq!(
        (open(&stage).pane, open(&stage).values_top, open(&stage).cursor),
        (InspectPane::Values, 2, 0)
    );
    stage.press("l");
    assert_eq!(open(&stage).cursor, 1);
    stage.press("<tab>j");
    assert_eq!((open(&stage).pane, open(&stage).cursor), (InspectPane::Bytes, 17));
}

#[test]
fn mouse_selects_bytes_and_map_positions() {
    let mut stage = inside(1 << 20, |_| {});
    stage.press("z");
    let layout = open(&stage).layout(stage.state.size);
    let at = |x, y, kind| Mouse { x, y, kind };
    stage.mouse(at(layout.hex_x(5), layout.rows.y + 2, MouseKind::Click));
    assert_eq!(open(&stage).cursor, 37);
    stage.mouse(at(layout.text_x.unwrap() + 1, layout.rows.y, MouseKind::Click));
    assert_eq!(open(&stage).cursor, 1);
    stage.mouse(at(0, 5, MouseKind::WheelDown));
    assert_eq!((open(&stage).top, open(&stage).cursor), (48, 49));
    let half = layout.map.width / 2;
    stage.mouse(at(layout.map.x + half, layout.map.y, MouseKind::Click));
    assert_eq!(open(&stage).cursor, (1u64 << 20) * u64::from(half) / u64::from(layout.map.width));
}

#[test]
fn leaving_frees_a_removed_object() {
    let machine = FakeMachine::new();
    machine.add_object("it", FakeBytes::full(&[1; 100]));
    machine.add_process(9_999_999, "shmlens");
    machine.add_process(7, "writer");
    machine.open_in(9_999_999, "it", Access::Read);
    machine.open_in(7, "it", Access::Read);
    let mut stage = Stage::new(machine, 120, 30);
    stage.press("<enter>");
    stage.machine.remove_object("it");
    stage.survey();
    stage.look();
    assert!(stage.screen().contains("removed: kept alive by holders"), "{}", stage.screen());
    assert!(
        notice(&stage).contains("stays in memory") && !notice(&stage).contains("h: "),
        "{}",
        notice(&stage)
    );
    stage.machine.end_process(7);
    stage.survey();
    assert!(stage.screen().contains("removed: freed when you leave"), "{}", stage.screen());
}

#[test]
fn kept_object_stays_marked_without_its_name() {
    let machine = FakeMachine::new();
    machine.add_object("it", FakeBytes::full(&[1; 100]));
    machine.add_process(9_999_999, "shmlens");
    machine.open_in(9_999_999, "it", Access::Read);
    let mut stage = Stage::new(machine, 120, 30);
    stage.press("<enter>P<esc>");
    assert!(stage.screen().contains("◉ /it"), "{}", stage.screen());
    stage.machine.remove_object("it");
    stage.machine.add_object("it", FakeBytes::full(&[2; 100]));
    stage.survey();
    let screen = stage.screen();
    let marked: Vec<&str> = screen.lines().filter(|line| line.contains('◉')).collect();
    assert!(marked.len() == 1 && marked[0].contains("removed"), "{screen}");
}

#[test]
fn shrunk_notice_disappears_when_the_segment_grows() {
    let mut stage = inside(512, |bytes| bytes.write(0, &[1; 512]));
    stage.look();
    stage.machine.edit_object("it", |bytes| *bytes = FakeBytes::full(&[1; 40]));
    stage.look();
    assert_eq!(notice(&stage), "Shrunk from 512 B to 40 B");
    stage.machine.edit_object("it", |bytes| *bytes = FakeBytes::full(&[1; 600]));
    stage.look();
    assert_eq!(notice(&stage), "");
}

#[test]
fn click_on_the_map_of_a_small_segment_finds_its_byte() {
    let mut stage = inside(10, |bytes| bytes.write(0, b"0123456789"));
    stage.look();
    let map = open(&stage).layout(stage.state.size).map;
    let click = |x| Mouse { x: map.x + x, y: map.y, kind: MouseKind::Click };
    stage.mouse(click(7));
    assert_eq!(open(&stage).cursor, 7);
    // There is no cell at this position.
    stage.mouse(click(20));
    assert_eq!(open(&stage).cursor, 7);
}

#[test]
fn keys_typed_after_a_jump_act_at_its_target() {
    let mut stage = inside(10_000, |bytes| bytes.write(0, &[1; 9000]));
    stage.look();
    stage.machine.edit_object("it", |bytes| {
        for offset in [20, 40, 60, 80] {
            bytes.write(offset, &[9]);
        }
    });
    stage.look();
    // Typed before the engine answers.
    stage.late_searches = Some(vec![]);
    stage.press("]]]a");
    assert_eq!((open(&stage).cursor, open(&stage).pins.len()), (0, 0));
    for cursor in [20, 40] {
        stage.answer_search();
        assert_eq!(open(&stage).cursor, cursor);
    }
    assert_eq!(open(&stage).pins.len(), 0);
    stage.answer_search();
    let pin = open(&stage).pins.iter().next().unwrap();
    assert_eq!((open(&stage).cursor, pin.offset), (60, 60));
    stage.press("]l");
    stage.answer_search();
    assert_eq!(open(&stage).cursor, 81);
}

#[test]
fn narrow_title_says_that_the_segment_is_attached() {
    let mut stage = stage(small());
    stage.press("<enter>");
    for (width, keys, text) in
        [(140, "", "◉ attached: nattch +1"), (40, "", "◉ attached"), (40, "P", "◉ stays attached")]
    {
        stage.inject(Event::Resize(Size { width, height: 8 }));
        stage.press(keys);
        let screen = stage.screen();
        assert!(screen.lines().next().unwrap().contains(text), "{screen}");
    }
}
