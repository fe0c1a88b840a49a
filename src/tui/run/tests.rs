//! The real loop and the real engine, on a fake machine and a fake terminal.

use super::*;
use crate::app::key::Key;
use crate::engine::{Feed, Preview, SubscriptionId};
use crate::machine::fake::{FakeBytes, FakeMachine};
use crate::segment::{Segment, SegmentId};
use crate::survey::{Names, Survey};
use ratatui::buffer::Cell;
use ratatui::layout::Rect;
use ratatui::style::Style;
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};

const LONG_TIMEOUT: Duration = Duration::from_secs(10);
const SIZE: Size = Size { width: 40, height: 4 };

/// Maps keys to effects, and draws a log of the events.
#[derive(Default)]
struct TestProgram {
    log: Vec<String>,
    tick: Option<Duration>,
    effects: Vec<(char, Effect)>,
}

impl Program for TestProgram {
    fn update(&mut self, _: Clock, event: Event) -> Vec<Effect> {
        self.log.push(match &event {
            Event::Key(key) => key.to_string(),
            Event::Resize(size) => format!("{}x{}", size.width, size.height),
            Event::Engine(report) => match &report.body {
                Body::Surveyed(survey) => format!("{} segments", survey.segments.len()),
                Body::Preview(Preview { look: Ok(look), .. }) => format!("{} bytes", look.bytes.len()),
                other => format!("{other:?}"),
            },
            Event::Failed(reason) => reason.clone(),
            other => format!("{other:?}"),
        });
        if matches!(event, Event::Tick) {
            self.tick = None;
        }
        let Event::Key(key) = event else { return vec![] };
        self.effects.iter().filter(|(c, _)| key == Key::char(*c)).map(|(_, effect)| effect.clone()).collect()
    }

    fn next_tick(&self, _: Clock) -> Option<Duration> {
        self.tick
    }

    fn draw(&self, buffer: &mut Buffer) {
        buffer.set_string(0, 0, self.log.join(" "), Style::new());
    }
}

/// A console that records its calls.
struct FakeConsole(Sender<String>);

impl Console for FakeConsole {
    fn size(&self) -> io::Result<Size> {
        Ok(SIZE)
    }

    fn draw(&mut self, size: Size, paint: &mut dyn FnMut(&mut Buffer)) -> io::Result<()> {
        let mut buffer = Buffer::empty(Rect::new(0, 0, size.width.max(200), size.height));
        paint(&mut buffer);
        let shown: String = buffer.content.iter().map(Cell::symbol).collect();
        self.record(format!("shows {}", shown.trim_end()))
    }

    fn invalidate(&mut self) {
        let _ = self.record("invalidates".to_owned());
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        if text.len() > 10 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "too long"));
        }
        self.record(format!("copies {text}"))
    }

    fn bell(&mut self) -> io::Result<()> {
        self.record("rings".to_owned())
    }

    fn notify(&mut self, text: &str) -> io::Result<()> {
        self.record(format!("notifies {text}"))
    }

    fn capture_mouse(&mut self, on: bool) -> io::Result<()> {
        self.record(format!("mouse {on}"))
    }

    fn suspend(&mut self, target: StopTarget) -> io::Result<()> {
        self.record(format!("suspends {target:?}"))
    }

    fn reenter(&mut self) -> io::Result<()> {
        self.record("enters".to_owned())
    }
}

impl FakeConsole {
    fn record(&self, text: String) -> io::Result<()> {
        self.0.send(text).map_err(|_| io::Error::from_raw_os_error(libc::EIO))
    }
}

/// The event loop on its own thread.
struct Session {
    messages: Sender<Message>,
    calls: Receiver<String>,
    thread: JoinHandle<Result<ExitReason, RunError>>,
}

impl Session {
    /// Waits for the first survey, even on a busy machine.
    fn new(machine: &FakeMachine, program: TestProgram) -> Self {
        Self::with_timeout(machine, program, LONG_TIMEOUT)
    }

    fn with_timeout(machine: &FakeMachine, program: TestProgram, timeout: Duration) -> Self {
        let machine: Arc<dyn Machine> = Arc::new(machine.clone());
        let (messages, inbox) = mpsc::channel();
        let (record, calls) = mpsc::channel();
        let mut engine = start(&machine, engine::Options::default(), messages.clone()).unwrap();
        engine.send(Request::Survey);
        let thread = thread::spawn(move || {
            let mut tested = Loop::new(program, FakeConsole(record), engine, inbox);
            tested.survey_timeout = timeout;
            tested.run()
        });
        Self { messages, calls, thread }
    }

    fn key(&self, c: char) {
        self.messages.send(Event::Key(Key::char(c)).into()).unwrap();
    }

    fn next(&self) -> String {
        self.calls.recv_timeout(LONG_TIMEOUT).unwrap()
    }

    fn end(self) -> Result<ExitReason, RunError> {
        self.thread.join().unwrap()
    }
}

fn machine_with_object() -> FakeMachine {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(b"hello"));
    machine
}

fn program_with(effects: impl IntoIterator<Item = (char, Effect)>) -> TestProgram {
    let quit = ('q', Effect::Quit);
    TestProgram { effects: effects.into_iter().chain([quit]).collect(), ..TestProgram::default() }
}

#[test]
fn first_frame_shows_the_first_survey() {
    let session = Session::new(&machine_with_object(), program_with([]));
    assert_eq!(session.next(), "shows 40x4 1 segments");
    session.key('q');
    assert!(matches!(session.end(), Ok(ExitReason::Quit)));
}

#[test]
fn queued_events_share_one_frame() {
    // A paste without bracketed paste: many keys, sent before the loop runs.
    let machine = machine_with_object();
    let (messages, inbox) = mpsc::channel();
    let (record, calls) = mpsc::channel();
    let machine: Arc<dyn Machine> = Arc::new(machine);
    let engine = start(&machine, engine::Options::default(), messages.clone()).unwrap();
    for c in "xxxxxxxxxxxxxxxxxxxxq".chars() {
        messages.send(Event::Key(Key::char(c)).into()).unwrap();
    }
    let mut tested = Loop::new(program_with([]), FakeConsole(record), engine, inbox);
    tested.surveyed = true;
    assert!(tested.draw_first_frame().is_continue());
    assert_eq!(calls.recv().unwrap(), "shows 40x4");
    assert!(tested.run_once().is_break());
    assert_eq!(calls.try_recv().ok(), None, "queued keys share one frame");
}

#[test]
fn idle_program_draws_nothing() {
    let session =
        Session::new(&machine_with_object(), program_with([('p', Request::SurveyEvery(None).into())]));
    session.next();
    session.key('p');
    assert_eq!(session.next(), "shows 40x4 1 segments p");
    let quiet = session.calls.recv_timeout(Duration::from_millis(200));
    assert_eq!(quiet, Err(RecvTimeoutError::Timeout));
    session.key('q');
    session.end().unwrap();
}

#[test]
fn resize_to_the_same_size_redraws_everything() {
    let session = Session::new(&machine_with_object(), program_with([]));
    session.next();
    session.messages.send(Message::Resized).unwrap();
    assert_eq!(session.next(), "invalidates");
    assert_eq!(session.next(), "shows 40x4 1 segments 40x4");
    session.key('q');
    session.end().unwrap();
}

#[test]
fn requested_tick_arrives() {
    let program = TestProgram { tick: Some(Duration::from_millis(20)), ..program_with([]) };
    let session = Session::new(&machine_with_object(), program);
    assert_eq!(session.next(), "shows 40x4 1 segments");
    assert_eq!(session.next(), "shows 40x4 1 segments Tick");
    session.key('q');
    session.end().unwrap();
}

#[test]
fn keys_are_handled_during_a_survey() {
    let machine = machine_with_object();
    let (open, shut) = mpsc::channel::<()>();
    let slow = machine.clone();
    let (locked, is_locked) = mpsc::channel();
    // Blocks every access to the machine.
    let gate = thread::spawn(move || {
        slow.edit(|_| {
            locked.send(()).unwrap();
            shut.recv().unwrap();
        });
    });
    is_locked.recv_timeout(LONG_TIMEOUT).unwrap();
    let session = Session::with_timeout(&machine, program_with([]), FIRST_SURVEY);
    assert_eq!(session.next(), "shows 40x4", "the first frame waits only briefly");
    session.key('x');
    assert_eq!(session.next(), "shows 40x4 x");
    open.send(()).unwrap();
    gate.join().unwrap();
    assert_eq!(session.next(), "shows 40x4 x 1 segments");
    session.key('q');
    session.end().unwrap();
}

#[test]
fn effects_are_executed_and_failures_reported() {
    let session = Session::new(
        &machine_with_object(),
        program_with([
            ('y', Effect::Copy("sysv:1".into())),
            ('Y', Effect::Copy("x".repeat(11))),
            ('M', Effect::CaptureMouse(false)),
            ('z', Effect::Suspend),
        ]),
    );
    session.next();
    for (key, calls, shown) in [
        ('y', Some("copies sysv:1"), " y"),
        ('Y', None, " Y too long"),
        ('M', Some("mouse false"), " M"),
        ('z', Some("suspends Group"), " z 40x4 Resumed"),
    ] {
        session.key(key);
        if let Some(calls) = calls {
            assert_eq!(session.next(), calls);
        }
        let frame = session.next();
        assert!(frame.ends_with(shown), "{frame}");
    }
    session.messages.send(Message::Suspend(StopTarget::Process)).unwrap();
    assert_eq!(session.next(), "suspends Process");
    assert!(session.next().ends_with("40x4 Resumed"));
    session.messages.send(Message::Continued).unwrap();
    assert_eq!(session.next(), "enters");
    assert!(session.next().ends_with("40x4 Resumed"));
    session.key('q');
    session.end().unwrap();
}

#[test]
fn requests_reach_the_engine_and_quitting_detaches() {
    let machine = machine_with_object();
    machine.add_sysv(1, 0, FakeBytes::full(b"hello"));
    let survey = Survey::take(&machine, &mut Names::default());
    let [sysv, posix] = &survey.segments[..] else { panic!() };
    assert!(matches!(sysv.id, SegmentId::Sysv(_)));
    let boxed = |segment: &Segment| Box::new(segment.clone());
    let program = program_with([
        (
            'p',
            Request::Subscribe(
                SubscriptionId(1),
                boxed(posix),
                Feed::Preview { every: None, bytes: 512, cells: 1, fields: None },
            )
            .into(),
        ),
        ('o', Request::Subscribe(SubscriptionId(2), boxed(sysv), Feed::Window).into()),
        ('r', Request::Survey.into()),
    ]);
    let session = Session::new(&machine, program);
    let wait_for = |shown: &str| while !session.next().contains(shown) {};
    session.key('p');
    wait_for("5 bytes");
    session.key('o');
    wait_for("Opened");
    machine.edit(|facts| assert_eq!(facts.sysv[0].row.nattch, 1));
    machine.add_object("b", FakeBytes::hole(1));
    session.key('r');
    wait_for("3 segments");
    session.key('q');
    session.end().unwrap();
    machine.edit(|facts| assert_eq!(facts.sysv[0].row.nattch, 0));
}

#[test]
fn exit_reasons_have_their_status() {
    for (message, reason, status) in [
        (Message::Signal(15), ExitReason::Signal(15), 143),
        (Message::HungUp, ExitReason::HungUp, 129),
        (Message::Panicked, ExitReason::Panicked, 101),
    ] {
        let session = Session::new(&machine_with_object(), program_with([]));
        session.next();
        session.messages.send(message).unwrap();
        let end = session.end().unwrap();
        assert_eq!((end, end.status()), (reason, status));
    }
    assert_eq!(ExitReason::Quit.status(), 0);
}

#[test]
fn closed_terminal_exits_and_failing_terminal_is_an_error() {
    let session = Session::new(&machine_with_object(), program_with([]));
    let Session { messages, calls, thread } = session;
    drop(calls);
    let _ = messages.send(Event::Tick.into());
    assert!(matches!(thread.join().unwrap(), Ok(ExitReason::HungUp)));

    let session = Session::new(&machine_with_object(), program_with([]));
    session.messages.send(Message::InputFailed(io::ErrorKind::Other.into())).unwrap();
    assert!(matches!(session.end(), Err(RunError::Input(_))));
}
