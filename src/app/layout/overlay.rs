//! Positions of overlays: help and palette in the middle, menus at the right, so that the table
//! stays visible.

use super::Area;
use crate::app::event::Size;
use crate::app::overlay::{Choice, ChoiceItem, Chosen};
use crate::segment::wrap;

pub const MAX_WIDTH: u16 = 76;
/// The maximum width of a word in a menu.
const MAX_WORD: usize = 24;
/// The maximum width that a value gives to a menu.
const MAX_VALUE: usize = 20;

/// A centered frame for `lines` lines of text, not wider than [`MAX_WIDTH`].
pub fn centered_frame(size: Size, width: u16, lines: u16) -> Area {
    frame(size, width.min(MAX_WIDTH - 4), lines)
}

/// A centered frame for `lines` lines of text.
pub fn frame(size: Size, width: u16, lines: u16) -> Area {
    let width = (width + 4).min(size.width);
    let height = (lines + 2).min(size.height);
    Area::new((size.width - width) / 2, (size.height - height) / 2, width, height)
}

/// A menu at the right.
pub fn choice(size: Size, choice: &Choice) -> Area {
    let words = choice_words(choice);
    let doc = |item: &ChoiceItem| match item.value {
        // A long value is cut, and hides no description.
        Chosen::CopyValue(_) | Chosen::CopyJson => item.doc.chars().count().min(MAX_VALUE),
        _ => item.doc.chars().count(),
    };
    let docs = choice.items.iter().map(doc).max().unwrap_or(0);
    let narrow = (words + 6).max(choice.title.chars().count() + 6);
    // At most half of the screen, so that the table stays visible. Descriptions that do not fit
    // are hidden.
    let with_docs = words + docs + 8;
    let wanted = if !choice.types.is_empty() || !choice.notes.is_empty() {
        // Without their evidence, types cannot be told apart; and notes are long.
        if choice.notes.is_empty() { with_docs.max(narrow).min(MAX_WIDTH.into()) } else { MAX_WIDTH.into() }
    } else if with_docs <= usize::from(size.width / 2) {
        with_docs.max(narrow)
    } else {
        narrow
    };
    let width = u16::try_from(wanted).unwrap_or(u16::MAX).min(size.width);
    let rows = choice.items.len() + choice_notes(choice, width.saturating_sub(4)).len() + 2;
    let height = u16::try_from(rows).unwrap_or(u16::MAX).min(size.height.saturating_sub(2));
    Area::new(size.width - width, 1, width, height)
}

/// The wrapped lines of the notes of a menu, after an empty one.
pub fn choice_notes(choice: &Choice, width: u16) -> Vec<String> {
    let lines = choice.notes.iter().flat_map(|note| wrap(note, width.into()));
    choice.notes.first().map(|_| String::new()).into_iter().chain(lines).collect()
}

/// The width of the words of a menu. Longer ones are cut.
pub fn choice_words(choice: &Choice) -> usize {
    let words = choice.items.iter().map(|item| item.word.chars().count());
    words.max().unwrap_or(0).min(MAX_WORD)
}

pub fn palette(size: Size) -> Area {
    centered_frame(size, u16::MAX - 4, size.height.saturating_sub(8).clamp(18, 32))
}

/// The text width of a full-width overlay.
pub fn text_width(size: Size) -> u16 {
    MAX_WIDTH.min(size.width).saturating_sub(4)
}

/// Returns how many of `rows` rows are visible in an overlay with `fixed` other rows.
pub fn visible_rows(size: Size, rows: usize, fixed: u16) -> usize {
    rows.min(usize::from(size.height.saturating_sub(2 + fixed)))
}

/// The wrapped lines of the log, continuation lines indented.
pub fn log_rows(log: &[String], size: Size) -> Vec<String> {
    let width = usize::from(text_width(size)).saturating_sub(2);
    let rows = |entry: &String| {
        let lines = wrap(entry, width).into_iter().enumerate();
        lines.map(|(at, line)| if at == 0 { line } else { format!("  {line}") }).collect::<Vec<_>>()
    };
    log.iter().flat_map(rows).collect()
}
