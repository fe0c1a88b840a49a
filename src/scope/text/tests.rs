//! Tests of the text of channels.

use super::*;
use crate::decode::{Field, Path, Record, RecordKind, parse_type};
use crate::scope::{Channel, NumberKind, SampledValue, Sequence, Source};
use crate::segment::example;
use proptest::prelude::*;

const TELEMETRY: &str = "struct Telemetry { uint64_t tick; double gain[3][3]; struct { float x, y; } pose; \
                         char name[8]; uint32_t seq; int mode : 3; uint64_t seq8; union { int a; float b; }; \
                         long double wide; int none[0]; }";

fn telemetry() -> Type {
    parse_type(TELEMETRY, &|_| Err(String::new())).unwrap().ty
}

fn segments() -> Vec<Segment> {
    let names: [&[u8]; 8] =
        [b"telemetry", b"tele", b"a:b", b"a", b"a+0x10", b"two words", b"counter", b"dev/shm/odd"];
    let mut all: Vec<Segment> = names.into_iter().map(example::posix_named).collect();
    all.push(example::sysv());
    all
}

/// Every segment is a Telemetry at offset 64, except for some.
fn type_of(segment: &Segment) -> Result<Option<PlacedType>, String> {
    let name = segment.id.short();
    let placed = |ty, offset| Ok(Some(PlacedType { ty, offset }));
    match name.as_str() {
        "/counter" => placed(Type::from_name("u32").unwrap(), None),
        "/tele" => Ok(None),
        "/a+0x10" => Err("the programs\u{1b} disagree".to_owned()),
        _ => placed(telemetry(), Some(64)),
    }
}

fn with_lookup<T>(segments: &[Segment], act: impl FnOnce(&Lookup<'_>) -> T) -> T {
    let parse_type = |segment: &Segment, text: &str| match text {
        "Telemetry" => Ok(telemetry()),
        _ => written_type(segment, text),
    };
    act(&Lookup { segments, type_of: &type_of, parse_type: &parse_type })
}

fn found(text: &str) -> Result<Resolved, ChannelError> {
    with_lookup(&segments(), |lookup| resolve(text, lookup))
}

fn sampled(channel: &Channel) -> &SampledValue {
    match &channel.source {
        Source::Value(value) => value,
        other => panic!("{other:?}"),
    }
}

#[test]
fn values_are_found_in_every_form() {
    for (text, name, segment, offset, ty) in [
        ("/telemetry:tick", "/telemetry:tick", "posix:/telemetry", 64, "u64"),
        (" speed = /telemetry:gain[1][2] ", "speed", "posix:/telemetry", 64 + 8 + 5 * 8, "f64"),
        ("telemetry:pose.y", "/telemetry:pose.y", "posix:/telemetry", 64 + 84, "f32"),
        ("posix:/telemetry:b", "/telemetry:b", "posix:/telemetry", 64 + 112, "f32"),
        ("/dev/shm/telemetry:tick", "/telemetry:tick", "posix:/telemetry", 64, "u64"),
        ("0x4d2:tick", "0x4d2:tick", "sysv:32770", 64, "u64"),
        ("key:1234:tick", "0x4d2:tick", "sysv:32770", 64, "u64"),
        ("sysv:32770:tick", "0x4d2:tick", "sysv:32770", 64, "u64"),
        ("32770:tick", "0x4d2:tick", "sysv:32770", 64, "u64"),
        ("0x4d2+0x10:f64", "0x4d2+0x10:f64", "sysv:32770", 16, "f64"),
        ("sysv:32770+1K:u16be", "0x4d2+0x400:u16be", "sysv:32770", 1024, "u16be"),
        ("n=/tele+8: unsigned int", "n", "posix:/tele", 8, "u32"),
        ("/counter:", "/counter:", "posix:/counter", 0, "u32"),
        // The longest name of a segment wins.
        ("/a:b:tick", r"/a\x3ab:tick", "posix:/a:b", 64, "u64"),
        (r"/a\x3ab:tick", r"/a\x3ab:tick", "posix:/a:b", 64, "u64"),
        ("/a:tick", "/a:tick", "posix:/a", 64, "u64"),
        ("/a+24:f64", "/a+0x18:f64", "posix:/a", 24, "f64"),
        ("/a+0x10+8:i8", r"/a\x2b0x10+0x8:i8", "posix:/a+0x10", 8, "i8"),
        ("/two words:tick", "/two words:tick", "posix:/two words", 64, "u64"),
        ("posix:/dev/shm/odd:tick", "posix:/dev/shm/odd:tick", "posix:/dev/shm/odd", 64, "u64"),
        // A field of a record at an offset.
        (
            "/tele+0x10:Telemetry.gain[2][0]",
            "/tele+0x10:Telemetry.gain[2][0]",
            "posix:/tele",
            16 + 8 + 48,
            "f64",
        ),
        (
            "/tele+16:struct { char c; int x; }.x",
            "/tele+0x10:struct { char c; int x; }.x",
            "posix:/tele",
            20,
            "i32",
        ),
    ] {
        let Resolved { channel, completed } = found(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let value = sampled(&channel);
        let actual =
            (channel.name.as_str(), value.segment.id.to_string(), value.offset, value.ty.to_string());
        assert_eq!(actual, (name, segment.to_owned(), offset, ty.to_owned()), "{text}");
        assert!(completed.is_none(), "{text}");
        if !text.contains('=') && !name.contains("Telemetry") && !name.contains("struct") {
            let again = found(name).unwrap().channel;
            assert_eq!((again.name.as_str(), sampled(&again).offset), (name, offset), "{name}");
        }
    }
}

#[test]
fn start_of_a_name_is_completed() {
    let Resolved { channel, completed } = found("two:tick").unwrap();
    assert_eq!(
        (channel.name.as_str(), completed.unwrap().short().as_str()),
        ("/two words:tick", "/two words")
    );
}

#[test]
fn bit_fields_and_kinds_are_kept() {
    let channel = found("/telemetry:mode").unwrap().channel;
    assert_eq!((sampled(&channel).bits.unwrap().width, channel.kind), (3, NumberKind::Signed));
    assert_eq!(found("/telemetry:gain[0][0]").unwrap().channel.kind, NumberKind::Float);
}

#[test]
fn sequence_locks_are_found() {
    for (text, offset, size) in [
        ("/telemetry:tick,seq=seq", 64 + 96, 4),
        ("v=/telemetry:tick,seq=seq8", 64 + 104, 8),
        ("/telemetry:tick,seq=+0x20", 32, 4),
        ("/tele+8:f64 , seq = +16:u64", 16, 8),
        ("/telemetry+8:f64,seq=seq", 64 + 96, 4),
    ] {
        let channel = found(text).unwrap_or_else(|error| panic!("{text}: {error}")).channel;
        assert_eq!(sampled(&channel).sequence, Some(Sequence { offset, size }), "{text}");
        assert!(!channel.name.contains("seq"), "{}", channel.name);
    }
    for (text, problem) in [
        ("/telemetry:tick,seq=name", "an integer of 4 or 8 bytes in the byte order of this machine"),
        ("/telemetry:tick,seq=+4:u32be", "an integer of 4 or 8 bytes in the byte order of this machine"),
        ("/telemetry:tick,seq=mode", "a sequence lock is aligned: its offset is a multiple of 4"),
        ("/telemetry:tick,seq=+6", "a sequence lock is aligned: its offset is a multiple of 4"),
        ("/telemetry:tick,seq=6", "an offset begins with +, as in seq=+0x10"),
        ("/telemetry:tick,seq=", "expected a field or an offset after seq="),
        ("/telemetry:tick seq=seq", "a sequence lock follows the value and a comma"),
        ("/telemetry:tick,sec=seq", "a sequence lock follows the value and a comma"),
        ("seq=seq,/telemetry:tick", "a sequence lock follows the value and a comma"),
        ("/telemetry,seq=+4:tick", "a sequence lock follows the value and a comma"),
        ("a,seq=b", "a sequence lock follows the value and a comma"),
        ("/telemetry:tick,seq=+x", "expected an offset, as in seq=+0x10"),
        ("/telemetry:tick,seq=sec", "no field 'sec'; did you mean seq?"),
        (
            "/telemetry:tick,seq=+4096",
            "'+4096' is past the end of /telemetry, which has 4096 (0x1000) bytes: it takes 4 bytes from 0x1000 on",
        ),
    ] {
        let error = found(text).unwrap_err().to_string();
        assert!(error.contains(problem), "{text}: {error}");
    }
}

#[test]
fn expressions_are_told_from_values() {
    for (text, name, expression) in [
        ("power = v * i", "power", "v * i"),
        ("rate(tick)", "rate(tick)", "rate(tick)"),
        ("p={/telemetry:v} * 2", "p", "{/telemetry:v} * 2"),
        ("{a:b} + {c=d:e}", "{a:b} + {c=d:e}", "{a:b} + {c=d:e}"),
        ("a == b", "a == b", "a == b"),
        ("hot = a >= b", "hot", "a >= b"),
        ("seq = max(a, seq == b)", "seq", "max(a, seq == b)"),
        ("a <= b", "a <= b", "a <= b"),
        ("two words = 3", "two words", "3"),
        ("\u{1b}x=1", r"\x1bx", "1"),
    ] {
        let channel = found(text).unwrap().channel;
        assert_eq!(channel.name, name, "{text}");
        assert!(matches!(&channel.source, Source::Expression(found) if found == expression), "{text}");
    }
}

/// Checks the messages of texts that are no channels.
fn refused(texts: &[(&str, &str)]) {
    for (text, message) in texts {
        let error = found(text).map(|found| found.channel).unwrap_err().to_string();
        assert!(error.starts_with(message), "{text}: {error}");
        assert!(!error.contains(char::is_control), "{error:?}");
    }
}

#[test]
fn errors_about_offsets_and_types_say_what_to_do() {
    refused(&[
        (
            "/tele+8:f64[3]",
            "'/tele+8:f64[3]' is an array, not a number; give the offset of an element and its type, f64; elements are 8 bytes apart",
        ),
        (
            "/tele+8:Telemetry",
            "'/tele+8:Telemetry' is a record, not a number; name one of its fields, as in /tele+8:Telemetry.x",
        ),
        ("/tele+8:char[8]", "'/tele+8:char[8]' is text, not a number"),
        ("/tele+8:u33", "invalid channel '/tele+8:u33': no type named 'u33'; did you mean u32?"),
        (
            "/tele+8:Mode",
            "invalid channel '/tele+8:Mode': no type named 'Mode'; expected a number, such as u32, i16be, f64 or bool",
        ),
        ("/tele+8", "invalid channel '/tele+8': add a type, as in /tele+8:f64"),
        ("/tele+8:", "invalid channel '/tele+8:': add a type, as in /tele+8:f64"),
        ("/tele+:u8", "invalid channel '/tele+:u8': expected an offset after +, as in +0x10"),
        (
            "/tele+-8:u32",
            "invalid channel '/tele+-8:u32': an offset is not negative: the first byte has offset 0",
        ),
        (
            "/tele+0x10000000000000000:u8",
            "invalid channel '/tele+0x10000000000000000:u8': invalid offset '0x10000000000000000': expected a number of bytes",
        ),
        (
            "/tele+8:f64@4",
            "invalid channel '/tele+8:f64@4': the offset belongs before the type, as in /telemetry+0x10:f64",
        ),
        ("/tele+8:Telemetry.tock", "Telemetry has no field 'tock'; did you mean tick?"),
        (
            "/tele+4092:f64",
            "'/tele+4092:f64' is past the end of /tele, which has 4096 (0x1000) bytes: it takes 8 bytes from 0xffc on",
        ),
        (
            "/tele+0xffffffffffffffff:u8",
            "'/tele+0xffffffffffffffff:u8' is past the end of /tele, which has 4096 (0x1000) bytes: it takes 1 byte from 0xf",
        ),
    ]);
}

#[test]
fn errors_say_what_to_do() {
    refused(&[
        ("", "invalid channel '': expected SEGMENT:FIELD, SEGMENT+OFFSET:TYPE or an expression"),
        ("x=", "invalid channel 'x=': expected SEGMENT:FIELD, SEGMENT+OFFSET:TYPE or an expression"),
        ("@x=1", "invalid channel '@x=1': a name does not start with @, which stands for a set of channels"),
        (
            "/telemetry",
            "invalid channel '/telemetry': add a field, or an offset and a type, as in /telemetry:v or /telemetry+0x10:f64",
        ),
        (
            "sysv:32770",
            "invalid channel 'sysv:32770': add a field, or an offset and a type, as in sysv:32770:v or sysv:32770+0x10:f64",
        ),
        ("/telemetri:tick", "no segment named '/telemetri'; did you mean /telemetry?"),
        ("/telemetri+8:f64", "no segment named '/telemetri'; did you mean /telemetry?"),
        ("sysv:1:tick", "no segment named 'sysv:1'"),
        (
            "/tele:tick",
            "the type of /tele is not known. Give the offset and type of the value, as in /tele+0x10:f64, or the type of the segment with --as",
        ),
        (
            r"/a+0x10:x",
            r"the type of /a+0x10 is not known (the programs\x1b disagree). Give the offset and type of the value, as in /a\x2b0x10+0x10:f64, or",
        ),
        ("/telemetry:tock", "/telemetry has no field 'tock'; did you mean tick?"),
        (
            "/telemetry:zzzzzz",
            "/telemetry has no field 'zzzzzz'; the fields are tick, gain, pose, name, seq, mode, seq8, wide and 3 more",
        ),
        ("/telemetry:pose.xy", "/telemetry has no field 'pose.xy'; did you mean pose.x?"),
        ("/telemetry:pose..x", "/telemetry has no field 'pose..x'; did you mean pose.x?"),
        ("/telemetry:TICK", "/telemetry has no field 'TICK'; did you mean tick?"),
        ("/telemetry:x", "/telemetry has no field 'x'; did you mean pose.x?"),
        (
            "/telemetry:gain[3][0]",
            "/telemetry has no field 'gain[3][0]'; the elements are gain[0] to gain[2]",
        ),
        ("/telemetry:gain[x]", "/telemetry has no field 'gain[x]'; the elements are gain[0] to gain[2]"),
        ("/telemetry:none[0]", "/telemetry has no field 'none[0]'; it has no elements"),
        ("/telemetry:tick.x", "/telemetry has no field 'tick.x'; it has no parts"),
        ("/counter:x", "/counter has no field 'x'; the value has no parts"),
        (
            "/telemetry:gain",
            "'/telemetry:gain' is an array, not a number; name an element, as in /telemetry:gain[0]",
        ),
        ("/telemetry:none", "'/telemetry:none' is an array, not a number; it has no elements"),
        ("/telemetry:pose", "'/telemetry:pose' is a record, not a number; name one of its fields: x, y"),
        ("/telemetry:", "'/telemetry:' is a record, not a number; name one of its fields: tick, gain"),
        (
            "/telemetry:name",
            "'/telemetry:name' is text, not a number; for one of its bytes, give an offset and u8 as the type",
        ),
        (
            "/telemetry:wide",
            "'/telemetry:wide' is too large for a sample, which has 8 bytes; give the offset and type of a part of it",
        ),
        ("=5", "invalid channel '=5': expected a name before =, as in v=/telemetry:v"),
        ("\u{1b}:x", r"no segment named '\x1b'"),
        (
            "double = /telemetry:tick * 2",
            "/telemetry has no field 'tick * 2'; in an expression, put a name with a colon in braces, as in {/telemetry:v} * 2",
        ),
        (
            "rate(/telemetry:tick)",
            "invalid channel 'rate(/telemetry:tick)': in an expression, put a name with a colon in braces, as in {/telemetry:v} * 2",
        ),
    ]);
    let long = "/telemetry:".to_owned() + &"x".repeat(5000);
    assert!(found(&long).unwrap_err().to_string().ends_with("longer than 4096 bytes"));
}

#[test]
fn numbers_have_a_text_by_their_own_type() {
    let segment = example::posix_named(b"a:b");
    let text = |name: &str| number_text(&segment, 16, &Type::from_name(name).unwrap());
    assert_eq!(text("f64").as_deref(), Some(r"/a\x3ab+0x10:f64"));
    assert_eq!(text("u16be").as_deref(), Some(r"/a\x3ab+0x10:u16be"));
    assert_eq!(text("u8[2]"), None);
    assert_eq!(text("i128"), None);
}

fn completions(text: &str) -> Vec<String> {
    with_lookup(&segments(), |lookup| {
        let shown = |found: Completion| format!("{}{}", found.text, if found.is_complete { "" } else { "…" });
        complete(text, lookup).into_iter().map(shown).collect()
    })
}

#[test]
fn completions_go_one_level_at_a_time() {
    for (text, expected) in [
        ("/tel", "/tele:… /telemetry:…"),
        ("tel", "/tele:… /telemetry:…"),
        ("v=/tw", "v=/two words:…"),
        ("0x", "0x4d2:…"),
        ("sysv", "sysv:32770:…"),
        ("zzz", ""),
        ("/telemetry:t", "/telemetry:tick"),
        ("x = telemetry:se", "x = telemetry:seq x = telemetry:seq8"),
        ("/telemetry:pose", "/telemetry:pose.…"),
        ("/telemetry:pose.", "/telemetry:pose.x /telemetry:pose.y"),
        ("/telemetry:ga", "/telemetry:gain[…"),
        ("/telemetry:gain[", "/telemetry:gain[0][… /telemetry:gain[1][… /telemetry:gain[2][…"),
        ("/telemetry:gain[1][", "/telemetry:gain[1][0] /telemetry:gain[1][1] /telemetry:gain[1][2]"),
        ("/telemetry:b", "/telemetry:b"),
        ("/telemetry:gain[1][2]", "/telemetry:gain[1][2]"),
        ("/tele:", ""),
        ("/tele+8:f6", "/tele+8:f64"),
        (r"/a\x3ab:ti", r"/a\x3ab:tick"),
        ("/a:b:ti", "/a:b:tick"),
    ] {
        assert_eq!(completions(text).join(" "), expected, "{text}");
    }
    assert!(completions("/telemetry:").iter().any(|text| text == "/telemetry:tick"));
}

/// Names of objects and fields with all that could end them.
fn hostile() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "a", "b", ":", "+", "+0x10:", ",seq=", "=", "{", "}", "[0]", ".", " ", "\\", "\\x41", "\"", "\u{1b}",
        "é", "\u{202e}", "@", "sysv:", "f64", "/b",
    ]);
    prop::collection::vec(part, 1..6).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn texts_of_fields_are_found_again(name in hostile(), other in hostile(), fields in prop::collection::hash_set(hostile(), 1..4)) {
        let Some(object) = crate::segment::ObjectName::new(name.as_bytes()) else { return Ok(()) };
        let mut segments = vec![example::posix_named(object.as_bytes())];
        if let Some(other) = crate::segment::ObjectName::new(other.as_bytes())
            && other != object
        {
            segments.push(example::posix_named(other.as_bytes()));
        }
        let inner = Type::from_name("f64[2]").unwrap();
        let fields: Vec<Field> = (0..).zip(fields).map(|(at, name)| Field::new(name, inner.clone(), at * 16)).collect();
        let size = 16 * fields.len() as u64;
        let ty = Type::record(Record::new(RecordKind::Struct, "T", fields), size, 8).unwrap();
        let types = |_: &Segment| Ok(Some(PlacedType { ty: ty.clone(), offset: None }));
        let lookup = Lookup { segments: &segments, type_of: &types, parse_type: &written_type };
        for leaf in 0..ty.leaf_count() {
            let path: Path = ty.path_of_leaf(leaf).unwrap();
            let text = field_text(&segments[0], &ty, &path);
            prop_assert!(!text.contains(char::is_control), "{:?}", text);
            // Spreadsheets compute what begins so in a CSV file.
            prop_assert!(!text.starts_with(['=', '+', '-', '@']), "{}", text);
            for text in [text.clone(), format!("n={text}"), format!("{text},seq=+8")] {
                let found = resolve(&text, &lookup).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
                let value = sampled(&found.channel);
                prop_assert_eq!(&value.segment.id, &segments[0].id, "{}", text);
                prop_assert_eq!(value.offset, leaf * 8, "{}", text);
                prop_assert_eq!(value.sequence.is_some(), text.ends_with(",seq=+8"));
            }
            let completed = complete(&text, &lookup);
            prop_assert_eq!(&completed.first().map(|first| first.text.clone()), &Some(text));
        }
        let text = number_text(&segments[0], 24, &Type::from_name("u32be").unwrap()).unwrap();
        let found = resolve(&text, &lookup).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        let value = sampled(&found.channel);
        prop_assert_eq!((&value.segment.id, value.offset), (&segments[0].id, 24), "{}", text);
    }

    #[test]
    fn any_text_is_resolved_or_refused(text in prop_oneof![hostile(), "/telemetry:.{0,20}", "/tele\\+[0-9]{1,3}:.{0,20}", ".{0,30}"]) {
        match found(&text) {
            Ok(found) => prop_assert!(!found.channel.name.contains(char::is_control)),
            Err(error) => prop_assert!(!error.to_string().contains(char::is_control), "{error:?}"),
        }
        completions(&text);
    }
}
