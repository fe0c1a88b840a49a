//! Keys and clicks in Inspect.

use super::{harness, notice, small};
use crate::support::Harness;
use shmlens::app::event::{Event, Size};
use shmlens::app::inspect::{Inspect, InspectPane};
use shmlens::app::key::{Mouse, MouseKind};
use shmlens::app::overlay::Overlay;
use shmlens::decode::{ByteOrder, Scalar};
use shmlens::engine::{Body, Found, WorkProgress};
use shmlens::machine::fake::{FakeBytes, FakeMachine};
use shmlens::memory::Presence;
use shmlens::segment::Access;

pub fn open(harness: &Harness) -> &Inspect {
    harness.state.inspect.as_ref().unwrap()
}

/// Inspects an object of `size` bytes that `write` fills.
pub fn inside(size: u64, write: impl FnOnce(&mut FakeBytes)) -> Harness {
    let machine = FakeMachine::new();
    let mut bytes = FakeBytes::hole(size);
    write(&mut bytes);
    machine.add_object("it", bytes);
    let mut harness = harness(machine);
    harness.press("<enter>");
    harness
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
        let mut harness = inside(10_000, |bytes| bytes.write(0, &[1; 10_000]));
        harness.press(keys);
        assert_eq!(open(&harness).cursor, cursor, "{keys}");
        let inspect = open(&harness);
        let page = inspect.layout(harness.state.size).page();
        assert!((inspect.top..inspect.top + page).contains(&inspect.cursor), "{keys}");
        assert_eq!(inspect.top % 16, 0);
    }
}

#[test]
fn go_to_moves_to_an_offset() {
    for (typed, cursor) in
        [("4096", 4096), ("0x1000", 4096), ("+16", 116), ("-1K", 0), ("end", 9999), ("", 100)]
    {
        let mut harness = inside(10_000, |_| {});
        harness.press("o100<enter>");
        harness.press(&format!("o{typed}<enter>"));
        assert_eq!(open(&harness).cursor, cursor, "{typed}");
        assert!(harness.state.overlay.is_none());
    }
    let mut harness = inside(10_000, |_| {});
    harness.press("o10000<enter>");
    match &harness.state.overlay {
        Some(Overlay::Prompt(prompt)) => assert!(prompt.error.as_ref().unwrap().contains("past the end")),
        other => panic!("{other:?}"),
    }
    harness.press("<esc>");
    assert_eq!(open(&harness).cursor, 0);
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
        let mut harness = inside(10_000, write);
        harness.press(keys);
        assert_eq!(open(&harness).cursor, cursor, "{keys}");
    }
    let mut harness = inside(10_000, write);
    harness.press("/needle<enter>nn");
    assert!(notice(&harness).contains("(wrapped)"), "{}", notice(&harness));
    harness.press("/zebra<enter>");
    assert!(notice(&harness).contains("No match for \"zebra\""), "{}", notice(&harness));
    harness.press("\\xy<enter>");
    match &harness.state.overlay {
        Some(Overlay::Prompt(prompt)) => assert!(prompt.error.is_some()),
        other => panic!("{other:?}"),
    }
    let mut harness = inside(10, |_| {});
    harness.press("n");
    assert!(notice(&harness).contains("No search yet (/ text, "));
}

#[test]
fn esc_stops_a_search_before_it_leaves_inspect() {
    let mut harness = inside(10_000, |bytes| bytes.write(5000, b"needle"));
    harness.searches_hang = true;
    harness.press("/needle<enter>");
    assert!(open(&harness).pending.is_some());
    harness.report_inspect(searching(1 << 20, 1 << 30));
    assert!(harness.screen().contains("1.0 MiB of 1.0 GiB   esc stop"), "{}", harness.screen());
    harness.press("<esc>");
    assert!(open(&harness).pending.is_none());
    assert!(notice(&harness).contains("Search stopped"));
    // Keys wait for a result, but not long.
    harness.press("njj");
    assert!(open(&harness).pending.is_some());
    harness.wait(500);
    assert_eq!((notice(&harness), open(&harness).cursor), ("Still searching for needle (esc: stop)", 0));
    harness.press("j");
    assert_eq!((open(&harness).pending.is_none(), open(&harness).cursor), (true, 16));
    // Esc cancels a search that keys wait for.
    harness.press("njj<esc>");
    assert_eq!((notice(&harness), open(&harness).pending.is_none()), ("Search stopped", true));
    harness.press("gn");
    harness.wait(500);
    // Results of canceled searches are dropped.
    harness.report_inspect(Body::Found(Found { number: 1, result: Ok(Some(5000)), wrapped: false }));
    assert_eq!(open(&harness).cursor, 0);
    harness.press("<esc>");
    assert!(harness.state.inspect.is_none());
}

#[test]
fn next_data_skips_zeros_and_holes() {
    let mut harness = inside(4 << 40, |bytes| {
        bytes.write(1 << 20, b"one");
        bytes.write((1 << 40) + 5, b"two");
    });
    harness.press("}");
    assert_eq!(open(&harness).cursor, 1 << 20);
    harness.press("}");
    assert_eq!(open(&harness).cursor, (1 << 40) + 5);
    harness.press("}");
    assert!(notice(&harness).contains("No more data"), "{}", notice(&harness));
    harness.press("{");
    assert_eq!(open(&harness).cursor, 1 << 20);
}

#[test]
fn changes_are_measured_from_the_baseline() {
    let mut harness = inside(10_000, |bytes| bytes.write(0, &[1; 9000]));
    harness.look();
    harness.press("]");
    assert_eq!(notice(&harness), "No changes since the baseline");
    harness.machine.edit_object("it", |bytes| {
        bytes.write(20, &[9]);
        bytes.write(40, &[9]);
    });
    harness.look();
    harness.press("]");
    assert_eq!(open(&harness).cursor, 20);
    harness.press("]");
    assert_eq!(open(&harness).cursor, 40);
    harness.press("]");
    assert!(notice(&harness).contains("No more changes in that direction"), "{}", notice(&harness));
    assert_eq!(open(&harness).cursor, 40);
    harness.press("[");
    assert_eq!(open(&harness).cursor, 20);
    assert_eq!(open(&harness).view.differs, [20..21, 40..41]);
    harness.press("b");
    harness.look();
    assert_eq!(open(&harness).view.differs, []);
    harness.press("]");
    assert_eq!(notice(&harness), "No changes since the baseline");
}

#[test]
fn next_change_skips_the_rest_of_a_value() {
    let mut harness = inside(10_000, |bytes| bytes.write(0, &[1; 9000]));
    harness.look();
    harness.machine.edit_object("it", |bytes| {
        bytes.write(20, &[9, 9, 1, 9]);
        bytes.write(24, &[9; 16]);
        bytes.write(50, &[9]);
    });
    harness.look();
    // Changed bytes in the rest of the value under the cursor come first.
    for offset in [20, 24, 32, 50] {
        harness.press("]");
        assert_eq!(open(&harness).cursor, offset);
    }
    for offset in [32, 24, 20] {
        harness.press("[");
        assert_eq!(open(&harness).cursor, offset);
    }
    // Jumps use the size of the display type.
    harness.press("tu32<enter>");
    for offset in [24, 28, 32, 36, 48] {
        harness.press("]");
        assert_eq!(open(&harness).cursor, offset);
    }
}

#[test]
fn searches_count_their_hits() {
    let mut harness = inside(10_000, |bytes| {
        for offset in [5000, 7000, 9000] {
            bytes.write(offset, b"needle");
        }
    });
    let has = |harness: &Harness, text: &str| {
        assert!(harness.screen().lines().next().unwrap().ends_with(text), "{text}\n{}", harness.screen());
    };
    harness.press("/needle<enter>");
    has(&harness, "1 of 3 hits");
    harness.press("nn");
    has(&harness, "3 of 3 hits");
    harness.press("l");
    has(&harness, "   3 hits");
    // A hit that appeared later is counted.
    harness.machine.edit_object("it", |bytes| bytes.write(6000, b"needle"));
    harness.press("gnn");
    has(&harness, "2 of 4 hits");
    // A hole is full of zeros.
    harness.press("\\00<enter>");
    has(&harness, "1000+ hits");
}

#[test]
fn pinned_value_is_read_off_screen() {
    let mut harness = inside(100_000, |bytes| bytes.write(8, &1000u64.to_le_bytes()));
    harness.inject(Event::Resize(Size { width: 140, height: 45 }));
    harness.look();
    harness.press("<right><right><right><right><right><right><right><right>a");
    assert!(notice(&harness).starts_with("Pinned"), "{}", notice(&harness));
    harness.press("G");
    for count in 2u64..10 {
        harness.machine.edit_object("it", |bytes| bytes.write(8, &(1000 * count).to_le_bytes()));
        harness.wait(250);
    }
    let pin = open(&harness).pins.iter().next().unwrap().shown(&[], 100_000);
    assert_eq!((pin.offset, pin.value.as_str(), pin.rate.as_str()), (8, "9000", "+4000/s"));
    assert!(harness.screen().contains("+4000/s"), "{}", harness.screen());
    // Nothing is read while frozen.
    harness.press("<space>");
    harness.machine.edit_object("it", |bytes| bytes.write(8, &[0; 8]));
    harness.wait(2000);
    assert_eq!(open(&harness).pins.iter().next().unwrap().shown(&[], 100_000).value, "9000");
    harness.press("<space>glllllllla");
    assert_eq!((notice(&harness), open(&harness).pins.len()), ("Unpinned", 0));
}

#[test]
fn leaving_with_pins_releases_the_segment() {
    let nattch = |harness: &Harness| harness.machine.edit(|facts| facts.sysv[0].row.nattch);
    let mut harness = harness(small());
    harness.press("<enter>a");
    harness.wait(1000);
    assert_eq!(nattch(&harness), 1);
    harness.press("<esc>");
    assert_eq!(nattch(&harness), 0);
    harness.press("<enter>aP");
    harness.wait(1000);
    harness.press("<esc>");
    assert_eq!(nattch(&harness), 1);
}

#[test]
fn changes_are_highlighted_and_fade() {
    let mut harness = inside(100, |bytes| bytes.write(0, &[1; 100]));
    harness.look();
    harness.machine.edit_object("it", |bytes| bytes.write(7, &[2, 2]));
    harness.look();
    let glow = |harness: &Harness, at| open(harness).glow.faded(at, harness.clock);
    assert_eq!((glow(&harness, 7), glow(&harness, 8), glow(&harness, 9)), (Some(0.0), Some(0.0), None));
    harness.wait(2900);
    assert!(glow(&harness, 7).is_some());
    harness.wait(200);
    assert_eq!(glow(&harness, 7), None);
}

#[test]
fn freeze_keeps_the_shown_bytes() {
    let mut harness = inside(100_000, |bytes| bytes.write(0, &vec![1; 100_000]));
    harness.press("<space>");
    harness.machine.edit_object("it", |bytes| bytes.write(0, &vec![2; 100_000]));
    harness.look();
    assert_eq!(open(&harness).byte(0), Some(1));
    // Bytes that come into view are read once. Bytes seen before stay frozen.
    harness.press("o50000<enter>");
    assert_eq!(open(&harness).byte(open(&harness).cursor), Some(2));
    harness.press("g");
    assert_eq!(open(&harness).byte(0), Some(1));
    harness.press("<space>");
    assert_eq!(open(&harness).byte(0), Some(2));
}

#[test]
fn row_width_type_and_byte_order_can_be_set() {
    let mut harness = inside(1000, |bytes| bytes.write(0, &[1, 0, 0, 0]));
    // 24 bytes per row do not fit in 80 columns.
    for chosen in [Some(8), Some(16), None, Some(8)] {
        harness.press("w");
        assert_eq!(open(&harness).row_bytes, chosen);
    }
    harness.press("ww");
    // A width chosen in a wide terminal is reduced in a narrow one.
    harness.inject(Event::Resize(Size { width: 200, height: 24 }));
    harness.press("wwww");
    assert_eq!(open(&harness).layout(harness.state.size).row_bytes, 32);
    harness.inject(Event::Resize(Size { width: 80, height: 24 }));
    assert_eq!(open(&harness).layout(harness.state.size).row_bytes, 16);
    assert_eq!(open(&harness).order, ByteOrder::Little);
    harness.press("e");
    assert_eq!(open(&harness).order, ByteOrder::Big);
    harness.press("l");
    // A type can be selected by typing its name.
    harness.press("tu32<enter>");
    assert_eq!((open(&harness).shown_as, open(&harness).cursor), (Some(Scalar::U32), 0));
    harness.press("l");
    assert_eq!(open(&harness).cursor, 4);
    harness.press("t<home><enter>");
    assert_eq!(open(&harness).shown_as, None);
}

#[test]
fn typed_type_is_shown_at_the_cursor() {
    let mut harness = inside(100, |bytes| bytes.write(8, &[7, 0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0]));
    harness.press("t<end><enter>struct Frame { int tick; struct { short x, y; } points[2]; }@8<enter>");
    assert!(harness.state.overlay.is_none() && open(&harness).cursor == 8);
    assert_eq!(open(&harness).field_at_cursor().as_deref(), Some("tick = 7"));
    harness.press("llllllllll");
    assert_eq!(open(&harness).field_at_cursor().as_deref(), Some("points[1].y = 4"));
    harness.press("l");
    assert_eq!(open(&harness).field_at_cursor().as_deref(), Some("points[1].y = 4"));
    harness.press("l");
    assert_eq!(open(&harness).field_at_cursor(), None);
    // The rows show the numbers of an array.
    harness.press("t<end><enter>u16be[4]@8<enter>");
    assert_eq!((open(&harness).shown_as, open(&harness).order), (Some(Scalar::U16), ByteOrder::Big));
    assert_eq!(open(&harness).field_at_cursor().as_deref(), Some("[0] = 1792"));
    harness.press("t<end><enter>struct { int x }<enter>");
    let Some(Overlay::Prompt(prompt)) = &harness.state.overlay else { panic!("{:?}", harness.state.overlay) };
    assert!(prompt.error.as_ref().unwrap().contains("line 1, column 16"), "{prompt:?}");
    harness.press("<esc>t<end><enter>u8@200<enter>");
    let Some(Overlay::Prompt(prompt)) = &harness.state.overlay else { panic!("{:?}", harness.state.overlay) };
    assert_eq!(prompt.error.as_deref(), Some("u8 at 0xc8 is past the end"));
    harness.press("<esc>tu8<enter>");
    assert_eq!((open(&harness).typed.as_ref(), open(&harness).shown_as), (None, Some(Scalar::U8)));
}

#[test]
fn copy_menu_has_code_for_the_typed_type() {
    let mut harness = inside(1000, |_| {});
    harness.press("t<end><enter>struct Pair { int a; double b; }@16<enter>");
    for (typed, words) in [
        ("c+", ["// Attaches to", "double b;", "offset = 16"]),
        ("python<space>c", ["# Attaches to", "\"<f8\"", "OFFSET = 16"]),
        ("ru", ["// Attaches to", "pub b: f64", "offset: usize = 16"]),
    ] {
        harness.press(&format!("y{typed}<enter>"));
        let code = harness.clipboard.as_deref().unwrap();
        assert!(words.iter().all(|word| code.contains(word)), "{code}");
        assert!(
            notice(&harness).starts_with("Copied ") && notice(&harness).ends_with(" code"),
            "{}",
            notice(&harness)
        );
    }
}

#[test]
fn marks_and_copies_work() {
    let mut harness = inside(1000, |bytes| bytes.write(0, b"\xde\xad\xbe\xef and more"));
    harness.press("lllmajjj'a");
    assert_eq!(open(&harness).cursor, 3);
    harness.press("'b");
    assert!(notice(&harness).contains("marks: a"), "{}", notice(&harness));
    harness.press("hy<enter>");
    // From the mark at 3 back to the cursor at 2, inclusive.
    assert_eq!(harness.clipboard.as_deref(), Some("be ef"));
    let mut harness = inside(1000, |bytes| bytes.write(16, b"A row of letters"));
    harness.press("jlllyt<enter>");
    assert_eq!(harness.clipboard.as_deref(), Some("A row of letters"));
    // The values at the cursor, as the panel shows them.
    let mut harness = inside(1000, |bytes| bytes.write(16, &17_022u64.to_le_bytes()));
    harness.press("jyu64<enter>");
    assert_eq!((harness.clipboard.as_deref(), notice(&harness)), (Some("17022"), "Copied u64 17022"));
    let mut harness = inside(10, |_| {});
    harness.press("'");
    assert!(notice(&harness).contains("No marks yet (m: "));
}

#[test]
fn leaving_detaches_unless_kept() {
    let nattch = |harness: &Harness| harness.machine.edit(|facts| facts.sysv[0].row.nattch);
    let mut harness = harness(small());
    harness.press("<enter>");
    assert_eq!(nattch(&harness), 1);
    harness.press("<esc>");
    assert_eq!(nattch(&harness), 0);
    harness.press("<enter>Pq");
    assert_eq!(nattch(&harness), 1);
    assert!(harness.state.kept.contains_key(&"sysv:5".parse().unwrap()));
    // Inspecting it again reuses the attachment.
    harness.press("<enter>");
    assert_eq!((nattch(&harness), open(&harness).keep), (1, true));
    harness.press("q");
    assert_eq!(nattch(&harness), 1);
    harness.press("D");
    harness.wait(200);
    harness.press("y");
    assert_eq!(nattch(&harness), 0);
    assert!(harness.state.kept.is_empty());
}

#[test]
fn failed_open_is_explained_and_the_table_stays() {
    let machine = small();
    machine.edit(|facts| facts.effective_uid = 1001);
    let mut harness = harness(machine);
    harness.press("<enter>");
    assert!(harness.state.inspect.is_none());
    for word in ["ann", "0600", "root"] {
        assert!(notice(&harness).contains(word), "{}", notice(&harness));
    }
    harness.machine.remove_object("a");
    harness.press("j<enter>");
    assert!(notice(&harness).contains("is gone"), "{}", notice(&harness));
}

#[test]
fn inspect_reports_shrunk_removed_and_replaced_segments() {
    let mut harness = inside(10_000, |bytes| bytes.write(0, &[7; 10_000]));
    harness.press("G");
    harness.machine.edit_object("it", |bytes| bytes.size = 10);
    harness.look();
    assert_eq!((open(&harness).size(), open(&harness).cursor, open(&harness).top), (10, 9, 0));
    harness.machine.edit_object("it", |bytes| bytes.size = 0);
    harness.look();
    harness.press("jklG");
    assert_eq!((open(&harness).size(), open(&harness).cursor), (0, 0));
    harness.machine.edit_object("it", |bytes| bytes.size = 10);
    harness.machine.remove_object("it");
    harness.look();
    assert_eq!(open(&harness).presence, Presence::Removed { size: 10 });
    harness.machine.add_object("it", FakeBytes::hole(99));
    harness.look();
    assert_eq!(open(&harness).presence, Presence::Replaced { size: 10 });
    assert_eq!(open(&harness).byte(0), Some(7));
}

#[test]
fn focused_values_scroll() {
    let mut harness = inside(1000, |_| {});
    harness.press("<tab>jj");
    assert_eq!(
        (open(&harness).pane, open(&harness).values_top, open(&harness).cursor),
        (InspectPane::Values, 2, 0)
    );
    harness.press("l");
    assert_eq!(open(&harness).cursor, 1);
    harness.press("<tab>j");
    assert_eq!((open(&harness).pane, open(&harness).cursor), (InspectPane::Bytes, 17));
}

#[test]
fn mouse_selects_bytes_and_map_positions() {
    let mut harness = inside(1 << 20, |_| {});
    harness.press("z");
    let layout = open(&harness).layout(harness.state.size);
    let at = |x, y, kind| Mouse { x, y, kind };
    harness.mouse(at(layout.hex_x(5), layout.rows.y + 2, MouseKind::Click));
    assert_eq!(open(&harness).cursor, 37);
    harness.mouse(at(layout.text_x.unwrap() + 1, layout.rows.y, MouseKind::Click));
    assert_eq!(open(&harness).cursor, 1);
    harness.mouse(at(0, 5, MouseKind::WheelDown));
    assert_eq!((open(&harness).top, open(&harness).cursor), (48, 49));
    let half = layout.map.width / 2;
    harness.mouse(at(layout.map.x + half, layout.map.y, MouseKind::Click));
    assert_eq!(open(&harness).cursor, (1u64 << 20) * u64::from(half) / u64::from(layout.map.width));
}

#[test]
fn leaving_frees_a_removed_object() {
    let machine = FakeMachine::new();
    machine.add_object("it", FakeBytes::full(&[1; 100]));
    machine.add_process(9_999_999, "shmlens");
    machine.add_process(7, "writer");
    machine.open_in(9_999_999, "it", Access::Read);
    machine.open_in(7, "it", Access::Read);
    let mut harness = Harness::new(machine, 120, 30);
    harness.press("<enter>");
    harness.machine.remove_object("it");
    harness.survey();
    harness.look();
    assert!(harness.screen().contains("removed: kept alive by holders"), "{}", harness.screen());
    assert!(
        notice(&harness).contains("stays in memory") && !notice(&harness).contains("h: "),
        "{}",
        notice(&harness)
    );
    harness.machine.end_process(7);
    harness.survey();
    assert!(harness.screen().contains("removed: freed when you leave"), "{}", harness.screen());
}

#[test]
fn kept_object_stays_marked_without_its_name() {
    let machine = FakeMachine::new();
    machine.add_object("it", FakeBytes::full(&[1; 100]));
    machine.add_process(9_999_999, "shmlens");
    machine.open_in(9_999_999, "it", Access::Read);
    let mut harness = Harness::new(machine, 120, 30);
    harness.press("<enter>P<esc>");
    assert!(harness.screen().contains("◉ /it"), "{}", harness.screen());
    harness.machine.remove_object("it");
    harness.machine.add_object("it", FakeBytes::full(&[2; 100]));
    harness.survey();
    let screen = harness.screen();
    let marked: Vec<&str> = screen.lines().filter(|line| line.contains('◉')).collect();
    assert!(marked.len() == 1 && marked[0].contains("removed"), "{screen}");
}

#[test]
fn shrunk_notice_disappears_when_the_segment_grows() {
    let mut harness = inside(512, |bytes| bytes.write(0, &[1; 512]));
    harness.look();
    harness.machine.edit_object("it", |bytes| *bytes = FakeBytes::full(&[1; 40]));
    harness.look();
    assert_eq!(notice(&harness), "Shrunk from 512 B to 40 B");
    harness.machine.edit_object("it", |bytes| *bytes = FakeBytes::full(&[1; 600]));
    harness.look();
    assert_eq!(notice(&harness), "");
}

#[test]
fn click_on_the_map_of_a_small_segment_finds_its_byte() {
    let mut harness = inside(10, |bytes| bytes.write(0, b"0123456789"));
    harness.look();
    let map = open(&harness).layout(harness.state.size).map;
    let click = |x| Mouse { x: map.x + x, y: map.y, kind: MouseKind::Click };
    harness.mouse(click(7));
    assert_eq!(open(&harness).cursor, 7);
    // There is no cell at this position.
    harness.mouse(click(20));
    assert_eq!(open(&harness).cursor, 7);
}

#[test]
fn keys_typed_after_a_jump_act_at_its_target() {
    let mut harness = inside(10_000, |bytes| bytes.write(0, &[1; 9000]));
    harness.look();
    harness.machine.edit_object("it", |bytes| {
        for offset in [20, 40, 60, 80] {
            bytes.write(offset, &[9]);
        }
    });
    harness.look();
    // Typed before the engine answers.
    harness.late_searches = Some(vec![]);
    harness.press("]]]a");
    assert_eq!((open(&harness).cursor, open(&harness).pins.len()), (0, 0));
    for cursor in [20, 40] {
        harness.answer_search();
        assert_eq!(open(&harness).cursor, cursor);
    }
    assert_eq!(open(&harness).pins.len(), 0);
    harness.answer_search();
    let pin = open(&harness).pins.iter().next().unwrap();
    assert_eq!((open(&harness).cursor, pin.offset), (60, 60));
    harness.press("]l");
    harness.answer_search();
    assert_eq!(open(&harness).cursor, 81);
}

#[test]
fn narrow_title_says_that_the_segment_is_attached() {
    let mut harness = harness(small());
    harness.press("<enter>");
    for (width, keys, text) in
        [(140, "", "◉ attached: nattch +1"), (40, "", "◉ attached"), (40, "P", "◉ stays attached")]
    {
        harness.inject(Event::Resize(Size { width, height: 8 }));
        harness.press(keys);
        let screen = harness.screen();
        assert!(screen.lines().next().unwrap().contains(text), "{screen}");
    }
}
