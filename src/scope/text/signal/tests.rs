//! Tests of the text of arrays.

use super::*;
use crate::decode::parse_type;
use crate::scope::text::written_type;
use crate::segment::example;

const RING: &str = "struct { uint64_t head; struct Entry { double x; struct { short y, z; } p; float m[2][3]; \
                    unsigned a : 3, b : 5; } ring[8]; float samples[100]; char name[8]; \
                    struct { char c[4]; } texts[2]; int none[0]; struct { int v[2]; } nested[3]; }";

fn found(text: &str) -> Result<ResolvedSignal, ChannelError> {
    let segments = [example::posix_named(b"q"), example::posix_named(b"quite")];
    let type_of = |_: &Segment| {
        let ty = parse_type(RING, &|_| Err(String::new())).unwrap().ty;
        Ok(Some(PlacedType { ty, offset: Some(16) }))
    };
    resolve_signal(text, &Lookup { segments: &segments, type_of: &type_of, parse_type: &written_type })
}

fn waveform(text: &str) -> Waveform {
    match found(text).unwrap_or_else(|error| panic!("{text}: {error}")).signal {
        Signal::Waveform(waveform) => waveform,
        Signal::Channel(channel) => panic!("{channel:?}"),
    }
}

#[test]
fn arrays_are_found_in_every_form() {
    // A record takes 40 bytes: x, p at 8, m at 12, and the bits at 36.
    for (text, name, offset, ty, stride) in [
        ("/q:samples", "/q:samples", 344, "f32[100]", 4),
        ("wave = /q:samples", "wave", 344, "f32[100]", 4),
        ("/q:samples[10..20]", "/q:samples[10..20]", 384, "f32[10]", 4),
        ("/q:samples[ 90 .. ]", "/q:samples[90..]", 704, "f32[10]", 4),
        ("/q:ring[*].x", "/q:ring[*].x", 24, "f64[8]", 40),
        ("/q:ring[2..4].p.z", "/q:ring[2..4].p.z", 24 + 80 + 10, "i16[2]", 40),
        ("/q:ring[1].m", "/q:ring[1].m", 24 + 40 + 12, "f32[2][3]", 4),
        ("/q:ring[*].m[1][2]", "/q:ring[*].m[1][2]", 24 + 12 + 20, "f32[8]", 40),
        ("/q:ring[1].m[*][2]", "/q:ring[1].m[*][2]", 24 + 40 + 12 + 8, "f32[2]", 12),
        ("/q:ring[*].b", "/q:ring[*].b", 24 + 36, "u32[8]", 40),
        ("/q+0x40:f64[12]", "/q+0x40:f64[12]", 64, "f64[12]", 8),
        ("/q+64:f64[3][4]", "/q+0x40:f64[3][4]", 64, "f64[3][4]", 8),
        ("/q+64:f64[12][2..4]", "/q+0x40:f64[12][2..4]", 80, "f64[2]", 8),
        ("/q+8:struct { char c; int v[3]; }.v", "/q+0x8:struct { char c; int v[3]; }.v", 12, "i32[3]", 4),
    ] {
        let Waveform { name: actual, array: SampledArray { segment, elements } } = waveform(text);
        let found = (actual.as_str(), elements.offset, elements.type_text(), elements.stride);
        assert_eq!(found, (name, offset, ty.to_owned(), stride), "{text}");
        assert_eq!(segment.id.short(), "/q", "{text}");
        if !text.contains('=') {
            assert_eq!(waveform(name).array.elements, elements, "{name}");
        }
    }
    assert_eq!(waveform("/q:ring[*].b").array.elements.bits.unwrap().width, 5);
    assert_eq!(found("qui:samples").unwrap().completed.unwrap().short(), "/quite");
}

#[test]
fn channels_are_found_too() {
    for (text, name) in
        [("/q:head", "/q:head"), ("v=/q:ring[3].x", "v"), ("/q+8:u16", "/q+0x8:u16"), ("p = v * 2", "p")]
    {
        let Signal::Channel(channel) = found(text).unwrap().signal else { panic!("{text}") };
        assert_eq!(channel.name, name);
    }
}

#[test]
fn wrong_arrays_are_explained() {
    for (text, message) in [
        ("/q:ring", "'/q:ring' is an array of records; name a number of each, as in /q:ring[*].x"),
        ("/q:texts", "'/q:texts' is an array, not a number; name an element"),
        ("/q:none", "'/q:none' is an array, not a number; it has no elements"),
        ("/q:name", "'/q:name' is text, not a number"),
        (
            "/q:samples[50..101]",
            "/q has no field 'samples[50..101]'; there are 100 elements: [0..100] are all",
        ),
        ("/q:head[*]", "/q has no field 'head[*]'; elements are those of an array"),
        ("/q:sample[*]", "/q has no field 'sample[*]'; did you mean samples?"),
        ("/q:ring[*].xx", "/q has no field 'ring[*].xx'; did you mean x?"),
        ("/q:ring[*].p", "'/q:ring[*].p' is a record, not a number; name one of its fields: y, z"),
        ("/q:ring[*].m", "'/q:ring[*].m' is an array, not a number; name an element, as in /q:ring[*].m[0]"),
        ("/q:nested[*].v[*]", "/q has no field 'nested[*].v[*]'; name one element, as in v[0]"),
        ("/q:samples,seq=head", "invalid sequence lock 'head': an array is read as a whole"),
        ("/q+4000:f64[100]", "'/q+4000:f64[100]' is past the end of /q, which has 4096 (0x1000) bytes"),
        ("/q+8:f65[3]", "invalid channel '/q+8:f65[3]': "),
        ("/no:samples", "no segment named '/no'"),
    ] {
        let error = found(text).map(|found| found.signal).unwrap_err().to_string();
        assert!(error.starts_with(message), "{text}: {error}");
    }
}

#[test]
fn array_around_a_number_is_found() {
    let placed = PlacedType { ty: parse_type(RING, &|_| Err(String::new())).unwrap().ty, offset: Some(16) };
    let segment = example::posix_named(b"q");
    for (field, name) in [
        ("samples[3]", Some("/q:samples")),
        ("samples", Some("/q:samples")),
        ("ring[2].x", Some("/q:ring[*].x")),
        ("ring[2].p.z", Some("/q:ring[*].p.z")),
        // The smallest array of numbers is inside of a record.
        ("ring[2].m[1][2]", Some("/q:ring[2].m")),
        ("ring[2].b", Some("/q:ring[*].b")),
        ("head", None),
        ("name", None),
        ("ring", None),
        ("ring[2].p", None),
    ] {
        let path = placed.ty.parse_path(field).unwrap();
        let found = array_around(&segment, &placed, &path);
        assert_eq!(found.as_ref().map(|found| found.name.as_str()), name, "{field}");
        if let Some(found) = found {
            assert_eq!(waveform(&found.name).array.elements, found.array.elements, "{field}");
        }
    }
}

#[test]
fn several_elements_are_no_channel() {
    let segments = [example::posix_named(b"q")];
    let type_of = |_: &Segment| Ok(Some(PlacedType { ty: Type::from_name("f64[8]").unwrap(), offset: None }));
    let lookup = Lookup { segments: &segments, type_of: &type_of, parse_type: &written_type };
    let error = |text: &str| resolve(text, &lookup).map(|found| found.channel).unwrap_err().to_string();
    assert_eq!(error("/q:[2..4]"), "/q has no field '[2..4]'; name one element, as in [0]");
    assert_eq!(error("/q:[*]"), "/q has no field '[*]'; name one element, as in [0]");
    assert_eq!(error("/q:"), "'/q:' is an array, not a number; name an element, as in /q:[0]");
}
