//! What is known put into the commands and calls that stand for it: the prefix, the directory, the tensor, the model.
//!
//! Texts are written with words in capitals where a value belongs. In a command it becomes one word of a shell, in a call
//! of Python a literal; what is not known stays as it is.

use std::path::{Path, PathBuf};

use super::diagnosis::Diagnosis;
use super::form;
use crate::base::escape::{escaped, shell_word};

/// What is known of the files.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The checkpoint: what its files begin with.
    pub prefix: Option<PathBuf>,
    /// The directory, of a model or of checkpoints.
    pub dir: Option<PathBuf>,
    /// The file or directory as it was named.
    pub path: Option<PathBuf>,
    /// The model that the checkpoint is to be restored into.
    pub model: Option<PathBuf>,
    /// The SavedModel, where the directory is that of its versions.
    pub model_dir: Option<PathBuf>,
    /// The tags of each graph of the SavedModel.
    pub tags: Vec<Vec<String>>,
    /// The `--map` options that lead the names of the checkpoint to those of the model.
    pub maps: Vec<String>,
}

impl Known {
    /// What a message says of paths, which need not be here.
    pub fn of(diagnosis: &Diagnosis) -> Self {
        let mut known = diagnosis.path.as_deref().map(Self::of_path).unwrap_or_default();
        if let Some(dir) = &diagnosis.dir {
            known.dir = Some(PathBuf::from(dir));
            known.path.get_or_insert_with(|| PathBuf::from(dir));
        }
        known
    }

    fn of_path(path: &str) -> Self {
        // What lies on another machine is fetched into the working directory.
        let path = match path.split_once("://") {
            Some((_, rest)) => {
                let rest = super::pasted::prefix(rest);
                rest.rsplit('/').next().unwrap_or(rest)
            }
            None => path,
        };
        let prefix = super::pasted::prefix(path.strip_suffix(".meta").unwrap_or(path));
        let ends = [".pb", ".pbtxt", ".h5", ".hdf5", ".keras", ".safetensors", ".npz", ".npy"];
        let is_file = ends.iter().any(|end| path.strip_suffix(end).is_some());
        let dir = above(path);
        // Of a SavedModel's variables and assets the model is meant.
        let model = dir.strip_suffix("/variables").filter(|_| path.contains("variables/variables"));
        let model = model.or_else(|| dir.get(..dir.find("/assets")?)).filter(|model| !model.is_empty());
        let dir = if prefix.len() < path.len() && model.is_none() { above(prefix) } else { dir };
        Self {
            prefix: (!is_file).then(|| PathBuf::from(prefix)),
            dir: Some(PathBuf::from(model.unwrap_or(dir))),
            path: Some(PathBuf::from(path)),
            ..Self::default()
        }
    }
}

/// The directory of a path, in either system's form.
fn above(path: &str) -> &str {
    path.rsplit_once(['/', '\\']).map_or(".", |(dir, _)| if dir.is_empty() { "/" } else { dir })
}

impl Diagnosis {
    /// Puts what is known into the commands that stand for it.
    #[must_use]
    pub fn filled(mut self, known: &Known) -> Self {
        let tensor = self.tensor.clone();
        // What this very answer is.
        self.next.retain(|line| !line.contains("ckpt explain 'MESSAGE'"));
        // Of a tensor that no message names nothing can be looked for.
        if tensor.is_none() && known.prefix.is_some() {
            self.next.retain(|line| !line.contains(LAST) && !line.contains("`--ignore NAME`"));
        }
        let fill = |line: &mut String| *line = filled(line, known, tensor.as_deref());
        self.likely.iter_mut().chain(&mut self.next).chain(&mut self.certainty).for_each(fill);
        if !known.maps.is_empty() {
            let maps: Vec<String> =
                known.maps.iter().map(|rule| format!("--map {}", shell_word(Path::new(rule)))).collect();
            let found = format!("{}   leads the names of the checkpoint to those that are asked for", maps.join(" "));
            self.next
                .insert(0, filled(&format!("ckpt validate PREFIX --against MODEL {found}"), known, tensor.as_deref()));
        }
        self
    }
}

/// The pattern that stands for the last part of a name.
const LAST: &str = "'**/*LASTPART*'";

/// What most SavedModels are tagged with.
const SERVE: &str = "tags=['serve']";

/// What is said of a model that is not known yet.
const KINDS_OF_MODELS: &str = "; MODEL: a .meta, a SavedModel, a checkpoint";

fn filled(line: &str, known: &Known, tensor: Option<&str>) -> String {
    let tagged = known.tags.first().filter(|_| !known.tags.iter().any(|tags| tags == &["serve"]));
    let line = match tagged {
        Some(tags) if line.contains(SERVE) => {
            let tags: Vec<String> = tags.iter().map(|tag| format!("'{}'", escaped(tag.as_bytes()))).collect();
            &line.replace(SERVE, &format!("tags=[{}]", tags.join(", ")))
        }
        _ => line,
    };
    let line = if known.model.is_some() { line.trim_end_matches(KINDS_OF_MODELS) } else { line };
    let line = match tensor.map(form::own_part) {
        Some(last) if line.contains(LAST) => {
            // In a pattern these have a meaning of their own.
            let plain: String = last.chars().map(|c| if "*?[]{}".contains(c) { '?' } else { c }).collect();
            line.replace(LAST, &shell_word(Path::new(&format!("**/*{plain}*"))))
        }
        _ => line.to_owned(),
    };
    let mut out = String::with_capacity(line.len());
    let mut rest = line.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_uppercase()) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let end = from.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(from.len());
        let (word, behind) = from.split_at(end);
        // Where the parts of a save lie until they are put together.
        let (word, behind, parts) = match behind.strip_prefix("_temp").zip(known.prefix.as_deref()) {
            Some((behind, prefix)) if word == "PREFIX" => {
                let mut parts = prefix.as_os_str().to_owned();
                parts.push("_temp");
                ("PREFIX_temp", behind, Some(PathBuf::from(parts)))
            }
            _ => (word, behind, None),
        };
        let joined = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let is_word = !out.ends_with(joined) && !behind.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let value: Option<&Path> = match word {
            "PREFIX_temp" => parts.as_deref(),
            "PREFIX" => known.prefix.as_deref().or(known.path.as_deref()),
            "DIR" if out.ends_with("saved_model.load(") && known.model_dir.is_some() => known.model_dir.as_deref(),
            "DIR" => known.dir.as_deref().or(known.path.as_deref()),
            "PATH" => known.path.as_deref(),
            "MODEL" => known.model.as_deref(),
            "NAME" => tensor.map(Path::new),
            _ => None,
        };
        match value.filter(|_| is_word) {
            Some(value) if is_in_call(&out) => out.push_str(&literal(value)),
            Some(value) => out.push_str(&shell_word(value)),
            None => out.push_str(word),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Whether what comes next is an argument of a call in Python.
fn is_in_call(front: &str) -> bool {
    let open = front.rfind('(');
    let is_call = open.is_some_and(|at| {
        front.get(..at).is_some_and(|front| front.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    });
    is_call && open > front.rfind(')')
}

/// A path or a name as a string of Python.
fn literal(value: &Path) -> String {
    let text = escaped(value.as_os_str().as_encoded_bytes()).replace('\\', "\\\\");
    format!("'{}'", text.replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_they_belong() {
        let known = Known::of_path("my run/it's.ckpt-7.index");
        let fill = |line: &str| filled(line, &known, Some("a b/kernel"));
        assert_eq!(fill("ckpt list PREFIX NAME   what"), "ckpt list 'my run/it'\\''s.ckpt-7' 'a b/kernel'   what");
        assert_eq!(
            fill("tf.train.Saver().restore(session, PREFIX)"),
            "tf.train.Saver().restore(session, 'my run/it\\'s.ckpt-7')"
        );
        assert_eq!(fill("`ckpt inspect DIR` lists"), "`ckpt inspect 'my run'` lists");
        assert_eq!(fill("ckpt list PREFIX '**/*LASTPART*'"), "ckpt list 'my run/it'\\''s.ckpt-7' '**/*kernel*'");
        assert_eq!(fill("ckpt recover PREFIX_temp -o NEW"), "ckpt recover 'my run/it'\\''s.ckpt-7_temp' -o NEW");
        for kept in ["MY_DIR", "--against MODEL", "MODEL_NAME", "USER"] {
            assert_eq!(fill(kept), kept);
        }
    }
}
