//! Where a segment comes from: the process that made it, and what that says of
//! whether anybody still wants it.

use super::{Life, Living, Seen};
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
pub fn of(segment: &Segment, living: &Living<'_>) -> Origin {
    match segment.sysv() {
        Some(facts) => by_creator(segment, facts, living),
        None => Origin {
            maker: None,
            steps: vec![],
            word: Word::Nothing("nothing tells who made it or that this is normal".to_owned()),
        },
    }
}

/// The kernel keeps the pid of the creator of a System V segment.
fn by_creator(segment: &Segment, facts: &SysvFacts, living: &Living<'_>) -> Origin {
    let pid = facts.creator_pid;
    if pid == 0 {
        return Origin {
            maker: None,
            steps: vec!["its creator has no pid in this pid namespace".to_owned()],
            word: Word::Nothing("its creator cannot be seen from here".to_owned()),
        };
    }
    match living.of(pid, Seen::Here, segment.times.change) {
        Life::Lives(process) => {
            let who = format!("{} ({pid})", escape(&process.command));
            let name = String::from_utf8_lossy(&process.command).into_owned();
            Origin {
                maker: Some(Maker { id: "process".into(), name: name.into() }),
                steps: vec![format!("made by {who}, which began before its last change (/proc/{pid}/stat)")],
                word: Word::Lives(who),
            }
        }
        Life::Gone => gone(pid, "is gone", format!("there is no process {pid} (/proc/{pid})")),
        Life::PassedOn(process) => gone(
            pid,
            "is gone",
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

fn gone(pid: u32, what: &str, step: String) -> Origin {
    Origin {
        maker: Some(Maker { id: "gone".into(), name: "gone".into() }),
        steps: vec![step],
        word: Word::Dead(format!("its creator (pid {pid}) {what}")),
    }
}
