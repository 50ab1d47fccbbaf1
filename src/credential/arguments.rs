//! Credentials that are typed into a command line.

use super::has_credential;
use super::text::{in_line, is_typed, is_typed_as};

/// Quotes within quotes within quotes.
const DEEPEST: usize = 3;

/// Options without a credential's name that take one, by program.
const SHORT: [(&str, &[&str]); 8] = [
    ("-a", &["redis-benchmark", "redis-cli", "valkey-benchmark", "valkey-cli"]),
    ("-P", &["mosquitto_pub", "mosquitto_sub", "sqlcmd"]),
    ("-p", &["cqlsh", "influx", "mongo", "mongodump", "mongorestore", "mongosh", "rabbitmqadmin", "sshpass"]),
    ("-u", &["curl"]),
    ("--user", &["curl"]),
    ("-U", &["curl", "smbclient"]),
    ("-w", &["ldapmodify", "ldapsearch", "ldapwhoami"]),
    ("--auth", &["nats-server", "valkey-server"]),
];

/// Programs whose `-p` takes a password without a blank, and whose `--password` asks for one.
const GLUED: [&str; 8] =
    ["mariadb", "mariadb-admin", "mariadb-check", "mariadb-dump", "mysql", "mysqladmin", "mysqlcheck", "mysqldump"];

/// Programs that ask for the password where an option says so.
const ASKING: [&str; 7] = ["createdb", "createuser", "pg_basebackup", "pg_dump", "pg_isready", "pg_restore", "psql"];

/// First words of options that switch something, such as `--no-password`.
const SWITCHING: [&str; 9] = ["allow", "ask", "disable", "enable", "generate", "no", "require", "skip", "without"];

/// An argument of a command.
#[derive(Clone, Copy, Debug)]
pub struct Argument<'a> {
    /// As the container gets it.
    pub text: &'a str,
    /// Whether no variable was put into it: one that has no value here leaves a gap, and what follows looks like its value.
    pub is_whole: bool,
}

/// A word of a command line.
struct Word {
    text: String,
    /// The argument that it stands in.
    argument: usize,
    is_whole: bool,
}

/// The first argument of a command line in which a credential is typed, or a whole script of several commands.
pub fn typed(arguments: &[Argument<'_>]) -> Option<usize> {
    let mut words = Vec::new();
    for (at, argument) in arguments.iter().enumerate() {
        if has_credential(argument.text) || super::has_key(argument.text) || in_line(argument.text) {
            return Some(at);
        }
        take(argument.text, at, argument.is_whole, 0, &mut words);
    }
    let mut program = "";
    for (at, word) in words.iter().enumerate() {
        if has_credential(&word.text) || word.text.contains(' ') && in_line(&word.text) {
            return Some(word.argument);
        }
        if is_program(&word.text) {
            program = name(&word.text);
        }
        let next = words.get(at + 1).filter(|next| word.is_whole && next.is_whole);
        let follows = |next: &&Word| !next.text.starts_with('-') && !next.text.contains('=');
        if let Some(next) = next.filter(follows).filter(|it| takes(program, &word.text, &it.text)) {
            return Some(next.argument);
        }
        let glued = word.text.strip_prefix("-p").filter(|_| GLUED.contains(&program));
        if glued.is_some_and(is_value) {
            return Some(word.argument);
        }
    }
    None
}

fn is_value(text: &str) -> bool {
    is_typed(text) && !text.contains('=')
}

/// Whether an option of a program takes a credential.
fn takes(program: &str, option: &str, value: &str) -> bool {
    if let Some((_, programs)) = SHORT.iter().find(|(it, programs)| *it == option && programs.contains(&program)) {
        // Curl takes the user too, and asks for the password of one without.
        let password = if programs.contains(&"curl") { value.split_once(':').map(|it| it.1) } else { Some(value) };
        return password.is_some_and(is_value);
    }
    let Some(name) = option.strip_prefix('-') else { return false };
    let name = name.trim_start_matches('-');
    let asks = GLUED.contains(&program) || ASKING.contains(&program);
    let first = name.split(['-', '_', '.']).next().unwrap_or_default();
    !asks && is_typed_as(name, value) && !SWITCHING.contains(&first)
}

fn name(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}

fn is_program(text: &str) -> bool {
    let text = name(text);
    let known = |list: &[&str]| list.contains(&text);
    known(&GLUED) || known(&ASKING) || SHORT.iter().any(|(_, programs)| known(programs)) || is_separator(text)
}

/// What ends a command: the options behind it belong to another program.
fn is_separator(text: &str) -> bool {
    matches!(text, ";" | "&" | "&&" | "|" | "||")
}

/// The words of an argument, and those of scripts in it.
fn take(text: &str, argument: usize, is_whole: bool, depth: usize, words: &mut Vec<Word>) {
    if depth >= DEEPEST || !text.contains(|it: char| it.is_whitespace()) {
        let text = text.trim_matches(['"', '\'', ';', '(', ')']).to_owned();
        words.push(Word { text, argument, is_whole });
        return;
    }
    let mut rest = text;
    while let Some((word, after)) = word(rest) {
        if word.contains(|it: char| it.is_whitespace()) && in_line(word) {
            words.push(Word { text: word.to_owned(), argument, is_whole });
        } else {
            take(word, argument, is_whole, depth + 1, words);
            if word.ends_with(';') {
                words.push(Word { text: ";".to_owned(), argument, is_whole });
            }
        }
        rest = after;
    }
}

/// The first word of a script, without the quotes around it, and what follows.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let first = text.chars().next()?;
    if matches!(first, '"' | '\'') {
        let inner = &text[1..];
        // An escaped quote ends nothing.
        let closes = |(at, it): &(usize, char)| *it == first && !inner[..*at].ends_with('\\');
        if let Some((end, _)) = inner.char_indices().find(closes) {
            return Some((&inner[..end], &inner[end + 1..]));
        }
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    Some(text.split_at(end))
}
