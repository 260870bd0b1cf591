//! Tables: what all binary checkpoints are made of.

use std::path::Path;

use ckpt::base::limits::Limits;
use ckpt::read::storage::Source;
use ckpt::read::table::{BlockBuffer, Table};
use ckpt_synth::TableBuilder;

use super::input::{Input, said, seal};

/// One entry as a scan met it.
type Entry = (Vec<u8>, Vec<u8>, u64);

/// A table in memory: opened, scanned, searched.
///
/// Promises: two scans meet the same; the entries take no more room than the file's bytes can decompress to; of a table
/// without faults, every key is found by a search, with its value.
pub fn table(data: &[u8]) {
    let mut input = Input(data);
    let bytes = match input.below(3) {
        0 => input.0.to_vec(),
        1 => seal(input.0.to_vec()),
        _ => of_blocks(input),
    };
    let limits = Limits::default();
    let open = || Table::open(Source::memory(Path::new("fuzz"), bytes.clone()), &limits);
    let table = match open() {
        Ok(table) => table,
        Err(error) => {
            said(&error);
            return;
        }
    };
    let (first, scan) = scan(&table);
    let again = open().unwrap();
    assert_eq!(again.blocks(), table.blocks());
    let (second, scan_again) = self::scan(&again);
    assert_eq!(first, second, "two scans differ");
    assert_eq!(format!("{scan:?}"), format!("{scan_again:?}"));
    let problems = table.damage().iter().chain(&scan.lost).chain(&scan.notes);
    for error in problems.clone() {
        said(error);
    }
    assert!(scan.lost.len() <= limits.reports + 1);
    // No byte is part of two blocks, and Snappy makes at most 64 bytes of three.
    let most = 22 * bytes.len();
    let values: usize = first.iter().map(|(_, value, _)| value.len()).sum();
    assert!(values + 3 * first.len() <= most, "{} entries with {values} bytes from {}", first.len(), bytes.len());
    if problems.count() == 0 {
        assert!(first.is_sorted_by(|a, b| a.0 < b.0), "keys out of order, and nothing said");
        let mut buffer = BlockBuffer::default();
        for (key, value, offset) in first.iter().take(64) {
            let found = table.get(key, &mut buffer).unwrap();
            assert_eq!(found, Some((value.as_slice(), *offset)), "the search misses {key:?}");
        }
    }
    let mut buffer = BlockBuffer::default();
    for key in [&b""[..], b"w", &[0xff; 9], data.get(..4).unwrap_or_default()] {
        if let Err(error) = table.get(key, &mut buffer) {
            said(&error);
        }
    }
    assert!(table.read_block(table.blocks().len(), &mut buffer).is_err());
}

fn scan(table: &Table) -> (Vec<Entry>, ckpt::read::table::Scan) {
    let (mut entries, mut room) = (Vec::new(), 32usize << 20);
    let scan = table.scan(|entry| {
        // Keys grow by what they share: their sum has no bound here, so it gets one.
        room = room.saturating_sub(entry.key.len());
        let key = if room == 0 { Vec::new() } else { entry.key.to_vec() };
        entries.push((key, entry.value.to_vec(), entry.value_offset));
        Ok(())
    });
    (entries, scan.unwrap())
}

/// A table of blocks with right checksums: their stored bytes, types and index keys are the fuzzer's.
fn of_blocks(mut input: Input<'_>) -> Vec<u8> {
    let mut table = TableBuilder::new();
    while !input.is_empty() {
        let kind = input.u8();
        let key = input.short();
        let stored = match (kind, input.u8()) {
            // Compressed honestly: what Snappy says is not what is to be found out here.
            (1, 0..=127) => ckpt_synth::table::snappy(input.short()),
            (_, count) => input.take(count.into()).to_vec(),
        };
        table.raw_block(&stored, kind, key);
    }
    table.finish()
}
