//! The methods of reading a segment, and their side effects.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `pread(2)` on the object, opened by its name in `/dev/shm`.
    Name {
        /// Set if opened with `O_NOATIME`, as the owner and root may.
        keeps_access_time: bool,
    },
    /// `pread(2)` on a mapping or descriptor of another process, opened through
    /// `/proc/PID/map_files` or `/proc/PID/fd`.
    Holder {
        pid: u32,
        /// Set if opened with `O_NOATIME`, and for System V segments, whose attach time does not
        /// change.
        keeps_access_time: bool,
    },
    /// `shmat(2)`, read-only.
    Attach,
}

/// The side effect of reading a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    None,
    /// The access time of the object changes. Only its owner and root can avoid that.
    AccessTime,
    /// nattch is one higher while the segment is open, and the last pid and times change.
    Attached,
}

/// The reason why reading a segment leaves a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceReason {
    /// `O_NOATIME` is refused: the object belongs to another user.
    NotOwner,
    /// No process has the System V segment attached.
    NoHolder,
    /// This process may not open `/proc/PID/map_files`.
    NotPrivileged,
    /// No holder can be examined, or none is visible in this PID and IPC namespace.
    Unreachable,
}

impl Method {
    #[must_use]
    pub const fn trace(self) -> Trace {
        match self {
            Self::Name { keeps_access_time: true } | Self::Holder { keeps_access_time: true, .. } => {
                Trace::None
            }
            Self::Name { .. } | Self::Holder { .. } => Trace::AccessTime,
            Self::Attach => Trace::Attached,
        }
    }

    /// Returns the process through which the segment is read.
    #[must_use]
    pub const fn holder(self) -> Option<u32> {
        match self {
            Self::Holder { pid, .. } => Some(pid),
            Self::Name { .. } | Self::Attach => None,
        }
    }

    /// Describes the method and its side effect: `no trace (through PID 4121)`.
    #[must_use]
    pub fn text(self) -> String {
        let effect = self.trace().text();
        self.holder().map_or_else(|| effect.to_owned(), |pid| format!("{effect} (through PID {pid})"))
    }
}

impl Trace {
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::None => "no trace",
            Self::AccessTime => "updates access time",
            Self::Attached => "attached: nattch +1",
        }
    }

    /// Returns the fields that reading changes, by their names in `shmctl(2)` and `stat(2)`.
    #[must_use]
    pub const fn changes(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::AccessTime => &["atime"],
            Self::Attached => &["nattch", "lpid", "atime", "dtime"],
        }
    }
}

impl TraceReason {
    /// Describes the reason, without a final period.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::NotOwner => "only the owner and root can avoid this",
            Self::NoHolder => "no process has it attached, so there is no holder to read it through",
            Self::NotPrivileged => {
                "reading it through a holder takes CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE in the initial \
                 user namespace. Run as root"
            }
            Self::Unreachable => "none of its holders is visible in this PID and IPC namespace",
        }
    }
}
