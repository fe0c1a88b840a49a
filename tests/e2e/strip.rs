//! The live strip and the change rates, with real programs that write.

use super::{
    NO_CHANGE_INTERVAL, ONE_SECOND, collapse_spaces, nattch, quit, row, row_index, wait_for_writer, writer,
};
use crate::support::{
    Child, Namespaces, Object, SOON, Sysv, Terminal, as_nobody, demo_program, orphan, python, shmlens,
    wait_until,
};
use shmlens::segment::SegmentId;
use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use vt100::{Color, Screen};

/// The size of a terminal with room for all panes.
const WIDE_SIZE: (u16, u16) = (140, 40);

/// Starts a Python program that writes each line of its input to an object of 8 KiB: an offset and
/// a string.
fn start_driven(name: &str) -> Option<Child> {
    let text = format!(
        "import mmap, os, sys\n\
         f = os.open('/dev/shm/{name}', os.O_RDWR | os.O_CREAT, 0o600)\n\
         os.ftruncate(f, 8192)\n\
         m = mmap.mmap(f, 8192)\n\
         os.close(f)\n\
         print('ready', flush=True)\n\
         for line in sys.stdin:\n    \
             at, text = line.split()\n    \
             m[int(at):int(at) + len(text)] = text.encode()\n    \
             print('written', flush=True)"
    );
    let mut child = Child::spawn_piped(python(&text)?.stderr(Stdio::null()));
    assert_eq!(child.line(SOON), "ready");
    Some(child)
}

/// Starts a Python program that maps an object and overwrites this many bytes at a random place
/// every 10 ms.
fn scribbler(name: &str, bytes: usize) -> Option<Child> {
    let text = format!(
        "import mmap, os, random, time\n\
         f = os.open('/dev/shm/{name}', os.O_RDWR | os.O_CREAT, 0o600)\n\
         os.ftruncate(f, 16384)\n\
         m = mmap.mmap(f, 16384)\n\
         print('ready', flush=True)\n\
         while True:\n    \
             m[0:{bytes}] = random.randbytes({bytes})\n    \
             time.sleep(0.01)"
    );
    let mut child = Child::spawn_piped(python(&text)?.stderr(Stdio::null()));
    assert_eq!(child.line(SOON), "ready");
    Some(child)
}

/// Returns the color of the map's last cell.
fn end_of_map(screen: &Screen) -> Option<Color> {
    let row = row_index(screen, "map 0 ")?;
    let (_, columns) = screen.size();
    let text: String = screen.rows(0, columns.get()).nth(row.into())?;
    let column = text.trim_end().chars().count().checked_sub("8.0K".len() + 2)?;
    Some(screen.cell(row, column.try_into().ok()?)?.fgcolor())
}

#[test]
fn strip_shows_a_write_within_a_second() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut python) = start_driven("driven") else { return };
    let terminal = Terminal::start(WIDE_SIZE, shmlens());
    terminal.wait_for(row("─ /driven ─"), SOON);
    terminal.wait_for("No values detected yet.", SOON);
    terminal.wait_for("live 4/s, no trace", SOON);
    let idle = terminal.on_screen(end_of_map);
    // A segment that stands still is looked at less often.
    thread::sleep(Duration::from_secs(3));
    python.send("2 across\n");
    assert_eq!(python.line(SOON), "written");
    terminal.wait_for(row("0000 00 00 61 63 72 6f 73 73"), ONE_SECOND);
    assert_eq!(terminal.on_screen(end_of_map), idle);
    // This offset is after the preview, so only the map shows the change.
    python.send("8189 end\n");
    assert_eq!(python.line(SOON), "written");
    wait_until(ONE_SECOND, || matches!(terminal.on_screen(end_of_map), Some(Color::Rgb(..))));
    quit(terminal);
}

/// Returns the rate of the value at this offset in MOVING.
fn rate_of(screen: &str, offset: &str) -> Option<f64> {
    let line = screen.lines().find_map(|line| line.split_once(&format!("│ {offset} ")))?.1;
    let rate = line.split_whitespace().find_map(|word| word.strip_prefix('+')?.strip_suffix("/s"))?;
    rate.parse().ok()
}

#[test]
fn moving_names_a_counter_with_its_rate() {
    let Some(_namespaces) = Namespaces::new() else { return };
    // The tick is at offset 8 and grows by 20 per second.
    let Some(_cpp) = writer("posix_writer.cpp", "/ticks", "50") else { return };
    let terminal = Terminal::start(WIDE_SIZE, shmlens());
    terminal.wait_for(row("0008 u32/u64"), SOON);
    // A busy machine may slow the writer, but nothing speeds it up.
    let is_right = |screen: &Screen| {
        rate_of(&screen.contents(), "0008").is_some_and(|rate| (10.0..=22.0).contains(&rate))
    };
    terminal.wait_for(is_right, SOON);
    // The sine is a float.
    terminal.wait_for(row("0010 f64"), SOON);
    quit(terminal);
}

#[test]
fn changing_sorts_the_busiest_first() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_quiet) = scribbler("a-little", 8) else { return };
    let Some(_most) = scribbler("b-most", 16_000) else { return };
    let Some(_some) = scribbler("c-some", 400) else { return };
    let Some(_still) = writer("posix_writer.cpp", "/still", NO_CHANGE_INTERVAL) else { return };
    let terminal = Terminal::start(WIDE_SIZE, shmlens());
    let order = |screen: &Screen| {
        let mut names: Vec<_> = ["/a-little", "/b-most", "/c-some", "/still"]
            .map(|name| (row_index(screen, &format!("{name} ")), name))
            .into();
        names.sort_unstable();
        names.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    terminal.wait_for(row("/c-some 16 KiB"), SOON);
    assert_eq!(terminal.on_screen(order), ["/a-little", "/b-most", "/c-some", "/still"]);
    terminal.send("sc<Enter>");
    terminal.wait_for("CHANGING↓", SOON);
    terminal.wait_for(
        move |screen: &Screen| order(screen) == ["/b-most", "/c-some", "/a-little", "/still"],
        SOON,
    );
    terminal.send("S");
    terminal.wait_for("CHANGING↑", SOON);
    terminal.wait_for(
        move |screen: &Screen| order(screen) == ["/still", "/a-little", "/c-some", "/b-most"],
        SOON,
    );
    quit(terminal);
}

#[test]
fn held_system_v_segment_is_read_without_an_attach() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut command) = demo_program("sysv_writer.cpp") else { return };
    let _cpp = wait_for_writer(command.args(["0x4d2", "0", "20"]));
    let unheld = Sysv::new(0x4d3, 4096, 0o600);
    let terminal = Terminal::start(WIDE_SIZE, shmlens());
    // The row contains part of the text in the struct.
    terminal.wait_for(row("0020 74 65 6e 20 62 79 20 43"), SOON);
    terminal.wait_for(row("0008 u32/u64"), SOON);
    // The table shows a rate.
    let changes = |screen: &Screen| {
        let at = row_index(screen, "▌ sysv:0 0x000004d2")?;
        let (_, columns) = screen.size();
        screen.rows(0, columns.get()).nth(at.into()).filter(|line| line.contains("/s"))
    };
    terminal.wait_for(move |screen: &Screen| changes(screen).is_some(), SOON);
    terminal.wait_for(row("sysv:1 0x000004d3 4.0 KiB 0% needs attach"), SOON);
    terminal.send("j");
    terminal.wait_for("not read: needs attach", SOON);
    assert_eq!((nattch(0), nattch(unheld.shmid)), (1, 0));
    quit(terminal);
}

#[test]
fn holders_are_shown_as_writers_and_readers() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(cpp) = writer("posix_writer.cpp", "/flow", NO_CHANGE_INTERVAL) else { return };
    let text = "import mmap, os, time\n\
                f = os.open('/dev/shm/flow', os.O_RDONLY)\n\
                m = mmap.mmap(f, 56, mmap.MAP_SHARED, mmap.PROT_READ)\n\
                print('ready', flush=True)\n\
                time.sleep(3600)";
    let Some(mut command) = python(text) else { return };
    let mut reader = Child::spawn_piped(&mut command);
    assert_eq!(reader.line(SOON), "ready");
    let terminal = Terminal::start(WIDE_SIZE, shmlens());
    terminal.wait_for(row("▌ /flow 56 B 100%"), SOON);
    terminal.wait_for(
        |screen: &Screen| {
            let text = collapse_spaces(&screen.contents());
            text.contains("posix_writer-cpp → python3")
        },
        SOON,
    );
    terminal.wait_for(row(&format!("{} rw", cpp.pid())), SOON);
    terminal.wait_for(row(&format!("{} r", reader.pid())), SOON);
    // In a narrow terminal, both are on the same line.
    terminal.resize((80, 24));
    terminal
        .wait_for(row(&format!("held posix_writer-cpp {} rw python3 {} r", cpp.pid(), reader.pid())), SOON);
    quit(terminal);
}

#[test]
fn leaked_segment_shows_its_evidence() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let SegmentId::Sysv(_) = orphan(0, 4096, b"left behind") else { panic!() };
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("shmlens")).unwrap();
    // Shorten the default wait of a minute.
    fs::write(home.path().join("shmlens/config.toml"), "settle = \"1s\"\n").unwrap();
    let mut command = shmlens();
    command.env("XDG_CONFIG_HOME", home.path());
    let terminal = Terminal::start(WIDE_SIZE, command);
    terminal.wait_for(row("✗ leaked"), SOON);
    terminal.wait_for("WHY", SOON);
    terminal.wait_for("exited", SOON);
    terminal.wait_for("nattch 0", SOON);
    quit(terminal);
}

#[test]
fn objects_of_others_are_not_read_by_ordinary_users() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("others", 4096, 0o644);
    object.write(0, b"not to be read");
    let before = object.file.metadata().unwrap();
    let terminal = Terminal::start(WIDE_SIZE, as_nobody(shmlens().get_program(), [""; 0]));
    terminal.wait_for(row("▌ /others 4.0 KiB 100% would set atime"), SOON);
    terminal.wait_for("not read: would set the access time", SOON);
    terminal.wait_for("Reading posix:/others would set its access time.", SOON);
    assert!(!terminal.screen().contains("not to be read"));
    assert_eq!(object.file.metadata().unwrap().accessed().unwrap(), before.accessed().unwrap());
    terminal.send("<Enter>");
    terminal.wait_for("not to be read", SOON);
    terminal.send("<Esc>");
    terminal.wait_for("CHANGING", SOON);
    quit(terminal);
}
