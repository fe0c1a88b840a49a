//! Judges a segment without holders by the rule of its maker.

use super::contents::Contents;
use super::helper::describe;
use super::matched::MakerMatch;
use super::pids::{FoundPid, PidFrom};
use crate::config::maker::{Unheld, Wanted};
use crate::identify::evidence::Evidence;
use crate::identify::{PidNamespace, ProcessState};
use crate::segment::{Segment, escape};

/// A judgment and its reasons, most important first, safe to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgment {
    pub judged: Judged,
    /// Empty only if undecided.
    pub reasons: Vec<String>,
}

/// The conclusion about a segment without holders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// The segment is still needed, or normally has no holders.
    Idle,
    Protected,
    /// No process will use the segment again.
    Leaked,
    Undecided,
}

impl MakerMatch<'_> {
    /// Judges a segment without holders.
    #[must_use]
    pub fn judge(&self, segment: &Segment, evidence: &Evidence<'_>) -> Judgment {
        let because = |judged, mut reasons: Vec<String>| {
            reasons.push(escape(self.maker.reason.as_bytes()));
            Judgment { judged, reasons }
        };
        match self.maker.unheld {
            _ if self.only_labels => Judgment { judged: Judged::Undecided, reasons: vec![] },
            Unheld::Undecided if self.maker.reason.is_empty() => {
                Judgment { judged: Judged::Undecided, reasons: vec![] }
            }
            Unheld::Undecided => because(Judged::Undecided, vec![]),
            Unheld::Normal => because(Judged::Idle, vec![]),
            Unheld::Protected => because(Judged::Protected, vec![]),
            Unheld::Leaked | Unheld::DeadPid | Unheld::Companion => match self.need(segment, evidence) {
                Need::Needed(why) => {
                    let judged = match self.maker.wanted {
                        Wanted::Idle => Judged::Idle,
                        Wanted::Protected => Judged::Protected,
                    };
                    because(judged, vec![why])
                }
                Need::Unknown(why) => Judgment { judged: Judged::Undecided, reasons: vec![why] },
                Need::Unneeded(reasons) => because(Judged::Leaked, reasons),
            },
        }
    }

    /// Determines whether something still needs the segment.
    fn need(&self, segment: &Segment, evidence: &Evidence<'_>) -> Need {
        let helpers = self.helpers.iter().map(|helper| {
            let owner = self.maker.helpers_of;
            let text = format!("{}{}", escape(helper), describe(owner));
            let runs = evidence.is_helper_running(helper, owner, segment);
            (
                runs,
                format!("{text} is running"),
                format!("no {text} is running"),
                format!("if {text} is running"),
            )
        });
        let with = self.with.iter().map(|name| {
            let text = format!("/{}", escape(name));
            let held = evidence.is_held(name);
            let (is, is_not) = (format!("its {text} is in use"), format!("its {text} has no holders"));
            (held, is.clone(), is_not, format!("if {is}"))
        });
        let made = segment.times.birth.or(segment.times.change);
        let pids = self.pids.iter().filter(|pid| pid.is_whole()).map(|pid| {
            let text = pid.words();
            let (lives, yes) = match evidence.states.of(pid.pid, PidNamespace::Writers, made) {
                ProcessState::Running(_) => (Some(true), format!("{text} is running")),
                ProcessState::InChildNamespace => {
                    (Some(true), format!("{text} may be running in another pid namespace"))
                }
                ProcessState::Exited | ProcessState::PidReused(_) => (Some(false), String::new()),
                ProcessState::Unknown(_) => (None, String::new()),
            };
            (lives, yes, format!("{text} exited"), format!("if {text} is running"))
        });
        let (mut unknown_need, mut exited) = (None, vec![]);
        for (needed, yes, no, unknown) in pids.chain(with).chain(helpers) {
            match needed {
                Some(true) => return Need::Needed(yes),
                Some(false) => exited.push(no),
                None => unknown_need = unknown_need.or(Some(format!("cannot tell {unknown}"))),
            }
        }
        if self.contents == Contents::Differ {
            unknown_need = Some("its contents do not match this maker".to_owned());
        }
        if self.maker.unheld == Unheld::DeadPid && !self.pids.iter().any(FoundPid::is_whole) {
            unknown_need =
                unknown_need.or_else(|| Some("failed to read the pid that it depends on".to_owned()));
        }
        unknown_need.map_or(Need::Unneeded(exited), Need::Unknown)
    }
}

/// The answer to whether a segment is still needed, with the reasons.
enum Need {
    Needed(String),
    Unknown(String),
    Unneeded(Vec<String>),
}

impl FoundPid {
    /// Returns false if only the low digits of the pid are known.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        !matches!(self.from, PidFrom::PartOfName { .. })
    }

    /// Describes the process: `its creator (pid 4121, from its name)`.
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
    use super::super::tests::peek;
    use super::super::{Catalog, Peek, Subject};
    use super::*;
    use crate::identify::evidence::{self, Commands};
    use crate::identify::{LeaseResults, Leases, ProcessStates};
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::segment::Access;
    use crate::survey::{Depth, Holdings, Names, Survey};
    use std::sync::Arc;
    use std::time::Duration;

    fn nothing(_: &FakeMachine) {}

    /// Hides the processes of other users, as `hidepid` does.
    fn hide(machine: &FakeMachine) {
        machine.edit(|facts| facts.visibility.hides = true);
    }

    fn run(pid: u32, command: &str) -> impl Fn(&FakeMachine) {
        move |machine| machine.add_process(pid, command)
    }

    fn hold(name: &str) -> impl Fn(&FakeMachine) {
        move |machine| {
            machine.add_object(name, FakeBytes::hole(1));
            machine.add_process(7, "holder");
            machine.open_in(7, name, Access::Read);
        }
    }

    /// Judges a segment on a machine set up by `prepare`.
    fn judged(id: &str, contents: Option<&[u8]>, prepare: impl Fn(&FakeMachine)) -> Judgment {
        let machine = FakeMachine::new();
        let bytes = FakeBytes::hole(contents.map_or(32, <[u8]>::len) as u64);
        match id.strip_prefix("posix:/") {
            Some(name) => machine.add_object(name, bytes),
            None => _ = machine.add_sysv(1, 0x1234, bytes),
        }
        prepare(&machine);
        let mut names = Names::default();
        let holdings = Holdings::scan(&machine, Depth::Private, &[], &mut names);
        let mut survey = Survey::take(&machine, &mut names);
        survey.join(&holdings, &machine, &mut names);
        let (mut answers, holdings) = (LeaseResults::default(), Some(&holdings));
        let leases = Leases::new(&machine, &mut answers, holdings, survey.at, Duration::ZERO);
        let segment = survey.segments.iter().find(|segment| segment.id.to_string() == id).unwrap();
        let contents = contents.map(peek);
        let contents = contents.as_ref().map(|contents| contents as &Peek<'_>);
        let subject = Subject { contents, ..Subject::of(segment) };
        let made = Arc::new(Catalog::built_in().find(&subject).unwrap());
        let evidence = Evidence {
            machine: &machine,
            holdings,
            leases: &leases,
            states: ProcessStates::new(&machine, None),
            held: evidence::held(&survey, &[Some(Arc::clone(&made))], holdings, &leases),
            commands: &Commands::default(),
            created: None,
            now: survey.at,
            settle: None,
        };
        made.judge(segment, &evidence)
    }

    fn object(name: &str, prepare: impl Fn(&FakeMachine)) -> Judged {
        let judgment = judged(&format!("posix:/{name}"), None, prepare);
        assert!(judgment.judged == Judged::Undecided || !judgment.reasons.is_empty(), "{name}");
        judgment.judged
    }

    #[test]
    fn running_helper_keeps_a_segment() {
        assert_eq!(object("psm_1f09ab2c", nothing), Judged::Leaked);
        assert_eq!(object("psm_1f09ab2c", run(7, "resource_tracker")), Judged::Idle);
        assert_eq!(object("psm_1f09ab2c", hide), Judged::Undecided);
        let server = run(7, "ora_pmon_ORCL");
        assert_eq!(object("ora_ORCL_32769_0", &server), Judged::Protected);
        assert_eq!(object("ora_TEST_32769_0", &server), Judged::Leaked, "that is another instance");
        let judgment = judged("posix:/psm_1f09ab2c", None, nothing);
        assert_eq!(judgment.reasons[0], "no resource_tracker of its owner or root is running");
    }

    #[test]
    fn tensor_of_an_exited_creator_is_idle_while_its_manager_runs() {
        assert_eq!(object("torch_4121_7_0", run(7, "torch_shm_manager")), Judged::Idle);
        assert_eq!(object("torch_4121_7_0", run(4121, "python3")), Judged::Idle);
        assert_eq!(object("torch_4121_7_0", nothing), Judged::Leaked);
    }

    #[test]
    fn pids_decide_if_all_of_them_are_known() {
        let one = run(4188, "reader");
        assert_eq!(object("qb-4121-4188-7-a1B2c3/x", &one), Judged::Protected);
        assert_eq!(object("qb-4121-4189-7-a1B2c3/x", &one), Judged::Leaked);
        assert_eq!(object("pym-4121-8xk2_abc", hide), Judged::Undecided);
        // The pid is in the contents, which were not read or belong to another maker.
        assert_eq!(object("pulse-shm-1", &one), Judged::Undecided);
        let mut pool = [0; 100];
        pool[60..66].copy_from_slice(&[0xfe, 0xca, 0xef, 0xbe, 0x19, 0x10]);
        let pulse = |pool: &[u8], prepare: &dyn Fn(&FakeMachine)| {
            judged("posix:/pulse-shm-1", Some(pool), prepare).judged
        };
        assert_eq!(pulse(&pool, &one), Judged::Leaked);
        assert_eq!(pulse(&pool, &run(4121, "pulseaudio")), Judged::Idle);
        pool[60] = 0;
        assert_eq!(pulse(&pool, &one), Judged::Undecided);
    }

    #[test]
    fn held_companion_keeps_a_segment() {
        let lock = hold("fastdds_0123456789abcdef_el");
        assert_eq!(object("fastdds_0123456789abcdef", &lock), Judged::Idle);
        assert_eq!(object("fastdds_0123456789abcde0", &lock), Judged::Leaked);
        let port = hold("fastrtps_port7410_sl");
        assert_eq!(object("sem.fastrtps_port7410_mutex", &port), Judged::Idle);
        assert_eq!(object("sem.fastrtps_port7411_mutex", &port), Judged::Leaked);
    }

    #[test]
    fn protected_normal_and_labeled_segments_are_never_leaked() {
        assert_eq!(object("libpod_lock", nothing), Judged::Protected);
        assert_eq!(object("lttng-ust-wait-8", nothing), Judged::Protected);
        assert_eq!(object("jack-shm-registry", nothing), Judged::Idle);
        assert_eq!(object("sem.gate", nothing), Judged::Undecided);
        assert_eq!(object("paddle_4121_1", nothing), Judged::Undecided, "a label carries no verdict");
        let mut interlock = [0; 56];
        interlock[..6].copy_from_slice(&[0x0e, 0x75, 0x85, 0x28, 0x19, 0x10]);
        let postgres = |prepare: &dyn Fn(&FakeMachine)| judged("sysv:1", Some(&interlock), prepare).judged;
        assert_eq!(postgres(&run(4121, "postgres")), Judged::Protected);
        assert_eq!(postgres(&nothing), Judged::Leaked);
        assert_eq!(postgres(&hide), Judged::Undecided);
    }
}
