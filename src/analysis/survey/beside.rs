//! What else lies beside a checkpoint, by the names of the files alone.

use std::path::Path;

use crate::read::bundle::Prefix;
use crate::read::checkpoint::Checkpoint;
use crate::read::storage;

/// What else lies in the directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Other checkpoints: their last name components.
    pub checkpoints: Vec<String>,
    /// Files by what they are: a graph, event files, a state file.
    pub files: Vec<String>,
    /// Leftovers of interrupted saves.
    pub leftovers: Vec<String>,
}

impl Beside {
    /// Looks at the names of what lies there.
    pub(in crate::analysis) fn look(checkpoint: &Checkpoint) -> Self {
        let origin = checkpoint.origin();
        let mut beside = Self::default();
        let dir = origin.saved_model.clone().unwrap_or_else(|| origin.prefix.directory());
        let names = storage::names(&dir).unwrap_or_default();
        let own = origin.prefix.base_name().to_str().unwrap_or_default();
        let mut events = 0usize;
        for name in &names {
            let path = Path::new(name);
            let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            if name.contains(".tempstate") || name.contains("_temp") && storage::is_folder(&dir.join(name)) {
                beside.leftovers.push(name.clone());
            } else if let Some(prefix) = name.strip_suffix(".index") {
                if prefix != own {
                    beside.checkpoints.push(prefix.to_owned());
                }
            } else if name.contains(".tfevents.") {
                events += 1;
            } else if (extension == "meta" && path.file_stem().is_some_and(|s| s == own))
                || matches!(name.as_str(), "checkpoint" | "graph.pbtxt" | "keras_metadata.pb" | "fingerprint.pb")
                || matches!(name.as_str(), "assets" | "assets.extra" | "eval" | "export")
            {
                beside.files.push(name.clone());
            }
        }
        if events > 0 && origin.model_dir.is_none() {
            beside.files.push(format!("{events} event file{}", if events == 1 { "" } else { "s" }));
        }
        beside.checkpoints.sort_by_key(|name| (Prefix::new(name).step(), name.clone()));
        beside
    }
}
