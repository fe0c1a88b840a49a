//! Makes hints of pointers, with their evidence in words.

use super::address_space::AddressSpace;
use super::frames::StackFrame;
use super::hint::Hint;
use super::modules::Module;
use super::reach::Reached;
use crate::identify::typing::CandidateSource;
use crate::machine::image::Thread;
use crate::segment::escape;

/// `global 'ring' in writer (4121) points to offset 0`
pub fn global(space: &AddressSpace, module: &Module, reached: &Reached) -> String {
    let library = if module.is_program { String::new() } else { format!("{} of ", module.name()) };
    format!(
        "global '{}' in {library}{} points to offset {}",
        escape(reached.path.as_bytes()),
        space.process(),
        reached.offset
    )
}

/// `local 'pose' in main (nav.cpp:12), thread 4121, points to offset 0`
pub fn local(frame: &StackFrame<'_>, inlined: Option<&str>, thread: &Thread, reached: &Reached) -> String {
    let function = &frame.function;
    let file = function.file.as_deref().map(|file| file.rsplit('/').next().unwrap_or(file));
    let place = match (file, function.line) {
        (Some(file), Some(line)) => format!(" ({}:{line})", escape(file.as_bytes())),
        _ => String::new(),
    };
    format!(
        "local '{}' in {}{place}, thread {}, points to offset {}",
        escape(reached.path.as_bytes()),
        escape(inlined.unwrap_or(&function.name).as_bytes()),
        thread.tid,
        reached.offset
    )
}

/// The hint of a pointer. `None` for pointers to bytes, and to types that cannot be built.
pub fn hint(
    space: &AddressSpace,
    module: &Module,
    reached: &Reached,
    source: CandidateSource,
    evidence: String,
    is_weak: bool,
) -> Option<Hint> {
    let ty = module.program.ty(reached.target).ok().filter(|ty| ty.size() > 1)?;
    Some(Hint {
        offset: reached.offset,
        ty,
        name: module.program.type_name(reached.target),
        count: reached.count,
        source,
        evidence,
        process: space.process().to_owned(),
        is_weak,
    })
}
