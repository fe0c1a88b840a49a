//! Lists 1000 System V and 1000 POSIX segments, compared with `ipcs` and `ls`. Runs in its own
//! namespaces, because the table is global.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up must fail")]

mod support;
mod world;

use std::process::Command;
use std::time::Duration;
use support::{Contest, checked, discard, installed, shmlens, short};

/// The number of segments of each kind.
const SEGMENTS_PER_KIND: u32 = 1000;

fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    if world::enter("listing") {
        world::fill(1..=SEGMENTS_PER_KIND, 1..=SEGMENTS_PER_KIND);
        list(if short() { 5 } else { 41 });
    }
}

fn list(rounds: usize) {
    let mut contest =
        Contest::new(format!("list of {SEGMENTS_PER_KIND} System V and {SEGMENTS_PER_KIND} POSIX segments"));
    let mut ours = shmlens();
    ours.args(["list", "--columns", "id,size,mode,owner,nattch"]);
    contest.add("shmlens list, five columns", 0, None, discard(ours));
    if installed("ipcs") && installed("ls") {
        let mut ipcs = Command::new("ipcs");
        ipcs.arg("-m");
        let mut ls = Command::new("ls");
        ls.args(["-l", "/dev/shm"]);
        contest.add("ipcs -m plus ls -l", 0, Some(2.0), run_both(discard(ipcs), discard(ls)));
    }
    let mut default = shmlens();
    default.arg("list");
    contest.add("shmlens list, all columns", 0, None, discard(default));
    let mut json = shmlens();
    json.args(["list", "--json"]);
    contest.add(
        "shmlens list --json",
        0,
        None,
        checked(json, |output| {
            let text = String::from_utf8_lossy(&output.stdout);
            assert_eq!(
                text.matches("\"id\": \"sysv:").count() + text.matches("\"id\": \"posix:").count(),
                2 * SEGMENTS_PER_KIND as usize
            );
        }),
    );
    contest.run(rounds);
}

fn run_both(
    mut first: impl FnMut() -> Duration,
    mut second: impl FnMut() -> Duration,
) -> impl FnMut() -> Duration {
    move || first() + second()
}
