//! Attaches to a segment in Python.

use super::super::attachment::{Attachment, Target, path};
use super::super::literal::{byte_string, python_string};

/// The function that attaches.
pub struct Attach {
    pub modules: &'static [&'static str],
    pub text: String,
    /// The segment is a `SharedMemory`.
    pub is_shared_memory: bool,
}

impl Attach {
    pub fn to(attachment: &Attachment) -> Self {
        match &attachment.target {
            Target::Object(name) => match std::str::from_utf8(name.as_bytes()) {
                // The resource tracker gets lines of ASCII with colons between their parts.
                Ok(text)
                    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !b"/:".contains(&byte)) =>
                {
                    Self {
                        modules: &["sys"],
                        text: OBJECT.replace("@NAME@", &python_string(text)),
                        is_shared_memory: true,
                    }
                }
                // SharedMemory does not take this name.
                _ => {
                    let path = byte_string(&path(name));
                    Self { modules: &["mmap"], text: FILE.replace("@PATH@", &path), is_shared_memory: false }
                }
            },
            Target::Shmid(shmid) => Self::sysv(&format!("SHMID = {shmid}"), "SHMID", attachment.size),
            Target::Key(key) => Self::sysv(
                &format!("KEY = {:#x}", key.0),
                "check(libc.shmget(KEY, SIZE, 0), \"shmget\")",
                attachment.size,
            ),
        }
    }

    fn sysv(declaration: &str, id: &str, size: u64) -> Self {
        let text = SYSV.replace("@DECLARATION@", declaration).replace("@ID@", id);
        Self {
            modules: &["ctypes", "os"],
            text: text.replace("@SIZE@", &size.to_string()),
            is_shared_memory: false,
        }
    }
}

const OBJECT: &str = r#"NAME = @NAME@


def attach():
    # SharedMemory needs the permission to write. If you may only read the object, use
    # mmap.mmap(os.open("/dev/shm/...", os.O_RDONLY), 0, prot=mmap.PROT_READ) instead.
    if sys.version_info >= (3, 13):
        # With track=True, the object would be unlinked when this program exits.
        return shared_memory.SharedMemory(name=NAME, create=False, track=False)
    memory = shared_memory.SharedMemory(name=NAME, create=False)
    # Otherwise the resource tracker would unlink the object when this program exits.
    resource_tracker.unregister(memory._name, "shared_memory")
    return memory

"#;
const FILE: &str = r#"

def attach():
    with open(@PATH@, "rb") as file:
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)

"#;
/// multiprocessing has no System V segments.
const SYSV: &str = r#"@DECLARATION@
SIZE = @SIZE@
SHM_RDONLY = 0o10000


def check(result, call):
    if result in (-1, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), call + ": " + os.strerror(ctypes.get_errno()))
    return result


def attach():
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmget.argtypes = [ctypes.c_int, ctypes.c_size_t, ctypes.c_int]
    libc.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
    libc.shmat.restype = ctypes.c_void_p
    shmid = @ID@
    # To write as well: 0 in place of SHM_RDONLY.
    address = check(libc.shmat(shmid, None, SHM_RDONLY), "shmat")
    return (ctypes.c_ubyte * SIZE).from_address(address)

"#;
