//! Makes the commands in hints and fixes work as they are when they are pasted where this command was run.
//!
//! Whoever writes a hint writes `vault-kit render`: which directory, manifest, environment and identity are meant is
//! only known here.

use std::path::Path;

use super::context::{self, Context, IdentitySource, identity_source};
use crate::error::Error;
use crate::shell;

const PROGRAM: &str = "vault-kit ";

/// What commands that name a file of the project begin with.
const ON_FILES: [&str; 7] = ["chmod ", "echo ", "git ", "mv ", "printf ", "rm ", "sudo chown "];

/// The flags that this command was given, for the next one.
#[derive(Debug)]
pub struct Paste {
    /// Flag and value; the value is a shell's word.
    flags: Vec<(&'static str, String)>,
    /// What hands the identity through sudo, which changes HOME.
    identity: Option<String>,
}

impl Paste {
    /// As this command was called.
    pub fn new(context: &Context) -> Self {
        let global = &context.global;
        // Git's hooks run at the top of the work tree, and what they tell is pasted where the user stands.
        let is_elsewhere = context::is_below_top();
        let path = |path: &Path, is_moved: bool| {
            let absolute = (is_elsewhere && is_moved).then(|| path.canonicalize().ok()).flatten();
            shell::path(&absolute.as_deref().unwrap_or(path).to_string_lossy())
        };
        let flags = [
            ("-C", global.dir.as_deref().map(|it| path(it, true))),
            ("-f", global.file.as_deref().map(|it| path(it, global.dir.is_none()))),
            ("-e", global.env.as_deref().map(shell::word)),
        ];
        let identity = match identity_source() {
            Ok(IdentitySource::File { path, .. }) => {
                Some(format!("VAULT_KIT_IDENTITY_FILE={}", shell::word(&path.to_string_lossy())))
            }
            Ok(IdentitySource::Inline(_)) => Some("--preserve-env=VAULT_KIT_IDENTITY".to_owned()),
            Err(_) => None,
        };
        Self { flags: flags.into_iter().filter_map(|(flag, value)| Some((flag, value?))).collect(), identity }
    }

    /// Completes the hints of an error.
    pub fn error(&self, error: Error) -> Error {
        // A manifest that is not there can only be made where one belongs, whatever was named.
        let is_first = ["manifest-missing", "manifest-not-found"].contains(&error.code());
        error.map_hints(&|hint| {
            if is_first { self.with(|flag| flag == "-C", hint, '`') } else { self.words(hint) }
        })
    }

    /// Completes the commands that stand in backticks.
    pub fn words(&self, text: &str) -> String {
        self.with(|_| true, text, '`')
    }

    /// Completes a command line.
    pub fn command(&self, line: &str) -> String {
        self.with(|_| true, line, '\n')
    }

    /// Completes a command line that may name files of the project, which is in `root`.
    pub fn fix(&self, line: &str, root: &Path) -> String {
        if !ON_FILES.iter().any(|verb| line.starts_with(verb)) || is_here(root) {
            return self.command(line);
        }
        let name = |(_, file): &(&str, String)| file.rsplit('/').next().map(|name| name.trim_matches('\'').to_owned());
        let file = self.flags.iter().find(|(flag, _)| *flag == "-f").and_then(name);
        let flags = file.map(|name| ("-f", shell::path(&name))).into_iter();
        let flags = flags.chain(self.flags.iter().filter(|(flag, _)| *flag == "-e").cloned()).collect();
        let there = Self { flags, identity: None };
        format!("(cd {} && {})", shell::path(&root.to_string_lossy()), there.command(line))
    }

    /// Adds those flags to each command that it does not have already; a command reaches to `end`, to `&&` or to a comment.
    fn with(&self, wanted: impl Fn(&str) -> bool, text: &str, end: char) -> String {
        let mut completed = String::with_capacity(text.len() + 64);
        let mut rest = text;
        while let Some(at) = rest.find(PROGRAM) {
            let (before, command) = rest.split_at(at);
            completed.push_str(before);
            rest = &command[PROGRAM.len()..];
            let is_line = end == '\n' && completed.is_empty();
            // As in `… # or give it up: vault-kit …`.
            let is_other = end == '\n' && completed.contains("    # ") && completed.ends_with(": ");
            if !is_line && !is_other && !["`", "sudo ", "&& "].iter().any(|it| completed.ends_with(it)) {
                completed.push_str(PROGRAM);
                continue;
            }
            if let Some(identity) = self.identity.as_ref().filter(|_| completed.ends_with("sudo ")) {
                completed.push_str(identity);
                completed.push(' ');
            }
            completed.push_str(PROGRAM);
            let words = rest.split(end).next().and_then(|it| it.split("&&").next()).unwrap_or_default();
            let words = words.split("    # ").next().unwrap_or_default();
            for (flag, value) in self.flags.iter().filter(|(flag, _)| wanted(flag)) {
                if !words.split(' ').any(|word| word == *flag) {
                    completed.extend([flag, " ", value, " "]);
                }
            }
        }
        completed.push_str(rest);
        completed
    }
}

/// Whether a path of the project is the same path from where this command was run.
fn is_here(root: &Path) -> bool {
    let here = Path::new(".").canonicalize();
    here.ok().zip(root.canonicalize().ok()).is_none_or(|(here, root)| here == root)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paste() -> Paste {
        let flags = vec![("-C", "'my shop'".to_owned()), ("-f", "m.toml".to_owned()), ("-e", "prod".to_owned())];
        Paste { flags, identity: Some("VAULT_KIT_IDENTITY_FILE=/home/me/id".to_owned()) }
    }

    fn hint(text: &str) -> String {
        let error = paste().error(Error::usage("x").hint(text));
        error.hints()[0].clone()
    }

    #[test]
    fn each_command_of_a_hint_gets_the_flags_that_it_lacks() {
        assert_eq!(hint("run `vault-kit render`"), "run `vault-kit -C 'my shop' -f m.toml -e prod render`");
        let two = hint("`vault-kit -e dev set A`, or `vault-kit -C x status`");
        assert_eq!(
            two,
            "`vault-kit -C 'my shop' -f m.toml -e dev set A`, or `vault-kit -f m.toml -e prod -C x status`"
        );
    }

    #[test]
    fn prose_that_names_the_program_stays_as_it_is() {
        for text in ["vault-kit keeps it", "update vault-kit on this machine", "what vault-kit writes"] {
            assert_eq!(hint(text), text);
        }
    }

    #[test]
    fn sudo_gets_the_identity() {
        let expected = "`sudo VAULT_KIT_IDENTITY_FILE=/home/me/id vault-kit -C 'my shop' -f m.toml -e prod render`";
        assert_eq!(hint("`sudo vault-kit render`"), expected);
    }

    #[test]
    fn a_missing_manifest_is_made_in_the_directory_and_under_its_own_name() {
        let error = Error::new(crate::error::Kind::Manifest, "manifest-not-found", "x").hint("`vault-kit init`");
        assert_eq!(paste().error(error).hints(), ["`vault-kit -C 'my shop' init`"]);
    }

    #[test]
    fn a_fix_on_a_file_goes_to_the_project_first() {
        let elsewhere = Path::new("/");
        assert_eq!(
            paste().fix("rm a && vault-kit render", elsewhere),
            "(cd / && rm a && vault-kit -f m.toml -e prod render)"
        );
        assert_eq!(paste().fix("chmod 0600 a", Path::new(".")), "chmod 0600 a");
        let command = paste().fix("vault-kit set A    # from: the console", elsewhere);
        assert_eq!(command, "vault-kit -C 'my shop' -f m.toml -e prod set A    # from: the console");
        assert_eq!(
            paste().command("vault-kit -e dev rotate resume A    # or give it up: vault-kit -e dev rotate abort A"),
            "vault-kit -C 'my shop' -f m.toml -e dev rotate resume A    # or give it up: \
             vault-kit -C 'my shop' -f m.toml -e dev rotate abort A"
        );
    }
}
