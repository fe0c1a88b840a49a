//! What can be wrong with the settings file: which file, which line, and what
//! is allowed there.

use crate::segment::{escape, plain_error};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file exists, but cannot be read.
    #[error("failed to read the config file {}: {}", shown(.path), plain_error(.source))]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The file is longer than any config.
    #[error("failed to read the config file {}: larger than {} MiB", shown(.path), .most >> 20)]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// The most bytes that are read.
        most: u64,
    },
    /// Something in it is wrong.
    #[error("{}, line {line}: {what}", shown(.path))]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line of it, from 1.
        line: usize,
        /// What is wrong and what is allowed, safe to print.
        what: String,
    },
}

fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_bytes())
}
