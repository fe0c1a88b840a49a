//! Programs in C++ and Python that do not share what they should: the warnings, and that they are
//! true.

use super::line_with;
use crate::support::{Child, Namespaces, Object, SOON, Sysv, as_nobody, python, shmlens, wait_until};
use serde_json::Value;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

fn warnings(segment: &str) -> Vec<String> {
    let output = shmlens().args(["info", segment, "--json"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let warnings = json["segments"][0]["warnings"].as_array().unwrap().iter();
    let warnings: Vec<String> = warnings.map(|text| text.as_str().unwrap().to_owned()).collect();
    let text = shmlens().args(["info", segment]).output().unwrap().stdout;
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.lines().any(|line| line.starts_with("warning ")), !warnings.is_empty(), "{text}");
    warnings
}

#[test]
fn key_and_name_that_look_alike_are_explained() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = [0x4d2, 0x10, 0xffff_fffe].map(|key| Sysv::new(key, 4096, 0o600));
    let _objects = ["1234", "0x00000010", "-2", "99", "0", "4d2"].map(|name| Object::new(name, 4096, 0o600));
    for (sysv, name) in sysv.iter().zip(["/1234", "/0x00000010", "/-2"]) {
        let id = sysv.id().to_string();
        let of_sysv = warnings(&id);
        assert!(of_sysv.len() == 1 && of_sysv[0].contains(&format!("the object {name} ")), "{of_sysv:?}");
        assert!(of_sysv[0].contains(&format!("shmlens info {id} --code python")), "{of_sysv:?}");
        let of_object = warnings(name);
        assert!(of_object.len() == 1 && of_object[0].contains(&id), "{of_object:?}");
        assert!(of_object[0].contains(&format!("shm_open(\"{name}\")")), "{of_object:?}");
    }
    for name in ["/99", "/0", "/4d2"] {
        assert_eq!(warnings(name), Vec::<String>::new());
    }
}

/// A Python program that attaches to the object `shared`, and exits at the end of its input.
fn attach(statement: &str) -> Option<Child> {
    let text = format!(
        "import sys\nfrom multiprocessing import resource_tracker, shared_memory\n\
         {statement}\nprint('attached', flush=True)\nsys.stdin.read()\n"
    );
    let mut child = Child::spawn_piped(&mut python(&text)?);
    line_with(&mut child, "attached");
    Some(child)
}

#[test]
fn resource_tracker_of_a_python_reader_is_reported() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("shared", 4096, 0o600);
    assert_eq!(warnings("/shared"), Vec::<String>::new());
    // Start times are in clock ticks.
    std::thread::sleep(std::time::Duration::from_millis(100));
    let attaching = "block = shared_memory.SharedMemory('shared')";
    let Some(mut reader) = attach(attaching) else { return };
    let found = warnings("/shared");
    assert!(found.len() == 1 && found[0].contains(&format!("({})", reader.pid())), "{found:?}");
    for words in
        ["did not create it", "track=False", "resource_tracker.unregister(\"/shared\", \"shared_memory\")"]
    {
        assert!(found[0].contains(words), "{found:?}");
    }
    // It is true.
    reader.close_input();
    wait_until(SOON, || !object.path().exists());
}

#[test]
fn creator_may_have_a_resource_tracker() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let creating = "block = shared_memory.SharedMemory('shared', create=True, size=4096)";
    let Some(_creator) = attach(creating) else { return };
    assert_eq!(warnings("/shared"), Vec::<String>::new());
}

#[test]
fn mode_without_write_permission_locks_python_out() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("psm_0123abcd", 4096, 0o644);
    let found = warnings("/psm_0123abcd");
    assert!(found.len() == 1 && found[0].contains("needs write permission"), "{found:?}");
    // It is true.
    let text = "from multiprocessing import shared_memory\nshared_memory.SharedMemory('psm_0123abcd')";
    let output = as_nobody("/usr/bin/python3", ["-c", text]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("PermissionError"), "{output:?}");
}

#[test]
fn reader_that_attached_before_the_object_grew_is_reported() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("grown", 4096, 0o600);
    let mapping = "import mmap, os\nfile = os.open('/dev/shm/grown', os.O_RDONLY)\n\
                   block = mmap.mmap(file, 0, prot=mmap.PROT_READ)";
    let Some(early) = attach(mapping) else { return };
    object.file.set_len(8192).unwrap();
    assert_eq!(warnings("/grown"), Vec::<String>::new());
    let Some(_late) = attach(mapping) else { return };
    let found = warnings("/grown");
    let expected = format!("({}) maps only the first 4.0 KiB of 8.0 KiB", early.pid());
    assert!(found.len() == 1 && found[0].contains(&expected), "{found:?}");
}

#[test]
fn reader_that_the_mode_locks_out_is_reported() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("locked", 4096, 0o604);
    let text = "import mmap, os, sys\nfile = os.open('/dev/shm/locked', os.O_RDONLY)\n\
                block = mmap.mmap(file, 0, prot=mmap.PROT_READ)\nprint('attached', flush=True)\nsys.stdin.read()";
    let mut reader = Child::spawn_piped(&mut as_nobody("/usr/bin/python3", ["-c", text]));
    line_with(&mut reader, "attached");
    assert_eq!(warnings("/locked"), Vec::<String>::new());
    object.file.set_permissions(Permissions::from_mode(0o600)).unwrap();
    let found = warnings("/locked");
    assert!(found.len() == 1 && found[0].contains("could not open it again: mode 0600 of root"), "{found:?}");
}
