//! Formats one line of a hex dump: `00000010  68 65 …  00 00  |he….|`.

pub const LINE: usize = 16;
/// A line with an eight-digit offset and its newline.
pub const WHOLE: usize = 79;
/// An offset has at least this many digits.
const DIGITS: usize = 8;
/// The columns of the two groups of hex digits, and of the text.
const FIRST: usize = DIGITS + 2;
const SECOND: usize = FIRST + 3 * LINE / 2 + 1;
const TEXT: usize = SECOND + 3 * LINE / 2 + 2;

/// The two digits of each byte, a blank and a zero, starting at the lowest bits.
const DIGITS_OF: [u32; 256] = {
    let digits = b"0123456789abcdef";
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = u32::from_le_bytes([digits[byte >> 4], digits[byte & 15], b' ', 0]);
        byte += 1;
    }
    table
};

/// Writes a whole line. Works in registers and in ascending order, so that no store depends on
/// another: a dump spends most of its time here.
pub fn whole(offset: u32, line: &[u8; LINE], out: &mut [u8; WHOLE]) {
    let [a, b, c, d] = offset.to_be_bytes().map(|byte| u64::from(DIGITS_OF[usize::from(byte)] & 0xffff));
    eight(out, 0, a | b << 16 | c << 32 | d << 48);
    out[DIGITS..FIRST].copy_from_slice(b"  ");
    // Each store overlaps the next one by two bytes.
    for pair in 0..LINE / 4 {
        eight(out, FIRST + 6 * pair, two(line, 2 * pair));
    }
    out[SECOND - 1] = b' ';
    for pair in 0..LINE / 4 {
        eight(out, SECOND + 6 * pair, two(line, LINE / 2 + 2 * pair));
    }
    out[TEXT - 2..TEXT].copy_from_slice(b" |");
    out[TEXT..TEXT + LINE].copy_from_slice(&line.map(printed));
    out[TEXT + LINE..].copy_from_slice(b"|\n");
}

/// Returns the digits of two bytes, each followed by a blank.
fn two(line: &[u8; LINE], at: usize) -> u64 {
    let digits = |at: usize| u64::from(DIGITS_OF[usize::from(line[at])]);
    digits(at) | digits(at + 1) << 24
}

fn eight(out: &mut [u8; WHOLE], at: usize, bytes: u64) {
    out[at..at + 8].copy_from_slice(&bytes.to_le_bytes());
}

/// Writes a whole line at any offset. Returns its length.
pub fn put(offset: u64, line: &[u8; LINE], out: &mut [u8]) -> usize {
    match (u32::try_from(offset), out.first_chunk_mut::<WHOLE>()) {
        (Ok(offset), Some(out)) => {
            whole(offset, line, out);
            WHOLE
        }
        _ => put_any(offset, line, out),
    }
}

/// Writes up to 16 bytes as a line. Returns its length. A short line ends after the text of its
/// last byte.
pub fn put_any(offset: u64, bytes: &[u8], out: &mut [u8]) -> usize {
    let mut line = [0; LINE];
    let length = bytes.len().min(LINE);
    line[..length].copy_from_slice(&bytes[..length]);
    let mut text = [0; WHOLE];
    whole(0, &line, &mut text);
    for at in length..LINE {
        let column = if at < LINE / 2 { FIRST + 3 * at } else { SECOND + 3 * (at - LINE / 2) };
        text[column..column + 2].fill(b' ');
    }
    let end = TEXT + length + 2;
    text[end - 2..end].copy_from_slice(b"|\n");
    let digits = put_offset(offset, out);
    out[digits..digits + end - DIGITS].copy_from_slice(&text[DIGITS..end]);
    digits + end - DIGITS
}

/// Writes an offset in at least eight digits. Returns its length.
pub fn put_offset(offset: u64, out: &mut [u8]) -> usize {
    let digits = ((u64::BITS - offset.leading_zeros()).div_ceil(4) as usize).max(DIGITS);
    for (at, digit) in out[..digits].iter_mut().rev().enumerate() {
        let nibble = offset >> (4 * at) & 15;
        *digit = DIGITS_OF[usize::try_from(nibble).unwrap_or(0)].to_le_bytes()[1];
    }
    digits
}

/// Returns the character for the text column. Branch-free, so that the compiler can vectorize it.
const fn printed(byte: u8) -> u8 {
    if byte.wrapping_sub(b' ') <= b'~' - b' ' { byte } else { b'.' }
}
