//! The permissions of a segment as a grid of read and write for owner, group
//! and others, beside the octal, with what each of them can do with it.

use crate::act::access::{Answer, Rules};
use crate::segment::{Kind, Mode, Segment};

/// The bits of the grid, row by row: read and write of owner, group, others.
pub const BITS: [u32; 6] = [0o400, 0o200, 0o040, 0o020, 0o004, 0o002];
/// Whose row it is.
pub const WHO: [&str; 3] = ["owner", "group", "others"];

/// The overlay.
#[derive(Debug, Clone)]
pub struct Permissions {
    /// The segments that it is for; the first one is shown.
    pub segments: Vec<Segment>,
    /// The bits as they would be.
    pub mode: Mode,
    /// The bit that is selected, a place in [`BITS`].
    pub cursor: usize,
    /// Octal digits that were typed.
    pub typed: String,
    /// What decides who may attach the first one; `None` until it was asked.
    pub rules: Option<Rules>,
}

impl Permissions {
    /// For these segments, with the bits of the first one. `None` for no segment.
    #[must_use]
    pub fn new(segments: Vec<Segment>) -> Option<Self> {
        let mode = segments.first()?.mode;
        Some(Self { segments, mode, cursor: 0, typed: String::new(), rules: None })
    }

    /// Turns the selected bit round.
    pub const fn toggle(&mut self) {
        self.mode = Mode::new(self.mode.bits() ^ BITS[self.cursor]);
    }

    /// Takes an octal digit; three of them are a mode.
    pub fn digit(&mut self, digit: char) {
        if self.typed.len() >= 4 {
            self.typed.clear();
        }
        self.typed.push(digit);
        if let Ok(bits) = u32::from_str_radix(&self.typed, 8) {
            self.mode = Mode::new(bits);
        }
    }

    /// What owner, group and others could do with these bits.
    #[must_use]
    pub fn classes(&self) -> Option<[Answer; 3]> {
        let rules = self.rules.clone()?;
        Some(Rules { mode: self.mode, ..rules }.classes())
    }

    /// As a C program would write it.
    #[must_use]
    pub fn in_c(&self) -> String {
        match self.segments.first().map(Segment::kind) {
            Some(Kind::Posix) => format!("shm_open(name, O_CREAT | O_RDWR, {})", self.mode),
            _ => format!("shmget(key, size, IPC_CREAT | {})", self.mode),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::example;

    #[test]
    fn bits_and_digits() {
        let mut form = Permissions::new(vec![example::posix()]).unwrap();
        assert_eq!(form.mode, Mode::new(0o600));
        form.cursor = 4;
        form.toggle();
        assert_eq!(form.mode, Mode::new(0o604));
        for digit in "0640".chars() {
            form.digit(digit);
        }
        assert_eq!(form.mode, Mode::new(0o640));
        form.digit('7');
        assert_eq!(form.mode, Mode::new(0o7));
        assert!(Permissions::new(vec![]).is_none());
    }
}
