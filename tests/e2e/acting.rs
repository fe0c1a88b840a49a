//! Changes from the table: plan, confirm and undo on real segments, verified with the kernel.

use super::{answer, no_row, open, quit, row};
use crate::support::{Namespaces, Object, SOON, Sysv, shmlens, wait_until};
use shmlens::sys::shm;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// `SHM_LOCKED` in the mode of `IPC_STAT`.
const LOCKED: u32 = 0o2000;

#[test]
fn permission_and_lock_changes_can_be_undone() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 8192, 0o600);
    let mode = || shm::stat(sysv.shmid).unwrap().mode;
    let terminal = open();
    terminal.wait_for(row("▌ sysv:0"), SOON);
    terminal.send("p");
    terminal.wait_for("IPC_CREAT | 0600", SOON);
    terminal.send("0644<Enter>");
    terminal.wait_for("→ 0644", SOON);
    // Nothing happens before the confirmation.
    assert_eq!(mode() & 0o777, 0o600);
    answer(&terminal, "y");
    wait_until(SOON, || mode() & 0o777 == 0o644);
    terminal.wait_for("u: undo", SOON);
    terminal.send("u");
    wait_until(SOON, || mode() & 0o777 == 0o600);
    // Undo ignores keys until it has finished.
    terminal.wait_for("mode 0644 → 0600", SOON);
    terminal.send("l");
    terminal.wait_for("y lock", SOON);
    answer(&terminal, "y");
    wait_until(SOON, || mode() & LOCKED != 0);
    // A wider table has the mode.
    terminal.resize((120, 24));
    terminal.wait_for("0600L", SOON);
    quit(terminal);
}

#[test]
fn undo_restores_a_removed_segment() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("object", 100_000, 0o640);
    object.write(70_000, b"what was in it");
    let before = object.file.metadata().unwrap().ino();
    let terminal = open();
    terminal.wait_for(row("▌ /object"), SOON);
    terminal.send("x");
    // This test has the segment attached, so removal needs force.
    terminal.wait_for("f: force", SOON);
    answer(&terminal, "f");
    terminal.wait_for("forced", SOON);
    assert!(object.path().exists());
    answer(&terminal, "y");
    wait_until(SOON, || !object.path().exists());
    // This test has the object open, so it still exists without its name.
    terminal.wait_for(row("/object (deleted) 98 KiB 4%"), SOON);
    terminal.wait_for(row("◌ removed"), SOON);
    terminal.send("u");
    wait_until(SOON, || object.path().exists());
    terminal.wait_for("2 segments", SOON);
    let back = fs::read(object.path()).unwrap();
    assert_eq!((back.len(), &back[70_000..70_014]), (100_000, &b"what was in it"[..]));
    let stat = fs::metadata(object.path()).unwrap();
    assert_eq!((stat.mode() & 0o777, stat.ino() == before), (0o640, false));
    fs::remove_file(object.path()).unwrap();
    quit(terminal);
}

/// The size of a segment whose copy takes a while.
const LARGE_SIZE: u64 = 400 << 20;

/// Returns all files below a directory.
fn files(below: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(below) else { return vec![] };
    let entries = entries.map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn long_copy_shows_progress_and_can_be_stopped() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, LARGE_SIZE, 0o600);
    sysv.write(0, &vec![7; usize::try_from(LARGE_SIZE).unwrap()]);
    let terminal = open();
    for stop in ["<Esc>", "<C-c>"] {
        terminal.wait_for(row("▌ sysv:0"), SOON);
        terminal.send("x");
        terminal.wait_for("y remove", SOON);
        answer(&terminal, "y");
        terminal.wait_for("of 400 MiB   esc stop", SOON);
        terminal.send(stop);
        terminal.wait_for("Stopped; nothing was changed", SOON);
        assert_eq!(shm::stat(sysv.shmid).unwrap().nattch, 0);
        let home = terminal.home().path().join(".state");
        assert_eq!(files(&home), Vec::<PathBuf>::new());
        terminal.send("j");
        terminal.wait_for(no_row("Stopped"), SOON);
        // The next plan is made from a survey after the copy.
        terminal.wait_for("shmlens attached it since", SOON);
    }
    quit(terminal);
}

#[test]
fn unlinked_object_is_saved_with_w_and_restored() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("rescued");
    let object = Object::new("camera0", 4096, 0o640);
    object.write(0, b"frame");
    fs::remove_file(object.path()).unwrap();
    let terminal = open();
    terminal.wait_for("/camera0 (deleted)", SOON);
    terminal.send("w");
    terminal.wait_for("camera0.saved", SOON);
    terminal.send(&format!("{}<Enter>", file.display()));
    terminal.wait_for("Saved deleted:", SOON);
    // The preview shows the same bytes, so wait for the offsets of Inspect.
    terminal.send("<Enter>");
    terminal.wait_for("0000_0000", SOON);
    terminal.wait_for("66 72 61 6d 65", SOON);
    terminal.send("q");
    terminal.wait_for("CHANGING", SOON);
    quit(terminal);
    let status = shmlens().arg("restore").arg(&file).status().unwrap();
    assert!(status.success());
    assert_eq!(&fs::read("/dev/shm/camera0").unwrap()[..5], b"frame");
}
