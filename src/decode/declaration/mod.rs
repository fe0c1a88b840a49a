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
mod size_of;
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

/// Types in the message about a missing one.
const MAX_NAMED: usize = 8;
/// Types that are compared with a missing one.
const MAX_COMPARED: usize = 10_000;

/// Parses declarations and returns one of their types: that with this name, or the last one. The name
/// may have scopes, template arguments, and array sizes. Without a language, it is C++ if it is not C.
///
/// # Errors
/// Fails if the declarations are wrong or not supported, or if there is no such type.
pub fn parse_declarations(
    sources: &Sources,
    name: Option<&str>,
    language: Option<Language>,
) -> std::result::Result<Type, DeclarationError> {
    parse(sources, name, language).map_err(|problem| problem.locate(sources))
}

fn parse(sources: &Sources, name: Option<&str>, language: Option<Language>) -> Result<Type> {
    // Of a header, only the named type has to be right.
    let mut parser = declared(sources, language, name.is_some())?;
    let last = parser.peek();
    let ty = match name {
        Some(name) => parser.chosen(name, sources)?,
        None => parser.last.clone().ok_or_else(|| Problem::new(&last, "expected a type, found none"))?,
    };
    let object = parser.complete(&ty, &last)?;
    Ok(object.ty)
}

/// Reads all declarations. Without a language, they are read as C++ if they are not C.
fn declared(sources: &Sources, language: Option<Language>, is_lenient: bool) -> Result<Parser<'_>> {
    let guess = language.unwrap_or_else(|| sources.language());
    let found = prepared(sources, guess)?.read(is_lenient);
    let is_right = found.as_ref().is_ok_and(|parser| !parser.has_cpp && parser.problems.is_empty());
    if language.is_some() || guess == Language::Cpp || is_right {
        return found;
    }
    let as_cpp = prepared(sources, Language::Cpp).and_then(|parser| parser.read(is_lenient));
    match (found, as_cpp) {
        (Ok(c), Ok(cpp)) if !c.has_cpp && c.problems.len() <= cpp.problems.len() => Ok(c),
        (Err(problem), Err(_)) => Err(problem),
        (_, Ok(cpp)) => Ok(cpp),
        (found, _) => found,
    }
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
    /// Reads all declarations.
    fn read(mut self, is_lenient: bool) -> Result<Self> {
        self.is_lenient = is_lenient;
        self.file()?;
        Ok(self)
    }

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
    fn chosen(&mut self, name: &'a str, sources: &Sources) -> Result<CType> {
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
        let start = self.at;
        if first.kind == TokenKind::Word && !self.starts_type() && self.name()?.is_none() {
            return Err(self.missing(&self.qualified_at(start), sources));
        }
        self.at = start;
        let ty = self.type_name()?;
        if self.peek().kind != TokenKind::End {
            return Err(self.expected("the end of the name"));
        }
        Ok(ty)
    }

    /// The scopes of the sources, without those of the standard types.
    fn own_scopes(&self) -> impl Iterator<Item = usize> + use<> {
        let known = standard(self.language).as_ref().map_or(GLOBAL + 1, |known| known.parser.scopes.len());
        std::iter::once(GLOBAL).chain(known..self.scopes.len())
    }

    /// The only scope that declares a type of this name.
    fn scope_of(&self, name: Token<'a>) -> Result<Option<usize>> {
        let is_type = |entity: &Entity| !matches!(entity, Entity::Constant(_) | Entity::Namespace(_));
        let declares = |scope: &object::Scope| {
            scope.names.get(name.text).or_else(|| scope.tags.get(name.text)).is_some_and(is_type)
        };
        let mut found = self.own_scopes().filter(|&at| declares(&self.scopes[at]));
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
            (found, _) => Ok(found),
        }
    }

    /// The error for a name that is not declared: the nearest names that are, and the first error in
    /// the declarations, which may be the reason.
    fn missing(&self, name: &str, sources: &Sources) -> Problem {
        let is_usable = |entity: &Entity| match entity {
            Entity::Type(ty) => self.complete(ty, &self.peek()).is_ok(),
            Entity::Template(_) => true,
            _ => false,
        };
        let mut known: Vec<String> = vec![];
        for at in self.own_scopes() {
            let scope = &self.scopes[at];
            let types = scope.names.iter().chain(&scope.tags).filter(|(_, entity)| is_usable(entity));
            known.extend(types.map(|(name, _)| format!("{}{name}", scope.prefix)));
        }
        known.sort();
        known.dedup();
        let count = known.len();
        // The edit distance takes time proportional to both lengths.
        let start = |text: &str| -> String { text.to_lowercase().chars().take(48).collect() };
        let last = |text: &str| start(text.rsplit("::").next().unwrap_or(text));
        let wanted = last(name);
        known.truncate(MAX_COMPARED);
        known.sort_by_cached_key(|known| strsim::levenshtein(&wanted, &last(known)));
        known.truncate(MAX_NAMED);
        let named: Vec<String> = known.iter().map(|known| shown(known)).collect();
        let types = match (named.len(), count - named.len()) {
            (0, _) => "there are no types".to_owned(),
            (_, 0) => format!("the types are {}", named.join(", ")),
            (_, more) => format!("the types are {} and {more} more", named.join(", ")),
        };
        let reason = self
            .problems
            .first()
            .map_or_else(String::new, |problem| format!(". Not read: {}", problem.clone().locate(sources)));
        let place = TokenPlace { file: 1, line: 0, column: 0 };
        Problem { place, message: format!("no type '{}'; {types}{reason}", shown(name)) }
    }
}

/// Names of the types that a header declares, for messages and lists.
#[must_use]
pub fn declared_types(sources: &Sources, language: Option<Language>) -> Vec<String> {
    let Ok(parser) = declared(sources, language, true) else { return vec![] };
    let known = standard(parser.language).as_ref().map_or(0, |standard| standard.parser.tags.len());
    let complete = |tag: &&object::Tag| matches!(tag.state, TagState::Complete(_));
    parser.tags[known..].iter().filter(complete).map(|tag| tag.name.clone()).collect()
}
