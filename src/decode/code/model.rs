//! A type as the definitions that code needs: records and enumerations with identifiers, each after
//! those that it uses. Fields of a struct do not overlap any more, and those of a union start at 0.

use super::CodeError;
use super::build::Builder;
use super::identifier::{Identifier, Identifiers, IsReserved};
use super::{is_foreign, is_integer};
use crate::decode::{Bits, ByteOrder, Scalar, Type};

/// The definitions of a type.
#[derive(Debug)]
pub struct Model {
    pub records: Vec<RecordModel>,
    pub enums: Vec<EnumModel>,
    pub root: Part,
    /// The name of the type itself.
    pub name: Identifier,
    /// The type is not one of the records and enumerations.
    pub is_alias: bool,
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
    Text(Text),
    Bytes(u64),
    /// Python's None, in so many bytes.
    Null(u64),
    Array(Box<Self>, u64),
    Record(usize),
}

/// A text of a fixed size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    pub unit: Scalar,
    pub order: ByteOrder,
    pub units: u64,
    pub end: TextEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextEnd {
    /// The first NUL.
    Nul,
    /// The NULs at the end are no part of it.
    Stripped,
    /// All bytes are part of it.
    Whole,
    /// The first byte is its length.
    Counted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumModel {
    pub name: Identifier,
    pub underlying: Scalar,
    pub order: ByteOrder,
    /// Its enumerators are in the scope of the enumeration, not in the one around it.
    pub is_scoped: bool,
    /// Values without a name are shown as the names of their bits.
    pub is_flags: bool,
    pub enumerators: Vec<EnumeratorModel>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumeratorModel {
    pub name: Identifier,
    pub declared: String,
    pub value: i128,
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
    /// The number of values in it.
    pub leaves: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub name: Identifier,
    /// As declared; empty for an anonymous one.
    pub declared: String,
    /// Its part of the path to a value, as shmlens writes it.
    pub label: String,
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
    pub label: String,
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
    pub in_fields: IsReserved,
    /// Names that no type may have.
    pub in_types: IsReserved,
    /// Names that no enumerator may have.
    pub in_enums: IsReserved,
    pub has_bit_fields: bool,
    /// The members of anonymous records are in the scope of the record around them.
    pub has_anonymous: bool,
}

impl Model {
    pub fn new(ty: &Type, dialect: Dialect) -> Result<Self, CodeError> {
        if ty.size() == 0 {
            return Err(CodeError::NoBytes);
        }
        let mut builder = Builder::new(dialect);
        let root = builder.part(ty, "")?;
        // Types have other names than fields: `Mode Mode;` would change the meaning of `Mode`.
        let mut names = Identifiers::new(dialect.in_types);
        names.reserve(builder.member_names());
        let is_alias = match root {
            Part::Record(_) => false,
            Part::Enum(at) => !builder.enums[at].is_native(),
            _ => true,
        };
        let own = is_alias.then(|| names.take("", "Data"));
        let (records, enums) = builder.finish(&mut names);
        let name = match (own, &root) {
            (Some(own), _) => own,
            (None, Part::Record(at)) => records[*at].name.clone(),
            (None, Part::Enum(at)) => enums[*at].name.clone(),
            (None, _) => return Err(CodeError::NoBytes),
        };
        Ok(Self { records, enums, root, name, is_alias })
    }

    pub fn size_of(&self, part: &Part) -> u64 {
        match part {
            Part::Scalar(scalar, _) => scalar.size() as u64,
            Part::Enum(at) => self.enums[*at].underlying.size() as u64,
            Part::Pointer { size, .. } | Part::Bytes(size) | Part::Null(size) => *size,
            Part::Text(text) => text.size(),
            Part::Array(element, count) => self.size_of(element).saturating_mul(*count),
            Part::Record(at) => self.records[*at].size,
        }
    }

    /// Returns true for a record whose members are in the scope of the record around it.
    pub fn is_anonymous(&self, part: &Part) -> bool {
        matches!(part, Part::Record(at) if self.records[*at].is_anonymous)
    }
}

impl Part {
    /// The number of values in it.
    pub fn leaves(&self, records: &[RecordModel]) -> u64 {
        match self {
            Self::Array(element, count) => element.leaves(records).saturating_mul(*count),
            Self::Record(at) => records[*at].leaves,
            _ => 1,
        }
    }
}

impl Text {
    pub const fn size(&self) -> u64 {
        self.unit.size() as u64 * self.units
    }
}

impl RecordModel {
    /// The bit-fields that are in a member.
    pub fn bit_fields_in(&self, member: usize) -> impl Iterator<Item = (usize, &BitField)> {
        self.bit_fields.iter().enumerate().filter(move |(_, field)| field.member == member)
    }

    /// Returns true if they differ in their names at most.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.is_union, self.is_anonymous, self.size, self.align)
            == (other.is_union, other.is_anonymous, other.size, other.align)
            && self.members == other.members
            && self.bit_fields == other.bit_fields
    }
}

impl EnumModel {
    /// Returns true if languages have an enumeration for its bytes.
    pub const fn is_native(&self) -> bool {
        is_integer(self.underlying) && !is_foreign(self.order, self.underlying)
    }

    /// The enumerators by value, without those whose value an earlier one has.
    pub fn distinct(&self) -> Vec<&EnumeratorModel> {
        let mut distinct: Vec<_> = self.enumerators.iter().collect();
        distinct.sort_by_key(|one| one.value);
        distinct.dedup_by_key(|one| one.value);
        distinct
    }
}
