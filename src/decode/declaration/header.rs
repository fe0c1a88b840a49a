//! Reads headers from files.

use super::Sources;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The longest header.
const LONGEST: u64 = 4 << 20;

/// Reads a header, and those that it includes in quotes, relative to the including file.
///
/// # Errors
/// Fails with a message if it is not a regular file, cannot be read, or is too large.
pub fn read_header(path: &str) -> Result<Sources, String> {
    let text = read_text(Path::new(path)).map_err(|error| crate::segment::plain_error(&error))?;
    Ok(Sources::header(path, text, |from, included| {
        let path = Path::new(from).parent()?.join(included);
        let text = read_text(&path).ok()?;
        Some((path.to_string_lossy().into_owned(), text))
    }))
}

fn read_text(path: &Path) -> io::Result<String> {
    // Opening a pipe would wait for its writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = vec![];
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::other("larger than 4 MiB"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
