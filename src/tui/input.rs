//! Reads keys, clicks and pasted text, and converts them from crossterm's types.

use super::backlog::Backlog;
use super::message::Message;
use crate::app::Event;
use crate::app::key::{Code, Key, Mouse, MouseKind};
use crossterm::event::{
    self as ct, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use std::io::{self, IsTerminal as _};
use std::sync::mpsc::Sender;

/// Starts the thread that reads the terminal. It runs until the process exits, because its read
/// cannot be interrupted.
pub fn listen(messages: Sender<Message>) -> io::Result<()> {
    super::message::spawn("input", messages, |messages| {
        let backlog = Backlog::default();
        loop {
            let message = match ct::read() {
                Ok(event) => match translate(event) {
                    Some(event) => Message::Input(event, backlog.enter()),
                    None => continue,
                },
                // The terminal was gone before the first read.
                Err(_) if !io::stdin().is_terminal() => Message::HungUp,
                Err(error) => Message::InputFailed(error),
            };
            let last = matches!(message, Message::InputFailed(_) | Message::HungUp);
            if messages.send(message).is_err() || last {
                return;
            }
        }
    })
}

/// Converts an event, or returns `None` for events that are ignored.
fn translate(event: ct::Event) -> Option<Event> {
    match event {
        ct::Event::Key(event) => key(event).map(Event::Key),
        ct::Event::Mouse(event) => mouse(event).map(Event::Mouse),
        ct::Event::Paste(text) => Some(Event::Paste(text)),
        // crossterm 0.29 loses a resize that arrives together with a key or before its first read,
        // so [`super::signals`] handles SIGWINCH.
        ct::Event::Resize(..) | ct::Event::FocusGained | ct::Event::FocusLost => None,
    }
}

fn key(event: KeyEvent) -> Option<Key> {
    const KNOWN: KeyModifiers =
        KeyModifiers::SHIFT.union(KeyModifiers::CONTROL).union(KeyModifiers::ALT).union(KeyModifiers::META);
    if event.kind == KeyEventKind::Release || !KNOWN.contains(event.modifiers) {
        return None;
    }
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    let shift = event.modifiers.contains(KeyModifiers::SHIFT);
    let code = match event.code {
        KeyCode::Char(c) if ctrl => Code::Char(c.to_ascii_lowercase()),
        KeyCode::Char(c) if shift => Code::Char(c.to_ascii_uppercase()),
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab if shift => Code::BackTab,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Insert => Code::Insert,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::F(number @ 1..=12) => Code::Function(number),
        _ => return None,
    };
    Some(Key { code, ctrl, alt: event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::META) })
}

fn mouse(event: MouseEvent) -> Option<Mouse> {
    let kind = match event.kind {
        MouseEventKind::Down(MouseButton::Left) => MouseKind::Click,
        MouseEventKind::ScrollUp => MouseKind::WheelUp,
        MouseEventKind::ScrollDown => MouseKind::WheelDown,
        _ => return None,
    };
    Some(Mouse { x: event.column, y: event.row, kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: KeyModifiers = KeyModifiers::NONE;
    const SHIFT: KeyModifiers = KeyModifiers::SHIFT;
    const CTRL: KeyModifiers = KeyModifiers::CONTROL;
    const ALT: KeyModifiers = KeyModifiers::ALT;

    fn name(code: KeyCode, modifiers: KeyModifiers) -> Option<String> {
        key(KeyEvent::new(code, modifiers)).map(|key| key.to_string())
    }

    #[test]
    fn keys_are_converted() {
        let table = [
            (KeyCode::Char('g'), NONE, "g"),
            (KeyCode::Char('G'), SHIFT, "G"),
            (KeyCode::Char('g'), SHIFT, "G"),
            (KeyCode::Char('G'), NONE, "G"),
            (KeyCode::Char('?'), SHIFT, "?"),
            (KeyCode::Char('ß'), NONE, "ß"),
            (KeyCode::Char(' '), NONE, "space"),
            (KeyCode::Char('d'), CTRL, "ctrl-d"),
            (KeyCode::Char('D'), CTRL | SHIFT, "ctrl-d"),
            (KeyCode::Char(' '), CTRL, "ctrl-space"),
            (KeyCode::Char('x'), ALT, "alt-x"),
            (KeyCode::Char('x'), KeyModifiers::META, "alt-x"),
            (KeyCode::Char('x'), CTRL | ALT, "ctrl-alt-x"),
            (KeyCode::Enter, NONE, "enter"),
            (KeyCode::Esc, NONE, "esc"),
            (KeyCode::Tab, NONE, "tab"),
            (KeyCode::Tab, SHIFT, "shift-tab"),
            (KeyCode::BackTab, SHIFT, "shift-tab"),
            (KeyCode::Backspace, NONE, "backspace"),
            (KeyCode::Delete, NONE, "delete"),
            (KeyCode::Insert, NONE, "insert"),
            (KeyCode::Up, NONE, "up"),
            (KeyCode::Down, CTRL, "ctrl-down"),
            (KeyCode::Left, NONE, "left"),
            (KeyCode::Right, ALT, "alt-right"),
            (KeyCode::PageUp, NONE, "pgup"),
            (KeyCode::PageDown, NONE, "pgdn"),
            (KeyCode::Home, NONE, "home"),
            (KeyCode::End, NONE, "end"),
            (KeyCode::F(1), NONE, "f1"),
            (KeyCode::F(12), NONE, "f12"),
        ];
        for (code, modifiers, expected) in table {
            assert_eq!(name(code, modifiers).as_deref(), Some(expected), "{code:?} {modifiers:?}");
        }
    }

    #[test]
    fn unsupported_events_are_dropped() {
        assert_eq!(name(KeyCode::Char('x'), KeyModifiers::SUPER), None);
        assert_eq!(name(KeyCode::F(13), NONE), None);
        assert_eq!(name(KeyCode::CapsLock, NONE), None);
        let key_event = |kind| key(KeyEvent::new_with_kind(KeyCode::Char('x'), NONE, kind));
        assert_eq!(key_event(KeyEventKind::Release), None);
        assert_eq!(key_event(KeyEventKind::Repeat), Some(Key::char('x')));
        assert!(translate(ct::Event::FocusLost).is_none());
    }

    #[test]
    fn clicks_and_wheel_are_converted() {
        let at = |kind| mouse(MouseEvent { kind, column: 3, row: 4, modifiers: NONE });
        let mouse = |kind| Some(Mouse { x: 3, y: 4, kind });
        assert_eq!(at(MouseEventKind::Down(MouseButton::Left)), mouse(MouseKind::Click));
        assert_eq!(at(MouseEventKind::ScrollUp), mouse(MouseKind::WheelUp));
        assert_eq!(at(MouseEventKind::ScrollDown), mouse(MouseKind::WheelDown));
        for kind in [
            MouseEventKind::Up(MouseButton::Left),
            MouseEventKind::Down(MouseButton::Right),
            MouseEventKind::Drag(MouseButton::Left),
            MouseEventKind::Moved,
        ] {
            assert_eq!(at(kind), None, "{kind:?}");
        }
    }

    #[test]
    fn paste_is_converted_and_resize_ignored() {
        assert!(
            matches!(translate(ct::Event::Paste("a\nb".into())), Some(Event::Paste(text)) if text == "a\nb")
        );
        assert!(translate(ct::Event::Resize(132, 43)).is_none());
    }
}
