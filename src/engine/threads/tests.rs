//! Tests of the engine on real threads.

use super::*;
use crate::engine::{Feed, Search, SubscriptionId, Target, WorkProgress};
use crate::machine::fake::{FakeBytes, FakeMachine};
use crate::memory::{Direction, Pattern, Progress};
use crate::survey::{Names, Survey};

const LONG_TIMEOUT: Duration = Duration::from_secs(10);
const ID: SubscriptionId = SubscriptionId(1);

/// Counts its jobs. Its work is due at the time that the last job requested.
#[derive(Default)]
struct CountingWorker {
    due: Option<Clock>,
    jobs: usize,
}

impl Worker for CountingWorker {
    fn handle(&mut self, _: &dyn Machine, now: Clock, job: Job) -> Vec<Report> {
        self.jobs += 1;
        match job.request {
            Request::SurveyEvery(every) => self.due = Some(now + every.unwrap_or_default()),
            Request::Apply(_) => {
                job.progress.next_item(1, 1, "counting".to_owned());
                while !job.progress.is_cancelled() {
                    thread::yield_now();
                }
            }
            _ => panic!("on purpose"),
        }
        vec![]
    }

    fn deadline(&self) -> Option<Clock> {
        self.due
    }

    fn work(&mut self, _: &dyn Machine, now: Clock) -> Vec<Report> {
        self.due = None;
        let total = self.jobs as u64;
        let at = WorkProgress { what: String::new(), item: 0, items: 0, done: 0, total };
        vec![Report::new(now, Body::Progress(at))]
    }
}

/// Starts a counting worker on its own thread.
fn counting_worker() -> (Sender<Job>, Receiver<Report>) {
    let (inbox, jobs) = mpsc::channel();
    let (reports, received) = mpsc::channel();
    let alarm = reports.clone();
    let panicked = move || drop(alarm.send(Report::new(Clock::ZERO, Body::Panicked)));
    spawn("counting_worker", panicked, move || {
        let sink = move |report| drop(reports.send(report));
        drive(&mut CountingWorker::default(), &FakeMachine::new(), Instant::now(), &jobs, &sink);
    })
    .unwrap();
    (inbox, received)
}

fn at_once() -> Job {
    Job::new(Request::SurveyEvery(None))
}

#[test]
fn waiting_requests_are_handled_before_any_work() {
    let (inbox, jobs) = mpsc::channel();
    let (reports, received) = mpsc::channel();
    for _ in 0..5 {
        inbox.send(at_once()).unwrap();
    }
    drop(inbox);
    let sink = move |report| drop(reports.send(report));
    drive(&mut CountingWorker::default(), &FakeMachine::new(), Instant::now(), &jobs, &sink);
    drop(sink);
    let bodies: Vec<Body> = received.iter().map(|report| report.body).collect();
    assert!(matches!(bodies[..], [Body::Progress(WorkProgress { total: 5, .. })]), "{bodies:?}");
}

#[test]
fn deadline_wakes_a_worker_and_a_closed_channel_ends_it() {
    let (inbox, received) = counting_worker();
    inbox.send(Job::new(Request::SurveyEvery(Some(Duration::from_millis(20))))).unwrap();
    let report = received.recv_timeout(LONG_TIMEOUT).unwrap();
    assert!(report.at >= Duration::from_millis(20) && matches!(report.body, Body::Progress(_)));
    drop(inbox);
    assert!(matches!(received.recv_timeout(LONG_TIMEOUT), Err(RecvTimeoutError::Disconnected)));
}

#[test]
fn panic_of_a_worker_is_reported() {
    let (inbox, received) = counting_worker();
    inbox.send(Job::new(Request::Survey)).unwrap();
    assert!(matches!(received.recv_timeout(LONG_TIMEOUT).unwrap().body, Body::Panicked));
}

#[test]
fn long_work_reports_its_progress_until_it_is_canceled() {
    let (inbox, received) = counting_worker();
    let progress = Arc::new(Progress::new());
    inbox.send(Job { request: Request::Apply(vec![]), progress: Arc::clone(&progress) }).unwrap();
    for _ in 0..2 {
        let body = received.recv_timeout(LONG_TIMEOUT).unwrap().body;
        assert!(matches!(&body, Body::Progress(at) if at.text() == "counting"), "{body:?}");
    }
    progress.cancel();
    inbox.send(at_once()).unwrap();
    let last = received.iter().find(|report| matches!(&report.body, Body::Progress(at) if at.total == 2));
    assert!(last.is_some());
}

#[test]
fn search_reports_its_progress_and_a_new_one_replaces_it() {
    // A hole would be skipped; written zeros take seconds.
    let mut bytes = FakeBytes::hole(1 << 30);
    bytes.pages = (0..(1 << 30) / 4096).step_by(8).map(|page| (page, vec![0; 4096].into())).collect();
    bytes.write(0, b"here");
    let machine = FakeMachine::new();
    machine.add_object("a", bytes);
    let segment = Box::new(Survey::take(&machine, &mut Names::default()).segments.remove(0));
    let machine: Arc<dyn Machine> = Arc::new(machine);
    let (reports, received) = mpsc::channel();
    let mut engine =
        Engine::start(&machine, Options::default(), move |report| drop(reports.send(report))).unwrap();
    let next = || received.recv_timeout(LONG_TIMEOUT).unwrap();
    let search = |number, text| {
        let target = Target::Pattern(Box::new(Pattern::text(text).unwrap()));
        Request::Search(ID, Search { number, from: 0, direction: Direction::Forward, target })
    };
    engine.send(Request::Subscribe(ID, segment, Feed::Window));
    assert!(matches!(next().body, Body::Opened(Ok(_))));
    engine.send(search(1, "nowhere"));
    let Report { subscription: Some(ID), body: Body::Progress(at), .. } = next() else { panic!() };
    assert!(at.done < at.total && at.total == 1 << 30, "{at:?}");
    engine.send(search(2, "here"));
    let found = received
        .iter()
        .find_map(|report| if let Body::Found(found) = report.body { Some(found) } else { None });
    let found = found.unwrap();
    assert_eq!((found.number, found.result), (2, Ok(Some(0))));
    engine.stop();
    assert!(
        received.iter().all(|report| !matches!(report.body, Body::Found(_))),
        "the canceled search must not be answered"
    );
}

#[test]
fn stop_releases_everything() {
    let machine = FakeMachine::new();
    machine.add_sysv(1, 0, FakeBytes::full(b"hello"));
    let segment = Box::new(Survey::take(&machine, &mut Names::default()).segments.remove(0));
    let shared: Arc<dyn Machine> = Arc::new(machine.clone());
    let (reports, received) = mpsc::channel();
    let mut engine =
        Engine::start(&shared, Options::default(), move |report| drop(reports.send(report))).unwrap();
    let every = Duration::from_millis(1);
    engine.send(Request::Subscribe(
        ID,
        segment,
        Feed::Ranges { ranges: std::iter::once(0..5).collect(), every },
    ));
    received.iter().find(|report| matches!(report.body, Body::Ranges(_))).unwrap();
    machine.edit(|facts| assert_eq!(facts.sysv[0].row.nattch, 1));
    engine.stop();
    machine.edit(|facts| assert_eq!(facts.sysv[0].row.nattch, 0));
}
