//! `ckpt print --image`: tensors as pictures.

use std::path::Path;
use std::process::{Command, Output};

use super::support::testdata;

fn print(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
    command.arg("print").arg(testdata().join("saver_v2/sharded_adam/model.ckpt-200")).args(arguments).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A PNG: its sides, its pixels in red, green and blue, and its title.
fn read(path: &Path) -> (u32, u32, Vec<[u8; 3]>, String) {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let mut decoder = png::Decoder::new(file);
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut bytes).unwrap();
    let pixels = bytes.chunks(3).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    let info = reader.info();
    let title = info.utf8_text.iter().find(|text| text.keyword == "Title").unwrap().get_text().unwrap();
    (frame.width, frame.height, pixels, title)
}

#[test]
fn a_matrix_is_drawn_around_zero() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("k.png");
    let name = out.to_str().unwrap();
    let output = print(&["dense/kernel", "--image", name]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let says = "dense/kernel float32 3×5 · 276×145 pixels · blue -0.5656, white 0, red 0.5656 · checksum ok";
    assert!(told(&output).trim_end().ends_with(says), "{}", told(&output));
    let (width, height, pixels, title) = read(&out);
    assert_eq!((width, height, title.as_str()), (276, 145, "dense/kernel float32 3×5"));
    // Each element has the side of its sign, and the farthest the end of the scale.
    let values = print(&["dense/kernel", "--format", "json"]);
    let values: serde_json::Value = serde_json::from_slice(&values.stdout).unwrap();
    for (row, values) in values["tensors"][0]["values"].as_array().unwrap().iter().enumerate() {
        for (column, value) in values.as_array().unwrap().iter().enumerate() {
            let [red, _, blue] = pixels[(8 + row * 32 + 16) * 276 + 8 + column * 32 + 16];
            let value = value.as_f64().unwrap();
            assert_eq!(value > 0.0, red > blue, "{row} {column}: {value}");
            if value < -0.5655 {
                assert_eq!((red, blue), (5, 97), "{value}");
            }
        }
    }
    // What lies there stays.
    let again = print(&["dense/kernel", "--image", name]);
    assert!(
        again.status.code() == Some(2) && told(&again).contains("not replaced without --force"),
        "{}",
        told(&again)
    );
    let narrow = print(&["dense/kernel", "--image", name, "--force", "--range", "0.1"]);
    assert!(told(&narrow).contains("what is farther has the colour of the end (up to 0.5656)"), "{}", told(&narrow));
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["k.png"]);
}

#[test]
fn terminals_get_their_own_forms() {
    let sixel = print(&["embedding[:3]", "--sixel"]);
    let text = String::from_utf8(sixel.stdout).unwrap();
    let end = text.rfind("\x1b\\").unwrap();
    assert!(text.starts_with("\x1bP0;1q\"1;1;") && text[end..].contains("embedding[:3] float32 3×3"), "{text:?}");
    let kitty = print(&["embedding", "--kitty"]);
    let text = String::from_utf8(kitty.stdout).unwrap();
    assert!(text.starts_with("\x1b_Ga=T,f=100,") && text.contains("\x1b\\\n"), "{text:?}");
}

#[test]
fn what_is_no_picture_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("k.png");
    let out = out.to_str().unwrap();
    for (arguments, says) in [
        (&["comment", "--image", out][..], "comment: dtype string has no numbers to make a picture of"),
        (&["dense", "--image", out], "7 tensors match, but a picture shows one"),
        (&["embedding[0:0]", "--image", out], "there are no elements to make a picture of"),
        (&["dense/kernel", "--range", "1"], "--range is for --image"),
        (&["dense/kernel", "--image", out, "--format", "json"], "has no format json"),
    ] {
        let output = print(arguments);
        assert!(output.status.code() == Some(2) && told(&output).contains(says), "{arguments:?}: {}", told(&output));
    }
    assert_eq!(print(&["nothing", "--image", out]).status.code(), Some(1));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left");
}
