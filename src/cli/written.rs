//! One file that a command writes: it appears under its name only complete, and replaces nothing that it should not.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result;
use ckpt::base::error::{Error, ErrorKind};
use ckpt::read::storage::{self, NewFile, Staged};

/// A file that is being written.
pub(super) struct Written {
    /// Where it shall lie.
    path: PathBuf,
    staged: Staged,
    name: String,
    file: NewFile,
    /// Whether something lay there that may be replaced: what comes meanwhile is not.
    replaces: bool,
}

impl Written {
    /// Begins a file. What lies there is replaced if `may_replace` says so; `what` it is not, is told otherwise.
    pub(super) fn begin(path: &Path, may_replace: impl FnOnce() -> bool, what: &str) -> Result<Self> {
        let request = |why: String| Error::new(ErrorKind::Request(why)).in_file(path);
        if storage::is_folder(path) {
            return Err(request("a directory; give the name of a file in it".to_owned()).into());
        }
        let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let name = name.ok_or_else(|| request("not a name for a file".to_owned()))?;
        let replaces = storage::is_taken(path);
        if replaces && !may_replace() {
            return Err(request(format!("it is there already{what}, and is not replaced without --force")).into());
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let staged = Staged::new(folder, &name)?;
        let file = NewFile::create(&staged.dir().join(&name))?;
        Ok(Self { path: path.to_path_buf(), staged, name, file, replaces })
    }

    /// Writes to it. What cannot be written is told with the name of the file, which those who write do not know.
    pub(super) fn fill<E>(&mut self, write: impl FnOnce(&mut NewFile) -> std::result::Result<(), E>) -> Result<()>
    where
        anyhow::Error: From<E>,
    {
        let Err(error) = write(&mut self.file) else { return Ok(()) };
        Err(match anyhow::Error::from(error).downcast::<io::Error>() {
            Ok(error) => Error::output(error, &self.path).into(),
            Err(error) => match error.downcast::<Error>() {
                Ok(error) if matches!(error.kind(), ErrorKind::Output(_)) => {
                    error.in_file(&self.path).with_help("nothing was put in place there").into()
                }
                Ok(error) => error.into(),
                Err(error) => error,
            },
        })
    }

    /// Gives the file its name, and returns its length.
    pub(super) fn finish(self) -> Result<u64> {
        let Self { staged, name, file, replaces, .. } = self;
        let path: PathBuf = staged.dir().join(&name);
        file.finish()?;
        let bytes = storage::stat(&path)?.len;
        staged.sync(std::slice::from_ref(&name))?;
        staged.commit(&[name], &[], replaces, None)?;
        Ok(bytes)
    }
}
