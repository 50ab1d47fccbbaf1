//! An `ExternalSecret` (external-secrets.io/v1): where in AWS the External Secrets Operator finds what a Secret is made of.
//! It holds no value and depends on the manifest alone.

use super::{kubernetes_secret, yaml};
use crate::error::{Error, Result};
use crate::manifest::hook::PASSWORD;
use crate::manifest::model::{ExternalSecret, PemFile, RemotePlace, StoreKind};
use crate::manifest::period::Period;
use crate::manifest::{Declaration, Manifest, Output};
use crate::name::EnvName;
use crate::secret::parts::Part;

/// Leaf and intermediates are keys of their own in AWS. A key that is not there is empty: `index` makes no error of it.
const TLS: [(&str, &str); 3] = [
    ("tls.crt", "{{ .cert | trim }}\n{{ index . \"chain\" | default \"\" }}"),
    ("tls.key", "{{ .key }}"),
    ("ca.crt", "{{ index . \"ca\" | default \"\" }}"),
];

/// Renders the object for an environment.
pub fn render(output: &Output, it: &ExternalSecret, manifest: &Manifest, environment: &EnvName) -> Result<String> {
    let aws = manifest.aws(environment);
    // The manifest is refused otherwise, and so in `place`.
    let aws = aws.ok_or_else(|| Error::bug("an output is for AWS in an environment that is not there"))?;
    let prefix = aws.prefix_of(&manifest.project, environment);
    let mut text = String::from("# Written by vault-kit. It holds no value and can be committed.\n");
    text.push_str("apiVersion: external-secrets.io/v1\nkind: ExternalSecret\n");
    kubernetes_secret::metadata(&mut text, &it.object);
    yaml::open(&mut text, 0, "spec");
    yaml::line(&mut text, 1, "refreshInterval", &duration(it.refresh_interval));
    yaml::open(&mut text, 1, "secretStoreRef");
    yaml::line(&mut text, 2, "kind", kind_name(it.store_kind));
    yaml::line(&mut text, 2, "name", &it.store);
    yaml::open(&mut text, 1, "target");
    yaml::line(&mut text, 2, "name", &it.object.name);
    let secrets = || output.secrets.iter().filter_map(|name| manifest.secret(name)).filter(|it| it.is_in(environment));
    if let Some(leaf) = secrets().find(|declaration| declaration.kind.is_leaf()) {
        certificate(&mut text, &format!("{prefix}{}", place(leaf)?.path()));
        return Ok(text);
    }
    yaml::open(&mut text, 1, "data");
    for declaration in secrets() {
        let place = place(declaration)?;
        for (key, piece) in it.object.entries(&declaration.name, &declaration.kind) {
            let property = match place {
                RemotePlace::Key { key, .. } => Some(key.as_str()),
                RemotePlace::Secret { .. } if !declaration.usernames.is_empty() => Some(PASSWORD),
                RemotePlace::Secret { .. } => piece.map(part),
            };
            entry(&mut text, &key, &format!("{prefix}{}", place.path()), property);
        }
    }
    Ok(text)
}

fn place(declaration: &Declaration) -> Result<&RemotePlace> {
    declaration.remote.as_ref().ok_or_else(|| Error::bug("a secret that is not in AWS is looked for there"))
}

fn entry(text: &mut String, key: &str, remote: &str, property: Option<&str>) {
    text.push_str("    - secretKey: ");
    yaml::quote(text, key);
    text.push('\n');
    yaml::open(text, 3, "remoteRef");
    yaml::line(text, 4, "key", remote);
    if let Some(property) = property {
        yaml::line(text, 4, "property", property);
    }
}

/// A Secret of type `kubernetes.io/tls` from the parts of a certificate.
fn certificate(text: &mut String, remote: &str) {
    yaml::open(text, 2, "template");
    yaml::line(text, 3, "engineVersion", "v2");
    yaml::line(text, 3, "type", "kubernetes.io/tls");
    yaml::open(text, 3, "data");
    for (key, template) in TLS {
        yaml::quoted_key(text, 4, key);
        yaml::quote(text, template);
        text.push('\n');
    }
    yaml::open(text, 1, "dataFrom");
    text.push_str("    - extract:\n");
    yaml::line(text, 4, "key", remote);
}

/// The name of a part in the JSON object that a secret of several parts is in AWS.
fn part(piece: PemFile) -> &'static str {
    match piece {
        PemFile::Key => Part::Key.name(),
        PemFile::Public => Part::Public.name(),
        _ => Part::Ca.name(),
    }
}

fn kind_name(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::ClusterSecretStore => "ClusterSecretStore",
        StoreKind::SecretStore => "SecretStore",
    }
}

/// As Go writes it: hours are its largest unit.
fn duration(period: Period) -> String {
    match period.seconds() {
        seconds if seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}
