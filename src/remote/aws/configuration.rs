//! From settings, environment and profile to two clients.

use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_secretsmanager::config::{RuntimeComponents, SharedHttpClient};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpConnector};

use super::clock::ServerClock;
use super::endpoint::Endpoints;
use super::trust::Trust;
use super::{Settings, processes};
use crate::error::{Error, Kind, Result};

/// A machine that does not even take the connection is not there.
const CONNECTED: Duration = Duration::from_secs(3);

/// An answer that takes longer is none.
const ANSWERED: Duration = Duration::from_secs(10);

/// The clients for Secrets Manager, whose answers set the clock, and for STS.
pub(super) async fn clients(
    settings: &Settings,
    clock: &ServerClock,
) -> Result<(aws_sdk_secretsmanager::Client, aws_sdk_sts::Client)> {
    let trust = Trust::of(&settings.authorities)?;
    // `HTTPS_PROXY` and `NO_PROXY`, as the SDK's own client does.
    let sdk = load(settings, http(&trust, ProxyConfig::from_env())).await;
    check_region(sdk.region().map(Region::as_ref))?;
    let endpoints = Endpoints::of(settings.endpoint.as_deref(), &sdk)?;
    // A proxy would be somebody else on the way to this machine, and there is nobody to trust without TLS.
    let sdk = if endpoints.is_plain() {
        sdk.into_builder().http_client(http(&Trust::none()?, ProxyConfig::disabled())).build()
    } else {
        sdk
    };
    // Everything that asks STS on the way to credentials finds it where `account` does.
    let sdk = match &endpoints.identity {
        Some(identity) => sdk.into_builder().endpoint_url(identity).build(),
        None => sdk,
    };
    let sdk = as_role(settings.role_arn.as_deref(), sdk).await;
    let mut secrets = aws_sdk_secretsmanager::config::Builder::from(&sdk).interceptor(clock.clone());
    secrets.set_endpoint_url(endpoints.secrets);
    let mut identity = aws_sdk_sts::config::Builder::from(&sdk);
    identity.set_endpoint_url(endpoints.identity);
    Ok((aws_sdk_secretsmanager::Client::from_conf(secrets.build()), aws_sdk_sts::Client::from_conf(identity.build())))
}

/// A region becomes a part of the host that gets the requests, and a manifest may come from a stranger.
fn check_region(region: Option<&str>) -> Result<()> {
    let Some(region) = region else {
        return Err(Error::new(Kind::Manifest, "region-missing", "nothing says which AWS region to use")
            .hint("give the environment a `region` in its `aws = { … }`, or set `AWS_REGION`"));
    };
    let is_plain = region.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-');
    if is_plain && (1..=63).contains(&region.len()) && !region.starts_with('-') && !region.ends_with('-') {
        return Ok(());
    }
    Err(Error::new(Kind::Manifest, "region-invalid", "the AWS region is no name of a region")
        .hint("mend `region` in the environment's `aws = { … }`, `AWS_REGION` or the AWS profile: such as `eu-west-1`"))
}

async fn load(settings: &Settings, http: SharedHttpClient) -> SdkConfig {
    let files = processes::without(settings.withheld).await;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .profile_files(files.clone())
        .http_client(http.clone())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts());
    if let Ok(name) = AppName::new("vault-kit") {
        loader = loader.app_name(name);
    }
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    let Some(profile) = &settings.profile else { return loader.load().await };
    let sdk = loader.profile_name(profile).load().await;
    // Whoever names a profile means it: the SDK would still prefer credentials in the environment.
    let surroundings = ProviderConfig::without_region()
        .with_region(sdk.region().cloned())
        .with_http_client(http)
        .with_retry_config(RetryConfig::disabled())
        .with_timeout_config(timeouts());
    let named = ProfileFileCredentialsProvider::builder().profile_files(files).profile_name(profile);
    let named = named.configure(&surroundings).build();
    sdk.into_builder().credentials_provider(SharedCredentialsProvider::new(named)).build()
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECTED).operation_attempt_timeout(ANSWERED).build()
}

async fn as_role(role: Option<&str>, sdk: SdkConfig) -> SdkConfig {
    let Some(role) = role else { return sdk };
    let role = AssumeRoleProvider::builder(role).session_name("vault-kit").configure(&sdk).build().await;
    sdk.into_builder().credentials_provider(SharedCredentialsProvider::new(role)).build()
}

/// A client that makes its connection when the first request wants one: the SDK would make one for each client that it prepares,
/// whether it is used or not, and reading the system's authorities takes longer than most answers.
#[derive(Debug)]
struct Late(SharedHttpClient);

impl HttpClient for Late {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }
}

/// TLS by ring. Plain http is spoken too: [`Endpoints`] says where.
fn http(trust: &Trust, proxy: ProxyConfig) -> SharedHttpClient {
    let trust = trust.clone();
    let client = Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().tls_provider(Provider::rustls(CryptoMode::Ring));
        connector.set_tls_context(trust.context().clone()).set_proxy_config(Some(proxy.clone()));
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    });
    SharedHttpClient::new(Late(client))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_leads_to_no_host_but_those_of_aws() {
        for region in ["eu-west-1", "us-gov-east-1", "eusc-de-east-1"] {
            assert!(check_region(Some(region)).is_ok(), "{region}");
        }
        let long = "x".repeat(64);
        let wrong =
            ["", "-", "x.example.com/", "x@example.com", "x#", "x?", "x\\", "EU-WEST-1", "x y", "x\n", "ü", &long];
        for region in wrong {
            assert_eq!(check_region(Some(region)).unwrap_err().code(), "region-invalid", "{region:?}");
        }
        assert_eq!(check_region(None).unwrap_err().code(), "region-missing");
    }
}
