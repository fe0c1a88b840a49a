//! Live previews do not break or prevent leases of other programs.

use crate::support::{Child, Namespaces, Object, SOON, Terminal, python, shmlens};
use shmlens::sys::lease::is_open_elsewhere;
use std::process::Output;
use std::thread;
use std::time::Duration;

/// Creates objects, takes a write lease on each, and counts the signals that ask to release one.
/// Reads commands: anything prints the number of signals, `release` releases the leases first.
const HOLDER: &str = r#"
import fcntl, os, signal, sys
count = 0
def asked(*_):
    global count
    count += 1
signal.signal(signal.SIGIO, asked)
names = {"leased": 8192, "sem.leased": 32, "cam1.im.shm": 4096}
files = [os.open("/dev/shm/" + name, os.O_RDWR | os.O_CREAT, 0o600) for name in names]
for file, size in zip(files, names.values()):
    os.pwrite(file, b"behind a lease".ljust(size, b"."), 0)
    fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("ready")
for line in sys.stdin:
    if line == "release\n":
        for file in files:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    print(count)
"#;

struct Holder(Child);

impl Holder {
    fn start() -> Option<Self> {
        let mut child = Child::spawn_piped(&mut python(HOLDER)?);
        assert_eq!(child.line(SOON), "ready");
        Some(Self(child))
    }

    /// Returns the number of signals so far.
    fn asked(&mut self) -> String {
        self.0.send("count\n");
        self.0.line(SOON)
    }

    fn release(&mut self) {
        self.0.send("release\n");
        self.0.line(SOON);
    }
}

fn run(words: &[&str]) -> Output {
    shmlens().args(words).output().unwrap()
}

#[test]
fn strip_and_rates_leave_a_leased_object_alone() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut holder) = Holder::start() else { return };
    let mut terminal = Terminal::start((120, 30), shmlens());
    let pid = holder.0.pid();
    terminal.send("G");
    terminal.wait_for(&*format!("not read: leased by PID {pid}"), SOON);
    terminal.wait_for("would break a lease", SOON);
    // The changing column.
    terminal.wait_for(" leased ", SOON);
    // Several polls, surveys and process scans.
    thread::sleep(Duration::from_secs(7));
    assert_eq!(holder.asked(), "0");
    holder.release();
    terminal.wait_for("behind a lease", SOON);
    terminal.send("q");
    terminal.wait_exit(SOON);
}

#[test]
fn commands_that_name_no_segment_leave_leased_objects_alone() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut holder) = Holder::start() else { return };
    let found = run(&["find", "behind"]);
    let message = String::from_utf8_lossy(&found.stderr).into_owned();
    assert!(message.contains("leased by PID") && message.contains("Name the segment"), "{message}");
    assert_eq!(found.stdout, b"");
    for words in
        [&["list"][..], &["list", "--json"], &["info", "leased"], &["info", "sem.leased"], &["clean"]]
    {
        let output = run(words);
        assert_eq!(holder.asked(), "0", "{words:?}");
        assert!(!output.stdout.is_empty(), "{words:?}");
    }
    let info = run(&["info", "leased"]).stdout;
    assert!(String::from_utf8_lossy(&info).contains("reading would break the lease"));
}

#[test]
fn named_segment_is_read_although_that_breaks_a_lease() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut holder) = Holder::start() else { return };
    let dumped = run(&["dump", "leased"]);
    let message = String::from_utf8_lossy(&dumped.stderr).into_owned();
    assert!(message.contains("has been asked to release it") && !dumped.status.success(), "{message}");
    assert_eq!(holder.asked(), "1");
    holder.release();
    assert!(String::from_utf8_lossy(&run(&["dump", "leased"]).stdout).contains("behind a lease"));
}

/// Requests a write lease as another program would, and releases it.
fn gets_a_lease(object: &Object) -> bool {
    !is_open_elsewhere(&object.file).unwrap()
}

#[test]
fn live_preview_leaves_leases_to_others() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("object", 4096, 0o600);
    object.write(0, b"hello");
    let mut terminal = Terminal::start((120, 30), shmlens());
    terminal.wait_for("hello", SOON);
    let mut granted = 0;
    for round in 0..100_u8 {
        // The preview shows recent writes.
        if round % 25 == 0 {
            let text = format!("round {round}");
            object.write(0, text.as_bytes());
            terminal.wait_for(&*text, SOON);
        }
        granted += u32::from(gets_a_lease(&object));
        thread::sleep(Duration::from_millis(10));
    }
    assert!(granted >= 95, "{granted} of 100");
    // An open descriptor prevents the lease.
    terminal.send("<Enter>");
    terminal.wait_for("0000_0000", SOON);
    assert!(!gets_a_lease(&object));
    terminal.send("q");
    terminal.wait_for("HELD BY", SOON);
    terminal.send("q");
    terminal.wait_exit(SOON);
}
