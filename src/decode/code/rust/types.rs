//! The definitions of a type in Rust.

use super::super::identifier::Identifiers;
use super::super::model::{BitField, EnumModel, Member, Model, Part, RecordModel, Text};
use super::super::notes::note;
use super::super::place::{Aligns, Placed, Slot, padding, place};
use super::super::{is_foreign, is_integer, line, reserved};
use crate::decode::Scalar;

/// Types of which every value is valid: `bool` and `char` are not.
pub fn scalar_word(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::U8 | Scalar::Bool | Scalar::Char | Scalar::Char8 => "u8",
        Scalar::U16 | Scalar::F16 | Scalar::Char16 => "u16",
        Scalar::U32 | Scalar::Char32 => "u32",
        Scalar::U64 => "u64",
        Scalar::I8 => "i8",
        Scalar::I16 => "i16",
        Scalar::I32 => "i32",
        Scalar::F32 => "f32",
        Scalar::F64 => "f64",
        Scalar::U128 => "u128",
        Scalar::I128 => "i128",
        Scalar::F80 => "[u8; 16]",
        Scalar::Complex64 => "[f32; 2]",
        Scalar::Complex128 => "[f64; 2]",
        _ => "i64",
    }
}

fn word(model: &Model, part: &Part) -> String {
    let bytes = |size: u64| format!("[u8; {size}]");
    match part {
        Part::Array(element, count) => format!("[{}; {count}]", word(model, element)),
        Part::Scalar(scalar @ (Scalar::Complex64 | Scalar::Complex128), order)
            if is_foreign(*order, *scalar) =>
        {
            format!("[[u8; {}]; 2]", scalar.size() / 2)
        }
        Part::Scalar(scalar, order) if is_foreign(*order, *scalar) => bytes(scalar.size() as u64),
        Part::Scalar(scalar, _) => scalar_word(*scalar).to_owned(),
        Part::Text(text) if is_foreign(text.order, text.unit) => bytes(text.size()),
        Part::Text(Text { unit, units, .. }) => format!("[{}; {units}]", scalar_word(*unit)),
        Part::Bytes(size) | Part::Null(size) => bytes(*size),
        Part::Pointer { size, order, .. } if is_foreign(*order, Scalar::U64) => bytes(*size),
        Part::Pointer { size, .. } => (if *size == 4 { "u32" } else { "u64" }).to_owned(),
        Part::Enum(at) => {
            let found = &model.enums[*at];
            if !found.is_native() {
                return bytes(found.underlying.size() as u64);
            }
            found.name.text.clone()
        }
        Part::Record(at) => model.records[*at].name.text.clone(),
    }
}

fn align(model: &Model, part: &Part) -> u64 {
    let of = |scalar: Scalar, order| match scalar {
        Scalar::F80 => 1,
        _ if is_foreign(order, scalar) => 1,
        _ => scalar.align() as u64,
    };
    match part {
        Part::Scalar(scalar, order) | Part::Text(Text { unit: scalar, order, .. }) => of(*scalar, *order),
        Part::Enum(at) if is_integer(model.enums[*at].underlying) => {
            of(model.enums[*at].underlying, model.enums[*at].order)
        }
        Part::Pointer { size, order, .. } if !is_foreign(*order, Scalar::U64) => *size,
        _ => 1,
    }
}

pub fn types(model: &Model) -> String {
    let mut out = String::from(
        "#[allow(dead_code, non_camel_case_types, non_snake_case, non_upper_case_globals)]\npub mod shared {\n",
    );
    for (found, module) in model.enums.iter().zip(modules(model)) {
        if is_integer(found.underlying) {
            enumeration(&mut out, found, &module);
        }
    }
    let placed = place(model, Aligns::new(align, false));
    for (record, layout) in model.records.iter().zip(&placed) {
        definition(&mut out, model, record, layout);
    }
    if model.is_alias {
        let (name, size) = (&model.name.text, model.size_of(&model.root));
        line(&mut out, format_args!("    pub type {name} = {};", word(model, &model.root)));
        line(&mut out, format_args!("    const _: () = assert!(core::mem::size_of::<{name}>() == {size});"));
    }
    if model.records.iter().any(|record| !record.bit_fields.is_empty()) {
        out.push_str(BITS);
    }
    out.push_str("}\n");
    out
}

/// The modules of the enumerators of each enumeration.
pub fn modules(model: &Model) -> Vec<String> {
    // Modules and types share their names.
    let mut names = Identifiers::new(reserved::in_rust_types);
    names.reserve(model.records.iter().map(|record| record.name.text.clone()));
    names.reserve(model.enums.iter().map(|found| found.name.text.clone()));
    let module = |found: &EnumModel| names.take("", &format!("{}_values", found.name.text)).text;
    model.enums.iter().map(module).collect()
}

/// The type of an enumeration: enumerators of a `char` may be negative.
pub fn enum_word(found: &EnumModel) -> &'static str {
    scalar_word(if found.underlying == Scalar::Char { Scalar::I8 } else { found.underlying })
}

fn enumeration(out: &mut String, found: &EnumModel, module: &str) {
    let (name, word) = (&found.name.text, enum_word(found));
    line(out, format_args!("    pub type {name} = {word};{}", found.name.note("//")));
    if !found.enumerators.is_empty() {
        line(out, format_args!("    pub mod {module} {{"));
        for one in &found.enumerators {
            let (name, value, note) = (&one.name.text, one.value, one.name.note("//"));
            line(out, format_args!("        pub const {name}: {word} = {value};{note}"));
        }
        out.push_str("    }\n");
    }
    out.push('\n');
}

const BITS: &str = "    /// Reads the bits of a bit-field.
    fn bits(bytes: &[u8], first: usize, width: usize) -> u128 {
        (0..width).fold(0, |value, at| {
            let bit = first + at;
            value | u128::from(bytes[bit / 8] >> (bit % 8) & 1) << at
        })
    }
";

fn definition(out: &mut String, model: &Model, record: &RecordModel, layout: &Placed<'_>) {
    let name = &record.name.text;
    let representation = if layout.is_packed { "C, packed" } else { "C" };
    let kind = if record.is_union { "union" } else { "struct" };
    line(out, format_args!("    #[repr({representation})]\n    #[derive(Clone, Copy)]"));
    line(out, format_args!("    pub {kind} {name} {{{}", record.name.note("//")));
    let mut pads = 0;
    for slot in &layout.slots {
        match slot {
            Slot::Member(member) => {
                let (field, word) = (&member.name.text, word(model, &member.part));
                line(out, format_args!("        pub {field}: {word},{}", note(member, "//")));
            }
            Slot::Bytes(count) => {
                line(out, format_args!("        pub {}: [u8; {count}],", padding(&layout.names, &mut pads)));
            }
            // Bit-fields are in bytes.
            Slot::Bits(_) => {}
        }
    }
    out.push_str("    }\n");
    line(out, format_args!("    const _: () = assert!(core::mem::size_of::<{name}>() == {});", record.size));
    for Member { name: field, offset, .. } in &record.members {
        let field = &field.text;
        line(
            out,
            format_args!("    const _: () = assert!(core::mem::offset_of!({name}, {field}) == {offset});"),
        );
    }
    if !record.bit_fields.is_empty() {
        line(out, format_args!("    impl {name} {{"));
        for field in &record.bit_fields {
            accessor(out, model, record, field);
        }
        out.push_str("    }\n");
    }
    out.push('\n');
}

fn accessor(out: &mut String, model: &Model, record: &RecordModel, field: &BitField) {
    let scalar = match &field.part {
        Part::Scalar(scalar, _) => *scalar,
        Part::Enum(at) => model.enums[*at].underlying,
        _ => return,
    };
    let word = match (&field.part, scalar) {
        (Part::Enum(at), _) => enum_word(&model.enums[*at]),
        (_, scalar) if is_integer(scalar) => scalar_word(scalar),
        (_, scalar) if scalar.is_signed() => "i128",
        _ => "u128",
    };
    let (name, member) = (&field.name.text, &record.members[field.member].name.text);
    let (first, width) = (field.first, field.width);
    let bits = format!("bits(&self.{member}, {first}, {width})");
    // The bytes of a union are one of its members.
    let bits = if record.is_union { format!("(unsafe {{ {bits} }})") } else { bits };
    let unused = 128 - u32::from(width.clamp(1, 128));
    let value = if scalar.is_signed() {
        format!("(({bits} << {unused}) as i128 >> {unused}) as {word}")
    } else {
        format!("{bits} as {word}")
    };
    line(out, format_args!("        pub fn {name}(&self) -> {word} {{{}", field.name.note("//")));
    line(out, format_args!("            {value}\n        }}"));
}
