//! x
use crate::error::Result;
use std::path::Path;
/// x
#[derive(Debug, Clone, Default)]
pub struct CheckpointState {
    /// x
    pub model_checkpoint_path: String,
    /// x
    pub all_model_checkpoint_paths: Vec<String>,
}
/// x
pub fn read(path: &Path) -> Result<CheckpointState> {
    let t = std::fs::read_to_string(path).map_err(|e| crate::error::Error::io(e, path))?;
    let mut s = CheckpointState::default();
    for l in t.lines() {
        if let Some(r) = l.strip_prefix("model_checkpoint_path: \"") {
            s.model_checkpoint_path = r.trim_end_matches('"').into();
        }
    }
    Ok(s)
}
