//! Declarations of a whole file: namespaces, typedefs, constants and variables.

use super::object::{CType, Entity, TagState};
use super::parser::{GLOBAL, Parser, shown};
use super::preprocess::{Problem, Result};
use super::token::TokenKind;

impl Parser<'_> {
    /// Reads declarations up to the end.
    pub fn file(&mut self) -> Result<()> {
        while self.peek().kind != TokenKind::End {
            if self.is("}") {
                return Err(self.expected("a declaration"));
            }
            self.declaration()?;
        }
        Ok(())
    }

    /// Reads a declaration. When lenient, keeps its error and skips it.
    fn declaration(&mut self) -> Result<()> {
        let start = self.at;
        let scope = self.scope;
        let result = self.nested(Self::declaration_here);
        let Err(problem) = result else { return Ok(()) };
        if !self.is_lenient {
            return Err(problem);
        }
        self.scope = scope;
        self.is_in_arguments = false;
        self.at = start;
        self.note_failure(&problem);
        self.problems.push(problem);
        self.skip_declaration()?;
        if self.at == start {
            self.next()?;
        }
        Ok(())
    }

    /// Keeps the error of a typedef or alias for those that use it. Structs keep their own.
    fn note_failure(&mut self, problem: &Problem) {
        let mut ahead = 0;
        let mut last = None;
        while !matches!(self.look(ahead).text, ";" | "{" | "=" | "(" | "" | "}") && ahead < 64 {
            if self.look(ahead).kind == TokenKind::Word {
                last = Some(self.look(ahead));
            }
            ahead += 1;
        }
        let is_type = matches!(self.peek().text, "typedef" | "using" | "struct" | "class" | "union" | "enum");
        if let Some(name) = last.filter(|_| is_type) {
            let scope = &mut self.scopes[self.scope];
            if !scope.tags.contains_key(name.text) {
                scope.names.entry(name.text.to_owned()).or_insert_with(|| Entity::Failed(problem.clone()));
            }
        }
    }

    fn declaration_here(&mut self) -> Result<()> {
        // `extern "C"`
        while self.is("extern") && self.look(1).kind == TokenKind::Text {
            self.next()?;
            self.next()?;
            if self.is("{") {
                return self.block();
            }
        }
        let token = self.peek();
        if self.eat(";")? {
            return Ok(());
        }
        match token.text {
            "namespace" => return self.namespace(false),
            "inline" if self.look(1).is("namespace") => {
                self.next()?;
                return self.namespace(true);
            }
            "using" => return self.using(),
            "template" => return self.template(),
            "static_assert" | "_Static_assert" | "friend" => return self.skip_declaration(),
            _ => {}
        }
        let specifiers = self.specifiers()?;
        let base = specifiers.ty.clone().unwrap_or(CType::Void);
        if self.eat(";")? || self.peek().kind == TokenKind::End {
            if self.is_known(&base) {
                self.last = Some(base);
            }
            return Ok(());
        }
        loop {
            let found = self.declarator(&base)?;
            let mut attributes = specifiers.attributes;
            attributes.add(found.attributes);
            if found.ty == CType::Function && !specifiers.is_typedef {
                return self.skip_declaration();
            }
            let Some(name) = found.name else {
                // A type alone was typed.
                if self.peek().kind == TokenKind::End {
                    self.last = Some(found.ty);
                    return Ok(());
                }
                return Err(self.expected("a name"));
            };
            if specifiers.is_typedef {
                let ty = self.realigned(found.ty, attributes.align, &name)?;
                let ty = if specifiers.is_anonymous { self.renamed(ty, &name) } else { ty };
                self.last = Some(ty.clone());
                self.declare(name, Entity::Type(ty))?;
            } else if !found.is_special {
                let value = if self.is("=") || self.is("{") { self.initializer()? } else { None };
                if let Ok(object) = self.complete(&found.ty, &name) {
                    self.scopes[self.scope].objects.insert(name.text.to_owned(), object);
                }
                if !specifiers.is_constant && self.is_known(&found.ty) {
                    self.last = Some(found.ty);
                }
                if specifiers.is_constant || self.find(name.text).is_none() {
                    self.scopes[self.scope].names.insert(name.text.to_owned(), Entity::Constant(value));
                }
            }
            if self.eat(",")? {
                continue;
            }
            if self.peek().kind != TokenKind::End {
                self.expect(";", "after the declaration")?;
            }
            return Ok(());
        }
    }

    /// Returns true for a type with a size.
    fn is_known(&self, ty: &CType) -> bool {
        match ty {
            CType::Object(_) => true,
            CType::Tag(tag) => matches!(self.tags[*tag].state, TagState::Complete(_)),
            CType::Void | CType::Function => false,
        }
    }

    fn namespace(&mut self, mut is_inline: bool) -> Result<()> {
        self.next()?;
        self.attributes()?;
        let outer = self.scope;
        let first = self.peek();
        if first.kind == TokenKind::Word && self.look(1).is("=") {
            self.next()?;
            self.next()?;
            if let Some(entity @ Entity::Namespace(_)) = self.name()? {
                self.scopes[outer].names.insert(first.text.to_owned(), entity);
            }
            self.expect(";", "after the namespace")?;
            return Ok(());
        }
        let mut has_name = false;
        while self.peek().kind == TokenKind::Word {
            let name = self.next()?;
            has_name = true;
            if name.is("inline") {
                is_inline = true;
                continue;
            }
            self.attributes()?;
            let known = match self.scopes[self.scope].names.get(name.text) {
                Some(Entity::Namespace(scope)) => Some(*scope),
                _ => None,
            };
            let scope = known.unwrap_or_else(|| self.add_scope(name.text, false));
            self.scopes[self.scope].names.insert(name.text.to_owned(), Entity::Namespace(scope));
            if std::mem::take(&mut is_inline) && known.is_none() {
                self.scopes[self.scope].used.push(scope);
            }
            self.scope = scope;
            self.eat("::")?;
        }
        if !has_name {
            // The names of an anonymous namespace appear around it.
            let scope = self.add_scope("", false);
            self.scopes[outer].used.push(scope);
            self.scope = scope;
        }
        let result = self.block();
        self.scope = outer;
        result
    }

    /// Reads declarations in braces.
    fn block(&mut self) -> Result<()> {
        let open = self.expect("{", "before the declarations")?;
        while !self.eat("}")? {
            if self.peek().kind == TokenKind::End {
                return Err(Problem::new(&open, "'{' is never closed"));
            }
            self.declaration()?;
        }
        Ok(())
    }

    /// `using Name = type;`, `using namespace a;`, `using a::Name;`
    pub fn using(&mut self) -> Result<()> {
        self.next()?;
        if self.eat("namespace")? {
            let token = self.peek();
            match self.name()? {
                Some(Entity::Namespace(scope)) => {
                    let current = self.scope;
                    self.scopes[current].used.push(scope);
                }
                // A namespace of a header that is not read has no names.
                _ if self.is_lenient => {}
                _ => return Err(Problem::new(&token, format!("unknown namespace '{}'", shown(token.text)))),
            }
        } else {
            let name = self.peek();
            let attributes_after = self.look(1);
            if attributes_after.is("=") || attributes_after.is("[") || attributes_after.is("__attribute__") {
                self.next()?;
                let attributes = self.attributes()?;
                self.expect("=", "after the name of the type")?;
                let ty = self.type_name()?;
                let ty = self.realigned(ty, attributes.align, &name)?;
                self.last = Some(ty.clone());
                self.declare(name, Entity::Type(ty))?;
            } else {
                self.using_name()?;
            }
        }
        self.expect(";", "after 'using'")?;
        Ok(())
    }

    fn using_name(&mut self) -> Result<()> {
        self.eat("typename")?;
        let mut last = self.peek();
        let mut ahead = 0;
        while self.look(ahead).kind == TokenKind::Word || self.look(ahead).is("::") {
            last = self.look(ahead);
            ahead += 1;
        }
        if !self.look(ahead).is(";") {
            // Operators and constructors of a base class.
            while !self.is(";") && self.peek().kind != TokenKind::End {
                self.next()?;
            }
            return Ok(());
        }
        if let Some(entity) = self.name()?
            && self.scope >= GLOBAL
        {
            self.scopes[self.scope].names.insert(last.text.to_owned(), entity);
        }
        Ok(())
    }
}
