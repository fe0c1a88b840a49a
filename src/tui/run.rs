//! The event loop: waits for messages, updates the program, executes its effects, and draws once.
//!
//! The loop sleeps until a message arrives or a redraw is due; nothing is polled. The [`Engine`]
//! does the slow work.

use super::message::Message;
use super::terminal::{EnterError, Terminal};
use super::{hangup, input, signals};
use crate::act::StateDirectory;
use crate::app::event::Size;
use crate::app::{Effect, Event};
use crate::config::layout::LayoutRule;
use crate::engine::{self, Body, Clock, Engine, Report, Request};
use crate::identify::{Rules, catalog::Catalog};
use crate::machine::Machine;
use crate::segment::Bytes;
use crate::sys::job::StopTarget;
use ratatui::buffer::Buffer;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// Timeout for the first survey before the first frame.
const FIRST_SURVEY: Duration = Duration::from_millis(30);
/// Handle queued messages for at most half a frame before drawing.
const DRAIN_TIME: Duration = Duration::from_millis(8);
/// Minimum interval of redraws without an event.
const SHORTEST_TICK: Duration = Duration::from_millis(10);

/// The program that the loop runs. It does no I/O and has no clock.
pub trait Program {
    /// Handles an event. Only this method changes the state.
    fn update(&mut self, now: Clock, event: Event) -> Vec<Effect>;

    /// Returns the time until the next redraw without an event, if any.
    fn next_tick(&self, now: Clock) -> Option<Duration>;

    /// Returns the last requests to the engine, before the program ends.
    fn end(&mut self) -> Vec<Request> {
        vec![]
    }

    /// Paints the screen into an empty buffer.
    fn draw(&self, buffer: &mut Buffer);
}

/// The terminal, as the event loop uses it.
pub trait Console {
    fn size(&self) -> io::Result<Size>;
    fn draw(&mut self, size: Size, paint: &mut dyn FnMut(&mut Buffer)) -> io::Result<()>;
    /// Forgets the screen contents, so that the next frame is drawn completely.
    fn invalidate(&mut self);
    fn copy(&mut self, text: &str) -> io::Result<()>;
    fn bell(&mut self) -> io::Result<()>;
    /// Shows a notification, if the terminal can.
    fn notify(&mut self, text: &str) -> io::Result<()>;
    fn capture_mouse(&mut self, on: bool) -> io::Result<()>;
    /// Leaves the terminal, suspends, and reenters the terminal on resume.
    fn suspend(&mut self, target: StopTarget) -> io::Result<()>;
    /// Notes that the program ends, and takes its time.
    fn begin_end(&mut self) {}
    /// Reenters the terminal after another process has used it.
    fn reenter(&mut self) -> io::Result<()>;
}

#[derive(Debug, Clone, PartialEq)]
pub struct RunOptions {
    pub mouse: bool,
    /// The limit on the total size of copies of removed segments.
    pub copies: Bytes,
    /// The share of a processor that change rates may take.
    pub rates_share: f64,
    /// The types that the user gives to names.
    pub layouts: Vec<LayoutRule>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    Quit,
    Signal(i32),
    HungUp,
    /// A thread panicked and reported the panic.
    Panicked,
}

impl ExitReason {
    pub const fn status(self) -> i32 {
        match self {
            Self::Quit => 0,
            Self::Signal(signal) => signals::status(signal),
            Self::HungUp => hangup::EXIT_STATUS,
            Self::Panicked => 101,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Enter(#[from] EnterError),
    /// Failed to start threads or to install signal handlers.
    #[error("failed to start threads: {0}")]
    Threads(#[source] io::Error),
    #[error("failed to write to the terminal: {0}")]
    Output(#[source] io::Error),
    #[error("failed to read from the terminal: {0}")]
    Input(#[source] io::Error),
}

/// Runs the program on the terminal until it ends, then restores the terminal. Must run on the
/// main thread, see [`crate::sys::job::stop`].
pub fn run(
    machine: &Arc<dyn Machine>,
    program: impl Program,
    options: RunOptions,
    rules: Rules,
) -> Result<ExitReason, RunError> {
    let (messages, inbox) = mpsc::channel();
    let state = StateDirectory::find().ok();
    let mouse = options.mouse;
    let RunOptions { copies, rates_share, layouts, .. } = options;
    let engine = engine::Options { copies, rules, state, rates_share, layouts };
    let mut engine = start(machine, engine, messages.clone()).map_err(RunError::Threads)?;
    // The survey runs while the terminal is entered.
    engine.send(Request::Survey);
    signals::listen(messages.clone()).map_err(RunError::Threads)?;
    let terminal = Terminal::enter(mouse)?;
    hangup::watch(messages.clone()).map_err(RunError::Threads)?;
    input::listen(messages).map_err(RunError::Threads)?;
    // Build the catalog now: the first survey needs it as soon as the segments are listed.
    let _ = Catalog::built_in();
    Loop::new(program, terminal, engine, inbox).run()
}

fn start(
    machine: &Arc<dyn Machine>,
    options: engine::Options,
    messages: Sender<Message>,
) -> io::Result<Engine> {
    Engine::start(machine, options, move |report| {
        // The receiver is gone when the program ends.
        let _ = messages.send(report.into());
    })
}

struct Loop<P, S> {
    program: P,
    console: S,
    engine: Engine,
    inbox: Receiver<Message>,
    size: Size,
    surveyed: bool,
    /// Timeout for the first survey before the first frame.
    survey_timeout: Duration,
    /// Requests that wait for the first frame, so that no worker delays it; `None` afterward.
    held: Option<Vec<Request>>,
}

/// Continue, or exit with this result.
type Flow = ControlFlow<Result<ExitReason, RunError>>;

impl<P: Program, S: Console> Loop<P, S> {
    const fn new(program: P, console: S, engine: Engine, inbox: Receiver<Message>) -> Self {
        let size = Size { width: 0, height: 0 };
        let held = Some(vec![]);
        Self { program, console, engine, inbox, size, surveyed: false, survey_timeout: FIRST_SURVEY, held }
    }

    fn run(mut self) -> Result<ExitReason, RunError> {
        let mut flow = self.draw_first_frame();
        while flow.is_continue() {
            flow = self.run_once();
        }
        self.console.begin_end();
        for request in self.program.end() {
            self.engine.send(request);
        }
        let Self { console, engine, .. } = self;
        // Stop the engine before leaving the terminal: the input thread cannot be interrupted, and
        // would swallow keys typed for the shell.
        engine.stop();
        drop(console);
        flow.break_value().unwrap_or(Ok(ExitReason::Quit))
    }

    /// Waits briefly for the first survey, so that the first frame is not empty.
    fn draw_first_frame(&mut self) -> Flow {
        self.update_size()?;
        let until = self.engine.now() + self.survey_timeout;
        while !self.surveyed {
            match self.inbox.recv_timeout(until.saturating_sub(self.engine.now())) {
                Ok(message) => self.handle(message)?,
                Err(_) => break,
            }
        }
        self.draw()?;
        for request in self.held.take().into_iter().flatten() {
            self.engine.send(request);
        }
        ControlFlow::Continue(())
    }

    /// Waits for a message, handles all queued messages, and draws once.
    fn run_once(&mut self) -> Flow {
        let first = match self.program.next_tick(self.engine.now()) {
            None => self.inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(tick) => self.inbox.recv_timeout(tick.max(SHORTEST_TICK)),
        };
        match first {
            Ok(message) => self.handle(message)?,
            Err(RecvTimeoutError::Timeout) => self.dispatch(Event::Tick)?,
            // All threads have ended, including the input thread.
            Err(RecvTimeoutError::Disconnected) => return ControlFlow::Break(Ok(ExitReason::HungUp)),
        }
        let until = self.engine.now() + DRAIN_TIME;
        while self.engine.now() < until {
            let Ok(message) = self.inbox.try_recv() else { break };
            self.handle(message)?;
        }
        self.draw()
    }

    fn handle(&mut self, message: Message) -> Flow {
        match message {
            Message::Event(event) => self.dispatch(event),
            Message::Input(event, slot) => {
                // Free the event's slot in the backlog.
                drop(slot);
                self.dispatch(event)
            }
            Message::Resized => {
                // Two resizes between frames may restore the old size, but the contents have
                // changed.
                self.console.invalidate();
                self.update_size()
            }
            Message::Suspend(target) => self.suspend(target),
            Message::Continued => {
                let entered = self.console.reenter();
                self.handle_resume(entered)
            }
            Message::Signal(signal) => ControlFlow::Break(Ok(ExitReason::Signal(signal))),
            Message::HungUp => ControlFlow::Break(Ok(ExitReason::HungUp)),
            Message::Panicked => ControlFlow::Break(Ok(ExitReason::Panicked)),
            Message::InputFailed(error) => ControlFlow::Break(Err(RunError::Input(error))),
        }
    }

    fn dispatch(&mut self, event: Event) -> Flow {
        match &event {
            Event::Resize(size) => self.size = *size,
            Event::Engine(Report { body: Body::Surveyed(_), .. }) => self.surveyed = true,
            _ => {}
        }
        for effect in self.program.update(self.engine.now(), event) {
            self.execute(effect)?;
        }
        ControlFlow::Continue(())
    }

    fn execute(&mut self, effect: Effect) -> Flow {
        let result = match effect {
            Effect::Engine(request) => {
                match &mut self.held {
                    Some(held) => held.push(request),
                    None => self.engine.send(request),
                }
                Ok(())
            }
            Effect::Copy(text) => match self.console.copy(&text) {
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    return self.dispatch(Event::Failed(error.to_string()));
                }
                done => done,
            },
            Effect::Bell => self.console.bell(),
            Effect::Notify(text) => self.console.notify(&text),
            Effect::CaptureMouse(on) => self.console.capture_mouse(on),
            Effect::Suspend => return self.suspend(StopTarget::Group),
            Effect::Quit => return ControlFlow::Break(Ok(ExitReason::Quit)),
        };
        output(result)
    }

    fn suspend(&mut self, target: StopTarget) -> Flow {
        let suspended = self.console.suspend(target);
        self.handle_resume(suspended)
    }

    /// Updates the size and the screen after reentering the terminal.
    fn handle_resume(&mut self, entered: io::Result<()>) -> Flow {
        output(entered)?;
        self.update_size()?;
        self.dispatch(Event::Resumed)
    }

    fn update_size(&mut self) -> Flow {
        match self.console.size() {
            Ok(size) => self.dispatch(Event::Resize(size.clamped())),
            Err(error) => output(Err(error)),
        }
    }

    fn draw(&mut self) -> Flow {
        let Self { program, console, size, .. } = self;
        output(console.draw(*size, &mut |buffer| program.draw(buffer)))
    }
}

/// Converts a write error. A disconnected terminal is a normal exit.
fn output(result: io::Result<()>) -> Flow {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EIO | libc::EPIPE | libc::ENXIO)) => {
            ControlFlow::Break(Ok(ExitReason::HungUp))
        }
        Err(error) => ControlFlow::Break(Err(RunError::Output(error))),
    }
}

#[cfg(test)]
mod tests;
