//! The names of the columns for the writers of samples that were taken at every write.

/// The thread.
pub(super) const PID: &str = "writer.pid";
pub(super) const TID: &str = "writer.tid";
/// The function; in NPZ, its index in [`FUNCTIONS`].
pub(super) const FUNCTION: &str = "writer.function";
pub(super) const FUNCTIONS: &str = "writer.functions";
/// Set if the value may be that of a later write.
pub(super) const LATE: &str = "writer.late";

/// The columns, in their order behind those of the channels.
pub(super) const COLUMNS: [&str; 4] = [PID, TID, FUNCTION, LATE];

/// Returns true for a name that is not that of a channel.
pub(super) fn is_own(name: &str) -> bool {
    COLUMNS.contains(&name) || name == FUNCTIONS
}
