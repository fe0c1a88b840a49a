//! Acts on segments: makes plans, carries them out, takes them back. One after
//! the other, on a thread of its own: what is slow here keeps nobody waiting.

use super::Worker;
use crate::act::access::Rules;
use crate::act::log::{Entry, LogError};
use crate::act::{
    self, ActError, Action, ChangeLog, Copies, Copying, Ending, NotUndone, Options, Outcome, Plan, Refusal,
    Revert, SavedCopy, StateDirectory, StateError, Task, Undone,
};
use crate::app::Event;
use crate::app::confirm::{Wanted, Wish};
use crate::app::effect::Undo;
use crate::app::event::Clock;
use crate::app::save::SaveWish;
use crate::app::sentence::name_of;
use crate::app::work::Working;
use crate::identify::Identifier;
use crate::machine::Machine;
use crate::memory::Progress;
use crate::segment::{Bytes, Segment, SegmentId};
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
    /// Save these to files.
    Save(Vec<SaveWish>, Arc<Progress>),
    /// Take an act back.
    Undo(Undo, Arc<Progress>),
}

/// Acts.
pub struct Doer {
    recent: act::Recent,
    machine: Arc<dyn Machine>,
    /// Where copies and the log are; `None` for a user without a home directory.
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
    /// One that has copies and the log in the state directory of this user.
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
        self.remove_unfinished();
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

    /// Saves each segment in its file. After a stop the rest is not begun.
    fn save_all(&self, wishes: &[SaveWish], progress: &Progress) -> Vec<Outcome> {
        self.attended(progress, wishes.len(), |item| {
            let save = |(at, wish): (usize, &SaveWish)| {
                item.begin(at + 1, format!("saving {}", name_of(&wish.segment.id)));
                act::save_outcome(&*self.machine, &wish.segment, &wish.path, wish.replace, progress)
            };
            wishes.iter().enumerate().map(save).collect()
        })
    }

    fn plan_all(&self, wishes: &[Wish]) -> Vec<Plan> {
        // One for all, so that each plan counts what the ones before it will use.
        let copies = self.state.clone().map(|state| Copies::new(state, self.limit));
        wishes.iter().map(|wish| self.plan(wish, copies.as_ref())).collect()
    }

    fn plan(&self, wish: &Wish, copies: Option<&Copies>) -> Plan {
        let copying = |copy: bool| match copies {
            Some(copies) if copy => Copying::Keep(copies.clone()),
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
        // A refusal that nothing lifts outranks the missing copy.
        let final_refusal = plan.refusal.as_ref().is_some_and(|refusal| !refusal.forceable);
        if self.state.is_none() && wish.wanted == (Wanted::Remove { copy: true }) && !final_refusal {
            // Never without a copy that was asked for.
            plan.refusal = Some(Refusal::new(
                "no copy can be saved: you have no home directory, and XDG_STATE_HOME is not set",
                "Set XDG_STATE_HOME, or remove the segment without a copy",
            ));
            plan.needs_no_copy = true;
        }
        plan
    }

    fn apply(&self, plan: &Plan, progress: &Progress) -> Outcome {
        let log = match self.log() {
            Err(source) if !source.is_no_place() && plan.refusal.is_none() => {
                let subject = plan.subject();
                let result = Err(ActError::NotLogged { subject: subject.clone(), source });
                return Outcome { subject, action: plan.task.word(), result };
            }
            log => log,
        };
        let mut outcome = match plan.task {
            Task::Create(_) => act::create(&*self.machine, plan, self.state.as_ref(), progress),
            Task::Change { .. } => act::apply_with(&*self.machine, plan, progress, &self.recent),
        };
        let (segment, done, said) = match &outcome.result {
            Ok(done) => (done.id.to_string(), true, done.text()),
            // What was refused or stopped did not happen.
            Err(
                ActError::Refused { .. }
                | ActError::InUseNow { .. }
                | ActError::Stopped { .. }
                | ActError::NotCreated { .. },
            ) => {
                return outcome;
            }
            Err(error) => (outcome.subject.clone(), false, error.to_string()),
        };
        let entry = Entry::new(&*self.machine, outcome.action, &segment, done, &said);
        let logged = log.and_then(|log| log.add(&entry));
        if let (Err(error), Ok(done)) = (logged, &mut outcome.result) {
            done.said.push(format!("not logged: {error}"));
        }
        outcome
    }

    fn end(&self, ending: Box<Ending>) -> Event {
        let result = act::end(&*self.machine, &ending);
        let said = match &result {
            Ok(ended) => ending.said(*ended),
            Err(error) => error.to_string(),
        };
        // The log on the screen has it, should this one fail.
        if let Ok(log) = self.log() {
            let segment = ending.segment.to_string();
            let _ = log.add(&Entry::new(&*self.machine, "terminate", &segment, result.is_ok(), &said));
        }
        Event::Ended(ending, result)
    }

    /// The log, open. Opened before each act: nothing is done when something is in its way.
    fn log(&self) -> Result<ChangeLog, LogError> {
        let state = self.state.clone().ok_or(StateError::Homeless)?;
        let log = ChangeLog::new(state);
        log.open()?;
        Ok(log)
    }

    /// Removes what killed commands left unfinished, before something is changed.
    fn remove_unfinished(&self) {
        if let Some(state) = &self.state {
            let _ = state.remove_unfinished();
        }
    }

    fn undo(&self, undo: Undo, progress: &Progress) -> Vec<Undone> {
        match undo {
            Undo::Copies(copies) => self.attended(progress, copies.len(), |item| {
                let mut results = vec![];
                for (at, copy) in copies.iter().enumerate() {
                    item.begin(at + 1, format!("restoring {}", copy.id));
                    results.push(self.restore(copy, progress));
                    if progress.is_cancelled() {
                        break;
                    }
                }
                results
            }),
            Undo::Acts(acts) => {
                let survey = Identifier::default().survey(&*self.machine, None, &mut Names::default());
                acts.iter().map(|act| self.revert(act, &survey.segments, progress)).collect()
            }
        }
    }

    fn revert(&self, revert: &Revert, segments: &[Segment], progress: &Progress) -> Undone {
        let apply = |segment: &Segment| {
            let plan = act::plan(&*self.machine, segment, &revert.action, &Options::default());
            let done = self.apply(&plan, progress).result.map_err(|error| NotUndone::now(&error))?;
            Ok(done.said.join("; "))
        };
        Undone { id: revert.id.clone(), result: revert.segment(segments).and_then(apply) }
    }

    fn restore(&self, copy: &SavedCopy, progress: &Progress) -> Undone {
        let restored = self.restore_logged(copy, progress);
        let id = restored.as_ref().map_or_else(|_| copy.id.clone(), |(id, _)| id.clone());
        Undone { id, result: restored.map(|(_, said)| said) }
    }

    fn restore_logged(
        &self,
        copy: &SavedCopy,
        progress: &Progress,
    ) -> Result<(SegmentId, String), NotUndone> {
        let state = self.state.clone().ok_or_else(|| NotUndone::now(&StateError::Homeless))?;
        let log = self.log().map_err(|error| NotUndone::now(&format!("nothing was restored: {error}")))?;
        let restored = copy.restore(&*self.machine, &Copies::new(state, self.limit), progress)?;
        let id = restored.id.to_string();
        let entry = Entry::new(&*self.machine, "restore", &id, true, "restored from the saved copy");
        let unlogged =
            log.add(&entry).map_or_else(|error| format!("; not logged: {error}"), |()| String::new());
        let said = restored.said() + &unlogged;
        Ok((restored.id, said))
    }
}

impl Worker for Doer {
    type Order = Order;

    fn handle(&mut self, _: Clock, order: Order) -> Vec<Event> {
        vec![match order {
            Order::AskRules(segment) => Event::Rules(segment.id.clone(), Rules::of(&*self.machine, &segment)),
            Order::End(ending) => self.end(ending),
            Order::Plan(wishes) => Event::Planned(self.plan_all(&wishes)),
            Order::Apply(plans, progress) => Event::Acted(self.apply_all(&plans, &progress)),
            Order::Save(wishes, progress) => Event::Saved(self.save_all(&wishes, &progress)),
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
