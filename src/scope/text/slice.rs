//! Several elements of an array in the text of a path: `[*]`, `[100..200]`.

use std::fmt;
use std::ops::Range;

/// Elements of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    start: Option<u64>,
    /// The one after the last.
    end: Option<u64>,
}

impl Slice {
    /// Splits a path at its first slice. `None` if it has none.
    pub fn split(path: &str) -> Option<(&str, Self, &str)> {
        let mut is_quoted = false;
        let mut before = ' ';
        for (at, c) in path.char_indices() {
            match c {
                '"' if before != '\\' => is_quoted = !is_quoted,
                '[' if !is_quoted => {
                    let (inside, tail) = path[at + 1..].split_once(']')?;
                    if let Some(slice) = Self::parse(inside.trim()) {
                        return Some((&path[..at], slice, tail));
                    }
                }
                _ => {}
            }
            // A backslash that is escaped escapes nothing.
            before = if before == '\\' && c == '\\' { ' ' } else { c };
        }
        None
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self { start: None, end: None });
        }
        let (start, end) = text.split_once("..")?;
        let number = |text: &str| match text.trim() {
            "" => Some(None),
            text => text.parse().ok().map(Some),
        };
        Some(Self { start: number(start)?, end: number(end)? })
    }

    /// The elements of an array of some length.
    ///
    /// # Errors
    /// Returns a hint if it does not have them.
    pub fn within(self, count: u64) -> Result<Range<u64>, String> {
        let range = self.start.unwrap_or(0)..self.end.unwrap_or(count);
        if range.is_empty() || range.end > count {
            return Err(match count {
                _ if range.start > range.end => {
                    format!("its end {} is before its start {}", range.end, range.start)
                }
                0 => "the array has no elements".to_owned(),
                count => format!("there are {count} elements: [0..{count}] are all"),
            });
        }
        Ok(range)
    }
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        match (self.start, self.end) {
            (None, None) => f.write_str("[*]"),
            (start, end) => write!(f, "[{}..{}]", number(start), number(end)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_slice_splits_a_path() {
        let split = |path| Slice::split(path).map(|(head, slice, tail)| format!("{head}|{slice}|{tail}"));
        assert_eq!(split("ring[*].x").as_deref(), Some("ring|[*]|.x"));
        assert_eq!(split("a[3].b[ 2 .. 5 ]").as_deref(), Some("a[3].b|[2..5]|"));
        assert_eq!(split("[..7][0]").as_deref(), Some("|[..7]|[0]"));
        assert_eq!(split("m[*][*]").as_deref(), Some("m|[*]|[*]"));
        for path in ["a[3].b", "a", "", "a[x..]", "a[*", r#"["a[*]"]"#, r#"["\\\"[*]"].x"#] {
            assert_eq!(split(path), None, "{path}");
        }
    }

    #[test]
    fn elements_are_those_of_the_array() {
        let within = |path: &str, count| Slice::split(path).unwrap().1.within(count);
        assert_eq!(within("[*]", 5), Ok(0..5));
        assert_eq!(within("[2..]", 5), Ok(2..5));
        assert_eq!(within("[..2]", 5), Ok(0..2));
        for (path, count) in [("[3..3]", 5), ("[4..2]", 5), ("[0..6]", 5), ("[*]", 0)] {
            assert!(within(path, count).is_err(), "{path}");
        }
        assert_eq!(within("[4..2]", 5), Err("its end 2 is before its start 4".to_owned()));
    }
}
