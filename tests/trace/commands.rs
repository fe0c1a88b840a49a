//! Runs every command on every kind of segment, as root and as an ordinary user. Only the fields
//! that the method lists may change.

use super::{
    Fields, PAGE, changed_fields, fields_of_object, fields_of_sysv, fill, holder, next_second,
    record_access_times, reset_access_time, unlinked,
};
use crate::support::{Child, NOBODY, Namespaces, Object, SOON, Sysv, Terminal, as_nobody, shmlens};
use shmlens::machine::Trace;
use shmlens::sys::shm;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Root,
    Nobody,
}

/// The way in which a command uses the segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Lists the segment without reading it.
    List,
    /// Reads the segment, which the user did not name.
    Look,
    /// Reads the segment, which the user named or selected.
    Read,
}

/// `{}` is the segment, `{file}` a new file.
const COMMANDS: [(Kind, &[&str]); 9] = [
    (Kind::List, &["list"]),
    (Kind::List, &["list", "--json"]),
    (Kind::List, &["info", "{}"]),
    (Kind::Look, &["find", "hello, last"]),
    (Kind::Read, &["find", "hello, last", "{}"]),
    (Kind::Read, &["dump", "{}"]),
    (Kind::Read, &["dump", "{}", "--raw"]),
    (Kind::Read, &["save", "{}", "{file}"]),
    (Kind::Read, &["watch", "{}"]),
];

/// A segment with the expected traces; `None` if it must not be read.
struct Case {
    id: String,
    fields: Box<dyn Fn() -> Fields>,
    reset: Box<dyn Fn()>,
    look: [Option<Trace>; 2],
    read: [Option<Trace>; 2],
}

impl Case {
    fn sysv(sysv: &Sysv, root: Trace) -> Self {
        let shmid = sysv.shmid;
        let look = [(root == Trace::None).then_some(Trace::None), None];
        Self {
            id: sysv.id().to_string(),
            fields: Box::new(move || fields_of_sysv(shmid)),
            reset: Box::new(move || next_second(shmid)),
            look,
            read: [Some(root), Some(Trace::Attached)],
        }
    }

    fn object(object: &Object, id: String, nobody: Option<Trace>) -> Self {
        let [one, other] = [(); 2].map(|()| object.file.try_clone().unwrap());
        let traces = [Some(Trace::None), nobody];
        Self {
            id,
            fields: Box::new(move || fields_of_object(&one)),
            reset: Box::new(move || reset_access_time(&other)),
            look: traces,
            read: traces,
        }
    }

    /// Runs every command in both roles.
    fn check(&self) {
        for (role, index) in [(Role::Root, 0), (Role::Nobody, 1)] {
            for (kind, words) in COMMANDS {
                let trace = [Some(Trace::None), self.look[index], self.read[index]][kind as usize];
                self.check_one(&format!("{role:?} {words:?} {}", self.id), kind, trace, || {
                    run(role, words, &self.id)
                });
            }
            // A preview waits for Enter where reading would leave a trace.
            let look = self.look[index].filter(|trace| *trace == Trace::None);
            let read = self.read[index];
            self.check_one(&format!("{role:?} preview {}", self.id), Kind::Look, look, || {
                on_screen(role, &self.id, look.is_some(), None)
            });
            if read.is_some() {
                self.check_one(&format!("{role:?} Inspect {}", self.id), Kind::Read, read, || {
                    on_screen(role, &self.id, look.is_some(), read)
                });
            }
        }
    }

    /// Runs a command. Its output must contain the text of the segment if and only if it reads the
    /// segment.
    fn check_one(&self, what: &str, kind: Kind, trace: Option<Trace>, run: impl FnOnce() -> String) {
        (self.reset)();
        let before = (self.fields)();
        let output = run();
        let changes = changed_fields(&before, &(self.fields)());
        if kind != Kind::List {
            assert_eq!(output.contains("hello, "), trace.is_some(), "{what}: {output}");
        }
        let trace = trace.unwrap_or(Trace::None);
        let allowed = trace.changes();
        assert!(changes.iter().all(|name| allowed.contains(name)), "{what} changed {changes:?}");
        // An expected trace must be found, which shows that an unexpected one would be found too.
        let noticed = ["lpid", "atime"].iter().any(|name| changes.contains(name));
        assert_eq!(noticed, trace != Trace::None, "{what} changed {changes:?}");
    }
}

fn command(role: Role, words: &[&str]) -> Command {
    let mut command = shmlens();
    if role == Role::Nobody {
        let state = command.get_envs().find(|(name, _)| *name == "XDG_STATE_HOME");
        let state = state.and_then(|(_, value)| value).unwrap().to_owned();
        command = as_nobody(command.get_program(), words);
        command.env("LANG", "C.UTF-8").env("XDG_STATE_HOME", state);
        return command;
    }
    command.args(words);
    command
}

/// Runs a command line and returns its output.
fn run(role: Role, words: &[&str], id: &str) -> String {
    let home = tempfile::tempdir_in("/tmp").unwrap();
    fs::set_permissions(home.path(), Permissions::from_mode(0o777)).unwrap();
    let file = home.path().join("saved");
    let file_text = file.to_str().unwrap();
    let words: Vec<&str> = words
        .iter()
        .map(|&word| match word {
            "{}" => id,
            "{file}" => file_text,
            word => word,
        })
        .collect();
    let mut command = command(role, &words);
    if words[0] == "watch" {
        return watch(&mut command, id);
    }
    let output = command.output().unwrap();
    let saved = fs::read(&file).unwrap_or_default();
    [output.stdout, saved].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
}

/// Runs `watch` until it has read the whole segment. Returns the text of the segment if it could.
fn watch(command: &mut Command, _id: &str) -> String {
    let mut child =
        Child::spawn(command.args(["--interval", "10ms"]).stdout(Stdio::piped()).stderr(Stdio::null()));
    std::thread::sleep(std::time::Duration::from_millis(200));
    if child.ended().is_some() {
        return String::new();
    }
    child.signal(nix::sys::signal::Signal::SIGINT);
    child.wait(SOON);
    "hello, ".to_owned()
}

/// Shows a preview. If a trace is expected, also reads the whole segment in Inspect.
fn on_screen(role: Role, id: &str, previewed: bool, inspect: Option<Trace>) -> String {
    let short = id.strip_prefix("posix:").unwrap_or(id).to_owned();
    let mut terminal = Terminal::start((120, 30), command(role, &[]));
    let name = if id.starts_with("deleted:") { "/unlinked".to_owned() } else { short };
    if previewed {
        terminal.wait_for("hello, first", SOON);
    } else if id.starts_with("sysv:") {
        terminal.wait_for("needs an attach", SOON);
    } else if inspect.is_some() {
        terminal.wait_for("would set its access time", SOON);
    } else {
        terminal.wait_for("HELD BY", SOON);
    }
    let mut seen = terminal.screen();
    if let Some(trace) = inspect {
        assert!(seen.contains(&name), "{name}: {seen}");
        terminal.send("<Enter>");
        terminal.wait_for(trace.text(), SOON);
        terminal.wait_for("hello, first", SOON);
        for keys in ["G", "g", "/last<Enter>"] {
            terminal.send(keys);
        }
        terminal.wait_for("hello, last", SOON);
        seen = terminal.screen();
        terminal.send("q");
        terminal.wait_for("HELD BY", SOON);
    }
    terminal.send("q");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0), "{}", terminal.screen());
    seen
}

fn sysv() -> Sysv {
    let sysv = Sysv::new(0x4d2, 256 * PAGE, 0o644);
    fill(|offset, bytes| sysv.write(offset, bytes));
    sysv
}

#[test]
fn attached_system_v_segment_has_only_declared_traces() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = sysv();
    let Some(_holder) = holder(&sysv) else { return };
    Case::sysv(&sysv, Trace::None).check();
}

#[test]
fn removed_system_v_segment_has_only_declared_traces() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = sysv();
    let Some(_holder) = holder(&sysv) else { return };
    shm::remove(sysv.shmid).unwrap();
    Case::sysv(&sysv, Trace::None).check();
}

#[test]
fn unheld_system_v_segment_has_only_declared_traces() {
    let Some(_namespaces) = Namespaces::new() else { return };
    Case::sysv(&sysv(), Trace::Attached).check();
}

#[test]
fn own_posix_object_has_only_declared_traces() {
    let Some(_namespaces) = Namespaces::new() else { return };
    record_access_times();
    let object = Object::new("own", 256 * PAGE, 0o600).owned_by(NOBODY, NOBODY);
    fill(|offset, bytes| object.write(offset, bytes));
    Case::object(&object, object.id().to_string(), Some(Trace::None)).check();
}

#[test]
fn foreign_posix_object_has_only_declared_traces() {
    let Some(_namespaces) = Namespaces::new() else { return };
    record_access_times();
    let object = Object::new("foreign", 256 * PAGE, 0o644);
    fill(|offset, bytes| object.write(offset, bytes));
    Case::object(&object, object.id().to_string(), Some(Trace::AccessTime)).check();
}

#[test]
fn unlinked_posix_object_has_only_declared_traces() {
    use std::os::unix::fs::MetadataExt as _;
    let Some(_namespaces) = Namespaces::new() else { return };
    record_access_times();
    let object = unlinked("unlinked");
    let stat = object.file.metadata().unwrap();
    let id = format!("deleted:{:x}:{:x}", stat.dev(), stat.ino());
    // Another user cannot see its holders.
    Case::object(&object, id, None).check();
}
