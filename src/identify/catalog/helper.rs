//! Helper processes that clean up segments, such as Python's resource tracker.

use crate::config::maker::HelperOwner;

/// `TASK_COMM_LEN` without its NUL.
const MAX_COMM_LENGTH: usize = 15;

/// Programs that run the script in their arguments.
const INTERPRETERS: [&[u8]; 7] = [b"python", b"pypy", b"perl", b"ruby", b"node", b"java", b"sh"];

/// Returns true if a process is the given helper: by its command name, its program, or a word in an
/// argument. Only arguments of interpreters count, including code after `-c`, as used by frozen
/// Python programs. A `*` at the end of the helper matches any suffix. `comm` is `/proc/PID/comm`
/// without the newline, `arguments` come from `cmdline`.
#[must_use]
pub fn is_helper(helper: &[u8], comm: &[u8], arguments: &[&[u8]]) -> bool {
    if helper.is_empty() {
        return false;
    }
    if let Some(beginning) = helper.strip_suffix(b"*") {
        let first = arguments.first().is_some_and(|first| base_name(first).starts_with(beginning));
        return comm.starts_with(beginning) || first;
    }
    if comm == helper || (helper.len() > MAX_COMM_LENGTH && comm == &helper[..MAX_COMM_LENGTH]) {
        return true;
    }
    let Some((first, rest)) = arguments.split_first() else { return false };
    // PostgreSQL and sshd write "postgres: writer" over their arguments.
    let program = first.split(|&byte| matches!(byte, b' ' | b':')).next().unwrap_or(first);
    let program = base_name(program);
    if program == helper || base_name(first) == helper {
        return true;
    }
    let interpreted = INTERPRETERS.iter().any(|known| program.starts_with(known));
    let is_code = |index: usize| index.checked_sub(1).is_some_and(|before| rest[before] == b"-c");
    rest.iter()
        .enumerate()
        .any(|(index, argument)| (interpreted || is_code(index)) && has_word(argument, helper))
}

fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

fn has_word(text: &[u8], word: &[u8]) -> bool {
    let inside = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    memchr::memmem::find_iter(text, word).any(|start| {
        let before = start.checked_sub(1).and_then(|before| text.get(before));
        !inside(before) && !inside(text.get(start + word.len()))
    })
}

/// Names the users whose helpers count.
pub(super) const fn describe(whose: HelperOwner) -> &'static str {
    match whose {
        HelperOwner::Owner => " of its owner or root",
        HelperOwner::Anyone => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helper_is_found_by_name_program_or_argument() {
        let tracker = b"from multiprocessing.resource_tracker import main;main(5)".as_slice();
        let matches = |helper: &str, comm: &str, arguments: &[&[u8]]| {
            is_helper(helper.as_bytes(), comm.as_bytes(), arguments)
        };
        assert!(matches("resource_tracker", "python3", &[b"/usr/bin/python3", b"-c", tracker]));
        assert!(
            matches("resource_tracker", "app", &[b"/opt/app", b"-B", b"-c", tracker]),
            "a frozen application finds its helper"
        );
        assert!(!matches("resource_tracker", "grep", &[b"grep", b"resource_tracker"]));
        assert!(
            !matches("tracker", "python3", &[b"python3", b"-c", tracker]),
            "a part of a word is not a match"
        );
        assert!(matches("torch_shm_manager", "torch_shm_manag", &[]));
        assert!(matches("postgres", "x", &[b"postgres: checkpointer "]));
        assert!(matches("iox-roudi", "x", &[b"/opt/bin/iox-roudi", b"-c"]));
        assert!(!matches("squid", "squidclient", &[b"squidclient"]));
        assert!(
            matches("ora_pmon_*", "ora_pmon_ORCL", &[])
                && !matches("ora_pmon_*", "ora_smon_ORCL", &[b"ora_smon_ORCL"])
        );
        assert!(!matches("", "", &[]));
    }
}
