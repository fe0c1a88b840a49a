//! Judges a segment without holders by the rule of its maker.

use super::contents::Contents;
use super::helper::describe;
use super::matched::MakerMatch;
use super::pids::{FoundPid, PidFrom};
use crate::config::maker::{NeededVerdict, UnheldVerdict};
use crate::identify::evidence::Evidence;
use crate::identify::{PidNamespace, ProcessState};
use crate::segment::{Segment, escape};

/// A finding and its reasons, most important first, safe to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgment {
    pub finding: Finding,
    /// Empty only if unknown.
    pub reasons: Vec<String>,
}

/// The need for a segment without holders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    Protected,
    /// The creator is running.
    CreatorRuns,
    /// The creator has exited, but the last process to use the segment is running.
    LastUserRuns,
    /// A running process still needs the segment.
    Needed,
    /// The maker normally leaves segments without holders.
    Normal,
    /// No process will use the segment again.
    Leaked,
    /// The leak of a running demo, which does not have to settle.
    Example,
    /// Nothing proves that the segment is needed or not.
    Unknown,
}

impl MakerMatch<'_> {
    /// Judges a segment without holders.
    #[must_use]
    pub fn judge(&self, segment: &Segment, evidence: &Evidence<'_>) -> Judgment {
        let with_maker_reason = |finding, mut reasons: Vec<String>| {
            reasons.push(escape(self.maker.reason.as_bytes()));
            Judgment { finding, reasons }
        };
        let unknown = |reasons| Judgment { finding: Finding::Unknown, reasons };
        match self.maker.unheld {
            _ if self.only_labels => unknown(vec![]),
            UnheldVerdict::Undecided if self.maker.reason.is_empty() => unknown(vec![]),
            UnheldVerdict::Undecided => with_maker_reason(Finding::Unknown, vec![]),
            UnheldVerdict::Normal => with_maker_reason(Finding::Normal, vec![]),
            UnheldVerdict::Protected => with_maker_reason(Finding::Protected, vec![]),
            UnheldVerdict::Leaked | UnheldVerdict::DeadPid | UnheldVerdict::Companion => {
                match self.need(segment, evidence) {
                    Need::Needed(reason) => {
                        let finding = match self.maker.wanted {
                            NeededVerdict::Idle => Finding::Needed,
                            NeededVerdict::Protected => Finding::Protected,
                        };
                        with_maker_reason(finding, vec![reason])
                    }
                    Need::Unknown(reason) => unknown(vec![reason]),
                    Need::Unneeded(reasons) => with_maker_reason(Finding::Leaked, reasons),
                }
            }
        }
    }

    /// Looks for a process or an object that still needs the segment.
    fn need(&self, segment: &Segment, evidence: &Evidence<'_>) -> Need {
        let helpers = self.helpers.iter().map(|helper| {
            let owner = self.maker.helpers_of;
            let text = format!("{}{}", escape(helper), describe(owner));
            let is_running = evidence.is_helper_running(helper, owner, segment);
            (
                is_running,
                format!("{text} is running"),
                format!("no {text} is running"),
                format!("if {text} is running"),
            )
        });
        let objects = self.with.iter().map(|name| {
            let text = format!("/{}", escape(name));
            let held = evidence.is_held(name);
            let (in_use, unheld) = (format!("its {text} is in use"), format!("its {text} has no holders"));
            (held, in_use.clone(), unheld, format!("if {in_use}"))
        });
        let created = segment.times.birth.or(segment.times.change);
        let pids = self.pids.iter().filter(|pid| pid.is_whole()).map(|pid| {
            let text = pid.describe();
            let (is_running, reason) = match evidence.states.of(pid.pid, PidNamespace::Writers, created) {
                ProcessState::Running(_) => (Some(true), format!("{text} is running")),
                ProcessState::InChildNamespace => {
                    (Some(true), format!("{text} may be running in another pid namespace"))
                }
                ProcessState::Exited | ProcessState::PidReused(_) => (Some(false), String::new()),
                ProcessState::Unknown(_) => (None, String::new()),
            };
            (is_running, reason, format!("{text} exited"), format!("if {text} is running"))
        });
        let (mut unknown_need, mut exited) = (None, vec![]);
        for (is_needed, needed, unneeded, condition) in pids.chain(objects).chain(helpers) {
            match is_needed {
                Some(true) => return Need::Needed(needed),
                Some(false) => exited.push(unneeded),
                None => unknown_need = unknown_need.or(Some(format!("cannot tell {condition}"))),
            }
        }
        if self.contents == Contents::Differ {
            unknown_need = Some("its contents do not match this maker".to_owned());
        }
        if self.maker.unheld == UnheldVerdict::DeadPid && !self.pids.iter().any(FoundPid::is_whole) {
            unknown_need =
                unknown_need.or_else(|| Some("failed to read the pid that it depends on".to_owned()));
        }
        unknown_need.map_or(Need::Unneeded(exited), Need::Unknown)
    }
}

/// A segment's need, with the reasons.
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
    pub fn describe(&self) -> String {
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
        let maker_match = Arc::new(Catalog::built_in().find(&subject).unwrap());
        let evidence = Evidence {
            machine: &machine,
            holdings,
            leases: &leases,
            states: ProcessStates::new(&machine, None),
            held: evidence::held(&survey, &[Some(Arc::clone(&maker_match))], holdings, &leases),
            commands: &Commands::default(),
            created: None,
            now: survey.at,
            settle: None,
        };
        maker_match.judge(segment, &evidence)
    }

    fn object(name: &str, prepare: impl Fn(&FakeMachine)) -> Finding {
        let judgment = judged(&format!("posix:/{name}"), None, prepare);
        assert!(judgment.finding == Finding::Unknown || !judgment.reasons.is_empty(), "{name}");
        judgment.finding
    }

    #[test]
    fn running_helper_keeps_a_segment() {
        assert_eq!(object("psm_1f09ab2c", nothing), Finding::Leaked);
        assert_eq!(object("psm_1f09ab2c", run(7, "resource_tracker")), Finding::Needed);
        assert_eq!(object("psm_1f09ab2c", hide), Finding::Unknown);
        let server = run(7, "ora_pmon_ORCL");
        assert_eq!(object("ora_ORCL_32769_0", &server), Finding::Protected);
        assert_eq!(
            object("ora_TEST_32769_0", &server),
            Finding::Leaked,
            "another database instance does not need the object"
        );
        let judgment = judged("posix:/psm_1f09ab2c", None, nothing);
        assert_eq!(judgment.reasons[0], "no resource_tracker of its owner or root is running");
    }

    #[test]
    fn tensor_of_an_exited_creator_is_idle_while_its_manager_runs() {
        assert_eq!(object("torch_4121_7_0", run(7, "torch_shm_manager")), Finding::Needed);
        assert_eq!(object("torch_4121_7_0", run(4121, "python3")), Finding::Needed);
        assert_eq!(object("torch_4121_7_0", nothing), Finding::Leaked);
    }

    #[test]
    fn pids_decide_if_all_of_them_are_known() {
        let one = run(4188, "reader");
        assert_eq!(object("qb-4121-4188-7-a1B2c3/x", &one), Finding::Protected);
        assert_eq!(object("qb-4121-4189-7-a1B2c3/x", &one), Finding::Leaked);
        assert_eq!(object("pym-4121-8xk2_abc", hide), Finding::Unknown);
        // The pid is in the contents, which were not read or belong to another maker.
        assert_eq!(object("pulse-shm-1", &one), Finding::Unknown);
        let mut pool = [0; 100];
        pool[60..66].copy_from_slice(&[0xfe, 0xca, 0xef, 0xbe, 0x19, 0x10]);
        let pulse = |pool: &[u8], prepare: &dyn Fn(&FakeMachine)| {
            judged("posix:/pulse-shm-1", Some(pool), prepare).finding
        };
        assert_eq!(pulse(&pool, &one), Finding::Leaked);
        assert_eq!(pulse(&pool, &run(4121, "pulseaudio")), Finding::Needed);
        pool[60] = 0;
        assert_eq!(pulse(&pool, &one), Finding::Unknown);
    }

    #[test]
    fn held_companion_keeps_a_segment() {
        let lock = hold("fastdds_0123456789abcdef_el");
        assert_eq!(object("fastdds_0123456789abcdef", &lock), Finding::Needed);
        assert_eq!(object("fastdds_0123456789abcde0", &lock), Finding::Leaked);
        let port = hold("fastrtps_port7410_sl");
        assert_eq!(object("sem.fastrtps_port7410_mutex", &port), Finding::Needed);
        assert_eq!(object("sem.fastrtps_port7411_mutex", &port), Finding::Leaked);
    }

    #[test]
    fn protected_normal_and_labeled_segments_are_never_leaked() {
        assert_eq!(object("libpod_lock", nothing), Finding::Protected);
        assert_eq!(object("lttng-ust-wait-8", nothing), Finding::Protected);
        assert_eq!(object("jack-shm-registry", nothing), Finding::Normal);
        assert_eq!(object("sem.gate", nothing), Finding::Unknown);
        assert_eq!(object("paddle_4121_1", nothing), Finding::Unknown, "a label carries no verdict");
        let mut interlock = [0; 56];
        interlock[..6].copy_from_slice(&[0x0e, 0x75, 0x85, 0x28, 0x19, 0x10]);
        let postgres = |prepare: &dyn Fn(&FakeMachine)| judged("sysv:1", Some(&interlock), prepare).finding;
        assert_eq!(postgres(&run(4121, "postgres")), Finding::Protected);
        assert_eq!(postgres(&nothing), Finding::Leaked);
        assert_eq!(postgres(&hide), Finding::Unknown);
    }
}
