//! Keys and clicks in the table.

use super::{harness, notice, small};
use crate::support::Harness;
use shmlens::app::event::{Event, Size};
use shmlens::app::key::{Mouse, MouseKind};
use shmlens::app::layout::MAX_SIZE;
use shmlens::app::layout::detail::detail_columns;
use shmlens::app::layout::segments::Column;
use shmlens::app::overlay::Overlay;
use shmlens::app::table::SortKey;
use shmlens::app::text_field::MAX_TEXT;
use shmlens::machine::fake::{FakeBytes, FakeMachine};
use shmlens::segment::field::Field;
use std::time::Duration;

fn selected(harness: &Harness) -> String {
    harness.state.selected().map(|segment| segment.id.to_string()).unwrap_or_default()
}

fn shown(harness: &Harness) -> Vec<String> {
    let survey = harness.state.survey.as_ref().unwrap();
    harness.state.table.shown.iter().map(|&index| survey.segments[index].label()).collect()
}

fn click(x: u16, y: u16) -> Mouse {
    Mouse { x, y, kind: MouseKind::Click }
}

#[test]
fn keys_move_the_selection() {
    for (keys, id) in [
        ("", "sysv:5"),
        ("j", "posix:/a"),
        ("<down><down>", "posix:/b"),
        ("G", "posix:/c"),
        ("<end>", "posix:/c"),
        ("Gk", "posix:/b"),
        ("Gg", "sysv:5"),
        ("Ggg", "sysv:5"),
        ("G<home>", "sysv:5"),
        ("<pgdn>", "posix:/c"),
        ("<pgdn><pgup>", "sysv:5"),
        ("jjjjjjjj", "posix:/c"),
        ("kkk", "sysv:5"),
    ] {
        let mut harness = harness(small());
        harness.press(keys);
        assert_eq!(selected(&harness), id, "{keys}");
    }
}

#[test]
fn paused_table_polls_nothing() {
    let mut harness = Harness::new(FakeMachine::new(), 140, 45);
    harness.machine.add_object("a", FakeBytes::full(&[0; 100]));
    harness.survey();
    harness.wait(1000);
    let id = "posix:/a".parse().unwrap();
    let change = |harness: &mut Harness, byte: u8| {
        harness.machine.edit_object("a", |bytes| bytes.write(50, &[byte; 8]));
        harness.wait(1000);
        let look = harness.state.table.strip.look().unwrap().bytes.clone();
        (look, harness.state.table.rates.get(&id).cloned().unwrap())
    };
    let first = change(&mut harness, 1);
    let live = change(&mut harness, 2);
    assert!(first.0 != live.0 && harness.state.table.rates.per_second(&id) > 0);
    harness.press("+++++++++");
    harness.wait(1000);
    let paused = change(&mut harness, 3);
    assert_eq!(change(&mut harness, 4), paused);
    harness.press("-");
    assert_ne!(change(&mut harness, 5), paused);
}

#[test]
fn selection_stays_on_its_segment() {
    let mut harness = harness(small());
    harness.press("jj");
    harness.machine.add_sysv(1, 0, FakeBytes::hole(1));
    harness.machine.remove_object("a");
    harness.survey();
    assert_eq!(selected(&harness), "posix:/b");
}

#[test]
fn filter_applies_while_typed_and_starts_empty() {
    let mut harness = harness(small());
    harness.press("/kind=posix");
    assert_eq!(shown(&harness), ["/a", "/b", "/c"]);
    harness.press("<enter>");
    assert!(harness.state.overlay.is_none());
    assert_eq!(shown(&harness), ["/a", "/b", "/c"]);
    harness.press("/");
    assert_eq!(shown(&harness).len(), 4);
    harness.press("zebra");
    assert_eq!(shown(&harness), Vec::<String>::new());
    harness.press("<esc>");
    assert_eq!(shown(&harness).len(), 4);
    harness.press("/size>150<enter><esc>");
    assert_eq!(shown(&harness).len(), 4);
    // An invalid filter is rejected with a hint.
    harness.press("/color=red<enter>");
    match &harness.state.overlay {
        Some(Overlay::Prompt(prompt)) => {
            assert!(prompt.error.as_ref().unwrap().contains("unknown field 'color'"));
        }
        other => panic!("{other:?}"),
    }
    harness.press("<ctrl-c>");
    assert!(!harness.quit && harness.state.overlay.is_none());
}

#[test]
fn filter_line_takes_letters() {
    let mut harness = harness(small());
    harness.press("/q?:jk");
    assert_eq!(harness.state.table.filter_text, "q?:jk");
    assert!(!harness.quit);
}

#[test]
fn sort_keys_sort_the_table() {
    let mut harness = harness(small());
    harness.press("s");
    assert!(matches!(harness.state.overlay, Some(Overlay::Choice(_))));
    harness.press("s<enter>");
    assert_eq!(harness.state.table.sort, SortKey::Field(Field::Size));
    assert_eq!(shown(&harness), ["/a", "/c", "/b", "sysv:5 0x000004d2"]);
    harness.press("S");
    assert_eq!(shown(&harness), ["sysv:5 0x000004d2", "/b", "/c", "/a"]);
    assert_eq!(selected(&harness), "sysv:5");
}

#[test]
fn marks_toggle() {
    let mut harness = harness(small());
    harness.press("<space><space>");
    assert_eq!(harness.state.table.marks.len(), 2);
    assert_eq!(selected(&harness), "posix:/b");
    harness.press("k<space>");
    assert_eq!(harness.state.table.marks.len(), 1);
    harness.press("/kind=posix<enter>a");
    assert_eq!(harness.state.table.marks.len(), 4);
    harness.press("A");
    assert!(harness.state.table.marks.is_empty());
}

#[test]
fn copy_copies_names() {
    let mut harness = harness(small());
    harness.press("jy");
    assert_eq!(harness.clipboard.as_deref(), Some("posix:/a"));
    harness.press("g<space><space>y");
    assert_eq!(harness.clipboard.as_deref(), Some("sysv:5\nposix:/a"));
    assert!(notice(&harness).contains("Copied 2 names"));
}

#[test]
fn interval_steps_up_to_pause() {
    let mut harness = harness(small());
    harness.press("+");
    assert_eq!(harness.state.interval.every_text(), "every 2 s");
    harness.press("--");
    assert_eq!(harness.state.interval.duration(), Some(Duration::from_millis(500)));
    harness.press("+++++++++");
    assert_eq!(harness.state.interval.duration(), None);
    let before = harness.state.survey.as_ref().unwrap().at;
    harness.machine.edit(|facts| facts.now += 60);
    harness.press("r");
    assert_eq!(harness.state.survey.as_ref().unwrap().at.seconds, before.seconds + 60);
}

#[test]
fn quit_and_suspend_are_requested() {
    for (keys, quits) in [
        ("q", true),
        ("<ctrl-c>", true),
        ("?<ctrl-c>", false),
        ("?<esc>", false),
        ("?<ctrl-c>q", true),
        ("<esc>", false),
    ] {
        let mut harness = harness(small());
        harness.press(keys);
        assert_eq!(harness.quit, quits, "{keys}");
    }
    let mut harness = harness(small());
    harness.press("<ctrl-z>");
    assert!(harness.suspended);
}

#[test]
fn palette_runs_the_chosen_action() {
    let mut harness = harness(small());
    harness.press(":mark-all<enter>");
    assert_eq!(harness.state.table.marks.len(), 4);
    harness.press(":zebra<enter>");
    assert!(harness.state.overlay.is_none());
    harness.press(":quit<enter>");
    assert!(harness.quit);
}

#[test]
fn unavailable_action_is_explained() {
    let mut harness = harness(small());
    harness.press("D");
    assert!(notice(&harness).contains("Nothing attached. P in Inspect keeps one"), "{}", notice(&harness));
    harness.press("j");
    assert_eq!(notice(&harness), "");
    let mut harness = super::harness(FakeMachine::new());
    for keys in ["<enter>", "<space>", "y"] {
        harness.press(keys);
        assert!(notice(&harness).contains("No segment selected"), "{keys}");
    }
}

#[test]
fn preview_attaches_nothing() {
    let mut harness = harness(small());
    for _ in 0..3 {
        harness.press("jk");
        harness.survey();
    }
    harness.machine.edit(|facts| assert_eq!(facts.attached, 0));
    harness.press("j");
    assert!(!harness.state.table.strip.look().unwrap().bytes.is_empty());
}

#[test]
fn tab_opens_the_detail_screen_and_closes_it() {
    let mut harness = harness(small());
    harness.press("<tab>");
    assert!(harness.screen().contains("creator"), "{}", harness.screen());
    assert_eq!(selected(&harness), "sysv:5");
    harness.press("<tab>j");
    assert_eq!((selected(&harness).as_str(), harness.state.detail), ("posix:/a", None));
    harness.press("<tab><esc>");
    assert_eq!(harness.state.detail, None);
}

#[test]
fn detail_shows_the_state_first_and_the_read_method() {
    let mut harness = harness(small());
    harness.press("<tab>");
    let order = ["STATE", "HOLDERS", "MAKER", "SIZE", "OWNER", "TIMES", "IDENTITY", "LIMITS"];
    let titles: Vec<&str> = harness.state.detail_groups().iter().map(|group| group.title).collect();
    assert_eq!(titles, order);
    harness.press("G");
    let screen = harness.screen();
    assert!(screen.contains("allowed; attaches the segment"), "{screen}");
    harness.machine.edit(|facts| assert_eq!(facts.attached, 0));
}

#[test]
fn detail_scrolls_by_keys_and_by_the_wheel() {
    let mut harness = harness(small());
    harness.inject(Event::Resize(Size { width: 80, height: 12 }));
    harness.press("<tab>");
    assert!(harness.screen().contains("more rows"), "{}", harness.screen());
    harness.press("jj");
    assert_eq!(harness.state.detail, Some(2));
    harness.mouse(Mouse { kind: MouseKind::WheelDown, x: 5, y: 5 });
    assert_eq!(harness.state.detail, Some(5));
    harness.mouse(click(10, 3));
    assert_eq!((selected(&harness).as_str(), harness.state.detail), ("sysv:5", Some(5)));
    harness.press("G");
    assert!(!harness.screen().contains("more rows"), "{}", harness.screen());
    harness.press("<enter>");
    assert!(harness.state.inspect.is_some());
    harness.press("<esc>");
    assert!(harness.state.detail.is_some(), "Inspect returns to Detail");
}

#[test]
fn wide_detail_has_two_columns() {
    let mut harness = harness(small());
    for (width, columns) in [(129, 1), (130, 2), (300, 2)] {
        harness.inject(Event::Resize(Size { width, height: 40 }));
        assert_eq!(detail_columns(&harness.state).len(), columns, "{width}");
    }
}

#[test]
fn mouse_selects_inspects_scrolls_and_sorts() {
    let mut harness = harness(small());
    harness.mouse(click(10, 3));
    assert_eq!(selected(&harness), "posix:/a");
    // Two slow clicks are not a double click, but two fast ones are.
    harness.wait(500);
    harness.mouse(click(10, 3));
    assert!(harness.state.inspect.is_none());
    harness.wait(100);
    harness.mouse(click(10, 3));
    assert!(harness.state.inspect.is_some());
    harness.press("q");
    harness.mouse(Mouse { x: 10, y: 3, kind: MouseKind::WheelDown });
    assert_eq!(selected(&harness), "posix:/c");
    let layout = harness.state.table_layout();
    let size = layout.columns.iter().find(|placed| placed.column == Column::Size).unwrap();
    harness.mouse(click(size.x, layout.heading.y));
    assert_eq!(shown(&harness)[0], "/a");
    harness.mouse(click(size.x, layout.heading.y));
    assert_eq!(shown(&harness)[0], "sysv:5 0x000004d2");
    // A click below the last row does nothing.
    harness.mouse(click(10, 12));
    assert_eq!(selected(&harness), "posix:/c");
    harness.press("M");
    harness.mouse(click(10, 3));
    assert_eq!(selected(&harness), "posix:/c");
}

#[test]
fn clicks_beyond_the_drawn_area_are_ignored() {
    let mut harness = harness(small());
    harness.inject(Event::Resize(Size { width: 5000, height: 5000 }));
    assert_eq!(harness.state.size, MAX_SIZE);
    let before = selected(&harness);
    for (x, y) in [(MAX_SIZE.width, 5), (10, MAX_SIZE.height), (4999, 4999)] {
        harness.mouse(click(x, y));
        harness.mouse(Mouse { x, y, kind: MouseKind::WheelDown });
        assert_eq!(selected(&harness), before, "{x},{y}");
    }
    // A click next to a menu closes it; a click outside of the drawn part does nothing.
    harness.press("s");
    harness.mouse(click(MAX_SIZE.width, 5));
    assert!(matches!(harness.state.overlay, Some(Overlay::Choice(_))));
    harness.mouse(click(3, 5));
    assert!(harness.state.overlay.is_none());
    // Inspect reads a limited number of bytes, too.
    harness.press("j<enter>");
    let inspect = harness.state.inspect.as_ref().unwrap();
    let window = inspect.watching(harness.state.size).window;
    assert!(window.end - window.start <= u64::from(MAX_SIZE.height) * 32 + 64, "{window:?}");
}

#[test]
fn long_paste_is_truncated_and_evaluated_once() {
    let mut harness = harness(small());
    harness.press("/");
    for _ in 0..3 {
        harness.inject(Event::Paste("a\u{1b}".repeat(100_000)));
    }
    harness.press("bc");
    let Some(Overlay::Prompt(prompt)) = &harness.state.overlay else { panic!() };
    assert_eq!(prompt.input.input.value().len(), MAX_TEXT);
    assert_eq!(harness.state.table.filter_text.len(), MAX_TEXT);
    assert_eq!(shown(&harness), Vec::<String>::new());
    harness.press("<ctrl-u>");
    harness.inject(Event::Paste("kind=sysv".to_owned()));
    assert_eq!(shown(&harness).len(), 1);
    harness.press("<esc>:");
    harness.inject(Event::Paste("mark-all".to_owned()));
    harness.press("<enter>");
    assert_eq!(notice(&harness), "4 marked");
}
