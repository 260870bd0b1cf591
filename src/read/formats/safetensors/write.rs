//! Writing safetensors: one file as the library writes it, byte for byte, or several with an index.
//!
//! Source: `serialize` in `tensor.rs` of the safetensors library (0.8), and the index that Hugging Face's libraries write
//! beside sharded files. Tensors lie by dtype, the widest first, and then by name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::dtype;
use super::header::LONGEST;
use crate::base::error::{Error, ErrorKind, Result};
use crate::read::container::{Incoming, PartId, Sink, Tensor, Tensors, element_bytes};
use crate::read::storage::{Bridge, NewFile};

/// A file, or a set of files, that is being written.
#[derive(Debug)]
pub struct SafetensorsSink {
    dir: PathBuf,
    /// The name without `.safetensors`.
    stem: String,
    /// Most bytes of tensors in one file, if there may be several.
    shard_size: Option<u64>,
    /// Most bytes of a header.
    longest: u64,
    tensors: Arc<Tensors>,
    /// Which tensors lie in which file, in order.
    files: Vec<Vec<usize>>,
    /// The file of each tensor.
    file_of: Vec<usize>,
    open: Option<(usize, NewFile)>,
    names: Vec<String>,
}

impl SafetensorsSink {
    /// `name` ends in `.safetensors`, or is made to.
    pub fn new(dir: &Path, name: &str, shard_size: Option<u64>) -> Self {
        let stem = name.strip_suffix(".safetensors").unwrap_or(name).to_owned();
        Self {
            dir: dir.to_path_buf(),
            stem,
            shard_size,
            longest: LONGEST,
            tensors: Arc::default(),
            files: Vec::new(),
            file_of: Vec::new(),
            open: None,
            names: Vec::new(),
        }
    }

    fn file_name(&self, file: usize) -> String {
        match self.files.len() {
            0 | 1 => format!("{}.safetensors", self.stem),
            of => self.file_name_of(file, of),
        }
    }

    fn file_name_of(&self, file: usize, of: usize) -> String {
        format!("{}-{:05}-of-{of:05}.safetensors", self.stem, file.saturating_add(1))
    }

    fn index_name(&self) -> String {
        format!("{}.safetensors.index.json", self.stem)
    }

    /// Writes the index of several files, called as if there were so many.
    fn write_index(&self, dir: &Path, of: usize) -> Result<()> {
        let total: u64 = self.tensors.iter().map(|tensor| element_bytes(&tensor)).fold(0, u64::saturating_add);
        let mut out = NewFile::create(&dir.join(self.index_name()))?;
        // As serde_json writes it, indented, and line by line: it may have a million of them, in the order of names.
        out.write(
            format!("{{\n  \"metadata\": {{\n    \"total_size\": {total}\n  }},\n  \"weight_map\": {{").as_bytes(),
        )?;
        for (n, tensor) in self.tensors.iter().enumerate() {
            let name = Value::String(String::from_utf8_lossy(&tensor.name).into_owned());
            let file = Value::String(self.file_name_of(self.file_of.get(n).copied().unwrap_or(0), of));
            let comma = if n == 0 { "" } else { "," };
            out.write(format!("{comma}\n    {name}: {file}").as_bytes())?;
        }
        out.write(b"\n  }\n}\n")?;
        out.finish()
    }

    /// The header of a file: its length, and JSON filled up with blanks to a multiple of eight.
    fn header(&self, tensors: &[usize]) -> Vec<u8> {
        // Entry by entry: as one value the JSON of a million tensors would take a gigabyte.
        let mut out = vec![0; 8];
        let (mut at, mut cursor) = (0, self.tensors.cursor());
        for n in tensors {
            let Some(tensor) = cursor.reach(*n) else { continue };
            out.push(if out.len() == 8 { b'{' } else { b',' });
            out.extend(entry(tensor, &mut at).into_bytes());
        }
        out.extend(if out.len() == 8 { b"{}".as_slice() } else { b"}" });
        out.resize(out.len().next_multiple_of(8), b' ');
        let length = (out.len() as u64).saturating_sub(8).to_le_bytes();
        out.splice(..8, length);
        out
    }

    fn close(&mut self) -> Result<()> {
        self.open.take().map_or(Ok(()), |(_, file)| file.finish())
    }

    fn open(&mut self, file: usize) -> Result<()> {
        self.close()?;
        let name = self.file_name(file);
        let header = self.header(self.files.get(file).map(Vec::as_slice).unwrap_or_default());
        let length = (header.len() as u64).saturating_sub(8);
        if length > self.longest {
            let longest = self.longest;
            let why =
                format!("the header of {name} would have {length} bytes, and the safetensors library reads {longest}");
            let help = "write several files, with --shard-size; or another format, with --to";
            return Err(Error::new(ErrorKind::Request(why)).with_help(help));
        }
        let mut out = NewFile::create(&self.dir.join(&name))?;
        out.write(&header)?;
        self.names.push(name);
        self.open = Some((file, out));
        Ok(())
    }
}

/// What the header says of a tensor whose elements begin at `at`, which is moved behind them.
fn entry(tensor: &Tensor, at: &mut u64) -> String {
    let end = at.saturating_add(element_bytes(tensor));
    let (_, dtype) = dtype::name(tensor.dtype).unwrap_or_default();
    let name = String::from_utf8_lossy(&tensor.name).into_owned();
    let shape = tensor.shape.dims().unwrap_or_default();
    let entry = json!({ "dtype": dtype, "shape": shape, "data_offsets": [*at, end] });
    *at = end;
    format!("{}:{entry}", Value::String(name))
}

/// A file that is being filled.
#[derive(Default)]
struct Filling {
    tensors: Vec<usize>,
    /// Bytes of its tensors.
    held: u64,
    /// Most bytes of its header: entries where they would lie at its end, whose offsets have the most digits.
    header: u64,
}

impl Sink for SafetensorsSink {
    fn refuses(&self, tensor: &Tensor) -> Option<String> {
        if dtype::name(tensor.dtype).is_none() {
            return Some(format!("safetensors has no {}", tensor.dtype));
        }
        match std::str::from_utf8(&tensor.name) {
            Err(_) => Some("its name is not UTF-8, which safetensors asks for".to_owned()),
            Ok("__metadata__") => Some("safetensors keeps something else under this name".to_owned()),
            Ok(_) => None,
        }
    }

    fn begin(&mut self, all: Arc<Tensors>) -> Result<Vec<PartId>> {
        self.tensors = all;
        // Files are filled in the order of names, as those do who shard a model.
        let (mut files, mut ranks) = (vec![Filling::default()], Vec::with_capacity(self.tensors.len()));
        let mut cursor = self.tensors.cursor();
        while let Some((n, tensor)) = cursor.advance() {
            let bytes = element_bytes(tensor);
            // With the comma, and the sizes of all that could lie before it; where there is one file, it is what it is.
            let entry = || (entry(tensor, &mut (u64::MAX - bytes)).len() as u64).saturating_add(1);
            let header = self.shard_size.map_or(0, |_| entry());
            let is_full = |filled: &Filling, most: u64| {
                let is_over = |held: u64, more: u64, most: u64| held > 0 && held.saturating_add(more) > most;
                is_over(filled.held, bytes, most) || is_over(filled.header, header, self.longest.saturating_sub(16))
            };
            if files.last().zip(self.shard_size).is_some_and(|(filled, most)| is_full(filled, most)) {
                files.push(Filling::default());
            }
            if let Some(filled) = files.last_mut() {
                filled.tensors.push(n);
                filled.held = filled.held.saturating_add(bytes);
                filled.header = filled.header.saturating_add(header);
            }
            ranks.push(dtype::name(tensor.dtype).map(|(rank, _)| rank));
            self.file_of.push(files.len().saturating_sub(1));
        }
        self.files = files.into_iter().map(|file| file.tensors).collect();
        for tensors in &mut self.files {
            tensors.sort_by_key(|n| std::cmp::Reverse(ranks.get(*n).copied().flatten()));
        }
        // A file without tensors has a header, too.
        self.open(0)?;
        Ok(self.files.iter().flatten().map(|n| (*n, 0)).collect())
    }

    fn part(&mut self, (tensor, _): PartId, _: Incoming) -> Result<()> {
        let file = self.file_of.get(tensor).copied().unwrap_or(0);
        if self.open.as_ref().is_none_or(|(open, _)| *open != file) {
            self.open(file)?;
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let not_open = || Error::malformed("safetensors", "bytes of a tensor that was not announced");
        self.open.as_mut().ok_or_else(not_open)?.1.write(bytes)
    }

    fn end_part(&mut self) -> Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<String>> {
        self.close()?;
        let mut names = self.names.clone();
        if self.files.len() > 1 {
            self.write_index(&self.dir, self.files.len())?;
            names.push(self.index_name());
        }
        Ok(names)
    }

    fn bridge(&mut self, dir: &Path, is_taken: &dyn Fn(&str) -> bool) -> Result<Option<Bridge>> {
        let files = self.files.len();
        let names = |of: usize| -> Vec<String> { (0..files).map(|file| self.file_name_of(file, of)).collect() };
        let mut all = (files.saturating_add(1)..).take(100).map(|of| (of, names(of)));
        let free = all.find(|(_, names)| !names.iter().any(|name| is_taken(name))).filter(|_| files > 1);
        let Some((of, others)) = free else { return Ok(None) };
        self.write_index(dir, of)?;
        let links = self.names.iter().cloned().zip(others).collect();
        Ok(Some(Bridge { index: self.index_name(), links, more: Vec::new() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::container::{Parts, Place};
    use crate::read::tensor::{DType, Shape};

    /// A sink of sixty tensors, told which, with room for 1,000 bytes in a header.
    fn begun(shard_size: Option<u64>) -> (tempfile::TempDir, SafetensorsSink, Result<Vec<PartId>>) {
        let dir = tempfile::tempdir().unwrap();
        let mut sink = SafetensorsSink::new(dir.path(), "model", shard_size);
        sink.longest = 1000;
        let tensor = |n: usize| Tensor {
            name: format!("layer_{n:02}/kernel").into_bytes(),
            dtype: DType::Float32,
            shape: Shape::new([2]),
            parts: Parts::Whole(Place::wanted(0)),
        };
        let tensors: Tensors = (0..60).map(tensor).collect();
        let order = sink.begin(Arc::new(tensors));
        (dir, sink, order)
    }

    #[test]
    fn a_header_that_nobody_would_read_is_not_written() {
        let (dir, _, order) = begun(None);
        let error = order.unwrap_err().to_string();
        assert!(error.contains("the safetensors library reads 1000"), "{error}");
        assert!(!dir.path().join("model.safetensors").exists());
    }

    #[test]
    fn files_are_full_where_their_headers_are() {
        let (dir, mut sink, order) = begun(Some(1 << 40));
        let order = order.unwrap();
        assert_eq!(order.len(), 60);
        for id in order {
            sink.part(id, Incoming::Numbers).unwrap();
            sink.bytes(&[0; 8]).unwrap();
            sink.end_part().unwrap();
        }
        let names = sink.finish().unwrap();
        assert!(names.len() > 4, "{names:?}");
        for name in names.iter().filter(|name| name.ends_with(".safetensors")) {
            let file = std::fs::read(dir.path().join(name)).unwrap();
            let header = u64::from_le_bytes(file[..8].try_into().unwrap());
            assert!((500..=1000).contains(&header) || *name == names[names.len() - 2], "{name}: {header}");
        }
    }
}
