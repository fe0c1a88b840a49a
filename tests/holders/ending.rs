//! Terminating a process signals only that process, and needs permission.

use super::survey_real;
use crate::support::{Child, Namespaces, Nobody, Object, SOON};
use shmlens::act::{TerminateError, TerminateResult, Termination, terminate};
use shmlens::machine::real::RealMachine;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::Command;

/// Starts a process of this user that holds the object and waits.
fn holder(object: &Object, uid: u32) -> Child {
    let text = format!("exec 3<{}; echo ready; read line", object.path().display());
    let mut child = Child::spawn_piped(Command::new("/bin/sh").args(["-c", &text]).uid(uid).current_dir("/"));
    assert_eq!(child.line(SOON), "ready");
    child
}

fn termination(object: &Object, child: &Child) -> Termination {
    let (survey, _) = survey_real();
    let segment = survey.segments.iter().find(|segment| segment.id == object.id()).unwrap();
    let holders = segment.holders.as_ref().unwrap();
    let pid = child.pid().as_raw().unsigned_abs();
    Termination::of(holders.iter().find(|holder| holder.pid == pid).unwrap(), &segment.id, false).unwrap()
}

#[test]
fn end_refuses_a_pid_with_another_start_time() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 10, 0o600);
    let mut child = holder(&object, 0);
    let mut shown = termination(&object, &child);
    // Simulate a pid that was reused since the survey.
    shown.process.start += 1;
    assert!(matches!(terminate(&RealMachine, &shown), Err(TerminateError::Gone { .. })));
    assert!(child.ended().is_none());
    shown.process.start -= 1;
    assert_eq!(terminate(&RealMachine, &shown).unwrap(), TerminateResult::Gone);
    assert_eq!(child.wait(SOON).signal(), Some(libc::SIGTERM));
    assert!(matches!(terminate(&RealMachine, &shown), Err(TerminateError::Gone { .. })));
}

#[test]
fn refused_termination_names_permitted_users() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 10, 0o644);
    let mut child = holder(&object, 4242);
    let shown = termination(&object, &child);
    let nobody = Nobody::here();
    let error = terminate(&RealMachine, &shown).unwrap_err().to_string();
    drop(nobody);
    assert!(error.contains("only 4242 or root can terminate"), "{error}");
    assert!(child.ended().is_none());
}
