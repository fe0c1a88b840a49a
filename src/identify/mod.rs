//! Judges each segment: who made it, who wants it, and is it leaked.

pub mod catalogue;
mod created;
pub mod demo;
mod known;
mod life;
mod origin;
mod proofs;
pub mod semaphore;
mod settled;
mod state;
#[cfg(test)]
mod tests;
mod unheld;
mod uses;
mod world;

pub use created::{Before, Created};
pub use life::{Life, Living, Seen};
pub use origin::{Origin, Word};
pub use state::judge;

use crate::config::maker;
use crate::machine::Machine;
use crate::segment::Timestamp;
use crate::survey::{Holdings, Names, Survey};
use catalogue::Catalogue;
use known::{Known, Looks};
use proofs::Answers;
pub use proofs::Proofs;
use std::time::Duration;
use world::{Around, Commands};

/// What the verdict on a segment stands on besides the segment and its origin.
pub struct Grounds<'a> {
    /// Who holds what; `None`: not looked at yet.
    pub holdings: Option<&'a Holdings>,
    /// Where the kernel's word is asked for.
    pub proofs: &'a Proofs<'a>,
    /// The time.
    pub now: Timestamp,
    /// How long a segment has to be left alone before it may be called leaked;
    /// `None`: a minute, and ten where nothing tells who made it.
    pub settle: Option<Duration>,
}

/// What a person may decide of how segments are judged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules {
    /// The makers that are known, a person's own among them; `None`: those that
    /// come with the program, which are read when they are needed.
    pub catalogue: Option<&'static Catalogue>,
    /// How long a segment has to be left alone before it may be called leaked;
    /// `None`: a minute, and ten where nothing tells who made it.
    pub settle: Option<Duration>,
    /// The segments that this program created or restored, where that is remembered.
    pub created: Option<&'static dyn Created>,
}

impl Rules {
    /// With a person's own makers, which are kept for as long as the program runs.
    #[must_use]
    pub fn with(makers: &[maker::Maker], settle: Option<Duration>) -> Self {
        if makers.is_empty() {
            return Self { settle, ..Self::default() };
        }
        let catalogue = Some(&*Box::leak(Box::new(Catalogue::with(makers))));
        Self { catalogue, settle, created: None }
    }

    /// The same, with the segments that this program created or restored.
    #[must_use]
    pub fn with_created(self, created: &'static dyn Created) -> Self {
        Self { created: Some(created), ..self }
    }
}

/// Who judges: what was found out of a segment once is remembered.
#[derive(Debug)]
pub struct Identifier {
    settle: Option<Duration>,
    created: Option<&'static dyn Created>,
    known: Known,
    answers: Answers,
    commands: Commands,
}

impl Default for Identifier {
    fn default() -> Self {
        Self::new(Rules::default())
    }
}

impl Identifier {
    /// One that goes by these rules, and looks into all that it has to.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self::looking(rules, Looks::All)
    }

    /// One that judges survey after survey, and looks into a few segments at a
    /// time: none may take long.
    #[must_use]
    pub fn again_and_again(rules: Rules) -> Self {
        Self::looking(rules, Looks::Few)
    }

    fn looking(rules: Rules, looks: Looks) -> Self {
        Self {
            settle: rules.settle,
            created: rules.created,
            known: Known::new(rules.catalogue.unwrap_or_else(|| Catalogue::built_in()), looks),
            answers: Answers::default(),
            commands: Commands::default(),
        }
    }

    /// Looks at every segment, with those who were found to hold it, and judges
    /// it. `holdings` have to be older than this.
    #[must_use]
    pub fn survey(
        &mut self,
        machine: &dyn Machine,
        holdings: Option<&Holdings>,
        names: &mut Names,
    ) -> Survey {
        self.judge(machine, Survey::take(machine, names), holdings, names)
    }

    /// As [`Identifier::survey`], of a survey that was taken.
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

    /// Returns whether the last survey had an object whose holders only a scan of private mappings can
    /// settle. Only told where that scan was left out.
    #[must_use]
    pub const fn needs_private(&self) -> bool {
        self.answers.need_private()
    }

    /// Judges every segment of a survey. `holdings` are those that the survey
    /// was joined with.
    fn assess(&mut self, machine: &dyn Machine, survey: &mut Survey, holdings: Option<&Holdings>) {
        let living = || Living::new(machine).after(holdings);
        let replaced =
            self.created.map_or_else(Vec::new, |log| uses::look_through(log, machine, &living(), survey));
        let makers = self.known.find(machine, &living, survey);
        let quiet = self.settle.unwrap_or(unheld::SETTLE);
        let proofs = &Proofs::new(machine, &mut self.answers, holdings, survey.at, quiet);
        self.commands.keep_for(holdings);
        let around = Around::new(machine, living(), survey, holdings, (proofs, &self.commands), self.created);
        let grounds = Grounds { holdings, proofs, now: survey.at, settle: self.settle };
        for (segment, made) in survey.segments.iter_mut().zip(&makers) {
            let made = made.as_deref();
            segment.verdict = judge(segment, &|| origin::of(segment, made, &around), &grounds);
            segment.made_by = origin::maker(segment, made, &around);
            segment.creator_life = origin::creator_life(segment, &around);
        }
        uses::restore(survey, replaced);
    }
}
