//! Cases of `diff --match values`: the same weights under other names, half of them transposed.

use std::path::PathBuf;

use anyhow::Result;
use ckpt_synth::dtype;

use crate::cases::{Case, Programs};
use crate::inputs::{Inputs, shards};
use crate::measure::{cat, text};

/// Promised of two sides with data, beside `cat` of both, and of an index alone, beside `stats` of the other side.
const BOTH: f64 = 4.0;
const INDEX: f64 = 3.0;

impl Programs {
    /// Large tensors and 20,000 small ones, against the data and against the index.
    pub(crate) fn matching(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let large = (inputs.of_type(dtype::FLOAT, 0)?, (1024, 4096), "1 GiB in 64 tensors");
        let small = (inputs.twenty_thousand()?, (128, 104), "1 GiB in 20,000 tensors");
        let mut cases = Vec::new();
        for (bundle, sides, what) in [large, small] {
            let (other, index) = inputs.rearranged(&bundle, sides)?;
            let files: Vec<PathBuf> = [shards(&bundle)?, vec![other.clone()]].concat();
            let other = text(&other);
            let of = |side: PathBuf, target| {
                let words = ["diff", &text(&side), &other, "--match", "values"].map(str::to_owned);
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                self.threads(self.of("diff --match values", &words, Some(target)), self.threads)
            };
            let candidates = vec![cat("cat of both", &files), of(bundle, BOTH)];
            cases.push(Case {
                title: format!("by values, {what}: both sides"),
                candidates,
                times: 1,
                ..Case::default()
            });
            let stats = self.threads(self.of("stats of the other side", &["stats", &other], None), self.threads);
            let candidates = vec![stats, of(index, INDEX)];
            let title = format!("by values, {what}: an index and the other side");
            cases.push(Case { title, candidates, times: 1, ..Case::default() });
        }
        Ok(cases)
    }
}
