//! The text of the settings file, setting by setting, with the line of each.

use super::maker::{self, Maker, Patterns};
use super::{Config, ConfigError, Theme, When};
use crate::segment::{Bytes, escape, parse_span};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// What there is to set.
const SETTINGS: &str =
    "theme, interval, live-interval, mouse, ascii, read-only, color, copies, settle, [keys] or [[maker]]";

/// What is wrong, and where in the text that stands.
pub struct Wrong {
    pub at: Range<usize>,
    pub what: String,
}

pub type Value<'t> = Spanned<DeValue<'t>>;

/// Reads the settings; what is not set has its default.
pub fn read(bytes: &[u8], path: &Path) -> Result<Config, ConfigError> {
    let fail = |offset, what| ConfigError::Line { path: path.to_owned(), line: line_of(bytes, offset), what };
    let text =
        str::from_utf8(bytes).map_err(|error| fail(error.valid_up_to(), "invalid UTF-8".to_owned()))?;
    let mut config = Config { path: path.to_owned(), ..Config::default() };
    settings(text, &mut config).map_err(|wrong| fail(wrong.at.start, wrong.what))?;
    Ok(config)
}

fn line_of(text: &[u8], offset: usize) -> usize {
    1 + memchr::memchr_iter(b'\n', &text[..offset.min(text.len())]).count()
}

fn settings(text: &str, config: &mut Config) -> Result<(), Wrong> {
    let table = parse(text)?;
    for (key, value) in in_order(table.get_ref()) {
        match key.get_ref().as_ref() {
            "theme" => config.theme = one_of(key, value, &Theme::NAMES)?,
            "interval" => config.interval = span(key, value, (100, "100ms"), (60_000, "1m"))?,
            "live-interval" => config.live_interval = span(key, value, (33, "33ms"), (5000, "5s"))?,
            "mouse" => config.mouse = switch(key, value)?,
            "ascii" => config.ascii = switch(key, value)?,
            "read-only" => config.read_only = switch(key, value)?,
            "color" => config.color = one_of(key, value, &When::NAMES)?,
            "copies" => config.copies = size(key, value)?,
            "settle" => config.settle = Some(span(key, value, (1000, "1s"), (31_536_000_000, "365d"))?),
            "maker" => config.makers = makers(value, Patterns::Compile)?,
            "keys" => (config.keys, config.key_lines) = keys(text, value)?,
            other => {
                let what = format!("unknown setting '{}'; expected {SETTINGS}", plain(other));
                return Err(Wrong { at: key.span(), what });
            }
        }
    }
    Ok(())
}

fn parse(text: &str) -> Result<Spanned<DeTable<'_>>, Wrong> {
    DeTable::parse(text).map_err(|error| Wrong {
        at: error.span().unwrap_or_default(),
        what: format!("invalid TOML: {}", error.message().lines().map(plain).collect::<Vec<_>>().join("; ")),
    })
}

/// The makers of a file that holds nothing else.
pub fn makers_alone(text: &str, path: &Path, patterns: Patterns) -> Result<Vec<Maker>, ConfigError> {
    let read = || {
        let table = parse(text)?;
        let mut all = vec![];
        for (key, value) in in_order(table.get_ref()) {
            if key.get_ref().as_ref() != "maker" {
                let what = format!("unknown setting '{}'; expected only [[maker]]", plain(key.get_ref()));
                return Err(Wrong { at: key.span(), what });
            }
            all.extend(makers(value, patterns)?);
        }
        Ok(all)
    };
    read().map_err(|wrong: Wrong| ConfigError::Line {
        path: path.to_owned(),
        line: line_of(text.as_bytes(), wrong.at.start),
        what: wrong.what,
    })
}

fn makers(value: &Value<'_>, patterns: Patterns) -> Result<Vec<Maker>, Wrong> {
    let all = value.get_ref().as_array().filter(|all| all.iter().all(|one| one.get_ref().is_table()));
    let all = all.ok_or_else(|| wrong("maker", value, "[[maker]] followed by lines like id = \"…\""))?;
    let mut read: Vec<Maker> = vec![];
    for one in all {
        let maker = maker::read(one, patterns)?;
        if read.iter().any(|other| other.id == maker.id) {
            return Err(Wrong { at: one.span(), what: format!("duplicate maker id '{}'", maker.id) });
        }
        read.push(maker);
    }
    Ok(read)
}

/// As they stand in the file, so that what is told is the first that is wrong.
pub fn in_order<'a, 't>(table: &'a DeTable<'t>) -> Vec<(&'a Spanned<DeString<'t>>, &'a Value<'t>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

pub fn plain(text: &str) -> String {
    escape(text.as_bytes())
}

/// The error for a value that is not one of those allowed.
pub fn wrong(name: &str, value: &Value<'_>, allowed: &str) -> Wrong {
    let name = plain(name);
    let what = |is: &str| format!("invalid {name} {is}: expected {allowed}");
    let what = match value.get_ref() {
        DeValue::String(text) => what(&format!("'{}'", plain(text))),
        DeValue::Integer(number) => what(&plain(&number.to_string())),
        DeValue::Float(number) => what(&plain(&number.to_string())),
        DeValue::Boolean(on) => what(&on.to_string()),
        DeValue::Datetime(_) => format!("invalid {name} (a date or time): expected {allowed}"),
        DeValue::Array(_) => format!("invalid {name} (a list): expected {allowed}"),
        DeValue::Table(_) => format!("invalid {name} (a table): expected {allowed}"),
    };
    Wrong { at: value.span(), what }
}

pub fn one_of<T: Copy>(
    key: &Spanned<DeString<'_>>,
    value: &Value<'_>,
    names: &[(&str, T)],
) -> Result<T, Wrong> {
    let chosen = value.get_ref().as_str().and_then(|text| names.iter().find(|(name, _)| *name == text));
    chosen.map(|(_, chosen)| *chosen).ok_or_else(|| {
        let all: Vec<String> = names.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let (last, others) = all.split_last().map_or(("", &[][..]), |(last, others)| (last.as_str(), others));
        wrong(key.get_ref(), value, &format!("{} or {last}", others.join(", ")))
    })
}

fn switch(key: &Spanned<DeString<'_>>, value: &Value<'_>) -> Result<bool, Wrong> {
    value.get_ref().as_bool().ok_or_else(|| wrong(key.get_ref(), value, "true or false, without quotes"))
}

fn size(key: &Spanned<DeString<'_>>, value: &Value<'_>) -> Result<Bytes, Wrong> {
    let read = value.get_ref().as_str().and_then(|text| text.parse().ok());
    read.ok_or_else(|| wrong(key.get_ref(), value, "a size in quotes, such as \"512M\" or \"2G\""))
}

/// A span of time within limits, each in milliseconds and as it is written.
fn span(
    key: &Spanned<DeString<'_>>,
    value: &Value<'_>,
    (least, from): (u64, &str),
    (most, to): (u64, &str),
) -> Result<Duration, Wrong> {
    let range = Duration::from_millis(least)..=Duration::from_millis(most);
    let read = value.get_ref().as_str().and_then(|text| parse_span(text).ok());
    read.filter(|span| range.contains(span)).ok_or_else(|| {
        let allowed = format!("a time from \"{from}\" to \"{to}\", in quotes and with a unit");
        wrong(key.get_ref(), value, &allowed)
    })
}

type Keys = (BTreeMap<String, Vec<String>>, BTreeMap<String, usize>);

/// The keys of each action, and the line that it stands in.
fn keys(text: &str, value: &Value<'_>) -> Result<Keys, Wrong> {
    let table = value.get_ref().as_table();
    let table = table.ok_or_else(|| wrong("keys", value, "[keys] followed by lines like quit = [\"x\"]"))?;
    let (mut all, mut lines) = Keys::default();
    for (action, value) in in_order(table) {
        let name = action.get_ref().as_ref();
        let wrong = |value| wrong(name, value, "a list of keys in quotes, such as [\"x\", \"ctrl-r\"]");
        let mut own = vec![];
        for key in value.get_ref().as_array().ok_or_else(|| wrong(value))? {
            own.push(key.get_ref().as_str().ok_or_else(|| wrong(key))?.to_owned());
        }
        lines.insert(name.to_owned(), line_of(text.as_bytes(), action.span().start));
        all.insert(name.to_owned(), own);
    }
    Ok((all, lines))
}
