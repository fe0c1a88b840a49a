//! The footer: a prompt, a notice, or the hints.

use crate::app::action::{Action, Context};
use crate::app::hints::{GAP, Hint, hints};
use crate::app::layout::Area;
use crate::app::overlay::{Overlay, Prompt, PromptKind};
use crate::app::sentence::sentence;
use crate::app::work::RunningAction;
use crate::app::{Notice, State};
use crate::engine::Working;
use crate::tui::canvas::{Canvas, cells};
use ratatui::style::Style;

pub fn draw(state: &State, canvas: &mut Canvas<'_>) {
    let foot = Area::new(0, state.size.height - 1, state.size.width, 1);
    match (&state.overlay, &state.notice) {
        (Some(Overlay::Prompt(prompt)), _) => line(state, prompt, canvas, foot),
        (Some(Overlay::MarkLetter { go }), _) => letter(state, *go, canvas, foot),
        (_, Some(notice)) => draw_notice(notice, canvas, foot),
        _ => match (state.inspect.as_ref().and_then(|inspect| inspect.pending.as_ref()), &state.work) {
            (Some(pending), _) if pending.progress.is_some() => searching(state, pending, canvas, foot),
            (_, Some(work @ RunningAction { at: Some(at), .. })) if state.overlay.is_none() => {
                draw_progress(state, work, at, canvas, foot);
            }
            _ => hint_line(state, canvas, foot),
        },
    }
}

/// Draws a prompt with its input, or an example, and its error.
fn line(state: &State, prompt: &Prompt, canvas: &mut Canvas<'_>, foot: Area) {
    let theme = canvas.theme;
    let (label, example) = prompt.kind.label_and_example();
    let x = canvas.text(1, foot.y, foot.width - 1, label, theme.accent);
    let x = if prompt.kind == PromptKind::Filter { x } else { x + 1 };
    let typed = prompt.input.input.value();
    if let Some(error) = &prompt.error {
        above(&sentence(error), canvas, foot);
    }
    let result =
        (prompt.kind == PromptKind::Filter && !typed.is_empty() && prompt.error.is_none()).then(|| {
            let all = state.survey.as_ref().map_or(0, |survey| survey.segments.len());
            let clear = state.keymap.keys_in(Context::Filter, Action::Close).next();
            let clear = clear.map_or_else(String::new, |key| format!("   {key} clear"));
            (format!("{} of {all} match{clear}", state.table.shown.len()), theme.dim)
        });
    // The error gets at most half of the line; the input scrolls.
    let answer = result.as_ref().map_or(0, |(text, _)| cells(text).min(foot.width / 2) + 3);
    let room = foot.width.saturating_sub(x + answer + 1).max(1);
    canvas.input(&prompt.input.input, Area::new(x, foot.y, room, 1), theme.text);
    if typed.is_empty() && prompt.error.is_none() {
        canvas.text(x + 1, foot.y, foot.width.saturating_sub(x + 1), example, theme.dim);
    }
    if let Some((text, style)) = result {
        canvas.text_right(foot.right() - 1, foot.y, answer.saturating_sub(3), &text, style);
    }
}

fn letter(state: &State, go: bool, canvas: &mut Canvas<'_>, foot: Area) {
    let theme = canvas.theme;
    let marks = state.inspect.iter().flat_map(|inspect| &inspect.marks);
    let known: Vec<String> = marks.map(|(letter, offset)| format!("  {letter} {offset:#x}")).collect();
    let text = if go { "go to mark:" } else { "mark as (letter or digit):" };
    let x = canvas.text(1, foot.y, foot.width - 1, text, theme.accent);
    canvas.text(x, foot.y, foot.width.saturating_sub(x), &known.concat(), theme.text);
}

/// Draws a long error in full above the prompt.
fn above(error: &str, canvas: &mut Canvas<'_>, foot: Area) {
    let lines = canvas.wrap(error, foot.width.saturating_sub(2));
    let area = Area::new(0, 0, foot.width, foot.y);
    lines_at_the_foot(&lines, canvas.theme.failed, canvas, area);
}

/// Draws a notice in as many rows as needed.
fn draw_notice(notice: &Notice, canvas: &mut Canvas<'_>, foot: Area) {
    let style = if notice.failed { canvas.theme.failed } else { canvas.theme.text };
    let lines = canvas.wrap(&notice.text, foot.width.saturating_sub(2));
    if let [line] = lines.as_slice() {
        canvas.text(1, foot.y, foot.width.saturating_sub(1), line, style);
    } else {
        lines_at_the_foot(&lines, style, canvas, Area::new(0, 0, foot.width, foot.bottom()));
    }
}

/// Draws lines below a rule, at the bottom of an area.
fn lines_at_the_foot(lines: &[String], style: Style, canvas: &mut Canvas<'_>, area: Area) {
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).clamp(1, (area.height / 2).max(1));
    let top = area.bottom().saturating_sub(rows);
    canvas.rule(Area::new(0, top.saturating_sub(1), area.width, 1));
    canvas.fill(Area::new(0, top, area.width, rows), " ", canvas.theme.text);
    for (y, line) in (top..area.bottom()).zip(lines) {
        canvas.text(1, y, area.width.saturating_sub(1), line, style);
    }
}

/// Draws the progress of an action and the key that stops it.
fn searching(
    state: &State,
    pending: &crate::app::inspect::PendingSearch,
    canvas: &mut Canvas<'_>,
    foot: Area,
) {
    let (done, total) = pending.progress.unwrap_or((0, 0));
    let what = canvas.fit(&pending.subject, foot.width / 3);
    let cells = (1, foot.y, foot.right());
    super::progress::draw(state, canvas, cells, (format!("searching for {what}"), done, total));
}

fn draw_progress(state: &State, work: &RunningAction, at: &Working, canvas: &mut Canvas<'_>, foot: Area) {
    if work.stopping {
        canvas.text(1, foot.y, foot.width - 1, "stopping", canvas.theme.dim);
    } else {
        let figures = (at.text(), at.done, at.total);
        super::progress::draw(state, canvas, (1, foot.y, foot.right()), figures);
    }
}

fn hint_line(state: &State, canvas: &mut Canvas<'_>, foot: Area) {
    let (hints, help) = hints(state, usize::from(foot.width.saturating_sub(2)));
    let mut x = 1;
    for hint in hints {
        x = one(&hint, x, canvas, foot) + u16::try_from(GAP).unwrap_or(2);
    }
    if let Some(help) = help {
        let width = u16::try_from(help.width()).unwrap_or(0);
        one(&help, foot.right().saturating_sub(width + 1), canvas, foot);
    }
}

fn one(hint: &Hint, x: u16, canvas: &mut Canvas<'_>, foot: Area) -> u16 {
    let theme = canvas.theme;
    let (key, word) = if hint.enabled { (theme.accent, theme.text) } else { (theme.dim, theme.dim) };
    let key_text = match hint.key.as_str() {
        "↵" if theme.glyphs.ascii => "enter",
        "↑↓" if theme.glyphs.ascii => "up/down",
        key => key,
    };
    let x = canvas.text(x, foot.y, foot.width, key_text, key);
    canvas.text(x + 1, foot.y, foot.width, &hint.label, word)
}
