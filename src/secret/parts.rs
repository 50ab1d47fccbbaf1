//! What one version of a secret consists of: a single value, or the pieces of a key pair or certificate.

use super::Secret;

/// A piece of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The root certificate that a verifier must trust, PEM.
    Ca,
    /// The certificate itself, PEM.
    Cert,
    /// The intermediate certificates in order, PEM; empty when the root signed.
    Chain,
    /// The private key, PKCS#8 PEM.
    Key,
    /// The public key, SPKI PEM.
    Public,
    /// The single value of every other kind.
    Value,
}

impl Part {
    /// All parts, in the order of their names.
    pub const ALL: [Self; 6] = [Self::Ca, Self::Cert, Self::Chain, Self::Key, Self::Public, Self::Value];

    /// The name in the store's JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ca => "ca",
            Self::Cert => "cert",
            Self::Chain => "chain",
            Self::Key => "key",
            Self::Public => "public",
            Self::Value => "value",
        }
    }

    /// The part of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }
}

/// The pieces of one version, each once, in the order of their names.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parts(Vec<(Part, Secret)>);

impl Parts {
    /// A version that is one value.
    pub fn value(value: Secret) -> Self {
        Self(vec![(Part::Value, value)])
    }

    /// Adds a piece.
    #[must_use]
    pub fn with(mut self, part: Part, piece: Secret) -> Self {
        self.insert(part, piece);
        self
    }

    /// Adds a piece in place, or replaces it.
    pub fn insert(&mut self, part: Part, piece: Secret) {
        match self.0.binary_search_by_key(&part, |&(part, _)| part) {
            Ok(place) => self.0[place].1 = piece,
            Err(place) => {
                // Nearly all versions are one piece; a vector that grows by itself begins with room for four.
                self.0.reserve_exact(1);
                self.0.insert(place, (part, piece));
            }
        }
    }

    /// One piece.
    pub fn part(&self, part: Part) -> Option<&Secret> {
        self.0.iter().find(|(other, _)| *other == part).map(|(_, piece)| piece)
    }

    /// What a consumer that takes one value gets: the value, or the private key.
    pub fn primary(&self) -> Option<&Secret> {
        self.part(Part::Value).or_else(|| self.part(Part::Key))
    }

    /// All pieces, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (Part, &Secret)> {
        self.0.iter().map(|(part, piece)| (*part, piece))
    }
}
