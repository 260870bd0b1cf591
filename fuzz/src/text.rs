//! Requests and values as text.

use std::fmt::Write as _;
use std::path::Path;

use ckpt::analysis::Date;
use ckpt::analysis::explain::explain_error;
use ckpt::analysis::policy::Policy;
use ckpt::read::tensor::numpy::npy;
use ckpt::read::tensor::numpy::{Format, Layout, Options, Writer, quoted};
use ckpt::read::tensor::{DType, Element, Region, split_selector, write_csv, write_json};

use super::input::{Input, harmless, said};

/// A slice in NumPy's syntax, and a name with one.
///
/// Promises: whatever is accepted lies within the dimensions and has the elements that it says; a selector's parts are
/// its text.
pub fn region(data: &[u8]) {
    let mut input = Input(data);
    let dims: Vec<u64> = (0..input.below(6)).map(|_| input.i64().cast_unsigned()).collect();
    let text = String::from_utf8_lossy(input.0);
    let (name, inner) = split_selector(&text);
    match inner {
        None => assert_eq!(name, text),
        Some(inner) => assert_eq!(format!("{name}[{inner}]"), text),
    }
    for text in [Some(&*text), inner].into_iter().flatten() {
        let region = match Region::parse(text, &dims) {
            Ok(region) => region,
            Err(error) => {
                said(&error);
                continue;
            }
        };
        assert_eq!(region.spans().len(), dims.len());
        for (span, &dim) in region.spans().iter().zip(&dims) {
            assert!(span.step >= 1 && span.count <= dim && (span.keep || span.count == 1));
            let last = u128::from(span.start) + u128::from(span.count.saturating_sub(1)) * u128::from(span.step);
            assert!(span.count == 0 || last < u128::from(dim), "{text:?} leaves {dims:?}");
        }
        let shape = region.shape();
        let elements = if shape.contains(&0) { Some(0) } else { shape.iter().try_fold(1u64, |n, d| n.checked_mul(*d)) };
        assert_eq!(region.elements(), elements);
        if region.is_full(&dims) {
            let all = Region::full(&dims);
            let same = region.spans().iter().zip(all.spans()).all(|(a, b)| (a.start, a.count) == (b.start, b.count));
            assert!(same || elements == Some(0), "{text:?} is not all of {dims:?}");
        }
    }
}

/// A policy.
///
/// Promises: reading twice is equal; a mistake is one short and harmless error that points into the text.
pub fn policy(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let read = || {
        let today = Date { year: 2026, month: 11, day: 29 };
        Policy::parse(&text, Path::new("ckpt.toml"), Path::new("/project"), Path::new("/project/runs"), today)
    };
    match (read(), read()) {
        (Ok(policy), Ok(again)) => assert_eq!(format!("{policy:?}"), format!("{again:?}")),
        (Err(error), Err(again)) => {
            assert_eq!(said(&error), said(&again));
            assert!(said(&error).len() < 1000 + text.len(), "a long error");
            assert!(error.location().offset.is_none_or(|offset| offset <= text.len() as u64));
        }
        (one, other) => panic!("{} and {}", one.is_ok(), other.is_ok()),
    }
}

/// Values as NumPy prints them, and as JSON, CSV and npy.
///
/// Promises: brackets match; every shown element is shown; the text has no more than a bounded number of characters an
/// element, and no control characters; JSON of an element is JSON.
pub fn numpy(data: &[u8]) {
    let mut input = Input(data);
    let dtype = DType::from_number(input.below(34).into());
    let flags = input.u8();
    let precision = (flags & 1 != 0).then(|| usize::from(input.below(51)));
    let options = Options {
        precision,
        threshold: if flags & 2 != 0 { input.u8().into() } else { 1000 },
        edge_items: if flags & 4 != 0 { input.below(5).into() } else { 3 },
        line_width: usize::from(input.below(161)) + 40,
        full: flags & 8 != 0,
        ..Options::default()
    };
    let dims: Vec<u64> =
        (0..input.below(6)).map(|_| input.below(if flags & 16 != 0 { 40 } else { 5 }).into()).collect();
    let elements: u64 = dims.iter().product();
    let layout = Layout::new(&dims, &options);
    // More of them are more of the same.
    if layout.shown() > 2_000 {
        return;
    }
    let mut end = 0;
    let mut shown = 0;
    for (start, count) in layout.runs() {
        // One row may end where the next begins.
        assert!(start >= end && count > 0, "runs go back");
        end = start + count;
        shown += count;
    }
    assert!(end <= elements);
    assert_eq!(shown, layout.shown());
    let mut out = Vec::new();
    let mut per_element = 400;
    if dtype.is_variable_length() {
        let format = Format::new(dtype, &options);
        let mut writer = Writer::new(&mut out, &format, &layout, &options);
        for _ in 0..shown {
            let text = quoted(input.short(), options.full);
            per_element = per_element.max(text.len() + 20);
            writer.push_text(&text).unwrap();
        }
        writer.finish().unwrap();
    } else {
        let Some(size) = dtype.element_size() else { return };
        let needed = (shown * size) as usize;
        let bytes: Vec<u8> =
            if input.is_empty() { vec![0; needed] } else { input.0.iter().copied().cycle().take(needed).collect() };
        let values: Vec<Element> = Element::decode_all(dtype, &bytes).unwrap().collect();
        let mut format = Format::new(dtype, &options);
        values.iter().for_each(|value| format.observe(value));
        let mut writer = Writer::new(&mut out, &format, &layout, &options);
        values.iter().for_each(|value| writer.push(value).unwrap());
        writer.finish().unwrap();
        for value in values.iter().take(50) {
            let (mut json, mut csv) = (String::new(), String::new());
            write_json(*value, &mut json).unwrap();
            write_csv(*value, &mut csv).unwrap();
            serde_json::from_str::<serde_json::Value>(&json).unwrap();
            let mut twice = String::new();
            write!(twice, "{json}{csv}").unwrap();
            harmless(&twice);
        }
        let mut widened = bytes;
        npy::widen(dtype, &mut widened);
        if let Some(header) = npy::header(dtype, &dims, 0) {
            assert!(header.len() % 64 == 0 && header.starts_with(b"\x93NUMPY"));
        }
    }
    let text = String::from_utf8(out).unwrap();
    harmless(&text);
    assert!(text.len() as u64 <= (shown + 2) * per_element as u64 * (dims.len() as u64 + 1), "{} bytes", text.len());
    if !dtype.is_variable_length() {
        let count = |what| text.matches(what).count();
        assert_eq!(count('['), count(']'), "{text}");
        assert_eq!(dims.is_empty(), count('[') == 0, "{text}");
    }
    assert!(text.lines().all(|line| !line.ends_with(' ')) || dtype.is_variable_length(), "blanks at an end: {text:?}");
}

/// A pasted message.
///
/// Promises: explaining twice gives the same (of one input in four); what is said is bounded by the text; there is a
/// headline.
pub fn explain(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let diagnosis = explain_error(&text);
    if data.len().is_multiple_of(4) {
        assert_eq!(diagnosis, explain_error(&text));
    }
    let Some(diagnosis) = diagnosis else { return };
    assert!(!diagnosis.headline.is_empty());
    let parts = [&diagnosis.meaning, &diagnosis.likely, &diagnosis.next, &diagnosis.certainty];
    let said: usize = parts.into_iter().flatten().map(String::len).sum();
    assert!(said <= 20 * text.len() + 20_000, "{said} bytes about {}", text.len());
}
