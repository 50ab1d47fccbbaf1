//! The ledger's entries and the settings.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use super::Bench;
use super::fix::in_table;
use crate::check::facts::StoreFact;
use crate::check::finding::Code;
use crate::check::origins::{allows_all, names_origins};
use crate::check::pattern_digest;
use crate::check::strength::{KEY_WEAK_BELOW, WEAK_BELOW};
use crate::companions::is_as_declared;
use crate::manifest::{Declaration, Kind, Manifest};
use crate::name::{EnvName, SecretName};
use crate::plan::due;
use crate::rotate::select;
use crate::store::ledger::{BesideState, Entry, Ledger};
use crate::x509::supplied::SELF_SIGNED;

/// The longest notice before an expiry; a value that lives for years need not be announced for months.
const LONGEST_NOTICE: TimeDelta = TimeDelta::days(30);

/// Where a value is.
type Holder<'a> = (&'a EnvName, &'a SecretName);

/// The first two holders of each value, by its fingerprint: whoever holds it, one of them is another.
type Fingerprints<'a> = HashMap<&'a str, (Holder<'a>, Option<Holder<'a>>)>;

impl<'a> Bench<'a> {
    /// Every declared secret, and those in the store that are not declared.
    pub(super) fn secrets(&mut self) {
        let Some(ledger) = self.ledger else { return self.without_ledger() };
        let keys = signing_keys(self.manifest);
        let fingerprints = self.fingerprints(ledger);
        let (manifest, environment) = (self.manifest, self.environment);
        for declaration in manifest.secrets_in(environment).filter(|declaration| declaration.is_stored()) {
            self.verdict.looked_at.secrets += 1;
            match ledger.secrets.get(&declaration.name) {
                Some(entry) if !declaration.kind.accepts(&entry.kind) => {
                    let message =
                        format!("was made as `{}`, which cannot serve as `{}`", entry.kind, declaration.kind.name());
                    let fix = self.create(declaration);
                    self.about_secret(Code::DeclarationChanged, &declaration.name, message, fix);
                }
                Some(entry) => {
                    self.value(declaration, entry, keys.contains(&declaration.name));
                    self.life(declaration, entry);
                    self.derived(declaration, entry, ledger);
                    if !ledger.is_next_banned(entry) {
                        self.next(declaration, entry);
                    }
                    self.reuse(entry, &fingerprints);
                }
                None => self.absent(declaration, "has no value yet"),
            }
        }
        for name in ledger.secrets.keys().filter(|name| !manifest.has_secret(name, environment)) {
            let fix = self.command(&format!("remove {name}"));
            self.about_secret(Code::Undeclared, name, "is in the store, but not declared for this environment", fix);
        }
    }

    /// Without a store every secret is missing; with one, nobody knows.
    fn without_ledger(&mut self) {
        if self.facts.store != StoreFact::Absent {
            return;
        }
        let (manifest, environment) = (self.manifest, self.environment);
        let message = match &self.facts.main_tree {
            Some(_) => "has no value here: the store is that of another work tree",
            None => "has no value: there is no store yet",
        };
        for declaration in manifest.secrets_in(environment).filter(|declaration| declaration.is_stored()) {
            self.verdict.looked_at.secrets += 1;
            if !declaration.optional {
                let fix = self.first();
                self.about_secret(Code::Missing, &declaration.name, message, fix);
            }
        }
    }

    fn absent(&mut self, declaration: &Declaration, message: &str) {
        let (manifest, ledger) = (self.manifest, self.ledger);
        let has = |name: &SecretName| ledger.is_some_and(|ledger| ledger.secrets.contains_key(name));
        if !manifest.is_excused(declaration, &has) {
            let fix = self.create(manifest.supplied_before(declaration, &has).unwrap_or(declaration));
            self.about_secret(Code::Missing, &declaration.name, message, fix);
        }
    }

    fn value(&mut self, declaration: &Declaration, entry: &Entry, is_key: bool) {
        let name = &entry.name;
        if entry.placeholder {
            self.about_secret(Code::Placeholder, name, "is a placeholder, not a value", self.replace(name));
        } else if let Some((bits, least)) = entry.bits.and_then(|bits| short_of(bits, declaration, is_key)) {
            let message = format!("has about {bits} bits, {least} are the least");
            self.about_secret(Code::Weak, name, message, self.replace(name));
        }
        self.origins_of(name, entry.wildcard, self.replace(name));
        if entry.facts.contains_key(SELF_SIGNED) && is_production(self.environment) {
            let message = "is a certificate signed by its own key, so that nobody else trusts it";
            self.about_secret(Code::SelfSigned, name, message, self.replace(name));
        }
        let pattern = pattern_digest(declaration);
        if pattern.is_some() && pattern != entry.pattern {
            let why = format!("it changed since the value was judged: `{}`", self.command("render"));
            self.not_checked(format!("pattern of {name}"), why);
        } else if entry.mismatch && pattern == entry.pattern {
            self.about_secret(Code::PatternMismatch, name, "does not match its declared pattern", self.replace(name));
        }
        let declared = self.facts.recipes.get(name);
        let is_other = declared.is_some() && entry.recipe.is_some() && declared != entry.recipe.as_ref();
        // A key pair that takes its place is on its way.
        let has_next = entry.beside.iter().any(|it| it.state == BesideState::Next);
        if is_other || !has_next && !is_as_declared(declaration, &entry.facts) {
            self.about_secret(Code::DeclarationChanged, name, "was made from an older declaration", self.replace(name));
        }
    }

    /// The gravest of revoked, expired, expiring and due: the others follow from it.
    fn life(&mut self, declaration: &Declaration, entry: &Entry) {
        if entry.is_revoked() {
            let message = "is revoked, and there is no other one: verifiers refuse it";
            self.about_secret(Code::Revoked, &entry.name, message, self.replace(&entry.name));
            return;
        }
        let day = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M UTC");
        // By today's manifest: the ledger tells what was due when the store was last written.
        let due = due::due(entry.into(), declaration, self.manifest.environments.get(self.environment));
        let (code, message) = match (entry.expires, due) {
            (Some(expires), _) if expires <= self.now => (Code::Expired, format!("expired {}", day(expires))),
            (Some(expires), _) if self.announced(declaration, entry, expires) <= self.now => {
                (Code::Expiring, format!("expires {}", day(expires)))
            }
            // Its successor is on its way.
            (_, Some(_)) if entry.beside.iter().any(|it| it.state == BesideState::Next) => return,
            // The overlap of the one before ends first: no schedule rotates it sooner.
            (_, Some(_)) if entry.rotation.as_ref().is_some_and(|it| it.is_overlapping(self.now)) => return,
            (_, Some(due)) if due <= self.now => (Code::RotationDue, format!("was due {}", day(due))),
            _ => return,
        };
        self.about_secret(code, &entry.name, message, self.renew(&entry.name));
    }

    /// When the end of a value is announced: of a certificate when its renewal is overdue, of a token after two thirds of
    /// its life.
    fn announced(&self, declaration: &Declaration, entry: &Entry, expires: DateTime<Utc>) -> DateTime<Utc> {
        let life = (expires - entry.created).max(TimeDelta::zero());
        let notice =
            if matches!(declaration.kind, Kind::Token(_)) { life / 3 } else { (life / 10).min(LONGEST_NOTICE) };
        let environment = self.manifest.environments.get(self.environment);
        due::renewal(entry.into(), declaration, environment).map_or(expires - notice, |due| due.overdue)
    }

    /// A key that is published and could sign, if somebody wrote.
    fn next(&mut self, declaration: &Declaration, entry: &Entry) {
        let due = entry.beside.iter().find(|it| it.state == BesideState::Next && it.until <= self.now);
        if let Some(next) = due {
            let message = format!("its next key could sign since {}", next.until.format("%Y-%m-%d %H:%M UTC"));
            // What a root signs is read by servers, which a rotation has read it; what other hosts publish they activate too.
            let is_ahead = select::is_ahead(self.manifest, self.environment, declaration);
            let words = if entry.kind == "ca" || is_ahead { "rotate --due" } else { "render" };
            self.about_secret(Code::RotationDue, &entry.name, message, self.command(words));
        }
    }

    fn reuse(&mut self, entry: &Entry, fingerprints: &Fingerprints<'_>) {
        let holders = entry.fingerprint.as_deref().and_then(|fingerprint| fingerprints.get(fingerprint));
        let is_other = |holder: &Holder<'_>| *holder != (self.environment, &entry.name);
        let marked = holders.and_then(|&(first, second)| Some(first).filter(is_other).or(second));
        let compared = || self.facts.reused.get(&entry.name).map(|(environment, name)| (environment, name));
        if let Some((environment, name)) = marked.or_else(compared) {
            let message = format!("has the same value as `{name}` of environment `{environment}`");
            let fix = self.replace(&entry.name);
            self.about_secret(Code::Reused, &entry.name, message, fix);
        }
    }

    /// Who holds which value, in this environment and the others.
    fn fingerprints(&self, own: &'a Ledger) -> Fingerprints<'a> {
        let mut holders = Fingerprints::with_capacity(own.secrets.len());
        let others = self.facts.others.iter().filter(|(name, _)| *name != self.environment);
        for (environment, ledger) in others.chain([(self.environment, own)]) {
            for entry in ledger.secrets.values() {
                if let Some(fingerprint) = entry.fingerprint.as_deref() {
                    let holder = (environment, &entry.name);
                    let (first, second) = holders.entry(fingerprint).or_insert((holder, None));
                    if *first != holder {
                        second.get_or_insert(holder);
                    }
                }
            }
        }
        holders
    }

    /// A value that production serves does not allow every origin.
    pub(super) fn origins_of(&mut self, name: &SecretName, is_wildcard: bool, fix: String) {
        if is_wildcard && is_production(self.environment) {
            self.about_secret(Code::WildcardOrigin, name, "allows every origin", fix);
        }
    }

    /// Settings have a value, and production does not allow every origin.
    pub(super) fn settings(&mut self) {
        let (manifest, environment) = (self.manifest, self.environment);
        let is_production = is_production(environment);
        for declaration in manifest.secrets_in(environment).filter(|declaration| !declaration.is_stored()) {
            let name = &declaration.name;
            match declaration.kind.setting(environment) {
                None => {
                    let line = format!("values = {{ {environment} = \"…\" }}");
                    let fix = in_table(&format!("secrets.{name}"), line);
                    self.about_secret(Code::Missing, name, "has no value for this environment", fix);
                }
                Some(value) if is_production && names_origins(name.as_str()) && allows_all(value) => {
                    let line = format!("values = {{ {environment} = \"https://…\" }}");
                    let fix = in_table(&format!("secrets.{name}"), line);
                    self.about_secret(Code::WildcardOrigin, name, "allows every origin", fix);
                }
                Some(_) => {}
            }
        }
    }
}

/// The bits of a value that are too few, and how many are the least. None is asked for more than its recipe can draw: that
/// no new value could have, and the recipe has a finding of its own.
fn short_of(bits: u32, declaration: &Declaration, is_key: bool) -> Option<(u32, u32)> {
    let least = least_bits(declaration, is_key);
    let is_weak = bits < least && declaration.kind.entropy().is_none_or(|drawn| bits < drawn);
    is_weak.then_some((bits, least))
}

/// The fewest bits that are not weak.
pub(super) fn least_bits(declaration: &Declaration, is_key: bool) -> u32 {
    match declaration.kind {
        Kind::EncryptionKey(_) | Kind::Keypair { .. } => KEY_WEAK_BELOW,
        _ if is_key => KEY_WEAK_BELOW,
        _ => WEAK_BELOW,
    }
}

/// The secrets that sign tokens.
pub(super) fn signing_keys(manifest: &Manifest) -> BTreeSet<&SecretName> {
    let signed_by = manifest.secrets.values().filter_map(|declaration| match &declaration.kind {
        Kind::Token(token) => Some(&token.signed_by),
        _ => None,
    });
    signed_by.collect()
}

/// Whether others than developers use the environment.
pub(super) fn is_production(environment: &EnvName) -> bool {
    ["prod", "production", "staging"].contains(&environment.as_str())
}
