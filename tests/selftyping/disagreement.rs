//! Holders that disagree about the layout of a type.

use super::debug_files::DebugFiles;
use super::single::{OBJECT, Program, json, run};
use crate::support::Namespaces;

#[test]
fn holders_that_disagree_are_told_with_the_fields_that_differ() {
    let Some(namespaces) = Namespaces::new() else { return };
    let _debug_files = DebugFiles::new(&namespaces);
    let (Some(old), Some(new)) = (Program::new("dwarf-4"), Program::new("other-layout")) else { return };
    let _old = old.start(&[]);
    let alone = json(&run(&["types", OBJECT, "--json"]));
    assert_eq!((&alone["types"][0]["type"], &alone["types"][0]["certain"]), (&"frame".into(), &true.into()));
    let _new = new.start(&[]);
    let both = json(&run(&["types", OBJECT, "--json"]));
    let types = both["types"].as_array().unwrap();
    assert_eq!(types.len(), 2, "{both:#}");
    for ty in types {
        assert_eq!((&ty["type"], &ty["offset"], &ty["certain"]), (&"frame".into(), &0.into(), &false.into()));
        let evidence = ty["evidence"].to_string();
        assert!(evidence.contains("disagree about frame: 'speed' is f"), "{evidence}");
        assert!(evidence.contains("'gains' at "), "{evidence}");
    }
    // Nothing is shown that only one of them means.
    let info = json(&run(&["info", OBJECT, "--json"]));
    assert!(info["segments"][0]["values"].is_null(), "{info:#}");
}
