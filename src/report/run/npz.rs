//! Outputs as an archive of NumPy arrays, strings as fields of one width.

use std::io::{Seek, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::analysis::excerpt::Excerpt;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::escape::escaped;
use crate::read::checkpoint::Checkpoint;
use crate::report::print::output;
use crate::report::print::values::npy_file;

/// Writes tensors as `np.savez` does, and those that NumPy has no dtype for as `np.save` does with `ml_dtypes`.
///
/// # Errors
/// What cannot be read or has no form in NumPy, and what `out` says.
pub fn write_arrays(checkpoint: &Checkpoint, tensors: &[Excerpt], out: &mut (impl Write + Seek)) -> Result<()> {
    let mut zip = ZipWriter::new(out);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
    for excerpt in tensors {
        let name = &excerpt.tensor.name;
        let is_plain = std::str::from_utf8(name).ok().filter(|name| {
            !name.starts_with('/') && !name.contains(['\\', '\0']) && !name.split('/').any(|p| p == "..")
        });
        let Some(plain) = is_plain else {
            let why = format!("output {} cannot be the name of a member of an archive", escaped(name));
            return Err(Error::new(ErrorKind::Request(why)));
        };
        zip.start_file(format!("{plain}.npy"), options).map_err(of_zip)?;
        npy_file(checkpoint, excerpt, &mut zip).map_err(|error| error.for_key(name))?;
    }
    zip.finish().map_err(of_zip)?;
    Ok(())
}

fn of_zip(error: zip::result::ZipError) -> Error {
    match error {
        zip::result::ZipError::Io(error) => output(error),
        other => Error::malformed("npz", other.to_string()),
    }
}
