//! What an answer is made of, for those who say what it means: and the same load with other options, to try what helps.

use std::collections::BTreeMap;
use std::path::Path;

use super::judged::{Judgement, Owner, judge};
use super::listed::How;
use super::loading::Loading;
use super::objects::{KerasProgram, Objects, Which};
use super::saved::Saved;
use super::ways::{Way, load};

/// Everything that an answer is made of.
pub(super) struct Answer<'a> {
    pub(super) objects: &'a Objects,
    pub(super) saved: &'a Saved,
    pub(super) program: KerasProgram,
    pub(super) how: How,
    pub(super) loading: &'a Loading,
    pub(super) judgement: &'a Judgement,
    /// Whose each variable of the model is, and each data set of the file.
    pub(super) identities: &'a BTreeMap<Which, Owner>,
    pub(super) theirs: &'a BTreeMap<Vec<u8>, Owner>,
    pub(super) file: &'a Path,
    pub(super) way: Way,
    /// Whether the file says what its layers are called.
    pub(super) is_named: bool,
    /// Whether this is a whole model that is loaded.
    pub(super) is_whole: bool,
}

impl Answer<'_> {
    /// What would come of it with other options, if that is certain and no error.
    pub(super) fn attempt(&self, how: How) -> Option<(Loading, Judgement)> {
        let loading = load(self.objects, self.saved, self.file, self.program, how, self.way);
        if loading.raise.is_some() || !loading.unknown.is_empty() {
            return None;
        }
        let judgement = judge(self.objects, self.identities, self.theirs, &loading.taken, self.is_named);
        Some((loading, judgement))
    }

    /// How many variables the model has.
    pub(super) fn count(&self) -> usize {
        self.identities.keys().filter(|which| self.objects.is_of_model(which.0)).count()
    }

    /// The names of the layers right below the model that have weights, in the model and in the file.
    pub(super) fn layers(&self) -> (Vec<&str>, Vec<&str>) {
        let of_model = self.identities.iter().filter(|(which, _)| self.objects.is_of_model(which.0));
        let own = distinct(of_model.filter_map(|(_, identity)| identity.layers.first()));
        let is_weight = |name: &&Vec<u8>| !name.starts_with(b"optimizer") && !name.starts_with(b"metrics/");
        let theirs = self.theirs.iter().filter(|(name, _)| is_weight(name));
        (own, distinct(theirs.filter_map(|(_, identity)| identity.layers.first())))
    }
}

fn distinct<'n>(names: impl Iterator<Item = &'n String>) -> Vec<&'n str> {
    let mut all: Vec<&str> = Vec::new();
    for name in names {
        if !all.contains(&name.as_str()) {
            all.push(name);
        }
    }
    all
}
