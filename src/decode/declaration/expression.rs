//! Constant expressions.

use super::macros::Macros;
use super::number::{Integer, character};
use super::object::{CType, Entity};
use super::parser::{Parser, shown};
use super::preprocess::{Problem, Result};
use super::source::Language;
use super::token::{Token, TokenKind};
use crate::decode::Path;

/// Binary operators, loosest first.
const OPERATORS: [&[&str]; 10] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

/// Evaluates the condition of an `#if`. Unknown names are 0.
pub(super) fn is_condition_true<'a>(
    hash: Token<'a>,
    line: &[Token<'a>],
    macros: &Macros<'a>,
) -> Result<bool> {
    let number = |token: &Token<'a>, text| Token { kind: TokenKind::Number, text, ..*token };
    let mut resolved = vec![];
    let mut at = 0;
    while let Some(token) = line.get(at) {
        at += 1;
        if !token.is("defined") {
            resolved.push(*token);
            continue;
        }
        let has_parenthesis = line.get(at).is_some_and(|open| open.is("("));
        let name = line.get(at + usize::from(has_parenthesis));
        let name = name.ok_or_else(|| Problem::new(token, "expected a name after 'defined'"))?;
        resolved.push(number(token, if macros.is_defined(name.text) { "1" } else { "0" }));
        at += if has_parenthesis { 3 } else { 1 };
    }
    let mut expanded = vec![];
    macros.expand_condition(&resolved, &mut expanded)?;
    for at in 0..expanded.len() {
        let token = expanded[at];
        if token.kind != TokenKind::Word {
            continue;
        }
        if expanded.get(at + 1).is_some_and(|next| next.is("(")) {
            let message = format!("the condition '{}' is not supported", shown(token.text));
            return Err(Problem::new(&token, message));
        }
        expanded[at] = number(&token, if token.text == "true" { "1" } else { "0" });
    }
    let end = Token { kind: TokenKind::End, text: "", ..line.last().copied().unwrap_or(hash) };
    expanded.push(end);
    let mut parser = Parser::new(expanded, Language::C);
    let value = parser.constant()?;
    if parser.peek().kind != TokenKind::End {
        return Err(parser.expected("the end of the condition"));
    }
    Ok(value.value != 0)
}

impl<'a> Parser<'a> {
    /// Reads a constant expression and returns its value.
    pub fn constant(&mut self) -> Result<Integer> {
        let token = self.peek();
        self.value()?.ok_or_else(|| Problem::new(&token, "expected an integer"))
    }

    /// Reads a constant expression. `None` if it is no integer.
    pub fn value(&mut self) -> Result<Option<Integer>> {
        self.nested(|this| {
            let condition = this.operators(0)?;
            if !this.eat("?")? {
                return Ok(condition);
            }
            let yes = this.value()?;
            this.expect(":", "in the condition")?;
            let no = this.value()?;
            Ok(condition.and_then(|condition| if condition.value != 0 { yes } else { no }))
        })
    }

    /// Returns the operator that is next, if it is one of the level.
    fn operator_at(&self, level: usize) -> Option<&'static str> {
        let token = self.peek();
        if token.kind != TokenKind::Mark {
            return None;
        }
        if token.is(">") {
            let next = self.look(1);
            let text = if next.is(">") && next.is_glued { ">>" } else { ">" };
            return OPERATORS[level]
                .iter()
                .copied()
                .find(|operator| *operator == text && !self.is_in_arguments);
        }
        OPERATORS[level].iter().copied().find(|operator| *operator == token.text)
    }

    fn operators(&mut self, level: usize) -> Result<Option<Integer>> {
        if level == OPERATORS.len() {
            return self.unary();
        }
        let mut left = self.operators(level + 1)?;
        while let Some(operator) = self.operator_at(level) {
            let token = self.next()?;
            if operator == ">>" {
                self.next()?;
            }
            let right = self.operators(level + 1)?;
            left =
                match (operator, left, right) {
                    // The other side may be undefined.
                    ("&&", Some(left), _) if left.value == 0 => Some(Integer::bool(false)),
                    ("||", Some(left), _) if left.value != 0 => Some(Integer::bool(true)),
                    ("&&" | "||", Some(_), Some(right)) => Some(Integer::bool(right.value != 0)),
                    (_, Some(left), Some(right)) => {
                        let value = left.binary(operator, right);
                        Some(value.ok_or_else(|| {
                            Problem::new(&token, "the result of the expression is undefined")
                        })?)
                    }
                    _ => None,
                };
        }
        Ok(left)
    }

    pub fn unary(&mut self) -> Result<Option<Integer>> {
        let token = self.peek();
        if token.kind == TokenKind::Mark && matches!(token.text, "+" | "-" | "~" | "!") {
            self.next()?;
            let value = self.nested(Self::unary)?;
            let undefined = || Problem::new(&token, "the result of the expression is undefined");
            return value.map(|value| value.unary(token.text).ok_or_else(undefined)).transpose();
        }
        self.nested(Self::primary)
    }

    fn primary(&mut self) -> Result<Option<Integer>> {
        let token = self.peek();
        match (token.kind, token.text) {
            (TokenKind::Number, text) => {
                self.next()?;
                Ok(Integer::parse(text))
            }
            (TokenKind::Character, text) => {
                self.next()?;
                let code = character(text).ok_or_else(|| Problem::new(&token, "invalid character"))?;
                Ok(Some(Integer::int(code)))
            }
            (TokenKind::Mark, "(") => {
                self.next()?;
                self.parenthesized()
            }
            (TokenKind::Word, "sizeof" | "alignof" | "_Alignof" | "__alignof__") => self.size_of(),
            (TokenKind::Word, "__builtin_offsetof") => self.offset_of(),
            (TokenKind::Word, "true" | "false") => {
                self.next()?;
                Ok(Some(Integer::bool(token.text == "true")))
            }
            (TokenKind::Text, _) | (TokenKind::Word, "nullptr") => {
                self.next()?;
                Ok(None)
            }
            (TokenKind::Word, "static_cast" | "const_cast" | "reinterpret_cast") => {
                self.next()?;
                self.expect("<", "after the cast")?;
                let ty = self.type_name()?;
                self.expect(">", "after the type")?;
                self.expect("(", "after the cast")?;
                self.cast_of(&ty, ")")
            }
            (TokenKind::Word, _) if self.starts_type() => {
                let ty = self.specifiers()?.ty.unwrap_or(CType::Void);
                match self.peek().text {
                    "(" => drop(self.next()?),
                    "{" => {
                        self.next()?;
                        return self.cast_of(&ty, "}");
                    }
                    _ => return Err(self.expected("an expression after the type")),
                }
                self.cast_of(&ty, ")")
            }
            (TokenKind::Word, _) | (TokenKind::Mark, "::") => self.constant_name(token),
            _ => Err(self.expected("an expression")),
        }
    }

    fn constant_name(&mut self, token: Token<'a>) -> Result<Option<Integer>> {
        let found = self.name()?;
        if self.is("(") {
            let message =
                format!("'{}' is a function; only integer constants are supported", shown(token.text));
            return Err(Problem::new(&token, message));
        }
        match found {
            Some(Entity::Constant(value)) => Ok(value),
            Some(Entity::Failed(problem)) => Err(problem),
            Some(_) => Err(Problem::new(&token, format!("'{}' is no constant", shown(token.text)))),
            None => Err(Problem::new(&token, format!("unknown constant '{}'", shown(token.text)))),
        }
    }

    /// Reads the rest of a cast or of an expression in parentheses.
    fn parenthesized(&mut self) -> Result<Option<Integer>> {
        if self.starts_type() {
            let start = self.at;
            let ty = self.type_name()?;
            if self.eat(")")? {
                let value = self.nested(Self::unary)?;
                return self.cast(value, &ty);
            }
            // `(T(4) * 2)` is an expression that starts with a type.
            self.at = start;
        }
        let was_in_arguments = std::mem::replace(&mut self.is_in_arguments, false);
        let value = self.value();
        self.is_in_arguments = was_in_arguments;
        let value = value?;
        self.expect(")", "after the expression")?;
        Ok(value)
    }

    fn cast_of(&mut self, ty: &CType, end: &str) -> Result<Option<Integer>> {
        let was_in_arguments = std::mem::replace(&mut self.is_in_arguments, false);
        let value = if self.is(end) { Ok(Some(Integer::int(0))) } else { self.value() };
        self.is_in_arguments = was_in_arguments;
        let value = value?;
        self.expect(end, "after the value")?;
        self.cast(value, ty)
    }

    fn cast(&self, value: Option<Integer>, ty: &CType) -> Result<Option<Integer>> {
        let object = self.complete(ty, &self.peek())?;
        let Some(scalar) = object.integer() else { return Ok(None) };
        let bits = u32::try_from(8 * scalar.size()).unwrap_or(64).min(64);
        Ok(value.map(|value| match scalar {
            crate::decode::Scalar::Bool => Integer::bool(value.value != 0).cast(8, false),
            _ => value.cast(bits, scalar.is_signed()),
        }))
    }

    fn offset_of(&mut self) -> Result<Option<Integer>> {
        self.next()?;
        let open = self.expect("(", "after 'offsetof'")?;
        let ty = self.type_name()?;
        self.expect(",", "after the type")?;
        let ty = self.complete(&ty, &open)?.ty;
        let mut text = String::new();
        let start = self.peek();
        while !self.is(")") {
            let token = self.next()?;
            if token.kind == TokenKind::End {
                return Err(Problem::new(&token, "expected ')' after the field"));
            }
            text.push_str(token.text);
        }
        self.next()?;
        let place = ty.parse_path(&text).filter(|path| *path != Path::default());
        let offset = place.and_then(|path| ty.place(&path).map(|place| place.offset));
        offset.map(|offset| Some(Integer::size(offset))).ok_or_else(|| {
            Problem::new(&start, format!("'{}' has no field '{}'", shown(&ty.to_string()), shown(&text)))
        })
    }
}
