//! `limits` matches the kernel.

use super::{json, printed, tool_output};
use crate::support::{NOBODY, Namespaces, Object, Sysv, skip, tool};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use serde_json::Value;
use std::fs;
use std::process::{self, Command};

#[test]
fn limits_reports_each_limit_and_its_use() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _sysv = [Sysv::new(1, 5000, 0o600), Sysv::new(2, 1, 0o600)];
    let object = Object::new("a", 1 << 30, 0o600);
    object.write(0, &[1; 10_000]);
    let answer = json(["limits", "--json"]);
    let limit = |name: &str| -> (Value, Value) {
        let limits = answer["limits"].as_array().unwrap();
        let limit = limits.iter().find(|limit| limit["name"] == name).unwrap();
        (limit["used"].clone(), limit["limit"].clone())
    };
    let kernel = |name: &str| -> u64 {
        fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap().trim().parse().unwrap()
    };
    assert_eq!(limit("kernel.shmmni"), (2.into(), kernel("shmmni").into()));
    assert_eq!(limit("kernel.shmmax"), (5000.into(), kernel("shmmax").into()));
    let pages = kernel("shmall");
    assert_eq!(limit("kernel.shmall"), ((3 * 4096).into(), pages.saturating_mul(4096).into()));
    let Some(df) = tool("df") else { return };
    let theirs = tool_output(Command::new(df).args(["-B1", "--output=used,size,iused,itotal", "/dev/shm"]));
    let theirs: Vec<u64> =
        theirs.lines().nth(1).unwrap().split_whitespace().map(|word| word.parse().unwrap()).collect();
    assert_eq!(limit("/dev/shm size"), (theirs[0].into(), theirs[1].into()));
    assert_eq!(limit("/dev/shm nr_inodes"), (theirs[2].into(), theirs[3].into()));
    assert!(theirs[0] >= 10_000);
    let table = printed(["limits"]);
    for name in ["kernel.shmmni", "kernel.shmall", "kernel.shmmax", "/dev/shm size"] {
        assert!(table.contains(name), "{table}");
    }
}

#[test]
fn nearly_full_limit_is_reported_with_its_users() {
    let Some(_namespaces) = Namespaces::new() else { return };
    assert_eq!(json(["limits", "--json"])["alerts"], Value::Array(vec![]));
    // A tmpfs of 1 MiB and ten ids, in these namespaces only.
    let none: Option<&str> = None;
    mount(none, "/dev/shm", none, MsFlags::MS_REMOUNT, Some("size=1m,nr_inodes=100")).unwrap();
    fs::write("/proc/sys/kernel/shmmni", "10").unwrap();
    let named = Object::new("named", 600 << 10, 0o600).owned_by(NOBODY, NOBODY);
    named.write(0, &vec![1; 600 << 10]);
    let gone = Object::new("gone", 350 << 10, 0o600);
    gone.write(0, &vec![1; 350 << 10]);
    let alerts = || -> Vec<String> {
        let answer = json(["limits", "--json"]);
        answer["alerts"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let user = tool_output(Command::new("id").args(["-un", &NOBODY.to_string()]));
    let user = user.trim();
    let [full] = &alerts()[..] else { panic!("{:?}", alerts()) };
    let expected =
        format!("/dev/shm is nearly full, 72 KiB of 1.0 MiB left: {user} has 600 KiB, root has 352 KiB");
    assert_eq!(*full, expected);
    // The object is unlinked but open, so it still uses memory.
    fs::remove_file(gone.path()).unwrap();
    let [full] = &alerts()[..] else { panic!("{:?}", alerts()) };
    let (ours, pid) = (", 352 KiB unlinked but still in use, most by ", format!(" ({})", process::id()));
    assert!(full.starts_with(&expected) && full.contains(ours) && full.ends_with(&pid), "{full}");
    let _sysv: Vec<Sysv> = (0..9).map(|_| Sysv::new(0, 4096, 0o600)).collect();
    assert_eq!(alerts()[1], "System V ids nearly exhausted, 1 of 10 left: root has 9");
    let table = printed(["limits"]);
    assert!(table.contains("\n\n/dev/shm is nearly full") && table.contains("root has 9\n"), "{table}");
    drop(gone);
}

/// Mounts an empty `/run` in the mount namespace of this thread, until dropped.
struct Run;

impl Run {
    fn new() -> Self {
        let none: Option<&str> = None;
        mount(Some("tmpfs"), "/run", Some("tmpfs"), MsFlags::empty(), none).unwrap();
        Self
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = umount2("/run", MntFlags::MNT_DETACH);
    }
}

#[test]
fn limits_warns_of_removal_at_logout() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _run = Run::new();
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let uid_of = |line: &str| line.split(':').nth(2).and_then(|uid| uid.parse::<u32>().ok());
    let ordinary = users.lines().find_map(|line| uid_of(line).filter(|uid| (1000..65534).contains(uid)));
    let Some(uid) = ordinary else { return skip("has no ordinary user") };
    let object = Object::new("a", 1, 0o600).owned_by(uid, uid);
    let sysv = Sysv::new(0, 1, 0o600);
    let info = |id: &str| printed(["info", id]);
    assert!(!info(&object.id().to_string()).contains("RemoveIPC"));
    fs::create_dir_all("/run/systemd/system").unwrap();
    fs::create_dir_all("/run/systemd/logind.conf.d").unwrap();
    for (setting, taken) in [("yes", true), ("no", false)] {
        fs::write("/run/systemd/logind.conf.d/zz.conf", format!("[Login]\nRemoveIPC={setting}\n")).unwrap();
        let message = info(&object.id().to_string());
        assert_eq!(message.contains("unlinks it, even if in use"), taken, "{message}");
        assert!(
            !info(&sysv.id().to_string()).contains("RemoveIPC"),
            "logind does not remove root's segments"
        );
        assert_eq!(printed(["limits"]).contains("at logout (RemoveIPC=yes)"), taken);
    }
}
