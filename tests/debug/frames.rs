//! Frames of a stack: unwinding, and the parameters and variables of each function.

use super::compile::compile;
use shmlens::decode::ByteOrder;
use shmlens::decode::debug::{Caller, DebugError, Frame, Location, Program, Registers};

const SOURCE: &str = include_str!("stack.cpp");

/// The state that the program printed.
#[derive(Default)]
struct Stopped {
    registers: Registers,
    start: u64,
    stack: Vec<u8>,
    /// The start of a mapping of the program, and the offset in the file.
    mapping: (u64, u64),
    /// Functions and their frame addresses, the innermost last.
    frames: Vec<(String, u64)>,
    /// Functions, their variables and the addresses of these.
    variables: Vec<(String, String, u64)>,
    /// Functions, their parameters and the values of these.
    parameters: Vec<(String, String, u64)>,
}

fn number(text: &str) -> u64 {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
}

fn parse(output: &str) -> Stopped {
    let mut stopped = Stopped::default();
    for line in output.lines() {
        match line.split('|').collect::<Vec<_>>().as_slice() {
            ["R", register, value] => {
                stopped.registers.insert(register.parse().unwrap(), number(value));
            }
            ["C", function, address] => stopped.frames.push(((*function).to_owned(), number(address))),
            ["L", function, name, address] => {
                stopped.variables.push(((*function).to_owned(), (*name).to_owned(), number(address)));
            }
            ["A", function, name, value] => {
                stopped.parameters.push(((*function).to_owned(), (*name).to_owned(), number(value)));
            }
            ["M", start, offset] => stopped.mapping = (number(start), number(offset)),
            ["S", address, bytes] => {
                stopped.start = number(address);
                let digits = bytes.as_bytes().chunks(2);
                stopped.stack = digits
                    .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
                    .collect();
            }
            _ => panic!("{line}"),
        }
    }
    stopped
}

impl Stopped {
    fn read(&self, address: u64, bytes: &mut [u8]) -> bool {
        let at = address.checked_sub(self.start).map(|at| usize::try_from(at).unwrap());
        let found = at.and_then(|at| self.stack.get(at..at + bytes.len()));
        found.is_some_and(|found| {
            bytes.copy_from_slice(found);
            true
        })
    }
}

/// Unwinds to main, and checks all frames and variables. Returns how many variables were found in
/// memory, and how many parameters have a known value.
fn check(program: &Program, stopped: &Stopped) -> (usize, usize) {
    let (start, offset) = stopped.mapping;
    let load_bias = program.load_bias(start, offset).unwrap();
    let read = |address: u64, bytes: &mut [u8]| stopped.read(address, bytes);
    let mut registers = stopped.registers.clone();
    let mut address = registers[&16];
    let (mut found, mut known) = (0, 0);
    for (name, cfa) in stopped.frames.iter().rev() {
        let mut frame = Frame { address, registers: &registers, cfa: None, bias: load_bias, read: &read };
        let Caller { cfa: computed, registers: next, return_address, is_signal, .. } =
            program.unwind(&frame).unwrap();
        assert_eq!((computed, is_signal), (*cfa, false), "{name}");
        frame.cfa = Some(computed);
        let function = program.function_at(address - load_bias).unwrap().unwrap();
        assert_eq!(function.name, *name);
        assert!(function.file.as_ref().unwrap().ends_with("source.cpp"), "{function:?}");
        let line = usize::try_from(function.line.unwrap()).unwrap();
        let text = SOURCE.lines().nth(line - 1).unwrap();
        assert!(text.contains(name.trim_start_matches("app::")), "{text}");
        let locals = program.locals(&function, &frame).unwrap();
        let expected = stopped.variables.iter().filter(|(function, ..)| {
            function == name || (name == "app::middle" && function == "app::helper")
        });
        for (function, name, place) in expected {
            let local = locals.iter().find(|local| local.name == *name);
            let local = local.unwrap_or_else(|| panic!("no {name} in {locals:?}"));
            assert_eq!(local.location, Location::Memory(*place), "{name}");
            assert_eq!(local.inlined.as_ref(), (function == "app::helper").then_some(function), "{name}");
            assert!(!local.is_parameter && local.ty.is_some());
            found += 1;
        }
        for (_, name, value) in stopped.parameters.iter().filter(|(function, ..)| function == name) {
            let parameter =
                locals.iter().find(|local| local.name == *name && local.inlined.is_none()).unwrap();
            assert!(parameter.is_parameter);
            if let Ok(found) = parameter.location.value(&frame, 8, ByteOrder::Little) {
                assert_eq!(found, *value, "{parameter:?}");
                known += 1;
            }
            let ty = program.type_name(parameter.ty.unwrap());
            assert!(ty.starts_with("app::Shared*"), "{ty}");
        }
        assert!(locals.iter().all(|local| local.name != "later"), "{locals:?}");
        registers = next;
        // The call, rather than the instruction after it.
        address = return_address.unwrap() - 1;
    }
    (found, known)
}

#[test]
fn frames_are_unwound_and_their_variables_found() {
    for options in [
        ["-gdwarf-5", "-O0", "-pie"],
        ["-gdwarf-4", "-fomit-frame-pointer", "-no-pie"],
        ["-gdwarf-5", "-O2", "-no-pie"],
        ["-gdwarf-4", "-O1", "-pie"],
    ] {
        let Some(made) = compile("g++", "cpp", SOURCE, &[&options[..], &["-fPIE", "-w"]].concat()) else {
            return;
        };
        let (found, known) = check(&made.open(), &parse(&made.output()));
        assert_eq!(found, 6, "{options:?}");
        println!("{options:?}: {known} of 2 parameters known");
        assert!(known == 2 || options[1].starts_with("-O"), "{known}");
    }
}

#[test]
fn frames_are_unwound_without_exception_tables() {
    let options = ["-g", "-O1", "-fno-asynchronous-unwind-tables", "-fno-exceptions", "-no-pie", "-w"];
    let Some(made) = compile("g++", "cpp", SOURCE, &options) else { return };
    check(&made.open(), &parse(&made.output()));
}

#[test]
fn unwinding_needs_no_debug_information() {
    let Some(made) = compile("g++", "cpp", SOURCE, &["-O2", "-no-pie", "-w", "-s"]) else { return };
    let stopped = parse(&made.output());
    let (program, read) = (made.open(), |address: u64, bytes: &mut [u8]| stopped.read(address, bytes));
    assert!(matches!(program.function_at(0x1000), Err(DebugError::Missing { .. })));
    let mut registers = stopped.registers.clone();
    for (name, cfa) in stopped.frames.iter().rev() {
        let address = registers[&16] - u64::from(registers != stopped.registers);
        let frame = Frame { address, registers: &registers, cfa: None, bias: 0, read: &read };
        let caller = program.unwind(&frame).unwrap();
        assert_eq!(caller.cfa, *cfa, "{name}");
        registers = caller.registers;
    }
}

#[test]
fn unknown_register_is_named() {
    let Some(made) = compile("g++", "cpp", SOURCE, &["-g", "-O0", "-no-pie", "-w"]) else { return };
    let stopped = parse(&made.output());
    let program = made.open();
    let registers = Registers::from([(16, stopped.registers[&16]), (7, stopped.registers[&7])]);
    let frame =
        Frame { address: registers[&16], registers: &registers, cfa: None, bias: 0, read: &|_, _| false };
    let error = program.unwind(&frame).unwrap_err().to_string();
    assert_eq!(error, "register rbp is unknown");
    let function = program.function_at(frame.address).unwrap().unwrap();
    let locals = program.locals(&function, &frame).unwrap();
    assert!(locals.iter().all(|local| matches!(local.location, Location::Unknown(_))), "{locals:?}");
    let nowhere = Frame { address: 0x10, ..frame };
    assert_eq!(program.unwind(&nowhere), Err(DebugError::NoFrame(0x10)));
    assert_eq!(program.function_at(0x10), Ok(None));
}
