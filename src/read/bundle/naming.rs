//! File names of a bundle: the prefix, and what is appended to it.
//!
//! Source: `tensorflow/core/util/tensor_bundle/naming.cc`. The prefix is what people pass around; no file has its
//! name. It may end in `/`, and then the files are called `.index` and so on.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::base::escape::Escaped;

/// The common part of the file names of one checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix(OsString);

/// The two numbers in the name of a data shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShardName {
    /// Shard, from 0.
    pub id: u32,
    /// Number of shards.
    pub of: u32,
}

impl Prefix {
    /// A prefix as a user writes it.
    pub fn new(prefix: impl Into<OsString>) -> Self {
        Self(prefix.into())
    }

    /// The prefix that a file belongs to, if its name is that of an index, a graph or a data shard.
    pub fn of_member(path: &Path) -> Option<Self> {
        let name = path.file_name()?;
        // A bare `.index` belongs to the prefix that ends in `/`.
        if is_member_suffix(name) {
            let mut dir = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_path_buf();
            dir.push("");
            return Some(Self(dir.into_os_string()));
        }
        let mut suffix = OsString::from(".");
        suffix.push(path.extension()?);
        is_member_suffix(&suffix).then(|| Self(path.with_extension("").into_os_string()))
    }

    /// The prefix as a path. No file has this name.
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }

    /// The last component; empty for a prefix that ends in `/`.
    pub fn base_name(&self) -> &OsStr {
        if self.0.as_encoded_bytes().ends_with(b"/") {
            return OsStr::new("");
        }
        self.as_path().file_name().unwrap_or_default()
    }

    /// The directory that the files lie in.
    pub fn directory(&self) -> PathBuf {
        let dir = if self.base_name().is_empty() { Some(self.as_path()) } else { self.as_path().parent() };
        dir.filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_path_buf()
    }

    /// The number behind the last `-`, which savers use for the step; of V1 shards the one before `-?????-of-00003`.
    pub fn step(&self) -> Option<u64> {
        let (_, step) = without_v1_shard(self.base_name().to_str()?).rsplit_once('-')?;
        step.bytes().all(|b| b.is_ascii_digit()).then(|| step.parse().ok())?
    }

    /// `<prefix>.index`.
    pub fn index(&self) -> PathBuf {
        self.with_suffix(".index")
    }

    /// `<prefix>.meta`, the graph that TF1 savers write beside a checkpoint; one for all files of a sharded V1 one.
    pub fn meta(&self) -> PathBuf {
        match self.0.to_str().map(without_v1_shard) {
            Some(prefix) => format!("{prefix}.meta").into(),
            None => self.with_suffix(".meta"),
        }
    }

    /// `<prefix>.data-<id>-of-<of>`, each number at least five digits.
    pub fn shard(&self, id: i32, of: i32) -> PathBuf {
        self.with_suffix(&format!(".data-{id:05}-of-{of:05}"))
    }

    /// The prefix followed by `suffix`.
    pub fn with_suffix(&self, suffix: &str) -> PathBuf {
        let mut path = self.0.clone();
        path.push(suffix);
        path.into()
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Escaped(self.0.as_encoded_bytes()))
    }
}

impl ShardName {
    /// Parses `.data-00000-of-00002`, dot included.
    pub fn parse(suffix: &str) -> Option<Self> {
        let (id, of) = suffix.strip_prefix(".data-")?.split_once("-of-")?;
        let number = |digits: &str| {
            (digits.len() >= 5 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
        };
        Some(Self { id: number(id)?, of: number(of)? })
    }
}

/// A name without the `-00000-of-00003` or `-?????-of-00003` of a sharded V1 checkpoint.
fn without_v1_shard(name: &str) -> &str {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let base = name.rsplit_once("-of-").filter(|(_, of)| digits(of)).and_then(|(rest, _)| rest.rsplit_once('-'));
    base.filter(|(_, id)| *id == "?????" || digits(id)).map_or(name, |(base, _)| base)
}

fn is_member_suffix(suffix: &OsStr) -> bool {
    suffix == ".index" || suffix == ".meta" || suffix.to_str().and_then(ShardName::parse).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_file_of_the_set_names_the_prefix() {
        let of = |path: &str| Prefix::of_member(Path::new(path)).map(|p| p.0.into_string().unwrap());
        assert_eq!(of("d/model.ckpt-200.index").as_deref(), Some("d/model.ckpt-200"));
        assert_eq!(of("d/model.ckpt-200.meta").as_deref(), Some("d/model.ckpt-200"));
        assert_eq!(of("model.ckpt.data-00000-of-00002").as_deref(), Some("model.ckpt"));
        assert_eq!(of("d/m.data-123456-of-200000").as_deref(), Some("d/m"));
        assert_eq!(of("d/.index").as_deref(), Some("d/"));
        assert_eq!(of(".data-00000-of-00001").as_deref(), Some("./"));
        assert_eq!(of("model.ckpt-200"), None);
        assert_eq!(of("model.data-0-of-1"), None);
    }

    #[test]
    fn a_prefix_may_end_in_a_slash() {
        let prefix = Prefix::new("run/");
        assert_eq!(prefix.index(), Path::new("run/.index"));
        assert_eq!(prefix.directory(), Path::new("run/"));
        assert_eq!(prefix.step(), None);
    }

    #[test]
    fn the_step_is_the_number_behind_the_last_dash() {
        assert_eq!(Prefix::new("a/model.ckpt-00000200").step(), Some(200));
        assert_eq!(Prefix::new("a/ckpt-1-best").step(), None);
        assert_eq!(Prefix::new("a-3/ckpt").step(), None);
        assert_eq!(Prefix::new("a/model.ckpt-9-?????-of-00003").step(), Some(9));
    }

    #[test]
    fn the_shard_of_a_legacy_checkpoint_is_not_its_step() {
        for name in ["d-1/model.ckpt-9-?????-of-00003", "d-1/model.ckpt-9-00002-of-00003", "d-1/model.ckpt-9"] {
            assert_eq!(Prefix::new(name).step(), Some(9), "{name}");
            assert_eq!(Prefix::new(name).meta(), Path::new("d-1/model.ckpt-9.meta"), "{name}");
        }
        assert_eq!(Prefix::new("part-of-1").step(), Some(1));
    }

    #[test]
    fn shards_are_padded_to_five_digits() {
        assert_eq!(Prefix::new("m").shard(0, 2), Path::new("m.data-00000-of-00002"));
        assert_eq!(Prefix::new("m").shard(123_456, 200_000), Path::new("m.data-123456-of-200000"));
    }
}
