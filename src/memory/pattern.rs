//! Search patterns: bytes that may contain wildcard bits.

use crate::segment::{escape, unescape};
use memchr::memmem;

/// The maximum length: more than any user types or passes as an argument.
const MAX_LENGTH: usize = 1 << 20;

/// Bytes to search for. Never empty, and never all wildcards.
#[derive(Debug, Clone)]
pub struct Pattern {
    bytes: Vec<u8>,
    /// The significant bits; `None` if all are.
    mask: Option<Vec<u8>>,
    /// Finds the longest run of bytes without wildcards.
    finder: memmem::Finder<'static>,
    finder_backward: memmem::FinderRev<'static>,
    /// The offset of the finder's run in the pattern.
    anchor: usize,
}

/// An error in a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("the pattern is empty")]
    Empty,
    #[error("'{0}' matches everything: at least one digit must not be a wildcard")]
    Anything(String),
    #[error("invalid hex '{text}': '{found}' is not a hex digit or ? (any digit)")]
    InvalidHex { text: String, found: String },
    #[error("odd number of hex digits in '{0}': use two for each byte, or ?? for any byte (de ad ?? ef)")]
    Odd(String),
    #[error("the pattern has {0} bytes; the maximum is {MAX_LENGTH}")]
    TooLong(usize),
}

impl Pattern {
    /// Returns a pattern of exactly these bytes.
    ///
    /// # Errors
    /// Fails for no bytes or more than 1 MiB.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Result<Self, PatternError> {
        let bytes = bytes.into();
        let mask = vec![0xff; bytes.len()];
        Self::masked(bytes, mask)
    }

    /// Returns the pattern of a UTF-8 text, in which `\xNN` is a byte.
    ///
    /// # Errors
    /// Fails if it is empty or longer than 1 MiB.
    pub fn text(text: &str) -> Result<Self, PatternError> {
        Self::bytes(unescape(text))
    }

    /// Parses hex digits in pairs: `de ad be ef`, `deadbeef`, `0xdeadbeef`. `??` is any byte, `d?`
    /// and `?f` any byte with that digit. Blanks, `_`, `,` and `:` between bytes are ignored.
    ///
    /// # Errors
    /// Fails for invalid hex, half a byte, or nothing but wildcards.
    pub fn hex(text: &str) -> Result<Self, PatternError> {
        let shown = || escape(text.trim().as_bytes());
        let (mut bytes, mut mask) = (vec![], vec![]);
        for word in text.split(|c: char| c.is_whitespace() || matches!(c, '_' | ',' | ':')) {
            let word = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")).unwrap_or(word);
            let digits: Vec<(u8, u8)> = word
                .chars()
                .map(|c| hex_digit(c).ok_or_else(|| escape(c.encode_utf8(&mut [0; 4]).as_bytes())))
                .collect::<Result<_, _>>()
                .map_err(|found| PatternError::InvalidHex { text: shown(), found })?;
            let (pairs, []) = digits.as_chunks::<2>() else { return Err(PatternError::Odd(shown())) };
            bytes.extend(pairs.iter().map(|[high, low]| high.0 << 4 | low.0));
            mask.extend(pairs.iter().map(|[high, low]| high.1 << 4 | low.1));
        }
        if !mask.is_empty() && mask.iter().all(|&bits| bits == 0) {
            return Err(PatternError::Anything(shown()));
        }
        Self::masked(bytes, mask)
    }

    /// Returns a pattern in which only the bits set in `mask` are significant. Past the end of the
    /// mask all bits are.
    ///
    /// # Errors
    /// Fails for no bytes, more than 1 MiB, or no significant bits.
    pub fn masked(mut bytes: Vec<u8>, mut mask: Vec<u8>) -> Result<Self, PatternError> {
        if bytes.is_empty() {
            return Err(PatternError::Empty);
        }
        if bytes.len() > MAX_LENGTH {
            return Err(PatternError::TooLong(bytes.len()));
        }
        mask.resize(bytes.len(), 0xff);
        if mask.iter().all(|&bits| bits == 0) {
            return Err(PatternError::Anything(escape(&bytes)));
        }
        bytes.iter_mut().zip(&mask).for_each(|(byte, bits)| *byte &= bits);
        let anchor = longest_exact(&mask);
        let needle = &bytes[anchor.clone()];
        let finder = memmem::Finder::new(needle).into_owned();
        let finder_backward = memmem::FinderRev::new(needle).into_owned();
        let exact = anchor.len() == bytes.len();
        let mask = (!exact).then_some(mask);
        Ok(Self { bytes, mask, finder, finder_backward, anchor: anchor.start })
    }

    /// Returns the length in bytes, at least 1.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a pattern is never empty")]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns true if the pattern matches zeros, and therefore holes.
    #[must_use]
    pub fn matches_zeros(&self) -> bool {
        self.bytes.iter().all(|&byte| byte == 0)
    }

    /// Returns the first match in `hay` at or after `from`.
    #[must_use]
    pub fn find(&self, hay: &[u8], from: usize) -> Option<usize> {
        let mut at = from;
        while at.checked_add(self.len())? <= hay.len() {
            let anchor = self.finder.find(&hay[at + self.anchor..])?;
            at += anchor;
            if self.matches_at(hay, at) {
                return Some(at);
            }
            at += 1;
        }
        None
    }

    /// Returns the last match in `hay`.
    #[must_use]
    pub fn find_last(&self, hay: &[u8]) -> Option<usize> {
        // The anchor may be as far back as the rest of the pattern allows.
        let needle = self.finder.needle().len();
        let tail = self.len() - self.anchor - needle;
        let mut end = hay.len().checked_sub(tail)?;
        loop {
            let anchor = self.finder_backward.rfind(&hay[..end])?;
            let at = anchor.checked_sub(self.anchor)?;
            if self.matches_at(hay, at) {
                return Some(at);
            }
            // Continue with an earlier anchor.
            end = (anchor + needle).checked_sub(1).filter(|&end| end >= needle)?;
        }
    }

    /// Returns true if the pattern matches at `at`, given that its anchor does.
    fn matches_at(&self, hay: &[u8], at: usize) -> bool {
        let Some(hay) = hay.get(at..at + self.len()) else { return false };
        match &self.mask {
            None => true,
            Some(mask) => {
                hay.iter().zip(mask).zip(&self.bytes).all(|((byte, bits), want)| byte & bits == *want)
            }
        }
    }
}

/// Returns the value of a hex digit and its mask.
fn hex_digit(c: char) -> Option<(u8, u8)> {
    if c == '?' {
        return Some((0, 0));
    }
    c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()).map(|digit| (digit, 0xf))
}

/// Returns the longest run of bytes without wildcards; empty if there is none.
fn longest_exact(mask: &[u8]) -> std::ops::Range<usize> {
    let mut longest = 0..0;
    let mut start = 0;
    for (index, &bits) in mask.iter().enumerate() {
        if bits != 0xff {
            start = index + 1;
        } else if index + 1 - start > longest.len() {
            longest = start..index + 1;
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hex(text: &str) -> (Vec<u8>, Option<Vec<u8>>) {
        let pattern = Pattern::hex(text).unwrap();
        (pattern.bytes, pattern.mask)
    }

    #[test]
    fn hex_accepts_every_separator_and_wildcard() {
        for text in ["deadbeef", "de ad be ef", "0xDEADBEEF", "de:ad:be:ef", " de_ad, 0xbe 0xef "] {
            assert_eq!(hex(text), (vec![0xde, 0xad, 0xbe, 0xef], None), "{text}");
        }
        assert_eq!(hex("de??"), (vec![0xde, 0], Some(vec![0xff, 0])));
        assert_eq!(hex("d? ?e"), (vec![0xd0, 0x0e], Some(vec![0xf0, 0x0f])));
    }

    #[test]
    fn invalid_patterns_are_explained() {
        let error = |text| Pattern::hex(text).unwrap_err().to_string();
        assert!(error("").contains("empty"));
        assert!(error("  ").contains("empty"));
        assert!(error("dea").contains("odd"));
        assert!(error("d e a d").contains("odd"));
        assert!(error("?? ??").contains("wildcard"));
        assert!(error("hello").contains("'h'"));
        assert!(error("de\u{1b}[2J").contains(r"\x1b"));
        assert!(Pattern::text("").is_err());
        assert!(Pattern::masked(vec![1, 2], vec![0, 0]).is_err());
    }

    #[test]
    fn text_accepts_escaped_bytes() {
        assert_eq!(Pattern::text(r"a\x00\xff").unwrap().bytes, b"a\0\xff");
        assert_eq!(Pattern::text("ö").unwrap().bytes, "ö".as_bytes());
    }

    #[test]
    fn only_zeros_and_wildcards_match_a_hole() {
        assert!(Pattern::hex("00 ?? 0?").unwrap().matches_zeros());
        assert!(!Pattern::hex("00 01").unwrap().matches_zeros());
    }

    #[test]
    fn pattern_without_a_whole_byte_is_found() {
        let pattern = Pattern::hex("a? ?b").unwrap();
        let hay = [0xa1, 0x2c, 0xa7, 0x1b, 0xaf, 0xfb];
        assert_eq!(pattern.find(&hay, 0), Some(2));
        assert_eq!(pattern.find(&hay, 3), Some(4));
        assert_eq!(pattern.find(&hay, 5), None);
        assert_eq!(pattern.find(&hay, 99), None);
        assert_eq!(pattern.find_last(&hay), Some(4));
        assert_eq!(pattern.find_last(&hay[..5]), Some(2));
        assert_eq!(pattern.find_last(&hay[..1]), None);
        assert_eq!(Pattern::hex("?1").unwrap().find_last(&[0x10]), None);
    }

    proptest! {
        #[test]
        fn search_matches_a_naive_search(
            bytes in proptest::collection::vec(0u8..3, 1..5),
            mask in proptest::collection::vec(prop_oneof![3 => Just(0xffu8), 1 => Just(0u8), 1 => Just(1u8)], 0..5),
            hay in proptest::collection::vec(0u8..3, 0..80),
            from in 0usize..90,
        ) {
            let Ok(pattern) = Pattern::masked(bytes, mask) else { return Ok(()) };
            let full = pattern.mask.clone().unwrap_or_else(|| vec![0xff; pattern.len()]);
            let all: Vec<usize> = (0..=hay.len().saturating_sub(pattern.len()))
                .filter(|&at| hay.len() >= pattern.len()
                    && (0..pattern.len()).all(|i| hay[at + i] & full[i] == pattern.bytes[i]))
                .collect();
            prop_assert_eq!(pattern.find(&hay, from), all.iter().copied().find(|&at| at >= from));
            prop_assert_eq!(pattern.find_last(&hay), all.last().copied());
        }

        #[test]
        fn arbitrary_text_does_not_panic(text in "[0-9a-f? x\\PC]*") {
            let _ = Pattern::hex(&text);
            let _ = Pattern::text(&text);
        }
    }
}
