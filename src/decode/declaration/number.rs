//! Integers of C: their literals, types and arithmetic.

/// An integer with its type: 32 or 64 bits, signed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Integer {
    pub value: i128,
    pub bits: u32,
    pub is_signed: bool,
}

impl Integer {
    pub const fn int(value: i128) -> Self {
        Self { value, bits: 32, is_signed: true }
    }

    /// `size_t`.
    pub const fn size(value: u64) -> Self {
        Self { value: value as i128, bits: 64, is_signed: false }
    }

    pub const fn bool(value: bool) -> Self {
        Self::int(value as i128)
    }

    /// Converts to a type. A value that does not fit wraps.
    pub const fn cast(self, bits: u32, is_signed: bool) -> Self {
        let unused = 128 - bits;
        let shifted = self.value << unused;
        let value =
            if is_signed { shifted >> unused } else { (shifted.cast_unsigned() >> unused).cast_signed() };
        Self { value, bits, is_signed }
    }

    /// Applies the promotion to `int`.
    const fn promoted(self) -> Self {
        if self.bits < 32 { Self { bits: 32, is_signed: true, ..self } } else { self }
    }

    const fn fits(self) -> Option<Self> {
        if self.cast(self.bits, self.is_signed).value == self.value { Some(self) } else { None }
    }

    /// Parses a literal such as `0x1F`, `017`, `0b11`, `1'000ULL`. `None` for a float.
    pub fn parse(text: &str) -> Option<Self> {
        let clean = text.replace('\'', "");
        let lower = clean.to_ascii_lowercase();
        let (digits, radix) = if let Some(hex) = lower.strip_prefix("0x") {
            (hex, 16)
        } else if let Some(binary) = lower.strip_prefix("0b") {
            (binary, 2)
        } else if lower.len() > 1 && lower.starts_with('0') {
            (&lower[1..], 8)
        } else {
            (lower.as_str(), 10)
        };
        let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
        let (digits, suffix) = digits.split_at(end);
        let is_unsigned = match suffix {
            "" | "l" | "ll" | "z" => false,
            "u" | "ul" | "ull" | "lu" | "llu" | "uz" | "zu" => true,
            _ => return None,
        };
        let value =
            if digits.is_empty() && radix == 8 { 0 } else { u64::from_str_radix(digits, radix).ok()? };
        let is_long = suffix.contains(['l', 'z']);
        let value = i128::from(value);
        let types = [(32, true), (32, false), (64, true), (64, false)];
        types
            .into_iter()
            .filter(|&(bits, is_signed)| (bits == 64 || !is_long) && !(is_signed && is_unsigned))
            // A decimal literal is unsigned only by its suffix.
            .filter(|&(_, is_signed)| is_signed || is_unsigned || radix != 10)
            .find_map(|(bits, is_signed)| Self { value, bits, is_signed }.fits())
    }

    pub fn unary(self, operator: &str) -> Option<Self> {
        let this = self.promoted();
        let value = match operator {
            "+" => this.value,
            "-" => -this.value,
            "~" => !this.value,
            "!" => return Some(Self::bool(this.value == 0)),
            _ => return None,
        };
        Self { value, ..this }.wrapped()
    }

    /// Applies a binary operator. `None` if the result is undefined: overflow, division by zero, or
    /// a shift that is too long.
    pub fn binary(self, operator: &str, other: Self) -> Option<Self> {
        let (left, right) = (self.promoted(), other.promoted());
        if matches!(operator, "<<" | ">>") {
            let count = u32::try_from(right.value).ok().filter(|&count| count < left.bits)?;
            if operator == ">>" {
                return Some(Self { value: left.value >> count, ..left });
            }
            return Some(Self { value: left.value << count, ..left }.cast(left.bits, left.is_signed));
        }
        let bits = left.bits.max(right.bits);
        // An unsigned number of the larger size decides.
        let is_unsigned = [left, right].iter().any(|side| side.bits == bits && !side.is_signed);
        let is_signed = !is_unsigned;
        let (a, b) = (left.cast(bits, is_signed).value, right.cast(bits, is_signed).value);
        let value = match operator {
            "+" => a + b,
            "-" => a - b,
            "*" => a.wrapping_mul(b),
            "/" => a.checked_div(b)?,
            "%" => a.checked_rem(b)?,
            "&" => a & b,
            "|" => a | b,
            "^" => a ^ b,
            "==" => return Some(Self::bool(a == b)),
            "!=" => return Some(Self::bool(a != b)),
            "<" => return Some(Self::bool(a < b)),
            ">" => return Some(Self::bool(a > b)),
            "<=" => return Some(Self::bool(a <= b)),
            ">=" => return Some(Self::bool(a >= b)),
            _ => return None,
        };
        Self { value, bits, is_signed }.wrapped()
    }

    /// Unsigned numbers wrap, signed ones must fit.
    const fn wrapped(self) -> Option<Self> {
        if self.is_signed { self.fits() } else { Some(self.cast(self.bits, false)) }
    }
}

/// Parses a character literal. `None` if it is not one character.
pub(super) fn character(text: &str) -> Option<i128> {
    let inside = text[text.find('\'')? + 1..].strip_suffix('\'')?;
    let mut chars = inside.chars();
    let first = chars.next()?;
    let rest = chars.as_str();
    if first != '\\' {
        return rest.is_empty().then_some(i128::from(u32::from(first)));
    }
    let simple = [('n', 10), ('t', 9), ('r', 13), ('a', 7), ('b', 8), ('f', 12), ('v', 11), ('e', 27)];
    let second = chars.next()?;
    if let Some(hex) = rest.strip_prefix('x') {
        return i128::from_str_radix(hex, 16).ok().filter(|&code| code <= 0x10_ffff);
    }
    if second.is_digit(8) {
        return i128::from_str_radix(rest, 8).ok();
    }
    let code =
        simple.iter().find(|(name, _)| *name == second).map_or(u32::from(second).into(), |&(_, code)| code);
    chars.as_str().is_empty().then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_have_the_type_of_c() {
        for (text, value, bits, is_signed) in [
            ("0", 0, 32, true),
            ("0x7fffffff", 0x7fff_ffff, 32, true),
            ("0x80000000", 0x8000_0000, 32, false),
            ("2147483648", 0x8000_0000, 64, true),
            ("1'000u", 1000, 32, false),
            ("017", 15, 32, true),
            ("0b101L", 5, 64, true),
            ("18446744073709551615ULL", i128::from(u64::MAX), 64, false),
        ] {
            assert_eq!(Integer::parse(text), Some(Integer { value, bits, is_signed }), "{text}");
        }
        for text in ["1.5", "1e3", "0x1p3", "1f", "18446744073709551616", "09", "1_km", "9223372036854775808"]
        {
            assert_eq!(Integer::parse(text), None, "{text}");
        }
    }

    #[test]
    fn arithmetic_has_the_conversions_of_c() {
        let int = Integer::int;
        let unsigned = |value| Integer { value, bits: 32, is_signed: false };
        assert_eq!(int(1).binary("-", unsigned(2)), Some(unsigned(0xffff_ffff)));
        assert_eq!(int(-1).binary("<", unsigned(1)), Some(int(0)));
        assert_eq!(unsigned(0).unary("~"), Some(unsigned(0xffff_ffff)));
        assert_eq!(int(0).unary("~"), Some(int(-1)));
        assert_eq!(int(0x7fff_ffff).binary("+", int(1)), None);
        assert_eq!(int(1).binary("/", int(0)), None);
        assert_eq!(int(1).binary("<<", int(32)), None);
        assert_eq!(int(1).binary("<<", int(31)), Some(int(-0x8000_0000)));
        assert_eq!(Integer::size(1).binary("<<", int(40)).unwrap().value, 1 << 40);
    }

    #[test]
    fn characters_have_codes() {
        for (text, code) in
            [("'a'", 97), (r"'\n'", 10), (r"'\x41'", 65), (r"L'\0'", 0), (r"'\''", 39), ("u'é'", 0xe9)]
        {
            assert_eq!(character(text), Some(code), "{text}");
        }
        for text in ["''", "'ab'", "'", r"'\xffffffffff'"] {
            assert_eq!(character(text), None, "{text}");
        }
    }
}
