//! The kernel's answer to whether anybody holds a POSIX object that no process was found to hold: a write
//! lease.
//!
//! Its owner and root may ask. It is asked once for each scan of the processes, and only for what has not
//! been used for a while: a program that opens the object at that moment has to wait.

use crate::machine::Machine;
use crate::machine::process::{Examined, Object, Processes, Wanted};
use crate::segment::{Identity, Segment, SegmentId, Timestamp, age_text};
use crate::survey::Holdings;
use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// What came of asking for a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// Nobody else has the object open or mapped.
    Granted,
    /// Somebody has, whatever else is known.
    Refused,
    /// This user may ask, but not yet.
    TooFresh,
    /// This user may not ask, or the kernel did not tell.
    NotAsked,
}

/// The answers since the last scan of the processes.
#[derive(Debug, Default)]
pub struct Answers {
    of: Option<Timestamp>,
    said: HashMap<SegmentId, (Identity, Lease)>,
    /// Leases granted in earlier scans: those of what this program has opened since.
    before: HashMap<SegmentId, Identity>,
    /// Whether a private mapping could change a verdict, and they were not looked for.
    open: bool,
}

impl Answers {
    /// Returns whether a verdict of the last survey needs a scan of private mappings.
    pub const fn need_private(&self) -> bool {
        self.open
    }
}

/// Asks the kernel.
pub struct Proofs<'a> {
    machine: &'a dyn Machine,
    uid: u32,
    answers: RefCell<&'a mut Answers>,
    now: Timestamp,
    /// Objects used within this time are not asked about.
    quiet: Duration,
    /// What this program has open itself, asked at the first refusal.
    own: OnceCell<HashSet<Object>>,
}

impl<'a> Proofs<'a> {
    /// For one survey, with the answers since the scan that it goes by.
    pub fn new(
        machine: &'a dyn Machine,
        answers: &'a mut Answers,
        holdings: Option<&Holdings>,
        now: Timestamp,
        quiet: Duration,
    ) -> Self {
        let at = holdings.map(|holdings| holdings.at);
        if answers.of != at {
            answers.of = at;
            let granted = std::mem::take(&mut answers.said).into_iter();
            let granted = granted.filter(|(_, (_, lease))| *lease == Lease::Granted);
            answers.before = granted.map(|(id, (identity, _))| (id, identity)).collect();
        }
        answers.open = false;
        let uid = machine.effective_uid();
        Self { machine, uid, answers: RefCell::new(answers), now, quiet, own: OnceCell::new() }
    }

    /// Whether root asks.
    pub const fn by_root(&self) -> bool {
        self.uid == 0
    }

    /// Returns whether this user may ask about an object, now or later.
    pub fn may_ask(&self, segment: &Segment) -> bool {
        let owner = self.uid == segment.owner.uid && !self.is_shut(segment);
        matches!(segment.id, SegmentId::Posix(_)) && (self.by_root() || owner)
    }

    /// Returns whether an object's owner asks, whom its mode lets neither read nor write it.
    pub fn is_shut(&self, segment: &Segment) -> bool {
        const OWNER_OPENS: u32 = 0o600;
        let owner = !self.by_root() && self.uid == segment.owner.uid;
        owner && segment.mode.bits() & OWNER_OPENS == 0
    }

    /// Returns whether an object was used too recently to ask.
    pub fn is_fresh(&self, segment: &Segment) -> bool {
        segment.last_used().is_some_and(|then| {
            then.is_future(self.now) || self.now.seconds_since(then).max(0.0) < self.quiet.as_secs_f64()
        })
    }

    /// The step that tells when a fresh object is asked about.
    pub fn later(&self) -> String {
        let quiet = age_text(self.quiet.as_secs_f64());
        format!("shmlens asks the kernel (F_SETLEASE) once the segment has been unused for {quiet}")
    }

    /// Notes that private mappings could change a verdict.
    pub fn note_open(&self) {
        self.answers.borrow_mut().open = true;
    }

    /// Asks whether anybody has an object open or mapped.
    pub fn ask(&self, segment: &Segment, holdings: &Holdings) -> Lease {
        let SegmentId::Posix(name) = &segment.id else { return Lease::NotAsked };
        if !self.may_ask(segment) || holdings.of(segment).is_none() {
            return Lease::NotAsked;
        }
        let identity = segment.identity();
        let mut answers = self.answers.borrow_mut();
        // Our own descriptor would make the lease fail: the answer from before it was opened stands.
        let before = answers.before.get(&segment.id).is_some_and(|before| before.fits(&identity));
        let before = if before { Lease::Granted } else { Lease::TooFresh };
        if segment.holders.iter().flat_map(|all| all.iter()).any(|holder| holder.ourselves) {
            answers.said.insert(segment.id.clone(), (identity, before));
            return before;
        }
        if self.is_fresh(segment) {
            return Lease::TooFresh;
        }
        if let Some((asked, lease)) = answers.said.get(&segment.id)
            && asked.fits(&identity)
        {
            return *lease;
        }
        let lease = match self.machine.is_open_elsewhere(name, &identity) {
            // Another thread of ours may have opened it since the scan.
            Ok(true) if self.is_ours(segment) => before,
            Ok(true) => Lease::Refused,
            Ok(false) => Lease::Granted,
            Err(_) => Lease::NotAsked,
        };
        answers.said.insert(segment.id.clone(), (identity, lease));
        lease
    }

    /// Returns whether this program itself has an object open or mapped now.
    fn is_ours(&self, segment: &Segment) -> bool {
        let Some(facts) = segment.posix() else { return false };
        let of = Object::File { device: facts.device, inode: facts.inode };
        self.own.get_or_init(|| own_objects(self.machine)).contains(&of)
    }
}

/// The objects that this program has open or mapped.
fn own_objects(processes: &dyn Processes) -> HashSet<Object> {
    let segment_devices = processes.segment_devices().unwrap_or_default();
    let wanted = Wanted { segment_devices, private: true, as_text: false };
    match processes.examine(processes.own_pid(), &wanted) {
        Examined::Found(_, uses) => uses.iter().map(|one| one.of).collect(),
        _ => HashSet::new(),
    }
}
