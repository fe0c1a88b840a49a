//! Unlinked objects that are still held, addressed by id or former name, with real programs.
//! Objects that a resource tracker unlinked can be rescued.

use super::{json, printed, run};
use crate::support::{
    Child, NOBODY, Namespaces, Object, SOON, as_nobody, compile_cpp, python, shmlens, wait_until,
};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Command, Output};
use std::time::Duration;

#[track_caller]
fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

/// Returns the standard error of a failing command.
#[track_caller]
fn error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Returns the only unlinked object.
fn unlinked() -> Value {
    let list = json(["list", "--json", "kind=deleted"]);
    let [one] = list["segments"].as_array().unwrap().as_slice() else { panic!("{list:#}") };
    one.clone()
}

/// Starts a C++ program that holds objects that it has unlinked. `None` without a compiler.
fn holder(objects: &[[&str; 3]]) -> Option<Child> {
    let program = compile_cpp("tests/cli/unlinked_holder.cpp")?;
    Some(ready(Command::new(program).args(objects.iter().flatten())))
}

fn ready(command: &mut Command) -> Child {
    let mut child = Child::spawn_piped(command);
    assert_eq!(child.line(SOON), "ready");
    child
}

/// Starts a Python program that holds an object, and whose child attaches it and exits: the child's
/// resource tracker unlinks the object.
fn start_tracked(name: &str) -> Option<Child> {
    let text = format!(
        "import subprocess, sys\n\
         from multiprocessing import shared_memory\n\
         held = shared_memory.SharedMemory('{name}', create=True, size=8192)\n\
         held.buf[:5] = b'hello'\n\
         attach = 'from multiprocessing import shared_memory as m; m.SharedMemory(\"{name}\").close()'\n\
         subprocess.run([sys.executable, '-c', attach], stderr=subprocess.DEVNULL)\n\
         print('ready', flush=True)\n\
         sys.stdin.read()\n\
         held.buf[0] = ord('j')\n"
    );
    // The tracker warns about objects that it unlinks.
    let child = ready(python(&text)?.env("PYTHONWARNINGS", "ignore"));
    wait_until(SOON, || !fs::exists(format!("/dev/shm/{name}")).unwrap());
    Some(child)
}

#[test]
fn object_unlinked_by_the_python_tracker_is_readable_by_former_name() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_holder) = start_tracked("psm_1f09ab2c") else { return };
    let segment = unlinked();
    assert_eq!((&segment["former_name"], &segment["name"]), (&"/psm_1f09ab2c".into(), &Value::Null));
    assert_eq!(segment["removed_by"], serde_json::json!(["python-resource-tracker"]));
    let id = segment["id"].as_str().unwrap();
    for name in [id, "/psm_1f09ab2c", "psm_1f09ab2c", "posix:/psm_1f09ab2c", "/dev/shm/psm_1f09ab2c"] {
        let (stdout, stderr) = texts(&run(["dump", "--raw", "--length", "5", name]));
        assert_eq!(stdout, "hello", "{name}");
        // The warning reports that the name no longer exists.
        assert_eq!(name == id, stderr.is_empty(), "{stderr}");
        assert!(name == id || stderr.contains(&format!("was unlinked; using {id}")), "{stderr}");
        let (stdout, _) = texts(&run(["find", "hello", name]));
        assert!(stdout.starts_with(&format!("{id}  0x00000000")), "{stdout}");
        let (stdout, _) = texts(&run(["info", name]));
        for words in ["former name   /psm_1f09ab2c", "probably unlinked by Python's resource tracker"] {
            assert!(stdout.contains(words), "{words}: {stdout}");
        }
    }
    let csv = printed(["list", "--csv", "--columns", "id,name,former_name", "kind=deleted"]);
    assert_eq!(csv, format!("id,name,former_name\r\n{id},,/psm_1f09ab2c\r\n"));
    let table = printed(["list", "kind=deleted"]);
    assert!(table.contains("/psm_1f09ab2c (deleted)"), "{table}");
    // The column alone triggers a scan of the holders, and filters accept it.
    assert_eq!(printed(["list", "--columns", "former_name", "--no-header"]).trim(), "/psm_1f09ab2c");
    assert_eq!(printed(["list", "--columns", "id", "--no-header", "former_name~psm"]).trim(), id);
}

#[test]
fn unlinked_object_is_watched_until_its_last_holder_exits() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut holder) = start_tracked("camera0") else { return };
    let mut watch = Child::spawn_piped(shmlens().args(["watch", "--csv", "camera0"]));
    assert!(watch.line(SOON).starts_with("time,"));
    // The holder writes once more and exits.
    holder.close_input();
    let change = watch.line(SOON);
    assert!(change.contains("6a") || change.contains("106"), "{change}");
    assert_eq!(watch.wait(SOON + Duration::from_secs(5)).code(), Some(1));
}

#[test]
fn unlinked_object_is_saved_and_restored_under_its_former_name() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("camera0.saved");
    let file = file.to_str().unwrap();
    // For root a mapping is enough.
    for how in ["open", "mapped"] {
        let Some(_holder) = holder(&[["/camera0", "frame", how]]) else { return };
        let (stdout, stderr) = texts(&run(["save", "--force", "/camera0", file]));
        assert!(stdout.contains("restores as /camera0"), "{stdout}");
        assert!(stderr.contains("held by unlinked_holder"), "{stderr}");
        texts(&run(["restore", file]));
        let restored = fs::metadata("/dev/shm/camera0").unwrap();
        assert_eq!((restored.size(), restored.mode() & 0o777), (8192, 0o640));
        assert_eq!(&fs::read("/dev/shm/camera0").unwrap()[..6], b"frame\0");
        // Each error names the other object with its holders.
        let id = unlinked()["id"].as_str().unwrap().to_owned();
        let (new, old) = (printed(["info", "/camera0"]), printed(["info", &id]));
        assert!(
            new.contains(&format!("same name     {id} had this name before: 8.0 KiB, held by ")),
            "{new}"
        );
        assert!(old.contains("same name     /camera0 has this name now: 8.0 KiB, no holders found"), "{old}");
        let namesake = |name: &str| json(["info", name, "--json"])["segments"][0]["namesakes"][0].clone();
        assert_eq!(namesake("/camera0")["id"], id);
        assert_eq!(namesake("/camera0")["holders"].as_array().unwrap().len(), 1);
        assert_eq!(namesake(&id)["id"], "posix:/camera0");
        // The new object has the name again.
        assert_eq!(json(["info", "/camera0", "--json"])["segments"][0]["id"], "posix:/camera0");
        fs::remove_file("/dev/shm/camera0").unwrap();
    }
}

#[test]
fn owner_rescues_open_objects_and_gets_a_remedy_for_mapped_ones() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(program) = compile_cpp("tests/cli/unlinked_holder.cpp") else { return };
    let shmlens = |arguments: &[&str]| {
        let mut command = as_nobody(env!("CARGO_BIN_EXE_shmlens"), arguments);
        command.env("LANG", "C.UTF-8").env("XDG_STATE_HOME", "/nowhere").output().unwrap()
    };
    let objects = ["/open", "kept", "open", "/mapped", "lost", "mapped"];
    let _holder = ready(&mut as_nobody(program, objects));
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let file = directory.path().join("open.saved");
    texts(&shmlens(&["save", "open", file.to_str().unwrap()]));
    assert_eq!(fs::metadata(&file).unwrap().uid(), NOBODY);
    texts(&shmlens(&["restore", file.to_str().unwrap()]));
    assert_eq!(&fs::read("/dev/shm/open").unwrap()[..5], b"kept\0");
    fs::remove_file("/dev/shm/open").unwrap();
    // Root sees both; the id is the same for every user.
    let list = json(["list", "--json", "former_name~mapped"]);
    let id = list["segments"][0]["id"].as_str().unwrap();
    for command in [&["dump"][..], &["watch"], &["find", "lost"]] {
        for name in ["/mapped", id] {
            let error = error(&shmlens(&[command, &[name]].concat()));
            for words in [id, "/mapped", "is mapped but not open in", "Run as root", "map_files"] {
                assert!(error.contains(words), "{command:?} {name}: {error}");
            }
        }
    }
    // It is listed with the attributes known from its holder's mappings.
    let (listed, _) = texts(&shmlens(&["list", "--json", "former_name~mapped"]));
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let segment = &listed["segments"][0];
    assert_eq!((&segment["id"], &segment["size"]), (&id.into(), &8192.into()), "{segment}");
    assert!(segment["mode"].is_null() && segment["owner"].is_null() && segment["resident"].is_null());
    let pid = segment["holders"][0]["pid"].to_string();
    let (row, _) = texts(&shmlens(&["list", "--columns", "id", "--no-header", &format!("pid={pid}")]));
    assert!(row.lines().any(|row| row == id), "{row}");
    let (info, _) = texts(&shmlens(&["info", "/mapped"]));
    for words in
        ["8192 bytes): that of its largest mapping", "mode          unknown", "Run as root to read it"]
    {
        assert!(info.contains(words), "{words}: {info}");
    }
    let copy = directory.path().join("mapped.saved");
    assert!(error(&shmlens(&["save", "/mapped", copy.to_str().unwrap()])).contains("Run as root"));
    // Only root can search all processes for the id.
    assert!(error(&shmlens(&["dump", "deleted:1:2"])).contains("Run as root"));
    texts(&run(["dump", "/mapped"]));
}

#[test]
fn shared_former_name_lists_both_objects() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_holder) = holder(&[["/twice", "one", "open"], ["/twice", "two", "open"]]) else { return };
    let list = json(["list", "--json", "kind=deleted"]);
    let ids: Vec<&str> =
        list["segments"].as_array().unwrap().iter().map(|segment| segment["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2);
    for command in [&["dump", "twice"][..], &["save", "/twice", "/nowhere/file"], &["info", "posix:/twice"]] {
        let error = error(&shmlens().args(command).output().unwrap());
        assert!(error.contains("is the former name of 2 unlinked segments"), "{error}");
        assert!(
            ids.iter().all(|id| error.contains(&format!("{id} (8.0 KiB, root, held by unlinked_holder"))),
            "{error}"
        );
    }
    let contents: Vec<String> =
        ids.iter().map(|id| texts(&run(["dump", "--raw", "--length", "3", id])).0).collect();
    assert!(contents == ["one", "two"] || contents == ["two", "one"], "{contents:?}");
}

#[test]
fn former_name_works_as_the_table_shows_it_and_with_its_kind() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_holder) = holder(&[["/gone soon", "text", "open"]]) else { return };
    for name in ["/gone soon (deleted)", "gone soon (deleted)"] {
        assert_eq!(texts(&run(["dump", "--raw", "--length", "4", name])).0, "text");
    }
    let directory = tempfile::tempdir().unwrap();
    for name in ["/gone soon", "gone soon", "/gone soon (deleted)"] {
        let file = directory.path().join("saved");
        let file = file.to_str().unwrap();
        texts(&run(["save", "--force", "--kind", "deleted", name, file]));
        let error = error(&run(["rm", "--yes", "--kind", "deleted", name]));
        assert!(error.contains("it was unlinked and is now deleted:"), "{error}");
        assert!(error.contains(&format!("`shmlens info '{name}'` shows more")), "{error}");
    }
    // The object with exactly this name takes precedence.
    let object = Object::new("gone soon (deleted)", 4, 0o600);
    object.write(0, b"live");
    assert_eq!(printed(["dump", "--raw", "/gone soon (deleted)"]), "live");
}

#[test]
fn search_of_everything_reads_unlinked_objects() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_holder) = holder(&[["/gone", "needle", "open"]]) else { return };
    let id = unlinked()["id"].as_str().unwrap().to_owned();
    let found = printed(["find", "needle"]);
    assert!(found.starts_with(&format!("{id} (formerly /gone)  0x00000000  |needle")), "{found}");
    let objects = ["/hidden", "needle", "mapped"];
    let Some(program) = compile_cpp("tests/cli/unlinked_holder.cpp") else { return };
    let _other = ready(&mut as_nobody(program, objects));
    let output = as_nobody(env!("CARGO_BIN_EXE_shmlens"), ["find", "needle"]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.contains("skipped 1 unlinked segment that is only mapped (root can read them): deleted:"),
        "{error}"
    );
    assert!(error.contains("(formerly /hidden)"), "{error}");
}

#[test]
fn remedy_for_root_does_not_suggest_root() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let error = error(&run(["info", "deleted:1:2"]));
    assert!(!error.contains("as root"), "{error}");
}

#[test]
fn modifying_command_explains_a_former_name() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_holder) = holder(&[["/old", "text", "open"]]) else { return };
    let id = unlinked()["id"].as_str().unwrap().to_owned();
    for command in [&["rm", "--yes", "--force"][..], &["chmod", "0600"], &["lock"], &["chown", "0"]] {
        for name in ["/old", "old"] {
            let error = error(&shmlens().args(command).arg(name).output().unwrap());
            for words in ["it was unlinked and is", &id, "unlinked_holder", "Only commands that read"] {
                assert!(error.contains(words), "{command:?} {name}: {error}");
            }
        }
        let error = error(&shmlens().args(command).arg(&id).output().unwrap());
        assert!(error.contains("already removed"), "{command:?}: {error}");
    }
}

#[test]
fn existing_name_takes_precedence_over_a_former_name() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_holder) = holder(&[["/name", "old", "open"], ["/camera", "exact", "open"]]) else { return };
    let object = Object::new("name", 3, 0o600);
    object.write(0, b"new");
    assert_eq!(printed(["dump", "--raw", "/name"]), "new");
    // An exact former name takes precedence over the prefix of another name.
    let _longer = Object::new("camera0", 5, 0o600);
    assert_eq!(texts(&run(["dump", "--raw", "--length", "5", "camera"])).0, "exact");
    // A former name no longer matches once an object has the name.
    drop(object);
    nix::unistd::mkfifo("/dev/shm/name", nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(error(&run(["dump", "/name"])).contains("a FIFO"));
    assert!(error(&run(["save", "/name", "/nowhere/file"])).contains("a FIFO"));
}

#[test]
fn objects_of_hard_to_see_holders_stay_listed() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(program) = compile_cpp("tests/cli/hidden_holder.cpp") else { return };
    let _holder = ready(&mut Command::new(program));
    let list = json(["list", "--json"]);
    let segments = list["segments"].as_array().unwrap();
    let mut names: Vec<&str> = segments.iter().map(|one| one["former_name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["/by_thread", "/own_table", "/privately"], "{list:#}");
    for segment in segments {
        let (id, name) = (segment["id"].as_str().unwrap(), segment["former_name"].as_str().unwrap());
        assert_eq!(
            (segment["state"].as_str(), &segment["size"]),
            (Some("removed"), &8192.into()),
            "{segment:#}"
        );
        let length = name.len().to_string();
        assert_eq!(printed(["dump", "--raw", "--length", &length, id]), name);
        assert!(printed(["info", id]).contains("hidden_holder"));
    }
}
