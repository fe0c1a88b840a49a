//! Hints of the local variables of threads.

use super::address_space::AddressSpace;
use super::evidence;
use super::frames;
use super::hint::Hint;
use super::modules::Module;
use super::reach::Reach;
use crate::decode::debug::{Location, Registers};
use crate::identify::typing::CandidateSource;
use crate::machine::image::Thread;

/// Returns the hints of threads with these registers.
pub fn hints(space: &AddressSpace, modules: &[Module], threads: Vec<(Thread, Registers)>) -> Vec<Hint> {
    let mut hints = vec![];
    for (thread, registers) in threads {
        let frames = frames::of_thread(space, modules, registers);
        for frame in frames.into_iter().filter(|frame| !frame.module.is_foreign()) {
            let mut reach = Reach::new(space, frame.module);
            // Those that are declared later have what was on the stack before.
            for local in frame.locals(space).into_iter().filter(|local| local.is_declared) {
                let Some(ty) = local.ty else { continue };
                let found = match local.location {
                    Location::Memory(address) => reach.of_variable(&local.name, address, ty),
                    Location::Value(value) => reach.of_value(&local.name, value, ty),
                    Location::Register(register) => match frame.registers.get(&register) {
                        Some(&value) => reach.of_value(&local.name, value, ty),
                        None => continue,
                    },
                    Location::Split | Location::OptimizedOut | Location::Unknown(_) => continue,
                };
                for reached in found {
                    let text = evidence::local(&frame, local.inlined.as_deref(), &thread, &reached);
                    let source = CandidateSource::Local;
                    hints.extend(evidence::hint(
                        space,
                        frame.module,
                        &reached,
                        source,
                        text,
                        frame.is_guessed,
                    ));
                }
            }
        }
    }
    hints
}
