//! `validate --quick` of what lies in a store that keeps checksums of objects: whole shards are vouched for unread.

use super::super::support::testdata;
use super::{says, with_fixtures};

/// Nothing of a shard was read, but for strings.
const NUMBERS: &str = "model_dir/estimator/model.ckpt-10";

#[test]
fn a_store_vouches_for_shards_that_nobody_reads() {
    let server = with_fixtures();
    for root in ["gs://bucket/data", "s3://bucket/data"] {
        for (file, is_read) in
            [(NUMBERS, false), ("partitioned/max_shard_size/ckpt-1", true), ("model_dir/manager/ckpt-3", true)]
        {
            server.take_asked();
            let (status, out, err) = says(&server, &["validate", &format!("{root}/{file}"), "--quick"]);
            assert_eq!(status, 0, "{out}{err}");
            assert!(out.contains("intact, by the store's own checksums"), "{out}");
            let asked = server.take_asked();
            // First bytes are looked at, whether they are those of a pointer of Git LFS: small files come whole.
            let sizes: u64 = asked
                .iter()
                .filter(|asked| asked.path.contains("00000%2Dof") || asked.path.contains("00000-of"))
                .map(|asked| asked.sent)
                .sum();
            assert!(is_read || sizes < 4096, "{asked:#?}");
        }
        let (_, out, _) = says(&server, &["validate", &format!("{root}/{NUMBERS}"), "--quick", "--format", "json"]);
        assert!(out.contains("\"vouched\": 2") && out.contains("\"skipped\": 0"), "{out}");
    }
    // A web server has none, and neither has a disk.
    let disk = testdata().join(NUMBERS);
    for path in [format!("{}/bucket/data/{NUMBERS}", server.url()), disk.to_str().unwrap().to_owned()] {
        let (status, out, _) = says(&server, &["validate", &path, "--quick"]);
        assert_eq!(status, 0);
        assert!(out.contains("index sound, no data read") && !out.contains("vouched"), "{out}");
    }
}

#[test]
fn a_shard_of_another_save_is_told_unread() {
    let server = with_fixtures();
    let name = format!("{NUMBERS}.data-00000-of-00001");
    let mut bytes = std::fs::read(testdata().join(&name)).unwrap();
    bytes[0] ^= 1;
    server.put(&format!("bucket/data/{name}"), bytes);
    for root in ["gs://bucket/data", "s3://bucket/data"] {
        let (status, out, _) = says(&server, &["validate", &format!("{root}/{NUMBERS}"), "--quick"]);
        assert_eq!(status, 1);
        assert!(out.contains("shard-checksum-mismatch") && out.contains("NOT intact"), "{out}");
    }
}

#[test]
fn what_cannot_be_proved_is_not_said() {
    let server = with_fixtures();
    server.put_all("bucket/parts", &testdata().join("model_dir/estimator"));
    // A checksum of parts says nothing of the whole.
    let (status, out, _) = says(&server, &["validate", "s3://bucket/parts/model.ckpt-10", "--quick"]);
    assert_eq!(status, 0);
    assert!(out.contains("index sound, no data read") && out.contains("2 not read"), "{out}");
    // Bytes that no tensor claims may be anything.
    let name = format!("{NUMBERS}.data-00000-of-00001");
    let mut bytes = std::fs::read(testdata().join(&name)).unwrap();
    bytes.extend([7; 10]);
    server.put(&format!("bucket/data/{name}"), bytes);
    let (status, out, _) = says(&server, &["validate", &format!("gs://bucket/data/{NUMBERS}"), "--quick"]);
    assert_eq!(status, 0, "{out}");
    assert!(out.contains("index sound, no data read") && out.contains("2 not read"), "{out}");
}
