//! A terminal of 80 columns: no line of a screen is longer, unless it is a name that is.

use std::io::{self, Write};
use std::path::Path;

use ckpt::analysis::diff::{DiffOptions, diff};
use ckpt::analysis::stats::{StatsOptions, StatsOrder, stats};
use ckpt::analysis::{
    Listing, Model, Names, Objects, RestoreOptions, Roles, Selection, Sort, Summary, ValidateOptions, restore, validate,
};
use ckpt::base::limits::Limits;
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::{Checkpoint, Choice};
use ckpt::report::{
    DiffRows, Format, ListText, Look, StatsReport, TreeOptions, object_tree, write_diff, write_inspect, write_list,
    write_validation,
};
use unicode_width::UnicodeWidthStr;

const CHECKPOINTS: [&str; 12] = [
    "bundle_v2/odd_names/odd",
    "dtypes/all/all",
    "model_dir/estimator",
    "model_dir/keras3",
    "model_dir/run",
    "object_graph/awkward",
    "object_graph/keras3",
    "object_graph/tf_keras",
    "saved_model/keras3_export/model",
    "saved_model/tf1/model",
    "saver_v1/single",
    "saver_v2/sharded_adam",
];

fn open(case: &str) -> Checkpoint {
    Checkpoint::open(&Path::new("testdata").join(case), Choice::default(), &Limits::default()).unwrap()
}

/// Whether a screen fits, in colour and without; a name has its line to itself, or what stands before it.
fn fits(what: &str, write: &dyn Fn(Look, &mut dyn Write) -> io::Result<()>) {
    for color in [false, true] {
        let mut out = Vec::new();
        write(Look { color, width: Some(80) }, &mut out).unwrap();
        let text = anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string();
        assert!(!text.is_empty(), "{what}");
        for line in text.lines().filter(|line| line.width() > 80) {
            let name = line.split_whitespace().map(UnicodeWidthStr::width).max().unwrap();
            assert!(name > 60 && line.split_whitespace().count() < 3, "{what}: {line}");
        }
    }
}

#[test]
fn screens_about_one_checkpoint() {
    for case in CHECKPOINTS {
        let checkpoint = open(case);
        let summary = Summary::of(&checkpoint);
        fits(&format!("inspect {case}"), &|look, out| write_inspect(&checkpoint, &summary, Format::Text, look, out));
        let roles = Roles::of(&checkpoint);
        let all = || Selection::first(checkpoint.tensors().len());
        let mut listing = Listing::new(&checkpoint, &roles, all(), Sort::Name, false, None);
        for long in [false, true] {
            fits(&format!("list {case}, {long}"), &|look, out| {
                write_list(&listing, Format::Text, ListText::Rows { long }, look, out)
            });
        }
        fits(&format!("tree {case}"), &|look, out| {
            write_list(&listing, Format::Text, ListText::Tree { depth: None }, look, out)
        });
        let objects = Objects::of(&checkpoint);
        let names = Names::of(&checkpoint, &roles, &objects);
        listing.names = Some(&names);
        fits(&format!("names {case}"), &|look, out| {
            write_list(&listing, Format::Text, ListText::Rows { long: false }, look, out)
        });
        let options = StatsOptions { threads: 2, distribution: true, channels: true, along: false, spectral: true };
        let found = stats(&checkpoint, &all(), &options, &Progress::default());
        fits(&format!("stats {case}"), &|look, out| {
            let (order, most, format) = (StatsOrder::default(), usize::MAX, Format::Text);
            let report =
                StatsReport { checkpoint: &checkpoint, options, order, most, format, look, ascii: false, merged: None };
            report.write_rows(&found.tensors, &found.totals, out)
        });
        let path = &checkpoint.origin().path;
        let options = ValidateOptions::all(false, 2);
        let found = validate(path, &options, &Limits::default(), &Progress::default()).unwrap();
        fits(&format!("validate {case}"), &|look, out| write_validation(&found, false, Format::Text, look, out));
        if let Some(graph) = objects.graph() {
            let mut options = TreeOptions::default();
            (options.keys, options.width) = (true, Some(80));
            fits(&format!("graph {case}"), &|_, out| object_tree(graph, &options, &|_| Some("x".into()), out));
        }
    }
}

#[test]
fn screens_about_two() {
    for (case, models) in [("names", &["meta"; 7][..]), ("keras3", &[""; 6]), ("tf_keras", &[""; 6])] {
        let a = open(&format!("restore/{case}/v0"));
        for (n, end) in models.iter().enumerate() {
            let b = open(&format!("restore/{case}/v{}", n + 1));
            let found = diff(&a, &b, &DiffOptions::default(), &Progress::default()).unwrap();
            for long in [false, true] {
                fits(&format!("diff {case} {n}"), &|look, out| {
                    let rows = DiffRows { rows: found.rows(false), hidden: 0, long, spectral: false };
                    write_diff(&found, &rows, Format::Text, look, out)
                });
            }
            let model = Path::new("testdata/restore").join(case).join(format!("v{}", n + 1)).with_extension(end);
            let path = &a.origin().path;
            let options = ValidateOptions::all(true, 1);
            let mut found = validate(path, &options, &Limits::default(), &Progress::default()).unwrap();
            for model in Model::open(&model, true, &Limits::default()).unwrap() {
                found.add_restore(restore(&a, &model, &RestoreOptions::default()));
            }
            fits(&format!("against {case} {n}"), &|look, out| write_validation(&found, true, Format::Text, look, out));
        }
    }
}
