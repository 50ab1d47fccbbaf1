//! Where an output puts each secret: the one place that knows the names of its files.

use super::model::{Format, Kind, Output, PemFile};
use crate::name::{SecretName, previous_suffix};

type Names = &'static [(PemFile, &'static str)];

/// The files of a certificate where the output names none.
const CERTIFICATE: Names = &[
    (PemFile::Cert, "cert.pem"),
    (PemFile::Chain, "chain.pem"),
    (PemFile::Fullchain, "fullchain.pem"),
    (PemFile::Key, "key.pem"),
    (PemFile::Ca, "ca.pem"),
];

/// The files of a CA where the output names none: its key is for signing only and stays in the store.
const CA: Names = &[(PemFile::Ca, "ca.pem")];

/// The files of a key pair where the output names none.
const KEYPAIR: Names = &[(PemFile::Key, "key.pem"), (PemFile::Public, "public.pem")];

impl Output {
    /// The path of the file that a secret is in, where a file holds the whole of it: that of a `docker-secrets` output
    /// has the secret's name in lower case unless the manifest names it.
    pub fn file_of(&self, name: &SecretName) -> String {
        match &self.format {
            Format::DockerSecrets { files } => {
                let named = files.get(name);
                let mut path = [self.path.as_str(), "/", named.map_or(name.as_str(), String::as_str)].concat();
                if named.is_none() {
                    path[self.path.len()..].make_ascii_lowercase();
                }
                path
            }
            _ => self.path.clone(),
        }
    }

    /// The path of the file that a secret's previous value is in: `_previous` stands before the extension.
    pub fn previous_file_of(&self, name: &SecretName) -> String {
        format!("{}/{}", self.path, self.previous_file(name))
    }

    /// As [`Output::previous_file_of`], relative to the output's path.
    pub fn previous_file(&self, name: &SecretName) -> String {
        let path = self.file_of(name);
        let file = path.strip_prefix(&self.path).map_or(path.as_str(), |file| file.trim_start_matches('/'));
        let (directory, last) = file.rsplit_once('/').map_or(("", file), |(directory, last)| (directory, last));
        let (stem, extension) = match last.rfind('.').filter(|&dot| dot > 0) {
            Some(dot) => last.split_at(dot),
            None => (last, ""),
        };
        let separator = if directory.is_empty() { "" } else { "/" };
        format!("{directory}{separator}{stem}{}{extension}", previous_suffix(stem))
    }

    /// The paths of a secret's pieces in a `pem` output, as far as its kind tells; a chain without intermediates is not
    /// written. `None` for a kind that has no pieces.
    pub fn pem_files(&self, name: &SecretName, kind: &Kind) -> Option<Vec<(PemFile, String)>> {
        match kind {
            Kind::Ca(_) => Some(self.pieces(name, CA)),
            Kind::Certificate(_) | Kind::ImportedCertificate(_) => Some(self.certificate_files(name)),
            Kind::Keypair { .. } => Some(self.pieces(name, KEYPAIR)),
            _ => None,
        }
    }

    /// Whether the manifest says which pieces this output has.
    pub fn names_pieces(&self) -> bool {
        matches!(&self.format, Format::Pem { files } if !files.is_empty())
    }

    /// As [`Output::pem_files`], for what is a certificate whatever its kind.
    pub fn certificate_files(&self, name: &SecretName) -> Vec<(PemFile, String)> {
        self.pieces(name, CERTIFICATE)
    }

    /// One secret lies in the output's directory, several have one each.
    fn pieces(&self, name: &SecretName, defaults: Names) -> Vec<(PemFile, String)> {
        let directory = match self.secrets.len() {
            1 => self.path.clone(),
            _ => format!("{}/{}", self.path, name.as_str().to_ascii_lowercase()),
        };
        let path = |(piece, file): (PemFile, &str)| (piece, format!("{directory}/{file}"));
        match &self.format {
            Format::Pem { files } if !files.is_empty() => {
                files.iter().map(|(&piece, file)| path((piece, file))).collect()
            }
            _ => defaults.iter().copied().map(path).collect(),
        }
    }

    /// The paths of all files that a secret may be in.
    pub fn files_of(&self, name: &SecretName, kind: &Kind) -> impl Iterator<Item = String> + use<> {
        let is_in_pieces = matches!(self.format, Format::Pem { .. });
        let pieces = if is_in_pieces { self.pem_files(name, kind) } else { None };
        let whole = (!is_in_pieces).then(|| self.file_of(name));
        pieces.into_iter().flatten().map(|(_, path)| path).chain(whole)
    }
}
