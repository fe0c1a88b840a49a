//! Programs in C++.

mod types;
mod values;

use super::attachment::{Opening, Target};
use super::functions;
use super::literal::cpp_string;
use super::model::{Dialect, Model};
use super::{Attachment, CodeError, reserved};
use crate::decode::Type;
use std::fmt::Write as _;
use types::types;

const DIALECT: Dialect = Dialect {
    in_fields: reserved::in_cpp,
    in_types: reserved::in_cpp,
    in_enums: reserved::in_cpp,
    has_bit_fields: true,
    has_anonymous: true,
};

pub fn definitions(ty: &Type) -> Result<String, CodeError> {
    Ok(types(&Model::new(ty, DIALECT)?))
}

pub fn program(attachment: &Attachment, ty: Option<&Type>, offset: u64) -> Result<String, CodeError> {
    let model = ty.map(|ty| Model::new(ty, DIALECT)).transpose()?;
    let mut out = format!("// Attaches to {}, read-only.\n", attachment.target.describe());
    out.push_str("// Build: g++ -std=c++17 FILE.cpp (glibc before 2.34 needs -lrt)\n");
    let (headers, attach) = attach(&attachment.target);
    out.push_str(HEADERS);
    if let Some(model) = &model {
        let (show, calls) = values::show(model);
        let _ = write!(out, "\n{}\n", types(model));
        for text in functions::CPP.called(&calls) {
            let _ = write!(out, "{text}\n\n");
        }
        // The names of the type do not meet the macros of these headers.
        let _ = write!(out, "{show}\n// These headers have macros with many names: they come last.\n");
    }
    out.push_str(headers);
    out.push_str(&attach);
    match &model {
        Some(model) => {
            let name = format!("shared::{}", model.name.text);
            out.push_str(&TYPED_MAIN.replace("@OFFSET@", &offset.to_string()).replace("@TYPE@", &name));
        }
        None => out.push_str(BYTES_MAIN),
    }
    Ok(out)
}

/// The headers and the function that attach.
fn attach(target: &Target) -> (&'static str, String) {
    let file = |open: String| (FILE_HEADERS, FILE.replace("@OPEN@", &open));
    match target {
        Target::Object(name) => file(match Opening::of(name) {
            Opening::Open(path) => format!("open({}, O_RDONLY | O_CLOEXEC)", cpp_string(&path)),
            Opening::ShmOpen(name) => format!("shm_open({}, O_RDONLY, 0)", cpp_string(&name)),
        }),
        Target::Shmid(shmid) => (SYSV_HEADERS, SYSV.replace("@ID@", &shmid.to_string())),
        Target::Key(key) => {
            let get = format!("shmget(static_cast<key_t>({:#x}), 0, 0)", key.0);
            (SYSV_HEADERS, SYSV.replace("@ID@", &get))
        }
    }
}

const HEADERS: &str = "\
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
";
const FILE_HEADERS: &str = "\
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
";
const SYSV_HEADERS: &str = "\
#include <sys/ipc.h>
#include <sys/shm.h>
";
/// Attaches to a POSIX object.
const FILE: &str = r#"
struct Attached {
    const unsigned char *bytes;
    std::size_t size;
};

// To write as well: O_RDWR, and PROT_READ | PROT_WRITE.
static Attached attach() {
    const int file = @OPEN@;
    if (file < 0) {
        std::perror("open");
        return {nullptr, 0};
    }
    struct stat status;
    if (fstat(file, &status) != 0) {
        std::perror("fstat");
        close(file);
        return {nullptr, 0};
    }
    const std::size_t size = static_cast<std::size_t>(status.st_size);
    void *const address = mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (address == MAP_FAILED) {
        std::perror("mmap");
        return {nullptr, 0};
    }
    return {static_cast<const unsigned char *>(address), size};
}
"#;
const SYSV: &str = r#"
struct Attached {
    const unsigned char *bytes;
    std::size_t size;
};

// To write as well: 0 in place of SHM_RDONLY.
static Attached attach() {
    const int shmid = @ID@;
    struct shmid_ds status;
    if (shmid < 0 || shmctl(shmid, IPC_STAT, &status) != 0) {
        std::perror(shmid < 0 ? "shmget" : "shmctl");
        return {nullptr, 0};
    }
    void *const address = shmat(shmid, nullptr, SHM_RDONLY);
    if (address == reinterpret_cast<void *>(-1)) {
        std::perror("shmat");
        return {nullptr, 0};
    }
    return {static_cast<const unsigned char *>(address), status.shm_segsz};
}
"#;
const BYTES_MAIN: &str = r#"
int main() {
    const Attached segment = attach();
    if (segment.bytes == nullptr) {
        return 1;
    }
    std::printf("%zu bytes\n", segment.size);
    for (std::size_t at = 0; at < segment.size && at < 16; at++) {
        std::printf("%02x ", segment.bytes[at]);
    }
    std::puts("");
}
"#;

const TYPED_MAIN: &str = r#"
int main() {
    const Attached segment = attach();
    if (segment.bytes == nullptr) {
        return 1;
    }
    const std::size_t offset = @OFFSET@;
    if (segment.size < offset || segment.size - offset < sizeof(@TYPE@)) {
        std::fprintf(stderr, "the segment is too small: %zu bytes\n", segment.size);
        return 1;
    }
    // Other processes may write while you read.
    show(reinterpret_cast<const @TYPE@ *>(segment.bytes + offset));
}
"#;

#[cfg(test)]
mod tests {
    use super::definitions;
    use crate::decode::parse_type;

    fn translated(text: &str) -> String {
        definitions(&parse_type(text, &|_| Err(String::new())).unwrap().ty).unwrap()
    }

    #[test]
    fn enumerations_keep_their_scope_and_names() {
        let text = translated(
            "enum Mode { OFF, F_OK, SEEK_SET }; enum class Kind { OFF }; struct S { Mode m; Kind k; }",
        );
        let mode = "enum Mode : std::uint32_t {\n    OFF = 0,\n    F_OK = 1,\n    SEEK_SET_ = 2,  // named 'SEEK_SET'\n";
        assert!(text.contains(mode) && text.contains("enum class Kind : std::int32_t {"), "{text}");
    }

    #[test]
    fn enumerators_with_the_same_name_get_scopes() {
        let text =
            translated("struct S { enum A { X } a; }; struct T { S s; enum B { X, B } b; enum C { Y } c; }");
        assert!(text.contains("enum S_A : "), "{text}");
        assert!(text.contains("enum class T_B : ") && text.contains("enum T_C : "), "{text}");
    }
}
