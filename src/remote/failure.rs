//! What a remote store answers instead of what was asked for. Never a value, and never the answer's text.

use crate::error::{Error, Kind};

/// The code of a TLS handshake that failed, mostly for a certificate that nobody here trusts.
pub(super) const TLS_FAILED: &str = "TlsFailed";

/// The codes of a request whose signature is for another key, time or region: no login mends it.
const WRONG_SIGNATURES: [&str; 4] =
    ["InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired", "RequestTimeTooSkewed"];

/// The result of asking a remote store.
pub type Answer<T> = std::result::Result<T, Failure>;

/// Why a request has no result, as far as somebody has to act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// There is no such secret, or it has no value.
    Missing,
    /// The credentials are known and may not do this.
    Denied,
    /// There are no credentials.
    NoCredentials,
    /// The credentials are expired, unknown or wrong.
    BadCredentials,
    /// Too many requests, also after all tries.
    Throttled,
    /// No answer, or a failure at their end, also after all tries.
    Unreachable,
    /// An answer that does not keep to the protocol.
    Garbled,
    /// Somebody else changed it first.
    Conflict,
    /// The request is against a rule of the service: a limit, a wrong state, a malformed parameter.
    Refused,
}

/// A request that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub cause: Cause,
    /// The API's name of the operation, such as `PutSecretValue`.
    pub operation: &'static str,
    /// The error code that the service gave, such as `ResourceExistsException`; `ConnectionFailed`, `TimedOut` or
    /// `TlsFailed` where it gave no answer.
    pub code: Option<String>,
    /// The request's id, which AWS support asks for.
    pub request: Option<String>,
}

impl Failure {
    /// The error that a command ends with; `subject` is what it was about: a secret's name, or the endpoint.
    pub fn about(&self, subject: &str) -> Error {
        let (kind, code, what) = match self.cause {
            Cause::Missing => (Kind::Findings, "remote-missing", "has no"),
            Cause::Denied => (Kind::Permission, "remote-denied", "denies access to"),
            Cause::NoCredentials => (Kind::Permission, "no-credentials", "cannot be asked without credentials for"),
            Cause::BadCredentials => (Kind::Permission, "bad-credentials", "does not accept the credentials for"),
            Cause::Throttled => (Kind::Remote, "remote-throttled", "throttles requests for"),
            Cause::Unreachable => (Kind::Remote, "remote-unreachable", "cannot be reached for"),
            Cause::Garbled => (Kind::Remote, "remote-garbled", "gave an answer that makes no sense for"),
            Cause::Conflict => (Kind::Conflict, "remote-conflict", "says that somebody else changed"),
            Cause::Refused => (Kind::Manifest, "remote-refused", "refuses what was asked of"),
        };
        Error::new(kind, code, format!("AWS {what} {subject} ({})", self.details())).hint(self.hint())
    }

    fn details(&self) -> String {
        let mut details = self.operation.to_owned();
        if let Some(code) = &self.code {
            details.push_str(": ");
            details.push_str(code);
        }
        if let Some(request) = &self.request {
            details.push_str(", request ");
            details.push_str(request);
        }
        details
    }

    fn hint(&self) -> &'static str {
        if self.code.as_deref() == Some(TLS_FAILED) {
            return "is a proxy in between? `AWS_CA_BUNDLE` can name a PEM file with its authority";
        }
        if self.code.as_deref().is_some_and(|code| WRONG_SIGNATURES.contains(&code)) {
            return "check the secret access key, this machine's clock, and that the environment's `region` is the endpoint's";
        }
        match self.cause {
            Cause::Missing => "`vault-kit sync status` tells which are there",
            Cause::Denied => match self.operation {
                "GetSecretValue" | "BatchGetSecretValue" => {
                    "`vault-kit iam policy --role reader` prints what reading takes; a rotator's policy has it too"
                }
                "DescribeSecret" | "ListSecrets" => {
                    "`vault-kit iam policy --role ci-check` prints what looking takes; the policies of all roles have it"
                }
                _ => "`vault-kit iam policy --role rotator` prints what writing takes",
            },
            Cause::NoCredentials => "log in with `aws sso login`, or give `AWS_PROFILE` or `AWS_ACCESS_KEY_ID`",
            Cause::BadCredentials => "log in again; `aws sts get-caller-identity` shows who you are",
            Cause::Throttled | Cause::Unreachable => "try again later; `sync` tries for longer with `--wait 5m`",
            Cause::Garbled => "something else may have answered: a proxy, or an endpoint that is not AWS's",
            Cause::Conflict => "see how with `vault-kit sync diff`",
            Cause::Refused => {
                "the code tells which rule; https://docs.aws.amazon.com/secretsmanager/latest/apireference explains it"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_operation_code_and_request_and_ends_with_the_code_of_its_kind() {
        let failure = Failure {
            cause: Cause::Denied,
            operation: "GetSecretValue",
            code: Some("AccessDeniedException".into()),
            request: Some("1-2-3".into()),
        };
        let error = failure.about("`/p/dev/a`");
        assert_eq!(
            error.to_string(),
            "AWS denies access to `/p/dev/a` (GetSecretValue: AccessDeniedException, request 1-2-3)"
        );
        assert_eq!((error.kind(), error.code()), (Kind::Permission, "remote-denied"));
        let hint = |operation| Failure { operation, ..failure.clone() }.about("`x`").hints()[0].clone();
        let role =
            |operation| hint(operation).split("--role ").nth(1).and_then(|it| it.split('`').next().map(str::to_owned));
        for (operation, expected) in [
            ("BatchGetSecretValue", "reader"),
            ("GetSecretValue", "reader"),
            ("DescribeSecret", "ci-check"),
            ("ListSecrets", "ci-check"),
            ("PutSecretValue", "rotator"),
        ] {
            assert_eq!(role(operation).as_deref(), Some(expected), "{operation}");
        }
        let lost = Failure { cause: Cause::Unreachable, code: None, request: None, ..failure };
        assert_eq!(lost.about("`x`").kind().code(), 5);
        let untrusted = Failure { code: Some(TLS_FAILED.to_owned()), ..lost };
        assert!(untrusted.about("`x`").hints()[0].contains("AWS_CA_BUNDLE"));
    }
}
