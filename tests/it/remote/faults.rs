//! Servers and networks that do wrong: what is told of them, what is not told to anyone, and that nothing is mixed.

use std::time::Duration;

use super::super::support::testdata;
use super::server::{How, Server};
use super::{command, roots, says, told};

/// A safetensors file of one large tensor, longer than what comes along when a file is looked at.
fn weights(server: &Server, len: usize) {
    let header = format!("{{\"w\":{{\"dtype\":\"U8\",\"shape\":[{len}],\"data_offsets\":[0,{len}]}}}}");
    let values = (0..len).map(|n| u8::try_from(n % 251).unwrap());
    let bytes: Vec<u8> =
        (header.len() as u64).to_le_bytes().into_iter().chain(header.into_bytes()).chain(values).collect();
    server.put("bucket/data/w.safetensors", bytes);
}

const LEN: usize = 3 << 20;

/// The figures of the tensor, or why there are none, by each protocol: what is asked for first, a listing or the first
/// bytes, goes well.
fn stats_of_each(wrong: &How, times: usize) -> Vec<(i32, String, String)> {
    let of = |n: usize| {
        let server = Server::start();
        weights(&server, LEN);
        server.skip("w.safetensors", 1, times, wrong.clone());
        let root = &roots(&server)[n];
        let (status, out, err) = says(&server, &["stats", &format!("{root}/w.safetensors"), "--format", "csv"]);
        (status, out.replace(root, "ROOT"), err.replace(root, "ROOT"))
    };
    (0..3).map(of).collect()
}

#[test]
fn what_goes_wrong_for_a_while_is_asked_again() {
    let server = Server::start();
    weights(&server, LEN);
    let right = says(&server, &["stats", "gs://bucket/data/w.safetensors", "--format", "csv"]);
    assert_eq!(right.0, 0, "{right:?}");
    for wrong in [How::Status(503, String::new()), How::Status(500, String::new()), How::Cut] {
        for answer in stats_of_each(&wrong, 2) {
            assert_eq!(answer, right, "{wrong:?}");
        }
    }
}

#[test]
fn what_goes_wrong_for_good_is_told_with_what_to_do() {
    let denied = "<Error><Code>AccessDenied</Code><Message>HIDDEN</Message></Error>";
    for (wrong, words) in [
        (How::Status(403, denied.to_owned()), ["403 (AccessDenied)", "public"]),
        (How::Status(503, String::new()), ["503", "try again later"]),
        (How::Replaced, ["replaced while it was read", "nothing of the two was mixed"]),
        (How::OtherRange, ["another range than was asked for", "download"]),
    ] {
        for (status, out, err) in stats_of_each(&wrong, 100) {
            assert_eq!(status, 2, "{wrong:?} {out} {err}");
            let is_told = words.iter().all(|word| err.contains(word)) || wrong_of_web(&wrong, &err);
            assert!(is_told, "{wrong:?}: {err}");
            assert!(!err.contains("HIDDEN") && err.contains("ROOT/w.safetensors"), "{err}");
        }
    }
}

#[test]
fn a_connection_that_always_breaks_is_told() {
    let server = Server::start();
    weights(&server, LEN);
    server.skip("w.safetensors", 1, 100, How::Cut);
    let (status, _, err) = says(&server, &["stats", &format!("{}/bucket/data/w.safetensors", server.url())]);
    assert_eq!(status, 2, "{err}");
    assert!(err.contains("ended early each time") && err.contains("bytes came"), "{err}");
}

#[test]
fn what_nobody_answers_for_is_not_said_to_be_missing_alone() {
    let server = Server::start();
    server.put_all("bucket/run", &testdata().join("model_dir/manager"));
    server.wrong("ckpt-3.data", 1000, How::Status(503, String::new()));
    let (status, out, err) = says(&server, &["validate", "--quick", &format!("{}/bucket/run/ckpt-3", server.url())]);
    assert_eq!(status, 2, "{out}");
    assert!(err.contains("503") && err.contains("it was taken for not being there"), "{err}");
}

#[test]
fn a_page_that_a_server_shows_of_a_directory_is_told() {
    let server = Server::start();
    server.put("bucket/run", b"<!DOCTYPE HTML>\n<html><title>Directory listing for /run</title></html>".to_vec());
    let (status, _, err) = says(&server, &["list", &format!("{}/bucket/run", server.url())]);
    assert_eq!(status, 2, "{err}");
    assert!(err.contains("the server shows a page there") && err.contains("give the name of a file in it"), "{err}");
}

#[test]
fn nothing_is_written_to_an_address() {
    let server = Server::start();
    weights(&server, 10);
    let from = "s3://bucket/data/w.safetensors";
    for to in ["gs://bucket/out/model", "s3://bucket/out.safetensors", &format!("{}/x.npz", server.url())] {
        let (status, _, err) = says(&server, &["convert", from, "-o", to]);
        assert_eq!(status, 2);
        assert!(err.contains("addresses are read, and not written"), "{to}: {err}");
    }
}

/// A web server says of a private file what a cloud says otherwise.
fn wrong_of_web(wrong: &How, err: &str) -> bool {
    matches!(wrong, How::Status(403, _)) && err.contains("403 (AccessDenied)") && err.contains("may be private")
}

#[test]
fn a_server_without_ranges_is_read_whole_or_told() {
    let server = Server::start();
    weights(&server, LEN);
    server.wrong("w.safetensors", 1000, How::Whole);
    let path = format!("{}/bucket/data/w.safetensors", server.url());
    assert_eq!(says(&server, &["list", &path]).0, 0);
    weights(&server, 80 << 20);
    let (status, _, err) = says(&server, &["list", &path]);
    assert_eq!(status, 2);
    assert!(err.contains("no range requests") && err.contains("download it"), "{err}");
}

#[test]
fn a_bucket_in_another_region_is_found_there_or_told() {
    let server = Server::start();
    weights(&server, 10);
    let header = ("x-amz-bucket-region", "eu-west-3".to_owned());
    server.wrong("list-type", 100, How::StatusWith(301, header, String::new()));
    let (status, _, err) = says(&server, &["list", "s3://bucket/data/w.safetensors"]);
    assert_eq!(status, 2);
    assert!(err.contains("301") && err.contains("AWS_REGION=eu-west-3"), "{err}");
}

#[test]
fn who_may_read_but_not_list_is_served() {
    let server = Server::start();
    weights(&server, LEN);
    server.wrong("list-type", 100, How::Status(403, "<Error><Code>AccessDenied</Code></Error>".to_owned()));
    for root in ["gs://bucket/data", "s3://bucket/data"] {
        let (status, out, err) = says(&server, &["list", &format!("{root}/w.safetensors")]);
        assert_eq!(status, 0, "{err}");
        assert!(out.contains("3145728"), "{out}");
        let (status, _, err) = says(&server, &["list", root]);
        assert_eq!(status, 2);
        assert!(err.contains("403 (AccessDenied)"), "{err}");
    }
}

#[test]
fn no_secret_is_shown() {
    let server = Server::start();
    weights(&server, 10);
    let host = server.host();
    let path = format!("http://user:HIDDEN1@{host}/bucket/data/w.safetensors?X-Sig=HIDDEN2");
    for args in [
        vec!["inspect", &path],
        vec!["inspect", &path, "--format", "json"],
        vec!["validate", &path, "--format", "sarif"],
        vec!["diff", &path, &path, "--format", "json"],
        vec!["list", &path, "--no-such-option"],
    ] {
        let (_, out, err) = says(&server, &args);
        assert!(!format!("{out}{err}").contains("HIDDEN"), "{args:?}: {out}{err}");
    }
    let asked = server.take_asked();
    let is_told =
        asked.iter().filter(|asked| asked.path.contains("HIDDEN2") && asked.headers.contains_key("authorization"));
    assert!(is_told.count() > 3, "the server itself is told: {asked:?}");
    // Keys of the environment go into a signature; what a server makes of it is not repeated.
    let body = "<Error><Code>SignatureDoesNotMatch</Code><StringToSign>AKIDHIDDEN</StringToSign></Error>";
    server.wrong("bucket", 100, How::Status(403, body.to_owned()));
    let mut command = command(&server, &["list", "s3://bucket/data/w.safetensors"]);
    command
        .env_remove("AWS_SKIP_SIGNATURE")
        .env("AWS_ACCESS_KEY_ID", "AKIDHIDDEN")
        .env("AWS_SECRET_ACCESS_KEY", "HIDDEN");
    let (status, out, err) = told(&command.output().unwrap());
    assert_eq!(status, 2);
    assert!(err.contains("the credentials are not valid there") && !format!("{out}{err}").contains("HIDDEN"), "{err}");
    assert!(server.take_asked().iter().all(|asked| asked.headers["authorization"].contains("AKIDHIDDEN")));
}

#[test]
fn nobody_there_is_told() {
    let server = Server::start();
    let gone = Server::start().url();
    for path in [format!("{gone}/x.h5"), "gs://nobucket/x".to_owned(), "s3://bucket".to_owned()] {
        let (status, _, err) = says(&server, &["list", &path]);
        assert_eq!(status, 2, "{err}");
        assert!(
            err.contains("no connection to the server") || err.contains("there is no bucket of this name"),
            "{err}"
        );
    }
    let here = says(&server, &["list", "hdfs://x/y"]);
    assert!(here.2.contains("in HDFS, which ckpt does not read"), "{}", here.2);
}

#[test]
fn redirects_are_followed_and_slow_servers_waited_for() {
    let server = Server::start();
    weights(&server, LEN);
    let path = format!("{}/elsewhere/w.safetensors", server.url());
    server.wrong("elsewhere", 100, How::Redirect(format!("{}/bucket/data", server.url())));
    let (status, out, err) = says(&server, &["list", &path, "--format", "json"]);
    assert_eq!(status, 0, "{err}");
    assert!(out.contains(&path) && !out.contains("HIDDEN"), "{out}");
    server.wrong("w.safetensors", 100, How::Slow(Duration::from_millis(300)));
    assert_eq!(says(&server, &["stats", "s3://bucket/data/w.safetensors"]).0, 0);
}
