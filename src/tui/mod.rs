//! The terminal: enter and leave, events, drawing.

pub mod canvas;
pub mod draw;
pub mod glyphs;
pub mod theme;
