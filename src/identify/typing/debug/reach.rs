//! Follows the pointers of a variable, through objects of its own memory, into the segment.

use super::address_space::AddressSpace;
use super::modules::Module;
use crate::decode::ByteOrder;
use crate::decode::debug::{PointerInside, TypeId};
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

/// Objects on the way from a variable to the segment.
const MAX_DEPTH: usize = 3;
/// Objects of a process that are visited.
const MAX_OBJECTS: usize = 100_000;

/// A pointer into the segment.
pub struct Reached {
    pub offset: u64,
    pub target: TypeId,
    pub count: Option<u64>,
    /// The way from the variable: `app->ring`.
    pub path: String,
}

/// The pointers of one module's types, which are read once.
pub struct Reach<'a> {
    space: &'a AddressSpace,
    module: &'a Module,
    pointers: HashMap<TypeId, Rc<[PointerInside]>>,
    seen: HashSet<(u64, TypeId)>,
}

/// An object to visit.
struct Object {
    address: u64,
    ty: TypeId,
    path: String,
    depth: usize,
}

impl<'a> Reach<'a> {
    pub fn new(space: &'a AddressSpace, module: &'a Module) -> Self {
        Self { space, module, pointers: HashMap::new(), seen: HashSet::new() }
    }

    /// The pointers into the segment that a variable leads to.
    pub fn of_variable(&mut self, name: &str, address: u64, ty: TypeId) -> Vec<Reached> {
        let mut found = vec![];
        let mut next = VecDeque::from([Object { address, ty, path: name.to_owned(), depth: 0 }]);
        while let Some(object) = next.pop_front() {
            if self.seen.len() >= MAX_OBJECTS || !self.seen.insert((object.address, object.ty)) {
                continue;
            }
            for pointer in &*self.pointers(object.ty) {
                self.follow(&object, pointer, &mut found, &mut next);
            }
        }
        found
    }

    /// The pointers into the segment of a pointer whose value is known, such as one in a register.
    pub fn of_value(&mut self, name: &str, value: u64, ty: TypeId) -> Vec<Reached> {
        let pointers = self.pointers(ty);
        let [pointer] = &*pointers else { return vec![] };
        self.reached(value, pointer, None, name.to_owned()).into_iter().collect()
    }

    fn pointers(&mut self, ty: TypeId) -> Rc<[PointerInside]> {
        let program = &self.module.program;
        let read = || program.pointers(ty).unwrap_or_default().into();
        Rc::clone(self.pointers.entry(ty).or_insert_with(read))
    }

    fn number(&self, address: u64, size: u64) -> Option<u64> {
        self.space.number(address, size, self.module.program.byte_order() == ByteOrder::Little)
    }

    fn follow(
        &self,
        object: &Object,
        pointer: &PointerInside,
        found: &mut Vec<Reached>,
        next: &mut VecDeque<Object>,
    ) {
        let Some(value) = object
            .address
            .checked_add(pointer.offset)
            .and_then(|address| self.number(address, pointer.size))
            .filter(|&value| value != 0)
        else {
            return;
        };
        let path = match (object.depth, pointer.path.as_str()) {
            (_, "") => object.path.clone(),
            (0, path) if path.starts_with('[') => format!("{}{path}", object.path),
            (0, path) => format!("{}.{path}", object.path),
            (_, path) => format!("{}->{path}", object.path),
        };
        let count = pointer
            .count
            .and_then(|count| self.number(object.address.checked_add(count.offset)?, count.size));
        if let Some(reached) = self.reached(value, pointer, count, path.clone()) {
            found.push(reached);
        } else if object.depth < MAX_DEPTH {
            let is_own = self.space.mapping(value).is_some_and(|mapping| mapping.writable && !mapping.shared);
            if is_own {
                next.push_back(Object { address: value, ty: pointer.target, path, depth: object.depth + 1 });
            }
        }
    }

    fn reached(
        &self,
        value: u64,
        pointer: &PointerInside,
        count: Option<u64>,
        path: String,
    ) -> Option<Reached> {
        let offset = self.space.offset_of(value)?;
        Some(Reached { offset, target: pointer.target, count, path })
    }
}
