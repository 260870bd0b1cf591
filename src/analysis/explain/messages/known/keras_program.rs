//! What Keras says when program and file are of different versions of Python, Keras and h5py, or fit in another way: the
//! weights are seldom the matter.

use super::row::{Is, ROW, Row};
use crate::analysis::explain::messages::rule::Rank;

const WEIGHTS_ALONE: &str = "or build the model in code and load the weights alone: model.load_weights(PATH)";

pub(super) const ROWS: &[Row] = &[
    Row {
        marks: &["'str' object has no attribute 'decode'"],
        cause: "h5py-too-new",
        rank: Rank::Vague,
        headline: "A Keras before TensorFlow 2.5 reads HDF5 with h5py 3 or newer, which returns other strings than it expects.",
        means: &[
            "Old Keras calls .decode('utf8') on attributes of the file; h5py 3 hands them out as text, which has no such method.",
        ],
        likely: &["h5py was upgraded, or installed without a version beside an old TensorFlow."],
        next: &[
            "pip install 'h5py<3'   beside TensorFlow 2.4 and older",
            "or load the file with TensorFlow 2.5 or newer",
        ],
        certain: &["If it was raised by load_model or load_weights, no file is at fault; other code says the same."],
        ..ROW
    },
    Row {
        marks: &[
            "Error when deserializing class '",
            "Unrecognized keyword arguments passed to",
            "Unrecognized keyword arguments: ['",
            "Keyword argument not understood:",
            "unexpected keyword argument 'batch_shape'",
            "unexpected keyword argument 'ragged'",
            "unexpected keyword argument 'groups'",
            "unexpected keyword argument 'quantization_config'",
            "Unknown dtype policy",
        ],
        cause: "keras-config-version",
        value: &[
            ("Error when deserializing class '", "'"),
            ("Unrecognized keyword arguments passed to ", ":"),
            ("Unrecognized keyword arguments: ['", "'"),
            ("Keyword argument not understood:', '", "'"),
            ("unexpected keyword argument '", "'"),
        ],
        otherwise: "a layer",
        headline: "The configuration in the file says something of {} that this Keras does not know.",
        means: &["A saved model holds the arguments of its layers; each version of Keras knows others."],
        likely: &[
            "A newer Keras wrote the file: batch_shape, DTypePolicy, optional and quantization_config are of Keras 3, ragged and groups of TensorFlow 2.1 to 2.3.",
            "An older Keras wrote it: Keras 3 refuses arguments that Keras 2 took (groups of DepthwiseConv2D, time_major).",
            "A class of one's own whose get_config says more than its __init__ takes.",
        ],
        next: &[
            "ckpt inspect PATH   which Keras wrote it: load it with that one",
            "a file of Keras 2: tf_keras.models.load_model(PATH), or TF_USE_LEGACY_KERAS=1",
            WEIGHTS_ALONE,
        ],
        certain: &["Certain: the file can be read; no weight is damaged."],
        ..ROW
    },
    Row {
        marks: &["bad marshal data", "SystemError: unknown opcode", "unknown opcode"],
        cause: "lambda-bytecode",
        headline: "A Lambda layer in the file holds bytecode of another version of Python.",
        means: &["Keras saves a Python lambda as bytecode, which is another one in every minor version of Python."],
        likely: &["The model was saved under another Python than the one that loads it."],
        next: &[
            "build the model in code and load the weights alone: model.load_weights(PATH)",
            "or load it under the Python that saved it, replace the Lambda by a named function or layer, and save again",
            "ckpt ops PATH   which layers hold Python code",
        ],
        certain: &["Certain: the weights are not the matter."],
        ..ROW
    },
    Row {
        marks: &["'_UserObject' object", "'AutoTrackable' object", "'_UserObject' object has no attribute"],
        cause: "loaded-without-keras",
        value: &[("has no attribute '", "'")],
        otherwise: "that was asked for",
        headline: "What tf.saved_model.load returns is no Keras model: it has functions and signatures, and no {}.",
        means: &["It has the attributes that were saved with it; predict, fit and summary are Python code of Keras."],
        likely: &["A model of Keras, or one that was only exported, was loaded by tf.saved_model.load or hub.load."],
        next: &[
            "ckpt inspect DIR --signatures   what can be called, and with what",
            "loaded.signatures['serving_default'](…)   in Python",
            "keras.layers.TFSMLayer(DIR, call_endpoint='serving_default') in Keras 3, tf_keras.models.load_model(DIR) for a model that Keras 2 saved",
        ],
        certain: &["Certain: the SavedModel was loaded; no file is at fault."],
        ..ROW
    },
    Row {
        marks: &[
            "on optimizer…with a…weight list of length…but the optimizer was expecting",
            "but the optimizer was expecting",
            "Error in loading the saved optimizer state",
        ],
        cause: "keras-optimizer-variables",
        rank: Rank::Vague,
        value: &[("on optimizer ", " with")],
        otherwise: "the optimizer",
        headline: "The saved state of {} did not go into it: it has another number of variables.",
        means: &["An optimizer of Keras makes its variables at its first step; before that it has none to be set."],
        likely: &[
            "The optimizer is new: it has made no step since the model was compiled.",
            "Another optimizer, or other trainable variables than those of the save.",
        ],
        next: &[
            "optimizer.build(model.trainable_variables), or one step with gradients of zeros, before setting its weights",
            "harmless for inference: the weights of the model are not touched by it",
        ],
        ..ROW
    },
    Row {
        marks: &["h5py is not available", "requires h5py", "`h5py` to be installed", "No module named 'h5py'"],
        cause: "h5py-missing",
        headline: "Keras reads and writes HDF5 through h5py, which is not installed where the program runs.",
        means: &["No file was opened."],
        likely: &["Another environment or container than the one in which the file was saved."],
        next: &["pip install h5py", "ckpt inspect PATH   reads the file without it"],
        certain: &["Certain: no file is at fault."],
        ..ROW
    },
    Row {
        marks: &[
            "only be loaded based on topology into Models when loading TensorFlow-formatted weights",
            "got by_name=True to load_weights",
        ],
        cause: "by-name-of-checkpoint",
        headline: "load_weights(by_name=True) is for HDF5 files, and the weights are a TensorFlow checkpoint.",
        means: &["A checkpoint is restored by the attributes of objects, not by the names of layers."],
        likely: &["The weights were saved without the ending .h5: Keras 2 then writes a checkpoint."],
        next: &[
            "leave by_name out; what does not fit is left as it is: model.load_weights(PREFIX).expect_partial()",
            "or build the old model, load the weights, and save them as .h5",
            "ckpt list PREFIX   what the checkpoint holds",
        ],
        certain: &["Certain: nothing is damaged, and nothing was read."],
        ..ROW
    },
    Row {
        marks: &["(name already exists)"],
        cause: "keras-names-twice",
        headline: "Two weights of the model have one name, and HDF5 takes a name only once: the file that was being saved is not whole.",
        means: &["model.save opens the file anew before it writes: what was in it before is gone."],
        likely: &[
            "Two layers, or two weights of a layer of one's own, have the same name: add_weight without name=, several inner layers called alike.",
        ],
        next: &[
            "give every weight a name of its own, and save again while the program runs",
            "or save without HDF5: model.save('NAME.keras'), or tf.train.Checkpoint(model).save(PREFIX)",
            "ckpt list PATH   what did get into the file",
        ],
        certain: &["Certain: what was to come behind the second of the two is not in the file."],
        ..ROW
    },
    Row {
        marks: &["unable to lock file"],
        cause: "hdf5-locked",
        value: &[("name = '", "'")],
        otherwise: "the HDF5 file",
        is: Is::Path,
        headline: "{} could not be locked: another program has it open, or the file system has no locks.",
        means: &[
            "HDF5 locks a file before it opens it. errno 11 is a file that another process holds, errno 37 and 95 a file system without locks.",
        ],
        likely: &[
            "A notebook or a training that is still running has it open for writing.",
            "A network file system (NFS, Lustre, a mounted bucket) without locks.",
        ],
        next: &[
            "errno 11: end the other program, or copy the file when it is written",
            "errno 37 or 95: HDF5_USE_FILE_LOCKING=FALSE in the environment, if nobody writes the file",
        ],
        certain: &["Certain: not a byte of weights was read or written by this call."],
        ..ROW
    },
    Row {
        marks: &[
            "bad object header version number",
            "wrong B-tree signature",
            "bad symbol table node signature",
            "inflate() failed",
            "bad local heap signature",
            "bad global heap collection signature",
            "filter returned failure during read",
            "unable to read superblock",
            "addr overflow, addr = ",
        ],
        cause: "bad-hdf5",
        headline: "The HDF5 file is damaged: a structure in it is not what should be there.",
        means: &[
            "The beginning of the file is HDF5; what it leads to is not. HDF5 as Keras writes it has no checksums for most of it.",
        ],
        likely: &[
            "The program that saved it was killed: structures are written last.",
            "Two programs wrote one file, or it was copied while it was being written.",
            "A damaged transfer, or one that changes line ends.",
        ],
        next: &[
            "ckpt list PATH   what can still be read, and what not",
            "ckpt validate PATH   what is wrong, and where",
            "fetch the file again, as binary, or take the save before it",
        ],
        certain: &["That the file is not whole is certain; how much of it is lost, ckpt list says."],
        ..ROW
    },
];
