//! Addresses in object stores and on web servers, told from paths on a disk.
//!
//! Above the store an address is a path like any other, its text as people write it: `gs://bucket/run/ckpt-1`. What
//! takes paths apart may make one slash of the two, so `gs:/bucket/run` means the same; it is always shown with two.

use std::fmt;
use std::path::Path;

/// Who answers for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Google Cloud Storage: `gs://bucket/name`.
    Gs,
    /// Amazon S3 and what speaks its protocol: `s3://bucket/name`, also `s3a`, `s3n`.
    S3,
    /// Azure Blob Storage: `az://container/name`, `abfss://container@account.dfs.core.windows.net/name`.
    Az,
    /// A web server, `http://` or `https://`.
    Web,
}

/// An address taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Who answers.
    pub scheme: Scheme,
    /// The word before `://`, in lower case.
    pub word: &'static str,
    /// The bucket, the container, or the server with its port; may be empty where somebody left it out.
    pub host: String,
    /// The name there, without slashes at its ends; empty for all of it.
    pub key: String,
}

const WORDS: [(&str, Scheme); 9] = [
    ("gs", Scheme::Gs),
    ("s3", Scheme::S3),
    ("s3a", Scheme::S3),
    ("s3n", Scheme::S3),
    ("az", Scheme::Az),
    ("abfs", Scheme::Az),
    ("abfss", Scheme::Az),
    ("http", Scheme::Web),
    ("https", Scheme::Web),
];

impl Address {
    /// The address that `path` is, if it is one.
    pub fn of(path: &Path) -> Option<Self> {
        Self::parse(path.to_str()?)
    }

    /// The address that `text` is, if it is one. `.` and `..` are taken together with what is before them.
    pub fn parse(text: &str) -> Option<Self> {
        let (word, rest) = text.split_once(':')?;
        let is_separator = |c: char| c == '/' || (cfg!(windows) && c == '\\');
        if !rest.starts_with(is_separator) {
            return None;
        }
        let (word, scheme) = WORDS.into_iter().find(|(known, _)| word.eq_ignore_ascii_case(known))?;
        let mut parts = rest.split(is_separator).filter(|part| !part.is_empty());
        let host = parts.next().unwrap_or_default().to_owned();
        let mut key: Vec<&str> = Vec::new();
        for part in parts {
            match part {
                "." => {}
                ".." => {
                    key.pop();
                }
                part => key.push(part),
            }
        }
        Some(Self { scheme, word, host, key: key.join("/") })
    }

    /// Whether `path` is an address.
    pub fn is(path: &Path) -> bool {
        // Nearly all paths are told by their first bytes.
        let bytes = path.as_os_str().as_encoded_bytes();
        let is_word = |at: usize| bytes.get(at) == Some(&b':');
        (2..=5).any(is_word) && Self::of(path).is_some()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.word, self.host)?;
        if self.key.is_empty() { Ok(()) } else { write!(f, "/{}", self.key) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_with_two_slashes_however_it_was_taken_apart() {
        for (written, shown) in [
            ("gs://b/run/ckpt-1", "gs://b/run/ckpt-1"),
            ("gs:/b/run/./x/../ckpt-1/", "gs://b/run/ckpt-1"),
            ("S3A://b", "s3a://b"),
            ("abfss://c@acc.dfs.core.windows.net/x", "abfss://c@acc.dfs.core.windows.net/x"),
            ("https://h:8080/../x", "https://h:8080/x"),
        ] {
            assert_eq!(Address::parse(written).unwrap().to_string(), shown);
            let parts: std::path::PathBuf = Path::new(written).components().collect();
            assert_eq!(Address::of(&parts).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn paths_of_a_disk_are_none() {
        for path in ["gs", "gs:", "gs:x", "./gs://x", "c:/x", "remote:/x", "run/gs:/x", "hdfs://x", "/s3://x"] {
            assert!(!Address::is(Path::new(path)), "{path}");
        }
        assert!(Address::is(Path::new("https://x")));
    }
}
