//! Parses TOML with serde, and converts its errors into plain ones with a line number.

use super::layout;
use super::maker::{Maker, Patterns, compile, error_line};
use super::{Config, ConfigError};
use crate::segment::{Bytes, ShownError, parse_span, quote};
use serde::de::value::StrDeserializer;
use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;
use toml::Spanned;
use toml::de::DeTable;

/// Descriptions of values for which serde's error would name a Rust type.
const HINTS: [(&str, &str); 7] = [
    ("keys.", "a list of keys in quotes, such as [\"x\", \"ctrl-r\"]"),
    ("keys", "[keys] followed by lines like quit = [\"x\"]"),
    ("maker", "[[maker]] followed by lines like id = \"…\""),
    ("layout", "[[layout]] followed by lines like name = \"…\""),
    ("scope.sets.", "a list of channels in quotes, such as [\"speed=/telemetry:v\"]"),
    ("scope.sets", "[scope.sets] followed by lines like motor = [\"speed=/telemetry:v\"]"),
    ("scope", "[scope] followed by lines like history = \"64M\""),
];

/// Parses the config. Missing settings keep their defaults.
pub fn read(bytes: &[u8], path: &Path) -> Result<Config, ConfigError> {
    let text = str::from_utf8(bytes).map_err(|error| ConfigError::Line {
        path: path.to_owned(),
        line: line_of(bytes, error.valid_up_to()),
        problem: "invalid UTF-8".to_owned(),
    })?;
    let document = Document { text, path };
    let table = document.parse()?;
    let keys = table.get_ref().get("keys").and_then(|keys| keys.get_ref().as_table()).into_iter().flatten();
    let key_lines =
        keys.map(|(key, _)| (key.get_ref().to_string(), line_of(bytes, key.span().start))).collect();
    let layouts = table.get_ref().get("layout").and_then(|layouts| layouts.get_ref().as_array());
    let layout_lines = layouts
        .into_iter()
        .flatten()
        .map(|layout| {
            let ty = layout.get_ref().as_table().and_then(|table| table.get("type"));
            line_of(bytes, ty.unwrap_or(layout).span().start)
        })
        .collect();
    let mut config: Config = document.deserialize(table)?;
    document.check(&mut config.makers, Patterns::Compile)?;
    Ok(Config { key_lines, layout_lines, path: path.to_owned(), ..config })
}

/// Parses a file that contains only makers.
pub fn read_makers(text: &str, path: &Path, patterns: Patterns) -> Result<Vec<Maker>, ConfigError> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Makers {
        #[serde(default)]
        maker: Vec<Maker>,
    }
    let document = Document { text, path };
    let Makers { maker: mut makers } = document.deserialize(document.parse()?)?;
    document.check(&mut makers, patterns)?;
    Ok(makers)
}

fn line_of(text: &[u8], offset: usize) -> usize {
    1 + memchr::memchr_iter(b'\n', &text[..offset.min(text.len())]).count()
}

#[derive(Clone, Copy)]
struct Document<'t> {
    text: &'t str,
    path: &'t Path,
}

impl<'t> Document<'t> {
    fn parse(self) -> Result<Spanned<DeTable<'t>>, ConfigError> {
        DeTable::parse(self.text).map_err(|error| {
            self.fail(error.span(), &format!("invalid TOML: {}", error.message().replace('\n', "; ")))
        })
    }

    fn deserialize<T: Deserialize<'t>>(self, table: Spanned<DeTable<'t>>) -> Result<T, ConfigError> {
        T::deserialize(toml::de::Deserializer::from(table)).map_err(|error| {
            // Only the display form has the path to the value.
            let shown = error.to_string();
            let keys = shown.rsplit_once("\nin `").map_or("", |(_, keys)| keys.trim_end_matches("`\n"));
            let mut problem = plain(error.message());
            let hint =
                HINTS.iter().find(|(key, _)| *key == keys || (key.ends_with('.') && keys.starts_with(key)));
            if let (Some((_, hint)), Some((wrong, _))) = (hint, problem.split_once(", expected "))
                && problem.starts_with("invalid type")
            {
                problem = format!("{wrong}, expected {hint}");
            }
            let at = error.span().unwrap_or_default();
            let (field, maker) = match keys.strip_prefix("maker") {
                Some(field) => (field.trim_start_matches('.'), self.maker_at(at.start)),
                None => (keys, None),
            };
            if !field.is_empty() {
                problem = format!("{field}: {problem}");
            }
            self.fail(Some(at), &in_maker(maker.as_deref(), &problem))
        })
    }

    /// Checks each maker for contradictory fields.
    fn check(self, makers: &mut [Maker], patterns: Patterns) -> Result<(), ConfigError> {
        for index in 0..makers.len() {
            let (before, rest) = makers.split_at_mut(index);
            let maker = &mut rest[0];
            let (id, outcome) = if before.iter().any(|other| other.id == maker.id) {
                (None, Err(("", format!("duplicate maker id '{}'", maker.id))))
            } else {
                (Some(maker.id.clone()).filter(|id| !id.is_empty()), maker.complete(patterns))
            };
            outcome.map_err(|(field, problem)| {
                self.fail(self.field_of(index, field), &in_maker(id.as_deref(), &problem))
            })?;
        }
        Ok(())
    }

    /// Returns the id of the maker at an offset.
    fn maker_at(self, offset: usize) -> Option<String> {
        let table = DeTable::parse(self.text).ok()?.into_inner();
        let makers = table.get("maker")?.get_ref().as_array()?;
        let maker = makers.iter().rev().find(|maker| maker.span().start <= offset)?;
        Some(maker.get_ref().as_table()?.get("id")?.get_ref().as_str()?.to_owned())
    }

    /// Returns the byte range of a maker's field, or of the whole maker if the field is missing.
    fn field_of(self, index: usize, field: &str) -> Option<Range<usize>> {
        let table = DeTable::parse(self.text).ok()?.into_inner();
        let maker = table.get("maker")?.get_ref().as_array()?.get(index)?;
        let field = maker.get_ref().as_table().and_then(|table| table.get(field));
        Some(field.unwrap_or(maker).span())
    }

    fn fail(self, at: Option<Range<usize>>, problem: &str) -> ConfigError {
        let line = line_of(self.text.as_bytes(), at.unwrap_or_default().start);
        ConfigError::Line { path: self.path.to_owned(), line, problem: quote(problem.as_bytes()) }
    }
}

/// Replaces serde's terms with the terms of the config.
fn plain(message: &str) -> String {
    message
        .replace("unknown variant", "unknown value")
        .replace("a boolean", "true or false, without quotes")
        .replace("expected a string", "expected a string in quotes")
        .replace("wanted string or table", "expected a word in quotes")
}

fn in_maker(id: Option<&str>, problem: &str) -> String {
    id.map_or_else(|| problem.to_owned(), |id| format!("maker '{id}': {problem}"))
}

/// Deserializes an enum. Unlike the derived implementation, it lists the valid words even if the
/// quotes are missing.
pub fn word<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<T, D::Error> {
    let parse =
        |text: &str| T::deserialize(StrDeserializer::<de::value::Error>::new(text)).map_err(ShownError::of);
    value.deserialize_any(Text { allowed: "a word in quotes", bare: true, parse: &parse })
}

/// Deserializes a string that `parse` accepts, or a number if `bare` is set. `allowed` completes
/// "expected …".
pub fn parsed<'de, D: Deserializer<'de>, T>(
    value: D,
    bare: bool,
    allowed: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, D::Error> {
    let parse = |text: &str| {
        let invalid = || ShownError::new(format!("invalid value {text:?}, expected {allowed}"));
        parse(text).ok_or_else(invalid)
    };
    value.deserialize_any(Text { allowed, bare, parse: &parse })
}

/// Visits values that are written as text, with or without quotes.
struct Text<'a, T> {
    allowed: &'a str,
    bare: bool,
    parse: &'a dyn Fn(&str) -> Result<T, ShownError>,
}

impl<T> Visitor<'_> for Text<'_, T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.allowed)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        if self.bare {
            self.visit_str(&number.to_string())
        } else {
            Err(E::invalid_type(Unexpected::Signed(number), &self))
        }
    }

    fn visit_bool<E: de::Error>(self, on: bool) -> Result<T, E> {
        if self.bare {
            self.visit_str(&on.to_string())
        } else {
            Err(E::invalid_type(Unexpected::Bool(on), &self))
        }
    }
}

pub fn interval<'de, D: Deserializer<'de>>(value: D) -> Result<Duration, D::Error> {
    span(value, 100, 60_000, "a time from \"100ms\" to \"1m\", in quotes and with a unit")
}

pub fn live_interval<'de, D: Deserializer<'de>>(value: D) -> Result<Duration, D::Error> {
    span(value, 33, 5000, "a time from \"33ms\" to \"5s\", in quotes and with a unit")
}

pub fn settle<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Duration>, D::Error> {
    span(value, 1000, 31_536_000_000, "a time from \"1s\" to \"365d\", in quotes and with a unit").map(Some)
}

/// Deserializes a percentage. Quotes are accepted, too.
pub fn percent<'de, D: Deserializer<'de>>(value: D) -> Result<u8, D::Error> {
    let percent = |text: &str| text.parse().ok().filter(|percent| *percent <= 100);
    parsed(value, true, "a percentage from 0 to 100, without quotes", percent)
}

/// Deserializes a regular expression for a whole name.
pub fn pattern<'de, D: Deserializer<'de>>(value: D) -> Result<String, D::Error> {
    let parse = |text: &str| match compile(&layout::whole(text)) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(ShownError::new(format!("invalid pattern: {}", error_line(&error)))),
    };
    value.deserialize_any(Text { allowed: "a regular expression in quotes", bare: false, parse: &parse })
}

pub fn copies<'de, D: Deserializer<'de>>(value: D) -> Result<Bytes, D::Error> {
    parsed(value, false, "a size in quotes, such as \"512M\" or \"2G\"", |text| text.parse().ok())
}

pub fn history<'de, D: Deserializer<'de>>(value: D) -> Result<Bytes, D::Error> {
    let allowed = "a size of 1M or more in quotes, such as \"64M\" or \"8G\"";
    parsed(value, false, allowed, |text| text.parse().ok().filter(|size| *size >= Bytes(1 << 20)))
}

/// Deserializes a duration within limits, in milliseconds.
fn span<'de, D: Deserializer<'de>>(
    value: D,
    least: u64,
    max: u64,
    allowed: &str,
) -> Result<Duration, D::Error> {
    let range = Duration::from_millis(least)..=Duration::from_millis(max);
    parsed(value, false, allowed, |text| parse_span(text).ok().filter(|span| range.contains(span)))
}
