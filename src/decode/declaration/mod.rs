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
mod header;
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
pub use header::read_header;
pub use source::{Language, Sources};

use super::Type;
use macros::Macros;
use object::{CType, Entity, TagState};
use parser::{GLOBAL, Parser, STANDARD, shown};
use preprocess::{Problem, Result, preprocess, preprocess_standard};
use std::sync::OnceLock;
use token::{Token, TokenKind, TokenPlace, tokens};

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
    let mut parser = prepared(sources, language)?;
    // Of a header, only the named type has to be right.
    parser.is_lenient = name.is_some();
    parser.file()?;
    let last = parser.peek();
    let ty = match name {
        Some(name) => parser.chosen(name)?,
        None => parser.last.clone().ok_or_else(|| Problem::new(&last, "expected a type, found none"))?,
    };
    let object = parser.complete(&ty, &last)?;
    Ok(object.ty)
}

/// The macros and types of the standard headers. They are read once.
struct Standard {
    macros: Macros<'static>,
    parser: Parser<'static>,
}

fn standard(language: Language) -> &'static Result<Standard> {
    static C: OnceLock<Result<Standard>> = OnceLock::new();
    static CPP: OnceLock<Result<Standard>> = OnceLock::new();
    let read = || {
        let (tokens, macros) = preprocess_standard(language)?;
        let mut parser = Parser::new(tokens, language);
        parser.end();
        parser.file()?;
        parser.tokens.pop();
        parser.at = parser.tokens.len();
        if let Some(Entity::Namespace(std)) = parser.scopes[STANDARD].names.get("std") {
            let std = *std;
            // `std::size_t` and the like.
            parser.scopes[std].used.push(STANDARD);
        }
        parser.last = None;
        parser.scope = GLOBAL;
        Ok(Standard { macros, parser })
    };
    match language {
        Language::C => C.get_or_init(read),
        Language::Cpp => CPP.get_or_init(read),
    }
}

/// Returns a parser at the start of the sources.
fn prepared(sources: &Sources, language: Language) -> Result<Parser<'_>> {
    let Standard { macros, parser } = standard(language).as_ref().map_err(Clone::clone)?;
    let mut parser: Parser<'_> = parser.clone();
    parser.tokens.extend(preprocess(sources, macros.clone())?);
    parser.end();
    Ok(parser)
}

impl<'a> Parser<'a> {
    /// Adds the token after the last one.
    fn end(&mut self) {
        let place = self.tokens.last().filter(|token| token.place.file > 0 || self.at == 0);
        let place = place.map_or(TokenPlace { file: 1, line: 1, column: 1 }, |token| token.place);
        self.tokens.push(Token {
            kind: TokenKind::End,
            text: "",
            place,
            starts_line: true,
            is_glued: false,
            pack: 0,
        });
    }

    /// Finds the type with a name. One without a scope may be in any namespace.
    fn chosen(&mut self, name: &'a str) -> Result<CType> {
        let start = self.tokens.len();
        // Errors in the name have the place of its text.
        self.tokens.extend(tokens(name, u16::MAX));
        let last = self.tokens[start - 1];
        let place = self.tokens.last().map_or(last.place, |token| token.place);
        self.tokens.push(Token { place, ..last });
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
    let Ok(mut parser) = prepared(sources, language) else { return vec![] };
    let known = parser.tags.len();
    parser.is_lenient = true;
    let _ = parser.file();
    let complete = |tag: &&object::Tag| matches!(tag.state, TagState::Complete(_));
    parser.tags[known..].iter().filter(complete).map(|tag| tag.name.clone()).collect()
}
