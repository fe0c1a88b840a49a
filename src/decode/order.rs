//! Byte order.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// Lowest byte first, as on x86 and most ARM systems.
    Little,
    /// Highest byte first, as in network protocols.
    Big,
}

impl ByteOrder {
    #[must_use]
    pub const fn native() -> Self {
        if cfg!(target_endian = "big") { Self::Big } else { Self::Little }
    }

    /// Returns the suffix used in type names: `le` or `be`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Little => "le",
            Self::Big => "be",
        }
    }

    #[must_use]
    pub const fn long_word(self) -> &'static str {
        match self {
            Self::Little => "little-endian",
            Self::Big => "big-endian",
        }
    }

    #[must_use]
    pub const fn flip(self) -> Self {
        match self {
            Self::Little => Self::Big,
            Self::Big => Self::Little,
        }
    }

    /// Converts between this byte order and the native one.
    #[inline]
    pub(crate) fn convert<const N: usize>(self, mut bytes: [u8; N]) -> [u8; N] {
        if self != Self::native() {
            bytes.reverse();
        }
        bytes
    }
}
