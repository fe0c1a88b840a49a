//! `info`: prints all facts about a segment as text or JSON, and its values if their type is certain,
//! or code that attaches to it. Attaches a segment only to read it as the type that the user named;
//! otherwise reads contents only if that leaves no trace.

use super::args::{InfoArgs, Language};
use super::choose::choose;
use super::decoded::{notes, size_of};
use super::dump::check_size;
use super::json::{self, Inside};
use super::out::{Out, warn};
use super::style::Tint;
use super::type_name::resolve;
use super::{Failure, Status, survey_all};
use crate::decode::code::{self, Attachment};
use crate::decode::layouts::{LockKind, locks_in};
use crate::decode::{Path, PlacedType, StableValue, Type, TypeSource};
use crate::identify::Rules;
use crate::identify::about::{Fact, Probe, SegmentDetails};
use crate::identify::locks::{LockScan, related};
use crate::identify::typing::{Candidate, Knowledge, certain_value};
use crate::machine::Machine;
use crate::memory::Reader;
use crate::segment::{Segment, Value, escape, quote};
use std::io::{self, Write as _};

/// Values that are shown.
const MAX_VALUES: u64 = 16;
/// Locks that are shown.
const MAX_LOCKS: usize = 64;
/// Characters of a value that are shown.
const MAX_LENGTH: usize = 200;

pub fn run(
    machine: &dyn Machine,
    rules: Rules,
    knowledge: &Knowledge,
    args: &InfoArgs,
    out: &mut Out,
) -> Result<Status, Failure> {
    let survey = survey_all(machine, args.settle.over(rules));
    let segment = choose(machine, &survey, &args.segment)?;
    let kind = resolve(machine, &args.segment, args.kind.as_slice())?.pop();
    if let Some(language) = args.code {
        let placed = kind.as_ref().map(placed).transpose()?;
        let text = match placed {
            Some((ty, _)) if args.type_only => code::definitions(language.into(), ty)?,
            _ => program(language, segment, placed)?,
        };
        out.write_all(text.as_bytes())?;
        out.flush()?;
        return Ok(Status::Success);
    }
    let values = match &kind {
        Some(source) => Some(Values::of_type(machine, segment, source)?),
        None => certain_value(machine, segment, knowledge).map(Values::certain),
    };
    let known = values.as_ref().map(Values::locks).unwrap_or_default();
    if args.json {
        let values = values.map(|values| values.stable);
        let related = related(segment, &survey.segments);
        let mut locks = LockScan::new(machine, [vec![segment], related].concat()).report(segment, &known);
        if let Some(values) = &values {
            locks.name_fields(values.place());
        }
        let inside = Inside { values: values.as_slice(), locks: Some(&locks) };
        json::write(machine, &survey, &[segment], inside, out)?;
    } else {
        let mut probe = Probe::check(machine, segment, &related(segment, &survey.segments), &known);
        if let (Some(values), Some(locks)) = (&values, &mut probe.locks) {
            locks.name_fields(values.stable.place());
        }
        let about = SegmentDetails::new(segment, &survey, probe);
        for fact in about.facts() {
            print(&fact, out)?;
        }
        if let Some(values) = values {
            values.print(out)?;
        }
    }
    out.flush()?;
    Ok(Status::Success)
}

/// The type that code is for.
fn placed(source: &TypeSource) -> Result<(&Type, u64), Failure> {
    match source {
        TypeSource::Fixed(kind) => Ok((&kind.ty, kind.offset.unwrap_or(0))),
        TypeSource::Layout(layout) => Err(Failure::Usage(format!(
            "no code reads {}: its type depends on the contents. Omit --code to see its values",
            layout.word()
        ))),
    }
}

fn program(language: Language, segment: &Segment, placed: Option<(&Type, u64)>) -> Result<String, Failure> {
    let attachment = Attachment::of(segment)?;
    if let Some((ty, offset)) = placed {
        warn_of_missing_bytes(ty, offset, attachment.size);
    }
    Ok(code::code(language.into(), &attachment, placed)?)
}

/// The values of a segment, and the reason to read it as their type.
struct Values {
    title: String,
    stable: StableValue,
    /// As for `dump --as`.
    name: String,
}

impl Values {
    fn certain((candidate, stable): (Candidate, StableValue)) -> Self {
        let name = escape(candidate.name.as_bytes());
        Self { title: format!("{name}: {}", candidate.evidence.join("; ")), stable, name }
    }

    /// Reads the type that the user named, as `dump` does.
    fn of_type(machine: &dyn Machine, segment: &Segment, source: &TypeSource) -> Result<Self, Failure> {
        let reader = Reader::open(machine, segment)?;
        let stable = match source {
            TypeSource::Layout(layout) => StableValue::of_layout(&reader, *layout)?,
            TypeSource::Fixed(PlacedType { ty, offset }) => {
                check_size(ty, u64::MAX)?;
                let offset = offset.unwrap_or(0);
                let size = size_of(&reader)?;
                if offset >= size {
                    return Err(Failure::Beyond { id: reader.id().clone(), offset, size });
                }
                StableValue::of_type(&reader, &ty.to_string(), offset, ty)?
            }
        };
        let place = if stable.offset > 0 { format!(" at {:#x}", stable.offset) } else { String::new() };
        let title = format!("{}{place}", escape(stable.name.as_bytes()));
        Ok(Self { title, stable, name: "TYPE".to_owned() })
    }

    /// The locks in the value.
    fn locks(&self) -> Vec<(u64, LockKind)> {
        locks_in(self.stable.place(), MAX_LOCKS)
    }

    /// Prints the type and the first values of it.
    fn print(&self, out: &mut Out) -> io::Result<()> {
        let mut lines = vec![self.title.clone()];
        lines.extend(notes(&self.stable));
        let value = self.stable.value();
        let shorten = |text: String| match text.char_indices().nth(MAX_LENGTH) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        };
        let ty = value.place.ty;
        for index in 0..ty.child_count().min(MAX_VALUES) {
            let path = quote(ty.path_text(&Path(vec![index])).as_bytes());
            let text = value.child(index).map_or_else(String::new, |child| child.to_string());
            lines.push(shorten(format!("{path}: {text}")));
        }
        if ty.is_leaf() {
            lines.push(shorten(value.to_string()));
        } else if ty.child_count() > MAX_VALUES {
            let more = ty.child_count() - MAX_VALUES;
            lines.push(format!("… {more} more: shmlens dump --as {}", self.name));
        }
        let style = out.style();
        for (index, line) in lines.iter().enumerate() {
            let label = style.paint(Tint::Dim, &format!("{:<14}", if index == 0 { "values" } else { "" }));
            writeln!(out, "{label}{}", style.fit(line))?;
        }
        Ok(())
    }
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
                let about = SegmentDetails::new(segment, &survey, Probe::check(machine, segment, &[], &[]));
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
