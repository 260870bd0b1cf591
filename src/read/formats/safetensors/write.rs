//! Writing safetensors: one file as the library writes it, byte for byte, or several with an index.
//!
//! Source: `serialize` in `tensor.rs` of the safetensors library (0.8), and the index that Hugging Face's libraries write
//! beside sharded files. Tensors lie by dtype, the widest first, and then by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::dtype;
use crate::base::error::{Error, Result};
use crate::read::container::{Header, Incoming, PartId, Sink};
use crate::read::storage::{Bridge, NewFile};

/// A file, or a set of files, that is being written.
#[derive(Debug)]
pub struct SafetensorsSink {
    dir: PathBuf,
    /// The name without `.safetensors`.
    stem: String,
    /// Most bytes of tensors in one file, if there may be several.
    shard_size: Option<u64>,
    headers: Vec<Arc<Header>>,
    /// Which tensors lie in which file, in order.
    files: Vec<Vec<usize>>,
    /// The file of each tensor.
    file_of: BTreeMap<usize, usize>,
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
            headers: Vec::new(),
            files: Vec::new(),
            file_of: BTreeMap::new(),
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
        let total: u64 = self.headers.iter().map(|header| header.bytes()).fold(0, u64::saturating_add);
        let mut out = NewFile::create(&dir.join(self.index_name()))?;
        // As serde_json writes it, indented, and line by line: it may have a million of them, in the order of names.
        out.write(
            format!("{{\n  \"metadata\": {{\n    \"total_size\": {total}\n  }},\n  \"weight_map\": {{").as_bytes(),
        )?;
        for (n, header) in self.headers.iter().enumerate() {
            let name = Value::String(String::from_utf8_lossy(&header.name).into_owned());
            let file = Value::String(self.file_name_of(self.file_of.get(&n).copied().unwrap_or(0), of));
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
        let mut at = 0u64;
        for header in tensors.iter().filter_map(|n| self.headers.get(*n)) {
            let end = at.saturating_add(header.bytes());
            let (_, dtype) = dtype::name(header.dtype).unwrap_or_default();
            let name = String::from_utf8_lossy(&header.name).into_owned();
            let shape = header.shape.dims().unwrap_or_default();
            let entry = json!({ "dtype": dtype, "shape": shape, "data_offsets": [at, end] });
            out.extend(if out.len() == 8 { b"{" } else { b"," });
            out.extend(format!("{}:{entry}", Value::String(name)).into_bytes());
            at = end;
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
        let mut out = NewFile::create(&self.dir.join(&name))?;
        out.write(&self.header(self.files.get(file).map(Vec::as_slice).unwrap_or_default()))?;
        self.names.push(name);
        self.open = Some((file, out));
        Ok(())
    }
}

impl Sink for SafetensorsSink {
    fn refuses(&self, header: &Header) -> Option<String> {
        if dtype::name(header.dtype).is_none() {
            return Some(format!("safetensors has no {}", header.dtype));
        }
        match std::str::from_utf8(&header.name) {
            Err(_) => Some("its name is not UTF-8, which safetensors asks for".to_owned()),
            Ok("__metadata__") => Some("safetensors keeps something else under this name".to_owned()),
            Ok(_) => None,
        }
    }

    fn begin(&mut self, all: Vec<Arc<Header>>) -> Result<Vec<PartId>> {
        self.headers = all;
        let all = &self.headers;
        // Files are filled in the order of names, as those do who shard a model.
        let mut files: Vec<(Vec<usize>, u64)> = vec![(Vec::new(), 0)];
        for (n, header) in all.iter().enumerate() {
            let is_full = |(_, held): &(Vec<usize>, u64)| {
                self.shard_size.is_some_and(|most| *held > 0 && held.saturating_add(header.bytes()) > most)
            };
            if files.last().is_some_and(is_full) {
                files.push((Vec::new(), 0));
            }
            if let Some((tensors, held)) = files.last_mut() {
                tensors.push(n);
                *held = held.saturating_add(header.bytes());
            }
        }
        self.files = files.into_iter().map(|(tensors, _)| tensors).collect();
        for (file, tensors) in self.files.iter_mut().enumerate() {
            let order = |n: &usize| {
                let header = all.get(*n);
                let rank = header.and_then(|header| dtype::name(header.dtype)).map(|(rank, _)| rank);
                (std::cmp::Reverse(rank), header.map(|header| header.name.as_slice()))
            };
            tensors.sort_by(|a, b| order(a).cmp(&order(b)));
            self.file_of.extend(tensors.iter().map(|n| (*n, file)));
        }
        // A file without tensors has a header, too.
        self.open(0)?;
        Ok(self.files.iter().flatten().map(|n| (*n, 0)).collect())
    }

    fn part(&mut self, (tensor, _): PartId, _: Incoming) -> Result<()> {
        let file = self.file_of.get(&tensor).copied().unwrap_or(0);
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
