//! The files that servers look for, by server, and whether they are switched together.

use std::collections::BTreeMap;

use super::Place;
use crate::gather::Gather;
use crate::manifest::issue::Problems;
use crate::manifest::model::{Format, Kind, Layout, Output, PemFile};
use crate::manifest::read::{At, Field, Map};
use crate::manifest::validate::secrets::Secrets;

/// What only a `pem` output can say.
#[derive(Default)]
pub(super) struct Choice {
    pub(super) layout: Field<Layout>,
    pub(super) atomic: Field<bool>,
}

/// Gives an output the files of its layout, and checks that what it says fits together.
pub(super) fn set(
    output: &mut Output,
    choice: &Choice,
    files: Option<&At<Map<String>>>,
    place: Place<'_>,
    secrets: &Secrets,
    problems: &mut Problems,
) {
    if let Some(layout) = &choice.layout {
        if let Some(files) = files {
            problems.add_with_hint(files.at, format!("`{place}` has both `layout` and `files`"), "write one of them");
        }
        if let Some(kind) = one_certificate(output, secrets) {
            let mut files = self::files(layout.value);
            // What others issue comes without its root, and whoever trusts it has that already.
            if matches!(kind, Kind::ImportedCertificate(_)) {
                files.remove(&PemFile::Ca);
            }
            output.format = Format::Pem { files };
        } else {
            let message = format!("`{place}.layout` needs exactly one certificate in `secrets`");
            problems.add_with_hint(layout.at, message, "write one output for each certificate");
        }
    }
    let Some(atomic) = choice.atomic.as_ref().filter(|atomic| atomic.value) else { return };
    if output.in_place {
        let message = format!("`{place}` has both `atomic` and `in_place`");
        problems.add_with_hint(atomic.at, message, "`in_place` is for single files; mount the directory for `atomic`");
    }
    if output.secrets.len() != 1 {
        let message = format!("`{place}.atomic` needs exactly one secret in `secrets`");
        problems.add_with_hint(atomic.at, message, "write one output for each certificate");
    }
    let is_deep = |file: &String| file.contains('/') || file.starts_with("..");
    if files.is_some_and(|files| files.value.0.iter().any(|(_, file)| is_deep(&file.value))) {
        let message = format!("`{place}.atomic` needs plain file names in `files`");
        problems.add_with_hint(atomic.at, message, "write names without `/`");
    }
}

fn one_certificate<'s>(output: &Output, secrets: &'s Secrets) -> Option<&'s Kind> {
    let [name] = output.secrets.as_slice() else { return None };
    let declared = secrets.position(name.as_str()).and_then(|position| secrets.list[position].declaration.as_ref());
    let kind = &declared?.kind;
    matches!(kind, Kind::Certificate(_) | Kind::ImportedCertificate(_)).then_some(kind)
}

/// The names of a server's files.
fn files(layout: Layout) -> BTreeMap<PemFile, String> {
    let files: &[(PemFile, &str)] = match layout {
        // `bind … ssl crt site.pem` takes certificate, chain and key from one file.
        Layout::Haproxy => &[(PemFile::Combined, "site.pem"), (PemFile::Ca, "ca.pem")],
        // As in a Secret of type `kubernetes.io/tls`.
        Layout::Kubernetes => &[(PemFile::Fullchain, "tls.crt"), (PemFile::Key, "tls.key"), (PemFile::Ca, "ca.crt")],
        Layout::Nginx => &[(PemFile::Fullchain, "fullchain.pem"), (PemFile::Key, "key.pem"), (PemFile::Ca, "ca.pem")],
        // The defaults of `ssl_cert_file`, `ssl_key_file` and libpq's `sslrootcert`.
        Layout::Postgres => {
            &[(PemFile::Fullchain, "server.crt"), (PemFile::Key, "server.key"), (PemFile::Ca, "root.crt")]
        }
        Layout::Traefik => {
            &[(PemFile::Fullchain, "fullchain.pem"), (PemFile::Key, "key.pem"), (PemFile::Traefik, "tls.yml")]
        }
    };
    files.iter().map(|&(piece, name)| (piece, name.to_owned())).gather()
}
