//! The texts of a screen or a plot without anything to show.

use crate::app::State;
use crate::app::action::Action;
use crate::app::layout::Area;
use crate::app::scope::{NoPlot, ShownPlot};
use crate::scope::Rate;
use crate::scope::units::frequency;
use crate::tui::canvas::{Canvas, cells};

/// Explains how to add channels.
pub fn draw(state: &State, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let (add, pin) = (state.key_of(Action::AddChannel), state.key_of(Action::Pin));
    let lines = [
        (
            String::new(),
            "No channels yet. A channel is a value in shared memory, sampled over time.".to_owned(),
        ),
        (String::new(), String::new()),
        (add, "add a channel by its text:".to_owned()),
        (String::new(), "/telemetry:speed          a field of a segment with a type".to_owned()),
        (String::new(), "/telemetry+0x18:f64       a number at an offset".to_owned()),
        (String::new(), "load = head - tail        computed from other channels".to_owned()),
        (pin, "in Inspect: add the value or field under the cursor".to_owned()),
    ];
    let left = area.x + 2;
    let margin = lines.iter().map(|(key, _)| cells(key)).max().unwrap_or(0) + 2;
    let top = area.y + area.height.saturating_sub(7).min(2) / 2;
    for (y, (key, text)) in (top..area.bottom()).zip(&lines) {
        canvas.text(left, y, margin, key, theme.accent);
        let x = if y == top { left } else { left + margin };
        let is_example = key.is_empty() && y > top;
        let (x, style) = if is_example { (x + 2, theme.dim) } else { (x, theme.text) };
        let width = area.right().saturating_sub(x + 1);
        let text = canvas.cut(text, width);
        canvas.text(x, y, width, &text, style);
    }
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
        NoPlot::NoValues => "The selected channel has no values in the visible time.".to_owned(),
    };
    let y = area.y + area.height / 2;
    let width = area.width.saturating_sub(4);
    let lines = canvas.wrap(&text, width);
    for (y, line) in (y..area.bottom()).zip(&lines) {
        canvas.text(area.x + 2, y, width, line, canvas.theme.text);
    }
}

fn no_samples(state: &State) -> String {
    let scope = &state.scope;
    let trouble = scope.channels.iter().find_map(|one| Some((&one.channel.name, one.trouble.as_ref()?)));
    if let Some((name, trouble)) = trouble {
        return format!("No samples yet. {name}: {}.", trouble.text());
    }
    match scope.rate {
        Rate::Hertz(rate) => format!("Waiting for the first samples at {}.", frequency(rate)),
        Rate::Burst => "Waiting for the first samples of a burst.".to_owned(),
    }
}
