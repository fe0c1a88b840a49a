//! Hints of globals, statics and members of classes.

use super::address_space::AddressSpace;
use super::evidence;
use super::hint::Hint;
use super::modules::Module;
use super::reach::Reach;
use crate::identify::typing::CandidateSource;

pub fn hints(space: &AddressSpace, modules: &[Module]) -> Vec<Hint> {
    let mut hints = vec![];
    for module in modules.iter().filter(|module| !module.is_foreign()) {
        // Most libraries have no debug information.
        let Ok(variables) = module.program.variables() else { continue };
        let mut reach = Reach::new(space, module);
        for variable in variables {
            let address = variable.address.wrapping_add(module.bias);
            for reached in reach.of_variable(&variable.name, address, variable.ty) {
                let text = evidence::global(space, module, &reached);
                hints.extend(evidence::hint(space, module, &reached, CandidateSource::Pointer, text, false));
            }
        }
    }
    hints
}
