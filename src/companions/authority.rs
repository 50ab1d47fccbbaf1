//! The life of a root CA: its `overlap` is the time that verifiers have to read a bundle anew, and servers to load what the next
//! one signed. An issuing CA is trusted through its root, and needs nobody beside it.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Companion, spread};
use crate::manifest::model::{Certificate, PemFile};
use crate::manifest::period::Period;
use crate::manifest::{Declaration, Format, Kind, Manifest, Output};
use crate::name::{EnvName, SecretName, VersionId};
use crate::revocation;
use crate::store::{Stage, Store, Version};
use crate::token::key_set::State;

/// Whether it is a CA that nobody vouches for.
pub fn is_root(declaration: &Declaration) -> bool {
    matches!(&declaration.kind, Kind::Ca(ca) if ca.issuer.is_none())
}

/// The files by which verifiers trust a root, with the outputs that they are in.
pub fn bundles<'a>(
    manifest: &'a Manifest,
    environment: &'a EnvName,
    root: &'a SecretName,
) -> impl Iterator<Item = (&'a Output, &'a Declaration, String)> {
    let outputs = manifest.outputs_in(environment).filter(|output| matches!(output.format, Format::Pem { .. }));
    let trusted = |name: &&SecretName| revocation::root(manifest, name).is_some_and(|it| it.name == *root);
    let beneath = outputs.flat_map(move |output| output.secrets.iter().filter(trusted).map(move |name| (output, name)));
    let declared = beneath.filter_map(|(output, name)| Some((output, manifest.secret(name)?)));
    declared.filter(|(_, it)| it.is_in(environment)).filter_map(|(output, it)| {
        let files = output.pem_files(&it.name, &it.kind)?;
        let (_, path) = files.into_iter().find(|(piece, _)| *piece == PemFile::Ca)?;
        Some((output, it, path))
    })
}

/// A root's version: it is trusted for an overlap before it signs, and for another one after it was replaced, or until what
/// it signed for others has ended.
pub(super) fn companion<'s>(
    manifest: &Manifest,
    (declaration, overlap): (&Declaration, Period),
    version: &'s Version,
    store: &Store,
) -> Option<Companion<'s>> {
    if !is_root(declaration) || version.life.revoked.is_some() {
        return None;
    }
    let spread = spread(manifest, declaration, store);
    if version.stage == Stage::Next {
        let since = version.life.published.unwrap_or(version.created);
        let wait = version.life.wait(overlap.delta());
        let until = since + spread.unwrap_or_default() + wait;
        // What the current root signed ends with it.
        let end = store.current(&declaration.name).and_then(|current| current.expires).unwrap_or(until);
        let until = until.min(end.max(since));
        let wait = wait.min(until - since);
        return Some(Companion { version, state: State::Next, since, until, wait });
    }
    let since = version.life.replaced.filter(|_| version.stage == Stage::Previous)?;
    let signed =
        [latest_signed(store, version), spread.map(|spread| signed_elsewhere(version, since + spread, overlap))];
    let until = signed.into_iter().flatten().fold(since + overlap.delta(), DateTime::max);
    Some(Companion { version, state: State::Retiring, since, until, wait: TimeDelta::zero() })
}

/// When the last of the certificates ends that other hosts may have signed until `last`, when all of them have the next root: nobody
/// here knows what they signed for others, and their servers have an overlap from then on.
fn signed_elsewhere(root: &Version, last: DateTime<Utc>, overlap: Period) -> DateTime<Utc> {
    let end = last + overlap.max(Certificate::LONGEST).delta();
    end.min(root.expires.unwrap_or(end))
}

/// When the last of the certificates ends that were signed for others, by a root or by a CA beneath it.
fn latest_signed(store: &Store, root: &Version) -> Option<DateTime<Utc>> {
    let signers = signers(store, root);
    let certificates = &store.certificates;
    let signed = certificates.issued.iter().filter(|it| signers.contains(&it.issuer));
    signed.filter(|it| !certificates.is_revoked(it.issuer, &it.serial)).map(|it| it.expires).max()
}

/// The versions of CAs that are trusted by that of one, with that itself.
pub fn signers(store: &Store, root: &Version) -> BTreeSet<VersionId> {
    let mut signers = BTreeSet::from([root.id]);
    let authorities: Vec<&Version> = store.secrets.values().flatten().filter(|it| it.kind == root.kind).collect();
    loop {
        let is_beneath = |it: &&&Version| it.inputs.values().any(|above| signers.contains(above));
        let beneath: Vec<_> = authorities.iter().filter(is_beneath).map(|it| it.id).collect();
        let known = signers.len();
        signers.extend(beneath);
        if signers.len() == known {
            return signers;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{companions, is_joint};
    use super::*;
    use crate::few::Few;
    use crate::manifest;
    use crate::store::Life;
    use crate::store::synced::Base;
    use crate::store::tests::{now as start, store, version};

    fn name() -> SecretName {
        SecretName::new("ROOT").unwrap()
    }

    fn made(expires: DateTime<Utc>) -> Version {
        Version { kind: "ca".into(), expires: Some(expires), ..version(b"", start()) }
    }

    /// A root that other hosts have by way of AWS, once it was exchanged, and its next one, since `start`.
    fn scene(overlap: &str, life: TimeDelta, is_exchanged: bool) -> (Manifest, Store) {
        let text = format!(
            "project.name = \"p\"\nenvironments.dev.aws = {{ spread = \"1d\" }}\n\
             [secrets.ROOT]\nkind = \"ca\"\naws = \"root\"\n{overlap}\n"
        );
        let mut store = store("age1");
        let manifest = manifest::parse(&text, "vault-kit.toml").unwrap();
        store.environment = manifest.default_environment.clone();
        store.promote(&name(), made(start() + life));
        if is_exchanged {
            let base = Base { arn: "arn".into(), version: "v".into(), fields: Few::default(), attempt: None };
            store.synced.bases.insert("/p/dev/root".into(), base);
        }
        (manifest, store)
    }

    fn only<'s>(manifest: &Manifest, store: &'s Store) -> Companion<'s> {
        let companions = companions(manifest, manifest.secret("ROOT").unwrap(), store, start());
        let [only] = companions[..] else { panic!("{companions:?}") };
        only
    }

    #[test]
    fn a_root_that_other_hosts_have_waits_until_they_publish_it_too_and_stays_for_what_they_signed() {
        let (days, decade) = (TimeDelta::days, TimeDelta::days(3650));
        for (overlap, life, is_exchanged, waits, stays) in [
            ("2d", decade, false, days(2), days(2)),
            ("2d", decade, true, days(3), days(826)),
            ("900d", decade, true, days(901), days(901)),
            // What the current one signed ends with it, and so does the trust in that.
            ("2d", days(100), true, days(3), days(100)),
            ("200d", days(100), true, days(100), days(200)),
        ] {
            let (manifest, mut store) = scene(&format!("overlap = \"{overlap}\""), life, is_exchanged);
            assert_eq!(is_joint(&manifest, manifest.secret("ROOT").unwrap(), &store), is_exchanged);
            store.publish(&name(), made(start() + decade));
            let next = only(&manifest, &store);
            assert_eq!((next.state, next.until), (State::Next, start() + waits), "{overlap}");
            // Here it is in the bundles since later: clients here wait as long as ever, and those elsewhere no longer for it.
            let held = start() + TimeDelta::hours(30);
            let own =
                if overlap == "2d" { days(2) } else { waits.min(days(if overlap == "900d" { 900 } else { 200 })) };
            assert_eq!(next.held_since(held).until, (start() + waits).max(held + own), "{overlap}");
            store.activate(&name(), start());
            let old = only(&manifest, &store);
            assert_eq!((old.state, old.until), (State::Retiring, start() + stays), "{overlap}");
        }
    }

    #[test]
    fn a_root_that_is_published_waits_as_long_as_was_promised() {
        let (manifest, mut store) = scene("overlap = \"1d\"", TimeDelta::days(3650), false);
        let life = Life { waits: Some(5 * 24 * 3600), ..Life::default() };
        store.publish(&name(), Version { life, ..made(start() + TimeDelta::days(3650)) });
        let next = only(&manifest, &store);
        assert_eq!(next.until, start() + TimeDelta::days(5));
        assert_eq!(next.held_since(start() + TimeDelta::days(1)).until, start() + TimeDelta::days(6));
    }

    #[test]
    fn a_root_without_an_overlap_and_an_issuing_ca_have_nobody_beside_them() {
        let (manifest, mut store) = scene("", TimeDelta::days(3650), true);
        let declaration = manifest.secret("ROOT").unwrap();
        assert!(!is_joint(&manifest, declaration, &store));
        store.secrets.get_mut(&name()).unwrap()[0].life = Life { replaced: Some(start()), ..Life::default() };
        assert!(companions(&manifest, declaration, &store, start()).is_empty());
        let (manifest, store) =
            scene("issuer = \"TOP\"\noverlap = \"2d\"\n[secrets.TOP]\nkind = \"ca\"", TimeDelta::days(9), true);
        assert!(!is_joint(&manifest, manifest.secret("ROOT").unwrap(), &store));
    }
}
