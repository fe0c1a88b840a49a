//! `limits` says what the kernel says.

use super::{json, printed, told};
use crate::support::{Object, Sysv, World, tool};
use serde_json::Value;
use std::fs;
use std::process::Command;

#[test]
fn each_limit_and_its_use() {
    let Some(_world) = World::new() else { return };
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
    let theirs = told(Command::new(df).args(["-B1", "--output=used,size,iused,itotal", "/dev/shm"]));
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
