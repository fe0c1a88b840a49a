//! Names chosen by other programs, and other types of files in /dev/shm. No name reaches the
//! terminal unescaped, and none stops the program.

use super::{ONE_SECOND, clipboard_text, leave_and_quit, open_first, quit, row};
use crate::support::{NOBODY, Namespaces, Object, SOON, Sysv, Terminal, as_nobody, shmlens, wait_until};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;

const HOSTILE_NAME: &[u8] = b"e\x1b]0;title\x07\x1b[5i\n\xff\xe2\x80\xae\\";
const ESCAPED_NAME: &str = r"/e\x1b]0;title\x07\x1b[5i\x0a\xff\xe2\x80\xae\x5c";

/// Returns true if an escape sequence from a name reached the terminal.
fn is_raw(raw: &[u8]) -> bool {
    [&b"\x1b]0;"[..], b"\x1b[5i", b"title\x07", b"\xff", b"\xe2\x80\xae"]
        .iter()
        .any(|evil| raw.windows(evil.len()).any(|bytes| bytes == *evil))
}

#[test]
fn names_with_escape_sequences_are_escaped() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new(HOSTILE_NAME, 64, 0o600);
    object.write(0, b"\x1b]0;bytes\x07\xff");
    let mut terminal = Terminal::start((240, 29), shmlens());
    terminal.wait_for(row(&format!("▌ {ESCAPED_NAME} 64 B")), SOON);
    terminal.send("y");
    wait_until(SOON, || clipboard_text(&terminal) == Some(format!("posix:{ESCAPED_NAME}")));
    terminal.wait_for(&*format!("Copied {ESCAPED_NAME}"), SOON);
    terminal.send("/title<Enter>");
    terminal.wait_for(row("shmlens 1 segment"), SOON);
    terminal.send("<Enter>");
    terminal.wait_for(row(&format!("{ESCAPED_NAME} 64 B")), SOON);
    terminal.wait_for(row("0000_0000 1b 5d 30"), SOON);
    terminal.send("y");
    terminal.wait_for("Copy", SOON);
    terminal.send("t<Enter>");
    wait_until(SOON, || {
        clipboard_text(&terminal).is_some_and(|text| text.starts_with(r"\x1b]0;bytes\x07\xff"))
    });
    terminal.send("q");
    terminal.wait_for("CHANGING", SOON);
    terminal.send("q");
    terminal.wait_exit(SOON);
    // The program itself uses this escape sequence for the clipboard.
    let raw = String::from_utf8(terminal.raw()).expect("only UTF-8 is written").replace("\x1b]52;c;", "");
    assert!(!is_raw(raw.as_bytes()), "{raw:?}");
}

#[test]
fn error_messages_escape_names() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new(HOSTILE_NAME, 64, 0o600);
    let terminal = Terminal::start((240, 29), as_nobody(shmlens().get_program(), [""; 0]));
    terminal.wait_for(row(&format!("▌ {ESCAPED_NAME} 64 B")), SOON);
    terminal.send("<Enter>");
    terminal.wait_for("Run as root", SOON);
    assert!(!is_raw(&terminal.raw()));
    drop(object);
    quit(terminal);
}

#[test]
fn files_that_are_not_segments_are_ignored() {
    let Some(_namespaces) = Namespaces::new() else { return };
    mkfifo("/dev/shm/fifo", Mode::S_IRWXU).unwrap();
    symlink("/etc/passwd", "/dev/shm/symlink").unwrap();
    symlink("/dev/shm", "/dev/shm/loop").unwrap();
    let _socket = UnixListener::bind("/dev/shm/socket").unwrap();
    fs::create_dir_all("/dev/shm/directory/below").unwrap();
    let _inside = Object::new("directory/below/object", 10, 0o600);
    let terminal = Terminal::start((120, 24), shmlens());
    terminal.wait_for(row("▌ /directory/below/object 10 B"), SOON);
    terminal.wait_for(row("shmlens 1 segment "), SOON);
    for other in ["fifo", "symlink", "loop", "socket"] {
        assert!(!terminal.screen().contains(other), "{other}");
    }
    terminal.send("<Enter>");
    terminal.wait_for(row("/directory/below/object 10 B"), SOON);
    leave_and_quit(terminal);
}

#[test]
fn inspect_reports_an_object_replaced_by_another_file_type() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("object", 64, 0o600);
    object.write(0, b"the last picture");
    let terminal = open_first();
    terminal.wait_for("the last picture", SOON);
    fs::remove_file(object.path()).unwrap();
    mkfifo("/dev/shm/object", Mode::S_IRWXU).unwrap();
    terminal.wait_for("removed", SOON);
    terminal.wait_for("the last picture", SOON);
    leave_and_quit(terminal);
}

#[test]
fn unreadable_segment_shows_owner_mode_and_remedy() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 64, 0o600);
    let object = Object::new("object", 64, 0o640);
    let mine = Object::new("own", 64, 0o600).owned_by(NOBODY, NOBODY);
    mine.write(0, b"read by its owner");
    // Wide enough for the whole status line.
    let terminal = Terminal::start((140, 24), as_nobody(shmlens().get_program(), [""; 0]));
    terminal.wait_for(row("▌ sysv:0"), SOON);
    terminal.wait_for(row("shmlens 3 segments 4.0 KiB resident nobody"), SOON);
    for (id, mode) in [("sysv:0", "0600 rw-------"), ("/object", "0640 rw-r-----")] {
        terminal.send("<Enter>");
        // The status line names the owner, the mode and the remedy.
        let message = |screen: &vt100::Screen| {
            let screen = super::collapse_spaces(&screen.contents());
            let foot = screen.rfind(&format!("read {id}")).map_or("", |at| &screen[at..]);
            foot.contains("root") && foot.contains(mode) && foot.contains("Run as root")
        };
        terminal.wait_for(message, ONE_SECOND);
        terminal.send("j");
    }
    terminal.wait_for(row("▌ /own"), SOON);
    terminal.send("<Enter>");
    terminal.wait_for("read by its owne", SOON);
    fs::set_permissions(object.path(), fs::Permissions::from_mode(0o644)).unwrap();
    drop((sysv, object));
    leave_and_quit(terminal);
}
