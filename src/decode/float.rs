//! Floats without a type in Rust: half precision, and the extended precision of x86.

use std::cmp::Ordering;

/// Converts a half to the float of the same value.
pub(super) fn half_to_f32(bits: u16) -> f32 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2f32.powi(-24),
        0x1f if fraction == 0.0 => f32::INFINITY,
        0x1f => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}

/// Converts to the nearest half; ties go to the even one.
pub(super) fn half_from_f64(value: f64) -> u16 {
    let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
    let size = value.abs();
    if size.is_nan() {
        return sign | 0x7e00;
    }
    // Halves are ordered like their bits: find the nearest one.
    let (mut low, mut high) = (0_u16, 0x7c00_u16);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if f64::from(half_to_f32(middle)) <= size { low = middle } else { high = middle }
    }
    // Infinity takes the place of the next power of two.
    let end = if high == 0x7c00 { 65536.0 } else { f64::from(half_to_f32(high)) };
    let is_low = match size.total_cmp(&f64::midpoint(f64::from(half_to_f32(low)), end)) {
        Ordering::Less => true,
        Ordering::Equal => low % 2 == 0,
        Ordering::Greater => false,
    };
    sign | if is_low { low } else { high }
}

/// Formats a half with as few digits as parse to the same half.
pub(super) fn shortest_half(value: f32) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    let bits = half_from_f64(value.into());
    let parses_back = |text: &String| text.parse().is_ok_and(|number| half_from_f64(number) == bits);
    let digits = (0..5).map(|digits| format!("{value:.digits$e}")).find(parses_back);
    // Debug writes the number like other floats.
    match digits.and_then(|digits| digits.parse::<f32>().ok()) {
        Some(short) => format!("{short:?}"),
        None => format!("{value:?}"),
    }
}

/// Converts the 80 bits of a `long double` to the nearest double.
pub(super) fn extended_to_f64(bits: u128) -> f64 {
    let sign = if bits >> 79 & 1 == 0 { 1.0 } else { -1.0 };
    let exponent = u32::try_from(bits >> 64 & 0x7fff).unwrap_or(0).cast_signed();
    let mantissa = u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0);
    let is_integer_bit_set = mantissa >> 63 == 1;
    match exponent {
        0x7fff if mantissa << 1 == 0 => sign * f64::INFINITY,
        0x7fff => f64::NAN,
        // Without its integer bit, the processor rejects the number.
        1.. if !is_integer_bit_set => f64::NAN,
        _ => sign * scale(mantissa, exponent.max(1) - 16383 - 63),
    }
}

/// Returns `mantissa` times a power of two, rounded once.
#[expect(clippy::cast_precision_loss, reason = "the numbers have at most 53 bits")]
fn scale(mantissa: u64, exponent: i32) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    // The exponent of the highest bit, and of the lowest bit that a double has there.
    let highest = exponent + 63 - mantissa.leading_zeros().cast_signed();
    let lowest = (highest - 52).max(-1074);
    let dropped = lowest - exponent;
    if dropped <= 0 {
        return mantissa as f64 * 2f64.powi(exponent);
    }
    if dropped > 64 {
        return 0.0;
    }
    let wide = u128::from(mantissa);
    let kept = wide >> dropped;
    let rest = wide & ((1 << dropped) - 1);
    let half = 1 << (dropped - 1);
    let kept = kept + u128::from(rest > half || (rest == half && kept % 2 == 1));
    let kept = kept as f64;
    // Two steps, as the power of two of a subnormal is out of range of powi.
    if lowest < -1000 { kept * 2f64.powi(-900) * 2f64.powi(lowest + 900) } else { kept * 2f64.powi(lowest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_the_nearest_to_itself() {
        for bits in 0..=u16::MAX {
            let value = half_to_f32(bits);
            if value.is_nan() {
                assert!(half_to_f32(half_from_f64(value.into())).is_nan());
                continue;
            }
            assert_eq!(half_from_f64(value.into()), bits);
            let text = shortest_half(value);
            assert_eq!(half_from_f64(text.parse().unwrap()), bits, "{text}");
            assert!(text.len() <= 11, "{text}");
        }
    }

    #[test]
    fn halves_are_short() {
        for (value, text) in
            [(0.1, "0.1"), (1.0, "1.0"), (65504.0, "65500.0"), (6e-8, "6e-8"), (-0.0, "-0.0")]
        {
            assert_eq!(shortest_half(half_to_f32(half_from_f64(value))), text);
        }
        assert_eq!(half_from_f64(65520.0), 0x7c00);
        assert_eq!(half_from_f64(65519.9), 0x7bff);
        assert_eq!(half_from_f64(f64::NEG_INFINITY), 0xfc00);
    }

    #[test]
    fn long_doubles_round_to_the_nearest_double() {
        let bits = |wide| extended_to_f64(wide).to_bits();
        let one: u128 = (0x3fff << 64) | (1 << 63);
        assert_eq!(bits(one), (1.0_f64).to_bits());
        assert_eq!(bits(one | 1 << 79), (-1.0_f64).to_bits());
        assert_eq!(bits(one | 0x400), (1.0_f64).to_bits(), "half goes to even");
        assert_eq!(bits(one | 0x401), (1.0 + f64::EPSILON).to_bits());
        assert_eq!(bits(0x7fff << 64 | 1 << 63), f64::INFINITY.to_bits());
        assert!(extended_to_f64(0x7fff << 64 | 3 << 62).is_nan());
        assert_eq!(bits(0x7ffe << 64 | 1 << 63), f64::INFINITY.to_bits(), "too large for a double");
        assert_eq!(bits((0x3fff - 1074) << 64 | 1 << 63), 1);
        assert_eq!(bits((0x3fff - 1075) << 64 | 1 << 63 | 1), 1);
        assert_eq!(bits(1), (0.0_f64).to_bits());
        assert_eq!(bits(0), (0.0_f64).to_bits());
    }
}
