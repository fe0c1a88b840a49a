//! Sparklines.

use crate::tui::glyphs::Glyphs;

/// Returns one cell for each value, from the lowest bar at `least` to the highest at `most`.
pub fn sparkline(values: impl Iterator<Item = f64>, least: f64, most: f64, glyphs: &Glyphs) -> String {
    let span = most - least;
    values
        .map(|value| {
            let share = if span > 0.0 { (value - least) / span } else { 0.5 };
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

/// Returns the sparkline of change rates: blank for no change, and never lower than one step for some.
pub fn rates(samples: impl Iterator<Item = u64> + Clone, glyphs: &Glyphs) -> String {
    let most = samples.clone().max().unwrap_or(0);
    samples
        .map(|sample| match sample {
            0 => " ".to_owned(),
            #[expect(clippy::cast_precision_loss, reason = "only drawn")]
            some => sparkline(std::iter::once(some as f64), 0.0, most as f64, glyphs),
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
    fn idle_samples_are_blank() {
        assert_eq!(rates([0, 1, 1000].into_iter(), &UNICODE), " ▁█");
        assert_eq!(rates([0, 0].into_iter(), &UNICODE), "  ");
    }
}
