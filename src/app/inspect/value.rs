//! The value that keys act on: the selected one, or the one under the cursor.

use super::{Inspect, Picked, Pin};
use crate::decode::{ByteOrder, Scalar};
use std::ops::Range;

impl Inspect {
    /// The offset and type of the selected number, or of the one under the cursor. `None` for a value
    /// that is not a number.
    pub fn number(&self) -> Option<(u64, Scalar, ByteOrder)> {
        let at_cursor = self.shown_as.or(self.ranking.first());
        let Some(Picked { offset, pinned }) = self.picked() else {
            return Some((self.cursor, at_cursor?, self.order));
        };
        let detected = self.moving.iter().find(|value| value.offset == offset);
        // The first of `u32/u64`.
        let word = detected.and_then(|value| value.kind.split('/').next());
        let scalar = word.and_then(|word| Scalar::BASIC.into_iter().find(|scalar| scalar.word() == word));
        Some((offset, scalar.or(at_cursor.filter(|_| pinned))?, ByteOrder::native()))
    }

    /// The bytes of the selected field or value, or of the one under the cursor.
    pub fn value_range(&self) -> Range<u64> {
        let pin = |picked: Picked| {
            let mut pins = self.pins.iter().filter(|_| picked.pinned);
            pins.find(|pin| pin.offset == picked.offset).map(Pin::range)
        };
        let number = |(offset, scalar, _): (u64, Scalar, ByteOrder)| offset..offset + scalar.size() as u64;
        let range = match (self.selected_field(), self.picked().and_then(pin)) {
            (Some(row), _) => row.place.range(),
            (None, Some(range)) => range,
            (None, None) => self.number().map_or_else(|| self.value_at_cursor(), number),
        };
        range.start..range.end.min(self.size())
    }
}
