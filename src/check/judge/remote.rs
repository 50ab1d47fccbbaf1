//! What stands in AWS, judged by its description, and by which keys its bundles lack.

use super::Bench;
use crate::check::finding::Code;
use crate::manifest::Declaration;
use crate::manifest::model::{Aws, Rotate};
use crate::plan::due;
use crate::remote::Listed;
use crate::sync::place::{self, Place};

impl Bench<'_> {
    /// Every remote secret that was looked at.
    pub(super) fn remote(&mut self) {
        let (manifest, environment) = (self.manifest, self.environment);
        let Some(aws) = manifest.aws(environment) else { return };
        for place in place::places(manifest, environment, aws) {
            let Some(found) = self.facts.remote.get(&place.name) else { continue };
            self.verdict.looked_at.remote += 1;
            match found {
                None => self.remote_missing(&place),
                Some(listed) => self.remote_secret(&place, listed, aws),
            }
        }
    }

    /// Whether what was taken from AWS may still stand in for it: `run` and `render` go on with it and ask nobody.
    pub(super) fn copy(&mut self) {
        let allowed = self.manifest.aws(self.environment).and_then(|aws| aws.stale_after);
        let taken = self.ledger.and_then(|ledger| ledger.header.contacted);
        let Some((allowed, taken)) = allowed.zip(taken) else { return };
        if self.now - taken <= allowed.delta() {
            return;
        }
        let message = format!(
            "what AWS has was taken last on {}, which `stale_after` no longer allows to stand in",
            taken.format("%Y-%m-%d %H:%M UTC")
        );
        let path = format!(".vault-kit/{}.age", self.environment);
        self.about_file(Code::CopyTooOld, &path, message, self.command("sync pull"));
    }

    fn remote_missing(&mut self, place: &Place<'_>) {
        let first = place.fields().into_iter().map(|(_, it)| self.supplied(it)).find(|it| !it.is_empty());
        let first = first.unwrap_or_default();
        let fix = format!("{first}{}", self.command("sync push"));
        self.about_place(Code::RemoteMissing, place, format!("there is no `{}` in AWS", place.name), fix);
    }

    /// What comes before a push of a value that is not here either.
    fn supplied(&self, declaration: &Declaration) -> String {
        let is_here = self.ledger.is_some_and(|ledger| ledger.secrets.contains_key(&declaration.name));
        if is_here || !declaration.is_stored() {
            return String::new();
        }
        let name = &declaration.name;
        let made = if declaration.is_generated() { format!("generate {name}") } else { declaration.supply_words() };
        format!("{}, then ", self.command(&made))
    }

    fn remote_secret(&mut self, place: &Place<'_>, listed: &Listed, aws: &Aws) {
        let name = &place.name;
        if let Some(deleted) = listed.deleted {
            let message = format!("`{name}` is scheduled for deletion since {}", deleted.format("%Y-%m-%d"));
            let fix = self.command(&format!("sync restore {name}"));
            return self.about_place(Code::RemoteUnusable, place, message, fix);
        }
        let Some(version) = listed.current() else {
            let message = format!("`{name}` has no version in force");
            return self.about_place(Code::RemoteUnusable, place, message, self.command("sync status"));
        };
        let agreed =
            place.fields().into_iter().find_map(|(_, it)| self.ledger?.secrets.get(&it.name)?.remote.as_deref());
        match agreed {
            Some(agreed) if agreed != version => {
                let message =
                    format!("`{name}` is at version {version} in AWS, and was at {agreed} when compared last");
                self.about_place(Code::RemoteDrift, place, message, self.command("sync diff"));
            }
            Some(_) => {}
            None => self.not_checked(
                format!("drift of `{name}`"),
                "the ledger does not know its version there; `sync diff` tells",
            ),
        }
        self.keys(place);
        self.age(place, listed);
        self.key_and_replicas(place, listed, aws);
    }

    /// The keys of a bundle; one that is optional may be absent, unless it is here.
    fn keys(&mut self, place: &Place<'_>) {
        let name = &place.name;
        let lacks = match self.facts.remote_lacks.get(name) {
            None => return,
            Some(None) => {
                let message = format!("`{name}` holds no JSON object, and is declared to be a bundle");
                return self.about_place(Code::RemoteUnusable, place, message, self.command("sync status"));
            }
            Some(Some(lacks)) => lacks,
        };
        for (key, declaration) in place.fields() {
            let is_here = self.ledger.is_some_and(|ledger| ledger.secrets.contains_key(&declaration.name));
            if !lacks.contains(key) || (declaration.optional && !is_here) {
                continue;
            }
            let fix = format!("{}{}", self.supplied(declaration), self.command(&push_ours(declaration)));
            self.about_secret(Code::RemoteKeyMissing, &declaration.name, format!("`{name}` has no key `{key}`"), fix);
        }
    }

    /// By the date of its last change, whatever that was: a value is never younger than it.
    fn age(&mut self, place: &Place<'_>, listed: &Listed) {
        let environment = self.manifest.environments.get(self.environment);
        let Some(changed) = listed.changed else { return };
        let due = |it: &Declaration| due::rotation(changed, None, it, environment).map(|due| due.overdue);
        let rotates =
            |it: &Declaration| it.kind.setting(self.environment).is_none() && it.rotate != Some(Rotate::Never);
        let fields = place.fields().into_iter().filter(|(_, it)| rotates(it));
        if fields.filter_map(|(_, it)| due(it)).min().is_some_and(|due| due <= self.now) {
            let message = format!("`{}` was not changed in AWS since {}", place.name, changed.format("%Y-%m-%d"));
            let fix = place.fields().first().map(|(_, it)| self.replace(&it.name)).unwrap_or_default();
            self.about_place(
                Code::RemoteRotationDue,
                place,
                message,
                format!("{fix}, then {}", self.command("sync push")),
            );
        }
    }

    fn key_and_replicas(&mut self, place: &Place<'_>, listed: &Listed, aws: &Aws) {
        let name = &place.name;
        let there = listed.kms_key.as_deref();
        if aws.kms_key.as_deref().is_some_and(|declared| !is_key(declared, there)) {
            let message = format!("`{name}` is not encrypted with the KMS key that is declared");
            let fix = format!("aws secretsmanager update-secret --secret-id {name} --kms-key-id KEY");
            self.about_place(Code::RemoteKey, place, message, fix);
        }
        for region in &aws.replicas {
            let replica = listed.replicas.iter().find(|it| it.region == *region);
            let replicate = || {
                format!(
                    "aws secretsmanager replicate-secret-to-regions --secret-id {name} --add-replica-regions Region={region}"
                )
            };
            let (what, fix) = match replica.map(|it| it.status.as_str()) {
                Some("InSync") => continue,
                Some("InProgress") => ("is still being made", self.command("check --at remote")),
                Some(_) => ("failed", replicate()),
                None => ("is missing", replicate()),
            };
            let message = format!("the replica of `{name}` in {region} {what}");
            self.about_place(Code::RemoteReplica, place, message, fix);
        }
    }

    fn about_place(&mut self, code: Code, place: &Place<'_>, message: String, fix: String) {
        if let Some((_, declaration)) = place.fields().first() {
            self.about_secret(code, &declaration.name, message, fix);
        }
    }
}

/// Ours goes there whether somebody took the key out or nobody ever sent it.
fn push_ours(declaration: &Declaration) -> String {
    format!("sync push --ours {}", declaration.name)
}

/// Whether the key that AWS names is the declared one. An id and the ARN that ends in it are one key; of an alias AWS
/// tells what was given when the secret was made.
fn is_key(declared: &str, there: Option<&str>) -> bool {
    let id = |key: &str| key.rsplit_once(":key/").map_or(key, |(_, id)| id).to_owned();
    let alias = |key: &str| key.rsplit_once(":alias/").map_or(key.to_owned(), |(_, name)| format!("alias/{name}"));
    there.is_some_and(|there| id(declared) == id(there) || alias(declared) == alias(there))
        // A description may name the key behind an alias: which that is only KMS knows.
        || (alias(declared).starts_with("alias/") && there.is_some_and(|there| !alias(there).starts_with("alias/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_id_arn_and_alias() {
        let arn = "arn:aws:kms:eu-west-1:123456789012:key/1234";
        assert!(is_key("1234", Some(arn)) && is_key(arn, Some("1234")));
        assert!(is_key("alias/app", Some("arn:aws:kms:eu-west-1:123456789012:alias/app")));
        assert!(!is_key("1234", Some("5678")) && !is_key("alias/app", Some("alias/other")) && !is_key("1234", None));
        assert!(is_key("alias/app", Some(arn)), "only KMS knows what is behind an alias");
    }
}
