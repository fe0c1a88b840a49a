//! Gives the members of records their identifiers.

use super::build::Builder;
use super::identifier::Identifiers;
use super::model::{BitField, Member, Part, RecordModel};
use super::raw::Raw;
use std::collections::HashSet;
use std::ops::Range;

impl Builder {
    /// The identifiers of all members of all records.
    pub fn member_names(&self) -> impl Iterator<Item = String> {
        self.members.used()
    }

    /// Turns the fields of a record into members.
    pub fn name_members(&mut self, record: &mut RecordModel, raws: Vec<Raw>) {
        let mut names = Identifiers::new(self.dialect.in_fields);
        names.reserve(self.open_scopes(&raws));
        record.leaves = raws.iter().fold(0, |all, raw| all.saturating_add(raw.part.leaves(&self.records)));
        let mut open: Option<Range<u64>> = None;
        for raw in raws {
            let name = names.take(&raw.name, &raw.fallback);
            let Some(bits) = raw.bits.filter(|_| !self.dialect.has_bit_fields) else {
                let Raw { name: declared, label, part, offset, size, bits, .. } = raw;
                record.members.push(Member { name, declared, label, part, offset, size, bits });
                continue;
            };
            // Adjacent bit-fields share a member for their bytes.
            if record.is_union || open.as_ref().is_none_or(|open| open.end <= raw.offset) {
                record.members.push(Member {
                    name: names.take("", &format!("bits_{}", raw.offset)),
                    declared: String::new(),
                    label: String::new(),
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
            let Raw { label, part, .. } = raw;
            record.bit_fields.push(BitField { name, label, part, member, first, width: bits.width });
        }
        self.members.reserve(names.used());
    }

    /// The names in anonymous records, which are in the scope of the record around them. Those that are
    /// there already make the record a member with a name.
    fn open_scopes(&mut self, raws: &[Raw]) -> HashSet<String> {
        let mut scope = HashSet::new();
        for raw in raws {
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
        scope
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
}
