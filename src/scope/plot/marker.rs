//! The characters for the dots of a cell.

/// Dots in a cell.
pub const DOTS: [usize; 2] = [2, 4];

/// The characters that plots are drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Marker {
    #[default]
    Braille,
    /// Blocks of 2 by 4, which few fonts have (Unicode 16).
    Octant,
    HalfBlock,
    Ascii,
}

/// The bits of the braille patterns, for the dots of a cell row by row.
const BRAILLE: [u8; 8] = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80];
/// The octants that were in Unicode before, with their dots as bits.
const OLD_OCTANTS: [(u8, char); 26] = [
    (0x00, ' '),
    (0x01, '\u{1cea8}'),
    (0x02, '\u{1ceab}'),
    (0x03, '\u{1fb82}'),
    (0x05, '▘'),
    (0x0a, '▝'),
    (0x0f, '▀'),
    (0x14, '\u{1fbe6}'),
    (0x28, '\u{1fbe7}'),
    (0x3f, '\u{1fb85}'),
    (0x40, '\u{1cea3}'),
    (0x50, '▖'),
    (0x55, '▌'),
    (0x5a, '▞'),
    (0x5f, '▛'),
    (0x80, '\u{1cea0}'),
    (0xa0, '▗'),
    (0xa5, '▚'),
    (0xaa, '▐'),
    (0xaf, '▜'),
    (0xc0, '▂'),
    (0xf0, '▄'),
    (0xf5, '▙'),
    (0xfa, '▟'),
    (0xfc, '▆'),
    (0xff, '█'),
];
const FIRST_OCTANT: u32 = 0x1cd00;

impl Marker {
    /// The character of a cell. Bit `2 * row + column` of `dots` is a dot.
    #[must_use]
    pub fn symbol(self, dots: u8) -> char {
        match self {
            Self::Braille if dots == 0 => ' ',
            Self::Braille => {
                let pattern = (0..8).filter(|bit| dots & 1 << bit != 0).map(|bit| BRAILLE[bit]).sum::<u8>();
                char::from_u32(0x2800 + u32::from(pattern)).unwrap_or(' ')
            }
            Self::Octant => octant(dots),
            Self::HalfBlock => match (dots & 0x0f != 0, dots & 0xf0 != 0) {
                (false, false) => ' ',
                (true, false) => '▀',
                (false, true) => '▄',
                (true, true) => '█',
            },
            Self::Ascii => ascii(dots),
        }
    }

    /// The text of a number or unit beside a plot: without Greek letters in ASCII.
    #[must_use]
    pub fn text(self, text: &str) -> String {
        match self {
            Self::Ascii => text.replace('µ', "u").replace('Δ', "d").replace('–', "-"),
            _ => text.to_owned(),
        }
    }
}

/// The new octants are numbered by their dots, without the old ones.
fn octant(dots: u8) -> char {
    match OLD_OCTANTS.binary_search_by_key(&dots, |(old, _)| *old) {
        Ok(index) => OLD_OCTANTS[index].1,
        Err(before) => {
            let number = u32::from(dots) - u32::try_from(before).unwrap_or(0);
            char::from_u32(FIRST_OCTANT + number).unwrap_or('█')
        }
    }
}

/// A character whose stroke is about where the dots are.
fn ascii(dots: u8) -> char {
    let rows = |column: u8| (0..4_u8).filter(move |row| dots & 1 << (2 * row + column) != 0);
    let middle = |column: u8| {
        let (count, sum) = rows(column).fold((0, 0), |(count, sum), row| (count + 1, sum + row));
        (count > 0).then(|| 2 * sum / count)
    };
    let top = (0..4_u8).find(|row| dots >> (2 * row) & 3 != 0);
    let bottom = (0..4_u8).rfind(|row| dots >> (2 * row) & 3 != 0);
    let (Some(top), Some(bottom)) = (top, bottom) else { return ' ' };
    match (bottom - top, middle(0), middle(1)) {
        (2.., Some(left), Some(right)) if left > right => '/',
        (2.., Some(left), Some(right)) if left < right => '\\',
        (2.., _, _) => '|',
        _ => match top + bottom {
            0..=1 => '\'',
            2..=4 => '-',
            5 => '.',
            _ => '_',
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_has_its_own_octant() {
        let mut symbols: Vec<char> = (0..=255).map(octant).collect();
        symbols.sort_unstable();
        symbols.dedup();
        assert_eq!(symbols.len(), 256);
        // BLOCK OCTANT-3, -23, -14 and -2345678 by the charts of Unicode 16.
        for (dots, code) in [(0x04, 0x1cd00), (0x06, 0x1cd01), (0x09, 0x1cd04), (0xfe, 0x1cde5)] {
            assert_eq!(octant(dots) as u32, code);
        }
    }

    #[test]
    fn every_pattern_has_its_own_braille() {
        let mut symbols: Vec<char> = (0..=255).map(|dots| Marker::Braille.symbol(dots)).collect();
        assert_eq!((symbols[0x01], symbols[0x02], symbols[0x80], symbols[0xff]), ('⠁', '⠈', '⢀', '⣿'));
        symbols.sort_unstable();
        symbols.dedup();
        assert_eq!(symbols.len(), 256);
    }

    #[test]
    fn ascii_has_no_other_characters() {
        for dots in 0..=255 {
            assert!(Marker::Ascii.symbol(dots).is_ascii(), "{dots:#x}");
            assert_eq!(Marker::Ascii.symbol(dots) == ' ', dots == 0);
            assert_eq!(Marker::HalfBlock.symbol(dots) == ' ', dots == 0);
        }
        let rising = 0b0001_0110;
        assert_eq!((ascii(0x03), ascii(0x0c), ascii(0xc0), ascii(0x55)), ('\'', '-', '_', '|'));
        assert_eq!((ascii(rising), ascii(0b1010_0101)), ('/', '\\'));
    }
}
