//! Numbers of channels, rounded so that their digits line up and do not flicker.

use crate::app::scope::{ScopeChannel, ScopeWaveform};
use crate::scope::Number;
use crate::scope::units::rounded;
use crate::tui::canvas::{Canvas, cells};

/// A fraction shows differences of a thousandth of the range of a channel.
const RESOLUTION: f64 = 1000.0;
/// Numbers that need more decimals get an exponent.
const MAX_DECIMALS: usize = 6;
/// Larger numbers get an exponent.
const MAX_FIXED: f64 = 1e9;
/// Digits of a number that gets an exponent.
const DIGITS: usize = 5;
/// Digits of a number that is rounded to fit.
const MAX_DIGITS: usize = 17;

/// The text of a sample. States have names, and integers all their digits.
pub fn sample(channel: &ScopeChannel, number: Number) -> String {
    let value = number.as_f64();
    if channel.channel.kind.is_integer() || !value.is_finite() {
        return channel.channel.text(number.bits());
    }
    let ends = [channel.statistics.min(), channel.statistics.max()].into_iter().flatten();
    let are_whole = ends.map(Number::as_f64).chain([value]).all(is_whole);
    if are_whole { format!("{value:.0}") } else { real(channel, value) }
}

/// Returns true for numbers such as those of an expression over integers.
fn is_whole(value: f64) -> bool {
    value.fract() == 0.0 && value.abs() < MAX_FIXED
}

/// The text of a number on the scale of a channel, such as its average.
pub fn real(channel: &ScopeChannel, value: f64) -> String {
    let ends = channel.statistics.min().zip(channel.statistics.max());
    on_scale(ends.map(|(min, max)| max.minus(min)), value)
}

/// The text of a number of which others differ by at most `span`.
pub fn on_scale(span: Option<f64>, value: f64) -> String {
    match span.and_then(decimals) {
        Some(decimals) if value.abs() < MAX_FIXED => format!("{value:.decimals$}"),
        _ => rounded(value, DIGITS),
    }
}

/// The text of a difference of two samples.
pub fn difference(channel: &ScopeChannel, value: f64) -> String {
    let is_integer = channel.channel.kind.is_integer() && is_whole(value);
    if is_integer { format!("{value:.0}") } else { real(channel, value) }
}

/// The text of an element of an array.
pub fn element(one: &ScopeWaveform, number: Number) -> String {
    let value = number.as_f64();
    if one.waveform.array.elements.kind().is_integer() || !value.is_finite() {
        return one.waveform.array.elements.text(number);
    }
    array_real(one, value)
}

/// The text of a number on the scale of an array. The elements may be whole numbers.
pub fn array_real(one: &ScopeWaveform, value: f64) -> String {
    let ends = one.contents.as_ref().and_then(|contents| contents.statistics.range);
    let are_whole = ends.is_some_and(|ends| ends.into_iter().chain([value]).all(is_whole));
    if are_whole { format!("{value:.0}") } else { on_scale(ends.map(|[min, max]| max - min), value) }
}

/// Rounds a number that is too wide to as many digits as fit, because cutting digits off would change its
/// magnitude. Shortens other text.
pub fn fitted(text: String, canvas: &Canvas<'_>, width: u16) -> String {
    if cells(&text) <= width {
        return text;
    }
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    let forms = |number| (1..=MAX_DIGITS).rev().map(move |digits| format!("~{}", rounded(number, digits)));
    let fitting = number.and_then(|number| forms(number).find(|text| cells(text) <= width));
    fitting.unwrap_or_else(|| canvas.cut(&text, width))
}

/// The decimals that differences in a range need. `None` if there are too many, or no range.
fn decimals(span: f64) -> Option<usize> {
    let step = span / RESOLUTION;
    let decimals = (-step.log10()).ceil().max(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few")]
    (step > 0.0 && decimals.is_finite()).then_some(decimals as usize).filter(|count| *count <= MAX_DECIMALS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::{Channel, Column, Grade, NumberKind, Source, Statistics};

    fn channel(values: &[f64]) -> ScopeChannel {
        let kind = NumberKind::Float;
        let mut statistics = Statistics::new(kind);
        let mut column = Column::default();
        for value in values {
            column.push(value.to_bits(), Grade::Whole);
        }
        let times: Vec<u64> = (0..values.len() as u64).collect();
        statistics.push(&times, &column);
        let channel = Channel { name: "x".to_owned(), kind, source: Source::Expression("1".to_owned()) };
        ScopeChannel { channel, statistics, is_plotted: true, trouble: None }
    }

    #[test]
    fn decimals_follow_the_range_and_stay_the_same() {
        let text = |range: [f64; 2], value: f64| real(&channel(&range), value);
        assert_eq!(text([-1.0, 1.0], 0.841_470_984), "0.841");
        assert_eq!(text([-1.0, 1.0], 0.5), "0.500");
        assert_eq!(text([6.41, 6.58], 6.5), "6.5000");
        assert_eq!(text([0.0, 1e6], 123_456.7), "123457");
        assert_eq!(text([5.0, 5.0], 5.0), "5");
        assert_eq!(text([0.0, 1e-9], 5.5e-10), "5.5e-10");
        assert_eq!(text([0.0, 1e30], 1.25e29), "1.25e29");
    }

    #[test]
    fn samples_that_are_no_numbers_have_their_text() {
        let channel = channel(&[0.0, 1.5]);
        assert_eq!(sample(&channel, Number::Float(f64::NAN)), "nan");
        assert_eq!(sample(&channel, Number::Float(1.0)), "1.000");
    }

    #[test]
    fn wide_numbers_keep_as_many_digits_as_fit() {
        use crate::tui::theme::{Depth, Name, Theme};
        use ratatui::buffer::Buffer;
        let theme = Theme::new(Name::Default, Depth::Mono, false);
        let canvas = Canvas { buffer: &mut Buffer::default(), theme: &theme };
        for (text, width, shown) in [
            ("481220", 6, "481220"),
            ("1795880748112345678", 9, "~1.796e18"),
            ("1795880748112345678", 14, "~1.79588075e18"),
            ("-1795880748112345678", 6, "~-2e18"),
            ("123456.789", 9, "~123456.8"),
            ("123456789", 3, "12…"),
            ("Initializing", 8, "Initial…"),
        ] {
            assert_eq!(fitted(text.to_owned(), &canvas, width), shown);
        }
    }

    #[test]
    fn differences_of_integers_are_integers() {
        let mut channel = channel(&[0.0, 10.5]);
        assert_eq!(difference(&channel, 3.0), "3.00");
        channel.channel.kind = NumberKind::Unsigned;
        assert_eq!(difference(&channel, -330.0), "-330");
    }

    #[test]
    fn whole_numbers_have_no_decimals() {
        let channel = channel(&[-2.0, 64.0]);
        assert_eq!(sample(&channel, Number::Float(-2.0)), "-2");
        assert_eq!(sample(&channel, Number::Float(3.25)), "3.25");
        assert_eq!(real(&channel, 3.0), "3.00");
    }
}
