//! Shows the values of a type in Python.

use super::super::literal::python_string;
use super::super::model::{EnumModel, Model, Part, Text, TextEnd};
use super::super::path::{Leaf, Shown, Step};
use super::super::scalars::time_call;
use super::super::{is_foreign, line};
use super::{is_defined, numpy};
use crate::decode::{ByteOrder, Scalar};
use crate::segment::escape;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The code that prints the first values.
pub struct Show {
    /// The functions for enumerations.
    pub definitions: String,
    pub statements: String,
    /// The functions that these call.
    pub calls: BTreeSet<&'static str>,
}

impl Show {
    pub fn of(model: &Model, is_numpy: bool) -> Self {
        let shown = Shown::of(model);
        let mut writer = Writer { model, is_numpy, calls: BTreeSet::new(), enums: BTreeSet::new() };
        let mut statements = String::new();
        for leaf in &shown.leaves {
            let label = python_string(&format!("{} =", leaf.label));
            let value = writer.value(leaf);
            line(&mut statements, format_args!("print({label}, {value})"));
        }
        if let Some(rest) = shown.rest() {
            line(&mut statements, format_args!("print({})", python_string(&rest)));
        }
        let definitions = writer.enums.clone().into_iter().map(|at| writer.names(at)).collect();
        Self { definitions, statements, calls: writer.calls }
    }

    /// Returns true if it names anything in characters other than ASCII.
    pub fn is_wide(&self) -> bool {
        self.definitions.contains("\\U") || self.statements.contains("\\U")
    }
}

struct Writer<'a> {
    model: &'a Model,
    is_numpy: bool,
    calls: BTreeSet<&'static str>,
    /// Those with a table of names.
    enums: BTreeSet<usize>,
}

/// The bytes of a leaf of so many bytes, in a copy of the type.
fn slice(leaf: &Leaf<'_>, size: u64) -> String {
    format!("raw[{}:{}]", leaf.offset, leaf.offset + size)
}

const fn order_word(order: ByteOrder) -> &'static str {
    match order {
        ByteOrder::Little => "\"little\"",
        ByteOrder::Big => "\"big\"",
    }
}

impl Writer<'_> {
    fn call(&mut self, function: &'static str, arguments: &str) -> String {
        self.calls.insert(function);
        format!("{function}({arguments})")
    }

    fn value(&mut self, leaf: &Leaf<'_>) -> String {
        match leaf.part {
            Part::Scalar(scalar, order) => self.scalar(leaf, *scalar, *order),
            Part::Enum(at) => self.enum_value(*at, leaf),
            Part::Pointer { size, order, .. } => {
                let scalar = if *size == 4 { Scalar::U32 } else { Scalar::U64 };
                format!("hex({})", self.number(leaf, scalar, *order))
            }
            Part::Text(text) => self.text(*text, leaf),
            Part::Null(_) => "\"null\"".to_owned(),
            Part::Bytes(_) | Part::Array(..) | Part::Record(_) => {
                let bytes = self.bytes(leaf);
                self.call("show_bytes", &bytes)
            }
        }
    }

    /// The bytes of a leaf. Those of numpy are taken before it makes a value of them, which can fail.
    fn bytes(&self, leaf: &Leaf<'_>) -> String {
        if self.is_numpy {
            format!("{}.tobytes()", numpy_place(leaf, true))
        } else {
            slice(leaf, self.model.size_of(leaf.part))
        }
    }

    /// The only byte of a leaf, or a bit-field.
    fn byte(&self, leaf: &Leaf<'_>) -> String {
        if leaf.is_bit_field() {
            ctypes_place(leaf)
        } else if self.is_numpy {
            format!("{}[0]", self.bytes(leaf))
        } else {
            format!("raw[{}]", leaf.offset)
        }
    }

    /// The expression for a number as Python has it.
    fn number(&self, leaf: &Leaf<'_>, scalar: Scalar, order: ByteOrder) -> String {
        if self.is_numpy {
            numpy_place(leaf, false)
        } else if !leaf.is_bit_field() && (is_foreign(order, scalar) || scalar.size() == 16) {
            let is_signed = scalar.is_signed() || time_call(scalar, python_string).is_some();
            let signed = if is_signed { ", signed=True" } else { "" };
            format!("int.from_bytes({}, {}{signed})", slice(leaf, scalar.size() as u64), order_word(order))
        } else {
            ctypes_place(leaf)
        }
    }

    fn scalar(&mut self, leaf: &Leaf<'_>, scalar: Scalar, order: ByteOrder) -> String {
        match scalar {
            Scalar::F16 | Scalar::F32 | Scalar::F64 | Scalar::F80 => self.real(leaf, scalar, order),
            Scalar::Complex64 | Scalar::Complex128 => {
                let part = if scalar == Scalar::Complex64 { Scalar::F32 } else { Scalar::F64 };
                let mut show = |name: &str, at: u64| {
                    if self.is_numpy {
                        let value = format!("{}.{name}", numpy_place(leaf, false));
                        return self.call("show_real", &value);
                    }
                    let half = Leaf {
                        steps: leaf.steps.clone(),
                        part: leaf.part,
                        label: String::new(),
                        offset: leaf.offset + at * part.size() as u64,
                    };
                    self.unpacked(&half, part, order)
                };
                let parts = format!("{}, {}", show("real", 0), show("imag", 1));
                self.call("show_complex", &parts)
            }
            Scalar::Bool => {
                let byte = self.byte(leaf);
                self.call("show_truth", &byte)
            }
            Scalar::Char | Scalar::Char8 => {
                let byte = self.byte(leaf);
                self.call("show_character", &byte)
            }
            _ => {
                let value = self.number(leaf, scalar, order);
                match time_call(scalar, python_string) {
                    Some((function, rest)) => {
                        let value =
                            if self.is_numpy { format!("int({value}.astype(\"i8\"))") } else { value };
                        self.call(function, &format!("{value}, {rest}"))
                    }
                    None if matches!(scalar, Scalar::Char16 | Scalar::Char32) => {
                        let value = if self.is_numpy { format!("int({value})") } else { value };
                        self.call("show_wide_character", &value)
                    }
                    None => value,
                }
            }
        }
    }

    fn real(&mut self, leaf: &Leaf<'_>, scalar: Scalar, order: ByteOrder) -> String {
        if scalar == Scalar::F80 {
            let bytes = self.bytes(leaf);
            return self.call("show_long_double", &format!("{bytes}, {}", order_word(order)));
        }
        if self.is_numpy {
            let value = numpy_place(leaf, false);
            return self.call("show_real", &value);
        }
        if scalar == Scalar::F16 || is_foreign(order, scalar) {
            return self.unpacked(leaf, scalar, order);
        }
        let value = ctypes_place(leaf);
        if scalar == Scalar::F32 {
            self.call("show_short", &format!("{value}, \"f\""))
        } else {
            self.call("show_real", &value)
        }
    }

    /// Shows a float that is read from its bytes.
    fn unpacked(&mut self, leaf: &Leaf<'_>, scalar: Scalar, order: ByteOrder) -> String {
        let code = match scalar {
            Scalar::F16 => 'e',
            Scalar::F32 => 'f',
            _ => 'd',
        };
        let mark = numpy::order_mark(order);
        let value = format!("struct.unpack(\"{mark}{code}\", {})[0]", slice(leaf, scalar.size() as u64));
        if scalar == Scalar::F64 {
            self.call("show_real", &value)
        } else {
            self.call("show_short", &format!("{value}, \"{code}\""))
        }
    }

    fn text(&mut self, text: Text, leaf: &Leaf<'_>) -> String {
        let bytes = self.bytes(leaf);
        if text.unit.size() > 1 {
            let function =
                if text.end == TextEnd::Stripped { "show_stripped_text" } else { "show_wide_text" };
            return self
                .call(function, &format!("{bytes}, {}, {}", text.unit.size(), order_word(text.order)));
        }
        let part = match text.end {
            TextEnd::Nul => format!("{bytes}.partition(b\"\\0\")[0]"),
            TextEnd::Stripped => format!("{bytes}.rstrip(b\"\\0\")"),
            TextEnd::Whole => bytes,
            TextEnd::Counted => self.call("counted", &bytes),
        };
        self.call("show_text", &part)
    }

    fn enum_value(&mut self, at: usize, leaf: &Leaf<'_>) -> String {
        let found = &self.model.enums[at];
        let value = self.number(leaf, found.underlying, found.order);
        let value = if self.is_numpy { format!("int({value})") } else { value };
        if !is_defined(found) {
            return self.unnamed(found, &value);
        }
        self.enums.insert(at);
        format!("show_enum_{at}({value})")
    }

    /// Shows a value of an enumeration that has no name.
    fn unnamed(&mut self, found: &EnumModel, value: &str) -> String {
        match found.underlying {
            Scalar::Bool => self.call("show_truth", value),
            Scalar::Char => self.call("show_character", value),
            Scalar::Char16 | Scalar::Char32 => self.call("show_wide_character", value),
            _ => value.to_owned(),
        }
    }

    /// The function that shows the values of an enumeration by name.
    fn names(&mut self, at: usize) -> String {
        let found = &self.model.enums[at];
        let class = &found.name.text;
        let mut out = format!("\ndef show_enum_{at}(value):\n");
        if found.enumerators.iter().all(|one| one.name.original.is_none()) {
            line(&mut out, format_args!("    names = {{one: one.name for one in {class}}}"));
        } else {
            out.push_str("    names = {\n");
            for one in found.distinct() {
                let shown = python_string(&escape(one.declared.as_bytes()));
                line(&mut out, format_args!("        {class}.{}: {shown},", one.name.text));
            }
            out.push_str("    }\n");
        }
        let number = self.unnamed(found, "value");
        let name = if found.is_flags {
            self.call("show_flags", &format!("names, value, {number}"))
        } else {
            format!("names.get(value, {number})")
        };
        line(&mut out, format_args!("    return {name}\n\n"));
        out
    }
}

/// The expression for a value in an array of numpy: `data["points"]["x"][3]`. As an array of no
/// dimensions, it is not converted to a value of Python.
fn numpy_place(leaf: &Leaf<'_>, is_array: bool) -> String {
    let (mut names, mut indexes) = (String::from("data"), vec![]);
    for step in &leaf.steps {
        match step {
            Step::Index(index) => indexes.push(index.to_string()),
            Step::Member(record, at) => {
                let _ = write!(names, "[{}]", python_string(&numpy::names(record)[*at]));
            }
            Step::BitField(..) => {}
        }
    }
    if is_array && !indexes.is_empty() {
        indexes.push("...".to_owned());
    }
    if indexes.is_empty() { names } else { format!("{names}[{}]", indexes.join(", ")) }
}

fn ctypes_place(leaf: &Leaf<'_>) -> String {
    let mut text = String::from("data");
    for step in &leaf.steps {
        match step {
            Step::Index(index) => drop(write!(text, "[{index}]")),
            Step::Member(record, at) => drop(write!(text, ".{}", record.members[*at].name.text)),
            Step::BitField(record, at) => drop(write!(text, ".{}", record.bit_fields[*at].name.text)),
        }
    }
    if leaf.steps.is_empty() { format!("{text}.value") } else { text }
}
