//! The names of types as people type them: spaces, the words of integers and the suffixes of numbers
//! make no difference.

/// Words that are one type together: `long unsigned int`.
const INTEGER_WORDS: [&str; 8] = ["signed", "unsigned", "short", "long", "int", "char", "double", "__int128"];
/// Namespaces whose names are never typed.
const INLINE_NAMESPACES: [&str; 3] = ["__cxx11", "__1", "__ndk1"];
const KEYWORDS: [&str; 4] = ["struct", "class", "union", "enum"];

/// A token of a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Mark(&'a str),
}

/// Returns the form in which names are compared: `ns::Ring<unsigned long,4>`.
pub(super) fn normalized(name: &str) -> String {
    let tokens = tokens(name);
    let mut key = String::with_capacity(name.len());
    let mut after_word = false;
    let mut at = 0;
    while let Some(&token) = tokens.get(at) {
        at += 1;
        let text = match token {
            Token::Mark(mark) => {
                key += mark;
                after_word = false;
                continue;
            }
            Token::Word(word) if INTEGER_WORDS.contains(&word) => {
                let more = tokens[at..]
                    .iter()
                    .take_while(|token| matches!(token, Token::Word(word) if INTEGER_WORDS.contains(word)));
                let count = more.count();
                let words = &tokens[at - 1..at + count];
                at += count;
                integer(words)
            }
            Token::Word(word)
                if INLINE_NAMESPACES.contains(&word) && tokens.get(at) == Some(&Token::Mark("::")) =>
            {
                at += 1;
                continue;
            }
            Token::Word(word)
                if KEYWORDS.contains(&word) && matches!(tokens.get(at), Some(Token::Word(_))) =>
            {
                continue;
            }
            Token::Word(word) if word.starts_with(|c: char| c.is_ascii_digit()) => {
                let is_hex = word.starts_with("0x");
                let number = word.trim_end_matches(['u', 'U', 'l', 'L']);
                (if is_hex { word } else { number }).to_owned()
            }
            Token::Word(word) => word.to_owned(),
        };
        if after_word {
            key.push(' ');
        }
        key += &text;
        after_word = true;
    }
    key
}

/// Returns true for the name of a namespace that is never typed.
pub(super) fn is_inline(name: &[u8]) -> bool {
    INLINE_NAMESPACES.iter().any(|inline| inline.as_bytes() == name)
}

fn tokens(name: &str) -> Vec<Token<'_>> {
    let mut tokens = vec![];
    let mut rest = name.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let token = if length > 0 {
            Token::Word(&rest[..length])
        } else if rest.starts_with("::") {
            Token::Mark("::")
        } else {
            Token::Mark(&rest[..first.len_utf8()])
        };
        let (Token::Word(text) | Token::Mark(text)) = token;
        rest = rest[text.len()..].trim_start();
        tokens.push(token);
    }
    tokens
}

/// The shortest name of an integer type: `unsigned long` for `long unsigned int`.
fn integer(words: &[Token<'_>]) -> String {
    let count = |word: &str| words.iter().filter(|token| **token == Token::Word(word)).count();
    let mut text = String::new();
    if count("unsigned") > 0 {
        text += "unsigned ";
    }
    if count("signed") > 0 && count("char") > 0 {
        text += "signed ";
    }
    for (word, most) in [("short", 1), ("long", 2), ("char", 1), ("double", 1), ("__int128", 1)] {
        for _ in 0..count(word).min(most) {
            text = text + word + " ";
        }
    }
    match text.trim_end() {
        "" => "int".to_owned(),
        text => text.to_owned(),
    }
}

/// The part after the last `::` that is not in the arguments of a template.
pub(super) fn last_part(key: &str) -> &str {
    let mut depth = 0_usize;
    let mut start = 0;
    let bytes = key.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'<' | b'(' | b'[' => depth += 1,
            // `->` of a Rust function is no bracket.
            b'>' if at > 0 && bytes[at - 1] == b'-' => {}
            b'>' | b')' | b']' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => start = at + 1,
            _ => {}
        }
    }
    &key[start..]
}

/// Returns true if a name ends with the parts of another one.
pub(super) fn ends_with(key: &str, end: &str) -> bool {
    key.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_and_integer_words_make_no_difference() {
        for (one, other) in [
            ("ns::Ring<float, 4>", "ns::Ring<float,4>"),
            ("ns :: Ring < float , 4u >", "ns::Ring<float, 4>"),
            ("Box<long unsigned int>", "Box<unsigned long>"),
            ("Box<unsigned>", "Box< unsigned int >"),
            ("Box<short int, 3ul>", "Box<short,3>"),
            ("Box<Box<int> >", "Box<Box<int>>"),
            ("struct Frame", "Frame"),
            ("std::vector<struct Frame>", "std::vector<Frame>"),
            ("std::__cxx11::basic_string<char>", "std::basic_string<char>"),
            ("alloc::vec::Vec<u8, alloc::alloc::Global>", "alloc::vec::Vec<u8,alloc::alloc::Global>"),
            ("long long int", "long long"),
        ] {
            assert_eq!(normalized(one), normalized(other));
        }
        for (one, other) in [
            ("Ring<4>", "Ring<5>"),
            ("Box<int>", "Box<unsigned>"),
            ("Box<char>", "Box<signed char>"),
            ("Box<const T>", "Box<constT>"),
            ("Box<0xful>", "Box<0xf>"),
            ("class", "struct"),
        ] {
            assert_ne!(normalized(one), normalized(other));
        }
    }

    #[test]
    fn last_part_is_after_the_namespaces() {
        for (name, last) in [
            ("a::b::C", "C"),
            ("a::C<x::D,4>", "C<x::D,4>"),
            ("a::C<b::D>::E", "E"),
            ("C", "C"),
            ("(anonymous namespace)::C", "C"),
            ("F<fn(a::B)->c::D>", "F<fn(a::B)->c::D>"),
        ] {
            assert_eq!(last_part(name), last);
        }
        assert!(ends_with("a::b::C", "b::C") && ends_with("C", "C"));
        assert!(!ends_with("a::bC", "C") && !ends_with("C", "a::C"));
    }
}
