//! Cases of what is written: copies in other formats, means, pages.

use anyhow::Result;
use ckpt_synth::dtype;

use crate::cases::{Case, Programs};
use crate::inputs::{Inputs, shards, with};
use crate::measure::{shell, size, text};

impl Programs {
    /// `convert` beside a copy that reaches the disk. Before each run the disk is waited for, so that none pays for
    /// what another has left to write.
    pub(crate) fn convert(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let bundle = inputs.of_type(dtype::FLOAT, 0)?;
        let out = text(&bundle.with_file_name("written"));
        let ckpt = self.ckpt.display();
        let convert = |name: &str, more: &str, end: &str, target| {
            let from = text(&bundle);
            let line = format!("sync; {ckpt} convert {from} -o {out}{end} --force {more} && sync {out}{end}*");
            shell(name, line, Some(target))
        };
        let files = shards(&bundle)?.iter().map(|file| text(file)).collect::<Vec<_>>().join(" ");
        let candidates = vec![
            shell("cp and sync", format!("sync; cp {files} {out}.copy && sync {out}.copy"), None),
            convert("to a bundle", "", "", 1.4),
            convert("to safetensors", "", ".safetensors", 1.4),
            convert("to .npz", "", ".npz", 1.4),
            convert("--cast bfloat16", "--cast bfloat16", "-narrow", 1.5),
        ];
        let copies = Case { title: "convert, 1 GiB".to_owned(), candidates, times: 1, ..Case::default() };
        Ok(vec![copies, self.mean(inputs)?])
    }

    /// The mean of five checkpoints of 256 MiB, beside reading them and writing one.
    fn mean(&self, inputs: &Inputs) -> Result<Case> {
        let five = (0..5).map(|version| inputs.quarter(version)).collect::<Result<Vec<_>>>()?;
        let out = text(&five[0].with_file_name("mean"));
        let mut files = Vec::new();
        for prefix in &five {
            files.extend(shards(prefix)?.iter().map(|file| text(file)));
        }
        let (first, all) = (files[0].clone(), files.join(" "));
        let inputs = five.iter().map(|prefix| text(prefix)).collect::<Vec<_>>().join(" ");
        let mean = format!("{} convert {inputs} -o {out} --mean --force", self.ckpt.display());
        let copy = format!("sync; cat {all} >/dev/null && cp {first} {out}.copy && sync {out}.copy");
        let candidates = vec![
            shell("cat of all, cp and sync of one", copy, None),
            shell("convert --mean", format!("sync; {mean} && sync {out}.*"), Some(1.3)),
        ];
        Ok(Case { title: "the mean of five times 256 MiB".to_owned(), candidates, times: 1, ..Case::default() })
    }

    /// Pages of a million tensors.
    pub(crate) fn report(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let prefix = inputs.many(0)?;
        let (path, page) = (text(&prefix), text(&prefix.with_file_name("page.html")));
        let candidates = vec![
            self.of("validate --finite", &["validate", &path, "--finite"], None),
            self.of("report --quick", &["report", &path, "--quick", "--force", "-o", &page], None),
            self.of("report --stats", &["report", &path, "--stats", "--force", "-o", &page], None),
        ];
        let index = size(&[with(&prefix, ".index")])?;
        Ok(vec![Case {
            title: "pages of a million tensors".to_owned(),
            candidates,
            times: 1,
            index,
            ..Case::default()
        }])
    }
}
