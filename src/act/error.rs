//! Errors of changes to segments, each with a reason and a remedy.

use super::copies::KeepError;
use super::log::LogError;
use super::{Refusal, RestoreError, SaveError, StateError, Target, permitted};
use crate::machine::control::{Capability, Credentials};
use crate::segment::{Bytes, Owner, Segment, SegmentId, plain_error};
use std::fmt::Display;
use std::io;

#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// The plan was refused; nothing was changed.
    #[error("{subject}: {}. {}", .refusal.reason, .refusal.remedy)]
    Refused { subject: String, refusal: Refusal },
    /// A holder appeared after the segment was listed; nothing was changed.
    #[error("{id}: {reason}. {remedy}")]
    InUseNow {
        id: SegmentId,
        /// Names the holder if it is visible.
        reason: String,
        remedy: &'static str,
    },
    /// The segment no longer exists.
    #[error("{id} is gone: removed since it was listed. Nothing was changed")]
    Gone { id: SegmentId },
    /// The segment is not the one that was listed.
    #[error("{id} has changed since it was listed: {how}. Nothing was changed; try again")]
    NotTheSame {
        id: SegmentId,
        /// The difference.
        how: String,
    },
    #[error("{id}: {}. {}", .refusal.reason, .refusal.remedy)]
    Denied { id: SegmentId, refusal: Refusal },
    /// The limit on locked memory is too low.
    #[error("failed to lock {id}: {reason}. {remedy}")]
    Limit { id: SegmentId, reason: String, remedy: String },
    /// The segment to create already exists, and was not changed.
    #[error("{subject} already exists. {remedy}")]
    Exists { subject: String, remedy: String },
    #[error("failed to create {subject}: {reason}. {remedy}")]
    NotMade { subject: String, reason: String, remedy: String },
    /// The recovery mark, which identifies the segment if this process is killed, cannot be
    /// written.
    #[error("failed to create {subject}: cannot write the recovery mark: {source}")]
    NoMark { subject: String, source: StateError },
    /// A removal moved the wrong object aside, and could not move it back because a new object had
    /// taken its name.
    #[error(
        "{id} was replaced while it was being removed: an object was moved aside and is now {now}, intact. \
         Remove the new one and run `shmlens rm --recover` to rename it back"
    )]
    NotMovedBack {
        id: SegmentId,
        /// The moved object's current name.
        now: SegmentId,
    },
    /// The kernel accepted the change, but reports a different state.
    #[error("{id}: the kernel accepted the change but now reports {found}")]
    Unverified { id: SegmentId, found: String },
    /// Canceled before the change.
    #[error("stopped before {subject}: nothing was changed")]
    Stopped { subject: String },
    /// Not removed, because no copy could be saved in the state directory.
    #[error("{}. Not removed. Use --save FILE to save a copy elsewhere, or --no-copy", with_segment_id(.id, .source))]
    NotKept { id: SegmentId, source: KeepError },
    /// Failed after older copies were deleted to make room.
    #[error("{source}. {deleted} older {} already deleted to make room", copies(*.deleted))]
    CopiesDeleted { deleted: usize, source: Box<Self> },
    /// The log cannot be opened, so nothing was changed.
    #[error("{subject}: nothing was changed: {source}")]
    NotLogged { subject: String, source: LogError },
    /// Not removed, because no copy could be saved to the given file.
    #[error("{}. Not removed", with_segment_id(.id, .source))]
    NotCopied { id: SegmentId, source: SaveError },
    #[error("stopped: {subject} was not created; partial data was removed")]
    NotCreated { subject: String },
    #[error(transparent)]
    NotSaved(#[from] SaveError),
    #[error(transparent)]
    NotRestored(#[from] RestoreError),
    /// Any other error of the kernel.
    #[error("failed to {}: {}", .step.with_object(.id), plain_error(.source))]
    Failed { id: SegmentId, step: Step, source: io::Error },
}

/// A step that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Remove,
    /// Move an object back after an interrupted removal.
    Rename,
    SetMode,
    SetOwner,
    Lock,
    Unlock,
    /// Check that the segment is still the one that was listed.
    Check,
    /// Check the result of a change.
    Verify,
}

impl Step {
    /// Returns the step with its object, as in `change the mode of sysv:3`.
    #[must_use]
    pub fn with_object(self, object: &dyn Display) -> String {
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

    /// Returns the step with a pronoun, for messages that have named the object.
    #[must_use]
    pub const fn with_pronoun(self) -> &'static str {
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

/// Prefixes an error with the segment id unless the message contains it: in a batch, every message
/// has to name its segment.
pub fn with_segment_id(id: &SegmentId, error: &dyn Display) -> String {
    let (name, text) = (id.to_string(), error.to_string());
    let ends =
        |at: usize| !text[at + name.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '/');
    if text.match_indices(&name).any(|(at, _)| ends(at)) { text } else { format!("{name}: {text}") }
}

/// A step that this user lacks permission for, and the users who have it.
pub(super) struct Denial {
    step: Step,
    users: String,
    remedy: String,
}

impl Denial {
    /// Denies a step that is limited to the owner, the creator and users with a capability.
    pub(super) fn for_step(me: &Credentials, segment: &Segment, step: Step, capability: Capability) -> Self {
        let creator = segment.sysv().map(|facts| (&facts.creator, "creator"));
        let owners: Vec<_> = [(&segment.owner, "owner")].into_iter().chain(creator).collect();
        Self::new(me, &owners, step, capability)
    }

    /// Denies a removal from a sticky directory, where only the owners of the file and of the
    /// directory can remove a name.
    pub(super) fn for_name(segment: &Segment, directory: &Owner, me: &Credentials) -> Self {
        let owners = [(&segment.owner, "owner"), (directory, "directory's owner")];
        Self::new(me, &owners, Step::Remove, Capability::Fowner)
    }

    fn new(me: &Credentials, owners: &[(&Owner, &str)], step: Step, capability: Capability) -> Self {
        let mut named: Vec<&Owner> = vec![];
        let mut users: Vec<String> = vec![];
        for (owner, role) in owners {
            // List each user once, and root last.
            if owner.uid != 0 && named.iter().all(|other| other.uid != owner.uid) {
                named.push(owner);
                users.push(format!("its {role} {}", permitted::name(owner)));
            }
        }
        let root = permitted::root_text(me, capability);
        let users = if users.is_empty() { root } else { format!("{} or {root}", users.join(", ")) };
        Self { step, users, remedy: permitted::remedy(&named, me, capability) }
    }
}

impl From<Denial> for Refusal {
    fn from(denied: Denial) -> Self {
        Self::new(format!("only {} can {}", denied.users, denied.step.with_pronoun()), denied.remedy)
    }
}

impl ActError {
    /// Explains the error that the kernel returned for a change to this segment.
    pub(super) fn from_kernel(
        target: Target<'_>,
        step: Step,
        capability: Capability,
        source: io::Error,
    ) -> Self {
        let Target { machine, segment } = target;
        let id = target.id();
        let removes = matches!(step, Step::Remove | Step::Rename);
        match source.raw_os_error() {
            Some(libc::EINVAL | libc::EIDRM) if segment.sysv().is_some() => Self::Gone { id },
            Some(libc::ENOENT) => Self::Gone { id },
            Some(libc::EPERM | libc::EACCES | libc::EROFS) => {
                // The permissions may have changed since the plan: predict again.
                let predicted =
                    if removes { permitted::removal(target) } else { permitted::hard_refusal(target) };
                let me = machine.credentials();
                let refusal = match predicted {
                    Some(refusal) => refusal,
                    None if me.has(capability) => unexplained_refusal(segment, step),
                    None => Denial::for_step(&me, segment, step, capability).into(),
                };
                Self::Denied { id, refusal }
            }
            _ => Self::Failed { id, step, source },
        }
    }

    /// Returns true if nothing was changed.
    #[must_use]
    pub const fn changed_nothing(&self) -> bool {
        !matches!(
            self,
            Self::NotMovedBack { .. }
                | Self::Unverified { .. }
                | Self::Failed { .. }
                | Self::CopiesDeleted { .. }
        )
    }
}

const fn copies(count: usize) -> &'static str {
    if count == 1 { "copy" } else { "copies" }
}

/// Explains why the kernel refused a step that this user has permission for: a security module, for
/// example.
fn unexplained_refusal(segment: &Segment, step: Step) -> Refusal {
    let (cause, remedy) = if segment.posix().is_some() {
        ("the file may be immutable, or ", "Check with `lsattr` and the system log")
    } else {
        ("", "Run outside the sandbox")
    };
    let refused = format!("the kernel refused, although you have permission to {}", step.with_pronoun());
    Refusal::new(format!("{refused}: {cause}a sandbox or security module forbids it"), remedy)
}

pub(super) fn limit_text(limit: Option<Bytes>) -> String {
    limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::survey::{Names, Survey};

    #[test]
    fn remedy_is_not_a_permission_that_the_caller_has() {
        let machine = FakeMachine::new();
        machine.add_sysv(1, 7, FakeBytes::hole(1));
        machine.add_object("a", FakeBytes::hole(1));
        let segments = Survey::take(&machine, &mut Names::default()).segments;
        let messages = |uid: u32| -> Vec<String> {
            machine.edit(|facts| facts.effective_uid = uid);
            let errors = segments.iter().map(|segment| {
                let refused = io::Error::from_raw_os_error(libc::EPERM);
                ActError::from_kernel(
                    Target::new(&machine, segment),
                    Step::Remove,
                    Capability::Fowner,
                    refused,
                )
                .to_string()
            });
            errors.collect()
        };
        for (root, stranger) in messages(0).iter().zip(messages(4242)) {
            assert!(root.contains("although you have permission") && !root.contains("sudo"), "{root}");
            assert!(stranger.contains("only its owner ann or root can remove it"), "{stranger}");
        }
        assert!(messages(0)[1].contains("immutable"), "{:?}", messages(0));
    }

    #[test]
    fn errors_name_their_segment_once() {
        let id = SegmentId::Sysv(crate::segment::ShmId(3));
        assert_eq!(with_segment_id(&id, &"no space left on device"), "sysv:3: no space left on device");
        assert_eq!(
            with_segment_id(&id, &"failed to copy sysv:3: no space"),
            "failed to copy sysv:3: no space"
        );
        assert_eq!(with_segment_id(&id, &"sysv:32 has the key"), "sysv:3: sysv:32 has the key");
    }
}
