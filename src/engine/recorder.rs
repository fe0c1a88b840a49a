//! Writes samples to a file. Runs on its own thread, because a disk may be slow.

use super::Clock;
use super::report::{Body, RecordingState, Report};
use super::request::{RecordRequest, Request};
use super::worker::{Job, Worker};
use crate::act::SaveError;
use crate::machine::Machine;
use crate::scope::Batch;
use crate::scope::recording::{
    Epoch, Recording, RecordingError, RecordingOptions, RecordingSummary, free_path,
};
use crate::segment::{Bytes, ShownError};
use std::fs;
use std::sync::Arc;
use std::time::Duration;

/// The interval of reports.
const REPORT: Duration = Duration::from_secs(1);
/// Batches that may wait for the disk.
const MAX_WAITING: usize = 64;

/// Samples on their way to the recorder. Bounds the memory that they take while the disk is slow.
#[derive(Debug, Clone, Default)]
pub struct RecordQueue(Arc<()>);

/// Samples that the recorder has not written yet.
#[derive(Debug, Clone)]
pub struct WaitingSamples {
    batch: Arc<Batch>,
    _waiting: Arc<()>,
}

impl RecordQueue {
    /// Returns the request that appends samples. `None` if too many wait: these are lost.
    #[must_use]
    pub fn request(&self, batch: &Arc<Batch>) -> Option<Request> {
        let is_full = Arc::strong_count(&self.0) > MAX_WAITING;
        let waiting = || WaitingSamples { batch: Arc::clone(batch), _waiting: Arc::clone(&self.0) };
        (!is_full).then(|| Request::RecordSamples(waiting()))
    }
}

/// The worker that records.
#[derive(Default)]
pub struct RecorderWorker {
    recording: Option<Recording>,
    reported: Clock,
}

impl RecorderWorker {
    fn start(&mut self, machine: &dyn Machine, now: Clock, request: RecordRequest) -> Report {
        self.reported = now;
        let state = create(machine, request).map(|recording| {
            let state = RecordingState::new(recording.summary(), false);
            self.recording = Some(recording);
            state
        });
        report(now, state.map_err(ShownError::of))
    }

    fn append(&mut self, now: Clock, batch: &Batch) -> Option<Report> {
        let recording = self.recording.as_mut()?;
        if let Err(error) = recording.write(batch) {
            return self.recording.take().map(|recording| report(now, finish(recording, Some(error))));
        }
        if now < self.reported + REPORT {
            return None;
        }
        self.reported = now;
        Some(report(now, Ok(RecordingState::new(recording.summary(), false))))
    }

    fn finish(&mut self, now: Clock) -> Option<Report> {
        Some(report(now, finish(self.recording.take()?, None)))
    }
}

impl Worker for RecorderWorker {
    fn handle(&mut self, machine: &dyn Machine, now: Clock, job: Job) -> Vec<Report> {
        match job.request {
            Request::Record(request) => {
                let last = self.finish(now);
                let first = request.map(|request| self.start(machine, now, *request));
                last.into_iter().chain(first).collect()
            }
            Request::RecordSamples(samples) => self.append(now, &samples.batch).into_iter().collect(),
            Request::SaveSamples(request, batches) => {
                vec![Report::new(now, Body::SamplesSaved(save(machine, *request, &batches)))]
            }
            _ => vec![],
        }
    }
}

impl Drop for RecorderWorker {
    /// Completes the file when shmlens quits.
    fn drop(&mut self) {
        self.finish(Clock::ZERO);
    }
}

fn report(now: Clock, state: Result<RecordingState, ShownError>) -> Report {
    Report::new(now, Body::Recording(state))
}

fn create(machine: &dyn Machine, request: RecordRequest) -> Result<Recording, RecordingError> {
    let RecordRequest { path, channels, replace, max_size, writers, is_numbered, epoch } = request;
    let epoch = epoch.unwrap_or_else(|| Epoch::of(machine));
    let create =
        |path| Recording::create(RecordingOptions { path, replace, max_size, writers }, &channels, epoch);
    if !is_numbered {
        return create(path);
    }
    loop {
        match create(free_path(&path)?) {
            // Another program took the name.
            Err(RecordingError::File(SaveError::Exists { .. })) => {}
            created => return created,
        }
    }
}

/// Records samples that are complete.
fn save(
    machine: &dyn Machine,
    request: RecordRequest,
    batches: &[Arc<Batch>],
) -> Result<RecordingState, ShownError> {
    let mut recording = create(machine, request).map_err(ShownError::of)?;
    let error = batches.iter().find_map(|batch| recording.write(batch).err());
    finish(recording, error)
}

/// Completes the file. After an error, tells what was kept.
fn finish(recording: Recording, error: Option<RecordingError>) -> Result<RecordingState, ShownError> {
    let (summary, error) = match recording.finish() {
        Ok(summary) => (summary, error),
        Err((other, summary)) => (summary, error.or(Some(other))),
    };
    let state = RecordingState::new(&summary, true);
    match error {
        None => Ok(state),
        Some(error) if state.files.is_empty() => Err(ShownError::new(format!("{error}. Nothing was kept"))),
        Some(error) => Err(ShownError::new(format!("{error}. Kept {}", state.text()))),
    }
}

impl RecordingState {
    fn new(summary: &RecordingSummary, is_finished: bool) -> Self {
        let length = |file| fs::metadata(file).map_or(0, |facts| facts.len());
        let bytes = Bytes(summary.files.iter().map(length).sum());
        Self { files: summary.files.clone(), samples: summary.samples, bytes, is_finished }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Options, Steps};
    use crate::machine::fake::FakeMachine;
    use crate::scope::{Channel, Column, Grade, NumberKind, Source};
    use std::path::{Path, PathBuf};

    fn steps() -> Steps {
        Steps::new(Arc::new(FakeMachine::new()), Options::default())
    }

    fn request(path: &Path) -> RecordRequest {
        let channel = |name: &str| Channel {
            name: name.to_owned(),
            kind: NumberKind::Unsigned,
            source: Source::Expression(String::new()),
        };
        let channels = vec![channel("tick"), channel("twice")];
        RecordRequest::new(path.to_owned(), channels)
    }

    fn start(path: &Path) -> Request {
        Request::Record(Some(Box::new(request(path))))
    }

    fn batch(times: std::ops::Range<u64>) -> Arc<Batch> {
        let column = |factor: u64| Column {
            bits: times.clone().map(|time| time * factor).collect(),
            grades: times.clone().map(|_| Grade::Whole).collect(),
        };
        Arc::new(Batch {
            times: times.clone().map(|time| time * 1_000_000_000).collect(),
            columns: vec![column(1), column(2)],
            ..Batch::default()
        })
    }

    fn append(queue: &RecordQueue, times: std::ops::Range<u64>) -> Request {
        queue.request(&batch(times)).expect("room in the queue")
    }

    fn states(reports: Vec<Report>) -> Vec<Result<(String, bool), String>> {
        let state = |report: Report| match report.body {
            Body::Recording(state) | Body::SamplesSaved(state) => {
                Some(state.map(|state| (state.text(), state.is_finished)).map_err(|error| error.to_string()))
            }
            _ => None,
        };
        reports.into_iter().filter_map(state).collect()
    }

    #[test]
    fn samples_are_recorded_until_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run.csv");
        let (mut steps, queue) = (steps(), RecordQueue::default());
        assert!(states(steps.send(append(&queue, 0..3))).is_empty(), "nothing is recorded yet");
        let started = states(steps.send(start(&path)));
        assert_eq!(started.len(), 1);
        assert!(matches!(&started[0], Ok((text, false)) if text.starts_with("0 samples in")), "{started:?}");
        assert!(states(steps.send(append(&queue, 3..5))).is_empty());
        steps.advance(REPORT);
        let text = |samples, bytes| format!("{samples} samples in {} ({bytes} B)", path.display());
        let reports = states(steps.send(append(&queue, 5..6)));
        assert_eq!(reports.len(), 1, "once a second");
        assert!(states(steps.send(append(&queue, 6..7))).is_empty());
        let file = "time,tick,twice\n0.000000000,3,6\n1.000000000,4,8\n2.000000000,5,10\n3.000000000,6,12\n";
        assert_eq!(states(steps.send(Request::Record(None))), [Ok((text(4, file.len()), true))]);
        assert_eq!(fs::read_to_string(&path).unwrap(), file);
        assert!(states(steps.send(append(&queue, 7..8))).is_empty());
        assert!(states(steps.send(Request::Record(None))).is_empty());
    }

    #[test]
    fn recording_that_cannot_begin_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run.csv");
        fs::write(&path, "mine").unwrap();
        let mut steps = steps();
        for (path, message) in
            [(path.clone(), "already exists"), (PathBuf::from("run.txt"), "must end in .mcap, .csv or .npz")]
        {
            let started = states(steps.send(start(&path)));
            assert!(matches!(&started[..], [Err(error)] if error.contains(message)), "{started:?}");
        }
        assert!(states(steps.send(Request::Record(None))).is_empty());
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn error_ends_the_recording_and_tells_what_was_kept() {
        let directory = tempfile::tempdir().unwrap();
        let inside = directory.path().join("inside");
        fs::create_dir(&inside).unwrap();
        let (mut steps, queue) = (steps(), RecordQueue::default());
        let one = RecordRequest { max_size: Some(Bytes(1)), ..request(&inside.join("run.csv")) };
        steps.send(Request::Record(Some(Box::new(one))));
        steps.send(append(&queue, 0..1));
        // The next file has no directory.
        fs::rename(&inside, directory.path().join("moved")).unwrap();
        let ended = states(steps.send(append(&queue, 1..2)));
        let [Err(error)] = &ended[..] else { panic!("{ended:?}") };
        assert!(error.contains("run-2.csv") && error.contains(". Kept 1 sample in "), "{error}");
        assert!(states(steps.send(append(&queue, 2..3))).is_empty(), "it has ended");
        assert!(states(steps.send(Request::Record(None))).is_empty());
    }

    #[test]
    fn kept_samples_are_saved_during_a_recording() {
        let directory = tempfile::tempdir().unwrap();
        let [run, kept] = ["run.csv", "kept.csv"].map(|name| directory.path().join(name));
        let (mut steps, queue) = (steps(), RecordQueue::default());
        steps.send(start(&run));
        steps.send(append(&queue, 0..1));
        let batches = vec![batch(1..2), batch(2..4)];
        let saved = states(steps.send(Request::SaveSamples(Box::new(request(&kept)), batches)));
        assert!(matches!(&saved[..], [Ok((text, true))] if text.starts_with("3 samples in")), "{saved:?}");
        steps.send(append(&queue, 4..5));
        steps.send(Request::Record(None));
        let lines = |path| fs::read_to_string(path).unwrap().lines().count();
        assert_eq!((lines(&run), lines(&kept)), (3, 4));
    }

    #[test]
    fn saved_samples_take_the_next_free_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("kept.csv"), "mine").unwrap();
        let mut steps = steps();
        let numbered = RecordRequest { is_numbered: true, ..request(&path("kept.csv")) };
        for name in ["kept-2.csv", "kept-3.csv"] {
            let saved =
                states(steps.send(Request::SaveSamples(Box::new(numbered.clone()), vec![batch(1..3)])));
            assert!(matches!(&saved[..], [Ok((text, true))] if text.contains(name)), "{saved:?}");
            assert_eq!(fs::read_to_string(path(name)).unwrap().lines().count(), 3);
        }
        assert_eq!(fs::read_to_string(path("kept.csv")).unwrap(), "mine");
        // Without numbers, an existing file is an error.
        let saved =
            states(steps.send(Request::SaveSamples(Box::new(request(&path("kept.csv"))), vec![batch(1..3)])));
        assert!(matches!(&saved[..], [Err(error)] if error.contains("already exists")), "{saved:?}");
        let lost = RecordRequest { is_numbered: true, ..request(&path("no/kept.csv")) };
        let saved = states(steps.send(Request::SaveSamples(Box::new(lost), vec![batch(1..3)])));
        assert!(matches!(&saved[..], [Err(_)]), "{saved:?}");
    }

    #[test]
    fn next_recording_completes_the_last() {
        let directory = tempfile::tempdir().unwrap();
        let [first, second] = ["a.npz", "b.npz"].map(|name| directory.path().join(name));
        let (mut steps, queue) = (steps(), RecordQueue::default());
        steps.send(start(&first));
        steps.send(append(&queue, 0..9));
        let started = states(steps.send(start(&second)));
        assert!(matches!(&started[..], [Ok((_, true)), Ok((_, false))]), "{started:?}");
        steps.send(append(&queue, 9..12));
        // Quitting completes it.
        drop(steps);
        assert!(fs::metadata(&second).unwrap().len() > 0);
    }

    #[test]
    fn samples_that_wait_for_the_disk_are_limited() {
        let queue = RecordQueue::default();
        let waiting: Vec<Request> = std::iter::from_fn(|| queue.request(&batch(0..1))).collect();
        assert_eq!(waiting.len(), MAX_WAITING);
        drop(waiting);
        assert!(queue.request(&batch(0..1)).is_some());
    }
}
