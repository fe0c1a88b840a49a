//! Arrays that are partly in use: a field of the same record says how many elements are.

use super::{Tree, Unfolded};
use crate::decode::{Leaf, Place, Record, RecordKind, Scalar, Type, TypeKind};
use std::ops::Range;

/// The names of fields that count the elements of the array beside them.
const COUNTERS: [&str; 7] = ["n", "len", "length", "count", "size", "used", "num"];

/// The field that counts the elements of an array, which is a field of the same record.
pub(super) fn counter(ty: &Type, array: u64) -> Option<u64> {
    let TypeKind::Record(record) = ty.kind() else { return None };
    let fields = record.fields();
    let array = usize::try_from(array).ok()?;
    let field = fields.get(array)?;
    if record.kind() == RecordKind::Union || !matches!(field.ty.kind(), TypeKind::Array(_)) {
        return None;
    }
    let name = plain(&field.name);
    // The generic names stand for this array only if they are next to it, or if it is the only one.
    let own = COUNTERS.map(|word| [format!("{name}_{word}"), format!("{word}_{name}")]);
    let is_own = |index: usize| own.iter().flatten().any(|own| *own == plain(&fields[index].name));
    let is_generic = |index: usize| COUNTERS.contains(&plain(&fields[index].name).as_str());
    let beside = [array.checked_sub(1), array.checked_add(1).filter(|&next| next < fields.len())];
    let mut all = 0..fields.len();
    let found = all
        .find(|&index| is_integer(&fields[index].ty) && is_own(index))
        .or_else(|| {
            beside.into_iter().flatten().find(|&index| is_integer(&fields[index].ty) && is_generic(index))
        })
        .or_else(|| only_array(record).and_then(|()| only_counter(record, is_generic)))?;
    Some(found as u64)
}

/// Returns a name in lower case, without the marks of C++ members: `m_size`, `size_`.
fn plain(name: &str) -> String {
    name.strip_prefix("m_").unwrap_or(name).trim_matches('_').to_lowercase()
}

const fn is_integer(ty: &Type) -> bool {
    use Scalar::{I8, I16, I32, I64, U8, U16, U32, U64};
    matches!(ty.kind(), TypeKind::Scalar(U8 | U16 | U32 | U64 | I8 | I16 | I32 | I64, _))
}

fn only_array(record: &Record) -> Option<()> {
    let arrays = record.fields().iter().filter(|field| matches!(field.ty.kind(), TypeKind::Array(_)));
    (arrays.count() == 1).then_some(())
}

fn only_counter(record: &Record, is_generic: impl Fn(usize) -> bool) -> Option<usize> {
    let fields = record.fields();
    let mut found = (0..fields.len()).filter(|&index| is_generic(index) && is_integer(&fields[index].ty));
    found.next().filter(|_| found.next().is_none())
}

impl Tree {
    /// Reads how many elements of the unfolded arrays are in use.
    pub(in crate::app::inspect) fn read_counts(&mut self, read: impl Fn(&Self, Place<'_>) -> Option<u64>) {
        let mut root = std::mem::take(&mut self.root);
        read_below(self, &mut root, self.whole(), &read);
        self.root = root;
    }

    /// The bytes of the fields that count the elements of an unfolded value and of those around it.
    pub(in crate::app::inspect) fn counters(&self, path: &[u64]) -> Vec<Range<u64>> {
        let (mut node, mut place) = (&self.root, self.whole());
        let mut ranges = vec![];
        for &index in path {
            let (Some(child), Some(found)) = (node.children.get(&index), place.child(index)) else { break };
            let counter = child.counter.and_then(|counter| place.child(counter));
            ranges.extend(counter.map(|counter| counter.place.range()));
            (node, place) = (child, found.place);
        }
        ranges
    }
}

fn read_below(
    tree: &Tree,
    node: &mut Unfolded,
    place: Place<'_>,
    read: &impl Fn(&Tree, Place<'_>) -> Option<u64>,
) {
    for (&index, child) in &mut node.children {
        let Some(found) = place.child(index) else { continue };
        let counter = child.counter.and_then(|counter| place.child(counter));
        if let Some(used) = counter.and_then(|counter| read(tree, counter.place)) {
            child.used = Some(used);
        }
        read_below(tree, child, found.place, read);
    }
}

/// The value of an unsigned or not negative integer.
pub(in crate::app::inspect) fn integer(leaf: &Leaf<'_>) -> Option<u64> {
    match leaf {
        Leaf::Value(value) => u64::try_from(value.integer()?).ok(),
        _ => None,
    }
}
