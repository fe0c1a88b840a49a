//! Users and processes whose access to a segment is checked.

use super::action::parse_id;
use crate::machine::Machine;
use crate::machine::control::Credentials;
use crate::segment::escape;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub text: String,
    pub credentials: Credentials,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParsePrincipalError {
    #[error("no user named '{}'; use a pid for a process, uid:1000 for a user id", escape(.0.as_bytes()))]
    User(String),
    #[error("no process {0}; use uid:{0} for the user with that id")]
    Process(u32),
    #[error("invalid {kind} id '{}'", escape(.text.as_bytes()))]
    Number {
        text: String,
        /// The kind of id, such as `user`.
        kind: &'static str,
    },
}

impl Principal {
    /// Parses a user name, `uid:1000`, a pid, or `pid:4121`. An existing user name takes precedence
    /// over a pid.
    pub fn parse(machine: &dyn Machine, text: &str) -> Result<Self, ParsePrincipalError> {
        let parse_error = |text: &str, kind| ParsePrincipalError::Number { text: text.to_owned(), kind };
        if let Some(number) = text.strip_prefix("uid:") {
            let uid = parse_id(number).ok_or_else(|| parse_error(number, "user"))?;
            return Ok(Self::user(machine, uid));
        }
        if let Some(number) = text.strip_prefix("pid:") {
            let pid = parse_id(number).ok_or_else(|| parse_error(number, "process"))?;
            return Self::process(machine, pid);
        }
        match (machine.user_by_name(text), parse_id(text)) {
            (Some((uid, _)), _) => Ok(Self::user(machine, uid)),
            (None, Some(pid)) => Self::process(machine, pid),
            (None, None) => Err(ParsePrincipalError::User(text.to_owned())),
        }
    }

    fn user(machine: &dyn Machine, uid: u32) -> Self {
        let text = match machine.user_name(uid) {
            Some(name) => escape(name.as_bytes()),
            None => format!("user {uid}"),
        };
        Self { text, credentials: machine.user_credentials(uid) }
    }

    fn process(machine: &dyn Machine, pid: u32) -> Result<Self, ParsePrincipalError> {
        let credentials = machine.process_credentials(pid).ok_or(ParsePrincipalError::Process(pid))?;
        let user = Self::user(machine, credentials.uid).text;
        Ok(Self { text: format!("process {pid} ({user})"), credentials })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};

    #[test]
    fn users_and_processes_parse() {
        let machine = FakeMachine::new();
        machine.add_sysv(1, 2, FakeBytes::hole(1));
        machine.edit(|facts| facts.users.insert(7, "77".to_owned()));
        let read = |text| Principal::parse(&machine, text).map(|who| (who.text, who.credentials.uid));
        for (text, wanted) in [
            ("ann", ("ann", 1000)),
            ("uid:1001", ("bob", 1001)),
            ("uid:4242", ("user 4242", 4242)),
            // A fake machine has one process, which belongs to its creator.
            ("4121", ("process 4121 (ann)", 1000)),
            ("pid:4121", ("process 4121 (ann)", 1000)),
            // A user whose name is a number.
            ("77", ("77", 7)),
        ] {
            assert_eq!(read(text), Ok((wanted.0.to_owned(), wanted.1)), "{text}");
        }
        for text in ["", "carl", "4122", "pid:ann", "uid:", "uid:-1", "uid:4294967295", "ann:bob"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read("4122").unwrap_err().to_string().contains("uid:4122"));
        let error = read("\x1b[2J").unwrap_err().to_string();
        assert!(!error.contains('\x1b'), "{error}");
    }
}
