//! Messages for system errors.

use std::fmt::Display;

/// Formats a system error without its number. The result is not escaped: the caller has to escape a
/// message that contains names.
#[must_use]
pub fn plain_error(error: &impl Display) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    // This is `EMFILE`; the message for the system-wide limit (`ENFILE`) is different.
    let remedy = if text == "Too many open files" { " (`ulimit -n`)" } else { "" };
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    first.chain(letters).chain(remedy.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn error_text_omits_the_number() {
        assert_eq!(plain_error(&io::Error::from_raw_os_error(libc::ENOSPC)), "no space left on device");
        assert_eq!(
            plain_error(&io::Error::from_raw_os_error(libc::EMFILE)),
            "too many open files (`ulimit -n`)"
        );
        assert_eq!(plain_error(&""), "");
        assert_eq!(plain_error(&"A FIFO. Move it"), "a FIFO. Move it");
    }
}
