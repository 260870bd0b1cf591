//! A path as people write it: addresses of object stores and web servers, quotes, `\`, `file://`, a pattern.
//!
//! What another program would open is said with the command that fetches it; what only looks odd is put right, and told.

use std::path::{Path, PathBuf};

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::escape::Escaped;
use crate::read::bundle::Prefix;
use crate::read::storage::{self, Address, Scheme};

/// A path that may be opened, and what was changed in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenPath {
    /// The path.
    pub path: PathBuf,
    /// How it differs from what was written.
    pub note: Option<String>,
}

/// A scheme, whose it is, and the command that copies what begins so, between what stands before the address and behind.
struct Store {
    schemes: &'static [&'static str],
    what: &'static str,
    fetch: fn(&str) -> String,
}

const STORES: &[Store] = &[
    Store {
        schemes: &["gs"],
        what: "in Google Cloud Storage",
        fetch: |url| format!("gcloud storage cp -r {} .  (or gsutil -m cp -r)", quoted(&format!("{url}*"))),
    },
    Store {
        schemes: &["s3", "s3a", "s3n"],
        what: "in Amazon S3",
        fetch: |url| {
            let (dir, base) = rest(url).rsplit_once('/').unwrap_or((rest(url), ""));
            format!(
                "aws s3 cp --recursive {} . --exclude '*' --include {}",
                quoted(&format!("s3://{dir}/")),
                quoted(&format!("{base}*"))
            )
        },
    },
    Store { schemes: &["az", "abfs", "abfss", "wasb", "wasbs", "adl"], what: "in Azure storage", fetch: azure },
    Store {
        schemes: &["hdfs", "viewfs", "webhdfs"],
        what: "in HDFS",
        fetch: |url| format!("hdfs dfs -get {} .", quoted(&format!("{url}*"))),
    },
    Store {
        schemes: &["dbfs"],
        what: "in Databricks' file system",
        fetch: |url| {
            let path = format!("/{}", rest(url).trim_start_matches('/'));
            format!(
                "databricks fs cp -r {} .  (on a cluster it is mounted: /dbfs{})",
                quoted(&format!("dbfs:{}", directory(&path))),
                Escaped(path.as_bytes())
            )
        },
    },
    Store {
        schemes: &["hf"],
        what: "on Hugging Face",
        fetch: |url| {
            let mut parts = rest(url).splitn(3, '/');
            let repo: Vec<&str> = parts.by_ref().take(2).collect();
            let file =
                parts.next().map_or_else(String::new, |file| format!(" --include {}", quoted(&format!("{file}*"))));
            format!("hf download {}{file} --local-dir .", quoted(&repo.join("/")))
        },
    },
    Store { schemes: &["http", "https", "ftp"], what: "on a web server", fetch: web },
    Store {
        schemes: &["ssh", "sftp", "scp"],
        what: "on another machine",
        fetch: |url| {
            let (host, path) = rest(url).split_once('/').unwrap_or((rest(url), ""));
            format!("scp -r {} .", quoted(&format!("{host}:/{path}*")))
        },
    },
];

/// How to have a command that reads addresses itself.
const WITH_REMOTE: &str = "or have it read where it is: by the released binaries, by pip install tfckpt, or built with \
                           cargo install ckpt --features remote";

impl WrittenPath {
    /// What `path` means.
    ///
    /// # Errors
    /// [`ErrorKind::NotACheckpoint`] for an address that is not read, with the command that fetches it.
    pub fn of(path: &Path) -> Result<Self> {
        let as_it_is = Self { path: path.to_path_buf(), note: None };
        if let Some(text) = path.to_str().map(unquoted).filter(|_| cfg!(feature = "remote"))
            && Address::is(Path::new(text))
        {
            return Self::of_address(text);
        }
        let Some(text) = path.to_str().filter(|_| !exists(path)) else { return Ok(as_it_is) };
        let plain = unquoted(text);
        if let Some(local) = plain.strip_prefix("file:") {
            // `file:///a`, `file://localhost/a` and `file:/a` are one file.
            let local = local.strip_prefix("//").unwrap_or(local);
            let local = local.strip_prefix("localhost").filter(|rest| rest.starts_with('/')).unwrap_or(local);
            return Ok(Self::changed(path, local.into()));
        }
        if let Some(error) = remote(plain) {
            return Err(error);
        }
        let slashes = plain.replace('\\', "/");
        let drive = slashes.split_once(':').filter(|(letter, rest)| {
            letter.len() == 1 && letter.bytes().all(|b| b.is_ascii_alphabetic()) && rest.starts_with('/')
        });
        // Where Windows' drives are mounted in its Linux.
        let mounted = drive.map(|(letter, rest)| format!("/mnt/{}{rest}", letter.to_ascii_lowercase()));
        let shorter = slashes.trim_end_matches('/');
        let pattern = shorter.trim_end_matches(['*', '.']);
        let home = plain.strip_prefix("~/").zip(std::env::home_dir()).map(|(rest, home)| home.join(rest));
        if let Some(found) = home.filter(|path| exists(path)) {
            return Ok(Self::changed(path, found));
        }
        let tried = [plain, &slashes, mounted.as_deref().unwrap_or(plain), shorter, pattern];
        if let Some(found) = tried.into_iter().find(|tried| !tried.is_empty() && exists(Path::new(tried))) {
            return Ok(Self::changed(path, found.into()));
        }
        let fail = |help: String| {
            let kind = ErrorKind::NotACheckpoint("no such file or checkpoint".to_owned());
            Err(Error::new(kind).in_file(path).with_help(help))
        };
        if drive.is_some() && !cfg!(windows) {
            return fail("this is a path of Windows, and nothing is there from here; copy the files over".to_owned());
        }
        if plain.starts_with('~') {
            return fail("a shell replaces ~ only outside quotes: leave them out, or write \"$HOME/…\"".to_owned());
        }
        if plain.contains("${") || plain.starts_with('$') {
            return fail("a variable of the shell was not replaced: use double quotes, or none".to_owned());
        }
        // Near misses are looked for in what was meant.
        Ok(if slashes == text { as_it_is } else { Self::changed(path, slashes.into()) })
    }

    /// What an address means. Whoever keeps it is asked here for the first time, so here it is told if nobody answers, or
    /// not as wanted: for all questions behind, what cannot be seen is not there.
    fn of_address(text: &str) -> Result<Self> {
        let shorter = text.trim_end_matches('*');
        let plain = storage::admit(Path::new(shorter));
        // As it is shown everywhere: with its two slashes, and with one at its end where a directory is meant.
        let end = if shorter.ends_with('/') { "/" } else { "" };
        let path = Address::of(&plain)
            .filter(|address| !address.host.is_empty())
            .map_or(plain, |address| format!("{address}{end}").into());
        storage::look_anew(&path);
        let written = |path: &Path| Ok(Self { path: path.to_path_buf(), note: None });
        let Err(error) = storage::stat(&path) else { return written(&path) };
        let is_trouble = error.kind() != std::io::ErrorKind::NotFound || error.get_ref().is_some();
        let index = Prefix::new(path.as_os_str()).index();
        if storage::stat(&index).is_ok_and(|stat| stat.is_regular()) {
            return written(&path);
        }
        if is_trouble {
            return Err(Error::io(error, &path));
        }
        let is_web = Address::of(&path).is_some_and(|address| address.scheme == Scheme::Web);
        let has_meaning = |name: &str| name.contains("?????") || name == "variables";
        if is_web && !path.file_name().and_then(|name| name.to_str()).is_some_and(has_meaning) {
            let kind =
                ErrorKind::NotACheckpoint("the web server has no such file, and no .index of this name".to_owned());
            return Err(Error::new(kind).in_file(&path).with_help(
                "it cannot be asked which files it has: give the name of one (model.safetensors, saved_model.pb, \
                 ckpt-200.index) or the prefix of a checkpoint (ckpt-200)",
            ));
        }
        written(&path)
    }

    fn changed(written: &Path, path: PathBuf) -> Self {
        let shown = |path: &Path| Escaped(path.as_os_str().as_encoded_bytes()).to_string();
        let note = format!("{} was read as {}", shown(written), shown(&path));
        Self { path, note: Some(note) }
    }
}

/// Whether there is something that a path could mean: a file, a directory, or the index of a prefix.
fn exists(path: &Path) -> bool {
    storage::is_taken(path) || storage::is_file(&Prefix::new(path.as_os_str()).index())
}

/// A path without the white space and the quotes that came along with it.
fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let pairs = [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('<', '>')];
    let inner = pairs.iter().find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close));
    inner.map_or(text, str::trim)
}

/// The error for an address.
fn remote(text: &str) -> Option<Error> {
    let (scheme, _) = text.split_once(":/")?;
    let is_scheme =
        scheme.len() > 1 && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if !is_scheme {
        return None;
    }
    let lower = scheme.to_ascii_lowercase();
    let text = &*without_secrets(text);
    // Libraries that tidy paths make one slash of two.
    let url = match lower.as_str() {
        "dbfs" => text.to_owned(),
        _ => format!("{lower}://{}", rest(text)),
    };
    let (what, help) = match STORES.iter().find(|store| store.schemes.contains(&lower.as_str())) {
        // All files of a set begin with its prefix, and any of them may have been given.
        Some(store) => {
            let fetch = format!("fetch it first: {}", (store.fetch)(without_member(&url)));
            let can_be_read = Address::parse(&url).is_some();
            let help = if can_be_read { format!("{fetch}; {WITH_REMOTE}") } else { fetch };
            (store.what.to_owned(), help)
        }
        None => (
            format!("at an address of another program ({})", Escaped(scheme.as_bytes())),
            "copy it to a disk first: the .index file and every .data file of the prefix".to_owned(),
        ),
    };
    let which = if Address::parse(&url).is_some() { "this build of ckpt" } else { "ckpt" };
    let kind = ErrorKind::NotACheckpoint(format!("this is {what}, which {which} does not read"));
    Some(Error::new(kind).in_file(Path::new(text)).with_help(help))
}

/// An address without its query, which may be a signature, and without a password.
fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://").map(|(scheme, rest)| (scheme, rest.split_once('/').unwrap_or((rest, "")))) {
        Some((scheme, (host, path))) => {
            // `container@account` of Azure is no user.
            let secret = host.rsplit_once('@').filter(|(user, _)| user.contains(':') || scheme.starts_with("http"));
            format!("{scheme}://{}/{path}", secret.map_or(host, |(_, host)| host))
        }
        None => url.to_owned(),
    }
}

/// An address without its scheme.
fn rest(url: &str) -> &str {
    url.split_once(':').map_or(url, |(_, rest)| rest).trim_start_matches('/')
}

/// An address without what makes it one file of a set, and without a slash or a star at its end.
fn without_member(url: &str) -> &str {
    let url = url.trim_end_matches(['*', '/']);
    let name = url.rsplit('/').next().unwrap_or(url);
    let end = [".index", ".meta", ".data-"].iter().filter_map(|mark| name.rfind(mark)).min();
    let keep = end.map_or(url.len(), |end| url.len().saturating_sub(name.len()).saturating_add(end));
    url.get(..keep).unwrap_or(url)
}

fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

/// Text as a shell takes it literally.
fn quoted(text: &str) -> String {
    let text = Escaped(text.as_bytes()).to_string();
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn azure(url: &str) -> String {
    let rest = rest(url);
    // `abfss://container@account.dfs.core.windows.net/path`, `az://container/path`.
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (container, account) = match host.split_once('@') {
        Some((container, server)) => (container, server.split('.').next()),
        None => (host, None),
    };
    let account = account.map_or_else(String::new, |name| format!(" --account-name {}", quoted(name)));
    format!(
        "az storage blob download-batch{account} -s {} --pattern {} -d .",
        quoted(container),
        quoted(&format!("{path}*"))
    )
}

fn web(url: &str) -> String {
    let rest = rest(url);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let name = path.rsplit('/').next().unwrap_or(path);
    match host {
        "storage.googleapis.com" | "storage.cloud.google.com" => {
            return format!("gcloud storage cp -r {} .  (or gsutil -m cp -r)", quoted(&format!("gs://{path}*")));
        }
        "github.com" if path.contains("/blob/") || path.contains("/tree/") => {
            let repo: Vec<&str> = path.splitn(3, '/').take(2).collect();
            return format!(
                "git clone {} (with git lfs pull, if it uses that)",
                quoted(&format!("https://github.com/{}", repo.join("/")))
            );
        }
        "tfhub.dev" => return format!("curl -fL {} | tar xz", quoted(&format!("{url}?tf-hub-format=compressed"))),
        "huggingface.co" => {
            let repo: Vec<&str> = path.splitn(3, '/').take(2).collect();
            return format!("hf download {} --local-dir .", quoted(&repo.join("/")));
        }
        "drive.google.com" => {
            return "download it in the browser, or with gdown: a shared folder needs gdown --folder".to_owned();
        }
        _ => {}
    }
    // With an ending it is one file; without, a prefix, of which a web server cannot list the files.
    let is_file = name.rsplit_once('.').is_some_and(|(_, end)| {
        ["zip", "gz", "tgz", "tar", "pb", "h5", "hdf5", "keras", "npz", "safetensors"].contains(&end)
    });
    if is_file {
        return format!("curl -fLO {}", quoted(url));
    }
    let file = |end: &str| quoted(&format!("{url}{end}"));
    format!(
        "curl -fLO {} -fLO {}, and the other shards, if there are some",
        file(".index"),
        file(".data-00000-of-00001")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_with_the_command_that_fetches_it() {
        for (path, parts) in [
            ("gs://b/run/ckpt-1", ["Google Cloud Storage", "gcloud storage cp -r 'gs://b/run/ckpt-1*' ."]),
            ("gs:/b/run/ckpt-1.index", ["Google Cloud Storage", "'gs://b/run/ckpt-1*'"]),
            (
                "s3://b/run/ckpt-1.data-00000-of-00001",
                ["Amazon S3", "'s3://b/run/' . --exclude '*' --include 'ckpt-1*'"],
            ),
            ("hdfs://n:9000/run/ckpt-1", ["HDFS", "hdfs dfs -get 'hdfs://n:9000/run/ckpt-1*' ."]),
            ("dbfs:/run/ckpt-1", ["Databricks", "/dbfs/run/ckpt-1"]),
            (
                "abfss://c@acc.dfs.core.windows.net/run/ckpt-1",
                ["Azure", "--account-name 'acc' -s 'c' --pattern 'run/ckpt-1*'"],
            ),
            ("az://c/run/ckpt-1", ["Azure", "-s 'c' --pattern 'run/ckpt-1*'"]),
            ("https://x.org/m/ckpt-1", ["web server", "'https://x.org/m/ckpt-1.index'"]),
            ("https://x.org/m/m.zip", ["web server", "curl -fLO 'https://x.org/m/m.zip'"]),
            ("https://tfhub.dev/g/e/1", ["web server", "?tf-hub-format=compressed"]),
            ("https://u:secret@x.org/m.pb?X-Signature=abc", ["web server", "curl -fLO 'https://x.org/m.pb'"]),
            ("ram://x/ckpt", ["another program (ram)", "copy it to a disk"]),
            ("\" gs://b/c'd \"", ["Google", "'gs://b/c'\\''d*'"]),
        ] {
            // Whether an address is read is a matter of the build.
            let error = remote(unquoted(path)).unwrap();
            let text = format!("{error} {}", error.help().unwrap_or_default());
            assert!(parts.iter().all(|part| text.contains(part)), "{path}: {text}");
        }
        let error = WrittenPath::of(Path::new("~/run/ckpt-1")).unwrap_err();
        assert!(error.to_string().contains("no such file"));
    }

    #[test]
    fn what_only_looks_odd_is_put_right() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_str().unwrap();
        std::fs::create_dir(dir.path().join("run")).unwrap();
        std::fs::write(dir.path().join("run/m-1.index"), "x").unwrap();
        let wanted = format!("{root}/run/m-1");
        for written in [
            format!("'{wanted}'"),
            format!(" {wanted}\n"),
            format!("{root}/run\\m-1"),
            format!("file://{wanted}"),
            format!("file://localhost{wanted}"),
            format!("file:{wanted}"),
            format!("{wanted}/"),
            format!("{wanted}*"),
            format!("{wanted}.*"),
            format!("{wanted}."),
        ] {
            let found = WrittenPath::of(Path::new(&written)).unwrap();
            assert_eq!(found.path, Path::new(&wanted), "{written}");
            assert!(found.note.is_some());
        }
        assert_eq!(WrittenPath::of(Path::new(&wanted)).unwrap().note, None);
        let nothing = WrittenPath::of(&dir.path().join("run/m-2")).unwrap();
        assert_eq!(nothing.note, None);
    }
}
