//! The text to parse: what was typed, or a header and those that it includes.

use super::token::{Token, TokenKind};
use std::collections::HashSet;
use std::sync::Arc;

/// All files together.
const MAX_TEXT: usize = 16 << 20;
const MAX_FILES: usize = 512;

/// The language of declarations. Structs without fields and scopes of names differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    C,
    Cpp,
}

/// The files of a header, in the order in which they are found.
#[derive(Debug, Default)]
pub struct Sources {
    pub(super) files: Vec<File>,
}

#[derive(Debug)]
pub(super) struct File {
    /// `None` for text that was typed.
    pub(super) name: Option<Arc<str>>,
    pub(super) text: String,
    /// The files that it includes, by the text between the quotes.
    pub(super) includes: Vec<(String, u16)>,
}

impl Sources {
    /// Text that was typed or pasted.
    #[must_use]
    pub fn typed(text: &str) -> Self {
        Self { files: vec![File { name: None, text: text.to_owned(), includes: vec![] }] }
    }

    /// A header, and the headers that it includes in quotes as far as `read` finds them. `read` gets
    /// the name of the including file and the text between the quotes, and returns the name of the
    /// included file and its text.
    pub fn header(
        name: &str,
        text: String,
        mut read: impl FnMut(&str, &str) -> Option<(String, String)>,
    ) -> Self {
        let mut total = text.len();
        let mut files = vec![File { name: Some(name.into()), text, includes: vec![] }];
        let mut at = 0;
        while at < files.len() {
            let from = files[at].name.clone().unwrap_or_default();
            for included in quoted_includes(&files[at].text) {
                if files.len() >= MAX_FILES {
                    break;
                }
                let Some((name, text)) = read(&from, &included) else { continue };
                let known = files.iter().position(|file| file.name.as_deref() == Some(&name));
                if known.is_none() {
                    total = total.saturating_add(text.len());
                    if total > MAX_TEXT {
                        continue;
                    }
                    files.push(File { name: Some(name.into()), text, includes: vec![] });
                }
                let index = u16::try_from(known.unwrap_or(files.len() - 1)).unwrap_or(u16::MAX);
                files[at].includes.push((included, index));
            }
            at += 1;
        }
        Self { files }
    }

    /// The language that the words suggest.
    pub(super) fn language(&self) -> Language {
        const CPP: [&str; 12] = [
            "class",
            "namespace",
            "template",
            "using",
            "public",
            "private",
            "protected",
            "virtual",
            "constexpr",
            "operator",
            "::",
            "noexcept",
        ];
        let is_cpp = self.files.iter().any(|file| {
            let tokens = super::token::tokens(&file.text, 0);
            // `struct B : A` has no other word of C++.
            tokens.iter().any(|token| CPP.iter().any(|word| token.is(word)))
                || tokens
                    .windows(3)
                    .any(|part| part[0].is("struct") && (part[2].is(":") || part[2].is("final")))
                || uses_tags_as_types(&tokens)
        });
        if is_cpp { Language::Cpp } else { Language::C }
    }
}

fn quoted_includes(text: &str) -> Vec<String> {
    let included = |line: &str| {
        let rest = line.trim_start().strip_prefix('#')?.trim_start().strip_prefix("include")?;
        let (name, _) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
        Some(name.to_owned())
    };
    text.lines().filter_map(included).collect()
}

/// Returns true if a struct is used without its keyword and without a `typedef`, as only C++ can.
fn uses_tags_as_types(tokens: &[Token<'_>]) -> bool {
    let is_keyword = |token: &Token<'_>| ["struct", "union", "enum"].iter().any(|word| token.is(word));
    let tags: HashSet<&str> = tokens
        .windows(2)
        .filter(|part| is_keyword(&part[0]) && part[1].kind == TokenKind::Word)
        .map(|part| part[1].text)
        .collect();
    let has_typedefs = tokens.iter().any(|token| token.is("typedef"));
    let renamed: HashSet<&str> = tokens
        .windows(2)
        .filter(|part| has_typedefs && (part[1].is(";") || part[1].is(",")))
        .map(|part| part[0].text)
        .collect();
    tokens.windows(3).any(|part| {
        let [before, name, field] = part else { return false };
        !is_keyword(before)
            && (before.is("{") || before.is(";") || before.is("}"))
            && field.kind == TokenKind::Word
            && tags.contains(name.text)
            && !renamed.contains(name.text)
    })
}
