//! Enumerations.

use crate::decode::{ByteOrder, Scalar};
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enum {
    /// Empty for an anonymous one.
    name: Arc<str>,
    underlying: Scalar,
    order: ByteOrder,
    /// As declared.
    enumerators: Vec<Enumerator>,
    /// Indexes of enumerators by value. Of equal ones, the first declared comes first.
    by_value: Vec<u32>,
    is_scoped: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enumerator {
    pub name: Arc<str>,
    pub value: i128,
}

impl Enum {
    #[must_use]
    pub fn new(
        name: impl Into<Arc<str>>,
        underlying: Scalar,
        order: ByteOrder,
        enumerators: Vec<Enumerator>,
    ) -> Self {
        let mut by_value: Vec<u32> = (0..).take(enumerators.len()).collect();
        by_value.sort_by_key(|&index| enumerators[index as usize].value);
        Self { name: name.into(), underlying, order, enumerators, by_value, is_scoped: false }
    }

    /// Makes it an `enum class`.
    #[must_use]
    pub const fn with_scope(mut self, is_scoped: bool) -> Self {
        self.is_scoped = is_scoped;
        self
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub const fn underlying(&self) -> Scalar {
        self.underlying
    }

    #[must_use]
    pub const fn order(&self) -> ByteOrder {
        self.order
    }

    /// Returns true for an `enum class`: its enumerators are in its own scope.
    #[must_use]
    pub const fn is_scoped(&self) -> bool {
        self.is_scoped
    }

    #[must_use]
    pub fn enumerators(&self) -> &[Enumerator] {
        &self.enumerators
    }

    /// The name of a value; `None` if it has none.
    #[must_use]
    pub fn name_of(&self, value: i128) -> Option<&str> {
        let at = self.by_value.partition_point(|&index| self.enumerators[index as usize].value < value);
        let found = &self.enumerators[*self.by_value.get(at)? as usize];
        (found.value == value).then_some(&*found.name)
    }
}
