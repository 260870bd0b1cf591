//! What h5py and NumPy say of the form of a file.

use super::row::{Is, ROW, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        marks: &["can't open directory…plugin", "required filter '", "Compression filter \"…is unavailable"],
        cause: "hdf5-filter",
        headline: "The values are compressed by a filter that this HDF5 does not have.",
        likely: &["blosc, zstd, lz4, bitshuffle and szip are plugins; gzip, shuffle and lzf come with h5py."],
        next: &[
            "pip install hdf5plugin, and import hdf5plugin before h5py opens the file",
            "h5repack -f GZIP=4 OLD NEW   where the plugin is, for everybody else",
            "ckpt list PATH   which data sets; their names and shapes need no filter",
        ],
        certain: &["Certain: the values are there; the file need not be damaged."],
        ..ROW
    },
    Row {
        marks: &["the magic string is not correct; expected"],
        cause: "not-numpy",
        headline: "The file is no array of NumPy: it begins with other bytes.",
        likely: &["An .npz or a pickle under the name .npy.", "A Git LFS pointer or a web page."],
        next: &["ckpt inspect PATH   what the file really is"],
        certain: &["Certain: no value was read."],
        ..ROW
    },
    Row {
        marks: &["Failed to interpret file"],
        cause: "not-numpy",
        value: &[("interpret file '", "'")],
        otherwise: "the file",
        is: Is::Path,
        headline: "NumPy can read {} neither as an array nor as a pickle.",
        likely: &["Another format under this name, or the file is cut off."],
        next: &["ckpt inspect PATH   what the file really is"],
        certain: &["Certain: no value was read."],
        ..ROW
    },
];
