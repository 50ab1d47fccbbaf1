//! Who asks: the signature's head, which must be there and name the right scope, and STS `GetCallerIdentity`.

use super::fault::{Answered, Fault};
use super::http::{Reply, Request};

/// The access key id of a request that is signed for a service in a region.
pub(super) fn access_key<'a>(request: &'a Request, service: &str, region: &str) -> Answered<&'a str> {
    let Some(authorization) = request.header("authorization") else {
        return Err(Fault::new("MissingAuthenticationTokenException", "Missing Authentication Token"));
    };
    let incomplete = |what: &str| {
        let message = format!("Authorization header requires '{what}' parameter.");
        Fault::new("IncompleteSignatureException", message)
    };
    let Some(parameters) = authorization.strip_prefix("AWS4-HMAC-SHA256 ") else {
        return Err(incomplete("Credential"));
    };
    let find = |name: &str| {
        let found = parameters.split(',').find_map(|it| it.trim().strip_prefix(name)?.strip_prefix('='));
        found.filter(|it| !it.is_empty()).ok_or_else(|| incomplete(name))
    };
    let (credential, signed) = (find("Credential")?, find("SignedHeaders")?);
    if find("Signature")?.len() != 64 {
        return Err(incomplete("Signature"));
    }
    if request.header("x-amz-date").is_none() {
        return Err(incomplete("X-Amz-Date"));
    }
    if let Some(header) = request.headers_to_sign().find(|header| !signed.split(';').any(|it| it == *header)) {
        let message = format!("'{header}' must be a 'SignedHeader' in the AWS Authorization.");
        return Err(Fault::new("InvalidSignatureException", message));
    }
    let scope: Vec<&str> = credential.split('/').collect();
    let [key, _, its_region, its_service, "aws4_request"] = scope[..] else {
        return Err(incomplete("Credential"));
    };
    if (its_region, its_service) != (region, service) {
        let message = format!("Credential should be scoped to service {service} in region {region}.");
        return Err(Fault::new("InvalidSignatureException", message));
    }
    if key.starts_with("EXPIRED") {
        return Err(Fault::new("ExpiredTokenException", "The security token included in the request is expired"));
    }
    if key.starts_with("UNKNOWN") {
        let message = "The security token included in the request is invalid.";
        return Err(Fault::new("UnrecognizedClientException", message));
    }
    Ok(key)
}

/// The answer to `GetCallerIdentity`.
pub(super) fn identity(account: &str) -> Reply {
    let body = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  \
         <GetCallerIdentityResult>\n    <Arn>arn:aws:iam::{account}:user/test</Arn>\n    <UserId>AIDAEXAMPLE</UserId>\n    \
         <Account>{account}</Account>\n  </GetCallerIdentityResult>\n  <ResponseMetadata>\n    \
         <RequestId>fa4e</RequestId>\n  </ResponseMetadata>\n</GetCallerIdentityResponse>\n"
    );
    Reply { status: 200, content_type: "text/xml", error: None, body: body.into_bytes() }
}

/// An error in the words of STS, whose protocol has other names for the same.
pub(super) fn refusal(fault: &Fault) -> Reply {
    let (code, status) = match fault.code {
        "AccessDeniedException" => ("AccessDenied", 403),
        "ExpiredTokenException" => ("ExpiredToken", 403),
        "IncompleteSignatureException" => ("IncompleteSignature", 400),
        "InvalidSignatureException" => ("SignatureDoesNotMatch", 403),
        "MissingAuthenticationTokenException" => ("MissingAuthenticationToken", 403),
        "ThrottlingException" => ("Throttling", 400),
        "UnrecognizedClientException" => ("InvalidClientTokenId", 403),
        other => (other, fault.status),
    };
    let kind = if status < 500 { "Sender" } else { "Receiver" };
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\n    <Type>{kind}</Type>\n    \
         <Code>{code}</Code>\n    <Message>{}</Message>\n  </Error>\n  <RequestId>fa4e</RequestId>\n</ErrorResponse>\n",
        fault.message.replace('&', "&amp;").replace('<', "&lt;")
    );
    Reply { status, content_type: "text/xml", error: None, body: body.into_bytes() }
}
