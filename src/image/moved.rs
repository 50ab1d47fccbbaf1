//! What a step of a build may put elsewhere: `cp` and its like in what `RUN` executes, seen and not followed.

use super::dockerfile::{Copied, Program, within};
use super::ignored::taken;

/// The programs that put files elsewhere.
const MOVERS: [&str; 8] = ["cp", "dd", "install", "ln", "mv", "rsync", "tar", "tee"];

/// The words behind which a program is named.
const BEFORE: [&str; 11] = ["!", "-c", "-exec", "do", "else", "env", "exec", "sudo", "then", "time", "xargs"];

/// What stands between two commands, or around one.
const BETWEEN: [char; 8] = [';', '&', '|', '(', ')', '{', '}', '\n'];

/// What is mounted where something is put elsewhere.
pub(super) fn mounts(program: &Program) -> &[Copied] {
    if commands(program).iter().any(|it| moved(it).is_some()) { &program.mounts } else { &[] }
}

/// Whether a step that runs in a directory may put a file elsewhere, by its path in the stage.
pub(super) fn is_moved(program: &Program, directory: &str, place: &str) -> bool {
    let mut directory = directory.to_owned();
    commands(program).into_iter().any(|command| {
        if let ["cd", to, ..] = command[..] {
            directory = within(&directory, to);
        }
        let mut paths = moved(&command).into_iter().flatten().filter(|word| !word.starts_with('-'));
        paths.any(|word| taken(&within(&directory, word), place).is_some())
    })
}

/// What stands behind the program that puts it elsewhere, if a command has one.
fn moved<'c, 'w>(command: &'c [&'w str]) -> Option<&'c [&'w str]> {
    let is_mover = |word: &str| word.rsplit('/').next().is_some_and(|name| MOVERS.contains(&name));
    let is_named = |at: usize| at == 0 || BEFORE.contains(&command[at - 1]) || command[at - 1].contains('=');
    let at = (0..command.len()).find(|&at| is_named(at) && is_mover(command[at]))?;
    Some(&command[at + 1..])
}

/// The words of each command; a list is one.
fn commands(program: &Program) -> Vec<Vec<&str>> {
    fn split(text: &str) -> impl Iterator<Item = &str> {
        text.split_whitespace().map(|word| word.trim_matches(['"', '\''])).filter(|word| !word.is_empty())
    }
    match &program.words[..] {
        [text] => text.split(BETWEEN).map(|text| split(text).collect()).collect(),
        words => vec![words.iter().flat_map(|word| split(word)).collect()],
    }
}
