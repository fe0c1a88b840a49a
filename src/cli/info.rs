//! `info`: prints all facts about a segment as text or JSON. Never attaches a segment, and reads no contents
//! except semaphores, if reading leaves no trace.

use super::args::InfoArgs;
use super::choose::choose;
use super::out::Out;
use super::style::Tint;
use super::{Failure, Status, json, look_whole, time};
use crate::identify::{Rules, semaphore};
use crate::machine::{Machine, Trace};
use crate::memory::Reader;
use crate::segment::{
    Bytes, Facts, Kind, Maker, Mode, Owner, Segment, Timestamp, age_text, ago_text, pid_text,
};
use crate::survey::{Survey, at_logout, namesake_text, namesakes};
use std::fmt::Write as _;
use std::io::{self, Write as _};

pub fn run(machine: &dyn Machine, rules: Rules, args: &InfoArgs, out: &mut Out) -> Result<Status, Failure> {
    let survey = look_whole(machine, args.settle.over(rules));
    let segment = choose(machine, &survey, &args.segment)?;
    if args.json {
        json::write(machine, &survey, &[segment], out)?;
    } else {
        for line in lines(machine, segment, &survey) {
            line.print(out)?;
        }
    }
    out.flush()?;
    Ok(Status::Done)
}

struct Line {
    heading: &'static str,
    text: String,
    tint: Tint,
}

impl Line {
    fn new(heading: &'static str, text: impl Into<String>) -> Self {
        Self { heading, text: text.into(), tint: Tint::Plain }
    }

    fn print(&self, out: &mut Out) -> io::Result<()> {
        let style = out.style();
        let heading = style.paint(Tint::Dim, &format!("{:<14}", self.heading));
        let text = style.fit(&self.text);
        // Only the word before the colon is colored.
        let (word, rest) =
            text.split_at(if self.tint == Tint::Plain { 0 } else { text.find(':').unwrap_or(0) });
        writeln!(out, "{heading}{}{rest}", style.paint(self.tint, word))
    }
}

fn lines(machine: &dyn Machine, segment: &Segment, survey: &Survey) -> Vec<Line> {
    let now = survey.at;
    let mut lines = vec![Line::new("segment", segment.id.to_string())];
    match &segment.facts {
        Facts::Sysv(facts) => {
            lines.push(Line::new("kind", "System V"));
            lines.push(Line::new("key", facts.key_text()));
        }
        Facts::Posix(_) if segment.kind() == Kind::Deleted => {
            lines.push(Line::new("kind", "POSIX, unlinked (no longer in /dev/shm)"));
            let former = segment.former_name().map_or_else(unknown, ToString::to_string);
            lines.push(Line::new("former name", former));
        }
        Facts::Posix(_) => lines.push(Line::new("kind", "POSIX (a file in /dev/shm)")),
    }
    if let Some(semaphore) = semaphore::look(machine, segment) {
        lines.push(Line::new("semaphore", format!("{} ({})", semaphore.text(), semaphore.library.name())));
    }
    let size = exact(segment.size);
    lines.push(Line::new(
        "size",
        if segment.is_concealed() { format!("{size}: that of its largest mapping") } else { size },
    ));
    lines.push(Line::new("resident", resident(segment)));
    if let Some(swapped) = segment.swapped {
        lines.push(Line::new("swapped", exact(swapped)));
    }
    if segment.is_concealed() {
        lines.extend(["mode", "owner"].map(|heading| Line::new(heading, unknown())));
    } else {
        lines.push(Line::new("mode", mode(segment.mode)));
        lines.push(Line::new("owner", owner(&segment.owner)));
    }
    lines.extend(kind_lines(segment));
    lines.extend(time_lines(segment, now));
    lines.push(Line::new("made by", made_by(segment)));
    for (index, text) in held_by(segment).into_iter().enumerate() {
        lines.push(Line::new(if index == 0 { "held by" } else { "" }, text));
    }
    for (index, text) in
        survey.past_end_lines(segment).into_iter().chain(survey.too_large(segment)).enumerate()
    {
        lines.push(Line::new(if index == 0 { "warning" } else { "" }, text));
    }
    for (index, other) in namesakes(segment, &survey.segments).into_iter().enumerate() {
        let heading = if index == 0 { "same name" } else { "" };
        lines.push(Line::new(heading, namesake_text(segment, other)));
    }
    for (index, reason) in segment.verdict.reasons.iter().enumerate() {
        if index == 0 {
            let state = segment.verdict.state;
            let label = state.label();
            let reason =
                reason.strip_prefix(label).and_then(|rest| rest.strip_prefix(", ")).unwrap_or(reason);
            let text = format!("{label}: {reason}");
            lines.push(Line { heading: "state", text, tint: Tint::of(state) });
        } else {
            lines.push(Line::new("", reason.clone()));
        }
    }
    lines.push(Line::new("reading", reading(machine, segment)));
    if let Some(text) = at_logout(segment, &survey.limits) {
        lines.push(Line::new("at logout", text));
    }
    lines
}

fn made_by(segment: &Segment) -> String {
    let Some(maker) = &segment.made_by else { return "unknown".to_owned() };
    let name = maker.name_text();
    match (maker, segment.exited_creator()) {
        (Maker::Exited(pid), _) => format!("process {pid}, which has exited"),
        (Maker::Process(_), _) => format!("{name} (found by pid)"),
        (Maker::Known { id, .. }, None) => format!("{name} (catalog: {id})"),
        (Maker::Known { id, .. }, Some(pid)) => format!("{name} (catalog: {id}; creator {pid} exited)"),
    }
}

/// Describes each holder on a line: `4121 writer  rw, mapping  ann  since 2026-01-05 12:01:03 +01:00`.
fn held_by(segment: &Segment) -> Vec<String> {
    let Some(holders) = segment.holders.as_deref() else { return vec!["unknown".to_owned()] };
    let mut lines: Vec<String> = holders
        .iter()
        .map(|holder| {
            let times = match (holder.mappings, holder.descriptors) {
                (0, descriptors) => count(descriptors, "descriptor"),
                (mappings, 0) => count(mappings, "mapping"),
                (mappings, descriptors) => {
                    format!("{}, {}", count(mappings, "mapping"), count(descriptors, "descriptor"))
                }
            };
            let private = if holder.private { " (private)" } else { "" };
            let us = if holder.ourselves { " (shmlens)" } else { "" };
            format!(
                "{} {}{us}: {}, {times}{private}, user {}, started {}",
                holder.pid,
                holder.command_text(),
                holder.access.word(),
                holder.owner.user_text(),
                time::shown(holder.began),
            )
        })
        .collect();
    if segment.unseen() > 0 {
        lines.push(format!("{} in processes that you cannot inspect", count(segment.unseen(), "attachment")));
    }
    if lines.is_empty() {
        lines.push("none found".to_owned());
    }
    lines
}

/// `1 mapping`, `2 mappings`
fn count(count: impl Into<u64>, what: &str) -> String {
    let count = count.into();
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn kind_lines(segment: &Segment) -> Vec<Line> {
    match &segment.facts {
        Facts::Sysv(facts) => {
            let yes = |flag: bool, words: &str| if flag { words.to_owned() } else { "no".to_owned() };
            vec![
                Line::new("creator", owner(&facts.creator)),
                Line::new("creator pid", pid_text(facts.creator_pid)),
                Line::new("last pid", facts.last_pid_text(&segment.times)),
                Line::new("nattch", facts.nattch.to_string()),
                Line::new("locked", yes(facts.locked, "yes (never swapped out)")),
                Line::new("marked", yes(facts.marked, "yes: removed after the last detach")),
            ]
        }
        Facts::Posix(facts) => {
            vec![
                Line::new("device", format!("0x{:x}", facts.device)),
                Line::new("inode", facts.inode.to_string()),
            ]
        }
    }
}

fn time_lines(segment: &Segment, now: Timestamp) -> Vec<Line> {
    let times = segment.times;
    let moment = |time: Option<Timestamp>, never: &str| {
        time.map_or_else(
            || never.to_owned(),
            |then| format!("{}, {}", time::shown(then), ago_text(then, now)),
        )
    };
    match segment.facts {
        Facts::Sysv(_) => vec![
            Line::new("attached", moment(times.attach, "never")),
            Line::new("detached", moment(times.detach, "never")),
            Line::new("changed", moment(times.change, "unknown")),
            Line::new(
                "age",
                segment.age(now).map_or_else(unknown, |age| format!("at least {}", age_text(age))),
            ),
        ],
        Facts::Posix(_) => vec![
            Line::new("created", moment(times.birth, "unknown (not provided by this kernel)")),
            Line::new("changed", moment(times.change, "unknown")),
            Line::new("written", moment(times.modify, "unknown") + " (not through mappings)"),
            Line::new("read", moment(times.access, "unknown") + " (not through mappings)"),
        ],
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// `4.0 KiB (4096 bytes)`
fn exact(size: Bytes) -> String {
    match size.0 {
        1 => "1 byte".to_owned(),
        0..1024 => format!("{} bytes", size.0),
        bytes => format!("{size} ({bytes} bytes)"),
    }
}

fn resident(segment: &Segment) -> String {
    if segment.is_concealed() {
        return unknown();
    }
    let Some(resident) = segment.resident else { return "unknown (not provided by this kernel)".to_owned() };
    let mut text = exact(resident);
    if segment.size.0 > 0 {
        // The kernel counts whole pages, which may exceed the size of a small segment.
        let percent = (u128::from(resident.0) * 100 / u128::from(segment.size.0)).min(100);
        let _ = write!(text, ", {percent}%");
    }
    text
}

/// `0640 (rw-r-----): owner read and write, group read, others none`
fn mode(mode: Mode) -> String {
    let may = |shift: u32| match mode.bits() >> shift & 0o6 {
        0o6 => "read and write",
        0o4 => "read",
        0o2 => "write",
        _ => "none",
    };
    format!("{mode} ({}): owner {}, group {}, others {}", mode.symbolic(), may(6), may(3), may(0))
}

/// `ann (1000), group ann (1000)`
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

/// Describes how this process can read the segment.
fn reading(machine: &dyn Machine, segment: &Segment) -> String {
    match Reader::predict_trace(machine, segment) {
        Ok(Trace::None) => "allowed; leaves no trace".to_owned(),
        Ok(Trace::AccessTime) => {
            "allowed; updates the access time (only the owner and root can avoid this)".to_owned()
        }
        Ok(Trace::Attached) => {
            "allowed; attaches the segment: nattch is one higher during the read, and last pid and times change"
                .to_owned()
        }
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::survey::Names;

    fn described(machine: &FakeMachine) -> Vec<String> {
        let survey = crate::identify::Identifier::default().survey(machine, None, &mut Names::default());
        survey
            .segments
            .iter()
            .map(|segment| {
                let lines = lines(machine, segment, &survey);
                let lines: Vec<String> =
                    lines.iter().map(|line| format!("{}={}\n", line.heading, line.text)).collect();
                lines.concat()
            })
            .collect()
    }

    #[test]
    fn everything_in_words_and_nothing_attached() {
        let machine = FakeMachine::new();
        let mut bytes = FakeBytes::hole(1 << 20);
        bytes.write(0, &[1; 5000]);
        machine.add_sysv(7, 0x4d2, bytes);
        machine.edit(|facts| (facts.sysv[0].row.mode, facts.sysv[0].row.locked) = (Mode::new(0o640), true));
        machine.add_object("a", FakeBytes::full(b"x"));
        let told = described(&machine);
        for line in [
            "segment=sysv:7\n",
            "key=0x000004d2 (1234)\n",
            "size=1.0 MiB (1048576 bytes)\n",
            "resident=8.0 KiB (8192 bytes), 0%\n",
            "mode=0640 (rw-r-----): owner read and write, group read, others none\n",
            "owner=ann (1000), group ann (1000)\n",
            "creator pid=4121\n",
            "locked=yes (never swapped out)\n",
            "attached=never\n",
            "made by=process 4121, which has exited",
            "state=leaked?: no holders; creator 4121 exited, but programs may attach to its key 0x000004d2 again\n",
            "reading=allowed; attaches the segment",
        ] {
            assert!(told[0].contains(line), "{line} is not in\n{}", told[0]);
        }
        for line in ["size=1 byte\n", "resident=4.0 KiB (4096 bytes), 100%\n", "inode=2\n"] {
            assert!(told[1].contains(line), "{line} is not in\n{}", told[1]);
        }
        assert!(told[1].contains("leaves no trace"), "{}", told[1]);
        machine.edit(|facts| assert_eq!(facts.attached, 0));
    }

    #[test]
    fn who_may_not_read_it_is_told_why_and_what_would_help() {
        let machine = FakeMachine::new();
        machine.add_sysv(7, 0, FakeBytes::hole(1));
        machine.add_object("a", FakeBytes::hole(1));
        machine.edit(|facts| facts.effective_uid = 1001);
        for told in described(&machine) {
            let reading = told.lines().find(|line| line.starts_with("reading=")).unwrap();
            assert!(reading.contains("owner ann") && reading.contains("or root"), "{reading}");
        }
    }
}
