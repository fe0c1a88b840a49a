//! What stands in the contents, as it is written: hex, text, numbers and shapes.

use super::super::read::{Value, Wrong, in_order, plain, wrong};
use super::read::{integer, text, words};
use super::{Check, Number, Shape, Stretch};
use toml::de::DeTable;

/// `{ at = 8, hex = "80 00 00 ??" }`, `{ at = 0, text = "PHP_SM" }`,
/// `{ at = 0, number = "u64", equals = "size - 16" }`, `{ shape = "semaphore" }`.
pub fn check(value: &Value<'_>) -> Result<Check, Wrong> {
    const ALLOWED: &str =
        "{ at = OFFSET, hex = \"…\" }, the same with text or number instead of hex, or { shape = \"…\" }";
    let table = value.get_ref().as_table().ok_or_else(|| wrong("contents", value, ALLOWED))?;
    let known = ["at", "hex", "text", "number", "equals", "shape"];
    if let Some((key, _)) = in_order(table).iter().find(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
        let what = format!("unknown field '{}' in contents; expected {ALLOWED}", plain(key.get_ref()));
        return Err(Wrong { at: key.span(), what });
    }
    if let Some(shape) = table.get("shape") {
        return Ok(Check::Shape(words("shape", shape, &SHAPES)?));
    }
    let at = table.get("at").map_or(Ok(0), |at| integer("at", at, i64::MIN..=i64::MAX))?;
    if let Some(form) = table.get("number") {
        return Ok(Check::Size { at, number: words("number", form, &NUMBERS)?, less: less(table, value)? });
    }
    let mut any = vec![];
    if let Some(hex) = table.get("hex") {
        for one in super::read::each(hex) {
            any.push(stretch(one)?);
        }
    } else if let Some(plain) = table.get("text") {
        for one in super::read::each(plain) {
            let bytes = text("text", one)?.into_bytes();
            any.push(Stretch { mask: vec![0xff; bytes.len()], bytes });
        }
    }
    if any.is_empty() || any.iter().any(|one| one.mask.iter().all(|&byte| byte == 0)) {
        return Err(wrong("contents", value, ALLOWED));
    }
    Ok(Check::Bytes { at, any })
}

/// The forms of numbers.
pub const NUMBERS: [(&str, Number); 5] = [
    ("u16", Number::U16),
    ("u32", Number::U32),
    ("i32", Number::I32),
    ("u64", Number::U64),
    ("i64", Number::I64),
];

const SHAPES: [(&str, Shape); 2] =
    [("semaphore", Shape::Semaphore), ("shareable-list", Shape::ShareableList)];

/// `size` or `size - 16`.
fn less(table: &DeTable<'_>, whole: &Value<'_>) -> Result<u64, Wrong> {
    const ALLOWED: &str = "\"size\" or a difference such as \"size - 16\"";
    let value = table.get("equals").ok_or_else(|| wrong("equals", whole, ALLOWED))?;
    let equals = text("equals", value)?;
    let rest = equals.strip_prefix("size").map(str::trim);
    let less = match rest {
        Some("") => Some(0),
        Some(rest) => rest.strip_prefix('-').and_then(|less| less.trim().parse().ok()),
        None => None,
    };
    less.ok_or_else(|| wrong("equals", value, ALLOWED))
}

fn stretch(value: &Value<'_>) -> Result<Stretch, Wrong> {
    let written = text("hex", value)?;
    hex(&written).ok_or_else(|| {
        wrong("hex", value, "pairs of hex digits, with ? for any digit, such as \"de ad ?? e?\"")
    })
}

/// Hex digits in pairs, blanks between them as one likes; `?` is any digit.
pub fn hex(text: &str) -> Option<Stretch> {
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
    Some(Stretch { bytes, mask })
}
