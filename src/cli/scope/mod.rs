//! `scope --headless` and `record`: samples values.

mod channels;
mod exec;
mod record;
mod sampling;
mod statistics;
mod summary;
mod until;

pub use sampling::written_channel;

use super::args::{ScopeArgs, ScopeCommand};
use super::out::Out;
use super::{Failure, Status};
use crate::config::ScopeSettings;
use crate::identify::typing::Knowledge;
use crate::machine::Machine;
use crate::scope::text::Signal;
use std::sync::Arc;

/// The settings and global options of these commands.
#[derive(Debug, Clone, Default)]
pub struct ScopeTerms {
    pub read_only: bool,
    pub settings: ScopeSettings,
    /// The types that segments may have.
    pub knowledge: Knowledge,
}

/// Returns the channels and arrays that the terminal UI opens with.
pub fn signals(machine: &dyn Machine, args: &ScopeArgs, terms: &ScopeTerms) -> Result<Vec<Signal>, Failure> {
    channels::find_signals(machine, &args.sampled, terms)
}

/// Runs a command that samples values of `machine` without the terminal UI.
pub fn run(
    machine: &Arc<dyn Machine>,
    command: &ScopeCommand,
    terms: &ScopeTerms,
    out: &mut Out,
) -> Result<Status, Failure> {
    match command {
        ScopeCommand::Scope(args) => until::run(machine, args, terms, out),
        ScopeCommand::Record(args) => record::run(machine, args, terms, out),
        // Only the terminal UI shows recordings.
        ScopeCommand::Replay(_) => Ok(Status::Usage),
    }
}
