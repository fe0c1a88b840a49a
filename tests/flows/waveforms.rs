//! Arrays in the Scope screen, types that the user chose, and the mouse there.

use super::fields::type_in;
use super::inspect::inside;
use super::{harness, notice};
use crate::support::Harness;
use shmlens::app::action::Context;
use shmlens::app::event::{Event, Size};
use shmlens::app::key::{Mouse, MouseKind};
use shmlens::app::layout::scope::ScopeLayout;
use shmlens::app::overlay::Overlay;
use shmlens::app::scope::{PlotKind, Row, ScopeWaveform};
use shmlens::decode::parse_type;
use shmlens::engine::{Body, SegmentTypes};
use shmlens::identify::typing::{Candidate, CandidateSource};
use shmlens::machine::fake::{FakeBytes, FakeMachine};
use shmlens::scope::EventKind;
use shmlens::segment::ShownError;

const WAVE: &str = "struct { unsigned long tick; double samples[512]; short matrix[3][4]; \
                    struct { int seq; float price; } ring[8]; }";

fn samples(of: impl Fn(u16) -> f64) -> Vec<u8> {
    (0..512).flat_map(|index| of(index).to_le_bytes()).collect()
}

fn rising() -> FakeBytes {
    let mut bytes = FakeBytes::hole(4300);
    bytes.write(8, &samples(f64::from));
    bytes
}

/// Opens the scope on an array by its text.
fn scope(text: &str) -> Harness {
    let machine = FakeMachine::new();
    machine.add_object("it", rising());
    let mut harness = harness(machine);
    harness.press("v");
    add(&mut harness, text);
    harness.wait(100);
    harness
}

fn add(harness: &mut Harness, text: &str) {
    harness.press("a");
    harness.inject(Event::Paste(text.to_owned()));
    harness.press("<enter>");
    assert!(harness.state.overlay.is_none(), "{text}: {:?}", harness.state.overlay);
}

fn only(harness: &Harness) -> &ScopeWaveform {
    match &harness.state.scope.waveforms[..] {
        [one] => one,
        other => panic!("{other:?}"),
    }
}

fn average(harness: &Harness) -> Option<f64> {
    only(harness).contents.as_ref()?.statistics.average
}

fn layout(harness: &Harness) -> ScopeLayout {
    harness.state.scope.layout(harness.state.size)
}

fn mouse(harness: &mut Harness, x: u16, y: u16, kind: MouseKind) {
    harness.mouse(Mouse { x, y, kind });
}

#[test]
fn array_is_read_while_it_is_on_screen_and_not_frozen() {
    let mut harness = scope("/it+8:f64[512]");
    assert_eq!(average(&harness), Some(255.5));
    assert_eq!(only(&harness).unchanged(), None);
    harness.machine.edit_object("it", |bytes| bytes.write(8, &samples(|_| 2.0)));
    harness.wait(100);
    assert_eq!(average(&harness), Some(2.0));
    assert!(only(&harness).unchanged().is_some());
    // Frozen, and behind another screen, it stays as it was.
    harness.press(" ");
    harness.machine.edit_object("it", |bytes| bytes.write(8, &samples(|_| 3.0)));
    harness.wait(500);
    assert_eq!(average(&harness), Some(2.0));
    harness.press(" ");
    harness.wait(100);
    assert_eq!(average(&harness), Some(3.0));
    harness.press("<esc>");
    assert_eq!(harness.state.screen(), Context::Segments);
    harness.machine.edit_object("it", |bytes| bytes.write(8, &samples(|_| 4.0)));
    harness.wait(500);
    assert_eq!(average(&harness), Some(3.0));
    harness.press("v");
    harness.wait(100);
    assert_eq!(average(&harness), Some(4.0));
    harness.press("d");
    assert_eq!(notice(&harness), "Dropped /it+0x8:f64[512]");
    assert!(harness.state.scope.is_empty());
}

#[test]
fn array_is_read_at_the_rate_of_the_scope() {
    let mut harness = scope("/it+8:f64[512]");
    let mut interval = |keys: &str| {
        harness.press(keys);
        harness.state.scope.array_interval().as_millis()
    };
    assert_eq!([interval(""), interval("----"), interval("+"), interval("+++++++++++")], [50, 200, 100, 50]);
    let mut harness = scope("/it+8:f64[512]");
    let size = 1 << 27;
    harness.machine.add_object("big", FakeBytes::hole(size));
    harness.survey();
    add(&mut harness, "/big+0:f64[16000000]");
    harness.wait(100);
    assert_eq!(harness.state.scope.array_interval().as_millis(), 250, "32 MiB a second");
    let big = &harness.state.scope.waveforms[1];
    assert_eq!(big.contents.as_ref().unwrap().values().len(), 1 << 20);
    assert!(
        harness.screen().contains("16000000 (the first 1048576 are read) elements"),
        "{}",
        harness.screen()
    );
}

#[test]
fn array_goes_on_with_the_next_segment_of_its_name() {
    let mut harness = scope("/it+8:f64[512]");
    harness.machine.remove_object("it");
    harness.wait(200);
    assert_eq!(only(&harness).trouble, Some(EventKind::Gone));
    assert_eq!(average(&harness), Some(255.5), "the last contents stay");
    assert!(harness.screen().contains("removed"), "{}", harness.screen());
    harness.wait(2000);
    let mut bytes = FakeBytes::hole(4200);
    bytes.write(8, &samples(|_| 7.0));
    harness.machine.add_object("it", bytes);
    harness.wait(1500);
    assert_eq!((average(&harness), only(&harness).trouble.is_some()), (Some(7.0), false));
}

#[test]
fn elements_past_the_end_are_a_gap() {
    let mut harness = scope("/it+8:f64[512]");
    harness.machine.edit_object("it", |bytes| *bytes = FakeBytes::full(&[0; 808]));
    harness.wait(100);
    let missing = |harness: &Harness| only(harness).contents.as_ref().unwrap().statistics.missing;
    assert_eq!(missing(&harness), 412);
    assert!(harness.screen().contains("412 past the"), "{}", harness.screen());
    harness.machine.edit_object("it", |bytes| *bytes = rising());
    harness.wait(100);
    assert_eq!((missing(&harness), average(&harness)), (0, Some(255.5)));
}

#[test]
fn keys_move_across_the_indices() {
    let mut harness = scope("/it+8:f64[512]");
    let range = |harness: &mut Harness, keys: &str| {
        harness.press(keys);
        only(harness).visible()
    };
    assert_eq!(range(&mut harness, "z"), [128, 383]);
    assert_eq!(range(&mut harness, "l"), [153, 408]);
    assert_eq!(range(&mut harness, "g"), [0, 255]);
    assert_eq!(range(&mut harness, "G"), [256, 511]);
    assert_eq!(range(&mut harness, "<pgup>"), [0, 255]);
    assert_eq!(range(&mut harness, "Z"), [0, 511]);
    assert!(!harness.state.scope.view.is_frozen, "the time is not moved");
    harness.press("c<right><tab><left>");
    assert_eq!(only(&harness).view.cursors, [Some(175), Some(336)]);
    let screen = harness.screen();
    assert!(screen.contains("A [175]: 175   B [336]: 336"), "{screen}");
    assert!(screen.contains("Δi 161   Δ 161"), "{screen}");
    harness.press("p");
    assert_eq!(harness.state.scope.view.kind, PlotKind::Histogram);
    assert!(harness.screen().contains("histogram of  1 /it+0x8:f64[512]"), "{}", harness.screen());
    harness.press("pczzy");
    let copied = harness.clipboard.clone().unwrap();
    assert!(copied.starts_with("index\t/it+0x8:f64[512]\n192\t192.0\n193\t193.0\n"), "{copied}");
    assert_eq!(copied.lines().count(), 129);
    harness.press("W");
    assert_eq!(notice(&harness), "Only a single value has writers: add an element of the array");
}

#[test]
fn array_in_inspect_becomes_a_waveform() {
    let mut harness = inside(4300, |bytes| *bytes = rising());
    harness.inject(Event::Resize(Size { width: 140, height: 45 }));
    harness.look();
    type_in(&mut harness, WAVE);
    harness.press("osamples<enter><tab>a");
    assert_eq!(notice(&harness), "Added /it:samples to the scope (v: show it, A: drop it)");
    harness.press("a");
    assert_eq!(notice(&harness), "Dropped /it:samples from the scope");
    harness.press("oring<enter>a");
    assert!(notice(&harness).starts_with("Only a value without parts, or an array of numbers"));
    harness.press("omatrix<enter>aotick<enter>av");
    harness.wait(200);
    let scope = &harness.state.scope;
    assert_eq!((scope.channels.len(), scope.row(1)), (1, Some(Row::Waveform(0))));
    harness.press("j");
    assert!(harness.screen().contains("12 elements  row after row"), "{}", harness.screen());
    // A channel that is added leaves the waveform selected, and the type that was chosen is known.
    add(&mut harness, "/it:ring[*].price");
    assert_eq!(harness.state.scope.row_name(2), "/it:ring[*].price");
    add(&mut harness, "/it:samples[3]");
    assert_eq!(harness.state.scope.row_name(1), "/it:samples[3]");
    harness.press("a");
    harness.inject(Event::Paste("/it:sam".to_owned()));
    harness.press("<tab>");
    let Some(Overlay::Prompt(prompt)) = &harness.state.overlay else { panic!() };
    assert_eq!(prompt.input.input.value(), "/it:samples[");
}

#[test]
fn array_around_a_value_becomes_a_waveform() {
    let mut harness = inside(4300, |bytes| *bytes = rising());
    harness.inject(Event::Resize(Size { width: 140, height: 45 }));
    harness.look();
    harness.press("A");
    assert!(notice(&harness).starts_with("No array here (m: mark the start"), "{}", notice(&harness));
    harness.press("tf64<enter>o8<enter>mao48<enter>A");
    assert_eq!(only(&harness).waveform.name, "/it+0x8:f64[6]");
    harness.press("A");
    assert!(harness.state.scope.is_empty());
    type_in(&mut harness, WAVE);
    harness.press("oring[3].price<enter>A");
    assert_eq!(only(&harness).waveform.name, "/it:ring[*].price");
    harness.press("osamples[100]<enter>A");
    assert_eq!(harness.state.scope.row_name(1), "/it:samples");
}

#[test]
fn chosen_type_is_known_after_leaving_inspect() {
    let mut harness = inside(4300, |bytes| *bytes = rising());
    harness.look();
    type_in(&mut harness, WAVE);
    harness.press("<esc>v");
    add(&mut harness, "/it:samples");
    harness.wait(100);
    assert_eq!(average(&harness), Some(255.5));
}

#[test]
fn moving_values_are_fields_of_the_chosen_type() {
    for leaves in ["", "<esc>"] {
        let mut harness = inside(4300, |bytes| *bytes = rising());
        harness.look();
        type_in(&mut harness, WAVE);
        harness.press(leaves);
        for value in 0..20_u64 {
            harness.machine.edit_object("it", |bytes| bytes.write(0, &(1000 + 5 * value).to_le_bytes()));
            harness.wait(250);
        }
        harness.press("v");
        assert_eq!(harness.state.scope.row_name(0), "/it:tick", "{leaves}");
    }
}

#[test]
fn guesses_become_fields_when_the_type_is_known() {
    let mut harness = inside(4300, |bytes| *bytes = rising());
    harness.look();
    for value in 0..20_u64 {
        harness.machine.edit_object("it", |bytes| bytes.write(0, &(1000 + 5 * value).to_le_bytes()));
        harness.wait(250);
    }
    harness.press("v");
    assert!(harness.state.scope.row_name(0).starts_with("/it+0x0:"), "{}", harness.state.scope.row_name(0));
    let segment = &harness.state.inspect.as_ref().unwrap().segment;
    let (id, identity) = (segment.id.clone(), segment.identity());
    let ty = parse_type(WAVE, &|_| Err(String::new())).unwrap().ty;
    let found = Candidate {
        name: "Wave".to_owned(),
        offset: 0,
        size: ty.size(),
        count: 1,
        certain: true,
        source: CandidateSource::Local,
        evidence: vec![],
        ty,
        layout: None,
    };
    let types = SegmentTypes { id, identity, found: vec![found], problems: vec![] };
    harness.report(Body::Types(types.clone()));
    assert_eq!(harness.state.scope.row_name(0), "/it:tick");
    // Values that the user added stay.
    harness.press("a{/it+0x8:u16}<enter>");
    let rows = harness.state.scope.rows();
    harness.report(Body::Types(types));
    assert_eq!(harness.state.scope.rows(), rows);
}

#[test]
fn same_array_twice_is_refused() {
    let mut harness = scope("/it+8:f64[512]");
    harness.press("a");
    harness.inject(Event::Paste("/it+8:f64[512]".to_owned()));
    harness.press("<enter>");
    let Some(Overlay::Prompt(prompt)) = &harness.state.overlay else { panic!() };
    let error: &str = prompt.error.as_deref().unwrap_or_default();
    assert!(error.starts_with("two channels are named '/it+0x8:f64[512]'"), "{error}");
}

#[test]
fn scope_is_filled_once_moving_values_are_known() {
    for is_inspected in [false, true] {
        let machine = FakeMachine::new();
        machine.add_object("it", FakeBytes::hole(64));
        let mut harness = harness(machine);
        if is_inspected {
            harness.press("<enter>");
        }
        harness.press("v");
        assert!(harness.state.scope.is_empty());
        for value in 0..20_u64 {
            harness.machine.edit_object("it", |bytes| bytes.write(8, &(1000 + 5 * value).to_le_bytes()));
            harness.wait(250);
        }
        assert_eq!(harness.state.scope.channels.len(), 1, "{is_inspected} {}", harness.screen());
        assert!(notice(&harness).starts_with("Added 1 moving value of /it"), "{}", notice(&harness));
        // A user who drops it wants it no more.
        harness.press("d");
        for value in 0..8_u64 {
            harness.machine.edit_object("it", |bytes| bytes.write(8, &(2000 + 5 * value).to_le_bytes()));
            harness.wait(250);
        }
        assert!(harness.state.scope.is_empty());
    }
}

#[test]
fn click_selects_a_row_and_moves_the_active_cursor() {
    let mut harness = scope("/it+8:f64[512]");
    add(&mut harness, "/it+8:f64");
    harness.wait(1000);
    let (table, plot) = (layout(&harness).table, layout(&harness).plot.unwrap());
    mouse(&mut harness, 20, table.y + 1, MouseKind::Click);
    assert_eq!(harness.state.scope.cursor, 1);
    mouse(&mut harness, 20, table.y, MouseKind::Click);
    assert_eq!(harness.state.scope.cursor, 0);
    mouse(&mut harness, 20, table.y, MouseKind::WheelDown);
    assert_eq!(harness.state.scope.cursor, 1);
    // The last column shows the last element, or the newest sample.
    mouse(&mut harness, plot.right() - 1, plot.y + 3, MouseKind::Click);
    let found = only(&harness).view.cursors[0].unwrap();
    assert!((507..512).contains(&found), "{found}");
    harness.press("<tab>");
    let plot = layout(&harness).plot.unwrap();
    mouse(&mut harness, plot.x + 10, plot.y + 3, MouseKind::Click);
    let [Some(a), Some(b)] = only(&harness).view.cursors else { panic!("two cursors") };
    assert!(a > 506 && b < 60, "{a} {b}");
    harness.press("k");
    let plot = layout(&harness).plot.unwrap();
    mouse(&mut harness, plot.right() - 1, plot.y + 3, MouseKind::Click);
    let (at, newest) =
        (harness.state.scope.view.cursors[0].unwrap(), harness.state.scope.history.newest().unwrap());
    assert!(newest - at < 200_000_000, "{at} {newest}");
    assert!(harness.screen().contains("  A 0 ns   1 /it+0x8:f64"), "{}", harness.screen());
    // Clicks beside the curves and on the axis change nothing.
    let before = harness.state.scope.view.clone();
    mouse(&mut harness, plot.x, plot.y + 3, MouseKind::Click);
    mouse(&mut harness, 3, 0, MouseKind::Click);
    assert_eq!(harness.state.scope.view, before);
}

#[test]
fn wheel_zooms_at_the_pointer() {
    let mut harness = scope("/it+8:f64[512]");
    let plot = layout(&harness).plot.unwrap();
    let right = plot.right() - 1;
    mouse(&mut harness, right, plot.y + 3, MouseKind::WheelUp);
    let [from, to] = only(&harness).visible();
    assert!(to > 507 && to - from == 255, "{from} {to}");
    mouse(&mut harness, right, plot.y + 3, MouseKind::WheelDown);
    assert_eq!(only(&harness).visible(), [0, 511]);
    add(&mut harness, "/it+8:f64");
    harness.wait(3000);
    let span = harness.state.scope.view.span;
    // Less of the time that ends now: the view goes on.
    mouse(&mut harness, right, plot.y + 3, MouseKind::WheelDown);
    assert_eq!((harness.state.scope.view.span, harness.state.scope.view.is_frozen), (2 * span, false));
    mouse(&mut harness, plot.x + 30, plot.y + 3, MouseKind::WheelUp);
    let view = &harness.state.scope.view;
    assert_eq!((view.span, view.is_frozen), (span, true));
    assert_eq!(notice(&harness), "View frozen (space: live); sampling goes on");
    let [from, to] = harness.state.scope.visible().unwrap();
    assert!(to < harness.state.scope.history.newest().unwrap() && from < to);
}

#[test]
fn detached_segment_is_not_attached_again() {
    let machine = FakeMachine::new();
    machine.add_sysv(1, 0x4d2, FakeBytes::full(&[1; 64]));
    let mut harness = harness(machine);
    harness.press("v");
    add(&mut harness, "0x4d2+0:u8[64]");
    harness.wait(100);
    let nattch = |harness: &Harness| harness.machine.edit(|facts| facts.sysv[0].row.nattch);
    assert_eq!(nattch(&harness), 1);
    harness.press("D");
    harness.wait(200);
    harness.press("y");
    harness.wait(3000);
    assert_eq!(nattch(&harness), 0, "{}", harness.screen());
    assert!(harness.screen().contains("detached"), "{}", harness.screen());
}

#[test]
fn failed_reading_is_explained() {
    let mut harness = scope("/it+8:f64[512]");
    harness.state.scope.waveforms[0].contents = None;
    harness.state.scope.waveforms[0].trouble =
        Some(EventKind::Failed(ShownError::new("permission denied".to_owned()).to_string()));
    let screen = harness.screen();
    assert!(screen.contains("No contents yet. /it+0x8:f64[512]: permission denied."), "{screen}");
}
