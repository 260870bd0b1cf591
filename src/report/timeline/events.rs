//! Event files, as JSON and in a few words.

use std::collections::BTreeMap;
use std::path::Path;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::base::escape::escaped;
use crate::read::events;
use crate::report::kit::json::PathText;
use crate::report::kit::units::{counted, seconds, size};

/// An event file with what was read of it; what was not is null.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct EventFile<'a> {
    path: PathText<'a>,
    bytes: u64,
    /// whole and undamaged events; null if it was not read
    events: Option<u64>,
    /// the highest step
    last_step: Option<i64>,
    /// when that was written (seconds since 1970)
    last_step_time: Option<f64>,
    /// of all events
    first_time: Option<f64>,
    /// of all events
    last_time: Option<f64>,
    /// damaged records
    damaged: Option<u64>,
    /// the first ten of them
    damage: Option<Vec<String>>,
    /// the offset of a record that the file ends in
    unfinished: Option<u64>,
    /// behind a length that is wrong
    unread_bytes: Option<u64>,
    /// why nothing of it could be read
    error: Option<String>,
}

impl<'a> From<&'a events::EventFile> for EventFile<'a> {
    fn from(file: &'a events::EventFile) -> Self {
        let read = file.content.as_ref().and_then(|content| content.as_ref().ok());
        let error = file.content.as_ref().and_then(|content| content.as_ref().err());
        let times = read.and_then(|read| read.times);
        // A time that is no number is none.
        let time = |time: Option<f64>| time.filter(|time| time.is_finite());
        Self {
            path: PathText(&file.path),
            bytes: file.bytes,
            events: read.map(|read| read.events),
            last_step: read.and_then(|read| read.last_step),
            last_step_time: time(read.and_then(|read| read.last_step_time)),
            first_time: time(times.map(|times| times.0)),
            last_time: time(times.map(|times| times.1)),
            damaged: read.map(|read| read.damaged),
            damage: read.map(|read| read.damage.iter().map(ToString::to_string).collect()),
            unfinished: read.and_then(|read| read.unfinished),
            unread_bytes: read.map(|read| read.unread),
            error: error.map(ToString::to_string),
        }
    }
}

/// The files of each directory in one sentence, then one sentence for each file that is not whole.
pub(in crate::report) fn in_words(dir: &Path, files: &[events::EventFile]) -> Vec<String> {
    let mut groups: BTreeMap<&Path, Vec<&events::EventFile>> = BTreeMap::new();
    for file in files {
        groups.entry(file.path.parent().unwrap_or(dir)).or_default().push(file);
    }
    let mut lines = Vec::new();
    for (parent, files) in groups {
        let mut words = group_in_words(&files);
        if let Some(first) = words.first_mut().filter(|_| parent != dir) {
            let below = escaped(parent.file_name().unwrap_or_default().as_encoded_bytes());
            first.insert_str(0, &format!("in {below}/: "));
        }
        lines.extend(words);
    }
    lines
}

fn group_in_words(files: &[&events::EventFile]) -> Vec<String> {
    let read = || files.iter().filter_map(|file| file.content.as_ref()?.as_ref().ok());
    let events: u64 = read().map(|events| events.events).sum();
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    let mut facts = vec![format!("{} ({})", counted(files.len() as u64, "event file"), size(bytes))];
    let unread = files.iter().filter(|file| file.content.is_none()).count();
    if unread < files.len() {
        facts.push(counted(events, "event"));
    }
    let last = read().filter_map(|events| Some((events.last_step?, events.last_step_time))).max_by_key(|last| last.0);
    facts.extend(last.map(|(step, time)| match time {
        Some(time) => format!("last step {step} at {}", seconds(time)),
        None => format!("last step {step}"),
    }));
    let mut lines = vec![facts.join(", ")];
    if unread > 0 {
        let n = counted(unread as u64, "older event file");
        lines.push(format!("{n} not read; ckpt log reads all of them"));
    }
    let name =
        |file: &events::EventFile| escaped(file.path.file_name().unwrap_or_default().as_encoded_bytes()).into_owned();
    for file in files {
        match &file.content {
            Some(Err(error)) => lines.push(format!("{}: {error}", name(file))),
            Some(Ok(events)) => {
                for error in events.damage.iter().take(3) {
                    lines.push(format!("{}: {error}", name(file)));
                }
                if events.damaged > 3 {
                    let more = counted(events.damaged.saturating_sub(3), "more damaged record");
                    lines.push(format!("{}: {more}", name(file)));
                }
                if events.unread > 0 {
                    lines.push(format!("{}: {} behind that cannot be read", name(file), size(events.unread)));
                }
                if let Some(offset) = events.unfinished {
                    lines.push(format!("{}: ends in the middle of a record at offset {offset}", name(file)));
                }
            }
            None => {}
        }
    }
    lines
}
