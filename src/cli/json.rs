//! The JSON format of `list` and `info`. The format is stable: fields may be added, but no field changes its
//! name or type.

use super::time;
use crate::identify::semaphore;
use crate::machine::Machine;
use crate::segment::{Certainty, Holder, ObjectName, Owner, Segment, SegmentId, escape};
use crate::survey::{Limits, Survey};
use serde::{Serialize, Serializer};
use std::collections::HashMap;
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

/// The other half of the segments, at the same nesting depth.
#[derive(Serialize)]
struct Rest<'a> {
    segments: Segments<'a>,
}

/// The text before the segments in [`Rest`], and after them in both structs.
const BEFORE: &str = "{\n  \"segments\": [";
const AFTER: &str = "\n  ]\n}";

/// Serializes one segment at a time: all of them at once would take more memory than the output.
struct Segments<'a>(&'a [&'a Segment], &'a Source<'a>);

impl Serialize for Segments<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|segment| SegmentJson::new(segment, self.1)))
    }
}

/// The data that segments are serialized from.
struct Source<'a> {
    machine: &'a dyn Machine,
    survey: &'a Survey,
    /// The segments that share a name with an unlinked one, by name.
    namesakes: HashMap<&'a ObjectName, Vec<&'a Segment>>,
}

#[derive(Debug, Serialize)]
struct LimitsJson {
    shmmni: Option<u64>,
    sysv_segments: u64,
    sysv_bytes: u64,
    dev_shm_size: Option<u64>,
    dev_shm_used: Option<u64>,
}

#[derive(Debug, Serialize)]
struct SegmentJson {
    id: String,
    kind: &'static str,
    shmid: Option<i32>,
    key: Option<u32>,
    name: Option<String>,
    former_name: Option<String>,
    size: u64,
    resident: Option<u64>,
    swapped: Option<u64>,
    mode: Option<String>,
    owner: Option<OwnerJson>,
    creator: Option<OwnerJson>,
    creator_pid: Option<u32>,
    last_pid: Option<u32>,
    nattch: Option<u64>,
    locked: Option<bool>,
    marked_for_removal: Option<bool>,
    times: TimesJson,
    holders: Option<Vec<HolderJson>>,
    namesakes: Option<Vec<NamesakeJson>>,
    made_by: Option<MakerJson>,
    semaphore: Option<SemaphoreJson>,
    state: &'static str,
    certainty: Option<&'static str>,
    reasons: Vec<String>,
    removed_by: Option<Vec<&'static str>>,
    age: Option<f64>,
    last_used: Option<String>,
    device: Option<u64>,
    inode: Option<u64>,
}

/// Processes in total, and those that could not be inspected.
#[derive(Debug, Serialize)]
pub struct CoverageJson {
    processes: usize,
    unreadable: usize,
    /// Kinds of segments that could not be listed.
    unlisted: Vec<&'static str>,
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
            access: holder.access.word(),
            mappings: holder.mappings,
            how: holder.how().word(),
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
            kind: segment.kind().word(),
            size: segment.size.0,
            holders: segment.holders.as_deref().map(|holders| holders.iter().map(HolderJson::new).collect()),
        }
    }
}

#[derive(Debug, Serialize)]
struct MakerJson {
    id: String,
    name: String,
}

/// A named semaphore; null if the segment is not a semaphore or if reading it would leave a trace.
#[derive(Debug, Serialize)]
struct SemaphoreJson {
    value: u32,
    waiters: u32,
}

#[derive(Debug, Serialize)]
struct OwnerJson {
    uid: u32,
    user: Option<String>,
    gid: u32,
    group: Option<String>,
}

#[derive(Debug, Serialize)]
struct TimesJson {
    attach: Option<String>,
    detach: Option<String>,
    change: Option<String>,
    access: Option<String>,
    modify: Option<String>,
}

pub fn write(
    machine: &dyn Machine,
    survey: &Survey,
    segments: &[&Segment],
    out: &mut dyn Write,
) -> io::Result<()> {
    let source = &Source::new(machine, survey);
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
    match (first.strip_suffix(AFTER), rest.strip_prefix(BEFORE)) {
        (Some(first), Some(rest)) if !second.is_empty() => writeln!(out, "{first},{rest}"),
        _ => writeln!(out, "{first}"),
    }
}

impl<'a> Source<'a> {
    fn new(machine: &'a dyn Machine, survey: &'a Survey) -> Self {
        let mut namesakes: HashMap<&ObjectName, Vec<&Segment>> =
            survey.segments.iter().filter_map(Segment::former_name).map(|name| (name, vec![])).collect();
        for segment in &survey.segments {
            if let Some(segments) = segment.posix_name().and_then(|name| namesakes.get_mut(name)) {
                segments.push(segment);
            }
        }
        Self { machine, survey, namesakes }
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
            unlisted: survey.unlisted.iter().map(|kind| kind.word()).collect(),
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

impl SegmentJson {
    fn new(segment: &Segment, source: &Source<'_>) -> Self {
        let Source { machine, survey, namesakes } = source;
        let namesakes = segment.posix_name().and_then(|name| namesakes.get(name));
        let others = namesakes.into_iter().flatten().filter(|other| segment.shares_name_with(other));
        let namesakes: Vec<NamesakeJson> = others.map(|other| NamesakeJson::new(other)).collect();
        let sysv = segment.sysv();
        let posix = segment.posix();
        let (shmid, name) = match &segment.id {
            SegmentId::Sysv(shmid) => (Some(shmid.0), None),
            SegmentId::Posix(name) => (None, Some(name.to_string())),
            SegmentId::Deleted { .. } => (None, None),
        };
        Self {
            id: segment.id.to_string(),
            kind: segment.kind().word(),
            shmid,
            key: sysv.map(|facts| facts.key.0),
            name,
            former_name: segment.former_name().map(ToString::to_string),
            size: segment.size.0,
            resident: segment.resident.map(|size| size.0),
            swapped: segment.swapped.map(|size| size.0),
            mode: (!segment.is_concealed()).then(|| segment.mode.to_string()),
            owner: (!segment.is_concealed()).then(|| OwnerJson::new(&segment.owner)),
            creator: sysv.map(|facts| OwnerJson::new(&facts.creator)),
            creator_pid: sysv.map(|facts| facts.creator_pid),
            last_pid: sysv.map(|facts| facts.last_pid),
            nattch: sysv.map(|facts| facts.nattch),
            locked: sysv.map(|facts| facts.locked),
            marked_for_removal: sysv.map(|facts| facts.marked),
            times: TimesJson::new(segment),
            holders: segment.holders.as_deref().map(|holders| holders.iter().map(HolderJson::new).collect()),
            namesakes: (!namesakes.is_empty()).then_some(namesakes),
            made_by: segment
                .made_by
                .as_ref()
                .map(|maker| MakerJson { id: escape(maker.id().as_bytes()), name: maker.name_text() }),
            semaphore: semaphore::look(*machine, segment)
                .map(|found| SemaphoreJson { value: found.value, waiters: found.waiters }),
            state: segment.verdict.state.word(),
            certainty: segment.verdict.state.certainty().map(Certainty::word),
            // The set of fields is stable, so warnings about a future SIGBUS are part of `reasons`.
            reasons: [&segment.verdict.reasons[..], &survey.past_end_lines(segment)].concat(),
            removed_by: posix
                .and_then(|facts| facts.unlinked.as_ref())
                .map(|unlinked| unlinked.by.iter().map(|by| by.word()).collect::<Vec<_>>())
                .filter(|by| !by.is_empty()),
            age: segment.age(survey.at),
            last_used: segment.last_used().and_then(time::rfc3339),
            device: posix.map(|facts| facts.device),
            inode: posix.map(|facts| facts.inode),
        }
    }
}

impl OwnerJson {
    fn new(owner: &Owner) -> Self {
        // JSON has null for an unknown user; the text forms print the number.
        Self {
            uid: owner.uid,
            user: owner.user.as_ref().map(|_| owner.user_text()),
            gid: owner.gid,
            group: owner.group.as_ref().map(|_| owner.group_text()),
        }
    }
}

impl TimesJson {
    fn new(segment: &Segment) -> Self {
        let times = segment.times;
        Self {
            attach: times.attach.and_then(time::rfc3339),
            detach: times.detach.and_then(time::rfc3339),
            change: times.change.and_then(time::rfc3339),
            access: times.access.and_then(time::rfc3339),
            modify: times.modify.and_then(time::rfc3339),
        }
    }
}
