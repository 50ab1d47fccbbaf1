//! The only place that prints: data on stdout, talk on stderr, quiet when a pipe closes.
//!
//! Data goes to the descriptor straight: a buffered stdout would keep a copy of a value.

use std::fmt::Write as _;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::Errno;
use rustix::{stdio, termios};
use serde::Serialize;
use serde_json::json;

use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

/// To the start of the line, and what stands there away (ECMA-48 EL).
const CLEAR: &str = "\r\x1b[K";

/// Whether a line stands on the terminal that whatever is said next takes the place of.
static IS_SHOWN: AtomicBool = AtomicBool::new(false);

/// The version of every JSON object that a command prints.
pub const SCHEMA_VERSION: u32 = 1;

/// Where words and data go, and in which form.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ui {
    /// Data as JSON.
    pub json: bool,
    /// No talk besides warnings and errors.
    pub quiet: bool,
    /// More talk.
    pub verbose: bool,
    /// Colour on a terminal.
    pub color: bool,
}

#[expect(clippy::unused_self, reason = "whoever prints holds a Ui, whether or not this line depends on it")]
impl Ui {
    /// Writes exact bytes to stdout.
    pub fn data(self, bytes: &[u8]) -> Result<()> {
        clear_progress();
        write_all(stdio::stdout(), bytes).map_err(|error| Error::io("write to stdout", error))
    }

    /// Whether what is written to stdout comes to nobody. A stdout that was closed is /dev/null before we begin.
    pub fn is_lost(self) -> bool {
        let nowhere = rustix::fs::stat("/dev/null").map(|it| (it.st_rdev, it.st_mode));
        rustix::fs::fstat(stdio::stdout()).map(|it| (it.st_rdev, it.st_mode & 0o170_000))
            == nowhere.map(|(device, mode)| (device, mode & 0o170_000))
    }

    /// Writes a value to stdout: the one place where a secret leaves on purpose.
    pub fn value(self, value: &Secret) -> Result<()> {
        self.data(value.expose())
    }

    /// Writes text to stdout, as it is.
    pub fn print(self, text: &str) -> Result<()> {
        self.data(text.as_bytes())
    }

    /// Writes a JSON object to stdout.
    pub fn object(self, object: &impl Serialize) -> Result<()> {
        let mut text =
            serde_json::to_string_pretty(object).map_err(|_| Error::bug("an answer cannot be written as JSON"))?;
        text.push('\n');
        self.print(&escaped(&text))
    }

    /// Says a line, unless quiet.
    pub fn say(self, line: &str) {
        if !self.quiet {
            talk(line);
        }
    }

    /// Shows how far long work has come: one line on a terminal, which the next one takes the place of.
    pub fn progress(self, line: &str) {
        if !self.quiet && !self.json && termios::isatty(stdio::stderr()) {
            IS_SHOWN.store(true, Ordering::Relaxed);
            // It is not missed when stderr is gone.
            let _ = write_all(stdio::stderr(), format!("{CLEAR}{line}").as_bytes());
        }
    }

    /// Says a line to whoever asked for more.
    pub fn detail(self, line: &str) {
        if self.verbose && !self.quiet {
            talk(line);
        }
    }

    /// Warns.
    pub fn warn(self, message: &str) {
        talk(&format!("vault-kit: warning: {message}"));
    }

    /// Tells an error with its hints; with `--json` also as an object on stdout.
    pub fn error(self, error: &Error) {
        for error in std::iter::once(error).chain(error.others()) {
            self.problem(error);
        }
        if self.json {
            let errors: Vec<_> = std::iter::once(error).chain(error.others()).map(error_object).collect();
            // The exit code says the same: a closed stdout loses nothing.
            let _ = self.object(&json!({ "schema_version": SCHEMA_VERSION, "errors": errors }));
        }
    }

    /// Tells an error with its hints that a report has as well.
    pub fn problem(self, error: &Error) {
        talk(&format!("vault-kit: error: {error}"));
        for hint in error.hints() {
            talk(&format!("vault-kit: hint: {hint}"));
        }
    }

    /// Tells a usage error in the words of the argument parser.
    pub fn usage(self, text: &str) {
        talk(&format!("vault-kit: error: {text}"));
        if self.json {
            let message = text.lines().next().unwrap_or_default();
            let error = json!({ "code": "usage", "message": message, "fix": ["vault-kit --help"] });
            let _ = self.object(&json!({ "schema_version": SCHEMA_VERSION, "errors": [error] }));
        }
    }

    /// Asks for yes; without a terminal, or when not allowed to ask, it is an error.
    pub fn confirm(self, question: &str, yes: bool, may_ask: bool) -> Result<()> {
        if yes {
            return Ok(());
        }
        if !may_ask || !termios::isatty(stdio::stdin()) {
            return Err(Error::new(Kind::Usage, "confirmation-needed", format!("{question}: this needs a yes"))
                .hint("add `--yes` to say it"));
        }
        talk(&format!("{question}? [y/N] "));
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map_err(|error| Error::io("read the answer", error))?;
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            return Ok(());
        }
        Err(Error::new(Kind::Usage, "not-confirmed", "nothing was done"))
    }
}

/// A number with its thousands set apart.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let places = digits.len();
    let mut text = String::with_capacity(places + places / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (places - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things, in words that fit one of them as well.
pub fn counted(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// Whether stdout is a terminal, where a value would stay in the scrollback.
pub fn stdout_is_terminal() -> bool {
    termios::isatty(stdio::stdout())
}

/// Whether stdin is a terminal.
pub fn stdin_is_terminal() -> bool {
    termios::isatty(stdio::stdin())
}

/// Asks for a value without showing it.
pub fn prompt_hidden(question: &str) -> Result<Secret> {
    rpassword::prompt_password(question).map(Secret::from_text).map_err(not_answered)
}

/// Who ends a prompt by Ctrl-D changed their mind: nothing failed.
fn not_answered(error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Error::usage("no value was given").hint("nothing was changed"),
        _ => Error::io("read from the terminal", error),
    }
}

/// JSON leaves characters alone that steer a terminal or turn its text around; as escapes they mean the same.
pub fn escaped(json: &str) -> String {
    let steers = |it: char| matches!(it, '\u{7f}'..='\u{9f}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if steers(character) {
            // Writing into a String cannot fail.
            let _ = write!(text, "\\u{:04x}", u32::from(character));
        } else {
            text.push(character);
        }
    }
    text
}

fn error_object(error: &Error) -> serde_json::Value {
    json!({ "code": error.code(), "message": error.to_string(), "fix": error.hints() })
}

/// Writes what happened as a line of JSON to stderr, whatever else is said there.
pub fn log(event: &impl Serialize) {
    // What cannot be written as JSON is in no audit record either.
    if let Ok(line) = serde_json::to_string(event) {
        talk(&line);
    }
}

/// Names come from files that strangers may have written: what would steer a terminal is not passed on.
fn talk(line: &str) {
    let mut text: String = line.chars().map(|it| if it.is_control() && it != '\n' { '\u{fffd}' } else { it }).collect();
    text.push('\n');
    clear_progress();
    // Nobody is left to tell when stderr is gone.
    let _ = write_all(stdio::stderr(), text.as_bytes());
}

fn clear_progress() {
    if IS_SHOWN.swap(false, Ordering::Relaxed) {
        let _ = write_all(stdio::stderr(), CLEAR.as_bytes());
    }
}

fn write_all(descriptor: BorrowedFd<'_>, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::write(descriptor, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            // The reader has seen enough: a quiet end.
            Err(Errno::PIPE) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_ends_a_prompt_gave_no_value_and_nothing_failed() {
        let told = |kind: std::io::ErrorKind| not_answered(kind.into());
        assert_eq!(told(std::io::ErrorKind::UnexpectedEof).kind().code(), 2);
        assert_eq!(told(std::io::ErrorKind::Other).kind().code(), 9);
    }

    #[test]
    fn thousands_are_set_apart() {
        let grouped = [0, 999, 1_000, 12_345, 1_000_000].map(grouped);
        assert_eq!(grouped, ["0", "999", "1,000", "12,345", "1,000,000"]);
    }

    #[test]
    fn what_would_steer_a_terminal_is_escaped_and_means_the_same() {
        let value = json!({"a": "\u{9b}31m\u{202e}ä\n\u{7f}"});
        let text = escaped(&value.to_string());
        assert_eq!(text, "{\"a\":\"\\u009b31m\\u202eä\\n\\u007f\"}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
