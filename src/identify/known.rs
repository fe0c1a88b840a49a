//! The makers of segments, cached between surveys. A maker is looked up again when the identity,
//! the size or the holders of its segment change.

use super::ProcessStates;
use super::catalog::{Catalog, Context, MakerMatch, Subject};
use crate::machine::{Machine, Trace};
use crate::memory::{Reader, WriteLeases};
use crate::segment::{Bytes, Identity, Kind, ObjectName, Segment, SegmentId, Timestamp};
use crate::survey::Survey;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The number of segments in a thread's batch.
const CHUNK_SIZE: usize = 32;

/// Segments younger than this, in seconds, may not be initialized yet: their contents are read
/// again.
const YOUNG_AGE: f64 = 10.0;

/// The makers of the last survey.
#[derive(Debug)]
pub struct MakerCache {
    /// `None` for the built-in one. It is loaded for the first survey rather than here, so that the
    /// machine can be listed at the same time.
    catalog: Option<&'static Catalog>,
    /// Segments to read per survey; `None` for no limit, because a command that runs once must be
    /// complete. With a limit, the first survey reads none.
    max_reads: Option<usize>,
    segments: HashMap<SegmentId, Entry>,
}

#[derive(Debug)]
struct Entry {
    identity: Identity,
    size: Bytes,
    holders: Vec<u32>,
    /// Set if no further lookup is needed: any required contents were read, and the segment was not
    /// young.
    settled: bool,
    maker_match: Option<Arc<MakerMatch<'static>>>,
}

impl MakerCache {
    pub fn new(catalog: Option<&'static Catalog>, max_reads: Option<usize>) -> Self {
        Self { catalog, max_reads, segments: HashMap::new() }
    }

    /// Finds the maker of every segment, in the order of the survey.
    pub fn find<'a>(
        &mut self,
        machine: &dyn Machine,
        states: &(dyn Fn() -> ProcessStates<'a> + Sync),
        survey: &Survey,
        leases: WriteLeases,
    ) -> Vec<Option<Arc<MakerMatch<'static>>>> {
        let mut before = std::mem::take(&mut self.segments);
        let mut owners: HashMap<&ObjectName, u32> = HashMap::with_capacity(survey.segments.len());
        owners.extend(survey.segments.iter().filter_map(|segment| match &segment.id {
            SegmentId::Posix(name) => Some((name, segment.owner.uid)),
            _ => None,
        }));
        let reads_left = match self.max_reads {
            None => usize::MAX,
            Some(_) if before.is_empty() => 0,
            Some(max) => max,
        };
        let reads_left = AtomicUsize::new(reads_left);
        let still = |segment: &Segment| before.remove(&segment.id).filter(|entry| entry.is_of(segment));
        let mut entries: Vec<Option<Entry>> = survey.segments.iter().map(still).collect();
        let is_due = |entry: &Option<Entry>| entry.as_ref().is_none_or(|entry| !entry.settled);
        let due = entries.iter().filter(|entry| is_due(entry)).count();
        let chunks = survey.segments.chunks(CHUNK_SIZE).zip(entries.chunks_mut(CHUNK_SIZE));
        let chunks = Mutex::new(chunks);
        let leases = Mutex::new(leases);
        let known = &*self;
        let work = || {
            let states = states();
            let next = || chunks.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some((segments, entries)) = next() {
                for (segment, entry) in segments.iter().zip(entries) {
                    if entry.is_none() || (is_due(entry) && reads_left.load(Ordering::Relaxed) > 0) {
                        let index = (&states, &owners);
                        *entry =
                            Some(known.identify((machine, &leases), segment, index, survey.at, &reads_left));
                    }
                }
            }
        };
        thread::scope(|scope| {
            // Two threads together could exceed a limit on reads.
            if due > CHUNK_SIZE && known.max_reads.is_none() {
                // Without a second thread, this one does all the work.
                let _ = thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
        let entries = survey.segments.iter().zip(entries.into_iter().flatten());
        let mut found = Vec::with_capacity(survey.segments.len());
        self.segments.reserve(survey.segments.len());
        for (segment, entry) in entries {
            found.push(entry.maker_match.clone());
            self.segments.insert(segment.id.clone(), entry);
        }
        found
    }

    fn identify(
        &self,
        (machine, leases): (&dyn Machine, &Mutex<WriteLeases>),
        segment: &Segment,
        (states, owners): (&ProcessStates<'_>, &HashMap<&ObjectName, u32>),
        now: Timestamp,
        reads_left: &AtomicUsize,
    ) -> Entry {
        let reader = TracelessReader { machine, leases, segment, reader: OnceCell::new() };
        let read = |offset, into: &mut [u8]| reader.read(offset, into);
        let context = Context::new(machine, states, segment, owners);
        // Attaching a System V segment leaves a trace.
        let readable = segment.kind() != Kind::Sysv;
        let allowed = !readable || reads_left.load(Ordering::Relaxed) > 0;
        let mut subject = Subject { context: Some(&context), ..Subject::of(segment) };
        if readable && allowed {
            subject.contents = Some(&read);
        }
        let catalog = self.catalog.unwrap_or_else(|| Catalog::built_in());
        let maker_match = catalog.find(&subject).map(Arc::new);
        let was_read = reader.reader.get().is_some();
        reads_left.fetch_sub(usize::from(was_read), Ordering::Relaxed);
        let young = was_read && segment.times.birth.is_some_and(|birth| now.seconds_since(birth) < YOUNG_AGE);
        Entry {
            identity: segment.identity(),
            size: segment.size,
            holders: pids(segment).collect(),
            settled: allowed && !young,
            maker_match,
        }
    }
}

impl Entry {
    fn is_of(&self, segment: &Segment) -> bool {
        self.size == segment.size
            && self.identity.matches(&segment.identity())
            && self.holders.iter().copied().eq(pids(segment))
    }
}

fn pids(segment: &Segment) -> impl Iterator<Item = u32> {
    segment.holders.iter().flat_map(|holders| holders.iter().map(|holder| holder.pid))
}

/// Reads a segment, if that leaves no trace and breaks no lease.
struct TracelessReader<'a> {
    machine: &'a dyn Machine,
    leases: &'a Mutex<WriteLeases>,
    segment: &'a Segment,
    /// The reader and the first bytes, which identify most makers.
    reader: OnceCell<Option<(Reader, Vec<u8>)>>,
}

/// Bytes that are read at once.
const HEAD_LENGTH: usize = 512;

impl TracelessReader<'_> {
    fn open(&self) -> Option<(Reader, Vec<u8>)> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner).check(self.machine, self.segment).ok()?;
        let reader = Reader::open_unattached(self.machine, self.segment).ok()?;
        if reader.trace() != Trace::None {
            return None;
        }
        let mut head = vec![0; HEAD_LENGTH];
        let count = reader.read_at(0, &mut head).ok()?;
        head.truncate(count);
        Some((reader, head))
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> bool {
        let Some((reader, head)) = self.reader.get_or_init(|| self.open()) else { return false };
        let read = usize::try_from(offset).ok().and_then(|offset| head.get(offset..)?.get(..into.len()));
        match read {
            Some(bytes) => {
                into.copy_from_slice(bytes);
                true
            }
            None => reader.read_at(offset, into).is_ok_and(|count| count == into.len()),
        }
    }
}
