//! The statistics of channels, as a table and as JSON.

use crate::cli::style::Tint;
use crate::cli::table::{Column, Table};
use crate::scope::{Channel, Number, Statistics, units};
use crate::segment::quote;
use serde::Serialize;

/// Significant digits of computed numbers.
const DIGITS: usize = 6;

/// A channel, in the format of `--json`. Numbers that are not finite are `null`.
#[derive(Serialize)]
pub struct ChannelJson<'a> {
    name: &'a str,
    value: Option<Number>,
    /// The name of the last value.
    #[serde(skip_serializing_if = "Option::is_none")]
    enumerator: Option<String>,
    min: Option<Number>,
    max: Option<Number>,
    average: Option<f64>,
    deviation: Option<f64>,
    rate: Option<f64>,
    changes: u64,
    samples: u64,
}

impl<'a> ChannelJson<'a> {
    pub fn new((channel, statistics): (&'a Channel, &Statistics)) -> Self {
        Self {
            name: &channel.name,
            value: statistics.last(),
            enumerator: statistics.last().and_then(|last| channel.enumerator(last.bits())),
            min: statistics.min(),
            max: statistics.max(),
            average: statistics.average(),
            deviation: statistics.deviation(),
            rate: statistics.rate(),
            changes: statistics.changes(),
            samples: statistics.samples(),
        }
    }
}

pub fn statistics_table(channels: &[Channel], statistics: &[Statistics]) -> Table {
    let column = |title, right| Column { title, right };
    let mut table = Table::new(vec![
        column("CHANNEL", false),
        column("VALUE", true),
        column("RATE/S", true),
        column("MIN", true),
        column("MAX", true),
        column("AVG", true),
        column("DEVIATION", true),
        column("CHANGES", true),
        column("SAMPLES", true),
    ]);
    for (channel, statistics) in channels.iter().zip(statistics) {
        let mut cell = |text: String| table.cell(Tint::Plain, format_args!("{text}"));
        let value = |number: Option<Number>| number.map(|number| channel.text(number.bits()));
        let is_quantity = channel.is_quantity();
        let computed = |number: Option<f64>| {
            number.filter(|_| is_quantity).map_or_else(missing, |number| units::rounded(number, DIGITS))
        };
        cell(quote(channel.name.as_bytes()));
        cell(value(statistics.last()).unwrap_or_else(missing));
        cell(computed(statistics.rate()));
        cell(value(statistics.min()).unwrap_or_else(missing));
        cell(value(statistics.max()).unwrap_or_else(missing));
        cell(computed(statistics.average()));
        cell(computed(statistics.deviation()));
        cell(statistics.changes().to_string());
        cell(statistics.samples().to_string());
    }
    table
}

fn missing() -> String {
    "-".to_owned()
}
