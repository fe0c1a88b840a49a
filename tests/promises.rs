//! Integration tests, one module per promise; `support` holds shared code.
#![cfg(test)]

mod act;
mod clean;
mod cli;
mod debug;
mod demo;
mod e2e;
mod flows;
mod holders;
mod kernel_facts;
mod locks;
mod makers;
mod memory_real;
mod moving;
mod pictures;
mod python;
mod save;
mod scope;
mod screens;
mod selftyping;
mod structure;
mod support;
mod terminal;
mod trace;
mod types;
mod writers;
