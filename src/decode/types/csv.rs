//! Values as fields of CSV. A segment may have a hundred million: nothing is allocated for numbers.

use super::{Decoded, Leaf, Place, Type, Window};
use crate::segment::quote;
use std::io::Write as _;

impl Decoded<'_> {
    /// Appends the values of all leaves as fields of a record, each after a comma. Missing values are
    /// empty.
    pub fn push_csv(&self, out: &mut Vec<u8>) {
        push_leaves(self.place, self.window, out);
    }
}

fn push_leaves(place: Place<'_>, window: Window<'_>, out: &mut Vec<u8>) {
    if place.ty.is_leaf() {
        out.push(b',');
        match Leaf::read(place, window) {
            Some(Leaf::Value(value)) if value.push_number(out) => {}
            Some(Leaf::Text(text) | Leaf::ByteText(text)) => push_csv_text(&text, out),
            Some(leaf) => push_csv_text(&leaf.to_string(), out),
            None => {}
        }
    } else if place.ty.leaf_count() > 0 {
        for child in place.children() {
            push_leaves(child.place, window, out);
        }
    }
}

/// Appends a field in quotes if a reader of CSV needs them.
fn push_csv_text(text: &str, out: &mut Vec<u8>) {
    if text.contains([',', '"', '\r', '\n']) {
        // Writing to a Vec cannot fail.
        let _ = write!(out, "\"{}\"", text.replace('"', "\"\""));
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

impl Type {
    /// Appends the names of the columns of [`Decoded::push_csv`], each after a comma: the paths of the
    /// leaves, or `value` for a type without parts.
    pub fn push_csv_header(&self, out: &mut Vec<u8>) {
        let mut leaves = self.leaves();
        while leaves.next().is_some() {
            let path = leaves.path_text();
            out.push(b',');
            let path = if path.is_empty() { "value".to_owned() } else { quote(path.as_bytes()) };
            push_csv_text(&path, out);
        }
    }
}

/// The fields as a reader of CSV gets them.
#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &[u8]) -> Vec<String> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text);
        // A type without leaves has no columns.
        let record = reader.records().next().map(Result::unwrap).unwrap_or_default();
        record.iter().skip(1).map(str::to_owned).collect()
    }

    impl Type {
        pub(in crate::decode) fn csv_header(&self) -> Vec<String> {
            let mut header = vec![];
            self.push_csv_header(&mut header);
            fields(&header)
        }
    }

    impl Decoded<'_> {
        pub(in crate::decode) fn csv_record(&self) -> Vec<String> {
            let mut record = vec![];
            self.push_csv(&mut record);
            fields(&record)
        }
    }

    #[test]
    fn texts_are_quoted_if_a_reader_needs_it() {
        let ty = Type::from_name("char[8],char[8],u8,char").unwrap();
        let mut record = vec![];
        ty.decode(b"a,\"b\0\0\0\0plain\0\0\0\x07,").push_csv(&mut record);
        assert_eq!(String::from_utf8(record).unwrap(), ",\"a,\"\"b\",plain,7,\"','\"");
        assert_eq!(ty.decode(b"a,\"b\0\0\0\0plain\0\0\0\x07,").csv_record(), ["a,\"b", "plain", "7", "','"]);
    }
}
