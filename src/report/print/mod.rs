//! What `print` tells: values as NumPy shows them, complete in other formats, and as pictures.

mod font;
mod image;
pub(in crate::report) mod json;
mod picture;
mod printer;
mod shown;
pub(in crate::report) mod text;
pub(in crate::report) mod values;
mod variant;

pub use image::{write_kitty, write_png, write_sixel};
pub use picture::Picture;
pub use printer::{PRINT_FORMATS, Printer};
pub use shown::PictureText;

use crate::base::error::{Error, ErrorKind};

/// An output error on its way through a reader.
pub(in crate::report) fn output(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Output(error))
}
