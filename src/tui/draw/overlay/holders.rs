//! The list of holders, and the dialog for terminating a holder.

use super::list::{Entries, NO_ENTRY, Panel};
use crate::app::State;
use crate::app::holders::{HolderRow, Holders, OtherSegment, Terminate};
use crate::app::overlay::Overlay;
use crate::app::sentence::label_of;
use crate::segment::{Bytes, Holder, Timestamp, age_text};
use crate::tui::canvas::{Canvas, cells};
use std::slice;

/// Maximum number of segments listed in the dialog.
const MAX_LISTED: usize = 6;

struct HolderColumns {
    pid: usize,
    command: u16,
    user: u16,
}

impl HolderColumns {
    fn of(rows: &[HolderRow], width: u16) -> Self {
        let widest = |text: fn(&Holder) -> String| {
            rows.iter().map(|row| cells(&text(&row.holder))).max().unwrap_or_default()
        };
        let (pid, user) =
            (widest(|holder| holder.pid.to_string()), widest(|holder| holder.owner.user_text()));
        let user = user.min(12);
        // Access, age, the note for shmlens, and the gaps.
        let available = width.saturating_sub(pid + user + 34).max(8);
        Self { pid: pid.into(), command: widest(Holder::command_text).min(available), user }
    }

    /// Formats a holder: `4121 writer     rw  ann  up 3m`.
    fn line(&self, holder: &Holder, now: Timestamp, canvas: &Canvas<'_>) -> String {
        let pad = |text: &str, width: u16| {
            let text = canvas.fit(text, width);
            format!("{text}{}", " ".repeat(width.saturating_sub(cells(&text)).into()))
        };
        format!(
            "{:>pid$} {}  {:<2}  {}  up {}{}",
            holder.pid,
            pad(&holder.command_text(), self.command),
            holder.access.keyword(),
            pad(&holder.owner.user_text(), self.user),
            age_text(now.seconds_since(holder.started)),
            if holder.ourselves { "  (shmlens)" } else { "" },
            pid = self.pid,
        )
    }
}

pub fn draw(state: &State, overlay: &Overlay, holders: &Holders, canvas: &mut Canvas<'_>) {
    let Some(survey) = &state.survey else { return };
    let theme = canvas.theme;
    let mut entries = Entries::of(state);
    let columns = HolderColumns::of(&holders.rows, entries.width);
    for (index, row) in holders.rows.iter().enumerate() {
        entries.line(index, 0, columns.line(&row.holder, survey.at, canvas), theme.strong);
        entries.add(canvas, index, 2, &format!("{}; {}", row.access_text(), row.holds_text()), theme.text);
    }
    let unknown = holders.reasons_for_doubt(survey, state.user == "root");
    if holders.gone {
        entries.add(canvas, NO_ENTRY, 0, "Segment is gone.", theme.removed);
    } else if holders.rows.is_empty() && holders.segment.unseen() == 0 {
        let text = if unknown.is_empty() { "No holders." } else { "No holders found." };
        entries.add(canvas, NO_ENTRY, 0, text, theme.text);
    }
    for text in unknown {
        entries.add(canvas, NO_ENTRY, 0, &text, theme.removed);
    }
    Panel::new(holders.title(), entries, holders.list.selected).draw(state, overlay, canvas);
}

/// Draws the dialog: the process, its segments, and the effect of terminating it.
pub fn terminate(state: &State, overlay: &Overlay, shown: &Terminate, canvas: &mut Canvas<'_>) {
    let Some(survey) = &state.survey else { return };
    let theme = canvas.theme;
    let mut entries = Entries::of(state);
    let row = &shown.row;
    let columns = HolderColumns::of(slice::from_ref(row), entries.width);
    entries.line(NO_ENTRY, 0, columns.line(&row.holder, survey.at, canvas), theme.strong);
    let note = "Sends SIGTERM; may be ignored. Cannot be undone.";
    entries.add(canvas, NO_ENTRY, 0, note, theme.text);
    let segment = label_of(&shown.back.segment);
    let holds = format!("Holds {segment} ({}){}", row.access_text(), other_segments(row));
    entries.add(canvas, NO_ENTRY, 0, &holds, theme.text);
    for other in row.others.iter().take(MAX_LISTED) {
        let text = format!("{}  {}  {}", other.label, other.access.keyword(), other.resident);
        let fits = canvas.fit(&text, entries.width.saturating_sub(4));
        entries.line(NO_ENTRY, 2, fits, theme.text);
    }
    if row.others.len() > MAX_LISTED {
        entries.line(NO_ENTRY, 2, format!("and {} more", row.others.len() - MAX_LISTED), theme.text);
    }
    let last: Vec<&OtherSegment> = row.others.iter().filter(|other| other.freed).collect();
    if !last.is_empty() {
        let bytes: Bytes = last.iter().map(|other| other.resident).sum();
        let text = match last.as_slice() {
            [one] => format!("{} is already removed; {bytes} freed when the process exits", one.label),
            many => {
                format!("{} of these are already removed; {bytes} freed when the process exits", many.len())
            }
        };
        entries.add(canvas, NO_ENTRY, 0, &text, theme.removed);
    }
    Panel::new(format!("Terminate {}", shown.termination.name), entries, NO_ENTRY)
        .draw(state, overlay, canvas);
}

fn other_segments(row: &HolderRow) -> String {
    match row.others.len() {
        0 => " and no other segments.".to_owned(),
        1 => " and 1 more segment:".to_owned(),
        many => format!(" and {many} more segments:"),
    }
}
