//! Why something was not done: in plain words, with what would help.

use super::copies::KeepError;
use super::{Refusal, RestoreError, SaveError};
use crate::machine::Machine;
use crate::machine::control::Capability;
use crate::segment::{Bytes, Owner, Segment, SegmentId, plain_error};
use std::io;

/// Why a plan was not carried out, or did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// Something stood against it; nothing was done.
    #[error("{subject}: {}. {}", .refusal.reason, .refusal.remedy)]
    Refused {
        /// What it was to be done to.
        subject: String,
        /// What stands against it.
        refusal: Refusal,
    },
    /// It is gone.
    #[error("{id} is gone: it was removed since it was shown. Nothing was done")]
    Gone {
        /// Which.
        id: SegmentId,
    },
    /// It is not the very one that was shown.
    #[error("{id} is not as it was shown: {how}. Nothing was done. Look again, and choose anew")]
    NotTheSame {
        /// Which.
        id: SegmentId,
        /// What is different.
        how: String,
    },
    /// The kernel does not allow it to this user.
    #[error("{id}: {denied}")]
    Denied {
        /// Which.
        id: SegmentId,
        /// What, and who may.
        denied: Denied,
    },
    /// A limit is in the way.
    #[error("{id} cannot be locked: {reason}. {remedy}")]
    Limit {
        /// Which.
        id: SegmentId,
        /// The limit and what it is.
        reason: String,
        /// What would help.
        remedy: String,
    },
    /// What is to be made exists, and is left as it is.
    #[error("{subject} exists already, and is left as it is. {remedy}")]
    Exists {
        /// What was to be made.
        subject: String,
        /// What would help.
        remedy: String,
    },
    /// It cannot be made.
    #[error("{subject} cannot be made: {reason}. {remedy}")]
    NotMade {
        /// What was to be made.
        subject: String,
        /// Why.
        reason: String,
        /// What would help.
        remedy: String,
    },
    /// A removal moved another object aside, and its name was taken before it
    /// could be given back.
    #[error(
        "{id} was replaced twice while it was looked at: the object that was moved aside is whole, and is \
         called {now} now, since its name was taken again. Rename it when the other one is gone"
    )]
    Astray {
        /// What was to be removed.
        id: SegmentId,
        /// What the other object is called now.
        now: SegmentId,
    },
    /// The kernel said that it is done, and then told otherwise.
    #[error("{id}: the kernel took the change, and shows something else now: {found}")]
    Unverified {
        /// Which.
        id: SegmentId,
        /// What it shows.
        found: String,
    },
    /// The work was cancelled.
    #[error("stopped: nothing was done to {subject}")]
    Stopped {
        /// What it was to be done to.
        subject: String,
    },
    /// A creation was cancelled.
    #[error("stopped: {subject} was not created, and nothing is left of it")]
    NotCreated {
        /// What was to be created.
        subject: String,
    },
    /// No copy of it could be kept, so it was not removed.
    #[error("{0}. Nothing was removed; --no-copy removes it without a copy")]
    NotKept(KeepError),
    /// It could not be saved.
    #[error(transparent)]
    NotSaved(#[from] SaveError),
    /// It could not be restored.
    #[error(transparent)]
    NotRestored(#[from] RestoreError),
    /// Anything else that the kernel said.
    #[error("{id}: {what} failed: {}", plain_error(.source))]
    Failed {
        /// Which.
        id: SegmentId,
        /// Which step.
        what: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
}

/// Who may do what, told to somebody who may not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("you may not {what}: only {who} may. {remedy}")]
pub struct Denied {
    /// What was to be done.
    pub what: &'static str,
    /// Who may.
    pub who: String,
    /// What would help.
    pub remedy: String,
}

impl Denied {
    /// For what the owner, the creator and somebody with a capability may do.
    pub(super) fn of(segment: &Segment, what: &'static str, capability: Capability) -> Self {
        let owner = segment.owner.user_text();
        let creator = segment.sysv().map(|facts| facts.creator.clone());
        let creator = creator.filter(|creator: &Owner| creator.uid != segment.owner.uid);
        let mut who = format!("its owner {owner}");
        if let Some(creator) = creator {
            who = format!("{who}, its creator {}", creator.user_text());
        }
        let root = format!("root ({})", capability.name());
        let who = if who == "its owner root" { root } else { format!("{who} and {root}") };
        Self { what, who, remedy: format!("Run as {owner} or with sudo") }
    }
}

impl ActError {
    /// Words for what the kernel said to a change of this segment.
    pub(super) fn of(
        machine: &dyn Machine,
        segment: &Segment,
        what: &'static str,
        capability: Capability,
        source: io::Error,
    ) -> Self {
        let id = segment.id.clone();
        match source.raw_os_error() {
            Some(libc::EINVAL | libc::EIDRM | libc::ENOENT) => Self::Gone { id },
            Some(libc::EPERM | libc::EACCES) if machine.control().credentials().may(capability) => {
                Self::Refused { subject: id.to_string(), refusal: forbidden_to_root(segment, what) }
            }
            Some(libc::EPERM | libc::EACCES) => {
                Self::Denied { id, denied: Denied::of(segment, what, capability) }
            }
            Some(libc::EROFS) => {
                Self::Failed { id, what: "the change (the file system is read-only)", source }
            }
            _ => Self::Failed { id, what, source },
        }
    }

    /// Whether nothing at all was changed.
    #[must_use]
    pub const fn nothing_done(&self) -> bool {
        !matches!(self, Self::Astray { .. } | Self::Unverified { .. } | Self::Failed { .. })
    }
}

/// Why what root may do is forbidden all the same.
fn forbidden_to_root(segment: &Segment, what: &str) -> Refusal {
    let (reason, remedy) = if segment.posix().is_some() {
        (
            "it or its directory is immutable or append-only, or a sandbox or security module forbids it",
            "lsattr shows the first, and chattr -i -a takes it away",
        )
    } else {
        ("a sandbox or security module forbids it", "Run outside of it")
    };
    Refusal::new(format!("you may not {what}, though you have the rights: {reason}"), remedy)
}

/// A limit in words: its size, or that there is none.
pub(super) fn limit_text(limit: Option<Bytes>) -> String {
    limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::made::{MadeBytes, MadeMachine};
    use crate::survey::{Names, Survey};

    #[test]
    fn who_has_the_rights_is_not_sent_to_get_them() {
        let machine = MadeMachine::new();
        machine.add_sysv(1, 7, MadeBytes::hole(1));
        machine.add_object("a", MadeBytes::hole(1));
        let segments = Survey::take(&machine, &mut Names::default()).segments;
        let said = |uid: u32| -> Vec<String> {
            machine.edit(|facts| facts.effective_uid = uid);
            let errors = segments.iter().map(|segment| {
                let refused = io::Error::from_raw_os_error(libc::EPERM);
                ActError::of(&machine, segment, "remove it", Capability::Fowner, refused).to_string()
            });
            errors.collect()
        };
        for (root, stranger) in said(0).iter().zip(said(4242)) {
            assert!(root.contains("though you have the rights") && !root.contains("sudo"), "{root}");
            assert!(stranger.contains("only its owner ann and root (CAP_FOWNER) may"), "{stranger}");
        }
        assert!(said(0)[1].contains("immutable"), "{:?}", said(0));
    }
}
