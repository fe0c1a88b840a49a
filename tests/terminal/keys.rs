//! Keys arrive, however many come at once.

use super::opened;
use crate::support::SOON;

/// As from a paste into a terminal that does not bracket it.
#[test]
fn key_burst_arrives_complete() {
    let mut terminal = opened();
    terminal.send(&format!("{}q", "j".repeat(3000)));
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
}
