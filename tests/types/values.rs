//! Generated programs print what shmlens prints, whatever the bytes are.

use super::code::parse;
use super::fuzz::Random;
use super::gcc::{Case, cases};
use super::generator::Generator;
use super::samples::{Sample, compare};
use shmlens::decode::declaration::Language;
use shmlens::decode::{
    ByteOrder, Enum, Enumerator, Field, Record, RecordKind, Scalar, StringForm, Tick, TickUnit, Type,
    parse_type,
};

/// Random declarations of each language in a test run, and in the full run:
/// `cargo test --test promises -- --ignored types::values`.
const RANDOM: u64 = 12;
const RANDOM_IN_FULL: u64 = 1500;
/// Programs that one compiler gets.
const BATCH: u64 = 60;
/// Bytes of which most values are unusual.
fn hostile(random: &mut Random, size: usize) -> Vec<u8> {
    match random.below(6) {
        0 => vec![0; size],
        1 => vec![0xff; size],
        2 => (0..size).map(|_| [0, 1, 2, 0x7f, 0x80, 0xff][random.below(6)]).collect(),
        // Text of every kind.
        3 => "a\"'\\\u{e9}\u{202e}\u{1d11e}\u{7f}\u{e000}\0"
            .bytes()
            .cycle()
            .skip(random.below(9))
            .take(size)
            .collect(),
        _ => random.bytes(size),
    }
}

fn samples(types: impl IntoIterator<Item = (String, Type)>, each: usize, seed: u64) -> Vec<Sample> {
    let mut random = Random(seed | 1);
    let mut out = vec![];
    for (name, ty) in types {
        for _ in 0..each {
            let bytes = hostile(&mut random, usize::try_from(ty.size()).unwrap());
            out.push(Sample { name: name.clone(), ty: ty.clone(), bytes });
        }
    }
    out
}

fn declared(cases: &[Case], language: Language) -> Vec<(String, Type)> {
    let typed = cases.iter().map(|case| (format!("{}: {}", case.ty, case.source), parse(case, language)));
    typed.filter(|(_, ty)| ty.size() > 0 && ty.size() < 1 << 12).collect()
}

fn random(seeds: std::ops::Range<u64>) {
    let mut types = vec![];
    for language in [Language::C, Language::Cpp] {
        let cases: Vec<Case> = seeds.clone().map(|seed| Generator::new(seed, language).case()).collect();
        types.extend(declared(&cases, language));
    }
    println!("{} values", compare(&samples(types, 1, seeds.start)));
}

#[test]
fn values_of_random_types_are_those_of_shmlens() {
    random(0..RANDOM);
}

#[test]
#[ignore = "takes minutes"]
fn values_of_many_random_types_are_those_of_shmlens() {
    for start in (0..RANDOM_IN_FULL).step_by(usize::try_from(BATCH).unwrap()) {
        random(3_000_000 + start..3_000_000 + start + BATCH);
    }
}

/// A struct of these types, without padding.
fn row(types: &[(String, Type)]) -> Type {
    let mut offset = 0;
    let mut fields = vec![];
    for (name, ty) in types {
        fields.push(Field::new(name.as_str(), ty.clone(), offset));
        offset += ty.size();
    }
    Type::record(Record::new(RecordKind::Struct, "Row", fields), offset, 1).unwrap()
}

/// Every scalar in both byte orders, alone, in arrays and in rows.
fn scalars() -> Vec<(String, Type)> {
    let units = [
        TickUnit::Generic,
        TickUnit::Years,
        TickUnit::Months,
        TickUnit::Weeks,
        TickUnit::Days,
        TickUnit::Hours,
        TickUnit::Minutes,
        TickUnit::Seconds,
        TickUnit::Millis,
        TickUnit::Nanos,
        TickUnit::Attos,
    ];
    let ticks = units.into_iter().flat_map(|unit| {
        let tick = |multiple| Tick { unit, multiple };
        [
            Scalar::Datetime(tick(1)),
            Scalar::Timedelta(tick(25)),
            Scalar::Datetime(tick(i32::MAX.cast_unsigned())),
        ]
    });
    let scalars: Vec<Scalar> = Scalar::all().chain(ticks).collect();
    let mut types = vec![];
    for order in [ByteOrder::Little, ByteOrder::Big] {
        for &scalar in &scalars {
            let name = format!("{}{}{}", scalar.word(), order.word(), types.len());
            let ty = Type::scalar(scalar, order);
            types.push((name.clone(), ty.clone()));
            types.push((format!("{name}_array"), Type::array(ty, 3).unwrap()));
        }
        types.push((format!("pointer{}", types.len()), Type::pointer("void", 8, order)));
        types.push((format!("pointer{}", types.len()), Type::pointer("int", 4, order)));
        types.push((format!("string{}", types.len()), Type::string(StringForm::Utf32(order), 16).unwrap()));
    }
    for form in [StringForm::Stripped, StringForm::Whole, StringForm::Pascal] {
        types.push((format!("string{}", types.len()), Type::string(form, 9).unwrap()));
    }
    types.push(("bytes".to_owned(), Type::bytes(70).unwrap()));
    types.push(("nothing".to_owned(), Type::null(3)));
    let union = |types: &[(String, Type)]| {
        let fields = types.iter().map(|(name, ty)| Field::new(name.as_str(), ty.clone(), 0)).collect();
        let size = types.iter().map(|(_, ty)| ty.size()).max().unwrap();
        Type::record(Record::new(RecordKind::Union, "Either", fields), size, 1).unwrap()
    };
    // A union makes Python use ctypes.
    let rows = types.chunks(5).flat_map(|part| [row(part), union(part)]);
    let rows: Vec<_> = rows.map(|ty| (ty.to_string(), ty)).collect();
    let alone = types.iter().step_by(7).cloned();
    alone.chain(rows).collect()
}

#[test]
fn every_scalar_is_printed_whatever_its_bytes_are() {
    let compared = compare(&samples(scalars(), 1, 1));
    assert!(compared > 1000, "{compared}");
}

#[test]
#[ignore = "takes minutes"]
fn every_scalar_is_printed_with_many_bytes() {
    for seed in 2..12 {
        compare(&samples(scalars(), 1, seed));
    }
}

fn enumeration(name: &str, underlying: Scalar, order: ByteOrder, names: &[(&str, i128)]) -> Type {
    let one = |&(name, value): &(&str, i128)| Enumerator { name: name.into(), value };
    Type::enumeration(Enum::new(name, underlying, order, names.iter().map(one).collect()))
}

/// Names that anybody may have written into debug information.
const HOSTILE: [&str; 12] = [
    "a\"; system(\"x\"); //",
    "{0}%s%n",
    "??/",
    "new\nline",
    "class",
    "def",
    "fn",
    "data",
    "print",
    "F_OK",
    "SEEK_SET",
    "\u{202e}\u{e9}",
];

#[test]
fn names_are_printed_as_they_are() {
    let values: Vec<(&str, i128)> = HOSTILE.iter().zip(0..).map(|(&name, value)| (name, value)).collect();
    let mut types = vec![];
    for order in [ByteOrder::Little, ByteOrder::Big] {
        for scalar in [Scalar::U8, Scalar::I32, Scalar::U64, Scalar::Char] {
            let ty = enumeration("class", scalar, order, &values);
            types.push((format!("enum of {}", scalar.word()), ty));
        }
    }
    let signed = [("LOW", -1), ("low", -1), ("ZERO", 0), ("mro", 1), ("name", 2)];
    types.push(("signed".to_owned(), enumeration("Signed", Scalar::Char, ByteOrder::Little, &signed)));
    types.push(("empty".to_owned(), enumeration("Empty", Scalar::I16, ByteOrder::Big, &[])));
    let fields: Vec<(String, Type)> = HOSTILE
        .iter()
        .zip(types.iter().cycle())
        .map(|(name, (_, ty))| ((*name).to_owned(), ty.clone()))
        .collect();
    types.push(("a row with names".to_owned(), row(&fields)));
    let mut samples = samples(types, 1, 5);
    for (number, sample) in samples.iter_mut().enumerate() {
        // Small numbers have names, in either byte order.
        for (at, byte) in sample.bytes.iter_mut().enumerate() {
            *byte = u8::try_from((number + at) % 14).unwrap() * u8::from(at % 2 == 0);
        }
    }
    let compared = compare(&samples);
    assert!(compared > 3 * samples.len(), "{compared}");
}

/// The bytes of a number of so many bytes.
fn number(value: i128, size: usize, order: ByteOrder) -> Vec<u8> {
    let mut bytes = value.to_le_bytes()[..size].to_vec();
    if order == ByteOrder::Big {
        bytes.reverse();
    }
    bytes
}

#[test]
fn flags_are_printed_by_name() {
    let flags = [
        ("NONE", 0),
        ("X", 4),
        ("fn", 1),
        ("READ", 1),
        ("{0}%s\u{e9}", 2),
        ("RWX", 7),
        ("HIGH", 64),
        ("WIDE", 1 << 100),
    ];
    let mut samples = vec![];
    for order in [ByteOrder::Little, ByteOrder::Big] {
        for scalar in [
            Scalar::U8,
            Scalar::Char,
            Scalar::U16,
            Scalar::I32,
            Scalar::U64,
            Scalar::I64,
            Scalar::U128,
            Scalar::I128,
            Scalar::Char16,
            Scalar::Char32,
        ] {
            let values = [0, 1, 3, 7, 8, 0x45, 0x7d, 0x41 << 8, 3 << 100 | 2, i128::MAX, i128::MIN, -1];
            let ty = Type::array(enumeration("Flags", scalar, order, &flags), values.len() as u64).unwrap();
            let bytes = values.iter().flat_map(|&value| number(value, scalar.size(), order)).collect();
            samples.push(Sample { name: format!("{} {}", scalar.word(), order.word()), ty, bytes });
        }
    }
    let arrays = samples.len();
    let ty = enumeration("Least", Scalar::I128, ByteOrder::Little, &[("LEAST", i128::MIN + 5)]);
    let bytes = number(i128::MIN + 5, 16, ByteOrder::Little);
    samples.push(Sample { name: "least".to_owned(), ty, bytes });
    let text = "struct { enum Mode { R = 1, W = 2, X = 4 } mode : 5; enum Flag : long { A = 1, B = 2 } flag : 40; \
        enum class Wide : unsigned __int128 { C = 1, D = 2 } wide : 90; __int128 bits : 70; }";
    let ty = parse_type(text, &|_| Err("no headers".to_owned())).unwrap().ty;
    let bytes = vec![0x6b; usize::try_from(ty.size()).unwrap()];
    samples.push(Sample { name: text.to_owned(), ty, bytes });
    let compared = compare(&samples);
    assert!(compared >= 3 * (12 * arrays + 5), "{compared}");
}

#[test]
fn declared_types_are_printed() {
    let mut types = declared(&cases(include_str!("cases.cpp")), Language::Cpp);
    types.extend(declared(&cases(include_str!("cases.c")), Language::C));
    let texts = [
        "f64[3][3]",
        "i32,f64,char[16],u8",
        "packed:u8,u16be[2]",
        "u8[1000]",
        "struct:<iqd5s3p",
        "dtype:{'names': ['a b', 'def'], 'formats': ['<f2', '>U4'], 'offsets': [2, 8], 'itemsize': 40}",
        "M8[25s]",
        "struct Flags { unsigned a : 3; int b : 7; unsigned long c : 40; union { float f; unsigned u; }; \
         signed char d; char e[3]; }",
        "struct __attribute__((packed)) P { char a; double b; struct { short c; int d; } e[2]; wchar_t w[3]; }",
        "struct class_ { enum Mode : int { ON = 1, OFF = 2 } mode; int class_; int def, fn, int_; }",
        "struct B { int base; }; struct D : public B { short own; }",
        "mutex",
    ];
    types.extend(texts.iter().map(|text| {
        let placed = parse_type(text, &|_| Err("no headers".to_owned()));
        ((*text).to_owned(), placed.unwrap_or_else(|error| panic!("{text}: {error}")).ty)
    }));
    // All of the texts, and every third of the others.
    let texts = types.len() - texts.len();
    let of = |(at, ty)| (at % 3 == 0 || at >= texts).then_some(ty);
    let types: Vec<_> = types.into_iter().enumerate().filter_map(of).collect();
    let mut samples = samples(types, 1, 9);
    // Larger than a stack.
    let large = parse_type("struct { int bits : 5; char text[9000000]; }", &|_| Err(String::new())).unwrap();
    let bytes = [&[0x15; 100][..], &vec![0; 9_000_000]].concat();
    samples.push(Sample { name: "large".to_owned(), bytes, ty: large.ty });
    println!("{} values of {} types", compare(&samples), samples.len());
}
