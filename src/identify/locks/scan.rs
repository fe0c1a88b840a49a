//! A look at the locks of several segments at one moment, without leaving a trace.

use super::report::LockReport;
use super::{Deadlock, LockSurvey, ReadBytes, Threads, deadlocks};
use crate::decode::layouts::{LockKind, fitting};
use crate::identify::semaphore::is_semaphore;
use crate::machine::process::Object;
use crate::machine::{Machine, Trace};
use crate::memory::{Reader, WriteLeases};
use crate::segment::{Holder, Segment};
use crate::survey::Alert;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// The threads of the holders of several segments, and the contents of those that can be read without
/// a trace.
pub struct LockScan<'a> {
    machine: &'a dyn Machine,
    segments: Vec<&'a Segment>,
    threads: Threads,
    /// The segments that were opened, when they were first needed.
    readers: RefCell<BTreeMap<Object, Option<Reader>>>,
    leases: RefCell<WriteLeases>,
}

impl<'a> LockScan<'a> {
    #[must_use]
    pub fn new(machine: &'a dyn Machine, segments: Vec<&'a Segment>) -> Self {
        let threads = Threads::of(machine, segments.iter().flat_map(|segment| holders_of(segment)));
        Self { machine, segments, threads, readers: RefCell::default(), leases: RefCell::default() }
    }

    /// Describes the locks of a segment. `known` are locks at offsets of its type.
    #[must_use]
    pub fn report(&self, segment: &Segment, known: &[(u64, LockKind)]) -> LockReport {
        let Some(object) = Object::of(segment) else { return LockReport::default() };
        let read = |offset: u64, into: &mut [u8]| self.read(object, offset, into);
        let mut known = known.to_vec();
        known.extend(found(&read, segment));
        known.sort_unstable();
        known.dedup_by_key(|(offset, _)| *offset);
        let locks = LockSurvey::new(self.machine, &self.threads).locks(segment, &known, &read);
        let holds = |pid: u32| holders_of(segment).any(|holder| holder.pid == pid);
        let cycles = self.deadlocks();
        let own = cycles.iter().filter(|cycle| cycle.links.iter().any(|link| holds(link.thread.pid)));
        LockReport {
            locks,
            deadlocks: own.map(|cycle| self.text(cycle)).collect(),
            hidden: self.threads.hidden().collect(),
        }
    }

    /// Returns alerts about locks that nobody will unlock.
    #[must_use]
    pub fn alerts(&self) -> Vec<Alert> {
        let alert = |message| Alert { message, users: vec![], urgent: true };
        let mut alerts: Vec<Alert> = self.deadlocks().iter().map(|cycle| alert(self.text(cycle))).collect();
        let survey = LockSurvey::new(self.machine, &self.threads);
        for segment in &self.segments {
            let Some(object) = Object::of(segment) else { continue };
            let read = |offset: u64, into: &mut [u8]| self.read(object, offset, into);
            let locks = survey.locks(segment, &found(&read, segment), &read);
            let orphaned = locks.iter().filter(|lock| lock.is_orphaned());
            alerts.extend(orphaned.map(|lock| {
                alert(format!("{} {:#x} in {}: {}", lock.word(), lock.offset, segment.label(), lock.text()))
            }));
        }
        alerts
    }

    fn deadlocks(&self) -> Vec<Deadlock> {
        deadlocks(&self.threads, &|object, offset, into| self.read(object, offset, into))
    }

    fn text(&self, cycle: &Deadlock) -> String {
        cycle.text(&|object| {
            let segment = self.segment(object);
            segment.map_or_else(|| "another segment".to_owned(), Segment::label)
        })
    }

    fn segment(&self, object: Object) -> Option<&'a Segment> {
        self.segments.iter().copied().find(|segment| Object::of(segment) == Some(object))
    }

    fn read(&self, object: Object, offset: u64, into: &mut [u8]) -> bool {
        let mut readers = self.readers.borrow_mut();
        let reader = readers.entry(object).or_insert_with(|| {
            let leases = &mut self.leases.borrow_mut();
            let reader = Reader::open_unleased(self.machine, self.segment(object)?, leases).ok()?;
            (reader.trace() == Trace::None).then_some(reader)
        });
        let reader = reader.as_ref();
        reader.is_some_and(|reader| reader.read_at(offset, into).is_ok_and(|count| count == into.len()))
    }
}

/// Returns the other segments that the holders of a segment hold.
#[must_use]
pub fn related<'a>(segment: &Segment, segments: &'a [Segment]) -> Vec<&'a Segment> {
    /// More than the locks of any program are spread over.
    const MAX_RELATED: usize = 64;
    let pids: BTreeSet<u32> = holders_of(segment).map(|holder| holder.pid).collect();
    let is_related = |other: &&Segment| {
        other.id != segment.id && holders_of(other).any(|holder| pids.contains(&holder.pid))
    };
    segments.iter().filter(is_related).take(MAX_RELATED).collect()
}

fn holders_of(segment: &Segment) -> impl Iterator<Item = &Holder> {
    segment.holders.as_deref().unwrap_or_default().iter()
}

/// The locks that the contents show.
fn found(read: ReadBytes<'_>, segment: &Segment) -> Vec<(u64, LockKind)> {
    let fits = fitting(read, segment.size.0, is_semaphore(segment));
    let locks = fits.iter().filter_map(|fit| Some((fit.offset, LockKind::of(&fit.built.ty)?)));
    locks.filter(|&(offset, kind)| kind != LockKind::Mutex || !is_ambiguous(read, offset)).collect()
}

/// Returns true for an unlocked plain mutex: all its words are 0 but one, as are those of a semaphore 8
/// bytes later.
fn is_ambiguous(read: ReadBytes<'_>, offset: u64) -> bool {
    let mut words = [0; 20];
    let rest = |words: &[u8; 20]| words[..16].iter().all(|&byte| byte == 0) && words[16..] == [0x80, 0, 0, 0];
    !read(offset, &mut words) || rest(&words)
}
