//! Classes of the standard libraries that are shown as what they contain: `std::atomic<int>` as an
//! `int`, `std::array<int, 3>` as an array.

use crate::decode::{Field, Record, Type, TypeKind};

/// Starts of the names, without inline namespaces.
const NAMES: [&str; 13] = [
    "atomic_flag",
    "std::atomic<",
    "std::__atomic_base<",
    "std::__atomic_float<",
    "std::__atomic_flag_base",
    "std::atomic_flag",
    "std::__cxx_atomic_",
    "std::array<",
    "std::complex<",
    "core::sync::atomic::Atomic",
    "core::cell::UnsafeCell<",
    "core::cell::Cell<",
    "core::mem::manually_drop::ManuallyDrop<",
];

/// Returns the type that is shown in place of a record.
pub(super) fn shown(ty: Type) -> Type {
    let TypeKind::Record(record) = ty.kind() else { return ty };
    let name = record.name().replace("::__1::", "::");
    if !NAMES.iter().any(|start| name.starts_with(start)) {
        return ty;
    }
    match only_field(record) {
        Some(field) if field.ty.size() == ty.size() => {
            let align = ty.align();
            field.ty.clone().with_align(align)
        }
        _ => ty,
    }
}

/// The only field with a size, if it is at the start.
fn only_field(record: &Record) -> Option<&Field> {
    let mut fields = record.fields().iter().filter(|field| field.ty.leaf_count() > 0);
    let field = fields.next().filter(|field| field.offset == 0 && field.bits.is_none())?;
    fields.next().is_none().then_some(field)
}
