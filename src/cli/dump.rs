//! `dump`: prints the contents of a segment as hex and text, as values, or as raw bytes.

mod items;

pub use items::{hex, push_record, text, write_header};

use super::args::DumpArgs;
use super::choose::choose;
use super::decoded::{print, size_of};
use super::out::{Out, warn};
use super::progress::{Interrupt, with_meter};
use super::type_name::resolve;
use super::{Failure, Status, part, survey_named};
use crate::decode::layouts::{Layout, npy_rows};
use crate::decode::{self, PlacedType, Squeeze, StableError, StableValue, Type, TypeSource, combined};
use crate::machine::Machine;
use crate::memory::{Chunk, Chunks, PageBuffer, Presence, Progress, Reader};
use items::{Format, Items};
use std::io::{self, Write};
use std::ops::Range;

/// Bytes per read.
const PIECE: usize = 256 << 10;
/// The largest value that is decoded.
const LARGEST: u64 = 16 << 20;
/// The most fields of a CSV record.
const MOST_COLUMNS: u64 = 1 << 16;

pub fn run(machine: &dyn Machine, args: &DumpArgs, out: &mut Out) -> Result<Status, Failure> {
    if args.raw && out.is_terminal() {
        return Err(Failure::Usage(
            "refusing to write raw bytes to a terminal. Redirect the output to a file or a pipe".to_owned(),
        ));
    }
    let (layout, kind) = chosen(&resolve(machine, &args.segment, &args.kinds)?)?;
    if let Some(layout) = layout.filter(|layout| *layout != Layout::Npy) {
        return layout_value(machine, layout, args, out);
    }
    if let Some(layout) = layout {
        part::check_whole(args.part, layout)?;
    }
    let part = part::of_type(args.part, kind.as_ref())?;
    check_kind(kind.as_ref(), args.csv)?;
    let survey = survey_named(machine, [args.segment.as_os_str()], None);
    let segment = choose(machine, &survey, &args.segment)?;
    let reader = Reader::open(machine, segment)?;
    let (kind, range) = if layout.is_some() {
        let rows = npy_rows(&|offset, into| reader.fill_all(offset, into), size_of(&reader)?)
            .map_err(StableError::from)?;
        if let Some(note) = &rows.note {
            warn(note);
        }
        (Some(rows.row), rows.range)
    } else {
        let range = part::range(part, &reader)?;
        part::check_start(part, kind.as_ref(), reader.id(), &range)?;
        (kind.map(|kind| kind.ty), range)
    };
    let progress = Progress::new();
    let interrupt = Interrupt::listen();
    let wanted = !out.is_terminal();
    let mut sink = Sink { out, failed: false };
    let outcome = with_meter("dumping", wanted, &progress, &interrupt, |_| {
        write(&reader, range.clone(), args, kind.as_ref(), &progress, &mut sink)
    });
    let failed = sink.failed;
    outcome.map_err(|error| {
        if failed { error.into() } else { Failure::Read { id: reader.id().clone(), source: error } }
    })?;
    if interrupt.is_set() {
        return Err(Failure::Stopped(format!(
            "interrupted: dumped {} of {} bytes",
            progress.done(),
            progress.total()
        )));
    }
    let id = reader.id().short();
    if let Ok(Presence::Replaced { .. }) = reader.presence(machine) {
        warn(&format!("{id} was replaced during the dump; this is the old segment"));
    }
    if has_shrunk(&reader, &range, &progress) {
        warn(&format!("{id}: its size changed while it was read; the rest is missing"));
        return Ok(Status::Failed);
    }
    Ok(Status::Success)
}

/// Prints the value of a layout that the contents determine.
fn layout_value(
    machine: &dyn Machine,
    layout: Layout,
    args: &DumpArgs,
    out: &mut Out,
) -> Result<Status, Failure> {
    part::check_whole(args.part, layout)?;
    let survey = survey_named(machine, [args.segment.as_os_str()], None);
    let segment = choose(machine, &survey, &args.segment)?;
    let reader = Reader::open(machine, segment)?;
    print(&StableValue::of_layout(&reader, layout)?, args.json, args.csv, out)?;
    out.flush()?;
    Ok(Status::Success)
}

/// Returns the layout that the contents determine, or the type of the values.
pub fn chosen(kinds: &[TypeSource]) -> Result<(Option<Layout>, Option<PlacedType>), Failure> {
    let mut types = vec![];
    for kind in kinds {
        match kind {
            TypeSource::Layout(layout) if kinds.len() == 1 => return Ok((Some(*layout), None)),
            TypeSource::Layout(layout) => {
                return Err(Failure::Usage(format!(
                    "{} is all of a segment: omit the other types",
                    layout.word()
                )));
            }
            TypeSource::Fixed(placed) => types.push(placed.clone()),
        }
    }
    Ok((None, combined(types).map_err(|error| Failure::Usage(format!("the types together are {error}")))?))
}

fn check_kind(kind: Option<&PlacedType>, is_csv: bool) -> Result<(), Failure> {
    let Some(PlacedType { ty, .. }) = kind else { return Ok(()) };
    check_size(ty, LARGEST)?;
    if is_csv && ty.leaf_count() > MOST_COLUMNS {
        return Err(Failure::Usage(format!(
            "the type has more than {MOST_COLUMNS} fields, too many for CSV"
        )));
    }
    Ok(())
}

/// Refuses types that are too large to decode, and those without any bytes.
pub fn check_size(ty: &Type, largest: u64) -> Result<(), Failure> {
    match ty.size() {
        0 => Err(Failure::Usage(format!("type {ty} has no bytes"))),
        size if size > largest => Err(Failure::Usage(format!(
            "type {ty} takes {size} bytes; at most {} MiB are decoded as one value",
            largest >> 20
        ))),
        _ => Ok(()),
    }
}

/// Returns true if part of `range` no longer exists after the read.
pub fn has_shrunk(reader: &Reader, range: &Range<u64>, progress: &Progress) -> bool {
    progress.is_cut_short() || reader.size().is_ok_and(|size| size < range.end)
}

fn write(
    reader: &Reader,
    range: Range<u64>,
    args: &DumpArgs,
    ty: Option<&Type>,
    progress: &Progress,
    out: &mut Sink<'_>,
) -> io::Result<()> {
    let squeeze = if args.no_squeezing { Squeeze::Off } else { Squeeze::On };
    if args.raw {
        raw(reader, range, progress, out)
    } else if args.json || ty.is_some() {
        let name = ty.map(Type::to_string).unwrap_or_default();
        if let Some(ty) = ty {
            warn_of_trailing_bytes(&range, ty);
        }
        let (format, squeeze) = match (args.json, args.csv, ty) {
            (true, ..) => (Format::Json, squeeze),
            (_, true, Some(ty)) => {
                write_header(ty, out)?;
                // A line for each value, so that their number is right.
                (Format::Csv, Squeeze::Off)
            }
            _ => (Format::Text, squeeze),
        };
        let named = ty.map(|ty| (ty, name.as_str()));
        let items = |start| Items::new(named, format, squeeze, start);
        decode::dump_as(reader, range, items, out, progress)
    } else {
        decode::dump(reader, range, squeeze, out, progress)
    }
}

/// Warns about trailing bytes that are too few for a value. Complete elements of an incomplete
/// array are printed.
fn warn_of_trailing_bytes(range: &Range<u64>, kind: &Type) {
    let whole = kind.size().max(1);
    let rest = (range.end - range.start) % whole;
    if rest == 0 {
        return;
    }
    let offset = range.end - rest;
    warn(&if rest < kind.smallest() {
        format!("skipped the last {rest} bytes at {offset:#x}: a value takes {whole} bytes")
    } else {
        format!("the value at {offset:#x} is incomplete: {rest} of {whole} bytes")
    });
}

fn raw(reader: &Reader, range: Range<u64>, progress: &Progress, out: &mut Sink<'_>) -> io::Result<()> {
    let mut chunks = Chunks::new(reader, range, 1, progress)?.with_holes_up_to(PIECE as u64);
    let mut bytes = PageBuffer::with_capacity(PIECE);
    let zeros = vec![0; PIECE];
    while let Some(piece) = chunks.next(&mut bytes)? {
        match piece {
            Chunk::Bytes(count) => out.write_all(&bytes[..count])?,
            Chunk::Hole(length) => {
                let length = usize::try_from(length).unwrap_or(PIECE).min(PIECE);
                out.write_all(&zeros[..length])?;
            }
        }
    }
    out.flush()
}

/// Remembers if writing failed, to tell write errors from read errors.
struct Sink<'a> {
    out: &'a mut Out,
    failed: bool,
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes).inspect_err(|_| self.failed = true)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes).inspect_err(|_| self.failed = true)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush().inspect_err(|_| self.failed = true)
    }
}
