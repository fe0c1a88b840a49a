//! Tells the code of a program from that of the libraries that it copies and stores with.

use std::path::Path;

/// The part of a program that code belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Own,
    /// The Python interpreter and its modules.
    Interpreter,
    /// The C and C++ libraries.
    Library,
}

/// The starts of the file names of libraries. Sanitizers have their own `memcpy`.
const LIBRARIES: [&str; 15] = [
    "libc.so",
    "libc-",
    "libc.musl",
    "libm.so",
    "libm-",
    "libpthread",
    "librt.so",
    "librt-",
    "ld-linux",
    "ld-musl",
    "libgcc_s",
    "libstdc++",
    "libc++",
    "libasan",
    "libtsan",
];

/// The role of all code in a file.
pub fn role_of_file(path: &Path) -> Role {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if LIBRARIES.iter().any(|start| name.starts_with(start)) || name == "[vdso]" {
        return Role::Library;
    }
    let is_python = name.starts_with("libpython") || name.starts_with("python");
    if is_python || path.components().any(|part| part.as_os_str() == "lib-dynload") {
        return Role::Interpreter;
    }
    Role::Own
}

/// Returns true for a function of the standard library of C++ or Rust, which compilers put into the
/// program.
pub fn is_standard(function: &str) -> bool {
    ["std::", "__gnu_cxx::", "core::", "alloc::"].iter().any(|start| function.starts_with(start))
}

/// Returns true for a function of the C library that copies, in a program that contains it.
pub fn copies(symbol: &str) -> bool {
    let name = symbol.trim_start_matches('_');
    let copies = ["memcpy", "memmove", "memset", "mempcpy", "strcpy", "strncpy", "stpcpy", "strcat", "IO_"];
    copies.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_and_interpreters_are_told_from_programs() {
        let role = |path: &str| role_of_file(Path::new(path));
        for path in [
            "/usr/lib/x86_64-linux-gnu/libc.so.6",
            "/lib/libc-2.31.so",
            "/lib64/ld-linux-x86-64.so.2",
            "[vdso]",
        ] {
            assert_eq!(role(path), Role::Library, "{path}");
        }
        for path in ["/usr/bin/python3.11", "/opt/libpython3.12.so.1.0", "/x/lib-dynload/_ctypes.so"] {
            assert_eq!(role(path), Role::Interpreter, "{path}");
        }
        for path in ["/opt/motor", "/opt/libcamera.so.0", "/x/site-packages/numpy/_multiarray_umath.so", "/"]
        {
            assert_eq!(role(path), Role::Own, "{path}");
        }
    }

    #[test]
    fn standard_functions_are_known_by_name() {
        assert!(is_standard("std::atomic<long>::store") && is_standard("core::ptr::write"));
        assert!(!is_standard("stdx::store") && !is_standard("Motor::std::step"));
        assert!(copies("__memmove_avx_unaligned_erms") && copies("memcpy") && !copies("member"));
    }
}
