//! Where a segment comes from: the catalogue's maker, the process that made
//! it, and what that says of whether anybody still wants it.

use super::catalogue::{Judged, Made};
use super::world::Around;
use super::{Life, Seen, demo};
use crate::config::maker::{Unheld, Wanted};
use crate::segment::{CreatorLife, Maker, Segment, SysvFacts, escape};

/// Where a segment comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// How that is known, a step each.
    pub steps: Vec<String>,
    /// What follows, if nobody holds it.
    pub word: Word,
}

/// Whether anybody wants a segment that nobody holds, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// It must not be removed.
    Protected(String),
    /// Its maker lives.
    Lives(String),
    /// Its maker is dead, and the last process to use it lives.
    Used(String),
    /// Something that lives still wants it.
    Wanted(String),
    /// That nobody holds it is normal for it.
    Normal(String),
    /// Its maker is dead.
    Dead(String),
    /// Nothing tells.
    Nothing(String),
}

/// Who made a segment.
pub fn maker(segment: &Segment, made: Option<&Made<'_>>, around: &Around<'_>) -> Option<Maker> {
    let named = |id: &str, name: &[u8]| Some(Maker { id: id.into(), name: name.into() });
    if let Some(made) = made {
        return named(&made.maker.id, made.maker.name.as_bytes());
    }
    let pid = segment.sysv()?.creator_pid;
    match around.living.of(pid, Seen::Here, segment.times.change) {
        _ if pid == 0 => None,
        Life::Lives(process) => named("process", &process.command),
        Life::Gone | Life::PassedOn(_) => named("gone", b"gone"),
        Life::Elsewhere | Life::Unclear(_) => None,
    }
}

/// Returns whether the process that created a segment is running.
pub fn creator_life(segment: &Segment, around: &Around<'_>) -> CreatorLife {
    let Some(facts) = segment.sysv().filter(|facts| facts.creator_pid != 0) else {
        return CreatorLife::Unknown;
    };
    match around.living.of(facts.creator_pid, Seen::Here, segment.times.change) {
        Life::Lives(_) => CreatorLife::Running,
        Life::Gone | Life::PassedOn(_) => CreatorLife::Exited,
        Life::Elsewhere | Life::Unclear(_) => CreatorLife::Unknown,
    }
}

/// Where a segment comes from that nobody holds.
pub fn of(segment: &Segment, made: Option<&Made<'_>>, around: &Around<'_>) -> Origin {
    let origin = found(segment, made, around);
    match origin.word {
        // Somebody asked for it: that its first maker is dead does not make it a leak.
        Word::Dead(why) if around.was_created_here(segment) => {
            Origin { word: Word::Nothing(format!("{why}, but shmlens created or restored it")), ..origin }
        }
        _ => origin,
    }
}

fn found(segment: &Segment, made: Option<&Made<'_>>, around: &Around<'_>) -> Origin {
    let creator = segment.sysv().map(|facts| by_creator(segment, facts, around));
    match made {
        Some(made) => by_catalogue(segment, made, creator, around),
        None => creator
            .unwrap_or_else(|| Origin { steps: vec![], word: Word::Nothing("unknown maker".to_owned()) }),
    }
}

/// What the catalogue says, and where it cannot tell, what the creator says.
///
/// A maker that the catalogue knows and cannot judge is one of two:
/// - It was asked for something that cannot be told here, such as whether a
///   helper runs that /proc may hide. Then nothing is certain, whatever became
///   of the creator, and what must not be removed while it is wanted stays so.
/// - It has no rule, as for a library's segments that programs keep under names
///   of their own. It is judged as one that nothing is known of: by its creator
///   if it has one, else likely leaked after a while. That is never certain, and
///   the reason tells why it may be wanted all the same.
fn by_catalogue(segment: &Segment, made: &Made<'_>, creator: Option<Origin>, around: &Around<'_>) -> Origin {
    let mut steps = vec![made.evidence()];
    let judgement = made.judge(&around.of(segment));
    let mut reasons = judgement.reasons.into_iter();
    let first = reasons.next();
    let why = first.clone().unwrap_or_default();
    let word = match (judgement.judged, creator) {
        (Judged::Protected, _) => Word::Protected(why),
        // While its maker lives it is wanted, whatever the catalogue says.
        (_, Some(Origin { word: word @ Word::Lives(_), steps: seen, .. })) => {
            steps.extend(seen);
            steps.extend(first);
            word
        }
        (Judged::Idle, _) if made.maker.unheld == Unheld::Normal => Word::Normal(why),
        (Judged::Idle, _) => Word::Wanted(why),
        (Judged::Leaked, creator) => {
            steps.extend(creator.into_iter().flat_map(|creator| creator.steps));
            Word::Dead(why)
        }
        (Judged::Undecided, creator) => {
            let untold = first.is_some() && made.maker.unheld != Unheld::Undecided;
            match (untold, creator) {
                (true, creator) => {
                    steps.extend(creator.into_iter().flat_map(|creator| creator.steps));
                    match made.maker.wanted {
                        Wanted::Protected => Word::Protected(why),
                        Wanted::Idle => Word::Nothing(why),
                    }
                }
                (false, Some(creator)) => {
                    steps.extend(creator.steps);
                    steps.extend(first);
                    creator.word
                }
                (false, None) => Word::Nothing(match first {
                    Some(first) => format!("cannot tell if it is still needed: {first}"),
                    None => "no rule for this maker".to_owned(),
                }),
            }
        }
    };
    steps.extend(reasons);
    Origin { steps, word }
}

/// The kernel keeps the pid of the creator of a System V segment.
fn by_creator(segment: &Segment, facts: &SysvFacts, around: &Around<'_>) -> Origin {
    let pid = facts.creator_pid;
    if pid == 0 {
        return Origin {
            steps: vec!["its creator is in another pid namespace".to_owned()],
            word: Word::Nothing("its creator is not visible".to_owned()),
        };
    }
    match around.living.of(pid, Seen::Here, segment.times.change) {
        Life::Lives(process) => {
            let who = format!("{} ({pid})", escape(&process.command));
            Origin {
                steps: vec![format!(
                    "creator {who} started before the last change of the segment (/proc/{pid}/stat)"
                )],
                word: Word::Lives(who),
            }
        }
        Life::Gone => {
            let step = format!("no process has the creator's pid {pid} (/proc/{pid})");
            gone(segment, facts, step, around)
        }
        Life::PassedOn(process) => {
            let step = format!(
                "the creator's pid {pid} is now {}, which started after the last change of the segment \
                 (/proc/{pid}/stat)",
                escape(&process.command)
            );
            gone(segment, facts, step, around)
        }
        Life::Elsewhere => untold(pid, "a process in another pid namespace has this pid"),
        Life::Unclear(why) => untold(pid, why),
    }
}

fn untold(pid: u32, why: &str) -> Origin {
    Origin {
        steps: vec![format!("cannot tell if creator {pid} is running: {why}")],
        word: Word::Nothing("cannot tell if its creator is running".to_owned()),
    }
}

/// A segment whose creator is gone. While the last process to attach or detach it lives, that one may come
/// back. A key is a public name that programs come back to, so it proves nothing. Without a key only processes
/// that were told the shmid can attach it, and of those the kernel keeps the last one.
fn gone(segment: &Segment, facts: &SysvFacts, step: String, around: &Around<'_>) -> Origin {
    let pid = facts.creator_pid;
    let mut steps = vec![step];
    if let Some(demo) = demo::shown_by(facts.key, &around.living) {
        steps.push(format!("its key is the one that shmlens demo ({demo}) uses for its leak example"));
        return Origin { steps, word: Word::Dead(format!("creator {pid} exited")) };
    }
    let word = match by_last_user(segment, facts, around, &mut steps) {
        Some(used @ Word::Used(_)) => used,
        _ if !facts.key.is_private() => {
            let key = facts.key;
            Word::Nothing(format!("creator {pid} exited, but programs may attach to its key {key} again"))
        }
        Some(word) => word,
        None => Word::Dead(format!("creator {pid} exited")),
    };
    Origin { steps, word }
}

/// The word of the last process to attach or detach a segment whose creator is gone; `None` if it is gone too.
fn by_last_user(
    segment: &Segment,
    facts: &SysvFacts,
    around: &Around<'_>,
    steps: &mut Vec<String>,
) -> Option<Word> {
    let (creator, last) = (facts.creator_pid, facts.last_pid);
    let used = segment.times.attach.max(segment.times.detach);
    let untold = |why: String| Some(Word::Nothing(format!("creator {creator} exited, but {why}")));
    if last == 0 && used.is_some() {
        return untold("a process outside this pid namespace used it last".to_owned());
    }
    if last == 0 || last == creator {
        return None;
    }
    if last == around.own_pid() {
        return untold("shmlens has attached it and does not know who used it before".to_owned());
    }
    match around.living.of(last, Seen::Here, used) {
        Life::Lives(process) => Some(Word::Used(format!("{} ({last})", escape(&process.command)))),
        Life::Elsewhere | Life::Unclear(_) => {
            untold(format!("cannot tell if its last user {last} is running"))
        }
        // It may have been an earlier run of this program.
        Life::Gone | Life::PassedOn(_) if !around.keeps_uses() => untold(format!(
            "its last user {last} may have been shmlens, which has no state directory to note \
                            who used it before"
        )),
        Life::Gone | Life::PassedOn(_) => {
            steps.push(format!("the last process to attach or detach, {last}, exited too"));
            None
        }
    }
}
