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

/// Holders whose programs are examined.
const MAX_HOLDERS: usize = 32;

/// The types that debug information shows, and the reasons why some holders show none.
#[derive(Debug, Default)]
pub struct Found {
    pub candidates: Vec<Candidate>,
    /// Safe to print.
    pub problems: Vec<String>,
}

/// Finds the types that the holders of a segment use for it. Stops and traces nothing.
pub(super) fn candidates(machine: &dyn Machine, subject: &Subject<'_>, programs: &Programs) -> Found {
    let mut found = Found::default();
    let (mut hints, mut sized) = (vec![], vec![]);
    let holders = subject.segment.holders.as_deref().unwrap_or_default();
    let holders = holders.iter().filter(|holder| !holder.ourselves && holder.mappings > 0);
    for holder in holders.take(MAX_HOLDERS) {
        match examine(machine, subject, holder, programs) {
            Ok(of_holder) => {
                hints.extend(of_holder.hints);
                sized.extend(of_holder.sized);
                found.problems.extend(of_holder.problems);
            }
            Err(error) => found.problems.push(problem(machine, holder, &error)),
        }
    }
    found.candidates = ranking::rank(subject, hints);
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
    hints.extend(locals::hints(&space, &modules));
    let sized = size::types(subject, &space, &modules);
    let name = |text: String| format!("{}: {text}", space.process());
    Ok(OfHolder { hints, sized, problems: problems.into_iter().map(name).collect() })
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
