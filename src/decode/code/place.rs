//! The layout of a record in generated code: as the compiler does it where that gives the offsets,
//! otherwise packed. Padding is written out where the compiler would not add it.

use super::model::{Member, Model, Part, RecordModel};
use std::collections::HashSet;

/// The layout of a record.
#[derive(Debug)]
pub struct Placed<'a> {
    pub is_packed: bool,
    /// As the compiler sees it.
    pub align: u64,
    /// The alignment, where it does not follow from the members.
    pub written_align: Option<u64>,
    pub slots: Vec<Slot<'a>>,
    /// The names that padding must not have.
    pub names: HashSet<&'a str>,
}

#[derive(Debug, Clone, Copy)]
pub enum Slot<'a> {
    Member(&'a Member),
    /// Bytes of padding.
    Bytes(u64),
    /// Bits of padding, fewer than 8.
    Bits(u64),
}

/// The alignments of a language.
pub struct Aligns {
    scalar: fn(&Model, &Part) -> u64,
    /// The code can give a record an alignment.
    written: bool,
    records: Vec<u64>,
}

impl Aligns {
    /// `scalar` gives the alignment of parts other than arrays and records.
    pub const fn new(scalar: fn(&Model, &Part) -> u64, written: bool) -> Self {
        Self { scalar, written, records: vec![] }
    }

    fn of(&self, model: &Model, part: &Part) -> u64 {
        match part {
            Part::Array(element, _) => self.of(model, element),
            Part::Record(at) => self.records.get(*at).copied().unwrap_or(1),
            _ => (self.scalar)(model, part),
        }
    }

    /// The alignment of a record, if the language can write it.
    fn wanted(&self, record: &RecordModel) -> u64 {
        let is_possible =
            self.written && record.align <= MAX_ALIGN && record.size.is_multiple_of(record.align);
        if is_possible { record.align } else { 1 }
    }
}

/// The largest alignment of gcc.
const MAX_ALIGN: u64 = 1 << 28;

/// A name for padding.
pub fn padding(names: &HashSet<&str>, number: &mut u32) -> String {
    loop {
        let name = format!("padding_{number}");
        *number += 1;
        if !names.contains(&*name) {
            return name;
        }
    }
}

/// Lays out all records of a type.
pub fn place<'a>(model: &'a Model, mut aligns: Aligns) -> Vec<Placed<'a>> {
    let mut placed: Vec<Placed<'a>> = vec![];
    for record in &model.records {
        let mut layout = natural(model, record, &aligns).unwrap_or_else(|| packed(record, &aligns));
        layout.names = names_of(model, record);
        aligns.records.push(layout.align);
        placed.push(layout);
    }
    placed
}

/// Lays a record out as the compiler does. `None` if that gives other offsets or another size.
fn natural<'a>(model: &Model, record: &'a RecordModel, aligns: &Aligns) -> Option<Placed<'a>> {
    let mut slots = vec![];
    // In bits.
    let mut at = 0_u64;
    let mut align = 1;
    for member in &record.members {
        let own = aligns.of(model, &member.part);
        align = align.max(own);
        let start = member.offset.checked_mul(8)?;
        match member.bits {
            _ if record.is_union => at = at.max(member.size.checked_mul(8)?),
            Some(bits) => {
                let start = start + u64::from(bits.start);
                let (width, unit) = (u64::from(bits.width), own * 8);
                let is_split = at % unit + width > unit;
                let next = if is_split { at.next_multiple_of(unit) } else { at };
                if next != start || width > unit {
                    return None;
                }
                at = start + width;
            }
            None => {
                let end = at.div_ceil(8);
                if member.offset < end || !member.offset.is_multiple_of(own) {
                    return None;
                }
                if end.next_multiple_of(own) != member.offset {
                    slots.push(Slot::Bytes(member.offset - end));
                }
                at = start.checked_add(member.size.checked_mul(8)?)?;
            }
        }
        slots.push(Slot::Member(member));
    }
    let end = at.div_ceil(8);
    let written_align = Some(aligns.wanted(record)).filter(|&wanted| wanted > align);
    let align = written_align.unwrap_or(align);
    if !record.size.is_multiple_of(align) {
        return None;
    }
    if end.checked_next_multiple_of(align)? != record.size || record.members.is_empty() {
        slots.push(Slot::Bytes(if record.is_union { record.size } else { record.size - end }));
    }
    Some(Placed { is_packed: false, align, written_align, slots, names: HashSet::new() })
}

fn packed<'a>(record: &'a RecordModel, aligns: &Aligns) -> Placed<'a> {
    let mut slots = vec![];
    let mut at = 0_u64;
    let pad = |slots: &mut Vec<Slot<'a>>, at: u64, to: u64| {
        let bits = at.next_multiple_of(8).min(to) - at;
        if bits > 0 {
            slots.push(Slot::Bits(bits));
        }
        let at = at + bits;
        if to / 8 > at / 8 {
            slots.push(Slot::Bytes(to / 8 - at / 8));
        }
        // Bits after whole bytes.
        let rest = if to / 8 > at / 8 { to % 8 } else { to - at };
        if rest > 0 {
            slots.push(Slot::Bits(rest));
        }
    };
    for member in &record.members {
        let start = member.offset * 8 + member.bits.map_or(0, |bits| u64::from(bits.start));
        if !record.is_union {
            // A member without bits starts at the next byte anyway.
            let from = if member.bits.is_none() { at.next_multiple_of(8) } else { at };
            pad(&mut slots, from, start);
        }
        slots.push(Slot::Member(member));
        at = start + member.bits.map_or(member.size * 8, |bits| u64::from(bits.width));
    }
    let covered = record.members.iter().map(|member| member.size).max().unwrap_or(0);
    if record.is_union {
        if covered < record.size {
            slots.push(Slot::Bytes(record.size));
        }
    } else {
        pad(&mut slots, at.next_multiple_of(8), record.size * 8);
    }
    let align = aligns.wanted(record);
    let written_align = Some(align).filter(|&align| align > 1);
    Placed { is_packed: true, align, written_align, slots, names: HashSet::new() }
}

/// The names in the scope of a record.
fn names_of<'a>(model: &'a Model, record: &'a RecordModel) -> HashSet<&'a str> {
    let mut names: HashSet<&str> = record.members.iter().map(|member| &*member.name.text).collect();
    names.extend(record.bit_fields.iter().map(|field| &*field.name.text));
    for member in &record.members {
        if let Part::Record(at) = member.part
            && model.records[at].is_anonymous
        {
            names.extend(names_of(model, &model.records[at]));
        }
    }
    names
}
