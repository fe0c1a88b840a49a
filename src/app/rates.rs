//! The change rates of the segments in the table.

use crate::engine::{Activity, Unread};
use crate::segment::SegmentId;
use std::collections::{HashMap, VecDeque};

/// Samples in a sparkline: two seconds at four polls a second.
pub const SAMPLES: usize = 8;

/// The last change rates of one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RateHistory {
    /// Bytes found different per second, oldest first.
    Read {
        samples: VecDeque<u64>,
        /// Only parts of the segment were compared.
        sampled: bool,
    },
    /// Reading the segment would leave a trace.
    Unread(Unread),
}

#[derive(Debug, Clone, Default)]
pub struct Rates(HashMap<SegmentId, RateHistory>);

impl Rates {
    /// Adds the samples of one poll.
    pub fn add(&mut self, polled: Vec<(SegmentId, Activity)>) {
        for (id, activity) in polled {
            match activity {
                Activity::Changing { bytes_per_second, sampled } => {
                    let mut samples = match self.0.remove(&id) {
                        Some(RateHistory::Read { samples, .. }) => samples,
                        _ => VecDeque::with_capacity(SAMPLES),
                    };
                    if samples.len() == SAMPLES {
                        samples.pop_front();
                    }
                    samples.push_back(bytes_per_second);
                    self.0.insert(id, RateHistory::Read { samples, sampled });
                }
                Activity::Unread(reason) => {
                    self.0.insert(id, RateHistory::Unread(reason));
                }
            }
        }
    }

    pub fn get(&self, id: &SegmentId) -> Option<&RateHistory> {
        self.0.get(id)
    }

    pub fn remove(&mut self, id: &SegmentId) {
        self.0.remove(id);
    }

    /// Returns the rate of a segment, averaged over the sparkline.
    pub fn per_second(&self, id: &SegmentId) -> u64 {
        match self.0.get(id) {
            Some(RateHistory::Read { samples, .. }) if !samples.is_empty() => {
                samples.iter().sum::<u64>() / samples.len() as u64
            }
            _ => 0,
        }
    }

    /// Returns a number to sort by: the average rate in steps of a quarter of its magnitude, so that rows of
    /// similar rates do not change places with every sample.
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
