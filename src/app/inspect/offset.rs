//! Parses offsets: `4096`, `0x1000`, `4K`, `+16`, `-1K`, `end`.

use crate::segment::Bytes;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OffsetError {
    #[error("invalid offset '{0}': expected 4096, 0x1000, 4K, +16, -1K, 50% or end")]
    NoNumber(String),
    #[error("no field '{0}', and no offset such as 4096, 0x1000, 4K, +16, -1K, 50% or end")]
    NoField(String),
    #[error("{offset:#x} is past the end: the last byte is at {last:#x}")]
    Beyond { offset: u64, last: u64 },
}

/// Parses an offset in a segment of `size` bytes. Relative offsets start at `cursor` and stop at
/// the ends, others must lie within the segment.
pub fn parse_offset(text: &str, cursor: u64, size: u64) -> Result<u64, OffsetError> {
    let wrong = || OffsetError::NoNumber(crate::segment::escape(text.trim().as_bytes()));
    let number = |text: &str| text.trim().parse::<Bytes>().map(|bytes| bytes.0).map_err(|_| wrong());
    let last = size.saturating_sub(1);
    let text = text.trim();
    if text.eq_ignore_ascii_case("end") {
        return Ok(last);
    }
    if let Some(forward) = text.strip_prefix('+') {
        return Ok(cursor.saturating_add(number(forward)?).min(last));
    }
    if let Some(back) = text.strip_prefix('-') {
        return Ok(cursor.saturating_sub(number(back)?));
    }
    if let Some(percent) = text.strip_suffix('%') {
        let percent =
            percent.trim().parse::<u64>().ok().filter(|&percent| percent <= 100).ok_or_else(wrong)?;
        let offset = u128::from(last) * u128::from(percent) / 100;
        return Ok(u64::try_from(offset).unwrap_or(last));
    }
    let hexadecimal = || u64::from_str_radix(&text.replace('_', ""), 16).map_err(|_| wrong());
    // The screen shows offsets as `0000_1f80`, so an underscore means hexadecimal, as does a
    // letter in `1f`.
    let offset = if text.contains('_') { hexadecimal()? } else { number(text).or_else(|_| hexadecimal())? };
    if offset > last {
        return Err(OffsetError::Beyond { offset, last });
    }
    Ok(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_parsed_in_every_notation() {
        for (text, offset) in [
            ("4096", 4096),
            ("0x1000", 4096),
            ("4K", 4096),
            ("+16", 116),
            ("-16", 84),
            ("-1K", 0),
            ("+1G", 9999),
            ("end", 9999),
            ("END", 9999),
            ("50%", 4999),
            (" 7 ", 7),
            ("1f", 31),
            ("0000_001f", 31),
            ("0000_0010", 16),
        ] {
            assert_eq!(parse_offset(text, 100, 10_000), Ok(offset), "{text}");
        }
    }

    #[test]
    fn invalid_offsets_are_explained() {
        let error = parse_offset("10000", 0, 10_000).unwrap_err().to_string();
        assert!(error.contains("0x2710") && error.contains("0x270f"), "{error}");
        for text in ["", "x", "+", "101%", "0xzz", "\x1b"] {
            assert!(matches!(parse_offset(text, 0, 10_000), Err(OffsetError::NoNumber(_))), "{text}");
        }
    }
}
