//! Who holds the selected segment, in full; and the question whether one of
//! them is to end.

use super::entries::{Entries, NO_ENTRY};
use super::more;
use crate::app::State;
use crate::app::holders::{Ask, Holders, Other, Row};
use crate::app::layout::Area;
use crate::app::layout::overlay::{WIDEST, centred};
use crate::app::sentence::label_of;
use crate::segment::{Bytes, Holder, Timestamp, age_text};
use crate::survey::Survey;
use crate::tui::canvas::{Canvas, cells};
use std::slice;

/// So many of the segments of one that is to end are listed.
const LISTED: usize = 6;

pub fn draw(state: &State, holders: &Holders, canvas: &mut Canvas<'_>) {
    let Some(survey) = &state.survey else { return };
    match &holders.ask {
        Some(ask) => question(state, ask, &label_of(&holders.segment), survey.at, canvas),
        None => list(state, holders, survey, canvas),
    }
}

/// How wide the columns of the first lines are.
struct Columns {
    pid: usize,
    command: u16,
    user: u16,
}

impl Columns {
    fn of(rows: &[Row], width: u16) -> Self {
        let widest = |text: fn(&Holder) -> String| {
            rows.iter().map(|row| cells(&text(&row.holder))).max().unwrap_or_default()
        };
        let (pid, user) =
            (widest(|holder| holder.pid.to_string()), widest(|holder| holder.owner.user_text()));
        let user = user.min(12);
        // Access, age, the words for us, and the gaps.
        let room = width.saturating_sub(pid + user + 34).max(8);
        Self { pid: pid.into(), command: widest(Holder::command_text).min(room), user }
    }

    /// `4121 writer     rw  ann  up 3m`
    fn line(&self, holder: &Holder, now: Timestamp, canvas: &Canvas<'_>) -> String {
        let pad = |text: &str, width: u16| {
            let text = canvas.fit(text, width);
            format!("{text}{}", " ".repeat(width.saturating_sub(cells(&text)).into()))
        };
        format!(
            "{:>pid$} {}  {:<2}  {}  up {}{}",
            holder.pid,
            pad(&holder.command_text(), self.command),
            holder.access.word(),
            pad(&holder.owner.user_text(), self.user),
            age_text(now.seconds_since(holder.began)),
            if holder.ourselves { "  (shmlens)" } else { "" },
            pid = self.pid,
        )
    }
}

fn list(state: &State, holders: &Holders, survey: &Survey, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let width = WIDEST.min(state.size.width).saturating_sub(4);
    let mut entries = Entries::new(width);
    let columns = Columns::of(&holders.rows, width);
    for (at, row) in holders.rows.iter().enumerate() {
        entries.line(at, 0, columns.line(&row.holder, survey.at, canvas), theme.strong);
        entries.add(canvas, at, 2, &format!("{}; {}", row.how(), row.holds()), theme.text);
    }
    let unknown = holders.unknown(survey, state.user == "root");
    if holders.gone {
        entries.add(canvas, NO_ENTRY, 0, "Segment is gone.", theme.removed);
    } else if holders.rows.is_empty() && holders.segment.unseen() == 0 {
        let text = if unknown.is_empty() { "No holders." } else { "No holders found." };
        entries.add(canvas, NO_ENTRY, 0, text, theme.text);
    }
    for text in unknown {
        entries.add(canvas, NO_ENTRY, 0, &text, theme.removed);
    }
    let wanted = entries.height().saturating_add(2);
    let inside = canvas.frame(centred(state.size, u16::MAX - 4, wanted), &holders.title());
    let shown = Area { height: inside.height.saturating_sub(2), ..inside };
    let hidden = entries.draw(holders.selected, canvas, shown);
    more(hidden, canvas, inside);
    let text = if holders.rows.is_empty() { "esc close" } else { "K terminate   esc close" };
    canvas.text_right(inside.right(), inside.bottom().saturating_sub(1), inside.width, text, theme.accent);
}

/// Who is to end, what it holds, and what goes with it.
fn question(state: &State, ask: &Ask, shown: &str, now: Timestamp, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let width = WIDEST.min(state.size.width).saturating_sub(4);
    let mut entries = Entries::new(width);
    let row = &ask.row;
    let columns = Columns::of(slice::from_ref(row), width);
    entries.line(0, 0, columns.line(&row.holder, now, canvas), theme.strong);
    let what = "Sends SIGTERM; may be ignored. Cannot be undone.";
    entries.add(canvas, 0, 0, what, theme.text);
    entries.add(canvas, 0, 0, &format!("Holds {shown} ({}){}", row.how(), also(row)), theme.text);
    for other in row.others.iter().take(LISTED) {
        let text = format!("{}  {}  {}", other.label, other.access.word(), other.resident);
        let fits = canvas.fit(&text, width.saturating_sub(4));
        entries.line(0, 2, fits, theme.text);
    }
    if row.others.len() > LISTED {
        entries.line(0, 2, format!("and {} more", row.others.len() - LISTED), theme.text);
    }
    let last: Vec<&Other> = row.others.iter().filter(|other| other.last).collect();
    if !last.is_empty() {
        let bytes: Bytes = last.iter().map(|other| other.resident).sum();
        let text = match last.as_slice() {
            [one] => format!("{} is already removed; {bytes} freed when the process exits", one.label),
            many => {
                format!("{} of these are already removed; {bytes} freed when the process exits", many.len())
            }
        };
        entries.add(canvas, 0, 0, &text, theme.removed);
    }
    let wanted = entries.height().saturating_add(2);
    let title = format!("Terminate {}", ask.ending.name);
    let inside = canvas.frame(centred(state.size, u16::MAX - 4, wanted), &title);
    let area = Area { height: inside.height.saturating_sub(2), ..inside };
    entries.draw(NO_ENTRY, canvas, area);
    let y = inside.bottom().saturating_sub(1);
    if ask.acting {
        canvas.text(inside.x + 1, y, inside.width, "SIGTERM sent; waiting", theme.dim);
    } else {
        canvas.text_right(inside.right(), y, inside.width, "y terminate   esc cancel", theme.accent);
    }
}

fn also(row: &Row) -> String {
    match row.others.len() {
        0 => " and no other segments.".to_owned(),
        1 => " and 1 more segment:".to_owned(),
        many => format!(" and {many} more segments:"),
    }
}
