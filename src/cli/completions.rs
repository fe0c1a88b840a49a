//! `completions`: what a shell has to know to complete the arguments.

use super::args::CompletionsArgs;
use super::out::Out;
use super::{Args, Failure, Status};
use clap::CommandFactory as _;
use std::io::Write as _;

/// Prints them.
pub fn run(args: &CompletionsArgs, out: &mut Out) -> Result<Status, Failure> {
    // Into memory first: the generator panics where its writer fails.
    let mut script = vec![];
    clap_complete::generate(args.shell, &mut Args::command(), "shmlens", &mut script);
    out.write_all(&script)?;
    out.flush()?;
    Ok(Status::Done)
}
