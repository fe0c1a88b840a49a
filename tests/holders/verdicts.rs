//! Verdicts on the crowd's segments: no held segment is leaked, for any user, whatever could be
//! examined.

use super::Crowd;
use super::found::object;
use crate::support::{Namespaces, Nobody, Object as Made, shmlens, tool};
use shmlens::identify::{Identifier, Rules};
use shmlens::machine::Machine as _;
use shmlens::machine::process::Object;
use shmlens::machine::real::RealMachine;
use shmlens::segment::{Certainty, Segment, SegmentId, State};
use shmlens::survey::{Depth, Holdings, Names, Survey};
use std::process::Command;
use std::time::Duration;
use std::{fs, io};

/// Surveys the segments with verdicts, without an age limit.
fn with_verdicts() -> Survey {
    let mut names = Names::default();
    let holdings = Holdings::scan(&RealMachine, Depth::Private, &[], &mut names);
    let mut identifier = Identifier::new(Rules { settle: Some(Duration::ZERO), ..Rules::default() });
    identifier.survey(&RealMachine, Some(&holdings), &mut names)
}

fn named<'a>(survey: &'a Survey, crowd: &Crowd, name: &[u8]) -> &'a Segment {
    let is_named = |segment: &&Segment| crowd.truth.names.get(&object(segment)).is_some_and(|it| it == name);
    survey.segments.iter().find(is_named).unwrap()
}

/// Asserts that no held segment counts as unheld.
fn assert_held_is_never_unheld(survey: &Survey, crowd: &Crowd) {
    for segment in &survey.segments {
        let holders = &crowd.truth.held[&object(segment)];
        let unseen = crowd.truth.unseen.contains_key(&object(segment));
        let state = segment.verdict.state;
        let kept = matches!(state, State::InUse | State::Removed | State::Unknown);
        assert!(
            kept || (holders.is_empty() && !unseen),
            "{}: {:?}, {holders:?}",
            segment.id,
            segment.verdict
        );
    }
}

/// Returns the unattached segment whose creator has exited.
fn orphan(survey: &Survey) -> &Segment {
    survey.segments.iter().find(|segment| segment.sysv().is_some_and(|facts| facts.key.0 == 999)).unwrap()
}

#[test]
fn root_gets_a_verdict_on_every_segment() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(crowd) = Crowd::gather(40, 30) else { return };
    let survey = with_verdicts();
    assert_held_is_never_unheld(&survey, &crowd);
    for segment in &survey.segments {
        let held = !crowd.truth.held[&object(segment)].is_empty();
        let state = segment.verdict.state;
        assert_eq!(held, matches!(state, State::InUse | State::Removed), "{}: {state:?}", segment.id);
    }
    // Any program may use the key later.
    assert_eq!(orphan(&survey).verdict.state, State::Leaked(Certainty::Likely));
    let unheld = named(&survey, &crowd, b"unheld");
    assert_eq!(unheld.verdict.state, State::Leaked(Certainty::Likely), "{:?}", unheld.verdict);
}

#[test]
fn unprivileged_verdicts_are_unknown_without_proof() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(crowd) = Crowd::gather(40, 30) else { return };
    let _nobody = Nobody::here();
    let survey = with_verdicts();
    assert_held_is_never_unheld(&survey, &crowd);
    let coverage = survey.coverage.as_ref().unwrap();
    assert!(coverage.unreadable > 40 && !coverage.is_whole());
    // An ordinary user cannot determine the state of root's objects.
    assert_eq!(named(&survey, &crowd, b"unheld").verdict.state, State::Unknown);
    assert_eq!(named(&survey, &crowd, b"plain").verdict.state, State::Unknown);
    // Locks are visible to every user, and so are zero attachments.
    let locked = named(&survey, &crowd, b"locked");
    assert_eq!(locked.verdict.state, State::InUse, "{:?}", locked.verdict);
    // Any program may use the key later.
    assert_eq!(orphan(&survey).verdict.state, State::Leaked(Certainty::Likely));
    // Only processes of nobody can be examined.
    let shared = named(&survey, &crowd, b"shared");
    let pids: Vec<u32> = shared.holders.iter().flat_map(|all| all.iter()).map(|one| one.pid).collect();
    assert_eq!(pids, [crowd.pid("nobodys")]);
}

#[test]
fn unidentified_attachments_are_reported() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(crowd) = Crowd::gather(20, 30) else { return };
    let survey = with_verdicts();
    let (&short, &by) = crowd.truth.unseen.first_key_value().unwrap();
    for segment in &survey.segments {
        let Some(facts) = segment.sysv() else { continue };
        let text = segment.verdict.reasons.iter().find(|reason| reason.contains(" found"));
        if object(segment) == short {
            let found = facts.nattch - u64::from(by);
            let expected = format!("{found} found, {by} in processes that cannot be inspected");
            assert!(text.is_some_and(|text| text.contains(&expected)), "{text:?}");
        } else {
            assert_eq!(text, None, "{}", segment.id);
        }
    }
}

#[test]
fn lease_probe_refuses_a_replaced_object() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Made::new("a", 10, 0o600);
    let mut names = Names::default();
    let shown = Survey::take(&RealMachine, &mut names).segments.remove(0).identity();
    let SegmentId::Posix(name) = object.id() else { panic!("it has a name") };
    let request_lease = || RealMachine.is_open_elsewhere(&name, &shown).map_err(|error| error.kind());
    assert_eq!(request_lease(), Ok(true), "this test has it open");
    fs::remove_file(object.path()).unwrap();
    fs::write(object.path(), "another").unwrap();
    assert_eq!(request_lease(), Err(io::ErrorKind::NotFound));
}

#[test]
fn descriptor_exhaustion_never_reports_unheld() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(crowd) = Crowd::gather(20, 30) else { return };
    let Some(shell) = tool("sh") else { return };
    let mut unknown = 0;
    for most in 4..20 {
        let mut command = Command::new(&shell);
        let program = shmlens().get_program().to_owned();
        command.arg("-c").arg(format!("ulimit -n {most}; exec \"$0\" list --json")).arg(program);
        let output = command.output().unwrap();
        // Without enough descriptors to start, the error is reported.
        let Ok(report) = serde_json::from_slice::<serde_json::Value>(&output.stdout) else {
            assert!(!output.stderr.is_empty(), "with {most}");
            continue;
        };
        for segment in report["segments"].as_array().unwrap() {
            let number = |name: &str| segment[name].as_u64();
            let object = if let Some(shmid) = number("shmid") {
                Object::Sysv(i32::try_from(shmid).unwrap())
            } else {
                Object::File { device: number("device").unwrap(), inode: number("inode").unwrap() }
            };
            let held = !crowd.truth.held[&object].is_empty();
            let state = segment["state"].as_str().unwrap();
            assert!(!held || matches!(state, "in-use" | "removed" | "unknown"), "with {most}: {segment}");
            unknown += usize::from(held && state == "unknown");
        }
    }
    assert!(unknown > 0, "no run had too few descriptors");
}
