//! The pictures of the README: screens of the running demo, as SVG files.

mod svg;

use crate::support::{Namespaces, SOON, Terminal, shmlens};
use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use svg::{Frame, Movie};
use vt100::Screen;

const SIZE: (u16, u16) = (100, 30);
/// The time of a frame.
const FRAME_DURATION: Duration = Duration::from_millis(200);
/// The maximum file size for a README.
const MAX_BYTES: u64 = 500 << 10;

/// A demo in a terminal, recorded frame by frame.
struct Recorder {
    terminal: Terminal,
    movie: Movie,
}

impl Recorder {
    /// Starts the demo on a machine without other processes, and waits until the values have a
    /// history.
    fn start() -> Self {
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]);
        command.arg(shmlens().get_program()).arg("demo");
        let terminal = Terminal::start(SIZE, command);
        terminal.wait_for("✗ leaked", SOON);
        thread::sleep(Duration::from_secs(4));
        Self { terminal, movie: Movie::new(SIZE, FRAME_DURATION) }
    }

    fn frame(&self) -> Frame {
        let frame = RefCell::default();
        // A condition sees only complete frames.
        let keep = |screen: &Screen| {
            frame.replace(Frame::of(screen));
            true
        };
        self.terminal.wait_for(keep, SOON);
        frame.into_inner()
    }

    /// Records for some time.
    fn record(&mut self, seconds: f64) {
        let end = Instant::now() + Duration::from_secs_f64(seconds);
        while Instant::now() < end {
            let next = Instant::now() + FRAME_DURATION;
            self.movie.add(self.frame());
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }

    /// Presses keys, then records for some time.
    fn press(&mut self, keys: &str, seconds: f64) {
        self.terminal.send(keys);
        self.record(seconds);
    }

    /// Presses keys and waits for a string.
    fn go(&self, keys: &str, text: &str) {
        self.terminal.send(keys);
        self.terminal.wait_for(text, SOON);
    }

    /// Writes a still picture.
    fn still(&self, name: &str) {
        // Wait until the values have a history.
        thread::sleep(Duration::from_secs(2));
        let mut still = Movie::new(SIZE, FRAME_DURATION);
        still.add(self.frame());
        write(name, &still);
    }
}

fn write(name: &str, movie: &Movie) {
    fs::write(picture(name), movie.svg()).unwrap();
}

fn picture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/screenshots").join(name)
}

#[test]
#[ignore = "draws the pictures of the README"]
fn readme_pictures() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let mut recorder = Recorder::start();
    recorder.record(3.0);
    for _ in 0..2 {
        recorder.press("j", 0.4);
    }
    recorder.press("j", 1.6);
    recorder.press("g", 0.6);
    recorder.press("<Enter>", 3.0);
    recorder.press("<Esc>", 1.0);
    write("demo.svg", &recorder.movie);
    recorder.go("<Enter>", "live 10/s");
    recorder.still("inspect.svg");
    recorder.go("<Esc>", "row 1 of 5");
    recorder.go("jjj", "row 4 of 5");
    recorder.go("<Tab>", "evidence");
    recorder.still("detail.svg");
    recorder.go("<Tab>", "CHANGING");
    recorder.go("c", "Clean up");
    recorder.still("clean.svg");
}

#[test]
fn pictures_of_the_readme_exist_and_load_fast() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let links = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let pictures: Vec<&str> = links.filter(|link| link.starts_with("assets/screenshots/")).collect();
    assert!(pictures.len() >= 3, "{pictures:?}");
    for picture in pictures {
        let bytes =
            fs::metadata(root.join(picture)).unwrap_or_else(|error| panic!("{picture}: {error}")).len();
        assert!(bytes < MAX_BYTES, "{picture} has {bytes} bytes");
    }
}
