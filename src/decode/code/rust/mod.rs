//! Programs in Rust, with the crate `libc`.

mod types;
mod values;

use super::attachment::{Opening, Target};
use super::functions;
use super::literal::byte_string;
use super::model::{Dialect, Model};
use super::{Attachment, CodeError, reserved};
use crate::decode::Type;
use std::fmt::Write as _;
use types::types;

const DIALECT: Dialect = Dialect {
    in_fields: reserved::in_rust,
    in_types: reserved::in_rust_types,
    in_enums: reserved::in_rust,
    has_bit_fields: false,
    has_anonymous: false,
};

pub fn definitions(ty: &Type) -> Result<String, CodeError> {
    Ok(types(&Model::new(ty, DIALECT)?))
}

pub fn program(attachment: &Attachment, ty: Option<&Type>, offset: u64) -> Result<String, CodeError> {
    let model = ty.map(|ty| Model::new(ty, DIALECT)).transpose()?;
    let mut out = format!("// Attaches to {}, read-only.\n", attachment.target.describe());
    out.push_str("// Build: cargo add libc (Rust 1.79 or later)\n");
    out.push_str("use std::io;\n");
    if let Some(model) = &model {
        let (show, calls) = values::show(model);
        let _ = write!(out, "\n{}\n", types(model));
        for text in functions::RUST.called(&calls) {
            let _ = write!(out, "{text}\n\n");
        }
        out.push_str(&show);
    }
    out.push_str(&attach(&attachment.target));
    match &model {
        Some(model) => {
            let name = format!("shared::{}", model.name.text);
            out.push_str(&TYPED_MAIN.replace("@OFFSET@", &offset.to_string()).replace("@TYPE@", &name));
        }
        None => out.push_str(BYTES_MAIN),
    }
    Ok(out)
}

/// The function that attaches.
fn attach(target: &Target) -> String {
    // The names end with a NUL.
    let name = |name: Vec<u8>| byte_string(&[&*name, b"\0"].concat());
    match target {
        Target::Object(object) => {
            let open = match Opening::of(object) {
                Opening::Open(path) => {
                    format!("libc::open({}.as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC)", name(path))
                }
                Opening::ShmOpen(path) => {
                    format!("libc::shm_open({}.as_ptr().cast(), libc::O_RDONLY, 0)", name(path))
                }
            };
            FILE.replace("@OPEN@", &open)
        }
        Target::Shmid(shmid) => SYSV.replace("@ID@", &shmid.to_string()),
        Target::Key(key) => {
            SYSV.replace("@ID@", &format!("unsafe {{ libc::shmget({:#x}_u32 as libc::key_t, 0, 0) }}", key.0))
        }
    }
}

const FILE: &str = r"
/// Returns the first byte and the size. To write as well: O_RDWR, and PROT_READ | PROT_WRITE.
fn attach() -> io::Result<(*const u8, usize)> {
    unsafe {
        let file = @OPEN@;
        if file < 0 {
            return Err(io::Error::last_os_error());
        }
        let mut status: libc::stat = std::mem::zeroed();
        let found = libc::fstat(file, &mut status);
        let size = status.st_size as usize;
        let address = libc::mmap(std::ptr::null_mut(), size, libc::PROT_READ, libc::MAP_SHARED, file, 0);
        let error = io::Error::last_os_error();
        libc::close(file);
        if found != 0 || address == libc::MAP_FAILED {
            return Err(error);
        }
        Ok((address.cast(), size))
    }
}
";
const SYSV: &str = r"
/// Returns the first byte and the size. To write as well: 0 in place of SHM_RDONLY.
fn attach() -> io::Result<(*const u8, usize)> {
    let shmid = @ID@;
    if shmid < 0 {
        return Err(io::Error::last_os_error());
    }
    unsafe {
        let mut status: libc::shmid_ds = std::mem::zeroed();
        if libc::shmctl(shmid, libc::IPC_STAT, &mut status) != 0 {
            return Err(io::Error::last_os_error());
        }
        let address = libc::shmat(shmid, std::ptr::null(), libc::SHM_RDONLY);
        if address as isize == -1 {
            return Err(io::Error::last_os_error());
        }
        Ok((address.cast_const().cast(), status.shm_segsz))
    }
}
";
const BYTES_MAIN: &str = r#"
fn main() -> io::Result<()> {
    let (bytes, size) = attach()?;
    println!("{size} bytes");
    for at in 0..size.min(16) {
        // Other processes may write while you read.
        print!("{:02x} ", unsafe { bytes.add(at).read_volatile() });
    }
    println!();
    Ok(())
}
"#;

const TYPED_MAIN: &str = r#"
fn main() -> io::Result<()> {
    let (bytes, size) = attach()?;
    let offset: usize = @OFFSET@;
    if size < offset || size - offset < std::mem::size_of::<@TYPE@>() {
        return Err(io::Error::other(format!("the segment is too small: {size} bytes")));
    }
    show(unsafe { bytes.add(offset) }.cast());
    Ok(())
}
"#;
