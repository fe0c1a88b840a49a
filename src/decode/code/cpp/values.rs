//! Shows the values of a type in C++.

use super::super::literal::cpp_string;
use super::super::model::{Model, Part, Text, TextEnd};
use super::super::path::{Leaf, Shown, Step};
use super::super::scalars::time_call;
use super::super::{is_foreign, is_integer, line};
use super::types::scalar_word;
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
        let (function, value) = writer.call(leaf);
        writer.calls.insert(function);
        let path = cpp_string(leaf.label.as_bytes());
        let value = if value.is_empty() { value } else { format!(", {value}") };
        line(&mut body, format_args!("    {function}({path}{value});"));
    }
    if let Some(rest) = shown.rest() {
        line(&mut body, format_args!("    std::puts({});", cpp_string(rest.as_bytes())));
    }
    let mut out = String::new();
    for at in writer.enums.clone() {
        writer.enumeration(at, &mut out);
    }
    let parameter = if body.contains("data") { "data" } else { "" };
    let _ = write!(out, "static void show(const shared::{} *{parameter}) {{\n{body}}}\n", model.name.text);
    (out, writer.calls)
}

struct Writer<'a> {
    model: &'a Model,
    calls: BTreeSet<&'static str>,
    /// Those with a function.
    enums: BTreeSet<usize>,
}

impl Writer<'_> {
    fn needs(&mut self, function: &'static str) -> &'static str {
        self.calls.insert(function);
        function
    }

    /// The function that shows a value, and its arguments.
    fn call(&mut self, leaf: &Leaf<'_>) -> (&'static str, String) {
        let place = place(self.model, leaf);
        match leaf.part {
            Part::Scalar(scalar, order) => self.scalar(leaf, *scalar, *order),
            Part::Enum(at) => self.enum_value(*at, &place),
            Part::Pointer { size, order, .. } => {
                let word = scalar_word(if *size == 4 { Scalar::U32 } else { Scalar::U64 });
                ("show_address", self.value(&place, word, is_foreign(*order, Scalar::U64)))
            }
            Part::Text(text) => self.text(*text, &place),
            Part::Null(_) => ("show_name", "\"null\"".to_owned()),
            Part::Bytes(_) | Part::Array(..) | Part::Record(_) => {
                ("show_bytes", format!("&{place}, sizeof {place}"))
            }
        }
    }

    fn value(&mut self, place: &str, word: &str, is_foreign: bool) -> String {
        if is_foreign { format!("{}<{word}>(&{place})", self.needs("swapped")) } else { place.to_owned() }
    }

    fn scalar(&mut self, leaf: &Leaf<'_>, scalar: Scalar, order: ByteOrder) -> (&'static str, String) {
        let place = place(self.model, leaf);
        let is_foreign = is_foreign(order, scalar);
        let value = self.value(&place, scalar_word(scalar), is_foreign);
        match scalar {
            Scalar::U128 | Scalar::I128 => ("show_wide_integer", value),
            Scalar::F32 | Scalar::F64 => ("show_real", value),
            Scalar::F80 => ("show_real", format!("static_cast<double>({value})")),
            Scalar::F16 => ("show_half", value),
            Scalar::Complex64 | Scalar::Complex128 if is_foreign => {
                let (word, half) = if scalar == Scalar::Complex64 { ("float", 4) } else { ("double", 8) };
                let part = |at| format!("swapped<{word}>(&({place})[{at}])");
                ("show_complex", format!("{}, {}", part(0), part(half)))
            }
            Scalar::Complex64 | Scalar::Complex128 => {
                ("show_complex", format!("__real__ {place}, __imag__ {place}"))
            }
            Scalar::Bool if leaf.is_bit_field() => ("show_truth", place),
            Scalar::Bool => ("show_truth", format!("{}(&{place})", self.needs("byte_of"))),
            Scalar::Char | Scalar::Char8 => ("show_character", value),
            Scalar::Char16 | Scalar::Char32 => ("show_wide_character", value),
            _ => match time_call(scalar, |text| cpp_string(text.as_bytes())) {
                Some((function, rest)) => (function, format!("{value}, {rest}")),
                None => ("show_integer", value),
            },
        }
    }

    fn text(&mut self, text: Text, place: &str) -> (&'static str, String) {
        let size = format!("sizeof {place}");
        if text.unit.size() > 1 {
            let is_big = text.order == ByteOrder::Big;
            let keeps_nul = text.end == TextEnd::Stripped;
            let unit = text.unit.size();
            return ("show_wide_text", format!("&{place}, {size}, {unit}, {is_big}, {keeps_nul}"));
        }
        let arguments = match text.end {
            TextEnd::Nul => format!("{place}, strnlen({place}, {size})"),
            TextEnd::Stripped => format!("{place}, {}({place}, {size})", self.needs("stripped")),
            TextEnd::Whole => format!("{place}, {size}"),
            TextEnd::Counted => format!("{place} + 1, {}({place}, {size})", self.needs("counted")),
        };
        ("show_text", arguments)
    }

    fn enum_value(&mut self, at: usize, place: &str) -> (&'static str, String) {
        let found = &self.model.enums[at];
        let is_foreign = is_foreign(found.order, found.underlying);
        let word = scalar_word(found.underlying);
        if !is_integer(found.underlying) {
            return ("show_bytes", format!("&{place}, sizeof {place}"));
        }
        self.enums.insert(at);
        let value = self.value(place, word, is_foreign);
        let name = &found.name.text;
        ("show_enum", if is_foreign { format!("static_cast<shared::{name}>({value})") } else { value })
    }

    /// Writes the function that shows the values of an enumeration by name.
    fn enumeration(&mut self, at: usize, out: &mut String) {
        let found = &self.model.enums[at];
        let name = &found.name.text;
        let number = match found.underlying {
            Scalar::Bool => self.needs("show_truth"),
            Scalar::Char => self.needs("show_character"),
            Scalar::Char16 | Scalar::Char32 => self.needs("show_wide_character"),
            Scalar::U128 | Scalar::I128 => self.needs("show_wide_integer"),
            _ => self.needs("show_integer"),
        };
        let word = scalar_word(found.underlying);
        let number = format!("{number}(path, static_cast<{word}>(value))");
        line(out, format_args!("static void show_enum(const char *path, shared::{name} value) {{"));
        if found.enumerators.is_empty() {
            line(out, format_args!("    {number};\n}}\n"));
            return;
        }
        let names = found.distinct().into_iter().map(|one| {
            let shown = cpp_string(escape(one.declared.as_bytes()).as_bytes());
            (format!("shared::{name}::{}", one.name.text), shown)
        });
        if found.is_flags {
            line(out, format_args!("    static const Flag<shared::{name}> flags[] = {{"));
            for (enumerator, shown) in names {
                line(out, format_args!("        {{{enumerator}, {shown}}},"));
            }
            let function = self.needs("show_flags");
            let call = format!("{function}(path, value, flags)");
            line(out, format_args!("    }};\n    if (!{call}) {{\n        {number};\n    }}\n}}\n"));
            return;
        }
        self.needs("show_name");
        out.push_str("    switch (value) {\n");
        for (enumerator, shown) in names {
            line(out, format_args!("    case {enumerator}:\n        return show_name(path, {shown});"));
        }
        line(out, format_args!("    default:\n        return {number};\n    }}\n}}\n"));
    }
}

/// The expression for a value in `data`.
fn place(model: &Model, leaf: &Leaf<'_>) -> String {
    let mut text = String::from("(*data)");
    for step in &leaf.steps {
        match step {
            Step::Index(index) => drop(write!(text, "[{index}]")),
            Step::Member(record, at) if model.is_anonymous(&record.members[*at].part) => {}
            Step::Member(record, at) => {
                let _ = write!(text, ".{}", record.members[*at].name.text);
            }
            Step::BitField(record, at) => drop(write!(text, ".{}", record.bit_fields[*at].name.text)),
        }
    }
    match text.strip_prefix("(*data).") {
        Some(rest) => format!("data->{rest}"),
        None => text,
    }
}
