//! Removing: `IPC_RMID`, and taking a POSIX object's name away; of exactly the
//! segment that was shown.

use super::again::{Named, named, posix, sysv};
use super::copies::KeepError;
use super::permissions::refuse_strangers;
use super::save::{foresee, shown};
use super::{
    ActError, Copying, Done, Options, Plan, Recent, Refusal, SaveError, Undo, cannot_come_back, save,
};
use crate::machine::Machine;
use crate::machine::control::{Capability, Removal, SysvStat};
use crate::memory::{Progress, Reader};
use crate::segment::{Facts, ObjectName, Segment, SegmentId, ShmId, State, SysvFacts};
use std::fs;
use std::io;
use std::time::{Duration, Instant};

const REMOVE: &str = "remove it";
/// A look that took longer has been interrupted, and is taken again, so often at most.
const SHORT: Duration = Duration::from_micros(100);
const LOOKS: usize = 10;
const SAY_FORCE: &str = "Say --force for this very segment";

/// What removing would do.
pub fn plan(machine: &dyn Machine, segment: &Segment, copying: &Copying, plan: &mut Plan) {
    match &segment.facts {
        Facts::Sysv(facts) => plan_sysv(machine, segment, facts, plan),
        Facts::Posix(_) => plan_posix(machine, segment, plan),
    }
    match copying {
        Copying::Without => {
            plan.say("no copy of its contents is kept");
            plan.undo = Undo::No("nothing brings the contents back".to_owned());
        }
        Copying::Keep(copies) => match readable(machine, segment).and_then(|()| copies.foresee(segment)) {
            Ok(()) => will_keep(segment, "with the others, in the state directory", plan),
            Err(error) => {
                plan.undo = Undo::No("no copy of it can be kept".to_owned());
                plan.refuse(no_copy(error.to_string()));
            }
        },
        Copying::To(path) => match readable(machine, segment) {
            Ok(()) => match foresee(path, false) {
                Ok(()) => will_keep(segment, &format!("in {}", shown(path)), plan),
                Err(error) => plan.refuse(no_copy(error.to_string())),
            },
            Err(error) => plan.refuse(no_copy(error.to_string())),
        },
    }
}

fn readable(machine: &dyn Machine, segment: &Segment) -> Result<(), KeepError> {
    Reader::foresee(machine, segment).map(drop).map_err(KeepError::Unreadable)
}

fn will_keep(segment: &Segment, place: &str, plan: &mut Plan) {
    plan.say(format!("a copy of it is kept first, {place}"));
    plan.undo = Undo::Yes(format!("`shmlens restore` brings it back, but not {}", cannot_come_back(segment)));
}

fn plan_sysv(machine: &dyn Machine, segment: &Segment, facts: &SysvFacts, plan: &mut Plan) {
    if facts.marked {
        plan.say(format!(
            "it is marked for removal already, and goes with its last attachment: {} left",
            facts.nattch
        ));
        return;
    }
    if facts.nattch == 0 {
        plan.say(format!("it goes at once, and its {} with it", segment.size));
    } else {
        let who = with_pids(segment);
        let by = if who.is_empty() { String::new() } else { format!(", held by {who}") };
        plan.say(format!(
            "it is marked for removal: its key goes now, its {} when {} ends{by}",
            segment.size,
            last_of(facts.nattch)
        ));
        plan.refuse(held(facts.nattch));
    }
    refuse_protected(segment, plan);
    refuse_strangers(machine, segment, REMOVE, Capability::SysAdmin, plan);
}

/// Which attachment has to end before the memory goes.
fn last_of(nattch: u64) -> String {
    match nattch {
        1 => "its one attachment".to_owned(),
        more => format!("the last of its {more} attachments"),
    }
}

fn plan_posix(machine: &dyn Machine, segment: &Segment, plan: &mut Plan) {
    let resident = segment.resident.unwrap_or(segment.size);
    plan.say(match (segment.holders_text(3).as_str(), segment.verdict.state) {
        ("", State::Idle | State::Leaked(_) | State::Protected) => {
            format!("its name goes now, and {resident} of memory with it")
        }
        ("", _) => {
            format!("its name goes now; {resident} of memory go with it, or stay until who holds it lets go")
        }
        (_, _) => format!("its name goes now; {resident} stay until {} let go", with_pids(segment)),
    });
    let me = machine.effective_uid();
    if me != segment.owner.uid && !machine.control().credentials().may(Capability::Fowner) {
        plan.say(format!(
            "it belongs to {}: where the directory is sticky, as /dev/shm is, only its owner and root remove it",
            segment.owner.user_text()
        ));
    }
    let reasons = segment.verdict.reasons.join("; ");
    match segment.verdict.state {
        State::InUse => plan.refuse(Refusal {
            reason: format!("it is in use: {reasons}"),
            remedy: format!("{SAY_FORCE}: its name goes, and who holds it keeps it"),
            forceable: true,
        }),
        State::Idle | State::Leaked(_) => {}
        State::Protected => refuse_protected(segment, plan),
        State::Removed | State::Unknown => plan.refuse(Refusal {
            reason: format!("that nobody holds it is not settled: {reasons}"),
            remedy: format!("{SAY_FORCE}; who holds it keeps it"),
            forceable: true,
        }),
    }
}

fn refuse_protected(segment: &Segment, plan: &mut Plan) {
    if segment.verdict.state == State::Protected {
        plan.refuse(Refusal {
            reason: format!("it must not be removed: {}", segment.verdict.reasons.join("; ")),
            remedy: format!("{SAY_FORCE} if you know better"),
            forceable: true,
        });
    }
}

/// `grabber (pid 4121) and 2 more`
fn with_pids(segment: &Segment) -> String {
    let holders = segment.holders.as_deref().unwrap_or_default();
    let named: Vec<String> = holders
        .iter()
        .take(3)
        .map(|holder| format!("{} (pid {})", holder.command_text(), holder.pid))
        .collect();
    match holders.len().saturating_sub(named.len()) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn held(nattch: u64) -> Refusal {
    let times = if nattch == 1 { "once".to_owned() } else { format!("{nattch} times") };
    Refusal {
        reason: format!("it is attached {times} (nattch {nattch})"),
        remedy: format!("{SAY_FORCE}: it is then marked, and goes with its last attachment"),
        forceable: true,
    }
}

fn no_copy(why: String) -> Refusal {
    Refusal::new(why, "Say --save FILE to keep one elsewhere, or --no-copy to remove it without one")
}

/// A System V segment that nobody held may have been attached and let go since
/// it was shown: then what was said of it is old. Asked before a copy is made,
/// which attaches it too. Of a POSIX one no time tells of a mapping.
fn refuse_used(machine: &dyn Machine, segment: &Segment, options: Options) -> Result<(), ActError> {
    let SegmentId::Sysv(shmid) = &segment.id else { return Ok(()) };
    if options.force || !matches!(segment.verdict.state, State::Idle | State::Leaked(_)) {
        return Ok(());
    }
    let Ok(stat) = machine.control().sysv_stat(*shmid) else { return Ok(()) };
    let times = (segment.times.attach, segment.times.detach);
    // Who is attached now is told by the look that follows.
    if stat.nattch > 0 || (stat.attach, stat.detach) == times {
        return Ok(());
    }
    let refusal = Refusal {
        reason: "it was attached since it was shown".to_owned(),
        remedy: "Look at it again: somebody uses it".to_owned(),
        forceable: true,
    };
    Err(ActError::Refused { subject: segment.id.to_string(), refusal })
}

/// What goes with the moment in which it is removed.
pub struct Now<'a> {
    /// What the person said besides.
    pub options: Options,
    /// How far it is, and whether to stop.
    pub progress: &'a Progress,
    /// Who holds what.
    pub recent: &'a Recent,
}

/// Removes it, once a copy of it is whole and on the disk.
pub fn apply(
    machine: &dyn Machine,
    segment: &Segment,
    copying: &Copying,
    now: &Now<'_>,
) -> Result<Done, ActError> {
    let progress = now.progress;
    refuse_used(machine, segment, now.options)?;
    let copy = match copying {
        Copying::Without => return remove(machine, segment, now),
        Copying::Keep(copies) => copies.keep(machine, segment, progress).map_err(|error| match error {
            KeepError::Save(SaveError::Stopped { id }) => ActError::Stopped { subject: id.to_string() },
            error => ActError::NotKept(error),
        }),
        Copying::To(path) => save(machine, segment, path, progress).map_err(|error| match error {
            SaveError::Stopped { id } => ActError::Stopped { subject: id.to_string() },
            error => error.into(),
        }),
    }?
    .path;
    let removed = if progress.is_cancelled() {
        Err(ActError::Stopped { subject: segment.id.to_string() })
    } else {
        remove(machine, segment, now)
    };
    match removed {
        Ok(mut done) => {
            done.said.push(format!("`shmlens restore {}` brings it back", shown(&copy)));
            // Only now: what was not removed costs no other its copy.
            if let Copying::Keep(copies) = copying {
                let dropped = copies.make_room(&copy).len();
                if dropped > 0 {
                    done.said.push(format!("{dropped} older copies went for its copy"));
                }
            }
            done.copy = Some(copy);
            Ok(done)
        }
        Err(error) => {
            if error.nothing_done() || is_there(machine, segment) {
                // Made by this very call, and a copy of nothing that went.
                let _ = fs::remove_file(copy);
            }
            Err(error)
        }
    }
}

/// Whether it still is what it was, under its name.
fn is_there(machine: &dyn Machine, segment: &Segment) -> bool {
    match named(segment) {
        Named::Sysv(shmid) => sysv(machine, segment, shmid).is_ok(),
        Named::Posix(name) => posix(machine, segment, name).is_ok(),
        Named::Nothing => false,
    }
}

fn remove(machine: &dyn Machine, segment: &Segment, now: &Now<'_>) -> Result<Done, ActError> {
    match named(segment) {
        Named::Sysv(shmid) => apply_sysv(machine, segment, shmid, now.options),
        Named::Posix(name) => {
            if !now.options.force {
                now.recent.check(machine, segment)?;
            }
            apply_posix(machine, segment, name)
        }
        Named::Nothing => Err(ActError::Gone { id: segment.id.clone() }),
    }
}

fn apply_sysv(
    machine: &dyn Machine,
    segment: &Segment,
    shmid: ShmId,
    options: Options,
) -> Result<Done, ActError> {
    let control = machine.control();
    let mut stat = look(machine, segment, shmid, 0, options.force)?;
    let pin = if options.many {
        None
    } else {
        match control.sysv_pin(shmid) {
            // From here on its number cannot pass to another one.
            Ok(pin) => {
                stat = look(machine, segment, shmid, 1, options.force)?;
                Some(pin)
            }
            // It went since the look, and its number may have passed on already.
            Err(error) if is_gone(&error) => return Err(ActError::Gone { id: segment.id.clone() }),
            // Who may not attach it may be its owner all the same. Then a look
            // right before has to do, as for one of many.
            Err(_) => {
                stat = look(machine, segment, shmid, 0, options.force)?;
                None
            }
        }
    };
    control
        .sysv_remove(shmid)
        .map_err(|error| ActError::of(machine, segment, REMOVE, Capability::SysAdmin, error))?;
    drop(pin);
    let id = segment.id.clone();
    match control.sysv_stat(shmid) {
        // Its place may have gone to another one already.
        Ok(now) if now.marked => {
            Ok(Done::new(id, format!("it is marked for removal, and goes when {} ends", last_of(now.nattch))))
        }
        Ok(now)
            if now.creator_pid == stat.creator_pid && now.key == stat.key && now.change == stat.change =>
        {
            Err(ActError::Unverified { id, found: "a segment that is not marked for removal".to_owned() })
        }
        Ok(_) => Ok(Done::new(id, "it is removed")),
        Err(error) if is_gone(&error) => Ok(Done::new(id, "it is removed")),
        Err(source) => Err(super::permissions::verifying(segment, source)),
    }
}

/// A look whether it is the one that was shown, and whether somebody has attached
/// it since. `ours` of the attachments are our own. What took long is looked at
/// once more: meanwhile we may not have run at all.
fn look(
    machine: &dyn Machine,
    segment: &Segment,
    shmid: ShmId,
    ours: u64,
    force: bool,
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
        _ if force || stat.marked => Ok(stat),
        nattch => Err(ActError::Refused { subject: segment.id.to_string(), refusal: held(nattch) }),
    }
}

fn apply_posix(machine: &dyn Machine, segment: &Segment, name: &ObjectName) -> Result<Done, ActError> {
    let (held, before) = posix(machine, segment, name)?;
    let id = segment.id.clone();
    let removal = machine.control().unlink(name, held.as_ref());
    let removal =
        removal.map_err(|error| ActError::of(machine, segment, REMOVE, Capability::Fowner, error))?;
    match removal {
        Removal::Removed => {}
        Removal::Gone => return Err(ActError::Gone { id }),
        Removal::Another => {
            return Err(ActError::NotTheSame { id, how: "another object has its name now".to_owned() });
        }
        Removal::Astray(now) => return Err(ActError::Astray { id, now: SegmentId::Posix(now) }),
    }
    let now = held.stat().map_err(|source| super::permissions::verifying(segment, source))?;
    if now.links >= before.links {
        return Err(ActError::Unverified { id, found: format!("{} names, as before", now.links) });
    }
    let mut done = Done::new(id, "its name is gone");
    if now.links > 0 {
        done.said.push(format!("it has {} other names (hard links), and lives on under them", now.links));
    }
    Ok(done)
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EIDRM))
}
