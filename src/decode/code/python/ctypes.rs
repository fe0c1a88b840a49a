//! The definitions of a type as classes of `ctypes`.

use super::super::model::{BitField, Member, Model, Part, RecordModel, Text};
use super::super::notes::note;
use super::super::place::{Aligns, Slot, padding, place};
use super::super::{dimensions, is_foreign, line};
use super::type_name;
use crate::decode::{ByteOrder, Scalar};
use std::fmt::Write as _;

fn ctype_of_leaf(part: &Part) -> String {
    let swapped = |name: &str, order: ByteOrder| match order {
        _ if order == ByteOrder::native() => format!("ctypes.{name}"),
        ByteOrder::Big => format!("ctypes.{name}.__ctype_be__"),
        ByteOrder::Little => format!("ctypes.{name}.__ctype_le__"),
    };
    let bytes = |size: u64| format!("ctypes.c_uint8 * {size}");
    let scalar = |kind: Scalar, order: ByteOrder| match kind {
        Scalar::U8 => "ctypes.c_uint8".to_owned(),
        Scalar::I8 => "ctypes.c_int8".to_owned(),
        Scalar::U16 | Scalar::F16 | Scalar::Char16 => swapped("c_uint16", order),
        Scalar::I16 => swapped("c_int16", order),
        // Not c_wchar: it fails on a number that is no character.
        Scalar::U32 | Scalar::Char32 => swapped("c_uint32", order),
        Scalar::I32 => swapped("c_int32", order),
        Scalar::U64 => swapped("c_uint64", order),
        Scalar::F32 => swapped("c_float", order),
        Scalar::F64 => swapped("c_double", order),
        Scalar::F80 if is_foreign(order, kind) => bytes(16),
        Scalar::F80 => "ctypes.c_longdouble".to_owned(),
        Scalar::U128 | Scalar::I128 => bytes(16),
        Scalar::Complex64 => swapped("c_float", order) + " * 2",
        Scalar::Complex128 => swapped("c_double", order) + " * 2",
        Scalar::Bool => "ctypes.c_bool".to_owned(),
        Scalar::Char | Scalar::Char8 => "ctypes.c_char".to_owned(),
        _ => swapped("c_int64", order),
    };
    match part {
        Part::Scalar(kind, order) => scalar(*kind, *order),
        Part::Pointer { size: 4, order, .. } => swapped("c_uint32", *order),
        Part::Pointer { order, .. } => swapped("c_uint64", *order),
        Part::Text(Text { unit, order, units, .. }) => format!("{} * {units}", scalar(*unit, *order)),
        Part::Bytes(size) | Part::Null(size) => bytes(*size),
        Part::Enum(_) | Part::Array(..) | Part::Record(_) => String::new(),
    }
}

fn ctype(model: &Model, part: &Part) -> String {
    match part {
        Part::Array(element, count) => format!("{} * {count}", ctype(model, element)),
        Part::Record(at) => model.records[*at].name.text.clone(),
        Part::Enum(at) => {
            let found = &model.enums[*at];
            let kind = if found.underlying == Scalar::Char { Scalar::I8 } else { found.underlying };
            ctype_of_leaf(&Part::Scalar(kind, found.order))
        }
        _ => ctype_of_leaf(part),
    }
}

fn align(model: &Model, part: &Part) -> u64 {
    let of = |scalar: Scalar, order: ByteOrder| match scalar {
        Scalar::U128 | Scalar::I128 => 1,
        Scalar::F80 if is_foreign(order, scalar) => 1,
        _ => scalar.align() as u64,
    };
    match part {
        Part::Scalar(scalar, order) | Part::Text(Text { unit: scalar, order, .. }) => of(*scalar, *order),
        Part::Enum(at) => of(model.enums[*at].underlying, model.enums[*at].order),
        Part::Pointer { size, .. } => *size,
        _ => 1,
    }
}

pub fn types(model: &Model) -> String {
    let mut out = String::new();
    if model.records.iter().any(|record| !record.bit_fields.is_empty()) {
        out.push_str(BITS);
    }
    for (record, layout) in model.records.iter().zip(place(model, Aligns::new(align, false))) {
        let base = if record.is_union { "Union" } else { "Structure" };
        line(&mut out, format_args!("\nclass {}(ctypes.{base}):{}", record.name.text, record.name.note("#")));
        if layout.is_packed {
            out.push_str("    _pack_ = 1\n    _layout_ = \"ms\"\n");
        }
        let mut anonymous = String::new();
        for member in record.members.iter().filter(|member| model.is_anonymous(&member.part)) {
            let _ = write!(anonymous, "\"{}\", ", member.name.text);
        }
        if !anonymous.is_empty() {
            line(&mut out, format_args!("    _anonymous_ = ({})", anonymous.trim_end()));
        }
        out.push_str("    _fields_ = [\n");
        let mut pads = 0;
        for slot in &layout.slots {
            match slot {
                Slot::Member(member) => {
                    let (name, word) = (&member.name.text, ctype(model, &member.part));
                    line(
                        &mut out,
                        format_args!("        (\"{name}\", {word}),{}", member_note(model, member)),
                    );
                }
                Slot::Bytes(count) => {
                    let name = padding(&layout.names, &mut pads);
                    line(&mut out, format_args!("        (\"{name}\", ctypes.c_uint8 * {count}),"));
                }
                Slot::Bits(_) => {}
            }
        }
        out.push_str("    ]\n");
        for field in &record.bit_fields {
            out.push_str(&bit_field(model, record, field));
        }
        line(&mut out, format_args!("\n\nassert ctypes.sizeof({}) == {}", record.name.text, record.size));
        for member in &record.members {
            let (record, field, offset) = (&record.name.text, &member.name.text, member.offset);
            line(&mut out, format_args!("assert {record}.{field}.offset == {offset}"));
        }
        out.push('\n');
    }
    if !matches!(model.root, Part::Record(_)) {
        let (name, size) = (type_name(model), model.size_of(&model.root));
        line(&mut out, format_args!("{name} = {}", ctype(model, &model.root)));
        line(&mut out, format_args!("assert ctypes.sizeof({name}) == {size}"));
    }
    out
}

fn member_note(model: &Model, member: &Member) -> String {
    match dimensions(&member.part).0 {
        Part::Enum(at) => format!("  # {}", model.enums[*at].name.text),
        _ => note(member, "#"),
    }
}

const BITS: &str = r#"
def _bits(member, first, width, is_signed):
    def get(self):
        value = int.from_bytes(bytes(getattr(self, member)), "little") >> first & (1 << width) - 1
        return value - (1 << width) if is_signed and value >> (width - 1) else value

    return property(get)

"#;

fn bit_field(model: &Model, record: &RecordModel, field: &BitField) -> String {
    let is_signed = match &field.part {
        Part::Scalar(scalar, _) => scalar.is_signed(),
        Part::Enum(at) => model.enums[*at].underlying.is_signed(),
        _ => false,
    };
    let signed = if is_signed { "True" } else { "False" };
    let (name, member) = (&field.name.text, &record.members[field.member].name.text);
    let mut out = String::new();
    line(
        &mut out,
        format_args!(
            "    {name} = _bits(\"{member}\", {}, {}, {signed}){}",
            field.first,
            field.width,
            field.name.note("#")
        ),
    );
    out
}
