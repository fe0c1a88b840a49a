//! The definitions of a type in C++.

use super::super::model::{EnumModel, Member, Model, Part, RecordModel, Text};
use super::super::notes::note;
use super::super::place::{Aligns, Placed, Slot, padding, place};
use super::super::{dimensions, is_foreign, is_integer, line};
use crate::decode::Scalar;
use std::fmt::Write as _;

pub fn scalar_word(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::U8 => "std::uint8_t",
        Scalar::U16 | Scalar::F16 => "std::uint16_t",
        Scalar::U32 => "std::uint32_t",
        Scalar::U64 => "std::uint64_t",
        Scalar::I8 => "std::int8_t",
        Scalar::I16 => "std::int16_t",
        Scalar::I32 => "std::int32_t",
        Scalar::F32 => "float",
        Scalar::F64 => "double",
        Scalar::F80 => "long double",
        Scalar::U128 => "unsigned __int128",
        Scalar::I128 => "__int128",
        Scalar::Complex64 => "_Complex float",
        Scalar::Complex128 => "_Complex double",
        Scalar::Bool => "bool",
        Scalar::Char | Scalar::Char8 => "char",
        Scalar::Char16 => "char16_t",
        Scalar::Char32 => "char32_t",
        _ => "std::int64_t",
    }
}

/// The words before and after the name of a declaration.
fn words(model: &Model, part: &Part) -> (String, String) {
    let bytes = |size: u64| ("unsigned char".to_owned(), format!("[{size}]"));
    match part {
        Part::Array(..) => {
            let (element, counts) = dimensions(part);
            let (before, after) = words(model, element);
            let mut all = String::new();
            for count in counts {
                let _ = write!(all, "[{count}]");
            }
            (before, all + &after)
        }
        Part::Scalar(scalar, order) if is_foreign(*order, *scalar) => bytes(scalar.size() as u64),
        Part::Scalar(scalar, _) => (scalar_word(*scalar).to_owned(), String::new()),
        Part::Text(text) if is_foreign(text.order, text.unit) => bytes(text.size()),
        Part::Text(Text { unit, units, .. }) => (scalar_word(*unit).to_owned(), format!("[{units}]")),
        Part::Bytes(size) | Part::Null(size) => bytes(*size),
        Part::Pointer { size, order, .. } if is_foreign(*order, Scalar::U64) => bytes(*size),
        Part::Pointer { size: 4, .. } => ("std::uint32_t".to_owned(), String::new()),
        Part::Pointer { .. } => ("std::uintptr_t".to_owned(), String::new()),
        Part::Enum(at) => {
            let found = &model.enums[*at];
            if !found.is_native() {
                return bytes(found.underlying.size() as u64);
            }
            (found.name.text.clone(), String::new())
        }
        Part::Record(at) => (model.records[*at].name.text.clone(), String::new()),
    }
}

fn align(model: &Model, part: &Part) -> u64 {
    let of = |scalar: Scalar, order| if is_foreign(order, scalar) { 1 } else { scalar.align() as u64 };
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
    let mut out = String::from("namespace shared {\n\n");
    for found in model.enums.iter().filter(|found| is_integer(found.underlying)) {
        enumeration(&mut out, found);
    }
    let placed = place(model, Aligns::new(align, true));
    let writer = Writer { model, placed: &placed };
    for (record, layout) in model.records.iter().zip(&placed).filter(|(record, _)| !record.is_anonymous) {
        let name = &record.name.text;
        line(&mut out, format_args!("{} {name} {{{}", head(record.is_union, layout), record.name.note("//")));
        writer.body(layout, 1, &mut 0, &mut out);
        out.push_str("};\n");
        line(&mut out, format_args!("static_assert(sizeof({name}) == {}, \"size of {name}\");", record.size));
        writer.asserts(record, name, 0, &mut out);
        out.push('\n');
    }
    if model.is_alias {
        let (before, after) = words(model, &model.root);
        let (name, size) = (&model.name.text, model.size_of(&model.root));
        line(&mut out, format_args!("using {name} = {before}{after};"));
        line(&mut out, format_args!("static_assert(sizeof({name}) == {size}, \"size of {name}\");\n"));
    }
    out.push_str("} // namespace shared\n");
    out
}

fn enumeration(out: &mut String, found: &EnumModel) {
    let (name, word) = (&found.name.text, scalar_word(found.underlying));
    let keyword = if found.is_scoped { "enum class" } else { "enum" };
    line(out, format_args!("{keyword} {name} : {word} {{{}", found.name.note("//")));
    for one in &found.enumerators {
        line(out, format_args!("    {} = {},{}", one.name.text, literal(one.value), one.name.note("//")));
    }
    out.push_str("};\n\n");
}

fn head(is_union: bool, layout: &Placed<'_>) -> String {
    let word = if is_union { "union" } else { "struct" };
    match (layout.is_packed, layout.written_align) {
        (false, None) => word.to_owned(),
        (false, Some(align)) => format!("{word} alignas({align})"),
        (true, None) => format!("{word} __attribute__((packed))"),
        (true, Some(align)) => format!("{word} __attribute__((packed, aligned({align})))"),
    }
}

struct Writer<'a> {
    model: &'a Model,
    placed: &'a [Placed<'a>],
}

impl Writer<'_> {
    /// Writes the members. Those of anonymous records share the numbers of padding with them.
    fn body(&self, layout: &Placed<'_>, depth: usize, pads: &mut u32, out: &mut String) {
        let indent = "    ".repeat(depth);
        for slot in &layout.slots {
            match slot {
                Slot::Bytes(count) => {
                    let name = padding(&layout.names, pads);
                    line(out, format_args!("{indent}unsigned char {name}[{count}];"));
                }
                Slot::Bits(count) => line(out, format_args!("{indent}unsigned char : {count};")),
                Slot::Member(member) => self.member(member, &indent, depth, pads, out),
            }
        }
    }

    fn member(&self, member: &Member, indent: &str, depth: usize, pads: &mut u32, out: &mut String) {
        if let Part::Record(at) = member.part
            && self.model.records[at].is_anonymous
        {
            let (record, layout) = (&self.model.records[at], &self.placed[at]);
            line(out, format_args!("{indent}{} {{", head(record.is_union, layout)));
            self.body(layout, depth + 1, pads, out);
            line(out, format_args!("{indent}}};"));
            return;
        }
        let (before, after) = words(self.model, &member.part);
        let bits = member.bits.map_or_else(String::new, |bits| format!(" : {}", bits.width));
        let name = &member.name.text;
        line(out, format_args!("{indent}{before} {name}{after}{bits};{}", note(member, "//")));
    }

    /// Asserts the offsets of all members that are not bit-fields.
    fn asserts(&self, record: &RecordModel, name: &str, base: u64, out: &mut String) {
        for member in &record.members {
            let offset = base + member.offset;
            match member.part {
                Part::Record(at) if self.model.records[at].is_anonymous => {
                    self.asserts(&self.model.records[at], name, offset, out);
                }
                _ if member.bits.is_some() => {}
                _ => {
                    let field = &member.name.text;
                    line(
                        out,
                        format_args!(
                            "static_assert(offsetof({name}, {field}) == {offset}, \"offset of {field}\");"
                        ),
                    );
                }
            }
        }
    }
}

/// `-9223372036854775808` is no literal of C++, nor are numbers of 128 bits.
fn literal(value: i128) -> String {
    match (i64::try_from(value), u64::try_from(value)) {
        (Ok(i64::MIN), _) => "-9223372036854775807 - 1".to_owned(),
        (Ok(value), _) => value.to_string(),
        (_, Ok(value)) => format!("{value}u"),
        _ => {
            let (high, low) = (value.cast_unsigned() >> 64, value.cast_unsigned() & u128::from(u64::MAX));
            format!("static_cast<__int128>(static_cast<unsigned __int128>({high:#x}) << 64 | {low:#x})")
        }
    }
}
