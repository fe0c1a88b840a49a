//! The title: sampling, trigger, and if the view is live. The achieved rate, the jitter and the missed
//! samples are always shown; the trigger is shortened first.

use super::symbols;
use crate::app::layout::Area;
use crate::app::scope::{AtWrites, Scope};
use crate::scope::plot::relative;
use crate::scope::units::{duration, frequency, rounded};
use crate::scope::{Rate, Timing};
use crate::tui::canvas::{Canvas, cells};
use ratatui::style::Style;

const GAP: u16 = 3;
/// Cells that a trigger gets before the other parts take short forms.
const MIN_TRIGGER_WIDTH: u16 = 20;
/// Fewer cells tell nothing about a trigger.
const LEAST_TRIGGER_WIDTH: u16 = 8;
/// Narrower terminals begin with the second form.
const WIDE: u16 = 100;
const MAX_NAME_WIDTH: u16 = 24;
/// A rate below this share of the requested one is conspicuous.
const LOW_RATE: f64 = 0.9;

/// A text with its style.
type Part = (String, Style);

pub fn draw(scope: &Scope, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let edge = area.right().saturating_sub(1);
    let status = status(scope, canvas, area.width < WIDE);
    let trigger = trigger_texts(scope);
    let wanted = trigger.as_ref().map_or(0, |[_, short]| cells(short).min(MIN_TRIGGER_WIDTH) + GAP);
    let room = edge.saturating_sub(1 + cells(&status.0) + GAP);
    let all = forms(scope, canvas);
    let first = usize::from(area.width < WIDE);
    let fits = |form: &&Vec<Vec<Part>>, wanted: u16| width(form) + wanted <= room;
    // The shortest form has no name.
    let named = &all[first.min(all.len() - 1)..all.len().saturating_sub(1).max(1)];
    let roomy = named.iter().find(|form| fits(form, wanted));
    let Some(form) = roomy.or_else(|| all.iter().find(|form| fits(form, 0))).or(all.last()) else { return };
    let mut x = 1;
    for part in form {
        for (text, style) in part {
            x = canvas.text(x, area.y, edge.saturating_sub(x), text, *style);
        }
        x += GAP;
    }
    let (text, style) = status;
    let left = edge.saturating_sub(x + GAP + cells(&text));
    if let Some([long, short]) = trigger.filter(|_| left >= LEAST_TRIGGER_WIDTH) {
        let style = if scope.trigger.as_ref().is_some_and(|armed| armed.count > 0) {
            theme.accent
        } else {
            theme.text
        };
        let trigger = canvas.cut(if cells(&long) <= left { &long } else { &short }, left);
        canvas.text(x, area.y, left, &trigger, style);
    }
    if x <= edge.saturating_sub(cells(&text)) + GAP {
        canvas.text_right(edge, area.y, cells(&text), &text, style);
    } else {
        // The symbol alone.
        canvas.text(edge.saturating_sub(1), area.y, 1, &text, style);
    }
}

fn width(form: &[Vec<Part>]) -> u16 {
    let part = |part: &Vec<Part>| part.iter().map(|(text, _)| cells(text)).sum::<u16>() + GAP;
    form.iter().map(part).sum::<u16>().saturating_sub(GAP)
}

/// The parts before the trigger, from the longest form to the shortest.
fn forms(scope: &Scope, canvas: &Canvas<'_>) -> Vec<Vec<Vec<Part>>> {
    let theme = canvas.theme;
    let name = || vec![("Scope".to_owned(), theme.strong)];
    let counted = |count: usize, noun: &str| match count {
        0 => None,
        1 => Some(format!("1 {noun}")),
        count => Some(format!("{count} {noun}s")),
    };
    let counts = [counted(scope.channels.len(), "channel"), counted(scope.waveforms.len(), "waveform")];
    let count = counts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let count = || vec![(count.clone(), theme.text)];
    if scope.is_empty() {
        return vec![vec![name()]];
    }
    if scope.channels.is_empty() {
        let rate = 1.0 / scope.array_interval().as_secs_f64();
        let rate = || vec![(format!("read {} times a second", rounded(rate, 2)), theme.text)];
        return vec![vec![name(), count(), rate()], vec![name(), rate()], vec![name()]];
    }
    let [long, middle, short, least] = timing(scope, canvas);
    vec![
        vec![name(), count(), long],
        vec![name(), count(), middle.clone()],
        vec![name(), middle],
        vec![name(), short],
        vec![least],
    ]
}

/// The rate, the jitter and the missed samples, in four lengths. In a burst no time is promised, so that none
/// is missed: gaps are counted instead, as in a recording that does not have these figures.
fn timing(scope: &Scope, canvas: &Canvas<'_>) -> [Vec<Part>; 4] {
    let theme = canvas.theme;
    if let Some(at_writes) = &scope.at_writes {
        return writes(scope, at_writes, canvas);
    }
    let Timing { samples, missed, gaps, jitter, .. } = scope.timing;
    let achieved = scope.timing.achieved();
    let (requested, figures) = match (&scope.recording, scope.rate) {
        (Some(recording), _) => {
            ("recorded".to_owned(), recording.figures.map(|figures| (figures.jitter(), figures.missed)))
        }
        (None, Rate::Hertz(rate)) => (frequency(rate), Some((jitter, missed))),
        (None, Rate::Burst) => ("burst".to_owned(), None),
    };
    if samples < 2 {
        let yet = if scope.recording.is_some() { "fewer than 2 samples" } else { "no samples yet" };
        let text = format!("{requested}: {yet}");
        return [0; 4].map(|_| vec![(text.clone(), theme.text)]);
    }
    let is_low =
        matches!(scope.rate, Rate::Hertz(rate) if scope.recording.is_none() && achieved < rate * LOW_RATE);
    let rate_style = if is_low { theme.removed } else { theme.text };
    let (lost, text) = match figures {
        Some((_, missed)) => (missed, format!("{missed} missed")),
        None if gaps == 1 => (gaps, "1 gap".to_owned()),
        None => (gaps, format!("{gaps} gaps")),
    };
    let lost_style = if lost > 0 { theme.removed } else { theme.text };
    let jitter = figures.map(|(jitter, _)| symbols(&duration(relative_nanos(jitter)), canvas).into_owned());
    let long = jitter.as_ref().map_or_else(|| ", ".to_owned(), |jitter| format!(", jitter {jitter}, "));
    let plus_minus = symbols("±", canvas);
    let short = jitter
        .as_ref()
        .map_or_else(|| ", ".to_owned(), |jitter| format!(" {plus_minus}{}, ", jitter.replace(' ', "")));
    let figure = match scope.rate {
        Rate::Hertz(_) => rounded(achieved, 4),
        Rate::Burst => frequency(achieved),
    };
    let per_second = format!("{}/s", rounded(achieved, 4));
    let form = |before: String, figure: &str, after: String| {
        vec![
            (before, theme.text),
            (figure.to_owned(), rate_style),
            (after, theme.text),
            (text.clone(), lost_style),
        ]
    };
    // The requested rate of a recording is not known.
    let (before, after) = match &scope.recording {
        Some(_) => (String::new(), format!("/s recorded{long}")),
        None => (format!("{requested}: "), format!(" achieved{long}")),
    };
    let middle = if scope.recording.is_some() { after.clone() } else { long.clone() };
    [
        form(before.clone(), &figure, after),
        form(before, &figure, middle),
        form(String::new(), &per_second, long),
        form(String::new(), &per_second, short),
    ]
}

/// The rate of the writes that are sampled, with those that were lost and those whose values came too late,
/// in four lengths.
fn writes(scope: &Scope, at_writes: &AtWrites, canvas: &Canvas<'_>) -> [Vec<Part>; 4] {
    let theme = canvas.theme;
    let Timing { samples, missed, late, jitter, .. } = scope.timing;
    if samples < 2 {
        let watched = at_writes.writers.as_ref().filter(|table| table.threads == 0);
        let why = watched.map_or_else(|| "no writes yet".to_owned(), |table| table.watched_text("", "it"));
        let texts =
            [format!("at every write: {why}"), format!("at every write: {why}"), why, "no writes".to_owned()];
        return texts.map(|text| vec![(text, theme.text)]);
    }
    let rate = format!("{}/s", rounded(scope.timing.achieved(), 4));
    let later = symbols(&duration(relative_nanos(jitter)), canvas).into_owned();
    let form = |before: String| {
        let lost_style = if missed > 0 { theme.removed } else { theme.text };
        let late_style = if late > 0 { theme.accent } else { theme.text };
        vec![
            (before, theme.text),
            (format!("{late} late"), late_style),
            (", ".to_owned(), theme.text),
            (format!("{missed} lost"), lost_style),
        ]
    };
    [
        form(format!("at every write: {rate}, read {later} later, ")),
        form(format!("at every write: {rate}, ")),
        form(format!("every write: {rate}, ")),
        form(format!("{rate}, ")),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "only shown")]
const fn relative_nanos(time: std::time::Duration) -> f64 {
    time.as_nanos() as f64
}

/// The state of the trigger and its condition, in two lengths.
fn trigger_texts(scope: &Scope) -> Option<[String; 2]> {
    let armed = scope.trigger.as_ref()?;
    let text = format!("{}, {}", scope.trigger_status()?, armed.trigger.condition);
    Some([format!("trigger: {text}"), format!("T {text}")])
}

/// The state of the view.
fn status(scope: &Scope, canvas: &Canvas<'_>, is_narrow: bool) -> Part {
    let theme = canvas.theme;
    let [live, still] = theme.glyphs.live;
    let view = &scope.view;
    if scope.is_empty() && scope.recording.is_none() {
        return (String::new(), theme.text);
    }
    if let Some(recorder) = &scope.recorder {
        let text =
            recorder.state.as_ref().map_or_else(|| "starts".to_owned(), |state| state.bytes.to_string());
        return (format!("{live} recording {text}"), theme.failed);
    }
    match (&scope.recording, view.is_frozen, view.end) {
        (Some(shown), ..) if is_narrow => {
            (format!("{still} {}", canvas.fit(&shown.name, MAX_NAME_WIDTH / 2)), theme.accent)
        }
        (Some(shown), ..) => {
            (format!("{still} replaying {}", canvas.fit(&shown.name, MAX_NAME_WIDTH)), theme.accent)
        }
        (None, true, _) => (format!("{still} frozen"), theme.accent),
        (None, false, Some(end))
            if scope.history.newest().is_some_and(|newest| relative(newest, end) > 0.0) =>
        {
            (format!("{live} at trigger"), theme.in_use)
        }
        (None, false, _) => (format!("{live} live"), theme.in_use),
    }
}
