//! The footer: a prompt, a notice, or the hints.

use crate::app::action::{Action, Context};
use crate::app::hints::{GAP, Hint, hints};
use crate::app::layout::Area;
use crate::app::overlay::{Overlay, Prompt, PromptKind};
use crate::app::sentence::sentence;
use crate::app::work::RunningAction;
use crate::app::{Notice, State};
use crate::engine::WorkProgress;
use crate::tui::canvas::{Canvas, cells};
use crate::tui::theme::Theme;
use ratatui::style::Style;

pub fn draw(state: &State, canvas: &mut Canvas<'_>) {
    let footer = Area::new(0, state.size.height - 1, state.size.width, 1);
    match (&state.overlay, &state.notice) {
        (Some(Overlay::Prompt(prompt)), _) => draw_prompt(state, prompt, canvas, footer),
        (Some(Overlay::MarkLetter { go }), _) => draw_mark_prompt(state, *go, canvas, footer),
        (_, Some(notice)) => draw_notice(state, notice, canvas, footer),
        _ => match (state.inspect.as_ref().and_then(|inspect| inspect.pending.as_ref()), &state.work) {
            (Some(pending), _) if pending.progress.is_some() => draw_search(state, pending, canvas, footer),
            (_, Some(work @ RunningAction { at: Some(at), .. })) if state.overlay.is_none() => {
                draw_progress(state, work, at, canvas, footer);
            }
            _ => draw_hints(state, canvas, footer),
        },
    }
}

/// Draws a prompt with its input, or an example, and its error.
fn draw_prompt(state: &State, prompt: &Prompt, canvas: &mut Canvas<'_>, footer: Area) {
    let theme = canvas.theme;
    let (label, example) = prompt.kind.label_and_example();
    let x = canvas.text(1, footer.y, footer.width - 1, label, theme.accent);
    let x = if prompt.kind == PromptKind::Filter { x } else { x + 1 };
    let typed = prompt.input.input.value();
    if let Some(error) = &prompt.error {
        draw_above(&sentence(error), theme.failed, canvas, footer);
    } else if let Some(note) = &prompt.note {
        draw_above(note, theme.text, canvas, footer);
    }
    let result =
        (prompt.kind == PromptKind::Filter && !typed.is_empty() && prompt.error.is_none()).then(|| {
            let all = state.survey.as_ref().map_or(0, |survey| survey.segments.len());
            let clear = state.keymap.keys_in(Context::Filter, Action::Close).next();
            let clear = clear.map_or_else(String::new, |key| format!("   {key} clear"));
            (format!("{} of {all} match{clear}", state.table.shown.len()), theme.dim)
        });
    // The error gets at most half of the line; the input scrolls.
    let answer = result.as_ref().map_or(0, |(text, _)| cells(text).min(footer.width / 2) + 3);
    let available = footer.width.saturating_sub(x + answer + 1).max(1);
    canvas.input(&prompt.input.input, Area::new(x, footer.y, available, 1), theme.text);
    if typed.is_empty() && prompt.error.is_none() {
        canvas.text(x + 1, footer.y, footer.width.saturating_sub(x + 1), example, theme.faint);
    }
    if let Some((text, style)) = result {
        canvas.text_right(footer.right() - 1, footer.y, answer.saturating_sub(3), &text, style);
    }
}

fn draw_mark_prompt(state: &State, go: bool, canvas: &mut Canvas<'_>, footer: Area) {
    let theme = canvas.theme;
    let marks = state.inspect.iter().flat_map(|inspect| &inspect.marks);
    let known: Vec<String> = marks.map(|(letter, offset)| format!("  {letter} {offset:#x}")).collect();
    let text = if go { "go to mark:" } else { "mark as (letter or digit):" };
    let x = canvas.text(1, footer.y, footer.width - 1, text, theme.accent);
    canvas.text(x, footer.y, footer.width.saturating_sub(x), &known.concat(), theme.text);
}

/// Draws a long text in full above the prompt.
fn draw_above(text: &str, style: Style, canvas: &mut Canvas<'_>, footer: Area) {
    let lines = canvas.wrap(text, footer.width.saturating_sub(2));
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).clamp(1, (footer.y / 2).max(1));
    let top = footer.y.saturating_sub(rows);
    canvas.rule(Area::new(0, top.saturating_sub(1), footer.width, 1));
    canvas.fill(Area::new(0, top, footer.width, rows), " ", canvas.theme.text);
    for (y, line) in (top..footer.y).zip(&lines) {
        canvas.text(1, y, footer.width.saturating_sub(1), line, style);
    }
}

/// Draws a notice on one line. A notice that does not fit is cut, with the key of the log, which
/// has the whole text.
fn draw_notice(state: &State, notice: &Notice, canvas: &mut Canvas<'_>, footer: Area) {
    let style = if notice.failed { canvas.theme.failed } else { canvas.theme.text };
    let room = footer.width.saturating_sub(2);
    if cells(&canvas.plain(&notice.text)) <= room {
        canvas.text(1, footer.y, room, &notice.text, style);
        return;
    }
    let key = state.key_of(Action::Log);
    let hint = Hint { key, label: "shows all".into(), priority: 0, enabled: true };
    let rest = room.saturating_sub(u16::try_from(hint.width() + GAP).unwrap_or(0));
    let text = canvas.cut(&notice.text, rest);
    let x = canvas.text(1, footer.y, rest, &text, style);
    draw_hint(&hint, x + u16::try_from(GAP).unwrap_or(2), canvas, footer);
}

/// Draws the progress of an action and the key that stops it.
fn draw_search(
    state: &State,
    pending: &crate::app::inspect::PendingSearch,
    canvas: &mut Canvas<'_>,
    footer: Area,
) {
    let (done, total) = pending.progress.unwrap_or((0, 0));
    let subject = canvas.fit(pending.subject.text(), footer.width / 3);
    let cells = (1, footer.y, footer.right());
    super::progress::draw(state, canvas, cells, (format!("searching for {subject}"), done, total));
}

fn draw_progress(
    state: &State,
    work: &RunningAction,
    at: &WorkProgress,
    canvas: &mut Canvas<'_>,
    footer: Area,
) {
    if work.stopping {
        canvas.text(1, footer.y, footer.width - 1, "stopping", canvas.theme.dim);
    } else {
        let figures = (at.text(), at.done, at.total);
        super::progress::draw(state, canvas, (1, footer.y, footer.right()), figures);
    }
}

fn draw_hints(state: &State, canvas: &mut Canvas<'_>, footer: Area) {
    let (hints, help) = hints(state, usize::from(footer.width.saturating_sub(2)));
    let mut x = 1;
    for hint in hints {
        x = draw_hint(&hint, x, canvas, footer) + u16::try_from(GAP).unwrap_or(2);
    }
    if let Some(help) = help {
        let width = u16::try_from(help.width()).unwrap_or(0);
        draw_hint(&help, footer.right().saturating_sub(width + 1), canvas, footer);
    }
}

/// The key of a hint as it is drawn.
pub fn key_text<'a>(hint: &'a Hint, theme: &Theme) -> &'a str {
    match hint.key.as_str() {
        "↵" if theme.glyphs.ascii => "enter",
        "↑↓" if theme.glyphs.ascii => "up/down",
        key => key,
    }
}

/// Draws a hint. Returns the next column.
pub fn draw_hint(hint: &Hint, x: u16, canvas: &mut Canvas<'_>, footer: Area) -> u16 {
    let (key, word) = canvas.theme.hint(hint.enabled);
    let x = canvas.text(x, footer.y, footer.width, key_text(hint, canvas.theme), key);
    canvas.text(x + 1, footer.y, footer.width, &hint.label, word)
}
