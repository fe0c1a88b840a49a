//! Why something was not done: in plain words, with what would help.

use super::copies::KeepError;
use super::log::LogError;
use super::{Refusal, RestoreError, SaveError, StateError, permitted};
use crate::machine::Machine;
use crate::machine::control::{Capability, Credentials};
use crate::segment::{Bytes, Owner, Segment, SegmentId, plain_error};
use std::fmt::Display;
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
    /// A holder appeared after the segment was shown; nothing was done.
    #[error("{id}: {reason}. {remedy}")]
    InUseNow {
        /// Which.
        id: SegmentId,
        /// The holder, where it can be seen.
        reason: String,
        /// What would help.
        remedy: &'static str,
    },
    /// It is gone.
    #[error("{id} is gone: removed since it was listed. Nothing was changed")]
    Gone {
        /// Which.
        id: SegmentId,
    },
    /// It is not the very one that was shown.
    #[error("{id} has changed since it was listed: {how}. Nothing was changed; try again")]
    NotTheSame {
        /// Which.
        id: SegmentId,
        /// What is different.
        how: String,
    },
    /// The kernel does not allow it to this user.
    #[error("{id}: {}. {}", .refusal.reason, .refusal.remedy)]
    Denied {
        /// Which.
        id: SegmentId,
        /// Why, and what would help.
        refusal: Refusal,
    },
    /// A limit is in the way.
    #[error("failed to lock {id}: {reason}. {remedy}")]
    Limit {
        /// Which.
        id: SegmentId,
        /// The limit and what it is.
        reason: String,
        /// What would help.
        remedy: String,
    },
    /// What is to be made exists, and is left as it is.
    #[error("{subject} already exists. {remedy}")]
    Exists {
        /// The segment to create.
        subject: String,
        /// What would help.
        remedy: String,
    },
    /// It cannot be made.
    #[error("failed to create {subject}: {reason}. {remedy}")]
    NotMade {
        /// The segment to create.
        subject: String,
        /// Why.
        reason: String,
        /// What would help.
        remedy: String,
    },
    /// No mark could be written that finds the segment after a kill.
    #[error("failed to create {subject}: cannot write the recovery mark: {source}")]
    NoMark {
        /// The segment to create.
        subject: String,
        /// Why.
        source: StateError,
    },
    /// A removal moved an object aside that has to stay, and its name was taken
    /// before it could be given back.
    #[error(
        "{id} was replaced while it was being removed: an object was moved aside and is now {now}, intact. \
         Remove the new one and run `shmlens rm --recover` to rename it back"
    )]
    Astray {
        /// What was to be removed.
        id: SegmentId,
        /// What the moved object is called now.
        now: SegmentId,
    },
    /// The kernel said that it is done, and then told otherwise.
    #[error("{id}: the kernel accepted the change but now reports {found}")]
    Unverified {
        /// Which.
        id: SegmentId,
        /// What it shows.
        found: String,
    },
    /// The work was cancelled.
    #[error("stopped before {subject}: nothing was changed")]
    Stopped {
        /// What it was to be done to.
        subject: String,
    },
    /// No copy of it could be saved among the others, so it was not removed.
    #[error("{}. Not removed. Use --save FILE to save a copy elsewhere, or --no-copy", about(.id, .source))]
    NotKept {
        /// The segment.
        id: SegmentId,
        /// Why there is no copy.
        source: KeepError,
    },
    /// Older copies were deleted to make room on the disk, and then it failed.
    #[error("{source}. {deleted} older {} already deleted to make room", copies(*.deleted))]
    CopiesDeleted {
        /// The count.
        deleted: usize,
        /// Why it failed.
        source: Box<Self>,
    },
    /// The log cannot be opened, so nothing was done.
    #[error("{subject}: nothing was changed: {source}")]
    NotLogged {
        /// The segment, as text.
        subject: String,
        /// Why not.
        source: LogError,
    },
    /// No copy of it could be saved in the file that was named, so it was not removed.
    #[error("{}. Not removed", about(.id, .source))]
    NotCopied {
        /// The segment.
        id: SegmentId,
        /// Why there is no copy.
        source: SaveError,
    },
    /// A creation was cancelled.
    #[error("stopped: {subject} was not created; partial data was removed")]
    NotCreated {
        /// The segment to create.
        subject: String,
    },
    /// It could not be saved.
    #[error(transparent)]
    NotSaved(#[from] SaveError),
    /// It could not be restored.
    #[error(transparent)]
    NotRestored(#[from] RestoreError),
    /// Anything else that the kernel said.
    #[error("failed to {}: {}", .step.of(.id), plain_error(.source))]
    Failed {
        /// Which.
        id: SegmentId,
        /// The step that failed.
        step: Step,
        /// What the kernel said.
        source: io::Error,
    },
}

/// A step of a change that the kernel may refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Remove it.
    Remove,
    /// Give an object the name back that it had before an interrupted removal.
    Rename,
    /// Change its mode.
    SetMode,
    /// Change its owner or group.
    SetOwner,
    /// Lock it in memory.
    Lock,
    /// Unlock it.
    Unlock,
    /// Check that it still is the segment that was shown.
    Check,
    /// Ask the kernel whether the change was made.
    Verify,
}

impl Step {
    /// The step with its object: `change the mode of sysv:3`.
    #[must_use]
    pub fn of(self, object: &dyn Display) -> String {
        match self {
            Self::Remove => format!("remove {object}"),
            Self::Rename => format!("rename {object}"),
            Self::SetMode => format!("change the mode of {object}"),
            Self::SetOwner => format!("change the owner of {object}"),
            Self::Lock => format!("lock {object}"),
            Self::Unlock => format!("unlock {object}"),
            Self::Check => format!("check {object}"),
            Self::Verify => format!("verify the change of {object}"),
        }
    }

    /// The step after its object has been named.
    #[must_use]
    pub const fn it(self) -> &'static str {
        match self {
            Self::Remove => "remove it",
            Self::Rename => "rename it",
            Self::SetMode => "change its mode",
            Self::SetOwner => "change its owner",
            Self::Lock => "lock it",
            Self::Unlock => "unlock it",
            Self::Check => "check it",
            Self::Verify => "verify the change",
        }
    }
}

/// Puts the segment in front of an error, unless the error names it: in a batch every message has to.
pub fn about(id: &SegmentId, error: &dyn Display) -> String {
    let (name, text) = (id.to_string(), error.to_string());
    let ends =
        |at: usize| !text[at + name.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '/');
    if text.match_indices(&name).any(|(at, _)| ends(at)) { text } else { format!("{name}: {text}") }
}

/// A step that is up to others, and who they are.
pub(super) struct Denied {
    step: Step,
    who: String,
    remedy: String,
}

impl Denied {
    /// For what the owner, the creator and whoever has a capability may do.
    pub(super) fn of(me: &Credentials, segment: &Segment, step: Step, capability: Capability) -> Self {
        let creator = segment.sysv().map(|facts| (&facts.creator, "creator"));
        let owners: Vec<_> = [(&segment.owner, "owner")].into_iter().chain(creator).collect();
        Self::new(me, &owners, step, capability)
    }

    /// For a name in a sticky directory, which the owners of both may remove.
    pub(super) fn for_name(segment: &Segment, directory: &Owner, me: &Credentials) -> Self {
        let owners = [(&segment.owner, "owner"), (directory, "directory's owner")];
        Self::new(me, &owners, Step::Remove, Capability::Fowner)
    }

    fn new(me: &Credentials, owners: &[(&Owner, &str)], step: Step, capability: Capability) -> Self {
        let mut named: Vec<&Owner> = vec![];
        let mut who: Vec<String> = vec![];
        for (owner, role) in owners {
            // Root is named last, and each user once.
            if owner.uid != 0 && named.iter().all(|other| other.uid != owner.uid) {
                named.push(owner);
                who.push(format!("its {role} {}", permitted::name(owner)));
            }
        }
        let root = permitted::root(me, capability);
        let who = if who.is_empty() { root } else { format!("{} or {root}", who.join(", ")) };
        Self { step, who, remedy: permitted::remedy(&named, me, capability) }
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self::new(format!("only {} can {}", denied.who, denied.step.it()), denied.remedy)
    }
}

impl ActError {
    /// Words for what the kernel said to a change of this segment.
    pub(super) fn of(
        machine: &dyn Machine,
        segment: &Segment,
        step: Step,
        capability: Capability,
        source: io::Error,
    ) -> Self {
        let id = segment.id.clone();
        let removes = matches!(step, Step::Remove | Step::Rename);
        match source.raw_os_error() {
            Some(libc::EINVAL | libc::EIDRM) if segment.sysv().is_some() => Self::Gone { id },
            Some(libc::ENOENT) => Self::Gone { id },
            Some(libc::EPERM | libc::EACCES | libc::EROFS) => {
                // What the plan would say now: it may have changed since.
                let predicted = if removes {
                    permitted::removal(machine, segment)
                } else {
                    permitted::bound(machine, segment)
                };
                let me = machine.credentials();
                let refusal = match predicted {
                    Some(refusal) => refusal,
                    None if me.may(capability) => forbidden(segment, step),
                    None => Denied::of(&me, segment, step, capability).into(),
                };
                Self::Denied { id, refusal }
            }
            _ => Self::Failed { id, step, source },
        }
    }

    /// Whether nothing at all was changed.
    #[must_use]
    pub const fn nothing_done(&self) -> bool {
        !matches!(
            self,
            Self::Astray { .. } | Self::Unverified { .. } | Self::Failed { .. } | Self::CopiesDeleted { .. }
        )
    }
}

const fn copies(count: usize) -> &'static str {
    if count == 1 { "copy" } else { "copies" }
}

/// Why the kernel refuses what the caller has every right to.
fn forbidden(segment: &Segment, step: Step) -> Refusal {
    let it = step.it();
    if segment.posix().is_some() {
        let reason = format!(
            "the kernel refused, although you have permission to {it}: the file may be \
                              immutable, or a sandbox or security module forbids it"
        );
        Refusal::new(reason, "Check with `lsattr` and the system log")
    } else {
        let reason = format!(
            "the kernel refused, although you have permission to {it}: a sandbox or security module forbids it"
        );
        Refusal::new(reason, "Run outside the sandbox")
    }
}

/// A limit in words: its size, or that there is none.
pub(super) fn limit_text(limit: Option<Bytes>) -> String {
    limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::survey::{Names, Survey};

    #[test]
    fn callers_with_permission_are_not_told_to_get_it() {
        let machine = FakeMachine::new();
        machine.add_sysv(1, 7, FakeBytes::hole(1));
        machine.add_object("a", FakeBytes::hole(1));
        let segments = Survey::take(&machine, &mut Names::default()).segments;
        let said = |uid: u32| -> Vec<String> {
            machine.edit(|facts| facts.effective_uid = uid);
            let errors = segments.iter().map(|segment| {
                let refused = io::Error::from_raw_os_error(libc::EPERM);
                ActError::of(&machine, segment, Step::Remove, Capability::Fowner, refused).to_string()
            });
            errors.collect()
        };
        for (root, stranger) in said(0).iter().zip(said(4242)) {
            assert!(root.contains("although you have permission") && !root.contains("sudo"), "{root}");
            assert!(stranger.contains("only its owner ann or root can remove it"), "{stranger}");
        }
        assert!(said(0)[1].contains("immutable"), "{:?}", said(0));
    }

    #[test]
    fn every_error_names_its_segment_once() {
        let id = SegmentId::Sysv(crate::segment::ShmId(3));
        assert_eq!(about(&id, &"no space left on device"), "sysv:3: no space left on device");
        assert_eq!(about(&id, &"failed to copy sysv:3: no space"), "failed to copy sysv:3: no space");
        assert_eq!(about(&id, &"sysv:32 has the key"), "sysv:3: sysv:32 has the key");
    }
}
