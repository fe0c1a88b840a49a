//! Splits C and C++ into tokens.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    Word,
    Number,
    Character,
    Text,
    Mark,
    End,
}

#[derive(Debug, Clone, Copy)]
pub struct Token<'a> {
    pub kind: TokenKind,
    pub text: &'a str,
    pub place: TokenPlace,
    /// The first one of a line.
    pub starts_line: bool,
    /// Nothing separates it from the previous one.
    pub is_glued: bool,
    /// The alignment that `#pragma pack` has set here, 0 for none.
    pub pack: u8,
}

/// The place of a token: the number of its file, line and column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenPlace {
    pub file: u16,
    pub line: u32,
    pub column: u32,
}

impl Token<'_> {
    pub fn is(&self, text: &str) -> bool {
        matches!(self.kind, TokenKind::Word | TokenKind::Mark) && self.text == text
    }
}

/// The marks of more than one character. `>>` is two marks, as it may close two templates.
const LONG_MARKS: [&str; 22] = [
    "...", "<=>", "<<=", "::", "->", "<<", "<=", ">=", "==", "!=", "&&", "||", "++", "--", "##", "+=", "-=",
    "*=", "/=", "|=", "&=", "^=",
];

/// Splits a file into tokens. Comments and spaces are dropped. Text that is no token of C is a mark.
pub fn tokens(text: &str, file: u16) -> Vec<Token<'_>> {
    let mut lexer = Lexer { text, at: 0, place: TokenPlace { file, line: 1, column: 1 } };
    let mut tokens = vec![];
    let mut starts_line = true;
    loop {
        let before = lexer.at;
        starts_line |= lexer.skip_space();
        let rest = &text[lexer.at..];
        if rest.is_empty() {
            return tokens;
        }
        let (kind, length) = measure(rest);
        let is_glued = lexer.at == before;
        tokens.push(Token {
            kind,
            text: &rest[..length],
            place: lexer.place,
            starts_line,
            is_glued,
            pack: 0,
        });
        lexer.advance(length);
        starts_line = false;
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    place: TokenPlace,
}

impl Lexer<'_> {
    fn advance(&mut self, length: usize) {
        let passed = &self.text[self.at..self.at + length];
        self.at += length;
        for c in passed.chars() {
            if c == '\n' {
                self.place.line += 1;
                self.place.column = 1;
            } else {
                self.place.column += 1;
            }
        }
    }

    /// Skips spaces and comments. Returns true if a line ended, except after a backslash.
    fn skip_space(&mut self) -> bool {
        let mut has_line_ended = false;
        loop {
            let rest = &self.text[self.at..];
            let length = if rest.starts_with("//") {
                line_length(rest)
            } else if let Some(inside) = rest.strip_prefix("/*") {
                inside.find("*/").map_or(rest.len(), |end| end + 4)
            } else if let Some(newline) = rest.strip_prefix('\\').and_then(newline) {
                1 + newline
            } else {
                match rest.chars().next() {
                    Some('\n') => {
                        has_line_ended = true;
                        1
                    }
                    Some(c) if c.is_whitespace() || c == '\u{feff}' => c.len_utf8(),
                    _ => return has_line_ended,
                }
            };
            self.advance(length);
        }
    }
}

fn newline(text: &str) -> Option<usize> {
    let spaces = text.len() - text.trim_start_matches([' ', '\t', '\r']).len();
    text[spaces..].starts_with('\n').then_some(spaces + 1)
}

/// The length of a line without its end. A backslash continues a line.
fn line_length(text: &str) -> usize {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        if !line.trim_end().ends_with('\\') {
            return at - usize::from(line.ends_with('\n'));
        }
    }
    at
}

/// Returns the kind and length of the token that starts the text.
fn measure(text: &str) -> (TokenKind, usize) {
    let word = text.find(|c: char| !is_word(c)).unwrap_or(text.len());
    let after = &text[word..];
    let is_prefix = matches!(&text[..word], "" | "L" | "u" | "U" | "u8");
    if after.starts_with('"') && matches!(&text[..word], "R" | "LR" | "uR" | "UR" | "u8R") {
        return (TokenKind::Text, word + raw_length(after));
    }
    if is_prefix && after.starts_with('"') {
        return (TokenKind::Text, word + quoted_length(after, '"'));
    }
    if is_prefix && after.starts_with('\'') {
        return (TokenKind::Character, word + quoted_length(after, '\''));
    }
    let mut chars = text.chars();
    let (first, second) = (chars.next().unwrap_or(' '), chars.next());
    if first.is_ascii_digit() || (first == '.' && second.is_some_and(|c| c.is_ascii_digit())) {
        return (TokenKind::Number, number_length(text));
    }
    if word > 0 {
        return (TokenKind::Word, word);
    }
    let mark = LONG_MARKS.iter().find(|mark| text.starts_with(**mark));
    (TokenKind::Mark, mark.map_or(first.len_utf8(), |mark| mark.len()))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn quoted_length(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == '\n' && !is_escaped {
            return at;
        }
        if c == quote && !is_escaped {
            return at + 1;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    text.len()
}

fn raw_length(text: &str) -> usize {
    let Some(open) = text.find('(') else { return text.len() };
    let end = format!("){}\"", &text[1..open]);
    text.find(&end).map_or(text.len(), |at| at + end.len())
}

/// The length of a number: letters, digits, dots, digit separators, and signs of exponents.
fn number_length(text: &str) -> usize {
    let is_hex = text.starts_with("0x") || text.starts_with("0X");
    let mut previous = ' ';
    for (at, c) in text.char_indices() {
        let is_exponent = matches!(previous, 'p' | 'P') || (!is_hex && matches!(previous, 'e' | 'E'));
        let is_sign = matches!(c, '+' | '-') && is_exponent;
        if !(is_word(c) || c == '.' || c == '\'' || is_sign) {
            return at;
        }
        previous = c;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_their_places() {
        let text = "struct A\n{ // x\n  int b[0x1'0e+1]; /* y\n */ u8\"a\\\"b\" L'c' a::b>>2 1e+5 \\\n R\"x(a)\")x\" é§";
        let found: Vec<&str> = tokens(text, 0).iter().map(|token| token.text).collect();
        let words = [
            "struct",
            "A",
            "{",
            "int",
            "b",
            "[",
            "0x1'0e",
            "+",
            "1",
            "]",
            ";",
            "u8\"a\\\"b\"",
            "L'c'",
            "a",
            "::",
            "b",
            ">",
            ">",
            "2",
            "1e+5",
            "R\"x(a)\")x\"",
            "é",
            "§",
        ];
        assert_eq!(found, words);
        let places: Vec<(u32, u32)> =
            tokens(text, 0).iter().map(|token| (token.place.line, token.place.column)).collect();
        assert_eq!((places[0], places[3], places[11]), ((1, 1), (3, 3), (4, 5)));
        let starts: Vec<&str> =
            tokens(text, 0).iter().filter(|token| token.starts_line).map(|token| token.text).collect();
        // The line of `int` continues after the comment.
        assert_eq!(starts, ["struct", "{", "int"]);
    }
}
