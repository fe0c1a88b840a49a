//! The Scope screen: channels, their history, and the part of it that is shown.

mod array_view;
mod at_writes;
mod pause;
mod plot;
mod recorded;
mod saves;
mod trigger;
mod view;
mod waveform;

pub use array_view::ArrayView;
pub use at_writes::AtWrites;
pub use plot::{NoPlot, ShownPlot, ShownTrace};
pub use recorded::ShownRecording;
pub use saves::{MAX_SAVES, TriggerSaves};
pub use trigger::{Armed, TriggerAction};
pub use view::{PlotKind, View};
pub(super) use waveform::ArrayFeed;
pub use waveform::{MAX_WAVEFORMS, Row, ScopeWaveform};

use crate::engine::{RecordQueue, RecordingState, ScopeRequest};
use crate::scope::expression::{ExpressionError, Expressions};
use crate::scope::trigger::Fired;
use crate::scope::{Batch, Channel, EventKind, History, Rate, Source, Statistics, Timing};
use crate::segment::{Bytes, SegmentId};
use pause::Pause;
use std::collections::VecDeque;

/// Channels at most: more than a screen shows.
pub const MAX_CHANNELS: usize = 64;
/// Marks of events that are kept.
const MAX_MARKS: usize = 256;
/// The rates that the user steps through.
const RATES: [f64; 13] =
    [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0];
/// The rate of a new scope.
pub const DEFAULT_RATE: f64 = 100.0;

/// A channel with what is known about its samples.
#[derive(Debug)]
pub struct ScopeChannel {
    pub channel: Channel,
    pub statistics: Statistics,
    pub is_plotted: bool,
    /// The last event of its segment, unless it can be read again.
    pub trouble: Option<EventKind>,
}

/// Samples that were taken.
#[derive(Debug)]
pub struct Taken {
    pub fired: Vec<Fired>,
    /// With a column for each channel.
    pub batch: Batch,
}

/// A recording of the samples to a file.
#[derive(Debug, Default)]
pub struct Recorder {
    pub(super) queue: RecordQueue,
    /// `None` before the file was made.
    pub state: Option<RecordingState>,
    /// Batches that the disk was too slow for.
    pub lost: u64,
}

/// A change of a segment, or a trigger, on the time axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeMark {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
    /// Safe to print.
    pub text: String,
}

#[derive(Debug)]
pub struct Scope {
    pub channels: Vec<ScopeChannel>,
    /// Arrays, in the rows below the channels. They are read as a whole, beside the samples.
    pub waveforms: Vec<ScopeWaveform>,
    expressions: Expressions,
    pub history: History,
    pub timing: Timing,
    pub rate: Rate,
    /// Set while a value is sampled at every write.
    pub at_writes: Option<AtWrites>,
    /// The selected row.
    pub cursor: usize,
    pub view: View,
    pub trigger: Option<Armed>,
    /// The newest last.
    pub marks: VecDeque<ScopeMark>,
    /// The channels were chosen by the program, for this segment, and the user has not changed them.
    pub offered: Option<SegmentId>,
    /// Set while a recording is replayed: nothing is sampled.
    pub recording: Option<ShownRecording>,
    /// Set while samples are recorded.
    pub recorder: Option<Recorder>,
    /// Counts the searches for channels.
    pub(super) lookups: u64,
    /// Counts the requests for samples.
    number: u64,
    pause: Pause,
    /// The samples that were asked for are those of the channels.
    is_requested: bool,
}

impl Scope {
    /// An empty scope whose history takes at most `memory`.
    #[must_use]
    pub fn new(memory: Bytes) -> Self {
        Self {
            channels: vec![],
            waveforms: vec![],
            expressions: Expressions::default(),
            history: History::new(&[], memory.0),
            timing: Timing::default(),
            rate: Rate::Hertz(DEFAULT_RATE),
            at_writes: None,
            cursor: 0,
            view: View::default(),
            trigger: None,
            marks: VecDeque::new(),
            offered: None,
            recording: None,
            recorder: None,
            lookups: 0,
            number: 0,
            pause: Pause::default(),
            is_requested: false,
        }
    }

    /// Adds a channel behind the others.
    ///
    /// # Errors
    /// Fails if there are too many, if its name is taken, or if its expression is invalid.
    pub fn add(&mut self, channel: Channel) -> Result<(), AddError> {
        self.add_all(vec![channel])
    }

    /// Adds channels, which may name each other in any order.
    ///
    /// # Errors
    /// Fails like [`Self::add`], and adds none then.
    pub fn add_all(&mut self, channels: Vec<Channel>) -> Result<(), AddError> {
        self.offered = None;
        if self.channels.len() + channels.len() > MAX_CHANNELS {
            return Err(AddError::TooMany);
        }
        let is_value = |channel: &Channel| matches!(channel.source, Source::Value(_));
        if self.recording.is_some() && channels.iter().any(is_value) {
            return Err(AddError::Recorded);
        }
        let first = self.channels.len();
        let mut all = self.all_channels();
        all.extend(channels.iter().cloned());
        let is_taken = |name: &String| self.waveforms.iter().any(|one| one.waveform.name == *name);
        if let Some(channel) = channels.iter().find(|channel| is_taken(&channel.name)) {
            return Err(ExpressionError::DuplicateName { name: channel.name.clone() }.into());
        }
        self.expressions = Expressions::new(&all)?;
        if self.selected_waveform().is_some() {
            self.cursor += channels.len();
        }
        for channel in channels {
            self.history.add(channel.kind);
            let statistics = Statistics::new(channel.kind);
            self.channels.push(ScopeChannel { channel, statistics, is_plotted: true, trouble: None });
        }
        if self.recording.is_some() {
            self.compute_recorded(first);
        }
        self.is_requested = false;
        Ok(())
    }

    /// Removes a channel.
    ///
    /// # Errors
    /// Fails if an expression or the trigger uses it.
    pub fn remove(&mut self, index: usize) -> Result<Channel, AddError> {
        self.offered = None;
        let mut all = self.all_channels();
        let removed = all.remove(index);
        let expressions = Expressions::new(&all)?;
        if let Some(trigger) = &mut self.trigger {
            trigger.rebuild(&all).map_err(|error| AddError::Trigger(error.to_string()))?;
        }
        self.expressions = expressions;
        self.channels.remove(index);
        self.history.remove(index);
        if index < self.cursor {
            self.cursor -= 1;
        }
        self.cursor = self.cursor.min(self.rows().saturating_sub(1));
        self.is_requested = false;
        if self.at_writes.as_ref().is_some_and(|at_writes| at_writes.is_of(&removed)) {
            self.set_at_writes(None);
        }
        Ok(removed)
    }

    /// The channels without what is known about their samples.
    #[must_use]
    pub fn all_channels(&self) -> Vec<Channel> {
        self.channels.iter().map(|one| one.channel.clone()).collect()
    }

    /// Removes all channels and their samples.
    pub(super) fn clear(&mut self) {
        let (memory, number) = (Bytes(self.history.limit()), self.number);
        *self = Self { number, rate: self.rate, lookups: self.lookups, ..Self::new(memory) };
    }

    /// The selected channel. `None` while a waveform is selected.
    pub fn selected(&self) -> Option<&ScopeChannel> {
        self.channels.get(self.cursor)
    }

    /// Takes samples, if they are those of the last request.
    pub fn take(&mut self, number: u64, batch: Batch) -> Option<Taken> {
        if number != self.number {
            return None;
        }
        self.end_pause(&batch);
        Some(self.feed(batch))
    }

    /// Takes samples of the values of the channels, or of the one that is sampled at every write.
    pub fn feed(&mut self, batch: Batch) -> Taken {
        let batch = self.widen(batch);
        let batch = self.expressions.extend(batch);
        self.timing = batch.timing;
        self.history.push(&batch);
        for (channel, column) in self.channels.iter_mut().zip(&batch.columns) {
            channel.statistics.push(&batch.times, column);
        }
        for event in &batch.events {
            let Some(channel) = self.channels.get_mut(event.channel) else { continue };
            let text = event.kind.text();
            channel.trouble = match &event.kind {
                EventKind::Back | EventKind::Replaced => None,
                kind => Some(kind.clone()),
            };
            let text = format!("{}: {text}", channel.channel.name);
            self.mark(event.time, text);
        }
        let fired = self.trigger.as_mut().map(|trigger| trigger.feed(&batch)).unwrap_or_default();
        let pre = self.trigger.as_ref().map_or(50, Armed::pre);
        let after = self.view.part_after(pre);
        let around = [self.view.span - after, after];
        for one in &fired {
            self.view.triggered(one.time, pre);
        }
        if let Some(trigger) = &mut self.trigger {
            trigger.save(&fired, around);
        }
        Taken { fired, batch }
    }

    fn mark(&mut self, time: u64, text: String) {
        if self.marks.len() == MAX_MARKS {
            self.marks.pop_front();
        }
        self.marks.push_back(ScopeMark { time, text });
    }

    /// The request for samples of the channels if the last one was for others.
    pub(super) fn request(&mut self) -> Option<ScopeRequest> {
        if self.is_requested || self.recording.is_some() {
            return None;
        }
        self.is_requested = true;
        self.number += 1;
        self.pause.request(self.number);
        let values = self.channels.iter().filter_map(|one| match &one.channel.source {
            Source::Value(value) => Some(value.clone()),
            Source::Expression(_) | Source::Recorded => None,
        });
        Some(ScopeRequest { number: self.number, values: values.collect(), rate: self.rate })
    }

    /// Samples are asked for again.
    pub(super) const fn reopen(&mut self) {
        self.is_requested = false;
    }

    /// Steps to a higher or a lower rate. A burst is above all others.
    pub fn step_rate(&mut self, is_faster: bool) {
        let before = self.rate;
        self.rate = match (self.rate, is_faster) {
            (Rate::Burst, true) => Rate::Burst,
            (Rate::Burst, false) => Rate::Hertz(RATES[RATES.len() - 1]),
            (Rate::Hertz(rate), true) => {
                RATES.iter().find(|next| **next > rate).map_or(Rate::Burst, |next| Rate::Hertz(*next))
            }
            (Rate::Hertz(rate), false) => {
                Rate::Hertz(RATES.iter().rev().find(|next| **next < rate).copied().unwrap_or(RATES[0]))
            }
        };
        self.is_requested &= self.rate == before;
    }

    /// The channels that the plot shows; the selected one first, which is in front.
    #[must_use]
    pub fn plotted(&self) -> Vec<usize> {
        let mut all: Vec<usize> =
            (0..self.channels.len()).filter(|&index| self.channels[index].is_plotted).collect();
        if let Some(at) = all.iter().position(|&index| index == self.cursor) {
            all[..=at].rotate_right(1);
        }
        all
    }

    /// The visible times, both included. `None` before the first sample.
    #[must_use]
    pub fn visible(&self) -> Option<[u64; 2]> {
        Some(self.view.range(self.history.newest()?))
    }

    /// Shows all samples that are kept.
    pub fn show_all(&mut self) {
        if let (Some(oldest), Some(newest)) = (self.history.oldest(), self.history.newest()) {
            self.view.zoom_to(newest - oldest, newest);
        }
    }

    /// The time that the axis calls 0: that of a trigger, the start of a recording, or now.
    #[must_use]
    pub fn zero(&self) -> u64 {
        let newest = self.history.newest().filter(|_| self.recording.is_none());
        self.view.fired.or(newest).unwrap_or(0)
    }
}

/// The reason that a channel is not added or removed.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    #[error("at most {MAX_CHANNELS} channels are sampled at once; remove one first")]
    TooMany,
    #[error("at most {MAX_WAVEFORMS} arrays are read at once; remove one first")]
    TooManyWaveforms,
    #[error(transparent)]
    Expression(#[from] ExpressionError),
    #[error("{0}")]
    Trigger(String),
    #[error("a recording has no segments: add expressions over its channels")]
    Recorded,
}
