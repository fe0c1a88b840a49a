//! Permission bits, formatted as in `ipcs` and `ls`.

use std::fmt;

/// Permission bits: nine for System V, up to twelve for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mode(u16);

impl Mode {
    /// Creates a mode from raw bits. Drops the file type, and the "locked" and "marked" flags of
    /// `/proc/sysvipc/shm`.
    #[must_use]
    pub const fn new(raw: u32) -> Self {
        // Lossless: only twelve bits remain.
        Self((raw & 0o7777) as u16)
    }

    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0 as u32
    }

    /// Formats the bits as in `ls -l`, without the file type: `rw-rw-rw-`.
    #[must_use]
    pub fn symbolic(self) -> String {
        let special = [(0o4000, 's', 'S'), (0o2000, 's', 'S'), (0o1000, 't', 'T')];
        let mut text = String::with_capacity(9);
        for (group, (flag, with_x, without_x)) in special.into_iter().enumerate() {
            let bits = self.0 >> (6 - 3 * group) & 7;
            text.push(if bits & 4 != 0 { 'r' } else { '-' });
            text.push(if bits & 2 != 0 { 'w' } else { '-' });
            text.push(match (self.0 & flag != 0, bits & 1 != 0) {
                (true, true) => with_x,
                (true, false) => without_x,
                (false, true) => 'x',
                (false, false) => '-',
            });
        }
        text
    }
}

impl fmt::Display for Mode {
    /// Writes the mode in octal with a leading zero: `0600`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mode_has_an_octal_and_a_symbolic_form() {
        assert_eq!(Mode::new(0o600).to_string(), "0600");
        assert_eq!(Mode::new(0o100_644).to_string(), "0644");
        assert_eq!(Mode::new(0o666).symbolic(), "rw-rw-rw-");
        assert_eq!(Mode::new(0o4751).symbolic(), "rwsr-x--x");
        assert_eq!(Mode::new(0o1000).symbolic(), "--------T");
    }
}
