//! How files that are whole get their names, in single steps: each happens or does not, and between any two of them
//! what is found under the names is the old set or the new one, whole.
//!
//! One file replaces another in one step. Of a set, the new data first gets names that nothing has, with an index that
//! finds it there (the bridge); that index replaces the old one in one step; then the data gets its own names, which
//! nothing refers to any more, and at last the index that finds it under those. All of this is done with links, which
//! take neither room nor time. Where a file system has none, old files are moved away first, and come back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Links of what is being replaced, in case that something cannot be done.
const KEPT: &str = "kept";

/// What is being replaced, moved away: where there are no links.
const ASIDE: &str = "replaced";

/// Files that lie under other names until those of the set are free: see [`Bridge`].
pub(super) const BRIDGE: &str = "bridge";

/// The index of the bridge, on its way to its name.
const LIVE: &str = "live";

/// What finds the new data under other names: an index under the name that it will have, and
/// names that nothing has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bridge {
    /// The name of the index.
    pub index: String,
    /// Each data file, as it is called and as the index of the bridge calls it.
    pub links: Vec<(String, String)>,
    /// Files besides the index that only the bridge has.
    pub more: Vec<String>,
}

/// Files that are to get their names.
#[derive(Debug)]
pub(super) struct Placing<'p> {
    /// Where they shall lie.
    pub(super) target: &'p Path,
    /// Where they lie.
    pub(super) dir: &'p Path,
    /// Their names, those by which the others are found last.
    pub(super) names: &'p [String],
    /// What is taken away when they lie there, those by which others are found first.
    pub(super) outdated: &'p [String],
    /// How data is found whose names are taken.
    pub(super) bridge: Option<&'p Bridge>,
}

/// What is done at once, or not at all.
#[derive(Debug)]
enum Step {
    /// A second name, which nothing has.
    Link(PathBuf, PathBuf),
    /// Another name, whatever had it.
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

impl Step {
    fn take(&self) -> io::Result<()> {
        match self {
            Self::Link(from, to) => fs::hard_link(from, to),
            Self::Rename(from, to) => fs::rename(from, to),
            Self::Remove(path) => fs::remove_file(path),
        }
    }
}

impl Placing<'_> {
    /// Places files where nothing lies under their names; of another program that was quicker nothing is replaced.
    ///
    /// # Errors
    /// What could not be done, and with which file. Then none of them lies there.
    pub(super) fn place(&self) -> Result<(), (io::Error, PathBuf)> {
        let mut placed: Vec<PathBuf> = Vec::new();
        for name in self.names {
            let to = self.target.join(name);
            if let Err(error) = place(&self.dir.join(name), &to) {
                for to in &placed {
                    let _ = fs::remove_file(to);
                }
                return Err((error, to));
            }
            placed.push(to);
        }
        Ok(())
    }

    /// Places files and takes away what lies under their names, or is outdated.
    ///
    /// # Errors
    /// What could not be done, and with which file. Then what lay there lies there still.
    pub(super) fn replace(&self) -> Result<(), (io::Error, PathBuf)> {
        let kept = self.keep();
        match (kept, self.steps()) {
            (true, Some(steps)) => steps.iter().try_for_each(|step| {
                step.take().map_err(|error| {
                    self.undo();
                    let (Step::Link(_, at) | Step::Rename(_, at) | Step::Remove(at)) = step;
                    (error, at.clone())
                })
            }),
            _ => self.replace_aside(),
        }
    }

    /// What lies under the names, and what is outdated.
    fn old(&self) -> impl Iterator<Item = &String> {
        let lies = |name: &&String| self.target.join(name).symlink_metadata().is_ok();
        self.names.iter().rev().chain(self.outdated).filter(lies)
    }

    /// Makes links of what is replaced; whether that can be had.
    fn keep(&self) -> bool {
        let kept = self.dir.join(KEPT);
        let link = |name: &String| fs::hard_link(self.target.join(name), kept.join(name));
        fs::create_dir(&kept).is_ok() && self.old().try_for_each(link).is_ok()
    }

    /// All steps; `None` if data would be replaced before its index, and nothing bridges that.
    fn steps(&self) -> Option<Vec<Step>> {
        let (target, dir) = (self.target, self.dir);
        let is_taken = |name: &String| target.join(name).symlink_metadata().is_ok();
        let data = self.names.split_last().map_or(&[][..], |(_, data)| data);
        let mut steps = Vec::new();
        let others: Vec<&String> = match self.bridge {
            None if data.iter().any(is_taken) => return None,
            None => Vec::new(),
            Some(bridge) => {
                let folder = dir.join(BRIDGE);
                let others: Vec<&String> = bridge.links.iter().map(|(_, other)| other).chain(&bridge.more).collect();
                for (name, other) in &bridge.links {
                    steps.push(Step::Link(dir.join(name), folder.join(other)));
                }
                for other in others.iter().copied() {
                    steps.push(Step::Link(folder.join(other), target.join(other)));
                }
                steps.push(Step::Link(folder.join(&bridge.index), dir.join(LIVE)));
                steps.push(Step::Rename(dir.join(LIVE), target.join(&bridge.index)));
                others
            }
        };
        let rename = |name: &String| Step::Rename(dir.join(name), target.join(name));
        steps.extend(self.names.iter().map(rename));
        steps.extend(others.into_iter().map(|other| Step::Remove(target.join(other))));
        steps.extend(self.outdated.iter().map(|name| Step::Remove(target.join(name))));
        Some(steps)
    }

    /// Puts back what was kept: data first, then what finds it, and then takes away what is new.
    fn undo(&self) {
        let kept = self.dir.join(KEPT);
        let lies = |path: PathBuf| path.symlink_metadata().is_ok();
        let is_new = |name: &&String| !lies(kept.join(name)) && !lies(self.dir.join(name));
        let new: Vec<&String> = self.names.iter().rev().filter(is_new).collect();
        for name in self.names.iter().chain(self.outdated.iter().rev()) {
            let _ = fs::rename(kept.join(name), self.target.join(name));
        }
        for name in new {
            let _ = fs::remove_file(self.target.join(name));
        }
        remove_others(self.target, self.dir);
    }

    /// The same without links: old files are moved away, those by which the others are found first.
    fn replace_aside(&self) -> Result<(), (io::Error, PathBuf)> {
        let aside = self.dir.join(ASIDE);
        fs::create_dir(&aside).map_err(|error| (error, aside.clone()))?;
        let old: Vec<&String> = self.old().collect();
        let moved = old.iter().try_for_each(|name| {
            let from = self.target.join(name);
            fs::rename(&from, aside.join(name)).map_err(|error| (error, from))
        });
        let placed = moved.and_then(|()| self.place());
        if placed.is_err() {
            for name in old.iter().rev() {
                let _ = fs::rename(aside.join(name), self.target.join(name));
            }
        }
        // From here on nothing comes back.
        let _ = fs::rename(&aside, self.dir.join("done"));
        placed
    }
}

/// Puts in order what a run that was ended left in `dir` and beside it: a set that was found by a bridge gets its names,
/// files that were moved away come back.
///
/// # Errors
/// If a file cannot be moved.
pub(super) fn put_in_order(target: &Path, dir: &Path) -> io::Result<()> {
    for name in names_in(&dir.join(ASIDE)) {
        fs::rename(dir.join(ASIDE).join(&name), target.join(&name))?;
    }
    if let Some(index) = live(target, dir) {
        let is_index = |name: &PathBuf| *name == index;
        let (index, data): (Vec<PathBuf>, Vec<PathBuf>) = names_in(dir).into_iter().partition(is_index);
        for name in data.into_iter().chain(index) {
            let from = dir.join(&name);
            if from.is_file() && name != Path::new(LIVE) {
                fs::rename(from, target.join(name))?;
            }
        }
    }
    remove_others(target, dir);
    Ok(())
}

/// The index of a bridge that is in its place: then what it finds is whole and new.
fn live(target: &Path, dir: &Path) -> Option<PathBuf> {
    let folder = dir.join(BRIDGE);
    let is_live = |name: &PathBuf| dir.join(name).is_file() && is_same(&target.join(name), &folder.join(name));
    names_in(&folder).into_iter().find(is_live)
}

/// Takes away the names that only the bridge needed; never an index, which is replaced and not taken away.
fn remove_others(target: &Path, dir: &Path) {
    let folder = dir.join(BRIDGE);
    let is_index = |name: &PathBuf| name.extension().is_some_and(|end| end == "index" || end == "json");
    let is_other = |name: &PathBuf| !is_index(name) && is_same(&target.join(name), &folder.join(name));
    for name in names_in(&folder).into_iter().filter(is_other) {
        let _ = fs::remove_file(target.join(name));
    }
}

/// Old files that a run which was ended had moved away, with the directory in which they lie.
pub(super) fn moved_away(dir: &Path) -> Option<(PathBuf, Vec<PathBuf>)> {
    let aside = dir.join(ASIDE);
    let names = names_in(&aside);
    (!names.is_empty()).then_some((aside, names))
}

fn names_in(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<PathBuf> = entries.map(|entry| entry.file_name().into()).collect();
    names.sort();
    names
}

/// Whether two names are of one file.
#[cfg(unix)]
fn is_same(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |path: &Path| path.symlink_metadata().ok().map(|file| (file.dev(), file.ino()));
    id(a).is_some_and(|a| id(b) == Some(a))
}

/// Elsewhere nobody says it, and there are no bridges.
#[cfg(not(unix))]
fn is_same(_: &Path, _: &Path) -> bool {
    false
}

/// Moves a file to a name that nothing has; another program may have taken it just now.
fn place(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // A file system without links.
        Err(_) => fs::rename(from, to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A set of two data files and an index that names them with what must be in them.
    fn write(dir: &Path, index: &str, data: &[&str], value: &str) {
        let names: Vec<String> = data.iter().map(|name| format!("{name}={value}")).collect();
        for name in data {
            fs::write(dir.join(name), value).unwrap();
        }
        fs::write(dir.join(index), names.join("\n")).unwrap();
    }

    /// What is found in a directory: the value that all data has, if it is the one that the index says.
    fn found(dir: &Path) -> Option<String> {
        let index = fs::read_to_string(dir.join("m.index")).ok()?;
        let mut values = index.lines().map(|line| {
            let (name, value) = line.split_once('=').unwrap();
            (fs::read_to_string(dir.join(name)).ok().as_deref() == Some(value)).then(|| value.to_owned())
        });
        let first = values.next()??;
        values.all(|value| value.as_deref() == Some(first.as_str())).then_some(first)
    }

    fn bridge() -> Bridge {
        let link = |n: u8| (format!("m.{n}-of-2"), format!("m.{n}-of-3"));
        Bridge { index: "m.index".to_owned(), links: vec![link(0), link(1)], more: vec!["m.2-of-3".to_owned()] }
    }

    /// An old set, a new one that is to replace it, and what the bridge needs.
    fn prepared() -> tempfile::TempDir {
        let target = tempfile::tempdir().unwrap();
        write(target.path(), "m.index", &["m.0-of-2", "m.1-of-2"], "old");
        fs::write(target.path().join("m.more"), "old").unwrap();
        let dir = target.path().join("new");
        fs::create_dir(&dir).unwrap();
        write(&dir, "m.index", &["m.0-of-2", "m.1-of-2"], "new");
        fs::create_dir(dir.join(BRIDGE)).unwrap();
        fs::write(dir.join(BRIDGE).join("m.index"), "m.0-of-3=new\nm.1-of-3=new").unwrap();
        fs::write(dir.join(BRIDGE).join("m.2-of-3"), "").unwrap();
        target
    }

    fn names() -> Vec<String> {
        ["m.0-of-2", "m.1-of-2", "m.index"].map(str::to_owned).to_vec()
    }

    fn listed(dir: &Path) -> Vec<PathBuf> {
        names_in(dir).into_iter().filter(|name| name != Path::new("new")).collect()
    }

    #[cfg(unix)]
    #[test]
    fn between_any_two_steps_one_set_is_whole_and_what_is_left_is_put_in_order() {
        let (outdated, bridge, names) = (vec!["m.more".to_owned()], bridge(), names());
        let mut switched = 0;
        for stop in 0.. {
            let target = prepared();
            let dir = target.path().join("new");
            let placing =
                Placing { target: target.path(), dir: &dir, names: &names, outdated: &outdated, bridge: Some(&bridge) };
            assert!(placing.keep());
            let steps = placing.steps().unwrap();
            for (n, step) in steps.iter().take(stop).enumerate() {
                step.take().unwrap_or_else(|error| panic!("{n} {step:?}: {error}"));
                let value = found(target.path());
                assert!(value.is_some(), "after {step:?} neither set is whole");
            }
            let before = found(target.path()).unwrap();
            switched += usize::from(before == "new");
            put_in_order(target.path(), &dir).unwrap();
            assert_eq!(found(target.path()), Some(before), "stopped after {stop}");
            let mut left = listed(target.path());
            left.retain(|name| name != Path::new("m.more"));
            assert_eq!(left, ["m.0-of-2", "m.1-of-2", "m.index"].map(PathBuf::from), "stopped after {stop}");
            if stop > steps.len() {
                break;
            }
        }
        assert!(switched > 6, "{switched}");
    }

    /// The same where a step cannot be done: then the old set lies there, and nothing else.
    #[cfg(unix)]
    #[test]
    fn a_step_that_fails_leaves_the_old_set() {
        let (outdated, bridge, names) = (vec!["m.more".to_owned()], bridge(), names());
        for stop in 0.. {
            let target = prepared();
            let dir = target.path().join("new");
            let placing =
                Placing { target: target.path(), dir: &dir, names: &names, outdated: &outdated, bridge: Some(&bridge) };
            assert!(placing.keep());
            let steps = placing.steps().unwrap();
            steps.iter().take(stop).for_each(|step| step.take().unwrap());
            placing.undo();
            assert_eq!(found(target.path()).as_deref(), Some("old"), "failed after {stop}");
            assert_eq!(listed(target.path()), ["m.0-of-2", "m.1-of-2", "m.index", "m.more"].map(PathBuf::from));
            if stop > steps.len() {
                break;
            }
        }
    }

    #[test]
    fn without_links_old_files_are_moved_away_and_come_back() {
        let target = prepared();
        let dir = target.path().join("new");
        let names = names();
        let placing = Placing { target: target.path(), dir: &dir, names: &names, outdated: &[], bridge: None };
        assert!(placing.steps().is_none(), "data would be replaced under its index");
        fs::create_dir(dir.join(ASIDE)).unwrap();
        fs::rename(target.path().join("m.index"), dir.join(ASIDE).join("m.index")).unwrap();
        assert_eq!(moved_away(&dir).unwrap().1, [PathBuf::from("m.index")]);
        assert_eq!(found(target.path()), None);
        put_in_order(target.path(), &dir).unwrap();
        assert_eq!(found(target.path()).as_deref(), Some("old"));
        fs::remove_dir(dir.join(ASIDE)).unwrap();
        placing.replace_aside().unwrap();
        assert_eq!(found(target.path()).as_deref(), Some("new"));
        assert!(moved_away(&dir).is_none());
    }
}
