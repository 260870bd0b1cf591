//! What the files say of a message about bytes decides: two checksums alone cannot know what lies beside them.

use super::diagnosis::Diagnosis;
use super::look::{OnDisk, Seen, TensorNow};
use super::pasted::{quoted, shape};
use crate::analysis::{Code, Finding, Severity};
use crate::base::escape::escaped;

impl OnDisk {
    /// The cause that the files give for the tensor that a message is about, if they were read.
    fn cause(&self) -> Option<&Finding> {
        let (name, TensorNow::Differs(_)) = self.tensor.as_ref()? else { return None };
        let is_about = |finding: &&Finding| finding.tensor.as_ref() == Some(name) || finding.explains.contains(name);
        let errors = self.findings.iter().filter(|finding| finding.severity == Severity::Error);
        errors.filter(is_about).find(|finding| finding.code != Code::TensorChecksumMismatch)
    }

    /// The diagnosis as the files have it, where they say more than the message, or something else.
    #[must_use]
    pub fn settle(&self, told: Diagnosis) -> Diagnosis {
        if let Some(finding) = self.cause().filter(|finding| finding.code.name() != told.cause)
            && (told.stored.is_some() || told.codes.contains(&Code::TensorChecksumMismatch))
        {
            return of_finding(finding, told);
        }
        if told.cause == "no-checkpoint" && self.complete {
            return self.is_found(told);
        }
        if self.is_whole() && self.denies(told.cause) {
            return self.is_intact(told);
        }
        if told.cause == "name-based-checkpoint" && self.object_based {
            return self.has_objects(told);
        }
        if told.cause == "no-saved-model"
            && let Some(dir) = &self.saved_model
        {
            return is_saved_model(dir, told);
        }
        let Some(tensor) = &told.tensor else { return told };
        let Some((name, now)) = &self.tensor else { return told };
        let is_here = matches!(now, TensorNow::Matches | TensorNow::Unchecked);
        // A name is in the index, whatever became of its bytes.
        let is_named = !matches!(now, TensorNow::Missing(_));
        if is_named && told.cause == Code::RestoreMissing.name() && told.missing.contains(tensor) {
            return if name == tensor.as_bytes() { self.is_there(told) } else { of_object(name, told) };
        }
        if let (Some(said), Some(here)) = (&told.stored_shape, &self.shape)
            && is_here
            && said != here
        {
            let line = format!(
                "The files that were looked at are not those of the message: {} has it as {}, and not as {}.",
                escaped(self.prefix.as_os_str().as_encoded_bytes()),
                shape(here),
                shape(said)
            );
            let mut told = told;
            told.certainty.insert(0, line);
            return told;
        }
        told
    }

    /// Whether every file is there and long enough, and nothing is found wrong with it.
    pub(super) fn is_whole(&self) -> bool {
        let is_error = |finding: &Finding| finding.severity == Severity::Error;
        self.complete && !self.unreadable && !self.findings.iter().any(is_error)
    }

    /// Whether the files, being whole, are not what a message complains of.
    fn denies(&self, cause: &str) -> bool {
        let of_index = [
            Code::MissingShard,
            Code::MissingVariables,
            Code::ShortShard,
            Code::BlockChecksumMismatch,
            Code::NotATable,
            Code::BadBlock,
        ];
        let of_data = [Code::TensorChecksumMismatch, Code::SingleBitFlip, Code::MispairedData, Code::ForeignShard];
        let is_one_of = |codes: &[Code]| codes.iter().any(|code| code.name() == cause);
        is_one_of(&of_index) || (self.seen == Seen::Bytes && is_one_of(&of_data))
    }

    /// A message finds damage where there is none.
    fn is_intact(&self, told: Diagnosis) -> Diagnosis {
        let prefix = quoted(&self.prefix.to_string_lossy());
        let (whole, how) = match self.seen {
            Seen::Bytes => ("is whole, and every byte is the one that was saved", "compared with their checksums"),
            Seen::Index => {
                ("is whole: every file is there, long enough, and its index is sound", "looked at, data apart")
            }
        };
        let settled = Diagnosis::new("files-are-whole", format!("By the files: {prefix} {whole}."))
            .means(format!("The message says: {}", told.headline))
            .likely("The program read other files: another directory, machine or container, another copy.")
            .likely("The files were replaced or completed since: a download, a copy or a save was not done.")
            .likely("Memory or a disk that fails now and then, if it comes again on the same machine.")
            .next("run the program again, with the absolute path of PREFIX")
            .next("ckpt validate PREFIX   on the machine where the program runs, from there")
            .certain(format!("The files here were {how}."));
        let settled = told.codes.iter().fold(settled, |settled, code| settled.code(*code));
        kept(settled, told)
    }

    /// A message misses the object graph of a checkpoint that has one.
    fn has_objects(&self, told: Diagnosis) -> Diagnosis {
        let prefix = quoted(&self.prefix.to_string_lossy());
        let settled = Diagnosis::new(
            "other-checkpoint",
            format!("By the files: {prefix} has an object graph, so the program restored from something else."),
        )
        .means(format!("The message says: {}", told.headline))
        .likely("The program was given another path: an older run, a name-based checkpoint of TensorFlow 1.")
        .likely("It was given one of the files, PREFIX.index or PREFIX.data-…, in place of PREFIX: TensorFlow reads that as a checkpoint in which everything is missing.")
        .next("print the path that the program restores from; it must be PREFIX, with nothing behind it")
        .next("ckpt latest DIR   where the `checkpoint` file leads, and why")
        .certain("The index was read, and has _CHECKPOINTABLE_OBJECT_GRAPH.")
        .code(Code::StateFileStale);
        kept(settled, told)
    }

    /// A message finds no checkpoint where there is one.
    fn is_found(&self, told: Diagnosis) -> Diagnosis {
        let shown = |path: &std::path::Path| quoted(&path.to_string_lossy());
        let prefix = shown(&self.prefix);
        let given = self.known.path.as_deref().unwrap_or(&self.prefix);
        let settled = if given == self.prefix {
            let headline = format!("By the files: there is a checkpoint at {prefix}, and its files are whole.");
            let found = Diagnosis::new("no-checkpoint", headline)
                .means(format!("The message says: {}", told.headline))
                .likely("The program runs in another working directory, on another machine or in a container, where the path leads elsewhere.")
                .likely("The files came later than the message.");
            let backslash = told.path.as_deref().is_some_and(|path| path.contains('\\'));
            let found = if backslash {
                found.likely("The path has backslashes, which are escapes in Python and part of a name on Linux: write / or r'…'.")
            } else {
                found
            };
            found
                .next("print os.getcwd() and the path in the program; give the absolute path of PREFIX")
                .next("ckpt validate PREFIX   whether every byte is the one that was saved")
                .code(Code::StateFileMoved)
        } else {
            let headline = format!("{} is no prefix: give {prefix}, which is a whole checkpoint.", shown(given));
            Diagnosis::new("directory-as-prefix", headline)
                .means("TensorFlow wants the path of the files without .index, .data-… or .meta; it looks into no directory.")
                .likely("The directory of a run or of a SavedModel, or one file, was given in place of the prefix.")
                .next("restore from PREFIX")
                .next("ckpt latest DIR   that prefix alone, for scripts; tf.train.latest_checkpoint(DIR) in Python")
                .certain("The files were looked at: the set is whole.")
        };
        kept(settled, told)
    }

    /// A message misses what is here.
    fn is_there(&self, told: Diagnosis) -> Diagnosis {
        let tensor = quoted(told.tensor.as_deref().unwrap_or_default());
        let prefix = quoted(&self.prefix.to_string_lossy());
        let settled = Diagnosis::new(
            "other-checkpoint",
            format!("By the files: {prefix} has {tensor}, so the program restored from something else."),
        )
        .means(format!("The message says: {}", told.headline))
        .likely("The program was given another path, or the `checkpoint` file led it to another one: an older step, another run.")
        .likely("It was given one of the files, PREFIX.index or PREFIX.data-…, in place of PREFIX: TensorFlow reads that as a checkpoint in which everything is missing.")
        .likely("The files here were replaced since.")
        .next("print the path that the program restores from; it must be PREFIX, with nothing behind it")
        .next("ckpt latest DIR   where the `checkpoint` file leads, and why")
        .certain("The index was read, and has the name; other names that the message lacks may be missing all the same.")
        .code(Code::StateFileStale)
        .code(Code::StateFileMoved);
        kept(settled, told)
    }
}

/// A message finds no SavedModel where there is one.
fn is_saved_model(dir: &std::path::Path, told: Diagnosis) -> Diagnosis {
    let dir = quoted(&dir.to_string_lossy());
    let settled = Diagnosis::new("saved-model-is-here", format!("By the files: {dir} is a SavedModel."))
        .means(format!("The message says: {}", told.headline))
        .likely("The program was given the directory above or below it, such as variables/.")
        .likely("It runs in another working directory, on another machine or in a container, where the path leads elsewhere.")
        .likely("The files came later than the message.")
        .next(format!("print os.getcwd() and the path in the program; give the absolute path of {dir}"))
        .next("ckpt validate DIR   whether graph and variables are whole")
        .certain("Its saved_model.pb is there now.");
    kept(settled, told)
}

/// What a finding says, with its page behind it.
fn of_finding(finding: &Finding, told: Diagnosis) -> Diagnosis {
    let mut settled = Diagnosis::of_code(finding.code, format!("By the files: {}.", finding.message));
    let certain = finding.cause.as_ref().map(|cause| cause.certain.clone()).unwrap_or_default();
    settled.certainty.push(format!("The files were read: {certain}."));
    if let Some(likely) = finding.cause.as_ref().and_then(|cause| cause.likely.clone()) {
        settled.likely.push(likely);
    }
    settled.next.extend(finding.help.clone());
    kept(settled, told).with_page(finding.code)
}

/// With what the message names, and what else stands in the text.
fn kept(settled: Diagnosis, told: Diagnosis) -> Diagnosis {
    let Diagnosis { also, tensor, missing, path, dir, stored, stored_shape, .. } = told;
    Diagnosis { also, tensor, missing, path, dir, stored, stored_shape, ..settled }
}

/// A message misses a name that stands in the key of an object-based checkpoint.
fn of_object(key: &[u8], told: Diagnosis) -> Diagnosis {
    let settled = Diagnosis::new(
        "name-based-reader",
        format!(
            "By the files: the checkpoint is object-based and has it under the key '{}'; the program asks for plain names.",
            escaped(key)
        ),
    )
    .means(format!("The message says: {}", told.headline))
    .likely("A tf.compat.v1 Saver, an Estimator or a script reads by names what tf.train.Checkpoint or Keras wrote.")
    .next("tf.train.Checkpoint(…).restore(PREFIX)   with the same objects as in the program that saved it")
    .next("ckpt list PREFIX --names   each key, and the name of its variable")
    .next("tf.train.load_checkpoint(PREFIX).get_tensor(KEY)   reads one value by its key")
    .code(Code::RestoreMissing);
    kept(settled, told)
}
