//! The `shmscope` program: parse, dispatch, exit status.

use clap::Parser as _;
use shmscope::cli::args::DemoArgs;
use shmscope::cli::out::{Out, warn};
use shmscope::cli::{self, Args, Command, Failure, Report, Status, Style};
use shmscope::demo;
use shmscope::machine::real::RealMachine;
use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    let style = Style::new(args.look);
    match args.command {
        None => open_ui(),
        Some(Command::Report(report)) => print(&report, style),
        Some(Command::Demo(args)) => show_demo(args),
    }
    .into()
}

/// Opens the terminal UI.
fn open_ui() -> Status {
    warn("the terminal UI needs a terminal; `shmscope list` prints the table anywhere");
    Status::Usage
}

/// Makes the demo's world, and removes it at the end.
fn show_demo(args: DemoArgs) -> Status {
    let outcome = if args.headless {
        demo::headless(&mut io::stdout()).map(|()| Status::Done)
    } else {
        demo::with_world(|_| open_ui())
    };
    outcome.unwrap_or_else(|error| {
        if error.is_closed_output() {
            return Status::Done;
        }
        warn(&error.to_string());
        Status::Failed
    })
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
