//! Two checkpoints side by side.

use ckpt::analysis::Selector;
use ckpt::analysis::diff::{Bound, Depth, DiffOptions, Status, ToleranceRule, diff as compare};
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::Checkpoint;
use ckpt::report::{self, DiffRows, Format, Look};

use super::bundles::open;
use super::input::{Held, Input, harmless, seal};

/// Two bundles: for each an index and a shard.
///
/// Promises: a checkpoint does not differ from itself, whatever is unreadable in it; what was added in one direction
/// was removed in the other; one and three threads say the same; every report can be written, JSON is JSON, and text
/// is harmless.
pub fn diff(data: &[u8]) {
    let mut input = Input(data);
    let (flags, mut choices) = (input.u8(), Input(input.take(8)));
    let sides = [(); 2].map(|()| {
        let (index, shard) = (input.long().to_vec(), input.long());
        let index = if flags & 1 == 1 { seal(index) } else { index };
        Held::new([("a.index", &*index), ("a.data-00000-of-00001", shard)])
    });
    let [Ok(a), Ok(b)] = sides.each_ref().map(|held| open(&held.path().join("a"))) else { return };
    let (a, b) = (&a, &b);
    let depth = [Depth::Values, Depth::Exact, Depth::Index, Depth::Structure][usize::from(choices.below(4))];
    let tolerance = choices.below(3);
    let options = |threads| {
        let (selector, bound) = (Selector::default(), Bound::Absolute(f64::from(tolerance)));
        let tolerances = if tolerance > 0 { vec![ToleranceRule { selector, bound }] } else { Vec::new() };
        let nan_differs = flags & 2 != 0;
        DiffOptions {
            depth,
            threads,
            tolerances,
            nan_differs,
            keep_identical: flags & 4 != 0,
            ..DiffOptions::default()
        }
    };
    let written = |a: &Checkpoint, b: &Checkpoint, threads| {
        let found = compare(a, b, &options(threads), &Progress::default()).unwrap();
        let rows = DiffRows { rows: found.rows(flags & 8 != 0), hidden: 0, long: true, spectral: flags & 16 != 0 };
        let mut json = Vec::new();
        report::write_diff(&found, &rows, Format::Json, Look::default(), &mut json).unwrap();
        serde_json::from_slice::<serde_json::Value>(&json).unwrap();
        for width in [None, Some(40)] {
            let mut text = Vec::new();
            report::write_diff(&found, &rows, Format::Text, Look { color: false, width }, &mut text).unwrap();
            harmless(&String::from_utf8(text).unwrap());
        }
        let mut table = Vec::new();
        for format in [Format::Csv, Format::Markdown] {
            report::write_diff(&found, &rows, format, Look::default(), &mut table).unwrap();
        }
        (json, found.tally)
    };
    let (one, there) = written(a, b, 1);
    if data.len().is_multiple_of(2) {
        assert!(one == written(a, b, 3).0, "the number of threads shows");
        return;
    }
    let (_, back) = written(b, a, 1);
    assert_eq!(there.total(), back.total(), "{there:?} {back:?}");
    for (status, mirrored) in [(Status::Added, Status::Removed), (Status::Removed, Status::Added)] {
        assert_eq!(there.of(status), back.of(mirrored));
    }
    let (_, itself) = written(a, a, 2);
    // NaN may be told to differ from itself.
    assert!(itself.differences() == 0 || flags & 2 != 0, "differs from itself: {itself:?}");
}
