//! The pointers inside of a type, and the types that they point to.

use super::error::{DebugError, Result};
use super::index::TypeId;
use super::name::normalized;
use super::program::Program;
use super::types::{Builder, is_modifier};
use super::units::{Die, Entry, number};
use crate::decode::TypeKind;
use gimli::constants as dw;

/// Pointers of a type that are listed.
const MAX_POINTERS: usize = 1 << 12;
/// Records within records.
const MAX_DEPTH: usize = 32;
/// Elements of an array of pointers that are listed.
const MAX_ELEMENTS: u64 = 1 << 10;

/// A pointer or reference inside of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointerInside {
    /// Empty if the variable itself is the pointer, or a class that acts as one.
    pub path: String,
    pub offset: u64,
    /// In bytes.
    pub size: u64,
    pub target: TypeId,
    /// The number of elements that it points to, for `std::span` and slices.
    pub count: Option<ElementCount>,
}

/// The place of a count in the variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElementCount {
    pub offset: u64,
    pub size: u64,
}

/// Classes that act as a pointer: their fields are not named.
const SMART_POINTERS: [&str; 10] = [
    "std::atomic<",
    "std::unique_ptr<",
    "std::shared_ptr<",
    "std::weak_ptr<",
    "std::reference_wrapper<",
    "boost::interprocess::offset_ptr<",
    "alloc::boxed::Box<",
    "core::ptr::non_null::NonNull<",
    "core::ptr::unique::Unique<",
    "core::sync::atomic::AtomicPtr<",
];
/// Classes of a pointer and a number of elements.
const SPANS: [&str; 6] =
    ["std::span<", "std::basic_string_view<", "gsl::span<", "boost::span<", "&[", "&mut["];
/// Types that are about the pointer rather than the value.
const BOOKKEEPING: [&str; 2] = ["std::_Sp_counted_base<", "std::__shared_weak_count"];

struct Walk<'a> {
    program: &'a Program,
    builder: Builder<'a>,
    found: Vec<PointerInside>,
}

/// A value inside of the variable.
#[derive(Clone)]
struct At {
    die: Die,
    offset: u64,
    path: String,
    /// The fields inside are not named.
    is_opaque: bool,
    depth: usize,
}

impl Program {
    /// The pointers inside of a type, in order.
    ///
    /// # Errors
    /// Fails if the type is damaged.
    pub fn pointers(&self, ty: TypeId) -> Result<Vec<PointerInside>> {
        let mut walk = Walk { program: self, builder: Builder::new(self), found: vec![] };
        walk.value(At { die: ty.0, offset: 0, path: String::new(), is_opaque: false, depth: 0 })?;
        Ok(walk.found)
    }
}

impl Walk<'_> {
    fn value(&mut self, at: At) -> Result<()> {
        if at.depth > MAX_DEPTH || self.found.len() >= MAX_POINTERS {
            return Ok(());
        }
        self.builder.steps.take(1)?;
        let units = self.builder.units();
        let entry = units.entry(at.die)?;
        match entry.tag() {
            tag if is_modifier(tag) => match units.referred(at.die.unit, &entry, dw::DW_AT_type) {
                Ok(Some(die)) => self.value(At { die, depth: at.depth + 1, ..at }),
                _ => Ok(()),
            },
            dw::DW_TAG_pointer_type | dw::DW_TAG_reference_type | dw::DW_TAG_rvalue_reference_type => {
                self.pointer(at, &entry)
            }
            dw::DW_TAG_array_type => self.array(&at, &entry),
            dw::DW_TAG_structure_type | dw::DW_TAG_class_type | dw::DW_TAG_union_type => self.record(at),
            _ => Ok(()),
        }
    }

    fn pointer(&mut self, at: At, entry: &Entry) -> Result<()> {
        let units = self.builder.units();
        let Ok(Some(target)) = units.referred(at.die.unit, entry, dw::DW_AT_type) else { return Ok(()) };
        let Some(target) = self.pointee(target)? else { return Ok(()) };
        let name = normalized(&self.program.qualified_name(target)?);
        if BOOKKEEPING.iter().any(|start| name.starts_with(start)) {
            return Ok(());
        }
        let size = match number(entry, dw::DW_AT_byte_size) {
            Some(size) => size,
            None => self.builder.context(at.die)?.address_size,
        };
        let target = TypeId(target);
        self.found.push(PointerInside { path: at.path, offset: at.offset, size, target, count: None });
        Ok(())
    }

    /// The type behind `const` and the like. `None` for `void` and functions.
    fn pointee(&self, target: Die) -> Result<Option<Die>> {
        let units = self.builder.units();
        let mut plain = target;
        for _ in 0..MAX_DEPTH {
            let entry = units.entry(plain)?;
            match entry.tag() {
                dw::DW_TAG_subroutine_type | dw::DW_TAG_unspecified_type => return Ok(None),
                tag if is_modifier(tag) => match units.referred(plain.unit, &entry, dw::DW_AT_type)? {
                    Some(next) => plain = next,
                    None => return Ok(None),
                },
                _ => {
                    let defined = match entry.tag() {
                        dw::DW_TAG_structure_type | dw::DW_TAG_class_type | dw::DW_TAG_union_type => {
                            self.builder.definition(plain, &entry)?.unwrap_or(plain)
                        }
                        _ => plain,
                    };
                    // A record without a name has that of its `typedef`.
                    let has_name = units.entry(defined)?.has_attr(dw::DW_AT_name);
                    return Ok(Some(if has_name { defined } else { target }));
                }
            }
        }
        Ok(None)
    }

    fn array(&mut self, at: &At, entry: &Entry) -> Result<()> {
        let units = self.builder.units();
        let Some(element) = units.referred(at.die.unit, entry, dw::DW_AT_type)? else { return Ok(()) };
        let mut ty = match self.builder.ty(at.die) {
            Ok(ty) => ty,
            Err(DebugError::TooLong) => return Err(DebugError::TooLong),
            Err(_) => return Ok(()),
        };
        // All dimensions as one, unless there are gaps.
        let mut dimensions = vec![];
        while let TypeKind::Array(array) = ty.kind() {
            dimensions.push((array.count, array.stride));
            ty = array.element.clone();
        }
        self.elements(at, element, &dimensions)
    }

    fn elements(&mut self, at: &At, element: Die, dimensions: &[(u64, u64)]) -> Result<()> {
        let Some((&(count, stride), rest)) = dimensions.split_first() else {
            return self.value(At { die: element, depth: at.depth + 1, ..at.clone() });
        };
        for index in 0..count.min(MAX_ELEMENTS) {
            let before = self.found.len();
            let Some(offset) = stride.checked_mul(index).and_then(|offset| at.offset.checked_add(offset))
            else {
                return Ok(());
            };
            let path = if at.is_opaque { at.path.clone() } else { format!("{}[{index}]", at.path) };
            self.elements(&At { offset, path, ..at.clone() }, element, rest)?;
            // Elements without pointers are all alike.
            if self.found.len() == before || self.found.len() >= MAX_POINTERS {
                return Ok(());
            }
        }
        Ok(())
    }

    fn record(&mut self, at: At) -> Result<()> {
        let entry = self.builder.units().entry(at.die)?;
        let Some(die) = self.builder.definition(at.die, &entry)? else { return Ok(()) };
        let name = normalized(&self.program.qualified_name(die)?);
        let is_span = SPANS.iter().any(|start| name.starts_with(start));
        let is_opaque = at.is_opaque || is_span || SMART_POINTERS.iter().any(|start| name.starts_with(start));
        let before = self.found.len();
        let at = At { die, is_opaque, depth: at.depth + 1, ..at };
        self.members(&at)?;
        if is_span && self.found.len() == before + 1 {
            let count = self.count(&at);
            if let Some(pointer) = self.found.last_mut() {
                pointer.count = count;
            }
        }
        Ok(())
    }

    fn members(&mut self, at: &At) -> Result<()> {
        let units = self.builder.units();
        let (mut members, mut nested) = (vec![], vec![]);
        units.children(at.die, &self.builder.steps, |child, entry| {
            match entry.tag() {
                dw::DW_TAG_member | dw::DW_TAG_inheritance => {
                    members.extend(super::records::member(&self.builder, child, entry)?);
                }
                dw::DW_TAG_variant_part | dw::DW_TAG_variant => nested.push(child),
                _ => {}
            }
            Ok(())
        })?;
        for member in members {
            let (Some(die), super::records::Place::Bytes(inside)) = (member.ty, member.place) else {
                continue;
            };
            let Some(offset) = at.offset.checked_add(inside) else { continue };
            let path = match (&*at.path, &*member.name) {
                (path, name) if at.is_opaque || member.is_base || name.is_empty() => path.to_owned(),
                ("", name) => name.to_owned(),
                (path, name) => format!("{path}.{name}"),
            };
            self.value(At { die, offset, path, is_opaque: at.is_opaque, depth: at.depth + 1 })?;
        }
        for die in nested {
            if at.depth < MAX_DEPTH {
                self.members(&At { die, depth: at.depth + 1, ..at.clone() })?;
            }
        }
        Ok(())
    }

    /// The only number in a span.
    fn count(&mut self, at: &At) -> Option<ElementCount> {
        let ty = self.builder.ty(at.die).ok()?;
        let mut numbers = ty
            .leaves()
            .filter(|place| matches!(place.ty.kind(), TypeKind::Scalar(..)) && place.ty.size() >= 4);
        let number = numbers.next()?;
        let count = ElementCount { offset: at.offset.checked_add(number.offset)?, size: number.ty.size() };
        numbers.next().is_none().then_some(count)
    }
}
