//! Short texts of numbers, durations and frequencies.

/// The units of durations, in nanoseconds, and the greatest duration that is given in each.
const DURATIONS: [(f64, &str, f64); 7] = [
    (1.0, "ns", 1e3),
    (1e3, "µs", 1e6),
    (1e6, "ms", 1e9),
    (1e9, "s", 120e9),
    (60e9, "min", 7200e9),
    (3600e9, "h", 172_800e9),
    (86_400e9, "d", f64::INFINITY),
];

/// A number rounded to some significant digits, without zeros at the end: `0.031`, `12.1`, `1.2e9`.
#[must_use]
pub fn rounded(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return value.to_string().to_lowercase();
    }
    // The exponent after rounding: 9.99 becomes 10.
    let text = format!("{value:.*e}", digits.saturating_sub(1));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value != 0.0 && !(-4..9).contains(&exponent) {
        return format!("{}e{exponent}", trimmed(mantissa));
    }
    let decimals = i32::try_from(digits).unwrap_or(i32::MAX).saturating_sub(1 + exponent);
    trimmed(&format!("{value:.*}", usize::try_from(decimals).unwrap_or(0))).to_owned()
}

/// Removes zeros from the end of a fraction, and the sign of a zero.
fn trimmed(text: &str) -> &str {
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    if text == "-0" { "0" } else { text }
}

/// A duration in nanoseconds with three digits: `12.4 ms`.
#[must_use]
pub fn duration(nanoseconds: f64) -> String {
    let size = nanoseconds.abs();
    let (unit, name, _) =
        DURATIONS.into_iter().find(|(_, _, below)| size < *below * 0.9995).unwrap_or(DURATIONS[6]);
    // Whole numbers keep their digits: 1234 d.
    let whole = (size / unit).log10().floor().clamp(0.0, 17.0);
    format!("{} {name}", rounded(nanoseconds / unit, 3.max(1 + digits(whole))))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
const fn digits(number: f64) -> usize {
    number as usize
}

/// A frequency in hertz with three digits: `80.6 Hz`, `1.25 kHz`.
#[must_use]
pub fn frequency(hertz: f64) -> String {
    const UNITS: [(f64, &str); 4] = [(1e9, "GHz"), (1e6, "MHz"), (1e3, "kHz"), (1.0, "Hz")];
    let (unit, name) = UNITS.into_iter().find(|(unit, _)| hertz.abs() >= unit * 0.9995).unwrap_or(UNITS[3]);
    format!("{} {name}", rounded(hertz / unit, 3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_have_as_many_digits_as_asked() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (6.5, "6.5"),
            (0.031_234, "0.0312"),
            (9.996, "10"),
            (-1234.5, "-1234"),
            (481_220.0, "481220"),
            (1.25e9, "1.25e9"),
            (5e-324, "4.94e-324"),
            (0.000_123_4, "0.000123"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(rounded(value, 3), text);
        }
    }

    #[test]
    fn durations_and_frequencies_have_a_unit_that_fits() {
        for (nanoseconds, text) in [
            (0.0, "0 ns"),
            (999.9, "1 µs"),
            (12_400_000.0, "12.4 ms"),
            (-80e6, "-80 ms"),
            (3.2e9, "3.2 s"),
            (119.0e9, "119 s"),
            (150e9, "2.5 min"),
            (7.0 * 86_400e9, "7 d"),
            (12_345.0 * 86_400e9, "12345 d"),
        ] {
            assert_eq!(duration(nanoseconds), text);
        }
        for (hertz, text) in [(80.645, "80.6 Hz"), (999.96, "1 kHz"), (2.5e6, "2.5 MHz"), (0.05, "0.05 Hz")] {
            assert_eq!(frequency(hertz), text);
        }
    }

    proptest! {
        #[test]
        fn rounded_number_is_near(bits: u64, digits in 1_usize..12) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let parsed: f64 = rounded(value, digits).parse().unwrap();
            let digits = i32::try_from(digits).unwrap();
            // Rounding up the greatest numbers overflows.
            let is_near = (parsed - value).abs() <= value.abs() * 10_f64.powi(1 - digits) || parsed.is_infinite();
            prop_assert!(is_near, "{} is not near {}", parsed, value);
        }
    }
}
