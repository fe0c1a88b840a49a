//! A type as the definitions that code needs: records and enumerations with identifiers, each after
//! those that it uses. Fields of a struct do not overlap any more, and those of a union start at 0.

use super::CodeError;
use super::identifier::{Identifier, Identifiers, IsReserved};
use crate::decode::{Bits, ByteOrder, Enum, Record, RecordKind, Scalar, StringForm, Type, TypeKind};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// The most fields of all records of a type.
const MAX_FIELDS: usize = 1 << 17;

/// The definitions of a type.
#[derive(Debug)]
pub struct Model {
    pub records: Vec<RecordModel>,
    pub enums: Vec<EnumModel>,
    pub root: Part,
    /// The name of the type itself.
    pub name: Identifier,
}

/// A type, by the number of its definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Scalar(Scalar, ByteOrder),
    Enum(usize),
    Pointer {
        target: String,
        size: u64,
        order: ByteOrder,
    },
    /// Text of so many units.
    Text(Scalar, ByteOrder, u64),
    Bytes(u64),
    Array(Box<Self>, u64),
    Record(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumModel {
    pub name: Identifier,
    pub underlying: Scalar,
    pub order: ByteOrder,
    pub enumerators: Vec<(Identifier, i128)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordModel {
    pub name: Identifier,
    pub is_union: bool,
    /// Its fields are fields of the record that contains it.
    pub is_anonymous: bool,
    pub size: u64,
    pub align: u64,
    pub members: Vec<Member>,
    /// Bit-fields that are read from the bytes of a member.
    pub bit_fields: Vec<BitField>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub name: Identifier,
    /// As declared; empty for an anonymous one.
    pub declared: String,
    pub part: Part,
    pub offset: u64,
    /// The bytes that it takes.
    pub size: u64,
    pub bits: Option<Bits>,
}

/// A bit-field in a language that has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BitField {
    pub name: Identifier,
    pub part: Part,
    /// The member that holds its bytes, and its first bit there.
    pub member: usize,
    pub first: u64,
    pub width: u8,
}

/// The parts of a language that matter here.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// Names that no field may have.
    pub is_reserved: IsReserved,
    /// Names that no type and no enumerator may have.
    pub is_taken: IsReserved,
    pub has_bit_fields: bool,
    /// The members of anonymous records are in the scope of the record around them.
    pub has_anonymous: bool,
}

impl Model {
    pub fn new(ty: &Type, dialect: Dialect) -> Result<Self, CodeError> {
        if ty.size() == 0 {
            return Err(CodeError::NoBytes);
        }
        let mut builder = Builder {
            dialect,
            records: vec![],
            enums: vec![],
            by_record: HashMap::new(),
            by_enum: HashMap::new(),
            by_name: HashMap::new(),
            types: vec![],
            fields: 0,
            members: Identifiers::new(dialect.is_reserved),
        };
        let root = builder.part(ty, "")?;
        // Types have other names than fields: `Mode Mode;` would change the meaning of `Mode`.
        let mut names = Identifiers::new(dialect.is_taken);
        names.reserve(builder.members.used());
        let own = match root {
            Part::Record(_) | Part::Enum(_) => None,
            _ => Some(names.take("", "Data")),
        };
        let mut given = vec![None; builder.types.len()];
        // Types that have a name keep it.
        for is_named in [true, false] {
            for ((name, hint), given) in builder.types.iter().zip(&mut given) {
                if name.is_empty() != is_named {
                    *given = Some(names.take(name, if hint.is_empty() { "Data" } else { hint }));
                }
            }
        }
        let given: Vec<Identifier> = given.into_iter().flatten().collect();
        for record in &mut builder.records {
            record.name = given[index(&record.name)].clone();
        }
        for found in &mut builder.enums {
            found.name = given[index(&found.name)].clone();
        }
        let name = match root {
            Part::Record(at) => builder.records[at].name.clone(),
            Part::Enum(at) => builder.enums[at].name.clone(),
            _ => own.ok_or(CodeError::NoBytes)?,
        };
        Ok(Self { records: builder.records, enums: builder.enums, root, name })
    }

    pub fn size_of(&self, part: &Part) -> u64 {
        match part {
            Part::Scalar(scalar, _) => scalar.size() as u64,
            Part::Enum(at) => self.enums[*at].underlying.size() as u64,
            Part::Pointer { size, .. } | Part::Bytes(size) => *size,
            Part::Text(scalar, _, units) => scalar.size() as u64 * units,
            Part::Array(element, count) => self.size_of(element).saturating_mul(*count),
            Part::Record(at) => self.records[*at].size,
        }
    }
}

/// The number of a type, while it has no name.
fn index(name: &Identifier) -> usize {
    name.text.parse().unwrap_or_default()
}

impl RecordModel {
    /// Returns true if they differ in their names at most.
    fn is_like(&self, other: &Self) -> bool {
        (self.is_union, self.is_anonymous, self.size, self.align)
            == (other.is_union, other.is_anonymous, other.size, other.align)
            && self.members == other.members
            && self.bit_fields == other.bit_fields
    }
}

struct Builder {
    dialect: Dialect,
    records: Vec<RecordModel>,
    enums: Vec<EnumModel>,
    by_record: HashMap<(*const Record, u64, u64), usize>,
    by_enum: HashMap<*const Enum, usize>,
    /// The enumerations, or the records, with a name.
    by_name: HashMap<String, Vec<usize>>,
    /// The names of types as declared, and another one if they have none.
    types: Vec<(String, String)>,
    fields: usize,
    /// All names of members, of all records.
    members: Identifiers,
}

/// A field before it has an identifier.
#[derive(Clone)]
struct Raw {
    name: String,
    fallback: String,
    part: Part,
    offset: u64,
    size: u64,
    bits: Option<Bits>,
}

impl Raw {
    const fn bit_range(&self) -> Range<u64> {
        let start = self.offset.saturating_mul(8);
        if let Some(bits) = self.bits {
            let start = start.saturating_add(bits.start as u64);
            return start..start.saturating_add(bits.width as u64);
        }
        start..start.saturating_add(self.size.saturating_mul(8))
    }

    const fn end(&self) -> u64 {
        self.offset.saturating_add(self.size)
    }
}

impl Builder {
    fn part(&mut self, ty: &Type, hint: &str) -> Result<Part, CodeError> {
        Ok(match ty.kind() {
            TypeKind::Scalar(scalar, order) => Part::Scalar(*scalar, *order),
            TypeKind::Enum(found) => self.enumeration(found, hint),
            TypeKind::Pointer(pointer) => {
                Part::Pointer { target: pointer.target.to_string(), size: ty.size(), order: pointer.order }
            }
            TypeKind::Text(scalar, order) => Part::Text(*scalar, *order, ty.size() / scalar.size() as u64),
            TypeKind::Array(array) if array.stride == array.element.size() => {
                Part::Array(Box::new(self.part(&array.element, hint)?), array.count)
            }
            TypeKind::Array(array) if array.stride > array.element.size() && array.element.size() > 0 => {
                let size = array.element.size();
                let part = self.part(&array.element, hint)?;
                let raw = Raw {
                    name: "value".to_owned(),
                    fallback: String::new(),
                    part,
                    offset: 0,
                    size,
                    bits: None,
                };
                let align = if array.stride % ty.align() == 0 { ty.align() } else { 1 };
                let record =
                    self.define("", &format!("{hint}_item"), false, false, array.stride, align, vec![raw])?;
                Part::Array(Box::new(Part::Record(record)), array.count)
            }
            // Elements that overlap have no other form.
            TypeKind::Bytes | TypeKind::Null | TypeKind::String(StringForm::Pascal) | TypeKind::Array(_) => {
                Part::Bytes(ty.size())
            }
            TypeKind::String(StringForm::Stripped | StringForm::Bytes | StringForm::Whole) => {
                Part::Text(Scalar::Char, ByteOrder::native(), ty.size())
            }
            TypeKind::String(StringForm::Utf32(order)) => Part::Text(Scalar::Char32, *order, ty.size() / 4),
            TypeKind::Record(record) => Part::Record(self.record(ty, record, hint, false)?),
        })
    }

    fn enumeration(&mut self, found: &Enum, hint: &str) -> Part {
        if let Some(&known) = self.by_enum.get(&std::ptr::from_ref(found)) {
            return Part::Enum(known);
        }
        let mut names = Identifiers::new(self.dialect.is_taken);
        let enumerators = found
            .enumerators()
            .iter()
            .take(MAX_FIELDS)
            .filter(|one| fits(one.value, found.underlying()))
            .map(|one| (names.take(&one.name, "VALUE"), one.value))
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
            self.enums.push(EnumModel { name, underlying, order, enumerators });
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
        self.collect(record, 0, prefix, &mut raws)?;
        let is_union = record.kind() == RecordKind::Union;
        let at = self.define(record.name(), hint, is_union, is_anonymous, ty.size(), ty.align(), raws)?;
        if !is_anonymous {
            self.by_record.insert(key, at);
        }
        Ok(at)
    }

    /// Lists the fields of a record. Those of base classes and anonymous structs become its own.
    fn collect(
        &mut self,
        record: &Record,
        base: u64,
        prefix: &str,
        raws: &mut Vec<Raw>,
    ) -> Result<(), CodeError> {
        for (at, field) in record.fields().iter().enumerate() {
            self.fields += 1;
            if self.fields > MAX_FIELDS {
                return Err(CodeError::TooManyFields);
            }
            let offset = base.saturating_add(field.offset);
            let is_hidden = field.is_base || field.name.is_empty() && !record.kind().is_row();
            let is_unnamed = field.name.is_empty();
            let fallback = if record.kind().is_row() { format!("f{at}") } else { format!("anonymous_{at}") };
            let is_union = |kind| kind == RecordKind::Union;
            let part = match field.ty.kind() {
                TypeKind::Record(inner)
                    if is_hidden && !is_union(inner.kind()) && !is_union(record.kind()) =>
                {
                    self.collect(inner, offset, prefix, raws)?;
                    continue;
                }
                _ if field.length() == 0 => continue,
                TypeKind::Record(inner)
                    if is_hidden && !inner.kind().is_row() && self.dialect.has_anonymous =>
                {
                    Part::Record(self.record(&field.ty, inner, &joined(prefix, &fallback), true)?)
                }
                _ => {
                    self.part(&field.ty, &joined(prefix, if is_unnamed { &fallback } else { &field.name }))?
                }
            };
            let (name, bits) = (field.name.to_string(), field.bits);
            raws.push(Raw { name, fallback, part, offset, size: field.length(), bits });
        }
        Ok(())
    }

    /// Defines a record, or finds an equal one.
    #[expect(clippy::too_many_arguments, reason = "they are the parts of a record")]
    fn define(
        &mut self,
        name: &str,
        hint: &str,
        is_union: bool,
        is_anonymous: bool,
        size: u64,
        align: u64,
        mut raws: Vec<Raw>,
    ) -> Result<usize, CodeError> {
        if is_union {
            raws = raws.into_iter().map(|raw| self.at_start(raw, hint)).collect::<Result<_, _>>()?;
        } else {
            raws.sort_by_key(|raw| (raw.bit_range().start, raw.bit_range().end));
            raws = self.without_overlaps(raws, hint)?;
        }
        let mut record = RecordModel {
            name: Identifier { text: String::new(), original: None },
            is_union,
            is_anonymous,
            size,
            align,
            members: Vec::with_capacity(raws.len()),
            bit_fields: vec![],
        };
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

    /// Gives the members of a record their identifiers.
    fn name_members(&mut self, record: &mut RecordModel, raws: Vec<Raw>) {
        let mut names = Identifiers::new(self.dialect.is_reserved);
        // Names in anonymous records are in the scope of this one. Those that are there already make
        // the record a member with a name.
        let mut scope = HashSet::new();
        for raw in &raws {
            if let Part::Record(at) = raw.part
                && self.records[at].is_anonymous
            {
                let inner = self.scope(&self.records[at]);
                if inner.iter().any(|name| scope.contains(name)) {
                    self.records[at].is_anonymous = false;
                } else {
                    scope.extend(inner);
                }
            }
        }
        names.reserve(scope);
        let mut open: Option<Range<u64>> = None;
        for raw in raws {
            let name = names.take(&raw.name, &raw.fallback);
            let Some(bits) = raw.bits.filter(|_| !self.dialect.has_bit_fields) else {
                let Raw { name: declared, part, offset, size, bits, .. } = raw;
                record.members.push(Member { name, declared, part, offset, size, bits });
                continue;
            };
            // Adjacent bit-fields share a member for their bytes.
            if record.is_union || open.as_ref().is_none_or(|open| open.end <= raw.offset) {
                let storage = names.take("", &format!("bits_{}", raw.offset));
                record.members.push(Member {
                    name: storage,
                    declared: String::new(),
                    part: Part::Bytes(raw.size),
                    offset: raw.offset,
                    size: raw.size,
                    bits: None,
                });
                open = Some(raw.offset..raw.end());
            } else if let (Some(open), Some(last)) = (&mut open, record.members.last_mut())
                && open.end < raw.end()
            {
                open.end = raw.end();
                last.size = open.end - open.start;
                last.part = Part::Bytes(last.size);
            }
            let member = record.members.len() - 1;
            let first = (raw.offset - record.members[member].offset) * 8 + u64::from(bits.start);
            record.bit_fields.push(BitField { name, part: raw.part, member, first, width: bits.width });
        }
        self.members.reserve(names.used());
    }

    /// The names of a record's members and of those in anonymous records of it.
    fn scope(&self, record: &RecordModel) -> Vec<String> {
        let mut names: Vec<String> = vec![];
        for member in &record.members {
            names.push(member.name.text.clone());
            if let Part::Record(at) = member.part
                && self.records[at].is_anonymous
            {
                names.extend(self.scope(&self.records[at]));
            }
        }
        names.extend(record.bit_fields.iter().map(|field| field.name.text.clone()));
        names
    }

    /// Wraps a member of a union that does not start with the union.
    fn at_start(&mut self, raw: Raw, hint: &str) -> Result<Raw, CodeError> {
        if raw.offset == 0 && raw.bits.is_none_or(|bits| bits.start == 0) {
            return Ok(raw);
        }
        let size = raw.end();
        let fallback = format!("part_{}", raw.offset);
        let is_anonymous = self.dialect.has_anonymous;
        let record = self.define("", &joined(hint, &fallback), false, is_anonymous, size, 1, vec![raw])?;
        Ok(Raw { name: String::new(), fallback, part: Part::Record(record), offset: 0, size, bits: None })
    }

    /// Puts fields that overlap into a union.
    fn without_overlaps(&mut self, raws: Vec<Raw>, hint: &str) -> Result<Vec<Raw>, CodeError> {
        let mut out = vec![];
        let mut rest = raws.into_iter().peekable();
        while let Some(first) = rest.next() {
            let (start, mut end) = (first.offset, first.end());
            let mut last_bit = first.bit_range().end;
            let mut overlap = false;
            let mut run = vec![first];
            while let Some(next) = rest.next_if(|next| next.offset < end) {
                overlap |= next.bit_range().start < last_bit;
                last_bit = last_bit.max(next.bit_range().end);
                end = end.max(next.end());
                run.push(next);
            }
            if !overlap {
                out.extend(run);
                continue;
            }
            for raw in &mut run {
                raw.offset -= start;
            }
            let fallback = format!("overlap_{start}");
            let is_anonymous = self.dialect.has_anonymous;
            let size = end - start;
            let record = self.define("", &joined(hint, &fallback), true, is_anonymous, size, 1, run)?;
            let part = Part::Record(record);
            out.push(Raw { name: String::new(), fallback, part, offset: start, size, bits: None });
        }
        Ok(out)
    }
}

fn joined(prefix: &str, name: &str) -> String {
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
