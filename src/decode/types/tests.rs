//! Tests of records, paths and their values.

use super::*;

fn scalar(scalar: Scalar) -> Type {
    Type::scalar(scalar, ByteOrder::Little)
}

fn record(kind: RecordKind, name: &str, fields: Vec<Field>, size: u64) -> Type {
    Type::record(Record::new(kind, name, fields), size, 8).unwrap()
}

fn bits(name: &str, ty: Type, offset: u64, start: u8, width: u8) -> Field {
    Field { bits: Some(Bits { start, width }), ..Field::new(name, ty, offset) }
}

/// `struct Frame : Base { Point points[2]; union { f32 f; u32 u; }; mode; flags; next; raw; }`
fn frame() -> Type {
    let point = record(
        RecordKind::Struct,
        "Point",
        vec![Field::new("x", scalar(Scalar::I16), 0), Field::new("y", scalar(Scalar::I16), 2)],
        4,
    );
    let either = record(
        RecordKind::Union,
        "",
        vec![Field::new("f", scalar(Scalar::F32), 0), Field::new("u", scalar(Scalar::U32), 0)],
        4,
    );
    let base = record(RecordKind::Struct, "Base", vec![Field::new("tick", scalar(Scalar::U32), 0)], 4);
    let enumerator = |name: &str, value| Enumerator { name: name.into(), value };
    let mode = Type::enumeration(Enum::new(
        "Mode",
        Scalar::I8,
        ByteOrder::Little,
        vec![enumerator("ON", 1), enumerator("OFF", -1), enumerator("ALIAS", 1)],
    ));
    let fields = vec![
        Field { is_base: true, ..Field::new("Base", base, 0) },
        Field::new("points", Type::array(point, 2).unwrap(), 4),
        Field::new("", either, 12),
        Field::new("mode", mode.clone(), 16),
        bits("low", scalar(Scalar::U32), 17, 0, 3),
        bits("negative", scalar(Scalar::I32), 17, 3, 3),
        bits("state", mode, 17, 6, 2),
        Field::new("name", Type::array(scalar(Scalar::Char), 4).unwrap(), 18),
        Field::new("next", Type::pointer("Frame", 8, ByteOrder::Little), 24),
        Field::new("raw", Type::bytes(2).unwrap(), 32),
    ];
    record(RecordKind::Struct, "Frame", fields, 40)
}

fn frame_bytes() -> Vec<u8> {
    let mut bytes = vec![0; 40];
    bytes[0] = 42;
    bytes[4..12].copy_from_slice(&[1, 0, 2, 0, 3, 0, 0xff, 0xff]);
    bytes[12..16].copy_from_slice(&1.5f32.to_le_bytes());
    bytes[16] = 0xff;
    bytes[17] = 0b11_101_110;
    bytes[18..22].copy_from_slice(b"ab\0c");
    bytes[24..32].copy_from_slice(&0x7f00_u64.to_le_bytes());
    bytes[32..34].copy_from_slice(&[0x1f, 0x85]);
    bytes
}

#[test]
fn records_have_text_json_and_csv() {
    let (ty, bytes) = (frame(), frame_bytes());
    let value = ty.decode(&bytes);
    assert_eq!(
        value.to_string(),
        "{tick: 42, points: [{x: 1, y: 2}, {x: 3, y: -1}], f: 1.5, u: 1069547520, mode: OFF, low: 6, \
         negative: -3, state: OFF, name: \"ab\", next: 0x7f00, raw: 1f 85}"
    );
    assert_eq!(
        serde_json::to_string(&value).unwrap(),
        r#"{"tick":42,"points":[{"x":1,"y":2},{"x":3,"y":-1}],"f":1.5,"u":1069547520,"mode":"OFF","low":6,"negative":-3,"state":"OFF","name":"ab","next":"0x7f00","raw":"1f 85"}"#
    );
    assert_eq!(
        ty.csv_header(),
        [
            "tick",
            "points[0].x",
            "points[0].y",
            "points[1].x",
            "points[1].y",
            "f",
            "u",
            "mode",
            "low",
            "negative",
            "state",
            "name",
            "next",
            "raw"
        ]
    );
    assert_eq!(
        value.csv_record(),
        ["42", "1", "2", "3", "-1", "1.5", "1069547520", "OFF", "6", "-3", "OFF", "ab", "0x7f00", "1f 85"]
    );
    assert!(!value.is_truncated());
}

#[test]
fn enumerators_keep_the_first_name_and_numbers_without_one() {
    let ty = frame();
    let mut bytes = frame_bytes();
    let mode = |bytes: &[u8]| ty.decode(bytes).child(3).unwrap().to_string();
    bytes[16] = 1;
    assert_eq!(mode(&bytes), "ON");
    bytes[16] = 7;
    assert_eq!(mode(&bytes), "7");
}

#[test]
fn record_is_shown_to_the_end_of_the_bytes() {
    let (ty, bytes) = (frame(), frame_bytes());
    let value = ty.decode(&bytes[..11]);
    assert!(value.is_truncated());
    let text = value.to_string();
    assert!(
        text.starts_with("{tick: 42, points: [{x: 1, y: 2}, {x: 3, y: (past the end)}], f: (past the end)"),
        "{text}"
    );
    assert_eq!(serde_json::to_value(value).unwrap()["raw"], serde_json::Value::Null);
}

#[test]
fn window_covers_part_of_a_value() {
    let ty = Type::array(scalar(Scalar::U16), 1 << 40).unwrap();
    let window = Window { offset: 1 << 30, bytes: &[1, 0, 2, 0, 3] };
    let value = ty.decode_at(0, window);
    let text = |index| value.child(index).unwrap().leaf().map(|leaf| leaf.to_string());
    assert_eq!((text(1 << 29), text((1 << 29) + 1)), (Some("1".into()), Some("2".into())));
    assert_eq!((text((1 << 29) + 2), text(0)), (None, None));
    assert!(value.child(1 << 40).is_none());
}

#[test]
fn paths_are_found_by_name_offset_and_number() {
    let ty = frame();
    let mut leaves = ty.leaves();
    let mut number = 0;
    while let Some(place) = leaves.next() {
        let (path, text) = (leaves.path(), leaves.path_text());
        assert_eq!(ty.place(&path), Some(place), "{text}");
        assert_eq!(ty.parse_path(&text), Some(path.clone()), "{text}");
        assert_eq!(ty.path_of_leaf(number), Some(path.clone()), "{text}");
        assert_eq!(ty.leaf_of_path(&path), Some(number), "{text}");
        number += 1;
    }
    assert_eq!((number, ty.leaf_count(), ty.path_of_leaf(number)), (14, 14, None));
    let at = |offset| ty.path_at(offset).map(|path| ty.path_text(&path));
    let found = [0, 6, 11, 13, 16, 17, 20, 31, 33].map(|offset| at(offset).unwrap());
    assert_eq!(found, ["tick", "points[0].y", "points[1].y", "f", "mode", "low", "name", "next", "raw"]);
    assert_eq!((at(22), at(34), at(40), at(u64::MAX)), (None, None, None, None));
    for text in ["points[2].x", "points.x", "none", "tick.x", "points[", "points[0]x", "", "points[0].x."] {
        assert_eq!(ty.parse_path(text).filter(|path| !path.0.is_empty()), None, "{text:?}");
    }
}

#[test]
fn names_that_look_like_paths_are_quoted() {
    let names = ["a.b", "c[0]", "d \"e\"", "\n\u{1b}", "é", "f\\"];
    let fields = (0..).zip(names).map(|(at, name)| Field::new(name, scalar(Scalar::U8), at)).collect();
    let ty = record(RecordKind::Struct, "S", fields, 8);
    let mut leaves = ty.leaves();
    while leaves.next().is_some() {
        assert_eq!(ty.parse_path(&leaves.path_text()), Some(leaves.path()));
        assert!(!leaves.path_text().contains(char::is_control));
    }
    assert_eq!(ty.csv_header()[0], "[\"a.b\"]");
}

#[test]
fn base_with_a_hidden_field_keeps_its_name() {
    let base = || record(RecordKind::Class, "Base", vec![Field::new("x", scalar(Scalar::U8), 0)], 1);
    let derived = |own: &str| {
        let base = Field { is_base: true, ..Field::new("Base", base(), 0) };
        record(RecordKind::Class, "D", vec![base, Field::new(own, scalar(Scalar::U8), 1)], 2)
    };
    assert_eq!(derived("x").csv_header(), ["Base.x", "x"]);
    assert_eq!(derived("y").csv_header(), ["x", "y"]);
}

#[test]
fn limits_keep_types_walkable() {
    let deep = (0..=MAX_DEPTH).try_fold(scalar(Scalar::U8), |ty, _| Type::array(ty, 1));
    assert_eq!(deep, Err(TypeError::TooDeep));
    let doubled = (0..40).try_fold(scalar(Scalar::U8), |ty, _| {
        let fields = vec![Field::new("a", ty.clone(), 0), Field::new("b", ty, 0)];
        Type::record(Record::new(RecordKind::Union, "", fields), 1, 1)
    });
    assert_eq!(doubled, Err(TypeError::TooManyFields));
    assert_eq!(Type::array(scalar(Scalar::U16), MAX_SIZE), Err(TypeError::TooLarge));
    let outside = vec![Field::new("a", scalar(Scalar::U32), 1)];
    assert_eq!(Type::record(Record::new(RecordKind::Struct, "", outside), 4, 4), Err(TypeError::Outside));
    let empty = record(RecordKind::Struct, "Empty", vec![], 0);
    let many = Type::array(empty, u64::MAX).unwrap();
    assert_eq!((many.leaves().count(), many.decode(&[]).to_string()), (0, "[]".to_owned()));
}

#[test]
fn wide_bit_fields_span_nine_bytes() {
    let ty = record(RecordKind::Struct, "", vec![bits("a", scalar(Scalar::U64), 0, 7, 64)], 9);
    let bytes = [0x80, 0, 0, 0, 0, 0, 0, 0, 0x7f];
    assert_eq!(ty.decode(&bytes).child(0).unwrap().to_string(), format!("{}", 0xfe00_0000_0000_0001_u64));
}
