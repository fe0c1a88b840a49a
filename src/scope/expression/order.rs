//! The order in which channels can be computed.

use super::program::Program;

/// Sorts programs so that each comes after those that it refers to.
///
/// # Errors
/// Returns a cycle of channels that refer to each other; the first is repeated at the end.
pub fn sorted(programs: Vec<(usize, Program)>) -> Result<Vec<(usize, Program)>, Vec<usize>> {
    let mut waiting = programs;
    let mut done = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let open: Vec<usize> = waiting.iter().map(|(index, _)| *index).collect();
        let is_ready = |program: &Program| program.channels().all(|channel| !open.contains(&channel));
        let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(_, program)| is_ready(program));
        if ready.is_empty() {
            return Err(cycle(&rest));
        }
        done.extend(ready);
        waiting = rest;
    }
    Ok(done)
}

/// Finds a cycle among programs that each refer to another one.
fn cycle(programs: &[(usize, Program)]) -> Vec<usize> {
    let next = |channel: usize| {
        let (_, program) = programs.iter().find(|(index, _)| *index == channel)?;
        program.channels().find(|used| programs.iter().any(|(index, _)| index == used))
    };
    let mut path: Vec<usize> = programs.first().map(|(index, _)| *index).into_iter().collect();
    while let Some(channel) = path.last().and_then(|&last| next(last)) {
        let start = path.iter().position(|&seen| seen == channel);
        path.push(channel);
        if let Some(start) = start {
            return path.split_off(start);
        }
    }
    path
}
