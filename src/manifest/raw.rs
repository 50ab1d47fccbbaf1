//! The manifest as it is written: every field optional, nothing resolved.
//!
//! The doc comments and `#[schemars]` attributes here are what an editor shows and checks:
//! `schemas/manifest.schema.json` is made from them.

use super::deployment::TlsVersion;
use chrono::NaiveDate;
use toml::de::DeValue;

use super::hook::Step;
use super::leaks::Action;
use super::model::{
    CharClass, Dialect, Encoding, KeyAlgorithm, Layout, Role, Rotate, StoreKind, TokenAlgorithm, Usage,
};
use super::period::Period;
use super::read::{At, FromToml, Map, Node, Path, Tagged, Unread, choices, table, variants};

/// A list of texts.
pub(super) type Texts = Vec<At<String>>;

/// A secret as written.
pub(super) type RawSecret = Tagged<SecretFields, RawKind>;

/// An output as written.
pub(super) type RawOutput = Tagged<OutputFields, RawFormat>;

table! {
    /// The secrets of a deployment: how they are made, where they are delivered, how they rotate.
    RawManifest {
        /// The project that the secrets belong to.
        project: RawProject = "[project]",
        /// What differs between environments; without it there is one, `dev`.
        #[schemars(extend("propertyNames" = { "pattern": r"^[A-Za-z_][A-Za-z0-9_.-]{0,127}$" }))]
        environments: Map<RawEnvironment>,
        /// The secrets and settings by name.
        #[schemars(extend("propertyNames" = { "pattern": r"^[A-Za-z_][A-Za-z0-9_.-]{0,127}$" }))]
        secrets: Unread<RawSecret>,
        /// The files that they are delivered in, by a name of your choice.
        #[schemars(extend("propertyNames" = { "pattern": r"^[A-Za-z_][A-Za-z0-9_.-]{0,127}$" }))]
        outputs: Map<RawOutput>,
        /// The programs that a rotation calls, by a name of your choice; nothing of it runs without `vault-kit trust`.
        #[schemars(extend("propertyNames" = { "pattern": r"^[A-Za-z_][A-Za-z0-9_.-]{0,127}$" }))]
        hooks: Map<RawHook>,
        /// What `check` holds the Compose files and the gateway to.
        deployment: RawDeployment,
        /// What `check` is told.
        check: RawCheck,
        /// How `scan` looks for leaks.
        scan: RawScan,
    }

    /// What `check` is told.
    RawCheck {
        /// Findings that are put up with for some time.
        allow: Vec<At<RawAllow>>,
    }

    /// A finding that is put up with for some time; `secret`, `file` or both say which.
    RawAllow {
        /// Its code; `vault-kit explain` lists them.
        code: String = "code = \"rotation-due\"",
        /// The secret that it is about.
        secret: String,
        /// The file that it is about, as `check` names it.
        #[schemars(length(min = 1))]
        file: String,
        /// Why, for whoever reads it later.
        #[schemars(length(min = 1))]
        reason: String = "reason = \"the provider replaces it in March\"",
        /// The last day on which it is allowed, such as `2026-12-31`, in UTC.
        until: Day = "until = \"2026-12-31\"",
        /// The environments in which it is allowed; absent = all.
        #[schemars(length(min = 1))]
        environments: Texts,
    }

    /// How `scan` looks for leaks.
    RawScan {
        /// What a rule does with what it finds, by its name: `block`, `warn` or `off`.
        rules: Map<Action>,
    }

    /// The project.
    RawProject {
        /// Name of the project; part of fingerprints and certificate subjects.
        #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"))]
        name: String = "name = \"my-project\"",
        /// The environment that is used when none is named; default `dev` if there is one, else the first.
        default_environment: String,
        /// The `iss` claim of tokens; default is the project's name.
        #[schemars(length(min = 1))]
        issuer: String,
        /// How many versions of a secret keep their value, besides those that delivered files hold; default 5.
        #[schemars(range(min = 1, max = 100))]
        keep: u32,
        /// The Compose files that start it, in the order of `docker compose -f`: `check` reads them.
        #[schemars(inner(length(min = 1)))]
        compose: Texts,
        /// The files that `docker compose --env-file` is given; default is the `.env` beside the first Compose file.
        #[schemars(inner(length(min = 1)))]
        compose_env_files: Texts,
        /// Whether Compose is started by `vault-kit run -- docker compose up`, and so gets every variable from there.
        compose_run: bool,
    }

    /// An environment, such as `dev` or `prod`.
    RawEnvironment {
        /// Replaces the secrets' own rotation: a length of time such as `90d`, or `never`.
        rotate: Rotate,
        /// Replaces the overlap of the secrets that have one, such as `24h`.
        overlap: Period,
        /// When the secrets that have no window of their own may be replaced.
        window: Windows,
        /// The Compose files that start this environment, instead of the project's; `[]` = it has no Compose.
        #[schemars(inner(length(min = 1)))]
        compose: Texts,
        /// The files that `docker compose --env-file` is given in this environment, instead of the project's.
        #[schemars(inner(length(min = 1)))]
        compose_env_files: Texts,
        /// Whether Compose is started by `vault-kit run` in this environment, instead of what the project says.
        compose_run: bool,
        /// Who can open this environment's store: age recipients by a person's name.
        #[schemars(extend("additionalProperties" = { "type": "string", "pattern": "^age1[02-9ac-hj-np-z]+$" }))]
        recipients: Map<String>,
        /// Where in AWS Secrets Manager the environment lives.
        aws: RawAws,
    }

    /// An environment's place in AWS.
    RawAws {
        /// The account's twelve digits; absent = not checked.
        #[schemars(regex(pattern = r"^[0-9]{12}$"))]
        account: String,
        /// Such as `us-east-1`.
        #[schemars(regex(pattern = r"^[a-z0-9-]+$"))]
        region: String,
        /// Prefix of every secret's name, such as `/sutra/prod/`; default is `/`, the project, `/`, the environment, `/`.
        #[schemars(regex(pattern = r"^/?([A-Za-z0-9_+=.@-]+/)+$"), length(max = 511))]
        prefix: String,
        /// KMS key: id, ARN or alias.
        #[schemars(length(min = 1))]
        kms_key: String,
        /// Regions that have a copy of every secret, such as `eu-west-1`.
        #[schemars(inner(regex(pattern = r"^[a-z0-9-]+$")))]
        replicas: Texts,
        /// Tags of every secret, besides vault-kit's own: at most 40.
        #[schemars(extend(
            "maxProperties" = 40,
            "propertyNames" = { "minLength": 1, "maxLength": 128, "not": { "pattern": "^([Aa][Ww][Ss]|[Vv][Aa][Uu][Ll][Tt]-[Kk][Ii][Tt]):" } },
            "additionalProperties" = { "type": "string", "maxLength": 256 }
        ))]
        tags: Map<String>,
        /// How long a deleted secret can be taken back: `7d` to `30d`; default `30d`.
        recovery_window: Period,
        /// How long the last good copy may serve when AWS cannot be reached, such as `24h`.
        stale_after: Period,
        /// Within which time every host takes what changed there, such as `6h`; default `24h`. A key or root that all
        /// hosts publish signs no earlier.
        spread: Period,
        /// Role to assume; takes effect only after `vault-kit trust`.
        #[schemars(length(min = 1))]
        role_arn: String,
        /// Profile of the AWS configuration; takes effect only after `vault-kit trust`.
        #[schemars(length(min = 1))]
        profile: String,
        /// Another endpoint; takes effect only after `vault-kit trust`.
        #[schemars(length(min = 1))]
        endpoint: String,
    }

    /// What every secret can say.
    SecretFields {
        /// How often the value is replaced: a length of time such as `90d`, or `never`.
        rotate: Rotate,
        /// How long the previous value stays deliverable after a rotation, such as `24h`.
        overlap: Period,
        /// When it may be replaced, such as `Sun 02:00-05:00 Europe/Berlin`, or a list of such times: days (absent = every
        /// day), hours, and a time zone, `UTC` or an offset. Default: the environment's window.
        window: Windows,
        /// What it is rotated together with: `rotate --group NAME` takes all of one group.
        #[schemars(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_.-]*$"), length(max = 128))]
        group: String,
        /// Who supplies it or answers for it.
        owner: String,
        /// What a value must look like: a regular expression.
        #[schemars(extend("format" = "regex"))]
        pattern: String,
        /// Where a person gets it.
        obtain: String,
        /// Free words for people.
        description: String,
        /// The environments in which it exists; absent = all.
        #[schemars(length(min = 1))]
        environments: Texts,
        /// The hooks that its rotation calls, in this order.
        hooks: Texts,
        /// The users that its versions belong to in turn, at least two; of `passphrase`, `password` and `random`.
        #[schemars(length(min = 2))]
        usernames: Texts,
        /// Its name in AWS Secrets Manager below the environment's prefix, such as `database/url`.
        #[schemars(regex(pattern = r"^[A-Za-z0-9_+=.@-]+(/[A-Za-z0-9_+=.@-]+)*$"), length(max = 512))]
        aws: String,
        /// The JSON object in AWS Secrets Manager, below the environment's prefix, that it is a key of, such as `app`.
        #[schemars(regex(pattern = r"^[A-Za-z0-9_+=.@-]+(/[A-Za-z0-9_+=.@-]+)*$"), length(max = 512))]
        bundle: String,
        /// Its key in `bundle`; default is its name.
        #[schemars(regex(pattern = r"^[A-Za-z0-9_./-]{1,128}$"))]
        bundle_key: String,
    }

    /// A program that is called for some steps of a rotation.
    RawHook {
        /// The executable file, relative to the manifest's directory, or absolute.
        #[schemars(length(min = 1))]
        program: String = "program = \"hooks/postgres\"",
        /// What it is called for.
        #[schemars(length(min = 1))]
        steps: Vec<At<Step>> = "steps = [\"set\", \"test\", \"retire\"]",
        /// Texts for the program, such as `host`; no secrets.
        #[schemars(extend("propertyNames" = { "pattern": r"^[A-Za-z0-9_.-]{1,64}$" }))]
        options: Map<String>,
        /// Secrets whose current values the program gets besides the one that rotates.
        secrets: Texts,
        /// Names of variables that it inherits, besides `HOME`, `LANG`, `LC_ALL` and `TZ`.
        environment: Texts,
        /// How long a call may take, at most `1d`; default `60s`.
        timeout: Period,
        /// The outputs after whose change `reload` is called; absent = any.
        #[schemars(length(min = 1))]
        outputs: Texts,
    }

    /// What `check` holds the Compose files and the gateway to; what is left out is not judged.
    RawDeployment {
        /// Which ports of the host which services publish on every address, such as `nginx = ["80", "443"]`. With this or
        /// `localhost`, nothing else publishes a port.
        public: Map<Texts>,
        /// Which ports of the host which services publish on the loopback address alone.
        localhost: Map<Texts>,
        /// Networks that are `internal: true`.
        internal: Texts,
        /// Networks whose containers cannot reach each other: `com.docker.network.bridge.enable_icc: "false"`.
        isolated: Texts,
        /// The subnet of a network, such as `172.20.0.0/24`.
        subnets: Map<String>,
        /// Which services are on which networks, such as `nginx = ["public", "app"]`: these and no others.
        matrix: Map<Texts>,
        /// Which services get a secret, such as `SIGNING_KEY = ["auth"]`: these and no others, also in what is made of it.
        #[schemars(extend("propertyNames" = { "pattern": r"^[A-Za-z_][A-Za-z0-9_.-]{0,127}$" }))]
        holders: Map<Texts>,
        /// Whether every container has `no-new-privileges:true`.
        no_new_privileges: bool,
        /// Services with `read_only: true`.
        read_only: Texts,
        /// Whether every container has limits of processors and memory.
        limits: bool,
        /// The oldest version of TLS that the files in `nginx` and `traefik` may allow; default `1.2`.
        tls_min: TlsVersion,
        /// Configuration files of nginx.
        #[schemars(inner(length(min = 1)))]
        nginx: Texts,
        /// Files of Traefik's dynamic configuration, in YAML.
        #[schemars(inner(length(min = 1)))]
        traefik: Texts,
        /// Services that believe headers about who comes, such as `api = ["X-User-Id", "X-User-Role"]`: each of Traefik's routes to
        /// them passes a `ForwardAuth`, whose answer sets these headers in the place of the client's.
        forward_auth: Map<Texts>,
        /// The routers that lead to a service in `forward_auth` and are open to everybody, such as `api = ["health"]`.
        open_routes: Map<Texts>,
        /// Secrets and settings that no service reads, but a person or another host.
        outside: Texts,
    }

    /// Random bytes as text.
    RawRandom {
        /// How many bytes are drawn; default 32.
        #[schemars(range(min = 16, max = 1024))]
        bytes: u32,
        /// How they are written; default `base64url`.
        encoding: Encoding,
    }

    /// Characters of an alphabet.
    RawPassword {
        /// How many characters; default 32.
        #[schemars(range(min = 8, max = 1024))]
        length: u32,
        /// The distinct printable ASCII characters that are drawn from, at least 10; default A–Z a–z 0–9.
        #[schemars(regex(pattern = r"^[!-~]{10,94}$"))]
        alphabet: String,
        /// Classes of which each must be present; default `digit`, `lower`, `upper` unless there is an alphabet.
        classes: Vec<At<CharClass>>,
    }

    /// Words of the EFF long list.
    RawPassphrase {
        /// How many words; default 8.
        #[schemars(range(min = 6, max = 64))]
        words: u32,
        /// What stands between them; default `-`.
        separator: String,
    }

    /// No field of its own.
    RawNothing {}

    /// An asymmetric signing key.
    RawKeypair {
        /// Which curve; default `es256`.
        algorithm: KeyAlgorithm,
    }

    /// A key that this project's own API hands out.
    RawApiKey {
        /// What it begins with; default is the project's name and `_`.
        #[schemars(regex(pattern = r"^[A-Za-z0-9_]{0,64}$"))]
        prefix: String,
    }

    /// A signed JWT.
    RawToken {
        /// The secret that signs it: `random`, `password`, `keypair` or `external`.
        signed_by: String = "signed_by = \"NAME_OF_THE_KEY\"",
        /// The JWS algorithm; default `HS256`, or what a key pair demands.
        algorithm: TokenAlgorithm,
        /// The `role` claim.
        role: Role,
        /// The `sub` claim; default is the role and the secret's name.
        #[schemars(length(min = 1))]
        subject: String,
        /// The `aud` claim; default is the project's name.
        #[schemars(length(min = 1))]
        audience: Texts,
        /// The `scope` claim.
        scope: Texts,
        /// The `iss` claim; default is the project's issuer.
        #[schemars(length(min = 1))]
        issuer: String,
        /// From `iat` to `exp`, at most `365d`; default `90d` for service and admin, else `1h`.
        ttl: Period,
    }

    /// A certificate authority.
    RawCa {
        /// The CA that signs this one; absent = a root.
        issuer: String,
        /// The key's curve; default `es256`.
        algorithm: KeyAlgorithm,
        /// Life of the certificate; default `3650d` for a root, else `1825d`.
        ttl: Period,
        /// Common name; default is made from the project's name.
        #[schemars(length(min = 1, max = 64))]
        common_name: String,
        /// DNS subtrees that certificates beneath it may name; default for a CA with an `issuer`: the names of the
        /// certificates that it signs, and `localhost`; for a root: not constrained.
        permitted_dns: Texts,
        /// Address ranges that certificates beneath it may name, such as `10.0.0.0/8`; default for a CA with an `issuer`:
        /// the addresses of the certificates that it signs, and loopback; for a root: not constrained.
        permitted_ip: Texts,
    }

    /// A leaf certificate.
    RawCertificate {
        /// The `ca` that signs it, `self`, or `import` for one that somebody else issues and `cert import` takes in.
        issuer: String = "issuer = \"self\"",
        /// The key's curve; default `es256`.
        algorithm: KeyAlgorithm,
        /// What it is used for; default `server`.
        usage: Usage,
        /// DNS names; a wildcard only as the whole leftmost label. With `import`: names that it must cover.
        dns: Texts,
        /// IP addresses. With `import`: addresses that it must cover.
        ip: Texts,
        /// URIs such as `spiffe://…`.
        uri: Texts,
        /// Life of the certificate, at most `825d`; default `90d`.
        ttl: Period,
    }

    /// Text made of other secrets.
    RawTemplate {
        /// Text with `${NAME}` or `${NAME | filter}`; filters: `base64`, `bcrypt`, `json`, `sha256`, `urlencode`, `username`.
        template: String = "template = \"postgres://app:${POSTGRES_PASSWORD | urlencode}@db:5432/app\"",
    }

    /// Something that a person or a provider supplies.
    RawExternal {
        /// Whether its absence is fine; default `false`.
        optional: bool,
    }

    /// Not secret: lives in the manifest.
    RawSetting {
        /// The value where `values` has none.
        value: String,
        /// The value by environment.
        values: Map<String>,
    }

    /// What every output can say.
    OutputFields {
        /// The secrets in it, or `["*"]` = all that the format can carry (default).
        secrets: Texts,
        /// Mode of the files; default `0600`.
        mode: Mode,
        /// Mode of directories that are made for it; default `0700`.
        directory_mode: Mode,
        /// Owner; absent = the invoking user.
        uid: u32,
        /// Group; absent = the invoking user's.
        gid: u32,
        /// Write through the inode, for files that containers bind-mount singly; default `false`.
        in_place: bool,
        /// The environments in which it exists; absent = all.
        #[schemars(length(min = 1))]
        environments: Texts,
    }

    /// A file of `NAME=value` lines.
    RawDotenv {
        /// Where it is written, relative to the manifest's directory.
        #[schemars(length(min = 1))]
        path: String = "path = \".env\"",
        /// Whose rules the lines follow; default `portable`.
        dialect: Dialect,
    }

    /// One file, without further choices.
    RawFile {
        /// Where it is written, relative to the manifest's directory.
        #[schemars(length(min = 1))]
        path: String = "path = \"secrets.json\"",
    }

    /// The hashes of issued API keys, in one file.
    RawApiKeys {
        /// Where it is written, relative to the manifest's directory.
        #[schemars(length(min = 1))]
        path: String = "path = \"api-keys.json\"",
    }

    /// A set of public keys.
    RawJwks {
        /// Where it is written, relative to the manifest's directory.
        #[schemars(length(min = 1))]
        path: String = "path = \"jwks.json\"",
        /// How long verifiers may go on with a set that they fetched; default `1h`.
        max_age: Period,
    }

    /// A Secret of Kubernetes.
    RawKubernetesSecret {
        /// Where it is written, relative to the manifest's directory.
        #[schemars(length(min = 1))]
        path: String = "path = \"k8s/secret.yaml\"",
        /// Name of the object; default is the output's name, in lower case and with `-` for `_` and `.`.
        #[schemars(length(min = 1, max = 253))]
        name: String,
        /// Namespace of the object; absent = whichever it is applied to.
        #[schemars(length(min = 1, max = 63))]
        namespace: String,
        /// Labels of the object.
        labels: Map<String>,
        /// Annotations of the object.
        annotations: Map<String>,
        /// Keys in the object's data, by secret; default is the secret's name.
        keys: Map<String>,
    }

    /// What the External Secrets Operator makes a Secret from.
    RawExternalSecret {
        /// Where it is written, relative to the manifest's directory.
        #[schemars(length(min = 1))]
        path: String = "path = \"k8s/external-secret.yaml\"",
        /// Name of the object and of the Secret; default is the output's name, in lower case and with `-` for `_` and `.`.
        #[schemars(length(min = 1, max = 253))]
        name: String,
        /// Namespace of the object; absent = whichever it is applied to.
        #[schemars(length(min = 1, max = 63))]
        namespace: String,
        /// Labels of the object.
        labels: Map<String>,
        /// Annotations of the object.
        annotations: Map<String>,
        /// Keys in the Secret's data, by secret; default is the secret's name.
        keys: Map<String>,
        /// Name of the store that reaches AWS Secrets Manager.
        #[schemars(length(min = 1, max = 253))]
        store: String = "store = \"aws-secrets-manager\"",
        /// What kind of object the store is; default `SecretStore`.
        store_kind: StoreKind,
        /// How often values are read again; default `1h`.
        refresh_interval: Period,
    }

    /// A format of a later release.
    RawLater {
        /// Where it is written, relative to the manifest's directory.
        #[schemars(length(min = 1))]
        path: String,
    }

    /// A directory of files.
    RawFiles {
        /// Where it is written, relative to the manifest's directory.
        #[schemars(length(min = 1))]
        path: String = "path = \".secrets\"",
        /// File names relative to `path`, by secret.
        files: Map<String>,
    }

    /// A directory of certificates and keys.
    RawPem {
        /// Where it is written, relative to the manifest's directory.
        #[schemars(length(min = 1))]
        path: String = "path = \"tls\"",
        /// File names relative to `path`, by piece: `ca`, `cert`, `chain`, `combined`, `crl`, `fullchain`, `key`, `public`.
        files: Map<String>,
        /// The file names of a server, instead of `files`.
        layout: Layout,
        /// Switch all files at once, through the link `..data`: whoever reads two of them gets a pair; default `false`.
        /// For directories that are mounted as a whole.
        atomic: bool,
    }
}

variants! {
    /// The kinds of secrets.
    RawKind by "kind" as "kind = \"random\"" {
        /// A key that this project's own API hands out: a prefix, random characters and a checksum.
        ApiKey(RawApiKey) = "api-key",
        /// A certificate authority.
        Ca(RawCa) = "ca",
        /// A leaf certificate.
        Certificate(RawCertificate) = "certificate",
        /// A key for data at rest: random bytes that rotate only with what they encrypt.
        EncryptionKey(RawRandom) = "encryption-key",
        /// Something that a person or a provider supplies.
        External(RawExternal) = "external",
        /// An asymmetric signing key.
        Keypair(RawKeypair) = "keypair",
        /// Words of the EFF long list.
        Passphrase(RawPassphrase) = "passphrase",
        /// Characters of an alphabet.
        Password(RawPassword) = "password",
        /// Random bytes as text.
        Random(RawRandom) = "random",
        /// Not secret: lives in the manifest and is delivered with the rest.
        Setting(RawSetting) = "setting",
        /// Text made of other secrets.
        Template(RawTemplate) = "template",
        /// A signed JWT.
        Token(RawToken) = "token",
        /// A version 4 UUID.
        Uuid(RawNothing) = "uuid",
    }
}

variants! {
    /// The formats of outputs.
    RawFormat by "format" as "format = \"dotenv\"" {
        /// One file a secret, without a trailing newline.
        DockerSecrets(RawFiles) = "docker-secrets",
        /// A file of `NAME=value` lines.
        Dotenv(RawDotenv) = "dotenv",
        /// One JSON object of names and values.
        Json(RawFile) = "json",
        /// The public keys of key pairs as a JSON Web Key Set.
        Jwks(RawJwks) = "jwks",
        /// Certificates and keys.
        Pem(RawPem) = "pem",
        /// The API keys that were issued, by their hashes, for the service that they open.
        ApiKeys(RawApiKeys) = "api-keys",
        /// The list of revoked tokens.
        Revocations(RawFile) = "revocations",
        /// A Compose override file; of a later release.
        ComposeOverride(RawLater) = "compose-override",
        /// Docker Swarm secrets; of a later release.
        DockerSwarm(RawLater) = "docker-swarm",
        /// An `ExternalSecret`: what the External Secrets Operator makes a Secret from; holds no value.
        ExternalSecret(RawExternalSecret) = "external-secret",
        /// The fingerprints of generated values, which `scan` finds leaks by without the identity; holds no value.
        Fingerprints(RawFile) = "fingerprints",
        /// A Secret of Kubernetes.
        KubernetesSecret(RawKubernetesSecret) = "kubernetes-secret",
        /// Credentials for systemd services; of a later release.
        SystemdCredentials(RawLater) = "systemd-credentials",
    }
}

choices! {
    Action { Block = "block", Off = "off", Warn = "warn" }
    CharClass { Digit = "digit", Lower = "lower", Symbol = "symbol", Upper = "upper" }
    Dialect {
        Compose = "compose",
        DockerRun = "docker-run",
        Portable = "portable",
        Shell = "shell",
        Systemd = "systemd",
    }
    Encoding { Base64 = "base64", Base64url = "base64url", Hex = "hex" }
    Layout {
        Haproxy = "haproxy",
        Kubernetes = "kubernetes",
        Nginx = "nginx",
        Postgres = "postgres",
        Traefik = "traefik",
    }
    Role { Admin = "admin", Reader = "reader", Service = "service", Writer = "writer" }
    Step { Set = "set", Test = "test", Retire = "retire", Reload = "reload", Notify = "notify" }
    StoreKind { ClusterSecretStore = "ClusterSecretStore", SecretStore = "SecretStore" }
    TokenAlgorithm {
        Eddsa = "EdDSA",
        Es256 = "ES256",
        Es384 = "ES384",
        Hs256 = "HS256",
        Hs384 = "HS384",
        Hs512 = "HS512",
        Ps256 = "PS256",
        Ps384 = "PS384",
        Ps512 = "PS512",
        Rs256 = "RS256",
        Rs384 = "RS384",
        Rs512 = "RS512",
    }
    TlsVersion { Tls12 = "1.2", Tls13 = "1.3" }
    Usage { Client = "client", Server = "server" }
}

/// The curves that vault-kit makes keys on.
pub(super) const KEY_ALGORITHMS: [&str; 3] = ["eddsa", "es256", "es384"];

impl FromToml for KeyAlgorithm {
    fn from_toml(node: &Node<'_>, path: &Path<'_>, problems: &mut super::issue::Problems) -> Option<Self> {
        if node.get_ref().as_str() == Some("rsa") {
            let message = format!("`{path}` cannot be `rsa`: vault-kit makes no RSA keys");
            problems.add_with_hint(
                node.span().start,
                message,
                "RSA keys come by import in a later release; `es256` is understood everywhere",
            );
            return None;
        }
        match super::read::choice(node, path, problems, &KEY_ALGORITHMS)? {
            "eddsa" => Some(Self::Eddsa),
            "es384" => Some(Self::Es384),
            _ => Some(Self::Es256),
        }
    }
}

/// One text or a list of them.
#[derive(Clone, Debug)]
pub(super) struct Windows(pub(super) Texts);

impl FromToml for Windows {
    fn from_toml(node: &Node<'_>, path: &Path<'_>, problems: &mut super::issue::Problems) -> Option<Self> {
        if node.get_ref().is_array() {
            return Texts::from_toml(node, path, problems).map(Self);
        }
        super::read::field(node, path, problems).map(|text| Self(vec![text]))
    }
}

/// A day of the calendar, as text or as TOML writes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day(pub(super) NaiveDate);

impl FromToml for Day {
    fn from_toml(node: &Node<'_>, path: &Path<'_>, problems: &mut super::issue::Problems) -> Option<Self> {
        let day = match node.get_ref() {
            DeValue::Datetime(date) => date.to_string().parse().ok(),
            // chrono's own reader takes `2026-1-5` too.
            value => value.as_str().filter(|text| text.len() == "2026-12-31".len()).and_then(|text| text.parse().ok()),
        };
        if day.is_none() {
            let hint = "write it as year, month and day, such as `\"2026-12-31\"`";
            problems.add_with_hint(node.span().start, format!("`{path}` is not a day"), hint);
        }
        day.map(Self)
    }
}

/// Permission bits, written as octal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mode(pub(super) u32);

impl FromToml for Mode {
    fn from_toml(node: &Node<'_>, path: &Path<'_>, problems: &mut super::issue::Problems) -> Option<Self> {
        let octal = node.get_ref().as_str().filter(|text| text.bytes().all(|byte| matches!(byte, b'0'..=b'7')));
        let bits = octal.and_then(|text| u32::from_str_radix(text, 8).ok()).filter(|&bits| bits <= 0o777);
        if bits.is_none() {
            let message = format!("`{path}` is not a mode");
            let hint = "write the permission bits as octal digits in quotes, such as `\"0600\"`";
            problems.add_with_hint(node.span().start, message, hint);
        }
        bits.map(Self)
    }
}
