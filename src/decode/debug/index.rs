//! The list of all types of a program, and the search for one by its name.

use super::error::{DebugError, Result};
use super::name::{ends_with, last_part, normalized};
use super::outline::{Item, Name, Outline, name_bytes};
use super::program::Program;
use super::same::is_same;
use super::types::Builder;
use super::units::{Die, LoadedUnit};
use crate::decode::Type;
use gimli::constants as dw;
use std::collections::{HashMap, HashSet};
use std::sync::PoisonError;

/// Types of a program that are listed.
const MAX_TYPES: usize = 1 << 19;
/// Scopes within scopes.
pub(super) const MAX_DEPTH: usize = 64;
/// Types found by name that are kept.
const MAX_FOUND: usize = 1024;
/// Candidates that a message names.
const MAX_NAMED: usize = 6;

/// A type that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedType {
    /// With its namespaces, as the compiler writes it: `ns::Ring<float, 4>`.
    pub name: String,
    pub kind: NamedKind,
    pub size: u64,
    pub id: TypeId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NamedKind {
    Record,
    Enum,
    /// A `typedef` of an array.
    Array,
    /// A `typedef` of another type that has a name.
    Alias,
}

/// A type in a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TypeId(pub(super) Die);

/// The named types of all units.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By name. Types of several units with the same name and size appear once.
    names: Vec<Named>,
    /// Types by the last part of their name, in the form in which they are compared.
    by_last_part: HashMap<String, Vec<u32>>,
}

#[derive(Debug)]
struct Named {
    name: String,
    kind: NamedKind,
    /// `None` for a `typedef`.
    size: Option<u64>,
    die: Die,
}

/// The name that an item gives to what is in it.
pub(super) fn scope_name(unit: &LoadedUnit, item: &Item) -> Option<String> {
    match (name_bytes(unit, item.name), item.tag) {
        (Some(_), dw::DW_TAG_namespace) if item.is_inline => None,
        (Some(name), _) => Some(String::from_utf8_lossy(name.bytes()).into_owned()),
        (None, dw::DW_TAG_namespace) => Some("(anonymous namespace)".to_owned()),
        (None, _) => None,
    }
}

/// The qualified names of the items of a unit. Each is made once.
struct Names<'a> {
    unit: &'a LoadedUnit,
    outline: &'a Outline,
    prefixes: HashMap<u32, String>,
}

impl Names<'_> {
    fn prefix(&mut self, item: Option<u32>, depth: usize) -> String {
        let Some(index) = item else { return String::new() };
        if let Some(prefix) = self.prefixes.get(&index) {
            return prefix.clone();
        }
        let Some(item) = self.outline.items.get(index as usize) else { return String::new() };
        // Damaged declarations may form a circle.
        if depth == 0 {
            return String::new();
        }
        let mut prefix = self.prefix(item.scope, depth - 1);
        if let Some(name) = scope_name(self.unit, item) {
            prefix = prefix + &name + "::";
        }
        self.prefixes.insert(index, prefix.clone());
        prefix
    }
}

impl Index {
    fn build(program: &Program) -> Result<Self> {
        program.require()?;
        let units = &program.sections.units;
        let mut seen = HashSet::new();
        let mut types = vec![];
        for number in units.numbers() {
            let unit = units.get(number)?;
            let outline = program.outline(number)?;
            let mut names = Names { unit, outline, prefixes: HashMap::new() };
            for (die, item) in outline.dies(number) {
                let Some(kind) = kind(item) else { continue };
                let Some(own) = name_bytes(unit, item.name) else { continue };
                let mut name = names.prefix(item.scope, MAX_DEPTH);
                name += &String::from_utf8_lossy(own.bytes());
                if !seen.insert((hash(&name), kind, item.size)) {
                    continue;
                }
                if types.len() >= MAX_TYPES {
                    return Err(DebugError::TooLong);
                }
                types.push(Named { name, kind, size: item.size, die });
            }
        }
        if types.is_empty() {
            let lines_only = || DebugError::LinesOnly { file: program.sections.name.clone() };
            return Err(program.missing().first().cloned().unwrap_or_else(lines_only));
        }
        types.sort_by(|one, other| one.name.cmp(&other.name).then(one.die.cmp(&other.die)));
        let mut by_last_part: HashMap<String, Vec<u32>> = HashMap::new();
        for (number, ty) in (0..).zip(&types) {
            let key = normalized(last_part(&ty.name));
            by_last_part.entry(key).or_default().push(number);
        }
        Ok(Self { names: types, by_last_part })
    }

    /// The types with this name; without any, those whose names end with it.
    fn named(&self, key: &str) -> Vec<&Named> {
        let Some(candidates) = self.by_last_part.get(last_part(key)) else { return vec![] };
        let found = |matches: &dyn Fn(&str) -> bool| -> Vec<&Named> {
            let types = candidates.iter().filter_map(|&number| self.names.get(number as usize));
            types.filter(|ty| matches(&normalized(&ty.name))).collect()
        };
        let exact = found(&|name| name == key);
        if exact.is_empty() { found(&|name| ends_with(name, key)) } else { exact }
    }
}

fn hash(name: &str) -> u128 {
    xxhash_rust::xxh3::xxh3_128(name.as_bytes())
}

/// Splits the dimensions of an array from the name of its element. The innermost one comes first.
fn dimensions(name: &str) -> (&str, Vec<u64>) {
    let (mut element, mut counts) = (name.trim_end(), vec![]);
    while let Some((before, count)) = element.strip_suffix(']').and_then(|inside| inside.rsplit_once('['))
        && let Ok(count) = count.trim().parse()
    {
        counts.push(count);
        element = before.trim_end();
    }
    (element, counts)
}

fn kind(item: &Item) -> Option<NamedKind> {
    if item.name == Name::None || item.is_declaration {
        return None;
    }
    match item.tag {
        dw::DW_TAG_structure_type
        | dw::DW_TAG_class_type
        | dw::DW_TAG_union_type
        | dw::DW_TAG_interface_type => Some(NamedKind::Record),
        dw::DW_TAG_enumeration_type => Some(NamedKind::Enum),
        dw::DW_TAG_typedef => Some(NamedKind::Alias),
        _ => None,
    }
}

impl Program {
    fn index(&self) -> Result<&Index> {
        self.index.get_or_init(|| Index::build(self)).as_ref().map_err(Clone::clone)
    }

    /// All records, enumerations and arrays that have a name, by name.
    ///
    /// # Errors
    /// Fails without debug information.
    pub fn types(&self) -> Result<Vec<NamedType>> {
        let mut builder = Builder::new(self);
        let listed = |named: &Named| {
            let (kind, size) = match (named.kind, named.size) {
                (NamedKind::Alias, _) => builder.alias(named.die)?,
                (kind, size) => (kind, size?),
            };
            Some(NamedType { name: named.name.clone(), kind, size, id: TypeId(named.die) })
        };
        Ok(self.index()?.names.iter().filter_map(listed).collect())
    }

    /// The types of a size.
    ///
    /// # Errors
    /// Fails without debug information.
    pub fn types_of_size(&self, size: u64) -> Result<Vec<NamedType>> {
        Ok(self.types()?.into_iter().filter(|ty| ty.size == size).collect())
    }

    /// Finds a type by its name. Namespaces may be left out if only one type has the name then, and
    /// spaces make no difference. `[4]` after it makes an array.
    ///
    /// # Errors
    /// Fails if there is no such type, or if there are several that differ.
    pub fn find(&self, name: &str) -> Result<Type> {
        self.require()?;
        let (element, counts) = dimensions(name);
        let too_large = |problem| DebugError::Type { name: crate::segment::escape(name.as_bytes()), problem };
        counts
            .into_iter()
            .try_fold(self.find_named(element)?, |ty, count| Type::array(ty, count).map_err(too_large))
    }

    fn find_named(&self, name: &str) -> Result<Type> {
        let key = normalized(name);
        let found = || self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ty) = found().get(&key) {
            return Ok(ty.clone());
        }
        let ty = self.search(name, &key)?;
        let mut found = found();
        if found.len() < MAX_FOUND {
            found.insert(key, ty.clone());
        }
        Ok(ty)
    }

    fn search(&self, name: &str, key: &str) -> Result<Type> {
        let shown = || crate::segment::escape(name.as_bytes());
        let in_index = |index: &Index| index.named(key).iter().map(|named| named.die).collect();
        let mut found: Vec<Die> = match self.index.get() {
            Some(Ok(index)) => in_index(index),
            _ => vec![],
        };
        if found.is_empty() {
            found = self.quick_find(key)?;
        }
        if found.is_empty() {
            found = in_index(self.index()?);
        }
        let mut types: Vec<(Die, Type)> = vec![];
        let mut problem = None;
        for die in found {
            match self.ty(TypeId(die)) {
                // The same type in several units, or an alias of it.
                Ok(ty) if types.iter().any(|(_, other)| is_same(other, &ty)) => {}
                Ok(ty) => types.push((die, ty)),
                Err(error) => problem = Some(error),
            }
        }
        match (types.pop(), types.as_slice()) {
            (Some((_, ty)), []) => Ok(ty),
            (Some(last), others) => {
                let text = |(die, ty): &(Die, Type)| {
                    format!("{} ({} bytes)", self.qualified_name(*die).unwrap_or_default(), ty.size())
                };
                let candidates: Vec<String> =
                    others.iter().chain([&last]).take(MAX_NAMED).map(text).collect();
                let candidates = crate::segment::escape(candidates.join(", ").as_bytes());
                Err(DebugError::Ambiguous { name: shown(), candidates })
            }
            // It may be in a part that is missing.
            (None, _) => Err(problem
                .or_else(|| self.missing().first().cloned())
                .unwrap_or_else(|| DebugError::UnknownType(shown()))),
        }
    }

    /// Builds a type of the list.
    ///
    /// # Errors
    /// Fails if a part of it is missing, or if it is damaged.
    pub fn ty(&self, id: TypeId) -> Result<Type> {
        Builder::new(self).ty(id.0)
    }

    /// The entry that defines a record or enumeration that is only declared elsewhere.
    pub(super) fn definition(&self, name: &str) -> Result<Option<Die>> {
        let key = normalized(name);
        let Some(candidates) = self.index()?.by_last_part.get(last_part(&key)) else { return Ok(None) };
        let names = candidates.iter().filter_map(|&number| self.index().ok()?.names.get(number as usize));
        let mut definitions = names.filter(|named| named.size.is_some() && normalized(&named.name) == key);
        Ok(definitions.next().map(|named| named.die))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_are_split_from_the_name() {
        assert_eq!(dimensions("a::B<int, 3>[2] [4]"), ("a::B<int, 3>", vec![4, 2]));
        assert_eq!(dimensions("B"), ("B", vec![]));
        assert_eq!(dimensions("B[]"), ("B[]", vec![]));
        assert_eq!(dimensions("&[u8]"), ("&[u8]", vec![]));
    }
}
