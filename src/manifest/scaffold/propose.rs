//! Which kind a name of an example file probably is. In doubt `external`: a person looks at it.

use std::collections::BTreeMap;

use crate::credential::{self, looks_random};
use crate::name::SecretName;

/// A proposed kind.
pub(super) enum Proposal {
    EncryptionKey,
    /// Supplied by a person, from this vendor if it is a known one.
    External(Option<&'static str>),
    Passphrase,
    Password,
    Random,
    /// Not secret, with its value: that of the example, or the one that `runs`.
    Setting {
        value: String,
        runs: bool,
    },
    Template {
        template: String,
        /// Whose value it follows.
        of: SecretName,
    },
}

/// Words of names by which a vendor is known.
const VENDORS: [(&str, &str); 48] = [
    ("ALGOLIA", "Algolia"),
    ("ANTHROPIC", "Anthropic"),
    ("AWS", "AWS"),
    ("AZURE", "Azure"),
    ("B2", "Backblaze"),
    ("BACKBLAZE", "Backblaze"),
    ("CLOUDFLARE", "Cloudflare"),
    ("CLOUDINARY", "Cloudinary"),
    ("COHERE", "Cohere"),
    ("DATADOG", "Datadog"),
    ("DIGITALOCEAN", "DigitalOcean"),
    ("DISCORD", "Discord"),
    ("FACEBOOK", "Facebook"),
    ("FIREBASE", "Google"),
    ("GEMINI", "Google"),
    ("GITHUB", "GitHub"),
    ("GITLAB", "GitLab"),
    ("GOOGLE", "Google"),
    ("GROQ", "Groq"),
    ("HCAPTCHA", "hCaptcha"),
    ("HF", "Hugging Face"),
    ("HUGGINGFACE", "Hugging Face"),
    ("LINKEDIN", "LinkedIn"),
    ("MAILGUN", "Mailgun"),
    ("MISTRAL", "Mistral"),
    ("OPENAI", "OpenAI"),
    ("PAYPAL", "PayPal"),
    ("PLAID", "Plaid"),
    ("POSTMARK", "Postmark"),
    ("PUSHER", "Pusher"),
    ("R2", "Cloudflare"),
    ("RECAPTCHA", "Google"),
    ("RESEND", "Resend"),
    ("S3", "the S3 provider"),
    ("SENDGRID", "SendGrid"),
    ("SENTRY", "Sentry"),
    ("SES", "AWS"),
    ("SHOPIFY", "Shopify"),
    ("SLACK", "Slack"),
    ("SMTP", "the mail provider"),
    ("SPACES", "DigitalOcean"),
    ("STRIPE", "Stripe"),
    ("SUPABASE", "Supabase"),
    ("TELEGRAM", "Telegram"),
    ("TURNSTILE", "Cloudflare"),
    ("TWILIO", "Twilio"),
    ("TWITTER", "Twitter"),
    ("WASABI", "Wasabi"),
];

/// What people write where a value belongs.
const PLACEHOLDERS: [&str; 8] = ["change-me", "change_me", "changeme", "placeholder", "replace", "todo", "xxx", "your"];

/// Knows all names of the example, so that a URL can follow its password.
pub(super) struct Proposer<'a> {
    /// The values that run, by name.
    running: BTreeMap<&'a str, &'a str>,
    passwords: Vec<SecretName>,
    /// Whose value is another's: `A=${B}`.
    aliases: BTreeMap<SecretName, SecretName>,
}

impl<'a> Proposer<'a> {
    pub(super) fn new(entries: &[(SecretName, &str)], running: BTreeMap<&'a str, &'a str>) -> Self {
        let names = || entries.iter().map(|(name, _)| name);
        let alias = |(name, value): &(SecretName, &str)| {
            let of = value.strip_prefix("${")?.strip_suffix('}')?;
            Some((name.clone(), names().find(|name| name.as_str() == of)?.clone()))
        };
        Self {
            running,
            passwords: names().filter(|name| matches!(by_name(name), Some(Proposal::Password))).cloned().collect(),
            aliases: entries.iter().filter_map(alias).collect(),
        }
    }

    /// The credential that a name is another name of; `None` where names lead around in a circle.
    fn meant(&self, name: &SecretName) -> Option<&SecretName> {
        let mut of = self.aliases.get(name)?;
        for _ in &self.aliases {
            match self.aliases.get(of) {
                Some(next) => of = next,
                None => return speaks(of).then_some(of),
            }
        }
        None
    }

    /// The name decides first, then the shape of the example.
    pub(super) fn propose(&self, name: &SecretName, value: &str) -> Proposal {
        if let Some(of) = self.meant(name) {
            return Proposal::Template { template: format!("${{{of}}}"), of: of.clone() };
        }
        let by_name = by_name(name);
        // A password cannot follow itself.
        let may_follow = !matches!(by_name, Some(Proposal::Password));
        let runs = self.running.get(name.as_str()).filter(|it| value.is_empty() || value == **it);
        if let Some(connection) = Connection::parse(runs.unwrap_or(&value)).filter(|_| may_follow)
            && let Some(template) = self.template(&connection, runs.is_some())
        {
            return template;
        }
        by_name.unwrap_or_else(|| {
            // Under a name that leaves it open, such as `AUTH`, the value tells.
            let is_open = |value: &str| is_plain(value) && !credential::is_literal(name.as_str(), value);
            let setting = |value: &str, runs| Proposal::Setting { value: value.to_owned(), runs };
            // An empty line waits for its value.
            match self.running.get(name.as_str()).filter(|runs| !runs.is_empty() && **runs != value) {
                None if is_open(value) => setting(value, false),
                // What runs goes on. The manifest is committed: what is no everyday word is left to `import`.
                Some(runs) if is_open(value) && is_open(runs) && is_everyday(runs) => setting(runs, true),
                _ => Proposal::External(vendor(&words(name))),
            }
        })
    }

    /// A URL that follows the password it names, or the one of its service. One that runs follows the one that it has: any other
    /// would replace it.
    fn template(&self, connection: &Connection<'_>, runs: bool) -> Option<Proposal> {
        let named = |name: &&SecretName| connection.password == format!("${{{name}}}");
        let serves = |name: &&SecretName| {
            connection.services().iter().any(|service| words(name).iter().any(|word| word == service))
        };
        let has_it = |name: &&SecretName| self.running.get(name.as_str()) == Some(&connection.password);
        let of = self.passwords.iter().find(named).or_else(|| {
            let mut serving = self.passwords.iter().filter(serves);
            if runs { serving.find(has_it) } else { serving.next() }
        })?;
        let Connection { before, after, .. } = connection;
        Some(Proposal::Template { template: format!("{before}${{{of} | urlencode}}{after}"), of: of.clone() })
    }
}

/// Whether a name speaks of a credential, or of an address that is one.
pub(super) fn speaks(name: &SecretName) -> bool {
    credential::is_credential(name.as_str()) || credential::is_address(name.as_str())
}

fn words(name: &SecretName) -> Vec<String> {
    let upper = name.as_str().to_ascii_uppercase();
    let words = upper.split(['_', '-', '.']).map(|word| match word.trim_end_matches(|it: char| it.is_ascii_digit()) {
        // `TOKEN2` is another token, and `S3` is called so.
        which if which.len() < 2 => word.to_owned(),
        which => which.to_owned(),
    });
    words.collect()
}

fn vendor(words: &[String]) -> Option<&'static str> {
    words.iter().find_map(|word| VENDORS.iter().find(|(vendor, _)| word == vendor)).map(|&(_, shown)| shown)
}

/// What the name alone says; `None` if it does not speak of a credential.
fn by_name(name: &SecretName) -> Option<Proposal> {
    if !speaks(name) {
        return None;
    }
    let words = &words(name);
    // `APIKEY` and `DBPASSWORD` have no `_`: the end of a word counts as a word.
    let has = |wanted: &str| words.iter().any(|word| word == wanted || wanted.len() >= 4 && word.ends_with(wanted));
    // Whoever calls it so takes it from the one who keeps the files, as with `AWS_SECRET_ACCESS_KEY`.
    let is_of_storage = || words.windows(3).any(|three| three == ["SECRET", "ACCESS", "KEY"]);
    let is_issued = || ["CLIENT", "CONSUMER", "OAUTH", "WEBHOOK", "DSN", "PRIVATE"].into_iter().any(has);
    let foreign = vendor(words).is_some() || is_issued() || is_of_storage();
    Some(match () {
        () if foreign => Proposal::External(vendor(words)),
        () if has("KEY") && words.iter().any(|word| word.starts_with("ENCRYPT")) => Proposal::EncryptionKey,
        () if has("SALT") || has("PEPPER") => Proposal::Random,
        () if has("PASSPHRASE") => Proposal::Passphrase,
        () if ["PASSWORD", "PASSWD", "PASS", "PWD"].into_iter().any(has) => Proposal::Password,
        () if has("SECRET") => Proposal::Random,
        () if has("KEY") && ["COOKIE", "JWT", "SESSION", "SIGNING"].into_iter().any(has) => Proposal::Random,
        () => Proposal::External(None),
    })
}

/// A URL with a password, such as `postgres://app:…@db:5432/app`.
struct Connection<'a> {
    scheme: &'a str,
    /// Up to the password.
    before: &'a str,
    password: &'a str,
    /// From the `@` on.
    after: &'a str,
}

impl<'a> Connection<'a> {
    /// `None` as well if anything beside the password could be a secret.
    fn parse(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let at = rest.rfind('@')?;
        let colon = rest[..at].find(':')?;
        let start = scheme.len() + 3 + colon + 1;
        let end = scheme.len() + 3 + at;
        let connection = Self { scheme, before: &url[..start], password: &url[start..end], after: &url[end..] };
        let user = &rest[..colon];
        let safe = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:/@,-".contains(&byte));
        let plain = safe(user) && safe(connection.after) && !looks_random(user) && !looks_random(connection.after);
        // A password with a `/` would make its tail look like the host's path.
        let one_part = !connection.password.is_empty() && !connection.password.contains(['/', '@', '?', '#']);
        let known = !connection.services().is_empty();
        (known && plain && one_part).then_some(connection)
    }

    /// Words by which a password of that service is named.
    fn services(&self) -> &'static [&'static str] {
        match self.scheme.split('+').next() {
            Some("postgres" | "postgresql") => &["POSTGRES", "POSTGRESQL", "PG", "DB", "DATABASE"],
            Some("mysql" | "mariadb") => &["MYSQL", "MARIADB", "DB", "DATABASE"],
            Some("mongodb") => &["MONGO", "MONGODB"],
            Some("redis" | "rediss") => &["REDIS"],
            Some("amqp" | "amqps") => &["RABBITMQ", "AMQP"],
            _ => &[],
        }
    }
}

/// Whether a value can stand in a file that everybody reads: ports, hosts, levels, names, addresses, lists of them.
fn is_plain(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:/,*+ -".contains(&byte);
    !value.is_empty()
        && value.len() <= 200
        && value.trim() == value
        && value.bytes().all(plain)
        && !PLACEHOLDERS.iter().any(|placeholder| lower.contains(placeholder))
        && !looks_random(value)
        && !has_userinfo_or_key_prefix(value)
}

/// Whether a value is made of words and small numbers, as ports, hosts, levels and regions are, and licences and codes are not.
fn is_everyday(value: &str) -> bool {
    const LONGEST_NUMBER: usize = 5;
    const MOST_DIGITS: usize = 2;
    value.split([':', '/', '.', ',', ' ']).all(|part| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        let words = part.split(['-', '_', '+', '*']).map(|word| word.trim_end_matches(|it: char| it.is_ascii_digit()));
        let is_word = |word: &str| {
            let rest = word.get(1..).unwrap_or_default().as_bytes();
            rest.iter().all(u8::is_ascii_lowercase) || word.bytes().all(|it| it.is_ascii_uppercase())
        };
        digits == part.len() && digits <= LONGEST_NUMBER || digits <= MOST_DIGITS && { words }.all(is_word)
    })
}

/// The beginnings by which vendors mark their keys.
fn has_userinfo_or_key_prefix(value: &str) -> bool {
    const PREFIXES: [&str; 10] = ["AKIA", "ASIA", "eyJ", "gh", "glpat-", "pk_", "rk_", "sk-", "sk_", "xox"];
    value.contains('@') || PREFIXES.iter().any(|prefix| value.starts_with(prefix) && value.len() > 8)
}
