//! Types that the programs of the holders name: their variables point into the segment, and their
//! debug information tells the type of what they point to.

mod address_space;
mod differences;
mod evidence;
mod extent;
mod frames;
mod globals;
mod hint;
mod locals;
mod modules;
mod plausible;
mod programs;
mod ranking;
mod reach;
mod size;

pub(in crate::identify) use address_space::AddressSpace;
pub(in crate::identify) use modules::{Module, at as module_at, load_code};
pub(in crate::identify) use programs::Opened;
pub use programs::Programs;

use super::{Candidate, Subject};
use crate::decode::Type;
use crate::decode::debug::DebugError;
use crate::machine::Machine;
use crate::segment::{Holder, Segment, escape};
use hint::Hint;
use std::io;
use std::time::Duration;

/// Holders whose programs are examined.
const MAX_HOLDERS: usize = 32;
/// Holders whose threads are caught, and the time for each.
const MAX_CAUGHT: usize = 3;
const MAX_WAIT: Duration = Duration::from_millis(100);

/// The types that debug information shows, and the reasons why some holders show none.
#[derive(Debug, Default)]
pub struct Found {
    pub candidates: Vec<Candidate>,
    /// Safe to print.
    pub problems: Vec<String>,
}

/// Finds the types that the holders of a segment use for it. Stops and traces nothing.
///
/// `is_known`: another type is certain, so that no thread is caught.
pub(super) fn candidates(
    machine: &dyn Machine,
    subject: &Subject<'_>,
    programs: &Programs,
    is_known: bool,
) -> Found {
    let mut found = Found::default();
    let (mut hints, mut sized, mut examined) = (vec![], vec![], vec![]);
    let holders = subject.segment.holders.as_deref().unwrap_or_default();
    let holders = holders.iter().filter(|holder| !holder.ourselves && holder.mappings > 0);
    for holder in holders.take(MAX_HOLDERS) {
        match examine(machine, subject, holder, programs) {
            Ok(mut of_holder) => {
                hints.append(&mut of_holder.hints);
                sized.append(&mut of_holder.sized);
                found.problems.append(&mut of_holder.problems);
                examined.push(of_holder);
            }
            Err(error) => found.problems.push(problem(machine, holder, &error)),
        }
    }
    found.candidates = ranking::rank(subject, hints.clone());
    if !is_known && !found.candidates.iter().any(|candidate| candidate.certain) {
        examined.retain(OfHolder::has_types);
        let more =
            examined.iter().take(MAX_CAUGHT).flat_map(|holder| holder.caught(machine, &mut found.problems));
        hints.extend(more);
        found.candidates = ranking::rank(subject, hints);
    }
    found.candidates.extend(size::candidates(subject, sized, &found.candidates));
    found
}

/// Finds a type by its name in the programs of the holders. `None` if none has it.
pub(super) fn named_type(
    machine: &dyn Machine,
    segment: &Segment,
    name: &str,
    programs: &Programs,
) -> Result<Option<Type>, String> {
    let mut found: Option<(Type, String)> = None;
    for holder in segment.holders.as_deref().unwrap_or_default().iter().take(MAX_HOLDERS) {
        let Ok(space) = AddressSpace::open(machine, segment, holder) else { continue };
        let (modules, _) = modules::load(&space, programs);
        for module in modules.iter().filter(|module| !module.is_foreign()) {
            match (module.program.find(name), &found) {
                (Ok(ty), None) => found = Some((ty, space.process().to_owned())),
                (Ok(ty), Some((other, process))) if ty != *other => {
                    let difference = differences::text(other, &ty);
                    return Err(format!("{process} and {} disagree about it: {difference}", space.process()));
                }
                (Err(error @ (DebugError::Ambiguous { .. } | DebugError::Incomplete(_))), None) => {
                    return Err(error.to_string());
                }
                _ => {}
            }
        }
    }
    Ok(found.map(|(ty, _)| ty))
}

/// The findings in one holder.
struct OfHolder {
    space: AddressSpace,
    modules: Vec<Module>,
    hints: Vec<Hint>,
    sized: Vec<size::Sized>,
    problems: Vec<String>,
}

fn examine(
    machine: &dyn Machine,
    subject: &Subject<'_>,
    holder: &Holder,
    programs: &Programs,
) -> io::Result<OfHolder> {
    let space = AddressSpace::open(machine, subject.segment, holder)?;
    let (modules, problems) = modules::load(&space, programs);
    let mut hints = globals::hints(&space, &modules);
    hints.extend(locals::hints(&space, &modules, space.sleeping_threads()));
    let sized = size::types(subject, &space, &modules);
    let name = |text: String| format!("{}: {text}", space.process());
    let problems = problems.into_iter().map(name).collect();
    Ok(OfHolder { space, modules, hints, sized, problems })
}

impl OfHolder {
    /// Returns true if the program or one of its libraries may name types.
    fn has_types(&self) -> bool {
        let mut own = self.modules.iter().filter(|module| !module.is_foreign());
        own.any(|module| module.program.missing().is_empty())
    }

    /// Returns hints of the variables that optimized programs keep in registers, which only threads that
    /// are awake show.
    fn caught(&self, machine: &dyn Machine, problems: &mut Vec<String>) -> Vec<Hint> {
        match self.space.caught_threads(MAX_WAIT) {
            Ok(threads) => {
                if threads.is_empty() {
                    problems.push(format!(
                        "{}: no thread woke up while it was watched, so that variables in registers are not known. \
                         Try again while it runs",
                        self.space.process()
                    ));
                }
                locals::hints(&self.space, &self.modules, threads)
            }
            Err(error) => {
                problems.extend(unread_registers(machine, &self.space, &error));
                vec![]
            }
        }
    }
}

/// Explains why the registers of threads cannot be read, if something can be done about it.
fn unread_registers(machine: &dyn Machine, space: &AddressSpace, error: &io::Error) -> Option<String> {
    let is_denied = matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES));
    let paranoid = machine.perf_event_paranoid().filter(|&paranoid| is_denied && paranoid > 2)?;
    Some(format!(
        "{}: variables in registers are not found, because kernel.perf_event_paranoid is {paranoid}: run as root, or \
         set it to 2 (sysctl kernel.perf_event_paranoid=2)",
        space.process()
    ))
}

/// Explains why a holder cannot be examined.
fn problem(machine: &dyn Machine, holder: &Holder, error: &io::Error) -> String {
    let process = format!("{} ({})", escape(&holder.command), holder.pid);
    let is_denied = matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES))
        || error.kind() == io::ErrorKind::PermissionDenied;
    let scope = machine.ptrace_scope();
    match (is_denied, holder.owner.uid == machine.effective_uid()) {
        (true, true) if scope > 0 => format!(
            "you may not look into {process}, because kernel.yama.ptrace_scope is {scope}: run as root, or set it to \
             0 (sysctl kernel.yama.ptrace_scope=0)"
        ),
        (true, true) => format!("you may not look into {process}, which has dropped privileges: run as root"),
        (true, false) => format!(
            "you may not look into {process}, which belongs to {}: run as root",
            holder.owner.user_text()
        ),
        (false, _) => format!("failed to look into {process}: {}", crate::segment::plain_error(error)),
    }
}
