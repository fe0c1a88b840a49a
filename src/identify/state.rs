//! Determines the state of a segment, the first that applies of: removed, in use, unknown,
//! protected, idle, leaked.
//!
//! A segment without known holders is not necessarily a leak: it must be proven that no process
//! holds it, and that none will attach it again.

use super::catalog::MakerMatch;
use super::evidence::Evidence;
use super::hidden_holders::{self, Conclusion};
use super::unheld;
use crate::segment::{Facts, Holder, PosixFacts, Segment, State, SysvFacts, Unlinked, Verdict, escape};
use crate::survey::Coverage;
use std::fmt::Write as _;

/// Judges a segment, given its maker.
pub fn judge(segment: &Segment, maker_match: Option<&MakerMatch<'_>>, evidence: &Evidence<'_>) -> Verdict {
    let holders: Vec<&Holder> =
        segment.holders.iter().flat_map(|all| all.iter()).filter(|holder| !holder.is_observer()).collect();
    match &segment.facts {
        Facts::Sysv(facts) => sysv(segment, facts, &holders, maker_match, evidence),
        Facts::Posix(PosixFacts { unlinked: Some(unlinked), .. }) => {
            removed_object(segment, &holders, unlinked)
        }
        Facts::Posix(facts) => posix(segment, facts, &holders, maker_match, evidence),
    }
}

fn sysv(
    segment: &Segment,
    facts: &SysvFacts,
    holders: &[&Holder],
    maker_match: Option<&MakerMatch<'_>>,
    evidence: &Evidence<'_>,
) -> Verdict {
    let own_holders = segment.holders.iter().flat_map(|all| all.iter()).filter(|holder| holder.is_observer());
    let own_count: u64 = own_holders.map(|holder| u64::from(holder.mappings)).sum();
    let others = facts.nattch.saturating_sub(own_count);
    let count = count(segment, facts, holders, (others, own_count), evidence);
    if facts.marked {
        let subject = match holders {
            [] if others == 0 => "shmlens only".to_owned(),
            [] => "processes that are not visible".to_owned(),
            holders => holder_names(holders),
        };
        return Verdict::new(State::Removed, format!("removed, kept alive by {subject}"))
            .with_reason("marked for removal (IPC_RMID): freed with the last detach")
            .with_reason(count);
    }
    if others > 0 {
        let reason = if holders.is_empty() { attached_text(others) } else { held_by(holders) };
        return Verdict::new(State::InUse, reason).with_reason(count);
    }
    unheld::judge(segment, maker_match, evidence, &[count])
}

/// Formats the number of attachments: `nattch 5, 3 found: 2 in processes that cannot be inspected`.
fn count(
    segment: &Segment,
    facts: &SysvFacts,
    holders: &[&Holder],
    (others, ours): (u64, u64),
    evidence: &Evidence<'_>,
) -> String {
    let mut text = format!("nattch {}", facts.nattch);
    if ours > 0 {
        let _ = write!(text, ", {ours} by shmlens");
    }
    let found: u64 = holders.iter().map(|holder| u64::from(holder.mappings)).sum();
    if segment.holders.is_some() && found < others {
        let missing = others - found;
        let coverage = evidence.holdings.map(|holdings| &holdings.coverage);
        let whole = coverage.is_some_and(Coverage::is_whole);
        let since = evidence.holdings.is_some_and(|holdings| holdings.misses_attachments(segment));
        let place = match (since, whole) {
            (true, true) => "attached since the last scan",
            (true, false) => "attached since the last scan, or in processes that cannot be inspected",
            (false, _) => "in processes that cannot be inspected",
        };
        let _ = write!(text, ": {found} found, {missing} {place}");
    } else if found > others {
        // The table is newer than the scan, or a process attached a segment with the same shmid in
        // another IPC namespace before it entered this one.
        let _ = write!(
            text,
            ": {found} found; some detached since the last scan or belong to another IPC namespace"
        );
    }
    text
}

fn attached_text(times: u64) -> String {
    match times {
        1 => "attached once".to_owned(),
        2 => "attached twice".to_owned(),
        times => format!("attached {times} times"),
    }
}

fn removed_object(segment: &Segment, holders: &[&Holder], unlinked: &Unlinked) -> Verdict {
    let subject = if holders.is_empty() { "shmlens only".to_owned() } else { holder_names(holders) };
    let verdict = Verdict::new(State::Removed, format!("unlinked, kept alive by {subject}"))
        .with_reason("no name in /dev/shm (link count 0); found in /proc/PID/maps or /proc/PID/fd");
    let verdict = match &unlinked.name {
        Some(name) => verdict.with_reason(format!("former name {name}")),
        None => verdict,
    };
    let verdict = if unlinked.concealed {
        verdict.with_reason("mapped but not open: only root can read it (/proc/PID/map_files)")
    } else {
        verdict
    };
    let by: Vec<String> = unlinked.by.iter().map(|by| by.text(&segment.owner)).collect();
    if by.is_empty() {
        verdict
    } else {
        verdict.with_reason(format!("probably unlinked by {}", by.join("; or by ")))
    }
}

fn posix(
    segment: &Segment,
    facts: &PosixFacts,
    holders: &[&Holder],
    maker_match: Option<&MakerMatch<'_>>,
    evidence: &Evidence<'_>,
) -> Verdict {
    if !holders.is_empty() {
        return Verdict::new(State::InUse, held_by(holders)).with_reason(format!(
            "found in /proc/PID/maps and /proc/PID/fd: device {:#x}, inode {}",
            facts.device, facts.inode
        ));
    }
    let Some(holdings) = evidence.holdings else {
        return Verdict::new(State::Unknown, "holders not checked yet");
    };
    if let Some(lock) = holdings.locks(segment).first() {
        let subject = lock.pid.map_or_else(|| "an unknown process".to_owned(), |pid| format!("pid {pid}"));
        return Verdict::new(State::InUse, format!("file lock held by {subject}"))
            .with_reason("listed in /proc/locks, so a process has it open");
    }
    if let Some(point) = holdings.mount_point(segment) {
        return Verdict::new(State::InUse, format!("mounted at {}", escape(point)))
            .with_reason("bind mount, listed in /proc/self/mountinfo");
    }
    if segment.holders.is_none() {
        if let Some(failed) = &holdings.coverage.failed {
            return Verdict::new(State::Unknown, format!("holders unknown: {failed}"));
        }
        // The segment is newer than the scan, and too recent to count as leaked.
        if holdings.is_younger(segment)
            && evidence.leases.may_request(segment)
            && evidence.leases.is_fresh(segment)
        {
            let steps = ["created since the last scan".to_owned(), evidence.leases.deferred_step()];
            return unheld::judge(segment, maker_match, evidence, &steps);
        }
        return Verdict::new(
            State::Unknown,
            "holders unknown: created since the last scan, or on a file system where holders cannot be found",
        );
    }
    match hidden_holders::check(segment, holdings, evidence.leases) {
        Conclusion::Unheld(steps) | Conclusion::TooFresh(steps) => {
            unheld::judge(segment, maker_match, evidence, &steps)
        }
        Conclusion::Held(verdict) | Conclusion::Unknown(verdict) => verdict,
    }
}

fn held_by(holders: &[&Holder]) -> String {
    match holders {
        [_] => "held by 1 process".to_owned(),
        many => format!("held by {} processes", many.len()),
    }
}

/// Lists holders by name: `grabber (4121), reader.py (4188) and 3 more`.
fn holder_names(holders: &[&Holder]) -> String {
    const MAX_NAMED: usize = 3;
    let named: Vec<String> = holders
        .iter()
        .take(MAX_NAMED)
        .map(|holder| format!("{} ({})", holder.command_text(), holder.pid))
        .collect();
    match holders.len().saturating_sub(MAX_NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
