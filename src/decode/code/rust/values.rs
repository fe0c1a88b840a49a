//! Shows the values of a type in Rust.

use super::super::literal::{rust_format, rust_string};
use super::super::model::{Model, Part, Text, TextEnd};
use super::super::path::{Leaf, Shown, Step};
use super::super::scalars::time_call;
use super::super::{is_foreign, is_integer, line};
use super::types::{enum_word, modules, scalar_word};
use crate::decode::{ByteOrder, Scalar};
use crate::segment::escape;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Returns the functions that show the first values, and the names of those that they call.
pub fn show(model: &Model) -> (String, BTreeSet<&'static str>) {
    let shown = Shown::of(model);
    let mut writer = Writer { model, calls: BTreeSet::new(), enums: BTreeSet::new() };
    let mut body = String::new();
    for leaf in &shown.leaves {
        let label = rust_format(&leaf.label);
        let (format, value) = writer.value(leaf);
        line(&mut body, format_args!("        println!({label} = {format}\", {value});"));
    }
    let mut out = String::new();
    if body.contains("get!(") {
        out.push_str(GET);
    }
    for at in writer.enums.clone() {
        writer.enumeration(at, &mut out);
    }
    let is_read = body.contains("(*data)");
    if is_read {
        body = format!(
            "    // Other processes may write while you read: no reference, but a copy of each value.\n    unsafe {{\n{body}    }}\n"
        );
    }
    if let Some(rest) = shown.rest() {
        line(&mut body, format_args!("    println!({}\");", rust_format(&rest)));
    }
    let parameter = if is_read { "data" } else { "_" };
    let _ = write!(out, "fn show({parameter}: *const shared::{}) {{\n{body}}}\n", model.name.text);
    (out, writer.calls)
}

const GET: &str = "\
macro_rules! get {
    ($place:expr) => {
        std::ptr::addr_of!($place).read_unaligned()
    };
}

";

struct Writer<'a> {
    model: &'a Model,
    calls: BTreeSet<&'static str>,
    /// Those with a function.
    enums: BTreeSet<usize>,
}

impl Writer<'_> {
    fn call(&mut self, function: &'static str, arguments: &str) -> String {
        self.calls.insert(function);
        format!("{function}({arguments})")
    }

    /// The format of a value, and the expression for it.
    fn value(&mut self, leaf: &Leaf<'_>) -> (&'static str, String) {
        let place = place(leaf);
        let format = if matches!(leaf.part, Part::Pointer { .. }) { "{:#x}" } else { "{}" };
        let value = match leaf.part {
            Part::Scalar(scalar, order) => self.scalar(leaf, *scalar, *order),
            Part::Enum(at) => self.enum_value(*at, leaf),
            Part::Pointer { size, order, .. } => {
                let scalar = if *size == 4 { Scalar::U32 } else { Scalar::U64 };
                self.number(leaf, scalar_word(scalar), *order, scalar)
            }
            Part::Text(text) => self.text(*text, &place),
            Part::Null(_) => "\"null\"".to_owned(),
            Part::Bytes(_) | Part::Array(..) | Part::Record(_) => {
                let bytes = self.bytes(&place);
                self.call("show_bytes", &bytes)
            }
        };
        (format, value)
    }

    /// The number at a place in native byte order.
    fn number(&mut self, leaf: &Leaf<'_>, word: &str, order: ByteOrder, scalar: Scalar) -> String {
        let place = place(leaf);
        if let Some((record, field)) = place.rsplit_once('#') {
            let record = format!("std::ptr::addr_of!({record})");
            return format!("{}[0].{field}()", self.call("copied", &record));
        }
        if is_foreign(order, scalar) {
            return format!("{word}::from_{}_bytes(get!({place}))", order.word());
        }
        format!("get!({place})")
    }

    fn scalar(&mut self, leaf: &Leaf<'_>, scalar: Scalar, order: ByteOrder) -> String {
        let word = scalar_word(scalar);
        match scalar {
            Scalar::Complex64 | Scalar::Complex128 => {
                let place = place(leaf);
                let word = if scalar == Scalar::Complex64 { "f32" } else { "f64" };
                let mut part = |at| {
                    let part = format!("get!({place}[{at}])");
                    let is_foreign = is_foreign(order, scalar);
                    let from = format!("{word}::from_{}_bytes({part})", order.word());
                    self.call("show_real", if is_foreign { &from } else { &part })
                };
                let parts = format!("{}, {}", part(0), part(1));
                self.call("show_complex", &parts)
            }
            Scalar::F80 => {
                let bits = format!("u128::from_{}_bytes(get!({}))", order.word(), place(leaf));
                self.call("show_long_double", &bits)
            }
            _ => {
                let value = self.number(leaf, word, order, scalar);
                match scalar {
                    Scalar::F32 | Scalar::F64 => self.call("show_real", &value),
                    Scalar::F16 => self.call("show_half", &value),
                    Scalar::Bool => self.call("show_truth", &value),
                    Scalar::Char | Scalar::Char8 => self.call("show_character", &value),
                    Scalar::Char16 => self.call("show_wide_character", &format!("{value}.into()")),
                    Scalar::Char32 => self.call("show_wide_character", &value),
                    _ => match time_call(scalar, rust_string) {
                        Some((function, rest)) => {
                            let number = if leaf.is_bit_field() { " as i64" } else { "" };
                            self.call(function, &format!("{value}{number}, {rest}"))
                        }
                        None => value,
                    },
                }
            }
        }
    }

    fn bytes(&mut self, place: &str) -> String {
        format!("&{}", self.call("bytes_of", &format!("std::ptr::addr_of!({place})")))
    }

    fn text(&mut self, text: Text, place: &str) -> String {
        let bytes = self.bytes(place);
        if text.unit.size() > 1 {
            let is_big = text.order == ByteOrder::Big;
            let function =
                if text.end == TextEnd::Stripped { "show_stripped_text" } else { "show_wide_text" };
            return self.call(function, &format!("{bytes}, {}, {is_big}", text.unit.size()));
        }
        let part = match text.end {
            TextEnd::Nul => self.call("up_to_nul", &bytes),
            TextEnd::Stripped => self.call("stripped", &bytes),
            TextEnd::Whole => bytes,
            TextEnd::Counted => self.call("counted", &bytes),
        };
        self.call("show_text", &part)
    }

    fn enum_value(&mut self, at: usize, leaf: &Leaf<'_>) -> String {
        let found = &self.model.enums[at];
        if !is_integer(found.underlying) {
            let bytes = self.bytes(&place(leaf));
            return self.call("show_bytes", &bytes);
        }
        let value = self.number(leaf, enum_word(found), found.order, found.underlying);
        if found.enumerators.is_empty() {
            return self.unnamed(found.underlying, &value);
        }
        self.enums.insert(at);
        format!("show_enum_{at}({value})")
    }

    /// Shows a value of an enumeration that has no name.
    fn unnamed(&mut self, underlying: Scalar, value: &str) -> String {
        match underlying {
            Scalar::Bool => self.call("show_truth", value),
            Scalar::Char => self.call("show_character", &format!("{value} as u8")),
            Scalar::Char16 | Scalar::Char32 => self.call("show_wide_character", &format!("{value}.into()")),
            _ => format!("{value}.to_string()"),
        }
    }

    /// Writes the function that shows the values of an enumeration by name.
    fn enumeration(&mut self, at: usize, out: &mut String) {
        let found = &self.model.enums[at];
        let module = &modules(self.model)[at];
        line(out, format_args!("fn show_enum_{at}(value: shared::{}) -> String {{", found.name.text));
        out.push_str("    let names = [\n");
        for one in found.distinct() {
            let shown = rust_string(&escape(one.declared.as_bytes()));
            line(out, format_args!("        (shared::{module}::{}, {shown}),", one.name.text));
        }
        out.push_str("    ];\n");
        let number = self.unnamed(found.underlying, "value");
        let function = if found.is_flags { "show_flags" } else { "show_name" };
        let name = self.call(function, &format!("&names, value, {number}"));
        line(out, format_args!("    {name}\n}}\n"));
    }
}

/// The expression for a value in `data`. The bit-field of a record follows `#`.
fn place(leaf: &Leaf<'_>) -> String {
    let mut place = String::from("(*data)");
    for step in &leaf.steps {
        match step {
            Step::Index(index) => drop(write!(place, "[{index}]")),
            Step::Member(record, at) => drop(write!(place, ".{}", record.members[*at].name.text)),
            Step::BitField(record, at) => drop(write!(place, "#{}", record.bit_fields[*at].name.text)),
        }
    }
    place
}
