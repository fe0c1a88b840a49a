//! A recording in the Scope screen: its channels, and those that are computed from them.

use super::{AddError, MAX_CHANNELS, Scope};
use crate::scope::plot::relative;
use crate::scope::recording::{Figures, Track};
use crate::scope::units::duration;
use crate::scope::{Batch, Channel, Source};
use crate::segment::Bytes;

/// The recording that a scope shows.
#[derive(Debug, Clone, Default)]
pub struct ShownRecording {
    /// Safe to print.
    pub name: String,
    /// The figures that the samples do not show. `None` if the file does not have them.
    pub figures: Option<Figures>,
    /// The time of the start in nanoseconds since 1970. `None` if the file does not have it.
    pub start: Option<u64>,
    /// The problems of the file, safe to print.
    pub problems: Vec<String>,
}

impl Scope {
    /// A scope that shows a recording.
    ///
    /// # Errors
    /// Fails if two channels have the same name.
    pub fn of_recording(name: String, tracks: &[Track], memory: Bytes) -> Result<Self, AddError> {
        let mut scope = Self::new(memory);
        for Track { name, kind } in tracks.iter().take(MAX_CHANNELS) {
            scope.add(Channel { name: name.clone(), kind: *kind, source: Source::Recorded })?;
        }
        scope.recording = Some(ShownRecording { name, ..ShownRecording::default() });
        Ok(scope)
    }

    /// Computes the samples of the channels from `first` on, which are expressions, for all of the recording
    /// that is kept.
    pub(super) fn compute_recorded(&mut self, first: usize) {
        let Self { channels, expressions, history, .. } = self;
        let is_recorded: Vec<bool> =
            channels.iter().map(|one| matches!(one.channel.source, Source::Recorded)).collect();
        history.compute(first, |mut batch| {
            let mut recorded = is_recorded.iter();
            batch.columns.retain(|_| recorded.next().is_some_and(|recorded| *recorded));
            let batch: Batch = expressions.extend(batch);
            for (channel, column) in channels.iter_mut().zip(&batch.columns).skip(first) {
                channel.statistics.push(&batch.times, column);
            }
            batch
        });
        self.find_triggers();
    }

    /// Finds the times at which the trigger fires in a recording.
    pub(super) fn find_triggers(&mut self) {
        let all = self.all_channels();
        if let Some(trigger) = self.trigger.as_mut().filter(|_| self.recording.is_some())
            && trigger.rebuild(&all).is_ok()
        {
            trigger.find(&self.history);
        }
    }

    /// Describes the part of a recording that is kept, if it is not all of it: `the last 12 min of 2 h`.
    #[must_use]
    pub fn kept_part(&self) -> Option<String> {
        self.recording.as_ref().filter(|_| self.history.evicted() > 0)?;
        let (oldest, newest) = (self.history.oldest()?, self.history.newest()?);
        #[expect(clippy::cast_precision_loss, reason = "only shown")]
        let all = self.timing.elapsed.as_nanos() as f64;
        Some(format!("the last {} of {}", duration(relative(newest, oldest)), duration(all)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::scope::{Armed, TriggerAction};
    use crate::scope::trigger::{Mode, Trigger};
    use crate::scope::{Column, Grade, NumberKind, SampledValue, Timing};
    use std::time::Duration;

    const MS: u64 = 1_000_000;

    /// A recording of a saw of 100 ms from 0 to 99 at 1 kHz, with a gap at 250 ms.
    fn saw(length: u64, memory: u64) -> Scope {
        let tracks = [Track { name: "saw".to_owned(), kind: NumberKind::Unsigned }];
        let mut scope = Scope::of_recording("run.mcap".to_owned(), &tracks, Bytes(memory)).unwrap();
        for start in (0..length).step_by(1000) {
            let times = start..(start + 1000).min(length);
            let mut column = Column::default();
            for ms in times.clone() {
                column.push(ms % 100, if ms == 250 { Grade::Missing } else { Grade::Whole });
            }
            let timing = Timing { elapsed: Duration::from_millis(times.end), ..Timing::default() };
            let times = times.map(|ms| ms * MS).collect();
            scope.feed(Batch { times, columns: vec![column], timing, ..Batch::default() });
        }
        scope.show_all();
        scope
    }

    fn expression(name: &str, text: &str) -> Channel {
        let source = Source::Expression(text.to_owned());
        Channel { name: name.to_owned(), kind: NumberKind::Float, source }
    }

    fn trigger(scope: &mut Scope, condition: &str, mode: Mode, pre: u8) {
        let trigger = Trigger { mode, pre, ..Trigger::new(condition.parse().unwrap()) };
        scope.set_trigger(Armed::new(trigger, Vec::<TriggerAction>::new(), &scope.all_channels()).unwrap());
    }

    fn shown(scope: &Scope) -> Option<u64> {
        scope.view.fired.map(|time| time / MS)
    }

    #[test]
    fn expressions_are_computed_for_the_whole_recording() {
        let mut scope = saw(10_000, 16 << 20);
        scope.add(expression("twice", "saw * 2")).unwrap();
        scope.add_all(vec![expression("more", "step + 1"), expression("step", "delta(twice)")]).unwrap();
        let last = scope.history.len() - 1;
        assert_eq!(
            [0, 7, 251, last].map(|tick| scope.history.value(1, tick)),
            [0.0, 14.0, 102.0, 198.0].map(Some)
        );
        assert_eq!(scope.history.value(1, 250), None);
        assert_eq!([1, 100, 251].map(|tick| scope.history.value(3, tick)), [2.0, -198.0, 4.0].map(Some));
        assert_eq!(scope.history.value(2, 9_999), Some(3.0));
        assert_eq!(scope.channels[1].statistics.samples(), 9_999);
        assert_eq!(scope.channels[1].statistics.max().map(crate::scope::Number::as_f64), Some(198.0));
        // A channel that others use stays; the others go.
        assert!(scope.remove(1).is_err());
        scope.remove(2).unwrap();
        assert_eq!(scope.history.value(2, 1), Some(2.0));
    }

    #[test]
    fn value_of_a_segment_is_no_channel_of_a_recording() {
        let mut scope = saw(10, 1 << 20);
        let machine = crate::machine::fake::FakeMachine::new();
        machine.add_object("it", crate::machine::fake::FakeBytes::hole(64));
        let survey = crate::survey::Survey::take(&machine, &mut crate::survey::Names::default());
        let value = SampledValue {
            segment: Box::new(survey.segments[0].clone()),
            offset: 0,
            ty: crate::decode::Type::scalar(crate::decode::Scalar::U32, crate::decode::ByteOrder::native()),
            bits: None,
            sequence: None,
        };
        let channel =
            Channel { name: "it".to_owned(), kind: NumberKind::Unsigned, source: Source::Value(value) };
        assert!(matches!(scope.add(channel), Err(AddError::Recorded)));
        assert_eq!(scope.channels.len(), 1);
    }

    #[test]
    fn triggers_of_a_recording_are_found_and_shown_in_turn() {
        let mut scope = saw(1000, 16 << 20);
        let visible = scope.visible();
        trigger(&mut scope, "saw > 50 rising", Mode::Normal, 20);
        assert_eq!(scope.trigger_status().as_deref(), Some("10 found"));
        assert_eq!((scope.visible(), shown(&scope)), (visible, None), "the view stays");
        let times: Vec<u64> = (0..10).map(|saw| saw * 100 + 51).collect();
        for (index, time) in times.iter().enumerate() {
            assert!(scope.show_trigger(true));
            assert_eq!(shown(&scope), Some(*time));
            assert_eq!(scope.trigger_status(), Some(format!("{} of 10", index + 1)));
        }
        assert!(!scope.show_trigger(true));
        assert!(scope.show_trigger(false));
        assert_eq!(shown(&scope), Some(851));
        // A fifth of the view is before it, also after zooming.
        for _ in 0..3 {
            let [from, to] = scope.visible().unwrap();
            let before = (851 * MS).checked_sub(from);
            assert!(before.is_none_or(|before| (before * 5).abs_diff(to - from) < 1000), "{from} {to}");
            scope.view.zoom(true, scope.history.newest().unwrap());
        }
        trigger(&mut scope, "saw < 3", Mode::Normal, 50);
        assert!(scope.show_trigger(false), "without one that is shown, the last");
        assert_eq!(shown(&scope), Some(900));
    }

    #[test]
    fn mode_of_a_trigger_counts_in_a_recording() {
        let mut scope = saw(1000, 16 << 20);
        trigger(&mut scope, "saw == 99", Mode::Single, 50);
        assert_eq!(scope.trigger_status().as_deref(), Some("1 found"));
        trigger(&mut scope, "saw > 1000", Mode::Auto, 50);
        assert_eq!(scope.trigger_status().as_deref(), Some("none found"), "a timeout is no trigger");
        assert!(!scope.show_trigger(true) && !scope.show_trigger(false));
        trigger(&mut scope, "(saw + 1) == 100", Mode::Normal, 50);
        assert_eq!(scope.trigger_status().as_deref(), Some("10 found"));
    }

    #[test]
    fn part_that_is_kept_of_a_long_recording_is_told() {
        assert_eq!(saw(1000, 16 << 20).kept_part(), None);
        let mut scope = saw(100_000, 1 << 20);
        let part = scope.kept_part().unwrap();
        let kept = scope.history.len();
        assert!(part.starts_with("the last ") && part.ends_with(" s of 100 s"), "{part}");
        // A computed channel takes memory, too.
        trigger(&mut scope, "saw == 99", Mode::Normal, 50);
        let before = scope.trigger.as_ref().unwrap().count;
        scope.add(expression("twice", "saw * 2")).unwrap();
        assert!(scope.history.len() < kept && scope.history.bytes() <= scope.history.limit());
        let armed = scope.trigger.as_ref().unwrap();
        assert!(armed.count < before);
        let oldest = scope.history.oldest().unwrap();
        assert_eq!(armed.times(0, oldest - 1), [] as [u64; 0]);
        assert_eq!(scope.history.value(1, scope.history.len() - 1), Some(198.0));
    }
}
