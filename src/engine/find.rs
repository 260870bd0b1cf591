//! Where an installed TensorFlow is, found without starting it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ckpt::read::storage;

/// A TensorFlow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its libraries, in the order in which they are loaded.
    pub(crate) libraries: Vec<PathBuf>,
    /// Who named it.
    pub(crate) by: &'static str,
}

impl Found {
    /// The library with the API.
    pub(crate) fn library(&self) -> &Path {
        self.libraries.last().map_or(Path::new(""), PathBuf::as_path)
    }
}

/// The environment variable that names an engine.
const VARIABLE: &str = "CKPT_TENSORFLOW";

/// What the libraries are called: of a wheel, where the first needs the second, and of TensorFlow for C.
#[cfg(target_os = "macos")]
const NAMES: [(&str, &str); 4] = [
    ("libtensorflow_cc.2.dylib", "libtensorflow_framework.2.dylib"),
    ("libtensorflow.2.dylib", "libtensorflow_framework.2.dylib"),
    ("libtensorflow_cc.dylib", "libtensorflow_framework.dylib"),
    ("libtensorflow.dylib", "libtensorflow_framework.dylib"),
];
#[cfg(windows)]
const NAMES: [(&str, &str); 1] = [("tensorflow.dll", "tensorflow_framework.dll")];
#[cfg(not(any(target_os = "macos", windows)))]
const NAMES: [(&str, &str); 4] = [
    ("libtensorflow_cc.so.2", "libtensorflow_framework.so.2"),
    ("libtensorflow.so.2", "libtensorflow_framework.so.2"),
    ("libtensorflow_cc.so", "libtensorflow_framework.so"),
    ("libtensorflow.so", "libtensorflow_framework.so"),
];

/// The TensorFlow at `engine`, or else the first of: `CKPT_TENSORFLOW`, the active environment, what `python3` would
/// import, and the system's.
///
/// # Errors
/// Why there is none, with what to do, in one text.
pub(crate) fn find(engine: Option<&Path>) -> Result<Found, String> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // What is named by hand is meant: where nothing is, nothing else is taken.
    for (path, by) in [(engine.map(Path::to_path_buf), "--engine"), (variable(VARIABLE), VARIABLE)] {
        if let Some(path) = path {
            return at(&path).map(|libraries| Found { libraries, by }).ok_or_else(|| no_engine_at(&path, by));
        }
    }
    for name in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        if let Some(libraries) = variable(name).and_then(|path| at(&path)) {
            return Ok(Found { libraries, by: name });
        }
    }
    if let Some(libraries) = of_python().and_then(|path| at(&path)) {
        return Ok(Found { libraries, by: "python3" });
    }
    let places = variable("LD_LIBRARY_PATH").map(|paths| std::env::split_paths(&paths).collect::<Vec<_>>());
    let places = places.unwrap_or_default().into_iter().chain(SYSTEM.map(PathBuf::from));
    match places.filter(|place| place.is_absolute()).find_map(|place| in_folder(&place)) {
        Some(libraries) => Ok(Found { libraries, by: "the system" }),
        None => Err(NO_ENGINE.to_owned()),
    }
}

/// Where systems keep libraries.
const SYSTEM: [&str; 6] = [
    "/usr/local/lib",
    "/usr/lib",
    "/usr/lib64",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/opt/homebrew/lib",
];

const NO_ENGINE: &str = "there is no TensorFlow to run the model with; `pip install tensorflow-cpu` in the environment \
                         that is active, or name one with --engine (a virtual environment, a python, or \
                         libtensorflow.so.2), or set CKPT_TENSORFLOW to it";

fn no_engine_at(path: &Path, by: &str) -> String {
    let shown = ckpt::base::escape::escaped(path.as_os_str().as_encoded_bytes()).into_owned();
    if !storage::exists(path) {
        return format!("{by} {shown}: there is nothing at this path");
    }
    let names = NAMES.map(|(name, _)| name);
    // Wheels of before 2.12 have the API in a module that only Python can load.
    format!(
        "{by} {shown}: no TensorFlow that can be loaded is there (looked for {}); name a virtual environment, a python, \
         a directory or the library; wheels from 2.12 on have it, and TensorFlow for C from 2.8 on",
        names.join(", ")
    )
}

/// The libraries that `path` leads to: a library, a python, or a directory in or above which they lie.
fn at(path: &Path) -> Option<Vec<PathBuf>> {
    if storage::is_folder(path) {
        return [path.to_path_buf(), path.join("lib"), path.join("tensorflow")]
            .iter()
            .find_map(|place| in_folder(place))
            .or_else(|| in_environment(path));
    }
    if !storage::is_file(path) {
        return None;
    }
    let name = path.file_name()?.to_string_lossy();
    if name.starts_with("python") {
        // `bin/python` of an environment; where that is a link, it says itself where its packages are.
        let environment = path.parent().and_then(Path::parent).and_then(in_environment);
        return environment.or_else(|| asked(path).and_then(|package| in_folder(&package)));
    }
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    Some(with_framework(folder, path))
}

/// The library, behind what it needs if that lies beside it.
fn with_framework(folder: &Path, library: &Path) -> Vec<PathBuf> {
    let name = library.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let ours = NAMES.iter().find(|(known, _)| *known == name).map_or(NAMES[0].1, |(_, framework)| framework);
    let framework = Some(folder.join(ours)).filter(|framework| storage::is_file(framework));
    framework.into_iter().chain([library.to_path_buf()]).collect()
}

fn in_folder(folder: &Path) -> Option<Vec<PathBuf>> {
    let mut there = NAMES.iter().map(|(name, _)| folder.join(name));
    there.find(|library| storage::is_file(library)).map(|library| with_framework(folder, &library))
}

/// Those of the package in an environment: `lib/python3.12/site-packages/tensorflow`, `Lib/site-packages/tensorflow`.
fn in_environment(root: &Path) -> Option<Vec<PathBuf>> {
    let mut places = vec![root.join("Lib")];
    for lib in ["lib", "lib64"] {
        let pythons = storage::names(&root.join(lib)).unwrap_or_default();
        // The newest first, by number: 3.12 comes after 3.9.
        let mut pythons: Vec<String> = pythons.into_iter().filter(|name| name.starts_with("python")).collect();
        pythons.sort_by_key(|name| std::cmp::Reverse(name.rsplit('.').next().and_then(|n| n.parse::<u32>().ok())));
        places.extend(pythons.into_iter().map(|python| root.join(lib).join(python)));
    }
    let packages = places.iter().flat_map(|place| ["site-packages", "dist-packages"].map(|name| place.join(name)));
    packages.map(|packages| packages.join("tensorflow")).find_map(|package| in_folder(&package))
}

/// The directory of the package that the `python3` of the path would import.
fn of_python() -> Option<PathBuf> {
    asked(Path::new("python3"))
}

/// The directory of the package, by the word of this python, which imports nothing of it.
fn asked(python: &Path) -> Option<PathBuf> {
    const ASK: &str = "import importlib.util as u; s = u.find_spec('tensorflow'); \
                       print(s.submodule_search_locations[0] if s and s.submodule_search_locations else '')";
    // Not the module `tensorflow.py` of the directory in which the user happens to be.
    let mut command = Command::new(python);
    command.args(["-I", "-c", ASK]).stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(text.trim_end())).filter(|path| !path.as_os_str().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_found_from_any_path_that_leads_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let packages = |python: &str| dir.path().join("lib").join(python).join("site-packages/tensorflow");
        for python in ["python3.9", "python3.12"] {
            std::fs::create_dir_all(packages(python)).unwrap();
            for name in [NAMES[0].0, NAMES[0].1] {
                std::fs::write(packages(python).join(name), b"").unwrap();
            }
        }
        std::fs::create_dir(dir.path().join("bin")).unwrap();
        std::fs::write(dir.path().join("bin/python3"), b"").unwrap();
        let newest = packages("python3.12");
        let both = vec![newest.join(NAMES[0].1), newest.join(NAMES[0].0)];
        let paths = [
            dir.path().to_path_buf(),
            dir.path().join("bin/python3"),
            newest.parent().unwrap().to_path_buf(),
            newest.clone(),
            newest.join(NAMES[0].0),
        ];
        for path in paths {
            let found = find(Some(&path)).unwrap();
            assert_eq!((&found.libraries, found.by), (&both, "--engine"), "{}", path.display());
        }
        let nothing = find(Some(&dir.path().join("nothing"))).unwrap_err();
        assert!(nothing.contains("nothing at this path"), "{nothing}");
        let empty = find(Some(&dir.path().join("bin"))).unwrap_err();
        assert!(empty.contains("no TensorFlow that can be loaded is there"), "{empty}");
    }
}
