//! The command line: its arguments, and a report a file.

pub mod args;
mod change;
mod choose;
mod completions;
mod dump;
mod failure;
mod find;
mod info;
pub mod json;
mod limits;
mod list;
mod man;
pub mod out;
mod part;
mod progress;
mod style;
mod table;
mod text;
mod time;
mod watch;

pub use args::{Args, Change, Command, Report};
pub use change::run as change;
pub use failure::{Failure, Status};
pub use style::{Style, locale_is_utf8};

use crate::identify;
use crate::machine::Machine;
use crate::survey::{Names, Survey};
use out::Out;

/// Makes a report on what is on `machine`.
///
/// # Errors
/// When it cannot be made; [`Failure::status`] says how the program ends then.
pub fn run(machine: &dyn Machine, report: &Report, out: &mut Out) -> Result<Status, Failure> {
    match report {
        Report::List(args) => list::run(machine, args, out),
        Report::Info(args) => info::run(machine, args, out),
        Report::Dump(args) => dump::run(machine, args, out),
        Report::Watch(args) => watch::run(machine, args, out),
        Report::Find(args) => find::run(machine, args, out),
        Report::Limits(args) => limits::run(machine, args, out),
        Report::Completions(args) => completions::run(args, out),
        Report::Man => man::run(out),
    }
}

/// Looks at the machine. What could not be looked at is told on standard error.
fn look(machine: &dyn Machine) -> Survey {
    judged(Survey::take(machine, &mut Names::default()))
}

/// As [`look`], but not how much of a System V segment is in memory.
fn look_without_memory(machine: &dyn Machine) -> Survey {
    judged(Survey::take_without_memory(machine, &mut Names::default()))
}

fn judged(mut survey: Survey) -> Survey {
    identify::assess(&mut survey);
    for problem in &survey.problems {
        out::warn(problem);
    }
    survey
}
