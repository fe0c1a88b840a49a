//! Errors in the config file, with the line and the allowed values.

use crate::segment::{escape, plain_error};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// The reason why the config cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("failed to read the config file {}: {}", escape_path(.path), plain_error(.source))]
    Read { path: PathBuf, source: io::Error },
    #[error("failed to read the config file {}: larger than {} MiB", escape_path(.path), .max >> 20)]
    TooLarge { path: PathBuf, max: u64 },
    #[error("{}, line {line}: {problem}", escape_path(.path))]
    Line {
        path: PathBuf,
        /// The line number, counted from 1.
        line: usize,
        /// The error and the allowed values, safe to print.
        problem: String,
    },
}

fn escape_path(path: &Path) -> String {
    escape(path.as_os_str().as_bytes())
}
