//! Where a segment comes from: the catalogue's maker, the process that made
//! it, and what that says of whether anybody still wants it.

use super::catalogue::{Judged, Made};
use super::world::Around;
use super::{Life, Seen};
use crate::segment::{Maker, Segment, SysvFacts, escape};

/// Where a segment comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Who made it.
    pub maker: Option<Maker>,
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
    /// That nobody holds it is normal for it.
    Normal(String),
    /// Its maker is dead.
    Dead(String),
    /// Nothing tells.
    Nothing(String),
}

/// Where a segment comes from.
pub fn of(segment: &Segment, made: Option<&Made<'_>>, around: &Around<'_>) -> Origin {
    let creator = segment.sysv().map(|facts| by_creator(segment, facts, around));
    match made {
        Some(made) => by_catalogue(segment, made, creator, around),
        None => creator.unwrap_or_else(|| Origin {
            maker: None,
            steps: vec![],
            word: Word::Nothing("nothing tells who made it or that this is normal".to_owned()),
        }),
    }
}

/// What the catalogue says, and where it cannot tell, what the creator says.
fn by_catalogue(segment: &Segment, made: &Made<'_>, creator: Option<Origin>, around: &Around<'_>) -> Origin {
    let maker = Some(Maker { id: made.maker.id.as_str().into(), name: made.maker.name.as_str().into() });
    let mut steps = vec![made.evidence()];
    let judgement = made.judge(&around.of(segment));
    let (first, more) = match judgement.reasons.split_first() {
        Some((first, more)) => (first.clone(), more.to_vec()),
        None => (String::new(), vec![]),
    };
    let word = match (judgement.judged, creator) {
        (Judged::Protected, _) => Word::Protected(first),
        // While its maker lives it is wanted, whatever the catalogue says.
        (_, Some(Origin { word: word @ Word::Lives(_), steps: seen, .. })) => {
            steps.extend(seen);
            word
        }
        (Judged::Idle, _) => Word::Normal(first),
        (Judged::Leaked, _) => Word::Dead(first),
        (Judged::Undecided, Some(creator)) => {
            steps.extend(creator.steps);
            steps.extend((!first.is_empty()).then_some(first));
            creator.word
        }
        (Judged::Undecided, None) if first.is_empty() => {
            Word::Nothing("nothing tells that this is normal".to_owned())
        }
        (Judged::Undecided, None) => Word::Nothing(first),
    };
    steps.extend(more);
    Origin { maker, steps, word }
}

/// The kernel keeps the pid of the creator of a System V segment.
fn by_creator(segment: &Segment, facts: &SysvFacts, around: &Around<'_>) -> Origin {
    let pid = facts.creator_pid;
    if pid == 0 {
        return Origin {
            maker: None,
            steps: vec!["its creator has no pid in this pid namespace".to_owned()],
            word: Word::Nothing("its creator cannot be seen from here".to_owned()),
        };
    }
    match around.living.of(pid, Seen::Here, segment.times.change) {
        Life::Lives(process) => {
            let who = format!("{} ({pid})", escape(&process.command));
            let name = String::from_utf8_lossy(&process.command).into_owned();
            Origin {
                maker: Some(Maker { id: "process".into(), name: name.into() }),
                steps: vec![format!("made by {who}, which began before its last change (/proc/{pid}/stat)")],
                word: Word::Lives(who),
            }
        }
        Life::Gone => gone(pid, format!("there is no process {pid} (/proc/{pid})")),
        Life::PassedOn(process) => gone(
            pid,
            format!(
                "{} has its pid {pid} now, and began after its last change (/proc/{pid}/stat)",
                escape(&process.command)
            ),
        ),
        Life::Unclear(why) => Origin {
            maker: None,
            steps: vec![format!("whether its creator, pid {pid}, lives cannot be told: {why}")],
            word: Word::Nothing("whether its creator lives cannot be told".to_owned()),
        },
    }
}

fn gone(pid: u32, step: String) -> Origin {
    Origin {
        maker: Some(Maker { id: "gone".into(), name: "gone".into() }),
        steps: vec![step],
        word: Word::Dead(format!("its creator (pid {pid}) is gone")),
    }
}
