//! Enumerations.

use super::number::Integer;
use super::object::{CType, Entity, Object, Tag, TagState};
use super::parser::{Parser, shown};
use super::preprocess::{Problem, Result};
use super::token::{Token, TokenKind};
use crate::decode::{ByteOrder, Enum, Enumerator, Scalar, Type};

impl<'a> Parser<'a> {
    /// Reads an enumeration from its keyword on.
    pub fn enumeration(&mut self) -> Result<CType> {
        let keyword = self.next()?;
        let is_scoped = self.eat("class")? || self.eat("struct")?;
        let mut attributes = self.attributes()?;
        let mut name = None;
        while self.peek().kind == TokenKind::Word && !self.is("__attribute__") {
            name = Some(self.next()?);
            if !self.eat("::")? {
                break;
            }
        }
        let has_base = self.is(":");
        let fixed = if has_base {
            self.next()?;
            let token = self.peek();
            let ty = self.specifiers()?.ty.unwrap_or(CType::Void);
            let scalar = self.complete(&ty, &token)?.integer();
            Some(
                scalar
                    .ok_or_else(|| Problem::new(&token, "the type of an enumeration must be an integer"))?,
            )
        } else {
            is_scoped.then_some(Scalar::I32)
        };
        if !self.is("{") {
            return self.named_enumeration(keyword, name, fixed);
        }
        let shown_name = name.map_or_else(String::new, |name| self.qualified(name.text));
        let prefix = name.map_or("", |name| name.text);
        let scope = self.add_scope(prefix, true);
        let (enumerators, values) = self.enumerators(scope, is_scoped, fixed)?;
        attributes.add(self.attributes()?);
        let underlying = fixed.or_else(|| underlying(&values, attributes.is_packed));
        let underlying = underlying.ok_or_else(|| {
            Problem::new(&keyword, "the values of the enumeration do not fit into any integer")
        })?;
        let found = Enum::new(shown_name.as_str(), underlying, ByteOrder::Little, enumerators);
        let ty = Type::enumeration(found.with_scope(is_scoped));
        let align = attributes.align.map_or(ty.align(), |align| align.max(ty.align()));
        let object = Object::plain(ty.with_align(align));
        let Some(name) = name else { return Ok(CType::Object(object)) };
        let tag = self.tag(name, Some(scope));
        match &self.tags[tag].state {
            TagState::Complete(old) if has_enumerators(old) => {
                return Err(Problem::new(&name, format!("'{}' is defined twice", shown(name.text))));
            }
            _ => self.tags[tag].state = TagState::Complete(object),
        }
        Ok(CType::Tag(tag))
    }

    /// An enumeration that is named without its enumerators.
    fn named_enumeration(
        &mut self,
        keyword: Token<'a>,
        name: Option<Token<'a>>,
        fixed: Option<Scalar>,
    ) -> Result<CType> {
        let Some(name) = name else { return Err(self.expected("a name or '{' after 'enum'")) };
        let known = if fixed.is_some() { None } else { self.find_tag(name.text) };
        match (known, fixed) {
            (Some(Entity::Type(ty)), _) => Ok(ty),
            (_, Some(scalar)) => {
                let scope = self.add_scope(name.text, true);
                let tag = self.tag(name, Some(scope));
                if matches!(self.tags[tag].state, TagState::Declared) {
                    let name = self.tags[tag].name.clone();
                    let ty = Type::enumeration(Enum::new(name, scalar, ByteOrder::Little, vec![]));
                    self.tags[tag].state = TagState::Complete(Object::plain(ty));
                }
                Ok(CType::Tag(tag))
            }
            (Some(Entity::Failed(problem)), _) => Err(problem),
            _ => Err(Problem::new(&keyword, format!("unknown enumeration '{}'", shown(name.text)))),
        }
    }

    fn enumerators(
        &mut self,
        scope: usize,
        is_scoped: bool,
        fixed: Option<Scalar>,
    ) -> Result<(Vec<Enumerator>, Vec<Integer>)> {
        self.expect("{", "before the enumerators")?;
        let home = self.tag_scope();
        let (mut enumerators, mut values) = (vec![], vec![]);
        let mut next = Integer::int(0);
        while !self.eat("}")? {
            let name = self.next()?;
            if name.kind != TokenKind::Word {
                return Err(Problem::new(
                    &name,
                    format!("expected an enumerator, found '{}'", shown(name.text)),
                ));
            }
            self.attributes()?;
            if self.eat("=")? {
                next = self.inside(scope, Self::constant)?;
            }
            if let Some(scalar) = fixed {
                let bits = u32::try_from(8 * scalar.size()).unwrap_or(64).min(64);
                let cast = next.cast(bits, scalar.is_signed());
                if cast.value != next.value {
                    return Err(Problem::new(&name, format!("the value {} does not fit", next.value)));
                }
                next = cast;
            }
            enumerators.push(Enumerator { name: name.text.into(), value: next.value });
            values.push(next);
            self.scopes[scope].names.insert(name.text.to_owned(), Entity::Constant(Some(next)));
            if !is_scoped {
                self.scopes[home].names.insert(name.text.to_owned(), Entity::Constant(Some(next)));
            }
            next = following(next);
            if !self.eat(",")? {
                self.expect("}", "after the enumerators")?;
                break;
            }
        }
        Ok((enumerators, values))
    }

    /// Finds or declares a struct, union or enumeration in the current scope.
    pub fn tag(&mut self, name: Token<'a>, scope: Option<usize>) -> usize {
        let home = self.tag_scope();
        if let Some(Entity::Type(CType::Tag(tag))) = self.scopes[home].tags.get(name.text) {
            let tag = *tag;
            if let Some(scope) = scope {
                self.enum_scopes.insert(tag, scope);
            }
            return tag;
        }
        let shown_name = format!("{}{}", self.scopes[home].prefix, name.text);
        self.tags.push(Tag { name: shown_name, state: TagState::Declared });
        let tag = self.tags.len() - 1;
        self.scopes[home].tags.insert(name.text.to_owned(), Entity::Type(CType::Tag(tag)));
        if let Some(scope) = scope {
            self.enum_scopes.insert(tag, scope);
        }
        tag
    }

    /// The scope of the names of structs: in C, those in a struct belong to the file.
    fn tag_scope(&self) -> usize {
        let mut scope = self.scope;
        while !self.is_cpp() && self.scopes[scope].is_class {
            scope = self.scopes[scope].parent.unwrap_or(super::parser::GLOBAL);
        }
        scope
    }

    /// Looks up the name of a struct, union or enumeration.
    pub fn find_tag(&self, name: &str) -> Option<Entity> {
        let mut scope = Some(self.scope);
        while let Some(at) = scope {
            if let Some(found) = self.scopes[at].tags.get(name) {
                return Some(found.clone());
            }
            // A template or the typedef of another struct.
            if let Some(found) = self.scopes[at].names.get(name).filter(|_| self.is_cpp()) {
                return Some(found.clone());
            }
            scope = self.scopes[at].parent;
        }
        None
    }

    /// The scope of the enumerators of a type.
    pub fn enum_scope(&self, ty: &CType) -> Option<usize> {
        match ty {
            CType::Tag(tag) => self.enum_scopes.get(tag).copied(),
            _ => None,
        }
    }
}

fn has_enumerators(object: &Object) -> bool {
    match object.ty.kind() {
        crate::decode::TypeKind::Enum(found) => !found.enumerators().is_empty(),
        _ => true,
    }
}

/// The value of an enumerator without one, of the next type if it does not fit.
fn following(value: Integer) -> Integer {
    let next = Integer { value: value.value + 1, ..value };
    let fits = next.cast(next.bits, next.is_signed).value == next.value;
    if fits { next } else { Integer { bits: 64, is_signed: value.value < 0, ..next } }
}

/// Chooses the type of an enumeration as gcc does: `unsigned` or `int`, or 64 bits if needed.
fn underlying(values: &[Integer], is_packed: bool) -> Option<Scalar> {
    const SIGNED: [Scalar; 4] = [Scalar::I8, Scalar::I16, Scalar::I32, Scalar::I64];
    const UNSIGNED: [Scalar; 4] = [Scalar::U8, Scalar::U16, Scalar::U32, Scalar::U64];
    let low = values.iter().map(|value| value.value).min().unwrap_or(0).min(0);
    let high = values.iter().map(|value| value.value).max().unwrap_or(0);
    let from = if is_packed { 0 } else { 2 };
    (if low < 0 { SIGNED } else { UNSIGNED }).into_iter().skip(from).find(|scalar| {
        let bits = 8 * scalar.size();
        let (lowest, end) =
            if low < 0 { (-(1_i128 << (bits - 1)), 1_i128 << (bits - 1)) } else { (0, 1 << bits) };
        low >= lowest && high < end
    })
}
