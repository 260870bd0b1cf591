//! Pages about what a graph can do: `ckpt ops`.

use super::Page;
use crate::analysis::Code;

const TRUST: &str = "Load it only if you trust whoever made it, or in a sandbox without files and network.";
const WHERE: &str =
    "The finding names node, function, and what reaches them: look there in the program that exported it.";

pub(super) const PAGES: &[Page] = &[
    Page {
        code: Code::OpReadsFile,
        found: "Every node of every graph and function is looked at, and its path followed to where it comes from. Restoring the model's own variables and reading its own assets is left out.",
        tensorflow: "Reads whatever the path says, with the rights of the process, and hands it to the graph.",
        causes: &[
            "An input pipeline, or a table whose vocabulary is no asset, was exported with the model.",
            "The model was made to read files of whoever runs it.",
        ],
        next: &[WHERE, TRUST],
    },
    Page {
        code: Code::OpWritesFile,
        found: "Every node of every graph and function is looked at. Saving where the saver is told to save is left out; saving to a fixed path, or while the model is called, is not.",
        tensorflow: "Writes wherever the path says, with the rights of the process.",
        causes: &[
            "Code for debugging or summaries was exported with the model.",
            "The model was made to change files of whoever runs it.",
        ],
        next: &[WHERE, TRUST],
    },
    Page {
        code: Code::OpPrintsToFile,
        found: "A `PrintV2` whose `output_stream` begins with `file://`. Prints to the log are left out.",
        tensorflow: "Appends the text to the file.",
        causes: &[
            "`tf.print(…, output_stream=\"file://…\")` was left in the model.",
            "It is a way to write files that scanners forget.",
        ],
        next: &[WHERE, TRUST],
    },
    Page {
        code: Code::OpReachesNetwork,
        found: "Ops that are given an address, debug ops with a `grpc://` URL, and file ops whose path names a scheme such as `gs://` or `http://`.",
        tensorflow: "Connects to the address, or asks the file system of that scheme to.",
        causes: &["Part of a distributed input pipeline was exported.", "The model was made to send data out."],
        next: &[WHERE, TRUST],
    },
    Page {
        code: Code::OpRunsHostCode,
        found: "`PyFunc`, `EagerPyFunc` and calls of functions by name (`XlaCustomCall`).",
        tensorflow: "Looks the function up in a registry of the process; in a process that did not register it, the call fails.",
        causes: &["The model was made with `tf.py_function` or `tf.numpy_function`."],
        next: &[
            "The model does not work outside of the program that made it: replace the Python function by TensorFlow's ops.",
            WHERE,
        ],
    },
    Page {
        code: Code::OpHidesGraph,
        found: "A `DatasetFromGraph`: its input is a serialized graph, which is not looked into.",
        tensorflow: "Parses the string and runs what is in it.",
        causes: &["A data set was serialized into the model.", "Ops were hidden from scanners."],
        next: &[WHERE, TRUST],
    },
    Page {
        code: Code::OpReconfigures,
        found: "A `FileSystemSetConfiguration` in a graph or a function.",
        tensorflow: "Sets an option of the file system of that scheme for the whole process: an end point, credentials.",
        causes: &[
            "Settings of one machine were exported with the model.",
            "The model was made to redirect what others read.",
        ],
        next: &[WHERE, TRUST],
    },
    Page {
        code: Code::OpAborts,
        found: "An `Abort` in a graph or a function.",
        tensorflow: "Ends the process, unless it is told to exit without an error.",
        causes: &["Code for tests was exported with the model.", "The model was made to stop servers."],
        next: &[WHERE],
    },
    Page {
        code: Code::OpCommunicates,
        found: "Collective, send and receive ops, and ops that set up accelerators.",
        tensorflow: "Talks to the processes of the cluster that the program has set up; without one the op fails.",
        causes: &["The graph of distributed training was exported as it was."],
        next: &["For serving, export from one process, without a distribution strategy.", WHERE],
    },
    Page {
        code: Code::OpCustom,
        found: "The name is neither among the 1910 ops that TensorFlow 2.21 registers nor a function of the graph's library.",
        tensorflow: "Refuses to load the graph: \"Op type not registered\", until a library is loaded that has the op.",
        causes: &[
            "The model uses TensorFlow Text, TF-TRT, Addons or ops of its makers'.",
            "The op was removed from TensorFlow, or is newer than 2.21.",
        ],
        next: &["Find out which library has the op, and whether you trust it: it is code of the process.", WHERE],
    },
    Page {
        code: Code::KerasLambda,
        found: "Configurations in `keras_metadata.pb`, in the objects of `saved_model.pb`, in `.keras` archives and in the attributes of `.h5` files are searched through all nested models and wrappers, for every way to write a Lambda.",
        tensorflow: "The graph needs no Python, but Keras builds the model from its configuration: it unmarshals the code and runs it, unless `safe_mode` refuses.",
        causes: &[
            "`keras.layers.Lambda(lambda x: …)` in the model.",
            "Code was put into the model to run when it is loaded.",
        ],
        next: &[
            "Load such a file only if you trust whoever made it; `tf.saved_model.load` does not run it.",
            "Replace the layer by one of Keras, or by a class of your own, and save again.",
        ],
    },
    Page {
        code: Code::KerasForeignObject,
        found: "An object whose `module` or `registered_name` is none of Keras' own.",
        tensorflow: "Keras imports the module and calls what is named, or takes the class that was registered under the name; old releases import any module.",
        causes: &[
            "Layers, losses or metrics of somebody's own.",
            "A module such as `os` was named to call its functions.",
        ],
        next: &["Check that the named module is the one that the model's makers publish."],
    },
];
