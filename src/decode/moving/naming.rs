//! Describes detected values: widths that fit, rate and history.

use super::detector::{Detector, usize_of};
use super::line::LINE;
use super::partition::Field;
use super::payload::Placed;
use super::series::Series;
use super::text::Text;
use super::value::{Kind, MovingValue, Sort};
use std::time::Duration;

impl Detector {
    pub(super) fn value(&self, placed: &Placed) -> Option<MovingValue> {
        let Placed { offset, field } = placed;
        let tracked = self.lines.get(&(offset / LINE as u64))?;
        let widths = self.widths(*offset, field);
        let width = *widths.first()?;
        let mut kind = field.fit.kind;
        // A field that wraps at its own width, below zeros, is an index in a wider field.
        if kind == Kind::Counter && field.wrapped && width > field.width {
            kind = Kind::Index { modulus: 1 << (8 * field.width) };
        }
        let series = Series::new(tracked.line.rows(), field.start, field.width);
        let at = usize_of(offset - self.first() * LINE as u64);
        Some(MovingValue {
            offset: *offset,
            width,
            widths,
            kind,
            sort: field.fit.sort,
            confidence: confidence(field.saved),
            bytes: self.last[at..at + width].to_vec(),
            rate: self.rate(kind, &series),
            history: history(&series, field.fit.sort),
        })
    }

    pub(super) fn text(&self, base: u64, text: &Text) -> MovingValue {
        let offset = base + text.seen.start as u64;
        let at = usize_of(offset - self.first() * LINE as u64);
        MovingValue {
            offset,
            width: text.width,
            widths: vec![text.width],
            kind: Kind::Text,
            sort: Sort::Text,
            confidence: 0.95,
            bytes: self.last[at..at + text.width].to_vec(),
            rate: None,
            history: vec![],
        }
    }

    /// Returns the widths that fit, the most likely first. Bytes above the field that never changed
    /// may belong to it.
    fn widths(&self, offset: u64, field: &Field) -> Vec<usize> {
        let width = field.width;
        let at = usize_of(offset - self.first() * LINE as u64);
        let mut widths = vec![width];
        let mut likely = width;
        if matches!(field.fit.sort, Sort::Float | Sort::Text) || width == 8 {
            return widths;
        }
        for wide in [2, 4, 8].into_iter().filter(|&wide| wide > width) {
            let bytes = at + width..at + wide;
            if bytes.end > self.last.len() || bytes.clone().any(|byte| self.is_active(byte)) {
                break;
            }
            let above = &self.last[bytes];
            // The upper bytes of a small positive or negative number.
            let zeros = above.iter().all(|byte| *byte == 0) || above.iter().all(|byte| *byte == 0xff);
            // The field wrapped without a carry.
            if field.wrapped && !zeros {
                break;
            }
            // The value would need its top bytes: two fields are more likely.
            if !zeros
                && above.last() != Some(&0)
                && !(wide == 4 && above.last().is_some_and(|top| *top < 8))
                && wide > 2
            {
                break;
            }
            widths.push(wide);
            let aligned = offset.is_multiple_of(wide as u64);
            let byte_field = field.fit.kind == Kind::Flag && wide == 8;
            if aligned && !byte_field && (zeros || wide == 4 && width >= 2) {
                likely = wide;
            }
        }
        widths.sort_by_key(|&width| (width != likely, width));
        widths
    }

    /// Returns true if a byte of the window has changed recently.
    pub(super) fn is_active(&self, at: usize) -> bool {
        let number = self.first() + (at / LINE) as u64;
        self.lines.get(&number).is_some_and(|tracked| tracked.line.is_active(at % LINE))
    }

    /// Returns the change in units per second, over the last seconds.
    #[expect(clippy::cast_precision_loss, reason = "a rate to be shown")]
    fn rate(&self, kind: Kind, series: &Series) -> Option<f64> {
        const SPAN: u64 = 4_000_000_000;
        if !matches!(kind, Kind::Counter | Kind::Clock { .. } | Kind::Index { .. }) {
            return None;
        }
        let turn = match kind {
            Kind::Index { modulus } => i64::try_from(modulus).unwrap_or(i64::MAX),
            _ => 0,
        };
        let from = self.now.saturating_sub(SPAN);
        let first = series.at.iter().position(|&at| at >= from)?.max(1);
        let seconds = self.now.saturating_sub(series.at[first - 1]) as f64 / 1e9;
        let steps = series.steps[first - 1..].iter();
        let moved: f64 =
            steps.map(|&step| if step < 0 { step.saturating_add(turn) } else { step } as f64).sum();
        (seconds > 0.0).then_some(moved / seconds)
    }
}

fn confidence(saved: f64) -> f64 {
    (1.0 - (-saved / 16.0).exp2()).clamp(0.0, 0.99)
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "points of a plot")]
fn history(series: &Series, sort: Sort) -> Vec<(Duration, f64)> {
    let spare = 64 - 8 * series.width;
    let read = |value: u64| match (sort, series.width) {
        (Sort::Float, 4) => f32::from_bits(value as u32).into(),
        (Sort::Float, _) => f64::from_bits(value),
        (Sort::Signed, _) => ((value << spare).cast_signed() >> spare) as f64,
        _ => value as f64,
    };
    series
        .at
        .iter()
        .zip(&series.values)
        .map(|(&at, &value)| (Duration::from_nanos(at), read(value)))
        .collect()
}
