//! Damaged declarations and random bytes: no panic, and an answer soon.

use super::gcc::cases;
use shmlens::decode::declaration::{Language, Sources, parse_declarations};
use shmlens::decode::{MAX_SIZE, Type, Window, parse_type};
use std::time::{Duration, Instant};

/// Declarations in a test run, and in the full run:
/// `cargo test --release --test promises -- --ignored types::fuzz`.
const COUNT: u64 = 3000;
const COUNT_IN_FULL: u64 = 1_000_000;
/// Larger values take long to print.
const LARGEST: u64 = 1 << 16;

pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % end.max(1)
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| u8::try_from(self.below(256)).unwrap()).collect()
    }
}

/// Changes some words of a text: drops, repeats and swaps them, or takes those of another text.
fn damaged(random: &mut Random, text: &str, other: &str) -> String {
    let split = |text: &str| -> Vec<String> {
        text.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned).collect()
    };
    let (mut words, others) = (split(text), split(other));
    for _ in 0..=random.below(3) {
        let at = random.below(words.len());
        if words.is_empty() {
            break;
        }
        match random.below(7) {
            0 => drop(words.remove(at)),
            1 => words.insert(at, words[at].clone()),
            2 => {
                let with = random.below(words.len());
                words.swap(at, with);
            }
            3 => words[at] = others[random.below(others.len())].clone(),
            4 => {
                let marks = [
                    "{", "}", "(", ")", "<", ">", "[", "]", ";", ":", "::", "*", "&", "#", ",", "=", "\n",
                    "\"", "'",
                ];
                words.insert(at, marks[random.below(marks.len())].to_owned());
            }
            5 => {
                let numbers =
                    ["0", "-1", "18446744073709551615", "9223372036854775807", "0x7fffffff", "1e9", "65"];
                words[at] = numbers[random.below(numbers.len())].to_owned();
            }
            _ => words.truncate(at),
        }
    }
    words.concat()
}

/// The number of fields of a CSV record.
fn columns(text: &[u8]) -> usize {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text);
    reader.records().next().map_or(0, |record| record.unwrap().len())
}

fn decode(random: &mut Random, ty: &Type) {
    assert!(ty.size() <= MAX_SIZE);
    let leaf = random.below(usize::try_from(ty.leaf_count()).unwrap_or(usize::MAX)) as u64;
    if let Some(path) = ty.path_of_leaf(leaf) {
        assert_eq!(ty.leaf_of_path(&path), Some(leaf));
        assert_eq!(ty.parse_path(&ty.path_text(&path)), Some(path.clone()), "{}", ty.path_text(&path));
        let place = ty.place(&path).unwrap();
        assert!(place.range().end <= ty.size(), "{}", ty.path_text(&path));
    }
    if ty.size() > LARGEST || ty.leaf_count() > LARGEST {
        return;
    }
    let missing = random.below(4) * random.below(9);
    let bytes = random.bytes(usize::try_from(ty.size()).unwrap().saturating_sub(missing));
    let value = ty.decode(&bytes);
    let json: serde_json::Value = serde_json::from_str(&serde_json::to_string(&value).unwrap()).unwrap();
    assert_eq!(json.is_null(), ty.is_leaf() && value.leaf().is_none());
    assert!(!value.to_string().contains(char::is_control));
    let (mut header, mut record) = (vec![], vec![]);
    ty.push_csv_header(&mut header);
    value.push_csv(&mut record);
    let shown = String::from_utf8_lossy(&header);
    assert_eq!(columns(&header), columns(&record), "{shown}\n{}", String::from_utf8_lossy(&record));
    let mut lines = vec![];
    value.push_lines(0, &mut lines);
    assert!(lines.ends_with(b"\n"));
    let at = ty.at(0).range().end / 2;
    let window = Window { offset: at, bytes: &bytes };
    assert_eq!(ty.decode_at(0, window).leaves().count() as u64, ty.leaf_count());
    if let Some(path) = ty.path_at(at) {
        assert!(ty.place(&path).unwrap().range().contains(&at), "{}", ty.path_text(&path));
    }
}

/// Returns how many of the declarations were right.
fn fuzz(seeds: std::ops::Range<u64>) -> usize {
    let c = cases(include_str!("cases.c"));
    let cpp = cases(include_str!("cases.cpp"));
    let mut right = 0;
    for seed in seeds {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (from, language) = if seed % 2 == 0 { (&c, Language::C) } else { (&cpp, Language::Cpp) };
        let (one, other) = (&from[random.below(from.len())], &from[random.below(from.len())]);
        let source = damaged(&mut random, &one.source, &other.source);
        let name = (random.below(2) == 0).then_some(one.ty.as_str());
        let start = Instant::now();
        let result = parse_declarations(&Sources::typed(&source), name, Some(language));
        assert!(start.elapsed() < Duration::from_secs(10), "{seed}: {:?}", start.elapsed());
        if let Ok(ty) = result {
            right += 1;
            decode(&mut random, &ty);
        }
    }
    right
}

#[test]
fn damaged_declarations_do_not_panic() {
    let right = fuzz(0..COUNT);
    println!("{right} of {COUNT} still right");
    assert!(right * 30 > usize::try_from(COUNT).unwrap(), "{right} of {COUNT} still right");
}

#[test]
fn damaged_names_do_not_panic() {
    let names = [
        "u32be",
        "f64[3][3]",
        "i32,f64,char[16]",
        "packed:u8,u16[2]",
        "char16[8]@0x10",
        "unsigned int",
        "struct { int x; }@4K",
        "file.h:Name",
        "a.hpp:ns::Ring<int, 3>",
        "std::atomic<int>",
        "bytes[7]",
    ];
    let mut random = Random(7);
    for _ in 0..COUNT {
        let (one, other) = (names[random.below(names.len())], names[random.below(names.len())]);
        let text = damaged(&mut random, one, other);
        let read = |_: &str| Ok(Sources::typed("struct Name { int x; };"));
        if let Ok(found) = parse_type(&text, &read) {
            decode(&mut random, &found.ty);
        }
    }
}

#[test]
#[ignore = "takes minutes"]
fn a_million_damaged_declarations_do_not_panic() {
    println!("{} of {COUNT_IN_FULL} still right", fuzz(COUNT..COUNT + COUNT_IN_FULL));
}
