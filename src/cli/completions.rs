//! `completions`: generates shell completions.

use super::args::CompletionsArgs;
use super::out::Out;
use super::{Args, Failure, Status};
use clap::CommandFactory as _;
use std::io::Write as _;

pub fn run(args: &CompletionsArgs, out: &mut Out) -> Result<Status, Failure> {
    // The generator panics if its writer fails, so the script is generated in memory first.
    let mut script = vec![];
    clap_complete::generate(args.shell, &mut Args::command(), "shmlens", &mut script);
    out.write_all(&script)?;
    out.flush()?;
    Ok(Status::Success)
}
