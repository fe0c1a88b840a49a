//! Recordings as other programs read them.

use super::tools::{python_with_mcap, read_with_python};
use crate::support::Namespaces;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use serde_json::{Value, json};
use shmlens::scope::recording::{Epoch, Recording, RecordingOptions, RecordingSummary, open};
use shmlens::scope::{Batch, Channel, Column, Grade, Number, NumberKind, Source};
use std::fs;
use std::path::{Path, PathBuf};

const EPOCH: Epoch = Epoch { monotonic: 9_000_000_000, realtime: 1_764_000_000_000_000_001 };

/// Names that need quotes in CSV, and paths that leave the directory.
const NAMES: [&str; 5] = ["/telemetry:gain[1][2]", "a, \"b\"\n", "../../up", "größe", "=1+1"];
const KINDS: [NumberKind; 5] =
    [NumberKind::Unsigned, NumberKind::Signed, NumberKind::Float, NumberKind::Unsigned, NumberKind::Single];

fn channels() -> Vec<Channel> {
    let channel = |(name, kind): (&str, NumberKind)| Channel {
        name: name.to_owned(),
        kind,
        source: Source::Expression(String::new()),
    };
    NAMES.into_iter().zip(KINDS).map(channel).collect()
}

/// A batch of rows: milliseconds, and a sample of each channel.
fn batch(rows: &[(u64, [Option<Number>; 5])]) -> Batch {
    let mut batch = Batch { columns: vec![Column::default(); 5], ..Batch::default() };
    for (time, samples) in rows {
        batch.times.push(EPOCH.monotonic + time * 1_000_000);
        for (column, sample) in batch.columns.iter_mut().zip(samples) {
            column.push(sample.map_or(0, Number::bits), sample.map_or(Grade::Missing, |_| Grade::Whole));
        }
    }
    batch
}

fn record(path: &Path) {
    use Number::{Float, Signed, Single, Unsigned};
    let (max, min) = (Unsigned(u64::MAX), Signed(i64::MIN));
    let rows = [
        (0, [Some(max), Some(min), Some(Float(0.1)), Some(Unsigned(1)), Some(Single(0.1))]),
        (1, [None, Some(Signed(-1)), Some(Float(f64::INFINITY)), None, None]),
        (2, [Some(Unsigned(0)), Some(Signed(7)), None, Some(Unsigned(3)), Some(Single(-2.5e-10))]),
    ];
    let options = RecordingOptions { path: path.to_owned(), replace: false, max_size: None, writers: false };
    let mut recording = Recording::create(options, &channels(), EPOCH).unwrap();
    recording.write(&batch(&rows[..2])).unwrap();
    recording.write(&batch(&rows[2..])).unwrap();
    recording.finish().unwrap();
}

fn texts(values: &[Option<&str>]) -> Value {
    json!(values)
}

#[test]
fn csv_is_read_by_python() {
    let Some(python) = python_with_mcap() else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.csv");
    record(&path);
    let read = read_with_python(&python, &path);
    assert_eq!(read["time"], texts(&[Some("0.000000000"), Some("0.001000000"), Some("0.002000000")]));
    let channels = &read["channels"];
    assert_eq!(channels.as_object().unwrap().len(), 5);
    assert_eq!(channels[NAMES[0]], texts(&[Some("18446744073709551615"), None, Some("0")]));
    assert_eq!(channels[NAMES[1]], texts(&[Some("-9223372036854775808"), Some("-1"), Some("7")]));
    assert_eq!(channels[NAMES[2]], texts(&[Some("0.1"), Some("inf"), None]));
    assert_eq!(channels[NAMES[3]], texts(&[Some("1"), None, Some("3")]));
    assert_eq!(channels[NAMES[4]], texts(&[Some("0.1"), None, Some("-2.5e-10")]));
}

#[test]
fn npz_is_read_by_numpy() {
    let Some(python) = python_with_mcap() else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.npz");
    record(&path);
    let read = read_with_python(&python, &path);
    assert_eq!(read["start"], EPOCH.realtime.to_string());
    assert_eq!(read["time"], texts(&[Some("0.0"), Some("0.001"), Some("0.002")]));
    let (channels, dtypes) = (&read["channels"], &read["dtypes"]);
    let valid = format!("{}.valid", NAMES[0]);
    assert_eq!(channels.as_object().unwrap().len(), 6);
    // A float does not hold the largest integer: the gaps have an array of their own.
    assert_eq!(channels[NAMES[0]], texts(&[Some("18446744073709551615"), Some("0"), Some("0")]));
    assert_eq!((&dtypes[NAMES[0]], &dtypes[&valid]), (&json!("<u8"), &json!("|b1")));
    assert_eq!(channels[&valid], texts(&[Some("True"), Some("False"), Some("True")]));
    assert_eq!(channels[NAMES[1]], texts(&[Some("-9223372036854775808"), Some("-1"), Some("7")]));
    assert_eq!(dtypes[NAMES[1]], "<i8");
    assert_eq!(channels[NAMES[2]], texts(&[Some("0.1"), Some("inf"), Some("nan")]));
    assert_eq!(channels[NAMES[3]], texts(&[Some("1.0"), Some("nan"), Some("3.0")]));
    assert_eq!(dtypes[NAMES[3]], "<f8");
    // Python widens them.
    let widened = [0.1_f32, -2.5e-10].map(|value| format!("{:?}", f64::from(value)));
    assert_eq!(channels[NAMES[4]], texts(&[Some(&widened[0]), Some("nan"), Some(&widened[1])]));
    assert_eq!(dtypes[NAMES[4]], "<f4");
}

#[test]
fn mcap_is_read_by_its_python_library() {
    let Some(python) = python_with_mcap() else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.mcap");
    record(&path);
    let read = read_with_python(&python, &path);
    assert_eq!(read["complete"], true);
    let at = |milliseconds: u64| (EPOCH.realtime + milliseconds * 1_000_000).to_string();
    assert_eq!(read["times"][NAMES[0]], json!([at(0), at(2)]));
    assert_eq!(read["times"][NAMES[1]], json!([at(0), at(1), at(2)]));
    let channels = &read["channels"];
    assert_eq!(channels.as_object().unwrap().len(), 5);
    assert_eq!(channels[NAMES[0]], json!(["18446744073709551615", "0"]));
    assert_eq!(channels[NAMES[1]], json!(["-9223372036854775808", "-1", "7"]));
    assert_eq!(channels[NAMES[2]], json!(["0.1", "inf"]));
    assert_eq!(channels[NAMES[3]], json!(["1", "3"]));
    assert_eq!(channels[NAMES[4]], json!(["0.1", "-2.5e-10"]));
    assert_eq!(read["types"][NAMES[2]], "number");
    assert_eq!(read["types"][NAMES[3]], "integer");
}

/// Records until the disk is full. Returns the rows that were written, and the result.
fn fill(path: &Path, per_batch: u64) -> (u64, String, RecordingSummary) {
    let options = RecordingOptions { path: path.to_owned(), replace: false, max_size: None, writers: false };
    let mut recording = Recording::create(options, &channels(), EPOCH).unwrap();
    let mut rows = 0;
    loop {
        // Noise, which cannot be compressed.
        let noise = |row: u64| row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let row = |row: u64| {
            let samples = [Some(row), Some(row % 5), Some(noise(row)), Some(noise(noise(row))), None];
            (row, samples.map(|sample| sample.map(Number::Unsigned)))
        };
        let batch_rows: Vec<_> = (rows..rows + per_batch).map(row).collect();
        rows += per_batch;
        match recording.write(&batch(&batch_rows)) {
            Ok(()) => assert!(rows < 10_000_000),
            Err(error) => {
                assert!(recording.write(&batch(&batch_rows)).is_err());
                return (rows, error.to_string(), recording.finish().unwrap());
            }
        }
    }
}

/// A file system that is unmounted at the end.
pub struct Mounted(PathBuf);

impl Mounted {
    pub fn new(path: &Path, size: u64) -> Self {
        let limit = format!("size={size}");
        mount(Some("tmpfs"), path, Some("tmpfs"), MsFlags::empty(), Some(limit.as_str())).unwrap();
        Self(path.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}

/// A full disk ends a recording, which keeps what was sampled before.
#[test]
fn a_full_disk_keeps_the_samples_before() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(python) = python_with_mcap() else { return };
    let directory = tempfile::tempdir().unwrap();
    for (suffix, size, most_lost) in [
        ("csv", 256 << 10, 2000),
        ("mcap", 1 << 20, 12_000),
        ("npz", 1 << 20, 9000),
        ("mcap", 200 << 10, 5000),
        ("npz", 200 << 10, 4000),
    ] {
        let disk = directory.path().join(format!("{suffix}{size}"));
        fs::create_dir(&disk).unwrap();
        let _disk = Mounted::new(&disk, size);
        let path = disk.join("run").with_extension(suffix);
        let (rows, error, summary) = fill(&path, 100);
        assert!(error.contains("no space left") && error.contains("more free space"), "{error}");
        assert!(summary.samples < rows && summary.samples + most_lost > rows, "{rows} {summary:?}");
        assert_eq!(summary.files, std::slice::from_ref(&path));
        // The directory has nothing else.
        assert_eq!(fs::read_dir(&disk).unwrap().count(), 1);
        let mut replay = open(&path).unwrap();
        let mut ticks = vec![];
        while let Some(batch) = replay.next_batch().unwrap() {
            ticks.extend_from_slice(&batch.columns[0].bits);
        }
        assert!(!replay.is_cut_off());
        assert_eq!(ticks, (0..summary.samples).collect::<Vec<_>>());
        let read = read_with_python(&python, &path);
        let ticks = read["channels"][NAMES[0]].as_array().unwrap();
        assert_eq!(ticks.len() as u64, summary.samples, "{suffix}");
        assert_eq!(ticks.last().unwrap(), &json!((summary.samples - 1).to_string()));
    }
}

/// The arrays of NPZ are written at the end, when another program may have filled the disk.
#[test]
fn npz_needs_no_space_at_the_end() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = tempfile::tempdir().unwrap();
    let disk = Mounted::new(directory.path(), 4 << 20);
    let path = directory.path().join("run.npz");
    let options = RecordingOptions { path: path.clone(), replace: false, max_size: None, writers: false };
    let mut recording = Recording::create(options, &channels(), EPOCH).unwrap();
    for start in (0..40_000).step_by(1000) {
        let row = |row| (row, [Some(Number::Unsigned(row)); 5]);
        recording.write(&batch(&(start..start + 1000).map(row).collect::<Vec<_>>())).unwrap();
    }
    let other = fs::File::create(directory.path().join("other")).unwrap();
    while std::io::Write::write(&mut &other, &[1; 4096]).is_ok_and(|written| written > 0) {}
    assert_eq!(recording.finish().unwrap().samples, 40_000);
    let mut replay = open(&path).unwrap();
    let mut ticks = vec![];
    while let Some(batch) = replay.next_batch().unwrap() {
        ticks.extend_from_slice(&batch.columns[0].bits);
    }
    assert_eq!(ticks, (0..40_000).collect::<Vec<_>>());
    drop(disk);
}
