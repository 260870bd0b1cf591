//! The files in which the tools of AWS keep credentials and regions, of which `object_store` knows nothing.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use crate::base::fault::Fault;

/// What the files say of one profile.
#[derive(Default)]
pub(super) struct Profile {
    /// The key and its secret.
    pub(super) keys: Option<(String, String)>,
    /// What goes with keys that end some time.
    pub(super) token: Option<String>,
    pub(super) region: Option<String>,
}

/// The profile that `AWS_PROFILE` names, or the default one.
///
/// # Errors
/// If it says who asks in a way that needs a program of AWS, and nobody else `is_known`.
pub(super) fn read(is_known: bool) -> io::Result<Profile> {
    let named = std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
    let profile = named.as_deref().unwrap_or("default");
    let text = |variable: &str, name: &str| {
        let given = std::env::var_os(variable).map(PathBuf::from);
        let file = given.or_else(|| Some(std::env::home_dir()?.join(".aws").join(name)))?;
        std::fs::read_to_string(file).ok()
    };
    let credentials = text("AWS_SHARED_CREDENTIALS_FILE", "credentials").unwrap_or_default();
    let config = text("AWS_CONFIG_FILE", "config").unwrap_or_default();
    of(profile, &credentials, &config, is_known, named.is_some())
}

fn of(profile: &str, credentials: &str, config: &str, is_known: bool, is_named: bool) -> io::Result<Profile> {
    let mut said = section(config, &format!("profile {profile}"));
    if profile == "default" || said.is_empty() {
        said.extend(section(config, profile));
    }
    said.extend(section(credentials, profile));
    let mut take = |key: &str| said.remove(key);
    let keys = take("aws_access_key_id").zip(take("aws_secret_access_key"));
    let (token, region) = (take("aws_session_token"), take("region"));
    let needs_program =
        ["sso_session", "sso_start_url", "credential_process", "role_arn", "source_profile", "login_session"];
    let shown = crate::base::escape::escaped(profile.as_bytes()).into_owned();
    if keys.is_none() && !is_known {
        if needs_program.iter().any(|key| said.contains_key(*key)) {
            let what = format!("the profile {shown} of AWS has no key: its login is a matter of the AWS CLI");
            let help = format!(
                "let it say the keys: eval \"$(aws configure export-credentials --profile {shown} --format env)\""
            );
            return Err(Fault::new(what).with_help(help).of_kind(io::ErrorKind::PermissionDenied));
        }
        if is_named {
            let what = format!("there are no keys for the profile {shown} of AWS");
            let help = "AWS_PROFILE names it; aws configure list-profiles shows those that there are";
            return Err(Fault::new(what).with_help(help).of_kind(io::ErrorKind::PermissionDenied));
        }
    }
    Ok(Profile { keys, token, region })
}

/// What stands under `[name]`.
fn section(text: &str, name: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut is_in = false;
    for line in text.lines() {
        let line = line.trim();
        if let Some(title) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            is_in = title.split_whitespace().eq(name.split_whitespace());
        } else if let Some((key, value)) = line.split_once('=').filter(|_| is_in && !line.starts_with(['#', ';'])) {
            found.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREDENTIALS: &str = "[default]\naws_access_key_id = A\naws_secret_access_key=S = =\n# [x]\n[ci]\nAWS_ACCESS_KEY_ID=B\naws_secret_access_key=T\naws_session_token=U\n";
    const CONFIG: &str =
        "[default]\nregion=eu-west-1\n[profile ci]\nregion = us-west-2\n[profile sso]\nsso_session = x\n";

    #[test]
    fn keys_and_regions_of_a_profile_are_found() {
        let default = of("default", CREDENTIALS, CONFIG, false, false).unwrap();
        assert_eq!(default.keys, Some(("A".to_owned(), "S = =".to_owned())));
        assert_eq!(default.region.as_deref(), Some("eu-west-1"));
        let ci = of("ci", CREDENTIALS, CONFIG, false, true).unwrap();
        assert_eq!(
            (ci.keys.unwrap().0, ci.token.unwrap(), ci.region.unwrap()),
            ("B".into(), "U".into(), "us-west-2".into())
        );
    }

    #[test]
    fn a_profile_that_cannot_be_followed_is_told() {
        let told =
            |profile, is_known| of(profile, CREDENTIALS, CONFIG, is_known, true).err().map(|error| error.to_string());
        assert!(told("sso", false).unwrap().contains("matter of the AWS CLI"));
        assert!(told("nobody", false).unwrap().contains("no keys for the profile nobody"));
        assert_eq!(told("sso", true), None);
        assert!(of("default", "", "", false, false).is_ok());
    }
}
