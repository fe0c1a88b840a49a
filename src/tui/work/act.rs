//! Acts on segments: makes plans, carries them out, takes them back. One after
//! the other, on a thread of its own: what is slow here keeps nobody waiting.

use super::Worker;
use crate::act::access::Rules;
use crate::act::record::{Entry, Record};
use crate::act::{
    self, ActError, Action, Copies, Copying, Ending, Options, Outcome, Plan, Refusal, StateDirectory, Task,
};
use crate::app::Event;
use crate::app::confirm::{Wanted, Wish};
use crate::app::effect::Undo;
use crate::app::event::Clock;
use crate::app::work::Working;
use crate::identify::Identifier;
use crate::machine::Machine;
use crate::memory::Progress;
use crate::segment::{Bytes, Segment};
use crate::survey::Names;
use crate::tui::message::Message;
use std::convert::Infallible;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How often an act that takes long tells how far it is.
const TELL: Duration = Duration::from_millis(100);

/// An order to the one who acts.
#[derive(Debug, Clone)]
pub enum Order {
    /// Ask what decides who may attach a segment.
    AskRules(Box<Segment>),
    /// Ask this process to end.
    End(Box<Ending>),
    /// Plan these.
    Plan(Vec<Wish>),
    /// Carry these out.
    Apply(Vec<Plan>, Arc<Progress>),
    /// Take an act back.
    Undo(Undo, Arc<Progress>),
}

/// Acts.
pub struct Doer {
    recent: act::Recent,
    machine: Arc<dyn Machine>,
    /// Where copies and the record are kept; `None` for a user without a home.
    state: Option<StateDirectory>,
    /// What all copies may take together.
    limit: Bytes,
    /// Who is told how far it is.
    messages: Sender<Message>,
}

/// Which one of how many is under way.
struct Item<'a> {
    progress: &'a Progress,
    what: Mutex<(usize, String)>,
    items: usize,
}

impl Item<'_> {
    /// The next one is begun.
    fn begin(&self, item: usize, what: String) {
        self.progress.begin(0);
        *self.what.lock().unwrap_or_else(PoisonError::into_inner) = (item, what);
    }

    fn working(&self) -> Working {
        let (item, what) = self.what.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (done, total) = (self.progress.done(), self.progress.total());
        Working { what, item, items: self.items, done, total }
    }
}

impl Doer {
    /// One that keeps copies and the record where this user does.
    pub fn new(machine: Arc<dyn Machine>, limit: Bytes, messages: Sender<Message>) -> Self {
        let recent = act::Recent::default();
        Self { recent, machine, state: StateDirectory::find().ok(), limit, messages }
    }

    /// Does what may take long, and tells every now and then how far it is. What
    /// is done sooner tells nothing.
    fn attended<T>(&self, progress: &Progress, items: usize, work: impl FnOnce(&Item<'_>) -> T) -> T {
        let item = Item { progress, what: Mutex::default(), items };
        let (over, ended) = mpsc::channel::<Infallible>();
        thread::scope(|scope| {
            let (item, messages) = (&item, &self.messages);
            let attendant = move || {
                while ended.recv_timeout(TELL) == Err(RecvTimeoutError::Timeout) {
                    // When nobody listens any more, the program is ending.
                    let _ = messages.send(Event::Working(item.working()).into());
                }
            };
            // Where there are no more threads, it is done without being told of.
            let _ = thread::Builder::new().spawn_scoped(scope, attendant);
            // Dropped with the work, however that ends.
            let _over = over;
            work(item)
        })
    }

    fn apply_all(&self, plans: &[Plan], progress: &Progress) -> Vec<Outcome> {
        self.attended(progress, plans.len(), |item| {
            let apply = |(at, plan): (usize, &Plan)| {
                let doing = match plan.task {
                    Task::Create(_) => "creating",
                    Task::Change { .. } => "copying",
                };
                item.begin(at + 1, format!("{doing} {}", plan.subject()));
                self.apply(plan, progress)
            };
            plans.iter().enumerate().map(apply).collect()
        })
    }

    fn plan(&self, wish: &Wish) -> Plan {
        let copying = |copy: bool| match &self.state {
            Some(state) if copy => Copying::Keep(Copies::new(state.clone(), self.limit)),
            _ => Copying::Without,
        };
        let action = match &wish.wanted {
            Wanted::Lock => Action::Lock,
            Wanted::Unlock => Action::Unlock,
            Wanted::Access(action) => action.clone(),
            Wanted::Remove { copy } => Action::Remove(copying(*copy)),
        };
        let options = Options { force: wish.force, ..Options::default() };
        let mut plan = act::plan(&*self.machine, &wish.segment, &action, &options);
        if self.state.is_none() && wish.wanted == (Wanted::Remove { copy: true }) {
            // Never without a copy that was asked for.
            plan.refusal = Some(Refusal::new(
                "no copy can be kept: there is no home for it, and XDG_STATE_HOME is not set",
                "c removes it without one",
            ));
        }
        plan
    }

    fn apply(&self, plan: &Plan, progress: &Progress) -> Outcome {
        let outcome = match plan.task {
            Task::Create(_) => act::create(&*self.machine, plan, self.state.as_ref(), progress),
            Task::Change { .. } => act::apply_with(&*self.machine, plan, progress, &self.recent),
        };
        let (segment, done, said) = match &outcome.result {
            Ok(done) => (done.id.to_string(), true, done.said.join("; ")),
            // What was refused or stopped did not happen.
            Err(ActError::Refused { .. } | ActError::Stopped { .. } | ActError::NotCreated { .. }) => {
                return outcome;
            }
            Err(error) => (outcome.subject.clone(), false, error.to_string()),
        };
        self.record(outcome.action, &segment, done, &said);
        outcome
    }

    fn end(&self, ending: Box<Ending>) -> Event {
        let result = act::end(&*self.machine, &ending);
        let said = match &result {
            Ok(ended) => ending.said(*ended),
            Err(error) => error.to_string(),
        };
        self.record("end", &ending.segment.to_string(), result.is_ok(), &said);
        Event::Ended(ending, result)
    }

    /// That it cannot be written stops nothing; the log on the screen has it.
    fn record(&self, action: &str, segment: &str, done: bool, said: &str) {
        if let Some(state) = &self.state {
            let entry = Entry::new(&*self.machine, action, segment, done, said);
            let _ = Record::new(state.clone()).add(&entry);
        }
    }

    fn undo(&self, undo: Undo, progress: &Progress) -> Vec<Result<String, String>> {
        match undo {
            Undo::Copies(count) => self.attended(progress, count, |item| {
                let mut results = vec![];
                // After a failure the newest copy is the same one still.
                while results.len() < count && results.last().is_none_or(Result::is_ok) {
                    item.begin(results.len() + 1, "bringing back".to_owned());
                    results.push(self.bring_back(progress));
                }
                results
            }),
            Undo::Acts(acts) => {
                let survey = Identifier::default().survey(&*self.machine, None, &mut Names::default());
                let again = |(id, action)| {
                    let segment = survey.segments.iter().find(|segment| segment.id == id);
                    let segment =
                        segment.ok_or_else(|| format!("{id} is gone: there is nothing to take back"))?;
                    let plan = act::plan(&*self.machine, segment, &action, &Options::default());
                    let outcome = self.apply(&plan, progress);
                    outcome
                        .result
                        .map(|done| format!("{}: {}", done.id, done.said.join("; ")))
                        .map_err(|error| error.to_string())
                };
                acts.into_iter().map(again).collect()
            }
        }
    }

    fn bring_back(&self, progress: &Progress) -> Result<String, String> {
        let state = self.state.clone().ok_or("this user has no home, so no copies were kept")?;
        let restored = Copies::new(state, self.limit).undo(&*self.machine, progress);
        let restored = restored.map_err(|error| error.to_string())?;
        let lost =
            if restored.lost.is_empty() { String::new() } else { format!(" ({})", restored.lost.join("; ")) };
        self.record("restore", &restored.id.to_string(), true, "brought back from its copy");
        Ok(format!("{} is back{lost}", restored.id))
    }
}

impl Worker for Doer {
    type Order = Order;

    fn handle(&mut self, _: Clock, order: Order) -> Vec<Event> {
        vec![match order {
            Order::AskRules(segment) => Event::Rules(segment.id.clone(), Rules::of(&*self.machine, &segment)),
            Order::End(ending) => self.end(ending),
            Order::Plan(wishes) => Event::Planned(wishes.iter().map(|wish| self.plan(wish)).collect()),
            Order::Apply(plans, progress) => Event::Acted(self.apply_all(&plans, &progress)),
            Order::Undo(undo, progress) => Event::Undone(self.undo(undo, &progress)),
        }]
    }

    fn deadline(&self) -> Option<Clock> {
        None
    }

    fn work(&mut self, _: Clock) -> Vec<Event> {
        vec![]
    }
}

#[cfg(test)]
mod tests;
