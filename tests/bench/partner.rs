//! C and C++ programs that a benchmark compiles, runs, and requests times from.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A program that answers requests. Dropping it ends it.
pub struct Partner {
    child: Child,
    questions: Option<ChildStdin>,
    pub answers: BufReader<ChildStdout>,
}

impl Partner {
    pub fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a compiled program");
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, questions, answers }
    }

    /// Returns the time of one run, as measured by the program.
    pub fn time(&mut self) -> Duration {
        self.questions.as_mut().expect("a pipe").write_all(b"\n").expect("a program that reads requests");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        let nanos = line.split(' ').next().and_then(|word| word.parse().ok());
        Duration::from_nanos(nanos.expect("a number"))
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        // The program exits at the end of its input.
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}

/// Compiles a test program. `None` without a compiler.
pub fn compiled(compiler: &str, source: &str) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(source);
    let name = source.file_stem().expect("a name").to_string_lossy();
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-bench"));
    let mut command = Command::new(compiler);
    command.args(["-O2", "-Wall", "-Wextra", "-pthread", "-o"]).args([&program, &source]).arg("-lrt");
    let status = command.status().ok()?;
    assert!(status.success(), "{} does not compile", source.display());
    Some(program)
}
