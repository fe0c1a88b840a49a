//! The syntax of values in a `[[maker]]` table.

use super::super::read::parsed;
use super::{
    BytePattern, Check, Example, ExampleBytes, KeyRule, Kinds, Number, PidPlace, PidRule, Shape, Size,
    Template,
};
use crate::segment::{Bytes, Mode};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Accepts one value or a list.
pub fn many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Vec<T>, D::Error> {
    struct Many<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Many<T> {
        type Value = Vec<T>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a value or a list")
        }

        fn visit_i64<E: de::Error>(self, value: i64) -> Result<Vec<T>, E> {
            T::deserialize(value.into_deserializer()).map(|one| vec![one])
        }

        fn visit_str<E: de::Error>(self, value: &str) -> Result<Vec<T>, E> {
            T::deserialize(value.into_deserializer()).map(|one| vec![one])
        }

        fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Vec<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(table)).map(|one| vec![one])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Vec<T>, A::Error> {
            let mut all = vec![];
            while let Some(one) = values.next_element()? {
                all.push(one);
            }
            Ok(all)
        }
    }

    value.deserialize_any(Many(PhantomData))
}

/// Implements `Deserialize` for types that are written as strings.
macro_rules! written_as_text {
    ($($type:ty: $allowed:expr, $parse:expr;)*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
                parsed(value, false, $allowed, $parse)
            }
        }
    )*};
}

written_as_text! {
    KeyRule: KeyRule::ALLOWED, |text| text.parse().ok();
    Template: Template::ALLOWED, |text| text.parse().ok();
    Mode: "an octal mode in quotes, such as \"0600\"", octal;
    BytePattern: "pairs of hex digits, with ? for any digit, such as \"de ad ?? e?\"", hex;
    SizeLess: "\"size\" or a difference such as \"size - 16\"", |text| size_less(text).map(Self);
    ExampleBytes: "an offset and hex digits, such as \"8: 80 00\"", placed;
}

pub fn id<'de, D: Deserializer<'de>>(value: D) -> Result<String, D::Error> {
    let is_valid = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    parsed(value, false, "lowercase letters, digits, - and _", |text| {
        text.bytes().all(is_valid).then(|| text.to_owned())
    })
}

pub fn kinds<'de, D: Deserializer<'de>>(value: D) -> Result<Kinds, D::Error> {
    #[derive(PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        Posix,
        Sysv,
        Both,
        Memfd,
    }
    let words: Vec<Word> = many(value)?;
    let has = |word| words.contains(&word) || words.contains(&Word::Both) && word != Word::Memfd;
    Ok(Kinds { posix: has(Word::Posix), sysv: has(Word::Sysv), memfd: has(Word::Memfd) })
}

fn octal(text: &str) -> Option<Mode> {
    u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777).map(Mode::new)
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        const ALLOWED: &str = "a size or a range, such as 32, \"4K\" or \"1M..64M\"";
        parsed(value, true, ALLOWED, |text| {
            let (first, last) = text.split_once("..").unwrap_or((text, text));
            let parse = |text: &str| text.parse::<Bytes>().ok().map(|bytes| bytes.0);
            let range = parse(first)?..=if last.is_empty() { u64::MAX } else { parse(last)? };
            (!range.is_empty()).then_some(Self(range))
        })
    }
}

/// A check of the contents: `{ at = 8, hex = "80 00 00 ??" }`, `{ at = 0, text = "PHP_SM" }`,
/// `{ at = 0, number = "u64", equals = "size - 16" }`, `{ shape = "semaphore" }`.
#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "{ at = OFFSET, hex = \"…\" }, the same with text or number instead of hex, or { shape = \"…\" }"
)]
pub struct CheckFields {
    #[serde(default)]
    at: i64,
    #[serde(default, deserialize_with = "many")]
    hex: Vec<BytePattern>,
    #[serde(default, deserialize_with = "many")]
    text: Vec<String>,
    number: Option<Number>,
    equals: Option<SizeLess>,
    shape: Option<Shape>,
}

impl TryFrom<CheckFields> for Check {
    type Error = &'static str;

    fn try_from(fields: CheckFields) -> Result<Self, Self::Error> {
        let CheckFields { at, hex, text, number, equals, shape } = fields;
        if let Some(shape) = shape {
            return Ok(Self::Shape(shape));
        }
        if let Some(number) = number {
            let SizeLess(less) =
                equals.ok_or("number requires equals = \"size\" or a difference such as \"size - 16\"")?;
            return Ok(Self::Size { at, number, less });
        }
        let from_text = |text: String| BytePattern { mask: vec![0xff; text.len()], bytes: text.into_bytes() };
        let any: Vec<BytePattern> =
            if hex.is_empty() { text.into_iter().map(from_text).collect() } else { hex };
        if any.is_empty() || any.iter().any(|one| one.mask.iter().all(|&byte| byte == 0)) {
            return Err("expected hex or text with a byte that is not ??, number, or shape");
        }
        Ok(Self::Bytes { at, any })
    }
}

struct SizeLess(u64);

fn size_less(text: &str) -> Option<u64> {
    match text.strip_prefix("size")?.trim() {
        "" => Some(0),
        rest => rest.strip_prefix('-')?.trim().parse().ok(),
    }
}

/// Parses pairs of hex digits, with or without spaces. `?` matches any digit.
fn hex(text: &str) -> Option<BytePattern> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let (mut bytes, mut mask) = (vec![], vec![]);
    for pair in digits.chunks(2) {
        let (mut byte, mut counts) = (0, 0);
        for &digit in pair {
            let value = if digit == '?' { None } else { Some(u8::try_from(digit.to_digit(16)?).ok()?) };
            byte = byte << 4 | value.unwrap_or(0);
            counts = counts << 4 | value.map_or(0, |_| 0xf);
        }
        bytes.push(byte);
        mask.push(counts);
    }
    Some(BytePattern { bytes, mask })
}

/// A pid rule: `{ group = "pid", of = "creator" }`, `{ at = 40, number = "i32", of = "owner" }`.
#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "{ group = \"GROUP\", of = \"…\" }, optionally with base, shift or modulo, or { at = OFFSET, number = \"i32\", of = \"…\" }"
)]
pub struct PidFields {
    group: Option<String>,
    base: Option<u32>,
    shift: Option<u32>,
    modulo: Option<u32>,
    at: Option<i64>,
    number: Option<Number>,
    of: String,
}

impl TryFrom<PidFields> for PidRule {
    type Error = &'static str;

    fn try_from(fields: PidFields) -> Result<Self, Self::Error> {
        let PidFields { group, base, shift, modulo, at, number, of } = fields;
        let (base, shift) = (base.unwrap_or(10), shift.unwrap_or(0));
        if !(2..=36).contains(&base) || shift > 96 || modulo == Some(0) {
            return Err("expected a base from 2 to 36, a shift up to 96 and a modulo above 0");
        }
        let place = match (group, at) {
            (Some(group), None) => PidPlace::Name { group, base, shift, modulo },
            (None, Some(at)) => PidPlace::Contents { at, number: number.unwrap_or(Number::I32) },
            _ => return Err("expected either group or at"),
        };
        Ok(Self { place, of })
    }
}

/// The forms of an example: `"sem.mp-abcdefgh"`, `"0x00282929"`, `{ name = "a", size = 32, bytes =
/// ["8: 80"] }`.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a name, a key, or a table of name, key, size, mode, bytes, command, beside, group, pid and as"
)]
enum ExampleForm {
    Text(String),
    Table(Box<Example>),
}

pub fn examples<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<Example>, D::Error> {
    let example = |form| match form {
        ExampleForm::Table(example) => *example,
        ExampleForm::Text(text) => {
            match text.parse().ok().filter(|_| text.starts_with("0x") || text == "private") {
                Some(KeyRule::Range(key, _)) => Example { key: Some(key), ..Example::default() },
                _ => Example { name: Some(text), ..Example::default() },
            }
        }
    };
    Ok(many(value)?.into_iter().map(example).collect())
}

pub fn one_key<'de, D: Deserializer<'de>>(value: D) -> Result<Option<u32>, D::Error> {
    parsed(value, false, "one key", |text| match text.parse() {
        Ok(KeyRule::Range(first, last)) if first == last => Some(Some(first)),
        _ => None,
    })
}

fn placed(text: &str) -> Option<ExampleBytes> {
    let (at, digits) = text.split_once(':')?;
    Some(ExampleBytes { at: at.trim().parse().ok()?, bytes: hex(digits)?.bytes })
}

pub fn some_placed<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Vec<ExampleBytes>>, D::Error> {
    many(value).map(Some)
}
