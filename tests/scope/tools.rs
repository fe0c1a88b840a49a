//! Python with the packages that read recordings.

use crate::support::skip;
use serde_json::Value;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The directory of the virtual environment, which .ci/run creates.
const ENVIRONMENT: &str = "target/python";

/// Returns the interpreter with numpy and mcap: that of `SHMLENS_PYTHON`, or of the virtual environment
/// below target. Skips the test without one.
pub fn python_with_mcap() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = env::var_os("SHMLENS_PYTHON")
        .map_or_else(|| root.join(ENVIRONMENT).join("bin/python"), PathBuf::from);
    let has_packages =
        Command::new(&python).args(["-c", "import mcap, numpy"]).stderr(Stdio::null()).status();
    if has_packages.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    skip(&format!(
        "needs numpy and mcap: run `python3 -m venv {ENVIRONMENT} && {ENVIRONMENT}/bin/pip install numpy mcap`, \
         or set SHMLENS_PYTHON"
    ));
    None
}

/// Reads a recording with the usual library of its format. Integers are strings of digits, so that all
/// 64 bits count, and missing values are `null`.
pub fn read_with_python(python: &Path, path: &Path) -> Value {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scope/read.py");
    let output = Command::new(python).arg("-B").arg(program).arg(path).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", path.display());
    serde_json::from_slice(&output.stdout).unwrap()
}
