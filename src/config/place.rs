//! The path of the config file, according to the XDG base directory specification.

use nix::unistd::{User, getuid};
use std::ffi::OsString;
use std::path::PathBuf;

/// Returns `$XDG_CONFIG_HOME/shmlens/config.toml`, or the path below `~/.config` if the variable is
/// not set. `None` for a user without a home directory. `lookup` returns the value of a variable.
pub fn config_path(lookup: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // The specification says to ignore relative paths.
    let absolute = |name| lookup(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || absolute("HOME").or_else(|| User::from_uid(getuid()).ok().flatten().map(|user| user.dir));
    let directory = absolute("XDG_CONFIG_HOME").or_else(|| Some(home()?.join(".config")))?;
    Some(directory.join("shmlens/config.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn path_of(set: &[(&str, &str)]) -> Option<PathBuf> {
        config_path(|name| set.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value)))
    }

    #[test]
    fn path_is_below_the_config_home_or_the_home() {
        let at = |text: &str| Some(Path::new(text).to_owned());
        assert_eq!(path_of(&[("XDG_CONFIG_HOME", "/c"), ("HOME", "/h")]), at("/c/shmlens/config.toml"));
        for ignored in ["", "relative/path"] {
            assert_eq!(
                path_of(&[("XDG_CONFIG_HOME", ignored), ("HOME", "/h")]),
                at("/h/.config/shmlens/config.toml")
            );
        }
        assert!(path_of(&[]).is_some_and(|path| path.ends_with(".config/shmlens/config.toml")));
    }
}
