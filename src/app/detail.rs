//! The text of the detail area.

use crate::identify::semaphore;
use crate::segment::{Bytes, Facts, Holder, Segment, Timestamp, age_text, ago_text};
use crate::survey::{Survey, at_logout, namesake_text, namesakes};
use unicode_width::UnicodeWidthStr as _;

/// A labeled line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetailLine {
    /// At most nine letters.
    pub label: &'static str,
    /// Safe to print.
    pub text: String,
}

/// Returns the lines for a segment, most important first. `bytes` is the beginning of its
/// contents, if known.
pub fn lines(segment: &Segment, survey: &Survey, bytes: Option<&[u8]>) -> Vec<DetailLine> {
    let now = survey.at;
    let mut lines = vec![];
    let mut line = |label: &'static str, text: String| lines.push(DetailLine { label, text });
    let (first, steps) =
        segment.verdict.reasons.split_first().map_or(("", &[][..]), |(first, steps)| (first, steps));
    line("state", first.to_owned());
    if let Some(semaphore) = bytes.and_then(|bytes| semaphore::of(segment, bytes)) {
        line("semaphore", semaphore.text());
    }
    if let Some(maker) = segment.named_maker() {
        let exited = segment.exited_creator();
        let exited = exited.map(|pid| format!(" (creator {pid} exited)")).unwrap_or_default();
        line("made by", maker.name_text() + &exited);
    }
    for (at, text) in holder_lines(segment, now).into_iter().enumerate() {
        line(if at == 0 { "held by" } else { "" }, text);
    }
    for (at, text) in survey.past_end_lines(segment).into_iter().chain(survey.too_large(segment)).enumerate()
    {
        line(if at == 0 { "warning" } else { "" }, text);
    }
    for (at, other) in namesakes(segment, &survey.segments).into_iter().enumerate() {
        line(if at == 0 { "same name" } else { "" }, namesake_text(segment, other));
    }
    for (at, step) in steps.iter().enumerate() {
        line(if at == 0 { "evidence" } else { "" }, step.clone());
    }
    line("size", size_text(segment));
    let owner = || {
        format!(
            "{}:{}  {} {}",
            segment.owner.user_text(),
            segment.owner.group_text(),
            segment.mode,
            segment.mode.symbolic()
        )
    };
    line("owner", if segment.is_concealed() { "unknown".to_owned() } else { owner() });
    let ago = |time: Option<Timestamp>| time.map_or_else(|| "never".to_owned(), |then| ago_text(then, now));
    let times = &segment.times;
    match &segment.facts {
        Facts::Sysv(facts) => {
            let exited = if segment.exited_creator().is_some() { ", gone" } else { "" };
            line("creator", format!("{}, pid {}{exited}", facts.creator.user_text(), facts.creator_pid));
            line("last pid", facts.last_pid_text(&segment.times));
            if facts.locked {
                line("locked", "in memory, never swapped out".to_owned());
            }
            line("attached", ago(times.attach));
            line("detached", ago(times.detach));
            line("changed", format!("{} (creation, mode or owner)", ago(times.change)));
            line("id", format!("{}  key {}", segment.id, facts.key_text()));
        }
        Facts::Posix(facts) => {
            line("created", ago(times.birth));
            line("written", format!("{} (not through mappings)", ago(times.modify)));
            line("read", format!("{} (not through mappings)", ago(times.access)));
            line("changed", ago(times.change));
            line("id", segment.id.to_string());
            line("inode", format!("{} on device {:#x}", facts.inode, facts.device));
        }
    }
    if let Some(text) = at_logout(segment, &survey.limits) {
        line("logout", text);
    }
    lines
}

/// Maximum number of holders listed here.
const MAX_HOLDERS: usize = 6;

/// Returns aligned lines such as `4121 writer   rw  ann  up 3m`.
pub fn holder_lines(segment: &Segment, now: Timestamp) -> Vec<String> {
    let holders = segment.holders.as_deref().unwrap_or_default();
    let shown = &holders[..holders.len().min(MAX_HOLDERS)];
    let widest = |text: fn(&Holder) -> String| shown.iter().map(|one| text(one).width()).max().unwrap_or(0);
    let (pids, names) = (widest(|one| one.pid.to_string()), widest(Holder::command_text).min(20));
    let users = widest(|one| one.owner.user_text());
    let mut lines: Vec<String> = shown
        .iter()
        .map(|holder| {
            let how = match (holder.mappings, holder.descriptors) {
                (0, _) => ", open".to_owned(),
                (1, _) => String::new(),
                (many, _) => format!(", {many} mappings"),
            };
            let private = if holder.private { ", private" } else { "" };
            let us = if holder.ourselves { " (shmlens)" } else { "" };
            format!(
                "{:>pids$} {}  {:<2}  {}  up {}{how}{private}{us}",
                holder.pid,
                pad(&holder.command_text(), names),
                holder.access.word(),
                pad(&holder.owner.user_text(), users),
                age_text(now.seconds_since(holder.began)),
            )
        })
        .collect();
    if holders.len() > shown.len() {
        lines.push(format!("and {} more", holders.len() - shown.len()));
    }
    match (segment.holders.is_some(), segment.unseen()) {
        (false, _) | (_, 0) => {}
        (_, 1) => lines.push("1 attachment in a process you cannot inspect".to_owned()),
        (_, many) => lines.push(format!("{many} attachments in processes you cannot inspect")),
    }
    lines
}

fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

fn size_text(segment: &Segment) -> String {
    let mut text = segment.size.to_string();
    if segment.size >= Bytes(1024) {
        text = format!("{text} ({} bytes)", segment.size.0);
    }
    if let Some(resident) = segment.resident {
        text = format!("{text}, {resident} resident");
    }
    match segment.swapped {
        Some(swapped) if swapped.0 > 0 => format!("{text}, {swapped} swapped"),
        _ => text,
    }
}

/// The resident fraction, from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "a share to draw a bar by")]
pub fn resident_share(segment: &Segment) -> Option<f64> {
    let resident = segment.resident?;
    // Pages count whole: a segment of 100 bytes has 4096 resident.
    (segment.size.0 > 0).then(|| (resident.0 as f64 / segment.size.0 as f64).clamp(0.0, 1.0))
}
