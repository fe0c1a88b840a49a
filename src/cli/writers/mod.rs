//! `writers`: shows which threads and functions write to a value.

mod notes;
mod print;
mod target;

pub use notes::Notes;

use super::args::WritersArgs;
use super::out::{Out, warn};
use super::progress::Interrupt;
use super::{Failure, Status, survey_with_unlinked};
use crate::engine::{Body, Job, Request, WatchedValue, Worker as _, Writers};
use crate::identify::typing::Knowledge;
use crate::machine::Machine;
use crate::scope::writers::{WriterTable, parts};
use print::Live;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Advice about threads that were released.
const NO_LIMIT: &str = "Use --no-limit to keep watching it";

/// Watches until the command is stopped, the time is over, the number of writes is reached, or the
/// segment is gone.
pub fn run(
    machine: &dyn Machine,
    knowledge: &Knowledge,
    args: &WritersArgs,
    out: &mut Out,
) -> Result<Status, Failure> {
    let survey = survey_with_unlinked(machine);
    let target = target::find(machine, knowledge, &survey, &args.value)?;
    parts(&target.range).map_err(|error| Failure::Usage(error.to_string()))?;
    let id = target.segment.id.clone();
    let text = target.text();
    let watched = WatchedValue {
        segment: target.segment.clone(),
        range: target.range,
        limit: (!args.no_limit).then_some(WatchedValue::LIMIT),
        count: args.count,
        sample: None,
    };
    // The worker runs on this thread: Ctrl-C and a closed pipe end the wait.
    let mut worker = Writers::default();
    let interrupt = Interrupt::listen();
    let started = Instant::now();
    worker.handle(machine, started.elapsed(), Job::new(Request::WatchWriters(Some(Box::new(watched)))));
    let mut watch = Watch { args, notes: Notes::new(text, NO_LIMIT), live: Live::default() };
    let mut is_gone = false;
    let mut end = None;
    loop {
        let now = started.elapsed();
        let mut is_complete = false;
        for report in worker.work(machine, now) {
            match report.body {
                Body::Writers(table) => {
                    watch.show(&table, out)?;
                    is_complete = table.is_complete;
                }
                Body::WritersEnded(_) => is_gone = true,
                _ => {}
            }
        }
        // The time begins once the threads are watched.
        let ended = started.elapsed();
        let end = *end.get_or_insert_with(|| args.duration.map(|duration| ended + duration));
        if is_gone || is_complete || interrupt.is_set() || end.is_some_and(|end| ended >= end) {
            break;
        }
        let next = worker.deadline().unwrap_or(ended).min(end.unwrap_or(Duration::MAX));
        out.wait(next.saturating_sub(ended))?;
    }
    let table = worker.finish(machine).or(watch.live.take_last()).unwrap_or_default();
    watch.finish(&table, started.elapsed(), out)?;
    match table.writers.is_empty() {
        _ if is_gone => Err(Failure::Vanished { id }),
        true => Ok(Status::Failed),
        false => Ok(Status::Success),
    }
}

/// Prints the tables.
struct Watch<'a> {
    args: &'a WritersArgs,
    notes: Notes,
    live: Live,
}

impl Watch<'_> {
    /// Shows a table on a terminal.
    fn show(&mut self, table: &WriterTable, out: &mut Out) -> Result<(), Failure> {
        self.tell(table, out)?;
        if out.is_terminal() && !self.args.json {
            self.live.draw(table, out)?;
            out.flush()?;
        }
        self.live.keep(table);
        Ok(())
    }

    fn tell(&mut self, table: &WriterTable, out: &mut Out) -> Result<(), Failure> {
        for note in self.notes.take(table, io::stderr().is_terminal())? {
            self.live.clear(out)?;
            out.flush()?;
            warn(&note);
        }
        Ok(())
    }

    /// Prints the final table.
    fn finish(&mut self, table: &WriterTable, time: Duration, out: &mut Out) -> Result<(), Failure> {
        self.tell(table, out)?;
        self.live.clear(out)?;
        if self.args.json {
            print::json(table, out)?;
        } else if !table.writers.is_empty() {
            print::table(table, usize::MAX, out)?;
            out.write_all(print::summary(table, out.style().ascii).as_bytes())?;
        }
        out.flush()?;
        if table.lost > 0 {
            warn(&format!("{} writes came too fast to tell who made them", table.lost));
        }
        if table.writers.is_empty() {
            warn(&self.notes.no_writes_text(table, time));
        }
        Ok(())
    }
}
