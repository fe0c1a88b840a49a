//! Types that the structure of the bytes shows.

use super::{Candidate, CandidateSource, Subject};
use crate::decode::layouts::{Layout, fitting};
use crate::identify::semaphore::is_semaphore;

pub fn candidates(subject: &Subject<'_>) -> Vec<Candidate> {
    let fits = fitting(subject.peek, subject.size, is_semaphore(subject.segment)).into_iter();
    fits.map(|fit| Candidate {
        layout: Layout::from_word(&fit.name),
        name: fit.name,
        offset: fit.offset,
        size: fit.built.ty.size(),
        count: fit.built.count,
        certain: fit.built.is_certain,
        source: CandidateSource::Contents,
        evidence: vec![fit.built.evidence],
        ty: fit.built.ty,
    })
    .collect()
}
