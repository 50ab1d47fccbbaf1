//! Credentials that are typed into a command line.

use super::has_credential;
use super::programs::{Row, Takes, asks, is_published, program};
use super::script::{Command, Word, commands};
use super::text::{in_line, is_typed, is_typed_as};
use super::value::is_login;

/// First words of options that switch something, such as `--no-password`.
const SWITCHING: [&str; 9] = ["allow", "ask", "disable", "enable", "generate", "no", "require", "skip", "without"];

/// Programs that write what they are told.
const TELLING: [&str; 2] = ["echo", "printf"];

/// An argument of a command.
#[derive(Clone, Copy, Debug)]
pub struct Argument<'a> {
    /// As the container gets it.
    pub text: &'a str,
    /// Whether no variable was put into it: one that has no value here leaves a gap, and what follows looks like its value.
    pub is_whole: bool,
}

/// The first argument of a command line in which a credential is typed, or a whole script of several commands.
pub fn typed(arguments: &[Argument<'_>]) -> Option<usize> {
    let has_one = |it: &Argument<'_>| has_credential(it.text) || in_command(it.text);
    if let Some(at) = arguments.iter().position(has_one) {
        return Some(at);
    }
    let mut all = vec![Command::default()];
    let mut scripts = Vec::new();
    for (argument, it) in arguments.iter().enumerate() {
        let word = Word { text: it.text.to_owned(), argument, is_whole: it.is_whole };
        if it.text.contains(char::is_whitespace) {
            scripts.extend(commands(it.text, &word));
        }
        match (all.last_mut(), it.text) {
            (_, ";" | "&" | "&&" | "|" | "||") => all.push(Command { is_fed: it.text == "|", ..Command::default() }),
            (Some(command), _) => command.words.push(word),
            (None, _) => {}
        }
    }
    all.append(&mut scripts);
    let mut before = None;
    for command in &all {
        let found = in_words(command).or_else(|| handed(command, before.filter(|_| command.is_fed)));
        if found.is_some() {
            return found;
        }
        before = Some(command);
    }
    None
}

/// Whether a text of a command line has one as a line of a configuration has it. To a shell `X_PASSWORD= psql` is a variable without
/// a value, and the command that gets it.
fn in_command(text: &str) -> bool {
    let is_part = |it: char| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_';
    let assigned_nothing = |word: &str| {
        let name = word.strip_suffix("= ").unwrap_or_default();
        let before = name.trim_end_matches(is_part);
        (before.len() < name.len() && !before.ends_with(|it: char| it.is_alphanumeric() || it == '-'))
            .then_some(before.len())
    };
    let kept = |word| assigned_nothing(word).map_or(word, |length| &word[..length]);
    if text.contains("= ") { in_line(&text.split_inclusive(' ').map(kept).collect::<String>()) } else { in_line(text) }
}

/// A credential that tells by itself, or by the name of the option before it.
fn in_words(command: &Command) -> Option<usize> {
    let mut last = "";
    for (at, word) in command.words.iter().enumerate() {
        if has_credential(&word.text) || word.text.contains(char::is_whitespace) && in_command(&word.text) {
            return Some(word.argument);
        }
        last = program(&word.text).unwrap_or(last);
        let next = command.words.get(at + 1).filter(|next| word.is_whole && next.is_whole && follows(&next.text));
        if let Some(next) = next.filter(|next| takes(last, &word.text, &next.text)) {
            return Some(next.argument);
        }
    }
    None
}

/// Whether an option takes a credential by its name.
fn takes(program: &str, option: &str, value: &str) -> bool {
    let Some(name) = option.strip_prefix('-') else { return false };
    let name = name.trim_start_matches('-');
    let first = name.split(['-', '_', '.']).next().unwrap_or_default();
    !asks(program) && is_typed_as(name, value) && !SWITCHING.contains(&first) && !is_published(program, value)
}

/// A credential that a program is handed in a way of its own; `before` writes its input.
fn handed(command: &Command, before: Option<&Command>) -> Option<usize> {
    for (at, word) in command.words.iter().enumerate() {
        let Some(program) = program(&word.text) else { continue };
        let behind = &command.words[at + 1..];
        for row in Row::of(program) {
            let Some(left_out) = row.begins(behind.iter().map(|it| it.text.as_str())) else { continue };
            if let Some(found) = taken(&row.2, behind, left_out, command, before) {
                return Some(found.argument);
            }
        }
    }
    None
}

/// The word that holds the credential which is taken.
fn taken<'c>(
    takes: &Takes,
    words: &'c [Word],
    left_out: usize,
    command: &'c Command,
    before: Option<&'c Command>,
) -> Option<&'c Word> {
    let is_one = |it: &&Word| it.is_whole && is_value(&it.text);
    let mut plain = words[left_out..].iter().filter(|it| !it.text.starts_with('-'));
    match takes {
        Takes::Behind(options) => {
            behind(words, options).find(|(word, text)| word.is_whole && is_value(text)).map(first)
        }
        Takes::Joined(options) => {
            words.iter().find(|it| options.iter().any(|option| it.text.strip_prefix(option).is_some_and(is_value)))
        }
        Takes::Login(options, sign) => {
            let joined = words
                .iter()
                .filter_map(|it| Some((it, options.iter().find_map(|option| it.text.strip_prefix(option))?)));
            let is_password = |text: &str| text.split_once(*sign).is_some_and(|(_, password)| is_value(password));
            behind(words, options).chain(joined).find(|(word, text)| word.is_whole && is_password(text)).map(first)
        }
        Takes::Marked(options) => {
            let is_marked = |text: &str| text.strip_prefix("pass:").is_some_and(is_typed);
            behind(words, options).find(|(_, text)| is_marked(text)).map(first)
        }
        Takes::Word(number) => plain.nth(*number).filter(is_one),
        Takes::Last => plain.next_back().filter(is_one),
        Takes::Setting => {
            let pairs = plain.clone().zip(plain.skip(1));
            let name = |text: &'c str| text.rsplit("/:").next().unwrap_or(text);
            pairs
                .filter(|(it, _)| it.is_whole)
                .find(|(it, value)| is_typed_as(name(&it.text), &value.text))
                .map(|(_, value)| value)
                .filter(|it| it.is_whole)
        }
        Takes::Slashed => plain.find(|it| it.is_whole && is_slashed(&it.text)),
        Takes::Input => told(command, before).find(is_one),
        Takes::LoginInput => told(command, before).find(|it| it.is_whole && is_login(&it.text)),
    }
}

fn first<'c>((word, _): (&'c Word, &str)) -> &'c Word {
    word
}

/// What stands behind options, in the next word or behind a `=`.
fn behind<'c>(words: &'c [Word], options: &'static [&'static str]) -> impl Iterator<Item = (&'c Word, &'c str)> {
    words.iter().enumerate().filter_map(move |(at, word)| {
        if options.contains(&word.text.as_str()) {
            let next = words.get(at + 1).filter(|next| word.is_whole && !next.text.starts_with('-'));
            return next.map(|next| (next, next.text.as_str()));
        }
        let (option, value) = word.text.split_once('=')?;
        options.contains(&option).then_some((word, value))
    })
}

/// What a command reads that stands in the script: behind `<<<`, or as what `echo` writes.
fn told<'c>(command: &'c Command, before: Option<&'c Command>) -> impl Iterator<Item = &'c Word> {
    let words = before.map_or(&[][..], |it| &it.words);
    let at = words.iter().position(|it| TELLING.contains(&it.text.as_str())).map_or(words.len(), |at| at + 1);
    words[at..].iter().filter(|it| !it.text.starts_with('-')).chain(&command.input)
}

/// `NAME/SECRET@HOST`, or without a host if it cannot be a path.
fn is_slashed(text: &str) -> bool {
    let Some((user, rest)) = text.split_once('/') else { return false };
    let is_user =
        !user.is_empty() && user.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'$' | b'#'));
    let password = rest.split_once('@').map(|(password, _)| password);
    is_user && password.or_else(|| Some(rest).filter(|it| !it.contains(['.', '/']))).is_some_and(is_value)
}

fn follows(text: &str) -> bool {
    !text.starts_with('-') && !is_pair(text)
}

fn is_value(text: &str) -> bool {
    is_typed(text) && !is_pair(text)
}

/// Whether a text is `NAME=VALUE`, and no base64.
fn is_pair(text: &str) -> bool {
    text.trim_end_matches('=').contains('=')
}

#[cfg(test)]
mod tests;
