//! The form for saving segments to files: a single segment to a file, several to a directory.

use super::effect::Effect;
use super::overlay::Form;
use super::text_field::TextField;
use crate::act::Question;
use crate::engine::{Request, SaveRequest};
use crate::segment::{Segment, SegmentId, ShownError, escape};
use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

/// The maximum length of a name before escaping, which keeps file names under 255 bytes.
const MAX_NAME_LENGTH: usize = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveField {
    /// A file for one segment, a directory for several.
    Path,
    Replace,
}

#[derive(Debug, Clone)]
pub struct Save {
    pub segments: Vec<Segment>,
    pub line: SaveField,
    /// A file for one segment, a directory for several.
    pub path: TextField,
    pub replace: bool,
    pub error: Option<String>,
    /// The typed file, if it exists already.
    pub existing: Option<PathBuf>,
    pub saving: bool,
}

impl Save {
    /// Suggests a file named after a single segment, or the current directory for several.
    pub fn new(segments: Vec<Segment>) -> Self {
        let path = match segments.as_slice() {
            [one] => file_name(one),
            _ => "./".to_owned(),
        };
        Self {
            segments,
            line: SaveField::Path,
            path: TextField::new(path),
            replace: false,
            error: None,
            existing: None,
            saving: false,
        }
    }

    /// Returns the question for the engine: does the typed file exist?
    pub fn question(&self) -> Option<Question> {
        match self.requests().ok()?.as_slice() {
            [request] => Some(Question::File(request.path.clone())),
            _ => None,
        }
    }

    /// Returns the error in the typed path.
    pub fn path_error(&self) -> Option<String> {
        match self.requests() {
            Err(reason) => Some(reason.to_string()),
            Ok(requests) => match requests.as_slice() {
                [request] if !self.replace && self.existing.as_ref() == Some(&request.path) => Some(format!(
                    "{} exists already: choose another name, or enable replace",
                    escape(request.path.as_os_str().as_bytes())
                )),
                _ => None,
            },
        }
    }

    pub fn requests(&self) -> Result<Vec<SaveRequest>, ShownError> {
        let text = self.path.text();
        let several = self.segments.len() > 1;
        if text.is_empty() {
            let what = if several { "directory" } else { "file name" };
            return Err(ShownError::new(format!("a {what} is required")));
        }
        let path = PathBuf::from(OsString::from_vec(text.as_bytes().to_vec()));
        let mut names = HashSet::new();
        let request = |segment: &Segment| {
            let path = if several || text.ends_with('/') {
                path.join(unique_name(file_name(segment), &mut names))
            } else {
                path.clone()
            };
            SaveRequest { segment: Box::new(segment.clone()), path, replace: self.replace }
        };
        Ok(self.segments.iter().map(request).collect())
    }
}

impl Form for Save {
    fn fields(&self) -> usize {
        2
    }

    fn focus_index(&self) -> usize {
        usize::from(self.line == SaveField::Replace)
    }

    fn focus(&mut self, place: usize) {
        self.line = [SaveField::Path, SaveField::Replace][place];
    }

    fn text(&mut self) -> Option<&mut TextField> {
        (self.line == SaveField::Path && !self.saving).then_some(&mut self.path)
    }

    fn toggle(&mut self) -> bool {
        let toggles = self.line == SaveField::Replace;
        self.replace ^= toggles;
        toggles
    }

    fn changed(&mut self, effects: &mut Vec<Effect>) {
        self.error = None;
        effects.extend(self.question().map(|question| Request::Ask(question).into()));
    }
}

/// Adds a number to the name if it is taken: an unlinked object and its replacement have the same
/// name.
fn unique_name(name: String, names: &mut HashSet<String>) -> String {
    let stem = name.trim_end_matches(".saved").to_owned();
    let numbered = (2..).map(|number| format!("{stem}-{number}.saved"));
    let free = std::iter::once(name).chain(numbered).find(|name| names.insert(name.clone()));
    free.unwrap_or(stem)
}

/// Returns a file name for the segment: `camera0.saved`, `sysv_5.saved`.
fn file_name(segment: &Segment) -> String {
    let name = match (&segment.id, segment.former_name()) {
        (SegmentId::Posix(name), _) | (_, Some(name)) => name.to_string(),
        (id, None) => id.to_string(),
    };
    let name = name.trim_start_matches('/').replace([':', '/', '\\'], "_");
    let short: String = name.chars().take(MAX_NAME_LENGTH).collect();
    format!("{short}.saved")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::example;

    fn paths(form: &Save) -> Vec<String> {
        form.requests().unwrap().iter().map(|request| request.path.display().to_string()).collect()
    }

    #[test]
    fn single_segment_is_saved_to_a_file_named_after_it() {
        for (segment, file) in [
            (example::posix_named(b"camera0"), "camera0.saved"),
            (example::posix_named(b"dir/one"), "dir_one.saved"),
            (example::posix_named(b"a\x1b"), "a_x1b.saved"),
            (example::sysv(), "sysv_32770.saved"),
        ] {
            assert_eq!(paths(&Save::new(vec![segment])), [file]);
        }
    }

    #[test]
    fn several_segments_are_saved_to_distinct_files() {
        let segments = vec![example::posix_named(b"a"), example::posix_named(b"a"), example::sysv()];
        let mut form = Save::new(segments);
        form.path.set("/backup");
        assert_eq!(paths(&form), ["/backup/a.saved", "/backup/a-2.saved", "/backup/sysv_32770.saved"]);
        form.path.set("");
        assert!(form.requests().unwrap_err().to_string().contains("directory"));
    }
}
