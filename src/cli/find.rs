//! `find`: searches segments for a pattern.

use super::args::FindArgs;
use super::choose::choose;
use super::dump::{has_shrunk, hex, text};
use super::out::{Out, warn};
use super::progress::{Interrupt, Meter, with_meter};
use super::style::Tint;
use super::{Failure, Status, survey_named, survey_with_unlinked};
use crate::decode::pattern_of_value;
use crate::machine::{Machine, TraceReason};
use crate::memory::{OpenError, Pattern, Progress, Reader, WriteLeases, find_all};
use crate::segment::resolve::listed;
use crate::segment::{Kind, Segment, SegmentId, quote};
use crate::survey::Survey;
use serde::Serialize;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;

/// Bytes printed before a match.
const CONTEXT_BEFORE: u64 = 8;
/// Bytes printed per match.
const CONTEXT_LENGTH: usize = 40;

pub fn run(machine: &dyn Machine, args: &FindArgs, out: &mut Out) -> Result<Status, Failure> {
    let (pattern, names) = parse_pattern(args)?;
    let by_name = !names.is_empty();
    let survey = if by_name {
        survey_named(machine, names.iter().copied(), None)
    } else {
        survey_with_unlinked(machine)
    };
    let segments = if by_name {
        find_segments(machine, &survey, &names)?
    } else {
        let kinds = [Kind::Posix, Kind::Deleted, Kind::Sysv];
        let all = kinds.iter().flat_map(|&kind| survey.segments.iter().filter(move |one| one.kind() == kind));
        all.filter(|segment| !segment.is_concealed()).collect()
    };
    let progress = Progress::new();
    let interrupt = Interrupt::listen();
    let mut search = Search {
        args,
        pattern: &pattern,
        named: by_name,
        found: 0,
        failed: false,
        denied: vec![],
        unattached: vec![],
        leases: WriteLeases::default(),
    };
    let tried = with_meter("searching", true, &progress, &interrupt, |meter| {
        let mut tried = 0;
        for segment in &segments {
            if interrupt.is_set() || search.is_finished() {
                break;
            }
            if segments.len() > 1 {
                meter.set_label(format!("searching {} of {}", tried + 1, segments.len()));
            }
            search.segment(machine, segment, &progress, meter, out)?;
            tried += 1;
        }
        Ok::<usize, Failure>(tried)
    })?;
    out.flush()?;
    if !by_name {
        warn_of_skipped(&search.unattached, &search.denied);
        warn_of_concealed(machine, &survey);
    }
    if interrupt.is_set() {
        return Err(Failure::Stopped(format!(
            "interrupted: searched {} of {} segments",
            tried.saturating_sub(1),
            segments.len()
        )));
    }
    Ok(if search.found == 0 || search.failed { Status::Failed } else { Status::Success })
}

/// Parses the pattern and the names of the segments. With `--hex` or `--value`, every word names a
/// segment.
fn parse_pattern(args: &FindArgs) -> Result<(Pattern, Vec<&OsStr>), Failure> {
    let mut names: Vec<&OsStr> = args.segments.iter().map(OsString::as_os_str).collect();
    let first = args.pattern.as_deref();
    let pattern = match (&args.hex, &args.value, first) {
        (Some(hex), ..) => Pattern::hex(hex)?,
        (_, Some(value), _) => Pattern::bytes(pattern_of_value(value)?)?,
        (None, None, text) => {
            let text = quote(text.unwrap_or_default().as_bytes());
            return Ok((Pattern::text(&text)?, names));
        }
    };
    names.splice(0..0, first);
    Ok((pattern, names))
}

/// Returns the named segments, without duplicates.
fn find_segments<'a>(
    machine: &dyn Machine,
    survey: &'a Survey,
    names: &[&OsStr],
) -> Result<Vec<&'a Segment>, Failure> {
    let mut segments: Vec<&Segment> = vec![];
    for name in names {
        let segment = choose(machine, survey, name)?;
        if !segments.iter().any(|other| other.id == segment.id) {
            segments.push(segment);
        }
    }
    Ok(segments)
}

/// Warns about the segments that were skipped.
fn warn_of_skipped(unattached: &[(SegmentId, TraceReason)], denied: &[SegmentId]) {
    let all = [TraceReason::NotPrivileged, TraceReason::NoHolder, TraceReason::Unreachable];
    for reason in all.into_iter().filter(|reason| unattached.iter().any(|(_, other)| other == reason)) {
        let skipped = unattached.iter().filter(|(_, other)| *other == reason);
        let ids: Vec<String> = skipped.map(|(id, _)| id.short()).collect();
        let (segments, its, them) =
            if ids.len() == 1 { ("segment", "its", "it") } else { ("segments", "their", "them") };
        warn(&format!(
            "skipped {} System V {segments} that only attaching can read, which changes {its} times ({}). \
             Name {them} to search {them}: {}",
            ids.len(),
            reason.text(),
            listed(&ids)
        ));
    }
    if !denied.is_empty() {
        let ids: Vec<String> = denied.iter().map(SegmentId::short).collect();
        warn(&format!(
            "skipped {} {} that you cannot read (`shmlens info` says why): {}",
            ids.len(),
            if ids.len() == 1 { "segment" } else { "segments" },
            listed(&ids)
        ));
    }
}

/// Warns about the unlinked objects that were skipped.
fn warn_of_concealed(machine: &dyn Machine, survey: &Survey) {
    let concealed = survey.segments.iter().filter(|segment| segment.is_concealed());
    let texts: Vec<String> = concealed
        .map(|one| match one.former_name() {
            Some(former) => format!("{} (formerly {former})", one.id),
            None => one.id.to_string(),
        })
        .collect();
    if !texts.is_empty() {
        let (segments, is) = if texts.len() == 1 { ("segment", "is") } else { ("segments", "are") };
        warn(&format!(
            "skipped {} unlinked {segments} that {is} only mapped{}: {}",
            texts.len(),
            if machine.effective_uid() == 0 { "" } else { " (root can read them)" },
            listed(&texts)
        ));
    }
}

/// A search over several segments.
struct Search<'a> {
    args: &'a FindArgs,
    pattern: &'a Pattern,
    named: bool,
    found: u64,
    failed: bool,
    denied: Vec<SegmentId>,
    /// The System V segments that were skipped, because reading them requires attaching.
    unattached: Vec<(SegmentId, TraceReason)>,
    leases: WriteLeases,
}

#[derive(Serialize)]
struct MatchJson {
    id: String,
    offset: u64,
    length: u64,
    context: ContextJson,
}

#[derive(Serialize)]
struct ContextJson {
    offset: u64,
    hex: String,
}

#[derive(Serialize)]
struct CountJson {
    id: String,
    count: u64,
}

impl Search<'_> {
    fn is_finished(&self) -> bool {
        self.args.limit.is_some_and(|limit| self.found >= limit)
    }

    fn flow(&self) -> ControlFlow<()> {
        if self.is_finished() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn segment(
        &mut self,
        machine: &dyn Machine,
        segment: &Segment,
        progress: &Progress,
        meter: &Meter,
        out: &mut Out,
    ) -> Result<(), Failure> {
        let opened = if self.named {
            Reader::open(machine, segment)
        } else {
            Reader::open_unleased(machine, segment, &mut self.leases)
        };
        let reader = match opened {
            Ok(reader) => reader,
            Err(error) => {
                self.report_open_error(error);
                return Ok(());
            }
        };
        let before = self.found;
        let mut written = Ok(());
        let flush_each = out.is_terminal();
        let pattern = self.pattern;
        let all = 0..reader.size().unwrap_or(segment.size.0);
        let result = find_all(&reader, pattern, all.clone(), progress, |matches| {
            if self.args.count {
                let limit = self.args.limit.unwrap_or(u64::MAX);
                self.found = self.found.saturating_add(matches.count).min(limit);
                return self.flow();
            }
            for offset in matches.offsets().take_while(|_| !progress.is_cancelled()) {
                self.found += 1;
                written = meter.suspend(|| {
                    self.print(segment, &reader, offset, out)?;
                    if flush_each { out.flush() } else { Ok(()) }
                });
                if written.is_err() {
                    return ControlFlow::Break(());
                }
                self.flow()?;
            }
            ControlFlow::Continue(())
        });
        written?;
        if let Err(source) = result {
            warn(&Failure::Read { id: segment.id.clone(), source }.to_string());
            self.failed |= self.named;
        } else if !self.is_finished() && !progress.is_cancelled() && has_shrunk(&reader, &all, progress) {
            warn(&format!(
                "{}: its size changed while it was read; the rest was not searched",
                segment.id.short()
            ));
            self.failed = true;
        }
        if self.args.count && (self.named || self.found > before) {
            meter.suspend(|| self.print_count(&segment.id, self.found - before, out))?;
        }
        Ok(())
    }

    /// Fails if the user named the segment. Otherwise skips it: it may be gone or unreadable.
    fn report_open_error(&mut self, error: OpenError) {
        match error {
            OpenError::Denied { id, .. } if !self.named => self.denied.push(id),
            OpenError::NeedsAttach { id, reason } if !self.named => self.unattached.push((id, reason)),
            OpenError::Gone { .. } | OpenError::Replaced { .. } if !self.named => {}
            OpenError::Leased { .. } => warn(&format!("{error}. Name the segment to search it")),
            error => {
                warn(&error.to_string());
                self.failed |= self.named;
            }
        }
    }

    /// Prints a match: `posix:/name  0x00000010  |........hello world...|`.
    fn print(&self, segment: &Segment, reader: &Reader, offset: u64, out: &mut Out) -> io::Result<()> {
        let start = offset.saturating_sub(CONTEXT_BEFORE);
        let mut bytes = [0; CONTEXT_LENGTH];
        // The match may be gone by now.
        let count = reader.read_at(start, &mut bytes).unwrap_or(0);
        let bytes = &bytes[..count];
        let id = reader.id().to_string();
        if self.args.json {
            let context = ContextJson { offset: start, hex: hex(bytes) };
            let length = self.pattern.len() as u64;
            serde_json::to_writer(&mut *out, &MatchJson { id, offset, length, context })?;
            return writeln!(out);
        }
        let style = out.style();
        let from = usize::try_from(offset - start).unwrap_or(0).min(count);
        let to = (from + self.pattern.len()).min(count);
        let hit = style.paint(Tint::Accent, &text(&bytes[from..to]));
        let (head, tail) = (text(&bytes[..from]), text(&bytes[to..]));
        let id = segment
            .former_name()
            .filter(|_| !self.named)
            .map_or(id.clone(), |former| format!("{id} (formerly {former})"));
        writeln!(out, "{}  0x{offset:08x}  |{head}{hit}{tail}|", style.fit(&id))
    }

    fn print_count(&self, id: &SegmentId, count: u64, out: &mut Out) -> io::Result<()> {
        let id = id.to_string();
        if self.args.json {
            serde_json::to_writer(&mut *out, &CountJson { id, count })?;
            return writeln!(out);
        }
        let id = out.style().fit(&id).into_owned();
        writeln!(out, "{id}  {count}")
    }
}
