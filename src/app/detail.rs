//! What the detail area says of a segment, line by line.

use crate::segment::{Bytes, Facts, Segment, Timestamp, age_text};

/// A line: what it is about, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The word at the left, at most nine letters.
    pub label: &'static str,
    /// The text behind it, safe to print.
    pub text: String,
}

/// The lines for a segment, the weightiest first.
#[must_use]
pub fn lines(segment: &Segment, now: Timestamp) -> Vec<Line> {
    let mut lines = vec![];
    let mut line = |label: &'static str, text: String| lines.push(Line { label, text });
    for (at, reason) in segment.verdict.reasons.iter().enumerate() {
        line(if at == 0 { "state" } else { "" }, reason.clone());
    }
    line("size", size_text(segment));
    line(
        "owner",
        format!(
            "{}:{}  {} {}",
            segment.owner.user_text(),
            segment.owner.group_text(),
            segment.mode,
            segment.mode.symbolic()
        ),
    );
    let ago = |time: Option<Timestamp>| {
        time.map_or_else(|| "never".to_owned(), |then| format!("{} ago", age_text(now.seconds_since(then))))
    };
    let times = &segment.times;
    match &segment.facts {
        Facts::Sysv(facts) => {
            line("made by", format!("{}, pid {}", facts.creator.user_text(), facts.creator_pid));
            line("last pid", format!("{} (attached or detached last)", facts.last_pid));
            if facts.locked {
                line("locked", "stays in memory, is never swapped out".to_owned());
            }
            line("attached", ago(times.attach));
            line("detached", ago(times.detach));
            line("changed", format!("{} (made, or owner or mode changed)", ago(times.change)));
            line("id", format!("{}  key {}", segment.id, facts.key));
        }
        Facts::Posix(facts) => {
            line("made", ago(times.birth));
            line("written", format!("{} (through a descriptor)", ago(times.modify)));
            line("read", format!("{} (through a descriptor)", ago(times.access)));
            line("changed", ago(times.change));
            line("id", segment.id.to_string());
            line("inode", format!("{} on device {:#x}", facts.inode, facts.device));
        }
    }
    lines
}

fn size_text(segment: &Segment) -> String {
    let mut text = segment.size.to_string();
    if segment.size >= Bytes(1024) {
        text = format!("{text} ({} bytes)", segment.size.0);
    }
    if let Some(resident) = segment.resident {
        text = format!("{text}, {resident} in memory");
    }
    match segment.swapped {
        Some(swapped) if swapped.0 > 0 => format!("{text}, {swapped} swapped out"),
        _ => text,
    }
}

/// How much of a segment is in memory, from 0 to 1.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a share to draw a bar by")]
pub fn resident_share(segment: &Segment) -> Option<f64> {
    let resident = segment.resident?;
    // The last page counts whole: a segment of 100 bytes has 4096 resident.
    (segment.size.0 > 0).then(|| (resident.0 as f64 / segment.size.0 as f64).clamp(0.0, 1.0))
}
