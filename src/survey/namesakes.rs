//! Objects that share a name, because one was unlinked and another one was created. Programs that
//! hold the old object do not see the data of programs that open the new one.

use crate::segment::{Holder, Kind, Segment, SegmentId};

/// Holders that a line names.
const MAX_NAMED: usize = 6;

/// Returns the other segments that have, or had, the name of this one.
#[must_use]
pub fn namesakes<'a>(segment: &Segment, segments: &'a [Segment]) -> Vec<&'a Segment> {
    segments.iter().filter(|other| segment.shares_name_with(other)).collect()
}

/// Describes another segment: `deleted:1a:2f had this name before: 4.0 KiB, held by writer (4121)
/// rw`.
#[must_use]
pub fn namesake_text(segment: &Segment, other: &Segment) -> String {
    let how = match (segment.kind(), &other.id) {
        (_, SegmentId::Posix(_)) => "has this name now",
        (Kind::Deleted, _) => "had this name too",
        _ => "had this name before",
    };
    format!("{} {how}: {}, {}", other.id.short(), other.size, held_by(other))
}

fn held_by(segment: &Segment) -> String {
    let Some(holders) = segment.holders.as_deref() else { return "holders unknown".to_owned() };
    let text = |holder: &Holder| {
        let (command, pid) = (holder.command_text(), holder.pid);
        format!("{command} ({pid}) {}", holder.access.keyword())
    };
    let mut texts: Vec<String> = holders.iter().take(MAX_NAMED).map(text).collect();
    if holders.len() > MAX_NAMED {
        texts.push(format!("{} more", holders.len() - MAX_NAMED));
    }
    if texts.is_empty() { "no holders found".to_owned() } else { format!("held by {}", texts.join(", ")) }
}
