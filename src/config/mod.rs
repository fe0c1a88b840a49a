//! The config file, its defaults and its errors. The program never writes it. assets/config.toml
//! documents every setting.

mod error;
pub mod layout;
pub mod maker;
mod place;
mod read;
mod scope;

pub use error::ConfigError;
pub use scope::{ScopeSettings, UnknownSet};

use crate::segment::{Bytes, quote};
use crate::sys::regular::{Links, open_regular, read_at_most};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The maximum size of the file in bytes.
const MAX_SIZE: u64 = 1 << 20;

/// The user's settings. assets/config.toml documents them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    #[serde(deserialize_with = "read::word")]
    pub theme: Theme,
    /// The survey interval.
    #[serde(deserialize_with = "read::interval")]
    pub interval: Duration,
    /// The refresh interval of an open segment.
    #[serde(deserialize_with = "read::live_interval")]
    pub live_interval: Duration,
    /// The processor time for change rates, in percent of one core.
    #[serde(deserialize_with = "read::percent")]
    pub rates_cpu: u8,
    pub mouse: bool,
    pub ascii: bool,
    pub read_only: bool,
    #[serde(deserialize_with = "read::word")]
    pub color: When,
    /// The limit on the total size of copies of removed segments.
    #[serde(deserialize_with = "read::copies")]
    pub copies: Bytes,
    /// The time that a segment must be unused before it counts as leaked; `None` for a minute, or
    /// ten minutes if its maker is unknown.
    #[serde(deserialize_with = "read::settle")]
    pub settle: Option<Duration>,
    pub scope: ScopeSettings,
    /// Makers in addition to the built-in catalog.
    #[serde(rename = "maker")]
    pub makers: Vec<maker::Maker>,
    /// Types for segments by name.
    #[serde(rename = "layout")]
    pub layouts: Vec<layout::LayoutRule>,
    /// Key bindings as written. The table of actions checks them, and [`Config::wrong_keys`]
    /// creates the error.
    pub keys: BTreeMap<String, Vec<String>>,
    #[serde(skip)]
    key_lines: BTreeMap<String, usize>,
    /// The lines of the types of the layouts.
    #[serde(skip)]
    layout_lines: Vec<usize>,
    #[serde(skip)]
    path: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// The terminal's own sixteen colors.
    #[default]
    Default,
    Dark,
    /// True colors for a light background.
    Light,
    Mono,
}

/// The condition for using color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            theme: Theme::default(),
            interval: Duration::from_secs(1),
            live_interval: Duration::from_millis(100),
            rates_cpu: 1,
            mouse: true,
            ascii: false,
            read_only: false,
            color: When::default(),
            copies: Bytes(1 << 30),
            settle: None,
            scope: ScopeSettings::default(),
            makers: vec![],
            layouts: vec![],
            keys: BTreeMap::new(),
            key_lines: BTreeMap::new(),
            layout_lines: vec![],
            path: PathBuf::new(),
        }
    }
}

impl Config {
    /// Reads the user's config file. Returns the defaults if there is none.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or at the first error in it, with its line and the allowed
    /// values.
    pub fn load() -> Result<Self, ConfigError> {
        match place::config_path(|name| env::var_os(name)) {
            Some(path) => Self::load_from(&path),
            None => Ok(Self::default()),
        }
    }

    /// Reads a config file. Returns the defaults if there is none.
    ///
    /// # Errors
    /// Like [`Config::load`].
    pub fn load_from(path: &Path) -> Result<Self, ConfigError> {
        // Config files are often links into a repository.
        let file = open_regular(path, File::options().read(true), Links::Follow);
        match file.and_then(|file| read_at_most(&file, MAX_SIZE)) {
            Ok(Some(bytes)) => read::read(&bytes, path),
            Ok(None) => Err(ConfigError::TooLarge { path: path.to_owned(), max: MAX_SIZE }),
            Err(error) if is_missing(&error) => Ok(Self::default()),
            Err(source) => Err(ConfigError::Read { path: path.to_owned(), source }),
        }
    }

    /// Returns the error for key bindings that the table of actions rejects. `action` is the
    /// offending action as written, if there is one; `problem` is safe to print.
    pub fn wrong_keys(&self, action: Option<&str>, problem: &impl fmt::Display) -> ConfigError {
        let line = action.and_then(|action| self.key_lines.get(action));
        let first = self.key_lines.values().min();
        ConfigError::Line {
            path: self.path.clone(),
            line: line.or(first).copied().unwrap_or(1),
            problem: problem.to_string(),
        }
    }

    /// Returns the error for a layout whose type is not valid. `problem` is safe to print.
    pub fn wrong_layout(&self, index: usize, problem: &impl fmt::Display) -> ConfigError {
        let name = self.layouts.get(index).map_or("", |layout| &layout.name);
        ConfigError::Line {
            path: self.path.clone(),
            line: self.layout_lines.get(index).copied().unwrap_or(1),
            problem: format!("layout '{}': type: {problem}", quote(name.as_bytes())),
        }
    }
}

/// Returns true if the file or its directory does not exist.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTED: &str = include_str!("../../assets/config.toml");

    fn parse(text: &str) -> Result<Config, String> {
        read::read(text.as_bytes(), Path::new("/c/config.toml")).map_err(|error| error.to_string())
    }

    fn defaults() -> Config {
        Config { path: PathBuf::from("/c/config.toml"), ..Config::default() }
    }

    #[test]
    fn documented_file_has_every_setting_at_its_default() {
        assert_eq!(parse(DOCUMENTED), Ok(defaults()));
        assert_eq!(parse(""), Ok(defaults()));
        let named: Vec<&str> = DOCUMENTED
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .map(|line| line.split(' ').next().unwrap())
            .collect();
        assert_eq!(
            named,
            [
                "theme",
                "interval",
                "live-interval",
                "rates-cpu",
                "mouse",
                "ascii",
                "read-only",
                "color",
                "copies",
                "[keys]",
                "[scope]",
                "history"
            ]
        );
    }

    #[test]
    fn documented_maker_parses() {
        let (_, example) = DOCUMENTED.split_once("#   [[maker]]").unwrap();
        let example: Vec<&str> =
            example.lines().skip(1).map_while(|line| line.strip_prefix("#   ")).collect();
        let config = parse(&format!("[[maker]]\n{}", example.join("\n"))).unwrap();
        assert_eq!((config.makers[0].id.as_str(), config.makers[0].pids.len()), ("camera", 1));
    }

    #[test]
    fn documented_layout_parses() {
        let (_, example) = DOCUMENTED.split_once("#   [[layout]]").unwrap();
        let example: Vec<&str> =
            example.lines().skip(1).map_while(|line| line.strip_prefix("#   ")).collect();
        let config = parse(&format!("\n[[layout]]\n{}", example.join("\n"))).unwrap();
        let layout = &config.layouts[0];
        assert!(layout.matches(b"cam_7") && !layout.matches(b"cam_7b") && !layout.matches(b"my_cam_7"));
        assert!(layout.ty.ends_with("@64"));
        let error = config.wrong_layout(0, &"wrong").to_string();
        assert_eq!(error, r"/c/config.toml, line 4: layout 'cam_\d+': type: wrong");
    }

    #[test]
    fn documented_sets_parse() {
        let (_, example) = DOCUMENTED.split_once("#   [scope.sets]").unwrap();
        let example: Vec<&str> =
            example.lines().skip(1).map_while(|line| line.strip_prefix("#   ")).collect();
        let config = parse(&format!("[scope.sets]\n{}", example.join("\n"))).unwrap();
        assert_eq!(config.scope.sets["motor"].len(), 3);
    }

    #[test]
    fn every_setting_is_read() {
        let text = "theme = 'light'\ninterval = '2.5s'\nlive-interval = '50ms'\nrates-cpu = 0\nmouse = false\n\
                    ascii = true\nread-only = true\ncolor = 'never'\ncopies = '512M'\nscope.history = '8 GiB'\n[keys]\nquit = ['x', 'ctrl-r']\nhelp = []\n";
        let config = parse(text).unwrap();
        assert_eq!((config.theme, config.color), (Theme::Light, When::Never));
        assert_eq!(config.interval, Duration::from_millis(2500));
        assert_eq!((config.live_interval, config.rates_cpu), (Duration::from_millis(50), 0));
        assert_eq!((config.mouse, config.ascii, config.read_only), (false, true, true));
        assert_eq!((config.copies, config.scope.history), (Bytes(512 << 20), Bytes(8 << 30)));
        assert_eq!(config.keys["quit"], ["x", "ctrl-r"]);
        assert!(config.keys["help"].is_empty());
    }

    #[test]
    fn errors_name_the_file_the_line_and_the_allowed_values() {
        for (text, error) in [
            (
                "mouse = true\n\nthme = 'dark'",
                "line 3: unknown field `thme`, expected one of `theme`, `interval`, `live-interval`, `rates-cpu`, \
                 `mouse`, `ascii`, `read-only`, `color`, `copies`, `settle`, `scope`, `maker`, `layout`, `keys`",
            ),
            (
                "theme = 'blue'",
                "line 1: theme: unknown value `blue`, expected one of `default`, `dark`, `light`, `mono`",
            ),
            (
                "#\ncolor = true",
                "line 2: color: unknown value `true`, expected one of `auto`, `always`, `never`",
            ),
            (
                "mouse = 'yes'",
                "line 1: mouse: invalid type: string \"yes\", expected true or false, without quotes",
            ),
            (
                "interval = 5",
                "line 1: interval: invalid type: integer `5`, expected a time from \"100ms\" to \"1m\", in quotes and with a unit",
            ),
            (
                "live-interval = '1ms'",
                "line 1: live-interval: invalid value \"1ms\", expected a time from \"33ms\" to \"5s\", in quotes and with a unit",
            ),
            (
                "rates-cpu = 101",
                "line 1: rates-cpu: invalid value \"101\", expected a percentage from 0 to 100, without quotes",
            ),
            (
                "copies = 5",
                "line 1: copies: invalid type: integer `5`, expected a size in quotes, such as \"512M\" or \"2G\"",
            ),
            (
                "[scope]\nhistory = '5K'",
                "line 2: scope.history: invalid value \"5K\", expected a size of 1M or more in quotes, such as \"64M\" or \"8G\"",
            ),
            (
                "[scope]\nhistory = 64",
                "line 2: scope.history: invalid type: integer `64`, expected a size of 1M or more in quotes, such as \"64M\" or \"8G\"",
            ),
            (
                "scope = 1",
                "line 1: scope: invalid type: integer `1`, expected [scope] followed by lines like history = \"64M\"",
            ),
            (
                "[scope]\nset.motor = ['v']",
                "line 2: scope: unknown field `set`, expected `history` or `sets`",
            ),
            (
                "scope.sets = 1",
                "line 1: scope.sets: invalid type: integer `1`, expected [scope.sets] followed by lines like motor = [\"speed=/telemetry:v\"]",
            ),
            (
                "[scope.sets]\nmotor = [\n'/telemetry:v',\n5]",
                "line 4: scope.sets.motor: invalid type: integer `5`, expected a list of channels in quotes, such as [\"speed=/telemetry:v\"]",
            ),
            (
                "keys = 3",
                "line 1: keys: invalid type: integer `3`, expected [keys] followed by lines like quit = [\"x\"]",
            ),
            (
                "[keys]\nquit = 'x'",
                "line 2: keys.quit: invalid type: string \"x\", expected a list of keys in quotes, such as [\"x\", \"ctrl-r\"]",
            ),
            (
                "[keys]\nquit = [\n'x',\n1]",
                "line 4: keys.quit: invalid type: integer `1`, expected a list of keys in quotes, such as [\"x\", \"ctrl-r\"]",
            ),
        ] {
            assert_eq!(parse(text), Err(format!("/c/config.toml, {error}")), "{text}");
        }
    }

    #[test]
    fn first_of_several_errors_is_reported() {
        let error = parse("mouse = 1\ncolor = 1\nascii = 1").unwrap_err();
        assert!(error.contains("line 1: mouse: invalid type: integer `1`"), "{error}");
    }

    #[test]
    fn invalid_toml_is_reported_with_its_line() {
        for (text, line) in [
            ("theme = 'dark'\nmouse = \n", 2),
            ("\n\n[keys", 3),
            ("theme = 'a'\ntheme = 'b'", 2),
            ("a\u{7}b", 1),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(&format!("/c/config.toml, line {line}: invalid TOML: ")), "{error}");
            assert!(!error.contains(char::is_control), "{error:?}");
        }
    }

    #[test]
    fn error_messages_are_escaped() {
        for text in ["\"a\\u001b[2J\" = 1", "theme = \"\\u001b[2J\"", "[keys]\n\"\\u202e\" = 1"] {
            let error = parse(text).unwrap_err();
            assert!(error.is_ascii() && !error.contains(char::is_control), "{error:?}");
        }
    }

    #[test]
    fn missing_file_means_defaults_and_an_unreadable_one_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        assert_eq!(Config::load_from(&path).unwrap(), Config::default());
        assert_eq!(Config::load_from(&path.join("below")).unwrap(), Config::default());
        std::fs::write(&path, b"theme = 'mono'\n").unwrap();
        assert_eq!(Config::load_from(&path).unwrap().theme, Theme::Mono);
        assert_eq!(Config::load_from(&path.join("below")).unwrap(), Config::default());
        std::fs::write(&path, b"theme = '\xff'\n").unwrap();
        let error = Config::load_from(&path).unwrap_err().to_string();
        assert!(error.ends_with("line 1: invalid UTF-8"), "{error}");
        let error = Config::load_from(directory.path()).unwrap_err().to_string();
        assert!(error.ends_with("is a directory, not a regular file"), "{error}");
    }

    #[test]
    fn refused_keys_are_reported_with_their_line() {
        let config = parse("[keys]\nhelp = ['x']\n\nqiut = ['q']").unwrap();
        let message = |action| config.wrong_keys(action, &"no such action").to_string();
        assert_eq!(message(Some("qiut")), "/c/config.toml, line 4: no such action");
        assert_eq!(message(None), "/c/config.toml, line 2: no such action");
    }
}
