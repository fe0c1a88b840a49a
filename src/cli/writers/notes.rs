//! Messages about the threads that are watched. Each is told once.

use crate::cli::Failure;
use crate::engine::WatchedValue;
use crate::scope::units;
use crate::scope::writers::WriterTable;
use std::collections::BTreeSet;
use std::time::Duration;

/// The messages about the writers of a value.
pub struct Notes {
    /// The name of the value.
    value: String,
    /// Advice about threads that were released.
    remedy: &'static str,
    /// The first message about the threads that are watched.
    watched: Option<String>,
    told: BTreeSet<String>,
}

impl Notes {
    pub const fn new(value: String, remedy: &'static str) -> Self {
        Self { value, remedy, watched: None, told: BTreeSet::new() }
    }

    /// Returns the messages that were not told yet. With `is_terminal`, the first tells how to stop.
    ///
    /// # Errors
    /// Fails if no thread may be watched from the start on.
    pub fn take(&mut self, table: &WriterTable, is_terminal: bool) -> Result<Vec<String>, Failure> {
        let mut notes = vec![];
        if self.watched.is_none() {
            let watched = table.watched_text("watching", &self.value);
            self.watched = Some(watched.clone());
            match table.threads {
                0 if table.refused > 0 => return Err(Failure::NotWatched(watched)),
                0 if table.has_unexamined => notes.push(watched),
                0 => notes.push(format!("{watched} yet: waiting for one")),
                _ if is_terminal => notes.push(format!("{watched}; press Ctrl-C to stop")),
                _ if table.has_unexamined => notes.push(watched),
                _ => {}
            }
        }
        let released = table.released_texts(WatchedValue::LIMIT);
        let released = released.map(|released| format!("{released}. {}", self.remedy));
        let all = table.problems.iter().cloned().chain(released);
        notes.extend(all.filter(|note| self.told.insert(note.clone())));
        Ok(notes)
    }

    /// Tells at the end that there were no writes, with the reason unless it was told.
    pub fn no_writes_text(&self, table: &WriterTable, time: Duration) -> String {
        let time = units::duration(time.as_secs_f64() * 1e9);
        let watched = table.watched_text("watched", &self.value);
        match table.threads {
            0 if self.watched.as_ref() == Some(&watched) => format!("no writes in {time}"),
            0 => format!("no writes in {time}: {watched}"),
            _ => format!("no writes in {time}: {watched}. Writes by the kernel, as in read(2), are not seen"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(table: &WriterTable) -> Result<Vec<String>, Failure> {
        Notes::new("/a+0x10".to_owned(), "").take(table, false)
    }

    #[test]
    fn each_reason_for_no_threads_has_one_message() {
        let none = WriterTable::default();
        assert_eq!(notes(&none).unwrap(), ["no process maps /a+0x10 for writing yet: waiting for one"]);
        let foreign = WriterTable { has_unexamined: true, ..none.clone() };
        let expected = "no process that you may examine maps /a+0x10 for writing. Run as root to watch those of other \
                        users";
        assert_eq!(notes(&foreign).unwrap(), [expected]);
        let problems = vec!["kernel.perf_event_paranoid is 4".to_owned()];
        let refused = WriterTable { refused: 1, problems, ..foreign };
        assert_eq!(notes(&refused).unwrap_err().to_string(), "kernel.perf_event_paranoid is 4");
    }

    #[test]
    fn messages_are_not_repeated() {
        let mut notes = Notes::new("/a+0x10".to_owned(), "");
        let problems = vec!["one".to_owned()];
        let mut table = WriterTable { threads: 2, processes: 1, problems, ..WriterTable::default() };
        let watching = "watching /a+0x10 in 2 threads of 1 process; press Ctrl-C to stop";
        assert_eq!(notes.take(&table, true).unwrap(), [watching, "one"]);
        table.problems.push("two".to_owned());
        assert_eq!(notes.take(&table, true).unwrap(), ["two"]);
        table.has_unexamined = true;
        assert!(notes.take(&table, true).unwrap().is_empty());
    }
}
