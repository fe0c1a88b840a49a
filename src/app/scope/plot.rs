//! The plot of the screen: its traces and their axes, for drawing and for clicks.

use super::{PlotKind, Row, Scope};
use crate::app::event::Size;
use crate::app::layout::scope::{Needs, ScopeLayout, layout};
use crate::scope::plot::{
    ArrayPlot, Axis, Frame, Histogram, Marker, Picture, Scale, StateCounts, TimePlot, Trace, XyPlot,
};

/// A range is shared by traces whose own ranges are at least this part of it. Smaller ones would be flat
/// lines.
const MIN_SHARE: f64 = 1.0 / 20.0;

/// The part of the history that the plot shows, and the kind of plot.
#[derive(Debug, Clone, PartialEq)]
pub enum ShownPlot {
    /// Channels over time; the first is in front.
    Time(Vec<ShownTrace>),
    /// Two channels, across and up.
    Xy([usize; 2]),
    /// The row of the values.
    Histogram(usize, Histogram),
    /// A waveform across its indices.
    Array(usize),
    /// The frequency of each state.
    States(usize, StateCounts),
    /// Nothing, for this reason.
    Nothing(NoPlot),
}

/// A channel in the plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShownTrace {
    pub channel: usize,
    /// The range that it shares with the first trace. `None` for an axis of its own.
    pub shared: Option<[f64; 2]>,
}

/// The reason that there is no plot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPlot {
    NoSamples,
    NonePlotted,
    /// XY takes two channels.
    OnlyOne,
    NoValues,
    /// The array has not been read yet.
    NoContents,
}

impl Scope {
    #[must_use]
    pub fn layout(&self, size: Size) -> ScopeLayout {
        let cursors = match self.selected_waveform() {
            Some(_) if self.view.kind == PlotKind::Histogram => false,
            Some(selected) => selected.view.cursors.iter().any(Option::is_some),
            None => self.view.kind == PlotKind::Time && self.view.cursors.iter().any(Option::is_some),
        };
        layout(size, Needs { channels: self.rows(), cursor: self.cursor, shows_cursors: cursors })
    }

    /// The plot for an area of this width.
    #[must_use]
    pub fn shown_plot(&self, width: usize) -> ShownPlot {
        if let Some(Row::Waveform(index)) = self.row(self.cursor) {
            return self.shown_array(index, width);
        }
        let Some([from, to]) = self.visible() else { return ShownPlot::Nothing(NoPlot::NoSamples) };
        let plotted = self.plotted();
        match self.view.kind {
            PlotKind::Time if plotted.is_empty() => ShownPlot::Nothing(NoPlot::NonePlotted),
            PlotKind::Time => ShownPlot::Time(self.traces(&plotted)),
            PlotKind::Xy => match plotted[..] {
                [up, across, ..] => ShownPlot::Xy([across, up]),
                _ => ShownPlot::Nothing(NoPlot::OnlyOne),
            },
            PlotKind::Histogram if self.is_of_states(self.cursor) => {
                let names = |value: f64| self.channels.get(self.cursor)?.channel.name_of(value);
                let found = self.history.state_counts(self.cursor, [from, to], &names);
                found.map_or(ShownPlot::Nothing(NoPlot::NoValues), |found| {
                    ShownPlot::States(self.cursor, found)
                })
            }
            PlotKind::Histogram => {
                let found = self.history.histogram(self.cursor, from, to, width.max(1));
                found.map_or(ShownPlot::Nothing(NoPlot::NoValues), |found| {
                    ShownPlot::Histogram(self.cursor, found)
                })
            }
        }
    }

    /// The visible elements of an array across their indices, or counted.
    fn shown_array(&self, index: usize, width: usize) -> ShownPlot {
        let waveform = &self.waveforms[index];
        if waveform.contents.is_none() {
            return ShownPlot::Nothing(NoPlot::NoContents);
        }
        if self.view.kind != PlotKind::Histogram {
            return ShownPlot::Array(index);
        }
        let values: Vec<f64> = waveform.values().iter().copied().filter(|value| !value.is_nan()).collect();
        let is_integer = waveform.waveform.array.elements.kind().is_integer();
        let found = Histogram::of(&values, width.max(1), is_integer);
        found.map_or(ShownPlot::Nothing(NoPlot::NoValues), |found| ShownPlot::Histogram(self.cursor, found))
    }

    /// The number of the color of a row: its place among those that are plotted, so that few of them have
    /// the same one.
    #[must_use]
    pub fn color(&self, row: usize) -> usize {
        let plotted = self.channels.iter().take(row).filter(|one| one.is_plotted).count();
        plotted + row.saturating_sub(self.channels.len())
    }

    fn is_of_states(&self, channel: usize) -> bool {
        self.channels.get(channel).is_some_and(|one| !one.channel.is_quantity())
    }

    /// Decides which traces share the axis of the first.
    fn traces(&self, plotted: &[usize]) -> Vec<ShownTrace> {
        let mut traces: Vec<ShownTrace> =
            plotted.iter().map(|&channel| ShownTrace { channel, shared: None }).collect();
        let Some([from, to]) = self.visible() else { return traces };
        let extent = |channel: usize| self.history.extent(channel, from, to);
        // The names of states label an axis of their own.
        let can_share = |&&channel: &&usize| self.channels[channel].channel.is_quantity();
        let first = plotted.first().filter(can_share).filter(|_| !self.view.own_axes);
        let Some(mut joint) = first.and_then(|&channel| extent(channel)) else { return traces };
        let span = |[low, high]: [f64; 2]| high - low;
        let mut least = Some(span(joint)).filter(|span| *span > 0.0);
        let mut members = vec![plotted[0]];
        for &channel in plotted[1..].iter().filter(can_share) {
            let Some(found) = extent(channel) else { continue };
            let wider = [joint[0].min(found[0]), joint[1].max(found[1])];
            let own = Some(span(found)).filter(|span| *span > 0.0);
            let smallest = least.into_iter().chain(own).reduce(f64::min);
            if smallest.is_none_or(|smallest| smallest >= span(wider) * MIN_SHARE) {
                (joint, least) = (wider, smallest);
                members.push(channel);
            }
        }
        let axis = Axis::around(joint);
        for trace in traces.iter_mut().filter(|trace| members.contains(&trace.channel)) {
            trace.shared = Some([axis.low, axis.high]);
        }
        traces
    }

    /// Calls a function with the plot over time.
    fn with_time_plot<T>(&self, shown: &[ShownTrace], then: impl FnOnce(TimePlot<'_>) -> T) -> Option<T> {
        let [from, to] = self.visible()?;
        let traces: Vec<Trace> = shown
            .iter()
            .map(|trace| Trace {
                channel: trace.channel,
                range: trace.shared,
                has_steps: self.is_of_states(trace.channel),
            })
            .collect();
        let known: Vec<Vec<f64>> =
            shown.iter().map(|trace| self.channels[trace.channel].channel.named_values()).collect();
        let marks: Vec<u64> =
            self.marks.iter().map(|mark| mark.time).filter(|time| (from..=to).contains(time)).collect();
        let armed = self.trigger.as_ref();
        let first = self.channels.get(shown.first()?.channel)?;
        let names = |value: f64| first.channel.name_of(value);
        Some(then(TimePlot {
            history: &self.history,
            traces: &traces,
            from,
            to,
            zero: self.zero(),
            scale: Scale::Own,
            cursors: self.view.cursors,
            trigger: self.view.fired,
            fired: armed.map(|armed| armed.times(from, to)).unwrap_or_default(),
            marks: &marks,
            named: &known,
            names: if first.channel.is_quantity() { None } else { Some(&names) },
        }))
    }

    /// Calls a function with the plot of an array.
    fn with_array_plot<T>(&self, index: usize, then: impl FnOnce(ArrayPlot<'_>) -> T) -> Option<T> {
        let shown = self.waveforms.get(index)?;
        let elements = &shown.waveform.array.elements;
        let first = usize::try_from(elements.first).unwrap_or(0);
        let names = |value: f64| elements.name_of(value);
        // The range of all elements is known.
        let extent =
            shown.contents.as_ref().filter(|contents| contents.values().len() == shown.values().len());
        let axis = extent.and_then(|contents| contents.statistics.range).map(Axis::around);
        Some(then(ArrayPlot {
            values: shown.values(),
            first: shown.visible()[0] + first,
            range: axis.map(|axis| [axis.low, axis.high]),
            has_steps: !elements.is_quantity(),
            cursors: shown.view.cursors.map(|at| at.map(|at| at + first)),
            names: if elements.is_quantity() { None } else { Some(&names) },
        }))
    }

    fn xy_plot(&self, channels: [usize; 2]) -> Option<XyPlot<'_>> {
        let [from, to] = self.visible()?;
        Some(XyPlot { history: &self.history, channels, from, to })
    }
}

impl ShownPlot {
    /// The layout of the plot in an area of this size.
    #[must_use]
    pub fn frame(&self, scope: &Scope, size: [usize; 2]) -> Option<Frame> {
        match self {
            Self::Time(traces) => scope.with_time_plot(traces, |plot| plot.frame(size)),
            Self::Xy(channels) => scope.xy_plot(*channels).map(|plot| plot.frame(size)),
            Self::Histogram(_, histogram) => Some(histogram.frame(size)),
            Self::Array(index) => scope.with_array_plot(*index, |plot| plot.frame(size)),
            Self::States(_, counts) => Some(counts.frame(size)),
            Self::Nothing(_) => None,
        }
    }

    #[must_use]
    pub fn picture(&self, scope: &Scope, size: [usize; 2], marker: Marker) -> Option<Picture> {
        match self {
            Self::Time(traces) => scope.with_time_plot(traces, |plot| plot.draw(size, marker)),
            Self::Xy(channels) => scope.xy_plot(*channels).map(|plot| plot.draw(size, marker)),
            Self::Histogram(_, histogram) => Some(histogram.draw(size, marker)),
            Self::Array(index) => scope.with_array_plot(*index, |plot| plot.draw(size, marker)),
            Self::States(_, counts) => Some(counts.draw(size, marker)),
            Self::Nothing(_) => None,
        }
    }

    /// The row of a trace of the picture.
    #[must_use]
    pub fn row(&self, scope: &Scope, trace: usize) -> Option<usize> {
        match self {
            Self::Time(traces) => traces.get(trace).map(|trace| trace.channel),
            Self::Xy([_, up]) => Some(*up),
            Self::Histogram(row, _) | Self::States(row, _) => Some(*row),
            Self::Array(index) => Some(scope.channels.len() + index),
            Self::Nothing(_) => None,
        }
    }

    /// The time at a column of the plot over time.
    #[must_use]
    pub fn time_at(&self, scope: &Scope, size: [usize; 2], column: usize) -> Option<u64> {
        let Self::Time(_) = self else { return None };
        let offset = self.frame(scope, size)?.x_at(column)?;
        #[expect(clippy::cast_possible_truncation, reason = "nanoseconds on screen")]
        Some(scope.zero().saturating_add_signed(offset.round() as i64))
    }

    /// The element at a column of the plot of an array.
    #[must_use]
    pub fn element_at(&self, scope: &Scope, size: [usize; 2], column: usize) -> Option<usize> {
        let Self::Array(index) = self else { return None };
        let shown = scope.waveforms.get(*index)?;
        let first = usize::try_from(shown.waveform.array.elements.first).unwrap_or(0);
        let at = self.frame(scope, size)?.x_at(column)?.round().max(0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index on screen")]
        Some((at as usize).saturating_sub(first).min(shown.visible()[1]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::{Batch, Channel, Column, Grade, Number, NumberKind, Source};
    use crate::segment::Bytes;

    /// A scope with expressions, so that no segment is needed.
    fn scope(ranges: &[[f64; 2]]) -> Scope {
        let mut scope = Scope::new(Bytes(1 << 20));
        let mut batch = Batch { times: (1..=100).map(|tick| tick * 1_000_000).collect(), ..Batch::default() };
        for (index, [low, high]) in ranges.iter().enumerate() {
            let source = Source::Expression(format!("{index}"));
            let channel = Channel { name: format!("c{index}"), kind: NumberKind::Float, source };
            scope.add(channel).unwrap();
            let mut column = Column::default();
            for tick in 0..100_u8 {
                let value = low + (high - low) * f64::from(tick) / 99.0;
                column.push(Number::Float(value).bits(), Grade::Whole);
            }
            batch.columns.push(column);
        }
        scope.history.push(&batch);
        scope.view.span = 100_000_000;
        scope
    }

    fn sharing(scope: &Scope) -> Vec<usize> {
        let ShownPlot::Time(traces) = scope.shown_plot(80) else { panic!("no plot") };
        traces.iter().filter(|trace| trace.shared.is_some()).map(|trace| trace.channel).collect()
    }

    #[test]
    fn traces_that_would_be_flat_have_an_axis_of_their_own() {
        let mut scope = scope(&[[0.0, 1.0], [0.0, 1e6], [0.5, 3.0], [2.0, 2.0]]);
        assert_eq!(sharing(&scope), [0, 2, 3]);
        scope.cursor = 1;
        assert_eq!(sharing(&scope), [1, 3]);
        scope.view.own_axes = true;
        assert_eq!(sharing(&scope), [] as [usize; 0]);
    }

    #[test]
    fn column_of_the_plot_has_its_time() {
        let scope = scope(&[[0.0, 1.0]]);
        let plot = scope.shown_plot(80);
        let size = [80, 10];
        assert_eq!(plot.time_at(&scope, size, 0), None);
        let last = plot.time_at(&scope, size, 79).unwrap();
        assert!((99_000_000..=100_000_000).contains(&last), "{last}");
    }

    #[test]
    fn reason_for_no_plot_is_given() {
        let mut scope = scope(&[[0.0, 1.0]]);
        scope.view.kind = PlotKind::Xy;
        assert_eq!(scope.shown_plot(80), ShownPlot::Nothing(NoPlot::OnlyOne));
        scope.view.kind = PlotKind::Time;
        scope.channels[0].is_plotted = false;
        assert_eq!(scope.shown_plot(80), ShownPlot::Nothing(NoPlot::NonePlotted));
        assert_eq!(Scope::new(Bytes(0)).shown_plot(80), ShownPlot::Nothing(NoPlot::NoSamples));
    }
}
