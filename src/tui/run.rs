//! The event loop: waits for messages, updates the program, executes its effects, and draws once.
//!
//! It sleeps until a message arrives or the program needs a redraw by itself; nothing is polled.
//! The [`Engine`] does the slow work.

use super::message::Message;
use super::terminal::{EnterError, Terminal};
use super::{hangup, input, signals};
use crate::act::StateDirectory;
use crate::app::event::Size;
use crate::app::{Effect, Event};
use crate::engine::{self, Body, Clock, Engine, Report, Request};
use crate::identify::Rules;
use crate::machine::Machine;
use crate::segment::Bytes;
use crate::sys::job::Whom;
use ratatui::buffer::Buffer;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// Timeout for the first survey before the first frame.
const FIRST_SURVEY: Duration = Duration::from_millis(30);
/// Time for handling queued messages before the next frame: half a frame.
const TAKE_IN: Duration = Duration::from_millis(8);
/// Minimum interval of redraws without an event.
const SHORTEST_TICK: Duration = Duration::from_millis(10);

/// The program that the loop runs, without I/O and without a clock.
pub trait Program {
    /// Handles an event. Only this changes the state.
    fn update(&mut self, now: Clock, event: Event) -> Vec<Effect>;

    /// The time until the next redraw without an event, if any.
    fn next_tick(&self, now: Clock) -> Option<Duration>;

    /// Paints the screen into an empty buffer.
    fn draw(&self, buffer: &mut Buffer);
}

/// The terminal as the loop needs it.
pub trait Stage {
    fn size(&self) -> io::Result<Size>;
    /// Shows a frame.
    fn draw(&mut self, size: Size, paint: &mut dyn FnMut(&mut Buffer)) -> io::Result<()>;
    /// Marks its contents as unknown: the next frame is drawn completely.
    fn forget(&mut self);
    fn copy(&mut self, text: &str) -> io::Result<()>;
    fn capture_mouse(&mut self, on: bool) -> io::Result<()>;
    /// Leaves the terminal, suspends, and enters it again when the process continues.
    fn stop(&mut self, whom: Whom) -> io::Result<()>;
    /// Enters the terminal again after another process has used it.
    fn enter_again(&mut self) -> io::Result<()>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    pub mouse: bool,
    /// Maximum total size of copies of removed segments.
    pub copies: Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    Quit,
    Signal(i32),
    HungUp,
    /// A thread panicked and has reported it.
    Panicked,
}

impl ExitReason {
    pub const fn status(self) -> i32 {
        match self {
            Self::Quit => 0,
            Self::Signal(signal) => signals::status(signal),
            Self::HungUp => hangup::STATUS,
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
    options: Options,
    rules: Rules,
) -> Result<ExitReason, RunError> {
    let (messages, inbox) = mpsc::channel();
    let state = StateDirectory::find().ok();
    let engine = engine::Options { copies: options.copies, rules, state };
    let mut engine = start(machine, engine, messages.clone()).map_err(RunError::Threads)?;
    // The survey runs while the terminal is entered.
    engine.send(Request::Survey);
    signals::listen(messages.clone()).map_err(RunError::Threads)?;
    let terminal = Terminal::enter(options.mouse)?;
    hangup::watch(messages.clone()).map_err(RunError::Threads)?;
    input::listen(messages).map_err(RunError::Threads)?;
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
    stage: S,
    engine: Engine,
    inbox: Receiver<Message>,
    size: Size,
    surveyed: bool,
    /// Timeout for the first survey before the first frame.
    patience: Duration,
}

/// Continues, or ends with a result.
type Flow = ControlFlow<Result<ExitReason, RunError>>;

impl<P: Program, S: Stage> Loop<P, S> {
    const fn new(program: P, stage: S, engine: Engine, inbox: Receiver<Message>) -> Self {
        let size = Size { width: 0, height: 0 };
        Self { program, stage, engine, inbox, size, surveyed: false, patience: FIRST_SURVEY }
    }

    fn run(mut self) -> Result<ExitReason, RunError> {
        let mut flow = self.begin();
        while flow.is_continue() {
            flow = self.turn();
        }
        let Self { stage, engine, .. } = self;
        // Stop the engine before leaving the terminal: the input thread cannot be interrupted, and
        // would swallow keys typed for the shell meanwhile.
        engine.stop();
        drop(stage);
        flow.break_value().unwrap_or(Ok(ExitReason::Quit))
    }

    /// Waits briefly for the first survey, so that the first frame is not empty.
    fn begin(&mut self) -> Flow {
        self.measure()?;
        let until = self.engine.now() + self.patience;
        while !self.surveyed {
            match self.inbox.recv_timeout(until.saturating_sub(self.engine.now())) {
                Ok(message) => self.take(message)?,
                Err(_) => break,
            }
        }
        self.draw()
    }

    /// Waits for a message, handles all that are queued, and draws once.
    fn turn(&mut self) -> Flow {
        let first = match self.program.next_tick(self.engine.now()) {
            None => self.inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(tick) => self.inbox.recv_timeout(tick.max(SHORTEST_TICK)),
        };
        match first {
            Ok(message) => self.take(message)?,
            Err(RecvTimeoutError::Timeout) => self.happen(Event::Tick)?,
            // All threads have ended, including the input thread.
            Err(RecvTimeoutError::Disconnected) => return ControlFlow::Break(Ok(ExitReason::HungUp)),
        }
        let until = self.engine.now() + TAKE_IN;
        while self.engine.now() < until {
            let Ok(message) = self.inbox.try_recv() else { break };
            self.take(message)?;
        }
        self.draw()
    }

    fn take(&mut self, message: Message) -> Flow {
        match message {
            Message::Event(event) => self.happen(event),
            Message::Input(event, slot) => {
                // Frees the event's place in the backlog.
                drop(slot);
                self.happen(event)
            }
            Message::Resized => {
                // A terminal that was resized twice between two frames has its old size but other
                // contents.
                self.stage.forget();
                self.measure()
            }
            Message::Stop(whom) => self.stop(whom),
            Message::Continued => {
                let entered = self.stage.enter_again();
                self.resumed(entered)
            }
            Message::Signal(signal) => ControlFlow::Break(Ok(ExitReason::Signal(signal))),
            Message::HungUp => ControlFlow::Break(Ok(ExitReason::HungUp)),
            Message::Panicked => ControlFlow::Break(Ok(ExitReason::Panicked)),
            Message::InputFailed(error) => ControlFlow::Break(Err(RunError::Input(error))),
        }
    }

    fn happen(&mut self, event: Event) -> Flow {
        match &event {
            Event::Resize(size) => self.size = *size,
            Event::Engine(Report { body: Body::Surveyed(_), .. }) => self.surveyed = true,
            _ => {}
        }
        for effect in self.program.update(self.engine.now(), event) {
            self.carry_out(effect)?;
        }
        ControlFlow::Continue(())
    }

    fn carry_out(&mut self, effect: Effect) -> Flow {
        let done = match effect {
            Effect::Engine(request) => {
                self.engine.send(request);
                Ok(())
            }
            Effect::Copy(text) => match self.stage.copy(&text) {
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    return self.happen(Event::Failed(error.to_string()));
                }
                done => done,
            },
            Effect::CaptureMouse(on) => self.stage.capture_mouse(on),
            Effect::Suspend => return self.stop(Whom::Group),
            Effect::Quit => return ControlFlow::Break(Ok(ExitReason::Quit)),
        };
        output(done)
    }

    fn stop(&mut self, whom: Whom) -> Flow {
        let stopped = self.stage.stop(whom);
        self.resumed(stopped)
    }

    /// Updates size and screen after the terminal was entered again.
    fn resumed(&mut self, entered: io::Result<()>) -> Flow {
        output(entered)?;
        self.measure()?;
        self.happen(Event::Resumed)
    }

    fn measure(&mut self) -> Flow {
        match self.stage.size() {
            Ok(size) => self.happen(Event::Resize(size.clamped())),
            Err(error) => output(Err(error)),
        }
    }

    fn draw(&mut self) -> Flow {
        let Self { program, stage, size, .. } = self;
        output(stage.draw(*size, &mut |buffer| program.draw(buffer)))
    }
}

/// Converts a write error. A terminal that is gone is a normal exit.
fn output(written: io::Result<()>) -> Flow {
    match written {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EIO | libc::EPIPE | libc::ENXIO)) => {
            ControlFlow::Break(Ok(ExitReason::HungUp))
        }
        Err(error) => ControlFlow::Break(Err(RunError::Output(error))),
    }
}

#[cfg(test)]
mod tests;
