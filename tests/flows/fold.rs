//! Folded runs of zeros and holes in Inspect.

use super::inspect::{inside, open};
use super::notice;
use crate::support::Harness;
use shmlens::app::key::{Mouse, MouseKind};

/// Returns the lines of bytes on screen, without the spaces around them.
fn rows(harness: &Harness) -> Vec<String> {
    let rows = open(harness).layout(harness.state.size).rows;
    let screen = harness.screen();
    let lines = screen.lines().skip(rows.y.into()).take(rows.height.into());
    lines.map(|line| line.trim().to_owned()).take_while(|line| !line.is_empty()).collect()
}

/// Returns the offsets of the lines on screen.
fn offsets(harness: &Harness) -> Vec<String> {
    rows(harness).iter().map(|row| row.split(' ').next().unwrap().to_owned()).collect()
}

/// Inspects a hole of 1 GiB between two pages of data.
fn gap() -> Harness {
    inside((1 << 30) + 8192, |bytes| {
        bytes.write(0, &[1; 32]);
        bytes.write(48, &[2; 16]);
        bytes.write((1 << 30) + 4096, &[3; 4096]);
    })
}

#[test]
fn hole_between_two_pages_is_a_line() {
    let mut harness = gap();
    let shown = rows(&harness);
    assert_eq!(
        offsets(&harness)[..6],
        ["0000_0000", "0000_0010", "0000_0020", "0000_0030", "0000_0040", "0000_1000"]
    );
    assert!(shown[4].ends_with("⋮ zeros to 0000_0fff  3.9 KiB"), "{shown:?}");
    assert!(shown[5].ends_with("⋮ hole to 4000_0fff  1.0 GiB"), "{shown:?}");
    assert!(shown[6].starts_with("4000_1000  03 03"), "{shown:?}");
    // The cursor passes over the folds in both directions.
    harness.press("jjjj");
    assert_eq!(open(&harness).cursor, (1 << 30) + 4096);
    harness.press("k");
    assert_eq!(open(&harness).cursor, 48);
    harness.press("$l");
    assert_eq!(open(&harness).cursor, (1 << 30) + 4096, "{}", harness.screen());
    harness.press("h");
    assert_eq!(open(&harness).cursor, 63);
    harness.press("z");
    assert_eq!(notice(&harness), "All rows shown");
    assert_eq!(offsets(&harness)[4..6], ["0000_0040", "0000_0050"]);
    harness.press("z");
    assert_eq!(offsets(&harness)[5], "0000_1000");
}

#[test]
fn going_to_an_offset_opens_its_fold() {
    let mut harness = gap();
    harness.press("o0x20000000<enter>");
    let around = ["1fff_ffd0", "1fff_ffe0", "1fff_fff0", "2000_0000", "2000_0010", "2000_0020", "2000_0030"];
    let shown = offsets(&harness);
    let at = shown.iter().position(|offset| offset == around[0]).unwrap();
    assert_eq!(shown[at..at + 8], [&around[..], &["2000_0040"]].concat());
    assert_eq!(shown[at - 2..at], ["0000_0040", "0000_1000"]);
    // The rows of an open fold can be walked through.
    harness.press("jj");
    assert_eq!(open(&harness).cursor, 0x2000_0020);
    harness.press("<pgdn>");
    assert!(open(&harness).cursor > 1 << 30);
    harness.press("mag");
    assert!(!offsets(&harness).contains(&"2000_0000".to_owned()));
}

#[test]
fn marks_and_changes_are_not_folded() {
    let mut harness = gap();
    harness.press("o0x20000000<enter>mag");
    assert!(offsets(&harness).contains(&"2000_0000".to_owned()));
    harness.machine.edit_object("it", |bytes| bytes.write(0x3000_0000, &[7]));
    harness.look();
    harness.look();
    assert!(offsets(&harness).contains(&"3000_0000".to_owned()), "{}", harness.screen());
    harness.machine.edit_object("it", |bytes| bytes.write(0x3000_0000, &[0]));
    harness.wait(5000);
    // The page equals the baseline again, and is allocated now.
    assert!(
        rows(&harness).contains(&"3000_0000  ⋮ zeros to 3000_0fff  4.0 KiB".to_owned()),
        "{}",
        harness.screen()
    );
}

#[test]
fn top_line_stays_while_data_changes() {
    let mut harness = gap();
    harness.press("G<pgup>");
    let top = offsets(&harness)[0].clone();
    for offset in [0x1000_0000, 0x2000_0000, 100] {
        harness.machine.edit_object("it", |bytes| bytes.write(offset, &[7; 100]));
        harness.look();
        harness.look();
        assert_eq!(offsets(&harness)[0], top);
    }
    // A row below the top pushes down the cursor, which stays on screen.
    harness.press("go0x40001000<enter><home>");
    for offset in 0..20 {
        harness.machine.edit_object("it", |bytes| bytes.write(4096 * (3 + 2 * offset), &[7]));
    }
    harness.look();
    harness.look();
    assert_eq!(offsets(&harness)[0], "0000_0000");
}

#[test]
fn pages_move_by_lines() {
    let mut harness = inside(1 << 20, |bytes| {
        for page in 0..200 {
            bytes.write(page * 4096, &[1; 16]);
        }
    });
    let height = u64::from(open(&harness).layout(harness.state.size).rows.height);
    assert_eq!(offsets(&harness)[..4], ["0000_0000", "0000_0010", "0000_1000", "0000_1010"]);
    harness.press("<pgdn>");
    // Each page has a row and a fold, and the cursor passes over a fold.
    let top = offsets(&harness)[0].clone();
    assert_eq!(
        (top, open(&harness).cursor),
        (format!("{:04x}_{:04x}", 0, 4096 * (height / 2) + 16), 4096 * height.div_ceil(2))
    );
    harness.press("<pgup>");
    assert_eq!((offsets(&harness)[0].as_str(), open(&harness).cursor), ("0000_0000", 0));
}

#[test]
fn click_on_a_fold_opens_it() {
    let mut harness = gap();
    let layout = open(&harness).layout(harness.state.size);
    harness.mouse(Mouse { x: layout.bytes_x, y: layout.rows.y + 5, kind: MouseKind::Click });
    assert_eq!((open(&harness).cursor, offsets(&harness)[6].as_str()), (4096, "0000_1010"));
    // Rows behind a fold are found by clicks.
    let after = offsets(&harness).iter().position(|offset| offset == "4000_1010").unwrap();
    let y = layout.rows.y + u16::try_from(after).unwrap();
    harness.mouse(Mouse { x: layout.hex_x(3), y, kind: MouseKind::Click });
    assert_eq!(open(&harness).cursor, (1 << 30) + 4096 + 16 + 3);
}

#[test]
fn swapped_pages_are_not_called_zeros() {
    let harness = inside(1 << 20, |bytes| {
        bytes.write(0, &[1; 16]);
        bytes.write(8192, &[5; 4096]);
        bytes.swapped = [2].into();
    });
    let shown = rows(&harness);
    assert!(shown.iter().any(|row| row.starts_with("0000_2000  05")), "{shown:?}");
}

#[test]
fn frozen_folds_do_not_change() {
    let mut harness = gap();
    harness.press("<space>");
    let before = rows(&harness);
    harness.machine.edit_object("it", |bytes| bytes.write(0x2000_0000, &[7; 4096]));
    harness.wait(1000);
    harness.press("jk");
    assert_eq!(rows(&harness), before);
    harness.press("<space>");
    harness.look();
    assert!(offsets(&harness).contains(&"2000_0000".to_owned()));
}

#[test]
fn page_up_from_the_end_of_a_huge_hole_reaches_its_start() {
    let mut harness = inside(4 << 40, |bytes| bytes.write((4 << 40) - 4, b"last"));
    harness.press("G<pgup>");
    harness.look();
    harness.look();
    assert_eq!(
        (open(&harness).cursor, offsets(&harness)[0].as_str()),
        (15, "000000000000"),
        "{}",
        harness.screen()
    );
}

#[test]
fn long_range_is_not_copied() {
    let mut harness = gap();
    harness.press("maGy");
    assert!(notice(&harness).contains("1.0 GiB; at most 64 KiB can be copied"), "{}", notice(&harness));
}

#[test]
fn end_of_a_hole_is_shown() {
    let mut harness = inside(64 << 10, |bytes| bytes.write(0, &vec![1; 0x4321]));
    harness.wait(3000);
    harness.press("G");
    harness.look();
    let shown = rows(&harness);
    assert!(shown.last().unwrap().starts_with("0000_fff0  00 00"), "{}", harness.screen());
    assert!(shown[shown.len() - 5].starts_with("0000_5000  ⋮ hole to 0000_ffbf"), "{}", harness.screen());
}

#[test]
fn cursor_stays_on_screen_while_data_grows_into_a_hole() {
    let mut harness = inside(64 << 10, |bytes| bytes.write(0, &[1; 4096]));
    harness.look();
    harness.press("G");
    for tick in 1..8 {
        harness.look();
        let shown = rows(&harness);
        assert!(shown.last().unwrap().starts_with("0000_fff0  00"), "{tick} {}", harness.screen());
        harness.machine.edit_object("it", |bytes| bytes.write(4096 * tick, &[1; 4096]));
        harness.look();
    }
}
