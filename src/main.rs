//! The `shmscope` program: parse, dispatch, exit status.

use clap::Parser as _;
use shmscope::cli::out::{Out, warn};
use shmscope::cli::{self, Args, Command, Failure, Report, Status, Style};
use shmscope::machine::real::RealMachine;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    let style = Style::new(args.look);
    match args.command {
        None => open_ui(),
        Some(Command::Report(report)) => print(&report, style),
    }
    .into()
}

/// Opens the terminal UI.
fn open_ui() -> Status {
    warn("the terminal UI needs a terminal; `shmscope list` prints the table anywhere");
    Status::Usage
}

/// Makes a report on this machine.
fn print(report: &Report, style: Style) -> Status {
    let outcome = Out::stdout(style)
        .map_err(Failure::Output)
        .and_then(|mut out| cli::run(&RealMachine, report, &mut out));
    outcome.unwrap_or_else(|failure| {
        if !matches!(failure, Failure::Closed) {
            warn(&failure.to_string());
        }
        failure.status()
    })
}
