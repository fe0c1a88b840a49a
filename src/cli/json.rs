//! The JSON format of `list` and `info`. The format is stable: fields may be added, but no field
//! changes its name or type.

use crate::decode::StableValue;
use crate::identify::about::{Probe, SegmentDetails};
use crate::identify::locks::LockReport;
use crate::identify::{semaphore, sharing};
use crate::machine::Machine;
use crate::segment::field::Field;
use crate::segment::local_time::rfc3339;
use crate::segment::{Bytes, Holder, ObjectName, Owner, Segment, Value, escape};
use crate::survey::{Limits, Survey};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::panic::resume_unwind;
use std::thread;

const VERSION: u32 = 1;

/// The report up to the first half of the segments.
#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    coverage: Option<CoverageJson>,
    limits: LimitsJson,
    segments: Segments<'a>,
}

/// The parts of `info` that read the contents of its only segment.
#[derive(Clone, Copy, Default)]
pub struct Inside<'a> {
    pub values: &'a [StableValue],
    pub locks: Option<&'a LockReport>,
}

/// The other half of the segments, at the same nesting depth.
#[derive(Serialize)]
struct Rest<'a> {
    segments: Segments<'a>,
}

/// The text before the segments in [`Rest`], and after them in both structs.
const JSON_START: &str = "{\n  \"segments\": [";
const JSON_END: &str = "\n  ]\n}";

/// Serializes one segment at a time: all of them at once would take more memory than the output.
struct Segments<'a>(&'a [&'a Segment], &'a Source<'a>);

impl Serialize for Segments<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let abouts = self.0.iter().map(|segment| self.1.about(segment));
        serializer.collect_seq(abouts.map(|about| SegmentJson(about, self.1.inside)))
    }
}

/// The data that segments are serialized from.
struct Source<'a> {
    machine: &'a dyn Machine,
    survey: &'a Survey,
    inside: Inside<'a>,
    /// The segments that share a name with an unlinked one, by name.
    namesakes: HashMap<&'a ObjectName, Vec<&'a Segment>>,
    /// The segments with a key, or a name that is one.
    keys: HashMap<u32, Vec<&'a Segment>>,
    /// The holders of objects with a resource tracker of Python.
    trackers: HashSet<u32>,
}

#[derive(Debug, Serialize)]
struct LimitsJson {
    shmmni: Option<u64>,
    sysv_segments: u64,
    sysv_bytes: u64,
    dev_shm_size: Option<u64>,
    dev_shm_used: Option<u64>,
}

/// The number of processes, and the number that could not be inspected.
#[derive(Debug, Serialize)]
pub struct CoverageJson {
    processes: usize,
    unreadable: usize,
    /// Kinds of segments that could not be listed.
    unlisted: Vec<&'static str>,
}

/// A segment: an object of its fields.
struct SegmentJson<'a>(SegmentDetails<'a>, Inside<'a>);

impl Serialize for SegmentJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for &field in Field::ALL {
            match field {
                Field::Attach => map.serialize_entry("times", &TimesJson(&self.0))?,
                // Part of another object, or only in text.
                Field::Group
                | Field::Pid
                | Field::Detach
                | Field::Change
                | Field::Access
                | Field::Modify
                | Field::Created
                | Field::Links
                | Field::Reading
                | Field::Locks
                | Field::Logout => {}
                _ => map.serialize_entry(field.name(), &ValueJson(self.0.value(field)))?,
            }
        }
        if let Some(locks) = self.1.locks.filter(|report| !report.locks.is_empty()) {
            map.serialize_entry("locks", locks)?;
        }
        if !self.1.values.is_empty() {
            map.serialize_entry("values", self.1.values)?;
        }
        map.end()
    }
}

/// The times that the kernel recorded; the birth is in `age`.
struct TimesJson<'a>(&'a SegmentDetails<'a>);

impl Serialize for TimesJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let times = [Field::Attach, Field::Detach, Field::Change, Field::Access, Field::Modify];
        serializer.collect_map(times.map(|field| (field.name(), ValueJson(self.0.value(field)))))
    }
}

struct ValueJson<'a>(Value<'a>);

impl Serialize for ValueJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Value::Absent => serializer.serialize_none(),
            Value::Number(number) | Value::Size(Bytes(number)) => serializer.serialize_u64(*number),
            Value::Numbers(numbers) => numbers.serialize(serializer),
            Value::Counts(counts) => serializer.collect_map(counts.iter().copied()),
            Value::Lines(lines) => lines.serialize(serializer),
            Value::Key(key) => serializer.serialize_u32(key.0),
            Value::Flag(flag) => serializer.serialize_bool(*flag),
            Value::Time(then) => rfc3339(*then).serialize(serializer),
            Value::Span(seconds) => serializer.serialize_f64(*seconds),
            Value::User(Owner { uid, user, gid, group }) => OwnerJson {
                uid: *uid,
                user: user.as_deref().map(|name| escape(name.as_bytes())),
                gid: *gid,
                group: group.as_deref().map(|name| escape(name.as_bytes())),
            }
            .serialize(serializer),
            Value::Maker(maker) => {
                serializer.collect_map([("id", escape(maker.id().as_bytes())), ("name", maker.name_text())])
            }
            Value::Holders(_, segment) => holders(segment).serialize(serializer),
            Value::Segments(segments) => {
                serializer.collect_seq(segments.iter().copied().map(NamesakeJson::new))
            }
            Value::Text(_) | Value::Mode(_) | Value::State(_) | Value::Group(_) => {
                serializer.collect_str(&self.0)
            }
        }
    }
}

fn holders(segment: &Segment) -> Option<Vec<HolderJson>> {
    segment.holders.as_deref().map(|holders| holders.iter().map(HolderJson::new).collect())
}

#[derive(Debug, Serialize)]
struct HolderJson {
    pid: u32,
    command: String,
    user: String,
    access: &'static str,
    mappings: u32,
    how: &'static str,
}

impl HolderJson {
    fn new(holder: &Holder) -> Self {
        Self {
            pid: holder.pid,
            command: holder.command_text(),
            user: holder.owner.user_text(),
            access: holder.access.keyword(),
            mappings: holder.mappings,
            how: holder.hold_kind().keyword(),
        }
    }
}

/// Another segment with the same name, now or in the past.
#[derive(Debug, Serialize)]
struct NamesakeJson {
    id: String,
    kind: &'static str,
    size: u64,
    holders: Option<Vec<HolderJson>>,
}

impl NamesakeJson {
    fn new(segment: &Segment) -> Self {
        Self {
            id: segment.id.to_string(),
            kind: segment.kind().keyword(),
            size: segment.size.0,
            holders: holders(segment),
        }
    }
}

#[derive(Debug, Serialize)]
struct OwnerJson {
    uid: u32,
    user: Option<String>,
    gid: u32,
    group: Option<String>,
}

/// Writes these segments of a survey as JSON.
pub fn write(
    machine: &dyn Machine,
    survey: &Survey,
    segments: &[&Segment],
    inside: Inside<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let source = &Source::new(machine, survey, inside);
    let (first, second) = segments.split_at(segments.len().div_ceil(2));
    let rest = || serde_json::to_string_pretty(&Rest { segments: Segments(second, source) });
    let first = || {
        serde_json::to_string_pretty(&Report {
            version: VERSION,
            coverage: CoverageJson::new(survey),
            limits: LimitsJson::new(&survey.limits),
            segments: Segments(first, source),
        })
    };
    // Formatting thousands of segments takes a fifth of the time, so two threads share it.
    let (first, rest) = thread::scope(|scope| match thread::Builder::new().spawn_scoped(scope, rest) {
        Ok(rest) => (first(), rest.join().unwrap_or_else(|panic| resume_unwind(panic))),
        Err(_) => (first(), rest()),
    });
    let (first, rest) = (first?, rest?);
    match (first.strip_suffix(JSON_END), rest.strip_prefix(JSON_START)) {
        (Some(first), Some(rest)) if !second.is_empty() => writeln!(out, "{first},{rest}"),
        _ => writeln!(out, "{first}"),
    }
}

impl<'a> Source<'a> {
    fn new(machine: &'a dyn Machine, survey: &'a Survey, inside: Inside<'a>) -> Self {
        let mut namesakes: HashMap<&ObjectName, Vec<&Segment>> =
            survey.segments.iter().filter_map(Segment::former_name).map(|name| (name, vec![])).collect();
        for segment in &survey.segments {
            if let Some(segments) = segment.posix_name().and_then(|name| namesakes.get_mut(name)) {
                segments.push(segment);
            }
        }
        let mut keys: HashMap<u32, Vec<&Segment>> = HashMap::new();
        for segment in &survey.segments {
            if let Some(key) = sharing::key_of(segment) {
                keys.entry(key).or_default().push(segment);
            }
        }
        let trackers = sharing::trackers(machine, &survey.segments);
        Self { machine, survey, inside, namesakes, keys, trackers }
    }

    fn about(&self, segment: &'a Segment) -> SegmentDetails<'a> {
        let namesakes = segment.posix_name().and_then(|name| self.namesakes.get(name)).into_iter().flatten();
        let twins = sharing::key_of(segment).and_then(|key| Some((key, self.keys.get(&key)?)));
        let twins = twins.into_iter().flat_map(|(key, twins)| {
            twins.iter().copied().filter(move |other| sharing::is_twin(segment, key, other))
        });
        SegmentDetails {
            segment,
            twins: twins.collect(),
            survey: self.survey,
            namesakes: namesakes.copied().filter(|other| segment.shares_name_with(other)).collect(),
            probe: Probe {
                semaphore: semaphore::probe(self.machine, segment),
                reading: None,
                trackers: self.trackers_of(segment),
                locks: None,
            },
        }
    }
}

impl Source<'_> {
    fn trackers_of(&self, segment: &Segment) -> HashSet<u32> {
        let holders = segment.holders.as_deref().filter(|_| !self.trackers.is_empty()).unwrap_or_default();
        holders.iter().map(|holder| holder.pid).filter(|pid| self.trackers.contains(pid)).collect()
    }
}

impl CoverageJson {
    /// Returns `None` if processes were not scanned.
    #[must_use]
    pub fn new(survey: &Survey) -> Option<Self> {
        let coverage = survey.coverage.as_ref()?;
        Some(Self {
            processes: coverage.processes,
            unreadable: coverage.unreadable,
            unlisted: survey.unlisted.iter().map(|kind| kind.keyword()).collect(),
        })
    }
}

impl LimitsJson {
    fn new(limits: &Limits) -> Self {
        Self {
            shmmni: limits.shmmni,
            sysv_segments: limits.sysv_segments,
            sysv_bytes: limits.sysv_bytes.0,
            dev_shm_size: limits.dev_shm.map(|shm| shm.size.0),
            dev_shm_used: limits.dev_shm.map(|shm| shm.used.0),
        }
    }
}
