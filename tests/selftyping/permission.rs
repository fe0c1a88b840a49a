//! Users who may not look into the holders.

use super::debug_files::DebugFiles;
use super::single::{OBJECT, Program, json, run};
use crate::support::{Namespaces, as_nobody};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn another_user_is_told_why_and_still_gets_size_and_contents() {
    let Some(namespaces) = Namespaces::new() else { return };
    let _debug_files = DebugFiles::new(&namespaces);
    let Some(program) = Program::new("dwarf-4") else { return };
    let _holder = program.start(&[]);
    let object = format!("/dev/shm{OBJECT}");
    fs::set_permissions(&object, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(json(&run(&["types", OBJECT, "--json"]))["types"][0]["certain"], true);

    let nobody = |arguments: &[&str]| {
        as_nobody(env!("CARGO_BIN_EXE_shmlens"), arguments).env("XDG_CONFIG_HOME", "/").output().unwrap()
    };
    let output = nobody(&["types", OBJECT]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(errors.contains("cannot be inspected: run as root to see the types"), "{errors}");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), b"".as_slice()), "{errors}");
    assert_eq!(json(&nobody(&["info", OBJECT, "--json"]))["segments"][0]["size"], 48);
    // A list of Python with the number 7.
    let mut list: Vec<u8> = [1_u64, 0, 8, 7].iter().flat_map(|word| word.to_le_bytes()).collect();
    list.extend(b"q\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    fs::write(&object, list).unwrap();
    let types = json(&nobody(&["types", OBJECT, "--json"]))["types"].clone();
    assert_eq!(
        (&types[0]["type"], &types[0]["source"]),
        (&"sharedlist".into(), &"contents".into()),
        "{types}"
    );
}

#[test]
fn users_look_into_their_own_processes() {
    let Some(namespaces) = Namespaces::new() else { return };
    let _debug_files = DebugFiles::new(&namespaces);
    let Some(program) = Program::new("dwarf-4") else { return };
    let _holder = program.start_as_nobody();
    let command = as_nobody(env!("CARGO_BIN_EXE_shmlens"), ["types", OBJECT, "--json"]).output().unwrap();
    let errors = String::from_utf8_lossy(&command.stderr).into_owned();
    match fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").as_deref().map(str::trim) {
        Ok("0") | Err(_) => assert_eq!(json(&command)["types"][0]["certain"], true, "{errors}"),
        Ok(_) => assert!(errors.contains("kernel.yama.ptrace_scope is"), "{errors}"),
    }
}
