//! `list` matches `ipcs`, `stat` and Python, in the documented shape.

use super::{json, printed, run, settle, stderr_of, tool_output};
use crate::support::{Child, NOBODY, Namespaces, Object, SOON, Sysv, as_nobody, python, tool};
use serde_json::Value;
use shmlens::sys::shm;
use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

fn segments(list: &Value) -> &Vec<Value> {
    list["segments"].as_array().unwrap()
}

#[track_caller]
fn segment<'a>(list: &'a Value, id: &str) -> &'a Value {
    segments(list).iter().find(|segment| segment["id"] == id).unwrap_or_else(|| panic!("no {id} in {list}"))
}

/// Returns the lines of `ipcs` with these options, by shmid.
fn ipcs(options: &str) -> Option<HashMap<String, Vec<String>>> {
    let text = tool_output(Command::new(tool("ipcs")?).args(["-m", options]).env("LC_ALL", "C"));
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    // The shmid comes first, or second after the key.
    let place = usize::from(options == "-m");
    let lines = text.lines().map(words).filter(|words| words.len() > 3);
    Some(lines.filter_map(|words| Some((words.get(place)?.clone(), words))).collect())
}

#[test]
fn json_matches_ipcs() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let keyed = Sysv::new(0xdead_beef, 5000, 0o640).owned_by(NOBODY, 100_000);
    let private = Sysv::new(0, 1 << 20, 0o606);
    let marked = Sysv::new(7, 4096, 0o600);
    drop(shm::Attachment::read_only(private.shmid).unwrap());
    settle(&private);
    let program = "import ctypes, sys\n\
        attach = ctypes.CDLL(None).shmat\n\
        [attach(int(shmid), None, 0) for shmid in sys.argv[1:]]\n\
        print('attached')\n\
        input()";
    let Some(mut command) = python(program) else { return };
    let [twice, once] = [&keyed, &marked].map(|sysv| sysv.shmid.to_string());
    let mut holder = Child::spawn_piped(command.args([&twice, &twice, &once]));
    assert_eq!(holder.line(SOON), "attached");
    keyed.lock();
    shm::remove(marked.shmid).unwrap();
    let list = json(["list", "--json", "kind=sysv"]);
    let Some(table) = ipcs("-m") else { return };
    let Some(pids) = ipcs("-p") else { return };
    assert_eq!(segments(&list).len(), 3);
    for shmid in [keyed.shmid, private.shmid, marked.shmid] {
        let ours = segment(&list, &format!("sysv:{shmid}"));
        let theirs = &table[&shmid.to_string()];
        let number = |field: &str| ours[field].as_u64().unwrap().to_string();
        assert_eq!(format!("0x{:08x}", ours["key"].as_u64().unwrap()), theirs[0]);
        assert_eq!(ours["shmid"], shmid);
        assert_eq!(ours["owner"]["user"], theirs[2]);
        assert_eq!(ours["mode"], format!("0{}", theirs[3]));
        assert_eq!(number("size"), theirs[4]);
        assert_eq!(number("nattch"), theirs[5]);
        assert_eq!(ours["locked"], theirs.contains(&"locked".to_owned()));
        assert_eq!(ours["marked_for_removal"], theirs.contains(&"dest".to_owned()));
        let theirs = &pids[&shmid.to_string()];
        assert_eq!(number("creator_pid"), theirs[2]);
        assert_eq!(number("last_pid"), theirs[3]);
    }
    let states: Vec<&str> =
        segments(&list).iter().map(|segment| segment["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["in-use", "idle", "removed"]);
    let keyed = segment(&list, &format!("sysv:{}", keyed.shmid));
    assert_eq!((&keyed["owner"]["gid"], &keyed["owner"]["group"]), (&100_000.into(), &Value::Null));
}

#[test]
fn json_matches_stat() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let objects = [
        Object::new("a", 4097, 0o606),
        Object::new("Größe", 0, 0o600).owned_by(NOBODY, 100_000),
        Object::new(b"esc\x1b[2J\n\xff", 100, 0o644),
        Object::new("huge", i64::MAX as u64, 0o600),
    ];
    objects[0].write(4096, b"x");
    let list = json(["list", "--json", "kind=posix"]);
    assert_eq!(segments(&list).len(), objects.len());
    let Some(stat) = tool("stat") else { return };
    for object in &objects {
        let ours = segment(&list, &object.id().to_string());
        let line = tool_output(
            Command::new(&stat).args(["-c", "%s %b %B %a %u %g %i %d %X %Y %Z %U"]).arg(object.path()),
        );
        let theirs: Vec<&str> = line.split_whitespace().collect();
        let number = |index: usize| theirs[index].parse::<u64>().unwrap();
        let time = |index: usize| Value::from(jiff_text(theirs[index].parse().unwrap()));
        assert_eq!(ours["size"], number(0));
        assert_eq!(ours["resident"], number(1) * number(2));
        assert_eq!(ours["mode"], format!("{:0>4}", theirs[3]));
        assert_eq!((&ours["owner"]["uid"], &ours["owner"]["gid"]), (&number(4).into(), &number(5).into()));
        assert_eq!((&ours["inode"], &ours["device"]), (&number(6).into(), &number(7).into()));
        assert_eq!(ours["times"]["access"], time(8));
        assert_eq!(ours["times"]["modify"], time(9));
        assert_eq!(ours["times"]["change"], time(10));
        assert_eq!(ours["owner"]["user"], theirs[11]);
    }
}

/// Formats a time in the local time zone, as `date` does.
fn jiff_text(seconds: i64) -> String {
    tool_output(Command::new("date").args(["+%Y-%m-%dT%H:%M:%S%:z", "-d"]).arg(format!("@{seconds}")))
        .trim()
        .to_owned()
}

#[test]
fn json_matches_python() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let program = "import ctypes, json, os\n\
        from multiprocessing import shared_memory\n\
        c = ctypes.CDLL(None, use_errno=True)\n\
        shmid = c.shmget(0x4d2, 12345, 0o1000 | 0o640)\n\
        c.shmat.restype = ctypes.c_void_p\n\
        c.shmat(shmid, None, 0)\n\
        s = shared_memory.SharedMemory('from_python', create=True, size=5000)\n\
        l = shared_memory.ShareableList([1, 2.5, 'text'])\n\
        print(json.dumps({'shmid': shmid, 'pid': os.getpid(), 'list': l.shm.name,\n\
            'stat': {n: list(os.stat('/dev/shm/' + n))[:7] for n in ('from_python', l.shm.name)}}), flush=True)\n\
        input()\n\
        l.shm.close(); l.shm.unlink(); s.close(); s.unlink()";
    let Some(mut command) = python(program) else { return };
    let mut child = Child::spawn_piped(&mut command);
    let theirs: Value = serde_json::from_str(&child.line(SOON)).unwrap();
    let list = json(["list", "--json"]);
    assert_eq!(segments(&list).len(), 3);
    let sysv = segment(&list, &format!("sysv:{}", theirs["shmid"]));
    assert_eq!((&sysv["key"], &sysv["size"], &sysv["nattch"]), (&0x4d2.into(), &12345.into(), &1.into()));
    assert_eq!((&sysv["mode"], &sysv["creator_pid"]), (&"0640".into(), &theirs["pid"]));
    for (name, stat) in theirs["stat"].as_object().unwrap() {
        let ours = segment(&list, &format!("posix:/{name}"));
        let mode = stat[0].as_u64().unwrap() & 0o7777;
        assert_eq!(ours["name"], format!("/{name}"));
        assert_eq!(ours["mode"], format!("{mode:04o}"));
        assert_eq!((&ours["inode"], &ours["device"]), (&stat[1], &stat[2]));
        assert_eq!((&ours["owner"]["uid"], &ours["size"]), (&stat[4], &stat[6]));
    }
    child.send("\n");
    assert!(child.wait(SOON).success());
    assert_eq!(segments(&json(["list", "--json", "kind=posix"])).len(), 0);
}

/// Checks a value against the documented type.
fn has_type(value: &Value, kind: &str) -> bool {
    kind.split('|').any(|kind| match kind {
        "null" => value.is_null(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "text" => value.is_string(),
        "flag" => value.is_boolean(),
        "texts" => value.as_array().is_some_and(|texts| texts.iter().all(Value::is_string)),
        "objects" => value.as_array().is_some_and(|all| all.iter().all(Value::is_object)),
        "object" => value.is_object(),
        "array" => value.is_array(),
        other => panic!("no kind {other}"),
    })
}

#[track_caller]
fn has_shape(object: &Value, shape: &[(&str, &str)]) {
    let object = object.as_object().unwrap();
    let mut keys: Vec<&str> = object.keys().map(String::as_str).collect();
    let mut promised: Vec<&str> = shape.iter().map(|&(key, _)| key).collect();
    keys.sort_unstable();
    promised.sort_unstable();
    assert_eq!(keys, promised);
    for (key, kind) in shape {
        assert!(has_type(&object[*key], kind), "{key} is {} and not {kind}", object[*key]);
    }
}

#[test]
fn json_has_the_documented_shape() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(1, 1, 0o600);
    let object = Object::new("a", 1, 0o600);
    drop(shm::Attachment::read_only(sysv.shmid).unwrap());
    let list = json(["list", "--json"]);
    has_shape(
        &list,
        &[("version", "integer"), ("coverage", "object"), ("limits", "object"), ("segments", "array")],
    );
    assert_eq!(list["version"], 1);
    has_shape(
        &list["coverage"],
        &[("processes", "integer"), ("unlisted", "array"), ("unreadable", "integer")],
    );
    has_shape(
        &list["limits"],
        &[
            ("shmmni", "integer"),
            ("sysv_segments", "integer"),
            ("sysv_bytes", "integer"),
            ("dev_shm_size", "integer"),
            ("dev_shm_used", "integer"),
        ],
    );
    for (id, sysv, posix, shown) in [
        (sysv.id(), ["integer", "text", "object", "flag"], "null", ["attach", "detach", "change"]),
        (object.id(), ["null"; 4], "integer", ["access", "modify", "change"]),
    ] {
        let segment = segment(&list, &id.to_string());
        let [integer, _, person, flag] = sysv;
        let name = if posix == "null" { "null" } else { "text" };
        // This running test created it.
        let maker = if posix == "null" { "object" } else { "null" };
        has_shape(
            segment,
            &[
                ("id", "text"),
                ("kind", "text"),
                ("shmid", integer),
                ("key", integer),
                ("former_name", "null"),
                ("warnings", "texts"),
                ("namesakes", "null"),
                ("removed_by", "null"),
                ("name", name),
                ("size", "integer"),
                ("resident", "integer"),
                ("swapped", "integer|null"),
                ("mode", "text"),
                ("owner", "object"),
                ("creator", person),
                ("creator_pid", integer),
                ("last_pid", integer),
                ("nattch", integer),
                ("locked", flag),
                ("marked_for_removal", flag),
                ("times", "object"),
                ("holders", "objects"),
                ("made_by", maker),
                ("semaphore", "null"),
                ("state", "text"),
                ("certainty", "null"),
                ("reasons", "texts"),
                ("age", "number"),
                ("last_used", "text"),
                ("device", posix),
                ("inode", posix),
            ],
        );
        has_shape(
            &segment["owner"],
            &[("uid", "integer"), ("user", "text|null"), ("gid", "integer"), ("group", "text|null")],
        );
        for time in ["attach", "detach", "change", "access", "modify"] {
            let kind = if shown.contains(&time) { "text" } else { "null" };
            assert!(has_type(&segment["times"][time], kind), "{id} {time} is {}", segment["times"][time]);
        }
        assert_eq!(segment["times"].as_object().unwrap().len(), 5);
        assert!(!segment["reasons"].as_array().unwrap().is_empty());
    }
}

#[test]
fn other_files_are_not_listed_and_hide_no_segment() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("real", 1, 0o600);
    let path = |name: &str| format!("/dev/shm/{name}");
    nix::unistd::mkfifo(path("fifo").as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    symlink("/etc/passwd", path("link")).unwrap();
    symlink("/", path("root")).unwrap();
    fs::create_dir(path("directory")).unwrap();
    let _inner = Object::new("directory/inner", 1, 0o600);
    let _socket = UnixListener::bind(path("socket")).unwrap();
    assert_eq!(printed(["list", "--columns", "id", "--no-header"]), "posix:/directory/inner\nposix:/real\n");
}

#[test]
fn unreadable_directory_is_reported_and_the_rest_listed() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("seen", 1, 0o600);
    for (name, mode) in [("closed", 0o700), ("names-only", 0o744)] {
        let directory = format!("/dev/shm/{name}");
        fs::create_dir(&directory).unwrap();
        fs::write(format!("{directory}/inner"), "x").unwrap();
        fs::set_permissions(&directory, PermissionsExt::from_mode(mode)).unwrap();
    }
    let output = as_nobody(env!("CARGO_BIN_EXE_shmlens"), ["list", "--columns", "name"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "NAME\n/seen\n");
    assert!(output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr);
    for name in ["closed", "names-only"] {
        assert!(stderr.contains(&format!("failed to list /dev/shm/{name}: permission denied")), "{stderr}");
    }
}

#[test]
fn proc_without_system_v_hides_no_segment() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let (Some(unshare), Some(_)) = (tool("unshare"), tool("mount")) else { return };
    let _object = Object::new("seen", 1, 0o600);
    let sysv = Sysv::new(0x4d2, 4096, 0o600);
    let mut command = Command::new(unshare);
    command.args(["--mount", "sh", "-c", "mount -t proc -o subset=pid proc /proc && exec \"$0\" list"]);
    let output = command.arg(env!("CARGO_BIN_EXE_shmlens")).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("/seen") && stdout.contains(&sysv.id().to_string()), "{output:?}");
}

#[test]
fn list_without_a_match_succeeds_with_an_empty_table() {
    let Some(_namespaces) = Namespaces::new() else { return };
    assert_eq!(printed(["list"]).lines().count(), 1);
    assert_eq!(printed(["list", "--no-header"]), "");
    assert_eq!(json(["list", "--json"])["segments"], Value::Array(vec![]));
    let _object = Object::new("a", 1, 0o600);
    assert_eq!(printed(["list", "kind=sysv", "--columns", "id"]), "ID\n");
    assert_eq!(printed(["list", "kind=sysv", "--csv", "--columns", "id"]), "id\r\n");
}

#[test]
fn table_is_aligned_and_plain() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 24 << 20, 0o666);
    sysv.lock();
    let _wide = Object::new("カメラ", 100, 0o600);
    let _plain = Object::new("camera", 4096, 0o600);
    let table = printed(["list"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        lines[0].split("  ").filter(|word| !word.is_empty()).map(str::trim).collect::<Vec<_>>(),
        ["KIND", "NAME OR KEY", "SIZE", "RESIDENT", "MODE", "OWNER", "HELD BY", "MADE BY", "AGE", "STATE"]
    );
    let sysv = format!("sysv   sysv:{} 0x000004d2  ", sysv.shmid);
    assert!(
        lines[1].starts_with(&sysv) && lines[1].contains("  24 MiB  ") && lines[1].contains("  0666L  "),
        "{table}"
    );
    // The column stays aligned after wide characters.
    let column = unicode_width::UnicodeWidthStr::width(&lines[0][..lines[0].find("STATE").unwrap()]);
    for line in &lines[1..] {
        let state = line.rfind("  ").unwrap() + 2;
        assert_eq!(unicode_width::UnicodeWidthStr::width(&line[..state]), column, "{table}");
    }
    assert!(!table.contains('\x1b'));
    assert!(printed(["list", "--ascii"]).is_ascii());
    assert!(printed(["list", "--color", "always"]).contains("\x1b["));
    assert!(printed(["list", "--bytes"]).contains("25165824"));
}

#[test]
fn list_sorts_by_every_field_with_missing_values_last() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _one = Object::new("one", 10, 0o600);
    let _two = Object::new("two", 300, 0o644);
    let sysv = Sysv::new(5, 200, 0o600);
    let id = sysv.id().to_string();
    let sorted = |by: &str| {
        printed(["list", "--no-header", "--columns", "id", "--sort", by])
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(sorted("size"), ["posix:/two", id.as_str(), "posix:/one"]);
    assert_eq!(sorted("-size"), ["posix:/one", id.as_str(), "posix:/two"]);
    assert_eq!(sorted("name"), ["posix:/one", "posix:/two", id.as_str()]);
    assert_eq!(sorted("-name"), ["posix:/two", "posix:/one", id.as_str()]);
    assert_eq!(sorted("key")[0], id);
    let reversed =
        printed(["list", "--no-header", "--columns", "size", "--bytes", "--sort", "size", "--reverse"]);
    assert_eq!(reversed.split_whitespace().collect::<Vec<_>>(), ["10", "200", "300"]);
}

#[test]
fn csv_round_trips() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _csv_name = Object::new("a,\"b\" c\n", 1 << 20, 0o600);
    let _sysv = Sysv::new(0x4d2, 5, 0o640);
    let text = printed(["list", "--csv"]);
    let list = json(["list", "--json"]);
    assert!(text.ends_with("\r\n"));
    let own = std::env::current_exe().unwrap();
    let own = own.file_name().unwrap().to_str().unwrap();
    // A child forked by another test holds this process's descriptors until it execs.
    let is_ours = |commands: &str| commands.split(", ").filter(|command| *command == own).count();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings = reader.headers().unwrap().clone();
    for (record, segment) in reader.records().map(Result::unwrap).zip(segments(&list)) {
        for (heading, cell) in headings.iter().zip(&record) {
            match (heading, &segment[heading]) {
                ("owner" | "group" | "creator" | "age" | "reasons", _) => {}
                ("holders", _) => {
                    let commands = segment["holders"].as_array().unwrap().iter();
                    let commands: Vec<&str> = commands.map(|one| one["command"].as_str().unwrap()).collect();
                    assert_eq!(is_ours(cell), is_ours(&commands.join(", ")));
                    assert_eq!(is_ours(cell), usize::from(segment["kind"] == "posix"));
                }
                ("made_by", made_by) => assert_eq!(cell, made_by["name"].as_str().unwrap_or_default()),
                ("attach" | "detach" | "change" | "access" | "modify", _) => {
                    assert_eq!(cell, segment["times"][heading].as_str().unwrap_or_default());
                }
                (_, Value::Null) => assert_eq!(cell, "", "{heading}"),
                (_, Value::String(text)) => assert_eq!(cell, text, "{heading}"),
                (_, value) => assert_eq!(cell, value.to_string(), "{heading}"),
            }
        }
    }
    assert_eq!(segments(&list).len(), 2);
    let name = printed(["list", "--csv", "--no-header", "--columns", "name", "kind=posix"]);
    assert_eq!(name, "\"/a,\"\"b\"\" c\\x0a\"\r\n");
}

#[test]
fn invalid_arguments_are_usage_errors() {
    for (error, needed) in [
        (stderr_of(["list", "shade=red"], 2), "unknown field 'shade'"),
        (stderr_of(["list", "size>much"], 2), "'size>much': expected a size"),
        (stderr_of(["list", "owner<ann"], 2), "is text"),
        (stderr_of(["list", "name~("], 2), "regular expression"),
        (stderr_of(["list", "--columns", "id,shade"], 2), "marked_for_removal"),
        (stderr_of(["list", "--sort", "shade"], 2), "expected one of id, kind"),
        (stderr_of(["list", "--no-such-option"], 2), "--no-such-option"),
        (stderr_of(["no-such-command"], 2), "no-such-command"),
    ] {
        assert!(error.contains(needed), "{needed} is not in {error}");
    }
    assert_eq!(run(["--help"]).status.code(), Some(0));
}
