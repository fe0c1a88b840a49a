//! Recordings in the Scope screen: samples that are saved, replayed, and taken behind other screens.

use super::notice;
use super::scope::{names, pinned, prompt_error, write};
use crate::support::Harness;
use shmlens::app::action::Context;
use shmlens::app::overlay::Overlay;
use shmlens::scope::Number;
use shmlens::scope::recording::open;
use shmlens::segment::Bytes;
use shmlens::tui::read_recording;
use std::fs;
use std::path::Path;
use tempfile::{TempDir, tempdir};

/// The values of the first channel of a recording.
fn values(path: &Path) -> Vec<u64> {
    let mut replay = open(path).unwrap();
    let mut values = vec![];
    while let Some(batch) = replay.next_batch().unwrap() {
        values.extend_from_slice(&batch.columns[0].bits);
    }
    values
}

/// Records values that change every 100 ms: 0, 1, and so on. Returns the recording in a new scope.
fn replay(directory: &TempDir, count: u64) -> Harness {
    let path = directory.path().join("run.mcap");
    let mut harness = pinned();
    write(&harness, 0);
    harness.wait(50);
    harness.press(&format!("R{}<enter>", path.display()));
    for value in 0..count {
        write(&harness, value);
        harness.wait(100);
    }
    harness.press("R");
    assert!(notice(&harness).starts_with("Recorded "), "{}", notice(&harness));
    let scope = read_recording(&path, Bytes(16 << 20)).unwrap();
    harness.state.start_in_scope(scope);
    harness
}

#[test]
fn expressions_are_added_to_a_recording() {
    let directory = tempdir().unwrap();
    let mut harness = replay(&directory, 5);
    harness.press("atwice = {/it<tab> * 2<enter>");
    assert_eq!(names(&harness), ["/it+0x8:u64", "twice"], "{:?}", harness.state.overlay);
    let scope = &harness.state.scope;
    assert_eq!(scope.channels[1].statistics.max().map(Number::as_f64), Some(8.0));
    assert_eq!(scope.channels[1].statistics.samples(), scope.channels[0].statistics.samples());
    for (typed, error) in [
        ("/it+0x8:u32", "a recording has no segments"),
        ("b = c + 1", "no channel named 'c'"),
        ("twice = 1", "two channels are named"),
        ("/", "a recording has no segments"),
    ] {
        harness.press(&format!("a{typed}<enter>"));
        assert!(prompt_error(&harness).contains(error), "{typed}: {}", prompt_error(&harness));
        harness.press("<esc>");
    }
    harness.press("azz<tab>");
    let Some(Overlay::Prompt(prompt)) = &harness.state.overlay else { panic!() };
    assert_eq!(prompt.note.as_deref(), Some("No channel continues this"));
    harness.press("<esc>d");
    assert_eq!(names(&harness).len(), 1);
}

#[test]
fn trigger_finds_its_times_in_a_recording() {
    let directory = tempdir().unwrap();
    let mut harness = replay(&directory, 5);
    harness.press("n");
    assert_eq!(notice(&harness), "No trigger set (T sets one)");
    harness.press("T{/it+0x8:u64} changes; pre 10%<enter>");
    assert_eq!(notice(&harness), "Trigger: 4 found (n: next, N: previous)");
    harness.press("<esc>v");
    harness.press("nn");
    assert_eq!(harness.state.scope.trigger_status().as_deref(), Some("2 of 4"));
    let title = harness.screen().lines().next().unwrap().to_owned();
    assert!(title.contains("2 of 4") && title.contains("0 missed"), "{title}");
    harness.press("NN");
    assert_eq!(notice(&harness), "That was the first one");
    harness.press("G");
    harness.press("N");
    assert_eq!(harness.state.scope.trigger_status().as_deref(), Some("4 of 4"));
    harness.press("T<ctrl-u>{/it+0x8:u64} > 2; bell<enter>");
    assert!(prompt_error(&harness).contains("bell is for live samples"), "{}", prompt_error(&harness));
    harness.press("<ctrl-u>{/it+0x8:u64} > 99<enter>");
    assert_eq!(notice(&harness), "Trigger: none found (n: next, N: previous)");
    harness.press("n");
    assert_eq!(notice(&harness), "The recording never meets the condition");
    harness.press("t");
    assert!(notice(&harness).contains("searched as a whole"));
}

#[test]
fn earlier_triggers_are_shown_while_sampling_goes_on() {
    let mut harness = pinned();
    harness.press("T{/it+0x8:u64} changes; pre 30%<enter>N");
    assert_eq!(notice(&harness), "The trigger has not fired yet");
    for value in 0..4 {
        write(&harness, value);
        harness.wait(200);
    }
    let status = |harness: &Harness| harness.state.scope.trigger_status().unwrap();
    assert_eq!(status(&harness), "fired 4 times");
    harness.press("N");
    assert_eq!((status(&harness).as_str(), harness.state.scope.view.is_frozen), ("4 of 4", true));
    harness.press("N");
    write(&harness, 9);
    harness.wait(200);
    assert_eq!(status(&harness), "3 of 5");
    harness.press("G");
    assert_eq!(status(&harness), "fired 5 times");
    harness.press("n");
    assert_eq!(status(&harness), "1 of 5");
}

#[test]
fn part_of_a_recording_is_saved() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("part.csv");
    let mut harness = replay(&directory, 10);
    harness.press("acopy = {/it+0x8:u64} * 1<enter>T{/it+0x8:u64} == 5; pre 0%<enter>zzn");
    let [from, to] = harness.state.scope.visible().unwrap();
    harness.press(&format!("R{}<enter>", path.display()));
    assert!(notice(&harness).starts_with("Saved "), "{}", notice(&harness));
    let values = values(&path);
    assert_eq!((values.first(), values.len() as u64), (Some(&5), (to - from) / 10_000_000 + 1));
    assert_eq!(fs::read_to_string(&path).unwrap().lines().next(), Some("time,/it+0x8:u64,copy"));
}

#[test]
fn frozen_view_is_saved() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("past.npz");
    let mut harness = pinned();
    harness.wait(2000);
    harness.press("zzz R");
    let Some(Overlay::Prompt(prompt)) = &harness.state.overlay else { panic!() };
    assert!(prompt.note.as_deref().is_some_and(|note| note.contains("1.25 s")), "{:?}", prompt.note);
    harness.press("run.txt<enter>");
    assert!(prompt_error(&harness).contains("must end in"), "{}", prompt_error(&harness));
    harness.press(&format!("<ctrl-u>{}<enter>", path.display()));
    assert!(notice(&harness).starts_with("Saved 126 samples in "), "{}", notice(&harness));
    assert_eq!(values(&path), [5; 126]);
    // A file is never replaced.
    harness.press(&format!("R{}<enter>", path.display()));
    assert!(notice(&harness).contains("already exists"), "{}", notice(&harness));
    // The live view records from now on.
    harness.press(" R");
    let Some(Overlay::Prompt(prompt)) = &harness.state.overlay else { panic!() };
    assert_eq!(prompt.note, None);
}

#[test]
fn trigger_saves_the_samples_around_it() {
    let directory = tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("hit.csv"), "mine").unwrap();
    let mut harness = pinned();
    // The plot shows 1.25 s.
    harness.press("zzz");
    let typed = format!("/it+0x8:u64 == 9; pre 20%; save {}", path("hit.csv").display());
    harness.press(&format!("T{typed}<enter>T"));
    let Some(Overlay::Prompt(prompt)) = &harness.state.overlay else { panic!() };
    assert_eq!(prompt.input.input.value(), typed);
    harness.press("<esc>");
    harness.wait(1000);
    for _ in 0..2 {
        write(&harness, 9);
        harness.wait(500);
        write(&harness, 1);
        // Fires again before the samples around the first are complete.
        harness.wait(100);
        write(&harness, 9);
        harness.wait(100);
        write(&harness, 1);
        // They become complete behind another screen.
        harness.press("<esc>");
        harness.wait(1000);
        assert!(notice(&harness).starts_with("Saved 126 samples in "), "{}", notice(&harness));
        harness.press("v");
    }
    assert_eq!(fs::read_to_string(path("hit.csv")).unwrap(), "mine");
    for name in ["hit-2.csv", "hit-3.csv"] {
        let values = values(&path(name));
        let before = values.iter().take_while(|value| **value != 9).count();
        assert_eq!((values.len(), before), (126, 25), "{name}");
    }
    assert!(!path("hit-4.csv").exists());
    // What is there is saved at the end.
    write(&harness, 9);
    harness.wait(100);
    let last = harness.state.last_requests();
    assert_eq!(last.len(), 1);
    assert_eq!(harness.state.last_requests().len(), 0);
    for (typed, error) in [("save", "save takes a file"), ("save run.txt", "must end in")] {
        harness.press(&format!("T<ctrl-u>{{/it+0x8:u64}} > 1; {typed}<enter>"));
        assert!(prompt_error(&harness).contains(error), "{typed}: {}", prompt_error(&harness));
        harness.press("<esc>");
    }
}

#[test]
fn trigger_goes_on_behind_other_screens() {
    let mut harness = pinned();
    harness.press("T{/it+0x8:u64} > 6 rising; single<enter>");
    harness.wait(300);
    harness.press("<esc>");
    assert_eq!(harness.state.screen(), Context::Inspect);
    let title = |harness: &Harness| harness.screen().lines().next().unwrap().to_owned();
    assert!(title(&harness).contains("● T armed"), "{}", title(&harness));
    harness.press("<esc>");
    assert!(title(&harness).contains("● T armed"), "{}", title(&harness));
    harness.press("<tab>");
    assert!(title(&harness).contains("● T armed"), "{}", title(&harness));
    write(&harness, 9);
    harness.wait(300);
    assert!(notice(&harness).starts_with("Trigger fired: /it+0x8:u64 > 6 rising (v"), "{}", notice(&harness));
    // It is not armed any more: nothing is sampled.
    harness.wait(5000);
    assert!(!title(&harness).contains("● T"), "{}", title(&harness));
    harness.machine.edit(|facts| facts.now += 6);
    harness.press("v");
    let fired = harness.state.scope.view.fired.unwrap();
    let [from, to] = harness.state.scope.visible().unwrap();
    assert!((from..to).contains(&fired));
    let samples = harness.state.scope.history.len();
    harness.wait(500);
    assert!(harness.state.scope.history.len() > samples);
    let mark = harness.state.scope.marks.back().unwrap();
    assert!(mark.text.starts_with("paused 5.") && mark.text.ends_with(" s: Scope was closed"), "{mark:?}");
    assert_eq!(harness.state.scope.timing.missed, 0, "a pause is no miss");
    // The line ends there.
    let tick = harness.state.scope.history.tick_at(mark.time);
    assert_eq!(harness.state.scope.history.value(0, tick - 1), None);
}

#[test]
fn recording_is_shown_on_all_screens() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("run.csv");
    let mut harness = pinned();
    harness.press(&format!("R{}<enter>", path.display()));
    harness.wait(3000);
    for keys in ["<esc>", "<esc>", "<tab>"] {
        harness.press(keys);
        let screen = harness.screen();
        let title = screen.lines().next().unwrap();
        assert!(title.contains("● rec ") && title.contains(" KiB"), "{title}");
    }
    let before = values(&path).len();
    harness.wait(2000);
    assert!(values(&path).len() >= before + 100, "it goes on");
    harness.press("vR");
    assert!(!harness.screen().contains("● rec"));
}

#[test]
fn q_quits_where_the_program_began_and_esc_goes_to_the_table() {
    let directory = tempdir().unwrap();
    let mut harness = pinned();
    harness.press("q");
    assert_eq!((harness.state.screen(), harness.quit), (Context::Inspect, false));
    let mut harness = replay(&directory, 2);
    harness.press("<esc><esc>");
    assert_eq!((harness.state.screen(), harness.quit), (Context::Segments, false));
    harness.press("v");
    assert_eq!(names(&harness), ["/it+0x8:u64"], "the recording");
    harness.press("q");
    assert_eq!((harness.state.screen(), harness.quit), (Context::Segments, false));
    let scope = read_recording(&directory.path().join("run.mcap"), Bytes(16 << 20)).unwrap();
    harness.state.start_in_scope(scope);
    harness.press("q");
    assert!(harness.quit);
}

#[test]
fn problems_of_a_recording_are_told() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("run.csv");
    let names: Vec<String> = (0..70).map(|name| format!("c{name}")).collect();
    let row = |time: u32| format!("{time}.0,{}\n", vec!["1"; 70].join(","));
    let rows: String = (0..10).map(row).collect();
    fs::write(&path, format!("time,{}\n{rows}2,3\n", names.join(","))).unwrap();
    let mut harness = pinned();
    harness.state.start_in_scope(read_recording(&path, Bytes(16 << 20)).unwrap());
    let told = notice(&harness);
    assert!(
        told.starts_with("Showing the first 64 of 70 channels. ") && told.contains("is damaged"),
        "{told}"
    );
    assert!(told.ends_with("The samples before that are shown"), "{told}");
    assert_eq!(harness.state.scope.history.len(), 10);
    // A recording that is larger than the history.
    let row = |tick: u32| format!("{tick}.0,{tick}\n");
    let rows: String = (0..100_000).map(row).collect();
    fs::write(&path, format!("time,v\n{rows}")).unwrap();
    harness.state.start_in_scope(read_recording(&path, Bytes(1 << 20)).unwrap());
    let told = notice(&harness).to_owned();
    assert!(told.starts_with("Showing the last 1") && told.contains(" of 27.8 h: `history`"), "{told}");
    let part = harness.state.scope.kept_part().unwrap();
    assert!(harness.screen().contains(&format!(" {part}, ")), "{part}");
    harness.press("r");
    assert!(notice(&harness).contains("and stay"));
}
