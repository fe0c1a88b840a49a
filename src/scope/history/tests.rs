//! Tests of the history, most of them against one without chunks and summaries.

use super::columns::ROUNDED;
use super::series::BLOCK;
use super::*;
use crate::scope::Grade;
use proptest::prelude::*;

impl History {
    /// The bytes that are really allocated.
    fn allocated(&self) -> u64 {
        let times = self.times.len() * CHUNK * size_of::<u64>() + self.times.capacity() * size_of::<Times>();
        times as u64 + self.series.iter().map(Series::allocated).sum::<u64>()
    }
}

/// Ticks of one channel of floats, 1 ms apart.
fn history(values: &[Option<f64>]) -> History {
    let mut history = History::new(&[NumberKind::Float], 1 << 20);
    let mut batch = Batch { columns: vec![Column::default()], ..Batch::default() };
    for (time, value) in (0..).step_by(1_000_000).zip(values) {
        batch.times.push(time);
        let grade = if value.is_some() { Grade::Whole } else { Grade::Missing };
        batch.columns[0].push(value.unwrap_or(7.0).to_bits(), grade);
    }
    history.push(&batch);
    history
}

fn joined(columns: &Columns) -> Vec<Option<bool>> {
    columns.spans.iter().map(|span| span.map(|span| span.is_joined)).collect()
}

#[test]
fn line_ends_at_a_missing_sample() {
    let history = history(&[Some(1.0), Some(2.0), None, Some(3.0), Some(f64::NAN), Some(4.0), Some(5.0)]);
    let columns = history.columns(0, &history.buckets(0, 6_999_999, 7));
    let expected = [Some(false), Some(true), None, Some(false), None, Some(false), Some(true)];
    assert_eq!(joined(&columns), expected);
    let wide = history.columns(0, &history.buckets(0, 7_999_999, 2));
    let [Some(left), Some(right)] = wide.spans[..] else { panic!("{wide:?}") };
    assert_eq!((left.min, left.max, left.first, left.last, left.has_gap), (1.0, 3.0, 1.0, 3.0, true));
    assert_eq!((right.min, right.max, right.has_gap, right.is_joined), (4.0, 5.0, true, false));
}

#[test]
fn line_ends_at_a_pause_of_the_sampler() {
    // From 1 kHz to 100 Hz is no pause.
    let times = [0, 1, 2, 3, 13, 23, 33, 100, 110].map(|ms| ms * 1_000_000);
    let joined = |mut history: History| -> Vec<bool> {
        let column = Column { bits: vec![0; 9], grades: vec![Grade::Whole; 9] };
        history.push(&Batch { times: times.to_vec(), columns: vec![column], ..Batch::default() });
        (1..9).map(|tick| history.is_joined(0, tick)).collect()
    };
    let history = || History::new(&[NumberKind::Unsigned], 1 << 20);
    assert_eq!(joined(history()), [true, true, true, true, true, true, false, true]);
    assert_eq!(joined(history().with_pauses()), [true; 8]);
}

#[test]
fn cleared_history_goes_on() {
    let mut history = history(&[Some(1.0), Some(2.0)]);
    history.clear();
    assert_eq!((history.len(), history.bytes(), history.evicted(), history.channels()), (0, 0, 2, 1));
    assert_eq!((history.oldest(), history.extent(0, 0, 9), history.nearest(0, 5)), (None, None, None));
    let column = Column { bits: vec![3.0_f64.to_bits()], grades: vec![Grade::Whole] };
    history.push(&Batch { times: vec![7], columns: vec![column], ..Batch::default() });
    assert_eq!(history.value(0, 0), Some(3.0));
}

#[test]
fn lines_lead_to_the_samples_next_to_the_range() {
    let history = history(&[Some(1.0), Some(2.0), Some(3.0), None]);
    let columns = history.columns(0, &history.buckets(1_200_000, 1_800_000, 3));
    assert_eq!(columns.spans, [None; 3]);
    assert_eq!(columns.before, Some(Edge { time: 1_000_000, value: 2.0 }));
    assert_eq!(columns.after, Some(Edge { time: 2_000_000, value: 3.0 }));
    let columns = history.columns(0, &history.buckets(2_000_000, 2_500_000, 3));
    assert_eq!((columns.before.map(|edge| edge.value), columns.after), (Some(2.0), None));
    assert_eq!(history.extent(0, 1_200_000, 1_800_000), Some([2.0, 3.0]));
}

#[test]
fn columns_are_exact_where_the_rate_was_low() {
    // 200 samples at 10 Hz, then 200,000 at 10 kHz.
    let time = |tick: u64| tick.min(200) * 100_000_000 + tick.saturating_sub(200) * 100_000;
    let mut history = History::new(&[], 1 << 30);
    history.push(&Batch { times: (0..200_200).map(time).collect(), ..Batch::default() });
    let edges = history.buckets(0, 2 * time(200) - 1, 40).edges;
    assert_eq!(edges[..20], (0..20).map(|column| column * 10).collect::<Vec<_>>());
    assert!(edges[21..40].iter().all(|edge| edge.is_multiple_of(BLOCK)), "{edges:?}");
}

#[test]
fn nearest_sample_is_not_across_a_gap() {
    let history = history(&[Some(1.0), Some(2.0), None, Some(3.0)]);
    let at = |time| history.nearest(0, time).map(|sample| sample.time);
    assert_eq!(at(400_000), Some(0));
    assert_eq!(at(600_000), Some(1_000_000));
    assert_eq!(at(1_100_000), Some(1_000_000));
    assert_eq!([2_000_000, 2_900_000].map(at), [None, None]);
    assert_eq!([3_000_000, 9_000_000].map(at), [Some(3_000_000), None], "9 ms are in the future");
    assert_eq!(history.nearest(1, 0), None);

    let mut late = History::new(&[NumberKind::Float], 1 << 20);
    let column = Column { bits: vec![0; 2], grades: vec![Grade::Whole; 2] };
    late.push(&Batch { times: vec![7, 9], columns: vec![column], ..Batch::default() });
    assert_eq!([6, 7].map(|time| late.nearest(0, time).map(|sample| sample.time)), [None, Some(7)]);
}

#[test]
fn channel_that_never_had_samples_takes_no_memory() {
    let mut history = History::new(&[], 1 << 20);
    history.push(&Batch { times: (0..CHUNK as u64 + 10).collect(), ..Batch::default() });
    let before = history.bytes();
    history.add(NumberKind::Float);
    assert!(history.bytes() - before < 1000);
    let column = Column { bits: vec![1.5_f64.to_bits()], grades: vec![Grade::Stable] };
    history.push(&Batch { times: vec![10_000], columns: vec![column], ..Batch::default() });
    assert_eq!(history.value(0, CHUNK + 9), None);
    assert_eq!(history.value(0, CHUNK + 10), Some(1.5));
    assert!(history.bytes() - before > CHUNK_BYTES);
    history.push(&Batch {
        times: (10_001..10_100).collect(),
        columns: vec![Column { bits: vec![0; 99], grades: vec![Grade::Whole; 99] }],
        ..Batch::default()
    });
    let block = history.columns(0, &history.buckets(CHUNK as u64, 10_053, 1));
    assert_eq!(block.spans[0].map(|span| (span.max, span.has_gap)), Some((1.5, true)));
    history.remove(0);
    assert_eq!(history.bytes(), before);
}

#[test]
fn thinned_ticks_stay_when_others_are_evicted() {
    let mut history = History::new(&[], 0);
    let push = |history: &mut History, from: u64, count: u64| {
        history.push(&Batch { times: (from..from + count).collect(), ..Batch::default() });
    };
    push(&mut history, 0, 2 * CHUNK as u64);
    let times = |history: &History| -> Vec<u64> {
        let ticks = history.ticks(CHUNK as u64 + 5, CHUNK as u64 + 2500);
        history.thinned(ticks, 100).filter_map(|tick| history.time(tick)).collect()
    };
    let before = times(&history);
    assert!((90..=100).contains(&before.len()), "{}", before.len());
    push(&mut history, 2 * CHUNK as u64, 1);
    assert_eq!(history.evicted(), CHUNK as u64);
    assert_eq!(times(&history), before);
}

#[test]
fn time_never_falls() {
    let mut history = History::new(&[], 1 << 20);
    history.push(&Batch { times: vec![5, 3, 9, 2], ..Batch::default() });
    let times: Vec<_> = (0..4).filter_map(|tick| history.time(tick)).collect();
    assert_eq!(times, [5, 5, 9, 9]);
    assert_eq!((history.ticks(5, 5), history.ticks(6, 8), history.ticks(9, 4)), (0..2, 2..2, 2..2));
}

/// A history without chunks and summaries.
#[derive(Default)]
struct Model {
    times: Vec<u64>,
    channels: Vec<(NumberKind, Vec<(u64, Grade)>)>,
}

#[derive(Debug, Clone)]
enum Step {
    Push { ticks: usize, seed: u64 },
    Add(NumberKind),
    Remove(usize),
}

fn kind() -> impl Strategy<Value = NumberKind> {
    prop_oneof![Just(NumberKind::Unsigned), Just(NumberKind::Signed), Just(NumberKind::Float)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_usize..4000, any::<u64>()).prop_map(|(ticks, seed)| Step::Push { ticks, seed }),
        1 => kind().prop_map(Step::Add),
        1 => (0_usize..4).prop_map(Step::Remove),
    ]
}

/// Numbers without an end, from a seed (splitmix64).
fn numbers(mut seed: u64) -> impl FnMut() -> u64 {
    move || {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (seed ^ seed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

impl Model {
    /// A batch with gaps, numbers that are not finite, and pauses, also added to the model.
    fn batch(&mut self, ticks: usize, seed: u64) -> Batch {
        let mut next = numbers(seed);
        let mut time = self.times.last().copied().unwrap_or(0);
        let mut batch = Batch::default();
        for _ in 0..ticks {
            time += if next().is_multiple_of(100) { 50_000 } else { 900 + next() % 200 };
            batch.times.push(time);
        }
        self.times.extend(&batch.times);
        for (kind, samples) in &mut self.channels {
            let mut column = Column::default();
            let is_missing = next().is_multiple_of(4);
            for _ in 0..ticks {
                let bits = match (*kind, next() % 50) {
                    (NumberKind::Float, 0) => f64::NAN.to_bits(),
                    (NumberKind::Float, 1) => f64::INFINITY.to_bits(),
                    (NumberKind::Float, _) => f64::from((next() % 2000) as u32).to_bits(),
                    _ => next(),
                };
                let grade = match next() % 50 {
                    0 => Grade::Missing,
                    1 => Grade::Unverified,
                    2 => Grade::Stable,
                    _ => Grade::Whole,
                };
                column.push(bits, if is_missing { Grade::Missing } else { grade });
            }
            samples.extend(column.bits.iter().copied().zip(column.grades.iter().copied()));
            batch.columns.push(column);
        }
        batch
    }

    fn value(&self, channel: usize, tick: usize) -> Option<f64> {
        let (kind, samples) = &self.channels[channel];
        let (bits, grade) = samples[tick];
        Some(kind.number(bits).as_f64()).filter(|value| grade != Grade::Missing && value.is_finite())
    }

    fn is_joined(&self, channel: usize, tick: usize, oldest: usize) -> bool {
        if tick <= oldest || self.value(channel, tick).is_none() || self.value(channel, tick - 1).is_none() {
            return false;
        }
        let distance = |tick: usize| self.times[tick] - self.times[tick - 1];
        let before = (tick > oldest + 1).then(|| distance(tick - 1));
        let after = (tick + 1 < self.times.len()).then(|| distance(tick + 1));
        before.max(after).is_none_or(|typical| distance(tick) <= 4 * typical)
    }

    fn span(&self, channel: usize, ticks: Range<usize>, oldest: usize) -> Option<Span> {
        let values: Vec<f64> = ticks.clone().filter_map(|tick| self.value(channel, tick)).collect();
        let grades = ticks
            .clone()
            .filter(|&tick| self.value(channel, tick).is_some())
            .map(|tick| self.channels[channel].1[tick].1);
        Some(Span {
            min: values.iter().copied().reduce(f64::min)?,
            max: values.iter().copied().reduce(f64::max)?,
            first: *values.first()?,
            last: *values.last()?,
            lowest: grades.min()?,
            has_gap: values.len() < ticks.len(),
            is_joined: self.is_joined(channel, ticks.start, oldest),
        })
    }
}

fn check_columns(history: &History, model: &Model, from: u64, to: u64, count: u32) {
    let oldest = model.times.len() - history.len();
    let kept = &model.times[oldest..];
    let buckets = history.buckets(from, to, count as usize);
    let length = u128::from(to - from) + 1;
    for (column, &edge) in (0..).zip(&buckets.edges) {
        let start = u128::from(from) + (length * column).div_ceil(u128::from(count));
        let exact = kept.partition_point(|&time| u128::from(time) < start);
        let is_near = || u128::from(kept[edge]) + length / u128::from(count) / ROUNDED as u128 >= start;
        assert!(edge == exact || edge < exact && is_near(), "{edge} is not {exact}");
    }
    for channel in 0..model.channels.len() {
        let found = history.columns(channel, &buckets);
        let ticks = |ends: &[usize]| oldest + ends[0]..oldest + ends[1];
        let expected: Vec<Option<Span>> =
            buckets.edges.windows(2).map(|ends| model.span(channel, ticks(ends), oldest)).collect();
        assert_eq!(found.spans, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn columns_equal_those_of_all_samples(
        kinds in prop::collection::vec(kind(), 1..3),
        steps in prop::collection::vec(step(), 1..12),
        limit in 0_u64..600_000,
        views in prop::collection::vec((any::<u64>(), any::<u64>(), 1_u32..40), 4),
    ) {
        let mut history = History::new(&kinds, limit);
        let mut model = Model { channels: kinds.iter().map(|&kind| (kind, vec![])).collect(), ..Model::default() };
        for step in steps {
            match step {
                Step::Push { ticks, seed } => history.push(&model.batch(ticks, seed)),
                Step::Add(kind) => {
                    history.add(kind);
                    model.channels.push((kind, vec![(0, Grade::Missing); model.times.len()]));
                }
                Step::Remove(index) => {
                    history.remove(index);
                    if index < model.channels.len() {
                        model.channels.remove(index);
                    }
                }
            }
            let channels = model.channels.len() as u64;
            let two_chunks = 2 * (TIMES_BYTES + channels * (ENTRY_BYTES + CHUNK_BYTES));
            prop_assert!(history.bytes() <= limit.max(two_chunks));
            prop_assert!(history.allocated() <= history.bytes());
        }
        let oldest = model.times.len() - history.len();
        prop_assert_eq!(oldest as u64, history.evicted());
        for (channel, (_, samples)) in model.channels.iter().enumerate() {
            for (tick, &(bits, grade)) in samples[oldest..].iter().enumerate() {
                let found = history.sample(channel, tick).unwrap();
                prop_assert_eq!((found.time, found.grade), (model.times[oldest + tick], grade));
                prop_assert!(grade == Grade::Missing || found.bits == bits);
            }
        }
        if let (Some(first), Some(last)) = (history.oldest(), history.newest()) {
            let range = last - first + 2000;
            for (a, b, count) in views {
                let (a, b) = (a % range, b % range);
                check_columns(&history, &model, (first + a.min(b)).saturating_sub(1000), first + a.max(b), count);
            }
            check_columns(&history, &model, first, last, 5);
        }
    }
}

#[test]
fn ticks_are_returned_and_computed_across_chunks() {
    let values: Vec<Option<f64>> = (0..2 * u32::try_from(CHUNK).unwrap() + 100)
        .map(|tick| (tick % 7 != 3).then(|| f64::from(tick)))
        .collect();
    let mut computed = history(&values);
    let first = CHUNK - 3;
    let part = computed.batch(first..2 * CHUNK + 500);
    assert_eq!(part.len(), values.len() - first);
    assert_eq!(part.times[0], first as u64 * 1_000_000);
    let column = &part.columns[0];
    for (index, value) in values[first..].iter().enumerate() {
        assert_eq!(column.grades[index] != Grade::Missing, value.is_some());
        assert!(value.is_none_or(|value| column.bits[index] == value.to_bits()));
    }
    computed.add(NumberKind::Float);
    let doubled = |mut batch: Batch| {
        let double = |bits: &u64| (2.0 * f64::from_bits(*bits)).to_bits();
        batch.columns[1].bits = batch.columns[0].bits.iter().map(double).collect();
        batch.columns[1].grades = batch.columns[0].grades.clone();
        batch
    };
    computed.compute(1, doubled);
    // As if the channel had been there from the start.
    let mut pushed = History::new(&[NumberKind::Float; 2], 1 << 20);
    let mut batch = history(&values).batch(0..values.len());
    batch.columns.push(Column::default());
    pushed.push(&doubled(batch));
    let (all, last) = (0..pushed.len(), pushed.newest().unwrap());
    assert_eq!(computed.batch(all.clone()), pushed.batch(all));
    let buckets = pushed.buckets(0, last, 333);
    assert_eq!(computed.columns(1, &buckets), pushed.columns(1, &buckets));
    assert_eq!(computed.bytes(), pushed.bytes());
    assert!(computed.allocated() <= computed.bytes());
}

#[test]
fn computed_samples_keep_to_the_limit() {
    let limit = 8 * (CHUNK_BYTES + TIMES_BYTES);
    let mut history = History::new(&[NumberKind::Unsigned], limit);
    let times: Vec<u64> = (0..7 * CHUNK as u64).collect();
    let column = Column { bits: times.clone(), grades: vec![Grade::Whole; times.len()] };
    history.push(&Batch { times, columns: vec![column], ..Batch::default() });
    assert_eq!(history.evicted(), 0);
    history.add(NumberKind::Unsigned);
    history.compute(1, |mut batch| {
        batch.columns[1] = batch.columns[0].clone();
        batch
    });
    assert!(history.evicted() > 0 && history.bytes() <= limit, "{} {}", history.evicted(), history.bytes());
    let last = history.len() - 1;
    for tick in [0, last] {
        assert_eq!(history.sample(1, tick).unwrap().bits, history.evicted() + tick as u64);
    }
}
