//! shmlens: the shared-memory inspector for Linux.
//!
//! A module may use only modules above it in this table. `cli` may use all but `tui`, and only
//! the tables of `app`.
//!
//! | module | purpose |
//! |---|---|
//! | [`segment`] | segments as plain data, and filters |
//! | [`sys`] | system calls, and all unsafe code |
//! | [`machine`] | a trait for the machine, implemented by the real one and a fake one for tests |
//! | [`config`] | the config file, its defaults and its errors |
//! | [`survey`] | surveys: all segments, the limits, and the difference between two surveys |
//! | [`memory`] | reads contents without changing them |
//! | [`decode`] | converts bytes to values and text |
//! | [`identify`] | determines the state and the maker of each segment |
//! | [`act`] | changes segments: plan, check again, apply, verify |
//! | [`scope`] | values over time: channels, samples, triggers, recordings |
//! | [`demo`] | the segments of `shmlens demo` |
//! | [`engine`] | runs all of the above in the background: workers, subscriptions, progress |
//! | [`app`] | the interactive program as a state machine; knows no terminal |
//! | [`tui`] | the terminal: entering and leaving it, input, drawing |
//! | [`cli`] | the command line: arguments and reports |

pub mod act;
pub mod app;
pub mod cli;
pub mod config;
pub mod decode;
pub mod demo;
pub mod engine;
pub mod identify;
pub mod machine;
pub mod memory;
pub mod scope;
pub mod segment;
pub mod survey;
pub mod sys;
pub mod tui;
