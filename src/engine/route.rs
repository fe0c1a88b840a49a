//! Assigns requests to workers, for all executors.

use super::act::Act;
use super::ask::Ask;
use super::channels::ChannelWorker;
use super::contents::{Contents, Readers};
use super::evidence::Evidence;
use super::holders::{Holders, LatestScan};
use super::lock_watch::LockWatch;
use super::locks::LockWorker;
use super::rates::RatesWorker;
use super::recorder::RecorderWorker;
use super::request::{Request, Search, Target};
use super::scope::{Exchange, ScopeSources, ScopeWorker};
use super::search::SearchWorker;
use super::survey::SurveyWorker;
use super::typing::TypingWorker;
use super::worker::{Job, Worker};
use super::writers::Writers;
use crate::act::{ChangeLog, StateDirectory};
use crate::config::layout::LayoutRule;
use crate::identify::typing::Knowledge;
use crate::identify::{Identifier, Rules};
use crate::memory::Progress;
use crate::segment::Bytes;
use std::sync::Arc;

/// Settings of the engine.
pub struct Options {
    /// The maximum total size of copies of removed segments.
    pub copies: Bytes,
    /// The rules that identify segments.
    pub rules: Rules,
    /// The directory of copies and the log; `None` for a user without a home directory.
    pub state: Option<StateDirectory>,
    /// The share of a processor that change rates may take; 0 for none.
    pub rates_share: f64,
    /// The types that the user gives to names.
    pub layouts: Vec<LayoutRule>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            copies: Bytes::default(),
            rules: Rules::default(),
            state: None,
            rates_share: 0.01,
            layouts: vec![],
        }
    }
}

/// A worker, by its index in [`workers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Survey,
    Holders,
    Contents,
    Search,
    Act,
    Ask,
    Rates,
    Locks,
    Typing,
    Channels,
    LockWatch,
    ScopeSources,
    Scope,
    Writers,
    Recorder,
}

/// Returns all workers in the order of [`Part`], with their thread names. Work is not limited in
/// virtual time.
pub fn workers(options: Options, virtual_time: bool) -> [(&'static str, Box<dyn Worker>); 15] {
    let Options { copies, rules, state, rates_share, layouts } = options;
    let (latest, readers) = (LatestScan::default(), Readers::default());
    let exchange = Exchange::default();
    let log = state.clone().map(ChangeLog::new);
    let knowledge = Knowledge { rules: layouts.into(), ..Knowledge::default() };
    let evidence = || Evidence::new(knowledge.clone(), readers.clone());
    [
        ("survey", Box::new(SurveyWorker::new(latest.clone(), Identifier::for_repeated_surveys(rules)))),
        ("holders", Box::new(Holders::new(latest))),
        ("contents", Box::new(Contents::new(log, readers.clone()).without_time_limit(virtual_time))),
        ("search", Box::new(SearchWorker::new(readers.clone()))),
        ("act", Box::new(Act::new(state, copies))),
        ("ask", Box::new(Ask::default())),
        ("rates", Box::new(RatesWorker::new(rates_share))),
        ("locks", Box::new(LockWorker::default())),
        ("typing", Box::new(TypingWorker::new(evidence()))),
        ("channels", Box::new(ChannelWorker::new(evidence()))),
        ("lock-watch", Box::new(LockWatch::new(readers))),
        // In virtual time, segments are opened before they are sampled.
        ("scope-sources", Box::new(ScopeSources::new(exchange.clone()))),
        ("scope", Box::new(ScopeWorker::new(exchange))),
        ("writers", Box::new(Writers::default())),
        ("recorder", Box::new(RecorderWorker::default())),
    ]
}

/// Routes each request to its workers, and cancels work that it replaces.
#[derive(Default)]
pub struct Router {
    /// The progress of the last search.
    search: Arc<Progress>,
    /// The progress of the last action.
    act: Arc<Progress>,
}

impl Router {
    /// Returns the workers that handle a request, each with its job.
    pub fn route(&mut self, request: Request) -> Vec<(Part, Job)> {
        let progress = Arc::<Progress>::default();
        let part = match &request {
            Request::SurveyEvery(_) => {
                return vec![(Part::Survey, Job::new(request.clone())), (Part::Holders, Job::new(request))];
            }
            Request::Scope(_) | Request::PauseScope(_) => {
                return vec![
                    (Part::ScopeSources, Job::new(request.clone())),
                    (Part::Scope, Job::new(request)),
                ];
            }
            Request::Survey => Part::Survey,
            Request::Holders(_) => Part::Holders,
            Request::Subscribe(..)
            | Request::SetWindow(..)
            | Request::ReadOnce(_)
            | Request::Every(..)
            | Request::SetBaseline(_)
            | Request::Unsubscribe { .. }
            | Request::ListAttachments
            | Request::Release(_) => Part::Contents,
            Request::Search(_, Search { target, .. }) => {
                self.search.cancel();
                self.search = Arc::clone(&progress);
                // The window's worker tracks changes.
                if matches!(target, Target::Change { .. }) { Part::Contents } else { Part::Search }
            }
            Request::CountHits(..) => {
                self.search.cancel();
                self.search = Arc::clone(&progress);
                Part::Search
            }
            Request::StopSearch => {
                self.search.cancel();
                return vec![];
            }
            Request::Apply(_) | Request::Undo(_) | Request::Save(_) => {
                self.act = Arc::clone(&progress);
                Part::Act
            }
            Request::StopAct => {
                self.act.cancel();
                return vec![];
            }
            Request::Terminate(_) | Request::Rules(_) | Request::Plan(_) => Part::Act,
            Request::Ask(_) | Request::Probe(..) => Part::Ask,
            Request::SetRates(_) => Part::Rates,
            Request::CheckLocks(_) => Part::Locks,
            Request::WatchLocks(_) => Part::LockWatch,
            Request::WatchWriters(_) => Part::Writers,
            Request::Record(_) | Request::RecordSamples(_) | Request::SaveSamples(..) => Part::Recorder,
            Request::Types(_) => Part::Typing,
            Request::FindChannels(_) | Request::CompleteChannel(..) => Part::Channels,
        };
        vec![(part, Job { request, progress })]
    }

    /// Cancels all long work. A save or restore that does not finish before the exit leaves nothing
    /// behind anyway.
    pub fn cancel(&self) {
        self.search.cancel();
        self.act.cancel();
    }
}
