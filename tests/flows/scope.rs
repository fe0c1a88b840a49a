//! Keys in the Scope screen, and its samples.

use super::inspect::inside;
use super::notice;
use crate::support::Harness;
use shmlens::app::action::Context;
use shmlens::app::overlay::Overlay;
use shmlens::scope::plot::Marker;
use shmlens::scope::{Number, Rate};

/// Inspects an object with a number at offset 8, which is pinned, and opens the scope.
pub fn pinned() -> Harness {
    let mut harness = inside(64, |bytes| bytes.write(8, &5_u64.to_le_bytes()));
    harness.look();
    harness.press("o8<enter>a");
    assert_eq!(notice(&harness), "Pinned u64 at 0x8 (a: unpin)");
    harness.press("v");
    harness
}

pub fn names(harness: &Harness) -> Vec<&str> {
    harness.state.scope.channels.iter().map(|one| one.channel.name.as_str()).collect()
}

pub fn write(harness: &Harness, value: u64) {
    harness.machine.edit_object("it", |bytes| bytes.write(8, &value.to_le_bytes()));
}

fn last(harness: &Harness, channel: usize) -> Option<Number> {
    harness.state.scope.channels[channel].statistics.last()
}

pub fn prompt_error(harness: &Harness) -> &str {
    match &harness.state.overlay {
        Some(Overlay::Prompt(prompt)) => prompt.error.as_deref().unwrap_or_default(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn pinned_values_are_channels() {
    let mut harness = pinned();
    assert_eq!(harness.state.screen(), Context::Scope);
    assert_eq!(names(&harness), ["/it+0x8:u64"]);
    harness.wait(1000);
    assert_eq!(last(&harness, 0), Some(Number::Unsigned(5)));
    let timing = harness.state.scope.timing;
    assert!(timing.samples > 90 && timing.samples + timing.missed == timing.ticks, "{timing:?}");
    write(&harness, 7);
    harness.wait(200);
    assert_eq!(last(&harness, 0), Some(Number::Unsigned(7)));
    harness.press("<esc>");
    assert_eq!(harness.state.screen(), Context::Inspect);
    let samples = harness.state.scope.timing.samples;
    harness.wait(1000);
    assert_eq!(harness.state.scope.timing.samples, samples, "nothing is sampled behind another screen");
    // Unpinning drops the channel.
    harness.press("a");
    assert_eq!(names(&harness), Vec::<&str>::new());
}

#[test]
fn channels_are_typed_completed_and_dropped() {
    let mut harness = pinned();
    harness.press("a/i<tab>");
    let Some(Overlay::Prompt(prompt)) = &harness.state.overlay else { panic!() };
    assert_eq!(prompt.input.input.value(), "/it:");
    harness.press("<ctrl-u>/it+0x8:u16<enter>");
    assert_eq!(names(&harness), ["/it+0x8:u64", "/it+0x8:u16"]);
    harness.press("atwice = {/it+0x8:u16} * 2<enter>");
    assert_eq!(names(&harness)[2], "twice");
    harness.wait(200);
    assert_eq!(last(&harness, 2), Some(Number::Float(10.0)));
    // A channel that an expression uses stays.
    harness.press("kd");
    assert!(notice(&harness).starts_with("Cannot drop the channel: "), "{}", notice(&harness));
    harness.press("jdd");
    assert_eq!(names(&harness), ["/it+0x8:u64"]);
}

#[test]
fn wrong_channels_are_explained_in_the_prompt() {
    let mut harness = pinned();
    for (typed, error) in [
        ("/nothing:x", "no segment named"),
        ("/it+0x8:u77", "u77"),
        ("/it+4000:u32", "has 64 (0x40) bytes"),
        ("a = b + 1", "b"),
        ("/it+0x8:u64", "two channels are named"),
    ] {
        harness.press(&format!("a<ctrl-u>{typed}<enter>"));
        assert!(prompt_error(&harness).contains(error), "{typed}: {}", prompt_error(&harness));
        harness.press("<esc>");
    }
    assert_eq!(names(&harness).len(), 1);
}

#[test]
fn single_trigger_freezes_the_view() {
    let mut harness = pinned();
    harness.press("T{/it+0x8:u64} > 6 rising; single; pre 20%<enter>");
    harness.wait(500);
    assert!(!harness.state.scope.view.is_frozen);
    write(&harness, 9);
    harness.wait(200);
    assert!(harness.state.scope.view.is_frozen);
    assert!(notice(&harness).starts_with("Triggered "), "{}", notice(&harness));
    let scope = &harness.state.scope;
    let armed = scope.trigger.as_ref().unwrap();
    assert_eq!((armed.status().as_str(), armed.count), ("fired", 1));
    // A fifth of the view is before the trigger.
    let [from, to] = scope.visible().unwrap();
    let fired = scope.view.fired.unwrap();
    assert_eq!((fired - from) * 5, to - from);
    // It fires again after it was armed again.
    harness.press("t");
    write(&harness, 1);
    harness.wait(100);
    write(&harness, 8);
    harness.wait(100);
    assert_eq!(harness.state.scope.trigger.as_ref().unwrap().count, 2);
    // An empty text removes it.
    harness.press("T<ctrl-u><enter>");
    assert!(harness.state.scope.trigger.is_none());
}

#[test]
fn wrong_triggers_are_explained() {
    let mut harness = pinned();
    for (typed, error) in [
        ("nothing > 5", "nothing"),
        ("{/it+0x8:u64} >", "expected"),
        ("{/it+0x8:u64} > 5; sometimes", "unknown option 'sometimes'"),
        ("{/it+0x8:u64} > 5; pre 120%", "pre takes 0% to 100%"),
        ("{/it+0x8:u64} > 5; holdoff soon", "holdoff takes a time"),
    ] {
        harness.press(&format!("T<ctrl-u>{typed}<enter>"));
        assert!(prompt_error(&harness).contains(error), "{typed}: {}", prompt_error(&harness));
        harness.press("<esc>");
    }
    assert!(harness.state.scope.trigger.is_none());
}

#[test]
fn keys_move_and_freeze_the_view() {
    let mut harness = pinned();
    harness.wait(2000);
    let span = harness.state.scope.view.span;
    harness.press("z");
    assert_eq!(harness.state.scope.view.span, span / 2);
    harness.press("ZZ");
    assert_eq!(harness.state.scope.view.span, 2 * span);
    harness.press(" ");
    let frozen = harness.state.scope.visible();
    harness.wait(500);
    assert_eq!(harness.state.scope.visible(), frozen);
    assert!(harness.state.scope.history.newest() > frozen.map(|[_, to]| to), "sampling goes on");
    harness.press("h");
    assert!(harness.state.scope.visible() < frozen);
    harness.press("G");
    assert_eq!(harness.state.scope.view.end, None);
    harness.press("c<right>");
    let [from, to] = harness.state.scope.visible().unwrap();
    let third = from + (to - from) / 3;
    assert!(harness.state.scope.view.cursors[0].unwrap() > third);
    assert!(harness.state.scope.view.cursors[1].is_some());
}

#[test]
fn rates_step_up_to_a_burst() {
    let mut harness = pinned();
    harness.press("+");
    assert_eq!(harness.state.scope.rate, Rate::Hertz(200.0));
    harness.press("++++++++++");
    assert_eq!(harness.state.scope.rate, Rate::Burst);
    harness.press("--");
    assert_eq!(harness.state.scope.rate, Rate::Hertz(5000.0));
    harness.wait(300);
    assert!(harness.state.scope.timing.samples > 1000);
}

#[test]
fn channel_goes_on_with_the_next_segment_of_its_name() {
    let mut harness = pinned();
    harness.wait(300);
    harness.machine.remove_object("it");
    harness.wait(500);
    assert!(harness.state.scope.channels[0].trouble.is_some());
    let mut bytes = shmlens::machine::fake::FakeBytes::hole(64);
    bytes.write(8, &77_u64.to_le_bytes());
    harness.machine.add_object("it", bytes);
    harness.wait(500);
    assert_eq!(last(&harness, 0), Some(Number::Unsigned(77)));
    assert!(harness.state.scope.channels[0].trouble.is_none());
    assert!(!harness.state.scope.marks.is_empty());
}

#[test]
fn frozen_view_stays_at_its_trigger() {
    let mut harness = pinned();
    harness.press("T{/it+0x8:u64} changes; pre 0%; freeze<enter>");
    write(&harness, 1);
    harness.wait(100);
    let shown = harness.state.scope.view.fired;
    assert!(shown.is_some() && notice(&harness).ends_with("(space: go on)"), "{}", notice(&harness));
    write(&harness, 2);
    harness.wait(100);
    assert_eq!(harness.state.scope.trigger.as_ref().unwrap().count, 2);
    assert_eq!(harness.state.scope.view.fired, shown);
}

#[test]
fn sweep_is_complete_before_the_next_trigger_moves_it() {
    let mut harness = pinned();
    harness.press("zzzzzT{/it+0x8:u64} changes; pre 0%<enter>");
    let span = harness.state.scope.view.span;
    for value in 0..10 {
        write(&harness, value);
        harness.wait(50);
    }
    let scope = &harness.state.scope;
    let fired = scope.view.fired.unwrap();
    assert_eq!(scope.view.end, Some(fired + span));
    let count = scope.trigger.as_ref().unwrap().count;
    assert!(count > 5, "{count}");
    // Values changed at least twice since.
    assert!(scope.history.newest().unwrap() > fired + 100_000_000);
    // The marker is at the trigger that the view shows: with 0 % before it, at the left edge.
    let picture = scope.shown_plot(60).picture(scope, [60, 10], Marker::Ascii).unwrap();
    let gutter = scope.shown_plot(60).frame(scope, [60, 10]).unwrap().gutter();
    let marks = picture.rows().filter_map(|row| row.iter().position(|cell| cell.symbol == 'T'));
    assert_eq!(marks.collect::<Vec<_>>(), [gutter]);
}

#[test]
fn automatic_sweeps_are_no_triggers() {
    let mut harness = pinned();
    harness.press("T{/it+0x8:u64} > 1000; auto<enter>");
    harness.wait(3000);
    let armed = harness.state.scope.trigger.as_ref().unwrap();
    assert_eq!((armed.count, armed.status().as_str()), (0, "armed"));
    assert!(harness.state.scope.view.fired.is_some());
}
