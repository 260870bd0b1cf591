//! The hostile cases are what they say: named once, written as files, one idea each.

use std::collections::BTreeSet;

use ckpt_synth::hostile::{Verdict, cases};

#[test]
fn cases_are_named_once_and_have_files() {
    let cases = cases();
    let names: BTreeSet<_> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len());
    for case in &cases {
        assert!(!case.files.is_empty(), "{}", case.name);
        let ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(case.name.chars().all(ok), "{}", case.name);
        assert!(!case.what.ends_with('.'), "{}", case.name);
        let paths: BTreeSet<_> = case.files.iter().map(|(path, _)| path).collect();
        assert_eq!(paths.len(), case.files.len(), "{}", case.name);
    }
}

#[test]
fn there_are_cases_of_every_verdict_and_they_stay_small() {
    let cases = cases();
    for verdict in [Verdict::Legal, Verdict::Damaged, Verdict::Arguable] {
        assert!(cases.iter().filter(|case| case.verdict == verdict).count() > 10);
    }
    for case in &cases {
        let size: usize = case.files.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(size < 24 << 20, "{}: {size}", case.name);
    }
}

#[test]
fn cases_are_the_same_every_time() {
    let files = || cases().into_iter().map(|case| case.files).collect::<Vec<_>>();
    assert!(files() == files());
}

#[test]
fn an_index_that_holds_its_own_handle_says_so() {
    let case = ckpt_synth::hostile::case("handle-of-the-index").unwrap();
    let index = &case.files[0].1;
    // The last varint pair of the footer is the index's handle; it is also the value of the last index entry.
    let footer = &index[index.len() - 48..];
    let mut numbers = Vec::new();
    let mut at = 0;
    while numbers.len() < 4 {
        let (mut value, mut shift) = (0u64, 0);
        loop {
            value |= u64::from(footer[at] & 0x7f) << shift;
            shift += 7;
            at += 1;
            if footer[at - 1] < 0x80 {
                break;
            }
        }
        numbers.push(value);
    }
    let handle = ckpt_synth::table::handle(numbers[2], numbers[3]);
    let block = &index[numbers[2] as usize..][..numbers[3] as usize];
    assert!(block.windows(handle.len()).any(|window| window == handle));
}
