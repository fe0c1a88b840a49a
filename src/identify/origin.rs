//! The origin of a segment: its maker, its creator, and the evidence that it is still needed or
//! not.

use super::catalog::{Finding, MakerMatch};
use super::evidence::Evidence;
use super::{PidNamespace, ProcessState, demo};
use crate::config::maker::{NeededVerdict, UnheldVerdict};
use crate::segment::{CreatorLife, Maker, Segment, SysvFacts, escape};

/// The origin of a segment without holders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub finding: Finding,
    /// The reason for the finding, or the running process.
    pub reason: String,
    pub steps: Vec<String>,
}

pub fn maker(
    segment: &Segment,
    maker_match: Option<&MakerMatch<'_>>,
    evidence: &Evidence<'_>,
) -> Option<Maker> {
    if let Some(MakerMatch { maker, .. }) = maker_match {
        return Some(Maker::Known { id: maker.id.as_str().into(), name: maker.name.as_bytes().into() });
    }
    let pid = segment.sysv().map(|facts| facts.creator_pid).filter(|&pid| pid != 0)?;
    match evidence.states.of(pid, PidNamespace::Ours, segment.times.change) {
        ProcessState::Running(process) => Some(Maker::Process(process.command.into())),
        ProcessState::Exited | ProcessState::PidReused(_) => Some(Maker::Exited(pid)),
        ProcessState::InChildNamespace | ProcessState::Unknown(_) => None,
    }
}

pub fn creator_life(segment: &Segment, evidence: &Evidence<'_>) -> CreatorLife {
    let Some(facts) = segment.sysv().filter(|facts| facts.creator_pid != 0) else {
        return CreatorLife::Unknown;
    };
    match evidence.states.of(facts.creator_pid, PidNamespace::Ours, segment.times.change) {
        ProcessState::Running(_) => CreatorLife::Running,
        ProcessState::Exited | ProcessState::PidReused(_) => CreatorLife::Exited,
        ProcessState::InChildNamespace | ProcessState::Unknown(_) => CreatorLife::Unknown,
    }
}

pub fn of(segment: &Segment, maker_match: Option<&MakerMatch<'_>>, evidence: &Evidence<'_>) -> Origin {
    let origin = find(segment, maker_match, evidence);
    match origin.finding {
        // The user asked for the segment, so it is not a leak when its first maker exits.
        Finding::Leaked if evidence.was_created_here(segment) => Origin {
            finding: Finding::Unknown,
            reason: format!("{}, but shmlens created or restored it", origin.reason),
            ..origin
        },
        _ => origin,
    }
}

fn find(segment: &Segment, maker_match: Option<&MakerMatch<'_>>, evidence: &Evidence<'_>) -> Origin {
    let creator = segment.sysv().map(|facts| judge_by_creator(segment, facts, evidence));
    match maker_match {
        Some(maker_match) => judge_by_catalog(segment, maker_match, creator, evidence),
        None => creator.unwrap_or_else(|| Origin {
            finding: Finding::Unknown,
            reason: "unknown maker".to_owned(),
            steps: vec![],
        }),
    }
}

/// Judges by the maker's rule, or by the creator if the rule is undecided.
///
/// A rule is undecided for one of two reasons:
/// - It depends on something unknown, such as a helper that /proc may hide. Then no leak is
///   certain, even if the creator has exited, and a segment that is protected while needed stays
///   protected.
/// - The maker has no verdict, such as a library whose users name their segments. Then the creator
///   decides, if known; otherwise a leak is likely, never certain.
fn judge_by_catalog(
    segment: &Segment,
    maker_match: &MakerMatch<'_>,
    creator: Option<Origin>,
    evidence: &Evidence<'_>,
) -> Origin {
    let mut steps = vec![maker_match.evidence()];
    let judgment = maker_match.judge(segment, evidence);
    let mut reasons = judgment.reasons.into_iter();
    let first = reasons.next();
    let reason = first.clone().unwrap_or_default();
    let (finding, reason) = match (judgment.finding, creator) {
        // A running creator outranks every rule except protection.
        (finding, Some(creator))
            if creator.finding == Finding::CreatorRuns && finding != Finding::Protected =>
        {
            steps.extend(creator.steps);
            steps.extend(first);
            (Finding::CreatorRuns, creator.reason)
        }
        (Finding::Leaked, creator) => {
            steps.extend(creator.into_iter().flat_map(|creator| creator.steps));
            (Finding::Leaked, reason)
        }
        (Finding::Unknown, creator) => {
            let unproven = first.is_some() && maker_match.maker.unheld != UnheldVerdict::Undecided;
            match (unproven, creator) {
                (true, creator) => {
                    steps.extend(creator.into_iter().flat_map(|creator| creator.steps));
                    match maker_match.maker.wanted {
                        NeededVerdict::Protected => (Finding::Protected, reason),
                        NeededVerdict::Idle => (Finding::Unknown, reason),
                    }
                }
                (false, Some(creator)) => {
                    steps.extend(creator.steps);
                    steps.extend(first);
                    (creator.finding, creator.reason)
                }
                (false, None) => (
                    Finding::Unknown,
                    match first {
                        Some(first) => format!("cannot tell if it is still needed: {first}"),
                        None => "no rule for this maker".to_owned(),
                    },
                ),
            }
        }
        (finding, _) => (finding, reason),
    };
    steps.extend(reasons);
    Origin { finding, reason, steps }
}

/// Judges by the creator, whose pid the kernel keeps for System V segments.
fn judge_by_creator(segment: &Segment, facts: &SysvFacts, evidence: &Evidence<'_>) -> Origin {
    let pid = facts.creator_pid;
    if pid == 0 {
        return Origin {
            finding: Finding::Unknown,
            reason: "its creator is not visible".to_owned(),
            steps: vec!["its creator is in another pid namespace".to_owned()],
        };
    }
    match evidence.states.of(pid, PidNamespace::Ours, segment.times.change) {
        ProcessState::Running(process) => {
            let creator_text = format!("{} ({pid})", escape(&process.command));
            Origin {
                finding: Finding::CreatorRuns,
                steps: vec![format!(
                    "creator {creator_text} started before the last change of the segment (/proc/{pid}/stat)"
                )],
                reason: creator_text,
            }
        }
        ProcessState::Exited => {
            let step = format!("no process has the creator's pid {pid} (/proc/{pid})");
            judge_exited_creator(segment, facts, step, evidence)
        }
        ProcessState::PidReused(process) => {
            let step = format!(
                "the creator's pid {pid} is now {}, which started after the last change of the segment \
                 (/proc/{pid}/stat)",
                escape(&process.command)
            );
            judge_exited_creator(segment, facts, step, evidence)
        }
        ProcessState::InChildNamespace => {
            unknown_creator(pid, "a process in another pid namespace has this pid")
        }
        ProcessState::Unknown(reason) => unknown_creator(pid, reason),
    }
}

fn unknown_creator(pid: u32, reason: &str) -> Origin {
    Origin {
        finding: Finding::Unknown,
        reason: "cannot tell if its creator is running".to_owned(),
        steps: vec![format!("cannot tell if creator {pid} is running: {reason}")],
    }
}

/// Judges a segment whose creator has exited. The last process that attached or detached it may
/// attach it again while it runs. A key is a public name, so any program may attach a segment that
/// has one. Without a key, only processes that know the shmid can, and the kernel records the last
/// of them.
fn judge_exited_creator(
    segment: &Segment,
    facts: &SysvFacts,
    step: String,
    evidence: &Evidence<'_>,
) -> Origin {
    let pid = facts.creator_pid;
    let mut steps = vec![step];
    if let Some(demo) = demo::shown_by(facts.key, &evidence.states) {
        steps.push(format!("its key is the one that shmlens demo ({demo}) uses for its leak example"));
        return Origin { finding: Finding::Example, reason: format!("creator {pid} exited"), steps };
    }
    let (finding, reason) = match judge_by_last_user(segment, facts, evidence, &mut steps) {
        Some(used @ (Finding::LastUserRuns, _)) => used,
        _ if !facts.key.is_private() => {
            let key = facts.key;
            (
                Finding::Unknown,
                format!("creator {pid} exited, but programs may attach to its key {key} again"),
            )
        }
        Some(unknown) => unknown,
        None => (Finding::Leaked, format!("creator {pid} exited")),
    };
    Origin { finding, reason, steps }
}

/// Judges by the last process to attach or detach a segment whose creator has exited; `None` if
/// that process has exited too.
fn judge_by_last_user(
    segment: &Segment,
    facts: &SysvFacts,
    evidence: &Evidence<'_>,
    steps: &mut Vec<String>,
) -> Option<(Finding, String)> {
    let (creator, last) = (facts.creator_pid, facts.last_pid);
    let used = segment.times.attach.max(segment.times.detach);
    let unknown =
        |reason: String| Some((Finding::Unknown, format!("creator {creator} exited, but {reason}")));
    if last == 0 && used.is_some() {
        return unknown("a process outside this pid namespace used it last".to_owned());
    }
    if last == 0 || last == creator {
        return None;
    }
    if last == evidence.machine.own_pid() {
        return unknown("shmlens has attached it and does not know who used it before".to_owned());
    }
    match evidence.states.of(last, PidNamespace::Ours, used) {
        ProcessState::Running(process) => {
            Some((Finding::LastUserRuns, format!("{} ({last})", escape(&process.command))))
        }
        ProcessState::InChildNamespace | ProcessState::Unknown(_) => {
            unknown(format!("cannot tell if its last user {last} is running"))
        }
        // The process may have been an earlier run of shmlens.
        ProcessState::Exited | ProcessState::PidReused(_) if !evidence.records_uses() => unknown(format!(
            "its last user {last} may have been shmlens, which has no state directory to note \
                            who used it before"
        )),
        ProcessState::Exited | ProcessState::PidReused(_) => {
            steps.push(format!("the last process to attach or detach, {last}, exited too"));
            None
        }
    }
}
