//! A `[[maker]]` table of a file, field by field.

use super::super::read::{Value, Wrong, in_order, plain, wrong};
use super::bytes::{NUMBERS, check};
use super::pattern::{compile, has_group, words as regex_words};
use super::{
    Example, KeyRule, Kinds, Maker, MatchBy, Patterns, PidPlace, PidRule, Template, Unheld, Wanted, Whose,
};
use crate::segment::{Bytes, Mode};
use std::ops::RangeInclusive;
use toml::de::{DeTable, DeValue};

pub(super) const FIELDS: &str = "id, name, kind, pattern, key, size, mode, contents, match, commands, beside, group-named, pid, \
                      unheld, wanted, helpers, helpers-of, with, reason, removal, source, label-only, fits or misses";

/// Reads one; what is wrong names it.
pub fn read(value: &Value<'_>, patterns: Patterns) -> Result<Maker, Wrong> {
    let Some(table) = value.get_ref().as_table() else {
        return Err(wrong("maker", value, "[[maker]] followed by lines like id = \"…\""));
    };
    let id = table.get("id").and_then(|id| id.get_ref().as_str()).map(plain);
    let named = |wrong: Wrong| Wrong {
        what: id.as_ref().map_or_else(|| wrong.what.clone(), |id| format!("maker '{id}': {}", wrong.what)),
        ..wrong
    };
    let maker = fields(table).map_err(named)?;
    sound(&maker, table, value, patterns).map_err(named)?;
    Ok(maker)
}

fn fields(table: &DeTable<'_>) -> Result<Maker, Wrong> {
    let mut maker = Maker::default();
    for (key, value) in in_order(table) {
        let field = key.get_ref().as_ref();
        match field {
            "id" => maker.id = id(value)?,
            "name" => maker.name = text(field, value)?,
            "kind" => maker.kinds = kinds(value)?,
            "pattern" => maker.patterns = list(field, value, text)?,
            "key" => maker.keys = list(field, value, parsed::<KeyRule>)?,
            "size" => maker.sizes = list(field, value, size)?,
            "mode" => maker.modes = list(field, value, |field, value| Ok(Mode::new(octal(field, value)?)))?,
            "contents" => maker.contents = list(field, value, |_, value| check(value))?,
            "match" => maker.by = words(field, value, &MATCHES)?,
            "commands" => maker.commands = list(field, value, text)?,
            "beside" => maker.beside = list(field, value, parsed::<Template>)?,
            "group-named" => maker.group_named = switch(field, value)?,
            "pid" => maker.pids = list(field, value, |_, value| pid(value))?,
            "unheld" => maker.unheld = words(field, value, &UNHELD)?,
            "wanted" => {
                maker.wanted =
                    words(field, value, &[("idle", Wanted::Idle), ("protected", Wanted::Protected)])?;
            }
            "helpers" => maker.helpers = list(field, value, parsed::<Template>)?,
            "helpers-of" => {
                maker.helpers_of =
                    words(field, value, &[("owner", Whose::Owner), ("anyone", Whose::Anyone)])?;
            }
            "with" => maker.with = list(field, value, parsed::<Template>)?,
            "reason" => maker.reason = text(field, value)?,
            "removal" => maker.removal = Some(text(field, value)?),
            "source" => maker.source = Some(text(field, value)?),
            "label-only" => maker.label_only = switch(field, value)?,
            "fits" => maker.fits = list(field, value, example)?,
            "misses" => maker.misses = list(field, value, example)?,
            other => {
                let what = format!("unknown field '{}'; expected {FIELDS}", plain(other));
                return Err(Wrong { at: key.span(), what });
            }
        }
    }
    if table.get("kind").is_none() {
        maker.kinds = Kinds { posix: !maker.patterns.is_empty(), sysv: !maker.keys.is_empty(), memfd: false };
    }
    Ok(maker)
}

const MATCHES: [(&str, MatchBy); 4] = [
    ("name", MatchBy::Name),
    ("content", MatchBy::Content),
    ("context", MatchBy::Context),
    ("fallback", MatchBy::Fallback),
];

const UNHELD: [(&str, Unheld); 6] = [
    ("undecided", Unheld::Undecided),
    ("normal", Unheld::Normal),
    ("protected", Unheld::Protected),
    ("leaked", Unheld::Leaked),
    ("dead-pid", Unheld::DeadPid),
    ("companion", Unheld::Companion),
];

/// That its fields go together.
fn sound(maker: &Maker, table: &DeTable<'_>, value: &Value<'_>, patterns: Patterns) -> Result<(), Wrong> {
    let fail = |field: &str, what: String| {
        Err(Wrong { at: table.get(field).map_or_else(|| value.span(), toml::Spanned::span), what })
    };
    if maker.id.is_empty() || maker.name.is_empty() {
        return fail("", "id and name are required".to_owned());
    }
    let around = !maker.commands.is_empty() || !maker.beside.is_empty() || maker.group_named;
    let known = !maker.patterns.is_empty() || !maker.keys.is_empty() || !maker.contents.is_empty();
    // What stands beside a System V segment only tells something together with its size.
    let beside = !maker.beside.is_empty() && !maker.sizes.is_empty();
    if !known && maker.commands.is_empty() && !beside {
        return fail(
            "",
            "nothing identifies its segments: add pattern, key, contents or commands".to_owned(),
        );
    }
    if maker.kinds == Kinds::default() {
        return fail("", "kind is required: \"posix\", \"sysv\", \"both\" or \"memfd\"".to_owned());
    }
    let lacks = match maker.by {
        MatchBy::Content | MatchBy::Fallback if maker.contents.is_empty() => Some("contents"),
        MatchBy::Context if !around => Some("commands, beside or group-named"),
        MatchBy::Name if maker.patterns.is_empty() && maker.keys.is_empty() => Some("pattern or key"),
        _ => None,
    };
    if let Some(lacks) = lacks {
        let by = MATCHES.iter().find(|(_, by)| *by == maker.by).map_or("", |(word, _)| word);
        return fail("match", format!("match = \"{by}\" requires {lacks}"));
    }
    match maker.unheld {
        Unheld::DeadPid if maker.pids.is_empty() => {
            return fail("unheld", "unheld = \"dead-pid\" requires pid".to_owned());
        }
        Unheld::Companion if maker.helpers.is_empty() => {
            return fail("unheld", "unheld = \"companion\" requires helpers".to_owned());
        }
        Unheld::Undecided => {}
        _ if maker.label_only => {
            return fail("unheld", "unheld and label-only are mutually exclusive".to_owned());
        }
        _ if maker.reason.is_empty() => return fail("unheld", "unheld requires reason".to_owned()),
        _ => {}
    }
    groups(maker)
        .or_else(|(field, group)| fail(field, format!("no group '{}' in pattern", plain(&group))))?;
    if patterns == Patterns::Compile {
        for pattern in &maker.patterns {
            if let Err(error) = compile(pattern) {
                let error = plain(&regex_words(&error));
                return fail("pattern", format!("invalid regular expression '{}': {error}", plain(pattern)));
            }
        }
    }
    Ok(())
}

/// That every group which is used is in a pattern.
fn groups(maker: &Maker) -> Result<(), (&'static str, String)> {
    let pids = maker.pids.iter().filter_map(|pid| match &pid.place {
        PidPlace::Name { group, .. } => Some(("pid", group.as_str())),
        PidPlace::Contents { .. } => None,
    });
    let templates = [("beside", &maker.beside), ("helpers", &maker.helpers), ("with", &maker.with)];
    let used = templates
        .into_iter()
        .flat_map(|(field, all)| all.iter().flat_map(Template::groups).map(move |group| (field, group)))
        .chain(pids);
    for (field, group) in used {
        if !maker.patterns.iter().any(|pattern| has_group(pattern, group)) {
            return Err((field, group.to_owned()));
        }
    }
    Ok(())
}

/// One or a list.
pub fn each<'a, 't>(value: &'a Value<'t>) -> Vec<&'a Value<'t>> {
    value.get_ref().as_array().map_or_else(|| vec![value], |all| all.iter().collect())
}

fn list<T>(
    field: &str,
    value: &Value<'_>,
    read: impl Fn(&str, &Value<'_>) -> Result<T, Wrong>,
) -> Result<Vec<T>, Wrong> {
    each(value).into_iter().map(|one| read(field, one)).collect()
}

pub fn text(field: &str, value: &Value<'_>) -> Result<String, Wrong> {
    let text = value.get_ref().as_str().filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or_else(|| wrong(field, value, "a string in quotes"))
}

fn id(value: &Value<'_>) -> Result<String, Wrong> {
    let id = text("id", value)?;
    let sound = id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
    if sound { Ok(id) } else { Err(wrong("id", value, "lowercase letters, digits, - and _")) }
}

fn switch(field: &str, value: &Value<'_>) -> Result<bool, Wrong> {
    value.get_ref().as_bool().ok_or_else(|| wrong(field, value, "true or false, without quotes"))
}

/// One of some words.
pub fn words<T: Copy>(field: &str, value: &Value<'_>, names: &[(&str, T)]) -> Result<T, Wrong> {
    let chosen = value.get_ref().as_str().and_then(|text| names.iter().find(|(name, _)| *name == text));
    chosen.map(|(_, chosen)| *chosen).ok_or_else(|| {
        let all: Vec<String> = names.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let (last, others) = all.split_last().map_or(("", &[][..]), |(last, others)| (last.as_str(), others));
        wrong(field, value, &format!("{} or {last}", others.join(", ")))
    })
}

fn parsed<T: std::str::FromStr<Err = &'static str>>(field: &str, value: &Value<'_>) -> Result<T, Wrong> {
    text(field, value)?.parse().map_err(|allowed| wrong(field, value, allowed))
}

pub fn integer(field: &str, value: &Value<'_>, range: RangeInclusive<i64>) -> Result<i64, Wrong> {
    let read = match value.get_ref() {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    };
    read.filter(|number| range.contains(number))
        .ok_or_else(|| wrong(field, value, "a number, without quotes"))
}

fn kinds(value: &Value<'_>) -> Result<Kinds, Wrong> {
    let mut kinds = Kinds::default();
    for kind in list("kind", value, |field, value| {
        words(field, value, &[("posix", 'p'), ("sysv", 's'), ("both", 'b'), ("memfd", 'm')])
    })? {
        kinds.posix |= matches!(kind, 'p' | 'b');
        kinds.sysv |= matches!(kind, 's' | 'b');
        kinds.memfd |= kind == 'm';
    }
    Ok(kinds)
}

fn octal(field: &str, value: &Value<'_>) -> Result<u32, Wrong> {
    let mode = text(field, value)?;
    let read = u32::from_str_radix(&mode, 8).ok().filter(|mode| *mode <= 0o7777);
    read.ok_or_else(|| wrong(field, value, "an octal mode in quotes, such as \"0600\""))
}

/// `32`, `"4K"`, `"1M..64M"`.
fn size(field: &str, value: &Value<'_>) -> Result<RangeInclusive<u64>, Wrong> {
    const ALLOWED: &str = "a size or a range, such as 32, \"4K\" or \"1M..64M\"";
    if let Ok(bytes) = integer(field, value, 0..=i64::MAX) {
        return Ok(bytes.unsigned_abs()..=bytes.unsigned_abs());
    }
    let wrong = || wrong(field, value, ALLOWED);
    let written = text(field, value).map_err(|_| wrong())?;
    let (first, last) = written.split_once("..").unwrap_or((&written, &written));
    let of = |text: &str| text.parse::<Bytes>().map(|bytes| bytes.0).map_err(|_| wrong());
    let range = of(first)?..=if last.is_empty() { u64::MAX } else { of(last)? };
    if range.is_empty() { Err(wrong()) } else { Ok(range) }
}

/// `{ group = "pid", of = "creator" }`, `{ at = 40, number = "i32", of = "owner" }`.
fn pid(value: &Value<'_>) -> Result<PidRule, Wrong> {
    const ALLOWED: &str = "{ group = \"GROUP\", of = \"…\" }, optionally with base, shift or modulo, or { at = OFFSET, number = \
                           \"i32\", of = \"…\" }";
    let table = value.get_ref().as_table().ok_or_else(|| wrong("pid", value, ALLOWED))?;
    let known = ["group", "base", "shift", "modulo", "at", "number", "of"];
    let strange = table.keys().any(|key| !known.contains(&key.get_ref().as_ref()));
    let (Some(of), false) = (table.get("of"), strange) else { return Err(wrong("pid", value, ALLOWED)) };
    let small = |field: &str, range: RangeInclusive<i64>| {
        let number = table.get(field).map(|value| integer(field, value, range)).transpose()?;
        Ok(number.and_then(|number| u32::try_from(number).ok()))
    };
    let place = match (table.get("group"), table.get("at")) {
        (Some(group), None) => PidPlace::Name {
            group: text("group", group)?,
            base: small("base", 2..=36)?.unwrap_or(10),
            shift: small("shift", 0..=96)?.unwrap_or(0),
            modulo: small("modulo", 1..=i64::from(u32::MAX))?,
        },
        (None, Some(at)) => PidPlace::Contents {
            at: integer("at", at, i64::MIN..=i64::MAX)?,
            number: table
                .get("number")
                .map_or(Ok(super::Number::I32), |form| words("number", form, &NUMBERS))?,
        },
        _ => return Err(wrong("pid", value, ALLOWED)),
    };
    Ok(PidRule { place, of: text("of", of)? })
}

/// `"sem.mp-abcdefgh"`, `"0x00282929"`, `{ name = "a", size = 32, bytes = ["8: 80"] }`.
fn example(field: &str, value: &Value<'_>) -> Result<Example, Wrong> {
    let allowed =
        "a name, a key, or a table of name, key, size, mode, bytes, command, beside, group, pid and as";
    if let Some(text) = value.get_ref().as_str() {
        let key = text.parse::<KeyRule>().ok().filter(|_| text.starts_with("0x") || text == "private");
        return Ok(match key {
            Some(KeyRule::Range(key, _)) => Example { key: Some(key), ..Example::default() },
            _ => Example { name: Some(text.to_owned()), ..Example::default() },
        });
    }
    let table = value.get_ref().as_table().ok_or_else(|| wrong(field, value, allowed))?;
    let mut example = Example::default();
    for (key, value) in in_order(table) {
        match key.get_ref().as_ref() {
            "name" => example.name = Some(text("name", value)?),
            "key" => match parsed::<KeyRule>("key", value)? {
                KeyRule::Range(first, last) if first == last => example.key = Some(first),
                _ => return Err(wrong("key", value, "one key")),
            },
            "size" => example.size = Some(*size("size", value)?.start()),
            "mode" => example.mode = Some(octal("mode", value)?),
            "bytes" => example.contents = Some(list("bytes", value, |_, value| placed(value))?),
            "command" => example.command = Some(text("command", value)?),
            "beside" => example.beside = list("beside", value, text)?,
            "group" => example.group = Some(text("group", value)?),
            "as" => example.better = Some(text("as", value)?),
            "pid" => {
                example.pids = list("pid", value, |field, value| {
                    integer(field, value, 0..=i64::from(u32::MAX)).map(|pid| u32::try_from(pid).unwrap_or(0))
                })?;
            }
            _ => {
                return Err(Wrong {
                    at: key.span(),
                    what: format!("unknown field '{}' in {field}; expected {allowed}", plain(key.get_ref())),
                });
            }
        }
    }
    Ok(example)
}

/// `"8: 80 00"`, `"-40: fe ca"`.
fn placed(value: &Value<'_>) -> Result<(i64, Vec<u8>), Wrong> {
    let written = text("bytes", value)?;
    let read = written
        .split_once(':')
        .and_then(|(at, hex)| Some((at.trim().parse().ok()?, super::bytes::hex(hex)?)));
    let (at, stretch) =
        read.ok_or_else(|| wrong("bytes", value, "an offset and hex digits, such as \"8: 80 00\""))?;
    Ok((at, stretch.bytes))
}
