//! Paths that this system does not read as they are written: of object stores and other machines, of Windows, of a shell
//! that did not expand them.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};
use crate::escape::shell_word;

/// Where a scheme leads, and the command that copies a checkpoint from there; `{}` is its path.
const PLACES: &[(&str, &str, &str)] = &[
    ("gs://", "an object in Google Cloud Storage", "gcloud storage cp {}* ."),
    ("s3://", "an object in Amazon S3", "aws s3 cp --recursive DIR . --exclude '*' --include 'NAME*'"),
    ("s3a://", "an object in Amazon S3", "aws s3 cp --recursive DIR . --exclude '*' --include 'NAME*'"),
    ("az://", "an object in Azure Blob Storage", "azcopy copy {}* ."),
    ("abfs://", "an object in Azure Blob Storage", "azcopy copy {}* ."),
    ("abfss://", "an object in Azure Blob Storage", "azcopy copy {}* ."),
    ("wasb://", "an object in Azure Blob Storage", "azcopy copy {}* ."),
    ("wasbs://", "an object in Azure Blob Storage", "azcopy copy {}* ."),
    ("hdfs://", "a file in HDFS", "hdfs dfs -get {}* ."),
    ("viewfs://", "a file in HDFS", "hdfs dfs -get {}* ."),
    ("dbfs:/", "a file in DBFS", "databricks fs cp --recursive DIR ."),
    ("https://", "on a web server", "curl -fLO {}"),
    ("http://", "on a web server", "curl -fLO {}"),
    ("ftp://", "on an FTP server", "curl -O {}"),
    ("hf://", "a file in the Hugging Face hub", "huggingface-cli download"),
];

/// Why a path that leads to another machine is not opened, and how to fetch what it names. The part of it that is a
/// signature or a password is not shown.
pub(super) fn remote(path: &Path) -> Option<Error> {
    let text = path.to_str()?;
    let lower = text.to_ascii_lowercase();
    let (_, what, command) = PLACES.iter().find(|(scheme, ..)| lower.starts_with(scheme))?;
    let shown = without_secrets(text);
    let is_set = !lower.starts_with("http") || shown.ends_with('/');
    let (dir, name) = shown.trim_end_matches('/').rsplit_once('/').unwrap_or((&shown, ""));
    let word = |text: &str| shell_word(Path::new(text));
    let fill = command.replace("{}*", &format!("{}'*'", word(&shown))).replace("{}", &word(&shown));
    let command = fill.replace("DIR", &word(dir)).replace("NAME", name);
    let files =
        if is_set { ": all files that begin so (.index, .data-…)" } else { " (the .index and every .data-… file)" };
    let why = format!("{what}, which this version does not read from there");
    let help = format!("fetch it first{files}: {command}");
    Some(Error::new(ErrorKind::NotACheckpoint(why)).in_file(Path::new(&*shown)).with_help(help))
}

/// A URL without its query and without a password.
fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{scheme}://{host}/{path}")
        }
        None => url.to_owned(),
    }
}

/// What a path probably means that leads to nothing as it is written, with the reason.
pub(super) fn readings(path: &Path) -> Vec<(PathBuf, &'static str)> {
    let Some(text) = path.to_str() else { return Vec::new() };
    let mut found = Vec::new();
    let mut add = |text: String, why| {
        if !text.is_empty() {
            found.push((PathBuf::from(text), why));
        }
    };
    if let Some(rest) = text.strip_prefix("file://") {
        add(rest.strip_prefix("localhost").unwrap_or(rest).to_owned(), "read as the path that the URL names");
    }
    let unquoted = text.trim().trim_matches(['\'', '"', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}']);
    if unquoted != text {
        add(unquoted.to_owned(), "read without the quotes or blanks around it");
    }
    if text.contains('\\') && cfg!(not(windows)) {
        add(unquoted.replace('\\', "/"), "read with / for \\, which this system takes for a letter");
    }
    if let Some(rest) = text.strip_prefix("~/")
        && let Some(home) = std::env::home_dir()
    {
        add(home.join(rest).to_string_lossy().into_owned(), "read with the home directory for ~");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_path_says_what_it_is_and_how_to_fetch_it() {
        let said = |path: &str| {
            let error = remote(Path::new(path)).unwrap();
            format!("{error} | {}", error.help().unwrap())
        };
        let gs = said("gs://bucket/run/ckpt-1");
        assert!(
            gs.contains("Google Cloud Storage") && gs.contains("gcloud storage cp gs://bucket/run/ckpt-1'*' ."),
            "{gs}"
        );
        let s3 = said("s3://bucket/run/ckpt-1");
        assert!(s3.contains("aws s3 cp --recursive s3://bucket/run . --exclude '*' --include 'ckpt-1*'"), "{s3}");
        let web = said("https://user:secret@host/m.index?X-Amz-Signature=abc");
        assert!(
            web.contains("curl -fLO https://host/m.index") && !web.contains("secret") && !web.contains("abc"),
            "{web}"
        );
        assert!(said("hdfs://n/x").contains("hdfs dfs -get"));
        assert!(remote(Path::new("run/gs/ckpt-1")).is_none());
    }

    #[test]
    fn other_readings_of_a_path() {
        let first = |path: &str| readings(Path::new(path)).first().map(|(path, _)| path.to_str().unwrap().to_owned());
        assert_eq!(first("file:///tmp/x"), Some("/tmp/x".to_owned()));
        assert_eq!(first("'run/ckpt-1'"), Some("run/ckpt-1".to_owned()));
        #[cfg(not(windows))]
        assert_eq!(first("model1\\model_gs_301k"), Some("model1/model_gs_301k".to_owned()));
        assert_eq!(first("run/ckpt-1"), None);
    }
}
