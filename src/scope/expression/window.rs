//! The samples of the last moments, in bounded memory.

use super::samples::Point;
use crate::scope::Grade;

/// Entries of a window. Samples that are closer to each other than this part of the window share one, so
/// that the window may end so much early.
const MAX_ENTRIES: u64 = 1 << 16;

/// The samples of the last moments. A queue of two stacks: totals are never subtracted from, so that
/// they do not drift.
#[derive(Debug, Clone)]
pub struct Window {
    /// Nanoseconds.
    length: u64,
    /// The older ones, oldest last, each with the total of itself and all newer ones in this stack.
    older: Vec<(Entry, Total)>,
    /// The newer ones, oldest first.
    newer: Vec<Entry>,
    /// Of `newer`.
    total: Total,
}

/// One sample, or neighbors.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Of the first.
    time: u64,
    first: Point,
    total: Total,
}

/// A summary of samples.
#[derive(Debug, Clone, Copy)]
pub struct Total {
    pub sum: f64,
    pub count: u64,
    /// The lowest.
    pub grade: Grade,
}

impl Total {
    const NONE: Self = Self { sum: 0.0, count: 0, grade: Grade::Verified };

    fn with(self, other: Self) -> Self {
        Self {
            sum: self.sum + other.sum,
            count: self.count + other.count,
            grade: self.grade.min(other.grade),
        }
    }
}

impl Window {
    pub const fn new(length: u64) -> Self {
        Self { length, older: vec![], newer: vec![], total: Total::NONE }
    }

    pub fn clear(&mut self) {
        *self = Self::new(self.length);
    }

    /// Adds a sample, and drops those that are older than the window.
    pub fn push(&mut self, time: u64, point: Point, grade: Grade) {
        let total = Total { sum: point.value, count: 1, grade };
        self.total = self.total.with(total);
        match self.newer.last_mut() {
            Some(last) if time.saturating_sub(last.time) < self.length / MAX_ENTRIES => {
                last.total = last.total.with(total);
            }
            _ => self.newer.push(Entry { time, first: point, total }),
        }
        while let Some((oldest, _)) = self.oldest()
            && time.saturating_sub(oldest) > self.length
        {
            if self.older.is_empty() {
                self.turn();
            }
            self.older.pop();
        }
    }

    /// The time of the first sample, and the sample.
    pub fn oldest(&self) -> Option<(u64, Point)> {
        let entry = self.older.last().map(|(entry, _)| entry).or_else(|| self.newer.first())?;
        Some((entry.time, entry.first))
    }

    /// The total of all samples.
    pub fn total(&self) -> Total {
        self.older.last().map_or(Total::NONE, |(_, total)| *total).with(self.total)
    }

    /// Moves the newer samples to the empty stack of the older ones.
    fn turn(&mut self) {
        let mut total = Total::NONE;
        for entry in self.newer.drain(..).rev() {
            total = total.with(entry.total);
            self.older.push((entry, total));
        }
        self.total = Total::NONE;
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::Samples;
    use super::*;
    use crate::scope::{Column, NumberKind};
    use proptest::prelude::*;

    fn point(value: f64) -> Point {
        let column = Column { bits: vec![value.to_bits()], grades: vec![Grade::Whole] };
        Samples::of(&column, NumberKind::Float, vec![]).point(0).unwrap().0
    }

    #[test]
    fn long_windows_take_bounded_memory() {
        let mut window = Window::new(300_000);
        for time in 0..600_000_u64 {
            window.push(time, point(1.0), Grade::Whole);
            assert!(window.older.len() + window.newer.len() <= 75_001);
        }
        let count = window.total().count;
        assert!((299_997..=300_001).contains(&count), "{count}");
    }

    proptest! {
        #[test]
        fn totals_are_those_of_the_samples_in_the_window(
            steps in proptest::collection::vec((0_u64..40, -100_i32..100, 1_usize..5), 1..200),
            length in 0_u64..100,
        ) {
            const GRADES: [Grade; 5] = [Grade::Missing, Grade::Unverified, Grade::Stable, Grade::Whole, Grade::Verified];
            let (mut window, mut all, mut time) = (Window::new(length), vec![], 0);
            for (step, value, grade) in steps {
                time += step;
                window.push(time, point(value.into()), GRADES[grade]);
                all.push((time, f64::from(value), GRADES[grade]));
                let inside = || all.iter().filter(|(then, ..)| time - then <= length);
                let total = window.total();
                let sum: f64 = inside().map(|(_, value, _)| value).sum();
                prop_assert_eq!(total.sum.to_bits(), sum.to_bits());
                prop_assert_eq!(total.count, inside().count() as u64);
                prop_assert_eq!(Some(total.grade), inside().map(|(.., grade)| *grade).min());
                prop_assert_eq!(window.oldest().map(|(then, _)| then), inside().next().map(|(then, ..)| *then));
            }
        }
    }
}
