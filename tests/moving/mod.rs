//! Detects the values of known programs in their shared memory: C++ and Python structs of mixed
//! types that change at 1 Hz to 10 kHz. Other programs write noise. All run at the same time.

use crate::support::{Child, Namespaces, SOON, compile_cpp, tool};
use shmlens::decode::moving::{BURST, Detector, Kind, Moment, MovingValue, POLLS};
use shmlens::machine::real::RealMachine;
use shmlens::memory::{PageBuffer, Reader};
use shmlens::survey::{Names, Survey};
use std::fmt::Write as _;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const CPP: [&str; 15] = [
    "telemetry",
    "market",
    "control",
    "ring",
    "slow_ring",
    "adjacent",
    "network",
    "game",
    "clocks",
    "packed",
    "random",
    "hashes",
    "quotes",
    "camera",
    "audio",
];
const PYTHON: [&str; 6] = ["plc", "list", "robot", "ledger", "compressed", "log"];
/// Eight changes at 1 Hz, plus a second.
const DURATION: Duration = Duration::from_millis(9400);
/// The deadline of the slowest fields: less than three seconds after their eighth change.
const LAST_DEADLINE: Duration = Duration::from_millis(9100);
/// The test ends after this time even if its samples were late.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// In a longer burst, the test was interrupted, so slopes are not visible.
const FAIR_BURST: Duration = Duration::from_millis(60);
const WINDOW: usize = 64 << 10;

/// A field, as its program declares it.
struct Field {
    offset: u64,
    width: usize,
    kind: String,
    name: String,
    /// The time of sampling after which it must be known: three seconds after its eighth change.
    due: Duration,
    /// The result at the deadline. The error lists the detected values at the offset.
    found: Option<Result<(), String>>,
}

impl Field {
    fn parse(line: &str) -> Self {
        let parts: Vec<&str> = line.split(' ').collect();
        let [offset, width, kind, per_second, name] = parts[..] else { panic!("{line}") };
        Self {
            offset: offset.parse().unwrap(),
            width: width.parse().unwrap(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            due: Duration::from_secs_f64(8.0 / per_second.parse::<f64>().unwrap() + 3.0).min(LAST_DEADLINE),
            found: None,
        }
    }

    fn overlaps(&self, value: &MovingValue) -> bool {
        value.offset < self.offset + self.width as u64 && value.offset + value.width as u64 > self.offset
    }

    fn matches(&self, value: &MovingValue) -> bool {
        let width = match value.kind {
            // NULs after the longest text may belong to the next field.
            Kind::Text => value.width <= self.width,
            _ => value.widths.contains(&self.width),
        };
        value.offset == self.offset && width && value.kind.word() == self.kind
    }

    fn check(&mut self, values: &[MovingValue]) {
        let here: Vec<&MovingValue> = values.iter().filter(|value| self.overlaps(value)).collect();
        let found = here.iter().any(|value| self.matches(value));
        self.found = Some(if found { Ok(()) } else { Err(describe(&here)) });
    }
}

fn describe(values: &[&MovingValue]) -> String {
    let describe = |value: &&MovingValue| {
        format!("{:#x} {} {:?} {:.2}", value.offset, value.type_text(), value.kind, value.confidence)
    };
    if values.is_empty() {
        return "nothing".to_owned();
    }
    values.iter().map(describe).collect::<Vec<_>>().join(", ")
}

/// A running program, with a detector for its segment.
struct Program {
    name: &'static str,
    _child: Child,
    fields: Vec<Field>,
    reader: Reader,
    buffer: PageBuffer,
    detector: Detector,
    /// Values detected outside of all fields.
    noise: Vec<String>,
}

impl Program {
    fn start(name: &'static str, mut command: Command, object: &str) -> Self {
        let mut child = Child::spawn_piped(command.args([name, object]));
        let mut fields = vec![];
        loop {
            let line = child.line(SOON);
            if line == "ready" {
                break;
            }
            fields.push(Field::parse(&line));
        }
        let survey = Survey::take(&RealMachine, &mut Names::default());
        let id = format!("posix:/{name}");
        let segment = survey.segments.into_iter().find(|segment| segment.id.to_string() == id).unwrap();
        let reader = Reader::open(&RealMachine, &segment).unwrap();
        let (buffer, detector) = (PageBuffer::default(), Detector::new());
        Self { name, _child: child, fields, reader, buffer, detector, noise: vec![] }
    }

    fn sample(&mut self) {
        let at = now();
        self.reader.fill(&mut self.buffer, 0, WINDOW).unwrap();
        self.detector.observe(at, 0, &self.buffer);
    }

    /// Reads the values after some time, and checks the fields whose deadline has passed.
    fn check_due_fields(&mut self, elapsed: Duration, sampled: Duration) {
        let values = self.detector.values();
        for value in values.iter().filter(|value| !self.fields.iter().any(|field| field.overlaps(value))) {
            self.noise.push(format!("{}: {elapsed:.1?} {}", self.name, describe(&[value])));
        }
        for field in self.fields.iter_mut().filter(|field| field.found.is_none() && sampled >= field.due) {
            field.check(&values);
        }
    }
}

fn now() -> Moment {
    let monotonic = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).unwrap();
    Moment { monotonic: monotonic.into(), wall: SystemTime::now().duration_since(UNIX_EPOCH).unwrap() }
}

#[test]
fn values_of_known_programs_are_found_and_noise_is_not() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(python) = tool("python3") else { return };
    let (cpp, mut programs) = thread::scope(|scope| {
        let cpp = scope.spawn(|| compile_cpp("tests/moving/corpus.cpp"));
        let start = |name| {
            let mut command = Command::new(&python);
            command.arg("-B").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/moving/corpus.py"));
            Program::start(name, command, name)
        };
        let programs = Vec::from(PYTHON.map(start));
        (cpp.join().unwrap(), programs)
    });
    let Some(cpp) = cpp else { return };
    programs.extend(CPP.map(|name| Program::start(name, Command::new(&cpp), &format!("/{name}"))));
    let start = Instant::now();
    let mut polls = POLLS.iter().cycle();
    // On a loaded machine, samples are late and bursts take long. Deadlines count only the time
    // that was sampled as planned: a late poll moves them.
    let (mut next, mut sampled) = (Duration::ZERO, Duration::ZERO);
    while sampled < DURATION && start.elapsed() < TIME_LIMIT {
        let burst = Instant::now();
        programs.iter_mut().for_each(Program::sample);
        for pause in BURST {
            thread::sleep(pause);
            programs.iter_mut().for_each(Program::sample);
        }
        let is_fair = burst.elapsed() < FAIR_BURST;
        for program in &mut programs {
            program.check_due_fields(start.elapsed(), sampled);
        }
        let distance = *polls.next().unwrap();
        if is_fair {
            sampled += distance;
        }
        next = (next + distance).max(start.elapsed());
        thread::sleep(next.saturating_sub(start.elapsed()));
    }
    let checked =
        || programs.iter().flat_map(|program| program.fields.iter().map(move |field| (program.name, field)));
    let due = checked().filter(|(_, field)| field.found.is_some()).count();
    let mut misses = String::new();
    for (program, field) in checked() {
        if let Some(Err(found)) = &field.found {
            let Field { offset, width, kind, name, .. } = field;
            writeln!(misses, "{program:<12}{offset:#06x} {width} {kind:<8}{name:<12} found {found}").unwrap();
        }
    }
    let missing = misses.lines().count();
    println!(
        "{} of {due} fields found, {sampled:.1?} of {:.1?} sampled\n{misses}",
        due - missing,
        start.elapsed()
    );
    // On a machine that was too busy to sample in time, fewer fields can be judged, but noise must
    // still be absent.
    assert!(
        due >= 100 || sampled < LAST_DEADLINE,
        "only {due} fields were due after {sampled:.1?} of sampling"
    );
    assert!(missing * 10 <= due, "{missing} of {due} fields missed:\n{misses}");
    let noise: Vec<&String> = programs.iter().flat_map(|program| &program.noise).collect();
    assert!(noise.is_empty(), "noise reported as values: {noise:#?}");
}
