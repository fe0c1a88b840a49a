//! Quotes text for a shell, so that printed commands can be pasted regardless of the names in them.
//!
//! Plain words stay unchanged. Other ASCII text is put in single quotes, which every shell
//! supports. Control characters, invisible characters, invalid UTF-8 and all non-ASCII characters
//! need the `$'…'` form (bash, zsh, ksh, and POSIX since 2024), with bytes as octal escapes: these
//! have a fixed length, unlike `\x` in some shells. The output contains no raw character that could
//! move the cursor.

use super::escape::is_plain;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Quotes a command-line argument.
#[must_use]
pub fn shell_quote(bytes: &[u8]) -> String {
    if !bytes.is_empty() && bytes.iter().all(|&byte| is_word(byte)) {
        return bytes.iter().copied().map(char::from).collect();
    }
    if bytes.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        let text: String = bytes.iter().copied().map(char::from).collect();
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    // `in_ascii` turns other letters into `\xNN`, which only `$'…'` supports.
    let mut quoted = String::from("$'");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' | '\'' => quoted.extend(['\\', c]),
                // After an escaped quote, an interactive shell may expand `!`.
                '!' => push_octal(&mut quoted, b"!"),
                // Only letters and digits, because ASCII output replaces symbols such as arrows.
                c if is_plain(c) && (c.is_ascii() || c.is_alphanumeric()) => quoted.push(c),
                c => push_octal(&mut quoted, c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        push_octal(&mut quoted, chunk.invalid());
    }
    quoted.push('\'');
    quoted
}

/// Quotes a path as a command-line argument. A relative path with a leading dash would be parsed as
/// an option, so it gets the prefix `./`.
#[must_use]
pub fn quote_path(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    if bytes.starts_with(b"-") {
        return shell_quote(&[b"./", bytes].concat());
    }
    shell_quote(bytes)
}

/// Returns true if the character has no special meaning in any shell and any position. `~` and `=`
/// have one at the start of a word.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'@' | b'%' | b'+' | b':' | b',' | b'.' | b'/' | b'-')
}

fn push_octal(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(out, "\\{byte:03o}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::in_ascii;
    use proptest::prelude::*;
    use std::process::Command;

    /// Returns the bytes that a shell reads from the quoted text.
    fn read_by(shell: &str, quoted: &str) -> Vec<u8> {
        let mut command = Command::new(shell);
        command.arg("-c").arg(format!("printf %s {quoted}"));
        // The result must not depend on the locale of the shell.
        command.env("LC_ALL", "C");
        command.output().unwrap_or_else(|error| panic!("{shell}: {error}")).stdout
    }

    fn is_harmless(quoted: &str) -> bool {
        let invisible = ["\u{200b}", "\u{202e}", "\u{feff}", "\u{ad}"];
        !quoted.chars().any(char::is_control) && !invisible.iter().any(|c| quoted.contains(c))
    }

    #[test]
    fn plain_words_are_unchanged() {
        for text in
            ["/root/.local/state/shmlens/copies/0001-7.shmlens", "sysv:3", "posix:/a_b-c", "0644", "-x"]
        {
            assert_eq!(shell_quote(text.as_bytes()), text);
        }
        assert_eq!(shell_quote(b""), "''");
        assert_eq!(quote_path(Path::new("-x")), "./-x");
        assert_eq!(quote_path(Path::new("/-x")), "/-x");
    }

    #[test]
    fn hostile_names_are_quoted() {
        for (bytes, quoted) in [
            (&b"/tmp/my copy"[..], "'/tmp/my copy'"),
            (b"it's", r"'it'\''s'"),
            (b"$(touch /tmp/x)`id`", "'$(touch /tmp/x)`id`'"),
            (br"posix:/a\x1b", r"'posix:/a\x1b'"),
            (b"~root", "'~root'"),
            (b"a\x1b[2J\n\xff", r"$'a\033[2J\012\377'"),
            ("Größe".as_bytes(), "$'Größe'"),
            ("a → b".as_bytes(), r"$'a \342\206\222 b'"),
            ("a\u{202e}'\\".as_bytes(), r"$'a\342\200\256\'\\'"),
        ] {
            assert_eq!(shell_quote(bytes), quoted);
            assert_eq!(read_by("bash", quoted), bytes);
        }
    }

    #[test]
    fn ascii_output_can_still_be_pasted() {
        let quoted = shell_quote("Größe 0".as_bytes());
        let ascii = in_ascii(&quoted);
        assert!(ascii.is_ascii());
        assert_eq!(read_by("bash", &ascii), "Größe 0".as_bytes());
    }

    fn name() -> impl Strategy<Value = Vec<u8>> {
        let special =
            prop::sample::select(b" '\"\\$`!*?[]{}()<>|&;#~=%-\n\t\x1b\x7f\xff\xc3\xa9a0x".to_vec());
        prop_oneof![
            prop::collection::vec(1u8.., 0..24),
            prop::collection::vec(special, 0..24),
            "\\PC{0,12}".prop_map(String::into_bytes).prop_filter("no NUL", |name| !name.contains(&0)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn shell_reads_back_the_same_bytes(name in name()) {
            let quoted = shell_quote(&name);
            prop_assert!(is_harmless(&quoted), "{:?}", quoted);
            prop_assert_eq!(&read_by("bash", &quoted), &name, "{}", quoted);
            // Shells without `$'…'` support all other forms.
            if !quoted.starts_with('$') {
                prop_assert_eq!(&read_by("sh", &quoted), &name, "{}", quoted);
            }
            prop_assert_eq!(&read_by("bash", &in_ascii(&quoted)), &name, "{}", quoted);
        }
    }
}
