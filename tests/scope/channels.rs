//! Channels that the engine finds by their text, and recordings that it writes.

use crate::support::{Child, Namespaces, Object, SOON, compile_cpp};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use shmlens::engine::{
    Body, Engine, FindChannels, Options, RecordQueue, RecordRequest, RecordingState, Report, Request,
};
use shmlens::machine::Machine;
use shmlens::machine::real::RealMachine;
use shmlens::scope::text::Signal;
use shmlens::scope::{Batch, Channel, Column, Grade, NumberKind, Source};
use shmlens::segment::{Segment, ShownError};
use shmlens::survey::{Depth, Holdings, Names, Survey};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};

fn start() -> (Engine, Receiver<Body>) {
    let (send, reports) = mpsc::channel();
    let machine: Arc<dyn Machine> = Arc::new(RealMachine);
    let sink = move |report: Report| drop(send.send(report.body));
    (Engine::start(&machine, Options::default(), sink).unwrap(), reports)
}

/// Waits for a report.
fn next<T>(reports: &Receiver<Body>, wanted: impl Fn(Body) -> Option<T>) -> T {
    loop {
        let body = reports.recv_timeout(SOON).expect("a report");
        if let Some(found) = wanted(body) {
            return found;
        }
    }
}

fn segments() -> Arc<[Segment]> {
    let mut names = Names::default();
    let (holdings, mut survey) = Holdings::scan_and(&RealMachine, Depth::Shared, &mut names, |names| {
        Survey::take(&RealMachine, names)
    });
    survey.join(&holdings, &RealMachine, &mut names);
    survey.segments.into()
}

#[test]
fn channels_are_found_by_the_types_of_a_real_program() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(program) = compile_cpp("tests/scope/channels.cpp") else { return };
    let _object = Object::new("motor", 4096, 0o600);
    let mut child = Child::spawn_piped(Command::new(program).arg("/motor"));
    assert_eq!(child.line(SOON), "ready");
    let (mut engine, reports) = start();
    let texts = ["y=/motor:pose.y", "/motor:gain[1][2]", "/motor+8:motor::Pose.y", "/motor+8:motor::Pase"];
    let texts = texts.map(str::to_owned).to_vec();
    let request = FindChannels { number: 5, texts, segments: segments(), types: vec![] };
    engine.send(Request::FindChannels(Box::new(request)));
    let found = next(&reports, |body| match body {
        Body::ChannelsFound { number: 5, found } => Some(found),
        _ => None,
    });
    let place = |index: usize| match &found[index] {
        Ok(found) => match &found.signal {
            Signal::Channel(Channel { name, source: Source::Value(value), .. }) => {
                format!("{name} {}:{}", value.offset, value.ty)
            }
            other => panic!("{other:?}"),
        },
        Err(error) => panic!("{error}"),
    };
    assert_eq!(
        [place(0), place(1), place(2)],
        ["y 12:f32", "/motor:gain[1][2] 56:f64", "/motor+0x8:motor::Pose.y 12:f32"]
    );
    let error = found[3].as_ref().unwrap_err().to_string();
    assert!(
        error.contains("no type named 'motor::Pase'") && error.ends_with("program that holds /motor"),
        "{error}"
    );

    engine.send(Request::CompleteChannel("/motor:po".to_owned(), segments(), vec![]));
    let completed = next(&reports, |body| match body {
        Body::ChannelCompletions(text, found) if text == "/motor:po" => Some(found),
        _ => None,
    });
    assert_eq!(completed.iter().map(|found| found.text.as_str()).collect::<Vec<_>>(), ["/motor:pose."]);
    engine.stop();
}

fn record(path: &Path) -> Request {
    let tick = Channel {
        name: "tick".to_owned(),
        kind: NumberKind::Unsigned,
        source: Source::Expression(String::new()),
    };
    let (path, channels) = (path.to_owned(), vec![tick]);
    Request::Record(Some(Box::new(RecordRequest::new(path, channels))))
}

fn second(number: u64) -> Arc<Batch> {
    let times: Vec<u64> = (0..100).map(|tick| number * 1_000_000_000 + tick * 10_000_000).collect();
    let column = Column { bits: times.clone(), grades: vec![Grade::Whole; times.len()] };
    Arc::new(Batch { times, columns: vec![column], ..Batch::default() })
}

fn state(body: Body) -> Option<Result<RecordingState, ShownError>> {
    match body {
        Body::Recording(state) => Some(state),
        _ => None,
    }
}

#[test]
fn full_disk_ends_a_recording_that_keeps_its_samples() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = tempfile::tempdir().unwrap();
    mount(Some("tmpfs"), directory.path(), Some("tmpfs"), MsFlags::empty(), Some("size=64k")).unwrap();
    let path = directory.path().join("run.csv");
    let ((mut engine, reports), queue) = (start(), RecordQueue::default());
    engine.send(record(&path));
    next(&reports, state).unwrap();
    let error = (0..).find_map(|number| {
        engine.send(queue.request(&second(number))?);
        std::iter::from_fn(|| reports.try_recv().ok()).filter_map(state).find_map(Result::err)
    });
    let error = error.unwrap().to_string();
    let rows = fs::read_to_string(&path).unwrap().lines().count() - 1;
    assert!(rows > 100, "{rows}");
    assert!(
        error.contains("no space left on device") && error.contains(&format!("Kept {rows} samples in")),
        "{error}"
    );
    engine.stop();
    umount2(directory.path(), MntFlags::MNT_DETACH).unwrap();
}
