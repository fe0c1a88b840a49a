//! Carries out what the program asks for: gives each worker its orders.

use super::message::Message;
use super::work::{self, Asker, Began, Board, Doer, Looker, Surveyor, Viewer};
use crate::act::{ChangeLog, Question, StateDirectory};
use crate::app::Effect;
use crate::identify::{Identifier, Rules};
use crate::machine::Machine;
use crate::memory::Progress;
use crate::segment::Bytes;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

/// How long the end of the program waits for its workers to let go of what
/// they hold. What is held longer goes with the process.
const PATIENCE: Duration = Duration::from_millis(200);

/// The workers, each on a thread of its own.
pub struct Hands {
    survey: Sender<work::SurveyOrder>,
    holders: Sender<work::HoldersOrder>,
    view: Sender<work::ViewOrder>,
    act: Sender<work::ActOrder>,
    ask: Sender<Question>,
    at_work: Receiver<Infallible>,
    /// How far the last act is; it can be told to stop.
    progress: Arc<Progress>,
}

impl Hands {
    /// Starts the workers. They report to `messages`; copies of what is removed
    /// may take `copies` together.
    ///
    /// # Errors
    /// When there are no threads to be had.
    pub fn hire(
        machine: &Arc<dyn Machine>,
        began: Began,
        messages: &Sender<Message>,
        copies: Bytes,
        rules: Rules,
    ) -> io::Result<Self> {
        let (busy, at_work) = mpsc::channel();
        let board = Board::default();
        let (holders, orders) = mpsc::channel();
        let (mut looker, working) = (Looker::new(Arc::clone(machine), board.clone()), busy.clone());
        work::spawn("holders", messages.clone(), move |messages| {
            let _working: Sender<Infallible> = working;
            work::drive(&mut looker, began, &orders, messages);
        })?;
        let (survey, orders) = mpsc::channel();
        let surveyor = Surveyor::new(Arc::clone(machine), board, Identifier::again_and_again(rules));
        let (mut surveyor, working) = (surveyor, busy.clone());
        work::spawn("survey", messages.clone(), move |messages| {
            let _working: Sender<Infallible> = working;
            work::drive(&mut surveyor, began, &orders, messages);
        })?;
        let (view, orders) = mpsc::channel();
        let log = StateDirectory::find().ok().map(ChangeLog::new);
        let viewer = Viewer::new(Arc::clone(machine), log, messages.clone());
        let (mut viewer, working) = (viewer, busy.clone());
        work::spawn("view", messages.clone(), move |messages| {
            let _working: Sender<Infallible> = working;
            work::drive(&mut viewer, began, &orders, messages);
        })?;
        let (act, orders) = mpsc::channel();
        let doer = Doer::new(Arc::clone(machine), copies, messages.clone());
        let (mut doer, working) = (doer, busy.clone());
        work::spawn("act", messages.clone(), move |messages| {
            let _working: Sender<Infallible> = working;
            work::drive(&mut doer, began, &orders, messages);
        })?;
        let (ask, orders) = mpsc::channel();
        let mut asker = Asker::new(Arc::clone(machine));
        work::spawn("ask", messages.clone(), move |messages| {
            let _working: Sender<Infallible> = busy;
            work::drive(&mut asker, began, &orders, messages);
        })?;
        Ok(Self { survey, holders, view, act, ask, at_work, progress: Arc::default() })
    }

    /// Passes an effect on to whom it concerns; gives back what is for the
    /// terminal and the loop.
    pub fn carry_out(&mut self, effect: Effect) -> Option<Effect> {
        use work::{HoldersOrder, SurveyOrder, ViewOrder};
        let view = match effect {
            Effect::Survey => {
                self.order_survey(SurveyOrder::Now);
                ViewOrder::PreviewOnce
            }
            Effect::SurveyEvery(every) => {
                self.order_survey(SurveyOrder::Every(every));
                let _ = self.holders.send(HoldersOrder::Every(every));
                // Paused, nothing is looked at unasked.
                ViewOrder::PreviewAgain(every.is_some())
            }
            Effect::Holders(who) => {
                let _ = self.holders.send(HoldersOrder::Now(who));
                return None;
            }
            Effect::Preview(segment) => ViewOrder::Preview(segment),
            Effect::Open(segment) => ViewOrder::Open(segment),
            Effect::Look(watching) => ViewOrder::Look(watching),
            Effect::LookOnce => ViewOrder::LookOnce,
            Effect::SetBaseline => ViewOrder::SetBaseline,
            Effect::Find(request) => ViewOrder::Find(request),
            Effect::StopSearch => ViewOrder::StopSearch,
            Effect::Close { keep } => ViewOrder::Close { keep },
            Effect::AskHolds => ViewOrder::AskHolds,
            Effect::LetGo(holds) => ViewOrder::LetGo(holds),
            Effect::End(ending) => return self.order_act(work::ActOrder::End(ending)),
            Effect::AskRules(segment) => return self.order_act(work::ActOrder::AskRules(segment)),
            Effect::Ask(question) => {
                // As below.
                let _ = self.ask.send(question);
                return None;
            }
            Effect::Plan(wishes) => return self.order_act(work::ActOrder::Plan(wishes)),
            Effect::Apply(plans) => {
                let progress = self.begin();
                return self.order_act(work::ActOrder::Apply(plans, progress));
            }
            Effect::Undo(undo) => {
                let progress = self.begin();
                return self.order_act(work::ActOrder::Undo(undo, progress));
            }
            Effect::Save(wishes) => {
                let progress = self.begin();
                return self.order_act(work::ActOrder::Save(wishes, progress));
            }
            Effect::StopAct => {
                self.progress.cancel();
                return None;
            }
            effect @ (Effect::Copy(_) | Effect::CaptureMouse(_) | Effect::Suspend | Effect::Quit) => {
                return Some(effect);
            }
        };
        // A worker ends early only by a panic, of which the loop is told.
        let _ = self.view.send(view);
        None
    }

    /// The progress of a new act: stopping another one does not stop it.
    fn begin(&mut self) -> Arc<Progress> {
        self.progress = Arc::default();
        Arc::clone(&self.progress)
    }

    fn order_act(&self, order: work::ActOrder) -> Option<Effect> {
        let _ = self.act.send(order);
        None
    }

    fn order_survey(&self, order: work::SurveyOrder) {
        // A worker ends early only by a panic, of which the loop is told.
        let _ = self.survey.send(order);
    }

    /// Sends the workers home, which lets go of everything that is attached.
    pub fn dismiss(self) {
        // A copy that is not whole yet would go with the process anyhow; so its
        // segment is left, and what is half restored is taken away.
        self.progress.cancel();
        drop((self.survey, self.holders, self.view, self.act, self.ask));
        // Disconnected once all of them have gone.
        let _ = self.at_work.recv_timeout(PATIENCE);
    }
}
