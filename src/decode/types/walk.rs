//! Walks over the leaves of a type.

use super::{Path, Place, Type};

/// The leaves of a type, in order. Values without leaves cost nothing, however many they are.
#[derive(Debug, Clone)]
pub struct Leaves<'a> {
    root: &'a Type,
    /// The values that contain the next leaf, each with the number of its next child.
    stack: Vec<(Place<'a>, u64)>,
}

impl<'a> Leaves<'a> {
    pub(super) fn new(place: Place<'a>) -> Self {
        Self { root: place.ty, stack: vec![(place, 0)] }
    }

    /// The path to the last leaf.
    #[must_use]
    pub fn path(&self) -> Path {
        let parents = self.stack.len().saturating_sub(1);
        Path(self.stack[..parents].iter().map(|&(_, next)| next - 1).collect())
    }

    /// The text of the path to the last leaf.
    #[must_use]
    pub fn path_text(&self) -> String {
        self.root.path_text(&self.path())
    }
}

impl<'a> Iterator for Leaves<'a> {
    type Item = Place<'a>;

    fn next(&mut self) -> Option<Place<'a>> {
        loop {
            let (place, next) = self.stack.last_mut()?;
            if place.ty.is_leaf() && *next == 0 {
                *next = 1;
                return Some(*place);
            }
            if place.ty.leaf_count() > 0
                && let Some(child) = place.child(*next)
            {
                *next += 1;
                self.stack.push((child.place, 0));
            } else {
                self.stack.pop();
            }
        }
    }
}
