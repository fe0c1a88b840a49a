//! All facts about a segment, for `info`, the Detail screen of the UI and JSON.

use super::locks::{LockReport, LockScan};
use super::semaphore::{self, Semaphore};
use super::sharing;
use crate::decode::layouts::LockKind;
use crate::machine::Machine;
use crate::memory::{Forecast, Reader};
use crate::segment::field::Field;
use crate::segment::{
    Bytes, Holder, Kind, Maker, Mode, Owner, Segment, Timestamp, Value, age_text, ago_text, local_time,
    pid_text,
};
use crate::survey::{Survey, at_logout, namesake_text, namesakes};
use std::collections::HashSet;
use unicode_width::UnicodeWidthStr as _;

pub struct SegmentDetails<'a> {
    pub segment: &'a Segment,
    pub survey: &'a Survey,
    /// Other segments that have, or had, the same name.
    pub namesakes: Vec<&'a Segment>,
    /// Segments of the other kind whose key is this name, or whose name is this key.
    pub twins: Vec<&'a Segment>,
    pub probe: Probe,
}

/// The facts that need access to the segment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Probe {
    pub semaphore: Option<Semaphore>,
    /// The side effect of reading the segment, or the reason why it cannot be read; `None` if not
    /// checked.
    pub reading: Option<Result<Forecast, String>>,
    /// The holders with a resource tracker of Python.
    pub trackers: HashSet<u32>,
    /// `None` if not checked.
    pub locks: Option<LockReport>,
}

/// A fact about a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact<'a> {
    pub field: Field,
    pub value: Value<'a>,
    /// The lines, at least one, with units, safe to print.
    pub lines: Vec<String>,
}

impl Probe {
    /// Examines a segment without leaving a trace. `related` are the other segments that its holders
    /// hold; `known` are locks at offsets of its type.
    #[must_use]
    pub fn check(
        machine: &dyn Machine,
        segment: &Segment,
        related: &[&Segment],
        known: &[(u64, LockKind)],
    ) -> Self {
        let locks = LockScan::new(machine, [&[segment][..], related].concat());
        Self {
            semaphore: semaphore::probe(machine, segment),
            reading: Some(Reader::predict(machine, segment).map_err(|error| error.to_string())),
            trackers: sharing::trackers(machine, std::slice::from_ref(segment)),
            locks: Some(locks.report(segment, known)),
        }
    }
}

impl<'a> SegmentDetails<'a> {
    #[must_use]
    pub fn new(segment: &'a Segment, survey: &'a Survey, probe: Probe) -> Self {
        let (namesakes, twins) =
            (namesakes(segment, &survey.segments), sharing::twins(segment, &survey.segments));
        Self { segment, survey, namesakes, twins, probe }
    }

    /// Returns the facts in the order of their groups.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact<'a>> {
        let fact = |field| Fact { field, value: self.value(field), lines: self.lines(field) };
        let mut facts: Vec<Fact<'a>> = Field::ALL.iter().copied().map(fact).collect();
        facts.retain(|fact| !fact.lines.is_empty());
        facts.sort_by_key(|fact| fact.field.group());
        facts
    }

    /// Returns the value of a field, including fields that depend on other segments.
    #[must_use]
    pub fn value(&self, field: Field) -> Value<'a> {
        let text = |text: Option<String>| text.map_or(Value::Absent, |text| Value::Text(text.into()));
        let lines = |lines: Vec<String>| Value::Lines(lines.into());
        match field {
            Field::Semaphore => self.probe.semaphore.map_or(Value::Absent, |found| {
                Value::Counts(vec![("value", found.value.into()), ("waiters", found.waiters.into())])
            }),
            Field::Namesakes if self.namesakes.is_empty() => Value::Absent,
            Field::Namesakes => Value::Segments(self.namesakes.clone()),
            Field::Warnings => lines(self.warnings()),
            // The set of fields in JSON is stable, so warnings about a future SIGBUS are reasons.
            Field::Reasons => match self.survey.past_end_lines(self.segment) {
                warnings if warnings.is_empty() => field.of(self.segment, self.survey.at),
                warnings => lines([&self.segment.verdict.reasons[..], &warnings].concat()),
            },
            Field::Reading => text(self.reading()),
            Field::Logout => text(at_logout(self.segment, &self.survey.limits)),
            _ => field.of(self.segment, self.survey.at),
        }
    }

    fn lines(&self, field: Field) -> Vec<String> {
        let segment = self.segment;
        match field {
            Field::Holders => self.holders(),
            Field::Warnings => self.warnings(),
            Field::Locks => self.probe.locks.as_ref().map(LockReport::lines).unwrap_or_default(),
            Field::Namesakes => self.namesakes.iter().map(|other| namesake_text(segment, other)).collect(),
            Field::Reasons => segment.verdict.reasons.iter().skip(1).cloned().collect(),
            _ => self.full(field).into_iter().collect(),
        }
    }

    /// Describes a field; `None` if the segment does not have it, or another field includes it.
    fn full(&self, field: Field) -> Option<String> {
        let segment = self.segment;
        let (sysv, posix) = (segment.sysv(), segment.posix());
        let unknown = || "unknown".to_owned();
        let flag_text = |flag: bool, text: &str| if flag { text.to_owned() } else { "no".to_owned() };
        Some(match field {
            Field::Kind => match segment.kind() {
                Kind::Sysv => "System V".to_owned(),
                Kind::Posix => "POSIX (a file in /dev/shm)".to_owned(),
                Kind::Deleted => "POSIX, unlinked (no longer in /dev/shm)".to_owned(),
            },
            Field::Key => sysv?.key_text(),
            Field::FormerName if segment.kind() != Kind::Deleted => return None,
            Field::FormerName => segment.former_name().map_or_else(unknown, ToString::to_string),
            Field::Size if segment.is_concealed() => {
                format!("{}: that of its largest mapping", exact(segment.size))
            }
            Field::Size => exact(segment.size),
            Field::Resident | Field::Mode | Field::Owner if segment.is_concealed() => unknown(),
            Field::Resident => resident(segment),
            Field::Swapped => exact(segment.swapped?),
            Field::Locked => flag_text(sysv?.locked, "yes (never swapped out)"),
            Field::Mode => mode(segment.mode),
            Field::Owner => owner(&segment.owner),
            Field::Creator => owner(&sysv?.creator),
            Field::CreatorPid => pid_text(sysv?.creator_pid),
            Field::LastPid => sysv?.last_pid_text(&segment.times),
            Field::Nattch => sysv?.nattch.to_string(),
            Field::Marked => flag_text(sysv?.marked, "yes: removed after the last detach"),
            Field::Device => format!("{:#x}", posix?.device),
            Field::Inode => posix?.inode.to_string(),
            Field::Links => {
                Some(posix?.links).filter(|&links| links > 1).map(|links| format!("{links} (hard links)"))?
            }
            Field::Age => format!("at least {}", age_text(sysv.and_then(|_| segment.age(self.survey.at))?)),
            Field::MadeBy => creator_text(segment),
            Field::Semaphore => {
                let semaphore = self.probe.semaphore?;
                format!("{} ({})", semaphore.text(), semaphore.library.name())
            }
            Field::State => {
                let label = segment.verdict.state.label();
                let reason = segment.verdict.reasons.first()?;
                let rest = reason.strip_prefix(label).and_then(|rest| rest.strip_prefix(", "));
                format!("{label}: {}", rest.unwrap_or(reason))
            }
            Field::Id | Field::Reading | Field::Logout => match self.value(field) {
                Value::Absent => return None,
                value => value.to_string(),
            },
            _ => {
                return self.time(field, |then, now| {
                    format!("{}, {}", local_time::shown(then), ago_text(then, now))
                });
            }
        })
    }

    /// Describes a time that the kernel records for this kind of segment.
    fn time(&self, field: Field, text: impl Fn(Timestamp, Timestamp) -> String) -> Option<String> {
        let (absent, note) = match (field, self.segment.sysv()) {
            (Field::Attach | Field::Detach, Some(_)) => ("never", ""),
            (Field::Change, Some(_)) => ("unknown", " (creation, mode or owner)"),
            (Field::Created, None) => ("unknown (not provided by this kernel)", ""),
            (Field::Access | Field::Modify, None) => ("unknown", " (not via mmap)"),
            (Field::Change, None) | (Field::LastUsed, _) => ("unknown", ""),
            _ => return None,
        };
        Some(match self.value(field) {
            Value::Time(then) => text(then, self.survey.at) + note,
            _ => absent.to_owned(),
        })
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.survey.past_end_lines(self.segment);
        warnings.extend(self.survey.too_large(self.segment));
        warnings.extend(sharing::warnings(self));
        warnings
    }

    fn reading(&self) -> Option<String> {
        Some(match self.probe.reading.as_ref()? {
            Ok(forecast) => format!("allowed; {}", forecast.text()),
            Err(reason) => reason.clone(),
        })
    }

    /// Describes each holder on a line: `4121 writer  rw  ann  up 3m, 2 mappings`.
    fn holders(&self) -> Vec<String> {
        let Some(holders) = self.segment.holders.as_deref() else { return vec!["unknown".to_owned()] };
        let widest =
            |text: fn(&Holder) -> String| holders.iter().map(|one| text(one).width()).max().unwrap_or(0);
        let (pids, names) = (widest(|one| one.pid.to_string()), widest(Holder::command_text).min(20));
        let users = widest(|one| one.owner.user_text());
        let line = |holder: &Holder| {
            let how = match (holder.mappings, holder.descriptors) {
                (0, descriptors) => count(descriptors, "descriptor"),
                (mappings, 0) => count(mappings, "mapping"),
                (mappings, descriptors) => {
                    format!("{}, {}", count(mappings, "mapping"), count(descriptors, "descriptor"))
                }
            };
            let private = if holder.private { ", private" } else { "" };
            let us = if holder.ourselves { " (shmlens)" } else { "" };
            let since = local_time::shown(holder.started);
            format!(
                "{:>pids$} {}  {:<2}  {}  up {} since {since}, {how}{private}{us}",
                holder.pid,
                pad(&holder.command_text(), names),
                holder.access.keyword(),
                pad(&holder.owner.user_text(), users),
                age_text(self.survey.at.seconds_since(holder.started)),
            )
        };
        let mut lines: Vec<String> = holders.iter().map(line).collect();
        match self.segment.unseen() {
            0 => {}
            1 => lines.push("1 attachment in a process you cannot inspect".to_owned()),
            many => lines.push(format!("{many} attachments in processes you cannot inspect")),
        }
        if lines.is_empty() {
            lines.push("none found".to_owned());
        }
        lines
    }
}

fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// Formats a count: `1 mapping`, `2 mappings`.
fn count(count: u32, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn creator_text(segment: &Segment) -> String {
    let Some(maker) = &segment.made_by else { return "unknown".to_owned() };
    let name = maker.name_text();
    match (maker, segment.exited_creator()) {
        (Maker::Exited(pid), _) => format!("process {pid}, which has exited"),
        (Maker::Process(_), _) => format!("{name} (found by pid)"),
        (Maker::Known { id, .. }, None) => format!("{name} (catalog: {id})"),
        (Maker::Known { id, .. }, Some(pid)) => format!("{name} (catalog: {id}; creator {pid} exited)"),
    }
}

/// Formats a size with its exact value: `4.0 KiB (4096 bytes)`.
fn exact(size: Bytes) -> String {
    match size.0 {
        1 => "1 byte".to_owned(),
        0..1024 => format!("{} bytes", size.0),
        bytes => format!("{size} ({bytes} bytes)"),
    }
}

/// Formats the resident size: `4.0 KiB (4096 bytes), 100%`.
fn resident(segment: &Segment) -> String {
    let Some(resident) = segment.resident else { return "unknown (not provided by this kernel)".to_owned() };
    if segment.size.0 == 0 {
        return exact(resident);
    }
    // The kernel counts whole pages, which may exceed the size of a small segment.
    let percent = (u128::from(resident.0) * 100 / u128::from(segment.size.0)).min(100);
    format!("{}, {percent}%", exact(resident))
}

/// Formats a mode: `0640 (rw-r-----): owner read and write, group read, others none`.
fn mode(mode: Mode) -> String {
    let may = |shift: u32| match mode.bits() >> shift & 0o6 {
        0o6 => "read and write",
        0o4 => "read",
        0o2 => "write",
        _ => "none",
    };
    format!("{mode} ({}): owner {}, group {}, others {}", mode.symbolic(), may(6), may(3), may(0))
}

/// Formats an owner: `ann (1000), group ann (1000)`.
fn owner(owner: &Owner) -> String {
    let named = |name: Option<String>, number: u32| {
        name.map_or_else(|| format!("{number} (no name)"), |name| format!("{name} ({number})"))
    };
    format!(
        "{}, group {}",
        named(owner.user.as_ref().map(|_| owner.user_text()), owner.uid),
        named(owner.group.as_ref().map(|_| owner.group_text()), owner.gid)
    )
}
