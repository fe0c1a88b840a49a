//! What is about to be done: one entry for each segment, what will happen in
//! words, what stands against it, whether it can be taken back, and the keys.

use crate::act::{Plan, Undo};
use crate::app::State;
use crate::app::confirm::{Confirm, Wish};
use crate::app::layout::overlay::{WIDEST, centred};
use crate::app::sentence::name_of;
use crate::app::work::Work;
use crate::tui::canvas::{Canvas, cells};
use crate::tui::draw::progress;
use ratatui::style::Style;

/// A line of the overlay: of which entry it is part, how far it is moved in.
struct Row {
    entry: usize,
    indent: u16,
    text: String,
    style: Style,
}

pub fn draw(state: &State, confirm: &Confirm, canvas: &mut Canvas<'_>) {
    let width = WIDEST.min(state.size.width).saturating_sub(4);
    let rows = rows(confirm, canvas, width);
    let wanted = u16::try_from(rows.len() + 2).unwrap_or(u16::MAX);
    let inside = canvas.frame(centred(state.size, u16::MAX - 4, wanted), &confirm.title());
    let height = usize::from(inside.height.saturating_sub(2));
    // The selected entry is among those that are shown.
    let first_of = rows.iter().position(|row| row.entry == confirm.selected).unwrap_or(0);
    let top = first_of.saturating_sub(height / 2).min(rows.len().saturating_sub(height));
    let many = confirm.wishes.len() > 1;
    for (y, row) in (inside.y..).zip(rows.iter().skip(top).take(height)) {
        canvas.text(inside.x + 1 + row.indent, y, inside.width, &row.text, row.style);
        if many && row.indent == 0 && row.entry == confirm.selected {
            canvas.text(inside.x, y, 1, canvas.theme.glyphs.selected, canvas.theme.accent);
        }
    }
    let y = inside.bottom().saturating_sub(1);
    match &state.work {
        Some(Work { at: Some(at), stopping: false, .. }) if confirm.acting && at.total > 0 => {
            progress::draw(canvas, (inside.x + 1, y, inside.right()), &at.text(), at.done, at.total);
        }
        work => {
            let stopping = work.as_ref().is_some_and(|work| work.stopping);
            keys(confirm, stopping, canvas, inside.x, y, inside.width);
        }
    }
}

fn rows(confirm: &Confirm, canvas: &Canvas<'_>, width: u16) -> Vec<Row> {
    let mut rows = vec![];
    for (entry, wish) in confirm.wishes.iter().enumerate() {
        let (text, style) = (heading(wish, canvas, width), canvas.theme.strong);
        rows.push(Row { entry, indent: 0, text, style });
        let Some(plan) = confirm.plans.get(entry) else { continue };
        for (text, style) in sentences(plan, canvas) {
            for text in canvas.wrap(&text, width.saturating_sub(4)) {
                rows.push(Row { entry, indent: 2, text, style });
            }
        }
    }
    rows
}

fn heading(wish: &Wish, canvas: &Canvas<'_>, width: u16) -> String {
    let segment = &wish.segment;
    let verdict = segment.verdict.state;
    let rest = format!("  {}  {} {}", segment.size, canvas.theme.glyphs.state(verdict), verdict.label());
    let name = canvas.fit(&name_of(&segment.id), width.saturating_sub(cells(&rest) + 1));
    format!("{name}{rest}")
}

/// What will happen, and what stands against it.
fn sentences(plan: &Plan, canvas: &Canvas<'_>) -> Vec<(String, Style)> {
    let theme = canvas.theme;
    let mut lines: Vec<(String, Style)> = plan.will.iter().map(|text| (text.clone(), theme.text)).collect();
    match &plan.undo {
        Undo::Yes(how) => lines.push((format!("undo: {how}"), theme.dim)),
        Undo::No(why) => lines.push((format!("cannot be undone: {why}"), theme.removed)),
        Undo::Nothing => {}
    }
    if let Some(refusal) = &plan.refusal {
        let remedy = if refusal.forceable { "f: force" } else { &refusal.remedy };
        lines.push((format!("{}. {remedy}", refusal.reason), theme.failed));
    } else if plan.options.force {
        lines.push(("forced (f: no force)".to_owned(), theme.removed));
    }
    lines
}

fn keys(confirm: &Confirm, stopping: bool, canvas: &mut Canvas<'_>, x: u16, y: u16, width: u16) {
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
    let copy = match confirm.copies() {
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
