//! Argument parsing with safely quoted errors.

use super::args::{Args, Command};
use crate::segment::quote;
use clap::Parser as _;
use clap::error::{ContextKind, ErrorKind};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::mem;
use std::os::unix::ffi::OsStrExt as _;

/// Parses the arguments, including the name of the program. `--help` and `--version` are also
/// returned as errors.
pub fn parse(arguments: &[OsString]) -> Result<Args, clap::Error> {
    let args = Args::try_parse_from(arguments).map_err(|error| quote_arguments(error, arguments))?;
    if matches!(args.command, Some(Command::Change(_)))
        && env::current_dir().is_ok_and(|directory| directory.starts_with("/dev/shm"))
        && let Some(option) = file_like_option(arguments)
    {
        let text = format!(
            "'{}' is an option, but also the name of a file in this directory\n\n  \
             tip: put '--' before names, as in 'shmlens rm -- *', or run from another directory\n",
            quote(option.as_bytes())
        );
        return Err(clap::Error::raw(ErrorKind::ArgumentConflict, text));
    }
    Ok(args)
}

/// Rebuilds an error with all quoted arguments escaped. clap mixes quoted text with its own
/// styling, so this escapes the arguments and parses them again. Valid arguments, such as a size
/// with a trailing tab, are left alone: escaping would cause a different error.
fn quote_arguments(mut error: clap::Error, arguments: &[OsString]) -> clap::Error {
    let option = |error: &clap::Error| match error.kind() {
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => error.get(ContextKind::InvalidArg).cloned(),
        _ => None,
    };
    let mut arguments = arguments.to_vec();
    for index in 0..arguments.len() {
        let escaped = OsString::from(quote(arguments[index].as_bytes()));
        if escaped == arguments[index] {
            continue;
        }
        let unsafe_one = mem::replace(&mut arguments[index], escaped);
        match Args::try_parse_from(&arguments) {
            Err(again)
                if error.kind() == ErrorKind::InvalidUtf8
                    || (again.kind() == error.kind() && option(&again) == option(&error)) =>
            {
                error = again;
            }
            _ => arguments[index] = unsafe_one,
        }
    }
    error
}

/// Returns an option that is also the name of a file in the working directory, which `*` in a shell
/// may have inserted.
fn file_like_option(arguments: &[OsString]) -> Option<&OsString> {
    let options = arguments.iter().skip(1).take_while(|one| one.as_os_str() != "--");
    let mut options = options.filter(|one| one.len() > 1 && one.as_bytes().starts_with(b"-"));
    options.find(|one| fs::symlink_metadata(one).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt as _;

    fn error(words: &[&[u8]]) -> (ErrorKind, String) {
        let words = [&[b"shmlens".as_slice()], words].concat();
        let error = parse(&words.iter().map(|word| OsString::from_vec(word.to_vec())).collect::<Vec<_>>())
            .unwrap_err();
        // Keep clap's styling; anything else must be plain text.
        let text = error.render().ansi().to_string();
        let mut plain = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("\x1b[") {
            plain.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        plain.push_str(rest);
        assert_eq!(
            plain,
            error.to_string(),
            "the message contains an escape sequence that clap did not write"
        );
        (error.kind(), plain)
    }

    #[test]
    fn errors_escape_quoted_arguments() {
        for (words, quoted) in [
            (&[b"list".as_slice(), b"--json\x1b[31m"][..], r"'--json\x1b[31m'"),
            (&[b"\x1b]0;x\x07"], r"'\x1b]0;x\x07'"),
            (&[b"dump\xe9"], r"'dump\xe9'"),
            (&[b"help", b"\x1b[2J"], r"'\x1b[2J'"),
            (&[b"dump", b"--offset", b"\x1b[2J"], r"'\x1b[2J'"),
            (&[b"dump", b"--as", b"\x1b[2J", b"a"], r"'\x1b[2J'"),
            (&[b"list", b"--sort", b"\x1b[2J"], r"'\x1b[2J'"),
            (&[b"list", b"--columns", b"id,\xe2\x80\xae"], r"'\xe2\x80\xae'"),
            (&[b"list", b"--settle", b"1\n2"], r"'1\x0a2'"),
            (&[b"list", b"--color", b"\xff"], r"'\xff'"),
            (&[b"watch", b"a", b"--count", b"\x1b[2J"], r"'\x1b[2J'"),
            (&[b"rm", b"--kind", b"\x1b[2J", b"a"], r"'\x1b[2J'"),
            (&[b"chmod", b"\x1b[2J", b"a"], r"'\x1b[2J'"),
            (&[b"create", b"sysv", b"--size", b"1", b"--mode", b"\x1b[2J"], r"'\x1b[2J'"),
            (&[b"create", b"sysv", b"--size", b"1", b"--key", b"\x1b[2J"], r"'\x1b[2J'"),
            (&[b"create", b"\x1b[2J"], r"'\x1b[2J'"),
            (&[b"completions", b"\x1b[2J"], r"'\x1b[2J'"),
        ] {
            let (_, text) = error(words);
            assert!(text.contains(quoted), "{text:?}");
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
            assert!(!text.contains('\u{202e}') && !text.contains('\u{fffd}'), "{text:?}");
        }
    }

    #[test]
    fn errors_keep_the_text_of_clap() {
        let (kind, text) = error(&[b"list", b"--jsom", b"\x1b[2J"]);
        assert_eq!(kind, ErrorKind::UnknownArgument);
        assert!(
            text.contains("unexpected argument '--jsom' found") && text.contains("Usage: shmlens list"),
            "{text}"
        );
        // After escaping, `4\x0b` is no longer a number.
        let (_, text) = error(&[b"dump", b"--offset", b"4\x0b", b"--length", b"\x1b", b"a"]);
        assert!(text.contains(r"'\x1b'"), "{text}");
    }
}
