//! The manifest as the rest of the program sees it: every name resolved, every default filled in.
//!
//! A [`Manifest`] is only made by [`super::parse`], so whoever holds one need not check it again.

use std::borrow::{Borrow, Cow};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::allowance::Allowance;
use super::comments::Comments;
use super::deployment::{ComposeVariables, Deployment};
use super::hook::Hook;
use super::issue::Issue;
use super::leaks::Rules;
use super::period::Period;
use super::template::Template;
use super::window::Window;
use crate::name::{EnvName, GroupName, HookName, OutputName, SecretName};

/// Everything that a `vault-kit.toml` declares.
#[derive(Debug)]
pub struct Manifest {
    /// Its path as the user knows it, relative to its directory.
    pub file: String,
    /// The project's name; part of fingerprints and certificate subjects.
    pub project: String,
    /// The `iss` of tokens; the project's name unless declared.
    pub issuer: String,
    /// The environment that is used when none is named.
    pub default_environment: EnvName,
    /// How many versions of a secret keep their value.
    pub keep: usize,
    /// The Compose files that start it, unless an environment has its own; see [`Manifest::compose_in`]. `None` = nothing is said of
    /// them.
    pub compose: Option<Vec<String>>,
    /// Where Compose gets its variables from, unless an environment says otherwise.
    pub compose_variables: ComposeVariables,
    /// At least the default environment.
    pub environments: BTreeMap<EnvName, Environment>,
    /// The secrets by name.
    pub secrets: BTreeMap<SecretName, Arc<Declaration>>,
    /// The outputs by name.
    pub outputs: BTreeMap<OutputName, Output>,
    /// The programs that a rotation calls, by name.
    pub hooks: BTreeMap<HookName, Hook>,
    /// What the Compose files and the gateway are held to.
    pub deployment: Option<Deployment>,
    /// The findings that are put up with for some time, in the order of the file.
    pub allowances: Vec<Allowance>,
    /// What the rules of a search for leaks do.
    pub scan: Rules,
    /// All secrets, each after everything that it refers to.
    pub order: Vec<Arc<Declaration>>,
    /// What is worth a word but not wrong.
    pub warnings: Vec<Issue>,
    /// What is written beside what counts.
    pub comments: Comments,
}

/// What differs between environments.
#[derive(Debug, Default)]
pub struct Environment {
    /// Replaces the secrets' own rotation.
    pub rotate: Option<Rotate>,
    /// Replaces the overlap of the secrets that have one.
    pub overlap: Option<Period>,
    /// When its secrets may be replaced; see [`Declaration::windows_in`].
    pub windows: Vec<Window>,
    /// The Compose files that start it, instead of the project's.
    pub compose: Option<Vec<String>>,
    /// Where Compose gets its variables from, instead of what the project says.
    pub compose_variables: ComposeVariables,
    /// Who can open this environment's store, by a person's name; empty = the user's own identity.
    pub recipients: BTreeMap<String, String>,
    /// Where in AWS the environment lives.
    pub aws: Option<Aws>,
}

/// An environment's place in AWS Secrets Manager.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Aws {
    /// Twelve digits; absent = not checked.
    pub account: Option<String>,
    /// Such as `us-east-1`.
    pub region: Option<String>,
    /// Prefix of every secret's name, such as `/sutra/prod/`; see [`Aws::prefix_of`].
    pub prefix: Option<String>,
    /// KMS key id, ARN or alias.
    pub kms_key: Option<String>,
    /// Regions that have a copy of every secret.
    pub replicas: Vec<String>,
    /// Tags of every secret, besides our own.
    pub tags: BTreeMap<String, String>,
    /// How long a deleted secret can be taken back: 7 to 30 whole days.
    pub recovery_window: Option<Period>,
    /// How long the last good copy may serve when AWS cannot be reached.
    pub stale_after: Option<Period>,
    /// Within which time every host takes what changed there; see [`Aws::spread`].
    pub spread: Option<Period>,
    /// Takes effect only after `vault-kit trust`.
    pub role_arn: Option<String>,
    /// Takes effect only after `vault-kit trust`.
    pub profile: Option<String>,
    /// Takes effect only after `vault-kit trust`.
    pub endpoint: Option<String>,
}

/// How often a value is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotate {
    /// After this long.
    Every(Period),
    /// Never.
    Never,
}

/// One secret (or setting) and its life.
#[derive(Debug)]
pub struct Declaration {
    /// Its name.
    pub name: SecretName,
    /// How it comes into being.
    pub kind: Kind,
    /// How often it is replaced.
    pub rotate: Option<Rotate>,
    /// How long the previous value stays deliverable after a rotation.
    pub overlap: Option<Period>,
    /// When it may be replaced; empty = whenever its environment allows it.
    pub windows: Vec<Window>,
    /// What it is rotated together with.
    pub group: Option<GroupName>,
    /// Who supplies it or answers for it.
    pub owner: Option<String>,
    /// What a value must look like: a regular expression.
    pub pattern: Option<Pattern>,
    /// Where a person gets it.
    pub obtain: Option<String>,
    /// Free words for people.
    pub description: Option<String>,
    /// The environments in which it exists; `None` = all.
    pub environments: Option<BTreeSet<EnvName>>,
    /// Whether its absence is fine; only for `external`.
    pub optional: bool,
    /// The hooks that its rotation calls, in this order.
    pub hooks: Vec<HookName>,
    /// The users that its versions belong to in turn; none, or at least two.
    pub usernames: Vec<String>,
    /// Where it is in AWS Secrets Manager, in environments that have an [`Aws`]; `None` = only here.
    pub remote: Option<RemotePlace>,
    /// Line in the manifest, from 1.
    pub line: usize,
}

/// Where in AWS Secrets Manager a secret is, below the environment's prefix.
///
/// A secret of several parts has a secret of its own, whose value is a JSON object of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemotePlace {
    /// A secret of its own.
    Secret {
        /// Its name below the prefix, such as `database/url`.
        path: String,
    },
    /// A key of a JSON object.
    Key {
        /// The object's name below the prefix.
        bundle: String,
        /// The key.
        key: String,
    },
}

/// A regular expression that compiled.
#[derive(Debug, Clone)]
pub struct Pattern(pub regex_lite::Regex);

/// How a value comes into being, with the parameters of each kind.
#[derive(Debug)]
pub enum Kind {
    /// `prefix` + 30 base62 characters + 6-character CRC32 (GitHub's scheme).
    ApiKey {
        /// Such as `sutra_live_`; `[A-Za-z0-9_]*`.
        prefix: String,
    },
    /// A certificate authority.
    Ca(Ca),
    /// A leaf certificate.
    Certificate(Certificate),
    /// A key for data at rest: random bytes whose rotation needs a re-encrypt hook.
    EncryptionKey(RandomBytes),
    /// A person or a provider supplies it.
    External,
    /// A leaf certificate that somebody else issues and `cert import` takes in (`issuer = "import"`).
    ImportedCertificate(ImportedCertificate),
    /// An asymmetric signing key.
    Keypair {
        /// Which curve.
        algorithm: KeyAlgorithm,
    },
    /// Words of the EFF long list.
    Passphrase {
        /// How many.
        words: u32,
        /// What stands between them.
        separator: String,
    },
    /// Characters of an alphabet.
    Password(Password),
    /// Random bytes as text.
    Random(RandomBytes),
    /// Not secret: lives in the manifest.
    Setting {
        /// The value where `values` has none.
        value: Option<String>,
        /// The value by environment.
        values: BTreeMap<EnvName, String>,
    },
    /// Text made of other secrets.
    Template(Template),
    /// A signed JWT.
    Token(Token),
    /// A version 4 UUID.
    Uuid,
}

/// Parameters of `random` and `encryption-key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RandomBytes {
    /// How many bytes are drawn.
    pub bytes: u32,
    /// How they are written.
    pub encoding: Encoding,
}

/// How random bytes are written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// RFC 4648 §4 with padding.
    Base64,
    /// RFC 4648 §5 without padding.
    Base64url,
    /// RFC 4648 §8, lower case.
    Hex,
}

/// Parameters of `password`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Password {
    /// How many characters.
    pub length: u32,
    /// The distinct ASCII characters that are drawn from, each equally likely.
    pub alphabet: String,
    /// Classes of which each must be present at least once.
    pub classes: BTreeSet<CharClass>,
}

/// A class of characters that a password must contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CharClass {
    /// 0–9.
    Digit,
    /// a–z.
    Lower,
    /// Any other printable ASCII character.
    Symbol,
    /// A–Z.
    Upper,
}

/// Which curve a key pair is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// Ed25519 (RFC 8032).
    Eddsa,
    /// P-256 with SHA-256.
    Es256,
    /// P-384 with SHA-384.
    Es384,
}

/// Parameters of `ca`.
#[derive(Debug)]
pub struct Ca {
    /// The CA that signs this one; `None` = a root.
    pub issuer: Option<SecretName>,
    /// The key's curve.
    pub algorithm: KeyAlgorithm,
    /// Life of the certificate.
    pub ttl: Period,
    /// Common name; made from the project's name when absent.
    pub common_name: Option<String>,
    /// DNS subtrees that certificates beneath it may name, if it is constrained.
    pub permitted_dns: Vec<String>,
    /// Address ranges that certificates beneath it may name, if it is constrained.
    pub permitted_ip: Vec<IpNet>,
}

/// Parameters of `certificate`.
#[derive(Debug)]
pub struct Certificate {
    /// The CA that signs it; `None` = self-signed (`issuer = "self"`).
    pub issuer: Option<SecretName>,
    /// The key's curve.
    pub algorithm: KeyAlgorithm,
    /// What it may be used for.
    pub usage: Usage,
    /// DNS names, lower case, wildcard only as the leftmost label.
    pub dns: Vec<String>,
    /// Addresses.
    pub ip: Vec<IpAddr>,
    /// URIs such as `spiffe://…`.
    pub uri: Vec<String>,
    /// Life of the certificate.
    pub ttl: Period,
}

/// Parameters of a `certificate` that is imported: what every one that comes must be good for.
#[derive(Debug)]
pub struct ImportedCertificate {
    /// What it may be used for.
    pub usage: Usage,
    /// DNS names that it must cover, lower case, no wildcard.
    pub dns: Vec<String>,
    /// Addresses that it must cover.
    pub ip: Vec<IpAddr>,
}

/// The extended key usage of a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// clientAuth.
    Client,
    /// serverAuth.
    Server,
}

/// Parameters of `token`.
#[derive(Debug, Clone)]
pub struct Token {
    /// The secret whose value (HMAC) or private key signs it.
    pub signed_by: SecretName,
    /// The JWS algorithm; decided from the key's kind unless declared.
    pub algorithm: TokenAlgorithm,
    /// The `role` claim.
    pub role: Option<Role>,
    /// The `sub` claim.
    pub subject: String,
    /// The `aud` claim: at least one.
    pub audience: Vec<String>,
    /// The `scope` claim, joined by spaces.
    pub scope: Vec<String>,
    /// The `iss` claim.
    pub issuer: String,
    /// From `iat` to `exp`.
    pub ttl: Period,
}

/// JWS algorithms (RFC 7518 §3.1, RFC 8037) that a declared token can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAlgorithm {
    /// Ed25519.
    Eddsa,
    /// P-256 with SHA-256.
    Es256,
    /// P-384 with SHA-384.
    Es384,
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
}

impl From<KeyAlgorithm> for TokenAlgorithm {
    fn from(curve: KeyAlgorithm) -> Self {
        match curve {
            KeyAlgorithm::Eddsa => Self::Eddsa,
            KeyAlgorithm::Es256 => Self::Es256,
            KeyAlgorithm::Es384 => Self::Es384,
        }
    }
}

/// What the bearer of a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Admin,
    /// Read APIs.
    Reader,
    /// Internal APIs.
    Service,
    /// Read and write APIs.
    Writer,
}

/// A file, or a directory of files, that the secrets are delivered in.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its name.
    pub name: OutputName,
    /// What is written there.
    pub format: Format,
    /// Relative to the manifest's directory, without `..`; absolute only after `vault-kit trust`.
    pub path: String,
    /// What it delivers, in the order of the manifest; `["*"]` is already resolved.
    pub secrets: Vec<SecretName>,
    /// Mode of secret files, such as 0o600.
    pub mode: u32,
    /// Declared mode of the directories that its files are in; see [`Output::directory_needs`].
    pub directory_mode: Option<u32>,
    /// Owner; `None` = the invoking user.
    pub uid: Option<u32>,
    /// Group; `None` = the invoking user's.
    pub gid: Option<u32>,
    /// Write through the inode, for files that containers bind-mount singly.
    pub in_place: bool,
    /// Switch all its files at once, through a link.
    pub atomic: bool,
    /// The environments in which it exists; `None` = all.
    pub environments: Option<BTreeSet<EnvName>>,
    /// Line in the manifest, from 1.
    pub line: usize,
}

/// The format of an output, with the parameters of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// One file a secret, no trailing newline.
    DockerSecrets {
        /// File name by secret, relative to the output's path; default = lower-cased name.
        files: BTreeMap<SecretName, String>,
    },
    /// `NAME=value` lines.
    Dotenv {
        /// Whose rules the lines follow.
        dialect: Dialect,
    },
    /// One JSON object of names and values.
    Json,
    /// The public keys of key pairs as a JSON Web Key Set (RFC 7517).
    Jwks {
        /// How long verifiers may go on with a set that they fetched.
        max_age: Period,
    },
    /// Certificates and keys.
    Pem {
        /// File name by piece, relative to the output's path (and the secret's directory when there are several).
        files: BTreeMap<PemFile, String>,
    },
    /// A Secret of Kubernetes (core/v1).
    KubernetesSecret(Box<KubernetesObject>),
    /// What tells the External Secrets Operator to make one from AWS; holds no value.
    ExternalSecret(Box<ExternalSecret>),
    /// A format that a later release delivers; refused when rendered.
    NotYet(&'static str),
    /// The list of revoked tokens.
    Revocations,
    /// The fingerprints of generated values, for a search for leaks without the identity.
    Fingerprints,
    /// The API keys that were issued to others, by their hashes.
    ApiKeys,
}

/// What an object in Kubernetes is called, and the keys of its data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KubernetesObject {
    /// RFC 1123 subdomain; the output's name unless declared.
    pub name: String,
    /// `None` = whatever it is applied to.
    pub namespace: Option<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// Keys by secret, where it is not the secret's name.
    pub keys: BTreeMap<SecretName, String>,
}

/// An `ExternalSecret` (external-secrets.io/v1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalSecret {
    /// The object; the Secret that is made has its name too.
    pub object: KubernetesObject,
    /// The store that knows how to reach AWS.
    pub store: String,
    /// What kind of object that is.
    pub store_kind: StoreKind,
    /// How often values are read again.
    pub refresh_interval: Period,
}

/// The kind of a store of the External Secrets Operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// For the whole cluster.
    ClusterSecretStore,
    /// For its namespace.
    SecretStore,
}

/// A file of a `pem` output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PemFile {
    /// The root certificate.
    Ca,
    /// The certificate alone.
    Cert,
    /// The intermediates.
    Chain,
    /// The revocation lists of every CA above.
    Crl,
    /// The certificate, the intermediates and the private key, in one file as `HAProxy` wants it.
    Combined,
    /// The certificate, then the intermediates, never the root.
    Fullchain,
    /// The private key.
    Key,
    /// The public key, of a key pair.
    Public,
    /// What tells Traefik's file provider of the certificate.
    Traefik,
}

impl PemFile {
    /// Whether nothing in it is secret.
    pub fn is_public(self) -> bool {
        !matches!(self, Self::Combined | Self::Key)
    }
}

/// Whose file names a `pem` output has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `HAProxy`.
    Haproxy,
    /// A Secret of type `kubernetes.io/tls`.
    Kubernetes,
    /// nginx.
    Nginx,
    /// `PostgreSQL`.
    Postgres,
    /// Traefik's file provider.
    Traefik,
}

/// Whose reader a dotenv output is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Docker Compose v2 (`env_file`, `.env` interpolation).
    Compose,
    /// `docker run --env-file`: no quoting at all.
    DockerRun,
    /// What every measured reader agrees on.
    Portable,
    /// bash, dash, ash, zsh by `set -a; . ./.env`.
    Shell,
    /// systemd's `EnvironmentFile=`.
    Systemd,
}

impl Ca {
    /// Whether its certificate says which names it may sign for: always, unless it is a root that declares none.
    pub fn is_constrained(&self) -> bool {
        self.issuer.is_some() || !self.permitted_dns.is_empty() || !self.permitted_ip.is_empty()
    }
}

impl Certificate {
    /// The longest life that verifiers accept of a certificate that is no CA.
    pub const LONGEST: Period = Period::days(825);
}

impl Aws {
    /// The prefix of every name: declared, else `/<project>/<environment>/`.
    pub fn prefix_of(&self, project: &str, environment: &EnvName) -> String {
        self.prefix.clone().unwrap_or_else(|| format!("/{project}/{environment}/"))
    }

    /// Within which time every host takes what changed there: a day, unless it is declared.
    pub fn spread(&self) -> Period {
        self.spread.unwrap_or(Period::hours(24))
    }
}

impl RemotePlace {
    /// The name, below the prefix, of the secret in AWS that it is, or is a key of.
    pub fn path(&self) -> &str {
        match self {
            Self::Secret { path } => path,
            Self::Key { bundle, .. } => bundle,
        }
    }
}

impl Manifest {
    /// Whether a secret exists in an environment.
    pub fn has_secret(&self, name: &SecretName, environment: &EnvName) -> bool {
        self.secrets.get(name).is_some_and(|declaration| declaration.is_in(environment))
    }

    /// Where in AWS an environment lives; `None` when it stays on the host.
    pub fn aws(&self, environment: &EnvName) -> Option<&Aws> {
        self.environments.get(environment)?.aws.as_ref()
    }

    /// The declaration of that name, in whichever environments it exists.
    pub fn secret(&self, name: &(impl Borrow<str> + ?Sized)) -> Option<&Declaration> {
        self.secrets.get(name.borrow()).map(AsRef::as_ref)
    }

    /// The secret whose previous value is delivered under a name.
    pub fn of_previous(&self, name: &SecretName) -> Option<&Declaration> {
        self.secret(name.before_suffix()?).filter(|it| it.name.previous().as_ref() == Some(name))
    }

    /// The secrets of an environment, each after everything that it refers to.
    pub fn secrets_in<'a>(&'a self, environment: &'a EnvName) -> impl Iterator<Item = &'a Declaration> {
        self.order.iter().map(AsRef::as_ref).filter(|declaration: &&Declaration| declaration.is_in(environment))
    }

    /// The outputs of an environment, by name.
    pub fn outputs_in<'a>(&'a self, environment: &'a EnvName) -> impl Iterator<Item = &'a Output> {
        self.outputs.values().filter(|output| output.is_in(environment))
    }
}

impl Declaration {
    /// Whether it exists in an environment.
    pub fn is_in(&self, environment: &EnvName) -> bool {
        self.environments.as_ref().is_none_or(|environments| environments.contains(environment))
    }

    /// How long the previous value stays deliverable in an environment.
    ///
    /// An environment's own overlap goes before the secret's, but gives none to a secret that declares none.
    pub fn overlap_in(&self, environment: Option<&Environment>) -> Option<Period> {
        let declared = self.overlap?;
        Some(environment.and_then(|environment| environment.overlap).unwrap_or(declared))
    }

    /// When it may be replaced in an environment; empty = at any time.
    ///
    /// The secret's own windows go before those of the environment: who declares some knows what the secret needs.
    pub fn windows_in<'a>(&'a self, environment: Option<&'a Environment>) -> &'a [Window] {
        if self.windows.is_empty() {
            environment.map_or(&[], |environment| &environment.windows)
        } else {
            &self.windows
        }
    }

    /// The names it refers to.
    pub fn references(&self) -> Vec<&SecretName> {
        match &self.kind {
            Kind::Ca(ca) => ca.issuer.iter().collect(),
            Kind::Certificate(certificate) => certificate.issuer.iter().collect(),
            Kind::Template(template) => template.references().collect(),
            Kind::Token(token) => vec![&token.signed_by],
            _ => Vec::new(),
        }
    }

    /// Whether data at rest is lost with the value, unless it is encrypted anew.
    pub fn encrypts(&self) -> bool {
        matches!(self.kind, Kind::EncryptionKey(_))
    }

    /// Whether a value is kept in the store: all but settings.
    pub fn is_stored(&self) -> bool {
        !matches!(self.kind, Kind::Setting { .. })
    }

    /// What a person does first so that a value of a file can be kept, where `import` does not take one of this kind.
    pub fn before_import(&self) -> Option<String> {
        let name = &self.name;
        match self.kind {
            Kind::Setting { .. } => Some(format!("write it into the manifest, as the `value` of `{name}`")),
            Kind::Ca(_)
            | Kind::Certificate(_)
            | Kind::ImportedCertificate(_)
            | Kind::Keypair { .. }
            | Kind::Template(_) => Some(format!("declare `{name}` as `kind = \"external\"`")),
            _ => None,
        }
    }

    /// Whether vault-kit makes the value itself.
    pub fn is_generated(&self) -> bool {
        !matches!(self.kind, Kind::External | Kind::ImportedCertificate(_) | Kind::Setting { .. })
    }

    /// The words behind `vault-kit` by which a person supplies the value.
    pub fn supply_words(&self) -> String {
        match self.kind {
            Kind::ImportedCertificate(_) => {
                format!("cert import {} --fullchain fullchain.pem --key privkey.pem", self.name)
            }
            _ => format!("set {}", self.name),
        }
    }
}

impl Dialect {
    /// Its name as the manifest writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Compose => "compose",
            Self::DockerRun => "docker-run",
            Self::Portable => "portable",
            Self::Shell => "shell",
            Self::Systemd => "systemd",
        }
    }
}

impl Format {
    /// What besides the values decides a file's bytes, in the manifest's words: the format, and the dialect if it has one.
    pub fn form(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::DockerSecrets { .. } => "docker-secrets",
            Self::Dotenv { dialect } => return format!("dotenv, {}", dialect.name()).into(),
            Self::Json => "json",
            Self::Jwks { .. } => "jwks",
            Self::Pem { .. } => "pem",
            Self::NotYet(format) => format,
            Self::KubernetesSecret(object) => return format!("kubernetes-secret, {}", object.name).into(),
            Self::ExternalSecret(it) => return format!("external-secret, {}", it.object.name).into(),
            Self::ApiKeys => "api-keys",
            Self::Revocations => "revocations",
            Self::Fingerprints => "fingerprints",
        })
    }

    /// Whether it takes the previous value of a secret beside the current one.
    pub fn carries_previous(&self) -> bool {
        matches!(self, Self::DockerSecrets { .. } | Self::Dotenv { .. } | Self::Json | Self::KubernetesSecret(_))
    }

    /// Whether it tells the state of the store rather than the values of secrets.
    pub fn is_document(&self) -> bool {
        matches!(
            self,
            Self::ApiKeys | Self::ExternalSecret(_) | Self::Fingerprints | Self::Jwks { .. } | Self::Revocations
        )
    }

    /// Whether it is meant to be committed.
    pub fn is_committed(&self) -> bool {
        matches!(self, Self::ExternalSecret(_) | Self::Fingerprints)
    }

    /// Whether the manifest alone says what is in it.
    pub fn is_from_manifest(&self) -> bool {
        matches!(self, Self::ExternalSecret(_))
    }

    /// Whether it is a document that everybody may read unless the manifest says otherwise.
    pub fn is_public_document(&self) -> bool {
        matches!(self, Self::ExternalSecret(_) | Self::Fingerprints | Self::Jwks { .. } | Self::Revocations)
    }
}

impl Output {
    /// The least mode of a directory on the way to its files: closed, unless everybody may read them.
    pub fn directory_needs(&self) -> u32 {
        let by_files = if self.mode & 0o004 == 0 { 0o700 } else { 0o755 };
        self.directory_mode.unwrap_or(by_files)
    }

    /// What besides the values decides what is written, in the manifest's words.
    pub fn form(&self) -> Cow<'static, str> {
        if self.atomic { format!("{}, atomic", self.format.form()).into() } else { self.format.form() }
    }

    /// Whether it exists in an environment.
    pub fn is_in(&self, environment: &EnvName) -> bool {
        self.environments.as_ref().is_none_or(|environments| environments.contains(environment))
    }
}

impl Kind {
    /// The kind as the manifest writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ApiKey { .. } => "api-key",
            Self::Ca(_) => "ca",
            Self::Certificate(_) => "certificate",
            Self::EncryptionKey(_) => "encryption-key",
            Self::External => "external",
            // Apart from `certificate`: one that was made here must not pass for one that was issued elsewhere.
            Self::ImportedCertificate(_) => "imported-certificate",
            Self::Keypair { .. } => "keypair",
            Self::Passphrase { .. } => "passphrase",
            Self::Password(_) => "password",
            Self::Random(_) => "random",
            Self::Setting { .. } => "setting",
            Self::Template(_) => "template",
            Self::Token(_) => "token",
            Self::Uuid => "uuid",
        }
    }

    /// Whether it consists of several parts, such as a certificate and its key.
    pub fn has_parts(&self) -> bool {
        matches!(self, Self::Ca(_) | Self::Certificate(_) | Self::ImportedCertificate(_) | Self::Keypair { .. })
    }

    /// Whether it is one text that was drawn or supplied, whose predecessor can serve beside it for a while.
    pub fn is_single(&self) -> bool {
        use Kind::{ApiKey, EncryptionKey, External, Passphrase, Password, Random, Uuid};
        matches!(self, ApiKey { .. } | EncryptionKey(_) | External | Passphrase { .. } | Password(_) | Random(_) | Uuid)
    }

    /// Whether a value that was made as `kind` can serve as this one: single values can, whoever drew them; what comes
    /// in pieces or is derived cannot.
    pub fn accepts(&self, kind: &str) -> bool {
        const SINGLE: [&str; 7] = ["api-key", "encryption-key", "external", "passphrase", "password", "random", "uuid"];
        kind == self.name() || SINGLE.contains(&kind) && SINGLE.contains(&self.name())
    }

    /// The value of a setting in an environment.
    pub fn setting(&self, environment: &EnvName) -> Option<&str> {
        match self {
            Self::Setting { value, values } => values.get(environment).or(value.as_ref()).map(String::as_str),
            _ => None,
        }
    }
}
