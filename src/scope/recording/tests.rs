//! Recordings that are written and read back.

use super::{Epoch, Recording, RecordingError, RecordingOptions, Replay, ReplayError, open};
use crate::act::SaveError;
use crate::decode::parse_type;
use crate::identify::source::CodePlace;
use crate::machine::process::ProcessId;
use crate::scope::NumberKind::{self, Float, Signed, Single, Unsigned};
use crate::scope::writers::{self, ThreadId};
use crate::scope::{Batch, Channel, Column, Grade, Number, SampledValue, Source};
use crate::segment::{Bytes, example};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const EPOCH: Epoch = Epoch { monotonic: 5_000_000_000, realtime: 1_700_000_000_123_456_789 };
const SUFFIXES: [&str; 3] = ["mcap", "csv", "npz"];

fn channel(name: &str, kind: NumberKind) -> Channel {
    Channel { name: name.to_owned(), kind, source: Source::Expression(String::new()) }
}

fn channels() -> Vec<Channel> {
    vec![
        channel("tick", Unsigned),
        channel("gain[1][2], \"x\"", Signed),
        channel("/telemetry+0x10:f64", Float),
    ]
}

/// A row: the time since the first one, and the samples.
type Row = (u64, Vec<Option<u64>>);

fn batch(rows: &[Row]) -> Batch {
    let mut batch = Batch::default();
    batch.columns.resize_with(rows.first().map_or(0, |row| row.1.len()), Column::default);
    for (time, samples) in rows {
        batch.times.push(EPOCH.monotonic + 1000 + time);
        for (column, sample) in batch.columns.iter_mut().zip(samples) {
            column.push(sample.unwrap_or(77), sample.map_or(Grade::Missing, |_| Grade::Stable));
        }
    }
    batch
}

fn options(path: &Path) -> RecordingOptions {
    RecordingOptions { path: path.to_owned(), replace: false, max_size: None, writers: false }
}

/// Records rows in batches of this many.
fn record(path: &Path, channels: &[Channel], rows: &[Row], per_batch: usize) {
    let mut recording = Recording::create(options(path), channels, EPOCH).unwrap();
    for rows in rows.chunks(per_batch) {
        recording.write(&batch(rows)).unwrap();
    }
    let summary = recording.finish().unwrap();
    assert_eq!(summary.files, [path]);
    let samples = rows.iter().filter(|row| row.1.iter().any(Option::is_some)).count();
    assert_eq!(summary.samples, samples as u64);
}

fn read(replay: &mut Replay) -> Vec<Row> {
    let mut rows = vec![];
    while let Some(batch) = replay.next_batch().unwrap() {
        for (index, &time) in batch.times.iter().enumerate() {
            let sample =
                |column: &Column| (column.grades[index] != Grade::Missing).then(|| column.bits[index]);
            rows.push((time, batch.columns.iter().map(sample).collect()));
        }
        assert_eq!(batch.timing.ticks, rows.len() as u64);
    }
    rows
}

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The samples of a tick: of an unsigned, a signed and a float channel.
fn samples() -> impl Strategy<Value = Vec<Option<u64>>> {
    let float = prop_oneof![any::<f64>(), Just(f64::INFINITY), Just(-0.0), Just(5.0)];
    let float = float.prop_filter("NaN has its own test", |float| !float.is_nan());
    let integer = prop_oneof![any::<u64>(), 0_u64..100];
    (
        prop::option::weighted(0.9, integer.clone()),
        prop::option::weighted(0.9, integer),
        prop::option::of(float),
    )
        .prop_map(|(a, b, c)| vec![a, b, c.map(f64::to_bits)])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn recordings_are_read_back(
        ticks in prop::collection::vec((1_u64..3_000_000, samples()), 1..200),
        per_batch in 1_usize..50,
    ) {
        let directory = directory();
        let mut time = 0;
        let mut rows: Vec<Row> = vec![];
        for (step, mut samples) in ticks {
            // The first entry of MCAP is that of the first message. Entries without samples have no time
            // there.
            if samples.iter().all(Option::is_none) {
                samples[0] = Some(1);
            }
            rows.push((time, samples));
            time += step;
        }
        for suffix in SUFFIXES {
            let path = directory.path().join("run").with_extension(suffix);
            record(&path, &channels(), &rows, per_batch);
            let mut replay = open(&path).unwrap();
            let names: Vec<&str> = replay.tracks().iter().map(|track| track.name.as_str()).collect();
            prop_assert_eq!(names, ["tick", "gain[1][2], \"x\"", "/telemetry+0x10:f64"]);
            prop_assert_eq!(replay.start(), (suffix != "csv").then_some(EPOCH.realtime + 1000));
            let kinds: Vec<NumberKind> = replay.tracks().iter().map(|track| track.kind).collect();
            let found = read(&mut replay);
            prop_assert!(!replay.is_cut_off());
            prop_assert_eq!(found.len(), rows.len());
            for (found, row) in found.iter().zip(&rows) {
                // `time` of NPZ is a float.
                prop_assert!(found.0.abs_diff(row.0) <= u64::from(suffix == "npz"), "{} {}", found.0, row.0);
                for (index, (found, sample)) in found.1.iter().zip(&row.1).enumerate() {
                    let number = |bits: u64| channels()[index].kind.number(bits);
                    let same = match (found, sample) {
                        (None, None) => true,
                        // CSV does not tell the kinds, and integers with gaps are floats in NPZ.
                        (Some(found), Some(sample)) => {
                            let is_own_kind = kinds[index] == channels()[index].kind;
                            if is_own_kind {
                                found == sample
                            } else {
                                let found = kinds[index].number(*found);
                                found.as_f64().to_bits() == number(*sample).as_f64().to_bits()
                            }
                        }
                        _ => false,
                    };
                    prop_assert!(same, "{suffix} {index}: {found:?} {sample:?}");
                }
            }
        }
    }
}

#[test]
fn integers_of_64_bits_are_exact_even_with_gaps() {
    let directory = directory();
    let big = u64::MAX - 1;
    let signed = i64::MIN + 1;
    let rows = vec![
        (0, vec![Some(big), Some(signed.cast_unsigned()), Some(1.5_f64.to_bits())]),
        (10, vec![None, None, None]),
        (20, vec![Some(0), Some(0), None]),
        (30, vec![Some(1), Some(2), Some((-2.0_f64).to_bits())]),
    ];
    for suffix in SUFFIXES {
        let path = directory.path().join("run").with_extension(suffix);
        record(&path, &channels(), &rows, 2);
        let mut replay = open(&path).unwrap();
        let kinds: Vec<NumberKind> = replay.tracks().iter().map(|track| track.kind).collect();
        assert_eq!(kinds, [Unsigned, Signed, Float], "{suffix}");
        // A gap in all channels has its time in MCAP from its neighbors.
        assert_eq!(read(&mut replay), rows, "{suffix}");
    }
}

#[test]
fn floats_have_the_text_and_the_size_of_a_float() {
    let directory = directory();
    let sample = |value: f32| Some(Number::Single(value).bits());
    let rows = [(0, vec![sample(0.1)]), (1, vec![None]), (2, vec![sample(f32::MAX)])];
    for (suffix, text) in [("csv", ",0.1\n"), ("mcap", r#"{"value":0.1}"#), ("npz", "'descr': '<f4'")] {
        let path = directory.path().join("run").with_extension(suffix);
        record(&path, &[channel("x", Single)], &rows, 10);
        if suffix != "mcap" {
            let contents = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            assert!(contents.contains(text), "{contents}");
        }
        let mut replay = open(&path).unwrap();
        let kind = replay.tracks()[0].kind;
        let samples = read(&mut replay).into_iter().filter_map(|(_, row)| row[0]);
        let texts: Vec<String> = samples.map(|bits| kind.number(bits).to_string()).collect();
        assert_eq!(texts, ["0.1", "3.4028235e38"], "{suffix}");
    }
}

#[test]
fn enumerators_are_named_in_messages() {
    let directory = directory();
    let path = directory.path().join("run.mcap");
    let text = "enum Mode : int { Idle, Running = 4, Broken = -1 }";
    let value = SampledValue {
        segment: Box::new(example::posix_named(b"motor")),
        offset: 0,
        ty: parse_type(text, &|_| Err(String::new())).unwrap().ty,
        bits: None,
        sequence: None,
    };
    let mode = Channel { name: "mode".to_owned(), kind: Signed, source: Source::Value(value) };
    let rows: Vec<Row> = [4, -1, 3]
        .into_iter()
        .zip(0..)
        .map(|(mode, at)| (at, vec![Some(i64::cast_unsigned(mode))]))
        .collect();
    record(&path, &[mode], &rows, 10);
    let contents = fs::read(&path).unwrap();
    let messages = ::mcap::MessageStream::new(&contents).unwrap();
    let texts: Vec<String> =
        messages.map(|message| String::from_utf8(message.unwrap().data.into_owned()).unwrap()).collect();
    let named = [r#"{"value":4,"name":"Running"}"#, r#"{"value":-1,"name":"Broken"}"#, r#"{"value":3}"#];
    assert_eq!(texts, named);
    assert_eq!(read(&mut open(&path).unwrap()), rows);
}

#[test]
fn nan_is_a_sample_where_the_format_can_tell() {
    let directory = directory();
    let channels = [channel("v", Float), channel("n", Unsigned)];
    let rows = vec![(0, vec![Some(f64::NAN.to_bits()), Some(1)]), (5, vec![None, Some(2)])];
    for suffix in SUFFIXES {
        let path = directory.path().join("run").with_extension(suffix);
        record(&path, &channels, &rows, 2);
        let found = read(&mut open(&path).unwrap());
        let is_nan = found[0].1[0].is_some_and(|bits| f64::from_bits(bits).is_nan());
        assert_eq!(
            (is_nan, found[0].1[0].is_none(), found[1].1[0]),
            (suffix != "npz", suffix == "npz", None)
        );
    }
}

/// Enough rows for several blocks of NPZ and chunks of MCAP.
fn many_rows(count: u64) -> Vec<Row> {
    let row = |index: u64| {
        let float = Number::Unsigned(index).as_f64().sqrt().to_bits();
        (index * 100_000, vec![Some(index), (!index.is_multiple_of(1000)).then_some(index), Some(float)])
    };
    (0..count).map(row).collect()
}

#[test]
fn long_recordings_are_read_back() {
    let directory = directory();
    let rows = many_rows(20_000);
    for suffix in SUFFIXES {
        let path = directory.path().join("run").with_extension(suffix);
        record(&path, &channels(), &rows, 1000);
        let mut replay = open(&path).unwrap();
        let float = replay.tracks()[1].kind == Float;
        let found = read(&mut replay);
        assert_eq!(found.len(), rows.len());
        for (found, row) in found.iter().zip(&rows) {
            assert!(found.0.abs_diff(row.0) <= 1);
            assert_eq!((found.1[0], found.1[2]), (row.1[0], row.1[2]));
            let second =
                row.1[1].map(|bits| if float { Number::Unsigned(bits).as_f64().to_bits() } else { bits });
            assert_eq!(found.1[1], second);
        }
    }
}

#[test]
fn a_long_recording_continues_in_the_next_file() {
    let rows = many_rows(8000);
    for suffix in SUFFIXES {
        let directory = directory();
        let path = directory.path().join("run").with_extension(suffix);
        let other = directory.path().join("run-3").with_extension(suffix);
        fs::write(&other, "of an earlier recording").unwrap();
        let max_size = Some(Bytes(100_000));
        let options = RecordingOptions { max_size, ..options(&path) };
        let mut recording = Recording::create(options.clone(), &channels(), EPOCH).unwrap();
        for rows in rows.chunks(777) {
            recording.write(&batch(rows)).unwrap();
        }
        let summary = recording.finish().unwrap();
        assert_eq!(summary.samples, 8000);
        let names: Vec<PathBuf> = ["run", "run-2", "run-4"]
            .iter()
            .map(|name| directory.path().join(name).with_extension(suffix))
            .collect();
        assert_eq!(summary.files[..3], names, "{suffix}");
        assert_eq!(fs::read(&other).unwrap(), b"of an earlier recording");
        let mut found = vec![];
        for file in &summary.files {
            let length = fs::metadata(file).unwrap().len();
            assert!(length <= 100_000, "{}: {length}", file.display());
            found.extend(read(&mut open(file).unwrap()).into_iter().map(|row| row.1[0]));
        }
        assert_eq!(found, rows.iter().map(|row| row.1[0]).collect::<Vec<_>>());
        // The second file of another recording is not replaced either.
        fs::remove_file(&path).unwrap();
        let error = Recording::create(options, &channels(), EPOCH).err().unwrap().to_string();
        assert!(error.contains("run-2") && error.contains("already exists"), "{error}");
        assert!(!path.exists());
    }
}

#[test]
fn bad_destinations_are_refused() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    let create = |path: &Path, channels: &[Channel]| {
        Recording::create(options(path), channels, EPOCH).err().map(|error| error.to_string()).unwrap()
    };
    for name in ["run", "run.txt", "mcap", ".csv"] {
        let error = create(&at(name), &channels());
        assert!(error.contains(".mcap, .csv or .npz") && error.contains(name), "{error}");
    }
    fs::create_dir(at("d.csv")).unwrap();
    assert!(create(&at("d.csv"), &channels()).contains("is a directory"));
    assert!(create(&at("none/run.csv"), &channels()).contains("Create the directory first"));
    assert!(create(Path::new("/dev/shm/run-of-a-test.csv"), &channels()).contains("shared memory"));
    assert!(create(&at("run.csv"), &[]).contains("no channels"));
    for (file, name) in [("run.csv", "time"), ("run.npz", "start"), ("run.npz", "time")] {
        let error = create(&at(file), &[channel(name, Float)]);
        assert!(error.contains(name) && error.contains("another name"), "{error}");
    }
    let twice = [channel("v", Float), channel("v", Float)];
    assert!(create(&at("run.mcap"), &twice).contains("two channels"));
    let alike_in_numpy = [channel("v", Float), channel("v.npy", Float)];
    assert!(create(&at("run.npz"), &alike_in_numpy).contains("two channels"));
    for suffix in SUFFIXES {
        let path = at("old").with_extension(suffix);
        fs::write(&path, "old").unwrap();
        let error = Recording::create(options(&path), &channels(), EPOCH).err().unwrap();
        assert!(matches!(error, RecordingError::File(SaveError::Exists { .. })), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        let replacing = RecordingOptions { replace: true, ..options(&path) };
        let mut recording = Recording::create(replacing, &channels(), EPOCH).unwrap();
        recording.write(&batch(&many_rows(3))).unwrap();
        recording.finish().unwrap();
        assert_eq!(read(&mut open(&path).unwrap()).len(), 3);
    }
    // Nothing else was left behind.
    let mut names: Vec<String> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["d.csv", "old.csv", "old.mcap", "old.npz"]);
}

#[test]
fn a_name_that_is_taken_meanwhile_does_not_lose_the_recording() {
    let directory = directory();
    let path = directory.path().join("run.npz");
    let mut recording = Recording::create(options(&path), &channels(), EPOCH).unwrap();
    recording.write(&batch(&many_rows(10))).unwrap();
    fs::write(&path, "other").unwrap();
    let summary = recording.finish().unwrap();
    assert_eq!(summary.files, [directory.path().join("run-2.npz")]);
    assert_eq!(fs::read(&path).unwrap(), b"other");
    assert_eq!(read(&mut open(&summary.files[0]).unwrap()).len(), 10);
}

#[test]
fn readers_see_a_recording_grow() {
    for suffix in ["mcap", "csv"] {
        let directory = directory();
        let path = directory.path().join("run").with_extension(suffix);
        let mut recording = Recording::create(options(&path), &channels(), EPOCH).unwrap();
        let rows = many_rows(20_000);
        for (index, rows) in rows.chunks(100).enumerate() {
            recording.write(&batch(rows)).unwrap();
            if index % 20 != 17 {
                continue;
            }
            let mut replay = open(&path).unwrap();
            let found = read(&mut replay).len();
            let expected = (index + 1) * 100;
            // 100 rows are 10 ms.
            assert!(found <= expected && found + 9100 >= expected, "{found} {expected}");
            assert!(!replay.is_cut_off());
        }
        recording.write(&Batch::default()).unwrap();
        assert_eq!(read(&mut open(&path).unwrap()).len(), 20_000);
    }
}

#[test]
fn a_recording_that_was_cut_off_anywhere_is_read_up_to_there() {
    let directory = directory();
    let rows = many_rows(2000);
    for suffix in ["mcap", "csv"] {
        let path = directory.path().join("run").with_extension(suffix);
        record(&path, &channels(), &rows, 100);
        let bytes = fs::read(&path).unwrap();
        let cut = directory.path().join("cut").with_extension(suffix);
        let mut most = 0;
        for length in (20..bytes.len()).step_by(bytes.len() / 50).chain([bytes.len() - 1]) {
            fs::write(&cut, &bytes[..length]).unwrap();
            let mut replay = match open(&cut) {
                Ok(replay) => replay,
                Err(ReplayError::NotRecording { .. }) if most == 0 => continue,
                Err(error) => panic!("{error}"),
            };
            let found: Vec<Option<u64>> = read(&mut replay).into_iter().map(|row| row.1[0]).collect();
            assert!(replay.is_cut_off() || bytes[length - 1] == b'\n', "{suffix} {length}");
            assert_eq!(found, (0..found.len() as u64).map(Some).collect::<Vec<_>>());
            most = most.max(found.len());
        }
        assert!(most >= 1999, "{suffix} {most}");
    }
}

#[test]
fn other_files_are_no_recordings() {
    let directory = directory();
    let path = directory.path().join("file");
    let cases: [(&[u8], &str); 8] = [
        (b"", "it is empty"),
        (b"hello", "neither MCAP nor NPZ"),
        (b"time\n1\n", "not 'time' and channels"),
        (b"timestamp,v\n1,2\n", "not 'time' and channels"),
        (b"time,v", "not 'time' and channels"),
        (b"PK\x03\x04 and so on", "no NPZ file"),
        (b"\x89MCAP0\r\n", "no JSON messages with numbers"),
        (b"\x89MCAP0\r\nrubbish and more rubbish", ""),
    ];
    for (bytes, reason) in cases {
        fs::write(&path, bytes).unwrap();
        let error = open(&path).err().unwrap().to_string();
        assert!(error.contains(reason) && error.contains("file"), "{error}");
    }
    assert!(open(directory.path()).err().unwrap().to_string().contains("is a directory"));
    assert!(open(&directory.path().join("none")).err().unwrap().to_string().contains("no such file"));
}

#[test]
fn damage_is_reported_after_the_samples_before_it() {
    let directory = directory();
    let path = directory.path().join("run.csv");
    for (line, problem) in [
        ("0.002000000,x", "'x' in line 4 is no number"),
        ("0.000500000,3", "is before the time"),
        ("now,3", "'now' in line 4 is no time"),
        ("0.002,3,4", "line 4 has 3 cells instead of 2"),
    ] {
        fs::write(&path, format!("time,v\n0.000000000,1\n0.001000000,2\n{line}\n")).unwrap();
        let mut replay = open(&path).unwrap();
        assert_eq!(replay.next_batch().unwrap().map(|batch| batch.len()), Some(2));
        let error = replay.next_batch().unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
        assert!(replay.next_batch().unwrap().is_none());
    }
    let long = format!("time,v\n0,{}\n", "1".repeat(3 << 20));
    fs::write(&path, long).unwrap();
    let error = open(&path).unwrap().next_batch().unwrap_err().to_string();
    assert!(error.contains("too long"), "{error}");
}

/// Writes an MCAP file like other programs do.
fn foreign(path: &Path, messages: &[(&str, u64, &str)]) {
    let mut writer = ::mcap::Writer::new(File::create(path).unwrap()).unwrap();
    for &(topic, log_time, text) in messages {
        let channel_id = writer.add_channel(0, topic, "json", &BTreeMap::new()).unwrap();
        let header = ::mcap::records::MessageHeader { channel_id, sequence: 0, log_time, publish_time: 0 };
        writer.write_to_known_channel(&header, text.as_bytes()).unwrap();
    }
    let binary = writer.add_channel(0, "/image", "cdr", &BTreeMap::new()).unwrap();
    let header =
        ::mcap::records::MessageHeader { channel_id: binary, sequence: 0, log_time: 0, publish_time: 0 };
    writer.write_to_known_channel(&header, &[1, 2, 3]).unwrap();
    writer.finish().unwrap();
}

#[test]
fn numbers_in_files_of_other_programs_are_read() {
    let directory = directory();
    let path = directory.path().join("other.mcap");
    foreign(
        &path,
        &[
            ("/speed", 1_000_000_000, "1.5"),
            (
                "/pose",
                1_000_000_500,
                r#"{"x": -1, "frame": "map", "at": {"y": 2.5, "list": [1]}, "ok": true}"#,
            ),
            // Not quite in order.
            ("/count", 1_000_000_700, r#"{ "value": 18446744073709551615 }"#),
            ("/speed", 1_000_000_600, "2"),
            ("/pose", 1_000_000_800, "no JSON"),
        ],
    );
    let mut replay = open(&path).unwrap();
    let tracks: Vec<(&str, NumberKind)> =
        replay.tracks().iter().map(|track| (track.name.as_str(), track.kind)).collect();
    assert_eq!(
        tracks,
        [
            ("/count", Unsigned),
            ("/pose.at.y", Float),
            ("/pose.ok", Unsigned),
            ("/pose.x", Signed),
            ("/speed", Float)
        ]
    );
    let float = |value: f64| Some(value.to_bits());
    assert_eq!(
        read(&mut replay),
        [
            (0, vec![None, None, None, None, float(1.5)]),
            (500, vec![None, float(2.5), Some(1), Some((-1_i64).cast_unsigned()), None]),
            (600, vec![None, None, None, None, float(2.0)]),
            (700, vec![Some(u64::MAX), None, None, None, None]),
        ]
    );
    foreign(&path, &[("/text", 1, r#""hello""#)]);
    assert!(open(&path).err().unwrap().to_string().contains("no JSON messages with numbers"));
}

/// Damaged files of all formats never panic and never fill the memory.
#[test]
fn damaged_files_are_survived() {
    let directory = directory();
    let rows = many_rows(200);
    let mut random = 1_u64;
    let mut next = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize
    };
    for suffix in SUFFIXES {
        let path = directory.path().join("run").with_extension(suffix);
        record(&path, &channels(), &rows, 100);
        let bytes = fs::read(&path).unwrap();
        for _ in 0..100 {
            let mut damaged = bytes.clone();
            for _ in 0..=next() % 4 {
                let at = next() % damaged.len();
                damaged[at] = u8::try_from(next() % 256).unwrap();
            }
            fs::write(&path, &damaged).unwrap();
            if let Ok(mut replay) = open(&path) {
                while let Ok(Some(_)) = replay.next_batch() {}
            }
        }
    }
}

#[test]
fn times_before_the_epoch_are_converted() {
    assert_eq!(EPOCH.realtime_of(EPOCH.monotonic - 10), EPOCH.realtime - 10);
    assert_eq!(EPOCH.realtime_of(EPOCH.monotonic + 10), EPOCH.realtime + 10);
    assert_eq!(Epoch::new(1, Duration::from_secs(2)).realtime_of(0), 1_999_999_999);
}

/// Two writes with a gap between them, and a write whose value could not be read.
fn written() -> Batch {
    let rows = [
        (0, vec![Some(1.5_f64.to_bits())]),
        (1000, vec![None]),
        (2000, vec![Some(3.5_f64.to_bits())]),
        (3000, vec![None]),
    ];
    let place =
        |function: &str| CodePlace { function: Some(function.to_owned()), ..CodePlace::unknown(0x1000) };
    let write = |tid, function, is_late| {
        let thread = ThreadId { process: ProcessId { pid: 7, start: 1 }, tid };
        Some(writers::Write { thread, place: Arc::new(place(function)), is_late })
    };
    let hostile = "f<\"π\", 4>";
    let writes =
        vec![write(8, hostile, true), None, write(9, "Motor::step", false), write(9, hostile, false)];
    Batch { writes, ..batch(&rows) }
}

#[test]
fn writers_are_recorded_and_do_not_disturb_the_samples() {
    let directory = directory();
    for suffix in SUFFIXES {
        let path = directory.path().join("run").with_extension(suffix);
        let options = RecordingOptions { writers: true, ..options(&path) };
        let mut recording = Recording::create(options, &[channel("v", Float)], EPOCH).unwrap();
        recording.write(&written()).unwrap();
        assert_eq!(recording.finish().unwrap().samples, 2);
        let mut replay = open(&path).unwrap();
        let names: Vec<&str> = replay.tracks().iter().map(|track| track.name.as_str()).collect();
        assert_eq!(names, ["v"], "{suffix}");
        let found: Vec<Option<u64>> =
            read(&mut replay).into_iter().filter_map(|(_, row)| row[0].map(Some)).collect();
        assert_eq!(found, [1.5, 3.5].map(|value: f64| Some(value.to_bits())), "{suffix}");
        if suffix == "csv" {
            assert_eq!(
                fs::read_to_string(&path).unwrap(),
                "time,v,writer.pid,writer.tid,writer.function,writer.late\n\
                 0.000000000,1.5,7,8,\"f<\"\"π\"\", 4>\",1\n\
                 0.000001000,,,,,\n\
                 0.000002000,3.5,7,9,\"Motor::step\",0\n\
                 0.000003000,,7,9,\"f<\"\"π\"\", 4>\",0\n"
            );
        }
    }
    let bytes = fs::read(directory.path().join("run.mcap")).unwrap();
    let messages: Vec<String> = ::mcap::MessageStream::new(&bytes)
        .unwrap()
        .map(|message| String::from_utf8(message.unwrap().data.into_owned()).unwrap())
        .collect();
    assert_eq!(
        messages,
        [
            r#"{"value":1.5,"pid":7,"tid":8,"function":"f<\"π\", 4>","late":true}"#,
            r#"{"value":3.5,"pid":7,"tid":9,"function":"Motor::step","late":false}"#,
        ]
    );
}

#[test]
fn names_of_the_columns_of_writers_are_not_those_of_channels() {
    let directory = directory();
    for (suffix, is_refused) in [("mcap", false), ("csv", true), ("npz", true)] {
        let path = directory.path().join("run").with_extension(suffix);
        let recording = Recording::create(options(&path), &[channel("writer.pid", Unsigned)], EPOCH);
        assert_eq!(recording.is_err(), is_refused, "{suffix}");
    }
}

#[test]
fn files_with_writers_keep_to_their_largest_size() {
    let directory = directory();
    for suffix in SUFFIXES {
        let path = directory.path().join("run").with_extension(suffix);
        let options = RecordingOptions { writers: true, max_size: Some(Bytes(64 << 10)), ..options(&path) };
        let mut recording = Recording::create(options, &[channel("v", Unsigned)], EPOCH).unwrap();
        for round in 0..1000 {
            let mut batch = written();
            batch.times.iter_mut().for_each(|time| *time += round * 4000);
            recording.write(&batch).unwrap();
        }
        let summary = recording.finish().unwrap();
        assert_eq!(summary.samples, 2000);
        assert!(suffix == "mcap" || summary.files.len() > 1, "{suffix}");
        for file in summary.files {
            assert!(fs::metadata(&file).unwrap().len() <= 64 << 10, "{file:?}");
        }
    }
}

#[test]
fn csv_is_as_documented() {
    let directory = directory();
    let path = directory.path().join("run.csv");
    let rows = [
        (0, vec![Some(1), Some((-5_i64).cast_unsigned()), Some(0.1_f64.to_bits())]),
        (1_000_000_001, vec![None, Some(6), Some(1e300_f64.to_bits())]),
    ];
    record(&path, &channels(), &rows, 2);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(
        text,
        "time,tick,\"gain[1][2], \"\"x\"\"\",/telemetry+0x10:f64\n0.000000000,1,-5,0.1\n1.000000001,,6,1e+300\n"
    );
    let mut file = File::options().append(true).open(&path).unwrap();
    file.write_all(b"2.0,1").unwrap();
    let mut replay = open(&path).unwrap();
    assert_eq!(read(&mut replay).len(), 2);
    assert!(replay.is_cut_off());
}
