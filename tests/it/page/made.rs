//! Pages, and files to make them of.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A page, the last line on the terminal, and the exit status.
pub(super) struct Page {
    pub(super) text: String,
    pub(super) line: String,
    pub(super) status: i32,
}

/// The page of a path.
pub(super) fn page(path: &Path, more: &[&str]) -> Page {
    let dir = tempfile::tempdir().unwrap();
    let page = page_of(path, &dir.path().join("page.html"), more);
    assert!(!page.text.is_empty(), "no page of {}: {}", path.display(), page.line);
    page
}

/// The page of a path, written to a file.
pub(super) fn page_of(path: &Path, out: &Path, more: &[&str]) -> Page {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
    let output = command.arg("report").arg(path).arg("-o").arg(out).args(more).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    let status = output.status.code().unwrap_or_else(|| panic!("{}: {told}", path.display()));
    let line = told.lines().next().unwrap_or_default().to_owned();
    Page { text: std::fs::read_to_string(out).unwrap_or_default(), line, status }
}

/// Writes so many float32 tensors of so many elements, one of them larger and the last with a NaN; `more` is added to
/// the values of every tenth.
pub(super) fn safetensors(path: &Path, count: usize, elements: usize, name: impl Fn(usize) -> String, more: f32) {
    let (mut header, mut data) = (b"{".to_vec(), Vec::new());
    for n in 0..count {
        let elements = if n == 7 { elements * 20 } else { elements };
        let from = data.len();
        for at in 0..elements {
            let value = f32::from(u8::try_from((n * 31 + at * 17) % 101).unwrap()) / 50.0 - 1.0;
            let value = if n % 10 == 0 { value + more } else { value };
            let value = if n + 1 == count && at == 0 { f32::NAN } else { value };
            data.extend_from_slice(&value.to_le_bytes());
        }
        let comma = if n == 0 { "" } else { "," };
        let (name, to) = (name(n), data.len());
        write!(header, "{comma}\"{name}\":{{\"dtype\":\"F32\",\"shape\":[{elements}],\"data_offsets\":[{from},{to}]}}")
            .unwrap();
    }
    header.push(b'}');
    let mut file = std::fs::File::create(path).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(&header).unwrap();
    file.write_all(&data).unwrap();
}

/// What a folder of fixtures has that can be opened, by name.
pub(super) fn checkpoints_in(dir: &Path) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| super::super::support::open(path).is_ok())
        .collect();
    names.sort();
    names
}
