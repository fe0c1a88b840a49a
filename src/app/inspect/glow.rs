//! The highlight of changed bytes, which fades over three seconds.

use crate::engine::Clock;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

/// Maximum number of bytes, enough for many screens.
const MAX_BYTES: usize = 1 << 15;

/// The time of the last change of each byte.
#[derive(Debug, Clone, Default)]
pub struct Glow {
    since: BTreeMap<u64, Clock>,
}

impl Glow {
    pub const DURATION: Duration = Duration::from_secs(3);

    /// Records changes.
    pub fn changed(&mut self, ranges: &[Range<u64>], now: Clock) {
        self.since.retain(|_, since| now.saturating_sub(*since) < Self::DURATION);
        for offset in ranges.iter().cloned().flatten() {
            if self.since.len() >= MAX_BYTES {
                break;
            }
            self.since.insert(offset, now);
        }
    }

    /// Returns how far the glow of a byte has faded, from 0 (fresh) to 1; `None` if it does not
    /// glow.
    pub fn faded(&self, offset: u64, now: Clock) -> Option<f32> {
        let age = now.saturating_sub(*self.since.get(&offset)?);
        (age < Self::DURATION).then(|| age.as_secs_f32() / Self::DURATION.as_secs_f32())
    }

    /// Returns how far the glow of the last change in a range has faded.
    pub fn freshest(&self, range: Range<u64>, now: Clock) -> Option<f32> {
        if range.is_empty() {
            return None;
        }
        let age = now.saturating_sub(*self.since.range(range).map(|(_, since)| since).max()?);
        (age < Self::DURATION).then(|| age.as_secs_f32() / Self::DURATION.as_secs_f32())
    }

    /// Returns the ranges that glow.
    pub fn glowing(&self, now: Clock) -> Vec<Range<u64>> {
        let lit = |since: Clock| now.saturating_sub(since) < Self::DURATION;
        let mut ranges: Vec<Range<u64>> = vec![];
        for (&offset, _) in self.since.iter().filter(|(_, since)| lit(**since)) {
            match ranges.last_mut() {
                Some(last) if last.end == offset => last.end = offset + 1,
                _ => ranges.push(offset..offset + 1),
            }
        }
        ranges
    }

    pub fn is_glowing(&self, now: Clock) -> bool {
        self.since.values().any(|since| now.saturating_sub(*since) < Self::DURATION)
    }
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "a list of ranges is what is meant")]
mod tests {
    use super::*;

    #[test]
    fn glow_of_a_change_fades() {
        let mut glow = Glow::default();
        glow.changed(&[5..6, 6..7], Duration::from_secs(10));
        assert_eq!(glow.faded(5, Duration::from_secs(10)), Some(0.0));
        assert_eq!(glow.faded(6, Duration::from_millis(11_500)), Some(0.5));
        assert_eq!(glow.faded(7, Duration::from_secs(10)), None);
        assert_eq!(glow.freshest(0..6, Duration::from_millis(11_500)), Some(0.5));
        assert_eq!(glow.freshest(7..100, Duration::from_secs(10)), None);
        assert_eq!(glow.glowing(Duration::from_secs(12)), [5..7]);
        assert!(glow.is_glowing(Duration::from_secs(12)));
        assert!(!glow.is_glowing(Duration::from_secs(13)));
        glow.changed(&[], Duration::from_secs(20));
        assert!(glow.since.is_empty());
    }
}
