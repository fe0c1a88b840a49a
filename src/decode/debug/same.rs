//! Compares types of several units. Their parts are shared within a unit only, and a hostile type has
//! more paths than can be walked.

use crate::decode::{Field, Type, TypeKind};
use std::collections::HashSet;

/// Pairs of parts of two types that are being compared, or were found equal.
#[derive(Default)]
struct Compared(HashSet<(usize, usize)>);

/// Returns true if two types show the same values.
pub(super) fn is_same(one: &Type, other: &Type) -> bool {
    Compared::default().is_same(one, other)
}

impl Compared {
    fn is_same(&mut self, one: &Type, other: &Type) -> bool {
        if (one.size(), one.align(), one.leaf_count()) != (other.size(), other.align(), other.leaf_count()) {
            return false;
        }
        match (one.kind(), other.kind()) {
            (TypeKind::Array(one), TypeKind::Array(other)) => {
                (one.count, one.stride) == (other.count, other.stride)
                    && self.is_same(&one.element, &other.element)
            }
            (TypeKind::Record(one), TypeKind::Record(other)) => {
                let pair = (std::ptr::from_ref(&**one).addr(), std::ptr::from_ref(&**other).addr());
                if !self.0.insert(pair) {
                    return true;
                }
                (one.kind(), one.name(), one.fields().len())
                    == (other.kind(), other.name(), other.fields().len())
                    && one
                        .fields()
                        .iter()
                        .zip(other.fields())
                        .all(|(one, other)| self.is_same_field(one, other))
            }
            (one, other) => one == other,
        }
    }

    fn is_same_field(&mut self, one: &Field, other: &Field) -> bool {
        (&one.name, one.offset, one.bits, one.is_base)
            == (&other.name, other.offset, other.bits, other.is_base)
            && self.is_same(&one.ty, &other.ty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{ByteOrder, MAX_DEPTH, Record, RecordKind, Scalar};

    /// A union of two unions of two unions, and so on.
    fn doubled(depth: u16, innermost: Scalar) -> Type {
        let ty = Type::scalar(innermost, ByteOrder::Little);
        (0..depth).fold(ty, |ty, _| {
            let fields = vec![Field::new("a", ty.clone(), 0), Field::new("b", ty, 0)];
            Type::record(Record::new(RecordKind::Union, "", fields), 1 << 60, 8).unwrap()
        })
    }

    #[test]
    fn hostile_types_are_compared_at_once() {
        let depth = MAX_DEPTH - 1;
        assert!(is_same(&doubled(depth, Scalar::U32), &doubled(depth, Scalar::U32)));
        assert!(!is_same(&doubled(depth, Scalar::U32), &doubled(depth, Scalar::I32)));
        assert!(!is_same(&doubled(depth, Scalar::U32), &doubled(depth - 1, Scalar::U32)));
    }
}
