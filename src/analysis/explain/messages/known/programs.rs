//! What programs say of graphs, runs and files before a checkpoint is even looked at, or after training went wrong.

use super::row::{Is, ROW, Row};
use crate::analysis::explain::messages::rule::Rank;

pub(super) const ROWS: &[Row] = &[
    Row {
        marks: &["OSError: File…meta does not exist", "IOError: File…meta does not exist", ".meta does not exist."],
        cause: "no-meta-graph",
        value: &[("File ", " does not exist")],
        otherwise: "the .meta file",
        is: Is::Path,
        headline: "There is no {}: import_meta_graph wants the graph that a Saver writes beside a checkpoint.",
        means: &["The .meta holds the graph, not the weights; a program that builds its model in code needs none."],
        likely: &[
            "The step in the name is another one, or the path is relative to another working directory.",
            "The checkpoint was written by TensorFlow 2 or with write_meta_graph=False: there never was one.",
            "Only .index and .data were copied.",
        ],
        next: &[
            "ckpt inspect DIR   which checkpoints are there, and which have a .meta",
            "tf.train.load_checkpoint(PREFIX)   reads the values without any graph",
        ],
        certain: &["Certain: nothing was read; of the weights the message says nothing."],
        ..ROW
    },
    Row {
        marks: &["At least two variables have the same name"],
        cause: "two-variables-one-name",
        value: &[("have the same name: ", "")],
        otherwise: "the same name",
        headline: "Two variables of the program are called {}, and a Saver takes a name only once.",
        means: &["A Saver finds values by names. Nothing was read or written."],
        likely: &[
            "The graph was built twice in one process: by code and by import_meta_graph, or in a notebook's cell that ran again.",
            "Variables of TensorFlow 2 that were made without names.",
        ],
        next: &[
            "tf.compat.v1.reset_default_graph()   before the model is built again",
            "either build the model in code or import the .meta, not both",
        ],
        certain: &["Certain: no file is at fault."],
        ..ROW
    },
    Row {
        marks: &["already exists, disallowed. Did you mean to set reuse", "was not created with tf.get_variable()"],
        cause: "variable-scope",
        value: &[("Variable ", " already exists"), ("Variable ", " does not exist")],
        otherwise: "a variable",
        headline: "The program's graph was built otherwise than its variable scopes expect: {}.",
        means: &[
            "get_variable makes a variable once, and gives it again only where reuse is set. No checkpoint was read.",
        ],
        likely: &[
            "The model is built twice in one process: in a notebook's cell that ran again, or for training and evaluation.",
            "reuse=True where nothing was built before.",
        ],
        next: &[
            "tf.compat.v1.reset_default_graph()   before the model is built again",
            "reuse=tf.compat.v1.AUTO_REUSE",
        ],
        certain: &["Certain: no file is at fault."],
        ..ROW
    },
    Row {
        marks: &[
            "Could not find trained model in model_dir",
            "Could not find a trained model in model_dir",
            "Couldn't find trained model at",
        ],
        cause: "no-trained-model",
        value: &[("in model_dir: ", ""), ("trained model at ", "")],
        otherwise: "the directory",
        is: Is::Dir,
        headline: "An Estimator found no checkpoint by way of the `checkpoint` file in {}.",
        means: &["Only the text file `checkpoint` is asked, not the other files that lie there."],
        likely: &[
            "model_dir is another directory than the one of the training; without model_dir it is a temporary one.",
            "The `checkpoint` file was not copied, or names a path that is no longer there.",
            "Nothing was trained yet.",
        ],
        next: &["ckpt inspect DIR   which checkpoints lie there", "ckpt latest DIR   the newest that is really there"],
        ..ROW
    },
    Row {
        marks: &["Error no file named…found in directory"],
        cause: "no-model-file",
        value: &[("found in directory ", " or"), ("found in directory ", "")],
        otherwise: "the directory",
        is: Is::Dir,
        headline: "Transformers finds none of the files that it knows in {}.",
        means: &[
            "It asks for fixed names (model.safetensors, pytorch_model.bin, tf_model.h5, model.ckpt.index), and for no others.",
        ],
        likely: &[
            "The weights are there under another name, or one directory deeper.",
            "They are of TensorFlow: from_tf=True, and for a checkpoint the path of its .index with its config.json.",
            "The clone has Git LFS pointers in place of the files, or only a part was fetched.",
        ],
        next: &["ckpt inspect DIR   what lies there"],
        certain: &["Certain: no weights were read."],
        ..ROW
    },
    Row {
        marks: &["truncated record at", "corrupted record at"],
        cause: "bad-records",
        headline: "A file of records (TFRecord: training data, event files) is cut or damaged; a checkpoint is no such file.",
        means: &[
            "Records have checksums of their own. The number in the message is the byte at which the record begins.",
        ],
        likely: &[
            "At 0: the file is no TFRecord file, or is compressed and was opened without compression_type.",
            "Behind 0: the writer was killed or is still writing, or the copy stopped early.",
        ],
        next: &[
            "ckpt inspect PATH   of that file: what it is",
            "write or fetch that file again; checkpoints are not concerned",
        ],
        certain: &["Certain: what was read was no checkpoint."],
        ..ROW
    },
    Row {
        marks: &[
            "Model diverged with loss = NaN",
            "NaN loss during training",
            "Nan in summary histogram for",
            "Tensor had NaN values",
            "Tensor had Inf and NaN values",
        ],
        cause: "diverged",
        value: &[("histogram for: ", ""), ("histogram for ", "")],
        otherwise: "a value",
        headline: "The training diverged: {} became NaN.",
        means: &["Checkpoints that were saved since then may hold NaN, and restoring one goes on with NaN."],
        likely: &[
            "The rate of learning is too high, a logarithm or division of zero, a bad example, float16 without loss scaling.",
        ],
        next: &[
            "ckpt log DIR --finite   the first checkpoint with NaN, and the last one without",
            "ckpt latest DIR --valid --finite   the prefix to go on from",
        ],
        certain: &["Whether a checkpoint holds NaN the message does not say; --finite reads it."],
        ..ROW
    },
    Row {
        marks: &[
            "Model provided has model identifier",
            "The model is not a valid Flatbuffer",
            "Model provided must have at least 7 bytes",
            "Could not open '….tflite",
        ],
        cause: "not-tflite",
        value: &[("Could not open '", "'"), ("model identifier '", "'")],
        otherwise: "the file",
        headline: "TensorFlow Lite cannot open its model: {}.",
        means: &[
            "A model of TensorFlow Lite has TFL3 in its bytes 4 to 8. Only a converter makes one; no checkpoint or SavedModel is one.",
        ],
        likely: &[
            "The path is wrong, or relative to another working directory.",
            "A Git LFS pointer (the identifier is \"ion \"), a web page, or an empty file.",
            "A SavedModel, a frozen graph or a .h5 file was given in place of a .tflite.",
        ],
        next: &["ckpt inspect PATH   what the file really is", "tf.lite.TFLiteConverter   makes a .tflite of a model"],
        ..ROW
    },
    Row {
        marks: &["invalid load key, '"],
        cause: "not-a-pickle",
        value: &[("invalid load key, '", "'")],
        otherwise: "something else",
        headline: "The file is no pickle (PyTorch, scikit-learn): it begins with {}.",
        means: &[
            "'v' is the beginning of a Git LFS pointer (version https://git-lfs…), '<' of a web page, 'H' or '\\x89' of HDF5, '\\x08' or '\\n' of a message of TensorFlow.",
        ],
        likely: &[
            "Git LFS was not installed when the repository was cloned.",
            "A download saved a page or an error under this name.",
            "The file is of another framework than the program that opens it.",
        ],
        next: &["ckpt inspect PATH   what the file really is", "git lfs pull, or fetch the file again, as binary"],
        certain: &["Certain: nothing of the weights was read."],
        ..ROW
    },
    Row {
        marks: &["File system scheme '…' not implemented", "File system scheme"],
        cause: "no-file-system",
        value: &[("File system scheme '", "'")],
        otherwise: "this kind of path",
        headline: "This TensorFlow has no file system for {} paths.",
        means: &[
            "s3, hdfs and az moved out of TensorFlow to the package tensorflow-io in 2.6; [local] is a disk that the accelerator cannot see.",
        ],
        likely: &[
            "tensorflow-io is not installed, or not imported before the path is used, or of another version.",
            "A TPU is given a path of the local disk: it reads gs:// only.",
        ],
        next: &[
            "pip install tensorflow-io, and import tensorflow_io in the program",
            "or fetch the files (aws s3 cp --recursive, gsutil cp) and give the local path",
        ],
        certain: &["Certain: nothing was looked up there; no file is known to be missing or damaged."],
        ..ROW
    },
    Row {
        marks: &["Error executing an HTTP request"],
        cause: "store-refused",
        rank: Rank::Vague,
        value: &[("HTTP response code ", " "), ("HTTP response code ", "")],
        otherwise: "no answer",
        headline: "The object store did not hand out what was asked for: HTTP {}.",
        means: &[
            "401 and 403: no credentials, or not the right ones. 404: there is nothing of this name. 429 and 5xx: try again later. Without a number the network failed.",
        ],
        likely: &[
            "The process has no credentials (GOOGLE_APPLICATION_CREDENTIALS), or the bucket is of another project.",
            "The prefix lacks its step, or the object was removed.",
        ],
        next: &[
            "gsutil ls -l of the path   with the account of the program",
            "fetch the files, and ckpt validate PREFIX of the copy",
        ],
        certain: &["That bytes are damaged the message does not say."],
        ..ROW
    },
    Row {
        marks: &[
            "Permission denied",
            "PermissionDeniedError",
            "Read-only file system",
            "Failed to create a directory",
            "[Errno 13]",
            "[Errno 30]",
        ],
        cause: "no-permission",
        rank: Rank::Vague,
        value: &[
            ("", "; Permission denied"),
            ("", ": Permission denied"),
            ("Permission denied: '", "'"),
            ("", "; Read-only"),
            ("create a directory: ", ";"),
            ("", ": Read-only"),
        ],
        otherwise: "a file",
        is: Is::Path,
        headline: "The program may not read or write {}.",
        means: &[
            "The operating system refused it. While saving, nothing was put in the place of the checkpoint before.",
        ],
        likely: &[
            "The files belong to another user (a container that runs as root), or lack the right to be read.",
            "The place is mounted read-only, as inputs of notebooks are, or the directory above it does not exist.",
        ],
        next: &[
            "ls -l of the path   who owns it",
            "save to a directory that the program may write; ckpt latest DIR   the newest checkpoint that is there",
        ],
        certain: &["That bytes are damaged the message does not say."],
        ..ROW
    },
];
