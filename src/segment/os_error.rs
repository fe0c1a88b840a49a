//! What the system says of a call that failed.

use std::fmt::Display;

/// An error of the system in its words, without the number that stands behind
/// them. Not escaped: what has a name of somebody's in it is to be.
#[must_use]
pub fn plain_error(error: &impl Display) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn the_words_without_the_number() {
        assert_eq!(plain_error(&io::Error::from_raw_os_error(libc::ENOSPC)), "no space left on device");
        assert_eq!(plain_error(&"A FIFO. Move it"), "a FIFO. Move it");
    }
}
