//! Offsets and sizes, as gcc lays records out on x86-64: the System V ABI for C, the Itanium ABI for
//! C++.

use super::object::{Class, Object};
use crate::decode::{Bits, Field, Record, RecordKind, Type, TypeError, TypeKind};
use std::collections::HashSet;
use std::sync::Arc;

/// Offsets of empty classes that are kept per class.
const MAX_EMPTIES: usize = 1024;

/// The parts of a record, and what its declaration asks for.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of the declaration")]
pub(super) struct Definition {
    pub kind: RecordKind,
    pub name: String,
    pub is_cpp: bool,
    pub bases: Vec<(String, Object)>,
    pub members: Vec<Member>,
    pub is_packed: bool,
    /// The alignment of `#pragma pack`.
    pub pack: Option<u64>,
    /// The largest `aligned` or `alignas`.
    pub align: Option<u64>,
    pub has_virtual: bool,
    /// It has private fields, constructors, or other things that a POD has not.
    pub is_special: bool,
    pub id: usize,
    pub scope: usize,
}

#[derive(Debug)]
pub(super) struct Member {
    /// Empty for an anonymous struct or union, and for an unnamed bit-field.
    pub name: String,
    pub object: Object,
    /// The width of a bit-field.
    pub width: Option<u64>,
    pub align: Option<u64>,
    pub is_packed: bool,
    pub may_overlap: bool,
}

struct Layout {
    is_union: bool,
    pack: Option<u64>,
    /// The end of the data so far.
    bits: u64,
    align: u64,
    /// The end of empty classes, which may be after the data.
    size: u64,
    overlap_size: u64,
    fields: Vec<Field>,
    empties: HashSet<(u64, usize)>,
}

type Result<T> = std::result::Result<T, TypeError>;

/// Lays out a record.
pub(super) fn lay_out(definition: Definition) -> Result<Object> {
    let Definition { kind, name, is_cpp, bases, members, is_packed, pack, align, .. } = definition;
    let mut layout = Layout {
        is_union: kind == RecordKind::Union,
        pack,
        bits: 0,
        align: 1,
        size: 0,
        overlap_size: 0,
        fields: vec![],
        empties: HashSet::new(),
    };
    let has_base_vptr = bases.iter().any(|(_, base)| base.class.as_ref().is_some_and(|class| class.has_vptr));
    let has_vptr = definition.has_virtual || has_base_vptr;
    let is_pod = !(has_vptr
        || definition.is_special
        || !bases.is_empty()
        || members.iter().any(|member| is_cpp && (!member.object.is_pod || member.may_overlap)));
    let mut is_empty = !has_vptr;
    let is_unpackable = |member: &Member| {
        let is_class_packed = member.object.class.as_ref().is_some_and(|class| class.is_packed);
        is_cpp && !member.object.is_pod && !is_class_packed
    };
    // gcc drops `packed` from a class with such a field, but not from its other fields.
    let is_class_packed = is_packed && !members.iter().any(is_unpackable);
    if definition.has_virtual && !has_base_vptr {
        layout.member(&Member {
            name: "vptr".to_owned(),
            object: Object::pointer("vtable"),
            width: None,
            align: None,
            is_packed: is_class_packed,
            may_overlap: false,
        })?;
    }
    // A base with a vptr comes first.
    let primary = bases.iter().position(|(_, base)| base.class.as_ref().is_some_and(|class| class.has_vptr));
    let order = primary.into_iter().chain((0..bases.len()).filter(|&at| Some(at) != primary));
    for at in order {
        let (name, base) = &bases[at];
        is_empty &= base.class.as_ref().is_some_and(|class| class.is_empty);
        layout.base(name, base)?;
    }
    for member in &members {
        let is_empty_member = member.may_overlap
            && member.object.class.as_ref().is_some_and(|class| class.is_empty)
            && !matches!(member.object.ty.kind(), TypeKind::Array(_));
        is_empty &= is_empty_member || member.width == Some(0);
        let is_packed = member.is_packed || (is_packed && !is_unpackable(member));
        layout.member_or_bits(member, is_packed, is_empty_member)?;
    }
    let align = layout.align.max(align.unwrap_or(1));
    let data = layout.bits.div_ceil(8);
    let mut size = data.max(layout.size);
    let base_size = size;
    if is_cpp && size == 0 {
        size = 1;
    }
    let size = size.checked_next_multiple_of(align).ok_or(TypeError::TooLarge)?;
    if is_cpp && is_empty {
        layout.empties.insert((0, definition.id));
    }
    let class = Class {
        id: definition.id,
        base_size: if is_pod && !is_empty { size } else { base_size },
        base_align: align,
        overlap_size: if is_pod && !is_empty { size } else { layout.overlap_size },
        is_empty: is_cpp && is_empty,
        has_vptr,
        is_packed: is_class_packed,
        empties: layout.empties.into_iter().collect(),
        scope: definition.scope,
    };
    let ty = Type::record(Record::new(kind, name, layout.fields), size, align)?;
    Ok(Object { ty, is_pod, class: Some(Arc::new(class)), array_align: None })
}

impl Layout {
    /// Aligns the end of the data, in bits.
    fn align_to(&mut self, bits: u64) -> Result<()> {
        if !self.is_union {
            self.bits = self.bits.checked_next_multiple_of(bits).ok_or(TypeError::TooLarge)?;
        }
        Ok(())
    }

    /// Aligns the end of the data for a part with empty classes, and moves on by `step` until none of
    /// them has the address of another one of its type.
    fn align_apart(&mut self, align: u64, step: u64, empties: &[(u64, usize)]) -> Result<()> {
        self.align_to(8 * align)?;
        while !self.is_union && self.conflicts(empties, self.bits / 8) {
            self.bits = self.bits.checked_add(8 * step).ok_or(TypeError::TooLarge)?;
            self.align_to(8 * align)?;
        }
        Ok(())
    }

    fn capped(&self, align: u64) -> u64 {
        self.pack.map_or(align, |pack| align.min(pack))
    }

    fn base(&mut self, name: &str, base: &Object) -> Result<()> {
        let Some(class) = &base.class else { return Ok(()) };
        let offset;
        if class.is_empty {
            // `#pragma pack` does not apply to it.
            self.align = self.align.max(class.base_align);
            offset = self.empty_offset(&class.empties, class.base_align)?;
            self.size = self.size.max(offset.checked_add(base.ty.size()).ok_or(TypeError::TooLarge)?);
            self.overlap_size = self.overlap_size.max(self.size);
        } else {
            let align = self.capped(class.base_align);
            self.align = self.align.max(align);
            self.align_apart(align, class.base_align, &class.empties)?;
            offset = self.bits / 8;
            self.grow(offset, class.base_size)?;
        }
        self.remember(&class.empties, offset);
        // A base without fields has nothing to show, and its byte may be outside.
        if base.ty.leaf_count() > 0 {
            self.fields
                .push(Field { is_base: true, ..Field::new(name, shortened(base, class.base_size)?, offset) });
        }
        Ok(())
    }

    fn member_or_bits(&mut self, member: &Member, is_packed: bool, is_empty: bool) -> Result<()> {
        match member.width {
            Some(width) => self.bit_field(member, width, is_packed),
            None if is_empty => self.empty_member(member),
            None => self.member(&Member {
                name: member.name.clone(),
                object: member.object.clone(),
                width: None,
                align: member.align,
                is_packed,
                may_overlap: member.may_overlap,
            }),
        }
    }

    fn member(&mut self, member: &Member) -> Result<()> {
        let ty = &member.object.ty;
        let own = match (member.is_packed, member.align) {
            (true, Some(align)) => align,
            (true, None) => 1,
            (false, align) => align.unwrap_or(1).max(ty.align()),
        };
        let align = self.capped(own);
        self.align = self.align.max(align);
        let empties = empties_of(&member.object);
        self.align_apart(align, ty.align(), &empties)?;
        let offset = if self.is_union { 0 } else { self.bits / 8 };
        let mut ty = ty.clone();
        let mut length = ty.size();
        if let (true, Some(class)) = (member.may_overlap, &member.object.class)
            && !matches!(ty.kind(), TypeKind::Array(_))
        {
            length = class.overlap_size;
            ty = shortened(&member.object, length)?;
        }
        self.grow(offset, length)?;
        self.size = self.size.max(offset.saturating_add(length));
        self.remember(&empties, offset);
        self.fields.push(Field::new(member.name.as_str(), ty, offset));
        Ok(())
    }

    /// A field of an empty class with `[[no_unique_address]]`.
    fn empty_member(&mut self, member: &Member) -> Result<()> {
        let Some(class) = &member.object.class else { return Ok(()) };
        let align = self.capped(member.align.unwrap_or(1)).max(class.base_align);
        self.align = self.align.max(align);
        let offset = self.empty_offset(&class.empties, align)?;
        self.size = self.size.max(offset.checked_add(member.object.ty.size()).ok_or(TypeError::TooLarge)?);
        self.remember(&class.empties, offset);
        Ok(())
    }

    fn bit_field(&mut self, member: &Member, width: u64, is_packed: bool) -> Result<()> {
        let ty = &member.object.ty;
        let unit = 8 * ty.size();
        if width == 0 {
            // Neither `packed` nor `#pragma pack` changes it, and it does not align the record.
            self.align_to(8 * ty.align().max(member.align.unwrap_or(1)))?;
            if !self.is_union {
                self.overlap_size = self.overlap_size.max(self.bits / 8);
            }
            return Ok(());
        }
        if width > unit {
            return self.wide_bit_field(member, width, is_packed);
        }
        if let Some(align) = member.align {
            self.align_to(8 * self.capped(align))?;
        }
        let align = ty.align();
        if !member.name.is_empty() {
            // `#pragma pack` takes the place of `packed`.
            let own = if is_packed && self.pack.is_none() { 1 } else { self.capped(align) };
            self.align = self.align.max(own);
        }
        if let Some(align) = member.align {
            self.align = self.align.max(self.capped(align));
        }
        if !is_packed && self.pack.is_none() && !self.is_union {
            let step = 8 * align;
            if (self.bits % step + width).div_ceil(step) > unit / step {
                self.align_to(step)?;
            }
        }
        self.place_bits(member, width, width)
    }

    /// A bit-field of C++ that is wider than its type: aligned like the largest integer that fits, and
    /// followed by padding.
    fn wide_bit_field(&mut self, member: &Member, width: u64, is_packed: bool) -> Result<()> {
        let integer = [16, 8, 4, 2, 1].into_iter().find(|size| 8 * size <= width).unwrap_or(1);
        let own = if is_packed { 1 } else { self.capped(integer) };
        // `#pragma pack` takes the place of `packed`.
        let declared =
            if is_packed && self.pack.is_none() { 1 } else { self.capped(member.object.ty.align()) };
        self.align = self.align.max(own).max(declared);
        self.align_to(8 * own)?;
        self.place_bits(member, width, 8 * member.object.ty.size())
    }

    /// Places a bit-field that takes `width` bits, of which the first ones are its value.
    fn place_bits(&mut self, member: &Member, width: u64, value: u64) -> Result<()> {
        let ty = &member.object.ty;
        let first = if self.is_union { 0 } else { self.bits };
        let end = first.checked_add(width).ok_or(TypeError::TooLarge)?;
        self.bits = self.bits.max(end);
        self.overlap_size = self.overlap_size.max(first / 8 + width.div_ceil(8));
        if !member.name.is_empty() {
            let bits = Bits {
                start: u8::try_from(first % 8).unwrap_or(0),
                width: u8::try_from(value).map_err(|_| TypeError::TooLarge)?,
            };
            let field = Field::new(member.name.as_str(), ty.clone(), first / 8);
            self.fields.push(Field { bits: Some(bits), ..field });
        }
        Ok(())
    }

    fn grow(&mut self, offset: u64, length: u64) -> Result<()> {
        let end = offset.checked_add(length).and_then(|end| end.checked_mul(8)).ok_or(TypeError::TooLarge)?;
        self.bits = self.bits.max(end);
        self.overlap_size = self.overlap_size.max(end / 8);
        Ok(())
    }

    /// The offset of an empty class: the start, or the first place from the end of the data on that
    /// has no class of the same type.
    fn empty_offset(&self, empties: &[(u64, usize)], align: u64) -> Result<u64> {
        let mut offset = 0;
        if !self.is_union && self.conflicts(empties, offset) {
            // The byte may have the last bits of a bit-field.
            offset = (self.bits / 8).checked_next_multiple_of(align).ok_or(TypeError::TooLarge)?;
            while self.conflicts(empties, offset) {
                offset += align;
            }
        }
        Ok(offset)
    }

    fn conflicts(&self, empties: &[(u64, usize)], offset: u64) -> bool {
        empties.iter().any(|&(at, id)| self.empties.contains(&(at.saturating_add(offset), id)))
    }

    fn remember(&mut self, empties: &[(u64, usize)], offset: u64) {
        let left = MAX_EMPTIES.saturating_sub(self.empties.len());
        self.empties.extend(empties.iter().take(left).map(|&(at, id)| (at.saturating_add(offset), id)));
    }
}

/// The empty classes of a field, with those of the elements of an array.
fn empties_of(object: &Object) -> Vec<(u64, usize)> {
    let Some(class) = object.class.as_ref().filter(|class| !class.empties.is_empty()) else { return vec![] };
    let (mut count, mut ty) = (1_u64, &object.ty);
    while let TypeKind::Array(array) = ty.kind() {
        count = count.saturating_mul(array.count);
        ty = &array.element;
    }
    let size = ty.size();
    let each = |index: u64| {
        class.empties.iter().map(move |&(at, id)| (at.saturating_add(index.saturating_mul(size)), id))
    };
    (0..count).flat_map(each).take(MAX_EMPTIES).collect()
}

/// A class as a part whose padding is used by others: only as long as its data.
fn shortened(object: &Object, size: u64) -> Result<Type> {
    match object.ty.kind() {
        TypeKind::Record(record) if size < object.ty.size() => {
            // The last bits of a bit-field may be after the size that gcc counts.
            let ends = record.fields().iter().map(|field| field.offset.saturating_add(field.length()));
            let size = ends.max().unwrap_or(0).max(size);
            Type::record(Record::clone(record), size, object.ty.align())
        }
        _ => Ok(object.ty.clone()),
    }
}
