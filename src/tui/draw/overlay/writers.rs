//! The list of threads that write to a value.

use super::list::{Entries, NO_ENTRY, Panel};
use crate::app::State;
use crate::app::overlay::Overlay;
use crate::app::writers::Writers;
use crate::scope::writers::{ThreadState, Writer};
use crate::segment::escape;
use crate::tui::canvas::{Canvas, cells};

/// The most cells of the name of a process.
const MAX_PROCESS: u16 = 24;

pub fn draw(state: &State, overlay: &Overlay, shown: &Writers, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let mut entries = Entries::of(state);
    let widest = shown.rows().iter().map(|writer| cells(&process(writer))).max().unwrap_or_default();
    let tids = shown.rows().iter().map(|writer| writer.tid.to_string().len()).max().unwrap_or_default();
    for (index, writer) in shown.rows().iter().enumerate() {
        let name = canvas.fit(&process(writer), MAX_PROCESS);
        let gap = widest.min(MAX_PROCESS).saturating_sub(cells(&name)).into();
        let source = writer.place.source().map(|source| format!("  {source}")).unwrap_or_default();
        let line =
            format!("{name}{:gap$}  thread {:<tids$}  {}{source}", "", writer.tid, writer.place.name());
        let (strong, text) = match writer.state {
            ThreadState::Watched => (theme.strong, theme.text),
            ThreadState::Released => (theme.strong, theme.removed),
            ThreadState::Ended => (theme.dim, theme.dim),
        };
        entries.add(canvas, index, 0, &line, strong);
        entries.add(canvas, index, 2, &shown.row_text(writer, state.now), text);
    }
    if shown.gone {
        entries.add(canvas, NO_ENTRY, 0, "Segment is gone.", theme.removed);
    } else if let Some(text) = shown.waiting_text() {
        entries.add(canvas, NO_ENTRY, 0, &text, theme.text);
    }
    for problem in shown.table().iter().flat_map(|table| &table.problems) {
        entries.add(canvas, NO_ENTRY, 0, problem, theme.removed);
    }
    let mut panel = Panel { is_wide: true, ..Panel::new(shown.title(), entries, shown.list.selected) };
    if let Some(table) = shown.table().filter(|table| table.threads > 0 || !table.writers.is_empty()) {
        panel.footer = vec![
            (table.summary(), theme.text),
            ("Not seen: writes by the kernel, as in read(2).".to_owned(), theme.dim),
        ];
        if shown.rows().iter().any(|writer| writer.state == ThreadState::Released) {
            let remedy = "`shmlens writers --no-limit` keeps watching released threads.";
            panel.footer.push((remedy.to_owned(), theme.dim));
        }
        if table.has_unexamined {
            let others = "Processes of other users are not watched: run as root to watch those.";
            panel.footer.push((others.to_owned(), theme.dim));
        }
    }
    panel.draw(state, overlay, canvas);
}

/// `motor (4121)`
fn process(writer: &Writer) -> String {
    format!("{} ({})", escape(&writer.command), writer.pid)
}
