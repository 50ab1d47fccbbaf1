//! The errors of the service: code, HTTP status, and words that are AWS's own where they are known.

/// An error answer.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) status: u16,
    pub(super) message: String,
}

/// The result of an operation.
pub(super) type Answered<T> = Result<T, Fault>;

impl Fault {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, status: 400, message: message.into() }
    }

    pub(super) fn no_secret() -> Self {
        Self::new("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    }

    pub(super) fn no_value(what: &str) -> Self {
        Self::new(
            "ResourceNotFoundException",
            format!("Secrets Manager can't find the specified secret value for {what}"),
        )
    }

    pub(super) fn exists(message: &str) -> Self {
        Self::new("ResourceExistsException", message)
    }

    pub(super) fn request(message: impl Into<String>) -> Self {
        Self::new("InvalidRequestException", message)
    }

    pub(super) fn parameter(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    pub(super) fn limit(message: &str) -> Self {
        Self::new("LimitExceededException", message)
    }

    /// What the service's model forbids, which is judged before the operation is.
    pub(super) fn constraint(member: &str, constraint: &str) -> Self {
        let message = format!(
            "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member {constraint}"
        );
        Self::new("ValidationException", message)
    }

    pub(super) fn denied(operation: &str) -> Self {
        let message = format!(
            "User: arn:aws:iam::123456789012:user/test is not authorized to perform: secretsmanager:{operation} \
             because no identity-based policy allows the secretsmanager:{operation} action"
        );
        Self::new("AccessDeniedException", message)
    }

    pub(super) fn throttled() -> Self {
        Self::new("ThrottlingException", "Rate exceeded")
    }

    pub(super) fn internal() -> Self {
        Self { code: "InternalServiceError", status: 500, message: "An error occurred on the server side.".to_owned() }
    }

    /// The body in the JSON protocol. Errors that the service's model names write `Message`, the common ones `message`.
    pub(super) fn json(&self) -> Vec<u8> {
        const COMMON: [&str; 8] = [
            "ExpiredTokenException",
            "IncompleteSignatureException",
            "InvalidSignatureException",
            "MissingAuthenticationTokenException",
            "SerializationException",
            "ThrottlingException",
            "UnrecognizedClientException",
            "ValidationException",
        ];
        let key = if COMMON.contains(&self.code) { "message" } else { "Message" };
        serde_json::json!({ "__type": self.code, key: self.message }).to_string().into_bytes()
    }
}
