//! Runs surveys, holder scans, content subscriptions, searches and actions in the background.
//! Independent of the terminal and the UI state.
//!
//! Callers send [`Request`]s and receive [`Report`]s. [`Engine`] runs each worker on a thread;
//! [`Steps`] runs the same workers step by step, in virtual time.

mod act;
mod ask;
mod channels;
mod contents;
mod evidence;
mod holders;
mod lease;
mod lock_watch;
mod locks;
mod origin;
mod pace;
mod rates;
mod recorder;
mod report;
mod request;
mod route;
mod scope;
mod search;
mod steps;
mod survey;
mod threads;
mod typing;
mod worker;
mod writers;

pub use contents::{Contents, Readers, value_rate};
pub use recorder::{RecordQueue, WaitingSamples};
pub use report::{
    Activity, Body, Changes, Ended, Found, Hits, Look, Moving, Opened, Preview, RecordingState, Report,
    SegmentTypes, Unread, WorkProgress,
};
pub use request::{
    AtEveryWrite, ChosenType, Feed, FindChannels, PlanRequest, PreviewFields, RecordRequest, Request,
    SaveRequest, ScanScope, ScopeRequest, Search, SubscriptionId, Target, Undo, WatchedLocks, WatchedValue,
    Watching,
};
pub use route::Options;
pub use scope::Delivery;
pub use steps::Steps;
pub use threads::{COMPLETE_TIMEOUT, Engine, spawn};
pub use worker::{Job, Worker};
pub use writers::Writers;

use origin::origin;
use std::time::Duration;

/// Monotonic time since the program started.
pub type Clock = Duration;
