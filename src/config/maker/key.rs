//! Rules for System V keys.

use std::str::FromStr;

/// A key, a range of keys, or keys that share some hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRule {
    /// Both ends are part of the range.
    Range(u32, u32),
    /// Keys that have `bits` under `mask`.
    Mask {
        /// 0 for wildcards.
        bits: u32,
        /// The bits to compare.
        mask: u32,
    },
}

impl KeyRule {
    /// The allowed values, which complete "expected …".
    pub const ALLOWED: &str = "a key such as \"0x000004d2\" or \"1234\", a range such as \"1001..1003\", \
                           eight digits with ? for any digit, such as \"0x51??????\", or \"private\"";

    /// Returns true if a key matches.
    pub const fn matches(self, key: u32) -> bool {
        match self {
            Self::Range(first, last) => first <= key && key <= last,
            Self::Mask { bits, mask } => key & mask == bits,
        }
    }

    /// Returns how many of the 32 bits the rule fixes: 32 for one key, 24 for a range of 256.
    /// `IPC_PRIVATE` fixes none, because any program may use it.
    pub const fn fixed_bits(self) -> u32 {
        match self {
            Self::Range(0, 0) => 0,
            Self::Range(first, last) => (last - first).leading_zeros(),
            Self::Mask { mask, .. } => mask.count_ones(),
        }
    }
}

impl FromStr for KeyRule {
    type Err = ();

    /// Parses `private`, `0x00282929`, `100`, `0x4e545030..0x4e545039`, `0x51??????`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "private" {
            return Ok(Self::Range(0, 0));
        }
        if let Some((first, last)) = text.split_once("..") {
            let (first, last) = (number(first).ok_or(())?, number(last).ok_or(())?);
            return if first <= last { Ok(Self::Range(first, last)) } else { Err(()) };
        }
        if !text.contains('?') {
            let key = number(text).ok_or(())?;
            return Ok(Self::Range(key, key));
        }
        let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 8).ok_or(())?;
        let (mut bits, mut mask) = (0, 0);
        for digit in digits.chars() {
            let value = if digit == '?' { None } else { Some(digit.to_digit(16).ok_or(())?) };
            bits = bits << 4 | value.unwrap_or(0);
            mask = mask << 4 | value.map_or(0, |_| 0xf);
        }
        Ok(Self::Mask { bits, mask })
    }
}

fn number(text: &str) -> Option<u32> {
    let text = text.trim();
    let (digits, base) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u32::from_str_radix(digits, base).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ranges_and_masks_parse() {
        let rule = |text: &str| text.parse::<KeyRule>().unwrap();
        assert!(rule("0x00282929").matches(0x28_2929) && !rule("0x00282929").matches(0x28_2928));
        assert!(rule("100").matches(100) && !rule("100").matches(0x100));
        assert!(rule("1001 .. 0x3eb").matches(1003) && !rule("1001..1003").matches(1004));
        assert!(rule("0x51??????").matches(0x51ab_cdef) && !rule("0x51??????").matches(0x52ab_cdef));
        assert!(rule("0x52??48??").matches(0x5257_4801) && !rule("0x52??48??").matches(0x5257_4701));
        assert!(rule("private").matches(0));
        let fixed_bits = |text| rule(text).fixed_bits();
        assert_eq!(
            [fixed_bits("5"), fixed_bits("private"), fixed_bits("0x0..0xff"), fixed_bits("0x51??????")],
            [32, 0, 24, 8]
        );
    }

    #[test]
    fn invalid_keys_are_refused() {
        for text in ["", "0x", "x", "0x51???", "51??????", "5..4", "1..", "0x100000000", "+1", "-1"] {
            assert!(text.parse::<KeyRule>().is_err(), "{text}");
        }
    }
}
