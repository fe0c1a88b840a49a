//! The `RemoveIPC` setting of `logind.conf(5)`: systemd removes the segments of ordinary users at
//! logout unless the setting is off.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// The configuration directories; a file hides files of the same name in later directories
/// (`CONF_PATHS` in systemd).
const CONFIG_DIRECTORIES: [&str; 4] =
    ["etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd"];

/// Returns the setting; `None` without systemd. Cached, since logind also reads it only at startup.
pub fn remove_ipc() -> Option<bool> {
    static CACHE: OnceLock<Option<bool>> = OnceLock::new();
    *CACHE.get_or_init(|| read(Path::new("/")))
}

/// Returns true if a user has a session or lingers. `None` without logind, which keeps a file for
/// each such user (`user_save` in src/login/logind-user.c).
pub fn has_session(uid: u32) -> Option<bool> {
    let users = Path::new("/run/systemd/users");
    users.is_dir().then(|| users.join(uid.to_string()).exists())
}

fn read(root: &Path) -> Option<bool> {
    // Like sd_booted(3).
    if !root.join("run/systemd/system").is_dir() {
        return None;
    }
    let main =
        CONFIG_DIRECTORIES.iter().find_map(|place| fs::read(root.join(place).join("logind.conf")).ok());
    let texts = main.into_iter().chain(additions(root));
    // Later values override earlier ones.
    Some(texts.filter_map(|text| setting(&text)).next_back().unwrap_or(true))
}

/// Returns the contents of the files in `logind.conf.d`, sorted by name.
fn additions(root: &Path) -> Vec<Vec<u8>> {
    let mut files: BTreeMap<OsString, Vec<u8>> = BTreeMap::new();
    for place in CONFIG_DIRECTORIES.iter().rev() {
        let Ok(entries) = fs::read_dir(root.join(place).join("logind.conf.d")) else { continue };
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            if name.as_encoded_bytes().ends_with(b".conf") {
                // A link to /dev/null reads as empty and masks later files.
                files.insert(name, fs::read(entry.path()).unwrap_or_default());
            }
        }
    }
    files.into_values().collect()
}

/// Returns the last valid `RemoveIPC=` in the `[Login]` section.
fn setting(text: &[u8]) -> Option<bool> {
    let text = String::from_utf8_lossy(text);
    let mut inside = false;
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line == "[Login]";
        } else if let Some((name, value)) = line.split_once('=')
            && inside
            && name.trim() == "RemoveIPC"
        {
            found = parse_bool(value.trim()).or(found);
        }
    }
    found
}

/// Parses a boolean like systemd's `parse_boolean`.
fn parse_bool(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
        "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_setting_wins_and_hidden_files_are_ignored() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let read = || read(root.path());
        assert_eq!(read(), None);
        fs::create_dir_all(root.path().join("run/systemd/system")).unwrap();
        assert_eq!(read(), Some(true), "systemd removes IPC objects by default");
        write("usr/lib/systemd/logind.conf", "[Login]\nRemoveIPC=no\n");
        assert_eq!(read(), Some(false));
        write("etc/systemd/logind.conf", "[Login]\n#RemoveIPC=no\nKillUserProcesses=no\n");
        assert_eq!(read(), Some(true), "the first of these files hides the other");
        write("usr/lib/systemd/logind.conf.d/50-a.conf", "[Login]\nRemoveIPC = Off\n");
        assert_eq!(read(), Some(false));
        write("run/systemd/logind.conf.d/50-a.conf", "");
        assert_eq!(read(), Some(true), "a file hides files of the same name in later directories");
        write(
            "etc/systemd/logind.conf.d/60-b.conf",
            "[Other]\nRemoveIPC=yes\n[Login]\nRemoveIPC=0\nRemoveIPC=maybe\n",
        );
        write("etc/systemd/logind.conf.d/90-c.txt", "[Login]\nRemoveIPC=yes\n");
        assert_eq!(read(), Some(false));
    }
}
