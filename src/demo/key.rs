//! The keys of the demo's System V segments. They contain the demo's pid, so that the segments of a
//! running demo are recognized without attaching them. A key alone never proves that a segment
//! belongs to a demo.

use super::mark::Maker;
use super::part::Part;
use crate::identify::demo::{ORPHAN, PID_MASK, PREFIX, PREFIX_MASK};
use crate::segment::Key;

/// Four bits: the number of the demo in its process, modulo 16.
const SERIAL_SHIFT: u32 = 23;

pub const fn of(part: Part, maker: &Maker) -> Key {
    let orphan = if matches!(part, Part::Orphan) { ORPHAN } else { 0 };
    Key(PREFIX | (maker.serial % 16) << SERIAL_SHIFT | orphan | maker.pid & PID_MASK)
}

/// Returns the pid of the demo that uses the key; `None` for other keys.
pub const fn pid(key: Key) -> Option<u32> {
    if key.0 & PREFIX_MASK == PREFIX { Some(key.0 & PID_MASK) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_contains_the_pid() {
        let mut maker = Maker::new().unwrap();
        (maker.pid, maker.serial) = (4_194_303, 17);
        let (state, orphan) = (of(Part::State, &maker), of(Part::Orphan, &maker));
        assert_ne!(state, orphan);
        assert_eq!((pid(state), pid(orphan)), (Some(maker.pid), Some(maker.pid)));
        assert_eq!(state.to_string(), "0x58bfffff");
        assert_eq!(pid(Key(1234)), None);
        assert_eq!(pid(Key(0)), None);
    }
}
