//! `COPY` and `ADD`: what is taken, from where, and where it is put.

use super::words::split;
use crate::image::ignored::{Ignored, clean, taken};

/// What an instruction copies into a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// `--from`: an earlier stage by its name or number, a further context, or an image; `None` = the build context.
    pub from: Option<String>,
    /// Paths and patterns.
    pub sources: Vec<String>,
    /// `--exclude`: patterns of what it leaves out of those.
    pub excluded: Vec<String>,
    /// Where it puts them.
    pub target: String,
    /// `--parents`: with the directories above them.
    pub with_parents: bool,
    /// The variables in sources, which were taken out of those, that have no value here.
    pub unknown: Vec<String>,
}

impl Copied {
    /// Of what stands behind the keyword; addresses and here-documents are left out.
    pub(super) fn of(rest: &str, escape: char) -> Self {
        let mut rest = rest;
        let mut copied = Self::default();
        while let Some(flag) = rest.strip_prefix("--") {
            let (flag, behind) = flag.split_once(char::is_whitespace).unwrap_or((flag, ""));
            let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
            let value = value.trim_matches(['"', '\'']);
            match name {
                "exclude" => copied.excluded.push(value.to_owned()),
                "from" => copied.from = Some(value.to_owned()),
                "parents" => copied.with_parents = value != "false",
                _ => {}
            }
            rest = behind.trim_start();
        }
        let from_json = || serde_json::from_str::<Vec<String>>(rest).ok();
        copied.sources = if rest.starts_with('[') { from_json() } else { None }
            .unwrap_or_else(|| split(rest, escape).into_iter().map(|word| word.text).collect());
        copied.target = copied.sources.pop().unwrap_or_default();
        copied.sources.retain(|path| !path.starts_with("<<") && !path.contains("://") && !path.starts_with("git@"));
        copied
    }

    /// What `--mount=…` of `RUN` lays into the stage while it runs, without the dashes; `None` of a cache, a secret and the like.
    pub(super) fn mounted(flag: &str) -> Option<Self> {
        let mut copied = Self { sources: vec![".".to_owned()], ..Self::default() };
        for field in flag.strip_prefix("mount=")?.trim_matches(['"', '\'']).split(',') {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            match name.to_ascii_lowercase().as_str() {
                "type" if value != "bind" => return None,
                "from" => copied.from = Some(value.to_owned()),
                "source" | "src" => copied.sources = vec![value.trim_start_matches('/').to_owned()],
                "target" | "dst" | "destination" => value.clone_into(&mut copied.target),
                _ => {}
            }
        }
        Some(copied)
    }

    /// Where it puts a file, by its path in where it takes from, in a stage whose working directory is that: paths without a slash at
    /// their beginning, one for each source that takes the file.
    pub fn places(&self, path: &str, directory: &str) -> Vec<String> {
        let excluded = Ignored::parse(&self.excluded.join("\n"));
        let target = within(directory, &self.target);
        let mut places = Vec::new();
        for source in &self.sources {
            let Some(rest) = taken(source, path).filter(|rest| !excluded.keeps_back(rest)) else { continue };
            places.push(clean(&format!("{target}/{}", if self.with_parents { path } else { rest })));
            // A single file may get its name from the target; only the disk knows whether that is a directory.
            let is_file = clean(source) == path && self.sources.len() == 1;
            if is_file && !self.with_parents && !self.target.ends_with(['/', '.']) {
                places.push(target.clone());
            }
        }
        places
    }
}

/// A path of a stage as seen from a working directory, without a slash at its beginning.
pub(in crate::image) fn within(directory: &str, path: &str) -> String {
    if path.starts_with('/') { clean(path) } else { clean(&format!("{directory}/{path}")) }
}
