//! Determines the maker and the state of each segment.

pub mod about;
pub mod catalog;
mod created;
pub mod demo;
mod evidence;
mod hidden_holders;
mod known;
mod leases;
pub mod locks;
mod origin;
mod process_state;
pub mod semaphore;
pub mod sharing;
pub mod source;
mod state;
#[cfg(test)]
mod tests;
pub mod typing;
mod unheld;
mod uses;

pub use created::{CreationLog, PreviousUse};

use crate::config::maker;
use crate::machine::Machine;
use crate::memory::WriteLeases;
use crate::survey::{Holdings, Names, Survey};
use catalog::Catalog;
use evidence::{Commands, Evidence};
use known::MakerCache;
use leases::{LeaseResults, Leases};
use process_state::{PidNamespace, ProcessState, ProcessStates};
use std::time::Duration;

/// Segments to read per survey: ten thousand new objects must not delay the table.
const MAX_READS: usize = 300;
/// The age in seconds up to which a scan's leases are used: listing them takes 10 ms.
const RECENT: f64 = 0.5;

/// The settings for judging segments.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules {
    /// `None` for the built-in catalog, which is parsed on demand.
    pub catalog: Option<&'static Catalog>,
    /// The time that a segment must be unused before it counts as leaked; `None` for a minute, or
    /// ten minutes if its maker is unknown.
    pub settle: Option<Duration>,
    /// The segments that shmlens created or restored.
    pub created: Option<&'static dyn CreationLog>,
}

impl Rules {
    /// Returns rules with the user's makers. Leaks the makers, because rules live as long as the
    /// process.
    #[must_use]
    pub fn with_makers(makers: &[maker::Maker], settle: Option<Duration>) -> Self {
        if makers.is_empty() {
            return Self { settle, ..Self::default() };
        }
        let catalog = Some(&*Box::leak(Box::new(Catalog::with_makers(makers))));
        Self { catalog, settle, created: None }
    }

    #[must_use]
    pub fn with_created(self, created: &'static dyn CreationLog) -> Self {
        Self { created: Some(created), ..self }
    }
}

/// Judges surveys, with a cache from one survey to the next.
#[derive(Debug)]
pub struct Identifier {
    settle: Option<Duration>,
    created: Option<&'static dyn CreationLog>,
    known: MakerCache,
    answers: LeaseResults,
    commands: Commands,
}

impl Default for Identifier {
    fn default() -> Self {
        Self::new(Rules::default())
    }
}

impl Identifier {
    /// For a single survey: reads every segment that a rule requires.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self::with_reads(rules, None)
    }

    /// For repeated surveys: limits the segments read per survey, so that none takes long.
    #[must_use]
    pub fn for_repeated_surveys(rules: Rules) -> Self {
        Self::with_reads(rules, Some(MAX_READS))
    }

    fn with_reads(rules: Rules, max_reads: Option<usize>) -> Self {
        Self {
            settle: rules.settle,
            created: rules.created,
            known: MakerCache::new(rules.catalog, max_reads),
            answers: LeaseResults::default(),
            commands: Commands::default(),
        }
    }

    /// Lists and judges all segments. `holdings` must be older than this survey.
    #[must_use]
    pub fn survey(
        &mut self,
        machine: &dyn Machine,
        holdings: Option<&Holdings>,
        names: &mut Names,
    ) -> Survey {
        self.judge(machine, Survey::take(machine, names), holdings, names)
    }

    #[must_use]
    pub fn judge(
        &mut self,
        machine: &dyn Machine,
        mut survey: Survey,
        holdings: Option<&Holdings>,
        names: &mut Names,
    ) -> Survey {
        if let Some(holdings) = holdings {
            survey.join(holdings, machine, names);
        }
        self.assess(machine, &mut survey, holdings);
        survey
    }

    /// Returns true if the last survey had an object whose state depends on private mappings, which
    /// were not scanned.
    #[must_use]
    pub const fn needs_private(&self) -> bool {
        self.answers.needs_private()
    }

    /// Judges the segments of a survey that was joined with `holdings`.
    fn assess(&mut self, machine: &dyn Machine, survey: &mut Survey, holdings: Option<&Holdings>) {
        let states = || ProcessStates::new(machine, holdings);
        let replaced =
            self.created.map_or_else(Vec::new, |log| uses::hide_own(log, machine, &states(), survey));
        let recent = holdings.filter(|holdings| survey.at.seconds_since(holdings.at).abs() < RECENT);
        let leases = recent.map_or_else(WriteLeases::default, |holdings| {
            WriteLeases::of(machine.monotonic_time(), holdings.all_locks())
        });
        let makers = self.known.find(machine, &states, survey, leases);
        let quiet = self.settle.unwrap_or(unheld::SETTLE);
        let leases = &Leases::new(machine, &mut self.answers, holdings, survey.at, quiet);
        self.commands.keep_for(holdings);
        let evidence = Evidence {
            machine,
            holdings,
            leases,
            states: states(),
            held: evidence::held(survey, &makers, holdings, leases),
            commands: &self.commands,
            created: self.created,
            now: survey.at,
            settle: self.settle,
        };
        for (segment, maker_match) in survey.segments.iter_mut().zip(&makers) {
            let maker_match = maker_match.as_deref();
            segment.verdict = state::judge(segment, maker_match, &evidence);
            segment.made_by = origin::maker(segment, maker_match, &evidence);
            segment.creator_life = origin::creator_life(segment, &evidence);
        }
        uses::restore(survey, replaced);
    }
}
