//! Removes segments: `IPC_RMID` for System V, and unlinking for POSIX. Removes only the segment
//! that was shown.

use super::actor::Actor;
use super::copies::KeepError;
use super::recent::UNSEEN;
use super::save::{foresee, shown};
use super::{
    ActError, Copies, Copying, Done, Options, Plan, Refusal, SaveError, StateError, Step, Target, Undo,
    cannot_come_back, permitted,
};
use crate::machine::control::{Capability, Removal as Unlinked, SysvStat};
use crate::memory::{OpenError, Reader};
use crate::segment::{Bytes, Facts, ObjectName, Segment, SegmentId, ShmId, State, SysvFacts, quote_path};
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, faccessat};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A check slower than this was probably preempted; retry up to `MAX_CHECKS` times.
const SHORT: Duration = Duration::from_micros(100);
const MAX_CHECKS: usize = 10;
const USE_FORCE: &str = "Use --force to remove the segment anyway";

/// Plans the removal.
pub fn plan(target: Target<'_>, copying: &Copying, copies: Option<&Copies>, plan: &mut Plan) {
    let segment = target.segment;
    let guards = permitted::guards(target);
    match &segment.facts {
        Facts::Sysv(facts) => plan_sysv(segment, facts, plan),
        Facts::Posix(_) => plan_posix(target, guards.map_or(1, |guards| guards.links), plan),
    }
    // Checked before the copy: without permission, no copy helps.
    if let Some(refusal) = permitted::removal_with(target, guards.as_ref()) {
        plan.refuse(refusal);
    }
    plan.copies_at = Some(plan.will.len());
    match copying {
        Copying::Without => plan.undo = Undo::No("no copy saved".to_owned()),
        Copying::Keep => match copies {
            Some(copies) => plan_copy(target, copies, plan),
            None => plan.refuse_without_copy(&Refusal::new(
                "no copy can be saved: you have no home directory, and XDG_STATE_HOME is not set",
                "Set XDG_STATE_HOME, or remove the segment without a copy",
            )),
        },
        Copying::To(path) => {
            let error = match readable(target) {
                Ok(()) => foresee_file(path, segment).map(|error| error.to_string()),
                Err(error) => Some(error.to_string()),
            };
            match error {
                None => will_keep(segment, &format!(" to {}", shown(path)), &quote_path(path), plan),
                Some(error) => {
                    plan.undo = Undo::No("no copy can be saved".to_owned());
                    plan.refuse(Refusal::new(error, "Not removed"));
                }
            }
        }
    }
}

/// Plans a copy among the copies of this user.
fn plan_copy(target: Target<'_>, copies: &Copies, plan: &mut Plan) {
    let segment = target.segment;
    match readable(target).and_then(|()| copies.foresee(segment)) {
        Ok(outlook) => {
            // The name of the file is chosen when it is written.
            will_keep(segment, "", "FILE", plan);
            for sentence in outlook.sentences(target.machine.now()) {
                plan.say(sentence);
            }
            if plan.refusal.is_none() {
                plan.copies = Some(copies.planned(segment, &outlook));
            }
        }
        Err(error) => {
            plan.undo = Undo::No("no copy can be saved".to_owned());
            match gone(segment, &error) {
                Some((what, how)) => {
                    plan.gone = what == "gone";
                    plan.refuse(Refusal::new(format!("{what}: {how}"), "Nothing was removed"));
                }
                None => plan.refuse_without_copy(&no_copy(error.to_string(), plan.options)),
            }
        }
    }
}

/// Returns the reason why the segment can neither be copied nor removed: its name no longer exists
/// or belongs to another object.
fn gone(segment: &Segment, error: &KeepError) -> Option<(&'static str, &'static str)> {
    match (error, &segment.id) {
        (KeepError::Unreadable(OpenError::Gone { .. }), _) => Some(("gone", "removed since it was listed")),
        (KeepError::Unreadable(OpenError::Replaced { .. }), SegmentId::Sysv(_)) => {
            Some(("replaced", "its shmid now belongs to another segment"))
        }
        (KeepError::Unreadable(OpenError::Replaced { .. }), _) => {
            Some(("replaced", "its name now belongs to another object"))
        }
        _ => None,
    }
}

fn readable(target: Target<'_>) -> Result<(), KeepError> {
    Reader::predict_trace(target.machine, target.segment).map(drop).map_err(KeepError::Unreadable)
}

/// Predicts, without writing, the error of saving a copy of the segment to this path.
fn foresee_file(path: &Path, segment: &Segment) -> Option<SaveError> {
    if let Err(error) = foresee(path, false) {
        return Some(error);
    }
    let failed = |source| Some(SaveError::Write { path: path.to_owned(), source });
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match fs::metadata(directory) {
        Ok(facts) if !facts.is_dir() => return failed(io::ErrorKind::NotADirectory.into()),
        Ok(_) => {}
        Err(error) => return failed(error),
    }
    let access = AccessFlags::W_OK | AccessFlags::X_OK;
    if let Err(error) = faccessat(AT_FDCWD, directory, access, AtFlags::AT_EACCESS) {
        return failed(error.into());
    }
    let room =
        statvfs(directory).ok().map(|stat| stat.blocks_available().saturating_mul(stat.fragment_size()));
    match room {
        Some(room) if room < held_by(segment).0 => failed(io::Error::from_raw_os_error(libc::ENOSPC)),
        _ => None,
    }
}

fn will_keep(segment: &Segment, place: &str, file: &str, plan: &mut Plan) {
    plan.say(format!("a copy is saved first{place}, without {}", cannot_come_back(segment)));
    plan.undo = Undo::Yes(format!("shmlens restore {file}"));
}

/// Returns the memory that a segment uses: resident pages, and for System V also swapped pages.
fn held_by(segment: &Segment) -> Bytes {
    let swapped = segment.sysv().and(segment.swapped).unwrap_or_default();
    Bytes(segment.resident.unwrap_or(segment.size).0.saturating_add(swapped.0))
}

fn plan_sysv(segment: &Segment, facts: &SysvFacts, plan: &mut Plan) {
    let memory = held_by(segment);
    if facts.nattch == 0 {
        plan.frees = memory;
        plan.say(format!("frees {memory} now"));
    } else {
        // If some holders are unknown, the number of attachments is more informative.
        let who = if segment.unseen() == 0 { detaching(segment) } else { None };
        let who = who.unwrap_or_else(|| format!("{} detaches", last_of(facts.nattch)));
        plan.say(format!("marked for removal; {memory} freed when {who}"));
        let reason = format!("in use: {}", attached(facts.nattch));
        plan.refuse(Refusal { reason, remedy: USE_FORCE.to_owned(), forceable: true });
    }
    refuse_protected(segment, plan);
}

/// Describes the attachments that must end before the memory is freed.
fn last_of(nattch: u64) -> String {
    match nattch {
        1 => "its only attachment".to_owned(),
        more => format!("the last of {more} attachments"),
    }
}

fn plan_posix(target: Target<'_>, links: u32, plan: &mut Plan) {
    let segment = target.segment;
    let memory = held_by(segment);
    let links = links.saturating_sub(plan.options.links_gone);
    let state = segment.verdict.state;
    // Ask the kernel now if the user named the segment or its state is settled, unless the answer
    // would change nothing.
    let unheld = !matches!(state, State::InUse | State::Removed)
        && segment.holders.as_deref().is_none_or(<[_]>::is_empty);
    let lease = if unheld && !plan.options.force { target.lease() } else { None };
    let free = match lease {
        Some(refused) => !refused,
        None => matches!(state, State::Idle | State::Leaked(_) | State::Protected),
    };
    let detaching = detaching(segment);
    if links < 2 && detaching.is_none() && free {
        plan.frees = memory;
    }
    plan.say(match (links, detaching) {
        (2.., _) => format!("unlinks now; {}", kept_by(links - 1)),
        (_, Some(who)) => format!("unlinks now; {memory} freed when {who}"),
        (_, None) if free => format!("frees {memory} now"),
        (_, None) => format!("unlinks now; {memory} freed now or when its last holder detaches"),
    });
    let reasons = segment.verdict.reasons.join("; ");
    let reason = match state {
        // The details view lists the evidence; the plan names the holders.
        State::InUse => format!("in use: {}", segment.verdict.reasons.first().map_or("", String::as_str)),
        _ if free => return refuse_protected(segment, plan),
        State::Removed | State::Unknown => format!("may still be in use: {reasons}"),
        State::Idle | State::Leaked(_) | State::Protected => {
            format!("may still be in use: {UNSEEN} (the kernel refused a write lease)")
        }
    };
    // `clean` has no `--force`.
    let remedy = if plan.options.clean { plan.options.again() } else { USE_FORCE };
    plan.refuse(Refusal { reason, remedy: remedy.to_owned(), forceable: true });
}

/// Describes the hard links that remain after one name is removed.
fn kept_by(links: u32) -> String {
    match links {
        1 => "1 other hard link remains".to_owned(),
        more => format!("{more} other hard links remain"),
    }
}

fn refuse_protected(segment: &Segment, plan: &mut Plan) {
    if segment.verdict.state == State::Protected {
        plan.refuse(Refusal {
            reason: format!("protected: {}", segment.verdict.reasons.join("; ")),
            remedy: USE_FORCE.to_owned(),
            forceable: true,
        });
    }
}

/// Returns `grabber (4121) detaches`, or `writer (7), reader.py (8) and 2 more detach`.
fn detaching(segment: &Segment) -> Option<String> {
    let holders = segment.holders.as_deref().unwrap_or_default();
    let first: Vec<String> =
        holders.iter().take(3).map(|holder| format!("{} ({})", holder.command_text(), holder.pid)).collect();
    let names = first.join(", ");
    match (holders.len(), holders.len().saturating_sub(first.len())) {
        (0, _) => None,
        (1, _) => Some(format!("{names} detaches")),
        (_, 0) => Some(format!("{names} detach")),
        (_, more) => Some(format!("{names} and {more} more detach")),
    }
}

fn attached(nattch: u64) -> String {
    let times = match nattch {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    };
    format!("attached {times} (nattch {nattch})")
}

fn no_copy(why: String, options: Options) -> Refusal {
    let elsewhere = if options.clean { "" } else { "--save FILE to save a copy elsewhere, or " };
    Refusal::new(why, format!("Use {elsewhere}--no-copy to remove it without one"))
}

/// A removal in progress.
pub struct Removal<'a> {
    pub actor: &'a Actor<'a>,
    pub target: Target<'a>,
    pub options: Options,
}

impl Removal<'_> {
    /// Removes the segment after its copy is complete and on the disk.
    pub fn apply(&self, copying: &Copying, copies: Option<&Copies>) -> Result<Done, ActError> {
        let segment = self.target.segment;
        self.refuse_used()?;
        match copying {
            Copying::Without => self.remove(),
            Copying::Keep => {
                let Some(copies) = copies else {
                    // The plan refuses this already.
                    return Err(not_kept(segment, StateError::Homeless.into()));
                };
                let deleted = self.make_room(copies).inspect_err(|_| copies.forget(segment))?;
                let copy = copies.keep(self.actor, segment).map_err(|error| not_kept(segment, error));
                let removed = copy.and_then(|copy| {
                    copies.kept(segment, &copy.path);
                    self.remove_copied(Some(copies), copy.path.clone()).inspect_err(|_| {
                        if !copy.path.exists() {
                            copies.forget(segment);
                        }
                    })
                });
                match removed {
                    Ok(mut done) => {
                        done.said.extend(older_deleted(deleted, "to make room"));
                        Ok(done)
                    }
                    Err(error) if deleted > 0 => {
                        Err(ActError::CopiesDeleted { deleted, source: Box::new(error) })
                    }
                    Err(error) => Err(error),
                }
            }
            Copying::To(path) => {
                let copy = self.actor.save(segment, path).map_err(|error| match error {
                    SaveError::Stopped { id } => ActError::Stopped { subject: id.to_string() },
                    source => ActError::NotCopied { id: segment.id.clone(), source },
                })?;
                self.remove_copied(None, copy.path)
            }
        }
    }

    /// Refuses a System V segment without holders that was attached and detached after it was
    /// listed: its verdict is outdated. Runs before the copy, which attaches the segment too. POSIX
    /// objects have no attach or detach times.
    fn refuse_used(&self) -> Result<(), ActError> {
        let Target { machine, segment } = self.target;
        let SegmentId::Sysv(shmid) = segment.id else { return Ok(()) };
        if self.options.force || !matches!(segment.verdict.state, State::Idle | State::Leaked(_)) {
            return Ok(());
        }
        let Ok(stat) = machine.sysv_stat(shmid) else { return Ok(()) };
        let times = (segment.times.attach, segment.times.detach);
        // The check before the removal reports current holders.
        if stat.nattch > 0 || (stat.attach, stat.detach) == times {
            return Ok(());
        }
        let reason = "in use: attached and detached since it was listed".to_owned();
        Err(ActError::InUseNow { id: self.target.id(), reason, remedy: self.options.again() })
    }

    /// Deletes the copies that the plan names if there is still not enough disk space. They are lost
    /// even if the removal fails later, so all other checks run first.
    fn make_room(&self, copies: &Copies) -> Result<usize, ActError> {
        let segment = self.target.segment;
        let old = copies.to_delete(segment).map_err(|error| not_kept(segment, error))?;
        if old.is_empty() {
            return Ok(0);
        }
        match &segment.id {
            SegmentId::Sysv(shmid) => self.check_unattached(*shmid, 0).map(drop)?,
            SegmentId::Posix(name) => {
                self.check_unheld(name)?;
                self.target.check_posix(name).map(drop)?;
            }
            SegmentId::Deleted { .. } => return Err(self.target.gone()),
        }
        readable(self.target).map_err(|error| not_kept(segment, error))?;
        Ok(old.iter().filter(|path| fs::remove_file(path).is_ok()).count())
    }

    /// Removes a segment whose copy is on the disk.
    fn remove_copied(&self, copies: Option<&Copies>, copy: PathBuf) -> Result<Done, ActError> {
        let removed = if self.actor.progress.is_cancelled() {
            Err(ActError::Stopped { subject: self.target.id().to_string() })
        } else {
            self.remove()
        };
        match removed {
            Ok(mut done) => {
                // Enforced only after the removal, so that a failed one costs no other segment its
                // copy.
                if let Some(copies) = copies {
                    let deleted = copies.enforce_limit(&copy).len();
                    let why = format!("(limit for copies: {})", copies.limit());
                    done.said.extend(older_deleted(deleted, &why));
                }
                done.copy = Some(copy);
                Ok(done)
            }
            Err(error) => {
                if error.nothing_done() || self.target.is_there() {
                    // This call created the copy, and the segment was not removed.
                    let _ = fs::remove_file(copy);
                }
                Err(error)
            }
        }
    }

    fn remove(&self) -> Result<Done, ActError> {
        match &self.target.segment.id {
            SegmentId::Sysv(shmid) => self.remove_sysv(*shmid),
            SegmentId::Posix(name) => self.unlink(name),
            SegmentId::Deleted { .. } => Err(self.target.gone()),
        }
    }

    /// Refuses an object that has a holder now. Reports an object that is gone as gone instead.
    /// Returns whether the kernel granted a write lease on the object.
    fn check_unheld(&self, name: &ObjectName) -> Result<bool, ActError> {
        let checked = self.actor.recent.check(self.target, self.options);
        checked.or_else(|refused| self.target.check_posix(name).and(Err(refused)))
    }

    fn remove_sysv(&self, shmid: ShmId) -> Result<Done, ActError> {
        let Target { machine, segment } = self.target;
        let mut stat = self.check_unattached(shmid, 0)?;
        let pin = if self.options.many {
            None
        } else {
            match machine.sysv_pin(shmid) {
                // From here on, the kernel cannot reuse the shmid.
                Ok(pin) => {
                    stat = self.check_unattached(shmid, 1)?;
                    Some(pin)
                }
                // The segment was removed after the check, and its shmid may already be reused.
                Err(error) if is_gone(&error) => return Err(self.target.gone()),
                // The owner may lack permission to attach the segment. Then a check right before the
                // removal has to suffice, as in a batch.
                Err(_) => {
                    stat = self.check_unattached(shmid, 0)?;
                    None
                }
            }
        };
        machine
            .sysv_remove(shmid)
            .map_err(|error| ActError::of(self.target, Step::Remove, Capability::SysAdmin, error))?;
        drop(pin);
        let id = self.target.id();
        match machine.sysv_stat(shmid) {
            // The shmid may already belong to another segment.
            Ok(now) if now.marked => {
                let (freed, last) = (held_by(segment), last_of(now.nattch));
                Ok(Done::new(id, format!("marked for removal; {freed} freed when {last} detaches")))
            }
            Ok(now)
                if now.creator_pid == stat.creator_pid
                    && now.key == stat.key
                    && now.change == stat.change =>
            {
                Err(self.target.unverified("that it is not marked for removal"))
            }
            Ok(_) => Ok(Done::new(id, "removed")),
            Err(error) if is_gone(&error) => Ok(Done::new(id, "removed")),
            Err(source) => Err(self.target.unverifiable(source)),
        }
    }

    /// Checks that this is the segment that was listed, and that no process has attached it since.
    /// `ours` is the number of our own attachments. Retries a slow check, because this process may
    /// have been preempted in between.
    fn check_unattached(&self, shmid: ShmId, ours: u64) -> Result<SysvStat, ActError> {
        let mut began = Instant::now();
        let mut stat = self.target.check_sysv(shmid)?;
        for _ in 0..MAX_CHECKS {
            if began.elapsed() < SHORT {
                break;
            }
            began = Instant::now();
            stat = self.target.check_sysv(shmid)?;
        }
        match stat.nattch.saturating_sub(ours) {
            0 => Ok(stat),
            _ if self.options.force || stat.marked => Ok(stat),
            nattch => {
                let mut segment = self.target.segment.clone();
                if let Facts::Sysv(facts) = &mut segment.facts {
                    facts.nattch = nattch;
                }
                let target = self.actor.on(&segment);
                Err(self.actor.recent.in_use(target, &attached(nattch), self.options))
            }
        }
    }

    /// Unlinks the object. If the kernel grants a write lease on the object first, it has to grant
    /// another one under the temporary name, because a process may have opened the object in the
    /// meantime.
    fn unlink(&self, name: &ObjectName) -> Result<Done, ActError> {
        let Target { machine, segment } = self.target;
        let leased = self.check_unheld(name)?;
        let (held, before) = self.target.check_posix(name)?;
        let id = self.target.id();
        let identity = segment.identity();
        let may_go =
            |now: &ObjectName| !leased || !matches!(machine.is_open_elsewhere(now, &identity), Ok(true));
        let removal = machine
            .unlink(name, held.as_ref(), &may_go)
            .map_err(|error| ActError::of(self.target, Step::Remove, Capability::Fowner, error))?;
        match removal {
            Unlinked::Removed => {}
            Unlinked::Gone => return Err(self.target.gone()),
            Unlinked::Another => {
                return Err(self.target.not_the_same("its name now belongs to another object"));
            }
            Unlinked::Refused => {
                return Err(self.actor.recent.in_use(self.target, "opened just now", self.options));
            }
            Unlinked::Astray(now) => return Err(ActError::Astray { id, now: SegmentId::Posix(now) }),
        }
        let now = held.stat().map_err(|source| self.target.unverifiable(source))?;
        if now.links >= before.links {
            return Err(self.target.unverified("an unchanged hard link count"));
        }
        let mut done = Done::new(id, "removed");
        if now.links > 0 {
            done.said.push(kept_by(now.links));
        }
        Ok(done)
    }
}

fn not_kept(segment: &Segment, error: KeepError) -> ActError {
    let id = segment.id.clone();
    match error {
        KeepError::Save(SaveError::Stopped { id }) => ActError::Stopped { subject: id.to_string() },
        KeepError::Unreadable(OpenError::Gone { id }) => ActError::Gone { id },
        source => match gone(segment, &source) {
            Some((_, how)) => ActError::NotTheSame { id, how: how.to_owned() },
            None => ActError::NotKept { id, source },
        },
    }
}

fn older_deleted(count: usize, why: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 older copy deleted {why}")),
        many => Some(format!("{many} older copies deleted {why}")),
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EIDRM))
}
