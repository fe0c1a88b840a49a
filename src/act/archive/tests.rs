//! Tests of the file format: round trips, damage and invalid values.

use super::*;
use crate::memory::PageBuffer;
use crate::segment::{Bytes, Key, Mode, ObjectName, Owner, ShmId, Times, Timestamp};
use proptest::prelude::*;

type Runs = Vec<(u64, Vec<u8>)>;

fn archive(saved: &SavedSegment, runs: &Runs) -> Vec<u8> {
    let (mut writing, mut file) = ArchiveWriter::begin(saved).unwrap();
    for (offset, bytes) in runs {
        let mut run = [&[0; RUN_HEADER], &bytes[..]].concat();
        writing.run(*offset, &mut run);
        file.extend(run);
    }
    assert_eq!(writing.length(), file.len() as u64);
    file.extend(writing.end());
    file
}

fn read(file: &[u8]) -> Result<(SavedSegment, Runs), ArchiveError> {
    let mut reading = ArchiveReader::begin(file)?;
    let mut runs = vec![];
    let mut buffer = PageBuffer::default();
    while let Some((offset, bytes)) = reading.next(&mut buffer)? {
        runs.push((offset, bytes.to_vec()));
    }
    Ok((reading.saved().clone(), runs))
}

/// Returns an ACL whose mode is `mode`. With `masked`, it has a named user and a mask.
fn acl(mode: u32, masked: bool) -> Vec<u8> {
    let bits = |place: u32| u16::try_from(mode >> place & 7).unwrap();
    let mut entries = vec![(1u16, bits(6), u32::MAX), (4, bits(3), u32::MAX), (32, bits(0), u32::MAX)];
    if masked {
        entries.splice(1..2, [(2, 6, 1001), (4, 7, u32::MAX), (16, bits(3), u32::MAX)]);
    }
    let entries = entries.into_iter().flat_map(|(tag, bits, id)| {
        [&tag.to_le_bytes()[..], &bits.to_le_bytes(), &id.to_le_bytes()].concat()
    });
    2u32.to_le_bytes().into_iter().chain(entries).collect()
}

#[test]
fn acl_that_contradicts_the_mode_is_refused() {
    let open = SavedSegment { mode: Mode::new(0o600), acl: Some(acl(0o777, true)), ..example() };
    let error = read(&archive(&open, &vec![])).unwrap_err().to_string();
    assert!(error.contains("the ACL contradicts the mode"), "{error}");
    for acl in [vec![], vec![2, 0, 0, 0], vec![2, 0, 0, 0, 255], acl(0o640, true)[..20].to_vec()] {
        let contradictory = SavedSegment { acl: Some(acl), ..example() };
        assert!(read(&archive(&contradictory, &vec![])).is_err());
    }
    let name = Name::Sysv { key: Key(7), shmid: ShmId(1) };
    assert!(read(&archive(&SavedSegment { name, ..example() }, &vec![])).is_err());
    read(&archive(&example(), &vec![])).unwrap();
}

fn example() -> SavedSegment {
    SavedSegment {
        name: Name::Posix(ObjectName::new(b"a\xff\n").unwrap()),
        size: Bytes(100),
        mode: Mode::new(0o640),
        owner: Owner { uid: 1000, user: Some("ann".into()), gid: 7, group: None },
        times: Times { modify: Some(Timestamp { seconds: -5, nanos: 7 }), ..Times::default() },
        acl: Some(acl(0o640, true)),
        saved: Timestamp::from_seconds(1_767_610_860),
    }
}

fn saved() -> impl Strategy<Value = SavedSegment> {
    let posix = proptest::collection::vec(any::<u8>(), 1..300)
        .prop_filter_map("no name", |bytes| ObjectName::new(&bytes).map(Name::Posix));
    let sysv =
        (any::<u32>(), 0..i32::MAX).prop_map(|(key, id)| Name::Sysv { key: Key(key), shmid: ShmId(id) });
    let time = proptest::option::of(
        (any::<i64>(), 0u32..1_000_000_000).prop_map(|(seconds, nanos)| Timestamp { seconds, nanos }),
    );
    let times = (time.clone(), time.clone(), time).prop_map(|(attach, modify, birth)| Times {
        attach,
        modify,
        birth,
        ..Times::default()
    });
    let owner = (0..u32::MAX, proptest::option::of(".*"), 0..u32::MAX).prop_map(|(uid, user, gid)| Owner {
        uid,
        user: user.map(Into::into),
        gid,
        group: None,
    });
    let with_acl = proptest::option::of(any::<bool>());
    (prop_oneof![posix, sysv], 1..=u64::MAX / 2, 0u32..0o10000, owner, times, with_acl).prop_map(
        |(name, size, mode, owner, times, masked)| SavedSegment {
            acl: masked.filter(|_| matches!(name, Name::Posix(_))).map(|masked| acl(mode, masked)),
            name,
            size: Bytes(size),
            mode: Mode::new(mode),
            owner,
            times,
            ..example()
        },
    )
}

proptest! {
    #[test]
    fn archives_round_trip(
        saved in saved(),
        parts in proptest::collection::vec((any::<u16>(), proptest::collection::vec(any::<u8>(), 1..50)), 0..8),
    ) {
        let mut runs: Runs = vec![];
        let mut at = 0;
        for (gap, bytes) in parts {
            at += u64::from(gap);
            let length = bytes.len() as u64;
            if at + length > saved.size.0 {
                break;
            }
            runs.push((at, bytes));
            at += length;
        }
        let (again, runs_again) = read(&archive(&saved, &runs)).unwrap();
        prop_assert_eq!(again, saved);
        prop_assert_eq!(runs_again, runs);
    }

    #[test]
    fn invalid_archives_do_not_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        whole in any::<bool>(),
        version in prop_oneof![Just(1u32), any::<u32>()],
    ) {
        prop_assert!(read(&bytes).is_err());
        let mut file = MAGIC.to_vec();
        if whole {
            file.extend(version.to_le_bytes());
        }
        file.extend(bytes);
        prop_assert!(read(&file).is_err());
    }
}

#[test]
fn truncation_and_flipped_bits_are_detected() {
    let file = archive(&example(), &vec![(3, b"hello".to_vec()), (50, b"world".to_vec())]);
    assert!(read(&file).is_ok());
    let runs = 2 * (16 + 5) + END_MARKER;
    for length in 0..file.len() {
        let error = read(&file[..length]).unwrap_err();
        let truncated = matches!(error, ArchiveError::CutOff);
        assert!(truncated || (length == 0 && matches!(error, ArchiveError::Foreign)), "{length}: {error}");
    }
    for offset in 0..file.len() {
        for bit in 0..8 {
            let mut damaged = file.clone();
            damaged[offset] ^= 1 << bit;
            assert!(read(&damaged).is_err(), "bit {bit} of byte {offset}");
            // The metadata is verified before the runs are read.
            let is_after_metadata = offset >= file.len() - runs;
            assert!(
                is_after_metadata || ArchiveReader::begin(&damaged[..]).is_err(),
                "bit {bit} of byte {offset}"
            );
        }
    }
    let longer = [&file[..], b"x"].concat();
    assert!(matches!(read(&longer), Err(ArchiveError::Damaged(_))));
}

#[test]
fn invalid_values_are_refused_despite_a_valid_checksum() {
    // Invalid runs (past the end, overlapping) and metadata that no segment can have.
    let small = SavedSegment { size: Bytes(10), ..example() };
    for runs in [vec![(8, b"hello".to_vec())], vec![(4, b"ab".to_vec()), (5, b"c".to_vec())]] {
        assert!(matches!(read(&archive(&small, &runs)), Err(ArchiveError::Damaged(_))));
    }
    let mut nobody = example();
    nobody.owner.uid = u32::MAX;
    let endless = SavedSegment { size: Bytes(u64::MAX), ..example() };
    for saved in [nobody, endless] {
        assert!(matches!(read(&archive(&saved, &vec![])), Err(ArchiveError::Damaged(_))));
    }
    let json = String::from_utf8(example().to_json().unwrap()).unwrap();
    let invalid = json.replace("\"mode\":416", "\"mode\":65536");
    assert!(
        SavedSegment::from_json(json.as_bytes()).is_ok()
            && SavedSegment::from_json(invalid.as_bytes()).is_err()
    );
    // Memory for a run is bounded, even if the file declares a longer one.
    let large = SavedSegment { size: Bytes(4 << 20), ..example() };
    let mut file = archive(&large, &vec![]);
    file.truncate(file.len() - END_MARKER);
    let length = MAX_RUN as u64 + 1;
    file.extend([0, length].map(u64::to_le_bytes).concat());
    file.resize(file.len() + MAX_RUN + 1, 7);
    file.extend([large.size.0, 0].map(u64::to_le_bytes).concat());
    let sum = xxhash_rust::xxh3::xxh3_128(&file);
    file.extend(sum.to_le_bytes());
    assert!(matches!(read(&file), Err(ArchiveError::Damaged(_))));
    assert!(matches!(read(b"#!/bin/sh\necho hello, this is a script\n"), Err(ArchiveError::Foreign)));
    assert!(matches!(read(b""), Err(ArchiveError::Foreign | ArchiveError::CutOff)));
}
