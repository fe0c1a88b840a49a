//! Identifiers and literals for generated code. Names come from debug information and headers that
//! anybody may have written: whatever is not a plain identifier is replaced.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

/// Longer names are cut.
const MAX_LENGTH: usize = 120;

/// Returns true for names that a language reserves.
pub type IsReserved = fn(&str) -> bool;

/// Gives out identifiers, each of them once.
#[derive(Debug, Clone)]
pub struct Identifiers {
    is_reserved: IsReserved,
    used: HashSet<String>,
    /// The last number appended to a name.
    numbers: HashMap<String, u32>,
}

/// An identifier, and the name that it replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    pub text: String,
    /// Set if it differs; escaped, ASCII only.
    pub original: Option<String>,
}

impl Identifier {
    /// A comment with the name that it replaces, or nothing.
    pub fn note(&self, mark: &str) -> String {
        self.original.as_ref().map_or_else(String::new, |name| format!("  {mark} named {name}"))
    }
}

impl Identifiers {
    pub fn new(is_reserved: IsReserved) -> Self {
        Self { is_reserved, used: HashSet::new(), numbers: HashMap::new() }
    }

    pub fn reserve(&mut self, names: impl IntoIterator<Item = String>) {
        self.used.extend(names);
    }

    /// Returns an identifier like `name`, or like `fallback` if the name is empty.
    pub fn take(&mut self, name: &str, fallback: &str) -> Identifier {
        let mut text = plain(if name.is_empty() { fallback } else { name });
        if (self.is_reserved)(&text) {
            text = format!("{text}_");
        }
        if (self.is_reserved)(&text) {
            text = format!("field_{}", text.trim_matches('_'));
        }
        if self.used.contains(&text) {
            let number = self.numbers.entry(text.clone()).or_insert(1);
            loop {
                *number += 1;
                let numbered = format!("{text}_{number}");
                if !self.used.contains(&numbered) {
                    text = numbered;
                    break;
                }
            }
        }
        self.used.insert(text.clone());
        let original = (!name.is_empty() && text != name).then(|| in_comment(name));
        Identifier { text, original }
    }

    pub fn used(&self) -> impl Iterator<Item = String> {
        self.used.iter().cloned()
    }
}

/// Replaces everything but ASCII letters, digits and underscores.
fn plain(name: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut text = String::new();
    for c in name.chars().take(MAX_LENGTH) {
        match c {
            c if is_word(c) => text.push(c),
            _ if text.ends_with('_') => {}
            _ => text.push('_'),
        }
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        text.insert(0, '_');
    }
    // Rust and Python give `_` a meaning of its own.
    if text.trim_matches('_').is_empty() {
        text = format!("field{text}");
    }
    text
}

/// Escapes a name for a comment on one line. The quotes keep a backslash or `??/` at its end from
/// joining the next line to the comment.
pub fn in_comment(name: &str) -> String {
    let mut text = String::from("'");
    for c in name.chars().take(MAX_LENGTH) {
        match c {
            '\\' | '*' | '/' | '?' | '\'' => drop(write!(text, "\\x{:02x}", u32::from(c))),
            ' '..='~' => text.push(c),
            _ => drop(write!(text, "\\u{{{:x}}}", u32::from(c))),
        }
    }
    text.push_str(if name.chars().count() > MAX_LENGTH { "...'" } else { "'" });
    text
}

/// A string literal of C++: octal escapes have a fixed length.
pub fn cpp_string(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for &byte in bytes {
        match byte {
            b'"' | b'\\' | b'?' => drop(write!(text, "\\{}", char::from(byte))),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => drop(write!(text, "\\{byte:03o}")),
        }
    }
    text + "\""
}

/// A string literal of Rust, after `b` or `c`.
pub fn rust_string(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => drop(write!(text, "\\{}", char::from(byte))),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => drop(write!(text, "\\x{byte:02x}")),
        }
    }
    text + "\""
}

/// A string literal of Python; one of bytes follows `b` and has the form of Rust.
pub fn python_string(name: &str) -> String {
    let mut text = String::from("\"");
    for c in name.chars() {
        match c {
            '"' | '\\' => drop(write!(text, "\\{c}")),
            ' '..='~' => text.push(c),
            _ => drop(write!(text, "\\U{:08x}", u32::from(c))),
        }
    }
    text + "\""
}

fn is_listed(words: &str, name: &str) -> bool {
    words.split_ascii_whitespace().any(|word| word == name)
}

pub fn is_reserved_in_cpp(name: &str) -> bool {
    // Macros of the headers that the code includes.
    let is_capital = name.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
    let prefix = name.split('_').next().unwrap_or_default();
    is_listed(CPP_WORDS, name)
        || is_capital
            && (is_listed(CPP_MACROS, name) || name.contains('_') && is_listed(CPP_PREFIXES, prefix))
}

pub fn is_reserved_in_rust(name: &str) -> bool {
    is_listed(RUST_WORDS, name)
}

/// Returns true for names that the code gives to other types and modules.
pub fn is_rust_type(name: &str) -> bool {
    is_reserved_in_rust(name) || is_listed(RUST_TYPES, name)
}

pub fn is_reserved_in_python(name: &str) -> bool {
    // Names with two underscores in front are mangled; those of classes have a meaning.
    name.starts_with("__") || name.starts_with('_') && name.ends_with('_') || is_listed(PYTHON_WORDS, name)
}

/// Returns true for names that the code uses for something else.
pub fn is_python_global(name: &str) -> bool {
    is_reserved_in_python(name) || is_listed(PYTHON_GLOBALS, name)
}

const CPP_WORDS: &str = "alignas alignof and and_eq asm atomic_cancel atomic_commit atomic_noexcept auto \
    bitand bitor bool break case catch char char8_t char16_t char32_t class compl concept const consteval \
    constexpr constinit const_cast continue co_await co_return co_yield decltype default delete do double \
    dynamic_cast else enum explicit export extern false float for friend goto if inline int long mutable \
    namespace new noexcept not not_eq nullptr operator or or_eq private protected public register \
    reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch \
    synchronized template this thread_local throw true try typedef typeid typename typeof union unsigned \
    using virtual void volatile wchar_t while xor xor_eq std linux unix i386 errno assert offsetof stdin \
    stdout stderr st_atime st_ctime st_mtime strdupa strndupa major minor makedev L_ctermid L_cuserid \
    L_tmpnam P_tmpdir __int128 __attribute__ __alignof__ __asm__ __typeof__ __extension__ __restrict \
    __inline __const __volatile__ __real__ __imag__ __complex__ __label__ __func__ __FILE__ __LINE__ \
    __DATE__ __TIME__ __FUNCTION__ __float128 __thread __signed__ __null _Complex _Float16 _Float32 \
    _Float64 _Float128 _Float32x _Float64x __linux__ __unix__ __linux __unix __cplusplus __GNUC__ __x86_64__ \
    __x86_64 __amd64 __amd64__ __ELF__ __VERSION__ __CHAR_BIT__ _LP64 __LP64__ __OPTIMIZE__ __GLIBC__";
const CPP_MACROS: &str = "NULL EOF BUFSIZ SHMLBA FNONBLOCK FNDELAY FFSYNC FASYNC FAPPEND DEFFILEMODE \
    ALLPERMS ACCESSPERMS X_OK W_OK R_OK F_OK TMP_MAX TEMP_FAILURE_RETRY RWF_WRITE_LIFE_NOT_SET MLOCK_ONFAULT \
    MAX_HANDLE_SZ FOPEN_MAX FILENAME_MAX FD_CLOEXEC";
const CPP_PREFIXES: &str = "F S STATX O INT MAP MADV UINT SHM AT POSIX LOCK IPC FALLOC DN RWH PROT SEEK SYNC \
    SPLICE INTMAX INT8 INT16 INT32 INT64 WINT WCHAR UINTMAX UINT8 UINT16 UINT32 UINT64 SIG RENAME PTRDIFF MS \
    MREMAP MFD MCL L INTPTR UTIME UINTPTR SIZE PKEY CLOSE STDOUT STDIN STDERR EXIT RAND";
const RUST_WORDS: &str = "as async await break const continue crate dyn else enum extern false fn for if impl \
    in let loop match mod move mut pub ref return self Self static struct super trait true type unsafe use \
    where while abstract become box do final gen macro override priv try typeof unsized virtual yield";
const RUST_TYPES: &str = "bool char str u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f16 f32 f64 f128 \
    libc std core alloc bits";
const PYTHON_WORDS: &str = "False None True and as assert async await break class continue def del elif else \
    except finally for from global if import in is lambda nonlocal not or pass raise return try while with \
    yield _objects";
const PYTHON_GLOBALS: &str = "ctypes enum mmap np os sys memory data libc attach read check shared_memory \
    resource_tracker print len bytes int getattr property memoryview open OSError NAME OFFSET SIZE KEY SHMID \
    SHM_RDONLY _bits mro name value";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_identifiers() {
        let mut names = Identifiers::new(is_reserved_in_cpp);
        let mut taken = |name: &str| names.take(name, "anonymous").text;
        assert_eq!(taken("tick"), "tick");
        assert_eq!(taken("class"), "class_");
        assert_eq!(taken("class_"), "class__2");
        assert_eq!(taken("ns::Ring<float, 4>"), "ns_Ring_float_4_");
        assert_eq!(taken("4th"), "_4th");
        assert_eq!(taken("a; system(\"x\")"), "a_system_x_");
        assert_eq!((taken(""), taken("")), ("anonymous".to_owned(), "anonymous_2".to_owned()));
        assert_eq!((taken("é"), taken("_")), ("field_".to_owned(), "field__2".to_owned()));
        assert_eq!(taken("O_RDONLY"), "field_O_RDONLY");
        assert_eq!(names.take("x\n*/\\", "").original.unwrap(), "'x\\u{a}\\x2a\\x2f\\x5c'");
        let mut names = Identifiers::new(is_reserved_in_python);
        assert_eq!(names.take("__class__", "").text, "field_class");
        assert_eq!(names.take("_fields_", "").text, "field_fields");
    }

    #[test]
    fn literals_hold_any_bytes() {
        assert_eq!(cpp_string(b"a\"\\?\n\xff1"), r#""a\"\\\?\012\3771""#);
        assert_eq!(rust_string(b"a\"\n\xff1"), r#""a\"\x0a\xff1""#);
        assert_eq!(python_string("a\"\\\n\u{e9}"), r#""a\"\\\U0000000a\U000000e9""#);
    }
}
