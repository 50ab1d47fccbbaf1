//! Labels that make Traefik ask us about each request, and trust nobody else's word on who it is.

use super::forward_auth::HEADERS;

/// The middlewares `<name>` (to be put on a router), which is `<name>-strip` and then `<name>-ask`.
///
/// The first one empties our headers, in the spelling with `_` too that some backends take for the same
/// (GHSA-x677-9fxg-v5c5). A name with `.` cannot stand in a label; such requests are refused when they are asked about.
pub fn labels(name: &str, address: &str) -> String {
    let middleware = |rest: &str| format!("traefik.http.middlewares.{name}{rest}\n");
    let mut text = String::new();
    for header in HEADERS.iter().flat_map(|header| spellings(header)) {
        text += &middleware(&format!("-strip.headers.customrequestheaders.{header}="));
    }
    text += &middleware(&format!("-ask.forwardauth.address={address}"));
    text += &middleware(&format!("-ask.forwardauth.authResponseHeaders={}", HEADERS.join(",")));
    text += &middleware("-ask.forwardauth.trustForwardHeader=false");
    text += &middleware(&format!(".chain.middlewares={name}-strip,{name}-ask"));
    text
}

/// The header with each of its hyphens as a hyphen or an underscore.
fn spellings(header: &str) -> Vec<String> {
    header.split('-').fold(Vec::new(), |spellings: Vec<String>, word| {
        if spellings.is_empty() {
            return vec![word.to_owned()];
        }
        spellings.iter().flat_map(|start| ["-", "_"].map(|joint| format!("{start}{joint}{word}"))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_stripped_before_anybody_is_asked() {
        let text = labels("auth", "http://auth:9000/verify");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 16);
        assert_eq!(lines[0], "traefik.http.middlewares.auth-strip.headers.customrequestheaders.X-User-Id=");
        assert!(
            lines[..12]
                .iter()
                .all(|line| line.starts_with("traefik.http.middlewares.auth-strip.") && line.ends_with('='))
        );
        for alias in ["X_User_Role", "X-User_Role", "X_User-Role"] {
            assert!(text.contains(&format!(".{alias}=\n")), "{alias}");
        }
        assert_eq!(
            lines[12..],
            [
                "traefik.http.middlewares.auth-ask.forwardauth.address=http://auth:9000/verify",
                "traefik.http.middlewares.auth-ask.forwardauth.authResponseHeaders=X-User-Id,X-User-Role,X-User-Scope",
                "traefik.http.middlewares.auth-ask.forwardauth.trustForwardHeader=false",
                "traefik.http.middlewares.auth.chain.middlewares=auth-strip,auth-ask",
            ]
        );
    }
}
