//! The `shmlens` program: parse, dispatch, exit status.

use shmlens::act::{LoggedSegments, UseRecorder};
use shmlens::app::scope::Scope;
use shmlens::cli::args::{DemoArgs, LookArgs, SampleRate, ScopeCommand};
use shmlens::cli::out::{Out, warn};
use shmlens::cli::{self, Command, Failure, ScopeTerms, Status, Style, Terms};
use shmlens::config::layout::LayoutRule;
use shmlens::config::{Config, ConfigError};
use shmlens::demo;
use shmlens::identify::Rules;
use shmlens::identify::typing::Knowledge;
use shmlens::machine::Machine;
use shmlens::machine::real::{self, RealMachine};
use shmlens::scope::text::Signal;
use shmlens::segment::escape;
use shmlens::tui::{self, ExitReason, Start};
use signal_hook::consts::SIGXFSZ;
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::{env, io};

fn main() -> ExitCode {
    let args: Vec<_> = env::args_os().collect();
    let hidden = match args.get(1).and_then(|arg| arg.to_str()) {
        Some(demo::ORPHAN_COMMAND) => Some(demo::run_orphan(&args[2..])),
        Some(demo::CHILD_COMMAND) => Some(demo::run_child(&args[2..])),
        _ => None,
    };
    if let Some(outcome) = hidden {
        return outcome.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    let args = match cli::parse(&args) {
        Ok(args) => args,
        Err(error) => error.exit(),
    };
    // A file that reaches its size limit (`ulimit -f`) should cause an error, not kill the program.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
    real::log_uses(UseRecorder::shared());
    match args.command {
        None => ended(open_ui(args.look, args.read_only, Start::Segments(vec![]))),
        Some(Command::Report(report)) => match rules_for(&report) {
            Ok((rules, layouts)) => {
                let knowledge = Knowledge { rules: layouts.into(), ..Knowledge::default() };
                report_with(args.look, |out| cli::run(&RealMachine, rules, &knowledge, &report, out))
            }
            Err(error) => ended(Err(error)),
        },
        Some(Command::Scope(command)) => match settings() {
            Ok(settings) => {
                let terms = ScopeTerms {
                    read_only: args.read_only || settings.read_only,
                    knowledge: Knowledge { rules: settings.layouts.into(), ..Knowledge::default() },
                    settings: settings.scope,
                };
                show_values(&command, &terms, args.look, args.read_only)
            }
            Err(error) => ended(Err(error)),
        },
        Some(Command::Change(change)) => match settings() {
            Ok(settings) => {
                let terms = Terms {
                    read_only: args.read_only || settings.read_only,
                    rules: Rules::with_makers(&settings.makers, settings.settle)
                        .with_created(LoggedSegments::shared()),
                    copies: settings.copies,
                };
                report_with(args.look, |out| cli::change(&RealMachine, &change, terms, out))
            }
            // An invalid config may have turned changes off.
            Err(error) => ended(Err(error)),
        },
        Some(Command::Demo(demo)) => show_demo(demo, args.look, args.read_only),
    }
}

/// Returns the rules for judging segments, and the types of the config. Reports that need neither do not
/// read the config.
fn rules_for(report: &cli::Report) -> anyhow::Result<(Rules, Vec<LayoutRule>)> {
    let needs_config = matches!(
        report,
        cli::Report::List(_) | cli::Report::Info(_) | cli::Report::Types(_) | cli::Report::Writers(_)
    );
    if !needs_config {
        return Ok((Rules::default(), vec![]));
    }
    let settings = settings()?;
    let rules = Rules::with_makers(&settings.makers, settings.settle).with_created(LoggedSegments::shared());
    Ok((rules, settings.layouts))
}

/// Samples values, or shows them.
fn show_values(command: &ScopeCommand, terms: &ScopeTerms, look: LookArgs, read_only: bool) -> ExitCode {
    let machine: Arc<dyn Machine> = Arc::new(RealMachine);
    let memory = terms.settings.history;
    let scope = match command {
        ScopeCommand::Scope(args) if !args.headless => {
            let signals = match cli::scope_signals(&*machine, args, terms) {
                Ok(signals) => signals,
                Err(failure) => return report_with(look, |_| Err(failure)),
            };
            let mut scope = Scope::new(memory);
            let written = match args.sampled.rate() {
                SampleRate::Ticks(rate) => {
                    scope.rate = rate;
                    None
                }
                SampleRate::EveryWrite => {
                    match cli::written_channel(signals.iter().filter_map(Signal::channel)) {
                        Ok(channel) => Some(channel.clone()),
                        Err(failure) => return report_with(look, |_| Err(failure)),
                    }
                }
            };
            if let Err(error) = scope.add_signals(signals) {
                return ended(Err(error.into()));
            }
            scope.set_at_writes(written.as_ref());
            scope
        }
        ScopeCommand::Replay(args) => match tui::read_recording(&args.file, memory) {
            Ok(scope) => scope,
            Err(error) => {
                warn(&error.to_string());
                return Status::Failed.into();
            }
        },
        command => return report_with(look, |out| cli::scope(&machine, command, terms, out)),
    };
    ended(open_ui(look, read_only, Start::Scope(Box::new(scope))))
}

/// Opens the UI.
fn open_ui(look: LookArgs, read_only: bool, start: Start) -> anyhow::Result<ExitReason> {
    let machine: Arc<dyn Machine> = Arc::new(RealMachine);
    let settings = settings()?;
    let read_only = read_only || settings.read_only;
    let shown = tui::UiOptions { color: look.color, ascii: Style::new(look).ascii, read_only };
    Ok(tui::open(&machine, &settings, shown, start)?)
}

/// Reads the config, or returns the defaults if permission is denied, as under `sudo -u` with
/// another user's HOME.
fn settings() -> anyhow::Result<Config> {
    match Config::load() {
        Err(ConfigError::Read { path, source }) if source.kind() == io::ErrorKind::PermissionDenied => {
            let path = escape(path.as_os_str().as_bytes());
            warn(&format!("failed to read the config file {path}: permission denied. Using the defaults"));
            Ok(Config::default())
        }
        loaded => {
            let config = loaded?;
            cli::check_layouts(&config)?;
            Ok(config)
        }
    }
}

/// Returns the exit status of the terminal UI. Problems with the terminal or the config are usage
/// errors.
fn ended(outcome: anyhow::Result<ExitReason>) -> ExitCode {
    match outcome {
        Ok(reason) => ExitCode::from(u8::try_from(reason.status()).unwrap_or(1)),
        Err(error) => {
            warn(&error.to_string());
            Status::Usage.into()
        }
    }
}

/// Creates the demo's segments, and removes them at the end.
fn show_demo(args: DemoArgs, look: LookArgs, read_only: bool) -> ExitCode {
    // Read the config before creating anything, because it may turn changes off.
    match settings() {
        Ok(settings) if read_only || settings.read_only => {
            warn(&demo::DemoError::ReadOnly.to_string());
            return Status::Failed.into();
        }
        Ok(_) => {}
        Err(error) => return ended(Err(error)),
    }
    if args.headless {
        return match demo::headless(&mut io::stdout()) {
            Ok(()) => Status::Success.into(),
            Err(error) if error.is_closed_output() => Status::Success.into(),
            Err(error) => {
                warn(&error.to_string());
                Status::Failed.into()
            }
        };
    }
    let shown = demo::with_demo(|demo| {
        // A signal may have arrived while the demo was created.
        if demo.termination_requested() {
            return Ok(ExitReason::Quit);
        }
        let first = demo.segments().into_iter().map(|segment| segment.id).collect();
        open_ui(look, read_only, Start::Segments(first))
    });
    ended(shown.map_err(anyhow::Error::from).and_then(|reason| reason))
}

/// Runs a command that prints to standard output. Returns its exit status.
fn report_with(look: LookArgs, run: impl FnOnce(&mut Out) -> Result<Status, Failure>) -> ExitCode {
    let outcome = Out::stdout(Style::new(look)).map_err(Failure::Output).and_then(|mut out| run(&mut out));
    let status = outcome.unwrap_or_else(|failure| {
        if !matches!(failure, Failure::Closed) {
            warn(&failure.to_string());
        }
        failure.status()
    });
    status.into()
}
