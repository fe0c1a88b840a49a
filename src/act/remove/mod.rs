//! Removes segments: `IPC_RMID` for System V, and unlinking for POSIX. Never removes a segment that
//! took the place of the one that was listed.

mod plan;

use super::actor::Actor;
use super::copies::KeepError;
use super::{ActError, ChangeReport, Copies, Copying, Options, SaveError, StateError, Step, Target};
use crate::machine::control::{Capability, Removal as Unlinked, SysvStat};
use crate::memory::OpenError;
use crate::segment::{Facts, ObjectName, Segment, SegmentId, ShmId, State};
pub use plan::plan;
use plan::{attachments_text, gone, last_detach_text, memory_used, readable, remaining_links_text};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A check slower than this was probably preempted; retry up to `MAX_CHECKS` times.
const MAX_CHECK_TIME: Duration = Duration::from_micros(100);
const MAX_CHECKS: usize = 10;
pub struct Removal<'a> {
    pub actor: &'a Actor<'a>,
    pub target: Target<'a>,
    pub options: Options,
}

impl Removal<'_> {
    /// Removes the segment once its copy is complete and synced.
    pub fn apply(&self, copying: &Copying, copies: Option<&Copies>) -> Result<ChangeReport, ActError> {
        let segment = self.target.segment;
        self.refuse_used()?;
        match copying {
            Copying::Without => self.remove(),
            Copying::Keep => {
                let Some(copies) = copies else {
                    // Refused in the plan already.
                    return Err(copy_error(segment, StateError::Homeless.into()));
                };
                let deleted = self.delete_planned_copies(copies).inspect_err(|_| copies.forget(segment))?;
                let copy = copies.keep(self.actor, segment).map_err(|error| copy_error(segment, error));
                let removed = copy.and_then(|copy| {
                    copies.record_kept(segment, &copy.path);
                    self.remove_copied(Some(copies), copy.path.clone()).inspect_err(|_| {
                        if !copy.path.exists() {
                            copies.forget(segment);
                        }
                    })
                });
                match removed {
                    Ok(mut done) => {
                        done.messages.extend(deleted_copies_text(deleted, "to make room"));
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

    /// Refuses a System V segment without holders that was attached and detached since it was
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
        // Current holders are reported by the check right before the removal.
        if stat.nattch > 0 || (stat.attach, stat.detach) == times {
            return Ok(());
        }
        let reason = "in use: attached and detached since it was listed".to_owned();
        Err(ActError::InUseNow { id: self.target.id(), reason, remedy: self.options.remedy_for_new_holder() })
    }

    /// Deletes the copies that the plan listed if disk space is still short. All other checks run
    /// first, because the copies are lost even if the removal fails.
    fn delete_planned_copies(&self, copies: &Copies) -> Result<usize, ActError> {
        let segment = self.target.segment;
        let old = copies.to_delete(segment).map_err(|error| copy_error(segment, error))?;
        if old.is_empty() {
            return Ok(0);
        }
        match &segment.id {
            SegmentId::Sysv(shmid) => self.check_unattached(*shmid, 0).map(drop)?,
            SegmentId::Posix(name) => {
                self.check_unheld(name)?;
                self.target.check_posix(name).map(drop)?;
            }
            SegmentId::Deleted { .. } => return Err(self.target.gone_error()),
        }
        readable(self.target).map_err(|error| copy_error(segment, error))?;
        Ok(old.iter().filter(|path| fs::remove_file(path).is_ok()).count())
    }

    /// Removes a segment after its copy was synced.
    fn remove_copied(&self, copies: Option<&Copies>, copy: PathBuf) -> Result<ChangeReport, ActError> {
        let removed = if self.actor.progress.is_cancelled() {
            Err(ActError::Stopped { subject: self.target.id().to_string() })
        } else {
            self.remove()
        };
        match removed {
            Ok(mut done) => {
                // Enforce the limit after the removal, so that a failed removal deletes no other
                // copy.
                if let Some(copies) = copies {
                    let deleted = copies.enforce_limit(&copy).len();
                    let limit_text = format!("(limit for copies: {})", copies.limit());
                    done.messages.extend(deleted_copies_text(deleted, &limit_text));
                }
                done.copy = Some(copy);
                Ok(done)
            }
            Err(error) => {
                if error.changed_nothing() || self.target.still_exists() {
                    // The segment was not removed, so its copy is useless.
                    let _ = fs::remove_file(copy);
                }
                Err(error)
            }
        }
    }

    fn remove(&self) -> Result<ChangeReport, ActError> {
        match &self.target.segment.id {
            SegmentId::Sysv(shmid) => self.remove_sysv(*shmid),
            SegmentId::Posix(name) => self.unlink(name),
            SegmentId::Deleted { .. } => Err(self.target.gone_error()),
        }
    }

    /// Refuses an object that has a holder now. Returns true if the kernel granted a write lease on
    /// it.
    fn check_unheld(&self, name: &ObjectName) -> Result<bool, ActError> {
        let checked = self.actor.recent.check(self.target, self.options);
        checked.or_else(|refused| self.target.check_posix(name).and(Err(refused)))
    }

    fn remove_sysv(&self, shmid: ShmId) -> Result<ChangeReport, ActError> {
        let Target { machine, segment } = self.target;
        let mut stat = self.check_unattached(shmid, 0)?;
        let pin = if self.options.bulk {
            None
        } else {
            match machine.sysv_pin(shmid) {
                // Attached: the kernel cannot reuse the shmid.
                Ok(pin) => {
                    stat = self.check_unattached(shmid, 1)?;
                    Some(pin)
                }
                // The segment was removed after the check, and its shmid may already be reused.
                Err(error) if is_gone(&error) => return Err(self.target.gone_error()),
                // The owner may lack permission to attach the segment. Then the check right before
                // the removal has to suffice, as in a batch.
                Err(_) => {
                    stat = self.check_unattached(shmid, 0)?;
                    None
                }
            }
        };
        machine
            .sysv_remove(shmid)
            .map_err(|error| ActError::from_kernel(self.target, Step::Remove, Capability::SysAdmin, error))?;
        drop(pin);
        let id = self.target.id();
        match machine.sysv_stat(shmid) {
            // The shmid may already belong to another segment.
            Ok(now) if now.marked => {
                let (freed, last) = (memory_used(segment), last_detach_text(now.nattch));
                Ok(ChangeReport::new(id, format!("marked for removal; {freed} freed when {last} detaches")))
            }
            Ok(now)
                if now.creator_pid == stat.creator_pid
                    && now.key == stat.key
                    && now.change == stat.change =>
            {
                Err(self.target.unverified_error("that it is not marked for removal"))
            }
            Ok(_) => Ok(ChangeReport::new(id, "removed")),
            Err(error) if is_gone(&error) => Ok(ChangeReport::new(id, "removed")),
            Err(source) => Err(self.target.unverifiable_error(source)),
        }
    }

    /// Checks that this is the segment that was listed, and that no process has attached it since.
    /// `ours` is the number of our own attachments. Retries a slow check, because this process may
    /// have been preempted.
    fn check_unattached(&self, shmid: ShmId, ours: u64) -> Result<SysvStat, ActError> {
        let mut started = Instant::now();
        let mut stat = self.target.check_sysv(shmid)?;
        for _ in 0..MAX_CHECKS {
            if started.elapsed() < MAX_CHECK_TIME {
                break;
            }
            started = Instant::now();
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
                Err(self.actor.recent.in_use(target, &attachments_text(nattch), self.options))
            }
        }
    }

    /// Unlinks the object. If the kernel grants a write lease first, it has to grant another one
    /// under the temporary name: a process may have opened the object in between.
    fn unlink(&self, name: &ObjectName) -> Result<ChangeReport, ActError> {
        let Target { machine, segment } = self.target;
        let leased = self.check_unheld(name)?;
        let (held, before) = self.target.check_posix(name)?;
        let id = self.target.id();
        let identity = segment.identity();
        let is_unheld =
            |now: &ObjectName| !leased || !matches!(machine.is_open_elsewhere(now, &identity), Ok(true));
        let removal = machine
            .unlink(name, held.as_ref(), &is_unheld)
            .map_err(|error| ActError::from_kernel(self.target, Step::Remove, Capability::Fowner, error))?;
        match removal {
            Unlinked::Removed => {}
            Unlinked::Gone => return Err(self.target.gone_error()),
            Unlinked::Another => {
                return Err(self.target.replaced_error("its name now belongs to another object"));
            }
            Unlinked::Refused => {
                return Err(self.actor.recent.in_use(self.target, "opened just now", self.options));
            }
            Unlinked::NotRestored(now) => {
                return Err(ActError::NotMovedBack { id, now: SegmentId::Posix(now) });
            }
        }
        let now = held.stat().map_err(|source| self.target.unverifiable_error(source))?;
        if now.links >= before.links {
            return Err(self.target.unverified_error("an unchanged hard link count"));
        }
        let mut done = ChangeReport::new(id, "removed");
        if now.links > 0 {
            done.messages.push(remaining_links_text(now.links));
        }
        Ok(done)
    }
}

fn copy_error(segment: &Segment, error: KeepError) -> ActError {
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

fn deleted_copies_text(count: usize, limit_text: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 older copy deleted {limit_text}")),
        many => Some(format!("{many} older copies deleted {limit_text}")),
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EIDRM))
}
