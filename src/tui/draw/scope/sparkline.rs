//! The history of a channel in a row of cells.

use crate::scope::{Columns, Span};
use crate::tui::glyphs::Glyphs;

/// The highest bar is not full, so that the bars of adjacent rows do not merge.
const HIGHEST: f64 = 6.0;

/// Returns one cell for each column: the middle of its values. If they cover half of the range, cells
/// alternate between the least and the greatest, so that a fast signal does not look like a flat line.
/// States are steps.
pub fn sparkline(columns: &Columns, has_steps: bool, glyphs: &Glyphs) -> String {
    let spans = || columns.spans.iter().flatten();
    let min = spans().map(|span| span.min).fold(f64::INFINITY, f64::min);
    let max = spans().map(|span| span.max).fold(f64::NEG_INFINITY, f64::max);
    let is_binary = has_steps && spans().all(|span| is_end(span.last, min, max));
    let cell = |(index, span): (usize, &Option<Span>)| {
        let Some(span) = span else { return " " };
        let is_fast = span.max - span.min > (max - min) / 2.0;
        let value = match (has_steps, is_fast, index % 2) {
            (true, ..) => span.last,
            (false, false, _) => span.min.midpoint(span.max),
            (false, true, 0) => span.min,
            (false, true, _) => span.max,
        };
        if is_binary {
            return glyphs.steps[usize::from(value > min)];
        }
        let share = if max > min { (value - min) / (max - min) } else { 0.5 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 6")]
        glyphs.spark[(share.clamp(0.0, 1.0) * HIGHEST).round() as usize]
    };
    columns.spans.iter().enumerate().map(cell).collect()
}

#[expect(clippy::float_cmp, reason = "one of the values")]
const fn is_end(value: f64, min: f64, max: f64) -> bool {
    value == min || value == max
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::Grade;
    use crate::tui::glyphs::{ASCII, UNICODE};

    fn columns(spans: &[Option<[f64; 2]>]) -> Columns {
        let span = |[min, max]: [f64; 2]| Span {
            min,
            max,
            first: min,
            last: max,
            lowest: Grade::Whole,
            has_gap: false,
            is_joined: true,
        };
        Columns { spans: spans.iter().map(|range| range.map(span)).collect(), ..Columns::default() }
    }

    #[test]
    fn gaps_are_blank_and_fast_signals_alternate() {
        let slow = columns(&[Some([0.0, 0.0]), None, Some([3.5, 3.5]), Some([7.0, 7.0])]);
        assert_eq!(sparkline(&slow, false, &UNICODE), "▁ ▄▇");
        let fast = columns(&[Some([-1.0, 1.0]); 4]);
        assert_eq!(sparkline(&fast, false, &UNICODE), "▁▇▁▇");
        assert_eq!(sparkline(&columns(&[Some([5.0, 5.0]); 2]), false, &UNICODE), "▄▄");
        assert!(sparkline(&slow, false, &ASCII).is_ascii());
    }

    #[test]
    fn states_are_steps() {
        let two = columns(&[Some([1.0, 1.0]), Some([4.0, 4.0]), Some([1.0, 4.0]), Some([1.0, 1.0])]);
        assert_eq!(sparkline(&two, true, &UNICODE), "▁▔▔▁");
        let three = columns(&[Some([0.0, 0.0]), Some([1.0, 1.0]), Some([2.0, 2.0])]);
        assert_eq!(sparkline(&three, true, &UNICODE), "▁▄▇");
    }
}
