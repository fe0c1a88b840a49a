//! What the catalogue says of a segment that nobody holds.

use super::contents::Contents;
use super::helper::of_whom;
use super::matched::Made;
use super::pids::{FoundPid, PidFrom};
use crate::config::maker::{Unheld, Wanted, Whose};
use crate::segment::escape;

/// Whether a process lives that is known by the pid that it wrote down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lives {
    /// It does.
    Yes,
    /// One of that pid lives in a pid namespace below this one, and may be it.
    Elsewhere,
    /// It is dead.
    No,
    /// It cannot be told, as while other pid namespaces could not be examined.
    Untold,
}

/// What the judgement has to know of the machine. `None` where that cannot be
/// told.
pub trait World {
    /// Whether the process lives that had this pid when the segment was made:
    /// one that began later is another.
    fn lives(&self, pid: u32) -> Lives;
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
            _ if self.only_labels => Judgement { judged: Judged::Undecided, reasons: vec![] },
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
            (
                runs,
                format!("{text} is running"),
                format!("no {text} is running"),
                format!("if {text} is running"),
            )
        });
        let with = self.with.iter().map(|name| {
            let text = format!("/{}", escape(name));
            let held = world.is_held(name);
            let (is, is_not) = (format!("its {text} is in use"), format!("its {text} has no holders"));
            (held, is.clone(), is_not, format!("if {is}"))
        });
        let pids = self.pids.iter().filter(|pid| pid.is_whole()).map(|pid| {
            let text = pid.words();
            let (lives, yes) = match world.lives(pid.pid) {
                Lives::Yes => (Some(true), format!("{text} is running")),
                Lives::Elsewhere => (Some(true), format!("{text} may be running in another pid namespace")),
                Lives::No => (Some(false), String::new()),
                Lives::Untold => (None, String::new()),
            };
            (lives, yes, format!("{text} exited"), format!("if {text} is running"))
        });
        let (mut untold, mut unwanted) = (None, vec![]);
        for (wanted, yes, no, unknown) in pids.chain(with).chain(helpers) {
            match wanted {
                Some(true) => return Still::Wanted(yes),
                Some(false) => unwanted.push(no),
                None => untold = untold.or(Some(format!("cannot tell {unknown}"))),
            }
        }
        if self.contents == Contents::Differ {
            untold = Some("its contents do not match this maker".to_owned());
        }
        if self.maker.unheld == Unheld::DeadPid && !self.pids.iter().any(FoundPid::is_whole) {
            untold = untold.or_else(|| Some("failed to read the pid that it depends on".to_owned()));
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
            PidFrom::PartOfName { .. } => "low bits only, from its name".to_owned(),
            PidFrom::Contents { at } if at < 0 => {
                format!("from its contents at offset -{}", at.unsigned_abs())
            }
            PidFrom::Contents { at } => format!("from its contents at offset {at}"),
        };
        format!("its {} (pid {}, {from})", escape(self.of.as_bytes()), self.pid)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Catalogue, Kind, Peek, Subject};
    use super::*;
    use crate::segment::{Bytes, Key, Mode};

    /// Nobody lives and nothing runs, but for these; nothing is told where `dark`.
    #[derive(Default)]
    struct Made {
        lives: Vec<u32>,
        runs: Vec<&'static str>,
        held: Vec<&'static str>,
        dark: bool,
    }

    impl World for Made {
        fn lives(&self, pid: u32) -> Lives {
            match (self.dark, self.lives.contains(&pid)) {
                (true, _) => Lives::Untold,
                (_, true) => Lives::Yes,
                (_, false) => Lives::No,
            }
        }
        fn runs(&self, helper: &[u8], _: Whose) -> Option<bool> {
            (!self.dark).then(|| self.runs.iter().any(|runs| runs.as_bytes() == helper))
        }
        fn is_held(&self, name: &[u8]) -> Option<bool> {
            (!self.dark).then(|| self.held.iter().any(|held| held.as_bytes() == name))
        }
    }

    fn judged(kind: Kind, name: &str, contents: Option<&[u8]>, world: &Made) -> Judgement {
        let size = contents.map_or(32, <[u8]>::len);
        let subject = Subject {
            kind,
            name: (kind != Kind::Sysv).then_some(name.as_bytes()),
            key: (kind == Kind::Sysv).then_some(Key(0x1234)),
            size: Bytes(size as u64),
            mode: Mode::new(0o600),
            contents: contents.as_ref().map(|contents| contents as &dyn Peek),
            around: None,
        };
        Catalogue::built_in().find(&subject).unwrap().judge(world)
    }

    fn object(name: &str, world: &Made) -> Judged {
        let judgement = judged(Kind::Posix, name, None, world);
        assert!(judgement.judged == Judged::Undecided || !judgement.reasons.is_empty(), "{name}");
        judgement.judged
    }

    #[test]
    fn helpers_decide() {
        let nobody = Made::default();
        let tracker = Made { runs: vec!["resource_tracker"], ..Made::default() };
        let dark = Made { dark: true, ..Made::default() };
        assert_eq!(object("psm_1f09ab2c", &nobody), Judged::Leaked);
        assert_eq!(object("psm_1f09ab2c", &tracker), Judged::Idle);
        assert_eq!(object("psm_1f09ab2c", &dark), Judged::Undecided);
        let server = Made { runs: vec!["ora_pmon_ORCL"], ..Made::default() };
        assert_eq!(object("ora_ORCL_32769_0", &server), Judged::Protected);
        assert_eq!(object("ora_TEST_32769_0", &server), Judged::Leaked, "that is another instance");
        let judgement = judged(Kind::Posix, "psm_1f09ab2c", None, &nobody);
        assert_eq!(judgement.reasons[0], "no resource_tracker of its owner or root is running");
    }

    #[test]
    fn a_dead_creator_of_a_tensor_is_no_leak_while_its_manager_runs() {
        let manager = Made { runs: vec!["torch_shm_manager"], ..Made::default() };
        let creator = Made { lives: vec![4121], ..Made::default() };
        assert_eq!(object("torch_4121_7_0", &manager), Judged::Idle);
        assert_eq!(object("torch_4121_7_0", &creator), Judged::Idle);
        assert_eq!(object("torch_4121_7_0", &Made::default()), Judged::Leaked);
    }

    #[test]
    fn pids_decide_when_all_of_them_are_known() {
        let one = Made { lives: vec![4188], ..Made::default() };
        assert_eq!(object("qb-4121-4188-7-a1B2c3/x", &one), Judged::Protected);
        assert_eq!(object("qb-4121-4189-7-a1B2c3/x", &one), Judged::Leaked);
        assert_eq!(object("pym-4121-8xk2_abc", &Made { dark: true, ..Made::default() }), Judged::Undecided);
        // The pid is in the contents, which were not read, or are another's.
        assert_eq!(object("pulse-shm-1", &one), Judged::Undecided);
        let mut pool = [0; 100];
        pool[60..66].copy_from_slice(&[0xfe, 0xca, 0xef, 0xbe, 0x19, 0x10]);
        let pulse = |pool: &[u8], world: &Made| judged(Kind::Posix, "pulse-shm-1", Some(pool), world).judged;
        assert_eq!(pulse(&pool, &one), Judged::Leaked);
        assert_eq!(pulse(&pool, &Made { lives: vec![4121], ..Made::default() }), Judged::Idle);
        pool[60] = 0;
        assert_eq!(pulse(&pool, &one), Judged::Undecided);
    }

    #[test]
    fn what_it_belongs_to_decides() {
        let lock = Made { held: vec!["fastdds_0123456789abcdef_el"], ..Made::default() };
        assert_eq!(object("fastdds_0123456789abcdef", &lock), Judged::Idle);
        assert_eq!(object("fastdds_0123456789abcde0", &lock), Judged::Leaked);
        let port = Made { held: vec!["fastrtps_port7410_sl"], ..Made::default() };
        assert_eq!(object("sem.fastrtps_port7410_mutex", &port), Judged::Idle);
        assert_eq!(object("sem.fastrtps_port7411_mutex", &port), Judged::Leaked);
    }

    #[test]
    fn what_is_kept_is_never_a_leak() {
        let nobody = Made::default();
        assert_eq!(object("libpod_lock", &nobody), Judged::Protected);
        assert_eq!(object("lttng-ust-wait-8", &nobody), Judged::Protected);
        assert_eq!(object("jack-shm-registry", &nobody), Judged::Idle);
        assert_eq!(object("sem.gate", &nobody), Judged::Undecided);
        assert_eq!(object("paddle_4121_1", &nobody), Judged::Undecided, "a label carries no verdict");
        let mut interlock = [0; 56];
        interlock[..6].copy_from_slice(&[0x0e, 0x75, 0x85, 0x28, 0x19, 0x10]);
        let postgres = |world: &Made| judged(Kind::Sysv, "", Some(&interlock), world).judged;
        assert_eq!(postgres(&Made { lives: vec![4121], ..Made::default() }), Judged::Protected);
        assert_eq!(postgres(&nobody), Judged::Leaked);
        assert_eq!(postgres(&Made { dark: true, ..Made::default() }), Judged::Undecided);
    }
}
