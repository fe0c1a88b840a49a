//! Parses conditions.

use super::condition::{Comparison, Condition, Edge, Signal, Test, ends_name};
use super::error::TriggerError;
use super::level::Operand;
use crate::segment::{parse_span, quote};
use std::str::FromStr;
use std::time::Duration;

/// The forms that follow a name.
const FORMS: &str = "> 50, > 50 rising, < 3 falling, == 7, != 7, changes, leaves 0..10, enters 0..10, \
                     stale 500ms or & 0x4";
/// Operators of other languages, and ours.
const MISTAKEN: [(&str, &str); 7] =
    [("=>", ">="), ("=<", "<="), ("<>", "!="), ("===", "=="), ("!==", "!="), ("&&", "&"), ("~=", "!=")];
/// Characters of a trigger.
const MAX_LENGTH: usize = 4096;
/// The longest time without a change.
const MAX_STALE: Duration = Duration::from_secs(86_400);

impl FromStr for Condition {
    type Err = TriggerError;

    /// Parses `NAME > 50 rising`, `(head - tail) > 10`, `NAME stale 500ms` and so on. A name with spaces or
    /// operators is in braces.
    fn from_str(text: &str) -> Result<Self, TriggerError> {
        let failed = |problem| TriggerError { text: text.trim().chars().take(200).collect(), problem };
        if text.len() > MAX_LENGTH {
            return Err(failed(format!("longer than {MAX_LENGTH} bytes")));
        }
        let (signal, rest) = signal(text.trim()).map_err(failed)?;
        Ok(Self { signal, test: test(rest.trim()).map_err(failed)? })
    }
}

/// Splits the name or expression from the rest.
fn signal(text: &str) -> Result<(Signal, &str), String> {
    if let Some(inside) = text.strip_prefix('{') {
        let (name, rest) = inside.split_once('}').ok_or("'{' without '}'")?;
        return Ok((Signal::Channel(name.trim().to_owned()), rest));
    }
    if text.starts_with('(') {
        let end = closing(text).ok_or("'(' without ')'")?;
        return Ok((Signal::Expression(text[1..end].trim().to_owned()), &text[end + 1..]));
    }
    let (name, rest) = text.split_at(text.find(ends_name).unwrap_or(text.len()));
    if name.is_empty() {
        return Err(
            "expected the name of a channel, or an expression in parentheses, as in (head - tail) > 10"
                .to_owned(),
        );
    }
    Ok((Signal::Channel(name.to_owned()), rest))
}

/// The place of the parenthesis that closes the first one. Names in braces may contain any.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut in_braces) = (0_usize, false);
    for (at, c) in text.char_indices() {
        match c {
            '{' => in_braces = true,
            '}' => in_braces = false,
            '(' if !in_braces => depth += 1,
            ')' if !in_braces => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

fn test(text: &str) -> Result<Test, String> {
    if let Some((typed, meant)) = MISTAKEN.into_iter().find(|(typed, _)| text.starts_with(typed)) {
        return Err(format!("use {meant} instead of {typed}"));
    }
    if let Some(comparison) = Comparison::ALL.into_iter().find(|one| text.starts_with(one.text())) {
        return compare(comparison, text[comparison.text().len()..].trim());
    }
    if let Some(rest) = text.strip_prefix('&') {
        return bits(rest.trim());
    }
    if text.starts_with('=') {
        return Err("use == instead of =".to_owned());
    }
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    match word {
        "changes" if rest.is_empty() => Ok(Test::Changes),
        "changes" => Err(unexpected(rest)),
        "leaves" => range(rest).map(|(from, to)| Test::Leaves(from, to)),
        "enters" => range(rest).map(|(from, to)| Test::Enters(from, to)),
        "stale" => {
            let time = parse_span(rest).ok().filter(|time| !time.is_zero() && *time <= MAX_STALE);
            time.map(Test::Stale).ok_or_else(|| "stale takes a time up to 24h, as in stale 500ms".to_owned())
        }
        "" => Err(format!("add a condition after the name: {FORMS}")),
        _ => Err(format!("unexpected '{}'; expected {FORMS}", quote(word.as_bytes()))),
    }
}

fn compare(comparison: Comparison, text: &str) -> Result<Test, String> {
    let (operand, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let operand = operand_in(operand, &format!("after {}", comparison.text()))?;
    let rest = rest.trim();
    let edge = Edge::ALL.into_iter().find(|edge| edge.word() == rest);
    match (edge, comparison) {
        (None, _) if !rest.is_empty() => {
            Err(format!("expected rising or falling after the number, found '{}'", quote(rest.as_bytes())))
        }
        (Some(edge), Comparison::Equal | Comparison::NotEqual) => {
            Err(format!("{} works with < and >, not with {}", edge.word(), comparison.text()))
        }
        _ => Ok(Test::Compare { comparison, operand, edge }),
    }
}

fn bits(text: &str) -> Result<Test, String> {
    let (mask, pattern) = match text.split_once("==") {
        Some((mask, pattern)) => (mask.trim(), Some(operand_in(pattern.trim(), "after ==")?)),
        None => (text, None),
    };
    Ok(Test::Bits { mask: operand_in(mask, "after &")?, pattern })
}

fn range(text: &str) -> Result<(Operand, Operand), String> {
    let (from, to) = text.split_once("..").ok_or("expected a range such as 0..10")?;
    Ok((operand_in(from.trim(), "before ..")?, operand_in(to.trim(), "after ..")?))
}

fn operand_in(text: &str, place: &str) -> Result<Operand, String> {
    Operand::read(text).ok_or_else(|| {
        let found =
            if text.is_empty() { String::new() } else { format!(", found '{}'", quote(text.as_bytes())) };
        format!("expected a number or an enumerator {place}{found}")
    })
}

fn unexpected(text: &str) -> String {
    format!("unexpected '{}'", quote(text.as_bytes()))
}
