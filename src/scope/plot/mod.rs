//! Plots as pure data: characters in cells, each with its role.

mod array;
mod axis;
mod cursors;
mod curve;
mod frame;
mod histogram;
mod levels;
mod marker;
mod picture;
mod raster;
mod states;
mod time;
mod xy;

pub use array::{ArrayPlot, array_columns};
pub use axis::{Axis, Unit};
pub use cursors::Reading;
pub use frame::{Frame, Labels, Names};
pub use histogram::Histogram;
pub use marker::Marker;
pub use picture::{Cell, Ink, Picture};
pub use states::StateCounts;
pub use time::{Scale, TimePlot, Trace, relative};
pub use xy::XyPlot;

#[cfg(test)]
mod tests;
