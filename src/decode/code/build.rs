//! Builds the definitions of a type.

use super::CodeError;
use super::identifier::{Identifier, Identifiers};
use super::model::{Dialect, EnumModel, EnumeratorModel, Part, RecordModel, Text, TextEnd};
use super::raw::{Raw, Shape};
use crate::decode::{ByteOrder, Enum, Label, Record, RecordKind, Scalar, StringForm, Type, TypeKind};
use std::collections::{HashMap, HashSet};

/// The most fields of all records of a type.
const MAX_FIELDS: usize = 1 << 17;

/// The definitions so far. Their names are numbers in `types`, until all are known.
pub struct Builder {
    pub dialect: Dialect,
    pub records: Vec<RecordModel>,
    pub enums: Vec<EnumModel>,
    by_record: HashMap<(*const Record, u64, u64), usize>,
    by_enum: HashMap<*const Enum, usize>,
    /// The enumerations, or the records, with a name.
    by_name: HashMap<String, Vec<usize>>,
    /// The names of types as declared, and another one if they have none.
    types: Vec<(String, String)>,
    fields: usize,
    /// All names of members, of all records.
    pub members: Identifiers,
}

impl Builder {
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            records: vec![],
            enums: vec![],
            by_record: HashMap::new(),
            by_enum: HashMap::new(),
            by_name: HashMap::new(),
            types: vec![],
            fields: 0,
            members: Identifiers::new(dialect.in_fields),
        }
    }

    /// Gives the types their names, and returns them.
    pub fn finish(mut self, names: &mut Identifiers) -> (Vec<RecordModel>, Vec<EnumModel>) {
        let mut given = vec![None; self.types.len()];
        // Types that have a name keep it.
        for is_named in [true, false] {
            for ((name, hint), given) in self.types.iter().zip(&mut given) {
                if name.is_empty() != is_named {
                    *given = Some(names.take(name, if hint.is_empty() { "Data" } else { hint }));
                }
            }
        }
        let given: Vec<Identifier> = given.into_iter().flatten().collect();
        for record in &mut self.records {
            record.name = given[index(&record.name)].clone();
        }
        let mut outer: HashSet<String> = given.iter().map(|name| name.text.clone()).collect();
        for found in &mut self.enums {
            found.name = given[index(&found.name)].clone();
            // Enumerators stay in the scope around the enumeration if their names are unique there.
            let own = || found.enumerators.iter().map(|one| &one.name.text);
            found.is_scoped |= own().any(|name| outer.contains(name));
            if !found.is_scoped {
                outer.extend(own().cloned());
            }
        }
        (self.records, self.enums)
    }

    pub fn part(&mut self, ty: &Type, hint: &str) -> Result<Part, CodeError> {
        let text = |unit: Scalar, order, end| {
            Part::Text(Text { unit, order, units: ty.size() / unit.size() as u64, end })
        };
        let native = ByteOrder::native();
        Ok(match ty.kind() {
            TypeKind::Scalar(scalar, order) => Part::Scalar(*scalar, *order),
            TypeKind::Enum(found) => self.enumeration(found, hint),
            TypeKind::Pointer(pointer) => {
                Part::Pointer { target: pointer.target.to_string(), size: ty.size(), order: pointer.order }
            }
            TypeKind::Array(array) if array.stride == array.element.size() => {
                Part::Array(Box::new(self.part(&array.element, hint)?), array.count)
            }
            TypeKind::Array(array) if array.stride > array.element.size() && array.element.size() > 0 => {
                let part = self.part(&array.element, hint)?;
                let raw = Raw { name: "value".to_owned(), ..Raw::new(part, array.element.size()) };
                let align = if array.stride % ty.align() == 0 { ty.align() } else { 1 };
                let shape = Shape { align, ..Shape::hidden(array.stride) };
                let record = self.define("", &format!("{hint}_item"), shape, vec![raw])?;
                Part::Array(Box::new(Part::Record(record)), array.count)
            }
            TypeKind::Null => Part::Null(ty.size()),
            // Elements that overlap have no other form.
            TypeKind::Bytes | TypeKind::Array(_) => Part::Bytes(ty.size()),
            TypeKind::Text(scalar, order) => text(*scalar, *order, TextEnd::Nul),
            TypeKind::String(StringForm::Stripped | StringForm::Bytes) => {
                text(Scalar::Char, native, TextEnd::Stripped)
            }
            TypeKind::String(StringForm::Whole) => text(Scalar::Char, native, TextEnd::Whole),
            TypeKind::String(StringForm::Pascal) => text(Scalar::Char, native, TextEnd::Counted),
            TypeKind::String(StringForm::Utf32(order)) => text(Scalar::Char32, *order, TextEnd::Stripped),
            TypeKind::Record(record) => Part::Record(self.record(ty, record, hint, false)?),
        })
    }

    fn enumeration(&mut self, found: &Enum, hint: &str) -> Part {
        if let Some(&known) = self.by_enum.get(&std::ptr::from_ref(found)) {
            return Part::Enum(known);
        }
        let mut names = Identifiers::new(self.dialect.in_enums);
        let enumerators = found
            .enumerators()
            .iter()
            .take(MAX_FIELDS)
            .filter(|one| fits(one.value, found.underlying()))
            .map(|one| EnumeratorModel {
                name: names.take(&one.name, "VALUE"),
                declared: one.name.to_string(),
                value: one.value,
            })
            .collect();
        let (underlying, order) = (found.underlying(), found.order());
        let known = self.by_name.get(found.name()).filter(|_| !found.name().is_empty());
        let same = |at: &&usize| {
            let known = self.enums.get(**at);
            known.is_some_and(|known| {
                known.enumerators == enumerators && (known.underlying, known.order) == (underlying, order)
            })
        };
        let at = if let Some(&at) = known.and_then(|known| known.iter().find(same)) {
            at
        } else {
            let name = self.name_type(found.name(), hint);
            let (is_scoped, is_flags) = (found.is_scoped(), found.is_flags());
            self.enums.push(EnumModel { name, underlying, order, is_scoped, is_flags, enumerators });
            self.by_name.entry(found.name().to_owned()).or_default().push(self.enums.len() - 1);
            self.enums.len() - 1
        };
        self.by_enum.insert(std::ptr::from_ref(found), at);
        Part::Enum(at)
    }

    fn name_type(&mut self, name: &str, hint: &str) -> Identifier {
        self.types.push((name.to_owned(), hint.to_owned()));
        Identifier { text: (self.types.len() - 1).to_string(), original: None }
    }

    fn record(
        &mut self,
        ty: &Type,
        record: &Record,
        hint: &str,
        is_anonymous: bool,
    ) -> Result<usize, CodeError> {
        let key = (std::ptr::from_ref(record), ty.size(), ty.align());
        if !is_anonymous && let Some(&known) = self.by_record.get(&key) {
            return Ok(known);
        }
        let mut raws = vec![];
        let prefix = if record.name().is_empty() { hint } else { record.name() };
        self.collect(record, &Prefix { offset: 0, name: prefix, label: "" }, &mut raws)?;
        let is_union = record.kind() == RecordKind::Union;
        let shape = Shape { is_union, is_anonymous, size: ty.size(), align: ty.align() };
        let at = self.define(record.name(), hint, shape, raws)?;
        if !is_anonymous {
            self.by_record.insert(key, at);
        }
        Ok(at)
    }

    /// Lists the fields of a record. Those of base classes and anonymous structs become its own.
    fn collect(
        &mut self,
        record: &Record,
        prefix: &Prefix<'_>,
        raws: &mut Vec<Raw>,
    ) -> Result<(), CodeError> {
        for (at, field) in record.fields().iter().enumerate() {
            self.fields += 1;
            if self.fields > MAX_FIELDS {
                return Err(CodeError::TooManyFields);
            }
            let is_row = record.kind().is_row();
            let offset = prefix.offset.saturating_add(field.offset);
            let mut label = prefix.label.to_owned();
            (if is_row { Label::Index(at as u64) } else { Label::Field(field) }).push(&mut label);
            let is_hidden = field.is_base || field.name.is_empty() && !is_row;
            let fallback = if is_row { format!("f{at}") } else { format!("anonymous_{at}") };
            let is_union = |kind| kind == RecordKind::Union;
            let hint = |name: &str| joined(prefix.name, if field.name.is_empty() { &fallback } else { name });
            let part = match field.ty.kind() {
                TypeKind::Record(inner)
                    if is_hidden && !is_union(inner.kind()) && !is_union(record.kind()) =>
                {
                    self.collect(inner, &Prefix { offset, name: prefix.name, label: &label }, raws)?;
                    continue;
                }
                _ if field.length() == 0 => continue,
                TypeKind::Record(inner)
                    if is_hidden && !inner.kind().is_row() && self.dialect.has_anonymous =>
                {
                    Part::Record(self.record(&field.ty, inner, &joined(prefix.name, &fallback), true)?)
                }
                _ => self.part(&field.ty, &hint(&field.name))?,
            };
            let (name, bits) = (field.name.to_string(), field.bits);
            raws.push(Raw { name, fallback, label, part, offset, size: field.length(), bits });
        }
        Ok(())
    }

    /// Defines a record, or finds an equal one.
    pub fn define(
        &mut self,
        name: &str,
        hint: &str,
        shape: Shape,
        mut raws: Vec<Raw>,
    ) -> Result<usize, CodeError> {
        if shape.is_union {
            raws = raws.into_iter().map(|raw| self.at_start(raw, hint)).collect::<Result<_, _>>()?;
        } else {
            raws.sort_by_key(|raw| (raw.bit_range().start, raw.bit_range().end));
            raws = self.without_overlaps(raws, hint)?;
        }
        let mut record = shape.record();
        self.name_members(&mut record, raws);
        let known = self.by_name.get(name).filter(|_| !name.is_empty());
        let same = |at: &&usize| self.records.get(**at).is_some_and(|known| known.is_like(&record));
        if let Some(&at) = known.and_then(|known| known.iter().find(same)) {
            return Ok(at);
        }
        record.name = self.name_type(name, hint);
        self.records.push(record);
        let at = self.records.len() - 1;
        self.by_name.entry(name.to_owned()).or_default().push(at);
        Ok(at)
    }
}

/// The record around a field, and the place of the field in it.
struct Prefix<'a> {
    offset: u64,
    name: &'a str,
    label: &'a str,
}

/// The number of a type, while it has no name.
fn index(name: &Identifier) -> usize {
    name.text.parse().unwrap_or_default()
}

pub fn joined(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}_{name}") }
}

/// Returns true if the underlying type of an enumeration has the value.
fn fits(value: i128, scalar: Scalar) -> bool {
    let bits = 8 * u32::try_from(scalar.size()).unwrap_or(16);
    match scalar {
        Scalar::Bool => (0..=1).contains(&value),
        _ if bits >= 128 => true,
        _ if scalar.is_signed() => (-(1_i128 << (bits - 1))..1_i128 << (bits - 1)).contains(&value),
        _ => (0..1_i128 << bits).contains(&value),
    }
}
