//! What the catalogue says of a segment that nobody holds.

use super::contents::Contents;
use super::helper::of_whom;
use super::matched::Made;
use super::pids::{FoundPid, PidFrom};
use crate::config::maker::{Unheld, Wanted, Whose};
use crate::segment::escape;

/// What the judgement has to know of the machine. `None` where that cannot be
/// told, as with a pid while other pid namespaces could not be examined.
pub trait World {
    /// Whether the process lives that had this pid when the segment was made:
    /// one that began later is another.
    fn lives(&self, pid: u32) -> Option<bool>;
    /// Whether such a process runs ([`super::is_helper`]).
    fn runs(&self, helper: &[u8], whose: Whose) -> Option<bool>;
    /// Whether somebody holds that POSIX object, by a mapping, a descriptor or
    /// a lock. What is not there is held by nobody.
    fn is_held(&self, name: &[u8]) -> Option<bool>;
}

/// The judgement with its reasons, the weightiest first, safe to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What it is.
    pub judged: Judged,
    /// Why. Empty only where there is no judgement.
    pub reasons: Vec<String>,
}

/// What an unheld segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// That nobody holds it is normal, or something still wants it.
    Idle,
    /// It must not be removed.
    Protected,
    /// Nobody will ever want it again.
    Leaked,
    /// The catalogue cannot tell.
    Undecided,
}

impl Made<'_> {
    /// Judges a segment that nobody holds.
    #[must_use]
    pub fn judge(&self, world: &dyn World) -> Judgement {
        let because = |judged, mut reasons: Vec<String>| {
            reasons.push(escape(self.maker.reason.as_bytes()));
            Judgement { judged, reasons }
        };
        match self.maker.unheld {
            _ if self.maker.label_only => Judgement { judged: Judged::Undecided, reasons: vec![] },
            Unheld::Undecided if self.maker.reason.is_empty() => {
                Judgement { judged: Judged::Undecided, reasons: vec![] }
            }
            Unheld::Undecided => because(Judged::Undecided, vec![]),
            Unheld::Normal => because(Judged::Idle, vec![]),
            Unheld::Protected => because(Judged::Protected, vec![]),
            Unheld::Leaked | Unheld::DeadPid | Unheld::Companion => match self.wanted(world) {
                Still::Wanted(why) => {
                    let judged = match self.maker.wanted {
                        Wanted::Idle => Judged::Idle,
                        Wanted::Protected => Judged::Protected,
                    };
                    because(judged, vec![why])
                }
                Still::Untold(why) => Judgement { judged: Judged::Undecided, reasons: vec![why] },
                Still::Unwanted(reasons) => because(Judged::Leaked, reasons),
            },
        }
    }

    /// Whether anything still wants it.
    fn wanted(&self, world: &dyn World) -> Still {
        let helpers = self.helpers.iter().map(|helper| {
            let whose = self.maker.helpers_of;
            let text = format!("{}{}", escape(helper), of_whom(whose));
            let runs = world.runs(helper, whose);
            (runs, format!("{text} runs"), format!("no {text} runs"), format!("whether {text} runs"))
        });
        let with = self.with.iter().map(|name| {
            let text = format!("/{}", escape(name));
            let held = world.is_held(name);
            let (is, is_not) = (format!("{text} is held"), format!("{text} is held by nobody"));
            (held, format!("{is}, which it belongs to"), is_not, format!("whether {is}"))
        });
        let pids = self.pids.iter().filter(|pid| pid.is_whole()).map(|pid| {
            let text = pid.words();
            (
                world.lives(pid.pid),
                format!("{text} lives"),
                format!("{text} is dead"),
                format!("whether {text} lives"),
            )
        });
        let (mut untold, mut unwanted) = (None, vec![]);
        for (wanted, yes, no, unknown) in pids.chain(with).chain(helpers) {
            match wanted {
                Some(true) => return Still::Wanted(yes),
                Some(false) => unwanted.push(no),
                None => untold = untold.or(Some(format!("{unknown} cannot be told here"))),
            }
        }
        if self.contents == Contents::Differ {
            untold = Some("its contents are not what that maker writes".to_owned());
        }
        if self.maker.unheld == Unheld::DeadPid && !self.pids.iter().any(FoundPid::is_whole) {
            untold = untold.or_else(|| Some("the pid that it depends on could not be read".to_owned()));
        }
        untold.map_or(Still::Unwanted(unwanted), Still::Untold)
    }
}

/// Whether anything wants a segment, with the reasons.
enum Still {
    Wanted(String),
    Untold(String),
    Unwanted(Vec<String>),
}

impl FoundPid {
    /// Whether it is a pid and not a part of one.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        !matches!(self.from, PidFrom::PartOfName { .. })
    }

    /// "its creator 4121, from its name".
    #[must_use]
    pub fn words(&self) -> String {
        let from = match self.from {
            PidFrom::Name => "from its name".to_owned(),
            PidFrom::PartOfName { .. } => "of which its name has the last digits".to_owned(),
            PidFrom::Contents { at } if at < 0 => {
                format!("from its contents, {} bytes before the end", at.unsigned_abs())
            }
            PidFrom::Contents { at } => format!("from its contents at {at}"),
        };
        format!("its {} (pid {}, {from})", escape(self.of.as_bytes()), self.pid)
    }
}
