//! The fields of a segment, with the names that columns, sort orders and filters share.

use super::{Facts, Segment, SegmentId, State, Timestamp};
use std::cmp::Ordering;

/// The value of a field, unformatted.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Absent,
    /// Safe to print.
    Text(String),
    Number(u64),
    /// In bytes.
    Size(u64),
    Key(u32),
    Mode(u32),
    Flag(bool),
    Time(Timestamp),
    /// In seconds.
    Span(f64),
    /// In ascending order. A filter matches if it matches one of them.
    Numbers(Vec<u64>),
    /// A count, with the names of the counted items.
    Named {
        count: u64,
        /// Safe to print.
        names: String,
    },
}

macro_rules! fields {
    ($($(#[doc = $doc:literal])+ $variant:ident $word:literal $title:literal,)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Field {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Field {
            /// In the order of `list --json`, where `holders` contains the pids.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name in JSON, filters, `--columns` and `--sort`.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            #[must_use]
            pub fn doc(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim(),)+ }
            }
        }
    };
}

fields! {
    /// full name, as in sysv:32770
    Id "id" "ID",
    /// sysv, posix or deleted
    Kind "kind" "KIND",
    /// System V: identifier (shmid)
    Shmid "shmid" "SHMID",
    /// System V: key; 0 for a private segment
    Key "key" "KEY",
    /// POSIX: name, with a leading slash
    Name "name" "NAME",
    /// deleted POSIX: name before it was unlinked
    FormerName "former_name" "FORMER NAME",
    /// size in bytes
    Size "size" "SIZE",
    /// size of the part in memory, in bytes
    Resident "resident" "RESIDENT",
    /// size of the part swapped out, in bytes
    Swapped "swapped" "SWAPPED",
    /// permissions, in octal
    Mode "mode" "MODE",
    /// owning user: name or uid
    Owner "owner" "OWNER",
    /// owning group: name or gid
    Group "group" "GROUP",
    /// System V: user who created it
    Creator "creator" "CREATOR",
    /// System V: pid of the creator
    CreatorPid "creator_pid" "CPID",
    /// System V: pid of the last attach or detach
    LastPid "last_pid" "LPID",
    /// System V: number of attachments
    Nattch "nattch" "NATTCH",
    /// System V: locked in memory
    Locked "locked" "LOCKED",
    /// System V: removed after the last detach
    Marked "marked_for_removal" "MARKED",
    /// System V: time of the last attach
    Attach "attach" "ATTACHED",
    /// System V: time of the last detach
    Detach "detach" "DETACHED",
    /// time of creation or of the last change of owner or mode
    Change "change" "CHANGED",
    /// POSIX: time of the last read; reads through mappings do not count
    Access "access" "READ",
    /// POSIX: time of the last write; writes through mappings do not count
    Modify "modify" "WRITTEN",
    /// processes that use it; as a number, their count
    Holders "holders" "HELD BY",
    /// pids of the processes that use it
    Pid "pid" "PID",
    /// program that created it; gone, or a name with (gone), if the creator of a System V segment exited
    MadeBy "made_by" "MADE BY",
    /// removed, in-use, unknown, protected, idle or leaked
    State "state" "STATE",
    /// certainty of a leak: certain or likely
    Certainty "certainty" "CERTAINTY",
    /// evidence for the state
    Reasons "reasons" "REASONS",
    /// seconds since creation (System V: since the last change)
    Age "age" "AGE",
    /// time of the last use recorded by the kernel; use through mappings does not count
    LastUsed "last_used" "LAST USED",
    /// POSIX: device number of the file system
    Device "device" "DEVICE",
    /// POSIX: inode number
    Inode "inode" "INODE",
}

impl Field {
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.word() == word)
    }

    #[must_use]
    pub fn of(self, segment: &Segment, now: Timestamp) -> Value {
        let sysv = segment.sysv();
        let posix = segment.posix();
        let time = |time: Option<Timestamp>| time.map_or(Value::Absent, Value::Time);
        match self {
            Self::Id => Value::Text(segment.id.to_string()),
            Self::Kind => Value::Text(segment.kind().word().to_owned()),
            Self::Shmid => match &segment.id {
                SegmentId::Sysv(shmid) => Value::Number(u64::from(shmid.0.unsigned_abs())),
                _ => Value::Absent,
            },
            Self::Key => sysv.map_or(Value::Absent, |facts| Value::Key(facts.key.0)),
            Self::Name => match &segment.id {
                SegmentId::Posix(name) => Value::Text(name.to_string()),
                _ => Value::Absent,
            },
            Self::FormerName => {
                segment.former_name().map_or(Value::Absent, |name| Value::Text(name.to_string()))
            }
            Self::Size => Value::Size(segment.size.0),
            Self::Resident => segment.resident.map_or(Value::Absent, |size| Value::Size(size.0)),
            Self::Swapped => segment.swapped.map_or(Value::Absent, |size| Value::Size(size.0)),
            Self::Mode | Self::Owner | Self::Group if segment.is_concealed() => Value::Absent,
            Self::Mode => Value::Mode(segment.mode.bits()),
            Self::Owner => Value::Text(segment.owner.user_text()),
            Self::Group => Value::Text(segment.owner.group_text()),
            Self::Creator => sysv.map_or(Value::Absent, |facts| Value::Text(facts.creator.user_text())),
            Self::CreatorPid => sysv.map_or(Value::Absent, |facts| Value::Number(facts.creator_pid.into())),
            Self::LastPid => sysv.map_or(Value::Absent, |facts| Value::Number(facts.last_pid.into())),
            Self::Nattch => sysv.map_or(Value::Absent, |facts| Value::Number(facts.nattch)),
            Self::Locked => sysv.map_or(Value::Absent, |facts| Value::Flag(facts.locked)),
            Self::Marked => sysv.map_or(Value::Absent, |facts| Value::Flag(facts.marked)),
            Self::Attach => time(segment.times.attach),
            Self::Detach => time(segment.times.detach),
            Self::Change => time(segment.times.change),
            Self::Access => time(segment.times.access),
            Self::Modify => time(segment.times.modify),
            Self::Holders => match segment.holder_count() {
                Some(count) => Value::Named { count, names: segment.holders_text(usize::MAX) },
                None => Value::Absent,
            },
            Self::Pid => match segment.holders.as_deref() {
                None | Some([]) => Value::Absent,
                Some(holders) => {
                    let mut pids: Vec<u64> = holders.iter().map(|holder| holder.pid.into()).collect();
                    pids.sort_unstable();
                    Value::Numbers(pids)
                }
            },
            Self::MadeBy => {
                segment.made_by.as_ref().map_or(Value::Absent, |maker| Value::Text(maker.name_text()))
            }
            Self::Certainty => {
                let certainty = segment.verdict.state.certainty();
                certainty.map_or(Value::Absent, |certainty| Value::Text(certainty.word().to_owned()))
            }
            Self::State => Value::Text(segment.verdict.state.word().to_owned()),
            Self::Reasons => Value::Text(segment.verdict.reasons.join("; ")),
            Self::LastUsed => time(segment.last_used()),
            Self::Age => segment.age(now).map_or(Value::Absent, Value::Span),
            Self::Device => posix.map_or(Value::Absent, |facts| Value::Number(facts.device)),
            Self::Inode => posix.map_or(Value::Absent, |facts| Value::Number(facts.inode)),
        }
    }

    /// Returns the value to sort by.
    fn sort_value(self, segment: &Segment, now: Timestamp) -> Value {
        match self {
            Self::State => {
                let rank = State::ALL.iter().position(|&state| state == segment.verdict.state);
                Value::Number(rank.unwrap_or(State::ALL.len()) as u64)
            }
            field => field.of(segment, now),
        }
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
        let backwards = self.largest_first() != reversed;
        let directed = |order: Ordering| if backwards { order.reverse() } else { order };
        if self == Self::Id {
            items.sort_by(|a, b| directed(segment(a).id.cmp(&segment(b).id)));
            return;
        }
        let mut keyed: Vec<(Value, T)> =
            items.drain(..).map(|item| (self.sort_value(segment(&item), now), item)).collect();
        keyed.sort_by(|(a, _), (b, _)| match (a, b) {
            (Value::Absent, _) | (_, Value::Absent) => a.compare(b),
            _ => directed(a.compare(b)),
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

    /// Returns true if the field depends on how much of the segment is in memory.
    #[must_use]
    pub fn is_of_memory(self) -> bool {
        matches!(self, Self::Resident | Self::Swapped)
    }

    /// Returns true if descending order is the more useful default.
    #[must_use]
    pub const fn largest_first(self) -> bool {
        matches!(
            self,
            Self::Size
                | Self::Resident
                | Self::Swapped
                | Self::Nattch
                | Self::Holders
                | Self::Age
                | Self::Locked
                | Self::Marked
        )
    }
}

impl Value {
    /// Returns the number, if there is one. Not for a time, because filters compare its age.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "only compared; sizes above 2^53 differ by more than a byte"
    )]
    pub fn number(&self) -> Option<f64> {
        match *self {
            Self::Number(number) | Self::Size(number) | Self::Named { count: number, .. } => {
                Some(number as f64)
            }
            Self::Key(key) => Some(f64::from(key)),
            Self::Mode(bits) => Some(f64::from(bits)),
            Self::Span(seconds) => Some(seconds),
            Self::Flag(flag) => Some(f64::from(u8::from(flag))),
            Self::Absent | Self::Text(_) | Self::Time(_) | Self::Numbers(_) => None,
        }
    }

    /// Compares two values of a field; absent ones come last.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Absent, Self::Absent) => Ordering::Equal,
            (Self::Absent, _) => Ordering::Greater,
            (_, Self::Absent) => Ordering::Less,
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Numbers(a), Self::Numbers(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) | (Self::Size(a), Self::Size(b)) => a.cmp(b),
            (a, b) => a.number().partial_cmp(&b.number()).unwrap_or(Ordering::Equal),
        }
    }
}

impl Segment {
    /// Returns true if the name, the key, the full id, the maker, or the name of a holder contains
    /// a bare word, ignoring case.
    #[must_use]
    pub fn mentions(&self, lowercase: &str) -> bool {
        let has = |text: String| text.to_lowercase().contains(lowercase);
        has(self.id.to_string())
            || has(self.label())
            || self.holders.iter().flat_map(|holders| holders.iter()).any(|holder| has(holder.command_text()))
            || self.made_by.as_ref().is_some_and(|maker| has(maker.name_text()))
            || matches!(&self.facts, Facts::Sysv(facts)
                if [facts.key.0.to_string(), format!("{:#x}", facts.key.0)].iter().any(|key| key == lowercase))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_to_one_and_documented() {
        for &field in Field::ALL {
            assert_eq!(Field::from_word(field.word()), Some(field));
            assert!(!field.doc().is_empty());
            assert!(field.word().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
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
