//! Dots in cells, each cell with the trace that was drawn last.

use super::marker::DOTS;

/// The dots of a plot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Raster {
    /// Cells in a row.
    width: usize,
    height: usize,
    cells: Vec<Dots>,
}

/// The dots of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Dots {
    /// Bit `2 * row + column` is a dot.
    pub mask: u8,
    pub pen: Pen,
}

/// The trace that draws, and if its samples may be torn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Pen {
    pub trace: usize,
    pub is_dim: bool,
}

impl Raster {
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, cells: vec![Dots::default(); width * height] }
    }

    /// The number of dots across and down.
    pub const fn size(&self) -> [usize; 2] {
        [self.width * DOTS[0], self.height * DOTS[1]]
    }

    pub fn cell(&self, x: usize, y: usize) -> Dots {
        self.cells[y * self.width + x]
    }

    /// Draws a column of dots from one row to another, in any order. Those outside are left out.
    pub fn fill(&mut self, x: usize, rows: [f64; 2], pen: Pen) {
        let [_, height] = self.size();
        let (top, bottom) = if rows[0] < rows[1] { (rows[0], rows[1]) } else { (rows[1], rows[0]) };
        let last = as_f64(height) - 1.0;
        if x >= self.width * DOTS[0] || !(top.round() <= last && bottom.round() >= 0.0) {
            return;
        }
        let (top, bottom) = (as_index(top.max(0.0)), as_index(bottom.min(last)));
        let column = x % DOTS[0];
        for y in top / DOTS[1]..=bottom / DOTS[1] {
            let start = top.max(y * DOTS[1]) - y * DOTS[1];
            let end = bottom.min(y * DOTS[1] + 3) - y * DOTS[1];
            // The bits of the rows from start to end in one column.
            let rows = (0x55_u8 << (2 * start)) & (0x55 >> (2 * (3 - end)));
            self.cells[y * self.width + x / DOTS[0]].draw(rows << column, pen);
        }
    }

    /// Draws a line between two points, in dots. It may begin and end far outside.
    pub fn line(&mut self, from: [f64; 2], to: [f64; 2], pen: Pen) {
        let ([x0, y0], [x1, y1]) = if from[0] <= to[0] { (from, to) } else { (to, from) };
        let last = as_f64(self.size()[0]) - 1.0;
        if x1.round() < 0.0 || x0.round() > last {
            return;
        }
        let slope = if x1 > x0 { (y1 - y0) / (x1 - x0) } else { 0.0 };
        for x in as_index(x0.max(0.0))..=as_index(x1.min(last)) {
            let is_end = as_f64(x) >= x1.round();
            let at = |x: f64| y0 + slope * (x.clamp(x0, x1) - x0);
            let (start, mut end) = (at(as_f64(x) - 0.5).round(), at(as_f64(x) + 0.5).round());
            if x1.round() <= x0.round() {
                (_, end) = (start, y1.round());
            } else if !is_end && (end - start).abs() >= 1.0 {
                // The next column begins there.
                end -= (end - start).signum();
            }
            self.fill(x, [start, if is_end { y1.round() } else { end }], pen);
        }
    }
}

impl Dots {
    fn draw(&mut self, mask: u8, pen: Pen) {
        let is_dim = pen.is_dim && (self.mask == 0 || self.pen.trace != pen.trace || self.pen.is_dim);
        self.pen = Pen { is_dim, ..pen };
        self.mask |= mask;
    }
}

#[expect(clippy::cast_precision_loss, reason = "the size of a terminal")]
pub(super) const fn as_f64(size: usize) -> f64 {
    size as f64
}

/// The nearest index; 0 below 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "callers clamp to their size")]
pub(super) fn as_index(position: f64) -> usize {
    position.round().max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::plot::Marker;
    use proptest::prelude::*;

    const PEN: Pen = Pen { trace: 0, is_dim: false };

    fn text(raster: &Raster) -> String {
        let row = |y| (0..raster.width).map(|x| Marker::Braille.symbol(raster.cell(x, y).mask)).collect();
        (0..raster.height).map(row).collect::<Vec<String>>().join("\n")
    }

    /// The dots that are set, as columns and rows.
    fn dots(raster: &Raster) -> Vec<[usize; 2]> {
        let [width, height] = raster.size();
        let all = (0..width).flat_map(|x| (0..height).map(move |y| [x, y]));
        all.filter(|[x, y]| raster.cell(x / 2, y / 4).mask & 1 << (2 * (y % 4) + x % 2) != 0).collect()
    }

    #[test]
    fn line_is_thin_and_ends_at_its_points() {
        let mut raster = Raster::new(2, 1);
        raster.line([0.0, 0.0], [3.0, 3.0], PEN);
        assert_eq!(text(&raster), "⠑⢄");
        let mut steep = Raster::new(1, 2);
        steep.line([1.0, 7.0], [0.0, 0.0], PEN);
        assert_eq!(text(&steep), "⡇\n⢸");
        let mut upright = Raster::new(1, 2);
        upright.line([0.0, 1.0], [0.0, 6.0], PEN);
        assert_eq!(text(&upright), "⡆\n⠇");
    }

    #[test]
    fn last_trace_owns_a_cell_and_is_dim_if_all_of_it_is() {
        let mut raster = Raster::new(2, 1);
        let dim = Pen { trace: 1, is_dim: true };
        raster.fill(0, [0.0, 0.0], PEN);
        raster.fill(0, [2.0, 2.0], dim);
        assert_eq!(raster.cell(0, 0), Dots { mask: 0x11, pen: dim });
        raster.fill(1, [2.0, 2.0], Pen { is_dim: false, ..dim });
        raster.fill(1, [3.0, 3.0], dim);
        assert!(!raster.cell(0, 0).pen.is_dim);
        assert_eq!(raster.cell(1, 0), Dots::default());
    }

    proptest! {
        #[test]
        fn line_is_connected(points in prop::array::uniform4(0_u8..24)) {
            let [x0, y0, x1, y1] = points.map(f64::from);
            let mut raster = Raster::new(12, 6);
            raster.line([x0, y0], [x1, y1], PEN);
            let dots = dots(&raster);
            let has = |x: u8, y: u8| dots.contains(&[x.into(), y.into()]);
            prop_assert!(has(points[0], points[1]) && has(points[2], points[3]));
            let near = |a: &[usize; 2], b: &[usize; 2]| a[0].abs_diff(b[0]).max(a[1].abs_diff(b[1])) == 1;
            for dot in dots.iter().filter(|_| dots.len() > 1) {
                prop_assert!(dots.iter().any(|other| near(dot, other)), "{:?} is alone", dot);
            }
            let wide = points[0].abs_diff(points[2]).max(points[1].abs_diff(points[3]));
            prop_assert!(dots.len() <= 2 * (usize::from(wide) + 1), "{} dots", dots.len());
        }

        #[test]
        fn dots_from_outside_are_cut(rows in prop::array::uniform2(-20_f64..20.0), far in -1e300_f64..1e300) {
            let mut raster = Raster::new(3, 2);
            raster.fill(5, rows, PEN);
            raster.fill(6, rows, PEN);
            let [low, high] = [rows[0].min(rows[1]).round(), rows[0].max(rows[1]).round()];
            let expected: Vec<[usize; 2]> =
                (0..8).filter(|&row| low <= as_f64(row) && as_f64(row) <= high).map(|row| [5, row]).collect();
            prop_assert_eq!(dots(&raster), expected);
            raster.line([far, rows[0]], [rows[1], far], PEN);
        }
    }
}
