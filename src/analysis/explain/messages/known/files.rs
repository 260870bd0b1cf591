//! What safetensors and NumPy say of files.

use super::row::{ROW, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        marks: &[
            "Error while deserializing header",
            "HeaderTooLarge",
            "HeaderTooSmall",
            "InvalidHeaderLength",
            "InvalidHeaderDeserialization",
            "MetadataIncompleteBuffer",
        ],
        cause: "bad-safetensors",
        value: &[("deserializing header: ", "")],
        otherwise: "its header cannot be read",
        headline: "The file is no whole safetensors file: {}.",
        means: &[
            "Its first eight bytes are the length of the header, which says where each tensor lies. \"Too large\", \"too small\" and \"invalid\" mean that the first bytes are something else; \"not fully covered\" and \"incomplete\" that the data is shorter or longer than the header says.",
        ],
        likely: &[
            "A Git LFS pointer, a web page or another format under this name, if the header is too large or invalid.",
            "The download or copy stopped early, if the header is too small or the file is not covered.",
        ],
        next: &[
            "ckpt inspect PATH   what the file really is, and how much is missing",
            "git lfs pull, or fetch the file again, as binary",
        ],
        certain: &[
            "Certain: no tensor was read. safetensors has no checksums: a file of the right length can still be wrong.",
        ],
        ..ROW
    },
    Row {
        marks: &["Object arrays cannot be loaded"],
        cause: "object-array",
        headline: "The file is one of NumPy, and holds an array of Python objects, which is a pickle within it.",
        means: &["np.save of a list of arrays of several shapes, or of a dict, writes objects; weights need none."],
        likely: &["get_weights() or a dictionary was saved by np.save as a whole, in place of an archive of arrays."],
        next: &[
            "ckpt inspect PATH   what the file holds",
            "np.load(PATH, allow_pickle=True)   only for a file that you wrote yourself: a pickle can run code",
            "np.savez(FILE, *weights)   saves them so that nothing has to be trusted",
        ],
        certain: &["Certain: the file is whole as far as it was read; NumPy refuses what it would have to run."],
        ..ROW
    },
    Row {
        marks: &[
            "allow_pickle=",
            "This file contains pickled (object) data",
            "Cannot load file containing pickled data",
        ],
        cause: "not-numpy",
        headline: "The file is no array of NumPy: it begins otherwise, and NumPy then takes it for a pickle.",
        means: &[
            "An .npy file begins with \\x93NUMPY and an .npz with PK; anything else is taken for pickled data, which NumPy refuses to load because it can run code.",
        ],
        likely: &[
            "A Git LFS pointer, a web page or an error that a download saved under this name.",
            "A pickle of Python, or an array of objects.",
        ],
        next: &[
            "ckpt inspect PATH   what the file really is",
            "git lfs pull, or fetch the file again; do not allow pickles of files that you do not trust",
        ],
        certain: &["Certain: nothing was loaded."],
        ..ROW
    },
    Row {
        marks: &[
            "could only read…elements",
            "Failed to read all data for array",
            "No data left in file",
            "cannot reshape array of size",
        ],
        cause: "cut-numpy",
        value: &[("could only read ", " elements")],
        otherwise: "fewer",
        headline: "The NumPy file ends before its array does: {} elements are there.",
        means: &["The header says the shape of the array; the file is shorter than that."],
        likely: &["The download or copy stopped early, the disk was full, or the program was killed while it wrote."],
        next: &["ckpt inspect PATH   how much is missing", "fetch the file again, or use an earlier save"],
        certain: &["Certain: the end is missing. The elements before it can still be right."],
        ..ROW
    },
];
