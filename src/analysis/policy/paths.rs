//! The globs of paths in a policy: from the folder of its file, with `/` on every system.

use std::path::{Component, Path, PathBuf};

use globset::{Glob, GlobBuilder, GlobMatcher};

use crate::read::bundle::Prefix;

/// Some globs; none of them stand for all paths.
#[derive(Debug, Default)]
pub struct Paths {
    /// As written.
    pub texts: Vec<String>,
    globs: Vec<GlobMatcher>,
}

impl Paths {
    /// Adds a glob that begins at `folder`, an absolute path.
    pub(super) fn add(&mut self, text: &str, folder: &Path) -> Result<(), globset::Error> {
        // Only what is written has signs of globs.
        let folder = globset::escape(&folder.to_string_lossy());
        let glob = absolute(Path::new(text), Path::new(&folder)).to_string_lossy().into_owned();
        let glob = if cfg!(windows) { glob.replace('\\', "/") } else { glob };
        let glob: Glob = GlobBuilder::new(&glob).literal_separator(true).backslash_escape(true).build()?;
        self.globs.push(glob.compile_matcher());
        self.texts.push(text.to_owned());
        Ok(())
    }

    /// Whether they take a path, an absolute one: as it is, or a folder that it lies in, or the prefix that it is a file of.
    pub(super) fn take(&self, path: &Path) -> bool {
        let prefix = Prefix::of_member(path);
        let prefix = prefix.as_ref().map(Prefix::as_path);
        let mut all = path.ancestors().chain(prefix).filter(|path| !path.as_os_str().is_empty());
        self.globs.is_empty() || all.any(|path| self.globs.iter().any(|glob| glob.is_match(path)))
    }
}

/// A path from the root, without `.` and `..`, by its text alone: what it leads to may not be there.
pub(super) fn absolute(path: &Path, here: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in here.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_takes_folders_prefixes_and_files() {
        let takes = |glob: &str, path: &str| {
            let mut paths = Paths::default();
            paths.add(glob, Path::new("/p[1]/q")).unwrap();
            paths.take(Path::new(path))
        };
        let index = "/p[1]/q/runs/old/model-7.index";
        for glob in
            ["runs/old", "./runs/old/", "runs/*", "**/model-7", "runs/old/model-7.index", "**/*.index", "runs/**"]
        {
            assert!(takes(glob, index), "{glob}");
        }
        for glob in ["**", "../q/runs", "../**/old", "/p\\[1\\]/**", "{runs,x}/{old,new}", "runs/old/model-[0-9]"] {
            assert!(takes(glob, index), "{glob}");
        }
        for glob in ["old", "*.index", "run", "runs/old/model", "**/model-7.data-*", "../runs", "/p[1]/**"] {
            assert!(!takes(glob, index), "{glob}");
        }
        assert!(takes("**/model-7", "/p[1]/q/model-7.data-00000-of-00002"));
        assert!(!takes("**", "/elsewhere/model-7.index"));
        assert!(Paths::default().take(Path::new("anything")));
    }

    #[test]
    fn paths_are_made_absolute_by_their_text() {
        let of = |path: &str| absolute(Path::new(path), Path::new("/project/here"));
        assert_eq!(of("../there/./x"), Path::new("/project/there/x"));
        assert_eq!(of("/../x"), Path::new("/x"));
    }
}
