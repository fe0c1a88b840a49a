//! Types of the holders' programs that have the size of the segment.

use super::address_space::AddressSpace;
use super::modules::Module;
use super::plausible;
use crate::decode::Type;
use crate::decode::debug::NamedKind;
use crate::identify::typing::{Candidate, CandidateSource, Subject};

/// Types that are listed.
const MAX_TYPES: usize = 8;
/// Smaller types have the size of many others.
const MIN_SIZE: u64 = 16;
/// Bytes that are compared with a type.
const MAX_COMPARED: u64 = 64 << 10;
/// The namespaces of libraries and compilers.
const FOREIGN: [&str; 12] = [
    "std::",
    "__gnu_cxx::",
    "__cxxabiv1::",
    "_IO_",
    "__",
    "core::",
    "alloc::",
    "hashbrown::",
    "boost::",
    "pthread_",
    "tm",
    "stat",
];

/// A type of a program.
pub struct Sized {
    name: String,
    ty: Type,
    process: String,
}

/// Returns the types of a process with the size of the segment.
pub fn types(subject: &Subject<'_>, space: &AddressSpace, modules: &[Module]) -> Vec<Sized> {
    if subject.size < MIN_SIZE {
        return vec![];
    }
    let mut found: Vec<Sized> = vec![];
    for module in modules.iter().filter(|module| !module.is_foreign()) {
        let Ok(types) = module.program.types() else { continue };
        let same_size =
            types.into_iter().filter(|one| one.size == subject.size && one.kind != NamedKind::Enum);
        let own = same_size.filter(|one| !FOREIGN.iter().any(|start| one.name.starts_with(start)));
        for one in own {
            if found.len() >= MAX_TYPES {
                return found;
            }
            if let Ok(ty) = module.program.ty(one.id) {
                found.push(Sized { name: one.name, ty, process: space.process().to_owned() });
            }
        }
    }
    found
}

/// Returns candidates for types that are not among those found before, and that the contents do not
/// contradict.
pub fn candidates(subject: &Subject<'_>, types: Vec<Sized>, found: &[Candidate]) -> Vec<Candidate> {
    // A pointer says more.
    if found.iter().any(|before| before.certain && before.offset == 0) {
        return vec![];
    }
    let length = usize::try_from(subject.size.min(MAX_COMPARED)).unwrap_or(0);
    let mut bytes = vec![0; length];
    if types.is_empty() || !(subject.peek)(0, &mut bytes) {
        return vec![];
    }
    let mut candidates: Vec<(u32, Candidate)> = vec![];
    for one in types {
        let evidence = format!("its size is that of the segment, in {}", one.process);
        if let Some((_, same)) = candidates.iter_mut().find(|(_, same)| same.ty == one.ty) {
            if !same.evidence.contains(&evidence) {
                same.evidence.push(evidence);
            }
            continue;
        }
        let fit = plausible::check(&one.ty, &bytes);
        let is_known = found.iter().any(|before| before.offset == 0 && before.ty == one.ty);
        if is_known || fit.contradictions > 0 {
            continue;
        }
        let candidate = Candidate {
            name: one.name,
            offset: 0,
            size: one.ty.size(),
            count: 1,
            certain: false,
            source: CandidateSource::Size,
            evidence: vec![evidence],
            ty: one.ty,
            layout: None,
        };
        candidates.push((fit.support, candidate));
    }
    candidates.sort_by_key(|(support, _)| std::cmp::Reverse(*support));
    candidates.into_iter().map(|(_, candidate)| candidate).collect()
}
