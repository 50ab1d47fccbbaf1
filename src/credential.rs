//! Which names are those of credentials, and which texts could be one: the one rule that `check` judges files by and `init` proposes
//! secrets by. For text that somebody wrote into a file that is shared, where each error is read by a person: so both are told narrowly.

mod arguments;
mod dummy;
mod file;
mod open;
mod pieces;
mod programs;
mod script;
mod text;
mod value;

pub use arguments::{Argument, typed};
pub use dummy::{is_dummy, is_stopgap, without_dummies};
pub use file::{is_secret_file, is_secret_in, may_hold_secret};
pub use pieces::pieces;
pub use text::in_document;
pub use value::{could_be, looks_random};

use crate::scan::stops_commits;

/// Last words of names of credentials.
const CREDENTIALS: [&str; 13] = [
    "MASTERAUTH",
    "PASS",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORDS",
    "PAT",
    "PEPPER",
    "PSK",
    "PW",
    "PWD",
    "REQUIREPASS",
    "SALT",
    "SECRETS",
];

/// What the last word of a name ends with, as in `DBPASSWORD`.
const ENDINGS: [&str; 11] = [
    "ACCESSKEY",
    "APIKEY",
    "AUTHKEY",
    "CREDENTIAL",
    "CREDENTIALS",
    "PASSPHRASE",
    "PASSWORD",
    "PRIVATEKEY",
    "SECRET",
    "SECRETKEY",
    "TOKEN",
];

/// What stands before `PASS` where it is a credential without anything between, as in `DBPASS`; `COMPASS` is none.
const OF_PASS: [&str; 20] = [
    "ADMIN",
    "AMQP",
    "BIND",
    "DB",
    "FTP",
    "IMAP",
    "KEY",
    "KEYSTORE",
    "LDAP",
    "MAIL",
    "MQTT",
    "MYSQL",
    "PG",
    "REDIS",
    "ROOT",
    "SMTP",
    "SQL",
    "STORE",
    "TRUSTSTORE",
    "USER",
];

/// Last words of names that tell one of several from another, beside numbers.
const WHICH: [&str; 9] = ["BACKUP", "CURRENT", "FALLBACK", "LEGACY", "NEW", "NEXT", "OLD", "PREV", "PREVIOUS"];

/// What stands before `KEY` where it is none.
const OPEN_KEYS: [&str; 19] = [
    "APT",
    "AUTHORIZED",
    "CACHE",
    "FOREIGN",
    "GPG",
    "IDEMPOTENCY",
    "ISSUE",
    "KNOWN",
    "OBJECT",
    "PARTITION",
    "PGP",
    "PROJECT",
    "RECV",
    "ROUTING",
    "SHARD",
    "SITE",
    "SORT",
    "TRUSTED",
    "UNIQUE",
];

/// What stands before `KEY` where it is a place as often as a credential, such as `REDIS_KEY`.
const DOUBTFUL_KEYS: [&str; 8] = ["CONSUL", "ETCD", "KV", "MEMCACHED", "PRIMARY", "REDIS", "SECONDARY", "ZOOKEEPER"];

/// Words by which a name says that it counts.
const COUNTS: [&str; 5] = ["MAX", "MAXIMUM", "MIN", "MINIMUM", "NUM"];

/// What a name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Promise {
    /// Nothing of the sort.
    Nothing,
    /// A credential.
    Credential,
    /// A key, which may be the name of something too.
    Key,
    /// A name with its password, or the name of a method.
    Login,
    /// Only the value can tell.
    Doubt,
}

fn promise(name: &str) -> Promise {
    let is_humped = name.as_bytes().windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    let name = if is_humped { unhumped(name) } else { name.to_ascii_uppercase() };
    let mut words: Vec<&str> = name.split(['_', '-', '.']).filter(|word| !word.is_empty()).collect();
    while let [_, .., last] = words.as_slice()
        && (WHICH.contains(last) || value::is_digits(last))
    {
        words.pop();
    }
    if let Some(last) = words.last_mut() {
        *last = last.trim_end_matches(|it: char| it.is_ascii_digit());
    }
    if open::is_mistaken(&words) {
        return Promise::Credential;
    }
    if open::says_open(&words) {
        return Promise::Nothing;
    }
    match words.as_slice() {
        // Nothing, the working directory, where a shell was before, and what etcd tells its cluster from others by.
        [] | ["PWD" | "OLDPWD"] | [.., "INITIAL", "CLUSTER", "TOKEN"] => Promise::Nothing,
        ["KEY" | "KEYS"] | [.., "TOKENS"] => Promise::Doubt,
        [.., before, "KEY" | "KEYS"] if OPEN_KEYS.contains(before) => Promise::Nothing,
        [.., before, "KEY" | "KEYS"] if DOUBTFUL_KEYS.contains(before) => Promise::Doubt,
        [.., "KEY" | "KEYS"] => Promise::Key,
        [.., "SECRET", "KEY", "BASE"]
        | [.., "REDISCLI", "AUTH"]
        | [.., "ROOT", "TOKEN", "ID"]
        | [.., "ERLANG", "COOKIE"] => Promise::Credential,
        [.., "AUTH" | "AUTHORIZATION" | "BASICAUTH" | "CREDS" | "HTPASSWD"] | [.., "AUTH", "USER" | "USERS"] => {
            Promise::Login
        }
        [.., last] if CREDENTIALS.contains(last) || ENDINGS.iter().any(|end| last.ends_with(end)) => {
            Promise::Credential
        }
        [.., last] if last.strip_suffix("PASS").is_some_and(|of| OF_PASS.contains(&of)) => Promise::Credential,
        _ => Promise::Nothing,
    }
}

/// Whether a name says that its value is a credential: `DB_PASSWORD`, `API_KEY`, `db.password`; not `TOKEN_TTL`, `PUBLIC_KEY`.
pub fn is_credential(name: &str) -> bool {
    matches!(promise(name), Promise::Credential | Promise::Key)
}

/// Whether a value is the credential that its name promises. Of names that promise little, such as `KEY` and `AUTH`, the value must
/// look like one.
pub fn holds(name: &str, value: &str) -> bool {
    let value = value.trim();
    match promise(name) {
        Promise::Nothing => false,
        Promise::Credential if value::is_digits(value) => value::is_pin(value) && !counts(name),
        Promise::Credential => could_be(value),
        Promise::Key => {
            let is_named = value::is_path_of_words(value) || is_of_cookie(name) && value::is_cookie(value);
            could_be(value) && !is_named && (is_own_key(name) || !value::is_fingerprint(value))
        }
        Promise::Login => value::is_login(value) || could_be(value) && value::looks_made(value),
        Promise::Doubt => could_be(value) && value::looks_made(value) && !value::is_fingerprint(value),
    }
}

/// Whether a name may be that of what a cookie is called.
fn is_of_cookie(name: &str) -> bool {
    name.split(['_', '-', '.']).any(|word| ["COOKIE", "SESSION"].iter().any(|it| it.eq_ignore_ascii_case(word)))
}

/// Whether a name says that its key is a secret one, and not that of somebody whose signatures are checked.
fn is_own_key(name: &str) -> bool {
    const WORDS: [&str; 14] = [
        "ACCESS",
        "API",
        "APP",
        "AUTH",
        "ENCRYPTION",
        "HMAC",
        "JWT",
        "LICENSE",
        "MASTER",
        "PRIVATE",
        "SECRET",
        "SESSION",
        "SIGNING",
        "STORAGE",
    ];
    name.split(['_', '-', '.']).any(|word| WORDS.iter().any(|it| it.eq_ignore_ascii_case(word)))
}

/// Whether a value of that name says which attribute stands for which, as in `userPassword=password`.
fn maps_attributes(name: &str) -> bool {
    let last = name.rsplit(['_', '-', '.']).next().unwrap_or_default();
    ["ATTRS", "ATTRIBUTES"].iter().any(|it| it.eq_ignore_ascii_case(last))
}

/// Whether a name says how many there are of something: `MAX_TOKEN`.
fn counts(name: &str) -> bool {
    name.split(['_', '-', '.']).any(|word| COUNTS.iter().any(|it| it.eq_ignore_ascii_case(word)))
}

/// Whether a name is that of an address which lets in whoever knows it, such as a webhook: `init` lets a person supply it, and `check`
/// judges its value by its shape alone.
pub fn is_address(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["DSN", "WEBHOOK", "WEBHOOK_URL"].iter().any(|end| name.ends_with(end))
}

/// `clientSecret` as `CLIENT_SECRET`.
fn unhumped(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && words.ends_with(|it: char| it.is_ascii_lowercase()) {
            words.push('_');
        }
        words.push(letter);
    }
    words.make_ascii_uppercase();
    words
}

/// Whether a text could be the credential that its name promises, or has one in it whatever it is called.
pub fn is_literal(name: &str, text: &str) -> bool {
    // What a browser gets is in the form of a key, and none.
    let has = match () {
        () if open::is_open(name) => {
            has_key(text) || text::has_password_in_address(text) || stops_commits(text.as_bytes())
        }
        () if maps_attributes(name) => has_key(text) || text::has_password_in_address(text) || text::has_form(text),
        () => has_credential(text) || in_document(text).is_some(),
    };
    has || holds(name, text)
}

/// Whether what stands in a text beside its `${NAME}` is the credential that the text's name promises, where none of those
/// brings one.
pub fn is_rest_of(name: &str, text: &str) -> bool {
    // Less is what joins them.
    const FEWEST: usize = 4;
    let behind = |it: &'_ str| it.split_once('}').map_or(it.len(), |(variable, _)| variable.len() + 1);
    let pieces = text.split("${").enumerate().map(|(at, it)| if at == 0 { it } else { &it[behind(it)..] });
    let pieces: Vec<&str> = pieces.collect();
    let rest = pieces.concat();
    let rest = rest.trim_matches(|it: char| !it.is_alphanumeric());
    rest.len() >= FEWEST && could_be(rest) && holds(name, &pieces.join("v"))
}

/// Whether a text has a credential in it: an address with a password, a pair or JSON field that is called one, a private key, or what
/// its issuer gave a form, such as a token of GitHub.
pub fn has_credential(text: &str) -> bool {
    has_key(text) || text::has_password(text) || text::has_form(text)
}

/// Whether a text has a private key in it.
fn has_key(text: &str) -> bool {
    text.contains("PRIVATE KEY-----")
}

/// The name in a line of an env file that git keeps, if a credential stands behind it.
pub fn assigned(line: &str) -> Option<&str> {
    let line = line.trim();
    let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_put_in = value.starts_with('#') || value.contains('$');
    let is_literal = is_name && !is_put_in && is_literal(name, value.trim_matches(['"', '\'']));
    (is_literal && !["_FILE", "_PATH", "_DIR"].iter().any(|end| name.ends_with(end))).then_some(name)
}

#[cfg(test)]
mod tests;
