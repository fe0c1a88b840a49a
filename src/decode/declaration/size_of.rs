//! `sizeof` and `alignof`, of types and of expressions.

use super::number::Integer;
use super::object::{CType, Entity, Object};
use super::parser::{Parser, shown};
use super::preprocess::{Problem, Result};
use super::token::{Token, TokenKind};
use crate::decode::{Path, TypeKind};

impl<'a> Parser<'a> {
    /// `sizeof(type)`, `sizeof expression`, `alignof(type)`.
    pub fn size_of(&mut self) -> Result<Option<Integer>> {
        let word = self.next()?;
        let ty = self.measured(word)?.ty;
        let size = if word.text == "sizeof" { ty.size() } else { ty.align() };
        Ok(Some(Integer::size(size)))
    }

    fn measured(&mut self, word: Token<'a>) -> Result<Object> {
        let start = self.at;
        if self.eat("(")? && self.starts_type() {
            let open = self.tokens[start];
            let ty = self.type_name()?;
            self.expect(")", "after the type")?;
            return self.complete(&ty, &open);
        }
        self.at = start;
        let problem = match self.operand() {
            Ok(object) => return Ok(object),
            Err(problem) => problem,
        };
        self.at = start;
        // The type of a character differs between C and C++.
        let is_character = self.look(1).kind == TokenKind::Character;
        match self.unary() {
            Ok(Some(value)) if !is_character => {
                let bits = usize::try_from(value.bits).unwrap_or(0);
                let name = if bits == 64 { "u64" } else { "u32" };
                crate::decode::Type::from_name(name)
                    .map(Object::plain)
                    .map_err(|error| Problem::new(&word, error.to_string()))
            }
            _ => Err(problem),
        }
    }

    /// Reads a variable or field with what follows it: `table[0]`, `Frame::header.name`,
    /// `((struct Frame *)0)->name`.
    fn operand(&mut self) -> Result<Object> {
        self.nested(|this| {
            let mut object = this.operand_start()?;
            loop {
                let token = this.peek();
                match token.text {
                    "." => {
                        this.next()?;
                        object = this.field_of(&object)?;
                    }
                    "[" => {
                        let TypeKind::Array(array) = object.ty.kind() else {
                            return Err(Problem::new(&token, "expected an array before '['"));
                        };
                        let element = Object { ty: array.element.clone(), ..object.clone() };
                        this.skip_brackets()?;
                        object = element;
                    }
                    _ => return Ok(object),
                }
            }
        })
    }

    fn operand_start(&mut self) -> Result<Object> {
        let open = self.peek();
        if !self.eat("(")? {
            return self.variable();
        }
        let start = self.at;
        if self.eat("(")? && self.starts_type() {
            // A pointer to nothing, only for the type of a field.
            let ty = self.specifiers()?.ty.unwrap_or(CType::Void);
            self.expect("*", "after the type")?;
            self.expect(")", "after the type")?;
            self.unary()?;
            self.expect(")", "after the pointer")?;
            self.expect("->", "before the field")?;
            let object = self.complete(&ty, &open)?;
            return self.field_of(&object);
        }
        self.at = start;
        let object = self.operand()?;
        self.expect(")", "after the expression")?;
        Ok(object)
    }

    /// Reads the name of a field.
    fn field_of(&mut self, object: &Object) -> Result<Object> {
        let name = self.next()?;
        let path = object.ty.parse_path(name.text).filter(|path| *path != Path::default());
        let place = path.and_then(|path| object.ty.place(&path)).filter(|place| place.bits.is_none());
        place.map(|place| Object::plain(place.ty.clone())).ok_or_else(|| {
            let ty = object.ty.to_string();
            Problem::new(&name, format!("'{}' has no field '{}'", shown(&ty), shown(name.text)))
        })
    }

    /// Reads the name of a variable or field, with its scopes.
    fn variable(&mut self) -> Result<Object> {
        let first = self.peek();
        let start = self.at;
        let mut scope = None;
        loop {
            let token = self.next()?;
            if token.kind != TokenKind::Word {
                return Err(Problem::new(
                    &token,
                    format!("expected a type or variable, found '{}'", shown(token.text)),
                ));
            }
            if !self.is("::") {
                let found = match scope {
                    Some(scope) => {
                        self.scopes.get::<usize>(scope).and_then(|scope| scope.objects.get(token.text))
                    }
                    None => self.object(token.text),
                };
                return found.cloned().ok_or_else(|| {
                    let name = self.qualified_at(start);
                    Problem::new(&first, format!("unknown variable '{}'", shown(&name)))
                });
            }
            self.next()?;
            let found = scope.map_or_else(|| self.find(token.text), |scope| self.find_in(scope, token.text));
            scope = match found {
                Some(Entity::Namespace(scope)) => Some(scope),
                Some(Entity::Type(ty)) => self.complete(&ty, &token)?.class.map(|class| class.scope),
                _ => None,
            };
            if scope.is_none() {
                return Err(Problem::new(&token, format!("unknown scope '{}'", shown(token.text))));
            }
        }
    }

    /// Looks a variable or field up in the current scope and those around it.
    fn object(&self, name: &str) -> Option<&Object> {
        let mut scope = Some(self.scope);
        while let Some(at) = scope {
            if let Some(found) = self.scopes[at].objects.get(name) {
                return Some(found);
            }
            scope = self.scopes[at].parent;
        }
        None
    }
}
