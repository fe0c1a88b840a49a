//! Macros and their expansion.

use super::preprocess::{Problem, Result};
use super::token::{Token, TokenKind, tokens};
use std::collections::{HashMap, HashSet};

/// Macros within macros.
const MAX_DEPTH: usize = 64;
/// Tokens of macros visited by all expansions, which bounds macros that double each other.
const MAX_STEPS: usize = 1 << 20;

#[derive(Debug, Clone)]
pub(super) struct Macro<'a> {
    /// `None` for a macro without parentheses.
    parameters: Option<Vec<&'a str>>,
    body: Vec<Token<'a>>,
}

impl<'a> Macro<'a> {
    /// Parses the tokens after the name. Parentheses belong to the macro if nothing separates them
    /// from the name.
    pub fn parse(tokens: &[Token<'a>]) -> Self {
        let (parameters, body) = match tokens.split_first() {
            Some((open, rest)) if open.is("(") && open.is_glued => {
                let end = rest.iter().position(|token| token.is(")")).unwrap_or(rest.len());
                let names = rest[..end].iter().filter(|token| !token.is(",")).map(|token| token.text);
                (Some(names.collect()), rest.get(end + 1..).unwrap_or_default())
            }
            _ => (None, tokens),
        };
        Self { parameters, body: body.to_vec() }
    }

    pub fn constant(text: &'a str) -> Self {
        Self { parameters: None, body: tokens(text, 0) }
    }

    /// Macros that build names or texts stay as they are.
    fn is_supported(&self) -> bool {
        let has_rest = self.parameters.as_ref().is_some_and(|names| names.contains(&"..."));
        !has_rest && !self.body.iter().any(|token| token.is("##") || token.is("#"))
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Macros<'a> {
    macros: HashMap<&'a str, Macro<'a>>,
    steps: usize,
}

impl<'a> Macros<'a> {
    pub fn define(&mut self, name: &'a str, found: Macro<'a>) {
        self.macros.insert(name, found);
    }

    pub fn undefine(&mut self, name: &str) {
        self.macros.remove(name);
    }

    pub fn is_defined(&self, name: &str) -> bool {
        self.macros.contains_key(name)
    }

    /// Appends the tokens with all macros replaced.
    pub fn expand(&mut self, tokens: &[Token<'a>], out: &mut Vec<Token<'a>>) -> Result<()> {
        let mut steps = self.steps;
        let expanded = self.replace(tokens, &mut HashSet::new(), 0, &mut steps, out);
        self.steps = steps;
        expanded
    }

    /// Like [`Macros::expand`], with a budget of its own.
    pub fn expand_condition(&self, tokens: &[Token<'a>], out: &mut Vec<Token<'a>>) -> Result<()> {
        self.replace(tokens, &mut HashSet::new(), 0, &mut (MAX_STEPS / 2), out)
    }

    /// Replaces macros except for those that are being replaced.
    fn replace(
        &self,
        tokens: &[Token<'a>],
        active: &mut HashSet<&'a str>,
        depth: usize,
        steps: &mut usize,
        out: &mut Vec<Token<'a>>,
    ) -> Result<()> {
        let mut at = 0;
        while let Some(&token) = tokens.get(at) {
            at += 1;
            // The text itself has a limit of its own.
            *steps += usize::from(depth > 0);
            if *steps > MAX_STEPS || depth > MAX_DEPTH {
                return Err(Problem::new(&token, "the macros are too complex"));
            }
            let found = self.macros.get(token.text).filter(|found| {
                token.kind == TokenKind::Word && !active.contains(token.text) && found.is_supported()
            });
            let Some(found) = found else {
                out.push(token);
                continue;
            };
            let expanded;
            let body = match &found.parameters {
                None => &found.body,
                Some(names) => {
                    let Some((arguments, length)) = arguments(&tokens[at..]) else {
                        out.push(token);
                        continue;
                    };
                    at += length;
                    let arguments = arguments
                        .into_iter()
                        .map(|argument| {
                            let mut expanded = vec![];
                            self.replace(argument, active, depth + 1, steps, &mut expanded).map(|()| expanded)
                        })
                        .collect::<Result<Vec<_>>>()?;
                    expanded = substitute(found, names, &arguments, steps);
                    &expanded
                }
            };
            active.insert(token.text);
            let start = out.len();
            let replaced = self.replace(body, active, depth + 1, steps, out);
            active.remove(token.text);
            if depth == 0 {
                for part in &mut out[start..] {
                    (part.place, part.starts_line) = (token.place, false);
                }
            }
            // The body of a standard macro has no place in the sources.
            replaced.map_err(|problem| Problem { place: token.place, ..problem })?;
        }
        Ok(())
    }
}

/// Splits the arguments in parentheses. Returns them and the number of tokens with the parentheses.
fn arguments<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(Vec<&'t [Token<'a>]>, usize)> {
    if !tokens.first()?.is("(") {
        return None;
    }
    let (mut depth, mut start, mut found) = (0_usize, 1, vec![]);
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            "," if depth == 1 => {
                found.push(&tokens[start..at]);
                start = at + 1;
            }
            ")" | "]" | "}" => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    found.push(&tokens[start..at]);
                    return Some((found, at + 1));
                }
            }
            _ => {}
        }
    }
    None
}

fn substitute<'a>(
    found: &Macro<'a>,
    names: &[&str],
    arguments: &[Vec<Token<'a>>],
    steps: &mut usize,
) -> Vec<Token<'a>> {
    let mut body = vec![];
    for token in &found.body {
        let argument = names.iter().position(|name| *name == token.text).and_then(|at| arguments.get(at));
        match argument {
            Some(argument) if *steps + argument.len() <= MAX_STEPS => {
                *steps += argument.len();
                body.extend_from_slice(argument);
            }
            Some(_) => *steps = MAX_STEPS,
            None => body.push(*token),
        }
    }
    body
}
