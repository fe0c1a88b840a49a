//! Types as C sees them: what layout and lookup need beyond the bytes.

use super::number::Integer;
use super::preprocess::Problem;
use crate::decode::{ByteOrder, Scalar, Type, TypeKind};
use std::collections::HashMap;
use std::sync::Arc;

/// A type with a size.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub ty: Type,
    /// POD for the purpose of layout: nothing is placed in its padding.
    pub is_pod: bool,
    /// Set for a class, and for an array of a class.
    pub class: Option<Arc<Class>>,
    /// The alignment of an array of it, if it differs: gcc forgets that of atomic structs in C.
    pub array_align: Option<u64>,
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        let id = |object: &Self| object.class.as_ref().map(|class| class.id);
        id(self) == id(other) && self.ty == other.ty
    }
}

/// A struct, class or union.
#[derive(Debug)]
pub(super) struct Class {
    pub id: usize,
    /// Its size as a base class, and the end of its data, after which a derived class may continue.
    pub base_size: u64,
    pub base_align: u64,
    /// Its size as a field with `[[no_unique_address]]`. gcc counts a bit-field as whole bytes from
    /// its first byte on, so that the next field may overlap its last bits.
    pub overlap_size: u64,
    pub is_empty: bool,
    pub has_vptr: bool,
    pub is_packed: bool,
    /// The offsets of empty classes in it: two of the same type cannot have the same address.
    pub empties: Vec<(u64, usize)>,
    pub scope: usize,
}

impl Object {
    pub fn plain(ty: Type) -> Self {
        Self { ty, is_pod: true, class: None, array_align: None }
    }

    pub fn scalar(scalar: Scalar) -> Self {
        Self::plain(Type::scalar(scalar, ByteOrder::Little))
    }

    pub fn pointer(target: &str) -> Self {
        Self::plain(Type::pointer(target, 8, ByteOrder::Little))
    }

    /// The scalar of an integer, character, bool or enumeration.
    pub fn integer(&self) -> Option<Scalar> {
        let scalar = match self.ty.kind() {
            TypeKind::Scalar(scalar, _) => *scalar,
            TypeKind::Enum(found) => found.underlying(),
            _ => return None,
        };
        (!matches!(
            scalar,
            Scalar::F16 | Scalar::F32 | Scalar::F64 | Scalar::F80 | Scalar::Complex64 | Scalar::Complex128
        ))
        .then_some(scalar)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum CType {
    Void,
    Function,
    /// A struct, union or enumeration by its number. It may be declared only.
    Tag(usize),
    Object(Object),
}

/// A struct, union or enumeration that has a name.
#[derive(Debug, Clone)]
pub(super) struct Tag {
    pub name: String,
    pub state: TagState,
}

#[derive(Debug, Clone)]
pub(super) enum TagState {
    Declared,
    /// Its fields are being read.
    Open,
    Complete(Object),
    Failed(Problem),
}

/// The meaning of a name.
#[derive(Debug, Clone)]
pub(super) enum Entity {
    Type(CType),
    /// `None` for a constant that is no integer.
    Constant(Option<Integer>),
    Namespace(usize),
    Template(Arc<Template>),
    Failed(Problem),
}

/// A class template or alias template. It is read again for each set of arguments.
#[derive(Debug)]
pub(super) struct Template {
    pub id: usize,
    pub name: String,
    pub parameters: Vec<Parameter>,
    /// The index of the first token after the parameters; of the type of an alias.
    pub start: usize,
    /// The index of the name of a class; `None` for an alias.
    pub token: Option<usize>,
    pub scope: usize,
    /// The reason that it cannot be used.
    pub refusal: Option<String>,
}

#[derive(Debug)]
pub(super) struct Parameter {
    pub name: String,
    pub is_type: bool,
    /// The index of the first token of the default.
    pub default: Option<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Argument {
    Type(CType),
    Value(Integer),
}

/// A namespace, a class, or the parameters of a template.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub parent: Option<usize>,
    /// The qualified name with `::` at its end; empty for the global one.
    pub prefix: String,
    pub names: HashMap<String, Entity>,
    /// In C, structs have names of their own.
    pub tags: HashMap<String, Entity>,
    /// The types of variables and fields, for `sizeof`.
    pub objects: HashMap<String, Object>,
    /// Scopes whose names appear in this one.
    pub used: Vec<usize>,
    pub is_class: bool,
}
