//! The keys that tokens are verified with, each with the one algorithm and the place in its life that it has.

use std::fmt;

use super::algorithm::Algorithm;
use super::public_key::PublicKey;
use super::reason::Reason;
use super::signature::Check;

/// Where in its life a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Published so that verifiers learn of it; it does not sign yet.
    Next,
    /// Signs and verifies.
    Active,
    /// Verifies what it signed.
    Retiring,
    /// Verifies nothing any more; only its `kid` is remembered.
    Retired,
}

impl State {
    /// Smaller is better, where one key is there twice.
    fn rank(self) -> u8 {
        match self {
            Self::Active => 0,
            Self::Retiring => 1,
            Self::Next => 2,
            Self::Retired => 3,
        }
    }
}

/// A key with its id, algorithm and state, prepared once.
pub struct VerificationKey {
    kid: String,
    algorithm: Algorithm,
    state: State,
    public: Option<PublicKey>,
    check: Check,
}

impl VerificationKey {
    /// A shared key; `None` when it is shorter than the hash (RFC 7518 §3.2), or the algorithm takes none.
    pub fn shared(kid: &str, algorithm: Algorithm, key: &[u8], state: State) -> Option<Self> {
        let check = Check::shared(key, algorithm)?;
        Some(Self { kid: kid.to_owned(), algorithm, state, public: None, check })
    }

    /// A public key; `None` when the algorithm is not its own.
    pub fn public(kid: &str, algorithm: Algorithm, key: PublicKey, state: State) -> Option<Self> {
        let check = Check::public(&key, algorithm)?;
        Some(Self { kid: kid.to_owned(), algorithm, state, public: Some(key), check })
    }

    /// The key's id.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The one algorithm that it verifies.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Where in its life it is.
    pub fn state(&self) -> State {
        self.state
    }

    /// The public key; `None` for a shared one.
    pub fn public_key(&self) -> Option<&PublicKey> {
        self.public.as_ref()
    }

    /// Whether the signature is this key's over the message. Says nothing about the key's state.
    pub fn is_signature(&self, message: &[u8], signature: &[u8]) -> bool {
        self.check.is_valid(message, signature)
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kid, algorithm, state, .. } = self;
        write!(f, "VerificationKey({kid}, {algorithm}, {state:?})")
    }
}

/// Keys, found by `kid`.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<VerificationKey>,
    retired: Vec<String>,
}

impl KeySet {
    /// Adds a key. One secret can sign with two algorithms, and is two keys with one `kid` then.
    pub fn add(&mut self, key: VerificationKey) {
        self.keys.push(key);
    }

    /// Remembers the `kid` of a key that verifies nothing any more, so that its tokens are told from foreign ones.
    pub fn retire(&mut self, kid: &str) {
        self.retired.push(kid.to_owned());
    }

    /// The keys, in the order they were added.
    pub fn keys(&self) -> impl Iterator<Item = &VerificationKey> {
        self.keys.iter()
    }

    /// Whether tokens of a `kid` are verified now.
    pub fn verifies(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid == kid && matches!(key.state, State::Active | State::Retiring))
    }

    /// The key of a `kid`, if it is one that `algorithm` may be verified with now.
    ///
    /// The algorithm is the key's, never the header's: a header that says otherwise is refused (RFC 8725 §3.1).
    pub fn find(&self, kid: Option<&str>, algorithm: &str) -> Result<&VerificationKey, Reason> {
        if algorithm.eq_ignore_ascii_case("none") {
            return Err(Reason::AlgNone);
        }
        let named = Algorithm::named(algorithm).ok_or(Reason::AlgNotAllowed)?;
        let kid = kid.ok_or(Reason::UnknownKid)?;
        let mut of_that_kid = self.keys.iter().filter(|key| key.kid == kid).peekable();
        if of_that_kid.peek().is_none() {
            return Err(self.why_absent(kid, named));
        }
        // The same key can have been put back after another one: its best state counts.
        let fitting = of_that_kid.filter(|key| key.algorithm == named);
        let key = fitting.min_by_key(|key| key.state.rank()).ok_or(Reason::AlgKeyMismatch)?;
        match key.state {
            State::Active | State::Retiring => Ok(key),
            State::Next => Err(Reason::KeyNotYetActive),
            State::Retired => Err(Reason::KeyRetired),
        }
    }

    fn why_absent(&self, kid: &str, algorithm: Algorithm) -> Reason {
        if self.retired.iter().any(|retired| retired == kid) {
            Reason::KeyRetired
        } else if self.keys.iter().any(|key| key.algorithm == algorithm) {
            Reason::UnknownKid
        } else {
            Reason::AlgNotAllowed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> KeySet {
        let mut set = KeySet::default();
        let shared = |kid, state| VerificationKey::shared(kid, Algorithm::Hs256, &[7; 32], state).unwrap();
        for (kid, state) in
            [("next", State::Next), ("active", State::Active), ("retiring", State::Retiring), ("done", State::Retired)]
        {
            set.add(shared(kid, state));
        }
        set.retire("gone");
        set
    }

    #[test]
    fn only_active_and_retiring_keys_verify() {
        let set = set();
        let reason = |kid| set.find(Some(kid), "HS256").map(VerificationKey::kid);
        assert_eq!(reason("active"), Ok("active"));
        assert_eq!(reason("retiring"), Ok("retiring"));
        assert_eq!(reason("next"), Err(Reason::KeyNotYetActive));
        assert_eq!(reason("done"), Err(Reason::KeyRetired));
        assert_eq!(reason("gone"), Err(Reason::KeyRetired));
        assert_eq!(reason("ACTIVE"), Err(Reason::UnknownKid));
    }

    #[test]
    fn the_algorithm_is_the_keys_own() {
        let set = set();
        let reason = |algorithm| set.find(Some("active"), algorithm).unwrap_err();
        assert_eq!(reason("HS512"), Reason::AlgKeyMismatch);
        assert_eq!(reason("ES256"), Reason::AlgKeyMismatch);
        for none in ["none", "None", "NONE", "nOnE"] {
            assert_eq!(reason(none), Reason::AlgNone);
        }
        for foreign in ["", "ES512", "HS256 ", "hs256", "RSA-OAEP", "dir"] {
            assert_eq!(reason(foreign), Reason::AlgNotAllowed, "{foreign}");
        }
        assert_eq!(set.find(Some("?"), "ES256").unwrap_err(), Reason::AlgNotAllowed);
        assert_eq!(set.find(None, "HS256").unwrap_err(), Reason::UnknownKid);
    }

    #[test]
    fn a_key_that_was_put_back_is_not_hidden_by_its_own_past() {
        let mut set = set();
        set.add(VerificationKey::shared("done", Algorithm::Hs256, &[7; 32], State::Active).unwrap());
        assert_eq!(set.find(Some("done"), "HS256").unwrap().state(), State::Active);
    }

    #[test]
    fn a_secret_may_sign_with_two_algorithms() {
        let mut set = set();
        set.add(VerificationKey::shared("active", Algorithm::Hs512, &[7; 64], State::Active).unwrap());
        assert_eq!(set.find(Some("active"), "HS512").unwrap().algorithm(), Algorithm::Hs512);
        assert_eq!(set.find(Some("active"), "HS256").unwrap().algorithm(), Algorithm::Hs256);
    }

    #[test]
    fn a_shared_key_that_is_shorter_than_the_hash_is_none() {
        for (algorithm, shortest) in [(Algorithm::Hs256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)] {
            let key = |length| VerificationKey::shared("k", algorithm, &vec![7; length], State::Active);
            assert!(key(shortest).is_some() && key(shortest - 1).is_none() && key(1).is_none() && key(0).is_none());
        }
        assert!(VerificationKey::shared("k", Algorithm::Es256, &[7; 64], State::Active).is_none());
    }

    #[test]
    fn a_key_shows_nothing_of_itself_when_it_is_debugged() {
        assert_eq!(format!("{:?}", set().keys().next().unwrap()), "VerificationKey(next, HS256, Next)");
    }
}
