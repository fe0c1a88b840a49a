//! The change rates of the segments in the table.

use crate::engine::{Activity, Unread};
use crate::segment::SegmentId;
use std::collections::{HashMap, VecDeque};

/// Samples in a sparkline: two seconds at four polls a second.
pub const SAMPLES: usize = 8;

/// The last change rates of one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RateHistory {
    /// Changed bytes per second, oldest first.
    Read {
        samples: VecDeque<u64>,
        /// Set if only parts of the segment were compared.
        sampled: bool,
    },
    /// Reading the segment would leave a trace.
    Unread(Unread),
}

#[derive(Debug, Clone, Default)]
pub struct Rates {
    of: HashMap<SegmentId, RateHistory>,
    /// The number of times that a segment started or stopped changing.
    turns: u64,
}

impl Rates {
    /// Adds the samples of one poll.
    pub fn add(&mut self, polled: Vec<(SegmentId, Activity)>) {
        for (id, activity) in polled {
            let before = self.is_changing(&id);
            let after = match activity {
                Activity::Changing { bytes_per_second, sampled } => {
                    let mut samples = match self.of.remove(&id) {
                        Some(RateHistory::Read { samples, .. }) => samples,
                        _ => VecDeque::with_capacity(SAMPLES),
                    };
                    if samples.len() == SAMPLES {
                        samples.pop_front();
                    }
                    samples.push_back(bytes_per_second);
                    let changing = samples.iter().any(|&rate| rate > 0);
                    self.of.insert(id, RateHistory::Read { samples, sampled });
                    changing
                }
                Activity::Unread(reason) => {
                    self.of.insert(id, RateHistory::Unread(reason));
                    false
                }
            };
            self.turns += u64::from(before != after);
        }
    }

    pub fn get(&self, id: &SegmentId) -> Option<&RateHistory> {
        self.of.get(id)
    }

    pub fn remove(&mut self, id: &SegmentId) {
        self.of.remove(id);
    }

    /// Returns true if the segment changed during its sparkline.
    pub fn is_changing(&self, id: &SegmentId) -> bool {
        matches!(self.of.get(id), Some(RateHistory::Read { samples, .. }) if samples.iter().any(|&rate| rate > 0))
    }

    /// Returns a number that changes when a segment starts or stops changing.
    pub const fn transitions(&self) -> u64 {
        self.turns
    }

    /// Returns the rate of a segment, averaged over the sparkline.
    pub fn per_second(&self, id: &SegmentId) -> u64 {
        match self.of.get(id) {
            Some(RateHistory::Read { samples, .. }) if !samples.is_empty() => {
                samples.iter().sum::<u64>() / samples.len() as u64
            }
            _ => 0,
        }
    }

    /// Returns a number to sort by: the average rate in steps of a quarter of its magnitude, so
    /// that rows of similar rates do not change places with every sample.
    pub fn rank(&self, id: &SegmentId) -> u32 {
        let rate = self.per_second(id);
        let magnitude = u64::BITS - rate.leading_zeros();
        let quarter = if magnitude > 2 { (rate >> (magnitude - 3)) & 3 } else { 0 };
        magnitude * 4 + u32::try_from(quarter).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changing(bytes_per_second: u64) -> Activity {
        Activity::Changing { bytes_per_second, sampled: false }
    }

    #[test]
    fn history_keeps_the_last_samples() {
        let mut rates = Rates::default();
        let id: SegmentId = "posix:/a".parse().unwrap();
        for rate in 0..20 {
            rates.add(vec![(id.clone(), changing(rate))]);
        }
        let Some(RateHistory::Read { samples, .. }) = rates.get(&id) else { panic!() };
        assert!(samples.iter().copied().eq(12..20));
        assert_eq!(rates.per_second(&id), 15);
        rates.add(vec![(
            id.clone(),
            Activity::Unread(Unread::Failed(crate::segment::ShownError::new("denied"))),
        )]);
        assert_eq!((rates.per_second(&id), rates.rank(&id)), (0, 0));
    }

    #[test]
    fn rank_follows_the_rate_but_not_its_noise() {
        let rank = |rate| {
            let mut rates = Rates::default();
            let id: SegmentId = "posix:/a".parse().unwrap();
            rates.add(vec![(id.clone(), changing(rate))]);
            rates.rank(&id)
        };
        assert!([0, 1, 2, 4, 50, 1000, 4000, u64::MAX].windows(2).all(|pair| rank(pair[0]) < rank(pair[1])));
        assert_eq!(rank(1000), rank(1010));
    }
}
