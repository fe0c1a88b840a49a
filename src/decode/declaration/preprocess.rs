//! The preprocessor: macros, conditions, included files and `#pragma pack`. The result is one list of
//! tokens.

use super::error::DeclarationError;
use super::expression::is_condition_true;
use super::macros::{Macro, Macros};
use super::source::{Language, Sources};
use super::token::{Token, TokenPlace, tokens};
use std::collections::HashSet;

/// Levels of included files.
const MAX_INCLUDES: usize = 64;
/// Bytes of all inclusions: files that include each other twice double at each level.
const MAX_INCLUDED: usize = 32 << 20;
/// An inclusion costs as much as this many bytes, however short the file.
const INCLUDE_COST: usize = 1 << 10;
/// Tokens after expansion.
const MAX_TOKENS: usize = 2 << 20;
const PRELUDE: &str = include_str!("prelude.h");

pub(super) type Result<T> = std::result::Result<T, Problem>;

/// An error before the name of its file is known.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub place: TokenPlace,
    pub message: String,
}

impl Problem {
    pub fn new(token: &Token<'_>, message: impl Into<String>) -> Self {
        Self { place: token.place, message: message.into() }
    }

    pub fn locate(self, sources: &Sources) -> DeclarationError {
        // File 0 is the prelude.
        let file = usize::from(self.place.file).checked_sub(1).and_then(|file| sources.files.get(file));
        DeclarationError {
            file: file.and_then(|file| file.name.clone()),
            line: self.place.line,
            column: self.place.column,
            message: self.message,
        }
    }
}

/// Returns the tokens of the standard types, and their macros.
pub(super) fn preprocess_standard(language: Language) -> Result<(Vec<Token<'static>>, Macros<'static>)> {
    static NO_SOURCES: Sources = Sources { files: vec![] };
    let mut macros = Macros::default();
    if language == Language::Cpp {
        macros.define("__cplusplus", Macro::constant("201703L"));
    }
    let mut state = Preprocessor::new(&NO_SOURCES, macros);
    state.file(&tokens(PRELUDE, 0), None, 0)?;
    Ok((state.out, state.macros))
}

/// Returns the tokens of the sources.
pub(super) fn preprocess<'a>(sources: &'a Sources, macros: Macros<'a>) -> Result<Vec<Token<'a>>> {
    let mut state = Preprocessor::new(sources, macros);
    if let Some(file) = sources.files.first() {
        state.file(&tokens(&file.text, 1), Some(0), 0)?;
    }
    Ok(state.out)
}

struct Preprocessor<'a> {
    sources: &'a Sources,
    macros: Macros<'a>,
    /// Files with `#pragma once`.
    once: HashSet<usize>,
    pack: u8,
    packs: Vec<u8>,
    /// The bytes of all inclusions so far.
    included: usize,
    out: Vec<Token<'a>>,
}

/// An open `#if`.
struct Condition {
    is_active: bool,
    /// The lines around it are active.
    is_outer_active: bool,
    /// A branch was active before.
    is_taken: bool,
}

impl<'a> Preprocessor<'a> {
    fn new(sources: &'a Sources, macros: Macros<'a>) -> Self {
        Self { sources, macros, once: HashSet::new(), pack: 0, packs: vec![], included: 0, out: vec![] }
    }

    fn file(&mut self, tokens: &[Token<'a>], file: Option<usize>, depth: usize) -> Result<()> {
        let mut conditions: Vec<Condition> = vec![];
        let mut text = vec![];
        let mut at = 0;
        while at < tokens.len() {
            let token = tokens[at];
            let is_active = conditions.last().is_none_or(|condition| condition.is_active);
            if !(token.is("#") && token.starts_line) {
                if is_active {
                    text.push(token);
                }
                at += 1;
                continue;
            }
            let end = tokens[at + 1..].iter().position(|token| token.starts_line);
            let end = end.map_or(tokens.len(), |length| at + 1 + length);
            let line = &tokens[at + 1..end];
            at = end;
            if self.condition(token, line, &mut conditions)? || !is_active {
                continue;
            }
            self.text(&std::mem::take(&mut text))?;
            self.directive(token, line, file, depth)?;
        }
        self.text(&text)
    }

    fn text(&mut self, text: &[Token<'a>]) -> Result<()> {
        let start = self.out.len();
        self.macros.expand(text, &mut self.out)?;
        for token in &mut self.out[start..] {
            token.pack = self.pack;
        }
        match self.out.get(MAX_TOKENS) {
            Some(token) => Err(Problem::new(token, "the declarations are too long")),
            None => Ok(()),
        }
    }

    /// Handles `#if` and its relatives. Returns false for other directives.
    fn condition(
        &mut self,
        hash: Token<'a>,
        line: &[Token<'a>],
        conditions: &mut Vec<Condition>,
    ) -> Result<bool> {
        let Some((word, rest)) = line.split_first() else { return Ok(true) };
        let is_outer_active = conditions.last().is_none_or(|condition| condition.is_active);
        let is_defined =
            |name: Option<&Token<'_>>| name.is_some_and(|name| self.macros.is_defined(name.text));
        match word.text {
            "if" | "ifdef" | "ifndef" => {
                let is_active = is_outer_active
                    && match word.text {
                        "ifdef" => is_defined(rest.first()),
                        "ifndef" => !is_defined(rest.first()),
                        _ => is_condition_true(hash, rest, &self.macros)?,
                    };
                conditions.push(Condition { is_active, is_outer_active, is_taken: is_active });
            }
            "elif" | "else" | "elifdef" | "elifndef" => {
                let open = conditions.last().map(|open| open.is_outer_active && !open.is_taken);
                let Some(may_take) = open else {
                    return Err(Problem::new(word, format!("#{} without #if", word.text)));
                };
                let is_active = may_take
                    && match word.text {
                        "else" => true,
                        "elifdef" => is_defined(rest.first()),
                        "elifndef" => !is_defined(rest.first()),
                        _ => is_condition_true(hash, rest, &self.macros)?,
                    };
                if let Some(open) = conditions.last_mut() {
                    open.is_active = is_active;
                    open.is_taken |= is_active;
                }
            }
            "endif" => drop(conditions.pop()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn directive(
        &mut self,
        hash: Token<'a>,
        line: &[Token<'a>],
        file: Option<usize>,
        depth: usize,
    ) -> Result<()> {
        let Some((word, rest)) = line.split_first() else { return Ok(()) };
        match (word.text, rest) {
            ("define", [name, body @ ..]) => self.macros.define(name.text, Macro::parse(body)),
            ("undef", [name, ..]) => self.macros.undefine(name.text),
            ("include", [name, ..]) => self.include(*name, file, depth)?,
            ("error", _) => {
                let words: Vec<&str> = rest.iter().map(|token| token.text).collect();
                return Err(Problem::new(&hash, format!("#error {}", words.join(" "))));
            }
            ("pragma", [once, ..]) if once.is("once") => self.once.extend(file),
            ("pragma", [pack, open, args @ ..]) if pack.is("pack") && open.is("(") => {
                self.pack(*pack, args)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Inserts a file if it was found. Types of other files are unknown.
    fn include(&mut self, name: Token<'a>, file: Option<usize>, depth: usize) -> Result<()> {
        let sources = self.sources;
        let Some(file) = file.and_then(|file| sources.files.get(file)) else { return Ok(()) };
        let wanted = name.text.trim_matches('"');
        let Some(&(_, index)) = file.includes.iter().find(|(name, _)| name == wanted) else { return Ok(()) };
        let index = usize::from(index);
        if self.once.contains(&index) {
            return Ok(());
        }
        if depth >= MAX_INCLUDES {
            return Err(Problem::new(&name, "files are included too deeply"));
        }
        let Some(included) = sources.files.get(index) else { return Ok(()) };
        self.included = self.included.saturating_add(included.text.len()).saturating_add(INCLUDE_COST);
        if self.included > MAX_INCLUDED {
            return Err(Problem::new(&name, "files are included too often"));
        }
        let number = u16::try_from(index + 1).unwrap_or(u16::MAX);
        self.file(&tokens(&included.text, number), Some(index), depth + 1)
    }

    /// `#pragma pack(n)`, `(push)`, `(push, n)`, `(push, name, n)`, `(pop)`, `()`.
    fn pack(&mut self, pragma: Token<'a>, args: &[Token<'a>]) -> Result<()> {
        let args: Vec<&Token<'_>> =
            args.iter().take_while(|token| !token.is(")")).filter(|token| !token.is(",")).collect();
        let mut expanded = vec![];
        let last = args.last().map(|&&token| token);
        self.macros.expand(last.as_slice(), &mut expanded)?;
        let number = expanded.first().and_then(|token| token.text.parse::<u8>().ok());
        let first = args.first().map_or("", |token| token.text);
        match first {
            "push" => self.packs.push(self.pack),
            "pop" => self.pack = self.packs.pop().unwrap_or(0),
            _ if number.is_none() && !args.is_empty() => {
                return Err(Problem::new(&pragma, "expected a number in #pragma pack (1, 2, 4, 8 or 16)"));
            }
            _ => {}
        }
        match number {
            Some(0) => self.pack = 0,
            Some(number @ (1 | 2 | 4 | 8 | 16)) => self.pack = number,
            Some(number) => {
                let message =
                    format!("invalid alignment {number} in #pragma pack: expected 1, 2, 4, 8 or 16");
                return Err(Problem::new(&pragma, message));
            }
            None if args.is_empty() => self.pack = 0,
            None => {}
        }
        Ok(())
    }
}
