//! The programs under test: shmlens itself, C++ and Python.

use super::tool;
use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::{Mutex, PoisonError};

/// Returns a command for shmlens, without the user's settings in the environment, and with a state
/// directory for tests.
pub fn shmlens() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shmlens"));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let is_setting = ["LC_", "XDG_", "SHMLENS"].iter().any(|start| text.starts_with(start));
        if is_setting
            || matches!(text.as_ref(), "NO_COLOR" | "CLICOLOR_FORCE" | "LANGUAGE" | "COLUMNS" | "LINES")
        {
            command.env_remove(&name);
        }
    }
    command
        .env("LANG", "C.UTF-8")
        .env("XDG_STATE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("state"));
    command
}

/// Compiles a C++ program once per test run. `source` is a path in the repository. `None` without a
/// compiler.
///
/// # Panics
/// If it does not compile without warnings.
pub fn compile_cpp(source: impl AsRef<Path>) -> Option<PathBuf> {
    static COMPILED: Mutex<Option<HashMap<PathBuf, PathBuf>>> = Mutex::new(None);
    let compiler = tool("g++")?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
    // Held while compiling, so that other threads wait for the program.
    let mut shared = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let programs = shared.get_or_insert_default();
    if let Some(program) = programs.get(&source) {
        return Some(program.clone());
    }
    let name = source.file_stem().unwrap_or_default().to_string_lossy();
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-cpp"));
    // Compile it under another name, then rename it: another test run may use the old one.
    let fresh = program.with_extension(process::id().to_string());
    let output = Command::new(compiler)
        .args(["-std=c++17", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"])
        .args([&fresh, &source])
        .arg("-lrt")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::rename(&fresh, &program).unwrap();
    programs.insert(source, program.clone());
    Some(program)
}

/// Returns the path of a program in assets/demo.
pub fn asset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo").join(name)
}

/// Returns a command for a program of assets/demo. `None` without a compiler or interpreter.
pub fn demo_program(name: &str) -> Option<Command> {
    if asset(name).extension() == Some("cpp".as_ref()) {
        return compile_cpp(asset(name)).map(Command::new);
    }
    let mut command = Command::new(tool("python3")?);
    command.arg("-B").arg(asset(name));
    Some(command)
}

/// Returns a command that runs Python code unbuffered. `None` without Python.
pub fn python(text: &str) -> Option<Command> {
    let mut command = Command::new(tool("python3")?);
    command.args(["-u", "-c", text]);
    Some(command)
}

#[cfg(test)]
mod tests {
    use crate::support::{compile_cpp, python, shmlens};
    use std::fs;
    use std::process::Command;

    #[test]
    fn cpp_is_compiled_once_and_runs() {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let source = directory.path().join("support-self-test.cpp");
        fs::write(&source, "#include <cstdio>\nint main() { std::puts(\"from C++\"); }\n").unwrap();
        let Some(program) = compile_cpp(&source) else { return };
        let output = Command::new(&program).output().unwrap();
        assert_eq!(output.stdout, b"from C++\n");
        let modified = fs::metadata(&program).unwrap().modified().unwrap();
        assert_eq!(compile_cpp(&source).as_ref(), Some(&program));
        assert_eq!(fs::metadata(&program).unwrap().modified().unwrap(), modified);
    }

    #[test]
    fn python_runs() {
        let Some(mut command) = python("print('from', 'Python')") else { return };
        assert_eq!(command.output().unwrap().stdout, b"from Python\n");
    }

    #[test]
    fn program_starts() {
        assert!(shmlens().arg("--version").output().unwrap().stdout.starts_with(b"shmlens "));
    }
}
