//! Buckets opened by what the environment says: the standard variables and files of each cloud, and nothing of our own.
//!
//! Who has said nothing asks without a name, so public buckets can be read by anyone; on a machine of the cloud itself,
//! the machine's own identity is asked for.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{BackoffConfig, ClientConfigKey, ClientOptions, HeaderValue, RetryConfig};
use reqwest::header::HeaderName;

use super::super::address::{Address, Scheme};
use super::access::{Access, Witness};
use super::aws_profile::{self, Profile};
use super::cloud::Bucket;
use super::net;
use super::place::Server;
use crate::base::fault::Fault;

/// The bucket of an address.
///
/// # Errors
/// If what the environment says of it cannot be followed.
pub(super) fn open(address: &Address) -> io::Result<Arc<dyn Server>> {
    // The provider of TLS is chosen with the client.
    net::web_client()?;
    let bucket = address.host.clone();
    Ok(Arc::new(match address.scheme {
        Scheme::Gs => Bucket::new(Scheme::Gs, bucket.clone(), google(&bucket)?),
        Scheme::Az => Bucket::new(Scheme::Az, bucket, azure(address)?),
        _ => {
            let (access, may_move) = amazon(&bucket, None, false)?;
            let bucket = Bucket::new(address.scheme, bucket, access)
                .with_sums(|bucket, region| Ok(amazon(bucket, region, true)?.0));
            if may_move { bucket.or_elsewhere(|bucket, region| Ok(amazon(bucket, region, false)?.0)) } else { bucket }
        }
    }))
}

fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
            base: 2.,
        },
        max_retries: net::RETRIES,
        retry_timeout: Duration::from_secs(120),
    }
}

/// How long things may take: a whole answer long, silence not.
fn timeouts() -> [(ClientConfigKey, String); 4] {
    [
        (ClientConfigKey::Timeout, "15m".to_owned()),
        (ClientConfigKey::ConnectTimeout, format!("{}s", net::CONNECT.as_secs())),
        (ClientConfigKey::ReadTimeout, format!("{}s", net::SILENT.as_secs())),
        (ClientConfigKey::UserAgent, net::AGENT.to_owned()),
    ]
}

/// The credentials that the environment names cannot be used. What is wrong with them is not quoted: it may be a key.
fn unusable(what: &str, help: &str) -> io::Error {
    Fault::new(format!("the {what} cannot be used as it is")).with_help(help).of_kind(io::ErrorKind::InvalidInput)
}

fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether this is a machine of a cloud, by what its firmware says of itself.
fn machine_is(words: &[&str]) -> bool {
    let files = ["sys_vendor", "product_name", "bios_vendor", "chassis_asset_tag"];
    files.iter().any(|file| {
        let said = std::fs::read_to_string(format!("/sys/class/dmi/id/{file}")).unwrap_or_default();
        words.iter().any(|word| said.contains(word))
    })
}

fn google(bucket: &str) -> io::Result<Access> {
    let witness = Witness::of(bucket);
    let mut builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket).with_retry(retries());
    for (key, value) in timeouts() {
        builder = builder.with_config(GoogleConfigKey::Client(key), value);
    }
    let emulator = var("STORAGE_EMULATOR_HOST");
    if let Some(host) = &emulator {
        let url = if host.contains("://") { host.clone() } else { format!("http://{host}") };
        builder = builder.with_config(GoogleConfigKey::BaseUrl, url.trim_end_matches('/'));
    }
    if builder.get_config_value(&GoogleConfigKey::BaseUrl).is_some_and(|url| url.starts_with("http://")) {
        builder = builder.with_config(GoogleConfigKey::Client(ClientConfigKey::AllowHttp), "true");
    }
    let named = [
        GoogleConfigKey::ServiceAccount,
        GoogleConfigKey::ServiceAccountKey,
        GoogleConfigKey::ApplicationCredentials,
        GoogleConfigKey::BearerToken,
        GoogleConfigKey::SkipSignature,
    ];
    let is_named = named.iter().any(|key| builder.get_config_value(key).is_some_and(|value| value != "false"));
    let home = var(if cfg!(windows) { "APPDATA" } else { "HOME" });
    let login =
        home.map(|home| std::path::Path::new(&home).join(".config/gcloud/application_default_credentials.json"));
    let is_known = is_named || login.is_some_and(|file| file.is_file()) || machine_is(&["Google"]);
    if emulator.is_some() || !is_known {
        builder = builder.with_skip_signature(true);
    }
    let is_signed = builder.get_config_value(&GoogleConfigKey::SkipSignature).is_none_or(|skip| skip != "true");
    let store = builder.with_http_connector(witness).build().map_err(|_| {
        unusable(
            "access to Google Cloud Storage that the environment describes",
            "look at GOOGLE_APPLICATION_CREDENTIALS and the file that it names, or log in by gcloud auth \
             application-default login",
        )
    })?;
    let store = Arc::new(store);
    Ok(Access { objects: Arc::clone(&store) as _, pages: store, is_signed, moved_to: None })
}

/// Access to a bucket, and whether it may be opened elsewhere if it turns out to lie there. The checksums of objects are
/// told only `with_sums`, by a header that is signed with the others.
fn amazon(bucket: &str, region: Option<&str>, with_sums: bool) -> io::Result<(Access, bool)> {
    let witness = Witness::of(bucket);
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retries());
    if with_sums {
        let asks = (HeaderName::from_static("x-amz-checksum-mode"), HeaderValue::from_static("ENABLED"));
        builder = builder.with_client_options(ClientOptions::new().with_default_headers([asks].into_iter().collect()));
    }
    for (key, value) in timeouts() {
        builder = builder.with_config(AmazonS3ConfigKey::Client(key), value);
    }
    let said = |builder: &AmazonS3Builder, key: AmazonS3ConfigKey| builder.get_config_value(&key);
    let endpoint =
        said(&builder, AmazonS3ConfigKey::S3Endpoint).or_else(|| said(&builder, AmazonS3ConfigKey::Endpoint));
    if endpoint.as_ref().is_some_and(|url| url.starts_with("http://")) {
        builder = builder.with_allow_http(true);
    }
    let named = [
        AmazonS3ConfigKey::AccessKeyId,
        AmazonS3ConfigKey::SecretAccessKey,
        AmazonS3ConfigKey::WebIdentityTokenFile,
        AmazonS3ConfigKey::ContainerCredentialsRelativeUri,
        AmazonS3ConfigKey::ContainerCredentialsFullUri,
    ];
    let skips = said(&builder, AmazonS3ConfigKey::SkipSignature).is_some_and(|skip| skip == "true");
    let mut is_signed = !skips && named.into_iter().any(|key| said(&builder, key).is_some());
    let profile = if skips { Profile::default() } else { aws_profile::read(is_signed)? };
    if let (false, Some((key, secret))) = (is_signed, profile.keys) {
        builder = builder.with_access_key_id(key).with_secret_access_key(secret);
        if let Some(token) = profile.token {
            builder = builder.with_token(token);
        }
        is_signed = true;
    }
    let named_region = said(&builder, AmazonS3ConfigKey::Region)
        .or_else(|| said(&builder, AmazonS3ConfigKey::DefaultRegion))
        .or(profile.region);
    if let Some(region) = region.map(str::to_owned).or(named_region) {
        builder = builder.with_region(region);
    }
    if !is_signed && !skips && machine_is(&["Amazon EC2"]) {
        is_signed = true;
    }
    if !is_signed {
        builder = builder.with_skip_signature(true);
    }
    let store = builder.with_http_connector(witness).build().map_err(|_| {
        unusable(
            "access to S3 that the environment describes",
            "look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL, or the profile that AWS_PROFILE names",
        )
    })?;
    let store = Arc::new(store);
    Ok((Access { objects: Arc::clone(&store) as _, pages: store, is_signed, moved_to: None }, endpoint.is_none()))
}

fn azure(address: &Address) -> io::Result<Access> {
    let witness = Witness::of(address.host.split('@').next().unwrap_or_default());
    let mut builder = MicrosoftAzureBuilder::from_env().with_url(address.to_string()).with_retry(retries());
    for (key, value) in timeouts() {
        builder = builder.with_config(AzureConfigKey::Client(key), value);
    }
    if builder.get_config_value(&AzureConfigKey::Endpoint).is_some_and(|url| url.starts_with("http://")) {
        builder = builder.with_allow_http(true);
    }
    let emulated = builder.get_config_value(&AzureConfigKey::UseEmulator).is_some_and(|value| value == "true");
    if emulated {
        builder = builder.with_allow_http(true);
    }
    let named = [
        AzureConfigKey::AccessKey,
        AzureConfigKey::ClientId,
        AzureConfigKey::SasKey,
        AzureConfigKey::Token,
        AzureConfigKey::MsiEndpoint,
        AzureConfigKey::FederatedTokenFile,
    ];
    let switched = [AzureConfigKey::UseAzureCli, AzureConfigKey::SkipSignature];
    let is_named = emulated
        || named.iter().any(|key| builder.get_config_value(key).is_some())
        || switched.iter().any(|key| builder.get_config_value(key).is_some_and(|value| value == "true"))
        || machine_is(&["Microsoft Corporation", "7783-7084-3265-9085-8269-3286-77"]);
    if !is_named {
        builder = builder.with_skip_signature(true);
    }
    let is_signed = builder.get_config_value(&AzureConfigKey::SkipSignature).is_none_or(|skip| skip != "true");
    let store = builder.with_http_connector(witness).build().map_err(|_| {
        unusable(
            "access to Azure that the environment describes",
            "name the account: AZURE_STORAGE_ACCOUNT_NAME, or abfss://container@account.dfs.core.windows.net/…; a key \
             is AZURE_STORAGE_ACCOUNT_KEY",
        )
    })?;
    let store = Arc::new(store);
    Ok(Access { objects: Arc::clone(&store) as _, pages: store, is_signed, moved_to: None })
}
