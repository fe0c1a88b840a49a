//! The interactive program on a made machine, without a terminal: keys go in,
//! effects are carried out at once, and the screen can be drawn into cells.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use shmlens::act::access::Rules;
use shmlens::act::{
    self, ActError, Action, Copies, Copying, Hold, NotUndone, Options, Plan, Question, Released,
    StateDirectory, Undone,
};
use shmlens::app::confirm::{Wanted, Wish};
use shmlens::app::effect::{Effect, Request, Target, Undo, Watching};
use shmlens::app::event::{Event, Found, Opened, Preview, Size};
use shmlens::app::key::{Key, Mouse};
use shmlens::app::save::SaveWish;
use shmlens::app::{Keymap, Settings, State, update};
use shmlens::identify::Identifier;
use shmlens::machine::made::MadeMachine;
use shmlens::memory::{self, Direction, Live, Progress, Reader};
use shmlens::segment::{Segment, SegmentId};
use shmlens::survey::{Depth as LookDepth, Holdings, Names, Survey};
use shmlens::tui::draw::draw;
use shmlens::tui::theme::{Depth, Name, Theme};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// How acts are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acts {
    /// At once.
    AtOnce,
    /// They take for ever.
    Hang,
    /// They took for ever, and were asked to stop.
    Stopped,
}

/// The program, its machine, and what it has asked for.
pub struct Stage {
    pub machine: MadeMachine,
    pub state: State,
    pub clock: Duration,
    /// What was copied last.
    pub clipboard: Option<String>,
    pub quit: bool,
    pub suspended: bool,
    /// Whether a search takes for ever.
    pub searches_hang: bool,
    /// What was asked while it was typed and is not answered yet; `None`: all is answered at once.
    pub late: Option<Vec<Question>>,
    /// How acts are carried out.
    pub acts: Acts,
    open: Option<Live>,
    watching: Option<Watching>,
    kept: BTreeMap<SegmentId, Live>,
    home: tempfile::TempDir,
}

impl Stage {
    /// The program at its start, after its first survey.
    pub fn new(machine: MadeMachine, width: u16, height: u16) -> Self {
        let settings = Settings {
            interval: Duration::from_secs(1),
            live_interval: Duration::from_millis(100),
            mouse: true,
            keymap: Keymap::default(),
            user: "ann".to_owned(),
            read_only: false,
        };
        let mut stage = Self {
            machine,
            state: State::new(settings),
            clock: Duration::ZERO,
            clipboard: None,
            quit: false,
            suspended: false,
            searches_hang: false,
            late: None,
            acts: Acts::AtOnce,
            open: None,
            watching: None,
            kept: BTreeMap::new(),
            home: tempfile::tempdir().unwrap(),
        };
        stage.happen(Event::Resize(Size { width, height }));
        stage.survey();
        stage
    }

    /// Looks at the machine.
    pub fn survey(&mut self) {
        let mut names = Names::default();
        let holdings = Holdings::look(&self.machine, LookDepth::Private, &[], &mut names);
        let survey = Identifier::default().survey(&self.machine, Some(&holdings), &mut names);
        self.happen(Event::Surveyed(Box::new(survey)));
    }

    /// Lets time pass.
    pub fn wait(&mut self, millis: u64) {
        self.clock += Duration::from_millis(millis);
        self.happen(Event::Tick);
    }

    /// Looks at the open segment, as the worker does at each interval.
    pub fn look(&mut self) {
        self.wait(100);
        if self.watching.as_ref().is_some_and(|watching| watching.every.is_some()) {
            self.look_now();
        }
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
            self.happen(Event::Key(key));
        }
    }

    pub fn mouse(&mut self, mouse: Mouse) {
        self.happen(Event::Mouse(mouse));
    }

    pub fn happen(&mut self, event: Event) {
        for effect in update(&mut self.state, self.clock, event) {
            self.carry_out(effect);
        }
    }

    /// Answers what has hung so far, in the order in which it was asked.
    pub fn answer(&mut self) {
        for question in self.late.take().unwrap_or_default() {
            self.carry_out(Effect::Ask(question));
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Survey => self.survey(),
            Effect::Preview(Some(segment)) => self.preview(&segment),
            Effect::Open(segment) => self.open(&segment),
            Effect::Look(watching) => {
                self.watching = Some(watching);
                self.look_now();
            }
            Effect::LookOnce => self.look_now(),
            Effect::SetBaseline => self.open.as_mut().unwrap().set_baseline(),
            Effect::Find(request) => self.find(request),
            Effect::Close { keep } => {
                let live = self.open.take().unwrap();
                let id = live.reader().id().clone();
                if keep {
                    self.kept.insert(id, live);
                } else {
                    let hold = Hold::of(&self.machine, live.reader());
                    let released = act::detach(&self.machine, &hold, hold.clone(), || drop(live));
                    self.happen(Event::LetGo(vec![(id, released)]));
                }
            }
            Effect::AskHolds => {
                let open = self.open.iter().filter(|live| !self.kept.contains_key(live.reader().id()));
                let all = self.kept.values().chain(open);
                let holds = all.map(|live| Hold::of(&self.machine, live.reader())).collect();
                self.happen(Event::Holds(holds));
            }
            Effect::LetGo(holds) => {
                let results = holds.iter().map(|hold| self.let_go(hold)).collect();
                self.happen(Event::LetGo(results));
            }
            Effect::End(ending) => {
                let result = act::end(&self.machine, &ending);
                self.happen(Event::Ended(ending, result));
            }
            Effect::AskRules(segment) => {
                let rules = Rules::of(&self.machine, &segment);
                self.happen(Event::Rules(segment.id.clone(), rules));
            }
            Effect::Ask(question) => {
                if let Some(late) = &mut self.late {
                    late.push(question);
                } else {
                    let answer = question.ask(&self.machine);
                    self.happen(Event::Answered(question, answer));
                }
            }
            Effect::Plan(wishes) => {
                let plans = wishes.iter().map(|wish| self.plan(wish)).collect();
                self.happen(Event::Planned(plans));
            }
            Effect::Apply(_) | Effect::Undo(_) | Effect::Save(_) if self.acts != Acts::AtOnce => {}
            Effect::StopAct => self.acts = Acts::Stopped,
            Effect::Apply(plans) => {
                let outcomes = plans.iter().map(|plan| act::apply(&self.machine, plan)).collect();
                self.happen(Event::Acted(outcomes));
            }
            Effect::Save(wishes) => {
                let save = |wish: &SaveWish| {
                    let SaveWish { segment, path, replace } = wish;
                    act::save_outcome(&self.machine, segment, path, *replace, &Progress::new())
                };
                let outcomes = wishes.iter().map(save).collect();
                self.happen(Event::Saved(outcomes));
            }
            Effect::Undo(undo) => {
                let results = self.undo(undo);
                self.happen(Event::Undone(results));
            }
            Effect::Copy(text) => self.clipboard = Some(text),
            Effect::Suspend => self.suspended = true,
            Effect::Quit => self.quit = true,
            // Every survey of this stage looks at the holders too.
            Effect::Preview(None)
            | Effect::SurveyEvery(_)
            | Effect::Holders(_)
            | Effect::StopSearch
            | Effect::CaptureMouse(_) => {}
        }
    }

    fn let_go(&mut self, shown: &Hold) -> (SegmentId, Result<Released, ActError>) {
        let is_open = self.open.as_ref().is_some_and(|live| *live.reader().id() == shown.id);
        let live = if is_open { self.open.take() } else { self.kept.remove(&shown.id) }.unwrap();
        let now = Hold::of(&self.machine, live.reader());
        let mut live = Some(live);
        let released = act::detach(&self.machine, shown, now, || live = None);
        // What was not let go is held on.
        self.kept.extend(live.map(|live| (shown.id.clone(), live)));
        (shown.id.clone(), released)
    }

    fn plan(&self, wish: &Wish) -> Plan {
        let action = match &wish.wanted {
            Wanted::Lock => Action::Lock,
            Wanted::Unlock => Action::Unlock,
            Wanted::Access(action) => action.clone(),
            Wanted::Remove { copy: true } => Action::Remove(Copying::Keep(self.copies())),
            Wanted::Remove { copy: false } => Action::Remove(Copying::Without),
        };
        act::plan(&self.machine, &wish.segment, &action, &Options { force: wish.force, ..Options::default() })
    }

    fn copies(&self) -> Copies {
        Copies::new(StateDirectory::at(self.home.path()), shmlens::segment::Bytes(1 << 30))
    }

    fn undo(&self, undo: Undo) -> Vec<Undone> {
        let survey = Survey::take(&self.machine, &mut Names::default());
        match undo {
            Undo::Copies(copies) => copies
                .iter()
                .map(|copy| match copy.restore(&self.machine, &self.copies(), &Progress::new()) {
                    Ok(back) => Undone { id: back.id.clone(), result: Ok(back.said()) },
                    Err(failure) => Undone { id: copy.id.clone(), result: Err(failure) },
                })
                .collect(),
            Undo::Acts(acts) => acts
                .iter()
                .map(|revert| {
                    let apply = |segment: &Segment| {
                        let plan = act::plan(&self.machine, segment, &revert.action, &Options::default());
                        let outcome = act::apply(&self.machine, &plan);
                        outcome
                            .result
                            .map(|done| done.said.join("; "))
                            .map_err(|error| NotUndone::now(&error))
                    };
                    let result = revert.segment(&survey.segments).and_then(apply);
                    Undone { id: revert.id.clone(), result }
                })
                .collect(),
        }
    }

    /// As the worker does it: a System V segment is not attached for this.
    fn preview(&mut self, segment: &Segment) {
        if segment.sysv().is_some() {
            return;
        }
        let bytes = Reader::open(&self.machine, segment).map_err(|error| error.to_string()).map(|reader| {
            let mut bytes = vec![0; 512];
            let count = reader.read_at(0, &mut bytes).unwrap();
            bytes.truncate(count);
            bytes
        });
        self.happen(Event::Previewed(Preview { id: segment.id.clone(), bytes }));
    }

    /// Reads the beginning of the selected segment again, as the worker does
    /// every quarter of a second.
    pub fn preview_again(&mut self) {
        if let Some(segment) = self.state.selected().cloned() {
            self.preview(&segment);
        }
    }

    fn open(&mut self, segment: &Segment) {
        let result = match self.kept.remove(&segment.id) {
            Some(live) => Ok(live),
            None => Reader::open(&self.machine, segment).map(Live::new),
        };
        let result = result.map(|live| self.open = Some(live));
        self.happen(Event::Opened(Opened { id: segment.id.clone(), result }));
    }

    fn look_now(&mut self) {
        let (Some(live), Some(watching)) = (&mut self.open, &self.watching) else { return };
        let request = memory::Request {
            window: watching.window.clone(),
            cells: watching.cells,
            budget: Duration::from_secs(1),
        };
        let look = live.look(&self.machine, &request).unwrap();
        self.happen(Event::Looked(Box::new(look)));
    }

    fn find(&mut self, request: Request) {
        if self.searches_hang {
            return;
        }
        let live = self.open.as_mut().unwrap();
        let Request { number, from, direction, what } = request;
        let progress = Progress::new();
        let reader = live.reader().clone();
        let (found, wrapped) = match what {
            Target::Change => (live.next_change(from, direction, &progress).unwrap(), false),
            Target::Data { gap } => {
                (memory::next_data(&reader, from, direction, gap, &progress).unwrap(), false)
            }
            Target::Pattern(pattern) => {
                let find = |from| memory::find_next(&reader, &pattern, from, direction, &progress).unwrap();
                let other_end = if direction == Direction::Forward { 0 } else { u64::MAX };
                find(from).map_or_else(|| (find(other_end), true), |at| (Some(at), false))
            }
        };
        self.happen(Event::Found(Found { request: number, result: Ok(found), wrapped }));
    }

    /// The screen as cells.
    pub fn cells(&self, theme: &Theme) -> Buffer {
        let Size { width, height } = self.state.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        draw(&self.state, theme, &mut buffer);
        buffer
    }

    /// The screen as text, in the default theme.
    pub fn screen(&self) -> String {
        text_of(&self.cells(&Theme::new(Name::Default, Depth::Sixteen, false)))
    }

    /// The screen as text with the styles behind it: for each row the runs of
    /// cells that are not plain.
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

/// `row: first-last style, …` for each row that has any style.
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
