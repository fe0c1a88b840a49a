//! Keys and clicks in the table.

use super::{notice, small, stage};
use crate::support::Stage;
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

fn selected(stage: &Stage) -> String {
    stage.state.selected().map(|segment| segment.id.to_string()).unwrap_or_default()
}

fn shown(stage: &Stage) -> Vec<String> {
    let survey = stage.state.survey.as_ref().unwrap();
    stage.state.table.shown.iter().map(|&index| survey.segments[index].label()).collect()
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
        let mut stage = stage(small());
        stage.press(keys);
        assert_eq!(selected(&stage), id, "{keys}");
    }
}

#[test]
fn paused_table_polls_nothing() {
    let mut stage = Stage::new(FakeMachine::new(), 140, 45);
    stage.machine.add_object("a", FakeBytes::full(&[0; 100]));
    stage.survey();
    stage.wait(1000);
    let id = "posix:/a".parse().unwrap();
    let change = |stage: &mut Stage, byte: u8| {
        stage.machine.edit_object("a", |bytes| bytes.write(50, &[byte; 8]));
        stage.wait(1000);
        let look = stage.state.table.strip.look().unwrap().bytes.clone();
        (look, stage.state.table.rates.get(&id).cloned().unwrap())
    };
    let first = change(&mut stage, 1);
    let live = change(&mut stage, 2);
    assert!(first.0 != live.0 && stage.state.table.rates.per_second(&id) > 0);
    stage.press("+++++++++");
    stage.wait(1000);
    let paused = change(&mut stage, 3);
    assert_eq!(change(&mut stage, 4), paused);
    stage.press("-");
    assert_ne!(change(&mut stage, 5), paused);
}

#[test]
fn selection_stays_on_its_segment() {
    let mut stage = stage(small());
    stage.press("jj");
    stage.machine.add_sysv(1, 0, FakeBytes::hole(1));
    stage.machine.remove_object("a");
    stage.survey();
    assert_eq!(selected(&stage), "posix:/b");
}

#[test]
fn filter_applies_while_typed_and_starts_empty() {
    let mut stage = stage(small());
    stage.press("/kind=posix");
    assert_eq!(shown(&stage), ["/a", "/b", "/c"]);
    stage.press("<enter>");
    assert!(stage.state.overlay.is_none());
    assert_eq!(shown(&stage), ["/a", "/b", "/c"]);
    stage.press("/");
    assert_eq!(shown(&stage).len(), 4);
    stage.press("zebra");
    assert_eq!(shown(&stage), Vec::<String>::new());
    stage.press("<esc>");
    assert_eq!(shown(&stage).len(), 4);
    stage.press("/size>150<enter><esc>");
    assert_eq!(shown(&stage).len(), 4);
    // An invalid filter is rejected with a hint.
    stage.press("/color=red<enter>");
    match &stage.state.overlay {
        Some(Overlay::Prompt(prompt)) => {
            assert!(prompt.error.as_ref().unwrap().contains("unknown field 'color'"));
        }
        other => panic!("{other:?}"),
    }
    stage.press("<ctrl-c>");
    assert!(!stage.quit && stage.state.overlay.is_none());
}

#[test]
fn filter_line_takes_letters() {
    let mut stage = stage(small());
    stage.press("/q?:jk");
    assert_eq!(stage.state.table.filter_text, "q?:jk");
    assert!(!stage.quit);
}

#[test]
fn sort_keys_sort_the_table() {
    let mut stage = stage(small());
    stage.press("s");
    assert!(matches!(stage.state.overlay, Some(Overlay::Choice(_))));
    stage.press("s<enter>");
    assert_eq!(stage.state.table.sort, SortKey::Field(Field::Size));
    assert_eq!(shown(&stage), ["/a", "/c", "/b", "sysv:5 0x000004d2"]);
    stage.press("S");
    assert_eq!(shown(&stage), ["sysv:5 0x000004d2", "/b", "/c", "/a"]);
    assert_eq!(selected(&stage), "sysv:5");
}

#[test]
fn marks_toggle() {
    let mut stage = stage(small());
    stage.press("<space><space>");
    assert_eq!(stage.state.table.marks.len(), 2);
    assert_eq!(selected(&stage), "posix:/b");
    stage.press("k<space>");
    assert_eq!(stage.state.table.marks.len(), 1);
    stage.press("/kind=posix<enter>a");
    assert_eq!(stage.state.table.marks.len(), 4);
    stage.press("A");
    assert!(stage.state.table.marks.is_empty());
}

#[test]
fn copy_copies_names() {
    let mut stage = stage(small());
    stage.press("jy");
    assert_eq!(stage.clipboard.as_deref(), Some("posix:/a"));
    stage.press("g<space><space>y");
    assert_eq!(stage.clipboard.as_deref(), Some("sysv:5\nposix:/a"));
    assert!(notice(&stage).contains("Copied 2 names"));
}

#[test]
fn interval_steps_up_to_pause() {
    let mut stage = stage(small());
    stage.press("+");
    assert_eq!(stage.state.interval.every_text(), "every 2 s");
    stage.press("--");
    assert_eq!(stage.state.interval.duration(), Some(Duration::from_millis(500)));
    stage.press("+++++++++");
    assert_eq!(stage.state.interval.duration(), None);
    let before = stage.state.survey.as_ref().unwrap().at;
    stage.machine.edit(|facts| facts.now += 60);
    stage.press("r");
    assert_eq!(stage.state.survey.as_ref().unwrap().at.seconds, before.seconds + 60);
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
        let mut stage = stage(small());
        stage.press(keys);
        assert_eq!(stage.quit, quits, "{keys}");
    }
    let mut stage = stage(small());
    stage.press("<ctrl-z>");
    assert!(stage.suspended);
}

#[test]
fn palette_runs_the_chosen_action() {
    let mut stage = stage(small());
    stage.press(":mark-all<enter>");
    assert_eq!(stage.state.table.marks.len(), 4);
    stage.press(":zebra<enter>");
    assert!(stage.state.overlay.is_none());
    stage.press(":quit<enter>");
    assert!(stage.quit);
}

#[test]
fn unavailable_action_is_explained() {
    let mut stage = stage(small());
    stage.press("D");
    assert!(notice(&stage).contains("Nothing attached. P in Inspect keeps one"), "{}", notice(&stage));
    stage.press("j");
    assert_eq!(notice(&stage), "");
    let mut stage = super::stage(FakeMachine::new());
    for keys in ["<enter>", "<space>", "y"] {
        stage.press(keys);
        assert!(notice(&stage).contains("No segment selected"), "{keys}");
    }
}

#[test]
fn preview_attaches_nothing() {
    let mut stage = stage(small());
    for _ in 0..3 {
        stage.press("jk");
        stage.survey();
    }
    stage.machine.edit(|facts| assert_eq!(facts.attached, 0));
    stage.press("j");
    assert!(!stage.state.table.strip.look().unwrap().bytes.is_empty());
}

#[test]
fn tab_opens_the_detail_screen_and_closes_it() {
    let mut stage = stage(small());
    stage.press("<tab>");
    assert!(stage.screen().contains("creator"), "{}", stage.screen());
    assert_eq!(selected(&stage), "sysv:5");
    stage.press("<tab>j");
    assert_eq!((selected(&stage).as_str(), stage.state.detail), ("posix:/a", None));
    stage.press("<tab><esc>");
    assert_eq!(stage.state.detail, None);
}

#[test]
fn detail_shows_the_state_first_and_the_read_method() {
    let mut stage = stage(small());
    stage.press("<tab>");
    let order = ["STATE", "HOLDERS", "MAKER", "SIZE", "OWNER", "TIMES", "IDENTITY", "LIMITS"];
    let titles: Vec<&str> = stage.state.detail_groups().iter().map(|group| group.title).collect();
    assert_eq!(titles, order);
    stage.press("G");
    let screen = stage.screen();
    assert!(screen.contains("allowed; attaches the segment"), "{screen}");
    stage.machine.edit(|facts| assert_eq!(facts.attached, 0));
}

#[test]
fn detail_scrolls_by_keys_and_by_the_wheel() {
    let mut stage = stage(small());
    stage.inject(Event::Resize(Size { width: 80, height: 12 }));
    stage.press("<tab>");
    assert!(stage.screen().contains("more rows"), "{}", stage.screen());
    stage.press("jj");
    assert_eq!(stage.state.detail, Some(2));
    stage.mouse(Mouse { kind: MouseKind::WheelDown, x: 5, y: 5 });
    assert_eq!(stage.state.detail, Some(5));
    stage.mouse(click(10, 3));
    assert_eq!((selected(&stage).as_str(), stage.state.detail), ("sysv:5", Some(5)));
    stage.press("G");
    assert!(!stage.screen().contains("more rows"), "{}", stage.screen());
    stage.press("<enter>");
    assert!(stage.state.inspect.is_some());
    stage.press("<esc>");
    assert!(stage.state.detail.is_some(), "Inspect returns to Detail");
}

#[test]
fn wide_detail_has_two_columns() {
    let mut stage = stage(small());
    for (width, columns) in [(129, 1), (130, 2), (300, 2)] {
        stage.inject(Event::Resize(Size { width, height: 40 }));
        assert_eq!(detail_columns(&stage.state).len(), columns, "{width}");
    }
}

#[test]
fn mouse_selects_inspects_scrolls_and_sorts() {
    let mut stage = stage(small());
    stage.mouse(click(10, 3));
    assert_eq!(selected(&stage), "posix:/a");
    // Two slow clicks are not a double click, but two fast ones are.
    stage.wait(500);
    stage.mouse(click(10, 3));
    assert!(stage.state.inspect.is_none());
    stage.wait(100);
    stage.mouse(click(10, 3));
    assert!(stage.state.inspect.is_some());
    stage.press("q");
    stage.mouse(Mouse { x: 10, y: 3, kind: MouseKind::WheelDown });
    assert_eq!(selected(&stage), "posix:/c");
    let layout = stage.state.table_layout();
    let size = layout.columns.iter().find(|placed| placed.column == Column::Size).unwrap();
    stage.mouse(click(size.x, layout.heading.y));
    assert_eq!(shown(&stage)[0], "/a");
    stage.mouse(click(size.x, layout.heading.y));
    assert_eq!(shown(&stage)[0], "sysv:5 0x000004d2");
    // A click below the last row does nothing.
    stage.mouse(click(10, 12));
    assert_eq!(selected(&stage), "posix:/c");
    stage.press("M");
    stage.mouse(click(10, 3));
    assert_eq!(selected(&stage), "posix:/c");
}

#[test]
fn clicks_beyond_the_drawn_area_are_ignored() {
    let mut stage = stage(small());
    stage.inject(Event::Resize(Size { width: 5000, height: 5000 }));
    assert_eq!(stage.state.size, MAX_SIZE);
    let before = selected(&stage);
    for (x, y) in [(MAX_SIZE.width, 5), (10, MAX_SIZE.height), (4999, 4999)] {
        stage.mouse(click(x, y));
        stage.mouse(Mouse { x, y, kind: MouseKind::WheelDown });
        assert_eq!(selected(&stage), before, "{x},{y}");
    }
    // A click next to a menu closes it; a click outside of the drawn part does nothing.
    stage.press("s");
    stage.mouse(click(MAX_SIZE.width, 5));
    assert!(matches!(stage.state.overlay, Some(Overlay::Choice(_))));
    stage.mouse(click(3, 5));
    assert!(stage.state.overlay.is_none());
    // Inspect reads a limited number of bytes, too.
    stage.press("j<enter>");
    let inspect = stage.state.inspect.as_ref().unwrap();
    let window = inspect.watching(stage.state.size).window;
    assert!(window.end - window.start <= u64::from(MAX_SIZE.height) * 32 + 64, "{window:?}");
}

#[test]
fn long_paste_is_truncated_and_evaluated_once() {
    let mut stage = stage(small());
    stage.press("/");
    for _ in 0..3 {
        stage.inject(Event::Paste("a\u{1b}".repeat(100_000)));
    }
    stage.press("bc");
    let Some(Overlay::Prompt(prompt)) = &stage.state.overlay else { panic!() };
    assert_eq!(prompt.input.input.value().len(), MAX_TEXT);
    assert_eq!(stage.state.table.filter_text.len(), MAX_TEXT);
    assert_eq!(shown(&stage), Vec::<String>::new());
    stage.press("<ctrl-u>");
    stage.inject(Event::Paste("kind=sysv".to_owned()));
    assert_eq!(shown(&stage).len(), 1);
    stage.press("<esc>:");
    stage.inject(Event::Paste("mark-all".to_owned()));
    stage.press("<enter>");
    assert_eq!(notice(&stage), "4 marked");
}
