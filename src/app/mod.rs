//! The interactive program as a state machine: actions, key map, state,
//! update. It does no I/O and does not depend on the terminal.

pub mod action;
pub mod attachments;
pub mod clean;
pub mod confirm;
pub mod detail;
pub mod effect;
pub mod event;
pub mod help;
pub mod hints;
pub mod holders;
pub mod inspect;
mod interval;
pub mod key;
mod keymap;
pub mod layout;
pub mod list;
pub mod new_segment;
pub mod overlay;
pub mod permissions;
pub mod rates;
pub mod save;
pub mod scope;
pub mod segment_map;
pub mod sentence;
mod state;
pub mod strip;
pub mod table;
pub mod text_field;
pub mod typing;
mod update;
pub mod values;
pub mod work;
pub mod writers;

pub use effect::Effect;
pub use event::Event;
pub use interval::Interval;
pub use keymap::{Keymap, KeymapError};
pub use state::{Notice, Settings, State};
pub use update::{next_tick, update};
