//! Arrays on the Scope screen: a curve across the indices of each, and statistics of its contents.

use super::{AddError, ArrayView, Scope};
use crate::engine::{Clock, SubscriptionId};
use crate::scope::expression::ExpressionError;
use crate::scope::text::Signal;
use crate::scope::{ArrayContents, EventKind, Number, Rate, Waveform};
use std::time::Duration;

/// Waveforms at most: their contents take up to 16 MiB each.
pub const MAX_WAVEFORMS: usize = 16;
/// The shortest interval between two readings.
const SHORTEST: Duration = Duration::from_millis(50);
/// Bytes of all waveforms that are read in a second at most.
const MAX_BYTES_PER_SECOND: u64 = 32 << 20;

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    Channel(usize),
    Waveform(usize),
}

/// An array with its contents.
#[derive(Debug)]
pub struct ScopeWaveform {
    pub waveform: Waveform,
    /// The last contents. They stay after the segment is gone.
    pub contents: Option<ArrayContents>,
    pub view: ArrayView,
    /// The reason why it cannot be read now.
    pub trouble: Option<EventKind>,
    /// The times of the last reading, and of the last one that differed from the one before.
    read: Option<[Clock; 2]>,
    /// Set if contents have differed from those before.
    has_changed: bool,
    pub(in crate::app) feed: Option<ArrayFeed>,
    /// Set after it was tried to read it, until the next survey.
    pub(in crate::app) is_tried: bool,
    /// The user detached its segment.
    pub(in crate::app) is_detached: bool,
}

/// A subscription to the bytes of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) struct ArrayFeed {
    pub subscription: SubscriptionId,
    pub every: Duration,
}

impl ScopeWaveform {
    fn new(waveform: Waveform) -> Self {
        Self {
            waveform,
            contents: None,
            view: ArrayView::default(),
            trouble: None,
            read: None,
            has_changed: false,
            feed: None,
            is_tried: false,
            is_detached: false,
        }
    }

    /// Takes the bytes of the array. Those of a reading without changes are not decoded again.
    pub(in crate::app) fn take(&mut self, at: Clock, bytes: Vec<u8>) {
        self.trouble = None;
        let is_same = self.contents.as_ref().is_some_and(|contents| contents.bytes() == bytes);
        if !is_same {
            self.has_changed = self.contents.is_some();
            self.contents = Some(ArrayContents::new(&self.waveform.array.elements, bytes));
        }
        let changed = self.read.filter(|_| is_same).map_or(at, |[_, changed]| changed);
        self.read = Some([at, changed]);
    }

    /// The elements that are read.
    #[must_use]
    pub fn count(&self) -> usize {
        usize::try_from(self.waveform.array.elements.read_count()).unwrap_or(usize::MAX)
    }

    /// The first and the last visible element.
    #[must_use]
    pub fn visible(&self) -> [usize; 2] {
        self.view.range(self.count())
    }

    /// The visible elements.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        let [from, to] = self.visible();
        self.contents.as_ref().and_then(|contents| contents.values().get(from..=to)).unwrap_or_default()
    }

    /// The time from the last change to the last reading. `None` before the first change.
    #[must_use]
    pub fn unchanged(&self) -> Option<Duration> {
        self.read.filter(|_| self.has_changed).map(|[last, changed]| last.saturating_sub(changed))
    }

    #[must_use]
    pub fn number(&self, index: usize) -> Option<Number> {
        self.contents.as_ref()?.number(&self.waveform.array.elements, index)
    }
}

impl Scope {
    /// Adds channels, which may name each other in any order, and arrays.
    ///
    /// # Errors
    /// Fails if one of them cannot be added.
    pub fn add_signals(&mut self, signals: Vec<Signal>) -> Result<(), AddError> {
        let (mut channels, mut waveforms) = (vec![], vec![]);
        for signal in signals {
            match signal {
                Signal::Channel(channel) => channels.push(channel),
                Signal::Waveform(waveform) => waveforms.push(waveform),
            }
        }
        self.add_all(channels)?;
        waveforms.into_iter().try_for_each(|waveform| self.add_waveform(waveform))
    }

    /// Adds an array behind the others.
    ///
    /// # Errors
    /// Fails if there are too many, or if its name is taken.
    pub fn add_waveform(&mut self, waveform: Waveform) -> Result<(), AddError> {
        if self.waveforms.len() == MAX_WAVEFORMS {
            return Err(AddError::TooManyWaveforms);
        }
        let names = self.channels.iter().map(|one| &one.channel.name);
        if names.chain(self.waveforms.iter().map(|one| &one.waveform.name)).any(|name| *name == waveform.name)
        {
            return Err(ExpressionError::DuplicateName { name: waveform.name }.into());
        }
        self.offered = None;
        self.waveforms.push(ScopeWaveform::new(waveform));
        Ok(())
    }

    /// Removes an array.
    pub(in crate::app) fn remove_waveform(&mut self, index: usize) -> ScopeWaveform {
        self.offered = None;
        let removed = self.waveforms.remove(index);
        if self.channels.len() + index < self.cursor {
            self.cursor -= 1;
        }
        self.cursor = self.cursor.min(self.rows().saturating_sub(1));
        removed
    }

    /// The rows of the table: the channels, then the waveforms.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.channels.len() + self.waveforms.len()
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    #[must_use]
    pub fn row(&self, row: usize) -> Option<Row> {
        match row.checked_sub(self.channels.len()) {
            None => Some(Row::Channel(row)),
            Some(index) => (index < self.waveforms.len()).then_some(Row::Waveform(index)),
        }
    }

    /// The name in a row.
    #[must_use]
    pub fn row_name(&self, row: usize) -> &str {
        match self.row(row) {
            Some(Row::Channel(index)) => &self.channels[index].channel.name,
            Some(Row::Waveform(index)) => &self.waveforms[index].waveform.name,
            None => "",
        }
    }

    #[must_use]
    pub fn selected_waveform(&self) -> Option<&ScopeWaveform> {
        self.waveforms.get(self.cursor.checked_sub(self.channels.len())?)
    }

    pub(in crate::app) fn selected_waveform_mut(&mut self) -> Option<&mut ScopeWaveform> {
        self.waveforms.get_mut(self.cursor.checked_sub(self.channels.len())?)
    }

    pub(in crate::app) fn reads_arrays(&self) -> bool {
        self.waveforms.iter().any(|one| one.feed.is_some())
    }

    /// The interval at which the arrays are read: that of the samples, unless it is short or there is much to
    /// read.
    #[must_use]
    pub fn array_interval(&self) -> Duration {
        let lengths = self.waveforms.iter().map(|one| one.waveform.array.elements.range());
        let bytes: u64 = lengths.map(|range| range.end - range.start).sum();
        let by_size = Duration::from_millis(bytes * 1000 / MAX_BYTES_PER_SECOND);
        let by_rate = match self.rate {
            Rate::Hertz(rate) => Duration::try_from_secs_f64(1.0 / rate).unwrap_or_default(),
            Rate::Burst => Duration::ZERO,
        };
        by_rate.max(by_size).max(SHORTEST)
    }
}
