//! The confirmation dialog. Only plans that were on screen are applied.

use super::action::Action as Act;
use super::clean::Clean;
use super::event::Size;
use super::keymap::Keymap;
use super::layout::overlay::text_width;
use super::list::List;
use super::sentence::name_of;
use crate::act::{Action, Copying, Plan, Refusal, Task, Undo};
use crate::engine::{Clock, PlanRequest};
use crate::segment::{Bytes, wrap};

#[derive(Debug, Clone)]
pub struct Confirm {
    pub requests: Vec<PlanRequest>,
    /// Empty until the engine has created the plans.
    pub plans: Vec<Plan>,
    /// The time when the current plans appeared on screen.
    pub since: Clock,
    /// The selected segment of a batch, or the first visible row of a single plan.
    pub list: List,
    /// Set while the plans are being applied.
    pub acting: bool,
    /// Set if the requests have changed, so new plans were requested.
    pub stale: bool,
    /// Segments that the filter hides.
    pub hidden: usize,
    /// The list that Esc returns to.
    pub back: Option<Box<Clean>>,
}

/// The kind of a message, which selects its style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Quiet,
    /// Irreversible or forced.
    Warning,
    Refusal,
}

impl Confirm {
    pub const fn new(requests: Vec<PlanRequest>, now: Clock) -> Self {
        Self {
            requests,
            plans: vec![],
            since: now,
            list: List { selected: 0 },
            acting: false,
            stale: false,
            hidden: 0,
            back: None,
        }
    }

    pub const fn is_batch(&self) -> bool {
        self.requests.len() > 1
    }

    /// The segment that force applies to.
    pub const fn selected(&self) -> usize {
        if self.is_batch() { self.list.selected } else { 0 }
    }

    /// Counts the rows that a single plan takes.
    pub fn rows(&self, size: Size, keys: &Keymap) -> usize {
        let width = usize::from(text_width(size)).saturating_sub(4);
        let sentences = self.sentences(0, keys);
        1 + sentences.iter().map(|(text, _)| wrap(text, width).len()).sum::<usize>()
    }

    /// The full text of a single plan.
    pub fn sentences(&self, entry: usize, keys: &Keymap) -> Vec<(String, Tone)> {
        let Some(plan) = self.plans.get(entry) else { return vec![] };
        if let Some(refusal) = final_refusal(plan) {
            return vec![(refusal_sentences(plan, refusal, keys), Tone::Refusal)];
        }
        let undo = keys.name_of(Act::Undo);
        let mut sentences: Vec<(String, Tone)> =
            plan.effects.iter().map(|text| (text.clone(), Tone::Plain)).collect();
        match &plan.undo {
            Undo::Yes(_) if self.copying().is_some() => {
                sentences.push((format!("{undo} restores it"), Tone::Quiet));
            }
            Undo::Yes(_) => sentences.push((format!("{undo} undoes it"), Tone::Quiet)),
            Undo::No(why) => sentences.push((format!("cannot be undone: {why}"), Tone::Warning)),
            Undo::Nothing => {}
        }
        sentences.extend(obstacle(plan, keys));
        sentences
    }

    /// The short text of a plan in a batch.
    pub fn effects(&self, entry: usize, keys: &Keymap) -> Vec<(String, Tone)> {
        let Some(plan) = self.plans.get(entry) else { return vec![] };
        if let Some(refusal) = final_refusal(plan) {
            return vec![(refusal_sentences(plan, refusal, keys), Tone::Refusal)];
        }
        let mut sentences = vec![(plan.split_effects().0.join("; "), Tone::Plain)];
        match &plan.refusal {
            // The key gets its own line below the reason, so that it is easy to find.
            Some(refusal) => {
                sentences.push((refusal.reason.clone(), Tone::Refusal));
                sentences.push((format!("{} force", keys.name_of(Act::Force)), Tone::Refusal));
            }
            None => sentences.extend(obstacle(plan, keys)),
        }
        sentences
    }

    /// The text about a batch as a whole.
    pub fn summary(&self, keys: &Keymap) -> Vec<(String, Tone)> {
        let mut lines = vec![];
        if self.hidden > 0 {
            lines.push((self.hidden_text(), Tone::Warning));
        }
        if self.plans.is_empty() {
            return lines;
        }
        let applicable = || self.plans.iter().filter(|plan| plan.refusal.is_none());
        match self.copying() {
            Some(Copying::Keep) if applicable().count() > 0 => {
                let undo = keys.name_of(Act::Undo);
                lines.push((format!("A copy of each is saved first: {undo} restores them."), Tone::Quiet));
                let mut effects: Vec<&String> =
                    applicable().flat_map(|plan| plan.split_effects().1.iter().skip(1)).collect();
                effects.dedup();
                lines.extend(effects.into_iter().map(|text| (text.clone(), Tone::Plain)));
            }
            Some(Copying::Without) => {
                lines.push(("No copies are saved: cannot be undone.".to_owned(), Tone::Warning));
            }
            _ => {}
        }
        let mut figures = vec![];
        if self.copying().is_some() {
            let frees: Bytes = applicable().map(|plan| plan.frees).sum();
            figures.push(format!("Frees {frees} now"));
        }
        let waiting = |plan: &&Plan| plan.refusal.as_ref().is_some_and(|refusal| refusal.forceable);
        match self.plans.iter().filter(waiting).count() {
            0 => {}
            1 => figures.push("1 needs force".to_owned()),
            many => figures.push(format!("{many} need force")),
        }
        if !figures.is_empty() {
            lines.push((format!("{}.", figures.join("; ")), Tone::Plain));
        }
        lines
    }

    /// Formats the number of hidden segments: `5 of them hidden by the filter`.
    pub fn hidden_text(&self) -> String {
        if self.requests.len() == 1 {
            "hidden by the filter".to_owned()
        } else {
            format!("{} of them hidden by the filter", self.hidden)
        }
    }

    /// Returns true if toggling copies would change any plan.
    pub fn can_toggle_copies(&self) -> bool {
        let helps = |plan: &Plan| final_refusal(plan).is_none() || plan.needs_no_copy;
        self.copying().is_some() && self.plans.iter().any(helps)
    }

    /// The action and its object: `Remove /psm_1f09`.
    pub fn title(&self) -> String {
        let verb = self.verb();
        let act: String =
            verb.chars().take(1).flat_map(char::to_uppercase).chain(verb.chars().skip(1)).collect();
        match self.requests.as_slice() {
            [one] => format!("{act} {}", name_of(&one.segment.id)),
            many => format!("{act} {} segments", many.len()),
        }
    }

    pub fn verb(&self) -> &'static str {
        self.requests.first().map_or("", |request| request.action.verb())
    }

    /// The copies that a removal saves; `None` for other actions.
    pub fn copying(&self) -> Option<&Copying> {
        match &self.requests.first()?.action {
            Action::Remove(copying) => Some(copying),
            _ => None,
        }
    }

    /// Counts the plans that are not refused.
    pub fn applicable(&self) -> usize {
        self.plans.iter().filter(|plan| plan.refusal.is_none()).count()
    }

    pub fn is_forced(&self) -> bool {
        self.requests.get(self.selected()).is_some_and(|request| request.force)
    }

    /// Returns true if force applies to the selected segment.
    pub fn can_force(&self) -> bool {
        self.is_forced()
            || self
                .plans
                .get(self.selected())
                .and_then(|plan| plan.refusal.as_ref())
                .is_some_and(|refusal| refusal.forceable)
    }

    /// Returns true if the plans match the current requests.
    pub fn matches_requests(&self, plans: &[Plan]) -> bool {
        plans.len() == self.requests.len()
            && plans.iter().zip(&self.requests).all(|(plan, request)| match &plan.task {
                Task::Change { segment, action } => {
                    segment.id == request.segment.id
                        && plan.options.force == request.force
                        && *action == request.action
                }
                Task::Create(_) => false,
            })
    }
}

/// The refusal that force does not override.
fn final_refusal(plan: &Plan) -> Option<&Refusal> {
    plan.refusal.as_ref().filter(|refusal| !refusal.forceable)
}

fn refusal_sentences(plan: &Plan, refusal: &Refusal, keys: &Keymap) -> String {
    // The library's advice names a command-line option.
    let without = || format!("{}: remove without a copy", keys.name_of(Act::SaveCopy));
    let remedy = if plan.needs_no_copy { without() } else { refusal.remedy.clone() };
    format!("{}. {remedy}", refusal.reason)
}

/// Explains why force is needed, or why it was used.
fn obstacle(plan: &Plan, keys: &Keymap) -> Option<(String, Tone)> {
    let force = keys.name_of(Act::Force);
    match (&plan.refusal, &plan.overridden) {
        (Some(refusal), _) => Some((format!("{}. {force}: force", refusal.reason), Tone::Refusal)),
        (None, Some(reason)) => Some((format!("{reason} · forced ({force}: no force)"), Tone::Warning)),
        (None, None) if plan.options.force => Some((format!("forced ({force}: no force)"), Tone::Warning)),
        (None, None) => None,
    }
}
