//! A segment that is to be made: what is typed for it, and what would come of it.

use super::form::{self, Line as FormLine};
use crate::app::State;
use crate::app::layout::Area;
use crate::app::layout::overlay::{WIDEST, centred};
use crate::app::new_segment::{Line, New, Step};
use crate::app::sentence::sentence;
use crate::app::text_field::TextField;
use crate::segment::Kind;
use crate::tui::canvas::Canvas;
use ratatui::style::Style;

/// Where fields begin.
const FIELD: u16 = 12;
/// How wide a field is that takes a word.
const WORD: u16 = 16;
/// Below this, remarks have no room.
const NARROW: u16 = 60;
/// So many lines are kept for what would come of it.
const WORDS: u16 = 4;

pub fn draw(state: &State, form: &New, canvas: &mut Canvas<'_>) {
    let width = WIDEST.min(state.size.width).saturating_sub(4);
    let mut lines: Vec<FormLine<Line>> = form.lines().iter().map(|line| FormLine::Field(*line)).collect();
    lines.push(FormLine::Gap);
    let said = said(form, canvas);
    let foot = form::foot_lines(canvas, width, &said).max(WORDS);
    let wanted = u16::try_from(lines.len() + 1).unwrap_or(u16::MAX).saturating_add(foot);
    let inside = canvas.frame(centred(state.size, u16::MAX - 4, wanted), "New segment");
    let keys: [&str; 2] = match form.line {
        _ if form.step == Step::Making => ["creating", "creating"],
        Line::Kind | Line::Exclusive | Line::Huge | Line::NoReserve => {
            ["space toggle   tab next field   ↵ create   esc cancel", "space toggle   ↵ create   esc cancel"]
        }
        _ => ["tab next field   ↵ create   esc cancel", "tab next   ↵ create   esc cancel"],
    };
    let area = form::foot(canvas, inside, &said, &keys);
    form::draw(canvas, area, &lines, form.place(), |canvas, area, line| draw_line(form, *line, canvas, area));
}

/// What would come of it, what stands against it, or what is missing.
fn said(form: &New, canvas: &Canvas<'_>) -> Vec<(String, Style)> {
    let theme = canvas.theme;
    if let Some(error) = &form.error {
        return vec![(sentence(error), theme.failed)];
    }
    if let Err(reason) = form.question() {
        // What is still missing is no error yet.
        let style = if form.is_incomplete() { theme.dim } else { theme.failed };
        return vec![(sentence(&reason), style)];
    }
    match &form.plan {
        None => vec![],
        Some(Err(reason)) => vec![(sentence(reason), theme.failed)],
        Some(Ok(plan)) => match &plan.refusal {
            Some(refusal) => {
                vec![(sentence(&format!("{}. {}", refusal.reason, refusal.remedy)), theme.failed)]
            }
            None => plan.will.iter().map(|text| (text.clone(), theme.text)).collect(),
        },
    }
}

fn draw_line(form: &New, line: Line, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let has_keys = form.line == line;
    let room = area.width.saturating_sub(FIELD);
    let of_file = TextField::default();
    let (name, field, width, example) = match line {
        Line::Name => ("name", &form.name, room, "/camera0"),
        Line::Key => ("key", &form.key, WORD, "private"),
        Line::Size if form.size_text().is_empty() && !form.size.edited => {
            ("size", &of_file, WORD, "file size")
        }
        Line::Size => ("size", &form.size, WORD, "file size"),
        Line::Mode => ("mode", &form.mode, WORD, ""),
        Line::From => ("from", &form.from, room, "file to copy from; empty for zeros"),
        Line::Kind | Line::Exclusive | Line::Huge | Line::NoReserve => {
            let (name, text) = chosen(form, line);
            form::label(canvas, area, name, has_keys);
            canvas.text(area.x + FIELD, area.y, room, &text, theme.text);
            return;
        }
    };
    form::label(canvas, area, name, has_keys);
    form::text_field(canvas, Area::new(area.x + FIELD, area.y, width.min(room), 1), field, has_keys, example);
    let remark = match line {
        Line::Key => "0x4d2 or 1234; empty for private",
        Line::Size => "bytes, or with K, M, G",
        Line::Mode => "0600 or u=rw,g=r; umask is ignored",
        _ => "",
    };
    let x = FIELD + WORD + 2;
    if area.width < NARROW {
        return;
    }
    let remark = canvas.cut(remark, area.width.saturating_sub(x));
    canvas.text(area.x + x, area.y, area.width.saturating_sub(x), &remark, theme.dim);
}

/// A line that is turned round: its name, and how it stands.
fn chosen(form: &New, line: Line) -> (&'static str, String) {
    let tick = |on: bool, words: &str| format!("[{}] {words}", if on { 'x' } else { ' ' });
    match line {
        Line::Kind => {
            let sign = |kind| if form.kind == kind { 'x' } else { ' ' };
            ("kind", format!("({}) POSIX   ({}) System V", sign(Kind::Posix), sign(Kind::Sysv)))
        }
        Line::Huge => ("huge", tick(form.huge, "use huge pages")),
        Line::NoReserve => ("no reserve", tick(form.no_reserve, "do not reserve memory")),
        _ => ("exclusive", tick(form.exclusive, "fail if it exists (off: select the existing segment)")),
    }
}
