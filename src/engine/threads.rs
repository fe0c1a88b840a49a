//! The threaded engine: one thread per worker, so that slow work delays neither other workers nor
//! the caller.

use super::report::{Body, Report};
use super::route::{Options, Part, Router, workers};
use super::worker::{Job, Worker};
use super::{Clock, Request, origin};
use crate::machine::Machine;
use crate::sys::ticker;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

/// The time that [`Engine::stop`] waits for the workers to release segments. Process exit releases
/// the rest.
const STOP_TIMEOUT: Duration = Duration::from_millis(200);
/// The time that [`Engine::stop`] waits for a recording to be completed: those in NPZ are written at the end.
pub const COMPLETE_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest wait in which a job is not noticed.
const SHORT_WAIT: Duration = Duration::from_millis(5);
/// The interval of progress reports.
const PROGRESS: Duration = Duration::from_millis(100);

/// The running engine. Dropping it ends the workers without waiting for them.
pub struct Engine {
    started: Instant,
    router: Router,
    inboxes: Vec<Sender<Job>>,
    /// Disconnected once all workers have ended.
    running: Receiver<Infallible>,
    /// Disconnected once the recorder has ended.
    recording: Receiver<Infallible>,
}

impl Engine {
    /// Starts the workers. Each reports to `sink` on its own thread.
    ///
    /// # Errors
    /// Fails if no thread can be started.
    pub fn start<S>(machine: &Arc<dyn Machine>, options: Options, sink: S) -> io::Result<Self>
    where
        S: Fn(Report) + Clone + Send + 'static,
    {
        let (busy, running) = mpsc::channel::<Infallible>();
        let (records, recording) = mpsc::channel::<Infallible>();
        let started = Instant::now();
        let mut inboxes = vec![];
        for (part, (name, worker)) in workers(options, false).into_iter().enumerate() {
            let records = (part == Part::Recorder as usize).then(|| records.clone());
            let (inbox, jobs) = mpsc::channel();
            inboxes.push(inbox);
            let (busy, machine, sink, alarm) =
                (busy.clone(), Arc::clone(machine), sink.clone(), sink.clone());
            let panicked = move || alarm(Report::new(started.elapsed(), Body::Panicked));
            spawn(name, panicked, move || {
                // Dropped after the worker, which releases its segments.
                let _busy = (busy, records);
                let mut worker = worker;
                drive(&mut *worker, &*machine, started, &jobs, &sink);
            })?;
        }
        Ok(Self { started, router: Router::default(), inboxes, running, recording })
    }

    /// Returns the time since the engine was started.
    #[must_use]
    pub fn now(&self) -> Clock {
        self.started.elapsed()
    }

    pub fn send(&mut self, request: Request) {
        for (part, job) in self.router.route(request) {
            // A worker that ends early has panicked, which is reported.
            let _ = self.inboxes[part as usize].send(job);
        }
    }

    /// Ends the workers, which detach all segments and complete a recording.
    pub fn stop(self) {
        self.router.cancel();
        drop(self.inboxes);
        let _ = self.running.recv_timeout(STOP_TIMEOUT);
        let _ = self.recording.recv_timeout(COMPLETE_TIMEOUT);
    }
}

/// Waits for exact times.
struct Precise {
    /// The time of `CLOCK_MONOTONIC` at which the engine started.
    origin: Duration,
}

impl Precise {
    /// Makes the timers of this thread precise.
    fn new(clock: impl Fn() -> Clock) -> Self {
        ticker::be_precise();
        Self { origin: origin(ticker::monotonic, clock) }
    }

    /// Waits for a job until a time. Near its end, jobs wait for the time instead.
    fn wait(
        &self,
        jobs: &Receiver<Job>,
        due: Clock,
        clock: impl Fn() -> Clock,
    ) -> Result<Job, RecvTimeoutError> {
        let left = due.saturating_sub(clock());
        if left > SHORT_WAIT {
            match jobs.recv_timeout(left.saturating_sub(SHORT_WAIT)) {
                Err(RecvTimeoutError::Timeout) => {}
                received => return received,
            }
        }
        match jobs.try_recv() {
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
            Ok(job) => return Ok(job),
        }
        ticker::sleep_until(self.origin + due);
        Err(RecvTimeoutError::Timeout)
    }
}

/// Runs a worker until its channel is closed.
fn drive(
    worker: &mut dyn Worker,
    machine: &dyn Machine,
    started: Instant,
    jobs: &Receiver<Job>,
    sink: &(impl Fn(Report) + Clone + Send),
) {
    let clock = || started.elapsed();
    let precise = worker.is_precise().then(|| Precise::new(clock));
    loop {
        let job = match (worker.deadline(), &precise) {
            (None, _) => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            (Some(due), None) => jobs.recv_timeout(due.saturating_sub(clock())),
            (Some(due), Some(precise)) => precise.wait(jobs, due, clock),
        };
        let mut job = match job {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        // Handle all jobs first: often only the last one matters.
        while let Some(next) = job {
            handle(worker, machine, started, next, sink);
            job = jobs.try_recv().ok();
        }
        if worker.deadline().is_some_and(|due| due <= clock()) {
            worker.run(machine, &clock).into_iter().for_each(sink);
        }
    }
}

/// Runs a job and reports its progress if it is long.
fn handle(
    worker: &mut dyn Worker,
    machine: &dyn Machine,
    started: Instant,
    job: Job,
    sink: &(impl Fn(Report) + Clone + Send),
) {
    let now = started.elapsed();
    if !job.request.is_long() {
        worker.handle(machine, now, job).into_iter().for_each(sink);
        return;
    }
    let (progress, searched) = (Arc::clone(&job.progress), job.request.searched());
    let (done, ended) = mpsc::channel::<Infallible>();
    thread::scope(|scope| {
        let sink = sink.clone();
        let poll = move || {
            while ended.recv_timeout(PROGRESS) == Err(RecvTimeoutError::Timeout) {
                Report::progress(started.elapsed(), searched, &progress).into_iter().for_each(&sink);
            }
        };
        // If no thread can be started, do the work without progress reports.
        let _ = thread::Builder::new().spawn_scoped(scope, poll);
        // Dropped at the end of the work, even after a panic.
        let _done = done;
        worker.handle(machine, now, job)
    })
    .into_iter()
    .for_each(sink);
}

/// Starts a thread that calls `panicked` if it panics, after the panic hook has restored the
/// terminal and printed the reason.
///
/// # Errors
/// Fails if no thread can be started.
pub fn spawn(
    name: &str,
    panicked: impl Fn() + Send + 'static,
    run: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    struct PanicGuard<P: Fn()>(P);
    impl<P: Fn()> Drop for PanicGuard<P> {
        fn drop(&mut self) {
            if thread::panicking() {
                self.0();
            }
        }
    }
    thread::Builder::new().name(name.into()).spawn(move || {
        let _alarm = PanicGuard(panicked);
        run();
    })?;
    Ok(())
}

#[cfg(test)]
mod tests;
