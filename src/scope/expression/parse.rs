//! Parses expressions into programs. Calls of functions that remember samples become steps of their
//! own; the rest becomes text for exmex, which never sees the user's.

use super::arithmetic::{Arithmetic, BINARY, UNARY, variable};
use super::error::SyntaxError;
use super::memory::Memory;
use super::names::Names;
use super::program::{Formula, Input, Program, Step};
use super::token::{Token, TokenKind, tokens};
use crate::segment::{nearest_word, parse_span, quote};
use std::fmt::Write as _;
use std::time::Duration;

/// Characters of an expression.
const MAX_LENGTH: usize = 4096;
/// Parentheses inside each other.
const MAX_DEPTH: usize = 64;
/// The longest time that `avg` and `rate` look back.
const MAX_WINDOW: Duration = Duration::from_secs(3600);

/// The functions that remember samples.
const REMEMBERING: [&str; 3] = ["rate", "delta", "avg"];

/// Parses an expression over channels.
pub fn parse(text: &str, names: &Names<'_>) -> Result<Program, SyntaxError> {
    if text.chars().count() > MAX_LENGTH {
        return Err(SyntaxError {
            column: MAX_LENGTH + 1,
            problem: format!("longer than {MAX_LENGTH} characters"),
        });
    }
    let tokens = tokens(text)?;
    let end = text.chars().count() + 1;
    let mut parser = Parser { tokens: &tokens, end, at: 0, depth: 0, names, steps: vec![] };
    let result = parser.formula()?;
    match parser.peek() {
        None => {}
        Some(TokenKind::Close) => return Err(parser.fail("')' without '('")),
        Some(_) => return Err(parser.expected("an operator")),
    }
    Ok(Program::new(parser.steps, result))
}

struct Parser<'t> {
    tokens: &'t [Token<'t>],
    /// The column after the text.
    end: usize,
    at: usize,
    depth: usize,
    names: &'t Names<'t>,
    steps: Vec<Step>,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<TokenKind<'t>> {
        self.tokens.get(self.at).map(|token| token.kind)
    }

    fn takes(&mut self, kind: TokenKind<'_>) -> bool {
        let found = self.peek() == Some(kind);
        self.at += usize::from(found);
        found
    }

    fn fail(&self, problem: impl Into<String>) -> SyntaxError {
        let column = self.tokens.get(self.at).map_or(self.end, |token| token.column);
        SyntaxError { column, problem: problem.into() }
    }

    fn expected(&self, what: &str) -> SyntaxError {
        match self.peek() {
            Some(found) => self.fail(format!("expected {what}, found {}", found.shown())),
            None => self.fail(format!("expected {what} at the end")),
        }
    }

    /// Parses arithmetic over inputs of its own.
    fn formula(&mut self) -> Result<Formula, SyntaxError> {
        let mut inputs = vec![];
        let (start, text) = (self.at, self.chain(&mut inputs)?);
        let arithmetic = Arithmetic::new(&text).map_err(|problem| SyntaxError {
            column: self.tokens.get(start).map_or(1, |token| token.column),
            problem: quote(problem.as_bytes()),
        })?;
        let is_plain = text == variable(0);
        Ok(Formula::new(arithmetic, inputs, is_plain))
    }

    /// Parses operands with operators between them. Returns the text for exmex.
    fn chain(&mut self, inputs: &mut Vec<Input>) -> Result<String, SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fail(format!("more than {MAX_DEPTH} parentheses inside each other")));
        }
        let mut text = self.operand(inputs)?;
        while let Some(TokenKind::Operator(operator)) = self.peek() {
            self.at += 1;
            if let ("/" | "%", Some(TokenKind::Number(text))) = (operator, self.peek())
                && number(text) == Some(0.0)
            {
                return Err(self.fail("division by zero"));
            }
            // Writing to a String cannot fail.
            let _ = write!(text, " {operator} {}", self.operand(inputs)?);
        }
        self.depth -= 1;
        Ok(text)
    }

    fn operand(&mut self, inputs: &mut Vec<Input>) -> Result<String, SyntaxError> {
        let mut is_negative = false;
        while let Some(TokenKind::Operator(sign @ ("-" | "+"))) = self.peek() {
            is_negative ^= sign == "-";
            self.at += 1;
        }
        let operand = match self.peek() {
            Some(TokenKind::Number(text)) => {
                let value = number(text)
                    .ok_or_else(|| self.fail(format!("invalid number '{}'", quote(text.as_bytes()))))?;
                self.at += 1;
                // Without an exponent, which exmex does not know.
                format!("{value}")
            }
            Some(TokenKind::Name(name))
                if self.tokens.get(self.at + 1).is_some_and(|next| next.kind == TokenKind::Open) =>
            {
                self.call(name, inputs)?
            }
            Some(TokenKind::Name(name) | TokenKind::Braced(name)) => {
                let channel = self.names.find(name).map_err(|problem| self.fail(problem))?;
                self.at += 1;
                input(inputs, Input::Channel(channel))
            }
            Some(TokenKind::Open) => {
                self.at += 1;
                let inside = self.chain(inputs)?;
                self.close()?;
                format!("({inside})")
            }
            _ => return Err(self.expected("a number, a channel or '('")),
        };
        Ok(if is_negative { format!("(-{operand})") } else { operand })
    }

    /// Parses a call of a function, which is known to be followed by `(`.
    fn call(&mut self, name: &str, inputs: &mut Vec<Input>) -> Result<String, SyntaxError> {
        if REMEMBERING.contains(&name) {
            let memory = self.remembering(name)?;
            self.steps.push(memory);
            return Ok(input(inputs, Input::Step(self.steps.len() - 1)));
        }
        if !UNARY.contains(&name) && !BINARY.contains(&name) {
            return Err(self.fail(unknown_function(name)));
        }
        let start = self.at;
        self.at += 2;
        let mut arguments = vec![self.chain(inputs)?];
        while self.takes(TokenKind::Comma) {
            arguments.push(self.chain(inputs)?);
        }
        self.close()?;
        match (arguments.as_slice(), UNARY.contains(&name)) {
            ([one], true) => Ok(format!("{name}({one})")),
            ([first, _, ..], false) => {
                let fold = |text: String, next: &String| format!("(({text}) {name} ({next}))");
                Ok(arguments[1..].iter().fold(first.clone(), fold))
            }
            (_, is_unary) => {
                self.at = start;
                let count = if is_unary { "one argument" } else { "two arguments or more" };
                Err(self.fail(format!("{name} takes {count}")))
            }
        }
    }

    /// Parses `rate(x)`, `rate(x, 1s)`, `delta(x)` and `avg(x, 1s)`.
    fn remembering(&mut self, name: &str) -> Result<Step, SyntaxError> {
        let start = self.at;
        self.at += 2;
        let argument = self.formula()?;
        let time = if self.takes(TokenKind::Comma) { Some(self.duration()?) } else { None };
        if self.peek() == Some(TokenKind::Comma) {
            self.at = start;
            return Err(self.fail(format!("too many arguments for {name}")));
        }
        self.close()?;
        let memory = match (name, time) {
            ("delta", None) => Memory::delta(),
            ("rate", time) => Memory::rate(time),
            ("avg", Some(time)) => Memory::average(time),
            _ => {
                self.at = start;
                let form = if name == "avg" {
                    "avg takes a time, too: avg(x, 1s)"
                } else {
                    "delta takes one argument: delta(x)"
                };
                return Err(self.fail(form));
            }
        };
        Ok(Step { memory, argument })
    }

    fn duration(&mut self) -> Result<Duration, SyntaxError> {
        let Some(TokenKind::Number(text)) = self.peek() else {
            return Err(self.expected("a time such as 1s or 500ms"));
        };
        let found = parse_span(text).ok().filter(|time| !time.is_zero() && *time <= MAX_WINDOW);
        let found = found.ok_or_else(|| {
            self.fail(format!(
                "invalid time '{}': expected up to 1h, as in 500ms or 1s",
                quote(text.as_bytes())
            ))
        })?;
        self.at += 1;
        Ok(found)
    }

    fn close(&mut self) -> Result<(), SyntaxError> {
        if self.takes(TokenKind::Close) { Ok(()) } else { Err(self.expected("an operator or ')'")) }
    }
}

/// Parses `12`, `0x1f`, `1_000` or `1.5e-3`.
fn number(text: &str) -> Option<f64> {
    let clean = text.replace('_', "");
    let value = match clean.strip_prefix("0x").or_else(|| clean.strip_prefix("0X")) {
        #[expect(clippy::cast_precision_loss, reason = "numbers above 2^53 are rounded")]
        Some(digits) => u64::from_str_radix(digits, 16).ok()? as f64,
        None => clean.parse().ok()?,
    };
    value.is_finite().then_some(value)
}

fn unknown_function(name: &str) -> String {
    let known = || UNARY.into_iter().chain(BINARY).chain(REMEMBERING);
    let hint = match nearest_word(name, known()) {
        Some(nearest) => format!("did you mean {nearest}?"),
        None => format!("the functions are {}", known().collect::<Vec<_>>().join(", ")),
    };
    format!("no function named '{}'; {hint}", quote(name.as_bytes()))
}

/// The variable of an input.
fn input(inputs: &mut Vec<Input>, input: Input) -> String {
    let known = inputs.iter().position(|known| *known == input);
    variable(known.unwrap_or_else(|| {
        inputs.push(input);
        inputs.len() - 1
    }))
}
