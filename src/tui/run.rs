//! The loop: waits for something to happen, lets the program think about it,
//! carries out what it asks for, and draws once.
//!
//! It sleeps until a message comes or the program has something that changes
//! by itself; nothing is polled. Slow work is done by the [`Engine`].

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
use crate::sys::job::StopTarget;
use ratatui::buffer::Buffer;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// How long the first picture waits for the first survey.
const FIRST_SURVEY: Duration = Duration::from_millis(30);
/// How long messages are taken in without drawing: half a frame.
const TAKE_IN: Duration = Duration::from_millis(8);
/// What changes by itself changes no faster than this.
const SHORTEST_TICK: Duration = Duration::from_millis(10);

/// The program that the loop runs. It does no I/O and knows no clock.
pub trait Program {
    /// Something happened: the only place where the state changes.
    fn update(&mut self, now: Clock, event: Event) -> Vec<Effect>;

    /// How long until something on the screen changes by itself; `None`: never.
    fn next_tick(&self, now: Clock) -> Option<Duration>;

    /// Paints the screen, of which every cell is empty, in the size of the buffer.
    fn draw(&self, buffer: &mut Buffer);
}

/// What the loop needs of a terminal.
pub trait Stage {
    /// How large it is.
    fn size(&self) -> io::Result<Size>;
    /// Shows a picture.
    fn draw(&mut self, size: Size, paint: &mut dyn FnMut(&mut Buffer)) -> io::Result<()>;
    /// What it shows is not known any more: the next picture is drawn whole.
    fn forget(&mut self);
    /// Puts a text into its clipboard.
    fn copy(&mut self, text: &str) -> io::Result<()>;
    /// Takes the mouse, or gives it back.
    fn capture_mouse(&mut self, on: bool) -> io::Result<()>;
    /// Leaves it, stops, and enters it again when we go on.
    fn stop(&mut self, whom: StopTarget) -> io::Result<()>;
    /// Enters it again after somebody else has had it.
    fn enter_again(&mut self) -> io::Result<()>;
}

/// How the program is to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whether the mouse is wanted.
    pub mouse: bool,
    /// How much the copies of what is removed may take together.
    pub copies: Bytes,
}

/// Why the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    /// It was asked to, with a key.
    Quit,
    /// A signal came.
    Signal(i32),
    /// The terminal has gone.
    HungUp,
    /// A part of it panicked, and said so.
    Panicked,
}

impl ExitReason {
    /// The exit status of the process.
    #[must_use]
    pub const fn status(self) -> i32 {
        match self {
            Self::Quit => 0,
            Self::Signal(signal) => signals::status(signal),
            Self::HungUp => hangup::STATUS,
            Self::Panicked => 101,
        }
    }
}

/// Why the program could not be run, or not on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The terminal could not be entered.
    #[error(transparent)]
    Enter(#[from] EnterError),
    /// There are no threads to be had, or no signal handlers.
    #[error("failed to start threads: {0}")]
    Threads(#[source] io::Error),
    /// The terminal takes no more pictures.
    #[error("failed to write to the terminal: {0}")]
    Output(#[source] io::Error),
    /// The terminal gives no more keys.
    #[error("failed to read from the terminal: {0}")]
    Input(#[source] io::Error),
}

/// Runs the program on the terminal until it ends, and leaves the terminal as
/// it was found. Segments are judged by these rules. To be called on the main
/// thread, see [`crate::sys::job::stop`].
///
/// # Errors
/// When there is no terminal or no threads, or the terminal fails.
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
    // Under way while the terminal is entered.
    engine.send(Request::Survey);
    signals::listen(messages.clone()).map_err(RunError::Threads)?;
    let terminal = Terminal::enter(options.mouse)?;
    hangup::watch(messages.clone()).map_err(RunError::Threads)?;
    input::listen(messages).map_err(RunError::Threads)?;
    Loop::new(program, terminal, engine, inbox).run()
}

/// Starts the engine. Its reports become messages.
fn start(
    machine: &Arc<dyn Machine>,
    options: engine::Options,
    messages: Sender<Message>,
) -> io::Result<Engine> {
    Engine::start(machine, options, move |report| {
        // When nobody listens any more, the program is ending.
        let _ = messages.send(report.into());
    })
}

/// The loop, over whatever terminal.
struct Loop<P, S> {
    program: P,
    stage: S,
    engine: Engine,
    inbox: Receiver<Message>,
    size: Size,
    surveyed: bool,
    /// How long the first picture waits for the first survey.
    patience: Duration,
}

/// Goes on, or ends so.
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
        // Before the terminal is left, so that little is typed ahead to us
        // that is meant for the shell: nothing wakes who reads the keys.
        engine.stop();
        drop(stage);
        flow.break_value().unwrap_or(Ok(ExitReason::Quit))
    }

    /// Tells the size, and waits a moment for the first survey, so that the
    /// first picture is not an empty one.
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

    /// Sleeps until something happens, takes in all that has happened, draws once.
    fn turn(&mut self) -> Flow {
        let first = match self.program.next_tick(self.engine.now()) {
            None => self.inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(tick) => self.inbox.recv_timeout(tick.max(SHORTEST_TICK)),
        };
        match first {
            Ok(message) => self.take(message)?,
            Err(RecvTimeoutError::Timeout) => self.happen(Event::Tick)?,
            // All threads have ended, the one that reads keys too.
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
                // Handled: the backlog has room for another one.
                drop(slot);
                self.happen(event)
            }
            Message::Resized => {
                // One that became small and large again between two pictures
                // has the size that it had, and shows something else.
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
            Effect::Suspend => return self.stop(StopTarget::Group),
            Effect::Quit => return ControlFlow::Break(Ok(ExitReason::Quit)),
        };
        output(done)
    }

    fn stop(&mut self, whom: StopTarget) -> Flow {
        let stopped = self.stage.stop(whom);
        self.resumed(stopped)
    }

    /// The terminal is ours again, and may have another size.
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

/// Writing has failed: that the terminal has gone is no error of ours.
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
