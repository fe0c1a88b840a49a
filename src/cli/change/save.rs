//! `save` and `restore`: a segment into a file, and out of it again.

use super::log::Log;
use super::tell::Teller;
use super::warn_of_unfinished;
use crate::act::{self, Done, Options, Outcome, SaveError, StateDirectory};
use crate::cli::args::{RestoreArgs, SaveArgs, TellArgs};
use crate::cli::choose::choose_exact;
use crate::cli::out::Out;
use crate::cli::progress::{Interrupt, attended};
use crate::cli::{Failure, Status, look};
use crate::machine::Machine;
use crate::memory::Progress;
use crate::segment::escape;
use crate::segment::resolve::ExactNames;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Saves a segment. Nothing of it is changed, so `--read-only` allows it.
pub fn save(machine: &dyn Machine, args: &SaveArgs, out: &mut Out) -> Result<Status, Failure> {
    let survey = look(machine);
    let mut teller = Teller::new("save", TellArgs { dry_run: false, json: args.json }, out);
    let names = ExactNames::new(&survey.segments);
    let segment = match choose_exact(machine, &names, &args.segment, args.kind.kind) {
        Ok(segment) => segment,
        Err(failure) => {
            teller.not_found(&args.segment, &failure)?;
            return Ok(teller.status());
        }
    };
    let (progress, interrupt) = (Progress::new(), Interrupt::listen());
    let stored = attended("saving", true, &progress, &interrupt, |_| {
        let save = if args.force { act::save_over } else { act::save };
        save(machine, segment, &args.file, &progress)
    });
    let result = stored.map(|stored| {
        let said = format!(
            "saved in {}: its {} take {} there",
            shown(&stored.path),
            stored.saved.size,
            stored.length
        );
        Done { id: segment.id.clone(), said: vec![said], undo: None, copy: None }
    });
    if let Err(SaveError::Exists { path }) = &result {
        let error = format!("{} is there already and is left as it is: --force writes over it", shown(path));
        teller.not_done(&segment.id.to_string(), "refused", error)?;
        return Ok(teller.status());
    }
    let subject = segment.id.to_string();
    teller.came_of(&Outcome { subject, action: "save", result: result.map_err(Into::into) })?;
    Ok(teller.status())
}

/// Makes a segment again from a file.
pub fn restore(
    machine: &dyn Machine,
    args: &RestoreArgs,
    options: Options,
    log: &Log,
    out: &mut Out,
) -> Result<Status, Failure> {
    let mut teller = Teller::new("restore", TellArgs { dry_run: false, json: args.json }, out);
    if options.read_only {
        let error = "nothing is restored: every change is turned off (read-only)".to_owned();
        teller.not_done(&shown(&args.file), "refused", error)?;
        return Ok(teller.status());
    }
    log.open()?;
    let (progress, interrupt) = (Progress::new(), Interrupt::listen());
    let state = StateDirectory::find().ok();
    if let Some(state) = &state {
        warn_of_unfinished(machine, state, &look(machine));
    }
    let restored = attended("restoring", true, &progress, &interrupt, |_| {
        act::restore_marked(machine, &args.file, state.as_ref(), &progress)
    });
    let result = restored.map(|restored| {
        let mut said = vec![format!("restored from {}", shown(&args.file))];
        said.extend(restored.lost);
        Done { id: restored.id, said, undo: None, copy: None }
    });
    let outcome =
        Outcome { subject: shown(&args.file), action: "restore", result: result.map_err(Into::into) };
    log.add(&outcome);
    teller.came_of(&outcome)?;
    Ok(teller.status())
}

fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_bytes())
}
