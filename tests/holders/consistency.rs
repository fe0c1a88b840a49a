//! All ways of scanning have the same result.

use super::found::{found, object};
use super::{Crowd, survey_real};
use crate::support::{Child, Namespaces, Object, SOON, tool, wait_until};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use shmlens::machine::process::{self, Examination, Processes as _, ScanOptions, Use};
use shmlens::machine::real::RealMachine;
use shmlens::survey::{Depth, Holdings, Names, Survey};
use std::collections::BTreeSet;
use std::process::Command;

#[test]
fn maps_text_matches_procmap_query() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(crowd) = Crowd::gather(60, 40) else { return };
    let segment_devices = RealMachine.segment_devices().unwrap();
    let uses = |pid, private, as_text| {
        let wanted = ScanOptions { segment_devices: segment_devices.clone(), private, as_text };
        match RealMachine.examine(pid, &wanted) {
            Examination::Found(process, uses) => (Some(process), uses),
            Examination::Nothing => (None, vec![]),
            other => panic!("process {pid}: {other:?}"),
        }
    };
    let key = |one: &Use| (one.of, one.access, one.private, format!("{:?}", one.place), one.reaches);
    let mut private_ones = 0;
    for &pid in crowd.truth.roles.values().flatten() {
        for private in [false, true] {
            let (queried, read) = (uses(pid, private, false), uses(pid, private, true));
            let sorted = |uses: &[Use]| {
                let mut keys: Vec<_> = uses.iter().map(key).collect();
                keys.sort();
                keys
            };
            assert_eq!(sorted(&queried.1), sorted(&read.1), "process {pid}, private ones: {private}");
            assert_eq!(queried.0, read.0);
            private_ones += queried.1.iter().filter(|one| one.private).count();
            assert!(private || queried.1.iter().all(|one| !one.private));
        }
    }
    assert!(private_ones > 0);
}

#[test]
fn incremental_scan_matches_a_full_scan() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(crowd) = Crowd::gather(40, 30) else { return };
    let (_, before) = survey_real();
    // The killed processes hold nothing.
    let killed = &crowd.truth.roles["ordinary"][..5];
    for &pid in killed {
        let process = RealMachine.process(pid).unwrap();
        RealMachine.terminate(&process.id).unwrap();
    }
    wait_until(SOON, || {
        killed.iter().all(|&pid| RealMachine.process(pid).is_none_or(|process| process.ended))
    });
    let mut names = Names::default();
    let mut seen = |holdings: &Holdings| {
        let mut survey = Survey::take(&RealMachine, &mut names);
        survey.join(holdings, &RealMachine, &mut names);
        found(&survey)
    };
    let fresh = seen(&survey_real().1);
    let names = &mut Names::default();
    let all_pids: Vec<u32> = crowd.truth.roles.values().flatten().copied().collect();
    assert_eq!(seen(&before.rescan(&RealMachine, &all_pids, names)), fresh);
    assert_eq!(seen(&before.refresh(&RealMachine, &[], names)), fresh);
    assert_eq!(seen(&before.rescan(&RealMachine, killed, names)), fresh);
    // Results are reused for processes that have not run since. Exiting counts as running.
    assert_eq!(seen(&before.rescan(&RealMachine, &[], names)), fresh);
    let killed_objects: BTreeSet<process::Object> =
        killed.iter().flat_map(|&pid| before.held_by(pid)).collect();
    assert!(!killed_objects.is_empty());
}

#[test]
fn active_processes_are_rescanned() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(shell) = tool("sh") else { return };
    let object = Object::new("opened-late", 4096, 0o600);
    let text = "echo; read a; exec 3</dev/shm/opened-late; echo; read b; exec 3<&-; echo; read c";
    let mut child = Child::spawn_piped(Command::new(shell).args(["-c", text]));
    child.line(SOON);
    let pid = child.pid().as_raw().unsigned_abs();
    let names = &mut Names::default();
    let mut holdings = Holdings::scan(&RealMachine, Depth::Private, &[], names);
    assert_eq!(holdings.held_by(pid).len(), 0);
    for held in [1, 0] {
        child.send("\n");
        child.line(SOON);
        let (all, it) =
            (holdings.refresh(&RealMachine, &[], names), holdings.rescan(&RealMachine, &[pid], names));
        assert_eq!((all.held_by(pid).len(), it.held_by(pid).len()), (held, held));
        holdings = all;
    }
    drop(object);
}

#[test]
fn idle_processes_are_rescanned_for_a_new_file_system() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(shell) = tool("sh") else { return };
    let object = Object::new("covered", 4096, 0o600);
    let text = "exec 3</dev/shm/covered; echo; read a";
    let mut child = Child::spawn_piped(Command::new(shell).args(["-c", text]));
    child.line(SOON);
    let pid = child.pid().as_raw().unsigned_abs();
    let names = &mut Names::default();
    let flags = MsFlags::empty();
    mount(Some("tmpfs"), "/dev/shm", Some("tmpfs"), flags, None::<&str>).unwrap();
    let covered = Holdings::scan(&RealMachine, Depth::Private, &[], names);
    umount2("/dev/shm", MntFlags::MNT_DETACH).unwrap();
    assert_eq!(covered.held_by(pid).len(), 0);
    assert_eq!(covered.refresh(&RealMachine, &[], names).held_by(pid).len(), 1);
    drop(object);
}

#[test]
fn shallow_scan_misses_only_private_mappings() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(crowd) = Crowd::gather(60, 40) else { return };
    let mut names = Names::default();
    let holdings = Holdings::scan(&RealMachine, Depth::Shared, &[], &mut names);
    let mut survey = Survey::take(&RealMachine, &mut names);
    survey.join(&holdings, &RealMachine, &mut names);
    for segment in &survey.segments {
        let truth = &crowd.truth.held[&object(segment)];
        let seen: Vec<u32> = segment.holders.iter().flat_map(|all| all.iter()).map(|one| one.pid).collect();
        let missed: Vec<_> = truth.iter().filter(|held| !seen.contains(&held.pid)).collect();
        assert!(missed.iter().all(|held| held.private && held.descriptors == 0), "{missed:?}");
    }
}

#[test]
fn end_refuses_a_reused_pid() {
    let own = RealMachine.process(std::process::id()).unwrap();
    let mut earlier = own.id;
    earlier.start -= 1;
    let error = RealMachine.terminate(&earlier).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ESRCH));
}
