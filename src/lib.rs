//! shmlens: the shared-memory inspector for Linux.
//!
//! The map of the house. Each room uses only rooms that stand before it;
//! `demo` makes segments of its own, and `cli` may use all but `tui`, and of
//! `app` only its tables.
//!
//! | room | does |
//! |---|---|
//! | [`segment`] | what a segment is; plain data, and the filter over it |
//! | [`sys`] | raw kernel calls, and all that is unsafe |
//! | [`machine`] | the machine behind one trait: the real one, and a fake one for tests |
//! | [`config`] | the settings file, its defaults and its errors |
//! | [`survey`] | looks at the machine: every segment, the limits, the difference of two looks |
//! | [`memory`] | reads contents without disturbing them |
//! | [`decode`] | bytes to values and text |
//! | [`identify`] | judges each segment |
//! | [`act`] | changes a segment: plan, check again, apply, verify |
//! | [`demo`] | the world that `shmlens demo` makes |
//! | [`engine`] | runs all of the above in the background: workers, subscriptions, progress |
//! | [`app`] | the interactive program as a state machine; knows no terminal |
//! | [`tui`] | the terminal: enter and leave, events, drawing |
//! | [`cli`] | arguments and reports |

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
pub mod segment;
pub mod survey;
pub mod sys;
pub mod tui;
