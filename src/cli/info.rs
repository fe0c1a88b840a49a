//! `info`: prints all facts about a segment as text or JSON, and its values if their type is certain,
//! or code that attaches to it. Never attaches a segment, and reads contents only if that leaves no
//! trace.

use super::args::InfoArgs;
use super::choose::choose;
use super::decoded::Snapshot;
use super::json::{self, Inside};
use super::out::{Out, warn};
use super::style::Tint;
use super::types::{Candidate, certain_value};
use super::{Failure, Status, survey_all};
use crate::config::layout::LayoutRule;
use crate::decode::code::{self, Attachment};
use crate::decode::{Path, Type};
use crate::identify::Rules;
use crate::identify::about::{Fact, Probe, SegmentDetails};
use crate::identify::locks::{LockScan, related};
use crate::machine::Machine;
use crate::segment::{Value, escape};
use std::io::{self, Write as _};

/// Values that are shown.
const MAX_VALUES: u64 = 16;
/// Characters of a value that are shown.
const MAX_LENGTH: usize = 200;

pub fn run(
    machine: &dyn Machine,
    rules: Rules,
    layouts: &[LayoutRule],
    args: &InfoArgs,
    out: &mut Out,
) -> Result<Status, Failure> {
    let survey = survey_all(machine, args.settle.over(rules));
    let segment = choose(machine, &survey, &args.segment)?;
    let value = certain_value(machine, segment, layouts);
    if let Some(language) = args.code {
        let attachment = Attachment::of(segment)?;
        let placed = args.kind.as_ref().map(|kind| (&kind.ty, kind.offset.unwrap_or(0)));
        if let Some((ty, offset)) = placed {
            warn_of_missing_bytes(ty, offset, attachment.size);
        }
        out.write_all(code::code(language.into(), &attachment, placed)?.as_bytes())?;
    } else if args.json {
        let values = value.map(|(_, snapshot)| snapshot);
        let related = related(segment, &survey.segments);
        let locks = LockScan::new(machine, [vec![segment], related].concat()).report(segment, &[]);
        let inside = Inside { values: values.as_slice(), locks: Some(&locks) };
        json::write(machine, &survey, &[segment], inside, out)?;
    } else {
        let about = SegmentDetails::new(
            segment,
            &survey,
            Probe::check(machine, segment, &related(segment, &survey.segments)),
        );
        for fact in about.facts() {
            print(&fact, out)?;
        }
        if let Some((candidate, snapshot)) = value {
            print_values(&candidate, &snapshot, out)?;
        }
    }
    out.flush()?;
    Ok(Status::Success)
}

/// Prints the type and the first values of it.
fn print_values(candidate: &Candidate, snapshot: &Snapshot, out: &mut Out) -> io::Result<()> {
    let name = escape(candidate.name.as_bytes());
    let mut lines = vec![format!("{name}: {}", candidate.evidence.join("; "))];
    lines.extend(snapshot.note.clone());
    let value = snapshot.value();
    let shorten = |text: String| match text.char_indices().nth(MAX_LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    let parts = if value.place.ty.is_leaf() { 0 } else { value.place.ty.child_count() };
    for index in 0..parts.min(MAX_VALUES) {
        let path = value.place.ty.path_text(&Path(vec![index]));
        let text = value.child(index).map_or_else(String::new, |child| child.to_string());
        lines.push(shorten(format!("{path}: {text}")));
    }
    if parts > MAX_VALUES {
        lines.push(format!("… {} more: shmlens dump --as {name}", parts - MAX_VALUES));
    } else if parts == 0 && candidate.count > 0 {
        lines.push(shorten(value.to_string()));
    }
    let style = out.style();
    for (index, line) in lines.iter().enumerate() {
        let label = style.paint(Tint::Dim, &format!("{:<14}", if index == 0 { "values" } else { "" }));
        writeln!(out, "{label}{}", style.fit(line))?;
    }
    Ok(())
}

/// Warns that the program will refuse the segment.
fn warn_of_missing_bytes(ty: &Type, offset: u64, size: u64) {
    if offset.checked_add(ty.size()).is_none_or(|end| end > size) {
        let missing = ty.size().saturating_sub(size.saturating_sub(offset));
        warn(&format!(
            "the segment has {size} bytes, {missing} fewer than the type needs at offset {offset}"
        ));
    }
}

/// Prints the label beside the first line of a fact.
fn print(fact: &Fact<'_>, out: &mut Out) -> io::Result<()> {
    let style = out.style();
    for (index, line) in fact.lines.iter().enumerate() {
        let label = if index == 0 { fact.field.label() } else { "" };
        let label = style.paint(Tint::Dim, &format!("{label:<14}"));
        let line = style.fit(line);
        // Only the word before the colon is colored.
        let (word, rest, tint) = match fact.value {
            Value::State(state) => {
                let (word, rest) = line.split_at(line.find(':').unwrap_or(0));
                (word, rest, Tint::of(state))
            }
            _ => ("", &*line, Tint::Plain),
        };
        writeln!(out, "{label}{}{rest}", style.paint(tint, word))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::segment::Mode;
    use crate::survey::Names;

    fn print_all(machine: &FakeMachine) -> Vec<String> {
        let survey = crate::identify::Identifier::default().survey(machine, None, &mut Names::default());
        survey
            .segments
            .iter()
            .map(|segment| {
                let about = SegmentDetails::new(segment, &survey, Probe::check(machine, segment, &[]));
                let line = |fact: &Fact<'_>| format!("{}={}\n", fact.field.label(), fact.lines.join("\n"));
                about.facts().iter().map(line).collect()
            })
            .collect()
    }

    #[test]
    fn info_prints_every_fact_and_attaches_nothing() {
        let machine = FakeMachine::new();
        let mut bytes = FakeBytes::hole(1 << 20);
        bytes.write(0, &[1; 5000]);
        machine.add_sysv(7, 0x4d2, bytes);
        machine.edit(|facts| (facts.sysv[0].row.mode, facts.sysv[0].row.locked) = (Mode::new(0o640), true));
        machine.add_object("a", FakeBytes::full(b"x"));
        let printed = print_all(&machine);
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
            assert!(printed[0].contains(line), "{line} is not in\n{}", printed[0]);
        }
        for line in ["size=1 byte\n", "resident=4.0 KiB (4096 bytes), 100%\n", "inode=2\n"] {
            assert!(printed[1].contains(line), "{line} is not in\n{}", printed[1]);
        }
        assert!(printed[1].contains("leaves no trace"), "{}", printed[1]);
        machine.edit(|facts| assert_eq!(facts.attached, 0));
    }

    #[test]
    fn unreadable_segment_names_the_reason_and_a_remedy() {
        let machine = FakeMachine::new();
        machine.add_sysv(7, 0, FakeBytes::hole(1));
        machine.add_object("a", FakeBytes::hole(1));
        machine.edit(|facts| facts.effective_uid = 1001);
        for printed in print_all(&machine) {
            let reading = printed.lines().find(|line| line.starts_with("reading=")).unwrap();
            assert!(reading.contains("owner ann") && reading.contains("or root"), "{reading}");
        }
    }
}
