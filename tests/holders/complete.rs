//! Every holder is found with the right access, and no other process.

use super::found::{found, object};
use super::{Crowd, survey_real};
use crate::support::{Child, Namespaces, Nobody, SOON, tool};
use shmlens::machine::process::{Examination, Processes as _, ScanOptions};
use shmlens::machine::real::RealMachine;
use shmlens::segment::{Holder, SegmentId};
use std::collections::HashMap;
use std::process::Command;

#[test]
fn every_holder_is_found_and_no_other_process() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(crowd) = Crowd::gather(300, 120) else { return };
    let (survey, _) = survey_real();
    assert_eq!(survey.problems, Vec::<String>::new());
    let (truth, found) = (&crowd.truth.held, found(&survey));
    assert_eq!(truth.len(), found.len());
    let differ: Vec<_> = truth.iter().filter(|(of, holders)| found.get(of) != Some(holders)).collect();
    for (of, holders) in &differ {
        eprintln!("{of:?}: {holders:?}\nfound {:?}", found.get(of));
    }
    assert!(differ.is_empty(), "{} of {} differ", differ.len(), truth.len());
    // The crowd contains every kind of holder.
    assert!(truth.values().map(Vec::len).sum::<usize>() > 1000);
}

#[test]
fn counted_attachments_are_found_or_reported_missing() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(crowd) = Crowd::gather(20, 30) else { return };
    let (survey, _) = survey_real();
    for segment in &survey.segments {
        let Some(facts) = segment.sysv() else { continue };
        let mappings: u32 = segment.holders.iter().flat_map(|all| all.iter()).map(|one| one.mappings).sum();
        let unseen = crowd.truth.unseen.get(&object(segment)).copied().unwrap_or(0);
        assert_eq!(facts.nattch, u64::from(mappings + unseen), "{}", segment.id);
    }
}

#[test]
fn unlinked_objects_are_found_with_their_former_name() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(crowd) = Crowd::gather(20, 30) else { return };
    let (survey, _) = survey_real();
    let deleted: Vec<_> =
        survey.segments.iter().filter(|segment| matches!(segment.id, SegmentId::Deleted { .. })).collect();
    assert_eq!(deleted.len(), crowd.truth.deleted.len());
    for segment in deleted {
        let name = segment.posix().unwrap().unlinked.as_ref().unwrap().name.as_ref().unwrap();
        assert_eq!(name.as_bytes(), crowd.truth.names[&object(segment)]);
        assert_eq!(segment.size.0, 3 * 4096);
    }
}

#[test]
fn unlinked_regular_files_are_not_segments() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let (Some(shell), Some(_)) = (tool("sh"), tool("mkfifo")) else { return };
    let text = "cd /dev/shm; mkfifo f; mkdir d; exec 3<>f 4<d; cd /; rm /dev/shm/f; rmdir /dev/shm/d; \
                echo x >/dev/shm/o; exec 5</dev/shm/o; rm /dev/shm/o; echo ready; read a";
    let mut child = Child::spawn_piped(Command::new(shell).args(["-c", text]));
    assert_eq!(child.line(SOON), "ready");
    let (survey, _) = survey_real();
    let [object] = &survey.segments[..] else { panic!("{:?}", survey.segments) };
    assert_eq!(object.label(), "/o");
}

#[test]
fn new_processes_are_listed_without_the_old_ones() {
    let Some(sleep) = tool("sleep") else { return };
    let child = Child::spawn(Command::new(sleep).arg("60"));
    let pid = child.pid().as_raw().unsigned_abs();
    let all = RealMachine.list_processes().unwrap();
    let new = RealMachine.list_processes_from(pid).unwrap();
    assert!(new.iter().any(|it| it.pid == pid), "{new:?}");
    assert!(new.iter().all(|it| it.pid >= pid) && new.len() < all.len(), "{new:?}");
}

#[test]
fn kernel_threads_hold_nothing() {
    const KTHREADD: u32 = 2;
    let Some(_namespaces) = Namespaces::new() else { return };
    if std::fs::read(format!("/proc/{KTHREADD}/comm")).is_ok_and(|command| command == b"kthreadd\n") {
        let wanted = ScanOptions {
            segment_devices: RealMachine.segment_devices().unwrap(),
            private: true,
            as_text: false,
        };
        let _nobody = Nobody::here();
        let examined = RealMachine.examine(KTHREADD, &wanted);
        assert!(matches!(examined, Examination::Nothing), "{examined:?}");
    }
}

#[test]
fn command_names_are_escaped() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(crowd) = Crowd::gather(20, 30) else { return };
    let (survey, _) = survey_real();
    let holders =
        survey.segments.iter().flat_map(|segment| segment.holders.iter().flat_map(|all| all.iter()));
    let holders: HashMap<u32, &Holder> = holders.map(|holder| (holder.pid, holder)).collect();
    for (pid, command) in &crowd.truth.commands {
        assert_eq!(&*holders[pid].command, command.as_slice());
        assert!(!holders[pid].command_text().contains(char::is_control), "{command:?}");
    }
    assert!(holders[&crowd.pid("pid-inside")].command_text().starts_with("crowd"));
}
