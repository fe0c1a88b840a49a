//! The panel of values in Inspect.

use super::inspect::{inside, open};
use super::notice;
use crate::support::Stage;
use shmlens::app::event::{Event, Size};
use shmlens::app::inspect::InspectPane;

/// Inspects an object with a counter at 8 that has moved for four seconds.
fn moving(width: u16, height: u16) -> Stage {
    let mut stage = inside(100_000, |bytes| bytes.write(0, &[1; 8]));
    stage.inject(Event::Resize(Size { width, height }));
    for step in 0u64..16 {
        stage.machine.edit_object("it", |bytes| bytes.write(8, &(17_022 + 12 * step).to_le_bytes()));
        stage.wait(250);
    }
    assert_eq!(open(&stage).moving.len(), 1, "{}", stage.screen());
    stage
}

#[test]
fn values_of_the_panel_can_be_selected() {
    let mut stage = moving(140, 45);
    stage.press("o16<enter>atu32<enter>o32<enter>a<tab>");
    let pins = |stage: &Stage| open(stage).pins.iter().map(|pin| pin.offset).collect::<Vec<_>>();
    assert_eq!((pins(&stage), open(&stage).picked().unwrap().offset), (vec![16, 32], 16));
    // The arrows move through the pinned values, then the moving ones.
    stage.press("jjj");
    let picked = open(&stage).picked().unwrap();
    assert_eq!((picked.pinned, picked.offset), (false, 8));
    stage.press("a");
    assert_eq!((notice(&stage), pins(&stage)), ("Pinned u32 at 0x8 (a: unpin)", vec![8, 16, 32]));
    stage.press("g<enter>");
    assert_eq!((open(&stage).cursor, open(&stage).pane), (8, InspectPane::Bytes));
    stage.press("<tab>ja");
    assert_eq!((notice(&stage), pins(&stage)), ("Unpinned", vec![8, 32]));
    stage.press("<tab><enter>");
    assert!(notice(&stage).starts_with("No value selected (tab selects"), "{}", notice(&stage));
}

#[test]
fn pinned_and_moving_values_share_the_lines_below() {
    for (width, height) in [(80, 24), (100, 24), (80, 30)] {
        let mut stage = moving(width, height);
        stage.press("o0x20<enter>a");
        let screen = stage.screen();
        for text in ["pinned  00020 u64", "moving  00008 u32/u64"] {
            assert!(screen.contains(text), "{width}x{height} {text}\n{screen}");
        }
    }
}

#[test]
fn numbers_are_complete_at_every_width() {
    let value = u64::from_le_bytes([0x80; 8]).to_string();
    for width in 80..130 {
        let mut stage = inside(100, |bytes| bytes.write(0, &[0x80; 100]));
        stage.inject(Event::Resize(Size { width, height: 24 }));
        assert!(stage.screen().contains(&value), "{width}\n{}", stage.screen());
    }
}
