//! No two outputs write one file, and none writes a file where another needs a directory.

use std::collections::{BTreeSet, HashMap};

use super::Declared;
use crate::manifest::issue::Problems;
use crate::manifest::model::{Format, Output};
use crate::manifest::validate::overlap;
use crate::manifest::validate::secrets::Secrets;
use crate::name::EnvName;

/// Name of the link in an atomic output's directory.
const LINK: &str = "..data";

type Environments<'a> = Option<&'a BTreeSet<EnvName>>;

/// A file that an output writes.
struct File<'a> {
    path: String,
    output: usize,
    /// Of the secret that it is for; the output's count as well.
    environments: Environments<'a>,
}

/// Reports the first collision of each output, and directories that cannot have the mode that each declares.
pub(super) fn check(outputs: &[Declared], secrets: &Secrets, problems: &mut Problems) {
    let files: Vec<File<'_>> =
        outputs.iter().enumerate().flat_map(|(index, declared)| files(index, &declared.output, secrets)).collect();
    check_paths(&files, outputs, problems);
    check_directories(&files, outputs, problems);
}

fn check_directories(files: &[File<'_>], outputs: &[Declared], problems: &mut Problems) {
    let mode = |file: &File<'_>| outputs[file.output].output.directory_mode;
    let mut by_directory: HashMap<&str, Vec<&File<'_>>> = HashMap::new();
    let mut reported = BTreeSet::new();
    for file in files.iter().filter(|file| mode(file).is_some()) {
        let directory = file.path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let others = by_directory.entry(directory).or_default();
        let other = others.iter().find(|other| mode(other) != mode(file) && meet(file, other, outputs));
        match other {
            Some(other) if reported.insert(file.output) => {
                let (one, two) = (&outputs[file.output], &outputs[other.output]);
                let (one_name, two_name) = (&one.output.name, &two.output.name);
                let message = format!(
                    "`outputs.{two_name}` and `outputs.{one_name}` declare two modes for the directory `{directory}`"
                );
                problems.add_with_hint(
                    one.at,
                    message,
                    "give both one `directory_mode`, or each a directory of its own",
                );
            }
            Some(_) => {}
            // One file of each output is enough to compare with.
            None if others.iter().any(|other| other.output == file.output) => {}
            None => others.push(file),
        }
    }
}

fn check_paths(files: &[File<'_>], outputs: &[Declared], problems: &mut Problems) {
    let mut by_path: HashMap<&str, usize> = HashMap::with_capacity(files.len());
    // Nearly every path is one file's: what else stands on it is told by file, not by path.
    let mut others_there: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut reported = BTreeSet::new();
    for (index, file) in files.iter().enumerate() {
        let first = *by_path.entry(&file.path).or_insert(index);
        if first == index {
            continue;
        }
        let others = others_there.entry(first).or_default();
        let mut taken = std::iter::once(&first).chain(&*others);
        if let Some(&other) = taken.find(|&&other| meet(file, &files[other], outputs)) {
            if reported.insert(file.output) {
                report(file, &files[other], "write the same file", outputs, problems);
            }
        } else {
            others.push(index);
        }
    }
    let mut free = None;
    for file in files {
        let directory = file.path.rsplit_once('/').map(|(directory, _)| directory);
        // Files of one directory stand together, and need the same ones.
        if directory.is_none() || directory == free {
            continue;
        }
        let above = file.path.match_indices('/').filter_map(|(end, _)| by_path.get(&file.path[..end]));
        let mut above = above
            .flat_map(|first| std::iter::once(first).chain(others_there.get(first).into_iter().flatten()))
            .peekable();
        free = directory.filter(|_| above.peek().is_none());
        if let Some(&other) = above.find(|&&other| meet(file, &files[other], outputs))
            && reported.insert(file.output)
        {
            report(file, &files[other], "write a file where the other needs a directory", outputs, problems);
        }
    }
}

fn report(file: &File<'_>, other: &File<'_>, what: &str, outputs: &[Declared], problems: &mut Problems) {
    let (one, two) = (&outputs[file.output], &outputs[other.output]);
    if file.output == other.output {
        let message = format!("two secrets of `outputs.{}` {what}", one.output.name);
        problems.add_with_hint(one.at, message, "give them names of their own with `files`");
    } else {
        let message = format!("`outputs.{}` and `outputs.{}` {what}", two.output.name, one.output.name);
        let hint = if is_kept(one) || is_kept(two) {
            "give each a `path` of its own: a list of fingerprints is committed, and tells of one environment"
        } else {
            "give each a `path` of its own, or `environments` that do not meet"
        };
        problems.add_with_hint(one.at, message, hint);
    }
}

/// Whether a file counts also where another environment is in force.
fn is_kept(declared: &Declared) -> bool {
    declared.output.format == Format::Fingerprints
}

fn meet(one: &File<'_>, other: &File<'_>, outputs: &[Declared]) -> bool {
    if one.output != other.output && [one, other].iter().any(|file| is_kept(&outputs[file.output])) {
        return true;
    }
    let of = |file: &File<'_>| outputs[file.output].output.environments.as_ref();
    let sets = [one.environments, other.environments, of(one), of(other)];
    let declared: Vec<_> = sets.into_iter().flatten().collect();
    match declared.as_slice() {
        [] => true,
        [first, rest @ ..] => first.iter().any(|name| rest.iter().all(|set| set.contains(name))),
    }
}

/// A path that could not be read is empty and meets nothing.
fn files<'a>(index: usize, output: &Output, secrets: &'a Secrets) -> Vec<File<'a>> {
    if output.path.is_empty() {
        return Vec::new();
    }
    let declarations = || {
        let positions = output.secrets.iter().filter_map(|name| secrets.position(name.as_str()));
        positions.filter_map(|position| secrets.list[position].declaration.as_deref())
    };
    let file = |path, environments| File { path, output: index, environments };
    match &output.format {
        Format::DockerSecrets { .. } | Format::Pem { .. } => {
            let mut files = Vec::with_capacity(output.secrets.len());
            for secret in declarations().filter(|it| overlap(it.environments.as_ref(), output.environments.as_ref())) {
                let environments = secret.environments.as_ref();
                files.extend(output.files_of(&secret.name, &secret.kind).map(|path| file(path, environments)));
                if secret.overlap.is_some() && secret.kind.is_single() && output.format.carries_previous() {
                    files.push(file(output.previous_file_of(&secret.name), environments));
                }
            }
            // The link that an atomic output switches by: a directory has one.
            files.extend(output.atomic.then(|| file(format!("{}/{LINK}", output.path), None)));
            files
        }
        _ => vec![file(output.path.clone(), None)],
    }
}
