//! Recognizes Python's `ShareableList` by its structure, since it has no magic bytes.
//!
//! A u64 count N; N+1 ascending u64 offsets of the items, starting at 0; the items; N formats of 8
//! bytes; N codes of one byte (`Lib/multiprocessing/shared_memory.py` in `CPython`).

use super::subject::Peek;

/// The maximum number of items to check.
const CHECKED: u64 = 64;

/// Returns true if the contents are a list; `None` if they cannot be read.
pub fn is_shareable_list(contents: &Peek<'_>, size: u64) -> Option<bool> {
    let word = |at: u64| {
        let mut bytes = [0; 8];
        contents(at, &mut bytes).then(|| u64::from_le_bytes(bytes))
    };
    if size < 16 {
        return Some(false);
    }
    let count = word(0)?;
    // Each item has at least an offset, a format and a code. An empty list looks like zeros.
    if count == 0 || count > (size - 16) / 17 {
        return Some(false);
    }
    let items = 16 + 8 * count;
    let data = word(8 + 8 * count)?;
    let Some(formats) = items.checked_add(data).filter(|formats| *formats <= size - 9 * count) else {
        return Some(false);
    };
    let mut before = 0;
    for item in 0..count.min(CHECKED) {
        let offset = word(8 + 8 * item)?;
        if offset < before || offset > data || (item == 0 && offset != 0) {
            return Some(false);
        }
        before = offset;
        let format = word(formats + 8 * item)?.to_le_bytes();
        let mut code = [0];
        if !contents(formats + 8 * count + item, &mut code) {
            return None;
        }
        if !is_format(format) || code[0] > 3 {
            return Some(false);
        }
    }
    Some(true)
}

/// Accepts `q`, `d`, `xxxxxxx?`, `xxxxxx?x` and `<n>s`, padded with zeros.
fn is_format(format: [u8; 8]) -> bool {
    let end = format.iter().position(|&byte| byte == 0).unwrap_or(8);
    let (text, rest) = format.split_at(end);
    let length = text.strip_suffix(b"s");
    let is_length = length.is_some_and(|length| !length.is_empty() && length.iter().all(u8::is_ascii_digit));
    rest.iter().all(|&byte| byte == 0)
        && (matches!(text, b"q" | b"d" | b"xxxxxxx?" | b"xxxxxx?x") || is_length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identify::catalog::tests::peek;
    use proptest::prelude::*;

    /// `ShareableList([42, 'hello'])`, as Python 3.11 writes it.
    fn list() -> Vec<u8> {
        let mut bytes = vec![];
        for word in [2u64, 0, 8, 16, 42] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(b"hello\0\0\0q\0\0\0\0\0\0\x008s\0\0\0\0\0\0");
        bytes.extend([0, 1]);
        bytes
    }

    fn is(bytes: &[u8], size: u64) -> Option<bool> {
        is_shareable_list(&peek(bytes), size)
    }

    #[test]
    fn list_is_recognized_by_its_structure() {
        assert_eq!(is(&list(), 66), Some(true));
        for (at, byte) in [(0, 0), (0, 3), (8, 1), (16, 17), (48, b'z'), (56, b's'), (65, 4)] {
            let mut broken = list();
            broken[at] = byte;
            assert_eq!(is(&broken, 66), Some(false), "{byte} at {at}");
        }
        assert_eq!(is(&[0; 4096], 4096), Some(false));
        assert_eq!(is(&list()[..40], 66), None, "not all of it can be read");
    }

    proptest! {
        #[test]
        fn arbitrary_contents_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..128), size in any::<u64>()) {
            is(&bytes, size);
        }

        #[test]
        fn nearly_valid_lists_do_not_panic(at in 0usize..66, byte in any::<u8>()) {
            let mut bytes = list();
            bytes[at] = byte;
            is(&bytes, 66);
        }
    }
}
