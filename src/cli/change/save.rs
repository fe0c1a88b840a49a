//! `save` and `restore`: saves a segment to a file, and creates a segment from a file.

use super::report::Reporter;
use super::{Session, ask};
use crate::act::archive::Name;
use crate::act::{
    self, ActError, Actor, ChangeReport, Outcome, RestoreError, RestoreResult, SaveError, SavedFile,
};
use crate::cli::args::{ReportArgs, RestoreArgs, SaveArgs};
use crate::cli::choose::choose_exact_to_read;
use crate::cli::out::Out;
use crate::cli::progress::{Interrupt, with_meter};
use crate::cli::{Failure, Status, survey_named, survey_segments};
use crate::machine::Machine;
use crate::memory::Progress;
use crate::segment::{Segment, escape};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Stands for standard output in `save`, and for standard input in `restore`.
const STANDARD_STREAM: &str = "-";

/// Saves a segment. The segment itself is not changed, so `--read-only` allows the command unless
/// the file would become a segment.
pub fn save(session: &Session, args: &SaveArgs, out: &mut Out) -> Result<Status, Failure> {
    let machine = session.machine;
    let streams = args.file.as_os_str() == STANDARD_STREAM;
    if streams && args.json {
        return Err(Failure::Usage("--json and the segment cannot both go to standard output".to_owned()));
    }
    if streams && out.is_terminal() {
        return Err(Failure::Usage(
            "refusing to write a saved segment to a terminal. Redirect the output to a file or a pipe"
                .to_owned(),
        ));
    }
    let survey = survey_named(machine, [args.segment.as_os_str()], args.kind.kind);
    let mut reporter = Reporter::new("save", ReportArgs { dry_run: false, json: args.json }, out);
    let segment = match choose_exact_to_read(machine, &survey, &args.segment, args.kind.kind) {
        Ok(segment) => segment.clone(),
        Err(failure) => {
            reporter.not_found(&args.segment, &failure)?;
            return Ok(reporter.status());
        }
    };
    if streams {
        return stream(machine, &segment, out);
    }
    if session.terms.read_only && act::is_in_dev_shm(&args.file) {
        let error = SaveError::ReadOnly { path: args.file.clone() };
        reporter.not_changed(&segment.id.to_string(), "refused", error.to_string())?;
        return Ok(reporter.status());
    }
    let (progress, interrupt) = (Progress::new(), Interrupt::listen());
    let outcome = with_meter("saving", true, &progress, &interrupt, |_| {
        Actor::new(machine, &progress).save_outcome(&segment, &args.file, args.force)
    });
    if let Err(ActError::NotSaved(SaveError::Exists { path })) = &outcome.result {
        let error = format!("{} already exists. Use --force to replace it", path_text(path));
        reporter.not_changed(&segment.id.to_string(), "refused", error)?;
        return Ok(reporter.status());
    }
    reporter.outcome(&outcome)?;
    Ok(reporter.status())
}

/// Saves to standard output, which gets nothing else.
fn stream(machine: &dyn Machine, segment: &Segment, out: &mut Out) -> Result<Status, Failure> {
    // A signal terminates the program even while it blocks on a pipe: there is nothing to undo, and
    // `restore` rejects a partial copy.
    let progress = Progress::new();
    let saved = with_meter("saving", true, &progress, &Interrupt::none(), |_| {
        Actor::new(machine, &progress).save_to(segment, &mut *out)
    });
    match saved {
        Ok(_) => {
            out.flush()?;
            Ok(Status::Success)
        }
        Err(SaveError::Output { source, .. }) => Err(source.into()),
        Err(error) => {
            crate::cli::out::warn(&error.to_string());
            Ok(Status::Failed)
        }
    }
}

/// Recreates a segment from a file.
pub fn restore(session: &Session, args: &RestoreArgs, out: &mut Out) -> Result<Status, Failure> {
    let machine = session.machine;
    let style = out.style();
    let mut reporter = Reporter::new("restore", ReportArgs { dry_run: false, json: args.json }, out);
    if session.terms.read_only {
        let error = format!("failed to restore {}: changes are disabled (read-only)", path_text(&args.file));
        reporter.not_changed(&path_text(&args.file), "refused", error)?;
        return Ok(reporter.status());
    }
    if args.file.as_os_str() == STANDARD_STREAM && io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "refusing to read a saved segment from a terminal. Redirect the input from a file or a pipe"
                .to_owned(),
        ));
    }
    session.log.open()?;
    if session.state.is_some() {
        session.warn_of_unfinished(&survey_segments(machine), false);
    }
    let confirmed = match open_confirmed(machine, args, &|text| style.fit(text).into_owned()) {
        Ok(Some(file)) => Ok(file),
        Ok(None) => {
            reporter.not_changed(&path_text(&args.file), "refused", "nothing was restored".to_owned())?;
            return Ok(reporter.status());
        }
        Err(OpenFailure::Terminal(error)) => return Err(error.into()),
        Err(OpenFailure::File(error)) => Err(error),
    };
    if confirmed.as_ref().is_ok_and(|file| matches!(file.saved().name, Name::Sysv { .. })) {
        session.warn_of_no_mark();
    }
    // Installed only now, so that a signal during the question terminates the program.
    let (progress, interrupt) = (Progress::new(), Interrupt::listen());
    let restored: Result<RestoreResult, RestoreError> = confirmed.and_then(|file| {
        with_meter("restoring", true, &progress, &interrupt, |_| {
            file.restore(&Actor::new(machine, &progress).with_state(session.state.as_ref()))
        })
    });
    let result = restored.map(|restored| {
        let mut messages = vec![format!("restored from {}", source(&args.file))];
        messages.extend(restored.differences);
        ChangeReport { id: restored.id, messages, undo: None, identity: None, copy: None }
    });
    let outcome =
        Outcome { subject: path_text(&args.file), action: "restore", result: result.map_err(Into::into) };
    session.log.add(&outcome);
    reporter.outcome(&outcome)?;
    Ok(reporter.status())
}

enum OpenFailure {
    Terminal(io::Error),
    File(RestoreError),
}

/// Opens the file. `None` if it is not trusted and the user declined.
fn open_confirmed(
    machine: &dyn Machine,
    args: &RestoreArgs,
    fit: &dyn Fn(&str) -> String,
) -> Result<Option<SavedFile>, OpenFailure> {
    let file = if args.file.as_os_str() == STANDARD_STREAM {
        SavedFile::stdin()
    } else {
        SavedFile::open(&args.file)
    };
    let file = file.map_err(OpenFailure::File)?;
    let Some(reason) = file.distrust_reason(machine).filter(|_| !args.yes) else { return Ok(Some(file)) };
    if !ask::is_possible() {
        return Err(OpenFailure::File(file.unconfirmed_error(machine, reason)));
    }
    let text =
        fit(&format!("{} {reason} and would create\n  {}\n", source(&args.file), file.description(machine)));
    Ok(ask::confirm(&text, "Restore it?").map_err(OpenFailure::Terminal)?.then_some(file))
}

/// Returns the name of the file for messages.
fn source(path: &Path) -> String {
    if path.as_os_str() == STANDARD_STREAM { "standard input".to_owned() } else { path_text(path) }
}

fn path_text(path: &Path) -> String {
    escape(path.as_os_str().as_bytes())
}
