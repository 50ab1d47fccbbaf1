//! The allow-list of `check`: that each entry names a finding that there can be, and says why and until when.

use super::{Place, Scope, environment_set, non_empty};
use crate::check::Code;
use crate::manifest::allowance::Allowance;
use crate::manifest::issue::Problems;
use crate::manifest::raw::{RawAllow, RawCheck};
use crate::manifest::read::{At, Field};
use crate::name::SecretName;

const PLACE: Place<'_> = Place { section: "check", name: "allow" };

/// Reads all entries; one that is not whole has been reported and is left out.
pub(super) fn declare(raw: Field<RawCheck>, scope: &Scope<'_>, problems: &mut Problems) -> Vec<Allowance> {
    let entries = raw.and_then(|raw| raw.value.allow).map(|allow| allow.value).unwrap_or_default();
    entries.into_iter().filter_map(|entry| allowance(entry, scope, problems)).collect()
}

fn allowance(entry: At<RawAllow>, scope: &Scope<'_>, problems: &mut Problems) -> Option<Allowance> {
    let raw = entry.value;
    if raw.secret.is_none() && raw.file.is_none() {
        let message = format!("`{PLACE}` names neither `secret` nor `file`");
        problems.add_with_hint(entry.at, message, "say which finding is meant, so that no other is allowed with it");
    }
    let code = raw.code.and_then(|name| code(&name, problems));
    let secret = raw.secret.and_then(|name| {
        let parsed = SecretName::new(name.value.as_str());
        parsed.map_err(|_| super::bad_name(name.at, "secret", problems)).ok()
    });
    // As findings name it.
    let file = non_empty(raw.file, "check.allow.file", problems);
    let file = file.map(|file| file.strip_prefix("./").map_or(file.clone(), str::to_owned));
    let reason = non_empty(raw.reason, "check.allow.reason", problems);
    let environments = environment_set(raw.environments, PLACE, scope, problems);
    Some(Allowance {
        code: code?,
        secret,
        file,
        reason: reason?,
        until: raw.until?.value.0,
        environments,
        line: problems.line(entry.at),
    })
}

fn code(name: &At<String>, problems: &mut Problems) -> Option<Code> {
    let code = Code::of_text(&name.value);
    if code.is_some_and(Code::is_of_allowances) {
        let hint = "take the entry out that it is about, or give it another `until`";
        problems.add_with_hint(name.at, format!("`{PLACE}.code` names a finding about `{PLACE}` itself"), hint);
        return None;
    }
    if code.is_none() {
        let otherwise = || Some("`vault-kit explain` lists them".to_owned());
        let known = Code::ALL.iter().map(|code| code.text());
        problems.add_with_guess(name.at, format!("`{PLACE}.code` is not a code"), &name.value, known, otherwise);
    }
    code
}
