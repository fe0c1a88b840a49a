//! The table of all fields of a segment. Columns, sort orders, filters, CSV, JSON and the facts on
//! the screen come from it.

use super::{Segment, SegmentId, Timestamp, Value};
use std::borrow::Cow;
use std::cmp::Ordering;

/// The form of a field's values in filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    Number,
    /// A size in bytes.
    Size,
    Key,
    Mode,
    Flag,
    /// A time, which a filter compares by its age.
    Time,
    /// A duration.
    Span,
    /// Processes, by number or by name.
    Processes,
}

/// The group of a field, in the order of `info`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Identity,
    Contents,
    Size,
    Owner,
    Times,
    Maker,
    Holders,
    Warnings,
    State,
    Evidence,
    Limits,
}

macro_rules! fields {
    ($($(#[doc = $doc:literal])+ $use:ident $variant:ident: $form:ident, $group:ident, $word:literal,
        $title:literal, $label:literal;)+) => {
        /// A field of a segment.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Field {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Field {
            /// Every field, in the order of `list --json`.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name in JSON, filters, `--columns` and `--sort`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            /// The label next to the value, at most 11 letters.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }

            /// A one-line description.
            #[must_use]
            pub fn doc(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim(),)+ }
            }

            #[must_use]
            pub const fn form(self) -> Form {
                match self { $(Self::$variant => Form::$form,)+ }
            }

            #[must_use]
            pub const fn group(self) -> Group {
                match self { $(Self::$variant => Group::$group,)+ }
            }

            /// Returns true if the field can be a column, a sort order and a filter.
            fn is_column(self) -> bool {
                match self { $(Self::$variant => stringify!($use) == "column",)+ }
            }
        }
    };
}

// `fact` is a field that depends on more than the segment, or that `list` does not show.
fields! {
    /// full name, as in sysv:32770
    column Id: Text, Identity, "id", "ID", "segment";
    /// sysv, posix or deleted
    column Kind: Text, Identity, "kind", "KIND", "kind";
    /// System V: identifier (shmid)
    column Shmid: Number, Identity, "shmid", "SHMID", "shmid";
    /// System V: key; 0 for a private segment
    column Key: Key, Identity, "key", "KEY", "key";
    /// POSIX: name, with a leading slash
    column Name: Text, Identity, "name", "NAME", "name";
    /// deleted POSIX: name before it was unlinked
    column FormerName: Text, Identity, "former_name", "FORMER NAME", "former name";
    /// size in bytes
    column Size: Size, Size, "size", "SIZE", "size";
    /// size of the part in memory, in bytes
    column Resident: Size, Size, "resident", "RESIDENT", "resident";
    /// size of the part swapped out, in bytes
    column Swapped: Size, Size, "swapped", "SWAPPED", "swapped";
    /// permissions, in octal
    column Mode: Mode, Owner, "mode", "MODE", "mode";
    /// owning user: name or uid
    column Owner: Text, Owner, "owner", "OWNER", "owner";
    /// owning group: name or gid
    column Group: Text, Owner, "group", "GROUP", "group";
    /// System V: user who created it
    column Creator: Text, Owner, "creator", "CREATOR", "creator";
    /// System V: pid of the creator
    column CreatorPid: Number, Owner, "creator_pid", "CPID", "creator pid";
    /// System V: pid of the last attach or detach
    column LastPid: Number, Times, "last_pid", "LPID", "last pid";
    /// System V: number of attachments
    column Nattch: Number, Holders, "nattch", "NATTCH", "nattch";
    /// System V: locked in memory
    column Locked: Flag, Size, "locked", "LOCKED", "locked";
    /// System V: removed after the last detach
    column Marked: Flag, Evidence, "marked_for_removal", "MARKED", "marked";
    /// POSIX: time of creation
    fact Created: Time, Times, "birth", "CREATED", "created";
    /// System V: time of the last attach
    column Attach: Time, Times, "attach", "ATTACHED", "attached";
    /// System V: time of the last detach
    column Detach: Time, Times, "detach", "DETACHED", "detached";
    /// time of creation or of the last change of owner or mode
    column Change: Time, Times, "change", "CHANGED", "changed";
    /// POSIX: time of the last read; reads through mappings do not count
    column Access: Time, Times, "access", "READ", "read";
    /// POSIX: time of the last write; writes through mappings do not count
    column Modify: Time, Times, "modify", "WRITTEN", "written";
    /// processes that use it; as a number, their count
    column Holders: Processes, Holders, "holders", "HELD BY", "held by";
    /// pids of the processes that use it
    column Pid: Processes, Holders, "pid", "PID", "pid";
    /// reasons why access may fail
    fact Warnings: Text, Warnings, "warnings", "WARNINGS", "warning";
    /// other segments that have, or had, the same name
    fact Namesakes: Text, Warnings, "namesakes", "SAME NAME", "same name";
    /// program that created it; gone, or a name with (gone), if the creator of a System V segment
    /// exited
    column MadeBy: Text, Maker, "made_by", "MADE BY", "made by";
    /// value and waiters, if it is a named semaphore
    fact Semaphore: Text, Contents, "semaphore", "SEMAPHORE", "semaphore";
    /// locks in it: state, owner and waiting threads
    fact Locks: Text, Contents, "locks", "LOCKS", "locks";
    /// removed, in-use, unknown, protected, idle or leaked
    column State: Text, State, "state", "STATE", "state";
    /// certainty of a leak: certain or likely
    column Certainty: Text, State, "certainty", "CERTAINTY", "certainty";
    /// evidence for the state
    column Reasons: Text, Evidence, "reasons", "REASONS", "evidence";
    /// what probably unlinked it
    fact RemovedBy: Text, Evidence, "removed_by", "REMOVED BY", "removed by";
    /// seconds since creation (System V: since the last change)
    column Age: Span, Times, "age", "AGE", "age";
    /// time of the last use recorded by the kernel; use through mappings does not count
    column LastUsed: Time, Times, "last_used", "LAST USED", "last used";
    /// POSIX: device number of the file system
    column Device: Number, Identity, "device", "DEVICE", "device";
    /// POSIX: inode number
    column Inode: Number, Identity, "inode", "INODE", "inode";
    /// POSIX: number of names (hard links)
    fact Links: Number, Identity, "links", "LINKS", "names";
    /// effect of reading it, or the reason why you may not
    fact Reading: Text, Limits, "reading", "READING", "reading";
    /// effect of the logout of its owner
    fact Logout: Text, Limits, "at_logout", "AT LOGOUT", "at logout";
}

impl Field {
    /// The fields that can be columns, sort orders and filters.
    pub fn columns() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|field| field.is_column())
    }

    /// Returns the column with this name.
    #[must_use]
    pub fn from_name(word: &str) -> Option<Self> {
        Self::columns().find(|field| field.name() == word)
    }

    /// Returns the value of the field at the time `now`; absent if it does not depend on the
    /// segment alone.
    #[must_use]
    pub fn of(self, segment: &Segment, now: Timestamp) -> Value<'_> {
        self.find(segment, now).unwrap_or(Value::Absent)
    }

    fn find(self, segment: &Segment, now: Timestamp) -> Option<Value<'_>> {
        let sysv = segment.sysv();
        let posix = segment.posix();
        let number = |number: u32| Value::Number(number.into());
        let word = |word: &'static str| Value::Text(word.into());
        Some(match self {
            Self::Id => Value::Text(segment.id.to_string().into()),
            Self::Kind => word(segment.kind().keyword()),
            Self::Shmid => match &segment.id {
                SegmentId::Sysv(shmid) => number(shmid.0.unsigned_abs()),
                _ => return None,
            },
            Self::Key => Value::Key(sysv?.key),
            Self::Name => match &segment.id {
                SegmentId::Posix(name) => Value::Text(name.to_string().into()),
                _ => return None,
            },
            Self::FormerName => Value::Text(segment.former_name()?.to_string().into()),
            Self::Size => Value::Size(segment.size),
            Self::Resident => Value::Size(segment.resident?),
            Self::Swapped => Value::Size(segment.swapped?),
            Self::Mode | Self::Owner | Self::Group if segment.is_concealed() => return None,
            Self::Mode => Value::Mode(segment.mode),
            Self::Owner => Value::User(&segment.owner),
            Self::Group => Value::Group(&segment.owner),
            Self::Creator => Value::User(&sysv?.creator),
            Self::CreatorPid => number(sysv?.creator_pid),
            Self::LastPid => number(sysv?.last_pid),
            Self::Nattch => Value::Number(sysv?.nattch),
            Self::Locked => Value::Flag(sysv?.locked),
            Self::Marked => Value::Flag(sysv?.marked),
            Self::Created => Value::Time(segment.times.birth?),
            Self::Attach => Value::Time(segment.times.attach?),
            Self::Detach => Value::Time(segment.times.detach?),
            Self::Change => Value::Time(segment.times.change?),
            Self::Access => Value::Time(segment.times.access?),
            Self::Modify => Value::Time(segment.times.modify?),
            Self::Holders => segment.holder_count().map(|count| Value::Holders(count, segment))?,
            Self::Pid => {
                let holders = segment.holders.as_deref().filter(|holders| !holders.is_empty())?;
                let mut pids: Vec<u64> = holders.iter().map(|holder| holder.pid.into()).collect();
                pids.sort_unstable();
                Value::Numbers(pids)
            }
            Self::MadeBy => Value::Maker(segment.made_by.as_ref()?),
            Self::State => Value::State(segment.verdict.state),
            Self::Certainty => word(segment.verdict.state.certainty()?.keyword()),
            Self::Reasons => Value::Lines(Cow::Borrowed(&segment.verdict.reasons)),
            Self::RemovedBy => {
                let by = posix?.unlinked.as_ref().map(|unlinked| &unlinked.by).filter(|by| !by.is_empty())?;
                Value::Lines(by.iter().map(|by| by.keyword().to_owned()).collect())
            }
            Self::LastUsed => Value::Time(segment.last_used()?),
            Self::Age => Value::Span(segment.age(now)?),
            Self::Device => Value::Number(posix?.device),
            Self::Inode => Value::Number(posix?.inode),
            Self::Links => number(posix?.links),
            Self::Warnings
            | Self::Namesakes
            | Self::Semaphore
            | Self::Locks
            | Self::Reading
            | Self::Logout => return None,
        })
    }

    /// Sorts by this field: numbers by value, states in the order in which they are checked, text
    /// alphabetically. Segments without the field come last in both directions. The table of the UI
    /// and `list` both use this order.
    pub fn sort<'a, T>(
        self,
        items: &mut Vec<T>,
        reversed: bool,
        now: Timestamp,
        segment: impl Fn(&T) -> &'a Segment,
    ) {
        let is_descending = self.largest_first() != reversed;
        let in_direction = |order: Ordering| if is_descending { order.reverse() } else { order };
        if self == Self::Id {
            items.sort_by(|a, b| in_direction(segment(a).id.cmp(&segment(b).id)));
            return;
        }
        let key = |item: &T| self.of(segment(item), now).sort_key();
        let mut keyed: Vec<(Value, T)> = items.drain(..).map(|item| (key(&item), item)).collect();
        keyed.sort_by(|(a, _), (b, _)| match (a, b) {
            (Value::Absent, _) | (_, Value::Absent) => a.compare(b),
            _ => in_direction(a.compare(b)),
        });
        items.extend(keyed.into_iter().map(|(_, item)| item));
    }

    /// Returns true if the field depends on the holders or the maker.
    #[must_use]
    pub fn is_judged(self) -> bool {
        matches!(
            self,
            Self::Holders
                | Self::Pid
                | Self::MadeBy
                | Self::State
                | Self::Certainty
                | Self::Reasons
                | Self::Kind
                | Self::FormerName
        )
    }

    /// Returns true if the field depends on the amount of memory that the segment uses.
    #[must_use]
    pub fn is_of_memory(self) -> bool {
        matches!(self, Self::Resident | Self::Swapped)
    }

    /// Returns true if descending order is the more useful default.
    #[must_use]
    pub const fn largest_first(self) -> bool {
        matches!(self.form(), Form::Size | Form::Span | Form::Flag)
            || matches!(self, Self::Nattch | Self::Holders)
    }
}

impl Segment {
    /// Returns true if the name, the key, the full id, the state, the maker, or the name of a
    /// holder contains a bare word, ignoring case.
    #[must_use]
    pub fn mentions(&self, lowercase: &str) -> bool {
        let has = |text: String| text.to_lowercase().contains(lowercase);
        let state = self.verdict.state;
        has(self.id.to_string())
            || has(self.label())
            || [state.keyword(), state.label()].iter().any(|text| text.contains(lowercase))
            || self.holders.iter().flat_map(|holders| holders.iter()).any(|holder| has(holder.command_text()))
            || self.made_by.as_ref().is_some_and(|maker| has(maker.name_text()))
            // The label has the key with leading zeros.
            || self.sysv().map(|facts| facts.key).filter(|key| !key.is_private()).is_some_and(|key| {
                key.0.to_string() == lowercase || format!("{:#x}", key.0).starts_with(lowercase)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::State;

    #[test]
    fn names_are_one_to_one_and_documented() {
        for &field in Field::ALL {
            assert_eq!(Field::from_name(field.name()), Some(field).filter(|field| field.is_column()));
            assert!(!field.doc().is_empty() && field.label().len() <= 11);
            assert!(field.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        }
    }

    #[test]
    fn states_are_sorted_in_the_order_in_which_they_are_judged() {
        let now = Timestamp::from_seconds(10_000);
        let segments: Vec<Segment> = State::ALL
            .iter()
            .rev()
            .map(|&state| {
                let mut segment = crate::segment::example::sysv();
                segment.verdict.state = state;
                segment
            })
            .collect();
        for reversed in [false, true] {
            let mut items: Vec<&Segment> = segments.iter().collect();
            Field::State.sort(&mut items, reversed, now, |segment| segment);
            let mut states = State::ALL.to_vec();
            if reversed {
                states.reverse();
            }
            assert_eq!(items.iter().map(|one| one.verdict.state).collect::<Vec<_>>(), states);
        }
    }

    #[test]
    fn missing_values_sort_last() {
        assert_eq!(Value::Absent.compare(&Value::Number(7)), Ordering::Greater);
        assert_eq!(Value::Number(u64::MAX).compare(&Value::Number(u64::MAX - 1)), Ordering::Greater);
    }
}
