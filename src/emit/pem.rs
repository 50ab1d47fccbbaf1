//! Certificates and keys as the files that servers ask for.

use super::{EmittedFile, Value, Values, cannot_carry, delivered};
use crate::error::{Error, Result};
use crate::manifest::model::PemFile;
use crate::manifest::{Kind, Output};
use crate::name::SecretName;
use crate::secret::Secret;
use crate::secret::parts::Part;

/// The dynamic configuration for Traefik's file provider, where the output's directory is mounted as `/etc/traefik/tls`.
const TRAEFIK: &str = "\
# Mount this directory as /etc/traefik/tls and start Traefik with --providers.file.directory=/etc/traefik/tls
tls:
  certificates:
    - certFile: /etc/traefik/tls/fullchain.pem
      keyFile: /etc/traefik/tls/key.pem
";

/// The files of every secret; several secrets get a directory each.
pub(super) fn emit(output: &Output, values: &Values<'_>) -> Result<Vec<EmittedFile>> {
    let mut files = Vec::new();
    for (name, value) in delivered(output, values) {
        for (piece, path) in wanted(output, name, value)? {
            if piece == PemFile::Ca && !output.names_pieces() && lacks_root(value) {
                continue;
            }
            let Some(bytes) = bytes_of(output, name, value, piece)? else { continue };
            files.push(EmittedFile {
                path,
                bytes,
                public: piece.is_public(),
                holds: vec![name.clone()],
                shared: false,
                digested: piece == PemFile::Crl || piece == PemFile::Ca && value.roots.is_some(),
            });
        }
    }
    Ok(files)
}

fn wanted(output: &Output, name: &SecretName, value: Value<'_>) -> Result<Vec<(PemFile, String)>> {
    if let Some(files) = output.pem_files(name, value.kind) {
        return Ok(files);
    }
    if value.parts.part(Part::Cert).is_some() {
        return Ok(output.certificate_files(name));
    }
    let why = format!("kind `{}` is neither a certificate nor a key pair", value.kind.name());
    Err(cannot_carry(output, name, &why).hint("deliver it with `format = \"docker-secrets\"`"))
}

/// Whether it was imported without its root.
pub(super) fn lacks_root(value: Value<'_>) -> bool {
    let has_root = value.parts.part(Part::Ca).is_some_and(|root| !root.is_empty());
    matches!(value.kind, Kind::ImportedCertificate(_)) && !has_root
}

/// The content of a file; `None` for a chain without intermediates.
pub(super) fn bytes_of(output: &Output, name: &SecretName, value: Value<'_>, piece: PemFile) -> Result<Option<Secret>> {
    let part = |part| value.parts.part(part).filter(|part| !part.is_empty());
    let bytes = match piece {
        PemFile::Ca => {
            let root = part(Part::Ca).or_else(|| part(Part::Cert).filter(|_| matches!(value.kind, Kind::Ca(_))));
            let root = root.ok_or_else(|| missing(output, name, piece))?;
            return Ok(Some(joined(root, value.roots)));
        }
        PemFile::Cert => part(Part::Cert),
        PemFile::Chain => return Ok(part(Part::Chain).map(Secret::duplicate)),
        // Made before the output is first delivered.
        PemFile::Crl => return Ok(value.lists.map(Secret::duplicate)),
        PemFile::Fullchain => {
            let cert = part(Part::Cert).ok_or_else(|| missing(output, name, piece))?;
            return Ok(Some(joined(cert, part(Part::Chain))));
        }
        PemFile::Combined => {
            let (cert, key) = part(Part::Cert).zip(part(Part::Key)).ok_or_else(|| missing(output, name, piece))?;
            return Ok(Some(joined(&joined(cert, part(Part::Chain)), Some(key))));
        }
        PemFile::Traefik => return Ok(Some(Secret::copy_of(TRAEFIK.as_bytes()))),
        PemFile::Key => part(Part::Key),
        PemFile::Public => part(Part::Public),
    };
    bytes.map(|bytes| Some(bytes.duplicate())).ok_or_else(|| missing(output, name, piece))
}

/// The leaf, then the intermediates (RFC 8446 §4.4.2), each on lines of its own.
fn joined(cert: &Secret, chain: Option<&Secret>) -> Secret {
    let chain = chain.map_or(&b""[..], Secret::expose);
    let mut bytes = Vec::with_capacity(cert.len() + 1 + chain.len());
    bytes.extend_from_slice(cert.expose());
    if !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(chain);
    Secret::new(bytes)
}

fn missing(output: &Output, name: &SecretName, piece: PemFile) -> Error {
    let what = match piece {
        PemFile::Ca => "CA certificate",
        PemFile::Cert | PemFile::Chain | PemFile::Crl | PemFile::Fullchain => "certificate",
        PemFile::Combined | PemFile::Key | PemFile::Traefik => "private key",
        PemFile::Public => "public key",
    };
    cannot_carry(output, name, &format!("it has no {what}")).hint("name only the files that it has in `files = { … }`")
}
