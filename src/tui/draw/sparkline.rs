//! Sparklines.

use crate::tui::glyphs::Glyphs;

/// Returns one cell for each value, from the lowest bar at `min` to the highest at `max`.
pub fn sparkline(values: impl Iterator<Item = f64>, min: f64, max: f64, glyphs: &Glyphs) -> String {
    let span = max - min;
    values
        .map(|value| {
            let share = if span > 0.0 { (value - min) / span } else { 0.5 };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and 7, and 0 for a value that is not a number"
            )]
            let step = (share.clamp(0.0, 1.0) * 7.0).round() as usize;
            glyphs.spark[step]
        })
        .collect()
}

/// Returns the sparkline of change rates: blank for no change. The height of the highest bar shows
/// the magnitude of the rate, so that rows can be compared. No bar is full, so that the bars of
/// adjacent rows do not merge.
pub fn rates(samples: impl Iterator<Item = u64> + Clone, glyphs: &Glyphs) -> String {
    #[expect(clippy::cast_precision_loss, reason = "only drawn")]
    let number = |sample: u64| sample as f64;
    let max = number(samples.clone().max().unwrap_or(0));
    let highest = (1.0 + max.log2() / 4.0).min(6.0) / 7.0;
    samples
        .map(|sample| match sample {
            0 => " ".to_owned(),
            some => sparkline(std::iter::once(number(some) / max * highest), 0.0, 1.0, glyphs),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::glyphs::{ASCII, UNICODE};

    #[test]
    fn bars_span_the_range() {
        assert_eq!(sparkline([0.0, 3.5, 7.0].into_iter(), 0.0, 7.0, &UNICODE), "▁▅█");
        assert_eq!(sparkline([2.0, 2.0].into_iter(), 2.0, 2.0, &UNICODE), "▅▅");
        assert_eq!(sparkline([f64::NAN].into_iter(), 0.0, 1.0, &UNICODE), "▁");
        assert!(sparkline([0.0, 5.0].into_iter(), 0.0, 5.0, &ASCII).is_ascii());
    }

    #[test]
    fn bar_height_shows_the_rate_and_idle_samples_are_blank() {
        assert_eq!(rates([0, 1, 1000].into_iter(), &UNICODE), " ▁▄");
        assert_eq!(rates([4, 4].into_iter(), &UNICODE), "▃▃");
        assert_eq!(rates([1 << 20, u64::MAX].into_iter(), &UNICODE), "▁▇");
        assert_eq!(rates([0, 0].into_iter(), &UNICODE), "  ");
    }
}
