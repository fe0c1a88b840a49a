//! Themes: a style per role. No other file names a color.
//!
//! The default theme uses the terminal's own sixteen colors and background, so it fits light and
//! dark terminals.

use super::glyphs::{ASCII, Glyphs, UNICODE};
pub use crate::config::Theme as Name;
use crate::segment::State;
use ratatui::style::{Color, Modifier, Style};

/// The style of every role, and the symbols.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    pub text: Style,
    /// Quiet text that must be read: headings, units, labels. Never fainter than 4.5:1.
    pub dim: Style,
    /// Decoration: borders, rules, placeholders, and the screen behind an overlay.
    pub faint: Style,
    pub accent: Style,
    /// The heading of the active pane, and titles.
    pub focus: Style,
    /// Names of the program and of segments.
    pub strong: Style,
    /// Patched over the selected row, colors included.
    pub selection: Style,
    pub in_use: Style,
    pub removed: Style,
    pub unknown: Style,
    pub protected: Style,
    pub leaked: Style,
    /// Attached by shmlens.
    pub attached: Style,
    pub failed: Style,
    pub zero: Style,
    pub printable: Style,
    pub space: Style,
    pub control: Style,
    /// Bytes outside ASCII.
    pub other: Style,
    /// Highlight styles of a changed byte as it fades, most recent change first.
    pub glow: Vec<Style>,
    pub differs: Style,
    pub found: Style,
    /// Patched over the bytes of the selected field.
    pub field: Style,
    pub cursor: Style,
    /// The traces of a plot. Numbers tell them apart, too.
    pub traces: [Style; 6],
    pub glyphs: Glyphs,
}

/// The color depth of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    Mono,
    Sixteen,
    Many,
    True,
}

impl Depth {
    /// Detects the depth from the environment variables that `lookup` returns.
    pub fn detect(lookup: impl Fn(&str) -> Option<String>) -> Self {
        if lookup("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            return Self::Mono;
        }
        let term = lookup("TERM").unwrap_or_default();
        let color = lookup("COLORTERM").unwrap_or_default();
        if term == "dumb" || term.starts_with("vt") {
            Self::Mono
        } else if color == "truecolor" || color == "24bit" || term.ends_with("-direct") {
            Self::True
        } else if term.contains("256") {
            Self::Many
        } else {
            Self::Sixteen
        }
    }
}

impl Theme {
    pub fn new(name: Name, depth: Depth, ascii: bool) -> Self {
        let mut theme = match (name, depth) {
            (Name::Mono, _) | (_, Depth::Mono) => Self::mono(),
            (Name::Dark, Depth::True) => Self::with_tints(&DARK),
            (Name::Light, Depth::True) => Self::with_tints(&LIGHT),
            (_, depth) => Self::with_sixteen_colors(depth),
        };
        if ascii {
            theme.glyphs = ASCII;
        }
        theme
    }

    /// Uses only modifiers such as bold and reverse.
    fn mono() -> Self {
        let plain = Style::new();
        let faint = plain.add_modifier(Modifier::DIM);
        let bold = plain.add_modifier(Modifier::BOLD);
        let reverse = plain.add_modifier(Modifier::REVERSED);
        Self {
            text: plain,
            // Terminals draw `DIM` halfway to the background, which is unreadable in many palettes.
            dim: plain,
            faint,
            accent: bold,
            focus: bold,
            strong: bold,
            selection: reverse,
            in_use: plain,
            removed: bold,
            unknown: plain,
            protected: plain,
            leaked: bold,
            attached: bold,
            failed: bold,
            zero: faint,
            printable: plain,
            space: plain,
            control: plain,
            other: plain,
            glow: plain_glow(),
            differs: plain.add_modifier(Modifier::UNDERLINED),
            found: bold.add_modifier(Modifier::UNDERLINED),
            field: plain.add_modifier(Modifier::UNDERLINED),
            cursor: reverse,
            traces: [plain, bold, plain, bold, plain, bold],
            glyphs: UNICODE,
        }
    }

    fn with_sixteen_colors(depth: Depth) -> Self {
        let fg = |color: Color| Style::new().fg(color);
        let glow = match depth {
            Depth::True => {
                AMBER.iter().map(|&(r, g, b)| on(Color::Rgb(r, g, b), Color::Rgb(0, 0, 0))).collect()
            }
            // This is the same fade in the 256-color palette.
            Depth::Many => {
                [214, 178, 137, 101].map(|color| on(Color::Indexed(color), Color::Indexed(16))).to_vec()
            }
            _ => plain_glow(),
        };
        Self {
            accent: fg(Color::Cyan),
            selection: fg(Color::Reset).add_modifier(Modifier::REVERSED),
            in_use: fg(Color::Green),
            removed: fg(Color::Yellow),
            protected: fg(Color::Blue),
            leaked: fg(Color::Red).add_modifier(Modifier::BOLD),
            attached: fg(Color::Cyan),
            failed: fg(Color::Red).add_modifier(Modifier::BOLD),
            printable: fg(Color::Cyan),
            space: fg(Color::Green),
            control: fg(Color::Magenta),
            other: fg(Color::Yellow),
            glow,
            differs: fg(Color::Red).add_modifier(Modifier::BOLD),
            found: fg(Color::Cyan).add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            traces: [
                fg(Color::Green),
                fg(Color::Yellow),
                fg(Color::Cyan),
                fg(Color::Magenta),
                Style::new(),
                fg(Color::Blue),
            ],
            ..Self::mono()
        }
    }

    fn with_tints(tint: &Tint) -> Self {
        let fg = |(r, g, b): Rgb| Style::new().fg(Color::Rgb(r, g, b));
        Self {
            text: fg(tint.text),
            dim: fg(tint.dim),
            faint: fg(tint.faint),
            accent: fg(tint.cyan),
            focus: fg(tint.cyan).add_modifier(Modifier::BOLD),
            strong: fg(tint.text).add_modifier(Modifier::BOLD),
            selection: fg(tint.text).add_modifier(Modifier::REVERSED),
            in_use: fg(tint.green),
            removed: fg(tint.yellow),
            unknown: fg(tint.dim),
            protected: fg(tint.blue),
            leaked: fg(tint.red).add_modifier(Modifier::BOLD),
            attached: fg(tint.cyan),
            failed: fg(tint.red).add_modifier(Modifier::BOLD),
            zero: fg(tint.dim),
            printable: fg(tint.cyan),
            space: fg(tint.green),
            control: fg(tint.magenta),
            other: fg(tint.yellow),
            glow: (0u16..8)
                .map(|step| {
                    let mix = |from: u8, to: u8| {
                        let mixed = (u16::from(from) * (8 - step) + u16::from(to) * step) / 8;
                        u8::try_from(mixed).unwrap_or(to)
                    };
                    let (from, to) = (tint.amber, tint.background);
                    let back = Color::Rgb(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2));
                    let (r, g, b) = if step < 4 { (0, 0, 0) } else { tint.on_glow };
                    Style::new().bg(back).fg(Color::Rgb(r, g, b))
                })
                .collect(),
            differs: fg(tint.red).add_modifier(Modifier::BOLD),
            found: fg(tint.cyan).add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            traces: [tint.green, tint.yellow, tint.cyan, tint.magenta, tint.text, tint.blue].map(fg),
            ..Self::mono()
        }
    }

    /// The styles of a hint's key and word. The key of an unavailable action is not colored.
    pub const fn hint(&self, enabled: bool) -> (Style, Style) {
        if enabled { (self.accent, self.text) } else { (self.dim, self.faint) }
    }

    /// The style of a state.
    pub const fn state(&self, state: State) -> Style {
        match state {
            State::InUse => self.in_use,
            State::Removed => self.removed,
            State::Unknown => self.unknown,
            State::Protected => self.protected,
            State::Idle => self.text,
            State::Leaked(_) => self.leaked,
        }
    }

    /// The style of a trace. Samples that may be torn are dim.
    pub const fn trace(&self, color: usize, is_dim: bool) -> Style {
        let style = self.traces[color % self.traces.len()];
        if is_dim { style.add_modifier(Modifier::DIM) } else { style }
    }

    /// The style of a change, from 0 (fresh) to 1 (gone).
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a step out of eight at the most"
    )]
    pub fn glow(&self, faded: f32) -> Style {
        let step = (faded.clamp(0.0, 1.0) * self.glow.len() as f32) as usize;
        self.glow.get(step).copied().unwrap_or_default()
    }

    /// The style of a map cell that glows. Its color is the background of a glowing byte, because a
    /// cell is a block.
    pub fn changed_cell(glow: Style) -> Style {
        match glow.bg {
            Some(color) => Style::reset().fg(color),
            None => Style::reset().patch(glow),
        }
    }

    /// The style of a byte, by the same classes as in hexyl.
    pub const fn byte(&self, byte: u8) -> Style {
        match byte {
            0 => self.zero,
            b'\t'..=b'\r' | b' ' => self.space,
            0x21..=0x7e => self.printable,
            0x01..=0x1f | 0x7f => self.control,
            0x80..=0xff => self.other,
        }
    }
}

/// Returns black text on a background. All these backgrounds are light enough for black, but the
/// terminal's own black may be gray.
const fn on(background: Color, black: Color) -> Style {
    Style::new().bg(background).fg(black)
}

/// The glow, from amber to a gray on which black is readable in light and dark terminals.
const AMBER: [Rgb; 8] = [
    (255, 184, 0),
    (244, 178, 16),
    (232, 172, 34),
    (218, 164, 52),
    (204, 158, 72),
    (190, 152, 92),
    (178, 148, 112),
    (164, 144, 130),
];

fn plain_glow() -> Vec<Style> {
    let reverse = Style::new().add_modifier(Modifier::REVERSED);
    let lined = Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
    vec![reverse, lined, lined, Style::new()]
}

type Rgb = (u8, u8, u8);

struct Tint {
    text: Rgb,
    background: Rgb,
    dim: Rgb,
    faint: Rgb,
    /// The color of text on the second half of the glow.
    on_glow: Rgb,
    red: Rgb,
    green: Rgb,
    yellow: Rgb,
    blue: Rgb,
    magenta: Rgb,
    cyan: Rgb,
    amber: Rgb,
}

const DARK: Tint = Tint {
    text: (220, 220, 220),
    background: (24, 24, 28),
    dim: (152, 152, 160),
    faint: (96, 96, 104),
    on_glow: (255, 255, 255),
    red: (255, 110, 103),
    green: (125, 207, 125),
    yellow: (226, 190, 92),
    blue: (122, 162, 247),
    magenta: (204, 148, 224),
    cyan: (94, 204, 212),
    amber: (255, 184, 0),
};

const LIGHT: Tint = Tint {
    text: (32, 32, 32),
    background: (250, 248, 240),
    dim: (98, 98, 104),
    faint: (150, 150, 154),
    on_glow: (0, 0, 0),
    red: (190, 20, 40),
    green: (22, 118, 52),
    yellow: (138, 92, 0),
    blue: (20, 70, 180),
    magenta: (134, 40, 170),
    cyan: (0, 108, 134),
    amber: (255, 184, 0),
};

#[cfg(test)]
mod contrast;

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(vars: &[(&str, &str)]) -> Depth {
        Depth::detect(|name| vars.iter().find(|(var, _)| *var == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn depth_is_detected_from_the_environment() {
        assert_eq!(detect(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), Depth::True);
        assert_eq!(detect(&[("TERM", "xterm-256color")]), Depth::Many);
        assert_eq!(detect(&[("TERM", "linux")]), Depth::Sixteen);
        assert_eq!(detect(&[("TERM", "dumb")]), Depth::Mono);
        assert_eq!(detect(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), Depth::Mono);
        assert_eq!(detect(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), Depth::Many);
    }

    #[test]
    fn mono_depth_uses_no_colors() {
        for name in [Name::Default, Name::Dark, Name::Light, Name::Mono] {
            let theme = Theme::new(name, Depth::Mono, false);
            let styles = [
                theme.text,
                theme.dim,
                theme.accent,
                theme.in_use,
                theme.removed,
                theme.failed,
                theme.differs,
                theme.printable,
                theme.control,
                theme.selection,
                theme.cursor,
            ];
            for style in styles.iter().chain(&theme.glow) {
                assert_eq!((style.fg, style.bg), (None, None), "{name:?}");
            }
        }
    }

    #[test]
    fn glow_fades_in_steps() {
        let theme = Theme::new(Name::Default, Depth::True, false);
        assert_eq!(theme.glow.len(), 8);
        assert_eq!(theme.glow(0.0), theme.glow[0]);
        assert_eq!(theme.glow(0.99), theme.glow[7]);
        assert_eq!(theme.glow(1.0), Style::default());
        assert_eq!(Theme::new(Name::Default, Depth::Many, false).glow.len(), 4);
        let plain = Theme::new(Name::Default, Depth::Sixteen, false);
        assert!(plain.glow(0.0).add_modifier.contains(Modifier::REVERSED));
    }
}
