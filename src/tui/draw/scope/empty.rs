//! The texts of a screen or a plot without anything to show.

use crate::app::State;
use crate::app::action::Action;
use crate::app::layout::Area;
use crate::app::scope::{NoPlot, ShownPlot};
use crate::scope::Rate;
use crate::scope::units::frequency;
use crate::tui::canvas::{Canvas, cells};

/// Texts of channels, with their meaning.
const EXAMPLES: [[&str; 2]; 4] = [
    ["/telemetry:speed", "a field of a segment with a type"],
    ["/telemetry+0x18:f64", "a number at an offset"],
    ["/telemetry:samples", "an array: a curve across its indices"],
    ["load = head - tail", "computed from other channels"],
];
/// Cells from an example to the next column.
const EXAMPLE_WIDTH: u16 = 24;

/// Explains how to add channels.
pub fn draw(state: &State, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let (add, pin) = (state.key_of(Action::AddChannel), state.key_of(Action::Pin));
    let left = area.x + 2;
    let margin = cells(&add).max(cells(&pin)) + 2;
    let mut y = area.y + u16::from(area.height > 8);
    let width = area.right().saturating_sub(left + 1);
    let what = "No channels yet. A channel is a value in shared memory, sampled over time.";
    for line in canvas.wrap(what, width) {
        canvas.text(left, y, width, &line, theme.text);
        y += 1;
    }
    y += u16::from(area.height > 8);
    let mut line = |key: &str, example: &str, text: &str| {
        if y < area.bottom() {
            canvas.text(left, y, margin, key, theme.accent);
            let (mut x, mut style) = (left + margin, theme.text);
            if !example.is_empty() {
                canvas.text(x + 2, y, EXAMPLE_WIDTH, example, theme.text);
                (x, style) = (x + 2 + EXAMPLE_WIDTH, theme.dim);
            }
            let room = area.right().saturating_sub(x + 1);
            // The example says enough.
            if example.is_empty() || cells(text) <= room {
                canvas.text(x, y, room, &canvas.cut(text, room), style);
            }
        }
        y += 1;
    };
    line(&add, "", "add a channel:");
    for [example, meaning] in EXAMPLES {
        line("", example, meaning);
    }
    line(&pin, "", "in Inspect: add the selected value or array");
}

/// Explains why there is no plot.
pub fn no_plot(state: &State, shown: &ShownPlot, canvas: &mut Canvas<'_>, area: Area) {
    let ShownPlot::Nothing(reason) = shown else { return };
    let key = |action| state.key_of(action);
    let text = match reason {
        NoPlot::NoSamples => no_samples(state),
        NoPlot::NonePlotted => {
            format!("No channel is plotted ({} plots the selected one).", key(Action::Plot))
        }
        NoPlot::OnlyOne => format!(
            "XY takes two plotted channels ({} plots one, {} shows another plot).",
            key(Action::Plot),
            key(Action::PlotKind)
        ),
        NoPlot::NoValues if state.scope.selected().is_none() => "No visible element has a value.".to_owned(),
        NoPlot::NoValues => "The selected channel has no values in the visible time.".to_owned(),
        NoPlot::NoContents => no_contents(state),
    };
    let y = area.y + area.height / 2;
    let width = area.width.saturating_sub(4);
    let lines = canvas.wrap(&text, width);
    for (y, line) in (y..area.bottom()).zip(&lines) {
        canvas.text(area.x + 2, y, width, line, canvas.theme.text);
    }
}

fn no_contents(state: &State) -> String {
    match state.scope.selected_waveform().and_then(|one| Some((one, one.trouble.as_ref()?))) {
        Some((one, trouble)) => format!("No contents yet. {}: {}.", one.waveform.name, trouble.text()),
        None => "Waiting for the contents of the array.".to_owned(),
    }
}

fn no_samples(state: &State) -> String {
    let scope = &state.scope;
    if scope.recording.is_some() {
        return "The recording has no samples.".to_owned();
    }
    let trouble = scope.channels.iter().find_map(|one| Some((&one.channel.name, one.trouble.as_ref()?)));
    if let Some((name, trouble)) = trouble {
        return format!("No samples yet. {name}: {}.", trouble.text());
    }
    match scope.rate {
        Rate::Hertz(rate) => format!("Waiting for the first samples at {}.", frequency(rate)),
        Rate::Burst => "Waiting for the first samples of a burst.".to_owned(),
    }
}
