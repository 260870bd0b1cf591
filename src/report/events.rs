//! Event files, as JSON and in a few words.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::json::path;
use super::units::{counted, seconds, size};
use crate::escape::escaped;
use crate::events::EventFile;

/// A file with what was read of it; what was not is null.
pub(super) fn event_file(file: &EventFile) -> Value {
    let events = file.content.as_ref().and_then(|content| content.as_ref().ok());
    let error = file.content.as_ref().and_then(|content| content.as_ref().err());
    let float = |value: Option<f64>| value.map_or(Value::Null, |value| json!(value));
    json!({
        "path": path(&file.path),
        "bytes": file.bytes,
        "events": events.map(|events| events.events),
        "last_step": events.and_then(|events| events.last_step),
        "last_step_time": float(events.and_then(|events| events.last_step_time)),
        "first_time": float(events.and_then(|events| Some(events.times?.0))),
        "last_time": float(events.and_then(|events| Some(events.times?.1))),
        "damaged": events.map(|events| events.damaged),
        "damage": events.map(|events| events.damage.iter().map(ToString::to_string).collect::<Vec<_>>()),
        "unfinished": events.and_then(|events| events.unfinished),
        "unread_bytes": events.map(|events| events.unread),
        "error": error.map(ToString::to_string),
    })
}

/// The files of each directory in one sentence, then one sentence for each file that is not whole.
pub(super) fn in_words(dir: &Path, files: &[EventFile]) -> Vec<String> {
    let mut groups: BTreeMap<&Path, Vec<&EventFile>> = BTreeMap::new();
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

fn group_in_words(files: &[&EventFile]) -> Vec<String> {
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
    let name = |file: &EventFile| escaped(file.path.file_name().unwrap_or_default().as_encoded_bytes()).into_owned();
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
