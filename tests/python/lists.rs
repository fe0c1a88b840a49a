//! `ShareableList`, made by `CPython` and read by the commands.

use super::{compare, lines, printed as printed_value, python3, text, unhex};
use crate::support::{Child, Namespaces, Object, SOON, python, shmlens};
use serde_json::{Value, json};
use shmlens::decode::layouts::Layout;
use std::process::Output;

fn run<const N: usize>(arguments: [&str; N]) -> Output {
    shmlens().args(arguments).output().unwrap()
}

#[track_caller]
fn printed<const N: usize>(arguments: [&str; N]) -> String {
    let output = run(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{arguments:?}: {}: {stderr}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn json<const N: usize>(arguments: [&str; N]) -> Value {
    serde_json::from_str(&printed(arguments)).unwrap()
}

#[test]
fn lists_have_the_values_of_cpython() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(python) = python3() else { return };
    let mut compared = 0;
    for line in lines(&python, "lists.py", &[]) {
        let bytes = unhex(text(&line, "hex"));
        let peek = |offset: u64, into: &mut [u8]| {
            let at = usize::try_from(offset).unwrap();
            bytes.get(at..at + into.len()).is_some_and(|found| {
                into.copy_from_slice(found);
                true
            })
        };
        let built = Layout::SharedList
            .build(&peek, bytes.len() as u64)
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        compare(&line, &printed_value(built.ty.decode(&bytes)));
        let count = line["count"].as_u64().unwrap();
        assert_eq!((built.count, built.is_certain), (count, count > 0), "{line}");
        compared += 1;
    }
    assert!(compared > 200, "{compared}");
}

/// Starts a program that holds a list named /list.
fn holder() -> Option<Child> {
    let program = "from multiprocessing import resource_tracker\nfrom multiprocessing.shared_memory import ShareableList\n\
                   sl = ShareableList([42, 'hello', None, -1.5, True, b'raw', 'grün'], name='list')\n\
                   resource_tracker.unregister('/list', 'shared_memory'); print('ready'); input()\n";
    let mut child = Child::spawn_piped(&mut python(program)?);
    assert_eq!(child.line(SOON), "ready");
    Some(child)
}

#[test]
fn commands_recognize_and_print_a_list() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut holder) = holder() else { return };
    let values = json!([42, "hello", null, -1.5, true, "raw", "grün"]);
    let types = json(["types", "/list", "--json"]);
    assert_eq!(
        types,
        json!({"version": 1, "segment": "posix:/list", "types": [{
            "type": "sharedlist", "offset": 0, "size": 191, "count": 7, "certain": true, "source": "contents",
            "evidence": ["7 items; offsets, formats and codes are consistent"],
        }]})
    );
    let table = printed(["types", "/list"]);
    assert!(table.starts_with("TYPE        OFFSET  SIZE  COUNT  CERTAIN  EVIDENCE\n"), "{table}");
    let dumped = json(["dump", "/list", "--as", "sharedlist", "--json"]);
    assert_eq!(dumped, json!({"offset": 0, "type": "sharedlist", "value": values}));
    let dumped = printed(["dump", "/list", "--as", "sharedlist"]);
    assert_eq!(dumped, "00000000  [42, \"hello\", null, -1.5, true, b\"raw\", \"grün\"]\n");
    let csv = printed(["dump", "/list", "--as", "sharedlist", "--csv"]);
    assert_eq!(csv, "offset,[0],[1],[2],[3],[4],[5],[6]\r\n0,42,hello,null,-1.5,true,raw,grün\r\n");
    let info = json(["info", "/list", "--json"]);
    assert_eq!(info["segments"][0]["values"], json!([dumped_object(&values)]));
    let info = printed(["info", "/list"]);
    assert!(info.contains("sharedlist: 7 items") && info.contains("[1]: \"hello\""), "{info}");
    holder.end();
}

fn dumped_object(values: &Value) -> Value {
    json!({"offset": 0, "type": "sharedlist", "value": values})
}

#[test]
fn watch_prints_items_that_change_and_their_new_types() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let program = "from multiprocessing import resource_tracker\nfrom multiprocessing.shared_memory import ShareableList\n\
                   sl = ShareableList([42, 'hello', None], name='list')\n\
                   resource_tracker.unregister('/list', 'shared_memory'); print('ready', flush=True)\n\
                   while True: exec(input()); print('done', flush=True)\n";
    let Some(mut python) = python(program) else { return };
    let mut holder = Child::spawn_piped(&mut python);
    assert_eq!(holder.line(SOON).trim(), "ready");
    let mut watch = Child::spawn_piped(shmlens().args([
        "watch",
        "/list",
        "--as",
        "sharedlist",
        "--csv",
        "--interval",
        "5ms",
    ]));
    assert_eq!(watch.line(SOON).trim_end(), "time,offset,path,old,new");
    for (statement, expected) in
        [("sl[0] = 43", "40,[0],42,43"), ("sl[0] = 1.5", "40,[0],43,1.5"), ("sl[2] = 7", "56,[2],null,7")]
    {
        holder.send(&format!("{statement}\n"));
        assert_eq!(holder.line(SOON).trim(), "done");
        let line = watch.line(SOON);
        let found = line.trim_end().split_once(',').unwrap().1;
        // CPython writes the format before the value, which may be seen.
        let new = |row: &str| row.rsplit_once(',').unwrap().1.to_owned();
        assert!(
            found == expected || new(&watch.line(SOON)) == new(expected),
            "{found} instead of {expected}"
        );
    }
    let refused = run(["watch", "/list", "--as", "npy"]);
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert!(
        refused.status.code() == Some(1) && stderr.contains("the contents are not an array in .npy format"),
        "{stderr}"
    );
    let refused = run(["watch", "/list", "--as", "sharedlist", "--offset", "8"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn other_contents_have_no_type() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 4096, 0o600);
    object.write(0, b"some text");
    let output = run(["types", "/a"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("no known type fits") && stderr.contains("--as"), "{stderr}");
    let empty = run(["types", "/a", "--json"]);
    assert_eq!(empty.status.code(), Some(1));
    let empty: Value = serde_json::from_slice(&empty.stdout).unwrap();
    assert_eq!(empty, json!({"version": 1, "segment": "posix:/a", "types": []}));
    let refused = run(["dump", "/a", "--as", "sharedlist"]);
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("the contents are not a ShareableList: the count"), "{stderr}");
}

#[test]
fn false_offsets_are_an_error_and_no_values() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut holder) = holder() else { return };
    let path = std::path::Path::new("/dev/shm/list");
    let mut bytes = std::fs::read(path).unwrap();
    bytes[16..24].copy_from_slice(&4096_u64.to_le_bytes());
    std::fs::write(path, bytes).unwrap();
    let refused = run(["dump", "/list", "--as", "sharedlist"]);
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.stdout.is_empty() && refused.status.code() == Some(1));
    assert!(stderr.contains("item [0] would take bytes 0 to 4096"), "{stderr}");
    assert_eq!(run(["types", "/list"]).status.code(), Some(1));
    holder.end();
}

#[test]
fn config_gives_types_to_names() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("cam_7", 64, 0o600);
    object.write(8, &7_u32.to_le_bytes());
    let directory = tempfile::tempdir().unwrap();
    let write = |text: &str| {
        std::fs::create_dir_all(directory.path().join("shmlens")).unwrap();
        std::fs::write(directory.path().join("shmlens/config.toml"), text).unwrap();
        shmlens()
            .args(["types", "/cam_7", "--json"])
            .env("XDG_CONFIG_HOME", directory.path())
            .output()
            .unwrap()
    };
    let output = write("[[layout]]\nname = 'cam_\\d+'\ntype = '<u4,<f8@8'\n");
    let types: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = &types["types"][0];
    assert_eq!(
        (&found["source"], &found["offset"], &found["size"]),
        (&json!("config"), &json!(8), &json!(12))
    );
    assert_eq!((&found["type"], &found["certain"]), (&json!("<u4,<f8@8"), &json!(true)));
    assert_eq!(
        write("[[layout]]\nname = 'cam'\ntype = 'u32'\n").status.code(),
        Some(1),
        "not the whole name"
    );
    for (text, expected) in [
        ("[[layout]]\nname = 'cam_('\ntype = 'u32'\n", "line 2: "),
        ("[[layout]]\nname = 'cam'\ntype = 'u33'\n", "line 3: layout 'cam': type: expected one of u8"),
        ("[[layout]]\ntype = 'u32'\n", "name"),
    ] {
        let output = write(text);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && stderr.contains(expected), "{stderr}");
    }
}
