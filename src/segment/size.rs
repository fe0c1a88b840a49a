//! Sizes in bytes, parsed and formatted in powers of 1024, as in `ls -h`.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub u64);

const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

impl Bytes {
    /// Returns the number and the unit: one decimal below ten, none above, at most four characters.
    #[must_use]
    pub fn human(self) -> (String, &'static str) {
        if self.0 < 1024 {
            return (self.0.to_string(), UNITS[0]);
        }
        // Count in tenths of the unit, rounded half up. Floats would print 2^63-1 incorrectly.
        let mut unit = (63 - self.0.leading_zeros() as usize) / 10;
        let tenths = |unit: usize| {
            let bits = 10 * unit;
            (u128::from(self.0) * 10 + (1u128 << bits) / 2) >> bits
        };
        let mut value = tenths(unit);
        if value >= 10_235 && unit + 1 < UNITS.len() {
            unit += 1;
            value = tenths(unit);
        }
        if value < 100 {
            (format!("{}.{}", value / 10, value % 10), UNITS[unit])
        } else {
            (((value + 5) / 10).to_string(), UNITS[unit])
        }
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (figure, unit) = self.human();
        write!(f, "{figure} {unit}")
    }
}

impl Sum for Bytes {
    /// Saturates, because a few sparse objects of 2^62 bytes would overflow.
    fn sum<I: Iterator<Item = Self>>(sizes: I) -> Self {
        Self(sizes.fold(0u64, |sum, size| sum.saturating_add(size.0)))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid size '{0}': {expected}", expected = Self::EXPECTED)]
pub struct ParseSizeError(String);

impl ParseSizeError {
    pub const EXPECTED: &str = "expected a size such as 4096, 64K or 1M";
}

impl FromStr for Bytes {
    type Err = ParseSizeError;

    /// Parses `4096`, `0x1000`, `4K`, `1.5M`, `2GiB` or `1_000`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseSizeError(super::quote(text.as_bytes()));
        let clean: String = text.trim().chars().filter(|&c| c != '_').collect();
        if let Some(digits) = clean.strip_prefix("0x").or_else(|| clean.strip_prefix("0X")) {
            return u64::from_str_radix(digits, 16).map(Bytes).map_err(|_| wrong());
        }
        let end = clean.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(clean.len());
        let (figure, unit) = clean.split_at(end);
        let unit = unit.trim_start().to_ascii_lowercase();
        let letter = unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(&unit);
        let shift = match letter {
            "" => 0,
            "k" => 10,
            "m" => 20,
            "g" => 30,
            "t" => 40,
            "p" => 50,
            "e" => 60,
            _ => return Err(wrong()),
        };
        let (whole, fraction) = figure.split_once('.').unwrap_or((figure, ""));
        if whole.is_empty() || fraction.contains('.') || (shift == 0 && figure.contains('.')) {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let mut bytes = u128::from(whole) << shift;
        if !fraction.is_empty() {
            let tenth: u128 =
                10u128.checked_pow(fraction.len().try_into().map_err(|_| wrong())?).ok_or_else(wrong)?;
            let part: u128 = fraction.parse().map_err(|_| wrong())?;
            bytes += part.checked_mul(1 << shift).ok_or_else(wrong)? / tenth;
        }
        u64::try_from(bytes).map(Bytes).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_like_ls() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (4096, "4.0 KiB"),
            (10_239, "10 KiB"),
            (24 << 20, "24 MiB"),
            (300 << 20, "300 MiB"),
            ((1 << 20) - 1, "1.0 MiB"),
            (1 << 42, "4.0 TiB"),
            (i64::MAX as u64, "8.0 EiB"),
            (u64::MAX, "16 EiB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }

    #[test]
    fn sizes_have_at_most_four_characters() {
        for bit in 0..64 {
            for near in [-1i128, 0, 1] {
                let bytes = u64::try_from((1i128 << bit) + near).unwrap_or(0);
                assert!(Bytes(bytes).human().0.len() <= 4, "{bytes}");
            }
        }
    }

    #[test]
    fn sizes_parse_in_every_unit() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("0x1000", 4096),
            ("4K", 4096),
            ("1M", 1 << 20),
            ("1.5k", 1536),
            ("2GiB", 2 << 30),
            ("4 MiB", 4 << 20),
            ("1_000", 1000),
            ("16e", u64::MAX),
        ] {
            let read = text.parse::<Bytes>();
            if text == "16e" {
                assert!(read.is_err());
            } else {
                assert_eq!(read, Ok(Bytes(bytes)), "{text}");
            }
        }
        for text in ["", "K", "-1", "1.5", "1..5K", "1X", "0x", "99999999999999999999", "1.5.5K"] {
            assert!(text.parse::<Bytes>().is_err(), "{text} was taken");
        }
    }
}
