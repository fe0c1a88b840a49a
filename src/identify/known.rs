//! What the catalogue knows of each segment, found once and remembered: a
//! segment is asked for its maker again only when it has become another one.

use super::catalogue::{Around, Catalogue, Made, Peek, Subject};
use super::{Life, Living, Seen};
use crate::machine::{Machine, Trace};
use crate::memory::Reader;
use crate::segment::{Bytes, Identity, Kind, ObjectName, Segment, SegmentId, Timestamp};
use crate::survey::Survey;
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How many contents are looked at for one survey: the rest follows with the
/// next, so that ten thousand new objects do not hold up the table.
const LOOKS: usize = 500;

/// For so many seconds its maker may still be writing what a segment is known by.
const YOUNG: f64 = 10.0;

/// The makers of the segments that were seen last.
#[derive(Debug)]
pub struct Known {
    catalogue: &'static Catalogue,
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
    pub fn new(catalogue: &'static Catalogue) -> Self {
        Self { catalogue, segments: HashMap::new() }
    }

    /// Finds the maker of every segment of a survey, in its order.
    pub fn find(&mut self, machine: &dyn Machine, survey: &Survey) -> Vec<Option<Arc<Made<'static>>>> {
        let mut before = std::mem::take(&mut self.segments);
        let names: HashSet<&ObjectName> = survey
            .segments
            .iter()
            .filter_map(|segment| match &segment.id {
                SegmentId::Posix(name) => Some(name),
                _ => None,
            })
            .collect();
        let mut looks = LOOKS;
        let mut found = Vec::with_capacity(survey.segments.len());
        for segment in &survey.segments {
            let entry = match before.remove(&segment.id) {
                Some(entry) if entry.settled && entry.is_of(segment) => entry,
                _ => self.ask(machine, segment, survey.at, &names, &mut looks),
            };
            found.push(entry.made.clone());
            self.segments.insert(segment.id.clone(), entry);
        }
        found
    }

    fn ask(
        &self,
        machine: &dyn Machine,
        segment: &Segment,
        now: Timestamp,
        names: &HashSet<&ObjectName>,
        looks: &mut usize,
    ) -> Entry {
        let contents = Gently { machine, segment, reader: OnceCell::new() };
        let around = Surroundings { machine, segment, names, creator: OnceCell::new() };
        // Of a System V segment reading would leave a trace.
        let may_look = segment.kind() != Kind::Sysv;
        let looked = !may_look || *looks > 0;
        let subject = Subject {
            contents: (may_look && looked).then_some(&contents),
            around: Some(&around),
            ..Subject::of(segment)
        };
        let made = self.catalogue.find(&subject).map(Arc::new);
        if contents.reader.get().is_some() {
            *looks -= 1;
        }
        let young = segment.times.birth.is_some_and(|birth| now.seconds_since(birth) < YOUNG);
        Entry {
            identity: segment.identity(),
            size: segment.size,
            holders: pids(segment),
            settled: looked && !young,
            made,
        }
    }
}

impl Entry {
    fn is_of(&self, segment: &Segment) -> bool {
        self.size == segment.size && self.identity.fits(&segment.identity()) && self.holders == pids(segment)
    }
}

fn pids(segment: &Segment) -> Vec<u32> {
    segment.holders.iter().flat_map(|holders| holders.iter().map(|holder| holder.pid)).collect()
}

/// Reads a segment where that leaves no trace, and not at all elsewhere.
struct Gently<'a> {
    machine: &'a dyn Machine,
    segment: &'a Segment,
    reader: OnceCell<Option<Reader>>,
}

impl Peek for Gently<'_> {
    fn peek(&self, offset: u64, into: &mut [u8]) -> bool {
        let reader = self.reader.get_or_init(|| {
            Reader::open(self.machine, self.segment).ok().filter(|reader| reader.trace() == Trace::None)
        });
        let read = reader.as_ref().and_then(|reader| reader.read_at(offset, into).ok());
        read == Some(into.len())
    }
}

/// What stands around a segment.
struct Surroundings<'a> {
    machine: &'a dyn Machine,
    segment: &'a Segment,
    names: &'a HashSet<&'a ObjectName>,
    creator: OnceCell<Option<Box<[u8]>>>,
}

impl Surroundings<'_> {
    /// What the process is called that made it, if that lives.
    fn creator(&self) -> Option<Box<[u8]>> {
        let facts = self.segment.sysv().filter(|facts| facts.creator_pid != 0)?;
        let living = Living::new(self.machine.processes());
        match living.of(facts.creator_pid, Seen::Here, self.segment.times.change) {
            Life::Lives(process) => Some(process.command),
            _ => None,
        }
    }
}

impl Around for Surroundings<'_> {
    fn commands(&self) -> Vec<&[u8]> {
        let holders = self.segment.holders.iter().flat_map(|holders| holders.iter());
        let creator = self.creator.get_or_init(|| self.creator());
        holders.map(|holder| &*holder.command).chain(creator.as_deref()).collect()
    }

    fn object_is_there(&self, name: &[u8]) -> bool {
        ObjectName::new(name).is_some_and(|name| self.names.contains(&name))
    }

    fn is_group(&self, name: &[u8]) -> bool {
        std::str::from_utf8(name).is_ok_and(|name| self.machine.control().group_by_name(name).is_some())
    }
}
