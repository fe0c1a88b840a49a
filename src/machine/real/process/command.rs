//! The name of a process: its program, or the script that an interpreter runs.

use crate::machine::process::CommandLine;
use std::fs;
use std::os::unix::fs::MetadataExt as _;

/// Returns the name, given the one in the kernel (at most 15 bytes) and the arguments.
pub fn name(command: &[u8], arguments: impl FnOnce() -> Option<Vec<u8>>) -> Vec<u8> {
    let interpreter = Interpreter::of(command);
    if interpreter.is_none() && command.len() < MAX_COMM_LENGTH {
        return command.to_vec();
    }
    let arguments = arguments().unwrap_or_default();
    let arguments: Vec<&[u8]> =
        arguments.strip_suffix(b"\0").unwrap_or(&arguments).split(|&byte| byte == 0).collect();
    let found = match interpreter {
        Some(interpreter) => interpreter.runs(&arguments[1..]),
        // The kernel truncates names to 15 bytes; the first argument has the full name.
        None => arguments.first().map(|first| file_name(first)).filter(|name| name.starts_with(command)),
    };
    found.filter(|name| !name.is_empty()).unwrap_or(command).to_vec()
}

/// Returns the name and arguments of a process.
pub fn line(pid: u32) -> Option<CommandLine> {
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    // A kernel thread has no arguments.
    let arguments = arguments.strip_suffix(b"\0")?;
    let command = fs::read(format!("/proc/{pid}/comm")).ok()?;
    let directory = fs::metadata(format!("/proc/{pid}")).ok()?;
    Some(CommandLine {
        pid,
        uid: directory.uid(),
        command: command.strip_suffix(b"\n").unwrap_or(&command).to_vec(),
        arguments: arguments.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect(),
    })
}

/// `TASK_COMM_LEN` without its NUL.
const MAX_COMM_LENGTH: usize = 15;

#[derive(Clone, Copy)]
enum Interpreter {
    Python,
    Java,
    /// The first argument that is not an option.
    Script,
}

impl Interpreter {
    fn of(command: &[u8]) -> Option<Self> {
        let end = command.iter().rposition(|&byte| !byte.is_ascii_digit() && byte != b'.')? + 1;
        match &command[..end] {
            b"python" | b"pypy" => Some(Self::Python),
            b"java" => Some(Self::Java),
            b"perl" | b"ruby" | b"node" | b"php" | b"lua" | b"bash" | b"sh" | b"dash" | b"zsh" | b"ksh" => {
                Some(Self::Script)
            }
            _ => None,
        }
    }

    fn runs<'a>(self, arguments: &[&'a [u8]]) -> Option<&'a [u8]> {
        let mut arguments = arguments.iter().copied();
        while let Some(argument) = arguments.next() {
            match (self, argument) {
                (Self::Python, b"-m") => return arguments.next(),
                (Self::Python, b"-c") => return arguments.next().and_then(multiprocessing_module),
                (Self::Python, b"-W" | b"-X") | (Self::Java, b"-cp" | b"-classpath" | b"--module-path") => {
                    arguments.next();
                }
                (Self::Java, b"-jar") => return arguments.next().map(file_name),
                (Self::Script, b"-c" | b"-e") => return None,
                (_, option) if option.starts_with(b"-") => {}
                (_, script) => return Some(file_name(script)),
            }
        }
        None
    }
}

/// Returns the module of a Python helper, which is started as `-c 'from
/// multiprocessing.resource_tracker import main;…'`.
fn multiprocessing_module(code: &[u8]) -> Option<&[u8]> {
    let module = code.strip_prefix(b"from ")?.split(|&byte| byte == b' ').next()?;
    module.rsplit(|&byte| byte == b'.').next()
}

fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_with_arguments(command: &str, arguments: &[&str]) -> String {
        let joined = arguments.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
        String::from_utf8(name(command.as_bytes(), || Some(joined))).unwrap()
    }

    #[test]
    fn interpreters_are_named_by_their_script() {
        for (command, arguments, name) in [
            ("writer", &["./writer", "x"][..], "writer"),
            ("python3", &["python3", "-u", "/opt/reader.py", "3"], "reader.py"),
            ("python3.11", &["python3.11", "-m", "http.server"], "http.server"),
            ("python3", &["python3", "-W", "ignore", "a.py"], "a.py"),
            ("python3", &["python3"], "python3"),
            ("python3", &["python3", "-c", "import x"], "python3"),
            (
                "python3",
                &["python3", "-c", "from multiprocessing.resource_tracker import main;main(4)"],
                "resource_tracker",
            ),
            ("java", &["java", "-Xmx1g", "-cp", "a:b", "org.Main"], "org.Main"),
            ("java", &["java", "-jar", "/a/b.jar"], "b.jar"),
            ("bash", &["bash", "/a/run.sh"], "run.sh"),
            ("bash", &["-bash"], "bash"),
            ("gnome-session-b", &["/usr/bin/gnome-session-binary"], "gnome-session-binary"),
            ("gnome-session-b", &["something else"], "gnome-session-b"),
            ("gnome-session-b", &[], "gnome-session-b"),
            ("", &["x"], ""),
        ] {
            assert_eq!(name_with_arguments(command, arguments), name, "{command} {arguments:?}");
        }
    }
}
