//! Writing `.npz` archives, members stored as `np.savez` stores them, and single `.npy` files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::base::error::{Error, ErrorKind, Result};
use crate::read::container::{Incoming, PartId, Sink, Tensor, Tensors};
use crate::read::storage::NewFile;
use crate::read::tensor::DType;
use crate::read::tensor::numpy::npy;

/// An archive that is being written.
#[derive(Debug)]
pub struct NpzSink {
    path: PathBuf,
    name: String,
    tensors: Arc<Tensors>,
    zip: Option<ZipWriter<NewFile>>,
    dtype: DType,
    widened: Vec<u8>,
}

/// An array that is being written.
#[derive(Debug)]
pub struct NpySink {
    path: PathBuf,
    name: String,
    file: Option<NewFile>,
    dtype: DType,
    widened: Vec<u8>,
}

impl NpzSink {
    /// `name` is that of the archive.
    pub fn new(dir: &Path, name: &str) -> Self {
        let path = dir.join(name);
        Self {
            path,
            name: name.to_owned(),
            tensors: Arc::default(),
            zip: None,
            dtype: DType::Invalid,
            widened: Vec::new(),
        }
    }
}

impl NpySink {
    /// `name` is that of the file.
    pub fn new(dir: &Path, name: &str) -> Self {
        Self { path: dir.join(name), name: name.to_owned(), file: None, dtype: DType::Invalid, widened: Vec::new() }
    }
}

/// Why NumPy has no such array.
fn no_array(dtype: DType) -> Option<String> {
    let is_numpys = matches!(
        dtype,
        DType::Bool
            | DType::Int8
            | DType::UInt8
            | DType::Int16
            | DType::UInt16
            | DType::Int32
            | DType::UInt32
            | DType::Int64
            | DType::UInt64
            | DType::Float16
            | DType::Float32
            | DType::Float64
            | DType::Complex64
            | DType::Complex128
    );
    let cast = if matches!(dtype, DType::BFloat16) { "; --cast float32 makes it one" } else { "" };
    (!is_numpys).then(|| format!("NumPy has no {dtype}{cast}"))
}

fn header_of(tensor: &Tensor) -> Option<Vec<u8>> {
    let dims: Option<Vec<u64>> =
        tensor.shape.dims().and_then(|dims| dims.iter().map(|dim| u64::try_from(*dim).ok()).collect());
    npy::header(tensor.dtype, &dims?, 0)
}

fn no_part() -> Error {
    Error::malformed("npz", "bytes of a tensor that was not announced")
}

impl Sink for NpzSink {
    fn refuses(&self, tensor: &Tensor) -> Option<String> {
        if let Some(why) = no_array(tensor.dtype) {
            return Some(why);
        }
        let Ok(name) = std::str::from_utf8(&tensor.name) else {
            return Some("its name is not UTF-8, which names in archives are".to_owned());
        };
        let climbs = name.starts_with('/') || name.contains('\\') || name.split('/').any(|part| part == "..");
        if climbs || name.contains('\0') || name.is_empty() {
            return Some("its name would lead out of the directory that the archive is unpacked into".to_owned());
        }
        None
    }

    fn begin(&mut self, all: Arc<Tensors>) -> Result<Vec<PartId>> {
        self.tensors = all;
        self.zip = Some(ZipWriter::new(NewFile::create(&self.path)?));
        Ok((0..self.tensors.len()).map(|n| (n, 0)).collect())
    }

    fn part(&mut self, (tensor, _): PartId, _: Incoming) -> Result<()> {
        let tensor = self.tensors.get(tensor).ok_or_else(no_part)?;
        let zip = self.zip.as_mut().ok_or_else(no_part)?;
        self.dtype = tensor.dtype;
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
        let name = format!("{}.npy", String::from_utf8_lossy(&tensor.name));
        zip.start_file(name, options).map_err(|error| of_zip(&self.path, error))?;
        let bytes = header_of(&tensor).ok_or_else(no_part)?;
        std::io::Write::write_all(zip, &bytes).map_err(|error| Error::output(error, &self.path))
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let zip = self.zip.as_mut().ok_or_else(no_part)?;
        let bytes = widened(self.dtype, bytes, &mut self.widened);
        std::io::Write::write_all(zip, bytes).map_err(|error| Error::output(error, &self.path))
    }

    fn end_part(&mut self) -> Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<String>> {
        let zip = self.zip.take().ok_or_else(no_part)?;
        zip.finish().map_err(|error| of_zip(&self.path, error))?.finish()?;
        Ok(vec![self.name.clone()])
    }
}

impl Sink for NpySink {
    fn refuses(&self, tensor: &Tensor) -> Option<String> {
        no_array(tensor.dtype)
    }

    fn begin(&mut self, all: Arc<Tensors>) -> Result<Vec<PartId>> {
        let Some(tensor) = all.get(0).filter(|_| all.len() == 1) else {
            let why = format!("a .npy file holds exactly one tensor, and {} are chosen", all.len());
            return Err(Error::new(ErrorKind::Request(why)).with_help("name one, or write an .npz"));
        };
        let mut file = NewFile::create(&self.path)?;
        file.write(&header_of(&tensor).ok_or_else(no_part)?)?;
        self.dtype = tensor.dtype;
        self.file = Some(file);
        Ok(vec![(0, 0)])
    }

    fn part(&mut self, _: PartId, _: Incoming) -> Result<()> {
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let bytes = widened(self.dtype, bytes, &mut self.widened);
        self.file.as_mut().ok_or_else(no_part)?.write(bytes)
    }

    fn end_part(&mut self) -> Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<String>> {
        self.file.take().ok_or_else(no_part)?.finish()?;
        Ok(vec![self.name.clone()])
    }
}

/// Elements as an array has them: truth that is any byte but 0 is 1.
fn widened<'b>(dtype: DType, bytes: &'b [u8], buffer: &'b mut Vec<u8>) -> &'b [u8] {
    if dtype != DType::Bool {
        return bytes;
    }
    buffer.clear();
    buffer.extend_from_slice(bytes);
    npy::widen(dtype, buffer);
    buffer
}

fn of_zip(path: &Path, error: zip::result::ZipError) -> Error {
    match error {
        zip::result::ZipError::Io(error) => Error::output(error, path),
        other => Error::malformed("npz", other.to_string()).in_file(path),
    }
}
