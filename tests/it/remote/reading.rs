//! What is said of files on a disk is said of the same files in a store, in the same words, with few requests.

use std::time::Duration;

use super::super::support::testdata;
use super::server::{Asked, How, Server};
use super::{roots, says, shown, with_fixtures};

/// Prefixes, members, and files of each format.
const FILES: [&str; 9] = [
    "model_dir/manager/ckpt-3",
    "model_dir/manager/ckpt-3.index",
    "bundle_v2/many_blocks/many",
    "partitioned/max_shard_size/ckpt-1",
    "keras/keras3/model.keras",
    "keras/keras3/whole.h5",
    "npz/saved/deflated.npz",
    "safetensors/sharded/model.safetensors.index.json",
    "keras/across/keras3_sequential/export/saved_model.pb",
];

/// Directories, which a web server does not list.
const DIRECTORIES: [&str; 4] =
    ["model_dir/estimator", "keras/across/keras3_sequential/export", "serving/base/served", "safetensors/sharded"];

/// What is said of a path, with the place of the fixtures taken out, and when files were changed.
fn said(server: &Server, command: &str, root: &str, file: &str) -> (i32, String) {
    let (status, out, err) = says(server, &[command, &format!("{root}/{file}"), "--format", "json"]);
    let text = format!("{out}\n{err}").replace(root, "ROOT");
    let lines = text.lines().filter(|line| !line.contains("\"modified\":"));
    (status, lines.collect::<Vec<_>>().join("\n"))
}

#[test]
fn what_is_said_of_files_does_not_depend_on_where_they_lie() {
    let server = with_fixtures();
    let disk = testdata();
    for file in FILES {
        for command in ["inspect", "validate"] {
            let expected = said(&server, command, shown(&disk), file);
            for root in roots(&server) {
                // What lies beside a file, a web server does not tell.
                if root.starts_with("http") && command == "inspect" {
                    continue;
                }
                assert_eq!(said(&server, command, &root, file), expected, "{command} {root}/{file}");
            }
        }
        let expected = said(&server, "list", shown(&disk), file);
        for root in roots(&server) {
            assert_eq!(said(&server, "list", &root, file), expected, "list {root}/{file}");
        }
    }
}

#[test]
fn directories_in_a_bucket_are_read_as_directories_of_a_disk() {
    let server = with_fixtures();
    let disk = testdata();
    for directory in DIRECTORIES {
        for command in ["list", "validate"] {
            let expected = said(&server, command, shown(&disk), directory);
            for root in roots(&server).iter().filter(|root| !root.starts_with("http")) {
                assert_eq!(said(&server, command, root, directory), expected, "{command} {root}/{directory}");
            }
        }
    }
}

#[test]
fn a_web_server_is_not_asked_for_directories() {
    let server = with_fixtures();
    let path = format!("{}/bucket/data/model_dir/manager", server.url());
    let (status, _, err) = says(&server, &["list", &path]);
    assert_eq!(status, 2);
    assert!(err.contains("it cannot be asked which files it has"), "{err}");
}

fn counted(asked: &[Asked]) -> (usize, usize) {
    let lists = asked.iter().filter(|asked| asked.is_list()).count();
    (lists, asked.len() - lists)
}

#[test]
fn a_list_is_one_listing_and_few_ranges() {
    let server = with_fixtures();
    // So many others beside it are not looked at.
    for n in 0..3000 {
        server.put(&format!("bucket/data/model_dir/manager/other-{n}.index"), *b"x");
    }
    for root in roots(&server) {
        says(&server, &["list", &format!("{root}/model_dir/manager/ckpt-3")]);
        let asked = server.take_asked();
        let (lists, ranges) = counted(&asked);
        if root.starts_with("http") {
            // The prefix, its index, and its graph, which is not there.
            assert!(ranges <= 4, "{asked:#?}");
        } else {
            assert_eq!((lists, ranges), (1, 1), "{asked:#?}");
        }
        assert!(asked.iter().all(|asked| asked.sent < 70_000), "{asked:#?}");
    }
}

#[test]
fn the_checkpoints_of_a_directory_are_asked_for_together() {
    let server = Server::start();
    let dir = testdata().join("model_dir/manager");
    for end in ["index", "data-00000-of-00001"] {
        let bytes = std::fs::read(dir.join(format!("ckpt-3.{end}"))).unwrap();
        for step in 100..140 {
            server.put(&format!("bucket/run/ckpt-{step}.{end}"), bytes.clone());
        }
    }
    server.wrong("run/ckpt-", usize::MAX, How::Slow(Duration::from_millis(30)));
    for command in ["latest", "log", "inspect"] {
        let (status, out, err) = says(&server, &[command, "gs://bucket/run"]);
        assert_eq!(status, 0, "{err}");
        assert!(out.contains("ckpt-139"), "{out}");
        let (asked, most) = (server.take_asked(), server.take_most_at_once());
        // What was listed a second ago may be listed again.
        let (_, ranges) = counted(&asked);
        // For each its index, looked into and read, and of `log` its object graph.
        assert!(ranges <= 122, "{command}: {ranges} requests for 40 checkpoints");
        assert!(most > 8, "{command}: {most} at once");
    }
}

#[test]
fn a_state_file_is_followed_to_where_it_leads() {
    let server = Server::start();
    server.put_all("bucket/old", &testdata().join("model_dir/manager"));
    server.put("bucket/new/checkpoint", *b"model_checkpoint_path: \"gs://bucket/old/ckpt-2\"\n");
    let (status, out, err) = says(&server, &["latest", "gs://bucket/new"]);
    assert_eq!((status, out.as_str()), (0, "gs://bucket/old/ckpt-2\n"), "{err}");
    let (status, out, err) = says(&server, &["list", "gs://bucket/new"]);
    assert_eq!(status, 0, "{out}{err}");
    assert!(err.contains("names gs://bucket/old/ckpt-2, in another directory"), "{err}");
    // Where the directory was moved, the names in it count.
    server.put("bucket/old/checkpoint", *b"model_checkpoint_path: \"gs://gone/run/ckpt-2\"\n");
    let (status, out, _) = says(&server, &["latest", "gs://bucket/old"]);
    assert_eq!((status, out.as_str()), (0, "gs://bucket/old/ckpt-2\n"));
}

/// A safetensors file of rows of a megabyte.
fn rows(server: &Server, name: &str, count: usize) {
    let (width, len) = (1 << 18, count << 20);
    let header = format!("{{\"w\":{{\"dtype\":\"F32\",\"shape\":[{count},{width}],\"data_offsets\":[0,{len}]}}}}");
    let values = (0..count * width).flat_map(|n| f32::from(u8::try_from(n % 251).unwrap()).to_le_bytes());
    let bytes: Vec<u8> =
        (header.len() as u64).to_le_bytes().into_iter().chain(header.into_bytes()).chain(values).collect();
    server.put(name, bytes);
}

#[test]
fn a_slice_reads_its_rows_and_everything_large_ranges() {
    let server = Server::start();
    rows(&server, "bucket/data/w.safetensors", 40);
    for root in roots(&server) {
        let path = format!("{root}/w.safetensors");
        server.take_asked();
        let (status, out, err) = says(&server, &["print", &path, "w[7, :3]"]);
        assert_eq!((status, out.contains('[')), (0, true), "{err}");
        let asked = server.take_asked();
        let sent: u64 = asked.iter().map(|asked| asked.sent).sum();
        assert!(asked.len() <= 6 && sent < 400_000, "{asked:#?}");
        let (status, _, err) = says(&server, &["stats", &path]);
        assert_eq!(status, 0, "{err}");
        let asked = server.take_asked();
        let large = asked.iter().filter(|asked| asked.sent > 4 << 20).count();
        let sent: u64 = asked.iter().map(|asked| asked.sent).sum();
        assert!(large >= 5 && asked.len() <= 12, "{asked:#?}");
        assert!(sent < 42 << 20, "nothing is read twice: {sent}");
    }
}

#[test]
fn a_directory_of_many_names_is_listed_page_by_page_and_no_deeper() {
    let server = Server::start();
    let files = testdata().join("model_dir/manager");
    server.put_all("bucket/run", &files);
    for n in 0..2500 {
        server.put(&format!("bucket/run/sub-{n:05}/part"), *b"x");
    }
    server.page(500);
    let (status, out, err) = says(&server, &["latest", "gs://bucket/run"]);
    assert_eq!((status, out.as_str(), err.as_str()), (0, "gs://bucket/run/ckpt-3\n", ""));
    let (lists, _) = counted(&server.take_asked());
    // Six pages, one of them twice: whether it is a directory, and whether one answer has it all.
    assert!((6..=9).contains(&lists), "{lists}");
}
