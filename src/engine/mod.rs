//! Runs surveys, holder scans, subscriptions to contents, searches and actions in the background.
//! Knows no terminal and no UI state.
//!
//! Callers send [`Request`]s and get [`Report`]s. [`Engine`] gives each worker a
//! thread; [`Steps`] runs the same workers step by step, in virtual time.

mod act;
mod ask;
mod contents;
mod holders;
mod pace;
mod report;
mod request;
mod route;
mod search;
mod steps;
mod survey;
mod threads;
mod wish;
mod worker;

pub use contents::{Contents, Readers};
pub use report::{Body, Changes, Ended, Found, Opened, Preview, Report, Working};
pub use request::{Feed, Request, ScanScope, Search, SubscriptionId, Target, Watching};
pub use route::Options;
pub use steps::Steps;
pub use threads::{Engine, spawn};
pub use wish::{SaveWish, Undo, Wanted, Wish};
pub use worker::{Job, Worker};

use std::time::Duration;

/// Time since the program started; monotonic.
pub type Clock = Duration;
