//! The panel of values in Inspect.

use super::inspect::{inside, open};
use super::notice;
use crate::support::Harness;
use shmlens::app::event::{Event, Size};
use shmlens::app::inspect::InspectPane;

/// Inspects an object with a counter at 8 that has moved for four seconds.
fn moving(width: u16, height: u16) -> Harness {
    let mut harness = inside(100_000, |bytes| bytes.write(0, &[1; 8]));
    harness.inject(Event::Resize(Size { width, height }));
    for step in 0u64..16 {
        harness.machine.edit_object("it", |bytes| bytes.write(8, &(17_022 + 12 * step).to_le_bytes()));
        harness.wait(250);
    }
    assert_eq!(open(&harness).moving.len(), 1, "{}", harness.screen());
    harness
}

#[test]
fn values_of_the_panel_can_be_selected() {
    let mut harness = moving(140, 45);
    harness.press("o16<enter>atu32<enter>o32<enter>a<tab>");
    let pins = |harness: &Harness| open(harness).pins.iter().map(|pin| pin.offset).collect::<Vec<_>>();
    assert_eq!((pins(&harness), open(&harness).picked().unwrap().offset), (vec![16, 32], 16));
    // The arrows move through the pinned values, then the moving ones.
    harness.press("jjj");
    let picked = open(&harness).picked().unwrap();
    assert_eq!((picked.pinned, picked.offset), (false, 8));
    harness.press("a");
    assert_eq!((notice(&harness), pins(&harness)), ("Pinned u32 at 0x8 (a: unpin)", vec![8, 16, 32]));
    harness.press("g<enter>");
    assert_eq!((open(&harness).cursor, open(&harness).pane), (8, InspectPane::Bytes));
    harness.press("<tab>ja");
    assert_eq!((notice(&harness), pins(&harness)), ("Unpinned", vec![8, 32]));
    harness.press("<tab><enter>");
    assert!(notice(&harness).starts_with("No value selected (tab selects"), "{}", notice(&harness));
}

#[test]
fn pinned_and_moving_values_share_the_lines_below() {
    for (width, height) in [(80, 24), (100, 24), (80, 30)] {
        let mut harness = moving(width, height);
        harness.press("o0x20<enter>a");
        let screen = harness.screen();
        for text in ["pinned  00020 u64", "moving  00008 u32/u64"] {
            assert!(screen.contains(text), "{width}x{height} {text}\n{screen}");
        }
    }
}

#[test]
fn numbers_are_complete_at_every_width() {
    let value = u64::from_le_bytes([0x80; 8]).to_string();
    for width in 80..130 {
        let mut harness = inside(100, |bytes| bytes.write(0, &[0x80; 100]));
        harness.inject(Event::Resize(Size { width, height: 24 }));
        assert!(harness.screen().contains(&value), "{width}\n{}", harness.screen());
    }
}
