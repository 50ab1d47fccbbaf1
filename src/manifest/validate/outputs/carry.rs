//! Which secrets a format can carry.

use crate::manifest::model::{Declaration, Format, Kind, Output, PemFile};
use crate::manifest::validate::secrets::Secrets;

/// Why a format cannot carry a secret, and what to do instead.
type Refusal = (&'static str, &'static str);

/// Whether `["*"]` takes a secret.
///
/// A private key goes only where it is named, and a setting becomes no Docker secret unless it is named.
pub(super) fn by_star(format: &Format, declaration: &Declaration) -> bool {
    let named_only = match format {
        Format::DockerSecrets { .. } => matches!(declaration.kind, Kind::Keypair { .. } | Kind::Setting { .. }),
        Format::Dotenv { .. } | Format::Json => matches!(declaration.kind, Kind::Keypair { .. }),
        // Of several parts, or of a type of its own.
        Format::ExternalSecret(_) | Format::KubernetesSecret(_) => declaration.kind.has_parts(),
        Format::ApiKeys
        | Format::Fingerprints
        | Format::Jwks { .. }
        | Format::NotYet(_)
        | Format::Pem { .. }
        | Format::Revocations => false,
    };
    !named_only && explicitly(format, declaration).is_ok()
}

/// Whether a secret may be named in `secrets`.
pub(super) fn explicitly(format: &Format, declaration: &Declaration) -> Result<(), Refusal> {
    let several = matches!(declaration.kind, Kind::Ca(_) | Kind::Certificate(_) | Kind::ImportedCertificate(_));
    match format {
        Format::NotYet(_) | Format::KubernetesSecret(_) => Ok(()),
        Format::ExternalSecret(_) if declaration.remote.is_some() => Ok(()),
        Format::ExternalSecret(_) => {
            Err(("is not in AWS", "say where it is there: `aws = \"database/url\"` or `bundle = \"app\"`"))
        }
        Format::Jwks { .. } if matches!(declaration.kind, Kind::Keypair { .. }) => Ok(()),
        Format::Jwks { .. } => Err((
            "has no public key, and a key set is for everybody to read",
            "list secrets of kind `keypair` alone; verifiers of a shared key need the key itself",
        )),
        Format::ApiKeys => {
            Err(("is a value", "take `secrets` out: it tells of the store's records and carries no value"))
        }
        Format::Fingerprints => {
            Err(("is a value", "take `secrets` out: it has the fingerprints of all generated values"))
        }
        Format::Revocations => Err(("has no place in a list of revoked tokens", "leave `secrets` out")),
        Format::Pem { .. } if several || matches!(declaration.kind, Kind::Keypair { .. }) => Ok(()),
        Format::Pem { .. } => Err(("is one text", "deliver it with `dotenv`, `docker-secrets` or `json`")),
        _ if several => Err(("is several files", "deliver it with a `pem` output")),
        Format::Dotenv { .. } if !declaration.name.is_variable() => Err((
            "has `.` or `-` in its name",
            "rename it with letters, digits and `_`, or deliver it with `docker-secrets`",
        )),
        _ => Ok(()),
    }
}

/// The pieces that a `pem` output can write of a kind, by the name that `files` has for them.
pub(super) fn pieces(kind: &Kind) -> &'static [(&'static str, PemFile)] {
    const CERTIFICATE: [(&str, PemFile); 7] = [
        ("ca", PemFile::Ca),
        ("cert", PemFile::Cert),
        ("chain", PemFile::Chain),
        ("combined", PemFile::Combined),
        ("crl", PemFile::Crl),
        ("fullchain", PemFile::Fullchain),
        ("key", PemFile::Key),
    ];
    // Nobody could revoke what signs itself, and who revokes what others issued is not known here.
    const UNLISTED: [(&str, PemFile); 6] =
        [CERTIFICATE[0], CERTIFICATE[1], CERTIFICATE[2], CERTIFICATE[3], CERTIFICATE[5], CERTIFICATE[6]];
    match kind {
        Kind::Certificate(leaf) if leaf.issuer.is_none() => &UNLISTED,
        Kind::ImportedCertificate(_) => &UNLISTED,
        Kind::Ca(_) | Kind::Certificate(_) => &CERTIFICATE,
        Kind::Keypair { .. } => &[("key", PemFile::Key), ("public", PemFile::Public)],
        _ => &[],
    }
}

/// Whether everything in an output may be read by everybody.
pub(super) fn is_public(output: &Output, secrets: &Secrets) -> bool {
    match &output.format {
        Format::Pem { files } => !files.is_empty() && files.keys().all(|piece| piece.is_public()),
        // A hash of 178 random bits opens nothing, so that the mode may be what the service needs.
        Format::ApiKeys
        | Format::ExternalSecret(_)
        | Format::Fingerprints
        | Format::Jwks { .. }
        | Format::NotYet(_)
        | Format::Revocations => true,
        _ => output.secrets.iter().all(|name| {
            let declared =
                secrets.position(name.as_str()).and_then(|position| secrets.list[position].declaration.as_ref());
            declared.is_some_and(|declaration| matches!(declaration.kind, Kind::Setting { .. }))
        }),
    }
}
