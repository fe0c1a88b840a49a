//! The interactive program on a fake machine without a terminal: tests press keys, run the engine
//! step by step, and draw the screen into cells.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use shmlens::act::{Question, StateDirectory};
use shmlens::app::effect::Effect;
use shmlens::app::event::{Event, Size};
use shmlens::app::key::{Key, Mouse};
use shmlens::app::{Keymap, Settings, State, update};
use shmlens::engine::{Body, Options, Report, Request, ScanScope, Steps, SubscriptionId};
use shmlens::machine::fake::FakeMachine;
use shmlens::segment::Bytes;
use shmlens::tui::draw::draw;
use shmlens::tui::theme::{Depth, Name, Theme};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// The time at which actions finish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acts {
    AtOnce,
    /// Never.
    Hang,
    /// Never, even after they were asked to stop.
    Stopped,
}

pub struct Harness {
    pub machine: FakeMachine,
    pub state: State,
    pub clock: Duration,
    /// The last copied text.
    pub clipboard: Option<String>,
    pub quit: bool,
    pub suspended: bool,
    /// Searches never finish.
    pub searches_hang: bool,
    /// Searches that are not answered yet; `None` answers each at once.
    pub late_searches: Option<Vec<Request>>,
    /// Questions that are not answered yet; `None` answers each at once.
    pub late: Option<Vec<Question>>,
    pub acts: Acts,
    steps: Steps,
    /// The directory for the log and the copies.
    _home: tempfile::TempDir,
}

impl Harness {
    /// Starts the program with a first survey.
    pub fn new(machine: FakeMachine, width: u16, height: u16) -> Self {
        let settings = Settings {
            interval: Duration::from_secs(1),
            live_interval: Duration::from_millis(100),
            mouse: true,
            keymap: Keymap::default(),
            user: "ann".to_owned(),
            read_only: false,
            history: Bytes(16 << 20),
        };
        let home = tempfile::tempdir().unwrap();
        let copies = Some(StateDirectory::at(home.path()));
        let options = Options { copies: Bytes(1 << 30), state: copies, ..Options::default() };
        let mut steps = Steps::new(Arc::new(machine.clone()), options);
        // The first survey has holders.
        steps.send(Request::Holders(ScanScope::All));
        let mut harness = Self {
            machine,
            state: State::new(settings),
            clock: Duration::ZERO,
            clipboard: None,
            quit: false,
            suspended: false,
            searches_hang: false,
            late_searches: None,
            late: None,
            acts: Acts::AtOnce,
            steps,
            _home: home,
        };
        harness.inject(Event::Resize(Size { width, height }));
        harness
    }

    /// Scans the holders, then surveys the segments.
    pub fn survey(&mut self) {
        self.steps.send(Request::Holders(ScanScope::All));
        self.request(Request::Survey);
    }

    /// Advances the time.
    pub fn wait(&mut self, millis: u64) {
        let until = self.clock + Duration::from_millis(millis);
        while let Some(due) = self.steps.deadline().filter(|&due| due <= until) {
            self.clock = self.clock.max(due);
            self.run();
        }
        self.clock = until;
        self.run();
        self.inject(Event::Tick);
    }

    /// Waits for the next sample of the open segment.
    pub fn look(&mut self) {
        self.wait(100);
    }

    /// Waits until the first bytes of the selected segment are read again.
    pub fn preview_again(&mut self) {
        self.wait(350);
    }

    /// Presses keys: letters, and names in `<…>`.
    pub fn press(&mut self, keys: &str) {
        let mut rest = keys;
        while let Some(first) = rest.chars().next() {
            let named = (first == '<').then(|| rest.split_once('>')).flatten();
            let key = if let Some((name, after)) = named {
                rest = after;
                name[1..].parse::<Key>().unwrap_or_else(|error| panic!("{error}"))
            } else {
                rest = &rest[first.len_utf8()..];
                Key::char(first)
            };
            self.inject(Event::Key(key));
        }
    }

    pub fn mouse(&mut self, mouse: Mouse) {
        self.inject(Event::Mouse(mouse));
    }

    pub fn inject(&mut self, event: Event) {
        for effect in update(&mut self.state, self.clock, event) {
            match effect {
                Effect::Engine(request) => self.request(request),
                Effect::Copy(text) => self.clipboard = Some(text),
                Effect::Suspend => self.suspended = true,
                Effect::Quit => self.quit = true,
                Effect::CaptureMouse(_) | Effect::Bell | Effect::Notify(_) => {}
            }
        }
    }

    /// Injects a report, as if from the engine.
    pub fn report(&mut self, body: Body) {
        self.inject(Event::Engine(Report::new(self.clock, body)));
    }

    /// Injects a report about the segment in Inspect, as if from the engine.
    pub fn report_inspect(&mut self, body: Body) {
        let id = self.state.inspect.as_ref().map_or(SubscriptionId(0), |inspect| inspect.subscription);
        self.inject(Event::Engine(Report::of(id, self.clock, body)));
    }

    /// Sends the delayed answers in order.
    pub fn answer(&mut self) {
        for question in self.late.take().unwrap_or_default() {
            self.request(Request::Ask(question));
        }
    }

    /// Answers the oldest delayed search.
    pub fn answer_search(&mut self) {
        let request = self.late_searches.as_mut().unwrap().remove(0);
        let reports = self.steps.send(request);
        self.take(reports);
    }

    fn request(&mut self, request: Request) {
        if let (Request::Search(..), Some(late)) = (&request, &mut self.late_searches) {
            late.push(request);
            return;
        }
        match (request, &mut self.late) {
            (Request::Ask(question), Some(late)) => late.push(question),
            (Request::Search(..), _) if self.searches_hang => {}
            (Request::Apply(_) | Request::Undo(_) | Request::Save(_), _) if self.acts != Acts::AtOnce => {}
            (Request::StopAct, _) => self.acts = Acts::Stopped,
            (request, _) => {
                self.run();
                let reports = self.steps.send(request);
                self.take(reports);
            }
        }
    }

    /// Runs the engine up to the current time.
    fn run(&mut self) {
        let reports = self.steps.advance(self.clock.saturating_sub(self.steps.now()));
        self.take(reports);
    }

    fn take(&mut self, reports: Vec<Report>) {
        for report in reports {
            self.inject(Event::Engine(report));
        }
    }

    /// Returns the screen as cells.
    pub fn cells(&self, theme: &Theme) -> Buffer {
        let Size { width, height } = self.state.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        draw(&self.state, theme, &mut buffer);
        buffer
    }

    /// Returns the screen as text, in the default theme.
    pub fn screen(&self) -> String {
        text_of(&self.cells(&Theme::new(Name::Default, Depth::Sixteen, false)))
    }

    /// Returns the screen as text, followed by the runs of styled cells in each row.
    pub fn picture(&self, theme: &Theme) -> String {
        let buffer = self.cells(theme);
        format!("{}\n{}", text_of(&buffer), styles_of(&buffer))
    }
}

fn text_of(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..buffer.area.width {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Returns `row: first-last style, …` for each row with a style.
fn styles_of(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut runs: Vec<(u16, u16, String)> = vec![];
        for x in 0..buffer.area.width {
            let style = style_of(&buffer[(x, y)]);
            match runs.last_mut() {
                Some((_, last, same)) if *last + 1 == x && *same == style => *last = x,
                _ => runs.push((x, x, style)),
            }
        }
        let runs: Vec<String> = runs
            .into_iter()
            .filter(|(_, _, style)| !style.is_empty())
            .map(|(first, last, style)| format!("{first}-{last} {style}"))
            .collect();
        if !runs.is_empty() {
            let _ = writeln!(text, "{y:>2}: {}", runs.join(", "));
        }
    }
    text
}

fn style_of(cell: &Cell) -> String {
    let mut words = vec![];
    if cell.fg != Color::Reset {
        words.push(cell.fg.to_string().to_lowercase());
    }
    if cell.bg != Color::Reset {
        words.push(format!("on-{}", cell.bg.to_string().to_lowercase()));
    }
    let names = [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reversed"),
    ];
    for (modifier, name) in names {
        if cell.modifier.contains(modifier) {
            words.push(name.to_owned());
        }
    }
    words.join("+")
}
