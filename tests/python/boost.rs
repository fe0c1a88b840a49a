//! Managed segments of Boost.Interprocess, made by a C++ program.

use crate::support::{Child, Namespaces, SOON, compile_cpp, shmlens, skip};
use serde_json::Value;
use shmlens::decode::layouts::Layout;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn objects_of_a_managed_segment_are_those_of_the_program() {
    let Some(_namespaces) = Namespaces::new() else { return };
    if !Path::new("/usr/include/boost/interprocess/managed_shared_memory.hpp").exists() {
        return skip("needs the headers of Boost.Interprocess (libboost-dev), which are not installed");
    }
    let Some(program) = compile_cpp("tests/python/boost.cpp") else { return };
    for count in ["0", "1", "300"] {
        let mut child = Child::spawn_piped(Command::new(&program).arg(count));
        let mut expected = BTreeMap::new();
        loop {
            let line = child.line(SOON);
            let mut words = line.rsplitn(3, ' ');
            let (Some(size), Some(offset), Some(name)) = (words.next(), words.next(), words.next()) else {
                assert_eq!(line, "ready");
                break;
            };
            expected.insert(name.to_owned(), (offset.parse::<u64>().unwrap(), size.parse::<u64>().unwrap()));
        }
        expected.remove("c");
        let bytes = fs::read("/dev/shm/boost_values").unwrap();
        let peek = |offset: u64, into: &mut [u8]| {
            let at = usize::try_from(offset).unwrap();
            bytes.get(at..at + into.len()).is_some_and(|found| {
                into.copy_from_slice(found);
                true
            })
        };
        let built = Layout::Boost.build(&peek, bytes.len() as u64).unwrap();
        let found: BTreeMap<String, (u64, u64)> = (0..built.ty.child_count())
            .map(|index| {
                let child = built.ty.at(0).child(index).unwrap();
                let shmlens::decode::Label::Field(field) = child.label else { panic!("{child:?}") };
                (field.name.to_string(), (child.place.offset, child.place.ty.size()))
            })
            .collect();
        assert_eq!(found, expected);
        let output = shmlens().args(["types", "/boost_values", "--json"]).output().unwrap();
        let types: Value = serde_json::from_slice(&output.stdout).unwrap();
        let first = &types["types"][0];
        assert_eq!(
            (&first["type"], &first["certain"]),
            (&Value::from("boost"), &Value::from(true)),
            "{types}"
        );
        assert_eq!(first["count"], expected.len());
        let output = shmlens().args(["dump", "/boost_values", "--as", "boost", "--json"]).output().unwrap();
        let dumped: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(dumped["value"]["answer"], "2a 00 00 00");
        child.end();
    }
}
