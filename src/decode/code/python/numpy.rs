//! The definitions of a type as numpy dtypes.

use super::super::literal::python_string;
use super::super::model::{Member, Model, Part, RecordModel, Text};
use super::super::notes::meaning;
use super::super::{dimensions, is_integer, line};
use super::type_name;
use crate::decode::{ByteOrder, Scalar};

/// numpy keeps sizes of records in an `int`.
const MAX_RECORD: u64 = i32::MAX as u64;
/// numpy has no larger multiples of a unit.
const MAX_MULTIPLE: u32 = i32::MAX as u32;

/// Returns true if a numpy dtype has every field.
pub fn is_numpy(model: &Model) -> bool {
    let is_part = |part: &Part| {
        let (element, counts) = dimensions(part);
        let is_known = match element {
            Part::Scalar(scalar, _) => !is_wide(*scalar),
            Part::Enum(at) => {
                let underlying = model.enums[*at].underlying;
                is_integer(underlying) && !is_wide(underlying)
            }
            Part::Text(..) | Part::Bytes(_) | Part::Null(_) => model.size_of(element) <= MAX_RECORD,
            _ => true,
        };
        is_known && counts.len() < 32
    };
    is_part(&model.root)
        && model.records.iter().all(|record| {
            !record.is_union
                && record.bit_fields.is_empty()
                && record.size <= MAX_RECORD
                && record.members.iter().all(|member| is_part(&member.part))
        })
}

/// Returns true for integers that numpy does not have.
const fn is_wide(scalar: Scalar) -> bool {
    matches!(scalar, Scalar::U128 | Scalar::I128)
}

pub const fn order_mark(order: ByteOrder) -> char {
    match order {
        ByteOrder::Little => '<',
        ByteOrder::Big => '>',
    }
}

/// The dtype of a part, and the shape that follows from it.
fn dtype(model: &Model, part: &Part) -> (String, Vec<u64>) {
    let (element, mut counts) = dimensions(part);
    let plain = |code: &str| format!("\"{code}\"");
    let scalar = |scalar: Scalar, order: ByteOrder| {
        let code = match scalar {
            Scalar::U8 => "u1",
            Scalar::I8 => "i1",
            Scalar::U16 | Scalar::Char16 => "u2",
            Scalar::I16 => "i2",
            // Not "U1": numpy fails on a number that is no character.
            Scalar::U32 | Scalar::Char32 => "u4",
            Scalar::I32 => "i4",
            Scalar::U64 => "u8",
            Scalar::F16 => "f2",
            Scalar::F32 => "f4",
            Scalar::F64 => "f8",
            Scalar::F80 => "f16",
            Scalar::Complex64 => "c8",
            Scalar::Complex128 => "c16",
            Scalar::TimeSeconds => "M8[s]",
            Scalar::TimeMillis => "M8[ms]",
            Scalar::TimeMicros => "M8[us]",
            Scalar::TimeNanos => "M8[ns]",
            Scalar::Datetime(tick) | Scalar::Timedelta(tick) if tick.multiple > MAX_MULTIPLE => "i8",
            Scalar::Datetime(tick) => &format!("M8{tick}"),
            Scalar::Timedelta(tick) => &format!("m8{tick}"),
            Scalar::Bool => return plain("?"),
            Scalar::Char | Scalar::Char8 => return plain("S1"),
            Scalar::U128 | Scalar::I128 => return plain("V16"),
            Scalar::I64 => "i8",
        };
        let mark = if scalar.size() > 1 { order_mark(order) } else { '|' };
        format!("\"{mark}{code}\"")
    };
    let text = match element {
        Part::Scalar(kind, order) => scalar(*kind, *order),
        Part::Enum(at) => {
            let found = &model.enums[*at];
            let kind = if found.underlying == Scalar::Char { Scalar::I8 } else { found.underlying };
            scalar(kind, found.order)
        }
        Part::Pointer { size, order, .. } => format!("\"{}u{size}\"", order_mark(*order)),
        Part::Text(Text { unit: Scalar::Char32, order, units, .. }) => {
            format!("\"{}U{units}\"", order_mark(*order))
        }
        Part::Text(Text { unit: Scalar::Char16, order, units, .. }) => {
            counts.push(*units);
            scalar(Scalar::Char16, *order)
        }
        Part::Text(Text { units, .. }) => format!("\"S{units}\""),
        Part::Bytes(size) | Part::Null(size) => format!("\"V{size}\""),
        Part::Record(at) => model.records[*at].name.text.clone(),
        Part::Array(..) => plain("V1"),
    };
    (text, counts)
}

fn shape(counts: &[u64]) -> String {
    match counts {
        [one] => format!("({one},)"),
        _ => format!("({})", counts.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// Names of dtypes may be any text: they stay as they were declared.
pub fn names(record: &RecordModel) -> Vec<String> {
    let mut names = std::collections::HashSet::new();
    let declared = |member: &Member| Some(&member.declared).filter(|name| !name.is_empty()).cloned();
    let all: Vec<String> = record
        .members
        .iter()
        .map(|member| declared(member).unwrap_or_else(|| member.name.text.clone()))
        .collect();
    let is_unique = all.iter().all(|name| names.insert(name));
    if is_unique { all } else { record.members.iter().map(|member| member.name.text.clone()).collect() }
}

pub fn types(model: &Model) -> String {
    let mut out = String::new();
    for record in &model.records {
        let formats: Vec<String> =
            record.members.iter().map(|member| with_shape(dtype(model, &member.part))).collect();
        let names: Vec<String> = names(record).iter().map(|name| python_string(name)).collect();
        line(&mut out, format_args!("{} = np.dtype({{{}", record.name.text, record.name.note("#")));
        line(&mut out, format_args!("    \"names\": [{}],", listed(&names, |_| String::new())));
        let notes = |at: usize| note(model, &record.members[at].part);
        line(&mut out, format_args!("    \"formats\": [{}],", listed(&formats, notes)));
        let offsets: Vec<String> = record.members.iter().map(|member| member.offset.to_string()).collect();
        line(&mut out, format_args!("    \"offsets\": [{}],", listed(&offsets, |_| String::new())));
        line(&mut out, format_args!("    \"itemsize\": {},\n}})", record.size));
    }
    if !matches!(model.root, Part::Record(_)) {
        let text = with_shape(dtype(model, &model.root));
        let note = note(model, &model.root);
        line(&mut out, format_args!("{} = np.dtype({text}){note}", type_name(model)));
    }
    out
}

fn note(model: &Model, part: &Part) -> String {
    let note = match dimensions(part).0 {
        Part::Enum(at) => Some(model.enums[*at].name.text.clone()),
        _ => meaning(part),
    };
    note.map_or_else(String::new, |note| format!("  # {note}"))
}

fn with_shape((text, counts): (String, Vec<u64>)) -> String {
    if counts.is_empty() { text } else { format!("({text}, {})", shape(&counts)) }
}

/// On one line if they are short and without notes.
fn listed(items: &[String], note: impl Fn(usize) -> String) -> String {
    let notes: Vec<String> = (0..items.len()).map(note).collect();
    let length: usize = items.iter().map(|item| item.len() + 2).sum();
    if length < 80 && notes.iter().all(String::is_empty) {
        return items.join(", ");
    }
    let mut out = String::from("\n");
    for (item, note) in items.iter().zip(notes) {
        line(&mut out, format_args!("        {item},{note}"));
    }
    out + "    "
}
