//! Python's `ShareableList`, which has no magic bytes
//! (`Lib/multiprocessing/shared_memory.py` in `CPython`).
//!
//! From 3.9 on: an i64 count N; N+1 ascending offsets of the items, starting at 0; the items; N formats
//! of 8 bytes; N codes of one byte. In 3.8 there are N sizes in place of the offsets.

use super::{Built, Layout, LayoutError, Peek, Source, counted};
use crate::decode::{ByteOrder, Field, Record, RecordKind, Scalar, StringForm, Type};

/// Items that are decoded. More take too long to lay out.
const MAX_ITEMS: u64 = 1 << 20;
/// Items that are checked to recognize a list.
const CHECKED: u64 = 64;
/// The alignment of items.
const SLOT: u64 = 8;
/// Attempts to read the header while the list changes.
const ATTEMPTS: usize = 4;

/// The versions of the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `CPython` 3.9 and later.
    Offsets,
    /// `CPython` 3.8.
    Sizes,
}

/// The parts that describe the items.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    form: Form,
    /// The start of the items.
    data: u64,
    /// The offsets of the items from `data`, and the end of the last one.
    offsets: Vec<u64>,
    formats: Vec<[u8; 8]>,
    codes: Vec<u8>,
}

/// Builds a row of the items.
pub fn build(source: &Source<'_>) -> Result<Built, LayoutError> {
    let header = stable_head(source)?;
    let count = header.codes.len() as u64;
    let mut fields = Vec::with_capacity(header.codes.len());
    for index in 0..header.codes.len() {
        fields.push(item(source, &header, index)?);
    }
    let size = header.size();
    let record = Record::new(RecordKind::Row, "sharedlist", fields);
    let form = match header.form {
        Form::Offsets => "",
        Form::Sizes => ", in the form of Python 3.8",
    };
    Ok(Built {
        ty: Type::record(record, size, SLOT).map_err(|error| source.too_large(error))?,
        count,
        // Zeros are an empty list, too.
        is_certain: count > 0,
        evidence: format!("{}; offsets, formats and codes are consistent{form}", counted(count, "item")),
        note: None,
    })
}

/// Returns true if the first items of the contents are those of a list; `None` if they cannot be
/// read.
pub fn is_one(contents: &Peek<'_>, size: u64) -> Option<bool> {
    let source = Source { contents, size, layout: Layout::SharedList.noun() };
    let result = Form::ALL.into_iter().map(|form| {
        let header = Header::read(&source, form, CHECKED)?;
        if header.codes.is_empty() {
            return Err(source.differs("no items"));
        }
        (0..header.codes.len()).try_for_each(|index| item(&source, &header, index).map(drop))
    });
    let mut was_unread = false;
    for outcome in result {
        match outcome {
            Ok(()) => return Some(true),
            Err(LayoutError::Unread { .. }) => was_unread = true,
            Err(LayoutError::Differs { .. }) => {}
        }
    }
    if was_unread { None } else { Some(false) }
}

/// Reads the header until it is the same twice: a list that changes must not be decoded with the
/// format of one moment and the code of another.
fn stable_head(source: &Source<'_>) -> Result<Header, LayoutError> {
    let mut last = any_head(source)?;
    for _ in 0..ATTEMPTS {
        let next = any_head(source)?;
        if next == last {
            return Ok(next);
        }
        last = next;
    }
    Err(source.differs("its formats change while they are read. Try again"))
}

/// Reads the header in the form that fits. The error is that of the newer form.
fn any_head(source: &Source<'_>) -> Result<Header, LayoutError> {
    let checked = |form| {
        let header = Header::read(source, form, MAX_ITEMS)?;
        (0..header.codes.len()).try_for_each(|index| item(source, &header, index).map(drop))?;
        Ok(header)
    };
    match checked(Form::Offsets) {
        Err(error) => checked(Form::Sizes).map_err(|_| error),
        header => header,
    }
}

impl Form {
    const ALL: [Self; 2] = [Self::Offsets, Self::Sizes];
}

impl Header {
    /// Reads the offsets, formats and codes of the first items.
    fn read(source: &Source<'_>, form: Form, max: u64) -> Result<Self, LayoutError> {
        let count = source.u64(0)?;
        let extra = u64::from(form == Form::Offsets);
        // Each item has at least an offset, a format and a code.
        let least = source.size.saturating_sub(8 + 8 * extra) / 17;
        if count > least {
            return Err(source.differs(format!(
                "the count {} at offset 0 is more than fits into {} bytes",
                count.cast_signed(),
                source.size
            )));
        }
        if count > max && max == MAX_ITEMS {
            return Err(source.differs(format!("{count} items are more than shmlens decodes")));
        }
        let shown = count.min(max);
        let words = source.vec(8, 8 * (shown + extra))?;
        let words: Vec<u64> = words.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let data = 8 * (1 + count + extra);
        let (offsets, end) = match form {
            Form::Offsets => (words, source.u64(8 + 8 * count)?),
            Form::Sizes => {
                let offsets = sums(source, &words)?;
                let end = if shown == count {
                    offsets.last().copied().unwrap_or(0)
                } else {
                    let rest = source.vec(8 + 8 * shown, 8 * (count.min(MAX_ITEMS) - shown))?;
                    let rest = rest.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word));
                    rest.chain(offsets.last().copied())
                        .try_fold(0_u64, u64::checked_add)
                        .ok_or_else(|| source.differs("the sizes of its items overflow"))?
                };
                (offsets, end)
            }
        };
        let formats_at = data.checked_add(end).filter(|&at| at <= source.size.saturating_sub(9 * count));
        let formats_at = formats_at.ok_or_else(|| {
            source.differs(format!("its items take {end} bytes, and end after the segment"))
        })?;
        let formats = source.vec(formats_at, 8 * shown)?.as_chunks().0.to_vec();
        let codes = source.vec(formats_at + 8 * count, shown)?;
        let header = Self { form, data, offsets, formats, codes };
        header.check_offsets(source, end)?;
        Ok(header)
    }

    fn check_offsets(&self, source: &Source<'_>, end: u64) -> Result<(), LayoutError> {
        if self.form == Form::Offsets && self.offsets.first() != Some(&0) {
            return Err(source.differs("its first item is not at offset 0 of the items"));
        }
        for (item, pair) in self.offsets.windows(2).enumerate() {
            let (start, next) = (pair[0], pair[1]);
            if next <= start || next > end || !next.is_multiple_of(SLOT) {
                return Err(source.differs(format!(
                    "item [{item}] would take bytes {start} to {next} of {end}; items take multiples of {SLOT} bytes"
                )));
            }
        }
        Ok(())
    }

    fn size(&self) -> u64 {
        let count = self.codes.len() as u64;
        self.data + self.offsets.last().copied().unwrap_or(0) + 9 * count
    }
}

/// Converts sizes to offsets.
fn sums(source: &Source<'_>, sizes: &[u64]) -> Result<Vec<u64>, LayoutError> {
    let mut offsets = vec![0_u64];
    let mut end = 0_u64;
    for &size in sizes {
        end = end.checked_add(size).ok_or_else(|| source.differs("the sizes of its items overflow"))?;
        offsets.push(end);
    }
    Ok(offsets)
}

/// Returns the field of an item.
fn item(source: &Source<'_>, header: &Header, index: usize) -> Result<Field, LayoutError> {
    let format = header.formats[index];
    let length = format.iter().position(|&byte| byte == 0).unwrap_or(8);
    let (format, padding) = format.split_at(length);
    let code = header.codes[index];
    let slot = match header.offsets.get(index..index + 2) {
        Some([start, next]) => next - start,
        _ => u64::MAX,
    };
    let wrong = || {
        source.differs(format!(
            "item [{index}] has format '{}' and code {code}, which do not exist",
            String::from_utf8_lossy(format)
        ))
    };
    if padding.iter().any(|&byte| byte != 0) {
        return Err(wrong());
    }
    let native = ByteOrder::Little;
    let (ty, at) = match (format, code) {
        (b"q", 0) => (Type::scalar(Scalar::I64, native), 0),
        (b"d", 0) => (Type::scalar(Scalar::F64, native), 0),
        (b"xxxxxxx?", 0) => (Type::scalar(Scalar::Bool, native), 7),
        (b"xxxxxx?x", 3) => (Type::null(SLOT), 0),
        (text, 1 | 2) => {
            let digits = text.strip_suffix(b"s").filter(|digits| digits.iter().all(u8::is_ascii_digit));
            let length: Option<u64> = digits
                .and_then(|digits| std::str::from_utf8(digits).ok())
                .and_then(|digits| digits.parse().ok());
            let length = length.ok_or_else(wrong)?;
            if length > slot {
                return Err(
                    source.differs(format!("item [{index}] has {length} characters, but takes {slot} bytes"))
                );
            }
            let form = if code == 1 { StringForm::Stripped } else { StringForm::Bytes };
            (Type::string(form, length).map_err(|error| source.too_large(error))?, 0)
        }
        _ => return Err(wrong()),
    };
    Ok(Field::new("", ty, header.data + header.offsets[index] + at))
}
