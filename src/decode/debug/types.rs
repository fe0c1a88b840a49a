//! Makes types from their entries.

use super::error::{DebugError, Result};
use super::index::NamedKind;
use super::program::Program;
use super::units::{Die, Entry, Steps, Units, number};
use super::{arrays, base, enums, records, transparent};
use crate::decode::{ByteOrder, MAX_DEPTH, Record, Scalar, Type, TypeError, TypeKind};
use gimli::constants as dw;
use std::collections::HashMap;

/// `typedef`, `const` and the like in a row. They do not count as levels of a type.
const MAX_CHAIN: usize = 4 * MAX_DEPTH as usize;

/// Makes types, each once.
pub(super) struct Builder<'p> {
    pub program: &'p Program,
    pub steps: Steps,
    made: HashMap<Die, Type>,
    /// The types that are being made.
    open: Vec<Die>,
}

/// The properties of a unit that its types depend on.
#[derive(Clone, Copy)]
pub(super) struct Context {
    pub order: ByteOrder,
    pub address_size: u64,
}

impl<'p> Builder<'p> {
    pub fn new(program: &'p Program) -> Self {
        Self { program, steps: Steps::default(), made: HashMap::new(), open: vec![] }
    }

    pub const fn units(&self) -> &'p Units {
        &self.program.sections.units
    }

    pub fn context(&self, die: Die) -> Result<Context> {
        let size = self.units().get(die.unit)?.unit.header.address_size();
        Ok(Context { order: self.program.byte_order(), address_size: size.into() })
    }

    pub fn ty(&mut self, die: Die) -> Result<Type> {
        let mut names = vec![];
        let mut target = die;
        let mut ty = loop {
            if let Some(ty) = self.made.get(&target) {
                break ty.clone();
            }
            self.steps.take(1)?;
            let entry = self.units().entry(target)?;
            if !is_modifier(entry.tag()) {
                break self.plain(target)?;
            }
            if names.iter().any(|(name, _)| *name == target) {
                return Err(DebugError::Recursive(self.shown_name(die)));
            }
            if names.len() >= MAX_CHAIN {
                return Err(self.problem(die, TypeError::TooDeep));
            }
            let next = self.units().referred(target.unit, &entry, dw::DW_AT_type)?;
            names.push((target, entry));
            target = next.ok_or_else(|| self.unsupported(target, "void as a value"))?;
        };
        for (die, entry) in names.into_iter().rev() {
            ty = self.modified(ty, die, &entry)?;
            self.made.insert(die, ty.clone());
        }
        Ok(ty)
    }

    /// A type that is no other name of one.
    fn plain(&mut self, die: Die) -> Result<Type> {
        if self.open.contains(&die) {
            return Err(DebugError::Recursive(self.shown_name(die)));
        }
        if self.open.len() > usize::from(MAX_DEPTH) {
            return Err(self.problem(die, TypeError::TooDeep));
        }
        self.open.push(die);
        let ty = self.make(die);
        self.open.pop();
        let ty = ty?;
        self.made.insert(die, ty.clone());
        Ok(ty)
    }

    fn make(&mut self, die: Die) -> Result<Type> {
        let entry = self.units().entry(die)?;
        let context = self.context(die)?;
        match entry.tag() {
            dw::DW_TAG_base_type => {
                let name = self.units().name(die.unit, &entry).unwrap_or_default();
                let bits = self.bytes(die, number(&entry, dw::DW_AT_byte_size).unwrap_or(0))?;
                Ok(base::scalar(&entry, &name, self.program.is_x86())
                    .map_or(bits, |scalar| Type::scalar(scalar, context.order)))
            }
            dw::DW_TAG_pointer_type | dw::DW_TAG_reference_type | dw::DW_TAG_rvalue_reference_type => {
                let size = number(&entry, dw::DW_AT_byte_size).unwrap_or(context.address_size);
                if !matches!(size, 4 | 8) {
                    return self.bytes(die, size);
                }
                let target = self.units().referred(die.unit, &entry, dw::DW_AT_type).ok().flatten();
                Ok(Type::pointer(self.name_of(target), size, context.order))
            }
            dw::DW_TAG_ptr_to_member_type => self.member_pointer(die, &entry, context),
            dw::DW_TAG_structure_type
            | dw::DW_TAG_class_type
            | dw::DW_TAG_union_type
            | dw::DW_TAG_interface_type => {
                let Some(die) = self.definition(die, &entry)? else {
                    return Err(DebugError::Incomplete(self.shown_name(die)));
                };
                let ty = records::make(self, die)?;
                Ok(transparent::shown(ty))
            }
            dw::DW_TAG_enumeration_type => {
                let Some(die) = self.definition(die, &entry)? else {
                    return Err(DebugError::Incomplete(self.shown_name(die)));
                };
                enums::make(self, die)
            }
            dw::DW_TAG_array_type => arrays::make(self, die, &entry),
            dw::DW_TAG_unspecified_type => match self.units().name(die.unit, &entry).as_deref() {
                Some("decltype(nullptr)" | "std::nullptr_t" | "nullptr_t") => {
                    Ok(Type::pointer("nullptr_t", context.address_size, context.order))
                }
                _ => Err(self.unsupported(die, "a type without a size")),
            },
            dw::DW_TAG_subroutine_type => Err(self.unsupported(die, "a function as a value")),
            dw::DW_TAG_string_type | dw::DW_TAG_set_type | dw::DW_TAG_file_type => {
                self.bytes(die, number(&entry, dw::DW_AT_byte_size).unwrap_or(0))
            }
            _ => Err(DebugError::BadReference),
        }
    }

    pub fn bytes(&self, die: Die, size: u64) -> Result<Type> {
        Type::bytes(size).map_err(|problem| self.problem(die, problem))
    }

    /// A `typedef`, `const` and the like.
    fn modified(&self, mut ty: Type, die: Die, entry: &Entry) -> Result<Type> {
        if entry.tag() == dw::DW_TAG_typedef {
            let name = self.program.qualified_name(die)?;
            if let TypeKind::Scalar(scalar, order) = *ty.kind()
                && let Some(scalar) = base::of_typedef(&name, scalar)
            {
                ty = Type::scalar(scalar, order);
            }
            ty = transparent::shown(renamed(ty, &name));
        }
        Ok(match number(entry, dw::DW_AT_alignment).filter(|align| align.is_power_of_two()) {
            Some(align) => ty.with_align(align),
            None => ty,
        })
    }

    /// Pointers to data members are offsets; those to functions also have an adjustment of `this`.
    fn member_pointer(&mut self, die: Die, entry: &Entry, context: Context) -> Result<Type> {
        let word = if context.address_size == 4 { Scalar::I32 } else { Scalar::I64 };
        let target = self.units().referred(die.unit, entry, dw::DW_AT_type)?;
        let is_function = match target {
            Some(target) => self.units().entry(target)?.tag() == dw::DW_TAG_subroutine_type,
            None => false,
        };
        let offset = Type::scalar(word, context.order);
        if !is_function {
            return Ok(offset);
        }
        let function = Type::pointer("function", context.address_size, context.order);
        let fields = vec![
            crate::decode::Field::new("function", function, 0),
            crate::decode::Field::new("adjustment", offset, context.address_size),
        ];
        let record = Record::new(crate::decode::RecordKind::Struct, "", fields);
        Type::record(record, 2 * context.address_size, context.address_size)
            .map_err(|problem| self.problem(die, problem))
    }

    /// The entry that defines a record or enumeration. A declaration is completed elsewhere, in a type
    /// unit or in another unit. `None` if it is not.
    pub fn definition(&self, die: Die, entry: &Entry) -> Result<Option<Die>> {
        if let Some(target) = self.units().referred(die.unit, entry, dw::DW_AT_signature)? {
            return Ok(Some(target).filter(|target| *target != die));
        }
        if !super::units::is_set(entry, dw::DW_AT_declaration) {
            return Ok(Some(die));
        }
        // The scopes of a declaration are in its own unit.
        let name = self.program.qualified_name(die)?;
        self.program.definition(&name)
    }

    /// The kind and the size of a `typedef`. `None` if it has no size, or is a name of a scalar.
    pub fn alias(&mut self, die: Die) -> Option<(NamedKind, u64)> {
        let mut target = die;
        for _ in 0..MAX_DEPTH {
            let entry = self.units().entry(target).ok()?;
            let kind = match entry.tag() {
                tag if is_modifier(tag) => {
                    target = self.units().referred(target.unit, &entry, dw::DW_AT_type).ok()??;
                    continue;
                }
                dw::DW_TAG_array_type => NamedKind::Array,
                dw::DW_TAG_enumeration_type if self.units().name(target.unit, &entry).is_none() => {
                    NamedKind::Enum
                }
                dw::DW_TAG_structure_type | dw::DW_TAG_class_type | dw::DW_TAG_union_type
                    if self.units().name(target.unit, &entry).is_none() =>
                {
                    NamedKind::Record
                }
                dw::DW_TAG_structure_type
                | dw::DW_TAG_class_type
                | dw::DW_TAG_union_type
                | dw::DW_TAG_enumeration_type => NamedKind::Alias,
                _ => return None,
            };
            return match (kind, number(&entry, dw::DW_AT_byte_size)) {
                (NamedKind::Array, _) => self.ty(target).ok().map(|ty| (kind, ty.size())),
                (_, size) => size.map(|size| (kind, size)),
            };
        }
        None
    }
}

/// Gives a record or enumeration without a name that of its `typedef`.
fn renamed(ty: Type, name: &str) -> Type {
    let renamed = match ty.kind() {
        TypeKind::Record(record) if record.name().is_empty() && !record.kind().is_row() => {
            Type::record(Record::new(record.kind(), name, record.fields().to_vec()), ty.size(), ty.align())
                .ok()
        }
        TypeKind::Enum(found) if found.name().is_empty() => Some(Type::enumeration(
            crate::decode::Enum::new(name, found.underlying(), found.order(), found.enumerators().to_vec()),
        )),
        _ => None,
    };
    renamed.unwrap_or(ty)
}

pub(super) const fn is_modifier(tag: gimli::DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_typedef
            | dw::DW_TAG_const_type
            | dw::DW_TAG_volatile_type
            | dw::DW_TAG_restrict_type
            | dw::DW_TAG_atomic_type
            | dw::DW_TAG_immutable_type
            | dw::DW_TAG_packed_type
            | dw::DW_TAG_shared_type
            | dw::DW_TAG_template_alias
            | dw::DW_TAG_subrange_type
    )
}
