//! A picture of 320 by 240 gray bytes, row by row: a bright ball bounces over a dim background. The
//! mark occupies the first 64 pixels.

use super::mark;

pub const WIDTH: usize = 320;
pub const HEIGHT: usize = 240;

const RADIUS: usize = 12;

pub struct Picture {
    pixels: Vec<u8>,
    ball: (usize, usize),
}

impl Picture {
    /// Returns the picture at tick 0.
    pub fn new(mark: &[u8; mark::LENGTH]) -> Self {
        let rows = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| background(x, y)));
        let mut picture = Self { pixels: rows.collect(), ball: ball_at(0) };
        picture.pixels[..mark.len()].copy_from_slice(mark);
        picture.draw();
        picture
    }

    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Moves the ball. Returns the offset of the first row that changed, and the rows that changed.
    pub fn step(&mut self, tick: u32) -> (usize, &[u8]) {
        let before = self.ball;
        for (x, y) in disc(before) {
            self.pixels[y * WIDTH + x] = background(x, y);
        }
        self.ball = ball_at(tick);
        self.draw();
        let first = (before.1.min(self.ball.1) - RADIUS) * WIDTH;
        let end = (before.1.max(self.ball.1) + RADIUS + 1) * WIDTH;
        (first, &self.pixels[first..end])
    }

    fn draw(&mut self) {
        for (x, y) in disc(self.ball) {
            self.pixels[y * WIDTH + x] = 0xff;
        }
    }
}

/// A gradient from dark to half bright along both axes.
fn background(x: usize, y: usize) -> u8 {
    let slope = (x + y) * 96 / (WIDTH + HEIGHT);
    u8::try_from(16 + slope).unwrap_or(u8::MAX)
}

/// The center of the ball, which never reaches the mark in the first row.
fn ball_at(tick: u32) -> (usize, usize) {
    let along = |speed: usize, range: usize| {
        // Back and forth: the way back is the second half of the range.
        let at = (tick as usize).wrapping_mul(speed) % (2 * range);
        if at < range { at } else { 2 * range - at }
    };
    (RADIUS + along(3, WIDTH - 2 * RADIUS - 1), 1 + RADIUS + along(2, HEIGHT - 2 * RADIUS - 2))
}

fn disc((x, y): (usize, usize)) -> impl Iterator<Item = (usize, usize)> {
    let rows = y - RADIUS..=y + RADIUS;
    rows.flat_map(move |row| (x - RADIUS..=x + RADIUS).map(move |column| (column, row))).filter(
        move |&(column, row)| {
            let (across, down) = (column.abs_diff(x), row.abs_diff(y));
            across * across + down * down <= RADIUS * RADIUS
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_leave_no_trail_and_report_every_change() {
        let mark = [b'm'; mark::LENGTH];
        let mut picture = Picture::new(&mark);
        let mut shown = picture.pixels().to_vec();
        assert_eq!(shown.len(), 76_800);
        for tick in 1..2000 {
            let (at, rows) = picture.step(tick);
            assert!(rows.len() <= 28 * WIDTH, "{} bytes for one step", rows.len());
            shown[at..at + rows.len()].copy_from_slice(rows);
            let bright = memchr::memchr_iter(0xff, &shown).count();
            assert_eq!(bright, disc((RADIUS, RADIUS)).count(), "at {tick}");
            assert!(shown[..mark::LENGTH] == mark, "at {tick}");
        }
        assert_eq!(shown, picture.pixels());
        assert_ne!(shown, Picture::new(&mark).pixels());
    }
}
