//! Every wording that is known, as it arrives: behind log prefixes, in tracebacks, in the colours of a terminal, with the
//! quotes of a web page.

use super::explain_error;
use super::wordings_of_loading::LOADING;

/// A message as a program says it, and words of the headline.
const WORDINGS: &[(&str, &str)] = &[
    ("DataLossError: truncated block read", "index of the checkpoint is cut or damaged"),
    ("corrupted compressed block contents", "index of the checkpoint is cut or damaged"),
    ("Corruption: bad block type", "index of the checkpoint is cut or damaged"),
    (
        "FindFirstFile failed for: C:/run/model : The system cannot find the path specified.\n; No such process",
        "'C:/run/model' is not there",
    ),
    (
        "NewRandomAccessFile failed to Create/Open: D:\\m\\variables.data-00000-of-00001 : The system cannot find the file specified.",
        "Windows",
    ),
    ("NotFoundError: /models/bert/assets/vocab.txt; No such file or directory", "asset"),
    (
        "tensorflow.python.framework.errors_impl.ResourceExhaustedError: run/ckpt-5.data-00000-of-00001.tempstate123; No space left on device",
        "disk was full",
    ),
    (
        "UnknownError: Failed to rename: m/ckpt-1.index.tempstate5 to: m/ckpt-1.index : Access is denied.",
        "could not be renamed",
    ),
    (
        "Failed to rename: a to: b : The process cannot access the file because it is being used by another process.",
        "could not be renamed",
    ),
    (
        "NotFoundError: run/m_temp/part-00001-of-00002.index; No such file or directory [Op:MergeV2Checkpoints]",
        "parts of a save by several workers",
    ),
    (
        "Duplicate tensor keyed by dense/kernel encountered, when merging prefix: run/m_temp/part-00001-of-00002",
        "Two workers saved 'dense/kernel'",
    ),
    ("ValueError: GraphDef cannot be larger than 2GB.", "larger than 2 GB"),
    (
        "ValueError: Cannot serialize protocol buffer of type tensorflow.GraphDef as the serialized size (2838340429bytes) would be larger than the limit (2147483647 bytes)",
        "larger than 2 GB",
    ),
    (
        "InvalidArgumentError: Expected to restore a tensor of type float, got a tensor of type double instead: tensor_name = dense/w",
        "'dense/w' as float32, the checkpoint has it as float64",
    ),
    (
        "AssertionError: Some objects had attributes which were not restored:\n    <tf.Variable 'x:0'>: ['x']",
        "'x' of the program is not in the checkpoint",
    ),
    (
        "Inconsistent references when loading the checkpoint into this object graph. For example, in the saved checkpoint object",
        "are one in the checkpoint",
    ),
    ("Unresolved object in checkpoint: (root).optimizer.iter", "(root).optimizer.iter"),
    (
        "Value in checkpoint could not be found in the restored object: (root).optimizer's state 'm' for (root).layer_with_weights-0.kernel",
        "(root).optimizer's state 'm' for (root).layer_with_weights-0.kernel",
    ),
    (
        "ValueError: Tensor's shape (768, 2) is not compatible with supplied shape (768, 3)",
        "as 768×3, the checkpoint has it as 768×2",
    ),
    ("ValueError: Shapes (10,) and (5,) are incompatible", "another shape"),
    (
        "ValueError: Received incompatible tensor with shape (3, 4) when attempting to restore variable with shape (3, 5) and name dense/kernel:0.",
        "3×5",
    ),
    (
        "ValueError: Importing a SavedModel with `tf.saved_model.load` requires a `tags=` argument if there is more than one MetaGraph. Got `tags=None`, but there are 2 MetaGraphs in the SavedModel with tag sets: [['serve'], ['serve', 'tpu']]",
        "2 graphs, so the tags",
    ),
    (
        "RuntimeError: MetaGraphDef associated with tags 'serve' could not be found in SavedModel. available_tags: []",
        "no graph in this SavedModel at all",
    ),
    ("OSError: Cannot parse file b'm/saved_model.pb': Error parsing message.", "'m/saved_model.pb' is no graph"),
    ("Error parsing text-format tensorflow.SavedModel: 1:1: Message type", "is no graph of a SavedModel"),
    (
        "ValueError: NodeDef mentions attr 'explicit_paddings' not in Op<name=MaxPool; signature=input:T -> output:T",
        "newer TensorFlow",
    ),
    (
        "The specified SavedModel has no variables; no checkpoints were restored. File does not exist: /m/1/variables/variables.index",
        "'/m/1/variables/variables.index' was not there",
    ),
    (
        "FailedPreconditionError: Attempting to use uninitialized value dense/bias\n\t [[{{node dense/bias/read}}]]",
        "'dense/bias' has no value",
    ),
    (
        "Error while reading resource variable dense/kernel from Container: localhost. This could mean that the variable was uninitialized.",
        "'dense/kernel' has no value",
    ),
    (
        "tensorflow.python.framework.errors_impl.NotFoundError: Op type not registered 'CaseFoldUTF8' in binary running on host. Make sure the Op and Kernel are registered",
        "no op 'CaseFoldUTF8'",
    ),
    (
        "FileSystemStoragePathSource encountered a filesystem access error: Could not find base path /models/resnet for servable resnet",
        "There is no '/models/resnet'",
    ),
    (
        "No versions of servable default found under base path /models/m. Did you forget to name your leaf directory as a number (eg. '/1/')?",
        "no version below '/models/m'",
    ),
    ("{ \"error\": \"Servable not found for request: Latest(my_model)\" }", "Latest(my_model)"),
    (
        "Failed precondition: Specified file path does not appear to contain a SavedModel bundle (should have a file called `saved_model.pb`)",
        "holds no SavedModel",
    ),
    ("UnicodeDecodeError: 'utf-8' codec can't decode byte 0x93 in position 9: invalid start byte", "not UTF-8"),
    ("TypeError: unsupported operand type(s) for +: 'NoneType' and 'str'", "path is None"),
    ("OSError: Unable to open file (file signature not found)", "no HDF5 file"),
    (
        "OSError: Unable to synchronously open file (truncated file: eof = 1048576, sblock->base_addr = 0, stored_eof = 102853048)",
        "102853048 bytes",
    ),
    (
        "OSError: SavedModel file does not exist at: model.hdf5/{saved_model.pbtxt|saved_model.pb}",
        "'model.hdf5' is missing",
    ),
    (
        "ValueError: Layer 'dense_1' expected 2 variables, but received 0 variables during loading. Expected: ['kernel', 'bias']",
        "'dense_1' is not built yet",
    ),
    (
        "UserWarning: Skipping variable loading for optimizer 'adam', because it has 2 variables whereas the saved optimizer has 14 variables.",
        "'adam' was not loaded",
    ),
    (
        "ValueError: Shape mismatch in layer #4 (named predictions) for weight predictions/kernel. Weight expects shape (512, 10). Received saved weight with shape (512, 1000)",
        "'predictions/kernel' as 512×10",
    ),
    (
        "ValueError: You are trying to load a weight file containing 16 layers into a model with 0 layers.",
        "another number of layers",
    ),
    (
        "ValueError: The layer expects 4 weights, but the saved weights have 2 elements.",
        "another number of layers or weights",
    ),
    ("ValueError: axes don't match array", "another number of dimensions"),
    ("AttributeError: 'BertForPreTraining' object has no attribute 'shape'", "'BertForPreTraining' has no place for"),
    ("AttributeError: 'BertForPreTraining' object has no attribute 'bias'", "'BertForPreTraining' has no place for"),
    (
        "Error: Provided weight data has no target variable: dense_Dense1/kernel",
        "no variable for 'dense_Dense1/kernel'",
    ),
    (
        "InvalidArgumentError: No OpKernel was registered to support Op 'CudnnRNNV2' used by node lstm with these attrs",
        "'CudnnRNNV2' runs on no device",
    ),
    ("RuntimeError: Attempting to capture an EagerTensor without building a function.", "eager execution is on"),
    ("KeyError: \"The name 'Adam' refers to an Operation not in the graph.\"", "no operation 'Adam'"),
    (
        "ValueError: The type 'tf_agents.specs.BoundedTensorSpec' has not been registered. It must be registered before you load this object",
        "'tf_agents.specs.BoundedTensorSpec'",
    ),
    ("Key _CHECKPOINTABLE_OBJECT_GRAPH not found in checkpoint", "name-based"),
    (
        "W tensorflow/core/util/tensor_slice_reader.cc:95] Could not open run/w.012.ckpt: Data loss: not an sstable (bad magic number)",
        "'run/w.012.ckpt' is not the index",
    ),
    (
        "RuntimeError: MetaGraphDef associated with tags 'train' could not be found in SavedModel. To inspect",
        "the tags 'train'",
    ),
    ("{\"error\": \"Serving signature name: \\\"classify\\\" not found in signature def\"}", "no signature 'classify'"),
    (
        "Loading servable: {name: m version: 3} failed: Not found: NewRandomAccessFile failed to Create/Open: C:/m/3/variables/variables.index",
        "'C:/m/3/variables/variables.index' is not there",
    ),
    ("AttributeError: 'str' object has no attribute 'decode'", "h5py 3"),
    ("ValueError: Object arrays cannot be loaded when allow_pickle=False", "array of Python objects"),
    ("ValueError: Cannot load file containing pickled data when allow_pickle=False", "no array of NumPy"),
    (
        "InvalidArgumentError: Graph execution error:\n\nShapes (32, 10) and (32, 12) are incompatible",
        "If a checkpoint was being restored",
    ),
    (
        "TypeError: Error when deserializing class 'InputLayer' using config={'batch_shape': [None, 28]}.\n\nException encountered: Unrecognized keyword arguments: ['batch_shape']",
        "'InputLayer' that this Keras",
    ),
    (
        "ValueError: Unrecognized keyword arguments passed to DepthwiseConv2D: {'groups': 1}",
        "'DepthwiseConv2D' that this Keras",
    ),
    ("TypeError: ('Keyword argument not understood:', 'groups')", "'groups' that this Keras"),
    ("TypeError: __init__() got an unexpected keyword argument 'ragged'", "'ragged' that this Keras"),
    ("ValueError: bad marshal data (unknown type code)", "another version of Python"),
    ("SystemError: unknown opcode", "another version of Python"),
    ("AttributeError: '_UserObject' object has no attribute 'predict'", "and no 'predict'"),
    (
        "ValueError: You called `set_weights(weights)` on optimizer Adam with a  weight list of length 255, but the optimizer was expecting 0 weights.",
        "state of 'Adam'",
    ),
    (
        "WARNING:tensorflow:Error in loading the saved optimizer state. As a result, your model is starting with a freshly initialized optimizer.",
        "another number of variables",
    ),
    ("ImportError: Filepath looks like a hdf5 file but h5py is not available. filepath=w.h5", "h5py"),
    (
        "NotImplementedError: Weights may only be loaded based on topology into Models when loading TensorFlow-formatted weights (got by_name=True to load_weights).",
        "by_name=True) is for HDF5",
    ),
    ("RuntimeError: Unable to create link (name already exists)", "Two weights of the model have one name"),
    ("ValueError: Unable to create dataset (name already exists)", "Two weights of the model have one name"),
    (
        "BlockingIOError: [Errno 11] Unable to open file (unable to lock file, errno = 11, error message = 'Resource temporarily unavailable')",
        "could not be locked",
    ),
    ("OSError: Unable to open file (bad object header version number)", "HDF5 file is damaged"),
    ("OSError: Can't read data (inflate() failed)", "HDF5 file is damaged"),
    ("ValueError: Cannot create group in read-only mode.", "weights alone"),
    ("ValueError: The `filename` argument must end in `.weights.h5`. Received: filepath=w", "'w' does not"),
    ("ValueError: Unknown initializer: GlorotUniform", "'GlorotUniform', which Keras does not know"),
    (
        "ValueError: Unable to restore custom object of type _tf_keras_metric currently.",
        "'_tf_keras_metric', which Keras",
    ),
    ("OSError: File ./model/my-model-1000.meta does not exist.", "There is no './model/my-model-1000.meta'"),
    ("ValueError: At least two variables have the same name: conv1/weights", "called 'conv1/weights'"),
    (
        "ValueError: Variable conv1/w already exists, disallowed. Did you mean to set reuse=True in VarScope?",
        "'conv1/w'",
    ),
    ("ValueError: Could not find trained model in model_dir: /runs/iris.", "`checkpoint` file in '/runs/iris'"),
    ("OSError: Error no file named model.safetensors found in directory ./bert", "knows in './bert'"),
    (
        "tensorflow.python.framework.errors_impl.DataLossError: truncated record at 1231 [Op:IteratorGetNext]",
        "file of records",
    ),
    ("InvalidArgumentError: Nan in summary histogram for: layer1/weights_1", "'layer1/weights_1' became NaN"),
    ("NanLossDuringTrainingError: NaN loss during training.", "a value became NaN"),
    ("ValueError: Model provided has model identifier 'ion ', should be 'TFL3'", "TensorFlow Lite cannot open"),
    ("_pickle.UnpicklingError: invalid load key, 'v'.", "begins with 'v'"),
    (
        "UnimplementedError: File system scheme 's3' not implemented (file: 's3://b/ckpt-1')",
        "no file system for 's3' paths",
    ),
    (
        "Error executing an HTTP request: HTTP response code 403 with body 'x' when reading metadata of gs://b/run/ckpt-5.index",
        "HTTP 403",
    ),
    (
        "PermissionDeniedError: /data/run/ckpt-1.index.tempstate12; Permission denied [Op:SaveV2]",
        "may not read or write '/data/run/ckpt-1.index.tempstate12'",
    ),
    ("NotFoundError: Failed to create a directory: /mnt/out/x; No such file or directory", "'/mnt/out/x'"),
];

fn headline(text: &str, what: &str) -> String {
    explain_error(text).unwrap_or_else(|| panic!("not recognised, {what}: {text}")).headline
}

#[test]
fn every_wording_is_recognised_however_it_arrives() {
    let mut wrong = Vec::new();
    for (message, words) in WORDINGS.iter().chain(LOADING) {
        let plain = headline(message, "plain");
        if !plain.contains(words) {
            wrong.push(format!("{message}\n  {words:?} is not in: {plain}"));
        }
        let log = format!(
            "2026-01-02 03:04:05.678901: W tensorflow/core/framework/op_kernel.cc:1767] OP_REQUIRES failed at save_restore_v2_ops.cc:184 : {message}"
        );
        let absl = format!(
            "E0000 00:00:1700000000.123456 4242 direct_session.cc:1000] {message}\n\t [[{{{{node save/RestoreV2}}}}]]"
        );
        let coloured = format!("\x1b[1;31m{}\x1b[0m", message.replace(' ', " \x1b[0m"));
        let traceback = format!(
            "Traceback (most recent call last):\n  File \"/usr/lib/python3/site-packages/tensorflow/python/x.py\", line 5, in load\n    return f(x)\n{message}\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"train.py\", line 3, in <module>\nSystemExit: 1"
        );
        let web = message.replace('\'', "\u{2019}").replace('"', "\u{201d}");
        let html = message
            .replace('&', "&amp;")
            .replace('\'', "&#39;")
            .replace('"', "&quot;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let windows = message.replace('\n', "\r\n");
        let forms = [
            ("log", log),
            ("absl", absl),
            ("colours", coloured),
            ("traceback", traceback),
            ("web", web),
            ("html", html),
            ("windows", windows),
        ];
        for (what, text) in forms {
            let found = headline(&text, what);
            if found != plain {
                wrong.push(format!("{what}: {text}\n  {found}\n  instead of {plain}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// A mark that is found in ordinary text would answer what nobody asked.
#[test]
fn ordinary_text_is_not_explained() {
    for text in
        ["hello", "ValueError: x", "the model was saved", "Epoch 1/5 loss: 0.3", "KeyError: 'a'", "No such file"]
    {
        assert!(explain_error(text).is_none(), "{text}");
    }
}
