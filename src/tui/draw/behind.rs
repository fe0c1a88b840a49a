//! The sign of a recording or an armed trigger on the other screens.

use crate::app::State;
use crate::tui::theme::Theme;
use ratatui::style::Style;

/// Returns the sign: `● rec 1.2 MiB`, or `● T armed`.
pub fn behind(state: &State, theme: &Theme) -> Option<(String, Style)> {
    let [live, _] = theme.glyphs.live;
    let scope = &state.scope;
    if let Some(recorder) = &scope.recorder {
        let bytes = recorder.state.as_ref().map(|state| format!(" {}", state.bytes)).unwrap_or_default();
        return Some((format!("{live} rec{bytes}"), theme.failed));
    }
    let armed = scope.trigger.as_ref().filter(|_| scope.is_sampled_behind())?;
    Some((format!("{live} T {}", armed.status()), theme.accent))
}
