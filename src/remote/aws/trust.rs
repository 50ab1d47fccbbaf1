//! Whom to trust: what AWS, or a proxy in between, has to have a certificate of.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use aws_smithy_http_client::tls::{TlsContext, TrustStore};

use super::Authorities;
use crate::error::{Error, Kind, Result};
use crate::x509::chain;

/// Where systems keep one file of all authorities: Debian and Arch, Fedora, SUSE, Alpine and BSD, Entware. The first one that is
/// there counts. Their directories hold the same ones again, twice over, and are read where there is no such file. On macOS
/// a keychain has them.
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/opt/etc/ssl/certs/ca-certificates.crt",
];

/// The authorities of a client. Those of the system are read when a connection is first wanted.
#[derive(Clone, Debug)]
pub(super) struct Trust(Arc<OnceLock<TlsContext>>);

impl Trust {
    /// Fails with `ca-bundle-invalid`.
    pub(super) fn of(authorities: &Authorities) -> Result<Self> {
        match authorities {
            Authorities::System => Ok(Self(Arc::default())),
            Authorities::Surroundings => Self::in_these(TrustStore::default()),
            Authorities::Bundle(path) => Self::in_these(TrustStore::empty().with_pem_certificate(bundle(path)?)),
        }
    }

    /// Trusts nobody: for whoever is asked without TLS.
    pub(super) fn none() -> Result<Self> {
        Self::in_these(TrustStore::empty())
    }

    fn in_these(store: TrustStore) -> Result<Self> {
        let context = TlsContext::builder().with_trust_store(store).build();
        let context = context.map_err(|_| Error::bug("the TLS context of the AWS client cannot be built"))?;
        Ok(Self(Arc::new(OnceLock::from(context))))
    }

    pub(super) fn context(&self) -> &TlsContext {
        let bundles = if cfg!(target_os = "macos") { &[] } else { &BUNDLES[..] };
        self.0.get_or_init(|| TlsContext::builder().with_trust_store(system(bundles)).build().unwrap_or_default())
    }
}

/// The authorities of the first bundle that has some, else what the HTTP client finds itself.
fn system(bundles: &[impl AsRef<Path>]) -> TrustStore {
    let usable = |path| chain::usable_authorities(std::fs::read(path).ok()?);
    let bundle = bundles.iter().map(AsRef::as_ref).find_map(usable);
    bundle.map_or_else(TrustStore::default, |bundle| TrustStore::empty().with_pem_certificate(bundle))
}

/// The certificates of a bundle that can be trusted; the HTTP client would panic at any other.
fn bundle(path: &Path) -> Result<Vec<u8>> {
    let shown = path.display();
    let invalid = |why: &str| {
        Error::new(Kind::Manifest, "ca-bundle-invalid", format!("`{shown}`, named by `AWS_CA_BUNDLE`, {why}"))
            .hint("it must be a PEM file of the authorities to trust, such as `/etc/ssl/certs/ca-certificates.crt`")
    };
    let text = std::fs::read(path).map_err(|error| invalid("cannot be read").source(error))?;
    chain::authorities(&text).map_err(|why| invalid(&why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::sample::Authority;

    /// The client shows certificates as lists of bytes.
    fn shown(pem: &str) -> String {
        format!("{:?}", TrustStore::empty().with_pem_certificate(pem))
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test puts its material where it wants")]
    fn one_bundle_is_read_and_no_directory() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let [authority, other] = ["first", "second"].map(|name| Authority::root(1_800_000_000, name, |_| ()).pem);
        std::fs::write(path("empty"), "# nothing\n").unwrap();
        std::fs::write(path("first"), &authority).unwrap();
        std::fs::write(path("second"), &other).unwrap();
        let found = |names: &[&str]| format!("{:?}", system(&names.iter().map(|name| path(name)).collect::<Vec<_>>()));
        assert_eq!(found(&["none", "empty", "first", "second"]), shown(&authority));
        assert_eq!(found(&["second", "first"]), shown(&other));
        let directories = format!("{:?}", TrustStore::default());
        assert_eq!(found(&["none", "empty"]), directories);
        assert_ne!(directories, shown(&authority));
    }
}
