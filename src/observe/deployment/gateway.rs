//! The configuration of Traefik, and that of nginx with what it includes: by the paths of its container, as far as these are mounted
//! from the project.

use std::collections::BTreeSet;

use super::super::compose::is_outside;
use super::{Observer, beneath};
use crate::check::delivered::is_below;
use crate::check::deployed::{Gateway, Unread};
use crate::compose::flat::{self, Entry};
use crate::compose::model::VolumeKind;
use crate::compose::{Project, Service};
use crate::nginx::{Configuration, Directive, Included, NotNginx};

/// More files than this are not read for one.
const MOST_INCLUDED: usize = 100;

/// Where images of nginx keep their configuration.
const USUAL: &str = "/etc/nginx";

/// A configuration file, and where its container sees it.
struct Seat<'p> {
    /// The file's directory in the project.
    directory: &'p str,
    /// Its directory in the container, where relative paths begin.
    there: String,
    /// The service that mounts it.
    service: Option<(&'p Project, &'p Service)>,
}

impl Observer<'_> {
    /// A file of Traefik's dynamic configuration.
    pub(super) fn traefik(&self, path: &str) -> Gateway<Vec<Entry>> {
        if !flat::is_yaml(path) {
            return Gateway::Unseen(Unread::elsewhere("of Traefik's files only YAML is read"));
        }
        let not_yaml = |line| Gateway::Unseen(Unread::elsewhere(format!("line {line} is not YAML")));
        match self.content(path) {
            Ok(Some(bytes)) => {
                let entries = flat::documents(&bytes, path).map(|it| it.into_iter().flatten().collect());
                entries.map_or_else(not_yaml, Gateway::Read)
            }
            Ok(None) => Gateway::Absent,
            Err(it) => Gateway::Unseen(Unread { why: format!("`{path}` {}", it.why), ..it }),
        }
    }

    pub(super) fn gateway(&self, path: &str, project: Option<&Project>) -> Gateway<Configuration> {
        match self.text(path) {
            Ok(Some(text)) => match Configuration::parse(&text) {
                Ok(configuration) => {
                    let seat = Seat::of(path, project);
                    let mut left = MOST_INCLUDED;
                    let mut load = |include: &Directive| self.included(include, &seat, &mut left);
                    Gateway::Read(configuration.with_included(&mut load))
                }
                Err(NotNginx(line)) => Gateway::Unseen(Unread::elsewhere(format!("line {line} is not nginx's syntax"))),
            },
            Ok(None) => Gateway::Absent,
            Err(why) => Gateway::Unseen(why),
        }
    }

    /// The files of an `include`, by their names; `None` where nobody knows which they are.
    fn included(&self, include: &Directive, seat: &Seat<'_>, left: &mut usize) -> Option<Included> {
        let [pattern] = &include.arguments[..] else { return None };
        let pattern = seat.on_host(pattern).filter(|it| !is_outside(it))?;
        let (directory, name) = pattern.rsplit_once('/').unwrap_or(("", &pattern));
        if directory.contains(['*', '?', '[']) || name.contains('[') {
            return None;
        }
        let names = if name.contains(['*', '?']) {
            let names = self.names(directory)?;
            names.into_iter().filter(|it| matches(name.as_bytes(), it.as_bytes())).collect()
        } else {
            vec![name.to_owned()]
        };
        let mut included = Included::default();
        for name in names {
            let path = beneath(directory, &name);
            let Some(fewer) = left.checked_sub(1) else {
                included
                    .unread
                    .push(format!("`{path}` and what is behind it: more than {MOST_INCLUDED} files are included"));
                break;
            };
            *left = fewer;
            match self.configuration(&path) {
                Ok(Some(configuration)) => included.files.push((path.into(), configuration)),
                Ok(None) => return None,
                Err(why) => included.unread.push(why),
            }
        }
        Some(included)
    }

    /// A file that is included; nginx reads bytes, and so may ours be in any encoding.
    fn configuration(&self, path: &str) -> Result<Option<Configuration>, String> {
        let Some(bytes) = self.content(path).map_err(|it| format!("`{path}` {}", it.why))? else { return Ok(None) };
        let read = Configuration::parse(&String::from_utf8_lossy(&bytes));
        read.map(Some).map_err(|NotNginx(line)| format!("line {line} of `{path}` is not nginx's syntax"))
    }

    /// The files of a directory: those that git's index has, and what it ignores, where that is judged.
    pub(super) fn names(&self, directory: &str) -> Option<BTreeSet<String>> {
        let lying = self.disk.tree().names(directory);
        let Some(staged) = self.subject.staged else { return lying.map(|names| names.into_iter().collect()) };
        let name = |path: &str| {
            let name = if directory.is_empty() { path } else { path.strip_prefix(directory)?.strip_prefix('/')? };
            (!name.contains('/') && !name.starts_with('.')).then(|| name.to_owned())
        };
        let mut names: BTreeSet<String> = staged.paths().filter_map(name).collect();
        let is_own = |name: &String| staged.is_ignored(&beneath(directory, name)).unwrap_or_default();
        names.extend(lying.into_iter().flatten().filter(is_own));
        Some(names)
    }
}

impl<'p> Seat<'p> {
    fn of(path: &'p str, project: Option<&'p Project>) -> Self {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let services = project.into_iter().flat_map(|project| project.services.values().map(move |it| (project, it)));
        let mut seats =
            services.filter_map(|(project, service)| Some((project, service, seen_at(path, project, service)?)));
        match seats.next() {
            Some((project, service, file)) => {
                let there = file.rsplit_once('/').map_or("", |(there, _)| there).to_owned();
                Self { directory, there, service: Some((project, service)) }
            }
            None => Self { directory, there: USUAL.to_owned(), service: None },
        }
    }

    /// Where a path of the configuration lies in the project.
    fn on_host(&self, path: &str) -> Option<String> {
        if path.contains('$') || path.split('/').any(|part| part == "..") {
            return None;
        }
        let whole = if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", self.there) };
        let Some((project, service)) = self.service else {
            // An image is built with it: what lies beside it is taken along, as a rule.
            return Some(beneath(self.directory, whole.strip_prefix(&self.there)?.strip_prefix('/')?));
        };
        let configs = service.configs.iter().filter(|it| it.target == whole);
        let mut of_config = configs.filter_map(|it| project.configs.get(&it.source)?.file.as_ref());
        if let Some(file) = of_config.next() {
            return Some(file.path.clone());
        }
        let binds = service.volumes.iter().filter(|it| it.kind == VolumeKind::Bind);
        let above = binds.filter(|it| is_below(&whole, it.target.trim_end_matches('/')));
        let mount = above.max_by_key(|it| it.target.len())?;
        let rest = whole[mount.target.trim_end_matches('/').len()..].trim_start_matches('/');
        let host = &mount.host.as_ref()?.path;
        Some(if rest.is_empty() { host.clone() } else { beneath(host, rest) })
    }
}

/// Where the container of a service sees a file of the project.
fn seen_at(path: &str, project: &Project, service: &Service) -> Option<String> {
    let is_it =
        |name: &str| project.configs.get(name).and_then(|it| it.file.as_ref()).is_some_and(|it| it.path == path);
    if let Some(config) = service.configs.iter().find(|it| is_it(&it.source)) {
        return Some(config.target.clone());
    }
    let binds = service.volumes.iter().filter(|it| it.kind == VolumeKind::Bind);
    let mut above = binds.filter_map(|it| Some((it, &it.host.as_ref()?.path))).filter(|(_, host)| is_below(path, host));
    let (mount, host) = above.next()?;
    Some(format!("{}{}", mount.target.trim_end_matches('/'), rest_of(path, host)))
}

/// What follows a directory in a path, with the slash before it; empty for the path itself.
fn rest_of(path: &str, directory: &str) -> String {
    if directory.is_empty() { format!("/{path}") } else { path[directory.len()..].to_owned() }
}

/// Whether a name matches a pattern of `*` and `?`.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut star, mut tried) = (0, None, 0);
    let mut rest = 0;
    while rest < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some(at);
                tried = rest;
                at += 1;
            }
            Some(&letter) if letter == b'?' || letter == name[rest] => {
                at += 1;
                rest += 1;
            }
            _ => {
                let Some(star) = star else { return false };
                tried += 1;
                (at, rest) = (star + 1, tried);
            }
        }
    }
    pattern[at..].iter().all(|&it| it == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_pattern_has_stars_and_question_marks() {
        for (pattern, name) in [("*.conf", "a.conf"), ("*", "x"), ("a?c", "abc"), ("*a*b", "xaab"), ("a**", "a")] {
            assert!(matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
        for (pattern, name) in [("*.conf", "a.conf.bak"), ("a?c", "ac"), ("", "x"), ("*b", "ba"), ("a", "")] {
            assert!(!matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
    }
}
