//! The fields that differ between two layouts of a type.

use crate::decode::{Type, TypeKind};
use crate::segment::escape;

/// Fields that are named.
const MAX_FIELDS: usize = 3;

/// Describes how the second layout differs: `48 and 40 bytes; 'x' at 8 and 16`.
pub fn text(one: &Type, other: &Type) -> String {
    let mut parts = vec![];
    if one.size() != other.size() {
        parts.push(format!("{} and {} bytes", one.size(), other.size()));
    }
    if let (TypeKind::Record(one), TypeKind::Record(other)) = (one.kind(), other.kind()) {
        let named = |field: &&crate::decode::Field| !field.name.is_empty();
        for field in one.fields().iter().filter(named) {
            let name = escape(field.name.as_bytes());
            match other.fields().iter().find(|same| same.name == field.name) {
                None => parts.push(format!("'{name}' is only in the first")),
                Some(same) if same.offset != field.offset => {
                    parts.push(format!("'{name}' at {} and {}", field.offset, same.offset));
                }
                Some(same) if same.ty != field.ty => {
                    parts.push(format!("'{name}' is {} and {}", field.ty, same.ty));
                }
                Some(_) => {}
            }
        }
        for field in other.fields().iter().filter(named) {
            if !one.fields().iter().any(|same| same.name == field.name) {
                parts.push(format!("'{}' is only in the second", escape(field.name.as_bytes())));
            }
        }
    }
    if parts.is_empty() {
        return format!("{one} and {other}");
    }
    let more = parts.len().saturating_sub(MAX_FIELDS + 1);
    parts.truncate(MAX_FIELDS + 1);
    if more > 0 {
        parts.push(format!("{more} more"));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::parse_type;

    #[test]
    fn differing_fields_are_named() {
        let parse = |text: &str| parse_type(text, &|_| Err(String::new())).unwrap().ty;
        let one = parse("struct S { int a; double b; short c; }");
        for (other, expected) in [
            ("struct S { int a; float b; short c; }", "24 and 12 bytes; 'b' at 8 and 4; 'c' at 16 and 8"),
            ("struct S { float a; double b; short c; }", "'a' is i32 and f32"),
            ("struct S { int a; double b; short d; }", "'c' is only in the first; 'd' is only in the second"),
        ] {
            assert_eq!(text(&one, &parse(other)), expected);
        }
    }
}
