//! The names of writers in the Python interpreter. The function of the interpreter that stores a value
//! tells a user nothing, but it tells which kind of assignment the script makes.
//!
//! The line of the script is not known: a record of a write has the stack of the thread, and the frames of
//! Python are elsewhere. When the record is read, the script has moved on.

use std::ffi::OsStr;
use std::path::Path;

/// Assignments, by a module, a source file, and functions of the interpreter that only they use.
const ASSIGNMENTS: [(&str, &str, &str, &[&str]); 5] = [
    (
        "memoryview assignment",
        "memoryview",
        "memoryobject.c",
        &["copy_single", "copy_base", "copy_rec", "pack_single", "memory_ass_sub"],
    ),
    ("struct.pack_into", "_struct", "_struct.c", &["s_pack_internal"]),
    ("ctypes assignment", "_ctypes", "cfield.c", &[]),
    ("mmap assignment", "mmap", "mmapmodule.c", &["mmap_ass_subscript", "mmap_write_method"]),
    ("array assignment", "array", "arraymodule.c", &["array_ass_subscr"]),
];

/// Returns a name for code of the interpreter or of one of its modules, with the kind of assignment where
/// that is known: `python3.12 interpreter (memoryview assignment)`.
pub fn name_in_interpreter(path: &Path, function: Option<&str>, source: Option<&str>) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let module = is_module(path).then(|| file.split('.').next().unwrap_or_default());
    let found = ASSIGNMENTS.iter().find(|(_, of_module, of_source, functions)| {
        module == Some(*of_module)
            || source == Some(*of_source)
            || function.is_some_and(|function| functions.contains(&function))
    });
    let program = program(&file);
    match (found, module) {
        (Some((assignment, ..)), _) => format!("{program} interpreter ({assignment})"),
        (None, Some(module)) => format!("{program} interpreter (module {module})"),
        (None, None) => format!("{program} interpreter"),
    }
}

/// `python3.12` of `libpython3.12.so.1.0` and of `_ctypes.cpython-312-x86_64-linux-gnu.so`.
fn program(file: &str) -> String {
    let version = file.split('.').find_map(|part| part.strip_prefix("cpython-")).and_then(|tag| {
        let digits = tag.split('-').next()?;
        let (major, minor) = digits.split_at_checked(1)?;
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
        (is_number(major) && is_number(minor)).then(|| format!("python{major}.{minor}"))
    });
    let library = file.strip_prefix("lib").unwrap_or(file);
    let library = library.split(".so").next().unwrap_or(library);
    let is_program = library.starts_with("python");
    version.unwrap_or_else(|| if is_program { library.to_owned() } else { "python".to_owned() })
}

fn is_module(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "lib-dynload")
}

/// Returns true for a file of numpy.
pub fn is_numpy(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == OsStr::new("numpy"))
        && path.extension() == Some(OsStr::new("so"))
}

/// Returns a name for code of numpy: `numpy (ULONG_add)`.
pub fn name_in_numpy(function: Option<&str>) -> String {
    function.map_or_else(|| "numpy".to_owned(), |function| format!("numpy ({function})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_named_by_their_code() {
        let name = |path: &str, function, source| name_in_interpreter(Path::new(path), function, source);
        let python = "/usr/bin/python3.12";
        let memoryview = "python3.12 interpreter (memoryview assignment)";
        assert_eq!(name(python, Some("copy_single"), None), memoryview);
        assert_eq!(name(python, Some("inlined"), Some("memoryobject.c")), memoryview);
        assert_eq!(name(python, Some("_PyEval_EvalFrameDefault"), Some("ceval.c")), "python3.12 interpreter");
        assert_eq!(name("/opt/libpython3.13t.so.1.0", None, None), "python3.13t interpreter");
        let dynload = "/usr/lib/python3.11/lib-dynload/";
        assert_eq!(
            name(&format!("{dynload}_ctypes.cpython-311-x86_64-linux-gnu.so"), None, None),
            "python3.11 interpreter (ctypes assignment)"
        );
        assert_eq!(
            name(&format!("{dynload}_multibytecodec.cpython-38-x86_64-linux-gnu.so"), None, None),
            "python3.8 interpreter (module _multibytecodec)"
        );
        assert_eq!(
            name(&format!("{dynload}_x.cpython-\u{e9}.so"), None, None),
            "python interpreter (module _x)"
        );
    }

    #[test]
    fn numpy_is_named_with_its_function() {
        let path = "/v/site-packages/numpy/_core/_multiarray_umath.cpython-311-x86_64-linux-gnu.so";
        assert!(is_numpy(Path::new(path)));
        assert!(!is_numpy(Path::new("/home/numpy/program")) && !is_numpy(Path::new("/opt/libnumpy.so")));
        assert_eq!(name_in_numpy(Some("ULONG_add")), "numpy (ULONG_add)");
        assert_eq!(name_in_numpy(None), "numpy");
    }
}
