//! Which files hold secrets wherever there is one of their name, and whether one really does.

use super::text::has_statement;
use super::{assigned, in_document};

/// What programs keep logins in.
const LOGINS: [&str; 19] = [
    ".aws",
    ".boto",
    ".dockercfg",
    ".git-credentials",
    ".gnupg",
    ".htpasswd",
    ".my.cnf",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    ".s3cfg",
    ".ssh",
    ".vault-token",
    "application_default_credentials.json",
    "auth.json",
    "credentials.json",
    "kubeconfig",
    "rclone.conf",
];

/// Those that are nothing but logins.
const NOTHING_ELSE: [&str; 3] = [".htpasswd", ".pgpass", ".vault-token"];

/// Ends of what programs keep logins in.
const LOGIN_ENDS: [&str; 3] = [".kubeconfig", ".tfstate", ".tfvars"];

/// Private keys.
const KEYS: [&str; 4] = ["id_dsa", "id_ecdsa", "id_ed25519", "id_rsa"];

/// Ends of what keeps private keys in a form of its own.
const KEY_STORES: [&str; 5] = [".jks", ".kdbx", ".p12", ".pfx", ".pk8"];

/// Parts of a name by which a file shows what another one looks like.
const SHOWING: [&str; 4] = ["dist", "example", "sample", "template"];

/// What editors and careful people end the name of a file with that they keep.
const KEPT: [&str; 6] = ["~", ".backup", ".bak", ".old", ".orig", ".save"];

/// Ends of the texts of programs, of documents and of pictures. A credential in those is for `scan` to find.
const OF_PROGRAMS: &str = " adoc avif bin bmp c cc class cjs cpp cs css csv dart dll eot erb exe ex exs fbx gif glb go gql gradle graphql \
    groovy gz h hpp hs htm html ico ipynb jar java jpeg jpg js jsx kt less lock lua m map md mdx mjs mo mov mp3 mp4 o obj otf parquet pdf \
    php pl png po proto ps1 psd py pyc pyi r rb rs rst sass scala scss so sql sqlite sum svelte svg swift tar tgz tif ts tsx ttf vue war \
    wasm wav webm webp whl woff woff2 xlsx xz zip zst ";

/// What the name of a file promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Promise {
    Nothing,
    /// Anything: what is in it tells.
    Anything,
    /// The settings of a program, which may have a credential among them.
    Settings,
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
    let name = KEPT.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    let is_of_program = OF_PROGRAMS.contains(&format!(" {} ", end.to_ascii_lowercase()));
    let is_pem_key = || end == "pem" && ["key", "priv"].iter().any(|it| name.contains(it)) && !name.contains("pub");
    match () {
        () if name.split('.').any(|part| SHOWING.contains(&part)) => Promise::Nothing,
        () if end == "env" || name == ".envrc" || name.starts_with(".env.") => Promise::Variables,
        () if name.starts_with("env.") && !is_of_program => Promise::Variables,
        () if end == "key" || is_pem_key() || KEYS.contains(&name) => Promise::Key,
        () if KEY_STORES.iter().any(|it| name.ends_with(it)) => Promise::KeyStore,
        () if NOTHING_ELSE.contains(&name) => Promise::Logins,
        () if LOGINS.contains(&name) || LOGIN_ENDS.iter().any(|it| name.ends_with(it)) => Promise::Login,
        () if matches!(
            (directory, name),
            (".aws", "credentials") | (".docker", "config.json") | (".kube", "config")
        ) =>
        {
            Promise::Login
        }
        () if is_settings(name, end) => Promise::Settings,
        () if is_of_program => Promise::Nothing,
        () => Promise::Anything,
    }
}

/// Settings by their name: of Streamlit, Rails, ASP.NET and Spring, and what is called as these are; of what fetches packages, and of
/// a database's client.
fn is_settings(name: &str, end: &str) -> bool {
    const WHOLE: [&str; 6] = ["_netrc", "my.cnf", "nuget.config", "pip.conf", "pip.ini", "wp-config.php"];
    let first = name.split(['.', '-']).next().unwrap_or_default();
    match first {
        _ if WHOLE.iter().any(|it| it.eq_ignore_ascii_case(name)) => true,
        "gradle" => end == "properties",
        "settings" => end == "xml",
        "appsettings" => end == "json",
        "application" => ["properties", "yaml", "yml"].contains(&end),
        "credentials" | "database" | "secrets" => ["json", "properties", "toml", "yaml", "yml"].contains(&end),
        _ => false,
    }
}

/// Whether the name of a file says nothing of what is in it, which may be a credential: it is no text of a program, nor a picture.
pub fn may_hold_secret(path: &str) -> bool {
    matches!(promise(path), Promise::Anything | Promise::Settings)
}

/// Whether a path is that of a file, or a directory, which holds secrets wherever there is one: `.env` and its variants, private
/// keys, and what programs keep logins in.
pub fn is_secret_file(path: &str) -> bool {
    !matches!(promise(path), Promise::Nothing | Promise::Anything | Promise::Settings)
}

/// Whether a file of such a name holds one: no certificate, no settings without a login, nothing that a variable is put into.
pub fn is_secret_in(path: &str, bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes).ok();
    let has_line = |is: fn(&str) -> bool| text.is_some_and(|text| text.lines().any(is));
    match promise(path) {
        Promise::Nothing | Promise::Anything => false,
        Promise::Variables => has_line(|line| assigned(line).is_some()),
        Promise::Key => !bytes.is_empty() && !is_public(bytes),
        // What a server trusts is public.
        Promise::KeyStore => !bytes.is_empty() && !path.contains("trust"),
        // An entry of a `.netrc` may go over several lines.
        Promise::Settings => text.is_some_and(|it| in_document(it).is_some() || has_statement(it)),
        Promise::Login => text.is_some_and(|it| in_document(it).is_some() || has_statement(it) || has_marked(it)),
        Promise::Logins => has_line(|line| !line.trim().is_empty() && !line.starts_with('#')),
    }
}

/// Whether a `kubeconfig` has a private key in it, or a state of Terraform what that calls sensitive.
fn has_marked(text: &str) -> bool {
    text.contains("client-key-data:") || text.contains("\"sensitive\": true")
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
            ("root/.m2/settings.xml", "<server>\n  <username>me</username>\n  <password>hunter2</password>\n", true),
            ("settings.xml", "<password>{COQLCE6DU6GtcS5P=}</password>\n<password>${env.PASSWORD}</password>\n", false),
            ("settings.xml", "<password></password>\n<url>https://repo.example.com/maven2</url>\n", false),
            ("etc/pip.conf", "[global]\nindex-url = https://me:hunter2@pypi.example.com/simple\n", true),
            ("etc/pip.conf", "[global]\nindex-url = https://${USER}:${TOKEN}@pypi.example.com/simple\n", false),
            ("etc/pip.conf", "[global]\nindex-url = https://pypi.example.com/simple\n", false),
            (".pypirc", "[a]\nrepository = https://me:hunter2@pypi.example.com\n", true),
            ("wp-config.php", "<?php\ndefine( 'DB_USER', 'wp' );\ndefine( 'DB_PASSWORD', 'hunter2' );\n", true),
            ("wp-config.php", "define(\"AUTH_KEY\",'k7Q2xZ9mP4vT8wL1');\n", true),
            ("wp-config.php", "define( 'DB_PASSWORD', getenv('WORDPRESS_DB_PASSWORD') );\n", false),
            ("wp-config.php", "define('DB_PASSWORD', '');\n// define('DB_PASSWORD', 'hunter2');\n", false),
            ("wp-config.php", "define( 'AUTH_KEY', 'put your unique phrase here' );\n", false),
            ("wp-config-sample.php", "define('DB_PASSWORD', 'password_here');\n", false),
            ("etc/my.cnf", "[client]\npassword = hunter2\n", true),
            ("_netrc", "machine api.example.com\n  login me\n  password hunter2\n", true),
            ("gradle.properties", "org.gradle.jvmargs=-Xmx2g\nossrhPassword=hunter2\n", true),
            ("gradle.properties", "org.gradle.caching=true\nandroid.useAndroidX=true\n", false),
            ("NuGet.Config", "<add key=\"ClearTextPassword\" value=\"hunter2\" />\n", true),
            ("nuget.config", "<add value='hunter2' key='ClearTextPassword'/>\n", true),
            ("nuget.config", "<add key=\"ClearTextPassword\" value=\"%FEED_TOKEN%\" />\n", false),
            ("nuget.config", "<add key=\"nuget.org\" value=\"https://api.nuget.org/v3/index.json\" />\n", false),
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
            ("id_rsa.bak", KEY, true),
            ("tls/server.key~", KEY, true),
            (".kube/config", "users:\n- user:\n    client-key-data: LS0t\n", true),
            ("prod.kubeconfig", "users:\n- user:\n    token: eyJhbGciOiJSUzI1NiJ9.hunter2hunter2\n", true),
            ("prod.kubeconfig", "apiVersion: v1\n", false),
            (".envrc", "export API_KEY=hunter2hunter2\n", true),
            (".envrc", "use flake\nPATH_add bin\n", false),
            ("env.prod", "DB_PASSWORD=hunter2\n", true),
            ("env.py", "DB_PASSWORD = 'hunter2'\n", false),
            (".s3cfg", "[default]\nsecret_key = hunter2hunter2hunter2\n", true),
            (".dockercfg", r#"{"https://index.docker.io/v1/": {"auth": "bWU6aHVudGVyMmh1bnRlcjI="}}"#, true),
            ("auth.json", r#"{"http-basic": {"a.example": {"username": "me", "password": "hunter2hunter2"}}}"#, true),
            ("auth.json", r#"{"http-basic": {}}"#, false),
            ("terraform.tfstate", r#"{"outputs": {"dsn": {"value": "x", "sensitive": true}}}"#, true),
            ("terraform.tfstate", r#"{"resources": [{"attributes": {"password": "hunter2hunter2"}}]}"#, true),
            ("terraform.tfstate", r#"{"version": 4, "resources": []}"#, false),
            ("prod.tfvars", "db_password = \"hunter2hunter2\"\n", true),
        ] {
            assert_eq!(is_secret_in(path, text.as_bytes()), expected, "{path}: {text}");
        }
    }

    #[test]
    fn a_name_that_says_nothing_has_its_file_read() {
        for path in ["tls.pem", "deploy_key", "service-account.json", "a/config.yml", "server.pem.old"] {
            assert!(may_hold_secret(path) && !is_secret_file(path), "{path}");
        }
        for path in ["main.rs", "a/LOGO.PNG", "README.md", "key.pem.example", "id_rsa", "yarn.lock"] {
            assert!(!may_hold_secret(path), "{path}");
        }
    }
}
