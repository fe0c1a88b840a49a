//! Headers of arrays in the format of numpy.

use std::borrow::Cow;

/// The type of the elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dtype {
    U64,
    I64,
    F32,
    F64,
    Bool,
    /// Text of this many characters, of 4 bytes each.
    Text(usize),
}

impl Dtype {
    fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::U64 => "<u8",
            Self::I64 => "<i8",
            Self::F32 => "<f4",
            Self::F64 => "<f8",
            Self::Bool => "|b1",
            Self::Text(length) => return Cow::Owned(format!("<U{length}")),
        })
    }
}

/// Returns the header of an array of this many elements; `None` for a single element without
/// dimensions.
pub(super) fn header(dtype: Dtype, count: Option<u64>) -> Vec<u8> {
    /// The magic bytes and the length of the text.
    const PREFIX: usize = 10;
    const ALIGNMENT: usize = 64;
    let shape = count.map_or_else(String::new, |count| format!("{count},"));
    let mut text = format!("{{'descr': '{}', 'fortran_order': False, 'shape': ({shape}), }}", dtype.name());
    // Mapped elements have to be aligned.
    let end = (PREFIX + text.len() + 1).next_multiple_of(ALIGNMENT);
    text.extend(std::iter::repeat_n(' ', end - PREFIX - text.len() - 1));
    text.push('\n');
    // A dictionary with a number is short.
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend_from_slice(&length.to_le_bytes());
    header.extend_from_slice(text.as_bytes());
    header
}
