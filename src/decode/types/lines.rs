//! Values as text for people: on one line if they fit, and one field a line otherwise.

use super::{Decoded, Leaf, TypeKind};
use crate::decode::hexline;
use crate::segment::quote;
use std::fmt;
use std::io::Write as _;

/// The columns of a line. Only a value without parts is longer.
const WIDTH: usize = 100;

impl Decoded<'_> {
    /// Appends the offset and the value. The fields of a value that is too wide for a line follow
    /// each other with their paths: `pose.position: [1.0, 2.0, 3.0]`.
    pub fn push_lines(&self, offset: u64, out: &mut Vec<u8>) {
        let mut digits = [0; 17];
        let length = hexline::put_offset(offset, &mut digits);
        out.extend_from_slice(&digits[..length]);
        out.extend_from_slice(b"  ");
        if let Some(Leaf::Value(value)) = self.leaf()
            && value.push_number(out)
        {
            out.push(b'\n');
            return;
        }
        let indent = length + 2;
        let mut lines = Lines { out, indent, path: String::new(), is_first: true };
        lines.value(self);
        if lines.is_first {
            lines.out.push(b'\n');
        }
    }
}

struct Lines<'a> {
    out: &'a mut Vec<u8>,
    /// The columns before a field.
    indent: usize,
    /// The path of the value that is next.
    path: String,
    /// The offset is on this line already.
    is_first: bool,
}

impl Lines<'_> {
    fn value(&mut self, value: &Decoded<'_>) {
        let start = self.out.len();
        let left = self.begin();
        let mut text = Bounded { out: self.out, left };
        let fits = fmt::write(&mut text, format_args!("{value}")).is_ok();
        if fits {
            return self.end();
        }
        self.out.truncate(start);
        let path = self.path.len();
        match value.place.ty.kind() {
            TypeKind::Array(array) if array.element.is_leaf() => self.elements(value),
            TypeKind::Array(_) => {
                for (index, element) in value.elements().enumerate() {
                    let _ = fmt::Write::write_fmt(&mut self.path, format_args!("[{index}]"));
                    self.value(&element);
                    self.path.truncate(path);
                }
            }
            TypeKind::Record(_) => {
                for index in 0..value.place.ty.child_count() {
                    let Some(child) = value.place.child(index) else { continue };
                    child.label.push(&mut self.path);
                    self.value(&Decoded { place: child.place, window: value.window });
                    self.path.truncate(path);
                }
            }
            _ => {
                self.begin();
                // Writing to a Vec cannot fail.
                let _ = write!(self.out, "{value}");
                self.end();
            }
        }
    }

    /// Writes as many elements on each line as fit.
    fn elements(&mut self, array: &Decoded<'_>) {
        let path = self.path.len();
        let mut left = None;
        for (index, element) in array.elements().enumerate() {
            let text = element.to_string();
            let length = text.chars().count() + 2;
            left = left.and_then(|left: usize| left.checked_sub(length));
            if left.is_some() {
                self.out.extend_from_slice(b", ");
            } else {
                if index > 0 {
                    self.end();
                }
                let _ = fmt::Write::write_fmt(&mut self.path, format_args!("[{index}]"));
                left = Some(self.begin().saturating_sub(length));
                self.path.truncate(path);
            }
            self.out.extend_from_slice(text.as_bytes());
        }
        self.end();
    }

    /// Starts a line with the path, and returns the columns that are left.
    fn begin(&mut self) -> usize {
        if !self.is_first {
            self.out.resize(self.out.len() + self.indent, b' ');
        }
        let path = quote(self.path.as_bytes());
        let separator = if path.is_empty() { "" } else { ": " };
        let _ = write!(self.out, "{path}{separator}");
        WIDTH.saturating_sub(self.indent + path.chars().count() + separator.len())
    }

    fn end(&mut self) {
        self.out.push(b'\n');
        self.is_first = false;
    }
}

/// Fails as soon as the text is too long.
struct Bounded<'a> {
    out: &'a mut Vec<u8>,
    left: usize,
}

impl fmt::Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.left = self.left.checked_sub(text.chars().count()).ok_or(fmt::Error)?;
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Type;

    fn lines(name: &str, bytes: &[u8]) -> String {
        let mut out = vec![];
        Type::from_name(name).unwrap().decode(bytes).push_lines(0x40, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn short_values_take_one_line() {
        assert_eq!(lines("u8", &[7]), "00000040  7\n");
        assert_eq!(lines("u8[2][2]", &[1, 2, 3, 4]), "00000040  [[1, 2], [3, 4]]\n");
        assert_eq!(lines("u8[2]", &[]), "00000040  []\n");
        let text = format!("00000040  \"{}\"\n", "x".repeat(200));
        assert_eq!(lines("char[200]", &[b'x'; 200]), text);
    }

    #[test]
    fn wide_values_take_a_line_for_each_field() {
        let bytes = [255; 300];
        let wide = lines("u8,char[4],u8[100],u8[2][60]", &bytes);
        let found: Vec<&str> = wide.lines().collect();
        assert_eq!(found[0], "00000040  [0]: 255");
        assert_eq!(found[1], r#"          [1]: "\xff\xff\xff\xff""#);
        assert!(found[2].starts_with("          [2][0]: 255, 255, ") && found[2].ends_with(", 255"));
        assert!(found[3].starts_with("          [2][16]: 255"), "{wide}");
        assert!(found.iter().any(|line| line.starts_with("          [3][1][0]: ")), "{wide}");
        assert!(found.iter().all(|line| line.len() <= 100), "{wide}");
        let count = wide.matches("255").count();
        assert_eq!(count, 1 + 100 + 120);
    }

    #[test]
    fn missing_elements_take_no_line() {
        let wide = lines("u8[2][60],u8[60]", &[255; 100]);
        assert_eq!(wide.matches("255").count(), 100, "{wide}");
    }
}
