//! Enumerations.

use crate::decode::{ByteOrder, Scalar};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enum {
    /// Empty for an anonymous one.
    name: Arc<str>,
    underlying: Scalar,
    order: ByteOrder,
    /// As declared.
    enumerators: Vec<Enumerator>,
    /// Indexes of enumerators by value. Of equal ones, the first declared comes first.
    by_value: Vec<u32>,
    is_scoped: bool,
    is_flags: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enumerator {
    pub name: Arc<str>,
    pub value: i128,
}

impl Enum {
    #[must_use]
    pub fn new(
        name: impl Into<Arc<str>>,
        underlying: Scalar,
        order: ByteOrder,
        enumerators: Vec<Enumerator>,
    ) -> Self {
        let mut by_value: Vec<u32> = (0..).take(enumerators.len()).collect();
        by_value.sort_by_key(|&index| enumerators[index as usize].value);
        let sorted = || by_value.iter().map(|&index| enumerators[index as usize].value);
        let is_flags = are_flags(sorted);
        Self { name: name.into(), underlying, order, enumerators, by_value, is_scoped: false, is_flags }
    }

    /// Makes it an `enum class`.
    #[must_use]
    pub const fn with_scope(mut self, is_scoped: bool) -> Self {
        self.is_scoped = is_scoped;
        self
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub const fn underlying(&self) -> Scalar {
        self.underlying
    }

    #[must_use]
    pub const fn order(&self) -> ByteOrder {
        self.order
    }

    /// Returns true for an `enum class`: its enumerators are in its own scope.
    #[must_use]
    pub const fn is_scoped(&self) -> bool {
        self.is_scoped
    }

    /// Returns true if its values are combinations of bits.
    #[must_use]
    pub const fn is_flags(&self) -> bool {
        self.is_flags
    }

    #[must_use]
    pub fn enumerators(&self) -> &[Enumerator] {
        &self.enumerators
    }

    /// The name of a value; `None` if it has none.
    #[must_use]
    pub fn name_of(&self, value: i128) -> Option<&str> {
        let at = self.by_value.partition_point(|&index| self.enumerators[index as usize].value < value);
        let found = &self.enumerators[*self.by_value.get(at)? as usize];
        (found.value == value).then_some(&*found.name)
    }

    /// The name of a value, or the names of its bits if the enumerators are flags: `READ|WRITE`. Bits
    /// without a name follow as a number: `READ|0x40`. `None` if no part of it has a name.
    #[must_use]
    pub fn text_of(&self, value: i128) -> Option<Cow<'_, str>> {
        if let Some(name) = self.name_of(value) {
            return Some(Cow::Borrowed(name));
        }
        if !self.is_flags || value <= 0 {
            return None;
        }
        let (mut text, mut rest) = (String::new(), value);
        for &index in &self.by_value {
            let Enumerator { name, value: bit } = &self.enumerators[index as usize];
            if is_bit(*bit) && rest & bit != 0 {
                let _ = write!(text, "{}{name}", if text.is_empty() { "" } else { "|" });
                rest &= !bit;
            }
        }
        if rest != 0 && !text.is_empty() {
            let _ = write!(text, "|{rest:#x}");
        }
        (!text.is_empty()).then_some(Cow::Owned(text))
    }
}

const fn is_bit(value: i128) -> bool {
    value > 0 && value & (value - 1) == 0
}

/// Returns true if values are flags: at least two bits, and other values only as combinations of them.
/// States that count up from 0 are none, although 1 and 2 are bits.
fn are_flags<I: Iterator<Item = i128>>(sorted: impl Fn() -> I) -> bool {
    let bits: i128 = sorted().filter(|&value| is_bit(value)).fold(0, |bits, bit| bits | bit);
    let mut next = 0;
    let counts_up = sorted().all(|value| {
        let is_next = value == next || value + 1 == next;
        next = value.saturating_add(1);
        is_next
    });
    bits.count_ones() >= 2 && !counts_up && sorted().all(|value| value >= 0 && value & !bits == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(values: &[(&str, i128)], value: i128) -> Option<String> {
        let enumerators =
            values.iter().map(|&(name, value)| Enumerator { name: name.into(), value }).collect();
        let found = Enum::new("E", Scalar::U32, ByteOrder::Little, enumerators);
        found.text_of(value).map(Cow::into_owned)
    }

    #[test]
    fn combinations_of_flags_are_named() {
        let modes = [("NONE", 0), ("EXEC", 4), ("READ", 1), ("WRITE", 2), ("ALL", 7)];
        for (value, expected) in [
            (0, Some("NONE")),
            (2, Some("WRITE")),
            (3, Some("READ|WRITE")),
            (7, Some("ALL")),
            (0x45, Some("READ|EXEC|0x40")),
            (0x40, None),
            (-1, None),
        ] {
            assert_eq!(text(&modes, value).as_deref(), expected, "{value}");
        }
        assert_eq!(text(&[("R", 1), ("W", 2)], 3).as_deref(), Some("R|W"));
        assert_eq!(text(&[("R", 1), ("READ", 1), ("W", 2)], 3).as_deref(), Some("R|W"));
    }

    #[test]
    fn states_are_no_flags() {
        assert_eq!(text(&[("IDLE", 0), ("RUN", 1), ("STOP", 2)], 3), None);
        assert_eq!(text(&[("A", 0), ("B", 1), ("C", 2), ("D", 3)], 5), None);
        assert_eq!(text(&[("A", 1), ("B", 2), ("C", 5)], 3), None, "5 is no combination");
        assert_eq!(text(&[("FAILED", -1), ("A", 1), ("B", 2)], 3), None);
        assert_eq!(text(&[("ONLY", 4)], 12), None);
    }
}
