//! Parses and applies changes of permission bits: octal, or symbolic as in `chmod(1)`.
//!
//! The deliberate difference from `chmod`: without `u`, `g`, `o` or `a` before the operator, the
//! change applies to all (`+w` is `a+w`). `chmod` excludes the bits in the umask in this case,
//! which is surprising: the umask applies to new files, not to existing segments.

use crate::segment::{Mode, escape};
use std::fmt;
use std::str::FromStr;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModeChange {
    text: String,
    clauses: Vec<Clause>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Clause {
    /// The bits of the selected classes, including the set-id and sticky bits.
    mask: u32,
    sign: Sign,
    permissions: Permissions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Add,
    Remove,
    Set,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Permissions {
    /// Bits for every class, masked with the selected classes.
    Fixed(u32),
    /// The same, plus execute if any class has it already (`X`).
    FixedAndX(u32),
    /// The bits of another class, which starts at this bit position.
    Copy(u32),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid mode '{}': {expected}", escape(.0.as_bytes()), expected = Self::EXPECTED)]
pub struct ParseModeError(String);

impl ParseModeError {
    pub const EXPECTED: &str = "expected octal digits (0600) or symbols as in chmod (u+w,o-rwx)";
}

impl ModeChange {
    #[must_use]
    pub fn to(mode: Mode) -> Self {
        let clause = Clause { mask: 0o7777, sign: Sign::Set, permissions: Permissions::Fixed(mode.bits()) };
        Self { text: mode.to_string(), clauses: vec![clause] }
    }

    #[must_use]
    pub fn apply(&self, mode: Mode) -> Mode {
        Mode::new(self.clauses.iter().fold(mode.bits(), |bits, clause| clause.apply(bits)))
    }
}

impl Clause {
    fn apply(self, mode: u32) -> u32 {
        let bits = match self.permissions {
            Permissions::FixedAndX(bits) if mode & 0o111 != 0 => bits | 0o111,
            Permissions::Fixed(bits) | Permissions::FixedAndX(bits) => bits,
            Permissions::Copy(shift) => (mode >> shift & 7) * 0o111,
        };
        let bits = bits & self.mask;
        match self.sign {
            Sign::Add => mode | bits,
            Sign::Remove => mode & !bits,
            Sign::Set => mode & !self.mask | bits,
        }
    }
}

impl fmt::Display for ModeChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for ModeChange {
    type Err = ParseModeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseModeError(text.to_owned());
        if text.bytes().all(|byte| matches!(byte, b'0'..=b'7')) && !text.is_empty() {
            let bits = u32::from_str_radix(text, 8).ok().filter(|&bits| bits <= 0o7777).ok_or_else(wrong)?;
            return Ok(Self { text: text.to_owned(), ..Self::to(Mode::new(bits)) });
        }
        let mut clauses = vec![];
        for part in text.split(',') {
            parse_part(part.as_bytes(), &mut clauses).ok_or_else(wrong)?;
        }
        Ok(Self { text: text.to_owned(), clauses })
    }
}

/// Parses a part such as `ug+rw-x`: classes, then one or more operators with letters.
fn parse_part(part: &[u8], clauses: &mut Vec<Clause>) -> Option<()> {
    let split = part.iter().position(|byte| !b"ugoa".contains(byte))?;
    let (letters, mut rest) = part.split_at(split);
    // setuid belongs to the user, setgid to the group, and the sticky bit to others.
    let mask = letters.iter().fold(0, |mask, letter| {
        mask | match letter {
            b'u' => 0o4700,
            b'g' => 0o2070,
            b'o' => 0o1007,
            _ => 0o7777,
        }
    });
    let mask = if letters.is_empty() { 0o7777 } else { mask };
    while let Some((sign, after)) = rest.split_first() {
        let sign = match sign {
            b'+' => Sign::Add,
            b'-' => Sign::Remove,
            b'=' => Sign::Set,
            _ => return None,
        };
        let end = after.iter().position(|byte| b"+-=".contains(byte)).unwrap_or(after.len());
        let (letters, next) = after.split_at(end);
        clauses.push(Clause { mask, sign, permissions: parse_permissions(letters)? });
        rest = next;
    }
    Some(())
}

fn parse_permissions(letters: &[u8]) -> Option<Permissions> {
    match letters {
        b"u" => return Some(Permissions::Copy(6)),
        b"g" => return Some(Permissions::Copy(3)),
        b"o" => return Some(Permissions::Copy(0)),
        _ => {}
    }
    let mut bits = 0;
    let mut has_x = false;
    for letter in letters {
        match letter {
            b'r' => bits |= 0o444,
            b'w' => bits |= 0o222,
            b'x' => bits |= 0o111,
            b'X' => has_x = true,
            b's' => bits |= 0o6000,
            b't' => bits |= 0o1000,
            _ => return None,
        }
    }
    Some(if has_x { Permissions::FixedAndX(bits) } else { Permissions::Fixed(bits) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(mode: u32, text: &str) -> u32 {
        text.parse::<ModeChange>().unwrap_or_else(|error| panic!("{error}")).apply(Mode::new(mode)).bits()
    }

    #[test]
    fn symbolic_modes_match_chmod() {
        for (before, text, after) in [
            (0o600, "0666", 0o666),
            (0o666, "0", 0),
            (0o600, "4755", 0o4755),
            (0o400, "u+w,o-rwx", 0o600),
            (0o644, "u+w,o-rwx", 0o640),
            (0o666, "a-w", 0o444),
            (0o444, "+w", 0o666),
            (0o666, "=r", 0o444),
            (0o600, "g=u", 0o660),
            (0o640, "o=g", 0o644),
            (0o640, "go=", 0o600),
            (0o600, "ug+rw-x", 0o660),
            (0o604, "u=rw,g=r,o=", 0o640),
            (0o600, "a+X", 0o600),
            (0o700, "a+X", 0o711),
            (0o600, "u+s,+t", 0o5600),
            (0o1777, "o=rx", 0o775),
        ] {
            assert_eq!(changed(before, text), after, "{before:o} {text}: {:o}", changed(before, text));
        }
    }

    #[test]
    fn invalid_modes_are_refused() {
        for text in ["", "8", "10000", "rw", "u", "u+q", "u+rw,", ",u+r", "+ug", "0o600", "-1", "u +r", "é"]
        {
            assert!(text.parse::<ModeChange>().is_err(), "{text} was taken");
        }
    }
}
