//! What the SDK's errors mean. By type and code, never by text, which is the service's and may quote anything.

use std::error::Error;
use std::io;

use aws_config::imds::client::error::ImdsError;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_secretsmanager::error::{ConnectorError, ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::RequestId;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;

use crate::remote::failure::TLS_FAILED;
use crate::remote::{Cause, Failure};

/// A failed request, judged.
pub(super) struct Verdict {
    pub failure: Failure,
    /// Whether the next try may go better.
    pub is_passing: bool,
    /// Whether every other request will fail like it.
    pub is_for_all: bool,
}

/// An answer that lacks what every answer has.
pub(super) fn garbled(operation: &'static str) -> Failure {
    Failure { cause: Cause::Garbled, operation, code: None, request: None }
}

/// A failure by the code that stands for one item of an answer.
pub(super) fn of_item(operation: &'static str, code: Option<&str>) -> Failure {
    let code = code.and_then(plain_code);
    Failure { cause: code.as_deref().map_or(Cause::Garbled, cause), operation, code, request: None }
}

/// What is known of a failed request.
pub(super) fn judge<E>(operation: &'static str, error: &SdkError<E>) -> Verdict
where
    E: Error + ProvideErrorMetadata + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let credentials = find::<CredentialsError>(error).map(of_credentials);
    let (cause, code) = credentials.unwrap_or_else(|| match error {
        SdkError::ServiceError(service) => of_service(status, service.err().code()),
        SdkError::ResponseError(_) => match of_status(status) {
            Some(cause) => (cause, None),
            // The connection ended in the middle of the answer.
            None if find::<io::Error>(error).is_some() => unanswered("ConnectionFailed"),
            None => (Cause::Garbled, None),
        },
        SdkError::TimeoutError(_) => unanswered("TimedOut"),
        SdkError::DispatchFailure(failure) if failure.is_user() => (Cause::Refused, None),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => unanswered("TimedOut"),
        SdkError::DispatchFailure(_) if is_tls(error) => unanswered(TLS_FAILED),
        SdkError::DispatchFailure(_) => unanswered("ConnectionFailed"),
        SdkError::ConstructionFailure(_) => (Cause::Refused, None),
        _ => (Cause::Garbled, None),
    });
    let is_tls = code.as_deref() == Some(TLS_FAILED);
    Verdict {
        // A certificate does not get better by waiting.
        is_passing: matches!(cause, Cause::Throttled | Cause::Unreachable) && !is_tls,
        is_for_all: match cause {
            Cause::NoCredentials | Cause::BadCredentials => true,
            Cause::Unreachable => status.is_none(),
            _ => false,
        },
        failure: Failure { cause, operation, code, request: error.request_id().and_then(plain) },
    }
}

/// No answer, with a word of ours where the service has no code to give.
fn unanswered(code: &str) -> (Cause, Option<String>) {
    (Cause::Unreachable, Some(code.to_owned()))
}

/// Whether the TLS handshake failed: rustls wraps its errors as invalid data, and a connector wraps that once more.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    let Some(outer) = find::<io::Error>(error) else { return false };
    let inner = outer.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>());
    [Some(outer), inner].into_iter().flatten().any(|it| it.kind() == io::ErrorKind::InvalidData)
}

/// What the service itself says.
fn of_service(status: Option<u16>, code: Option<&str>) -> (Cause, Option<String>) {
    let code = code.and_then(plain_code);
    let cause = match code.as_deref().map(cause) {
        Some(known) if known != Cause::Refused => known,
        unknown => of_status(status).or(unknown).unwrap_or(Cause::Garbled),
    };
    (cause, code)
}

/// What a status says of itself, where the code says nothing better.
fn of_status(status: Option<u16>) -> Option<Cause> {
    match status? {
        429 => Some(Cause::Throttled),
        500.. => Some(Cause::Unreachable),
        _ => None,
    }
}

/// The codes of Secrets Manager, and those that every AWS service gives.
fn cause(code: &str) -> Cause {
    match code {
        "ResourceNotFoundException" => Cause::Missing,
        "ResourceExistsException" => Cause::Conflict,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "SlowDown" => Cause::Throttled,
        "InternalServiceError"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalError"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "RequestTimeout"
        | "RequestTimeoutException" => Cause::Unreachable,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "InvalidIdentityToken"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "AuthFailure" => Cause::BadCredentials,
        // The key of a secret belongs to KMS, which has its own permissions.
        "DecryptionFailure" | "EncryptionFailure" | "NotAuthorized" | "UnauthorizedOperation" | "OptInRequired" => {
            Cause::Denied
        }
        _ if code.starts_with("AccessDenied") => Cause::Denied,
        _ => Cause::Refused,
    }
}

/// Why there are no credentials, with the code of STS where it said so.
fn of_credentials(error: &CredentialsError) -> (Cause, Option<String>) {
    let said = |code: Option<&str>| code.and_then(plain_code).map(|code| (cause(&code), Some(code)));
    match error {
        CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_) => {
            (Cause::NoCredentials, None)
        }
        CredentialsError::ProviderTimedOut(_) => unanswered("TimedOut"),
        _ => find::<AssumeRoleError>(error)
            .and_then(|it| said(it.code()))
            .or_else(|| find::<AssumeRoleWithWebIdentityError>(error).and_then(|it| said(it.code())))
            .or_else(|| find::<ConnectorError>(error).map(|_| unanswered("ConnectionFailed")))
            .or_else(|| find::<ImdsError>(error).map(|_| unanswered("ConnectionFailed")))
            .unwrap_or((Cause::BadCredentials, None)),
    }
}

/// The first error of a type among an error and its causes.
fn find<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    std::iter::successors(Some(error), |&it| it.source()).find_map(|it| it.downcast_ref())
}

/// A code that may be shown: a server that is not AWS could put anything there.
pub(super) fn plain_code(text: &str) -> Option<String> {
    plain(text).filter(|it| !it.contains('-'))
}

/// A code, or an id of a request.
fn plain(text: &str) -> Option<String> {
    let fits = (1..=64).contains(&text.len());
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    (fits && is_plain).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_causes_that_somebody_can_act_on() {
        for (code, expected) in [
            ("ResourceNotFoundException", Cause::Missing),
            ("ResourceExistsException", Cause::Conflict),
            ("ThrottlingException", Cause::Throttled),
            ("TooManyRequestsException", Cause::Throttled),
            ("InternalServiceError", Cause::Unreachable),
            ("ExpiredTokenException", Cause::BadCredentials),
            ("InvalidSignatureException", Cause::BadCredentials),
            ("AccessDenied", Cause::Denied),
            ("AccessDeniedException", Cause::Denied),
            ("DecryptionFailure", Cause::Denied),
            ("InvalidParameterException", Cause::Refused),
            ("LimitExceededException", Cause::Refused),
            ("SomethingNew", Cause::Refused),
        ] {
            assert_eq!(of_item("BatchGetSecretValue", Some(code)).cause, expected, "{code}");
        }
    }

    #[test]
    fn a_code_that_is_none_is_not_repeated() {
        assert_eq!((plain_code("A.b9").as_deref(), plain("1-2").as_deref()), (Some("A.b9"), Some("1-2")));
        let long = "x".repeat(65);
        for text in ["", "a b", "a-b", "\u{1b}[31mred", "ü", "a\nb", long.as_str()] {
            let failure = of_item("BatchGetSecretValue", Some(text));
            assert_eq!((failure.cause, failure.code), (Cause::Garbled, None), "{text:?}");
        }
        assert_eq!(of_item("BatchGetSecretValue", None).cause, Cause::Garbled);
    }
}
