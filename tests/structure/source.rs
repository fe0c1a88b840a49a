//! A Rust scanner for the rules: tokens without comments and literals, and the paths into the
//! crate.

/// A word or punctuation mark of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    pub text: &'a str,
    /// The line number, counted from 1.
    pub line: usize,
}

/// A path into the crate.
#[derive(Debug, PartialEq, Eq)]
pub struct Use {
    /// The segments of the path, from the root of the crate.
    pub path: Vec<String>,
    pub line: usize,
    /// Set in a test module.
    pub in_tests: bool,
}

/// Tokenizes Rust source, skipping whitespace, comments and literals.
pub fn code(text: &str) -> Vec<Token<'_>> {
    let mut tokens = vec![];
    let (mut at, mut line) = (0, 1);
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = trivia_length(rest).unwrap_or_else(|| {
            let length = if rest.starts_with("::") { 2 } else { word(rest).max(first.len_utf8()) };
            tokens.push(Token { text: &rest[..length], line });
            length
        });
        line += rest[..length].matches('\n').count();
        at += length;
    }
    tokens
}

/// Returns the length of the first word.
fn word(text: &str) -> usize {
    text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len())
}

/// Returns the length of the whitespace, comment, literal or quote of a lifetime that starts the
/// text. `None` if it starts with a token.
fn trivia_length(text: &str) -> Option<usize> {
    let space = text.len() - text.trim_start().len();
    if space > 0 {
        return Some(space);
    }
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(comment(text));
    }
    let quoted = ["", "b", "c"]
        .into_iter()
        .find(|prefix| text.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('"')));
    if let Some(prefix) = quoted {
        return Some(prefix.len() + literal(&text[prefix.len()..], '"'));
    }
    raw(text).or_else(|| character(text))
}

/// Returns the length of a comment. Comments nest.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    loop {
        let rest = &text[at..];
        let step = match rest.chars().next() {
            None => return at,
            Some('/') if rest.starts_with("/*") => {
                depth += 1;
                2
            }
            Some('*') if rest.starts_with("*/") => {
                depth -= 1;
                2
            }
            Some(c) => c.len_utf8(),
        };
        at += step;
        if depth == 0 {
            return at;
        }
    }
}

/// Returns the length of a literal with escapes, through its closing quote.
fn literal(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if !escaped && c == quote {
            return at + 1;
        }
        escaped = !escaped && c == '\\';
    }
    text.len()
}

/// Returns the length of a raw literal: `r"…"`, `br#"…"#`.
fn raw(text: &str) -> Option<usize> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        let rest = text.strip_prefix(prefix).map(|rest| rest.trim_start_matches('#'));
        rest.is_some_and(|rest| rest.starts_with('"'))
    })?;
    let hashes = text[prefix.len()..].find('"')?;
    let start = prefix.len() + hashes + 1;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text[start..].find(&end).map_or(text.len(), |offset| start + offset + end.len()))
}

/// Returns the length of a character literal, or of the quote of a lifetime.
fn character(text: &str) -> Option<usize> {
    let prefix = usize::from(text.starts_with("b'"));
    let rest = &text[prefix..];
    let mut inside = rest.strip_prefix('\'')?.chars();
    let (first, second) = (inside.next(), inside.next());
    if first == Some('\\') || second == Some('\'') { Some(prefix + literal(rest, '\'')) } else { Some(1) }
}

/// Returns the paths into the crate in a source of these modules.
pub fn uses(text: &str, modules: &[&str]) -> Vec<Use> {
    let tokens = code(text);
    let word = |index: usize| tokens.get(index).map_or("", |token| token.text);
    let mut uses = vec![];
    // Modules that are open at this point, with the depth of their braces.
    let mut open: Vec<(&str, usize)> = vec![];
    let (mut depth, mut index) = (0, 0);
    while index < tokens.len() {
        let begins = word(index + 1) == "::" && (index == 0 || word(index - 1) != "::");
        match word(index) {
            "{" => {
                depth += 1;
                if index >= 2 && word(index - 2) == "mod" {
                    open.push((word(index - 1), depth));
                }
            }
            "}" => {
                open.pop_if(|(_, start)| *start == depth);
                depth -= 1;
            }
            root @ ("crate" | "self" | "super") if begins => {
                let around: Vec<&str> =
                    modules.iter().copied().chain(open.iter().map(|(name, _)| *name)).collect();
                let (line, in_tests) = (tokens[index].line, around.contains(&"tests"));
                let mut found = Tree { tokens: &tokens, leaves: vec![] };
                index = if root == "crate" { found.read(index + 2, &[]) } else { found.read(index, &around) };
                uses.extend(found.leaves.into_iter().map(|path| Use { path, line, in_tests }));
                continue;
            }
            _ => {}
        }
        index += 1;
    }
    uses
}

/// A path with its groups: `a::{b, c::d}`.
struct Tree<'a> {
    tokens: &'a [Token<'a>],
    leaves: Vec<Vec<String>>,
}

impl Tree<'_> {
    /// Reads the path at a token, relative to `parts`. Returns the index after it.
    fn read(&mut self, mut index: usize, parts: &[&str]) -> usize {
        let tokens = self.tokens;
        let mut parts = parts.to_vec();
        while let Some(token) = tokens.get(index) {
            if token.text == "{" {
                return self.group(index + 1, &parts);
            }
            match token.text {
                "super" => drop(parts.pop()),
                "self" | "*" => {}
                name => parts.push(name),
            }
            index += 1;
            if tokens.get(index).is_none_or(|next| next.text != "::") {
                break;
            }
            index += 1;
        }
        self.leaves.push(parts.into_iter().map(str::to_owned).collect());
        index
    }

    fn group(&mut self, mut index: usize, parts: &[&str]) -> usize {
        while let Some(token) = self.tokens.get(index) {
            match token.text {
                "}" => return index + 1,
                "," => index += 1,
                // A rename does not change the path.
                "as" => index += 2,
                _ => index = self.read(index, parts),
            }
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_not_code() {
        let text = "a /* b /* c */ d */ // e\n\"f \\\" g\" b'h' 'i' '\\'' 'j: r##\"k\"# l\"## br\"m\" ::n c\"o\" r#p é";
        let words: Vec<&str> = code(text).iter().map(|token| token.text).collect();
        assert_eq!(words, ["a", "j", ":", "::", "n", "r", "#", "p", "é"]);
        assert_eq!(code("a\n\"x\ny\" b")[1], Token { text: "b", line: 3 });
    }

    #[test]
    fn paths_in_groups_and_super_are_resolved() {
        let found = |text: &str| -> Vec<String> {
            uses(text, &["machine", "real"]).iter().map(|used| used.path.join("::")).collect()
        };
        assert_eq!(found("use crate::{a, b::{self, c as d, e::*}, f}; g()"), ["a", "b", "b::c", "b::e", "f"]);
        assert_eq!(found("let x = crate::a::b(super::c, $crate::d);"), ["a::b", "machine::c", "d"]);
        assert_eq!(found("use super::super::a; pub(crate) fn f() {}"), ["a"]);
        assert_eq!(found("mod m { use super::super::super::a; } use super::b;"), ["a", "machine::b"]);
        assert_eq!(found("use super::{super::sys, posix};"), ["sys", "machine::posix"]);
    }
}
