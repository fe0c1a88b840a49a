//! Draws the screens of a terminal as an SVG file, animated if there are several screens. The file
//! has no scripts, because web pages show it in an `<img>`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;
use vt100::{Cell, Color, Screen};

/// The size of a cell, and the baseline in it, for a font of 14 pixels.
const CELL: (f64, f64) = (8.4, 17.0);
const BASELINE: f64 = 13.0;
const MARGIN: f64 = 10.0;

const FOREGROUND: &str = "#d4d4d8";
const BACKGROUND: &str = "#101014";
const PALETTE: [&str; 16] = [
    "#26262b", "#ef5b5b", "#6cc06c", "#d9b04a", "#6c9ef8", "#c792ea", "#4cc3d0", "#d4d4d8", "#6e6e78",
    "#ff7b7b", "#8fdf8f", "#f2cc6b", "#93b9ff", "#dcb3f5", "#7fe0ea", "#ffffff",
];

/// A screen as a list of shapes.
#[derive(Debug, Clone, Default)]
pub struct Frame(Vec<Shape>);

/// A run of cells in one style.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    /// Backgrounds are drawn before text.
    layer: Layer,
    row: u16,
    column: u16,
    text: String,
    color: String,
    bold: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    Background,
    /// Block elements. They are drawn as rectangles, which leave no gaps.
    Blocks,
    Text,
}

/// Frames of equal duration.
pub struct Movie {
    size: (u16, u16),
    frame: Duration,
    frames: u32,
    /// Each shape, with the frames that contain it.
    shapes: BTreeMap<Shape, Vec<u32>>,
}

impl Frame {
    pub fn of(screen: &Screen) -> Self {
        let (rows, columns) = screen.size();
        let mut shapes = vec![];
        for row in 0..rows.get() {
            let cells = (0..columns.get()).filter_map(|column| Some((column, screen.cell(row, column)?)));
            let mut runs: Vec<Shape> = vec![];
            for shape in cells.flat_map(|(column, cell)| of_cell(row, column, cell)) {
                let joined = runs.iter_mut().rev().find(|run| run.layer == shape.layer);
                match joined.filter(|run| run.is_before(&shape)) {
                    Some(run) => run.append(&shape),
                    None => runs.push(shape),
                }
            }
            shapes.extend(runs);
        }
        Self(shapes)
    }
}

/// Returns the shapes of a cell: its background, and its character.
fn of_cell(row: u16, column: u16, cell: &Cell) -> Vec<Shape> {
    let [mut front, mut back] = [color(cell.fgcolor(), FOREGROUND), color(cell.bgcolor(), BACKGROUND)];
    if cell.inverse() {
        (front, back) = (back, front);
    }
    if cell.dim() {
        front = mixed(&front, &back);
    }
    let mut shapes = vec![];
    let text = if cell.has_contents() { cell.contents() } else { " " };
    if back != BACKGROUND {
        let (layer, text) = (Layer::Background, " ".to_owned());
        shapes.push(Shape { layer, row, column, text, color: back, bold: false });
    }
    if text != " " {
        let layer = if text.chars().all(|sign| block(sign).is_some()) { Layer::Blocks } else { Layer::Text };
        let bold = cell.bold() && layer == Layer::Text;
        shapes.push(Shape { layer, row, column, text: text.to_owned(), color: front, bold });
    }
    shapes
}

fn color(color: Color, default: &str) -> String {
    match color {
        Color::Default => default.to_owned(),
        Color::Idx(index @ 0..16) => PALETTE[usize::from(index)].to_owned(),
        Color::Idx(index @ 16..232) => {
            let level = |place: u8| match (index - 16) / place % 6 {
                0 => 0,
                level => 55 + 40 * level,
            };
            format!("#{:02x}{:02x}{:02x}", level(36), level(6), level(1))
        }
        Color::Idx(index) => format!("#{0:02x}{0:02x}{0:02x}", 8 + 10 * (index - 232)),
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
    }
}

/// Mixes three parts of a color with two of another.
fn mixed(front: &str, back: &str) -> String {
    let parts = [1, 3, 5].map(|at| {
        let part = |color: &str| u32::from_str_radix(&color[at..at + 2], 16).unwrap();
        (part(front) * 3 + part(back) * 2) / 5
    });
    format!("#{:02x}{:02x}{:02x}", parts[0], parts[1], parts[2])
}

impl Shape {
    fn end(&self) -> u16 {
        self.column + u16::try_from(self.text.chars().count()).unwrap()
    }

    /// Returns true if the other shape continues this one, with at most a space in between.
    fn is_before(&self, next: &Self) -> bool {
        let gap = next.column - self.end();
        let style = |shape: &Self| (shape.color.clone(), shape.bold, shade(&shape.text));
        gap <= u16::from(self.layer == Layer::Text) && style(self) == style(next)
    }

    fn append(&mut self, next: &Self) {
        if next.column > self.end() {
            self.text.push(' ');
        }
        self.text.push_str(&next.text);
    }

    fn svg(&self, classes: &mut BTreeMap<String, usize>) -> String {
        let (x, y) = (MARGIN + CELL.0 * f64::from(self.column), MARGIN + CELL.1 * f64::from(self.row));
        let width = CELL.0 * f64::from(self.end() - self.column);
        let next = classes.len();
        let style = match (self.bold, shade(&self.text)) {
            (true, _) => format!("fill:{};font-weight:bold", self.color),
            (_, Some(opacity)) => format!("fill:{};fill-opacity:{opacity}", self.color),
            _ => format!("fill:{}", self.color),
        };
        let class = *classes.entry(style).or_insert(next);
        match self.layer {
            Layer::Background => {
                format!("<path class=\"c{class}\" d=\"{}\"/>", rectangle(x, y, width, CELL.1))
            }
            Layer::Blocks => {
                let mut path = String::new();
                let mut signs = self.text.chars().peekable();
                let mut x = x;
                while let Some(sign) = signs.next() {
                    let (left, top, right, bottom) = block(sign).unwrap_or_default();
                    let mut repeats = 1.0;
                    // Only full cells join.
                    while (left, right) == (0.0, 1.0) && signs.next_if_eq(&sign).is_some() {
                        repeats += 1.0;
                    }
                    let width = CELL.0 * (repeats - 1.0 + right - left);
                    let (from, height) = (y + CELL.1 * top, CELL.1 * (bottom - top));
                    path += &rectangle(x + CELL.0 * left, from, width, height);
                    x += CELL.0 * repeats;
                }
                format!("<path class=\"c{class}\" d=\"{path}\"/>")
            }
            Layer::Text => {
                let text = self.text.replace('&', "&amp;").replace('<', "&lt;");
                let y = y + BASELINE;
                format!(
                    "<text class=\"c{class}\" x=\"{x:.1}\" y=\"{y:.0}\" textLength=\"{width:.1}\">{text}</text>"
                )
            }
        }
    }
}

fn rectangle(x: f64, y: f64, width: f64, height: f64) -> String {
    format!("M{x:.1} {y:.1}h{width:.1}v{height:.1}h-{width:.1}z")
}

/// Returns the part of the cell that a block element or a rule fills: left, top, right, bottom.
fn block(sign: char) -> Option<(f64, f64, f64, f64)> {
    let eighths = |from: char| f64::from(u32::from(sign) - u32::from(from)) / 8.0;
    Some(match sign {
        '▁'..='█' => (0.0, 1.0 - eighths('▀'), 1.0, 1.0),
        '▉'..='▏' => (0.0, 0.0, 1.0 - eighths('█'), 1.0),
        '▐' => (0.5, 0.0, 1.0, 1.0),
        '░' | '▒' | '▓' => (0.0, 0.0, 1.0, 1.0),
        '─' => (0.0, 0.47, 1.0, 0.53),
        '│' => (0.44, 0.0, 0.56, 1.0),
        _ => return None,
    })
}

fn shade(text: &str) -> Option<f64> {
    match text.chars().next()? {
        '░' => Some(0.25),
        '▒' => Some(0.5),
        '▓' => Some(0.75),
        _ => None,
    }
}

impl Movie {
    pub const fn new(size: (u16, u16), frame: Duration) -> Self {
        Self { size, frame, frames: 0, shapes: BTreeMap::new() }
    }

    pub fn add(&mut self, frame: Frame) {
        for shape in frame.0 {
            self.shapes.entry(shape).or_default().push(self.frames);
        }
        self.frames += 1;
    }

    pub fn svg(&self) -> String {
        let mut classes = BTreeMap::new();
        // Shapes that are shown at the same times share an animation.
        let mut groups: BTreeMap<(Layer, &[u32]), String> = BTreeMap::new();
        for (shape, frames) in &self.shapes {
            // Shapes of one layer never overlap at the same time.
            *groups.entry((shape.layer, frames)).or_default() += &shape.svg(&mut classes);
        }
        let [width, height] = [CELL.0 * f64::from(self.size.0), CELL.1 * f64::from(self.size.1)]
            .map(|length| (length + 2.0 * MARGIN).ceil());
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\">\n\
             <style>text{{font:14px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre}}"
        );
        for (style, class) in &classes {
            let _ = write!(svg, ".c{class}{{{style}}}");
        }
        let _ = writeln!(
            svg,
            "</style>\n<rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{BACKGROUND}\"/>"
        );
        for ((_, frames), shapes) in groups {
            if frames.len() == self.frames as usize {
                let _ = writeln!(svg, "<g>{shapes}</g>");
                continue;
            }
            // A program that does not animate shows the first frame.
            let hidden = if frames[0] == 0 { "" } else { " display=\"none\"" };
            let _ = writeln!(svg, "<g{hidden}>{}{shapes}</g>", self.animation(frames));
        }
        svg + "</svg>\n"
    }

    /// Returns the element that shows a group in these frames only.
    fn animation(&self, frames: &[u32]) -> String {
        let (mut values, mut times) = (String::new(), String::new());
        let mut shown = None;
        for frame in 0..self.frames {
            let show = frames.binary_search(&frame).is_ok();
            if shown != Some(show) {
                let separator = if shown.is_none() { "" } else { ";" };
                let time = f64::from(frame) / f64::from(self.frames);
                let _ = write!(values, "{separator}{}", if show { "inline" } else { "none" });
                let _ = write!(times, "{separator}{}", (time * 1e4).round() / 1e4);
                shown = Some(show);
            }
        }
        let seconds = (self.frame * self.frames).as_secs_f64();
        format!(
            "<animate attributeName=\"display\" calcMode=\"discrete\" dur=\"{seconds}s\" \
             repeatCount=\"indefinite\" values=\"{values}\" keyTimes=\"{times}\"/>"
        )
    }
}

#[test]
fn movie_repeats_only_what_changes() {
    let mut parser = vt100::Parser::new(1.try_into().unwrap(), 20.try_into().unwrap(), 0);
    let mut movie = Movie::new((20, 1), Duration::from_millis(500));
    for text in ["same  \x1b[31m1 <\x1b[0m ▄▄", "\rsame  \x1b[31m2 <\x1b[0m ▄▄"] {
        parser.process(text.as_bytes());
        movie.add(Frame::of(parser.screen()));
    }
    let svg = movie.svg();
    let count = |text: &str| svg.matches(text).count();
    assert_eq!((count(">same<"), count("<path"), count("1 &lt;"), count("2 &lt;")), (1, 1, 1, 1), "{svg}");
    assert_eq!((count("<animate"), count("dur=\"1s\""), count("display=\"none\"")), (2, 2, 1), "{svg}");
    assert!(svg.contains("h16.8v8.5h-16.8z"), "{svg}");
}
