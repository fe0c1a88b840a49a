//! What the catalogue knows of each segment, found once and remembered: a
//! segment is asked for its maker again only when it has become another one.

use super::catalogue::{Around, Catalogue, Made, Peek, Subject};
use super::{Life, Living, Seen};
use crate::machine::{Machine, Trace};
use crate::memory::Reader;
use crate::segment::{Bytes, Identity, Kind, ObjectName, Segment, SegmentId, Timestamp};
use crate::survey::Survey;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// How many contents are looked at for one survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looks {
    /// As many as there are: what is asked once has to be whole.
    All,
    /// None for the first survey, and so many for each that follows: ten thousand
    /// new objects do not hold up the table.
    Few,
}

impl Looks {
    const FEW: usize = 300;

    const fn most(self, first: bool) -> usize {
        match (self, first) {
            (Self::All, _) => usize::MAX,
            (Self::Few, true) => 0,
            (Self::Few, false) => Self::FEW,
        }
    }
}

/// Segments that a thread takes at a time.
const CHUNK: usize = 32;

/// For so many seconds its maker may still be writing what a segment is known by.
const YOUNG: f64 = 10.0;

/// The makers of the segments that were seen last.
#[derive(Debug)]
pub struct Known {
    catalogue: &'static Catalogue,
    looks: Looks,
    segments: HashMap<SegmentId, Entry>,
}

#[derive(Debug)]
struct Entry {
    identity: Identity,
    size: Bytes,
    holders: Vec<u32>,
    /// Contents that could be looked at were, and are no longer being written first.
    settled: bool,
    made: Option<Arc<Made<'static>>>,
}

impl Known {
    pub fn new(catalogue: &'static Catalogue, looks: Looks) -> Self {
        Self { catalogue, looks, segments: HashMap::new() }
    }

    /// Finds the maker of every segment of a survey, in its order.
    pub fn find<'a>(
        &mut self,
        machine: &dyn Machine,
        living: &(dyn Fn() -> Living<'a> + Sync),
        survey: &Survey,
    ) -> Vec<Option<Arc<Made<'static>>>> {
        let mut before = std::mem::take(&mut self.segments);
        let names: HashMap<&ObjectName, u32> = survey
            .segments
            .iter()
            .filter_map(|segment| match &segment.id {
                SegmentId::Posix(name) => Some((name, segment.owner.uid)),
                _ => None,
            })
            .collect();
        let looks = AtomicUsize::new(self.looks.most(before.is_empty()));
        let still = |segment: &Segment| before.remove(&segment.id).filter(|entry| entry.is_of(segment));
        let mut entries: Vec<Option<Entry>> = survey.segments.iter().map(still).collect();
        let is_due = |entry: &Option<Entry>| entry.as_ref().is_none_or(|entry| !entry.settled);
        let due = entries.iter().filter(|entry| is_due(entry)).count();
        let chunks = survey.segments.chunks(CHUNK).zip(entries.chunks_mut(CHUNK));
        let chunks = Mutex::new(chunks);
        let known = &*self;
        let ask = || {
            let living = living();
            let next = || chunks.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some((segments, entries)) = next() {
                for (segment, entry) in segments.iter().zip(entries) {
                    // Contents that are still to be looked at wait until there is time for it.
                    if entry.is_none() || (is_due(entry) && looks.load(Ordering::Relaxed) > 0) {
                        *entry = Some(known.ask(machine, segment, (&living, &names), survey.at, &looks));
                    }
                }
            }
        };
        thread::scope(|scope| {
            // Two threads could take more than a few.
            if due > CHUNK && known.looks == Looks::All {
                // Where there may be no more threads, one does too.
                let _ = thread::Builder::new().spawn_scoped(scope, ask);
            }
            ask();
        });
        let entries = survey.segments.iter().zip(entries.into_iter().flatten());
        let mut found = Vec::with_capacity(survey.segments.len());
        for (segment, entry) in entries {
            found.push(entry.made.clone());
            self.segments.insert(segment.id.clone(), entry);
        }
        found
    }

    fn ask(
        &self,
        machine: &dyn Machine,
        segment: &Segment,
        (living, names): (&Living<'_>, &HashMap<&ObjectName, u32>),
        now: Timestamp,
        looks: &AtomicUsize,
    ) -> Entry {
        let contents = Gently { machine, segment, reader: OnceCell::new() };
        let around = Surroundings { machine, living, segment, names, users: OnceCell::new() };
        // Of a System V segment reading would leave a trace.
        let may_look = segment.kind() != Kind::Sysv;
        let looked = !may_look || looks.load(Ordering::Relaxed) > 0;
        let subject = Subject {
            contents: (may_look && looked).then_some(&contents),
            around: Some(&around),
            ..Subject::of(segment)
        };
        let made = self.catalogue.find(&subject).map(Arc::new);
        let asked = contents.reader.get().is_some();
        looks.fetch_sub(usize::from(asked), Ordering::Relaxed);
        let young = asked && segment.times.birth.is_some_and(|birth| now.seconds_since(birth) < YOUNG);
        Entry {
            identity: segment.identity(),
            size: segment.size,
            holders: pids(segment).collect(),
            settled: looked && !young,
            made,
        }
    }
}

impl Entry {
    fn is_of(&self, segment: &Segment) -> bool {
        self.size == segment.size
            && self.identity.fits(&segment.identity())
            && self.holders.iter().copied().eq(pids(segment))
    }
}

fn pids(segment: &Segment) -> impl Iterator<Item = u32> {
    segment.holders.iter().flat_map(|holders| holders.iter().map(|holder| holder.pid))
}

/// Reads a segment where that leaves no trace, and not at all elsewhere.
struct Gently<'a> {
    machine: &'a dyn Machine,
    segment: &'a Segment,
    /// With its first bytes, where most makers write what they are known by.
    reader: OnceCell<Option<(Reader, Vec<u8>)>>,
}

/// So many bytes are read at once.
const HEAD: usize = 512;

impl Gently<'_> {
    fn open(&self) -> Option<(Reader, Vec<u8>)> {
        let reader = Reader::open(self.machine, self.segment).ok()?;
        if reader.trace() != Trace::None {
            return None;
        }
        let mut head = vec![0; HEAD];
        let count = reader.read_at(0, &mut head).ok()?;
        head.truncate(count);
        Some((reader, head))
    }
}

impl Peek for Gently<'_> {
    fn peek(&self, offset: u64, into: &mut [u8]) -> bool {
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

/// What stands around a segment.
struct Surroundings<'a> {
    machine: &'a dyn Machine,
    living: &'a Living<'a>,
    segment: &'a Segment,
    /// The POSIX objects, with their owners.
    names: &'a HashMap<&'a ObjectName, u32>,
    users: OnceCell<Vec<Box<[u8]>>>,
}

impl Surroundings<'_> {
    /// The commands of the processes that created and last used a System V segment, as far as they run.
    fn users(&self) -> Vec<Box<[u8]>> {
        let Some(facts) = self.segment.sysv() else { return vec![] };
        let times = &self.segment.times;
        [(facts.creator_pid, times.change), (facts.last_pid, times.attach.max(times.detach))]
            .into_iter()
            .filter(|&(pid, _)| pid != 0)
            .filter_map(|(pid, since)| match self.living.of(pid, Seen::Here, since) {
                Life::Lives(process) => Some(process.command),
                _ => None,
            })
            .collect()
    }
}

impl Around for Surroundings<'_> {
    fn commands(&self) -> Vec<&[u8]> {
        let holders = self.segment.holders.iter().flat_map(|holders| holders.iter());
        let users = self.users.get_or_init(|| self.users());
        holders.map(|holder| &*holder.command).chain(users.iter().map(|command| &**command)).collect()
    }

    fn object_is_there(&self, name: &[u8]) -> bool {
        if let Some(beginning) = name.strip_suffix(b"*") {
            let mut of_owner = self.names.iter().filter(|(_, owner)| **owner == self.segment.owner.uid);
            return of_owner.any(|(name, _)| name.as_bytes().starts_with(beginning));
        }
        ObjectName::new(name).is_some_and(|name| self.names.contains_key(&name))
    }

    fn is_group(&self, name: &[u8]) -> bool {
        std::str::from_utf8(name).is_ok_and(|name| self.machine.control().group_by_name(name).is_some())
    }
}
