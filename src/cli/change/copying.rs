//! The destinations of the copies that `rm` and `clean` save: the copies directory, a file, another
//! directory, or none.

use crate::act::{self, Action, Copies, Copying, Options, Plan, StateDirectory};
use crate::cli::Failure;
use crate::machine::Machine;
use crate::segment::{Bytes, Segment, SegmentId};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::iter;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// The maximum length of a name before escaping, which keeps file names under 255 bytes.
const MAX_NAME_LENGTH: usize = 60;

/// The destination of the copies.
pub enum CopyDestination {
    Copies(Copies),
    /// A single copy.
    File(PathBuf),
    /// A file per segment, named by id.
    Directory(PathBuf, RefCell<HashMap<SegmentId, String>>),
    NoCopy,
}

impl CopyDestination {
    /// Derives the destination from the command line and the number of segments. Copies in the
    /// copies directory take at most `limit` in total.
    pub fn new(no_copy: bool, save: Option<&Path>, segments: usize, limit: Bytes) -> Result<Self, Failure> {
        if no_copy {
            return Ok(Self::NoCopy);
        }
        let Some(path) = save else {
            let state = StateDirectory::find().map_err(|error| Failure::Usage(error.to_string()))?;
            return Ok(Self::Copies(Copies::new(state, limit)));
        };
        if path.as_os_str() == "-" {
            return Err(Failure::Usage(
                "--save needs a file: a copy written to a pipe cannot be verified. Run `shmlens save SEGMENT -` first"
                    .to_owned(),
            ));
        }
        if path.as_os_str().as_bytes().ends_with(b"/") || path.is_dir() {
            return Ok(Self::Directory(path.to_owned(), RefCell::default()));
        }
        if segments > 1 {
            return Err(Failure::Usage(
                "--save FILE takes a single segment. For several, use a directory: --save DIR/".to_owned(),
            ));
        }
        Ok(Self::File(path.to_owned()))
    }

    /// Plans the removal of a segment, with its copy.
    pub fn plan(&self, machine: &dyn Machine, segment: &Segment, options: Options) -> Plan {
        let (copying, copies) = match self {
            Self::Copies(copies) => (Copying::Keep, Some(copies)),
            Self::File(path) => (Copying::To(path.clone()), None),
            Self::Directory(path, names) => {
                (Copying::To(path.join(unique_name(segment, &mut names.borrow_mut()))), None)
            }
            Self::NoCopy => (Copying::Without, None),
        };
        act::plan_with(machine, segment, &Action::Remove(copying), &options, copies)
    }
}

/// Returns a file name that no other segment of the batch has: `posix_p_q.saved`,
/// `posix_p_q-2.saved`.
fn unique_name(segment: &Segment, names: &mut HashMap<SegmentId, String>) -> String {
    if let Some(name) = names.get(&segment.id) {
        return name.clone();
    }
    let taken: HashSet<&String> = names.values().collect();
    let short = short_name(segment);
    let numbered = (2..).map(|number| format!("{short}-{number}.saved"));
    let mut all = iter::once(format!("{short}.saved")).chain(numbered);
    let name = all.find(|name| !taken.contains(name)).unwrap_or_default();
    names.insert(segment.id.clone(), name.clone());
    name
}

/// Returns a short form of the id for file names: `posix_camera0`.
fn short_name(segment: &Segment) -> String {
    let id = segment.id.to_string().replace(":/", "_").replace([':', '/'], "_");
    id.chars().take(MAX_NAME_LENGTH).collect()
}
