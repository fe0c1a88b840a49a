//! Plans a removal: its effects, its copy, and reasons to refuse it.

use crate::act::copies::KeepError;
use crate::act::destination::{Destination, directory_of};
use crate::act::recent::UNSEEN_HOLDER;
use crate::act::save::printable;
use crate::act::{Copies, Copying, Options, Plan, Refusal, SaveError, Target, Undo, permitted, unrestorable};
use crate::memory::{OpenError, Reader};
use crate::segment::{Bytes, Facts, Segment, SegmentId, State, SysvFacts, quote_path};
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, faccessat};
use std::fs;
use std::io;
use std::path::Path;

const USE_FORCE: &str = "Use --force to remove the segment anyway";

pub fn plan(target: Target<'_>, copying: &Copying, copies: Option<&Copies>, plan: &mut Plan) {
    let segment = target.segment;
    let guards = permitted::guards(target);
    match &segment.facts {
        Facts::Sysv(facts) => plan_sysv(segment, facts, plan),
        Facts::Posix(_) => plan_posix(target, guards.map_or(1, |guards| guards.links), plan),
    }
    // Checked before the copy: without permission, a copy is useless.
    if let Some(refusal) = permitted::removal_with(target, guards.as_ref()) {
        plan.refuse(refusal);
    }
    plan.copies_at = Some(plan.effects.len());
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
                Ok(()) => predict_file(path, segment).map(|error| error.to_string()),
                Err(error) => Some(error.to_string()),
            };
            match error {
                None => {
                    add_copy_effect(segment, &format!(" to {}", printable(path)), &quote_path(path), plan);
                }
                Some(error) => {
                    plan.undo = Undo::No("no copy can be saved".to_owned());
                    plan.refuse(Refusal::new(error, "Not removed"));
                }
            }
        }
    }
}

fn plan_copy(target: Target<'_>, copies: &Copies, plan: &mut Plan) {
    let segment = target.segment;
    match readable(target).and_then(|()| copies.predict(segment)) {
        Ok(forecast) => {
            // The file name is chosen when the copy is written.
            add_copy_effect(segment, "", "FILE", plan);
            for sentence in forecast.sentences(target.machine.now()) {
                plan.add_effect(sentence);
            }
            if plan.refusal.is_none() {
                plan.copies = Some(copies.with_plan(segment, &forecast));
            }
        }
        Err(error) => {
            plan.undo = Undo::No("no copy can be saved".to_owned());
            match gone(segment, &error) {
                Some((what, how)) => {
                    plan.gone = what == "gone";
                    plan.refuse(Refusal::new(format!("{what}: {how}"), "Nothing was removed"));
                }
                None => plan.refuse_without_copy(&copy_refusal(error.to_string(), plan.options)),
            }
        }
    }
}

/// Returns the reason why the segment can be neither copied nor removed: its name no longer exists
/// or belongs to another object.
pub fn gone(segment: &Segment, error: &KeepError) -> Option<(&'static str, &'static str)> {
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

pub fn readable(target: Target<'_>) -> Result<(), KeepError> {
    Reader::predict(target.machine, target.segment).map(drop).map_err(KeepError::Unreadable)
}

/// Predicts the error of saving a copy to this path, without writing.
fn predict_file(path: &Path, segment: &Segment) -> Option<SaveError> {
    if let Err(error) = (Destination { path, replace: false }).check() {
        return Some(error);
    }
    let failed = |source| Some(SaveError::Write { path: path.to_owned(), source });
    let directory = directory_of(path);
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
        Some(room) if room < memory_used(segment).0 => failed(io::Error::from_raw_os_error(libc::ENOSPC)),
        _ => None,
    }
}

fn add_copy_effect(segment: &Segment, place: &str, file: &str, plan: &mut Plan) {
    plan.add_effect(format!("a copy is saved first{place}, without {}", unrestorable(segment)));
    plan.undo = Undo::Yes(format!("shmlens restore {file}"));
}

/// Returns the memory that a segment uses: resident pages, and for System V also swapped pages.
pub fn memory_used(segment: &Segment) -> Bytes {
    let swapped = segment.sysv().and(segment.swapped).unwrap_or_default();
    Bytes(segment.resident.unwrap_or(segment.size).0.saturating_add(swapped.0))
}

fn plan_sysv(segment: &Segment, facts: &SysvFacts, plan: &mut Plan) {
    let memory = memory_used(segment);
    if facts.nattch == 0 {
        plan.frees = memory;
        plan.add_effect(format!("frees {memory} now"));
    } else {
        // If some holders are unknown, the number of attachments is more informative.
        let trigger = if segment.unseen() == 0 { detach_text(segment) } else { None };
        let trigger = trigger.unwrap_or_else(|| format!("{} detaches", last_detach_text(facts.nattch)));
        plan.add_effect(format!("marked for removal; {memory} freed when {trigger}"));
        let reason = format!("in use: {}", attachments_text(facts.nattch));
        plan.refuse(Refusal { reason, remedy: USE_FORCE.to_owned(), forceable: true });
    }
    refuse_protected(segment, plan);
}

/// Describes the attachments that must end before the memory is freed.
pub fn last_detach_text(nattch: u64) -> String {
    match nattch {
        1 => "its only attachment".to_owned(),
        more => format!("the last of {more} attachments"),
    }
}

fn plan_posix(target: Target<'_>, links: u32, plan: &mut Plan) {
    let segment = target.segment;
    let memory = memory_used(segment);
    let links = links.saturating_sub(plan.options.links_removed);
    let state = segment.verdict.state;
    // Request a lease now if the user named the segment or its state is certain, unless the result
    // would not matter.
    let is_unheld = !matches!(state, State::InUse | State::Removed)
        && segment.holders.as_deref().is_none_or(<[_]>::is_empty);
    let lease = if is_unheld && !plan.options.force { target.lease() } else { None };
    let free = match lease {
        Some(refused) => !refused,
        None => matches!(state, State::Idle | State::Leaked(_) | State::Protected),
    };
    let detach_text = detach_text(segment);
    if links < 2 && detach_text.is_none() && free {
        plan.frees = memory;
    }
    plan.add_effect(match (links, detach_text) {
        (2.., _) => format!("unlinks now; {}", remaining_links_text(links - 1)),
        (_, Some(trigger)) => format!("unlinks now; {memory} freed when {trigger}"),
        (_, None) if free => format!("frees {memory} now"),
        (_, None) => format!("unlinks now; {memory} freed now or when its last holder detaches"),
    });
    let reasons = segment.verdict.reasons.join("; ");
    let reason = match state {
        // The detail view lists the evidence; the plan names the holders.
        State::InUse => format!("in use: {}", segment.verdict.reasons.first().map_or("", String::as_str)),
        _ if free => return refuse_protected(segment, plan),
        State::Removed | State::Unknown => format!("may still be in use: {reasons}"),
        State::Idle | State::Leaked(_) | State::Protected => {
            format!("may still be in use: {UNSEEN_HOLDER} (the kernel refused a write lease)")
        }
    };
    // `clean` has no `--force`.
    let remedy = if plan.options.clean { plan.options.remedy_for_new_holder() } else { USE_FORCE };
    plan.refuse(Refusal { reason, remedy: remedy.to_owned(), forceable: true });
}

/// Describes the hard links that remain after one name is removed.
pub fn remaining_links_text(links: u32) -> String {
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

/// Names the holders that must detach: `writer (7), reader.py (8) and 2 more detach`.
fn detach_text(segment: &Segment) -> Option<String> {
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

pub fn attachments_text(nattch: u64) -> String {
    let times = match nattch {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    };
    format!("attached {times} (nattch {nattch})")
}

fn copy_refusal(why: String, options: Options) -> Refusal {
    let elsewhere = if options.clean { "" } else { "--save FILE to save a copy elsewhere, or " };
    Refusal::new(why, format!("Use {elsewhere}--no-copy to remove it without one"))
}
