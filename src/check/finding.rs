//! What `check` says: findings, what it could not look at, and how much it saw.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::Place;
use crate::exit::Kind;
use crate::name::{EnvName, SecretName};

/// The version of the report's JSON.
pub const SCHEMA_VERSION: u32 = 1;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $code:ident = $text:literal,)*) => {
        /// What is wrong, in the order in which findings are listed. The text form never changes once released.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "kebab-case")]
        pub enum Code {
            $($(#[doc = $doc])* $code,)*
        }

        impl Code {
            /// All of them, in the order in which findings are listed.
            pub const ALL: &'static [Self] = &[$(Self::$code),*];

            /// The code as JSON and people read it.
            pub fn text(self) -> &'static str {
                match self {
                    $(Self::$code => $text,)*
                }
            }

            /// What is wrong, in a sentence.
            pub fn summary(self) -> &'static str {
                match self {
                    $(Self::$code => concat!($($doc),*).trim_ascii_start(),)*
                }
            }

            /// The code that reads like this.
            pub fn of_text(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$code),)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    /// There is a ledger and no store: somebody removed it.
    StoreMissing = "store-missing",
    /// The ledger belongs to another state of the store; what it says may be old.
    LedgerStale = "ledger-stale",
    /// The clock stands behind the store: writers refuse, and what expired is not seen.
    ClockBehind = "clock-behind",
    /// The manifest names other recipients than the store is sealed to.
    RecipientsChanged = "recipients-changed",
    /// The manifest names another AWS account or prefix than the store is bound to.
    AccountChanged = "account-changed",
    /// A file that holds values is tracked by git.
    TrackedByGit = "tracked-by-git",
    /// A tracked example file shows a value that is in use.
    ExampleValue = "example-value",
    /// A credential stands in the manifest: in a setting, a template, an option of a hook, or a text for people.
    SecretInManifest = "secret-in-manifest",
    /// A file allows more than its declared mode.
    ModeTooOpen = "mode-too-open",
    /// A file cannot be read by somebody whom its declared mode lets read it.
    ModeTooNarrow = "mode-too-narrow",
    /// A file belongs to somebody else than declared.
    WrongOwner = "wrong-owner",
    /// A symlink stands where a file or directory of ours should be.
    Symlink = "symlink",
    /// A file that holds values has another name, which may be open to others.
    HardLinked = "hard-linked",
    /// Something that is neither file nor symlink stands where a file should be.
    NotAFile = "not-a-file",
    /// Another account can replace files in this directory.
    DirectoryWritableByOthers = "directory-writable-by-others",
    /// A file that we delivered holds values although no output has it any more.
    Orphaned = "orphaned",
    /// A file that holds values is not ignored by git.
    NotIgnored = "not-ignored",
    /// No value, no file, or no variable.
    Missing = "missing",
    /// The value stands for one that somebody still has to supply.
    Placeholder = "placeholder",
    /// The value leaked, and must not serve any more.
    Banned = "banned",
    /// An owner may still accept a value that leaked and was replaced.
    StillAccepted = "still-accepted",
    /// The value can be guessed.
    Weak = "weak",
    /// The declaration draws values that can be guessed.
    WeakRecipe = "weak-recipe",
    /// A certificate that production serves is signed by its own key.
    SelfSigned = "self-signed",
    /// The value is not what the declared pattern describes.
    PatternMismatch = "pattern-mismatch",
    /// Quotes or blanks stand around the value of a variable, and a program gets them with it.
    Quoted = "quoted",
    /// The same value is in use elsewhere.
    Reused = "reused",
    /// A certificate or token that is delivered is revoked.
    Revoked = "revoked",
    /// It is no longer valid.
    Expired = "expired",
    /// It soon stops being valid.
    Expiring = "expiring",
    /// A revocation list that is delivered is too old: verifiers refuse every certificate of the CA.
    CrlExpired = "crl-expired",
    /// A revocation list that is delivered soon is too old, and nobody made a new one.
    CrlExpiring = "crl-expiring",
    /// A step of its rotation failed; the rotation can be carried on.
    RotationFailed = "rotation-failed",
    /// Its rotation was begun, and nobody carried it on when it was time.
    RotationUnfinished = "rotation-unfinished",
    /// A program has yet to read files that a rotation changed.
    ReloadOwed = "reload-owed",
    /// The program of a hook that a rotation will call cannot be run.
    HookUnusable = "hook-unusable",
    /// A hook has yet to make its owner accept the value that is in force.
    OwnerUntold = "owner-untold",
    /// Its replacement is due.
    RotationDue = "rotation-due",
    /// The declaration changed since the value was made.
    DeclarationChanged = "declaration-changed",
    /// The key that signed a declared token was replaced, or nobody knows it any more: verifiers refuse the token.
    TokenOrphaned = "token-orphaned",
    /// It was made of values that were replaced since.
    InputChanged = "input-changed",
    /// A file does not hold what the store holds.
    Stale = "stale",
    /// A dotenv file assigns a name of ours outside our block: its next value cannot be written.
    NameOutsideBlock = "name-outside-block",
    /// A container goes on with what a file was before it was replaced.
    MountedStale = "mounted-stale",
    /// The store holds a secret that the manifest does not declare.
    Undeclared = "undeclared",
    /// What was taken from AWS is older than `stale_after` allows.
    CopyTooOld = "copy-too-old",
    /// The manifest declares it to be in AWS, and it is not there.
    RemoteMissing = "remote-missing",
    /// It is in AWS without a value, or scheduled for deletion.
    RemoteUnusable = "remote-unusable",
    /// A key of its bundle in AWS is not there.
    RemoteKeyMissing = "remote-key-missing",
    /// AWS has another version than the one that both sides agreed on last.
    RemoteDrift = "remote-drift",
    /// It was not changed in AWS for longer than its rotation allows.
    RemoteRotationDue = "remote-rotation-due",
    /// It is encrypted with another KMS key than declared.
    RemoteKey = "remote-key",
    /// A declared replica is missing or not in sync.
    RemoteReplica = "remote-replica",
    /// Docker Compose would refuse the Compose files, or they are not there.
    ComposeInvalid = "compose-invalid",
    /// A Compose file cannot be read, or grows without end: nothing of it is judged.
    ComposeUnreadable = "compose-unreadable",
    /// A Compose file lies beside the manifest, which does not name it: nothing of it is judged.
    ComposeUnnamed = "compose-unnamed",
    /// A service needs a variable that the manifest does not declare.
    VariableUndeclared = "variable-undeclared",
    /// A service needs a declared variable that no output of the environment delivers to Compose.
    VariableUndelivered = "variable-undelivered",
    /// A variable of the shell goes before the one that is delivered to Compose, and has another value.
    VariableOverridden = "variable-overridden",
    /// A service has an env file that is not there and that no output writes.
    EnvFileMissing = "env-file-missing",
    /// A Compose secret is a file that is not there and that no output writes.
    SecretFileMissing = "secret-file-missing",
    /// A service gets a secret of Docker Swarm that nothing here puts there.
    SecretExternal = "secret-external",
    /// A variable such as `PASSWORD_FILE` names a file that its container does not have.
    FileVariableDangling = "file-variable-dangling",
    /// The user of a container cannot read a secret that is mounted for it.
    SecretUnreadable = "secret-unreadable",
    /// A secret stands in a Compose file: in an `environment`, a command line, a config, or an option of a driver.
    SecretInEnvironment = "secret-in-environment",
    /// A secret is put into a command line, where everybody on the host reads it.
    SecretInArguments = "secret-in-arguments",
    /// A secret is put into a label, where everybody reads it who may ask Docker.
    SecretInLabel = "secret-in-label",
    /// A secret is a build argument, which stays in the history of the image.
    SecretInBuildArgs = "secret-in-build-args",
    /// A Dockerfile puts a secret into the image.
    SecretInImage = "secret-in-image",
    /// A file with secrets reaches the builder, though the image does not take it.
    SecretInBuildContext = "secret-in-build-context",
    /// A rule of the manifest names a service or network that no Compose file has.
    DeploymentUnknown = "deployment-unknown",
    /// A service publishes a port that the manifest does not name.
    PortPublished = "port-published",
    /// A port that is for this host alone is published to others.
    PortNotLoopback = "port-not-loopback",
    /// A network that should be internal reaches the outside.
    NetworkNotInternal = "network-not-internal",
    /// Containers of a network that should keep them apart reach each other.
    NetworkNotIsolated = "network-not-isolated",
    /// A network lies in another subnet than declared.
    NetworkSubnet = "network-subnet",
    /// A service is on other networks than declared.
    NetworkMatrix = "network-matrix",
    /// A service has a secret that is not for it, or lacks one that is.
    SecretHolders = "secret-holders",
    /// A container can gain privileges by a setuid program.
    NewPrivileges = "new-privileges",
    /// A container that should not can write to its root file system.
    NotReadOnly = "not-read-only",
    /// A container has no limit of processors or memory.
    NoLimits = "no-limits",
    /// A container is privileged.
    Privileged = "privileged",
    /// A container shares a namespace of the host.
    HostNamespace = "host-namespace",
    /// The gateway allows an older version of TLS than declared.
    WeakTls = "weak-tls",
    /// A route of the gateway leads to a service without asking who comes, which the manifest promises.
    RouteUnprotected = "route-unprotected",
    /// A header by which a service knows who comes reaches it as the client sends it.
    HeaderForgeable = "header-forgeable",
    /// It is declared, and no service reads it.
    Unused = "unused",
    /// A production setting allows every origin.
    WildcardOrigin = "wildcard-origin",
    /// A production environment has its AWS account together with another environment.
    AccountShared = "account-shared",
    /// An IAM policy of the repository is not what the manifest needs.
    PolicyStale = "policy-stale",
    /// By what the repository has for Kubernetes, the External Secrets Operator does not read from the environment's AWS account.
    ExternalStore = "external-store",
    /// A value stands where others can read it.
    Leaked = "leaked",
    /// What looks like a credential was committed.
    LeakSuspected = "leak-suspected",
    /// A finding was allowed until a day that has passed.
    AllowExpired = "allow-expired",
    /// A finding is allowed for more than a year to come.
    AllowTooLong = "allow-too-long",
    /// A finding is allowed that there is not.
    AllowUnused = "allow-unused",
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know; the check does not fail for it by itself.
    Notice,
    /// It works today.
    Warning,
    /// It is broken, or open to somebody whom it should not be open to.
    Error,
}

impl Severity {
    /// The severity as JSON, `--fail-on` and people read it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Code {
    /// Whether it is about what commits brought, which only a search of them finds.
    pub fn is_of_commits(self) -> bool {
        matches!(self, Self::Leaked | Self::LeakSuspected)
    }

    /// Whether any file may bring it, whichever it is told at: what goes along into a build is told at the Dockerfile.
    pub fn is_of_any_file(self) -> bool {
        matches!(self, Self::SecretInImage | Self::SecretInBuildContext)
    }

    /// Whether it is about the manifest's allow-list, so that the list cannot hide what is wrong with itself.
    pub fn is_of_allowances(self) -> bool {
        matches!(self, Self::AllowExpired | Self::AllowTooLong | Self::AllowUnused)
    }

    /// How much it weighs.
    pub fn severity(self) -> Severity {
        match self {
            Self::AllowUnused | Self::ComposeUnnamed | Self::SecretExternal | Self::Unused => Severity::Notice,
            Self::AccountShared
            | Self::AllowExpired
            | Self::AllowTooLong
            | Self::CrlExpiring
            | Self::Expiring
            | Self::ExternalStore
            | Self::HookUnusable
            | Self::NameOutsideBlock
            | Self::LeakSuspected
            | Self::OwnerUntold
            | Self::PolicyStale
            | Self::Quoted
            | Self::SecretInArguments
            | Self::SelfSigned
            | Self::Undeclared
            | Self::VariableOverridden
            | Self::WeakRecipe => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

/// One problem, with what to do about it. Never a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// What is wrong.
    pub code: Code,
    /// How much it weighs: that of its code.
    pub severity: Severity,
    /// Where it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The secret or setting that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretName>,
    /// The file or directory that it is about, relative to the manifest's directory; absolute where it is elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in that file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What is wrong, in words.
    pub message: String,
    /// A command to paste, or what to do in words.
    pub fix: String,
}

/// A finding that the manifest allows for some time. It does not fail the check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Allowed {
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
    /// Why it is allowed, in the manifest's words.
    pub reason: String,
    /// The last day on which it is, in UTC.
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date")))]
    pub until: NaiveDate,
}

/// Something that `check` could not look at; never the same as "missing".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NotChecked {
    /// What was not looked at.
    pub what: String,
    /// Why not.
    pub why: String,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LookedAt {
    /// Secrets in the ledger, or expected there.
    pub secrets: usize,
    /// Output files.
    pub files: usize,
    /// Environment variables.
    pub variables: usize,
    /// Services of the Compose files.
    pub services: usize,
    /// Secrets in AWS.
    pub remote: usize,
    /// Commits of a range.
    pub commits: usize,
}

/// How many findings the user did not want to hear of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LeftOut {
    /// Because of their code.
    pub codes: usize,
    /// Because they are about what did not change.
    pub unchanged: usize,
}

/// Everything that `check` has to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The environment.
    pub environment: EnvName,
    /// When it was looked at.
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
    pub generated_at: DateTime<Utc>,
    /// Where it was looked.
    pub places: Vec<Place>,
    /// How much was looked at.
    pub looked_at: LookedAt,
    /// The problems: by code, secret, file.
    pub findings: Vec<Finding>,
    /// The problems that the manifest allows.
    pub allowed: Vec<Allowed>,
    /// How many more there are that were not asked for.
    pub left_out: LeftOut,
    /// What could not be looked at.
    pub not_checked: Vec<NotChecked>,
    /// What was looked at and may not be what was meant, such as a range without a commit.
    pub warnings: Vec<String>,
}

impl Finding {
    /// About nothing in particular yet: what is wrong, and what to do about it.
    pub fn new(code: Code, message: impl Into<String>, fix: impl Into<String>) -> Self {
        let (message, fix) = (message.into(), fix.into());
        Self { code, severity: code.severity(), place: None, secret: None, file: None, line: None, message, fix }
    }

    /// The same about a secret or setting.
    #[must_use]
    pub fn about(self, secret: &SecretName) -> Self {
        Self { secret: Some(secret.clone()), ..self }
    }

    /// The same about a file or directory.
    #[must_use]
    pub fn of_file(self, file: &str) -> Self {
        Self { file: Some(file.to_owned()), ..self }
    }

    /// The same at a line of its file, from 1.
    #[must_use]
    pub fn at_line(self, line: u32) -> Self {
        Self { line: Some(line), ..self }
    }
}

impl Report {
    /// Why the command must not end with 0, if it must not: a finding that weighs `fail_on` or more, or under `strict`
    /// something that was not looked at.
    pub fn exit_kind(&self, fail_on: Severity, strict: bool) -> Option<Kind> {
        let weighs = self.findings.iter().any(|finding| finding.severity >= fail_on);
        let fails = weighs || strict && !self.not_checked.is_empty();
        fails.then_some(Kind::Findings)
    }

    /// Sorts, so that the same facts make the same report.
    pub(super) fn sorted(mut self) -> Self {
        let place = |it: &Finding| (it.code, it.secret.clone(), it.file.clone(), it.line);
        self.findings.sort_by_cached_key(place);
        self.findings.dedup();
        self.allowed.sort_by_cached_key(|it| place(&it.finding));
        self.allowed.dedup();
        self.not_checked.sort_unstable();
        self.not_checked.dedup();
        self
    }
}

/// The paths in backticks; of many the first ones and how many more.
pub fn listed_paths(paths: &[&str]) -> String {
    let shown: Vec<String> = paths.iter().take(SHOWN).map(|path| format!("`{path}`")).collect();
    and_more(&shown, paths.len())
}

/// The names in backticks; of many the first ones and how many more.
pub fn listed(names: &[&SecretName]) -> String {
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    and_more(&shown, names.len())
}

/// How many of a long list are shown.
const SHOWN: usize = 5;

fn and_more(shown: &[String], all: usize) -> String {
    let more = all.saturating_sub(SHOWN);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_the_same_in_json_and_in_text() {
        for &code in Code::ALL {
            assert_eq!(serde_json::to_string(&code).unwrap(), format!("\"{}\"", code.text()));
            assert_eq!(Code::of_text(code.text()), Some(code));
            assert!(code.summary().ends_with('.') && !code.summary().starts_with(' '), "{}", code.summary());
        }
    }
}
