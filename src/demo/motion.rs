//! The thread that changes the segments of the demo.

use super::error::DemoError;
use super::mark::Maker;
use super::owned::{Handle, OwnedSegment};
use super::part::{Part, item, items};
use super::picture::Picture;
use super::{list, state};
use crate::sys::shm::Attachment;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(50);

/// Changes the segments until it is dropped.
#[derive(Debug)]
pub struct Motion {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Motion {
    /// Starts the thread.
    ///
    /// # Errors
    /// Fails if no thread can be started.
    pub fn start(maker: &Maker, made: &[OwnedSegment]) -> Result<Self, DemoError> {
        let mut moving = Moving::new(maker, made);
        let (stop, stopped) = channel::<()>();
        let run = move || {
            let mut next = Instant::now();
            for tick in 1.. {
                // After a suspend, go on from now instead of catching up.
                next = (next + TICK).max(Instant::now());
                let wait = next.saturating_duration_since(Instant::now());
                if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) || moving.step(tick).is_err()
                {
                    break;
                }
            }
        };
        let thread = thread::Builder::new().name("demo".to_owned()).spawn(run).map_err(DemoError::Start)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Motion {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // If the thread panicked, the demo still has to be removed.
            let _ = thread.join();
        }
    }
}

/// The parts that change.
struct Moving {
    made_by: String,
    state: Option<Arc<Attachment>>,
    list: Option<Arc<File>>,
    picture: Option<(Arc<File>, Picture)>,
}

impl Moving {
    fn new(maker: &Maker, made: &[OwnedSegment]) -> Self {
        let mut moving =
            Self { made_by: maker.line(Part::List.name()), state: None, list: None, picture: None };
        for made in made {
            match (made.part, &made.handle) {
                (Part::State, Handle::Attached(open, _)) => moving.state = Some(Arc::clone(open)),
                (Part::List, Handle::Open(file)) => moving.list = Some(Arc::clone(file)),
                (Part::Picture, Handle::Open(file)) => {
                    let picture = Picture::new(&maker.bytes(Part::Picture.name()));
                    moving.picture = Some((Arc::clone(file), picture));
                }
                _ => {}
            }
        }
        moving
    }

    /// Advances by one tick. Writes only the bytes that change, a few pages at most.
    fn step(&mut self, tick: u32) -> io::Result<()> {
        if let Some(open) = &self.state {
            for (offset, bytes) in state::changes(tick) {
                let _ = open.copy_from(offset as u64, &bytes);
            }
        }
        if let Some(file) = &self.list {
            let (before, now) = (items(&self.made_by, tick - 1), items(&self.made_by, tick));
            for index in [item::TICK, item::SINE, item::RISING, item::STATE] {
                if before[index] != now[index] {
                    file.write_all_at(&now[index].bytes(), list::slot_start(&now, index) as u64)?;
                }
            }
        }
        if let Some((file, picture)) = &mut self.picture {
            let (offset, rows) = picture.step(tick);
            file.write_all_at(rows, offset as u64)?;
        }
        Ok(())
    }
}
