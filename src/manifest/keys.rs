//! The keys of a secret in Kubernetes: the one place that knows them.

use super::model::{Kind, KubernetesObject, PemFile};
use crate::name::{SecretName, previous_suffix};

/// The key of a CA's certificate unless declared, as Secrets of type `kubernetes.io/tls` have it.
const CA: &str = "ca.crt";

/// The data of a Secret of type `kubernetes.io/tls`.
const TLS: [(&str, PemFile); 3] = [("tls.crt", PemFile::Fullchain), ("tls.key", PemFile::Key), (CA, PemFile::Ca)];

impl Kind {
    /// Whether it is a leaf certificate, whoever issued it.
    pub fn is_leaf(&self) -> bool {
        matches!(self, Self::Certificate(_) | Self::ImportedCertificate(_))
    }
}

impl KubernetesObject {
    /// The keys that a secret has in the object's data, each with the piece that stands there; `None` = its one value.
    pub fn entries(&self, name: &SecretName, kind: &Kind) -> Vec<(String, Option<PemFile>)> {
        let declared = self.keys.get(name).map(String::as_str);
        let own = declared.unwrap_or(name.as_str());
        match kind {
            Kind::Certificate(_) | Kind::ImportedCertificate(_) => {
                TLS.iter().map(|&(key, piece)| (key.to_owned(), Some(piece))).collect()
            }
            // Its own key is for signing only and stays in the store.
            Kind::Ca(_) => vec![(declared.unwrap_or(CA).to_owned(), Some(PemFile::Ca))],
            Kind::Keypair { .. } => {
                vec![(format!("{own}.key"), Some(PemFile::Key)), (format!("{own}.public"), Some(PemFile::Public))]
            }
            _ => vec![(own.to_owned(), None)],
        }
    }

    /// Gives a previous value the key of the current one, with the suffix behind it.
    pub fn name_previous(&mut self, name: &SecretName, beside: &SecretName) {
        if let Some(key) = self.keys.get(name) {
            self.keys.insert(beside.clone(), format!("{key}{}", previous_suffix(key)));
        }
    }
}
