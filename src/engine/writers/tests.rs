//! Watching writers on a fake machine, in virtual time.
