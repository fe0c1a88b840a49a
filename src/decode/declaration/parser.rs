//! The parser: its position, scopes and names.

use super::object::{CType, Entity, Object, Scope, Tag, TagState};
use super::preprocess::{Problem, Result};
use super::source::Language;
use super::token::{Token, TokenKind};
use crate::decode::TypeError;
use crate::segment::{escape, shorten};
use std::collections::HashMap;

/// Nested declarations and expressions. Each level takes some kilobytes of stack in a debug build.
const MAX_DEPTH: u32 = 80;
/// Tokens read, with those of templates once per use.
const MAX_STEPS: u64 = 16 << 20;
/// Scopes whose names appear in others.
const MAX_USED: usize = 64;

#[derive(Clone)]
pub(super) struct Parser<'a> {
    pub tokens: Vec<Token<'a>>,
    pub at: usize,
    pub language: Language,
    pub scopes: Vec<Scope>,
    pub scope: usize,
    pub tags: Vec<Tag>,
    /// Errors in declarations are kept, and reported when their names are used.
    pub is_lenient: bool,
    pub problems: Vec<Problem>,
    /// The type of the last declaration.
    pub last: Option<CType>,
    /// Instances of templates, by the number of the template.
    pub instances: Vec<Vec<(Vec<super::object::Argument>, CType)>>,
    pub instance_depth: u32,
    /// The scopes of enumerators, by tag.
    pub enum_scopes: HashMap<usize, usize>,
    pub class_count: usize,
    /// Templates that cannot be used, by their numbers.
    pub refusals: HashMap<usize, String>,
    /// `>` ends an expression, because it is in the arguments of a template.
    pub is_in_arguments: bool,
    /// Set once a construct is found that only C++ has.
    pub has_cpp: bool,
    depth: u32,
    steps: u64,
}

/// The scope of the standard types.
pub(super) const STANDARD: usize = 0;
/// The global scope of the declarations.
pub(super) const GLOBAL: usize = 1;

impl<'a> Parser<'a> {
    pub fn new(tokens: Vec<Token<'a>>, language: Language) -> Self {
        let global = Scope { parent: Some(STANDARD), ..Scope::default() };
        Self {
            tokens,
            at: 0,
            language,
            scopes: vec![Scope::default(), global],
            scope: STANDARD,
            tags: vec![],
            is_lenient: false,
            problems: vec![],
            last: None,
            instances: vec![],
            instance_depth: 0,
            enum_scopes: HashMap::new(),
            class_count: 0,
            refusals: HashMap::new(),
            is_in_arguments: false,
            has_cpp: false,
            depth: 0,
            steps: 0,
        }
    }

    pub const fn is_cpp(&self) -> bool {
        matches!(self.language, Language::Cpp)
    }

    /// The token `ahead` of the next one.
    pub fn look(&self, ahead: usize) -> Token<'a> {
        let last = self.tokens.len() - 1;
        self.tokens[(self.at + ahead).min(last)]
    }

    pub fn peek(&self) -> Token<'a> {
        self.look(0)
    }

    pub fn next(&mut self) -> Result<Token<'a>> {
        let token = self.peek();
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(Problem::new(&token, "the declarations are too complex"));
        }
        if token.kind != TokenKind::End {
            self.at += 1;
        }
        Ok(token)
    }

    pub fn is(&self, text: &str) -> bool {
        self.peek().is(text)
    }

    /// Takes the next token if it is this one.
    pub fn eat(&mut self, text: &str) -> Result<bool> {
        let found = self.is(text);
        if found {
            self.next()?;
        }
        Ok(found)
    }

    /// Takes the next token, which must be this one. `place` completes "expected ';' …".
    pub fn expect(&mut self, text: &str, place: &str) -> Result<Token<'a>> {
        if self.is(text) { self.next() } else { Err(self.expected(&format!("'{text}' {place}"))) }
    }

    /// An error at the next token.
    pub fn expected(&self, expected: &str) -> Problem {
        let token = self.peek();
        let found = match token.kind {
            TokenKind::End => "the end".to_owned(),
            _ => format!("'{}'", shown(token.text)),
        };
        Problem::new(&token, format!("expected {expected}, found {found}"))
    }

    /// Runs a part that may contain itself.
    pub fn nested<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            return Err(Problem::new(&self.peek(), "the declarations are nested too deeply"));
        }
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }

    /// Skips what is in brackets, which are next.
    pub fn skip_brackets(&mut self) -> Result<()> {
        let open = self.peek();
        let mut depth = 0_u32;
        loop {
            let token = self.next()?;
            match (token.kind, token.text) {
                (TokenKind::End, _) => {
                    return Err(Problem::new(&open, format!("'{}' is never closed", open.text)));
                }
                (TokenKind::Mark, "(" | "[" | "{") => depth += 1,
                (TokenKind::Mark, ")" | "]" | "}") => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Skips the rest of a declaration: through its `;`, or the end of its body. Stops before a `}`
    /// of what is around it.
    pub fn skip_declaration(&mut self) -> Result<()> {
        // The names after a struct belong to it.
        let mut is_type = false;
        loop {
            let token = self.peek();
            match (token.kind, token.text) {
                (TokenKind::End, _) | (TokenKind::Mark, "}") => return Ok(()),
                (TokenKind::Mark, ";") => return self.next().map(drop),
                (TokenKind::Mark, "{") => {
                    self.skip_brackets()?;
                    if self.eat(";")? || !is_type {
                        return Ok(());
                    }
                }
                (TokenKind::Mark, "(" | "[") => {
                    // The body after parameters is that of a function.
                    is_type &= token.text == "[" || self.look(1).is("(");
                    self.skip_brackets()?;
                }
                (TokenKind::Word, "struct" | "class" | "union" | "enum" | "typedef") => {
                    is_type = true;
                    self.next()?;
                }
                (TokenKind::Mark, "=") => {
                    // Braces of an initializer are no body.
                    is_type = true;
                    self.next()?;
                }
                _ => drop(self.next()?),
            }
        }
    }

    /// Opens a scope inside of the current one.
    pub fn add_scope(&mut self, name: &str, is_class: bool) -> usize {
        let parent = &self.scopes[self.scope];
        let prefix =
            if name.is_empty() { parent.prefix.clone() } else { format!("{}{name}::", parent.prefix) };
        self.scopes.push(Scope { parent: Some(self.scope), prefix, is_class, ..Scope::default() });
        self.scopes.len() - 1
    }

    /// Runs a part in another scope.
    pub fn inside<T>(&mut self, scope: usize, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let outer = std::mem::replace(&mut self.scope, scope);
        let result = part(self);
        self.scope = outer;
        result
    }

    pub fn qualified(&self, name: &str) -> String {
        format!("{}{name}", self.scopes[self.scope].prefix)
    }

    /// Declares a name. The same type may be declared twice.
    pub fn declare(&mut self, name: Token<'a>, entity: Entity) -> Result<()> {
        let names = &self.scopes[self.scope].names;
        if let (Some(Entity::Type(old)), Entity::Type(new)) = (names.get(name.text), &entity)
            && !self.is_same(old, new)
        {
            return Err(Problem::new(
                &name,
                format!("'{}' is declared as two different types", shown(name.text)),
            ));
        }
        self.scopes[self.scope].names.insert(name.text.to_owned(), entity);
        Ok(())
    }

    fn is_same(&self, old: &CType, new: &CType) -> bool {
        let object = |ty: &CType| match ty {
            CType::Object(object) => Some(object.clone()),
            CType::Tag(tag) => match &self.tags[*tag].state {
                TagState::Complete(object) => Some(object.clone()),
                _ => None,
            },
            _ => None,
        };
        old == new || object(old).is_some_and(|old| Some(old) == object(new))
    }

    /// Looks a name up in the current scope and those around it.
    pub fn find(&self, name: &str) -> Option<Entity> {
        let mut scope = Some(self.scope);
        while let Some(at) = scope {
            if let Some(found) = self.find_in(at, name) {
                return Some(found);
            }
            scope = self.scopes[at].parent;
        }
        None
    }

    /// Looks a name up in a scope and those that it uses.
    pub fn find_in(&self, scope: usize, name: &str) -> Option<Entity> {
        let mut seen = vec![scope];
        let mut next = 0;
        while let Some(&at) = seen.get(next) {
            next += 1;
            let found = &self.scopes[at];
            if let Some(entity) = found.names.get(name).or_else(|| found.tags.get(name)) {
                return Some(entity.clone());
            }
            for &used in &found.used {
                if seen.len() < MAX_USED && !seen.contains(&used) {
                    seen.push(used);
                }
            }
        }
        None
    }

    /// Returns a type that must be known with its size.
    pub fn complete(&self, ty: &CType, token: &Token<'_>) -> Result<Object> {
        match ty {
            CType::Object(object) => Ok(object.clone()),
            CType::Void => Err(Problem::new(token, "expected a type with a size, found 'void'")),
            CType::Function => Err(Problem::new(token, "expected a type with a size, found a function")),
            CType::Tag(tag) => {
                let Tag { name, state } = &self.tags[*tag];
                let name = shown(name);
                Err(match state {
                    TagState::Complete(object) => return Ok(object.clone()),
                    TagState::Failed(problem) => problem.clone(),
                    TagState::Open => Problem::new(token, format!("'{name}' contains itself; use a pointer")),
                    TagState::Declared => {
                        Problem::new(token, format!("'{name}' is declared but its fields are not"))
                    }
                })
            }
        }
    }

    /// The name of a type, for pointers to it.
    pub fn name_of(&self, ty: &CType) -> String {
        match ty {
            CType::Void => "void".to_owned(),
            CType::Function => "function".to_owned(),
            CType::Tag(tag) => self.tags[*tag].name.clone(),
            CType::Object(object) => object.ty.to_string(),
        }
    }
}

/// Turns a limit of types into an error at a token.
pub(super) fn too_large(token: Token<'_>) -> impl Fn(TypeError) -> Problem {
    move |error| Problem::new(&token, format!("the type is not possible: {error}"))
}

/// Text of a declaration in a message.
pub(super) fn shown(text: &str) -> String {
    shorten(&escape(text.as_bytes()), 60, "…")
}
