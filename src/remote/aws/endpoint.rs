//! Where the services are, and that nothing secret goes there unencrypted.

use std::net::{Ipv4Addr, Ipv6Addr};

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

use crate::error::{Error, Kind, Result};

/// Where the two services are; `None` = at AWS.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    pub secrets: Option<String>,
    pub identity: Option<String>,
}

impl Endpoints {
    /// What the settings, the environment and the profile say, in this order.
    pub(super) fn of(setting: Option<&str>, sdk: &SdkConfig) -> Result<Self> {
        let general = sdk.endpoint_url().map(str::to_owned);
        // The SDK for Rust spells the profile's key with a hyphen, every other one with an underscore.
        let specific =
            ["Secrets_Manager", "Secrets Manager"].into_iter().filter_map(|service| configured(sdk, service));
        let found = specific.into_iter().find(|it| Some(it) != general.as_ref()).or(general);
        let secrets = match setting {
            Some(setting) => Some(setting.to_owned()),
            None => found,
        };
        let mut identity = configured(sdk, "STS");
        // AWS answers nobody without TLS: this is an emulator or a test, which is every service at once.
        if identity.is_none() && secrets.as_deref().is_some_and(|it| scheme(it) == Some(Scheme::Plain)) {
            identity.clone_from(&secrets);
        }
        check(setting, "`aws.endpoint`")?;
        // SSO is asked for credentials, and by a token that stands for a person.
        let others = ["SSO", "SSO OIDC"].map(|service| configured(sdk, service));
        for endpoint in [secrets.as_ref(), identity.as_ref()].into_iter().chain(others.iter().map(Option::as_ref)) {
            check(endpoint.map(String::as_str), "the endpoint in the environment or the AWS profile")?;
        }
        Ok(Self { secrets, identity })
    }

    /// Whether somebody is asked without TLS.
    pub(super) fn is_plain(&self) -> bool {
        [&self.secrets, &self.identity].into_iter().flatten().any(|it| scheme(it) == Some(Scheme::Plain))
    }
}

fn configured(sdk: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url");
    sdk.service_config()?.load_config(key.build().ok()?)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Encrypted,
    Plain,
}

/// `None` = neither of these two.
fn scheme(endpoint: &str) -> Option<Scheme> {
    let (scheme, _) = endpoint.split_once("://")?;
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Some(Scheme::Encrypted),
        "http" => Some(Scheme::Plain),
        _ => None,
    }
}

fn check(endpoint: Option<&str>, what: &str) -> Result<()> {
    let Some(endpoint) = endpoint else { return Ok(()) };
    let invalid = || {
        Error::new(Kind::Manifest, "endpoint-invalid", format!("{what} is no URL of a service"))
            .hint("such as `https://vpce-….secretsmanager.eu-west-1.vpce.amazonaws.com`")
    };
    let (scheme, host) = scheme(endpoint).zip(host(endpoint)).ok_or_else(invalid)?;
    if scheme == Scheme::Plain && !is_loopback(host) {
        let message = format!("{what} is plain http, which anybody on the way can read");
        return Err(Error::new(Kind::Manifest, "endpoint-not-encrypted", message)
            .hint("use https; plain http is for an emulator on this machine, such as `http://127.0.0.1:5000`"));
    }
    Ok(())
}

/// The host without its port; `None` where a URL of a service cannot look like that.
fn host(endpoint: &str) -> Option<&str> {
    let (_, rest) = endpoint.split_once("://")?;
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    // Clients do not agree on what is the host in the presence of these.
    if authority.contains(|it: char| it == '@' || it == '\\' || it == '%' || it.is_whitespace() || !it.is_ascii()) {
        return None;
    }
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    };
    Some(host).filter(|it| !it.is_empty())
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|it| it.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|it| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(endpoint: &str) -> Option<&'static str> {
        check(Some(endpoint), "it").err().map(|error| error.code())
    }

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for endpoint in [
            "https://vpce-1.secretsmanager.eu-west-1.vpce.amazonaws.com",
            "HTTPS://10.0.0.1:8443/",
            "http://127.0.0.1:5000",
            "http://127.1.2.3",
            "http://[::1]:5000/x",
            "http://LocalHost:5000",
        ] {
            assert_eq!(code(endpoint), None, "{endpoint}");
        }
        for endpoint in [
            "http://10.0.0.1:5000",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://secretsmanager.eu-west-1.amazonaws.com",
            "http://[2001:db8::1]",
            "http://0.0.0.0",
            "HTTP://example.com",
        ] {
            assert_eq!(code(endpoint), Some("endpoint-not-encrypted"), "{endpoint}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_no_endpoint() {
        for endpoint in [
            "",
            "127.0.0.1:5000",
            "//127.0.0.1",
            "ftp://127.0.0.1",
            "http://",
            "http://:80",
            "http://127.0.0.1@example.com",
            "http://127.0.0.1\\@example.com",
            "http://[::1",
            "http://exa mple.com",
            "https://ex%61mple.com",
        ] {
            assert_eq!(code(endpoint), Some("endpoint-invalid"), "{endpoint:?}");
        }
    }
}
