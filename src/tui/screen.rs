//! Writes frames to the terminal: only the cells that changed, in one write, and nothing if no
//! cell changed.

use crate::app::event::Size;
use crossterm::queue;
use crossterm::style::ResetColor;
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::io::{self, Write};
use std::mem;

/// The cells that the terminal shows.
///
/// Unlike ratatui's `Terminal`, it writes nothing for an unchanged frame, so an idle screen does
/// not wake the terminal or its connection.
#[derive(Debug)]
pub struct Screen<W> {
    out: W,
    shown: Buffer,
    next: Buffer,
    bytes: Vec<u8>,
    invalid: bool,
}

impl<W: Write> Screen<W> {
    /// A screen with unknown contents: the first frame is drawn completely.
    pub fn new(out: W) -> Self {
        Self { out, shown: Buffer::default(), next: Buffer::default(), bytes: vec![], invalid: true }
    }

    /// Forgets the contents, so that the next frame is drawn completely.
    pub const fn invalidate(&mut self) {
        self.invalid = true;
    }

    /// Paints a frame and writes the cells that changed. After a resize or an error, writes them
    /// all.
    pub fn draw(&mut self, size: Size, paint: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        let area = Rect::new(0, 0, size.width, size.height);
        self.next.resize(area);
        self.next.reset();
        paint(&mut self.next);
        let whole = mem::replace(&mut self.invalid, true) || self.shown.area != area;
        if whole {
            self.shown.resize(area);
            self.shown.reset();
        }
        self.compose(whole)?;
        if !self.bytes.is_empty() {
            self.out.write_all(&self.bytes)?;
            self.out.flush()?;
        }
        mem::swap(&mut self.shown, &mut self.next);
        self.invalid = false;
        Ok(())
    }

    fn compose(&mut self, whole: bool) -> io::Result<()> {
        self.bytes.clear();
        let mut changes = self.shown.diff_iter(&self.next).peekable();
        if !whole && changes.peek().is_none() {
            return Ok(());
        }
        queue!(self.bytes, BeginSynchronizedUpdate)?;
        if whole {
            queue!(self.bytes, ResetColor, Clear(ClearType::All))?;
        }
        CrosstermBackend::new(&mut self.bytes).draw(changes)?;
        queue!(self.bytes, EndSynchronizedUpdate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::{Modifier, Style};
    use std::num::NonZero;

    const SIZE: Size = Size { width: 20, height: 3 };

    /// Counts the writes and records their bytes.
    #[derive(Default)]
    struct Spy {
        bytes: Vec<u8>,
        writes: usize,
    }

    impl Write for Spy {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.writes += 1;
            self.bytes.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn cells(count: u16) -> NonZero<u16> {
        NonZero::new(count).unwrap()
    }

    fn parser() -> vt100::Parser {
        vt100::Parser::new(cells(SIZE.height), cells(SIZE.width), 0)
    }

    fn draw(screen: &mut Screen<Spy>, size: Size, text: &str) -> Spy {
        screen.draw(size, |buffer| buffer.set_string(0, 1, text, Style::new())).unwrap();
        mem::take(&mut screen.out)
    }

    fn seen(terminal: &mut vt100::Parser, spy: &Spy) -> String {
        terminal.process(&spy.bytes);
        terminal.screen().contents()
    }

    #[test]
    fn unchanged_frame_writes_nothing() {
        let mut screen = Screen::new(Spy::default());
        assert!(!draw(&mut screen, SIZE, "hello").bytes.is_empty());
        for _ in 0..3 {
            let spy = draw(&mut screen, SIZE, "hello");
            assert_eq!((spy.writes, spy.bytes.len()), (0, 0));
        }
        assert_ne!(draw(&mut screen, SIZE, "hellO").writes, 0);
    }

    #[test]
    fn changed_cells_are_one_synchronized_write() {
        let mut screen = Screen::new(Spy::default());
        draw(&mut screen, SIZE, "hello");
        let spy = draw(&mut screen, SIZE, "hallo");
        assert_eq!(spy.writes, 1);
        let text = String::from_utf8(spy.bytes).unwrap();
        assert!(text.starts_with("\x1b[?2026h") && text.ends_with("\x1b[?2026l"), "{text:?}");
        assert!(text.contains("\x1b[2;2Ha\x1b") && !text.contains("\x1b[2J"), "{text:?}");
    }

    #[test]
    fn resize_and_invalidation_redraw_everything() {
        let mut terminal = parser();
        let mut screen = Screen::new(Spy::default());
        terminal.process(b"rubbish\r\nrubbish");
        let first = draw(&mut screen, SIZE, "hello");
        assert_eq!(seen(&mut terminal, &first), "\nhello");
        terminal.process(b"\x1b[Hrubbish\r\nrubbish");
        screen.invalidate();
        assert_eq!(seen(&mut terminal, &draw(&mut screen, SIZE, "hello")), "\nhello");
        let small = Size { width: 4, height: 2 };
        terminal.screen_mut().set_size(cells(2), cells(4));
        terminal.process(b"\x1b[Hrubb");
        assert_eq!(seen(&mut terminal, &draw(&mut screen, small, "hell")), "\nhell");
        for size in [Size::default(), Size { width: 1, height: 1 }, SIZE] {
            screen.draw(size, |_| ()).unwrap();
        }
    }

    #[test]
    fn wide_characters_hide_and_reveal_the_next_cell() {
        let mut terminal = parser();
        let mut screen = Screen::new(Spy::default());
        for text in ["ab漢字ef", "abcdefgh", "a漢b字ef", "漢漢漢漢", "x漢漢漢y", "xy"] {
            let spy = draw(&mut screen, SIZE, text);
            assert_eq!(seen(&mut terminal, &spy).trim_end(), format!("\n{text}"));
        }
    }

    #[test]
    fn styles_are_written_and_reset() {
        let mut terminal = parser();
        let mut screen = Screen::new(Spy::default());
        screen
            .draw(SIZE, |buffer| {
                buffer.set_string(0, 0, "abc", Style::new());
                buffer.set_string(1, 0, "b", Style::new().red().add_modifier(Modifier::REVERSED));
            })
            .unwrap();
        terminal.process(&screen.out.bytes);
        let cell = |column| terminal.screen().cell(0, column).unwrap();
        assert!(cell(1).inverse() && cell(1).fgcolor() == vt100::Color::Idx(1));
        assert!(!cell(2).inverse() && cell(2).fgcolor() == vt100::Color::Default);
    }

    #[test]
    fn failed_write_is_followed_by_a_complete_frame() {
        struct FailingWriter(bool, Spy);
        impl Write for FailingWriter {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if self.0 { Err(io::ErrorKind::TimedOut.into()) } else { self.1.write(bytes) }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut screen = Screen::new(FailingWriter(true, Spy::default()));
        let paint = |buffer: &mut Buffer| {
            buffer.set_string(0, 0, "hi", Style::new());
        };
        assert!(screen.draw(SIZE, paint).is_err());
        screen.out.0 = false;
        screen.draw(SIZE, paint).unwrap();
        let mut terminal = parser();
        assert_eq!(seen(&mut terminal, &screen.out.1), "hi");
    }
}
