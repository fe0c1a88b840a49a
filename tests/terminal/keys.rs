//! All keys are handled, even in a burst.

use super::open_program;
use crate::support::SOON;

/// A paste into a terminal without bracketed paste looks like this.
#[test]
fn key_burst_arrives_complete() {
    let mut terminal = open_program();
    terminal.send(&format!("{}q", "j".repeat(3000)));
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
}
