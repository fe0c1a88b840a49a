//! Formats lines exactly like `hexdump -C`: an offset, sixteen bytes in two groups, and their text;
//! `*` replaces repeated lines.
//!
//! Only whole lines are squeezed, never a short last line. The output ends with the end offset,
//! unless it is 0.

use super::hexline::{self, LINE, WHOLE};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Squeeze {
    /// Write a single `*` for a run of repeated lines.
    On,
    /// Write every line.
    Off,
}

/// The state of a dump between chunks.
#[derive(Debug, Clone)]
pub struct HexDump {
    squeeze: Squeeze,
    /// The last whole line, to detect repetitions.
    last: Option<[u8; LINE]>,
    /// Set once the `*` is written.
    squeezed: bool,
    /// The offset after the last byte.
    end: u64,
}

impl HexDump {
    /// Starts a dump at `offset`.
    #[must_use]
    pub const fn new(squeeze: Squeeze, offset: u64) -> Self {
        Self { squeeze, last: None, squeezed: false, end: offset }
    }

    pub(super) const fn squeeze(&self) -> Squeeze {
        self.squeeze
    }

    /// Appends the lines of `bytes`, which follow the previous bytes. All chunks except the last
    /// must be multiples of 16 bytes.
    pub fn lines(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + Self::max_length(bytes.len()), 0);
        let length = self.fill(bytes, &mut out[start..]);
        out.truncate(start + length);
    }

    /// Returns the length that the lines of that many bytes can have.
    pub(super) const fn max_length(bytes: usize) -> usize {
        // An offset may have up to eight more digits.
        (bytes / LINE + 1) * (WHOLE + 8)
    }

    /// Like [`HexDump::lines`], for a buffer that is large enough. Returns the length of the lines.
    pub(super) fn fill(&mut self, bytes: &[u8], out: &mut [u8]) -> usize {
        let squeeze = self.squeeze == Squeeze::On;
        let (mut last, mut squeezed, mut end) = (self.last, self.squeezed, self.end);
        let mut at = 0;
        let (lines, rest) = bytes.as_chunks::<LINE>();
        for line in lines {
            let repeats = squeeze && last.as_ref() == Some(line);
            if !repeats {
                at += hexline::put(end, line, &mut out[at..]);
            } else if !squeezed {
                out[at..at + 2].copy_from_slice(b"*\n");
                at += 2;
            }
            (last, squeezed) = (Some(*line), repeats);
            end += LINE as u64;
        }
        if !rest.is_empty() {
            at += hexline::put_any(end, rest, &mut out[at..]);
            end += rest.len() as u64;
        }
        (self.last, self.squeezed, self.end) = (last, squeezed, end);
        at
    }

    /// Appends the lines of zero bytes. Takes constant time when squeezing.
    pub fn zeros(&mut self, mut length: u64, out: &mut Vec<u8>) {
        let few = [0; 64 * LINE];
        if self.squeeze == Squeeze::On && length > few.len() as u64 {
            // The first two lines start the squeezing; the rest adds no output.
            self.lines(&few[..2 * LINE], out);
            length -= 2 * LINE as u64;
            let silent = length - length % LINE as u64;
            self.end = self.end.saturating_add(silent);
            length -= silent;
        }
        while length > 0 {
            let piece = usize::try_from(length).unwrap_or(few.len()).min(few.len());
            self.lines(&few[..piece], out);
            length -= piece as u64;
        }
    }

    /// Returns the state after these bytes, without writing their lines.
    #[must_use]
    pub fn after(&self, bytes: &[u8]) -> Self {
        let (lines, _) = bytes.as_chunks::<LINE>();
        let (last, squeezed) = match (lines, self.last) {
            ([], last) => (last, self.squeezed),
            ([line], last) => (Some(*line), last == Some(*line)),
            ([.., before, line], _) => (Some(*line), before == line),
        };
        let squeezed = squeezed && self.squeeze == Squeeze::On;
        Self { last, squeezed, end: self.end + bytes.len() as u64, ..*self }
    }

    /// Skips zero bytes, like [`HexDump::after`].
    pub(super) fn pass_zeros(&mut self, length: u64) {
        let few = [0; 2 * LINE];
        let first = usize::try_from(length).unwrap_or(few.len()).min(few.len());
        *self = self.after(&few[..first]);
        self.end += length - first as u64;
    }

    /// Writes the final line with the end offset.
    pub fn finish(&self, out: &mut Vec<u8>) {
        if self.end > 0 {
            let mut line = [0; 17];
            let digits = hexline::put_offset(self.end, &mut line);
            line[digits] = b'\n';
            out.extend_from_slice(&line[..=digits]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::{self, Seek as _, Write as _};
    use std::process::Command;

    fn dumped(squeeze: Squeeze, offset: u64, pieces: &[&[u8]]) -> String {
        let mut dump = HexDump::new(squeeze, offset);
        let mut out = vec![];
        for piece in pieces {
            let expected = dump.after(piece);
            dump.lines(piece, &mut out);
            assert_eq!(
                (dump.last, dump.squeezed, dump.end),
                (expected.last, expected.squeezed, expected.end)
            );
        }
        dump.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    /// Returns the output of the real `hexdump`; `None` if it is not installed.
    fn hexdump(arguments: &[&str], bytes: &[u8]) -> Option<String> {
        // In a pipe, `hexdump` skips differently.
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        let done = Command::new("hexdump").args(arguments).env("LC_ALL", "C").stdin(file).output();
        let done = match done {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                crate::sys::skip::skip("needs hexdump (bsdextrautils)");
                return None;
            }
            done => done.unwrap(),
        };
        Some(String::from_utf8(done.stdout).unwrap())
    }

    #[test]
    fn formats_each_kind_of_line() {
        let mut bytes = b"hello, \x1b[2J\xff\0~".to_vec();
        bytes.extend_from_slice(&[0; 48]);
        bytes.push(7);
        assert_eq!(
            dumped(Squeeze::On, 0, &[&bytes]),
            "00000000  68 65 6c 6c 6f 2c 20 1b  5b 32 4a ff 00 7e 00 00  |hello, .[2J..~..|\n\
             00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n\
             *\n\
             00000030  00 00 00 00 00 00 00 00  00 00 00 00 00 00 07     |...............|\n\
             0000003f\n"
        );
    }

    #[test]
    fn large_offsets_have_more_digits() {
        assert_eq!(
            dumped(Squeeze::On, 0xffff_fff8, &[&[0x61; 16], &[0x62]]),
            "fffffff8  61 61 61 61 61 61 61 61  61 61 61 61 61 61 61 61  |aaaaaaaaaaaaaaaa|\n\
             100000008  62                                                |b|\n\
             100000009\n"
        );
        assert!(dumped(Squeeze::On, 1 << 62, &[b"a"]).ends_with("\n4000000000000001\n"));
    }

    #[test]
    fn empty_dump_has_only_an_offset_unless_it_is_0() {
        assert_eq!(dumped(Squeeze::On, 0, &[]), "");
        assert_eq!(dumped(Squeeze::On, 8, &[]), "00000008\n");
    }

    #[test]
    fn hole_costs_the_same_whatever_its_size() {
        let mut dump = HexDump::new(Squeeze::On, 0);
        let mut out = vec![];
        dump.zeros((1 << 62) + 3, &mut out);
        dump.finish(&mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n\
             4000000000000000  00 00 00                                          |...|\n4000000000000003\n"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn output_equals_hexdump(
            lines in proptest::collection::vec(prop_oneof![Just([0u8; LINE]), Just([0x41; LINE]), any::<[u8; LINE]>()], 0..40),
            tail in proptest::collection::vec(0x40u8..0x42, 0..LINE),
            skip in 0usize..40,
            cut in 0usize..40,
        ) {
            let bytes = [lines.concat(), tail].concat();
            let skip = skip.min(bytes.len());
            let rest = &bytes[skip..];
            let cut = (cut * LINE).min(rest.len() / LINE * LINE);
            let pieces = [&rest[..cut], &rest[cut..]];
            let skip_text = skip.to_string();
            let cases = [(Squeeze::On, vec!["-C", "-s", &skip_text]), (Squeeze::Off, vec!["-v", "-C", "-s", &skip_text])];
            for (squeeze, arguments) in cases {
                let Some(expected) = hexdump(&arguments, &bytes) else { return Ok(()) };
                prop_assert_eq!(dumped(squeeze, skip as u64, &pieces), expected);
            }
        }

        #[test]
        fn zeros_equals_lines_of_zeros(before in 0usize..4, count in 0u64..3000, after in 0usize..40) {
            for squeeze in [Squeeze::On, Squeeze::Off] {
                let count = if after > 0 { count / 16 * 16 } else { count };
                let (first, last) = (vec![0x41u8; before * LINE], vec![0u8; after]);
                let zeros = vec![0; usize::try_from(count).unwrap()];
                let mut dump = HexDump::new(squeeze, 0);
                let mut out = vec![];
                dump.lines(&first, &mut out);
                let mut passed = dump.clone();
                passed.pass_zeros(count);
                dump.zeros(count, &mut out);
                // The state after a short last line is never used.
                if count % 16 == 0 {
                    prop_assert_eq!((dump.last, dump.squeezed), (passed.last, passed.squeezed));
                }
                prop_assert_eq!(dump.end, passed.end);
                dump.lines(&last, &mut out);
                dump.finish(&mut out);
                prop_assert_eq!(String::from_utf8(out).unwrap(), dumped(squeeze, 0, &[&first, &zeros, &last]));
            }
        }
    }
}
