//! Versions: made as the plan says, or of what came by hand.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::companions;
use crate::error::{Error, Kind, Result};
use crate::gather::Gather;
use crate::generate::{self, Context, Input, Inputs};
use crate::incident::revoke;
use crate::manifest::hook::{Step as HookStep, USERNAME};
use crate::manifest::{Declaration, Manifest};
use crate::name::{EnvName, SecretName};
use crate::plan::{Action, Plan, Step, Why};
use crate::secret::digest::sha256_hex;
use crate::secret::parts::Parts;
use crate::secret::{Secret, random};
use crate::store::{Life, Origin, Stage, Store, Version};
use crate::world::{self, World};

impl World<'_> {
    /// Makes what the plan says, in memory.
    ///
    /// Fails with `rotation-in-flight`, and with `confirmation-needed` in the place of what nobody could make again.
    pub fn make(&self, store: &mut Store, plan: &Plan) -> Result<Vec<SecretName>> {
        let changed: Vec<SecretName> = plan.steps.iter().map(|step| step.secret.clone()).collect();
        self.refuse_in_flight(store, &changed)?;
        self.refuse_of_another_kind(store, &changed)?;
        for step in &plan.steps {
            self.make_step(store, step)?;
        }
        Ok(changed)
    }

    /// Makes what the plan says, in memory, and puts what is to be refused onto the lists of what is revoked: a certificate or token
    /// of before is good until it ends. Tells what changed, and whose revocation lists are new.
    pub fn make_revoking(&self, store: &mut Store, plan: &Plan) -> Result<(Vec<SecretName>, Vec<SecretName>)> {
        let authorities = revoke::planned(store, plan, self.now);
        let changed = self.make(store, plan)?;
        Ok((changed, self.make_lists(store, &authorities)?))
    }

    /// What was made as something else than is declared now counts as missing. A word in the manifest is no reason to
    /// replace a value that a person supplied, or a key that opens their data.
    fn refuse_of_another_kind(&self, store: &Store, changed: &[SecretName]) -> Result<()> {
        let cannot_be_made = |it: &Version| it.kind == "encryption-key" || it.origin != Origin::Generated;
        let lost = changed.iter().filter_map(|name| {
            let declaration = self.manifest.secret(name).filter(|it| store.value(it).is_none())?;
            let version = store.current(name).filter(|it| cannot_be_made(it))?;
            Some(Error::new(
                Kind::Usage,
                "confirmation-needed",
                format!("`{name}` has a value as `{}`, and is declared as `{}`", version.kind, declaration.kind.name()),
            ))
        });
        let error = if self.consent.overwrite { None } else { Error::all(lost) };
        error.map_or(Ok(()), |error| {
            Err(error
                .hint("nothing was changed; to keep the value, let the manifest call it what it was")
                .hint("to have a new one made in its place, add `--yes`"))
        })
    }

    /// Makes one step of a plan, in memory.
    pub fn make_step(&self, store: &mut Store, step: &Step) -> Result<()> {
        let name = &step.secret;
        let is_leaked = store.is_current_leaked(name);
        match (step.action, store.next(name)) {
            (Action::Activate, _) => {
                store.activate(name, self.now);
                self.owe_owner(store, name);
            }
            // The clock of AWS may be ahead.
            (Action::Publish, Some(_)) if step.why == Why::NotPublished => store.renew_published(name, self.now),
            (Action::Publish, _) => self.publish(store, name)?,
            (Action::Make, _) => self.put_in_force(store, name, self.make_new_version(store, name)?),
        }
        // What leaked has no overlap.
        if step.why == Why::Revoked || is_leaked && step.action != Action::Publish {
            store.revoke_replaced(name, self.now);
        }
        self.wipe_replaced_keys(store, name);
        Ok(())
    }

    /// Makes a version that waits until every verifier knows it, also where the manifest asks for a shorter wait meanwhile.
    fn publish(&self, store: &mut Store, name: &SecretName) -> Result<()> {
        let version = self.make_new_version(store, name)?;
        let declared = self.manifest.secret(name);
        let lead = declared.and_then(|it| companions::lead(self.manifest, self.environment, it));
        let waits = lead.and_then(|lead| u32::try_from(lead.num_seconds()).ok());
        let life = Life { waits, ..version.life };
        store.publish(name, Version { life, ..version });
        Ok(())
    }

    /// Makes a version the current one, of which no program is told.
    pub fn put_in_force(&self, store: &mut Store, name: &SecretName, version: Version) {
        store.promote(name, version);
        self.owe_owner(store, name);
    }

    /// Remembers that a hook has yet to tell the owner of the current value, where one can.
    fn owe_owner(&self, store: &mut Store, name: &SecretName) {
        if self.manifest.secret(name).is_some_and(|it| self.manifest.hooks_for(it, HookStep::Set).next().is_some()) {
            store.owe_owner(name);
        }
    }

    /// The private halves of key pairs that verifiers know by a key set: what was replaced only verifies from now on.
    pub(crate) fn wipe_replaced_keys(&self, store: &mut Store, name: &SecretName) {
        if companions::max_age(self.manifest, self.environment, name).is_some() {
            store.wipe_private(name);
        }
    }

    /// A version of a value that came by hand.
    pub fn given_version(
        &self,
        store: &Store,
        declaration: &Declaration,
        value: Secret,
        origin: Origin,
    ) -> Result<Version> {
        let mut facts = generate::inspect(&value);
        facts.facts.extend(owner(store, declaration));
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
            public: None,
            parts,
        })
    }

    pub(crate) fn declaration(&self, name: &SecretName) -> Result<&Declaration> {
        self.manifest.secret(name).ok_or_else(|| Error::bug(format!("`{name}` is planned but not declared")))
    }

    fn input<'s>(
        &'s self,
        store: &'s Store,
        settings: &'s BTreeMap<SecretName, Parts>,
        name: &SecretName,
    ) -> Option<Input<'s>> {
        if let Some(parts) = settings.get(name) {
            return Some(Input::new(None, parts));
        }
        let declaration = self.manifest.secret(name)?;
        let version = store.value(declaration)?;
        let username = declaration.username(&version.facts);
        let is_supplied = version.kind == "external";
        Some(Input { version: Some(version.id), parts: &version.parts, username, is_supplied })
    }

    /// Makes a version. One that leaked can only come back where it is made from others that are as they were.
    fn make_new_version(&self, store: &Store, name: &SecretName) -> Result<Version> {
        let version = self.make_version(store, self.declaration(name)?)?;
        version.parts.primary().map_or(Ok(()), |value| store.refuse_banned(name, value))?;
        Ok(version)
    }

    /// What a declaration would have a value made by, as a digest; `None` where nobody here makes it.
    pub(crate) fn recipe(&self, declaration: &Declaration) -> Option<String> {
        let context = context(self.manifest, self.environment, self.now);
        let derived = recipe(declaration, self.manifest, self.environment, &context);
        derived.or_else(|| generate::drawing_digest(declaration))
    }

    /// A new version of a secret, made of what its inputs are now.
    pub(crate) fn make_version(&self, store: &Store, declaration: &Declaration) -> Result<Version> {
        let references = declaration.references().into_iter().filter_map(|name| self.manifest.secret(name));
        let settings = world::settings(self.environment, references);
        let inputs: Inputs<'_> = declaration
            .references()
            .into_iter()
            .filter_map(|name| Some((name, self.input(store, &settings, name)?)))
            .gather();
        let context = context(self.manifest, self.environment, self.now);
        let mut material = generate::generate(declaration, &context, &inputs)?;
        material.facts.extend(owner(store, declaration));
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
            inputs: inputs.iter().filter_map(|(&name, input)| Some((name.clone(), input.version?))).gather(),
            facts: material.facts,
            fingerprint: None,
            public: None,
            parts: material.parts,
        })
    }
}

/// The fact that says which user the next version belongs to, of secrets that have `usernames`.
pub(super) fn owner(store: &Store, declaration: &Declaration) -> Option<(String, String)> {
    let replaced = store.current(&declaration.name).map(|version| &version.facts);
    declaration.next_username(replaced).map(|name| (USERNAME.to_owned(), name.to_owned()))
}

pub(super) fn context<'s>(manifest: &'s Manifest, environment: &'s EnvName, now: DateTime<Utc>) -> Context<'s> {
    Context { project: &manifest.project, environment, now }
}

/// The recipe digest of every derived secret of an environment, as it is declared now.
pub fn recipes(manifest: &Manifest, environment: &EnvName, now: DateTime<Utc>) -> BTreeMap<SecretName, String> {
    let context = context(manifest, environment, now);
    manifest
        .secrets_in(environment)
        .filter_map(|it| Some((it.name.clone(), recipe(it, manifest, environment, &context)?)))
        .gather()
}

/// A declaration's recipe digest; the settings that a template takes in are part of it, since they have no versions.
pub(super) fn recipe(
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
