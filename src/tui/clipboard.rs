//! The clipboard of the terminal, through the escape sequence OSC 52. This works over ssh and
//! without a desktop library.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::env;

/// Maximum length of a copied text. Terminals silently drop longer sequences, or print them: kitty
/// accepts a megabyte, hterm and others 100,000 bytes, which is this length in base64 with the
/// escape sequence.
pub const MAX_LENGTH: usize = 74_994;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to copy {length} bytes: terminal clipboards take at most {MAX_LENGTH}. Copy less, or use `shmlens dump`"
)]
pub struct TooLong {
    pub length: usize,
}

/// Returns the sequence that copies `text` to the clipboard.
///
/// tmux accepts the bare sequence only with `set-clipboard on` (not the default), and passes on
/// the wrapped one only with `allow-passthrough on`. In tmux both are sent; the unsupported one
/// has no effect.
pub fn sequence(text: &str, in_tmux: bool) -> Result<String, TooLong> {
    if text.len() > MAX_LENGTH {
        return Err(TooLong { length: text.len() });
    }
    let bare = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
    Ok(if in_tmux { format!("{bare}\x1bPtmux;\x1b{bare}\x1b\\") } else { bare })
}

/// Returns true if the terminal is tmux, either local or at the other end of an ssh connection,
/// which only forwards `TERM`.
pub fn in_tmux() -> bool {
    env::var_os("TMUX").is_some_and(|value| !value.is_empty())
        || env::var("TERM").is_ok_and(|term| term.starts_with("tmux"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_encoded_as_osc_52() {
        assert_eq!(sequence("sysv:1", false).unwrap(), "\x1b]52;c;c3lzdjox\x07");
        assert_eq!(sequence("", false).unwrap(), "\x1b]52;c;\x07");
    }

    #[test]
    fn tmux_gets_the_wrapped_sequence_too() {
        let text = sequence("a", true).unwrap();
        assert_eq!(text, "\x1b]52;c;YQ==\x07\x1bPtmux;\x1b\x1b]52;c;YQ==\x07\x1b\\");
    }

    #[test]
    fn text_over_the_limit_is_refused() {
        assert!(sequence(&"x".repeat(MAX_LENGTH), false).unwrap().len() <= 100_000);
        let error = sequence(&"x".repeat(MAX_LENGTH + 1), false).unwrap_err().to_string();
        assert!(error.contains("74995") && error.contains("74994"), "{error}");
    }
}
