//! The order of the bytes of a number.

/// Which byte of a number comes first in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// The lowest first, as on x86, and on ARM as it is run today.
    Little,
    /// The highest first, as in network protocols.
    Big,
}

impl ByteOrder {
    /// That of this machine.
    #[must_use]
    pub const fn native() -> Self {
        if cfg!(target_endian = "big") { Self::Big } else { Self::Little }
    }

    /// The word that type names end in: `le` or `be`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Little => "le",
            Self::Big => "be",
        }
    }

    /// Its name in full.
    #[must_use]
    pub const fn long_word(self) -> &'static str {
        match self {
            Self::Little => "little-endian",
            Self::Big => "big-endian",
        }
    }

    /// The other one.
    #[must_use]
    pub const fn flip(self) -> Self {
        match self {
            Self::Little => Self::Big,
            Self::Big => Self::Little,
        }
    }

    /// Bytes of this order as bytes of the machine's order, and the other way round.
    pub(super) fn turn<const N: usize>(self, mut bytes: [u8; N]) -> [u8; N] {
        if self != Self::native() {
            bytes.reverse();
        }
        bytes
    }
}
