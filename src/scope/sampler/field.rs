//! The conversion of bytes to the 64 bits of a sample, prepared so that it takes a few nanoseconds.

use crate::decode::{Bits, ByteOrder, Place, Scalar, Type, TypeKind};
use crate::scope::{Number, NumberKind, Sequence};
use std::ops::Range;

/// A value in a part of a segment that was copied as words of 8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The word of the first byte, and the bits before the value in it.
    word: u16,
    shift: u8,
    /// Set if the value continues in the next word.
    continues: bool,
    /// The width in bits: 1 to 64.
    width: u8,
    /// Set to reverse the bytes.
    swap: bool,
    convert: Convert,
    /// Set if the processor writes the value at once.
    pub whole: bool,
    /// The offset of the end in the part.
    pub end: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Convert {
    Unsigned,
    Signed,
    /// The bits of a character, which are sign-extended to its size and are then unsigned.
    Character(u8),
    Half,
    Single,
    Double,
}

/// The bytes of a value.
pub fn span(place: Place<'_>) -> Range<u64> {
    let length = place.bits.map_or(place.ty.size(), Bits::bytes);
    place.offset..place.offset.saturating_add(length)
}

impl Field {
    /// Prepares a value for a part that starts at a multiple of 8. `None` for a type without a
    /// [`NumberKind`], or a value outside of the part.
    pub fn new(place: Place<'_>, start: u64) -> Option<Self> {
        let kind = NumberKind::of(place)?;
        let span = span(place);
        let at = u16::try_from(span.start.checked_sub(start)?).ok()?;
        let end = u16::try_from(span.end.checked_sub(start)?).ok()?;
        let (scalar, order) = match place.ty.kind() {
            TypeKind::Scalar(scalar, order) => (*scalar, *order),
            TypeKind::Enum(found) => (found.underlying(), found.order()),
            TypeKind::Pointer(pointer) => (Scalar::U64, pointer.order),
            _ => return None,
        };
        let size = u8::try_from(place.ty.size()).ok().filter(|size| (1..=8).contains(size))?;
        // The lowest bit of a bit-field is that of its first byte.
        let (start_bit, width) = place.bits.map_or((0, 8 * size), |bits| (bits.start, bits.width.min(64)));
        let convert = match (kind, scalar) {
            (NumberKind::Signed, _) if place.bits.is_none() || scalar.is_signed() => Convert::Signed,
            (NumberKind::Unsigned, Scalar::Char) if place.bits.is_some() => Convert::Character(8 * size),
            (NumberKind::Single, Scalar::F16) => Convert::Half,
            (NumberKind::Single, _) => Convert::Single,
            (NumberKind::Float, _) => Convert::Double,
            _ => Convert::Unsigned,
        };
        Some(Self {
            word: at / 8,
            // At most 7 * 8 + 7.
            shift: u8::try_from(at % 8).ok()? * 8 + start_bit,
            continues: at / 8 != (end - 1) / 8,
            width,
            swap: order != ByteOrder::Little && place.bits.is_none(),
            convert,
            whole: is_whole(place, size),
            end,
        })
    }

    /// Prepares the integer of a sequence lock. `None` if the processor cannot read it at once.
    pub fn of_lock(lock: Sequence, start: u64) -> Option<Self> {
        let scalar = match lock.size {
            4 => Scalar::U32,
            8 => Scalar::U64,
            _ => return None,
        };
        let ty = Type::scalar(scalar, ByteOrder::native());
        Self::new(ty.at(lock.offset), start).filter(|field| field.whole)
    }

    /// The words that have the value.
    pub fn words(&self) -> impl Iterator<Item = u16> + use<> {
        self.word..=self.word + u16::from(self.continues)
    }

    /// Returns the bits of the value in memory.
    pub fn raw(&self, words: &[u64]) -> u64 {
        let word = |index: u16| u64::from_le(words[usize::from(index)]);
        let mut bits = word(self.word) >> self.shift;
        if self.continues && self.shift > 0 {
            bits |= word(self.word + 1) << (64 - self.shift);
        }
        bits & (u64::MAX >> (64 - self.width))
    }

    /// Converts the bits of the value in memory to those of a sample.
    pub fn sample(&self, raw: u64) -> u64 {
        let raw = if self.swap { raw.swap_bytes() >> (64 - self.width) } else { raw };
        let unused = 64 - u32::from(self.width);
        let extended = || ((raw << unused).cast_signed() >> unused).cast_unsigned();
        match self.convert {
            Convert::Unsigned | Convert::Double => raw,
            Convert::Signed => extended(),
            Convert::Character(bits) => extended() & (u64::MAX >> (64 - bits)),
            Convert::Half => half(raw),
            #[expect(clippy::cast_possible_truncation, reason = "a float has 32 bits")]
            Convert::Single => f64::from(f32::from_bits(raw as u32)).to_bits(),
        }
    }
}

/// The bits of a `_Float16` as a `double`.
fn half(raw: u64) -> u64 {
    let value = Scalar::F16.read(&raw.to_le_bytes(), ByteOrder::Little);
    value.and_then(Number::of).map_or(0, Number::bits)
}

/// Returns true if the processor writes a value at once: it is aligned, or it is a bit-field in such
/// an integer.
fn is_whole(place: Place<'_>, size: u8) -> bool {
    let span = span(place);
    let size = u64::from(size);
    if !size.is_power_of_two() {
        return false;
    }
    match place.bits {
        None => place.offset.is_multiple_of(size),
        Some(_) => span.start / size == (span.end - 1) / size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Decoded, Leaf, Window};
    use proptest::prelude::*;

    fn words(bytes: &[u8]) -> Vec<u64> {
        let mut padded = bytes.to_vec();
        padded.resize(bytes.len().next_multiple_of(8), 0);
        padded.as_chunks::<8>().0.iter().map(|word| u64::from_ne_bytes(*word)).collect()
    }

    /// The sample as the decoder reads the value.
    fn decoded(place: Place<'_>, start: u64, bytes: &[u8]) -> Option<u64> {
        match (Decoded { place, window: Window { offset: start, bytes } }).leaf()? {
            Leaf::Value(value) => Number::of(value).map(Number::bits),
            Leaf::Address(address) => Some(address),
            _ => None,
        }
    }

    proptest! {
        #[test]
        fn sample_is_what_the_decoder_reads(
            bytes in proptest::collection::vec(any::<u8>(), 48),
            at in 0_u64..24,
            big: bool,
            bits in proptest::option::of((0_u8..8, 1_u8..=64)),
        ) {
            let order = if big { ByteOrder::Big } else { ByteOrder::Little };
            for scalar in Scalar::all() {
                let ty = Type::scalar(scalar, order);
                let is_integer = !matches!(scalar, Scalar::F16 | Scalar::F32 | Scalar::F64);
                let bits = bits.filter(|_| is_integer).map(|(start, width)| {
                    Bits { start, width: width.min(u8::try_from(8 * ty.size()).unwrap()) }
                });
                let place = Place { ty: &ty, offset: 4096 + at, bits };
                let Some(kind) = NumberKind::of(place) else {
                    prop_assert_eq!(Field::new(place, 4096), None);
                    continue;
                };
                let field = Field::new(place, 4096).unwrap();
                let found = field.sample(field.raw(&words(&bytes)));
                let expected = decoded(place, 4096, &bytes).unwrap();
                // Any NaN is as good as another.
                let is_nan = !kind.is_integer() && f64::from_bits(expected).is_nan();
                prop_assert!(
                    found == expected || is_nan && f64::from_bits(found).is_nan(),
                    "{scalar:?} {bits:?} {found:#x} {expected:#x}"
                );
                let last = *field.words().collect::<Vec<_>>().last().unwrap();
                prop_assert_eq!(u64::from(last), (at + span(place).end - span(place).start - 1) / 8);
            }
        }
    }

    #[test]
    fn aligned_values_are_whole() {
        let whole = |scalar, offset, bits| {
            let ty = Type::scalar(scalar, ByteOrder::Little);
            Field::new(Place { ty: &ty, offset, bits }, 0).unwrap().whole
        };
        assert!(whole(Scalar::U64, 8, None) && whole(Scalar::U8, 3, None) && whole(Scalar::F32, 4, None));
        assert!(!whole(Scalar::U64, 4, None) && !whole(Scalar::U16, 1, None));
        assert!(whole(Scalar::U32, 5, Some(Bits { start: 7, width: 9 })));
        assert!(!whole(Scalar::U32, 7, Some(Bits { start: 7, width: 9 })));
    }

    #[test]
    fn four_byte_pointer_is_a_number() {
        let ty = Type::pointer("node", 4, ByteOrder::Big);
        let field = Field::new(ty.at(2), 0).unwrap();
        assert_eq!(field.sample(field.raw(&words(&[9, 9, 1, 2, 3, 4, 9]))), 0x0102_0304);
    }

    #[test]
    fn value_outside_of_the_part_is_refused() {
        let ty = Type::scalar(Scalar::U8, ByteOrder::Little);
        assert_eq!(Field::new(ty.at(7), 8), None);
        assert_eq!(Field::new(ty.at(1 << 20), 8), None);
        assert_eq!(Field::new(ty.at(u64::MAX), 8), None);
    }
}
