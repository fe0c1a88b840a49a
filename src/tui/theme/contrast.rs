//! The contrast of every theme with the palettes of real terminals, according to WCAG 2.

use super::{Depth, Name, Theme};
use ratatui::style::{Color, Modifier, Style};

type Rgb = (u8, u8, u8);

/// The minimum contrast of text that must be read.
const MIN_TEXT_CONTRAST: f64 = 4.5;

/// The colors of a terminal: foreground, background, and the first eight of the sixteen.
struct Palette {
    name: &'static str,
    dark: bool,
    text: u32,
    background: u32,
    colors: [u32; 8],
}

/// The eight colors of Solarized, light and dark.
const SOLARIZED: [u32; 8] =
    [0x07_3642, 0xdc_322f, 0x85_9900, 0xb5_8900, 0x26_8bd2, 0xd3_3682, 0x2a_a198, 0xee_e8d5];

const PALETTES: [Palette; 5] = [
    Palette {
        name: "xterm",
        dark: true,
        text: 0xe5_e5e5,
        background: 0,
        colors: [0, 0xcd_0000, 0x00_cd00, 0xcd_cd00, 0x00_00ee, 0xcd_00cd, 0x00_cdcd, 0xe5_e5e5],
    },
    Palette {
        name: "VGA",
        dark: true,
        text: 0xaa_aaaa,
        background: 0,
        colors: [0, 0xaa_0000, 0x00_aa00, 0xaa_5500, 0x00_00aa, 0xaa_00aa, 0x00_aaaa, 0xaa_aaaa],
    },
    Palette {
        name: "GNOME light",
        dark: false,
        text: 0x17_1421,
        background: 0xff_ffff,
        colors: [0x17_1421, 0xc0_1c28, 0x26_a269, 0xa2_734c, 0x12_488b, 0xa3_47ba, 0x2a_a1b3, 0xd0_cfcc],
    },
    Palette { name: "Solarized dark", dark: true, text: 0x83_9496, background: 0x00_2b36, colors: SOLARIZED },
    Palette {
        name: "Solarized light",
        dark: false,
        text: 0x65_7b83,
        background: 0xfd_f6e3,
        colors: SOLARIZED,
    },
];

fn rgb(hex: u32) -> Rgb {
    let [_, r, g, b] = hex.to_be_bytes();
    (r, g, b)
}

/// The relative luminance of a color.
fn luminance((r, g, b): Rgb) -> f64 {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    0.0722f64.mul_add(linear(b), 0.2126f64.mul_add(linear(r), 0.7152 * linear(g)))
}

fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    one.max(other) / one.min(other)
}

impl Palette {
    fn color(&self, color: Option<Color>, default: u32) -> Rgb {
        let index = match color {
            None | Some(Color::Reset) => return rgb(default),
            Some(Color::Rgb(r, g, b)) => return (r, g, b),
            // Colors 16 to 231 are the same in all terminals.
            Some(Color::Indexed(index @ 16..232)) => {
                let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
                let cube = index - 16;
                return (level(cube / 36), level(cube / 6 % 6), level(cube % 6));
            }
            Some(Color::Black) => 0,
            Some(Color::Red) => 1,
            Some(Color::Green) => 2,
            Some(Color::Yellow) => 3,
            Some(Color::Blue) => 4,
            Some(Color::Magenta) => 5,
            Some(Color::Cyan) => 6,
            Some(other) => panic!("no theme may use {other}: its meaning differs between palettes"),
        };
        rgb(self.colors[index])
    }

    /// The contrast of text in a style. Terminals draw `DIM` about halfway to the background.
    fn contrast(&self, style: Style) -> f64 {
        let (mut text, mut background) =
            (self.color(style.fg, self.text), self.color(style.bg, self.background));
        if style.add_modifier.contains(Modifier::REVERSED) {
            std::mem::swap(&mut text, &mut background);
        }
        if style.add_modifier.contains(Modifier::DIM) {
            let half = |from: u8, to: u8| from.midpoint(to);
            text = (half(text.0, background.0), half(text.1, background.1), half(text.2, background.2));
        }
        contrast(text, background)
    }

    /// The contrast to require. With the terminal's own colors, text cannot surpass the terminal's
    /// own text, which has 4.13 in Solarized light.
    fn required(&self, name: Name, depth: Depth) -> f64 {
        let own = contrast(rgb(self.text), rgb(self.background));
        let own_colors = matches!(name, Name::Default | Name::Mono) || depth != Depth::True;
        if own_colors { MIN_TEXT_CONTRAST.min(own) } else { MIN_TEXT_CONTRAST }
    }
}

/// The themes that fit a palette.
fn themes(palette: &Palette) -> [Name; 3] {
    [Name::Default, Name::Mono, if palette.dark { Name::Dark } else { Name::Light }]
}

#[test]
fn contrast_matches_wcag() {
    assert!((contrast((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 0.01);
    assert!((contrast((0x76, 0x76, 0x76), (255, 255, 255)) - 4.54).abs() < 0.01);
    // `DIM` is the mistake that this test prevents.
    let dim = Style::new().add_modifier(Modifier::DIM);
    for palette in &PALETTES[3..] {
        assert!(palette.contrast(dim) < 2.5, "{}", palette.name);
    }
}

#[test]
fn text_that_must_be_read_is_readable_in_every_palette() {
    for palette in &PALETTES {
        for name in themes(palette) {
            for depth in [Depth::Sixteen, Depth::Many, Depth::True] {
                let theme = Theme::new(name, depth, false);
                let roles = [
                    ("text", theme.text),
                    ("dim", theme.dim),
                    ("strong", theme.strong),
                    ("focus", theme.focus),
                    ("unknown", theme.unknown),
                    ("selection", theme.text.patch(theme.selection)),
                ];
                for (role, style) in roles {
                    let (seen, required) = (palette.contrast(style), palette.required(name, depth));
                    assert!(seen >= required, "{role} of {name:?} in {}: {seen:.2}", palette.name);
                }
            }
        }
    }
}

#[test]
fn colors_of_the_true_color_themes_are_readable() {
    for palette in &PALETTES {
        let name = themes(palette)[2];
        let theme = Theme::new(name, Depth::True, false);
        let colors = [
            theme.accent,
            theme.in_use,
            theme.removed,
            theme.protected,
            theme.leaked,
            theme.attached,
            theme.failed,
            theme.zero,
            theme.printable,
            theme.space,
            theme.control,
            theme.other,
            theme.differs,
            theme.found,
        ];
        for style in colors.iter().chain(&theme.glow).chain(&theme.traces) {
            let seen = palette.contrast(*style);
            assert!(seen >= MIN_TEXT_CONTRAST, "{style:?} of {name:?} in {}: {seen:.2}", palette.name);
        }
    }
}

#[test]
fn text_on_the_glow_is_readable() {
    for palette in &PALETTES {
        for depth in [Depth::Many, Depth::True] {
            for style in Theme::new(Name::Default, depth, false).glow {
                let seen = palette.contrast(style);
                assert!(seen >= MIN_TEXT_CONTRAST, "{style:?} in {}: {seen:.2}", palette.name);
            }
        }
    }
}

#[test]
fn key_and_word_of_a_hint_differ() {
    for name in [Name::Default, Name::Dark, Name::Light, Name::Mono] {
        for depth in [Depth::Mono, Depth::Sixteen, Depth::Many, Depth::True] {
            let theme = Theme::new(name, depth, false);
            for enabled in [true, false] {
                let (key, word) = theme.hint(enabled);
                assert_ne!(key, word, "{name:?} {depth:?}");
            }
            assert_ne!(theme.hint(true), theme.hint(false), "{name:?} {depth:?}");
        }
    }
}
