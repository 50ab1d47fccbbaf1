//! What must hold after a command was disturbed, whatever happened to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use data_encoding::BASE64URL_NOPAD;
use vault_kit::audit::finding::Code;
use vault_kit::audit::verify::Verifier;
use vault_kit::name::VersionId;
use vault_kit::secret::Secret;
use vault_kit::secret::digest::sha256_hex;
use vault_kit::store::Stage;
use vault_kit::store::identity::Identities;
use vault_kit::store::ledger::Ledger;
use vault_kit::store::seal;

use crate::support::{Project, Run, sealed_of_copy};
use crate::tree::{self, Node, Tree};

/// Every piece of every current value, by name.
type Values = BTreeMap<String, Vec<Vec<u8>>>;

/// Which versions there are of each secret, and where in their lives, in their order.
type Versions = BTreeMap<String, Vec<(VersionId, Stage)>>;

/// What the store holds, and who can open it.
#[derive(Debug, Default)]
struct Sealed {
    values: Values,
    versions: Versions,
    recipients: BTreeSet<String>,
}

/// Where an owner of `SESSION_KEY` lists what it accepts, a line each.
pub(crate) const LIST: &str = "accepted";

/// What is said whenever something failed after the store was replaced, and never otherwise.
pub(crate) const STORE_HAS_THE_CHANGE: &str = "hint: the store has the change; finish with `vault-kit render`";

/// What an incident says instead: that it is banned, or that its timeline is yet to be written.
const INCIDENT_GOES_ON: [&str; 2] = [
    "hint: the store has the change: what leaked is banned; ",
    "hint: the store has the change; once it can be written, ",
];

/// What is said instead where nothing but stdout failed: `render` brings no token back.
const TOKEN_IS_RECORDED: &str =
    "hint: the token is recorded and was not delivered; take it back with `vault-kit token revoke ";

/// What is said instead where a step of a rotation is owed, which `render` does not make up for.
const ROTATION_GOES_ON: &str = "`vault-kit rotate resume";

/// How a disturbed command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// Exit 0: everything declared is there.
    Done,
    /// Exit 6 or 9, and the store is the old one.
    Refused,
    /// Exit 8: the store was changed, and it was said how to finish.
    Unfinished,
    /// Exit 9: written, but not confirmed by the disk.
    DurabilityUnknown,
    /// Killed.
    Killed,
    /// The loader could not start the program.
    NotStarted,
}

/// A command, what stood before it, and what an undisturbed run makes of that.
pub(crate) struct Judge<'a> {
    pub(crate) project: &'a Project,
    pub(crate) command: &'a [&'a str],
    pub(crate) before: &'a Tree,
    pub(crate) reference: &'a Tree,
    /// What `check` says after an undisturbed run.
    pub(crate) check: &'a Run,
}

impl Judge<'_> {
    /// Judges what a disturbed run left, then repairs it.
    pub(crate) fn judge(&self, run: &Run) -> Result<End, String> {
        let after = tree::take(self.project);
        let old = sealed(self.project, self.before)?;
        let new = sealed(self.project, self.reference)?;
        let found = sealed(self.project, &after)?;
        for (name, value) in old.values.iter().filter(|(name, _)| !may_change(&old, &new, name)) {
            ensure(found.values.get(name) == Some(value), || format!("the value of {name} changed"))?;
        }
        self.audited(&after, &[Code::LastLineMissing])?;
        self.accepted(&after, &found)?;
        let end = self.end(run, &after)?;
        self.tokens(run, &after)?;
        if end == End::Done {
            is_done(&old, &new, &found)?;
        }
        self.modes(&after)?;
        let repaired = self.repair(&after, &old, &new, &found)?;
        self.whole(&after, &repaired)?;
        Ok(end)
    }

    /// A token that is out is on record; and one that is said to be minted is out.
    fn tokens(&self, run: &Run, after: &Tree) -> Result<(), String> {
        if self.command[0] != "token" {
            return Ok(());
        }
        let Some(payload) = run.stdout.split('.').nth(1) else {
            return ensure(run.code != 0, || "exit 0 without a token".to_owned());
        };
        let payload = BASE64URL_NOPAD.decode(payload.as_bytes()).map_err(|_| "a torn token".to_owned())?;
        let claims: serde_json::Value = serde_json::from_slice(&payload).map_err(|error| error.to_string())?;
        let store = after.get(&self.project.path(".vault-kit/dev.age")).and_then(|node| node.content.as_deref());
        let store = seal::open(store.unwrap_or_default(), &self.project.identities(), "store");
        let issued = store.map_err(|error| error.to_string())?.issued;
        let is_recorded = claims["jti"].as_str().is_some_and(|jti| issued.tokens.contains_key(jti));
        ensure(is_recorded, || "a token is out that nobody recorded".to_owned())
    }

    fn is_store_changed(&self, after: &Tree) -> bool {
        let store = self.project.path(".vault-kit/dev.age");
        after.get(&store) != self.before.get(&store)
    }

    /// Whether the exit code tells the truth.
    fn end(&self, run: &Run, after: &Tree) -> Result<End, String> {
        let is_changed = self.is_store_changed(after);
        match run.code {
            0 => {
                ensure(!run.stderr.contains("error:"), || "exit 0 with an error".to_owned())?;
                self.complete(after).map_err(|why| format!("exit 0, but {why}"))?;
                self.check().map_err(|why| format!("exit 0, but {why}"))?;
                Ok(End::Done)
            }
            9 if run.stderr.contains("written, but the disk did not confirm it") => Ok(End::DurabilityUnknown),
            code @ (6 | 8 | 9) => {
                // A hook that was not started is told as such, and why above it.
                let is_told = ["error: cannot ", "` was not started"].iter().any(|said| run.stderr.contains(said));
                ensure(is_told, || format!("no word of what failed: {}", run.stderr))?;
                ensure(is_changed == (code == 8), || format!("exit {code}, store changed: {is_changed}"))?;
                let is_said = [STORE_HAS_THE_CHANGE, TOKEN_IS_RECORDED, ROTATION_GOES_ON]
                    .iter()
                    .chain(&INCIDENT_GOES_ON)
                    .any(|said| run.stderr.contains(said));
                ensure(is_changed == is_said, || format!("store changed: {is_changed}, but: {}", run.stderr))?;
                Ok(if is_changed { End::Unfinished } else { End::Refused })
            }
            127 if run.stderr.contains("error while loading shared libraries") => {
                ensure(after == self.before, || "changed, although the program was not even loaded".to_owned())?;
                Ok(End::NotStarted)
            }
            137 => Ok(End::Killed),
            other => Err(format!("exit code {other}: {}", run.stderr)),
        }
    }

    /// Whether `check` says what it says after an undisturbed run.
    fn check(&self) -> Result<(), String> {
        let check = self.project.run(["check"]);
        let is_same = (check.code, &check.stdout) == (self.check.code, &self.check.stdout);
        ensure(is_same, || format!("check says {}: {}{}", check.code, check.stdout, check.stderr))
    }

    /// Whether the same files are there as after an undisturbed run, with the same modes.
    fn complete(&self, tree: &Tree) -> Result<(), String> {
        for path in self.reference.keys() {
            ensure(tree.contains_key(path), || format!("{} is missing", path.display()))?;
        }
        for (path, node) in tree {
            let expected = self.reference.get(path).ok_or_else(|| format!("{} is too many", path.display()))?;
            ensure(node.mode == expected.mode, || format!("{} has mode {:04o}", path.display(), node.mode))?;
        }
        Ok(())
    }

    /// No file and no directory is wider than declared, temporary ones included.
    fn modes(&self, after: &Tree) -> Result<(), String> {
        for (path, node) in after {
            if self.before.get(path) == Some(node) {
                continue;
            }
            let declared = match self.reference.get(path).or_else(|| self.before.get(path)) {
                Some(node) => node.mode,
                // A temporary file is as wide as its target only when that may be seen by everybody.
                None if is_temporary(path) && self.is_public(node) => 0o644,
                None => 0o600,
            };
            ensure(node.mode & !declared == 0, || {
                format!("{} has mode {:04o}, declared is {declared:04o}", path.display(), node.mode)
            })?;
        }
        Ok(())
    }

    /// Whether a content is that of a file for everybody; certificates and lists of fingerprints differ from run to run.
    fn is_public(&self, node: &Node) -> bool {
        const BEGINNINGS: [&[u8]; 2] = [b"-----BEGIN CERTIFICATE-----\n", b"{\n  \"vault_kit_fingerprints\": "];
        let begins = |content: &[u8]| BEGINNINGS.iter().any(|it| content.starts_with(it));
        node.content.as_deref().is_some_and(begins)
            || self.reference.values().any(|it| it.mode == 0o644 && it.content == node.content)
    }

    /// The repair without a fault: everything is there, no value that existed changed, nothing is left over.
    fn repair(&self, after: &Tree, old: &Sealed, new: &Sealed, found: &Sealed) -> Result<Tree, String> {
        // Once more, `generate --replace` and `token mint` would make one more, `rotate` too, and `remove` would find nothing to remove: the
        // store has the change, and it is finished as the hint says.
        let command = match self.command[0] {
            _ if !self.is_store_changed(after) => self.command,
            "generate" | "remove" | "token" => &["render"],
            "rotate" => &["rotate", "resume"],
            _ => self.command,
        };
        let again = self.project.run(command);
        ensure(again.code == 0, || format!("the repair fails with {}: {}", again.code, again.stderr))?;
        self.check().map_err(|why| format!("after the repair {why}"))?;
        let repaired = tree::take(self.project);
        let left: Vec<_> = repaired.keys().filter(|path| is_temporary(path)).collect();
        ensure(left.is_empty(), || format!("left behind: {left:?}"))?;
        self.complete(&repaired).map_err(|why| format!("after the repair {why}"))?;
        let last = sealed(self.project, &repaired)?;
        for (name, value) in found.values.iter().filter(|(name, _)| !may_change(old, new, name)) {
            ensure(last.values.get(name) == Some(value), || format!("the repair changed {name}"))?;
        }
        self.recorded(&repaired)?;
        self.audited(&repaired, &[]).map_err(|why| format!("after the repair {why}"))?;
        is_done(old, new, &last).map_err(|why| format!("after the repair {why}"))?;
        are_counted(new, found, &last).map_err(|why| format!("after the repair {why}"))?;
        let accepted = self.accepted(&repaired, &last).map_err(|why| format!("after the repair {why}"))?;
        ensure(accepted <= 1, || format!("after the repair {accepted} values are accepted"))?;
        ensure(self.delivers(&repaired, &last.values), || "a file does not hold the store's value".to_owned())?;
        Ok(repaired)
    }

    /// The audit record has one whole line of each change that the store went through.
    fn recorded(&self, tree: &Tree) -> Result<(), String> {
        let content = |path: &str| tree.get(&self.project.path(path)).and_then(|node| node.content.as_deref());
        let (record, store) = (content(".vault-kit/audit.jsonl"), content(".vault-kit/dev.age"));
        let store = seal::open(store.unwrap_or_default(), &self.project.identities(), "store");
        let generation = store.map_err(|error| error.to_string())?.generation;
        let record = String::from_utf8_lossy(record.unwrap_or_default()).into_owned();
        let recorded: Vec<u64> = record
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|line| line["intent"] != true)
            .filter_map(|line| line["generation"].as_u64())
            .collect();
        let all: Vec<u64> = (1..=generation).collect();
        ensure(recorded == all, || format!("the audit record has {recorded:?} of {generation} changes"))
    }

    /// The audit record is what was written, but for what may be wrong with it.
    fn audited(&self, tree: &Tree, may: &[Code]) -> Result<(), String> {
        let content = |path: &str| tree.get(&self.project.path(path)).and_then(|node| node.content.as_deref());
        let Some(store) = content(".vault-kit/dev.age") else { return Ok(()) };
        let store = seal::open(store, &self.project.identities(), "store").map_err(|error| error.to_string())?;
        let mut verifier = Verifier::new(&store, false);
        let record = content(".vault-kit/audit.jsonl").unwrap_or_default();
        verifier.read("audit.jsonl", record).map_err(|error| error.to_string())?;
        let report = verifier.finish();
        let is_allowed = report.findings.iter().all(|finding| may.contains(&finding.code));
        ensure(is_allowed, || format!("the audit record does not verify: {:?}", report.findings))
    }

    /// Every file of one value holds exactly it: independent of what `check` says.
    fn delivers(&self, tree: &Tree, values: &Values) -> bool {
        let holds = |path: &str, name: &str| {
            let path = self.project.path(path);
            match (tree.get(&path).and_then(|node| node.content.as_ref()), values.get(name)) {
                (None, _) => true,
                (Some(content), Some(pieces)) => pieces.contains(content),
                // The file of a value that was removed is the user's to remove.
                (Some(_), None) => tree.get(&path) == self.before.get(&path),
            }
        };
        holds(".secrets/session_key", "SESSION_KEY")
            && holds(".secrets/api_key", "API_KEY")
            && holds("tls/key.pem", "TLS")
            && holds(".secrets/tokens/admin_token.txt", "ADMIN_TOKEN")
    }

    /// Whoever reads what is delivered, or asks the store, can log in with it, before any repair too. Tells how many values
    /// the owner accepts.
    fn accepted(&self, tree: &Tree, sealed: &Sealed) -> Result<usize, String> {
        let content = |path: &str| tree.get(&self.project.path(path)).and_then(|node| node.content.as_deref());
        let Some(list) = content(LIST) else { return Ok(0) };
        let accepted: BTreeSet<&[u8]> = list.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        let is_accepted = |value: &[u8]| accepted.contains(value);
        let lines = content(".env").unwrap_or_default().split(|byte| *byte == b'\n');
        let in_env: Vec<&[u8]> = lines.filter_map(|line| line.strip_prefix(b"SESSION_KEY=")).collect();
        ensure(in_env.len() == 1 && is_accepted(in_env[0]), || ".env has a value that is refused".to_owned())?;
        let in_file = content(".secrets/session_key").is_some_and(is_accepted);
        ensure(in_file, || "a file has a value that is refused".to_owned())?;
        let in_store = sealed.values.get("SESSION_KEY").is_some_and(|it| it.iter().all(|piece| is_accepted(piece)));
        ensure(in_store, || "the store has a value in force that is refused".to_owned())?;
        Ok(accepted.len())
    }

    /// Every file that the disturbed run left is whole: what it was before, or what it is after the repair.
    fn whole(&self, after: &Tree, repaired: &Tree) -> Result<(), String> {
        let directory = self.project.path(".vault-kit");
        for (path, node) in after.iter().filter(|(path, node)| node.content.is_some() && !is_temporary(path)) {
            let is_of_the_store = path.starts_with(&directory) || is_sealed(path);
            let name = path.file_name().unwrap().to_string_lossy();
            let content = node.content.as_deref().unwrap();
            let is_old = self.before.get(path).is_some_and(|old| old.content == node.content);
            if is_old || repaired.get(path).is_some_and(|new| new.content == node.content) {
                continue;
            }
            // Whom the containers run as is written before anything secret is.
            let is_begun = |new: &Node| !content.is_empty() && above_block(new) == content;
            let is_the_owners = *path == self.project.path(LIST);
            if is_the_owners || name == ".env" && repaired.get(path).is_some_and(is_begun) {
                continue;
            }
            if name == "audit.jsonl" {
                let old = self.before.get(path).and_then(|old| old.content.as_deref()).unwrap_or_default();
                ensure(content.starts_with(old) && is_lines_of_json(content), || "a torn audit record".to_owned())?;
            } else if name.ends_with(".ledger.jsonl") {
                self.ledger(content, after)?;
            } else {
                // The stores and the copy were opened already.
                ensure(is_of_the_store, || format!("{} is torn", path.display()))?;
            }
        }
        Ok(())
    }

    /// A ledger between the two is whole, and belongs to the store that is there.
    fn ledger(&self, content: &[u8], after: &Tree) -> Result<(), String> {
        let ledger = Ledger::parse(content, "ledger").map_err(|error| format!("a torn ledger: {error}"))?;
        let store = after.get(&self.project.path(".vault-kit/dev.age")).and_then(|node| node.content.as_deref());
        // A rotation changes the store several times: the ledger may be that of the step before, which its digest tells.
        let is_of_it = store.map(sha256_hex) == Some(ledger.header.store_digest);
        ensure(is_of_it || self.command[0] == "rotate", || "the ledger of no store".to_owned())
    }
}

/// Whether a command is to change a value that is there.
fn may_change(old: &Sealed, new: &Sealed, name: &str) -> bool {
    old.values.get(name).is_some_and(|value| new.values.get(name) != Some(value))
}

/// Whether the store holds what an undisturbed run leaves; values that are drawn differ from run to run.
fn is_done(old: &Sealed, new: &Sealed, found: &Sealed) -> Result<(), String> {
    let names = |sealed: &Sealed| sealed.values.keys().cloned().collect::<Vec<_>>();
    ensure(names(found) == names(new), || format!("the store has {:?}", names(found)))?;
    for name in names(found).iter().filter(|name| may_change(old, new, name)) {
        ensure(found.values.get(name) != old.values.get(name), || format!("{name} is still the old one"))?;
    }
    // A first run makes an identity of its own.
    let is_sealed_to_all = match old.recipients.len() {
        0 => found.recipients.len() == new.recipients.len(),
        _ => found.recipients == new.recipients,
    };
    ensure(is_sealed_to_all, || format!("sealed to {:?}", found.recipients))
}

/// Whether there are as many versions of each secret as an undisturbed run leaves, each where that leaves it in its life, and
/// none that was made before the fault was made once more.
fn are_counted(new: &Sealed, found: &Sealed, last: &Sealed) -> Result<(), String> {
    let stages = |versions: &[(VersionId, Stage)]| versions.iter().map(|(_, stage)| *stage).collect::<Vec<_>>();
    for (name, expected) in &new.versions {
        let there = last.versions.get(name).map(Vec::as_slice).unwrap_or_default();
        ensure(stages(there) == stages(expected), || format!("{name} has {there:?}"))?;
        let mut before = found.versions.get(name).into_iter().flatten();
        let is_kept = before.all(|(id, _)| there.iter().any(|(other, _)| other == id));
        ensure(is_kept, || format!("{name} has {there:?}, and had {:?}", found.versions.get(name)))?;
    }
    Ok(())
}

/// What the store holds; the second copy opens too and holds one of the two states.
fn sealed(project: &Project, tree: &Tree) -> Result<Sealed, String> {
    let mut found = Sealed::default();
    let stores = tree.iter().filter(|(path, _)| is_sealed(path));
    for (path, node) in stores {
        let identity = tree.get(&project.identity()).and_then(|node| node.content.clone());
        let identity = Secret::new(identity.ok_or("a store, but no identity")?);
        let identities = Identities::parse(&identity, "identity").map_err(|error| error.to_string())?;
        let content = node.content.as_deref().unwrap_or_default();
        let is_copy = path.extension().is_some_and(|it| it == "copy");
        let sealed = if is_copy { sealed_of_copy(content)? } else { content };
        let store = seal::open(sealed, &identities, "store").map_err(|error| format!("{}: {error}", path.display()))?;
        if !path.starts_with(project.root()) {
            continue;
        }
        for (name, versions) in &store.secrets {
            let each = versions.iter().map(|version| (version.id, version.stage)).collect();
            found.versions.insert(name.to_string(), each);
            let version = store.current(name).ok_or_else(|| format!("{name} has no current version"))?;
            let pieces = version.parts.iter().map(|(_, piece)| piece.expose().to_vec()).collect();
            found.values.insert(name.to_string(), pieces);
        }
        found.recipients.extend(store.recipients.keys.into_values());
    }
    Ok(found)
}

/// A store, a store that was set aside, or the second copy.
fn is_sealed(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "age" || it == "copy")
}

fn is_temporary(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".vault-kit-tmp."))
}

/// The lines of a `.env` that stand above our block.
fn above_block(node: &Node) -> Vec<u8> {
    let lines = node.content.as_deref().unwrap_or_default().split_inclusive(|byte| *byte == b'\n');
    lines.take_while(|line| !line.starts_with(b"#")).flatten().copied().collect()
}

fn is_lines_of_json(content: &[u8]) -> bool {
    let text = String::from_utf8_lossy(content);
    text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}
