//! What is about to be done: one entry for each segment, what will happen in
//! words, what stands against it, whether it can be taken back, and the keys.

use super::more;
use crate::app::State;
use crate::app::action::Action;
use crate::app::confirm::{Confirm, Tone};
use crate::app::layout::Area;
use crate::app::layout::overlay::{centred, text_width};
use crate::app::sentence::name_of;
use crate::app::work::Work;
use crate::engine::Wish;
use crate::tui::canvas::{Canvas, cells};
use crate::tui::draw::progress;
use crate::tui::theme::Theme;
use ratatui::style::Style;

/// The columns of a batch: what happens stands beside the segment only where it
/// has this many cells.
const LEAST: u16 = 28;
const GAP: u16 = 2;
/// How many cells a name has there.
const SHORTEST: u16 = 10;
const LONGEST: u16 = 24;

/// A row of the dialog.
struct Row {
    entry: usize,
    /// The segment, in the first row of an entry.
    heading: String,
    /// Where the text begins.
    indent: u16,
    text: String,
    style: Style,
}

pub fn draw(state: &State, confirm: &Confirm, canvas: &mut Canvas<'_>) {
    let width = text_width(state.size);
    let many = confirm.wishes.len() > 1;
    let undo = state.key_of(Action::Undo);
    let (rows, foot) = if many {
        let foot = wrapped(&confirm.summary(&undo), canvas, width.saturating_sub(2));
        (batch(confirm, canvas, width), foot)
    } else {
        (single(confirm, &undo, canvas, width), vec![])
    };
    let gap = usize::from(!foot.is_empty());
    let wanted = u16::try_from(rows.len() + gap + foot.len() + 2).unwrap_or(u16::MAX);
    let inside = canvas.frame(centred(state.size, u16::MAX - 4, wanted), &confirm.title());
    // What is done to each comes first where there is little room.
    let room = usize::from(inside.height.saturating_sub(2));
    let foot_height = (foot.len() + gap).min(room / 2);
    let height = room - foot_height;
    let first_of = rows.iter().position(|row| row.entry == confirm.selected).unwrap_or(0);
    let its = rows.iter().filter(|row| row.entry == confirm.selected).count();
    let top = if many {
        first_of.saturating_sub((height / 2).min(height.saturating_sub(its)))
    } else {
        confirm.top
    };
    let top = top.min(rows.len().saturating_sub(height));
    for (y, row) in (inside.y..).zip(rows.iter().skip(top).take(height)) {
        canvas.text(inside.x + 1, y, inside.width, &row.heading, canvas.theme.strong);
        canvas.text(inside.x + 1 + row.indent, y, inside.width, &row.text, row.style);
        if many && row.entry == confirm.selected {
            canvas.text(inside.x, y, 1, canvas.theme.glyphs.selected, canvas.theme.accent);
        }
    }
    let foot_at = inside.y + u16::try_from(height + gap).unwrap_or(0);
    for (y, (text, style)) in (foot_at..).zip(foot.iter().take(foot_height.saturating_sub(gap))) {
        canvas.text(inside.x + 1, y, inside.width, text, *style);
    }
    more((top, rows.len().saturating_sub(top + height)), canvas, inside);
    let y = inside.bottom().saturating_sub(1);
    match &state.work {
        Some(Work { at: Some(at), stopping: false, .. }) if confirm.acting && at.total > 0 => {
            progress::draw(canvas, (inside.x + 1, y, inside.right()), &at.text(), at.done, at.total);
        }
        work => {
            let stopping = work.as_ref().is_some_and(|work| work.stopping);
            keys(confirm, stopping, canvas, Area::new(inside.x, y, inside.width, 1));
        }
    }
}

/// One segment, and all about it.
fn single(confirm: &Confirm, undo: &str, canvas: &Canvas<'_>, width: u16) -> Vec<Row> {
    let Some(wish) = confirm.wishes.first() else { return vec![] };
    let rest = format!("  {}  {}", wish.segment.size, state_of(wish, canvas.theme));
    let hidden = if confirm.hidden > 0 { format!("  {}", confirm.hidden_text()) } else { String::new() };
    let rest = rest + &hidden;
    let name = canvas.fit(&name_of(&wish.segment.id), width.saturating_sub(cells(&rest) + 1));
    let heading = Row {
        entry: 0,
        heading: format!("{name}{rest}"),
        indent: 2,
        text: String::new(),
        style: canvas.theme.text,
    };
    let lines = wrapped(&confirm.sentences(0, undo), canvas, width.saturating_sub(4));
    let row = |(text, style)| Row { entry: 0, heading: String::new(), indent: 2, text, style };
    std::iter::once(heading).chain(lines.into_iter().map(row)).collect()
}

/// A line for each segment: its name, size and state, and what happens to it.
fn batch(confirm: &Confirm, canvas: &Canvas<'_>, width: u16) -> Vec<Row> {
    let theme = canvas.theme;
    let widest = |text: &dyn Fn(&Wish) -> String| {
        confirm.wishes.iter().map(|wish| cells(&text(wish))).max().unwrap_or(0)
    };
    let size = widest(&|wish| wish.segment.size.to_string());
    let state = widest(&|wish| state_of(wish, theme));
    let columns = size + state + 3 * GAP;
    let room = width.saturating_sub(columns);
    // A long name loses its middle before the text moves below it.
    let room = if room >= LEAST + SHORTEST + 2 { (room - LEAST - 2).min(LONGEST) } else { room };
    let name = widest(&|wish| name_of(&wish.segment.id)).min(room);
    let column = name + columns;
    let beside = width.saturating_sub(column + 2) >= LEAST;
    let indent = if beside { column } else { GAP };
    let mut rows = vec![];
    for (entry, wish) in confirm.wishes.iter().enumerate() {
        let called = canvas.fit(&name_of(&wish.segment.id), name);
        let gap = " ".repeat((name.saturating_sub(cells(&called)) + GAP).into());
        let heading = format!(
            "{called}{gap}{:>size$}  {}",
            wish.segment.size.to_string(),
            state_of(wish, theme),
            size = usize::from(size)
        );
        let lines = wrapped(&confirm.effects(entry), canvas, width.saturating_sub(indent + 2));
        let mut lines = lines.into_iter();
        let (text, style) = if beside { lines.next() } else { None }.unwrap_or_default();
        rows.push(Row { entry, heading, indent, text, style });
        rows.extend(lines.map(|(text, style)| Row { entry, heading: String::new(), indent, text, style }));
    }
    rows
}

fn state_of(wish: &Wish, theme: &Theme) -> String {
    let verdict = wish.segment.verdict.state;
    format!("{} {}", theme.glyphs.state(verdict), verdict.label())
}

fn wrapped(sentences: &[(String, Tone)], canvas: &Canvas<'_>, width: u16) -> Vec<(String, Style)> {
    let theme = canvas.theme;
    let lines = |(text, tone): &(String, Tone)| {
        let style = match tone {
            Tone::Plain => theme.text,
            Tone::Quiet => theme.dim,
            Tone::Warning => theme.removed,
            Tone::Refusal => theme.failed,
        };
        canvas.wrap(text, width).into_iter().map(move |line| (line, style))
    };
    sentences.iter().flat_map(lines).collect()
}

fn keys(confirm: &Confirm, stopping: bool, canvas: &mut Canvas<'_>, area: Area) {
    let Area { x, y, width, .. } = area;
    let theme = canvas.theme;
    if confirm.acting {
        let text = if stopping { "stopping" } else { "working" };
        canvas.text(x + 1, y, width, text, theme.dim);
        return;
    }
    let act = match confirm.doable() {
        0 => String::new(),
        doable if doable < confirm.wishes.len() => {
            format!("y {} {doable} of {}", confirm.verb(), confirm.wishes.len())
        }
        _ => format!("y {}", confirm.verb()),
    };
    let copy = match confirm.copies().filter(|_| confirm.can_toggle_copies()) {
        Some(true) => "c no copy",
        Some(false) => "c save a copy",
        None => "",
    };
    let force = match (confirm.can_force(), confirm.is_forced()) {
        (_, true) => "f no force",
        (true, false) => "f force",
        (false, false) => "",
    };
    let join = |parts: &[&str], gap: &str| {
        parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(gap)
    };
    // In a narrow terminal the gaps shrink first, then the copy goes.
    let all = [force, copy, act.as_str(), "esc cancel"];
    let texts = [join(&all, "   "), join(&all, "  "), join(&[force, act.as_str(), "esc cancel"], "  ")];
    let text = texts.iter().find(|text| cells(text) <= width).unwrap_or(&texts[2]);
    canvas.text_right(x + width, y, width, text, theme.accent);
}
