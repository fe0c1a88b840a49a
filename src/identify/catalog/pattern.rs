//! The name pattern of a maker. Most patterns begin with literal characters, which rule out most
//! names without compiling the expression. It is compiled for the first name with that prefix.

use crate::config::maker::compile;
use regex::bytes::{Captures, Regex};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use std::sync::OnceLock;

#[derive(Debug)]
pub struct Pattern {
    text: String,
    /// The bytes that all matching names start with.
    pub prefix: Vec<u8>,
    compiled: OnceLock<CompiledPattern>,
}

/// The compiled expression and its properties.
#[derive(Debug)]
struct CompiledPattern {
    /// The bytes that all matching names end with.
    suffix: Vec<u8>,
    /// The possible first bytes of matching names.
    first: Bytes,
    /// The minimum number of literal characters.
    literal: usize,
    /// The only matching name, if there is just one.
    only: Option<Vec<u8>>,
    regex: Option<Regex>,
}

impl Pattern {
    /// Returns a built-in pattern. A test checks its prefix.
    pub fn new(text: &str) -> Self {
        Self { prefix: prefix(text), ..Self::from_user(text) }
    }

    /// Returns the user's pattern, which may have syntax that the prefix check does not know.
    pub fn from_user(text: &str) -> Self {
        Self { text: text.to_owned(), prefix: vec![], compiled: OnceLock::new() }
    }

    pub fn matches(&self, name: &[u8]) -> bool {
        if !name.starts_with(&self.prefix) {
            return false;
        }
        let compiled = self.compiled();
        match &compiled.only {
            Some(only) => name == only,
            None => {
                name.ends_with(&compiled.suffix)
                    && compiled.regex.as_ref().is_some_and(|regex| regex.is_match(name))
            }
        }
    }

    pub fn captures<'n>(&self, name: &'n [u8]) -> Option<Captures<'n>> {
        self.compiled().regex.as_ref()?.captures(name)
    }

    pub fn may_begin_with(&self, byte: u8) -> bool {
        match self.prefix.first() {
            Some(&first) => first == byte,
            None => self.compiled().first.has(byte),
        }
    }

    /// Returns the minimum number of literal characters in a match.
    pub fn literal(&self) -> usize {
        self.compiled().literal
    }

    /// Returns true if the pattern matches a single name only.
    pub fn is_exact(&self) -> bool {
        self.compiled().only.is_some()
    }

    fn compiled(&self) -> &CompiledPattern {
        self.compiled.get_or_init(|| {
            let mut compiled = CompiledPattern {
                suffix: vec![],
                first: Bytes::ALL,
                literal: 0,
                only: None,
                regex: compile(&self.text).ok(),
            };
            let mut parser = ParserBuilder::new();
            let parsed =
                parser.unicode(false).utf8(false).dot_matches_new_line(true).build().parse(&self.text);
            if let Ok(hir) = parsed {
                compiled.analyze(&hir);
            }
            compiled
        })
    }
}

/// Returns the literal characters at the start of a pattern, without parsing it.
fn prefix(pattern: &str) -> Vec<u8> {
    // Characters before a top-level `|` are part of one branch only.
    let Some(rest) = pattern.strip_prefix('^').filter(|rest| !outside_of_groups(rest, b'|')) else {
        return vec![];
    };
    let mut prefix = vec![];
    let mut bytes = rest.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let letter = match byte {
            b'\\' => bytes.next().filter(u8::is_ascii_punctuation),
            byte if byte.is_ascii_alphanumeric() || b" _-:/,=@%!".contains(&byte) => Some(byte),
            _ => None,
        };
        let Some(letter) = letter else { break };
        // The character before a quantifier may be missing.
        if matches!(bytes.peek(), Some(b'?' | b'*' | b'{' | b'+')) {
            break;
        }
        prefix.push(letter);
    }
    prefix
}

/// Returns true if a byte occurs outside of all parentheses and brackets.
fn outside_of_groups(pattern: &str, wanted: u8) -> bool {
    let (mut depth, mut escaped) = (0usize, false);
    for byte in pattern.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            byte if byte == wanted && depth == 0 => return true,
            _ => {}
        }
    }
    false
}

impl CompiledPattern {
    fn analyze(&mut self, hir: &Hir) {
        self.literal = literal(hir);
        let mut parts = vec![];
        flatten(hir, &mut parts);
        let looks = |part: Option<&&Hir>, look| matches!(part.map(|part| part.kind()), Some(HirKind::Look(at)) if *at == look);
        let letters = |part: &&Hir| match part.kind() {
            HirKind::Literal(literal) => Some(literal.0.to_vec()),
            _ => None,
        };
        let starts = looks(parts.first(), Look::Start);
        if starts {
            let mut first = Bytes::NONE;
            self.first = if first.add(hir) { Bytes::ALL } else { first };
        }
        if looks(parts.last(), Look::End) {
            let inner = &parts[usize::from(starts)..parts.len() - 1];
            let mut last: Vec<Vec<u8>> = inner.iter().rev().map_while(letters).collect();
            last.reverse();
            self.suffix = last.concat();
            self.only = (starts && last.len() == inner.len()).then(|| self.suffix.clone());
        }
    }
}

/// Collects the concatenated parts of an expression, without parentheses.
fn flatten<'h>(hir: &'h Hir, parts: &mut Vec<&'h Hir>) {
    match hir.kind() {
        HirKind::Concat(all) => all.iter().for_each(|one| flatten(one, parts)),
        HirKind::Capture(capture) => flatten(&capture.sub, parts),
        _ => parts.push(hir),
    }
}

/// Returns the minimum number of literal characters in a match.
fn literal(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Capture(capture) => literal(&capture.sub),
        HirKind::Concat(all) => all.iter().map(literal).sum(),
        HirKind::Alternation(all) => all.iter().map(literal).min().unwrap_or(0),
        HirKind::Repetition(repetition) => {
            usize::try_from(repetition.min).unwrap_or(0).saturating_mul(literal(&repetition.sub))
        }
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => 0,
    }
}

/// A set of bytes.
#[derive(Debug, Clone, Copy)]
pub struct Bytes([bool; 256]);

impl Bytes {
    const NONE: Self = Self([false; 256]);
    const ALL: Self = Self([true; 256]);

    pub const fn has(&self, byte: u8) -> bool {
        self.0[byte as usize]
    }

    /// Adds the possible first bytes of matching strings. Returns true if the empty string matches.
    fn add(&mut self, hir: &Hir) -> bool {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => true,
            // The parser turns `(a|b)` into a class of characters, even for bytes.
            HirKind::Class(Class::Unicode(class)) => {
                for range in class.ranges() {
                    match (u8::try_from(range.start()), u8::try_from(range.end())) {
                        (Ok(start), Ok(end)) if end.is_ascii() => {
                            self.0[usize::from(start)..=usize::from(end)].fill(true);
                        }
                        // With several patterns, the match may start with any byte.
                        _ => self.0.fill(true),
                    }
                }
                false
            }
            HirKind::Literal(literal) => {
                literal.0.first().map(|&byte| self.0[usize::from(byte)] = true).is_none()
            }
            HirKind::Class(Class::Bytes(class)) => {
                for range in class.ranges() {
                    self.0[usize::from(range.start())..=usize::from(range.end())].fill(true);
                }
                false
            }
            HirKind::Repetition(repetition) => self.add(&repetition.sub) || repetition.min == 0,
            HirKind::Capture(capture) => self.add(&capture.sub),
            HirKind::Concat(all) => all.iter().all(|one| self.add(one)),
            // `any` would stop at the first match.
            HirKind::Alternation(all) => {
                all.iter().map(|one| self.add(one)).fold(false, |any, one| any | one)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prefix_literal_letters_and_exactness_follow_from_the_pattern() {
        for (text, prefix, count, exact) in [
            (r"^psm_[0-9a-f]{8}$", "psm_", 4, false),
            (r"^jack-shm-registry$", "jack-shm-registry", 17, true),
            (r"^sem\.x$", "sem.x", 5, true),
            (r"^(sem\.)?jack_(?P<a>x|yy)$", "", 6, false),
            (r"^.+\.im\.shm$", "", 7, false),
            (r"^fast(dds|rtps)_[0-9a-f]{16}$", "fast", 8, false),
            (r"^ab+$", "a", 2, false),
            (r"^ab?$", "a", 1, false),
            (r"^ab{0}\d", "a", 1, false),
            (r"(ab){2}", "", 4, false),
            (r"^ab|^cd", "", 2, false),
            (r"cam", "", 3, false),
            (r"^a(?P<b>b)c$", "a", 3, true),
        ] {
            let pattern = Pattern::new(text);
            let found = (pattern.prefix.as_slice(), pattern.literal(), pattern.is_exact());
            assert_eq!(found, (prefix.as_bytes(), count, exact), "{text}");
        }
        assert!(Pattern::new(r"^.+\.im\.shm$").matches(b"a\n\xff.im.shm"));
        assert!(!Pattern::new(r"^.+\.im\.shm$").matches(b"a.im.shm\n"));
        assert!(Pattern::new("cam").matches(b"my cam 1"));
        assert!(Pattern::new("^a(?P<b>b)c$").matches(b"abc"));
    }

    #[test]
    fn first_byte_follows_from_the_pattern() {
        for (text, first) in [
            (r"^psm_", "p"),
            (r"^(sem\.)?(jack|kit)_x$", "sjk"),
            (r"^\d{2}_$", "0123456789"),
            (r"^(a|b*)c", "abc"),
            (r"^(?P<x>[xy]|z)+$", "xyz"),
            (r"^(a|b)(a|c)\.", "ab"),
        ] {
            let pattern = Pattern::new(text);
            let found: String =
                (0..=255u8).filter(|&byte| pattern.may_begin_with(byte)).map(char::from).collect();
            let mut first: Vec<char> = first.chars().collect();
            first.sort_unstable();
            assert_eq!(found, String::from_iter(first), "{text}");
        }
        for any in [r"^.+x", r"^a?$", r"psm", r"^(|a)"] {
            assert!((0..=255u8).all(|byte| Pattern::new(any).may_begin_with(byte)), "{any}");
        }
    }

    proptest! {
        #[test]
        fn prefix_check_agrees_with_the_expression(
            pattern in "\\^?(a|b|ab|\\(a\\|b\\)|\\(\\?P<x>ab\\)|a\\?|b\\*|a\\+|b\\{2\\}|\\\\\\.|\\||\\[ab\\]|\\.){0,6}\\$?",
            name in "[ab.]{0,6}",
        ) {
            if let Ok(regex) = compile(&pattern) {
                let (ours, is_match) = (Pattern::new(&pattern), regex.is_match(name.as_bytes()));
                prop_assert_eq!(ours.matches(name.as_bytes()), is_match, "{} {}", pattern, name);
                if let Some(&first) = name.as_bytes().first() {
                    prop_assert!(ours.may_begin_with(first) || !is_match, "{} {}", pattern, name);
                }
            }
        }
    }
}
