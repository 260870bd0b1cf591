//! What Keras and h5py say of files: not there, not of the format, cut.

use super::row::{Is, ROW, Row};
use crate::analysis::Code;

pub(super) const ROWS: &[Row] = &[
    Row {
        marks: &[
            "File not found: filepath=…accessible `.keras` zip file",
            "Please ensure the file is an accessible `.keras`",
        ],
        cause: "not-a-keras-archive",
        value: &[("filepath=", ". Please"), ("filepath=", "")],
        otherwise: "the file",
        is: Is::Path,
        headline: "{} is not there, or is there and is no whole .keras archive: Keras says the same of both.",
        means: &[
            "A .keras file is a zip archive, whose directory stands at its very end; Keras 3 asks whether the path is a zip file and says \"not found\" where it is none.",
        ],
        likely: &[
            "The path is relative to another working directory.",
            "The file is cut: a download or copy stopped early, or the save was killed. Then the end with the directory is missing.",
            "It is another kind of file: an HDF5 file called .keras, a Git LFS pointer, a web page, an archive that was unpacked into a directory.",
        ],
        next: &[
            "ckpt inspect PATH   whether it is there, and what it is",
            "unzip -t PATH   the same of its members",
            "fetch it again, as binary; git lfs pull",
        ],
        certain: &["Certain: not a byte of weights was read."],
        ..ROW
    },
    Row {
        marks: &["BadZipFile: Bad CRC-32 for file", "Bad CRC-32 for file", "Error -3 while decompressing data"],
        cause: "bad-zip",
        value: &[("Bad CRC-32 for file '", "'")],
        otherwise: "a member",
        headline: "The archive (.keras, .npz) is damaged: {} in it is not what was stored.",
        means: &["A zip archive has a CRC-32 for each of its members; the bytes that were read have another."],
        likely: &["A damaged transfer, disk or memory.", "A program that edited the archive without its checksums."],
        next: &[
            "ckpt inspect PATH   what it is, and which members are whole",
            "fetch the file again; other members can still be read",
        ],
        certain: &["Certain: these bytes are not the stored ones. The other members have checksums of their own."],
        ..ROW
    },
    Row {
        marks: &[
            "BadZipFile: File is not a zip file",
            "File is not a zip file",
            "Bad magic number for central directory",
            "Bad magic number for file header",
            "BadZipFile",
        ],
        cause: "bad-zip",
        headline: "The file is no whole zip archive, which .keras and .npz files are.",
        means: &["The directory of an archive stands at its very end; there is none where it should be."],
        likely: &[
            "The download, copy or save stopped early: the end is missing.",
            "Another kind of file under this name: a Git LFS pointer, a web page, an HDF5 file.",
        ],
        next: &["ckpt inspect PATH   what the file really is", "fetch it again, as binary; git lfs pull"],
        certain: &["Certain: the archive cannot be opened as it is; what lies before its end may be whole."],
        ..ROW
    },
    Row {
        marks: &[
            "File format not supported: filepath=…legacy SavedModel format is not supported",
            "legacy SavedModel format is not supported by `load_model()` in Keras 3",
        ],
        cause: "saved-model-in-keras-3",
        value: &[("filepath=", ". Keras")],
        otherwise: "the directory",
        is: Is::Dir,
        headline: "Keras 3 does not load SavedModels: {} need not be damaged.",
        means: &[
            "load_model of Keras 3 takes .keras and .h5 files. A SavedModel, or any other path, is refused with these words, even where there is nothing.",
        ],
        likely: &[
            "The model was saved by Keras 2, model.save(DIR), or by model.export.",
            "The path is wrong, or lacks its ending (.keras, .h5).",
        ],
        next: &[
            "ckpt inspect DIR   what the directory is, and which Keras wrote it",
            "keras.layers.TFSMLayer(DIR, call_endpoint='serving_default')   for inference",
            "or tf.saved_model.load(DIR), or tf_keras (Keras 2): tf_keras.models.load_model(DIR)",
        ],
        certain: &["Certain: the file was not looked into."],
        ..ROW
    },
    Row {
        marks: &["File format not supported: filepath="],
        cause: "checkpoint-in-keras-3",
        value: &[("filepath=", ". Keras")],
        otherwise: "the file",
        is: Is::Path,
        headline: "Keras 3 does not read TensorFlow checkpoints: {} need not be damaged.",
        means: &["load_weights of Keras 3 takes .weights.h5, .keras and .h5 files only."],
        likely: &[
            "The weights were saved by Keras 2: model.save_weights(…) without an ending writes a TensorFlow checkpoint.",
            "The path lacks its ending, or has another one.",
        ],
        next: &[
            "install tf_keras and set TF_USE_LEGACY_KERAS=1, then load them as before",
            "tf.train.Checkpoint(model).restore(PREFIX).expect_partial()",
            "ckpt inspect PREFIX   what the checkpoint holds",
        ],
        certain: &["Certain: the file was not looked into."],
        ..ROW
    },
    Row {
        marks: &["The filename must end in `.weights.h5`", "filename…must end in `.weights.h5`"],
        cause: "weights-file-name",
        value: &[("filepath=", "")],
        otherwise: "the file",
        is: Is::Path,
        headline: "Keras 3 writes weights only under a name that ends in .weights.h5; {} does not.",
        means: &["Nothing was written. The ending says which of the layouts of HDF5 the file has."],
        likely: &["Code of Keras 2, whose save_weights took any name."],
        next: &["model.save_weights('NAME.weights.h5')"],
        certain: &["Certain: no file is at fault."],
        ..ROW
    },
    Row {
        marks: &[
            "file signature not found",
            "Unable to find a valid file signature",
            "Unable to open file (file signature",
            "unable to open file (file signature",
        ],
        cause: "not-hdf5",
        value: &[("name = '", "'")],
        otherwise: "the file",
        is: Is::Path,
        headline: "{} is no HDF5 file, whatever its ending.",
        means: &["Every HDF5 file begins with the same eight bytes; these are others."],
        likely: &[
            "A Git LFS pointer, a web page or an error that a download saved under this name.",
            "A Keras 3 archive (.keras), cut or not, or a TensorFlow checkpoint with the ending .h5.",
            "An empty file of a save that ended early, or one that went through a text conversion (it begins with EF BF BD).",
        ],
        next: &["ckpt inspect PATH   what the file really is", "fetch it again, as binary; git lfs pull"],
        certain: &["Certain: not a byte of weights was read."],
        ..ROW
    },
    Row {
        marks: &["truncated file: eof", "truncated file"],
        cause: "cut-hdf5",
        value: &[("stored_eof = ", ")"), ("stored_eoa = ", ")"), ("stored_eof = ", " ")],
        otherwise: "more",
        headline: "The HDF5 file is cut off: it should have {} bytes.",
        means: &[
            "An HDF5 file says in its header how long it is; this one is shorter (eof in the message is how long it is).",
        ],
        likely: &[
            "The download or copy stopped early, or the disk was full while saving.",
            "The program that writes it is still at it, or was killed: HDF5 is whole only when it was closed.",
        ],
        next: &[
            "ckpt inspect PATH   says how much is missing",
            "compare the size with the original, and fetch it again",
            "use an earlier save",
        ],
        certain: &["Certain: the end is missing. What lies before it may still be whole."],
        ..ROW
    },
    Row {
        marks: &["object '…' doesn't exist", "Unable to synchronously open object", "Unable to open object (object"],
        cause: "hdf5-object-missing",
        value: &[("(object '", "' doesn't"), ("object '", "'")],
        otherwise: "an object",
        headline: "The HDF5 file has no {}.",
        means: &[
            "Groups and data sets are found by their names; Keras 2, Keras 3 and `.weights.h5` files have different ones.",
        ],
        likely: &[
            "A layer is called otherwise in the file, or is not in it.",
            "The file is of another layout: weights alone (save_weights) or a whole model (save), of another Keras.",
        ],
        next: &["ckpt inspect PATH   what the file is", "ckpt list PATH   the names that it has"],
        certain: &["Certain: the file is HDF5 and could be opened."],
        ..ROW
    },
    Row {
        marks: &[
            "No model config found in the file",
            "No model found in config file",
            "Cannot create group in read-only mode",
            "Cannot create group in read only mode",
        ],
        cause: "weights-as-model",
        value: &[("in the file at ", ""), ("config file", "")],
        otherwise: "the file",
        is: Is::Path,
        headline: "{} holds weights alone, not a model: there is no configuration in it.",
        means: &[
            "model.save_weights writes weights, model.save weights and what to build. load_model needs the second.",
        ],
        likely: &["The file was written by save_weights, or by a ModelCheckpoint with save_weights_only=True."],
        next: &[
            "build the model in code, then model.load_weights(PATH)",
            "ckpt list PATH   which layers the weights are of",
        ],
        certain: &["Certain: the file is whole enough to be opened."],
        ..ROW
    },
    Row {
        marks: &[
            "SavedModel file does not exist at…h5/{saved_model",
            "SavedModel file does not exist at…hdf5/{saved_model",
            "SavedModel file does not exist at…keras/{saved_model",
            "SavedModel file does not exist at…h5\\{saved_model",
            "SavedModel file does not exist at…hdf5\\{saved_model",
        ],
        cause: "no-such-file",
        value: &[("does not exist at: ", "/{"), ("does not exist at: ", "\\{"), ("does not exist at ", "/{")],
        otherwise: "the file",
        is: Is::Path,
        headline: "{} is missing. Keras took the path for a SavedModel because there is no such file.",
        means: &[
            "load_model looks whether the path is an HDF5 file; where there is none it goes on to SavedModels, and that is what the message speaks of.",
        ],
        likely: &["The path or the working directory is wrong, or the file was not saved or copied."],
        next: &["ckpt inspect PATH   what is near", "print(os.getcwd(), os.listdir()) in the program"],
        certain: &["Certain: no directory is at fault."],
        ..ROW
    },
    Row {
        marks: &[
            "Unable to open file…No such file or directory",
            "nable to synchronously open file (unable to open file…No such file",
            "unable to open file…No such file",
            "No file or directory found at",
            "File does not exist. Received:",
            "File not found: filepath=",
            "No such file or directory: …h5",
            "No such file or directory: …keras",
            "No such file or directory: …safetensors",
            "No such file or directory: …npz",
            "No such file or directory: …npy",
            "No such file or directory: …pb",
            "No such file or directory: …meta",
            "No such file or directory: …ckpt",
        ],
        cause: "no-such-file",
        value: &[
            ("name = '", "'"),
            ("found at ", ""),
            ("Received: ", ""),
            ("filepath=", ""),
            ("No such file or directory: '", "'"),
            ("No such file or directory: ", ""),
        ],
        otherwise: "such file",
        is: Is::Path,
        headline: "There is no {}.",
        means: &["Nothing was read, so nothing is known to be damaged."],
        likely: &[
            "The path is relative to another working directory, or the ending is another one (.h5, .keras, .weights.h5).",
            "A checkpoint of TensorFlow has no file of its own name: model.save_weights('ckpt') writes ckpt.index and ckpt.data-….",
        ],
        next: &["ckpt inspect PATH   what is near", "print(os.getcwd(), os.listdir()) in the program"],
        certain: &["Certain: there was no such file for the program that says so, on the machine where it runs."],
        ..ROW
    },
    Row {
        marks: &[
            "Could not locate class",
            "Unknown layer:",
            "Unknown layer '",
            "Could not locate function",
            "Unknown loss function",
            "Unknown metric function",
            "Unknown optimizer",
            "Unknown initializer",
            "Unknown regularizer",
            "Unknown constraint",
            "Unknown activation function",
            "Could not deserialize class",
            "Unable to restore custom object of",
            "Unable to restore a layer of class",
        ],
        cause: "unknown-class",
        value: &[
            ("Could not locate class '", "'"),
            ("Unknown layer: '", "'"),
            ("Unknown layer: ", "."),
            ("Could not locate function '", "'"),
            ("function: '", "'"),
            ("Unknown initializer: ", "."),
            ("Unknown initializer: ", ""),
            ("Unable to restore custom object of class \"", "\""),
            ("Unable to restore custom object of type ", " "),
            ("Unable to restore a layer of class ", ". "),
            ("Could not deserialize class '", "'"),
        ],
        otherwise: "a class or a function",
        headline: "The model's configuration names {}, which Keras does not know in this program.",
        means: &[
            "A saved model holds the names and settings of its layers, not their code. Classes of one's own must be defined and named before loading.",
        ],
        likely: &[
            "A layer, loss or metric of one's own, or of a package that was not imported.",
            "A class that this Keras no longer has, or does not have yet.",
        ],
        next: &[
            "keras.models.load_model(PATH, custom_objects={'NAME': …})   or register it: @keras.saving.register_keras_serializable()",
            "or build the model in code and load the weights alone: model.load_weights(PATH)",
        ],
        certain: &["Certain: the file can be read; no weight is damaged."],
        codes: &[Code::KerasForeignObject],
        ..ROW
    },
    Row {
        marks: &[
            "Requested the deserialization of a `Lambda` layer",
            "Requested the deserialization of a Lambda layer",
            "Requested the deserialization of a Python lambda",
        ],
        page: Some(Code::KerasLambda),
        headline: "The model has a Lambda layer with Python code in it, and Keras refuses to run it.",
        means: &["The code stands in the file and would run as soon as the model is built. safe_mode is what refuses."],
        next: &["ckpt ops PATH   what the model holds beside it"],
        certain: &["Certain: nothing of the code was run."],
        ..ROW
    },
];
