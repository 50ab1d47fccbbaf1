//! Which files hold secrets wherever there is one of their name, and whether one really does.

use super::text::has_statement;
use super::{assigned, in_document};

/// What programs keep logins in.
const LOGINS: [&str; 13] = [
    ".aws",
    ".git-credentials",
    ".gnupg",
    ".htpasswd",
    ".my.cnf",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    ".ssh",
    ".vault-token",
    "credentials.json",
    "kubeconfig",
];

/// Those that are nothing but logins.
const NOTHING_ELSE: [&str; 3] = [".htpasswd", ".pgpass", ".vault-token"];

/// Private keys.
const KEYS: [&str; 4] = ["id_dsa", "id_ecdsa", "id_ed25519", "id_rsa"];

/// Ends of what keeps private keys in a form of its own.
const KEY_STORES: [&str; 4] = [".jks", ".kdbx", ".p12", ".pfx"];

/// Parts of a name by which a file shows what another one looks like.
const SHOWING: [&str; 4] = ["dist", "example", "sample", "template"];

/// What the name of a file promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Promise {
    Nothing,
    /// Lines of `NAME=value`.
    Variables,
    /// A private key as text.
    Key,
    /// Private keys in a form of its own.
    KeyStore,
    /// The settings of a program, with a login among them.
    Login,
    /// Logins.
    Logins,
}

fn promise(path: &str) -> Promise {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let directory = directory.rsplit('/').next().unwrap_or_default();
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    let is_pem_key = || end == "pem" && ["key", "priv"].iter().any(|it| name.contains(it)) && !name.contains("pub");
    match () {
        () if name.split('.').any(|part| SHOWING.contains(&part)) => Promise::Nothing,
        () if end == "env" || name.starts_with(".env.") => Promise::Variables,
        () if end == "key" || is_pem_key() || KEYS.contains(&name) => Promise::Key,
        () if KEY_STORES.iter().any(|it| name.ends_with(it)) => Promise::KeyStore,
        () if NOTHING_ELSE.contains(&name) => Promise::Logins,
        () if LOGINS.contains(&name) => Promise::Login,
        () if matches!((directory, name), (".aws", "credentials") | (".docker", "config.json")) => Promise::Login,
        () => Promise::Nothing,
    }
}

/// Whether a path is that of a file, or a directory, which holds secrets wherever there is one: `.env` and its variants, private
/// keys, and what programs keep logins in.
pub fn is_secret_file(path: &str) -> bool {
    promise(path) != Promise::Nothing
}

/// Whether a file of such a name holds one: no certificate, no settings without a login, nothing that a variable is put into.
pub fn is_secret_in(path: &str, bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes).ok();
    let has_line = |is: fn(&str) -> bool| text.is_some_and(|text| text.lines().any(is));
    match promise(path) {
        Promise::Nothing => false,
        Promise::Variables => has_line(|line| assigned(line).is_some()),
        Promise::Key => !bytes.is_empty() && !is_public(bytes),
        // What a server trusts is public.
        Promise::KeyStore => !bytes.is_empty() && !path.contains("trust"),
        // An entry of a `.netrc` may go over several lines.
        Promise::Login => text.is_some_and(|it| in_document(it).is_some() || has_statement(it) || has_client_key(it)),
        Promise::Logins => has_line(|line| !line.trim().is_empty() && !line.starts_with('#')),
    }
}

/// Whether a `kubeconfig` has a private key in it.
fn has_client_key(text: &str) -> bool {
    text.contains("client-key-data:")
}

/// Certificates and public keys, of OpenSSH too, and slides of Keynote, which are an archive.
fn is_public(bytes: &[u8]) -> bool {
    const BEGIN: [&[u8]; 2] = [b"ssh-", b"PK\x03\x04"];
    let has = |text: &str| memchr::memmem::find(bytes, text.as_bytes()).is_some();
    BEGIN.iter().any(|it| bytes.starts_with(it)) || has("-----BEGIN ") && !has("PRIVATE KEY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_a_secret_by_its_name_and_by_what_is_in_it() {
        const KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn\n";
        for (path, text, expected) in [
            ("a/id_rsa", KEY, true),
            ("id_ed25519", "", false),
            ("tls/server.key", "-----BEGIN EC PRIVATE KEY-----\n", true),
            ("tls/server.key", "-----BEGIN PUBLIC KEY-----\n", false),
            ("config/master.key", "4f1c0e2b9d8a7766554433221100ffee\n", true),
            ("talk.key", "PK\u{3}\u{4}x", false),
            ("tls/private.pem", "-----BEGIN PRIVATE KEY-----\n", true),
            ("tls/private.pem", "-----BEGIN CERTIFICATE-----\n", false),
            ("ca.pem", "-----BEGIN CERTIFICATE-----\n", false),
            ("store.p12", "x", true),
            ("truststore.jks", "x", false),
            ("prod.env", "DB_PASSWORD=hunter2\n", true),
            ("prod.env", "DB_PASSWORD=\nPORT=80\nTOKEN=$TOKEN\n", false),
            ("web/.env.production", "export API_KEY='hunter2hunter2'\n", true),
            ("web/.env.production", "VITE_API_URL=https://api.example.com\n", false),
            (".env.example", "DB_PASSWORD=hunter2\n", false),
            (".npmrc", "//registry.npmjs.org/:_authToken=npm_hunter2hunter2\n", true),
            (".npmrc", "//registry.npmjs.org/:_password=\"aHVudGVyMg==\"\n", true),
            (".npmrc", "//registry.npmjs.org/:_authToken=${NPM_TOKEN}\nsave-exact=true\n", false),
            (".netrc", "machine api.example.com login me password hunter2\n", true),
            (".netrc", "machine api.example.com\n  login me\n  password hunter2\n", true),
            (".netrc", "machine api.example.com login me\n", false),
            (".pypirc", "[pypi]\nusername = me\npassword = hunter2\n", true),
            (".pypirc", "[distutils]\nindex-servers = pypi\n", false),
            (".git-credentials", "https://me:hunter2@github.com\n", true),
            (".my.cnf", "[client]\npassword=hunter2\n", true),
            (".my.cnf", "[client]\nhost=db\n", false),
            (".pgpass", "# none\n", false),
            (".pgpass", "db:5432:app:app:hunter2\n", true),
            (".vault-token", "hvs.x\n", true),
            ("credentials.json", r#"{"installed": {"client_id": "a", "client_secret": "hunter2"}}"#, true),
            ("credentials.json", r#"{"type": "object"}"#, false),
            ("home/.aws/credentials", "[default]\naws_secret_access_key = hunter2hunter2\n", true),
            ("home/.docker/config.json", r#"{"auths": {"a": {"auth": "bWU6aHVudGVyMmh1bnRlcjI="}}}"#, true),
            ("home/.docker/config.json", r#"{"auths": {"a": {}}, "credsStore": "pass"}"#, false),
            ("kubeconfig", "users:\n- user:\n    client-key-data: LS0t\n", true),
            ("kubeconfig", "apiVersion: v1\n", false),
            ("main.c", KEY, false),
        ] {
            assert_eq!(is_secret_in(path, text.as_bytes()), expected, "{path}: {text}");
        }
    }
}
