//! The `shmscope` program: parse, dispatch, exit status.

fn main() {}
