//! The binary layout of Python's `multiprocessing.shared_memory.ShareableList`.
//!
//! From `Lib/multiprocessing/shared_memory.py` of Python 3.9 and later: the
//! number of items N; N + 1 offsets into the data area; the data area; N formats
//! of 8 bytes; N codes of one byte. Integers have 8 bytes.

/// An item of the list: `int`, `float`, `bool`, `str`, `bytes` or `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Item<'a> {
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(&'a str),
    Bytes(&'a [u8]),
    None,
}

impl Item<'_> {
    /// Returns the size of the slot: the text plus a byte, rounded up to 8. Python counts
    /// characters, but the demo's strings are ASCII.
    pub const fn slot(&self) -> usize {
        match self {
            Self::Text(text) => 8 * (text.len() / 8 + 1),
            Self::Bytes(bytes) => 8 * (bytes.len() / 8 + 1),
            _ => 8,
        }
    }

    /// Encodes the item.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = match self {
            Self::Int(value) => value.to_ne_bytes().to_vec(),
            Self::Float(value) => value.to_ne_bytes().to_vec(),
            Self::Bool(value) => vec![0, 0, 0, 0, 0, 0, 0, u8::from(*value)],
            Self::Text(text) => text.as_bytes().to_vec(),
            Self::Bytes(bytes) => bytes.to_vec(),
            Self::None => vec![],
        };
        bytes.resize(self.slot(), 0);
        bytes
    }

    /// Returns the format for Python's `struct` module.
    fn format(&self) -> [u8; 8] {
        let format = match self {
            Self::Int(_) => "q".to_owned(),
            Self::Float(_) => "d".to_owned(),
            Self::Bool(_) => "xxxxxxx?".to_owned(),
            Self::Text(_) | Self::Bytes(_) => format!("{}s", self.slot()),
            Self::None => "xxxxxx?x".to_owned(),
        };
        let mut bytes = [0; 8];
        bytes[..format.len()].copy_from_slice(format.as_bytes());
        bytes
    }

    /// Returns the code by which Python restores the value.
    const fn code(&self) -> u8 {
        match self {
            Self::Int(_) | Self::Float(_) | Self::Bool(_) => 0,
            Self::Text(_) => 1,
            Self::Bytes(_) => 2,
            Self::None => 3,
        }
    }
}

/// Returns the offset of the data area.
pub const fn data_start(items: usize) -> usize {
    8 * (items + 2)
}

/// Returns the offset of an item's slot.
pub fn slot_start(items: &[Item<'_>], index: usize) -> usize {
    data_start(items.len()) + items[..index].iter().map(Item::slot).sum::<usize>()
}

/// Encodes the list.
pub fn bytes(items: &[Item<'_>]) -> Vec<u8> {
    let mut out = (items.len() as u64).to_ne_bytes().to_vec();
    let mut offset = 0u64;
    out.extend(offset.to_ne_bytes());
    for item in items {
        offset += item.slot() as u64;
        out.extend(offset.to_ne_bytes());
    }
    for item in items {
        out.extend(item.bytes());
    }
    for item in items {
        out.extend(item.format());
    }
    out.extend(items.iter().map(Item::code));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_is_16_plus_17_per_item_plus_data() {
        let items = [Item::Int(-1), Item::Text("12345678"), Item::Bytes(b"ab"), Item::None, Item::Bool(true)];
        let bytes = bytes(&items);
        assert_eq!(bytes.len(), 16 + 17 * 5 + (8 + 16 + 8 + 8 + 8));
        assert_eq!(slot_start(&items, 0), 56);
        assert_eq!(slot_start(&items, 2), 56 + 8 + 16);
        assert_eq!(&bytes[56..64], [0xff; 8]);
        assert_eq!(bytes[56 + 47], 1, "a bool is the last byte of its slot");
        assert_eq!(&bytes[bytes.len() - 5..], [0, 1, 2, 3, 0]);
    }
}
