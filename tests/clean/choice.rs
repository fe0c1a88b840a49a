//! Selection of leaked segments.

use super::{Leaks, list_segments};
use crate::support::{NOBODY, Object};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::chown;
use std::path::Path;

impl Leaks {
    /// Returns the segments that `clean --json` lists.
    #[track_caller]
    fn list_leaks(&self, arguments: &[&str]) -> Vec<String> {
        let certain = self.clean(&[arguments, &["--json"]].concat()).stdout.contains(r#""certain""#);
        self.clean_json(arguments, i32::from(certain)).into_keys().collect()
    }
}

#[test]
fn clean_selects_by_size_owner_age_and_filter() {
    let Some(leaks) = Leaks::new() else { return };
    let small = leaks.sysv("4K");
    let large = leaks.sysv("3M");
    let theirs = Leaks::object("nccl-a1B2c3", 8192);
    chown("/dev/shm/nccl-a1B2c3", Some(NOBODY), None).unwrap();
    let plain = Leaks::object("plain", 5);
    let mut all = vec![small.clone(), large.clone(), theirs.clone(), plain.clone()];
    all.sort();
    assert_eq!(leaks.list_leaks(&[]), all);

    assert_eq!(leaks.list_leaks(&["--min-size", "3M"]), [large.as_str()]);
    assert!(leaks.list_leaks(&["--min-size", "3145729"]).is_empty());
    assert_eq!(leaks.list_leaks(&["--user", "nobody"]), [theirs.as_str()]);
    assert_eq!(leaks.list_leaks(&["--user", &NOBODY.to_string()]), [theirs.as_str()]);
    let typo = leaks.clean(&["--user", "no\x1b such user"]);
    typo.assert_is(2, &[]);
    assert!(typo.stderr.contains("no user named 'no\\x1b such user'"), "{typo:?}");
    assert_eq!(leaks.list_leaks(&["--older-than", "0s"]), all);
    assert!(leaks.list_leaks(&["--older-than", "1h"]).is_empty());
    assert_eq!(leaks.list_leaks(&["kind=posix", "!owner=nobody"]), [plain.as_str()]);
    assert_eq!(leaks.list_leaks(&["size>1M"]), [large.as_str()]);
    assert_eq!(leaks.list_leaks(&["certainty=likely"]), [plain.as_str()]);
    assert_eq!(leaks.list_leaks(&["--user", "root", "--min-size", "1K", "size<1M"]), [small.as_str()]);
    assert_eq!(leaks.clean(&["no=such"]).status, Some(2));

    // Other segments are kept and do not affect the status.
    leaks.clean(&["--yes", "--user", "nobody"]).assert_is(0, &["1 segment leaked"]);
    leaks.clean(&["--yes", "--older-than", "1h"]).assert_is(0, &["No leaked segment matches.\n"]);
    leaks.clean(&["--yes", "size>1M"]).assert_is(0, &[]);
    let mut left = vec![small, plain];
    left.sort();
    assert_eq!(list_segments(), left);
}

#[test]
fn part_of_a_state_selects_in_list_and_clean() {
    let Some(leaks) = Leaks::new() else { return };
    let leak = leaks.sysv("4K");
    let _held = Object::new("held", 8192, 0o600);
    let listed = leaks.run(&["list", "--settle", "0s", "leak", "--columns", "id", "--no-header"]);
    assert_eq!(listed.stdout, format!("{leak}\n"), "{listed:?}");
    let listed = leaks.run(&["list", "--settle", "0s", "!leak", "--columns", "id", "--no-header"]);
    assert_eq!(listed.stdout, "posix:/held\n", "{listed:?}");
    assert_eq!(leaks.list_leaks(&["leak"]), [leak.as_str()]);
    assert!(leaks.list_leaks(&["in-u"]).is_empty());
}

#[test]
fn evidence_escapes_names() {
    let Some(leaks) = Leaks::new() else { return };
    let name = OsStr::from_bytes(b"a\x1b[2J\nb\xff");
    std::fs::write(Path::new("/dev/shm").join(name), "x").unwrap();
    let ended = leaks.clean(&["--likely", "--yes"]);
    ended.assert_is(0, &[r"posix:/a\x1b[2J\x0ab\xff"]);
    let text = ended.stdout + &ended.stderr;
    assert!(!text.contains('\x1b') && !text.contains("\nb"), "{text:?}");
    assert!(list_segments().is_empty());
}
