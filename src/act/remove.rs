//! Removes segments: `IPC_RMID` for System V, and unlinking for POSIX. Removes only the segment
//! that was shown.

use super::again::{Named, named, posix, sysv};
use super::copies::KeepError;
use super::recent::{UNSEEN, lease};
use super::save::{foresee, shown};
use super::{
    ActError, Action, Copies, Copying, Done, Options, Plan, Recent, Refusal, SaveError, Step, Task, Undo,
    cannot_come_back, permitted, save,
};
use crate::machine::Machine;
use crate::machine::control::{Capability, Removal, SysvStat};
use crate::memory::{OpenError, Progress, Reader};
use crate::segment::{Bytes, Facts, ObjectName, Segment, SegmentId, ShmId, State, SysvFacts, quote_path};
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, faccessat};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A check slower than this was probably preempted; retry up to `LOOKS` times.
const SHORT: Duration = Duration::from_micros(100);
const LOOKS: usize = 10;
const USE_FORCE: &str = "Use --force to remove the segment anyway";

/// Plans the removal.
pub fn plan(machine: &dyn Machine, segment: &Segment, copying: &Copying, plan: &mut Plan) {
    let guards = permitted::guards(machine, segment);
    match &segment.facts {
        Facts::Sysv(facts) => plan_sysv(segment, facts, plan),
        Facts::Posix(_) => plan_posix(machine, segment, guards.map_or(1, |guards| guards.links), plan),
    }
    // Checked before the copy: without permission, no copy helps.
    if let Some(refusal) = permitted::removal_with(machine, segment, guards.as_ref()) {
        plan.refuse(refusal);
    }
    plan.copies_at = Some(plan.will.len());
    match copying {
        Copying::Without => plan.undo = Undo::No("no copy saved".to_owned()),
        Copying::Keep(copies) => match readable(machine, segment).and_then(|()| copies.foresee(segment)) {
            Ok(outlook) => {
                // The name of the file is chosen when it is written.
                will_keep(segment, "", "FILE", plan);
                for sentence in outlook.sentences(machine.now()) {
                    plan.say(sentence);
                }
                if plan.refusal.is_none() {
                    let action = Action::Remove(Copying::Keep(copies.planned(segment, &outlook)));
                    plan.task = Task::Change { segment: Box::new(segment.clone()), action };
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
        },
        Copying::To(path) => {
            let error = match readable(machine, segment) {
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

fn readable(machine: &dyn Machine, segment: &Segment) -> Result<(), KeepError> {
    Reader::predict_trace(machine, segment).map(drop).map_err(KeepError::Unreadable)
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

fn plan_posix(machine: &dyn Machine, segment: &Segment, links: u32, plan: &mut Plan) {
    let memory = held_by(segment);
    let links = links.saturating_sub(plan.options.links_gone);
    let state = segment.verdict.state;
    // Ask the kernel now if the user named the segment or its state is settled, unless the answer
    // would change nothing.
    let unheld = !matches!(state, State::InUse | State::Removed)
        && segment.holders.as_deref().is_none_or(<[_]>::is_empty);
    let lease = if unheld && !plan.options.force { lease(machine, segment) } else { None };
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

/// Refuses a System V segment without holders that was attached and detached after it was listed:
/// its verdict is outdated. Runs before the copy, which attaches the segment too. POSIX objects
/// have no attach or detach times.
fn refuse_used(machine: &dyn Machine, segment: &Segment, options: Options) -> Result<(), ActError> {
    let SegmentId::Sysv(shmid) = &segment.id else { return Ok(()) };
    if options.force || !matches!(segment.verdict.state, State::Idle | State::Leaked(_)) {
        return Ok(());
    }
    let Ok(stat) = machine.sysv_stat(*shmid) else { return Ok(()) };
    let times = (segment.times.attach, segment.times.detach);
    // The check before the removal reports current holders.
    if stat.nattch > 0 || (stat.attach, stat.detach) == times {
        return Ok(());
    }
    let reason = "in use: attached and detached since it was listed".to_owned();
    Err(ActError::InUseNow { id: segment.id.clone(), reason, remedy: options.again() })
}

/// The context of a removal.
pub struct Now<'a> {
    pub options: Options,
    /// Reports progress and requests cancellation.
    pub progress: &'a Progress,
    /// A recent scan of the holders.
    pub recent: &'a Recent,
}

/// Removes the segment after its copy is complete and on the disk.
pub fn apply(
    machine: &dyn Machine,
    segment: &Segment,
    copying: &Copying,
    now: &Now<'_>,
) -> Result<Done, ActError> {
    let progress = now.progress;
    refuse_used(machine, segment, now.options)?;
    match copying {
        Copying::Without => remove(machine, segment, now),
        Copying::Keep(copies) => {
            let deleted = make_room(machine, segment, copies, now).inspect_err(|_| copies.forget(segment))?;
            let copy = copies.keep(machine, segment, progress).map_err(|error| not_kept(segment, error));
            let removed = copy.and_then(|copy| {
                copies.kept(segment, &copy.path);
                remove_copied(machine, segment, copying, copy.path.clone(), now).inspect_err(|_| {
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
            let copy = save(machine, segment, path, progress).map_err(|error| match error {
                SaveError::Stopped { id } => ActError::Stopped { subject: id.to_string() },
                source => ActError::NotCopied { id: segment.id.clone(), source },
            })?;
            remove_copied(machine, segment, copying, copy.path, now)
        }
    }
}

/// Deletes the copies that the plan names if there is still not enough disk space. They are lost
/// even if the removal fails later, so all other checks run first.
fn make_room(
    machine: &dyn Machine,
    segment: &Segment,
    copies: &Copies,
    now: &Now<'_>,
) -> Result<usize, ActError> {
    let old = copies.to_delete(segment).map_err(|error| not_kept(segment, error))?;
    if old.is_empty() {
        return Ok(0);
    }
    match named(segment) {
        Named::Sysv(shmid) => look(machine, segment, shmid, 0, now).map(drop)?,
        Named::Posix(name) => {
            unheld(machine, segment, name, now)?;
            posix(machine, segment, name).map(drop)?;
        }
        Named::Nothing => return Err(ActError::Gone { id: segment.id.clone() }),
    }
    readable(machine, segment).map_err(|error| not_kept(segment, error))?;
    Ok(old.iter().filter(|path| fs::remove_file(path).is_ok()).count())
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

/// Removes a segment whose copy is on the disk.
fn remove_copied(
    machine: &dyn Machine,
    segment: &Segment,
    copying: &Copying,
    copy: PathBuf,
    now: &Now<'_>,
) -> Result<Done, ActError> {
    let removed = if now.progress.is_cancelled() {
        Err(ActError::Stopped { subject: segment.id.to_string() })
    } else {
        remove(machine, segment, now)
    };
    match removed {
        Ok(mut done) => {
            // Enforced only after the removal, so that a failed one costs no other segment its
            // copy.
            if let Copying::Keep(copies) = copying {
                let deleted = copies.enforce_limit(&copy).len();
                done.said.extend(older_deleted(deleted, &format!("(limit for copies: {})", copies.limit())));
            }
            done.copy = Some(copy);
            Ok(done)
        }
        Err(error) => {
            if error.nothing_done() || is_there(machine, segment) {
                // This call created the copy, and the segment was not removed.
                let _ = fs::remove_file(copy);
            }
            Err(error)
        }
    }
}

/// Returns whether the name still belongs to the segment that was shown.
fn is_there(machine: &dyn Machine, segment: &Segment) -> bool {
    match named(segment) {
        Named::Sysv(shmid) => sysv(machine, segment, shmid).is_ok(),
        Named::Posix(name) => posix(machine, segment, name).is_ok(),
        Named::Nothing => false,
    }
}

fn remove(machine: &dyn Machine, segment: &Segment, now: &Now<'_>) -> Result<Done, ActError> {
    match named(segment) {
        Named::Sysv(shmid) => apply_sysv(machine, segment, shmid, now),
        Named::Posix(name) => {
            let leased = unheld(machine, segment, name, now)?;
            apply_posix(machine, segment, name, leased, now)
        }
        Named::Nothing => Err(ActError::Gone { id: segment.id.clone() }),
    }
}

/// Refuses an object that has a holder now, see [`Recent::check`]. Reports an object that is gone
/// as gone instead.
fn unheld(
    machine: &dyn Machine,
    segment: &Segment,
    name: &ObjectName,
    now: &Now<'_>,
) -> Result<bool, ActError> {
    let checked = now.recent.check(machine, segment, now.options);
    checked.or_else(|refused| posix(machine, segment, name).and(Err(refused)))
}

fn apply_sysv(
    machine: &dyn Machine,
    segment: &Segment,
    shmid: ShmId,
    now: &Now<'_>,
) -> Result<Done, ActError> {
    let mut stat = look(machine, segment, shmid, 0, now)?;
    let pin = if now.options.many {
        None
    } else {
        match machine.sysv_pin(shmid) {
            // From here on, the kernel cannot reuse the shmid.
            Ok(pin) => {
                stat = look(machine, segment, shmid, 1, now)?;
                Some(pin)
            }
            // The segment was removed after the check, and its shmid may already be reused.
            Err(error) if is_gone(&error) => return Err(ActError::Gone { id: segment.id.clone() }),
            // The owner may lack permission to attach the segment. Then a check right before the
            // removal has to suffice, as in a batch.
            Err(_) => {
                stat = look(machine, segment, shmid, 0, now)?;
                None
            }
        }
    };
    machine
        .sysv_remove(shmid)
        .map_err(|error| ActError::of(machine, segment, Step::Remove, Capability::SysAdmin, error))?;
    drop(pin);
    let id = segment.id.clone();
    match machine.sysv_stat(shmid) {
        // The shmid may already belong to another segment.
        Ok(now) if now.marked => {
            let freed = held_by(segment);
            Ok(Done::new(
                id,
                format!("marked for removal; {freed} freed when {} detaches", last_of(now.nattch)),
            ))
        }
        Ok(now)
            if now.creator_pid == stat.creator_pid && now.key == stat.key && now.change == stat.change =>
        {
            Err(ActError::Unverified { id, found: "that it is not marked for removal".to_owned() })
        }
        Ok(_) => Ok(Done::new(id, "removed")),
        Err(error) if is_gone(&error) => Ok(Done::new(id, "removed")),
        Err(source) => Err(super::permissions::verifying(segment, source)),
    }
}

/// Checks that this is the segment that was shown, and that no process has attached it since.
/// `ours` is the number of our own attachments. Retries a slow check, because this process may have
/// been preempted in between.
fn look(
    machine: &dyn Machine,
    segment: &Segment,
    shmid: ShmId,
    ours: u64,
    now: &Now<'_>,
) -> Result<SysvStat, ActError> {
    let mut began = Instant::now();
    let mut stat = sysv(machine, segment, shmid)?;
    for _ in 0..LOOKS {
        if began.elapsed() < SHORT {
            break;
        }
        began = Instant::now();
        stat = sysv(machine, segment, shmid)?;
    }
    match stat.nattch.saturating_sub(ours) {
        0 => Ok(stat),
        _ if now.options.force || stat.marked => Ok(stat),
        nattch => {
            let mut segment = segment.clone();
            if let Facts::Sysv(facts) = &mut segment.facts {
                facts.nattch = nattch;
            }
            Err(now.recent.in_use(machine, &segment, &attached(nattch), now.options))
        }
    }
}

/// Unlinks the object. If `leased` is set, the kernel granted a write lease on the object earlier.
/// Then it has to grant another one under the temporary name, because a process may have opened the
/// object in the meantime.
fn apply_posix(
    machine: &dyn Machine,
    segment: &Segment,
    name: &ObjectName,
    leased: bool,
    now: &Now<'_>,
) -> Result<Done, ActError> {
    let (held, before) = posix(machine, segment, name)?;
    let id = segment.id.clone();
    let identity = segment.identity();
    let may_go =
        |aside: &ObjectName| !leased || !matches!(machine.is_open_elsewhere(aside, &identity), Ok(true));
    let removal = machine.unlink(name, held.as_ref(), &may_go);
    let removal =
        removal.map_err(|error| ActError::of(machine, segment, Step::Remove, Capability::Fowner, error))?;
    match removal {
        Removal::Removed => {}
        Removal::Gone => return Err(ActError::Gone { id }),
        Removal::Another => {
            return Err(ActError::NotTheSame {
                id,
                how: "its name now belongs to another object".to_owned(),
            });
        }
        Removal::Refused => return Err(now.recent.in_use(machine, segment, "opened just now", now.options)),
        Removal::Astray(now) => return Err(ActError::Astray { id, now: SegmentId::Posix(now) }),
    }
    let now = held.stat().map_err(|source| super::permissions::verifying(segment, source))?;
    if now.links >= before.links {
        return Err(ActError::Unverified { id, found: "an unchanged hard link count".to_owned() });
    }
    let mut done = Done::new(id, "removed");
    if now.links > 0 {
        done.said.push(kept_by(now.links));
    }
    Ok(done)
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EIDRM))
}
