//! The pattern of a maker, and how cheaply it is told that a name does not fit:
//! most have letters that have to stand at the beginning or somewhere, and an
//! expression is compiled when the first name with those comes by.

use crate::config::maker::compile;
use memchr::memmem::Finder;
use regex::bytes::{Captures, Regex};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind, Look};
use std::sync::OnceLock;

#[derive(Debug)]
pub struct Pattern {
    text: String,
    /// What every name that fits begins with.
    pub prefix: Vec<u8>,
    /// What stands somewhere in every name that fits, if that says more.
    needle: Option<Finder<'static>>,
    /// How many letters of a name it settles at least.
    pub literal: usize,
    /// It fits one name only.
    pub exact: bool,
    regex: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// A pattern that compiles, with what it settles.
    pub fn new(text: &str) -> Self {
        let mut pattern = Self {
            text: text.to_owned(),
            prefix: vec![],
            needle: None,
            literal: 0,
            exact: false,
            regex: OnceLock::new(),
        };
        let hir =
            ParserBuilder::new().unicode(false).utf8(false).dot_matches_new_line(true).build().parse(text);
        if let Ok(hir) = hir {
            pattern.learn(&hir);
        }
        pattern
    }

    fn learn(&mut self, hir: &Hir) {
        self.literal = literal(hir);
        let mut parts = vec![];
        flatten(hir, &mut parts);
        let anchored = matches!(parts.first().map(|part| part.kind()), Some(HirKind::Look(Look::Start)));
        let literals = parts.iter().filter_map(|part| match part.kind() {
            HirKind::Literal(literal) => Some(&literal.0),
            _ => None,
        });
        if let Some(longest) = literals.max_by_key(|literal| literal.len()) {
            self.needle = Some(Finder::new(longest).into_owned());
        }
        if !anchored {
            return;
        }
        let mut rest = &parts[1..];
        while let Some((HirKind::Literal(literal), after)) =
            rest.split_first().map(|(one, rest)| (one.kind(), rest))
        {
            self.prefix.extend_from_slice(&literal.0);
            rest = after;
        }
        self.exact = matches!(rest, [end] if matches!(end.kind(), HirKind::Look(Look::End)));
        if self.needle.as_ref().is_some_and(|needle| self.prefix.ends_with(needle.needle())) {
            self.needle = None;
        }
    }

    /// Whether a name fits.
    pub fn fits(&self, name: &[u8]) -> bool {
        self.may_fit(name) && self.regex().is_some_and(|regex| regex.is_match(name))
    }

    /// The groups of a name that fits.
    pub fn captures<'n>(&self, name: &'n [u8]) -> Option<Captures<'n>> {
        self.regex()?.captures(name)
    }

    fn may_fit(&self, name: &[u8]) -> bool {
        name.starts_with(&self.prefix)
            && self.needle.as_ref().is_none_or(|needle| needle.find(name).is_some())
    }

    fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| compile(&self.text).ok()).as_ref()
    }
}

/// The parts of an expression that follow each other, without the parentheses.
fn flatten<'h>(hir: &'h Hir, parts: &mut Vec<&'h Hir>) {
    match hir.kind() {
        HirKind::Concat(all) => all.iter().for_each(|one| flatten(one, parts)),
        HirKind::Capture(capture) => flatten(&capture.sub, parts),
        _ => parts.push(hir),
    }
}

/// The least number of letters that are given as such.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_settles() {
        for (text, prefix, count, exact) in [
            (r"^psm_[0-9a-f]{8}$", "psm_", 4, false),
            (r"^jack-shm-registry$", "jack-shm-registry", 17, true),
            (r"^(sem\.)?jack_(?P<a>x|yy)$", "", 6, false),
            (r"^.+\.im\.shm$", "", 7, false),
            (r"^fast(dds|rtps)_[0-9a-f]{16}$", "fast", 8, false),
            (r"^ab+$", "a", 2, false),
            (r"^ab?$", "a", 1, false),
            (r"(ab){2}", "", 4, false),
            (r"^ab|^cd", "", 2, false),
            (r"cam", "", 3, false),
            (r"^a(?P<b>b)c$", "abc", 3, true),
        ] {
            let pattern = Pattern::new(text);
            let found = (pattern.prefix.as_slice(), pattern.literal, pattern.exact);
            assert_eq!(found, (prefix.as_bytes(), count, exact), "{text}");
        }
        assert!(Pattern::new(r"^.+\.im\.shm$").fits(b"a\n\xff.im.shm"));
        assert!(!Pattern::new(r"^.+\.im\.shm$").fits(b"a.im.shm\n"));
        assert!(Pattern::new("cam").fits(b"my cam 1"));
    }
}
