//! C and C++ declarations, laid out as gcc does on x86-64 Linux.
//!
//! The text may come from anybody: its length, nesting, and the work on it are bounded.

mod attributes;
mod class;
mod declarator;
mod enumeration;
mod error;
mod expression;
mod file;
mod layout;
mod macros;
mod number;
mod object;
mod parser;
mod preprocess;
mod source;
mod specifiers;
mod template;
mod token;

pub use error::DeclarationError;
pub use source::{Language, Sources};

use super::Type;
use object::{CType, Entity, TagState};
use parser::{GLOBAL, Parser, shown};
use preprocess::{Problem, Result, preprocess};
use token::{Token, TokenKind, tokens};

/// Parses declarations and returns one of their types: that with this name, or the last one. The name
/// may have scopes, template arguments, and array sizes. Without a language, the words decide.
///
/// # Errors
/// Fails if the declarations are wrong or not supported, or if there is no such type.
pub fn parse_declarations(
    sources: &Sources,
    name: Option<&str>,
    language: Option<Language>,
) -> std::result::Result<Type, DeclarationError> {
    let language = language.unwrap_or_else(|| sources.language());
    parse(sources, name, language).map_err(|problem| problem.locate(sources))
}

fn parse(sources: &Sources, name: Option<&str>, language: Language) -> Result<Type> {
    let (tokens, standard) = preprocess(sources, language)?;
    let mut parser = Parser::new(tokens, language);
    let end = parser.tokens.len() - 1;
    parser.standard(standard)?;
    parser.last = None;
    parser.scope = GLOBAL;
    // Of a header, only the named type has to be right.
    parser.is_lenient = name.is_some();
    parser.file()?;
    let last = parser.tokens[end];
    let ty = match name {
        Some(name) => parser.chosen(name)?,
        None => parser.last.clone().ok_or_else(|| Problem::new(&last, "expected a type, found none"))?,
    };
    let object = parser.complete(&ty, &last)?;
    Ok(object.ty)
}

impl<'a> Parser<'a> {
    /// Reads the standard types, which are the first tokens.
    fn standard(&mut self, count: usize) -> Result<()> {
        let place = self.look(0).place;
        let rest = self.tokens.split_off(count);
        self.tokens.push(Token {
            kind: TokenKind::End,
            text: "",
            place,
            starts_line: true,
            is_glued: false,
            pack: 0,
        });
        self.file()?;
        self.tokens.pop();
        self.tokens.extend(rest);
        if let Some(Entity::Namespace(std)) = self.scopes[parser::STANDARD].names.get("std") {
            let std = *std;
            // `std::size_t` and the like.
            self.scopes[std].used.push(parser::STANDARD);
        }
        Ok(())
    }

    /// Finds the type with a name. One without a scope may be in any namespace.
    fn chosen(&mut self, name: &'a str) -> Result<CType> {
        let start = self.tokens.len();
        // Errors in the name have the place of its text.
        self.tokens.extend(tokens(name, u16::MAX));
        let last = self.tokens[start - 1];
        self.tokens.push(Token { place: self.tokens.last().map_or(last.place, |token| token.place), ..last });
        self.at = start;
        let first = self.peek();
        if first.kind == TokenKind::Word
            && !self.look(1).is("::")
            && self.find(first.text).is_none()
            && let Some(scope) = self.scope_of(first)?
        {
            self.scope = scope;
        }
        let ty = self.type_name()?;
        if self.peek().kind != TokenKind::End {
            return Err(self.expected("the end of the name"));
        }
        Ok(ty)
    }

    /// The only scope that declares a type of this name.
    fn scope_of(&self, name: Token<'a>) -> Result<Option<usize>> {
        let is_type = |entity: &Entity| !matches!(entity, Entity::Constant(_) | Entity::Namespace(_));
        let declares = |scope: &object::Scope| {
            scope.names.get(name.text).or_else(|| scope.tags.get(name.text)).is_some_and(is_type)
        };
        let mut found = (GLOBAL..self.scopes.len()).filter(|&at| declares(&self.scopes[at]));
        match (found.next(), found.next()) {
            (Some(first), Some(second)) => Err(Problem::new(
                &name,
                format!(
                    "'{0}' is ambiguous: {1}{0} or {2}{0}",
                    shown(name.text),
                    self.scopes[first].prefix,
                    self.scopes[second].prefix
                ),
            )),
            (found, _) => {
                if found.is_none()
                    && let Some(problem) = self.problems.first()
                {
                    return Err(problem.clone());
                }
                Ok(found)
            }
        }
    }
}

/// Names of the types that a header declares, for messages and lists.
#[must_use]
pub fn declared_types(sources: &Sources, language: Option<Language>) -> Vec<String> {
    let language = language.unwrap_or_else(|| sources.language());
    let Ok((tokens, standard)) = preprocess(sources, language) else { return vec![] };
    let mut parser = Parser::new(tokens, language);
    if parser.standard(standard).is_err() {
        return vec![];
    }
    let known = parser.tags.len();
    parser.scope = GLOBAL;
    parser.is_lenient = true;
    let _ = parser.file();
    let complete = |tag: &&object::Tag| matches!(tag.state, TagState::Complete(_));
    parser.tags[known..].iter().filter(complete).map(|tag| tag.name.clone()).collect()
}
