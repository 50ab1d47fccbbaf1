//! Runs a plan: values into the store, the store to disk, then the ledger, then the outputs.
//!
//! Whatever can fail without touching the disk (making values, writing them as a format allows, permissions)
//! fails before the store is replaced.

mod ledger;
mod observed;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::audit;
use crate::deliver::{self, Delivered, Prepared, ignored};
use crate::error::{Error, Result};
use crate::generate::{self, Context, Input, Inputs};
use crate::manifest::{Declaration, Kind as SecretKind, Manifest};
use crate::name::{EnvName, SecretName, VersionId};
use crate::plan::{Action, Plan, Step, Why};
use crate::rotation;
use crate::secret::digest::sha256_hex;
use crate::secret::parts::Parts;
use crate::secret::{Secret, random};
use crate::store::change::{Change, Subjects};
use crate::store::files::Opened;
use crate::store::ledger::{DeliveredFile, Ledger};
use crate::store::{Life, Origin, Stage, Store, Version, agreement};
use crate::world::{self, World};

impl World<'_> {
    /// Refuses to write to a store that disagrees with the manifest, or whose time is ahead of the clock.
    pub fn check_agreement(&self, store: &Store) -> Result<()> {
        agreement::check(self.manifest.environments.get(self.environment), store)?;
        if self.consent.clock { Ok(()) } else { store.check_clock(self.now) }
    }

    /// Makes what the plan says, in memory.
    pub fn make(&self, store: &mut Store, plan: &Plan) -> Result<Vec<SecretName>> {
        for step in &plan.steps {
            self.take(store, step)?;
        }
        Ok(plan.steps.iter().map(|step| step.secret.clone()).collect())
    }

    fn take(&self, store: &mut Store, step: &Step) -> Result<()> {
        let name = &step.secret;
        match (step.action, store.next_mut(name)) {
            (Action::Activate, _) => store.activate(name, self.now),
            (Action::Publish, Some(next)) => next.life.published = Some(self.now),
            (Action::Publish, None) => store.publish(name, self.make_version(store, self.declaration(name)?)?),
            (Action::Make, _) => store.promote(name, self.make_version(store, self.declaration(name)?)?),
        }
        if step.why == Why::Revoked {
            store.revoke_replaced(name, self.now);
        }
        if rotation::max_age(self.manifest, self.environment, name).is_some() {
            store.wipe_private(name);
        }
        Ok(())
    }

    /// A version of a value that came by hand.
    pub fn given_version(&self, declaration: &Declaration, value: Secret, origin: Origin) -> Result<Version> {
        let facts = generate::inspect(&value);
        self.given_parts(declaration, Parts::value(value), facts, origin)
    }

    /// A version that came by hand in pieces.
    pub fn given_parts(
        &self,
        declaration: &Declaration,
        parts: Parts,
        facts: generate::Facts,
        origin: Origin,
    ) -> Result<Version> {
        Ok(Version {
            id: random::version_id()?,
            kind: declaration.kind.name().to_owned(),
            stage: Stage::Current,
            origin,
            created: self.now,
            expires: facts.expires,
            life: Life::default(),
            bits: None,
            recipe: None,
            inputs: BTreeMap::new(),
            facts: facts.facts,
            fingerprint: None,
            parts,
        })
    }

    /// Finds what would keep a change from being recorded whole, before anything is written.
    pub fn preflight(&self) -> Result<()> {
        let refusals = self.files.preflight().chain(audit::preflight(self.project).err());
        Error::all(refusals.map(|error| error.hint("nothing was changed"))).map_or(Ok(()), Err)
    }

    /// Brings a changed store and its ledger to disk, and leaves the outputs as they are.
    pub fn record(&self, opened: &mut Opened, action: &'static str, changed: &[SecretName]) -> Result<()> {
        let files = self.old_files()?;
        if changed.is_empty() && opened.digest.is_some() {
            return self.keep_up(opened, files).map(drop);
        }
        self.preflight()?;
        self.commit(opened, action, Subjects { secrets: changed, records: &[] }, files).map(drop)
    }

    /// Seals the store anew although no secret changed.
    pub fn reseal(&self, opened: &mut Opened, action: &'static str) -> Result<()> {
        self.preflight()?;
        self.commit(opened, action, Subjects::default(), self.old_files()?).map(drop)
    }

    /// Brings a changed store to disk, then ledger and outputs. Without changes only what differs is written.
    ///
    /// Whatever fails once the store is replaced is `Incomplete`: `render` finishes it.
    pub fn settle(&self, opened: &mut Opened, action: &'static str, changed: &[SecretName]) -> Result<Delivered> {
        let has_news = self.refresh_lists(&mut opened.store)?;
        self.settle_news(opened, action, changed, has_news || !changed.is_empty())
    }

    /// As [`World::settle`], where more than the secrets that `changed` is new in the store.
    pub fn settle_news(
        &self,
        opened: &mut Opened,
        action: &'static str,
        changed: &[SecretName],
        has_news: bool,
    ) -> Result<Delivered> {
        self.settle_subjects(opened, action, Subjects { secrets: changed, records: &[] }, has_news)
    }

    /// As [`World::settle`], for a change of what was issued to others; `changed` are the ids of the records.
    pub fn settle_records(&self, opened: &mut Opened, action: &'static str, changed: &[String]) -> Result<Delivered> {
        opened.store.updated = opened.store.updated.max(self.now);
        let has_news = self.refresh_lists(&mut opened.store)? || !changed.is_empty();
        self.settle_subjects(opened, action, Subjects { secrets: &[], records: changed }, has_news)
    }

    fn settle_subjects(
        &self,
        opened: &mut Opened,
        action: &'static str,
        changed: Subjects<'_>,
        has_news: bool,
    ) -> Result<Delivered> {
        let prepared = self.prepare(&opened.store)?;
        let old_files = self.old_files()?;
        prepared.refuse_foreign(self, &old_files)?;
        prepared.preflight()?;
        let is_changed = has_news || opened.digest.is_none();
        if is_changed {
            self.preflight()?;
        }
        ignored::add(self.project, self.manifest)?;
        let announced = prepared.announced(&old_files);
        if !is_changed {
            let ledger = self.keep_up(opened, announced)?;
            return self.deliver(ledger, prepared, &old_files);
        }
        let ledger = self.commit(opened, action, changed, announced)?;
        let mut delivered = self.deliver(ledger, prepared, &old_files).map_err(Error::after_the_change)?;
        delivered.warnings.extend(changed.secrets.iter().filter_map(|name| self.shortened(&opened.store, name)));
        Ok(delivered)
    }

    /// What to say of a certificate that ends before its declared life, with its issuer.
    fn shortened(&self, store: &Store, name: &SecretName) -> Option<String> {
        let (issuer, ttl) = match &self.manifest.secret(name)?.kind {
            SecretKind::Ca(ca) => (ca.issuer.as_ref()?, ca.ttl),
            SecretKind::Certificate(leaf) => (leaf.issuer.as_ref()?, leaf.ttl),
            _ => return None,
        };
        let expires = store.current(name)?.expires?;
        let ends_with_issuer = store.current(issuer)?.expires == Some(expires);
        // The life begins a little before the change, never after it.
        let is_short = expires + TimeDelta::seconds(1) < self.now + ttl.delta() - TimeDelta::hours(1);
        let day = expires.format("%Y-%m-%d");
        (ends_with_issuer && is_short).then(|| format!("`{name}` ends on {day} with `{issuer}`, before its `ttl`"))
    }

    fn commit(
        &self,
        opened: &mut Opened,
        action: &'static str,
        changed: Subjects<'_>,
        files: BTreeMap<String, DeliveredFile>,
    ) -> Result<Ledger> {
        // The store carries its last change only: what came before has to be in the audit record by then.
        audit::complete(self.project, &opened.store.changes)?;
        let change = Change::new(self.now, action, self.environment, opened.store.generation + 1, changed);
        opened.store.changes = vec![change.clone()];
        self.purge(&mut opened.store, &files)?;
        self.files.save(opened, self.identities)?;
        let ledger = self.save_ledger(opened, files).map_err(Error::after_the_change)?;
        audit::append(self.project, &change).map_err(Error::after_the_change)?;
        Ok(ledger)
    }

    /// Purges what is neither among the versions to keep nor in a file that was delivered.
    fn purge(&self, store: &mut Store, files: &BTreeMap<String, DeliveredFile>) -> Result<()> {
        // Without a ledger nobody knows what is delivered: everything stays until the next change.
        if self.project.facts(&self.files.ledger_path())?.is_some() {
            let mut in_use: BTreeSet<VersionId> =
                files.values().flat_map(|file| file.holds.values().copied()).collect();
            for declaration in self.manifest.secrets_in(self.environment) {
                let companions = rotation::companions(self.manifest, declaration, store, self.now);
                in_use.extend(companions.iter().map(|it| it.version.id));
            }
            store.purge(self.manifest.keep, &in_use);
        }
        Ok(())
    }

    /// Audit record and ledger of a store that does not change: a writer before us may have died in between.
    fn keep_up(&self, opened: &Opened, files: BTreeMap<String, DeliveredFile>) -> Result<Ledger> {
        audit::complete(self.project, &opened.store.changes)?;
        self.save_ledger(opened, files)
    }

    /// Writes the files, and what became of them into the ledger that announced them.
    fn deliver(
        &self,
        mut ledger: Ledger,
        prepared: Prepared<'_>,
        old_files: &BTreeMap<String, DeliveredFile>,
    ) -> Result<Delivered> {
        let delivered = prepared.write(self, old_files)?;
        if ledger.files != delivered.records {
            ledger.files.clone_from(&delivered.records);
            self.files.save_ledger(&ledger)?;
        }
        Ok(delivered)
    }

    /// What [`World::settle`] would do to the outputs, and the refusals that need no trial write to be found.
    pub fn rehearse(&self, store: &Store) -> Result<Delivered> {
        let prepared = self.prepare(store)?;
        let old_files = self.old_files()?;
        prepared.refuse_foreign(self, &old_files)?;
        prepared.rehearsed(self, &old_files)
    }

    /// The outputs as they would be written now.
    pub fn prepare(&self, store: &Store) -> Result<Prepared<'_>> {
        deliver::prepare(self, store)
    }

    /// What each output file should hold, byte for byte, by path. Fails where an output could not be written.
    pub fn contents(&self, store: &Store) -> Result<BTreeMap<String, Secret>> {
        Ok(self.prepare(store)?.into_contents())
    }

    fn declaration(&self, name: &SecretName) -> Result<&Declaration> {
        self.manifest.secret(name).ok_or_else(|| Error::bug(format!("`{name}` is planned but not declared")))
    }

    fn input<'s>(
        &self,
        store: &'s Store,
        settings: &'s BTreeMap<SecretName, Parts>,
        name: &SecretName,
    ) -> Option<Input<'s>> {
        if let Some(parts) = settings.get(name) {
            return Some(Input { version: None, parts });
        }
        let version = store.value(self.manifest.secret(name)?)?;
        Some(Input { version: Some(version.id), parts: &version.parts })
    }

    fn make_version(&self, store: &Store, declaration: &Declaration) -> Result<Version> {
        let settings = world::settings(self.manifest, self.environment, declaration.references());
        let inputs: Inputs<'_> = declaration
            .references()
            .into_iter()
            .filter_map(|name| Some((name, self.input(store, &settings, name)?)))
            .collect();
        let context = context(self.manifest, self.environment, self.now);
        let material = generate::generate(declaration, &context, &inputs)?;
        Ok(Version {
            id: random::version_id()?,
            kind: declaration.kind.name().to_owned(),
            stage: Stage::Current,
            origin: Origin::Generated,
            created: self.now,
            expires: material.expires,
            life: Life::default(),
            bits: material.bits,
            recipe: recipe(declaration, self.manifest, self.environment, &context),
            inputs: inputs.iter().filter_map(|(&name, input)| Some((name.clone(), input.version?))).collect(),
            facts: material.facts,
            fingerprint: None,
            parts: material.parts,
        })
    }
}

fn context<'s>(manifest: &'s Manifest, environment: &'s EnvName, now: DateTime<Utc>) -> Context<'s> {
    Context { project: &manifest.project, environment, now }
}

/// The recipe digest of every derived secret of an environment, as it is declared now.
pub fn recipes(manifest: &Manifest, environment: &EnvName, now: DateTime<Utc>) -> BTreeMap<SecretName, String> {
    let context = context(manifest, environment, now);
    manifest
        .secrets_in(environment)
        .filter_map(|it| Some((it.name.clone(), recipe(it, manifest, environment, &context)?)))
        .collect()
}

/// A declaration's recipe digest; the settings that a template takes in are part of it, since they have no versions.
fn recipe(
    declaration: &Declaration,
    manifest: &Manifest,
    environment: &EnvName,
    context: &Context<'_>,
) -> Option<String> {
    let mut recipe = generate::recipe_digest(declaration, context)?;
    let names: BTreeSet<&SecretName> = declaration.references().into_iter().collect();
    for name in names {
        if let Some(value) = manifest.secret(name).and_then(|it| it.kind.setting(environment)) {
            recipe = sha256_hex(format!("{recipe}\0{name}\0{value}").as_bytes());
            recipe.truncate(32);
        }
    }
    Some(recipe)
}
