//! The sealed store as the library reads it, for states that no command line leads to.
#![expect(clippy::disallowed_methods, reason = "a store that the test brings along, and its time")]

use std::path::PathBuf;

use vault_kit::secret::Secret;
use vault_kit::secret::digest::sha256_hex;
use vault_kit::store::identity::{Identities, new_identity_file};
use vault_kit::store::ledger::Ledger;
use vault_kit::store::{Store, seal};

use super::Project;

/// What follows the first line of a second copy, whose digest that line tells.
pub(crate) fn sealed_of_copy(copy: &[u8]) -> Result<&[u8], String> {
    let end = copy.iter().position(|&byte| byte == b'\n').ok_or("a copy without a first line")?;
    let (header, sealed) = (&copy[..end], &copy[end + 1..]);
    let header: serde_json::Value = serde_json::from_slice(header).map_err(|error| format!("a torn copy: {error}"))?;
    let keys: Vec<&str> = header.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    if keys != ["digest", "generation", "store_id"] && keys != ["store_id", "generation", "digest"] {
        return Err(format!("a copy's first line with {keys:?}"));
    }
    if header["digest"] == sha256_hex(sealed) { Ok(sealed) } else { Err("a copy of another digest".to_owned()) }
}

impl Project {
    /// The project's own identity.
    pub(crate) fn identities(&self) -> Identities {
        let text = std::fs::read(self.identity()).map(Secret::new).expect("the identity is there");
        Identities::parse(&text, "identity").expect("an identity")
    }

    /// The store of the default environment, opened.
    pub(crate) fn store(&self) -> Store {
        seal::open(&self.bytes(".vault-kit/dev.age"), &self.identities(), "dev.age").expect("the store opens")
    }

    /// Seals the store anew after a change that no command makes, as the same generation.
    pub(crate) fn edit_store(&self, change: impl FnOnce(&mut Store)) {
        let mut store = self.store();
        change(&mut store);
        self.write(".vault-kit/dev.age", seal::seal(&store, "dev.age").expect("it is sealed"));
    }

    /// The sealed bytes of the default environment's second copy, once its first line is proven to be about them.
    pub(crate) fn second_copy(&self) -> Vec<u8> {
        let copy = std::fs::read(self.state().join("dev.copy")).expect("a second copy");
        let sealed = sealed_of_copy(&copy).unwrap_or_else(|why| panic!("{why}")).to_vec();
        let store = seal::open(&sealed, &self.identities(), "dev.copy").expect("the copy opens");
        let header: serde_json::Value = serde_json::from_slice(&copy[..copy.len() - sealed.len()]).expect("JSON");
        assert_eq!(header["store_id"], store.store_id.to_string());
        assert_eq!(header["generation"], store.generation);
        sealed
    }

    /// The ledger of the default environment.
    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::parse(&self.bytes(".vault-kit/dev.ledger.jsonl"), "ledger").expect("the ledger parses")
    }

    /// Another person's identity file in the home directory, and its recipient.
    pub(crate) fn stranger(&self, name: &str) -> (PathBuf, String) {
        let (text, recipient) = new_identity_file(chrono::Utc::now());
        let path = self.home().join(name);
        std::fs::write(&path, text.expose()).expect("the identity is written");
        super::set_mode(&path, 0o600);
        (path, recipient)
    }

    /// The directory of the second copy and of this user's decisions.
    pub(crate) fn state(&self) -> PathBuf {
        let base = self.home().join(".local/state/vault-kit");
        let mut directories = std::fs::read_dir(&base).expect("a state directory");
        directories.next().expect("one project").expect("an entry").path()
    }
}
