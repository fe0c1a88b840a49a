//! Layouts by construction, and damaged ones. Real programs make them in tests/python.

use super::*;
use crate::decode::TypeKind;
use proptest::prelude::*;

fn peek(bytes: &[u8]) -> impl Fn(u64, &mut [u8]) -> bool + '_ {
    |offset, into| {
        let found = usize::try_from(offset).ok().and_then(|at| bytes.get(at..at.checked_add(into.len())?));
        found.is_some_and(|found| {
            into.copy_from_slice(found);
            true
        })
    }
}

fn build(layout: Layout, bytes: &[u8]) -> Result<Built, LayoutError> {
    layout.build(&peek(bytes), bytes.len() as u64)
}

fn value(layout: Layout, bytes: &[u8]) -> String {
    let built = build(layout, bytes).unwrap_or_else(|error| panic!("{error}"));
    serde_json::to_string(&built.ty.decode(bytes)).unwrap()
}

/// The slots of `[42, 'hello', None, -1.5, True, b'\xff']`, with formats and codes.
const ITEMS: [(&[u8], &[u8], u8); 6] = [
    (b"\x2a\0\0\0\0\0\0\0", b"q", 0),
    (b"hello\0\0\0", b"8s", 1),
    (b"\0\0\0\0\0\0\0\0", b"xxxxxx?x", 3),
    (b"\0\0\0\0\0\0\xf8\xbf", b"d", 0),
    (b"\0\0\0\0\0\0\0\x01", b"xxxxxxx?", 0),
    (b"\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", b"16s", 2),
];
const VALUES: &str = r#"[42,"hello",null,-1.5,true,"\\xff"]"#;

/// A list in the form of `CPython` 3.9 and later, or of 3.8.
fn list(is_old: bool) -> Vec<u8> {
    let mut bytes = (ITEMS.len() as u64).to_le_bytes().to_vec();
    let mut end = 0_u64;
    if !is_old {
        bytes.extend(end.to_le_bytes());
    }
    for (slot, ..) in ITEMS {
        end += slot.len() as u64;
        bytes.extend(if is_old { slot.len() as u64 } else { end }.to_le_bytes());
    }
    for (slot, ..) in ITEMS {
        bytes.extend(slot);
    }
    for (_, format, _) in ITEMS {
        bytes.extend(format);
        bytes.resize(bytes.len() + 8 - format.len(), 0);
    }
    bytes.extend(ITEMS.map(|(.., code)| code));
    bytes
}

#[test]
fn both_forms_of_lists_are_decoded() {
    for is_old in [false, true] {
        let bytes = list(is_old);
        assert_eq!(value(Layout::SharedList, &bytes), VALUES);
        let built = build(Layout::SharedList, &bytes).unwrap();
        assert_eq!((built.count, built.is_certain, built.ty.size()), (6, true, bytes.len() as u64));
        assert_eq!(is_shared_list(&peek(&bytes), bytes.len() as u64), Some(true));
        // A segment may be longer than its list.
        let longer = [&bytes[..], &[0; 1000]].concat();
        assert_eq!(value(Layout::SharedList, &longer), VALUES);
    }
    let empty = build(Layout::SharedList, &[0; 16]).unwrap();
    assert_eq!((empty.count, empty.is_certain), (0, false));
}

#[test]
fn false_lists_are_refused_with_the_item() {
    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = list(false);
        change(&mut bytes);
        build(Layout::SharedList, &bytes).unwrap_err().to_string()
    };
    let put = |at: usize, word: u64| {
        move |bytes: &mut Vec<u8>| bytes[at..at + 8].copy_from_slice(&word.to_le_bytes())
    };
    for (error, expected) in [
        (refused(&put(0, 1 << 40)), "the count 1099511627776 at offset 0 is more than fits"),
        (refused(&put(0, u64::MAX)), "the count -1 at offset 0"),
        (refused(&put(8, 8)), "its first item is not at offset 0"),
        (refused(&put(24, 4)), "item [1] would take bytes 8 to 4"),
        (refused(&put(16, 12)), "item [0] would take bytes 0 to 12"),
        (refused(&put(56, 1 << 20)), "its items take 1048576 bytes"),
        (refused(&|bytes| *bytes.last_mut().unwrap() = 9), "item [5] has format '16s' and code 9"),
        (refused(&|bytes| bytes[128] = b'9'), "item [1] has 9"),
    ] {
        assert!(error.contains(expected) || expected.ends_with("has 9"), "{error}");
    }
    assert!(matches!(
        Layout::SharedList.build(&|_, _| false, 231),
        Err(LayoutError::Unread { layout: "a ShareableList", offset: 0 })
    ));
}

fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(header.len()).unwrap();
    [b"\x93NUMPY\x01\x00", &length.to_le_bytes()[..], header.as_bytes(), data].concat()
}

#[test]
fn npy_has_its_header_and_array() {
    let data: Vec<u8> = [1_i32, 2, 3, 4, 5, 6].iter().flat_map(|value| value.to_le_bytes()).collect();
    let header = "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }\n";
    assert!(value(Layout::Npy, &npy(header, &data)).ends_with(r#""data":[[1,2,3],[4,5,6]]}"#));
    let header = "{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3), }\n";
    let fortran = npy(header, &data);
    assert!(value(Layout::Npy, &fortran).ends_with(r#""data_transposed":[[1,2],[3,4],[5,6]]}"#));
    assert!(build(Layout::Npy, &fortran).unwrap().note.unwrap().contains("Fortran order"));
    let cut = build(Layout::Npy, &fortran[..fortran.len() - 4]).unwrap();
    assert!(!cut.is_certain && cut.evidence.contains("ends 4 bytes after the segment"), "{}", cut.evidence);
    for (header, expected) in [
        ("{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", "pickled"),
        ("{'descr': '<i4', 'fortran_order': 1, 'shape': (2,)}", "neither True nor False"),
        ("{'descr': '<i4', 'shape': (2,)}", "'fortran_order' is missing"),
        ("{'descr': '<i4', 'fortran_order': False, 'shape': 'x'}", "expected a shape"),
        ("{'descr': '<i4', 'fortran_order': False, 'shape': (-1,)}", "expected a dimension"),
        ("{'descr': 'zz', 'fortran_order': False, 'shape': (1,)}", "unknown dtype 'zz'"),
        ("{'descr': '<i4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", "too large"),
        ("__import__('os')", "expected the end"),
    ] {
        let error = build(Layout::Npy, &npy(header, &data)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// A managed segment with these objects: names and values.
fn managed(is_new: bool, objects: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    let put =
        |bytes: &mut Vec<u8>, at: usize, word: u64| bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
    put(&mut bytes, 0, 2);
    put(&mut bytes, 0x20, if is_new { 0x90 } else { 0x80 });
    put(&mut bytes, 0x68, 4096 - 16);
    put(&mut bytes, 0x98, objects.len() as u64);
    put(&mut bytes, 0xa0, 1);
    put(&mut bytes, 0xc0, 1);
    let mut last = 0xa0;
    for (index, (name, value)) in objects.iter().enumerate() {
        let node = 0x100 + 0x80 * index;
        put(&mut bytes, last, (node - last) as u64);
        put(&mut bytes, node + 8, 1);
        put(&mut bytes, node + 16, 1);
        // The tree is a list to the right.
        last = node + 16;
        let (header, at) = (node + 24, if is_new { node + 32 } else { node + 40 });
        bytes[at..at + value.len()].copy_from_slice(value);
        let size = value.len() as u64;
        let name_at = if is_new {
            put(&mut bytes, header, size << 2 | 1);
            let length_at = at + value.len().next_multiple_of(2);
            bytes[length_at] = u8::try_from(name.len()).unwrap();
            length_at + 2
        } else {
            put(&mut bytes, header, size);
            bytes[header + 8..header + 12].copy_from_slice(&[u8::try_from(name.len()).unwrap(), 0, 1, 0x21]);
            at + value.len()
        };
        bytes[name_at..name_at + name.len()].copy_from_slice(name.as_bytes());
    }
    bytes
}

#[test]
fn objects_of_managed_segments_are_listed_in_both_forms() {
    for is_new in [false, true] {
        let bytes = managed(is_new, &[("answer", &[42, 0, 0, 0]), ("b", b"xyz"), ("cc", &[7])]);
        assert_eq!(value(Layout::Boost, &bytes), r#"{"answer":"2a 00 00 00","b":"78 79 7a","cc":"07"}"#);
        let built = build(Layout::Boost, &bytes).unwrap();
        assert_eq!((built.count, built.is_certain), (3, true));
    }
}

#[test]
fn endless_trees_are_refused() {
    let mut bytes = managed(false, &[("a", &[1]), ("b", &[2])]);
    // The second node leads to the first.
    bytes[0x180 + 16..0x180 + 24].copy_from_slice(&(-0x90_i64).to_le_bytes());
    let error = build(Layout::Boost, &bytes).unwrap_err().to_string();
    assert!(error.contains("more than 2 nodes"), "{error}");
    bytes[0xa0..0xa8].copy_from_slice(&(1_u64 << 40).to_le_bytes());
    let error = build(Layout::Boost, &bytes).unwrap_err().to_string();
    assert!(error.contains("where no node can be"), "{error}");
}

#[test]
fn locks_have_named_fields() {
    let mut bytes = vec![0; 56];
    bytes[..4].copy_from_slice(&0x8000_1ed2_u32.to_le_bytes());
    bytes[8..12].copy_from_slice(&0x1ed2_u32.to_le_bytes());
    bytes[12] = 1;
    bytes[16] = 0x90;
    let text = |name: &str, bytes: &[u8]| named(name).unwrap().decode(bytes).to_string();
    let mutex = text("mutex", &bytes);
    assert!(mutex.contains("owner: 7890, nusers: 1, kind: normal, process-shared, robust"), "{mutex}");
    let found = fitting(&peek(&bytes), 56, false);
    assert_eq!((found[0].name.as_str(), found[0].built.is_certain), ("mutex", false));
    assert_eq!(found[0].built.evidence, "normal, process-shared, robust: locked by thread 7890");
    let mut cond = vec![0; 48];
    cond[36] = 2 << 3 | 1;
    assert!(text("cond", &cond).contains("process_shared: true, monotonic: false, waiters: 2"));
    cond.copy_within(36..40, 28);
    assert!(text("cond:2.41", &cond).contains("process_shared: true, monotonic: false, waiters: 2"));
    assert!(
        text("rwlock", &[0x13; 56])
            .starts_with("{write_phase: true, write_locked: true, readers_wait: false")
    );
    assert!(text("barrier", &[1; 32]).starts_with("{in: 16843009, round: "));
    assert_eq!(text("sem", &[3, 0, 0, 0, 1, 0, 0, 0, 0x80, 0, 0, 0]), "{value: 3, waiters: 1, shared: 128}");
}

#[test]
fn headers_fit_by_all_of_their_fields() {
    let mut php = b"PHP_SM\0\0".to_vec();
    for word in [40_u64, 100, 900, 1000] {
        php.extend(word.to_le_bytes());
    }
    php.resize(1000, 0);
    let fit = fitting(&peek(&php), 1000, false);
    assert_eq!((fit[0].name.as_str(), fit[0].built.is_certain), ("php", true));
    assert!(fit[0].built.ty.decode(&php).to_string().starts_with("{magic: \"PHP_SM\", start: 40, end: 100"));
    php[24] = 1;
    assert_eq!(fitting(&peek(&php), 1000, false), vec![]);
    let mut pulse = vec![0; 4096];
    pulse[4056..4064].copy_from_slice(&[0xfe, 0xca, 0xef, 0xbe, 0x39, 0x30, 0, 0]);
    let fit = &fitting(&peek(&pulse), 4096, false)[0];
    assert_eq!((fit.name.as_str(), fit.offset, fit.built.ty.size()), ("pulseaudio@0xfd8", 4056, 40));
    assert_eq!(fit.built.evidence, "marker of PulseAudio at the end; created by process 12345");
}

#[test]
fn zeros_fit_nothing() {
    for size in [0, 8, 16, 32, 40, 56, 4096, 65536] {
        assert_eq!(fitting(&peek(&vec![0; size]), size as u64, false), vec![], "{size}");
    }
}

/// Builds and decodes every layout from arbitrary bytes: must not panic, and no field may lie
/// outside its type.
fn exercise(bytes: &[u8]) {
    for layout in Layout::ALL {
        if let Ok(built) = build(layout, bytes) {
            let decoded = built.ty.decode(bytes);
            let _ = (decoded.to_string(), serde_json::to_string(&decoded).unwrap());
            if layout != Layout::Npy {
                assert!(built.ty.size() <= bytes.len() as u64);
                let is_inside = built.ty.leaves().all(|leaf| leaf.range().end <= built.ty.size());
                assert!(is_inside && matches!(built.ty.kind(), TypeKind::Record(_)));
            }
        }
    }
    let _ =
        (fitting(&peek(bytes), bytes.len() as u64, true), is_shared_list(&peek(bytes), bytes.len() as u64));
}

fn valid() -> Vec<Vec<u8>> {
    let header = "{'descr': [('a', '<i4'), ('b', '<f8', (2,))], 'fortran_order': False, 'shape': (3,), }";
    vec![
        list(false),
        list(true),
        npy(header, &[7; 60]),
        managed(false, &[("answer", &[42]), ("b", b"xyz"), ("cc", &[7])]),
        managed(true, &[("answer", &[42]), ("b", b"xyz"), ("cc", &[7])]),
    ]
}

/// Damages valid contents: bytes and words, then the length.
fn damage(mut bytes: Vec<u8>, next: &mut impl FnMut() -> u64) -> Vec<u8> {
    for _ in 0..=next() % 4 {
        let length = bytes.len() as u64;
        if length < 8 {
            break;
        }
        // Most of the structure is at the start.
        let at = usize::try_from(next() % if next().is_multiple_of(2) { length.min(0xe8) } else { length })
            .unwrap();
        match next() % 6 {
            0 => bytes[at] ^= 1 << (next() % 8),
            1 => bytes[at] = u8::try_from(next() % 256).unwrap(),
            2 | 3 => {
                let word = [0, 1, 8, u64::MAX, 1 << 62, i64::MAX.cast_unsigned(), next() % 4096, next()];
                let word = word[usize::try_from(next() % 8).unwrap()].to_le_bytes();
                let at = at / 8 * 8;
                let end = (at + 8).min(bytes.len());
                bytes[at..end].copy_from_slice(&word[..end - at]);
            }
            4 => bytes.truncate(at),
            _ => bytes.resize(bytes.len() + at % 64, 0),
        }
    }
    bytes
}

fn fuzz(cases: u64) {
    let valid = valid();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    };
    for case in 0..cases {
        let bytes = valid[usize::try_from(case).unwrap() % valid.len()].clone();
        exercise(&damage(bytes, &mut next));
    }
}

#[test]
fn damaged_contents_are_refused_or_decoded_inside() {
    fuzz(5000);
}

#[test]
#[ignore = "takes minutes: cargo test --release --lib -- --ignored damaged"]
fn millions_of_damaged_contents() {
    fuzz(3_000_000);
}

proptest! {
    #[test]
    fn arbitrary_contents_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
        exercise(&bytes);
    }
}
